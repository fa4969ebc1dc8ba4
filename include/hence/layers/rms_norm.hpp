// rms_norm: each row divided by its root mean square, then scaled per feature.
#ifndef HENCE_LAYERS_RMS_NORM_HPP
#define HENCE_LAYERS_RMS_NORM_HPP

#include "../tensor/tensor.hpp"
#include "layer.hpp"

HENCE_NAMESPACE_BEGIN

namespace layers {

/// x / sqrt(mean(x^2) + epsilon) * weight.
template <std::size_t Size = dynamic_extent>
class rms_norm {
public:
    static constexpr std::size_t in_features = Size;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t) noexcept { return Size; }

    /// @shape weight[size]
    /// @errors contract: .value() of kernels::default_table(); what the memory resource throws
    /// @source Zhang, Sennrich, 2019, arXiv 1910.07467, eq. 4, with epsilon under the root
    explicit rms_norm(const vector_view<const float, Size, strided>& weight, float epsilon = 1e-5f,
                      const layer_options& options = {})
        : kernels_(detail::table_or_default(options.kernels)),
          weight_(copy(weight, options.memory)),
          epsilon_(epsilon) {}

    /// @shape width: that of the rows to read
    /// @errors contract: the layer's own size
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        HENCE_EXPECT(width == weight_.size(), "rows of the layer's input size");
        return width;
    }
    [[nodiscard]] std::size_t workspace_bytes(std::size_t, std::size_t = Size) const noexcept { return 0; }

    /// @shape in[rows, size], out[rows, size]; out may be in
    /// @errors contract: sizes differ
    /// @threads all workers of a team call it together
    /// @source as the constructor
    void forward(const worker& self, const rows_in<Size>& in, const rows_out<Size>& out, scratch) const {
        detail::check_shapes(in, out, weight_.size(), weight_.size());
        const index_range mine = self.share(in.extent(0));
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
            kernels_->rms_norm(in.data() + row * in.stride(0), weight_.data(), epsilon_, weight_.size(),
                               out.data() + row * out.stride(0));
        }
        self.wait();
    }

private:
    const kernel_table* kernels_;
    owned_vector<float, Size> weight_;
    float epsilon_;
};

template <class W>
rms_norm(const W&, float = 0, const layer_options& = {}) -> rms_norm<W::static_extent(0)>;

}  // namespace layers

HENCE_NAMESPACE_END

#endif
