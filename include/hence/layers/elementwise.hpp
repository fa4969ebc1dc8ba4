// Layers without weights: relu, gelu, silu, tanh, sigmoid and softmax over each row.
//
// They take rows of any width; a size may be given to have it checked at compile time.
#ifndef HENCE_LAYERS_ELEMENTWISE_HPP
#define HENCE_LAYERS_ELEMENTWISE_HPP

#include "layer.hpp"

#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace layers {

namespace detail {

template <activation F>
struct activate_row {
    static void apply(const kernel_table& kernels, const float* x, std::size_t n, float* out) noexcept {
        kernels.activate(F, x, n, out);
    }
};

// The tables know tanh as a soft cap at 1.
struct tanh_row {
    static void apply(const kernel_table& kernels, const float* x, std::size_t n, float* out) noexcept {
        if (out != x) std::memmove(out, x, n * sizeof(float));
        kernels.softcap(out, 1.0f, n);
    }
};

// sigmoid(x) = (1 + tanh(x / 2)) / 2
struct sigmoid_row {
    static void apply(const kernel_table& kernels, const float* x, std::size_t n, float* out) noexcept {
        kernels.scale_add(x, 0.5f, nullptr, n, out);
        kernels.softcap(out, 1.0f, n);
        for (std::size_t i = 0; i < n; ++i) out[i] = 0.5f + 0.5f * out[i];
    }
};

struct softmax_row {
    static void apply(const kernel_table& kernels, const float* x, std::size_t n, float* out) noexcept {
        if (n == 0) return;
        if (out != x) std::memmove(out, x, n * sizeof(float));
        kernels.softmax(out, n);
    }
};

}  // namespace detail

/// A function of each row by itself; Row::apply computes it.
template <class Row, std::size_t Size = dynamic_extent>
class row_function {
public:
    static constexpr std::size_t in_features = Size;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t width) noexcept {
        return detail::known<Size>(width);
    }

    /// @shape none
    /// @errors contract: .value() of kernels::default_table()
    /// @source none
    explicit row_function(const layer_options& options = {}) : kernels_(detail::table_or_default(options.kernels)) {}

    /// @shape width: that of the rows to read
    /// @errors contract: a static size that differs
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        HENCE_EXPECT(width == detail::known<Size>(width), "rows of the layer's input size");
        return width;
    }
    [[nodiscard]] std::size_t workspace_bytes(std::size_t, std::size_t = Size) const noexcept { return 0; }

    /// @shape in[rows, size], out[rows, size]; out may be in
    /// @errors contract: sizes differ
    /// @threads all workers of a team call it together
    /// @source none
    void forward(const worker& self, const rows_in<Size>& in, const rows_out<Size>& out, scratch) const {
        const std::size_t width = in.extent(1);
        detail::check_shapes(in, out, width, width);
        const index_range mine = self.share(in.extent(0));
        for (std::size_t row = mine.begin; row < mine.end; ++row)
            Row::apply(*kernels_, in.data() + row * in.stride(0), width, out.data() + row * out.stride(0));
        self.wait();
    }

private:
    const kernel_table* kernels_;
};

/// max(0, x)
template <std::size_t Size = dynamic_extent>
using relu = row_function<detail::activate_row<activation::relu>, Size>;
/// x * Phi(x) with the error function.
template <std::size_t Size = dynamic_extent>
using gelu = row_function<detail::activate_row<activation::gelu_erf>, Size>;
/// gelu's approximation by tanh.
template <std::size_t Size = dynamic_extent>
using gelu_tanh = row_function<detail::activate_row<activation::gelu_tanh>, Size>;
/// x * sigmoid(x)
template <std::size_t Size = dynamic_extent>
using silu = row_function<detail::activate_row<activation::silu>, Size>;
template <std::size_t Size = dynamic_extent>
using tanh = row_function<detail::tanh_row, Size>;
/// 1 / (1 + exp(-x))
template <std::size_t Size = dynamic_extent>
using sigmoid = row_function<detail::sigmoid_row, Size>;
/// exp(x) / sum(exp(x)) over each row.
template <std::size_t Size = dynamic_extent>
using softmax = row_function<detail::softmax_row, Size>;

}  // namespace layers

HENCE_NAMESPACE_END

#endif
