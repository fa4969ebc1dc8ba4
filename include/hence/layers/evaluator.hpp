// evaluator: runs a network: its workspace and output, reserved once, and the threads to use.
//
// The network stays const and can have any number of evaluators; each is used by one thread at a time.
#ifndef HENCE_LAYERS_EVALUATOR_HPP
#define HENCE_LAYERS_EVALUATOR_HPP

#include "../tensor/tensor.hpp"
#include "layer.hpp"

HENCE_NAMESPACE_BEGIN

namespace layers {

/// How an evaluator runs.
struct evaluator_options {
    std::size_t max_rows = 1;                     ///< rows of one call
    std::size_t inputs = dynamic_extent;          ///< width of the rows; needed where the network's type has none
    thread_team* team = nullptr;                  ///< null: the calling thread
    std::pmr::memory_resource* memory = nullptr;  ///< null: std::pmr::get_default_resource()
};

/// Applies a network to rows. Allocates when it is made and never again.
template <layer L>
class evaluator {
public:
    using output_rows = rows_in<L::static_output(L::in_features)>;

    /// Keeps a pointer to the network.
    /// @shape none
    /// @errors contract: a network that cannot read rows of this width; what the memory resource throws
    /// @source none
    explicit evaluator(const L& network, const evaluator_options& options = {})
        : network_(&network),
          team_(options.team != nullptr ? options.team : &alone_),
          width_(detail::known<L::in_features>(options.inputs)),
          workspace_(network.workspace_bytes(options.max_rows, checked_width(network, width_)), options.memory),
          output_(uninitialized, dextents<2>(options.max_rows, network.output_size(width_)), options.memory) {}
    explicit evaluator(L&&, const evaluator_options& = {}) = delete;
    evaluator(const evaluator&) = delete;
    evaluator& operator=(const evaluator&) = delete;

    /// The network's output for some rows, valid until the next call.
    /// @shape in[rows <= max_rows, inputs] -> [rows, outputs]
    /// @errors contract: more rows than max_rows, or of another width
    /// @source none
    [[nodiscard]] output_rows operator()(const rows_in<L::in_features>& in) {
        HENCE_EXPECT(in.extent(0) <= output_.extent(0), "at most max_rows rows");
        HENCE_EXPECT(in.extent(1) == width_, "rows of the network's input size");
        using out_rows = rows_out<L::static_output(L::in_features)>;
        const out_rows out(output_.view().rows(0, in.extent(0)));
        const scratch temporary = workspace_.start();
        team_->each([&](const worker& self) { network_->forward(self, in, out, temporary); });
        return out;
    }

    /// The bytes that were reserved for temporaries.
    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes() const noexcept { return workspace_.capacity(); }

private:
    static std::size_t checked_width(const L& network, std::size_t width) {
        HENCE_EXPECT(width != dynamic_extent, "evaluator_options::inputs, since the network's type has no input size");
        static_cast<void>(network.output_size(width));
        return width;
    }

    const L* network_;
    serial_team alone_;
    thread_team* team_;
    std::size_t width_;
    arena workspace_;
    matrix<float> output_;
};

}  // namespace layers

HENCE_NAMESPACE_END

#endif
