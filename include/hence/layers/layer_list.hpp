// any_layer and layer_list: layers chosen at run time, one after another.
//
// The run-time counterpart of layers/sequential.hpp, for networks that a file or an option describes: sizes are
// checked when a layer is added instead of when the program is compiled. A virtual call per layer is its cost.
#ifndef HENCE_LAYERS_LAYER_LIST_HPP
#define HENCE_LAYERS_LAYER_LIST_HPP

#include "layer.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace layers {

/// Owns a layer of any type.
class any_layer {
public:
    static constexpr std::size_t in_features = dynamic_extent;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t) noexcept { return dynamic_extent; }

    template <layer L>
        requires(!std::same_as<L, any_layer>)
    any_layer(L inner) : held_(std::make_unique<holder<L>>(std::move(inner))) {}

    /// @shape width: that of the rows to read
    /// @errors as the layer
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const { return held_->output_size(width); }
    /// @shape rows of `width` values
    /// @units bytes
    /// @errors as the layer
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t width) const {
        return held_->workspace_bytes(rows, width);
    }
    /// @shape in[rows, size], out[rows, output_size(size)]
    /// @errors as the layer; contract: a static size of the layer differs
    /// @threads all workers of a team call it together
    /// @source none
    void forward(const worker& self, const rows_in<>& in, const rows_out<>& out, scratch temporary) const {
        held_->forward(self, in, out, temporary);
    }

private:
    struct base {
        virtual ~base() = default;
        [[nodiscard]] virtual std::size_t output_size(std::size_t width) const = 0;
        [[nodiscard]] virtual std::size_t workspace_bytes(std::size_t rows, std::size_t width) const = 0;
        virtual void forward(const worker&, const rows_in<>&, const rows_out<>&, scratch) const = 0;
    };
    template <class L>
    struct holder final : base {
        explicit holder(L given) : inner(std::move(given)) {}
        [[nodiscard]] std::size_t output_size(std::size_t width) const override { return inner.output_size(width); }
        [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t width) const override {
            return inner.workspace_bytes(rows, width);
        }
        void forward(const worker& self, const rows_in<>& in, const rows_out<>& out, scratch temporary) const override {
            inner.forward(self, rows_in<L::in_features>(in), rows_out<L::static_output(L::in_features)>(out),
                          temporary);
        }
        L inner;
    };

    std::unique_ptr<const base> held_;
};

/// Layers one after another; itself a layer.
class layer_list {
public:
    static constexpr std::size_t in_features = dynamic_extent;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t) noexcept { return dynamic_extent; }

    /// A list for rows of `inputs` values; without layers it is the identity.
    /// @shape none
    /// @errors none
    /// @source none
    explicit layer_list(std::size_t inputs) : inputs_(inputs), outputs_(inputs) {}

    /// Adds a layer at the end.
    /// @shape the layer reads rows of outputs() values
    /// @errors contract: it does not
    /// @source none
    void push_back(any_layer next) {
        outputs_ = next.output_size(outputs_);
        widest_ = std::max(widest_, outputs_);
        layers_.push_back(std::move(next));
    }

    [[nodiscard]] std::size_t size() const noexcept { return layers_.size(); }
    [[nodiscard]] std::size_t inputs() const noexcept { return inputs_; }
    [[nodiscard]] std::size_t outputs() const noexcept { return outputs_; }

    /// @shape width: that of the rows to read
    /// @errors contract: width == inputs()
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        HENCE_EXPECT(width == inputs_, "rows of the layer's input size");
        return outputs_;
    }

    /// @shape rows of `width` values
    /// @units bytes
    /// @errors contract: width == inputs()
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t width) const {
        HENCE_EXPECT(width == inputs_, "rows of the layer's input size");
        std::size_t largest = 0;
        for (const any_layer& one : layers_) {
            largest = std::max(largest, one.workspace_bytes(rows, width));
            width = one.output_size(width);
        }
        return largest + 2 * arena_bytes<float>(rows * widest_);
    }

    /// @shape in[rows, inputs], out[rows, outputs]
    /// @errors as the layers
    /// @threads all workers of a team call it together
    /// @source none
    void forward(const worker& self, const rows_in<>& in, const rows_out<>& out, scratch temporary) const {
        detail::check_shapes(in, out, inputs_, outputs_);
        const std::size_t rows = in.extent(0);
        std::span<float> front = temporary.take<float>(rows * widest_);
        std::span<float> back = temporary.take<float>(rows * widest_);
        rows_in<> source = in;
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const matrix_view<float> between(front.data(), rows, layers_[i].output_size(source.extent(1)));
            const rows_out<> target = i + 1 == layers_.size() ? out : rows_out<>(between);
            layers_[i].forward(self, source, target, temporary);
            source = target;
            std::swap(front, back);
        }
        if (layers_.empty()) {
            if (self.index == 0) copy_elements(in, out);
            self.wait();
        }
    }

private:
    std::vector<any_layer> layers_;
    std::size_t inputs_;
    std::size_t outputs_;
    std::size_t widest_ = 0;
};

}  // namespace layers

HENCE_NAMESPACE_END

#endif
