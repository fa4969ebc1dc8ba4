// residual: out = in + f(in) for any layer f that keeps the width.
#ifndef HENCE_LAYERS_RESIDUAL_HPP
#define HENCE_LAYERS_RESIDUAL_HPP

#include "layer.hpp"

#include <utility>

HENCE_NAMESPACE_BEGIN

namespace layers {

namespace detail {

// out += in by each worker's own rows; nobody waits.
inline void add_rows(const kernel_table& kernels, const worker& self, const rows_in<>& in, const rows_out<>& out) {
    const index_range mine = self.share(in.extent(0));
    for (std::size_t row = mine.begin; row < mine.end; ++row) {
        float* const target = out.data() + row * out.stride(0);
        kernels.scale_add(in.data() + row * in.stride(0), 1.0f, target, in.extent(1), target);
    }
}

}  // namespace detail

/// A layer with a connection around it. Does not compile around a layer of other static output than input.
template <layer L>
    requires(hence::detail::compatible(L::in_features, L::static_output(L::in_features)))
class residual {
public:
    static constexpr std::size_t in_features = L::in_features;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t width) noexcept {
        return detail::known<in_features>(width);
    }

    /// @shape none
    /// @errors contract: .value() of kernels::default_table()
    /// @source none
    explicit residual(L inner, const layer_options& options = {})
        : inner_(std::move(inner)), kernels_(detail::table_or_default(options.kernels)) {}

    /// @shape width: that of the rows to read
    /// @errors contract: the inner layer does not keep the width
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        HENCE_EXPECT(inner_.output_size(width) == width, "an inner layer that keeps the width");
        return width;
    }
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t width = in_features) const {
        return inner_.workspace_bytes(rows, width);
    }

    /// @shape in[rows, size], out[rows, size]
    /// @errors as the inner layer
    /// @threads all workers of a team call it together
    /// @source He, Zhang, Ren, Sun, 2015, arXiv 1512.03385, eq. 1
    void forward(const worker& self, const rows_in<in_features>& in, const rows_out<in_features>& out,
                 scratch temporary) const {
        inner_.forward(self, in, rows_out<L::static_output(in_features)>(out), temporary);
        detail::add_rows(*kernels_, self, in, out);
        self.wait();
    }

    [[nodiscard]] const L& inner() const noexcept { return inner_; }

private:
    L inner_;
    const kernel_table* kernels_;
};

}  // namespace layers

HENCE_NAMESPACE_END

#endif
