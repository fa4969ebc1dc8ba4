// linear: out = in * weights^T + bias, with the weights packed once for the machine's matrix kernels.
//
// Weights are given as [outputs, inputs], as in every file format; they are read while the layer is made and not
// kept. Which formats are exact and which round is said at `packing`.
#ifndef HENCE_LAYERS_LINEAR_HPP
#define HENCE_LAYERS_LINEAR_HPP

#include "../core/text.hpp"
#include "../core/scalar.hpp"
#include "../prune/mask.hpp"
#include "../tensor/dtype.hpp"
#include "../tensor/packed.hpp"
#include "../tensor/tensor.hpp"
#include "layer.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

HENCE_NAMESPACE_BEGIN

namespace layers {

/// What a linear layer can be told when it is made from numbers.
struct linear_options {
    packing format = packing::f32;                ///< f32, f16, bf16 (rounded to nearest), i8 (one scale per output), q8
                                                  ///< (one per 32 inputs)
    /// Weights outside it become zero before packing; null: all stay. In f32, bf16 and q8 zeros are then left out in the
    /// packing that takes the fewest bytes, if that pays (kernels/sparse.hpp); the products are those of the dense layer
    /// with zeros written in, bit for bit.
    const mask* kept = nullptr;
    const kernel_table* kernels = nullptr;        ///< null: kernels::default_table()
    std::pmr::memory_resource* memory = nullptr;  ///< of the weights; null: std::pmr::get_default_resource()
};

/// A weight matrix as a file stores it: rows of `type` without gaps between them.
struct stored_weights {
    dtype type = dtype::f32;
    std::size_t outputs = 0;
    std::size_t inputs = 0;
    std::span<const std::byte> bytes;
    /// Of i8, [outputs]: value = scale * (quant - zero), as quant/int8_rows.hpp encodes rows; zeros may be empty.
    std::span<const float> scales{};
    std::span<const std::int32_t> zeros{};
};

namespace detail {

// A matrix in the kernels' format with its bias, of any size: what linear<In, Out> is a thin layer over.
struct packed_weight {
    packed_matrix matrix;
    owned_vector<std::byte> storage;
    owned_vector<float> bias;        // empty: none
    owned_vector<float> zero_terms;  // of i8 rows with zero points: zero * scale; else empty
    const kernel_table* kernels = nullptr;
};

using any_weights = matrix_view<const float, dynamic_extent, dynamic_extent, strided>;
using any_bias = vector_view<const float, dynamic_extent, strided>;

packed_weight pack_numbers(const any_weights& weights, const any_bias& bias, const linear_options& options);
result<packed_weight> pack_stored(const stored_weights& weights, const any_bias& bias, const layer_options& options);

std::size_t linear_workspace_bytes(const packed_weight& weight, std::size_t rows) noexcept;

// With `accumulate`, adds to what `out` holds.
void linear_forward(const packed_weight& weight, const worker& self, const rows_in<>& in, const rows_out<>& out,
                    scratch temporary, bool accumulate);

}  // namespace detail

/// A linear layer of static or run-time sizes.
template <std::size_t In = dynamic_extent, std::size_t Out = dynamic_extent>
class linear {
public:
    static constexpr std::size_t in_features = In;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t) noexcept { return Out; }

    /// From numbers, in any layout: a tensor, an Eigen matrix through as_view(), a file's floats.
    /// @shape weights[outputs, inputs]; bias[outputs], or empty for none
    /// @errors contract: the bias or mask has another size; a format that only files have; what the memory
    ///         resource throws; .value() of kernels::default_table()
    /// @source none
    explicit linear(const matrix_view<const float, Out, In, strided>& weights, const linear_options& options = {})
        : packed_(detail::pack_numbers(weights, {}, options)) {}
    linear(const matrix_view<const float, Out, In, strided>& weights,
           const vector_view<const float, Out, strided>& bias, const linear_options& options = {})
        : packed_(detail::pack_numbers(weights, bias, options)) {}

    /// From a file's bytes, in any format that hence reads. Values keep their bits where the kernels have the
    /// format; of others (q4_k, ...) the exact floats are kept.
    /// @shape weights as it says; bias[outputs], or empty for none
    /// @errors mismatch (sizes that differ from static ones, from the byte count, from the bias, or from the scales and
    ///         zeros of i8), out_of_range (a zero point that is no signed byte), unsupported (a format without floats);
    ///         those of kernels::default_table()
    /// @source none
    [[nodiscard]] static result<linear> from_stored(const stored_weights& weights,
                                                    const vector_view<const float, dynamic_extent, strided>& bias = {},
                                                    const layer_options& options = {}) {
        if (!hence::detail::compatible(Out, weights.outputs) || !hence::detail::compatible(In, weights.inputs)) {
            return make_error(errc::mismatch, "layers::linear",
                              concat({detail::known<Out>(weights.outputs), "x", detail::known<In>(weights.inputs), " weights"}),
                              concat({weights.outputs, "x", weights.inputs}));
        }
        HENCE_TRY_ASSIGN(packed, detail::pack_stored(weights, bias, options));
        return linear(std::move(packed));
    }

    [[nodiscard]] std::size_t inputs() const noexcept { return detail::known<In>(packed_.matrix.columns); }
    [[nodiscard]] std::size_t outputs() const noexcept { return detail::known<Out>(packed_.matrix.rows); }

    /// The packed weights, for code that calls the kernels itself. Valid as long as the layer, moves included.
    /// @shape outputs x inputs
    /// @errors none
    /// @source none
    [[nodiscard]] const packed_matrix& weights() const noexcept { return packed_.matrix; }

    /// @shape width: that of the rows to read
    /// @errors contract: width == inputs()
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        HENCE_EXPECT(width == inputs(), "rows of the layer's input size");
        return outputs();
    }

    /// @shape rows to be given to one forward()
    /// @units bytes; 0 for float formats
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t /*width*/ = In) const noexcept {
        return detail::linear_workspace_bytes(packed_, rows);
    }

    /// out = in * weights^T + bias.
    /// @shape in[rows, inputs], out[rows, outputs]
    /// @numerics one chain of fused multiply-adds per output, or exact 8-bit sums; see kernels/matmul.hpp
    /// @errors contract: sizes differ, or the scratch is too small
    /// @threads all workers of a team call it together
    /// @source none
    void forward(const worker& self, const rows_in<In>& in, const rows_out<Out>& out, scratch temporary) const {
        detail::linear_forward(packed_, self, in, out, temporary, false);
    }

    /// out += in * weights^T + bias: a layer that ends in a residual connection.
    /// @shape in[rows, inputs], out[rows, outputs]
    /// @errors as forward()
    /// @threads as forward()
    /// @source none
    void forward_add(const worker& self, const rows_in<In>& in, const rows_out<Out>& out, scratch temporary) const {
        detail::linear_forward(packed_, self, in, out, temporary, true);
    }

private:
    explicit linear(detail::packed_weight&& packed) noexcept : packed_(std::move(packed)) {}

    detail::packed_weight packed_;
};

// The sizes of a layer made from a tensor or view are those that its type knows.
template <class W>
linear(const W&, const linear_options& = {}) -> linear<W::static_extent(1), W::static_extent(0)>;
template <class W, class B>
linear(const W&, const B&, const linear_options& = {}) -> linear<W::static_extent(1), W::static_extent(0)>;

}  // namespace layers

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/linear.inl.hpp"
#endif

#endif
