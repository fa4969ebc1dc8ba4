// feed_forward and gated_feed_forward: the two-layer networks inside a transformer block.
#ifndef HENCE_LAYERS_FEED_FORWARD_HPP
#define HENCE_LAYERS_FEED_FORWARD_HPP

#include "layer.hpp"
#include "linear.hpp"

#include <algorithm>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace layers {

/// down(f(up(x)))
template <std::size_t Width = dynamic_extent, std::size_t Inner = dynamic_extent>
class feed_forward {
public:
    static constexpr std::size_t in_features = Width;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t) noexcept { return Width; }

    /// @shape up: width -> inner, down: inner -> width
    /// @errors contract: the sizes differ; .value() of kernels::default_table()
    /// @source Vaswani et al., 2017, arXiv 1706.03762, eq. 2, for any activation
    feed_forward(linear<Width, Inner> up, linear<Inner, Width> down, activation f, const layer_options& options = {})
        : kernels_(detail::table_or_default(options.kernels)), up_(std::move(up)), down_(std::move(down)), f_(f) {
        HENCE_EXPECT(up_.outputs() == down_.inputs() && up_.inputs() == down_.outputs(),
                     "up and down of swapped sizes");
    }

    /// @shape width: that of the rows to read
    /// @errors contract: the layer's own size
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const { return down_.output_size(up_.output_size(width)); }

    /// @shape rows to be given to one forward()
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t /*width*/ = Width) const {
        return arena_bytes<float>(rows * up_.outputs()) +
               std::max(up_.workspace_bytes(rows), down_.workspace_bytes(rows));
    }

    /// @shape in[rows, width], out[rows, width]
    /// @errors contract: sizes differ, or the scratch is too small
    /// @threads all workers of a team call it together
    /// @source as the constructor
    void forward(const worker& self, const rows_in<Width>& in, const rows_out<Width>& out, scratch temporary) const {
        const auto inner = temporary.take<float>(extents<dynamic_extent, Inner>(in.extent(0), up_.outputs()));
        up_.forward(self, in, inner, temporary);
        const index_range mine = self.share(in.extent(0));
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
            float* const values = inner.row(row).data();
            kernels_->activate(f_, values, inner.extent(1), values);
        }
        self.wait();
        down_.forward(self, inner, out, temporary);
    }

private:
    const kernel_table* kernels_;
    linear<Width, Inner> up_;
    linear<Inner, Width> down_;
    activation f_;
};

/// down(f(gate(x)) * up(x)): SwiGLU with activation::silu, GeGLU with a gelu.
template <std::size_t Width = dynamic_extent, std::size_t Inner = dynamic_extent>
class gated_feed_forward {
public:
    static constexpr std::size_t in_features = Width;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t) noexcept { return Width; }

    /// @shape gate, up: width -> inner, down: inner -> width
    /// @errors contract: the sizes differ; .value() of kernels::default_table()
    /// @source Shazeer, 2020, arXiv 2002.05202, eq. 6
    gated_feed_forward(linear<Width, Inner> gate, linear<Width, Inner> up, linear<Inner, Width> down, activation f,
                       const layer_options& options = {})
        : kernels_(detail::table_or_default(options.kernels)),
          gate_(std::move(gate)),
          up_(std::move(up)),
          down_(std::move(down)),
          f_(f) {
        HENCE_EXPECT(up_.outputs() == down_.inputs() && up_.inputs() == down_.outputs(),
                     "up and down of swapped sizes");
        HENCE_EXPECT(gate_.outputs() == up_.outputs() && gate_.inputs() == up_.inputs(), "gate and up of equal sizes");
    }

    /// @shape width: that of the rows to read
    /// @errors contract: the layer's own size
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const { return down_.output_size(up_.output_size(width)); }

    /// @shape rows to be given to one forward()
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t /*width*/ = Width) const {
        return 2 * arena_bytes<float>(rows * up_.outputs()) +
               std::max({gate_.workspace_bytes(rows), up_.workspace_bytes(rows), down_.workspace_bytes(rows)});
    }

    /// @shape in[rows, width], out[rows, width]
    /// @errors contract: sizes differ, or the scratch is too small
    /// @threads all workers of a team call it together
    /// @source as the constructor
    void forward(const worker& self, const rows_in<Width>& in, const rows_out<Width>& out, scratch temporary) const {
        const extents<dynamic_extent, Inner> sizes(in.extent(0), up_.outputs());
        const auto gate = temporary.take<float>(sizes);
        const auto inner = temporary.take<float>(sizes);
        gate_.forward(self, in, gate, temporary);
        up_.forward(self, in, inner, temporary);
        const index_range mine = self.share(in.extent(0));
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
            float* const values = inner.row(row).data();
            kernels_->activate_gated(f_, gate.row(row).data(), values, inner.extent(1), values);
        }
        self.wait();
        down_.forward(self, inner, out, temporary);
    }

private:
    const kernel_table* kernels_;
    linear<Width, Inner> gate_;
    linear<Width, Inner> up_;
    linear<Inner, Width> down_;
    activation f_;
};

}  // namespace layers

HENCE_NAMESPACE_END

#endif
