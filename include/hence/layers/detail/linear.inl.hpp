// Definitions of layers/linear.hpp.
#ifndef HENCE_LAYERS_DETAIL_LINEAR_INL_HPP
#define HENCE_LAYERS_DETAIL_LINEAR_INL_HPP

#include "../../core/text.hpp"
#include "../../kernels/pack.hpp"
#include "../../kernels/sparse.hpp"
#include "../../quant/decode.hpp"
#include "../../quant/zero_points.hpp"
#include "../linear.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

HENCE_NAMESPACE_BEGIN

namespace layers::detail {

// Storage for a matrix that is still to be packed.
inline packed_weight allocate(packing format, std::size_t outputs, std::size_t inputs, const any_bias& bias,
                              const kernel_table* kernels, std::pmr::memory_resource* memory, std::size_t bytes = 0) {
    packed_weight result;
    result.kernels = kernels;
    result.matrix.format = format;
    result.matrix.rows = outputs;
    result.matrix.columns = inputs;
    if (bytes == 0) bytes = result.matrix.bytes();
    result.storage = owned_vector<std::byte>(uninitialized, extents<dynamic_extent>(bytes), memory);
    result.matrix.data = result.storage.data();
    if (!bias.empty()) result.bias = copy(bias, memory);
    return result;
}

inline void pack_rows(dtype type, const void* rows, packed_weight& into) noexcept {
    kernels::pack_panels(type, static_cast<const std::byte*>(rows), into.matrix.rows, into.matrix.columns, 0,
                         into.matrix.panels(), into.storage.data());
}

// A row as q8_0 blocks: value = round(w * 127 / max|w|). A block that is not finite gets the scale NaN.
inline void to_q8_0(const float* row, std::size_t columns, std::byte* out) noexcept {
    for (std::size_t first = 0; first < columns; first += block_columns, out += 34) {
        float largest = 0.0f;
        float finite = 0.0f;
        for (std::size_t k = 0; k < block_columns; ++k) {
            largest = std::max(largest, std::fabs(row[first + k]));
            finite += row[first + k] * 0.0f;
        }
        const float scale = largest / 127.0f;
        const float inverse = finite == 0.0f && scale > 0.0f ? 1.0f / scale : 0.0f;
        const bool usable = inverse > 0.0f && inverse < __builtin_inff();
        const f16 half = to_f16(scale + finite);
        std::memcpy(out, &half.bits, 2);
        for (std::size_t k = 0; k < block_columns; ++k)
            out[2 + k] = static_cast<std::byte>(usable ? static_cast<int>(std::round(row[first + k] * inverse)) : 0);
    }
}

// Rows of a file's format, with their zeros left out where a mask put them there and that pays.
inline void pack_masked(dtype type, const void* rows, packed_weight& into, const any_bias& bias, const linear_options& options) {
    const auto* bytes = static_cast<const std::byte*>(rows);
    const packed_matrix& matrix = into.matrix;
    if (options.kept != nullptr) {
        if (const auto choice = kernels::sparse_packing(type, bytes, matrix.rows, matrix.columns)) {
            packed_weight smaller =
                allocate(choice->format, matrix.rows, matrix.columns, bias, into.kernels, options.memory, choice->bytes);
            kernels::pack_sparse(choice->format, type, bytes, matrix.rows, matrix.columns, smaller.storage.data());
            into = std::move(smaller);
            return;
        }
    }
    pack_rows(type, rows, into);
}

// The same of a matrix that is packed as i8.
inline void leave_out_bytes(packed_weight& into, const any_bias& bias, const linear_options& options) {
    const packed_matrix& matrix = into.matrix;
    const panel_layout layout = matrix.layout();
    owned_vector<std::int8_t> quants(matrix.rows * matrix.columns);
    owned_vector<float> scales(matrix.rows);
    for (std::size_t i = 0; i < matrix.rows; ++i) {
        const std::byte* const panel = matrix.data + i / panel_rows * layout.bytes();
        const std::size_t r = i % panel_rows;
        std::memcpy(&scales(i), panel + layout.value_bytes + r * 4, 4);
        for (std::size_t k = 0; k < matrix.columns; ++k)
            quants(i * matrix.columns + k) =
                static_cast<std::int8_t>(std::to_integer<int>(panel[(k / 4 * panel_rows + r) * 4 + k % 4]) - 128);
    }
    const auto* const bytes = reinterpret_cast<const std::byte*>(quants.data());
    const auto choice = kernels::sparse_packing(dtype::i8, bytes, matrix.rows, matrix.columns);
    if (!choice) return;
    packed_weight smaller = allocate(choice->format, matrix.rows, matrix.columns, bias, into.kernels, options.memory);
    kernels::pack_panels_i8_24(quants.data(), scales.data(), matrix.rows, matrix.columns, 0, matrix.panels(),
                               smaller.storage.data());
    into = std::move(smaller);
}

HENCE_INLINE packed_weight pack_numbers(const any_weights& weights, const any_bias& bias,
                                        const linear_options& options) {
    const std::size_t outputs = weights.extent(0);
    const std::size_t inputs = weights.extent(1);
    HENCE_EXPECT(bias.empty() || bias.extent(0) == outputs, "a bias for each output");
    HENCE_EXPECT(options.kept == nullptr || (options.kept->rows() == outputs && options.kept->columns() == inputs),
                 "a mask of the weights' sizes");
    packed_weight result =
        allocate(options.format, outputs, inputs, bias, table_or_default(options.kernels), options.memory);

    // The packers read dense rows; a view that already is dense is read where it lies.
    matrix<float> own;
    const float* rows = weights.data();
    if (!weights.mapping().is_contiguous() || options.kept != nullptr) {
        own = copy(weights);
        rows = own.data();
        if (options.kept != nullptr) options.kept->apply(own.view());
    }
    const std::size_t count = outputs * inputs;
    switch (options.format) {
        case packing::f32: pack_masked(dtype::f32, rows, result, bias, options); break;
        case packing::f16: {
            owned_vector<f16> halves(count);
            for (std::size_t i = 0; i < count; ++i) halves(i) = to_f16(rows[i]);
            pack_rows(dtype::f16, halves.data(), result);
            break;
        }
        case packing::bf16: {
            owned_vector<bf16> halves(count);
            for (std::size_t i = 0; i < count; ++i) halves(i) = to_bf16(rows[i]);
            pack_masked(dtype::bf16, halves.data(), result, bias, options);
            break;
        }
        case packing::i8:
            HENCE_EXPECT(inputs <= 65536, "at most 65536 inputs, so that 32-bit sums of 8-bit products are exact");
            kernels::pack_panels_i8(rows, outputs, inputs, 0, result.matrix.panels(), result.storage.data());
            if (options.kept != nullptr) leave_out_bytes(result, bias, options);
            break;
        case packing::q8: {
            HENCE_EXPECT(inputs % block_columns == 0, "inputs in multiples of 32");
            const std::size_t stride = row_bytes(dtype::q8_0, inputs);
            owned_vector<std::byte> blocks(outputs * stride);
            for (std::size_t i = 0; i < outputs; ++i) to_q8_0(rows + i * inputs, inputs, blocks.data() + i * stride);
            pack_masked(dtype::q8_0, blocks.data(), result, bias, options);
            break;
        }
        default: HENCE_EXPECT(false, "f32, f16, bf16, i8 or q8; other formats come from files (linear::from_stored)");
    }
    return result;
}

// Signed bytes with a scale for each row, and perhaps a zero point.
inline result<packed_weight> pack_int8(const stored_weights& weights, const any_bias& bias, const kernel_table* table,
                                       std::pmr::memory_resource* memory) {
    const char* const where = "layers::linear, i8 weights";
    const auto wrong = [&](std::size_t count) { return count != weights.outputs; };
    if (wrong(weights.scales.size()) || (!weights.zeros.empty() && wrong(weights.zeros.size())))
        return make_error(errc::mismatch, where, concat({weights.outputs, " scales, and as many zero points or none"}),
                          concat({weights.scales.size(), " and ", weights.zeros.size()}));
    if (weights.inputs > 65536)
        return make_error(errc::unsupported, where, "at most 65536 inputs, so that 32-bit sums are exact", decimal(weights.inputs));
    packed_weight result = allocate(packing::i8, weights.outputs, weights.inputs, bias, table, memory);
    kernels::pack_panels_i8(reinterpret_cast<const std::int8_t*>(weights.bytes.data()), weights.scales.data(), weights.outputs,
                            weights.inputs, 0, result.matrix.panels(), result.storage.data());
    if (weights.zeros.empty()) return result;
    result.zero_terms = owned_vector<float>(extents<dynamic_extent>(weights.outputs), memory);
    for (std::size_t i = 0; i < weights.outputs; ++i) {
        if (weights.zeros[i] < -128 || weights.zeros[i] > 127)
            return make_error(errc::out_of_range, where, "zero points from -128 to 127", decimal(weights.zeros[i]));
        result.zero_terms(i) = static_cast<float>(weights.zeros[i]);
    }
    to_zero_terms(weights.scales, result.zero_terms.span());
    return result;
}

HENCE_INLINE result<packed_weight> pack_stored(const stored_weights& weights, const any_bias& bias,
                                               const layer_options& options) {
    const std::string where = concat({"layers::linear, ", name(weights.type), " weights"});
    const std::size_t block = traits(weights.type).block_elements;
    if (weights.inputs % block != 0) {
        return make_error(errc::mismatch, where, concat({"inputs in multiples of ", block}),
                          decimal(weights.inputs));
    }
    const std::size_t stride = row_bytes(weights.type, weights.inputs);
    std::size_t expected = 0;
    if (__builtin_mul_overflow(stride, weights.outputs, &expected) || expected != weights.bytes.size()) {
        return make_error(errc::mismatch, where,
                          concat({weights.outputs, " rows of ", stride, " bytes"}),
                          concat({weights.bytes.size(), " bytes"}));
    }
    if (!bias.empty() && bias.extent(0) != weights.outputs) {
        return make_error(errc::mismatch, where, concat({"a bias of ", weights.outputs, " values"}),
                          decimal(bias.extent(0)));
    }
    const kernel_table* table = options.kernels;
    if (table == nullptr) {
        HENCE_TRY_ASSIGN(chosen, kernels::default_table());
        table = chosen;
    }
    if (weights.type == dtype::i8) return pack_int8(weights, bias, table, options.memory);
    const std::optional<packing> exact = kernels::exact_packing(weights.type);
    packed_weight result =
        allocate(exact.value_or(packing::f32), weights.outputs, weights.inputs, bias, table, options.memory);
    if (exact) {
        pack_rows(weights.type, weights.bytes.data(), result);
        return result;
    }
    matrix<float> decoded(uninitialized, dextents<2>(weights.outputs, weights.inputs));
    for (std::size_t i = 0; i < weights.outputs; ++i) {
        HENCE_TRY(decode_row(weights.type, weights.bytes.subspan(i * stride, stride), decoded.view().row(i).span()));
    }
    pack_rows(dtype::f32, decoded.data(), result);
    return result;
}

inline std::size_t scales_per_row(const packed_matrix& matrix) noexcept {
    return activations_of(matrix.format) == activation_format::q8_row
               ? 1
               : (matrix.columns + block_columns - 1) / block_columns;
}

inline std::size_t quant_stride(const packed_matrix& matrix) noexcept {
    return (matrix.columns + block_columns - 1) / block_columns * block_columns;
}

HENCE_INLINE std::size_t linear_workspace_bytes(const packed_weight& weight, std::size_t rows) noexcept {
    if (activations_of(weight.matrix.format) == activation_format::f32) return 0;
    const std::size_t scales = rows * scales_per_row(weight.matrix);
    static_assert(sizeof(block_sum) == sizeof(std::int32_t));
    return arena_bytes<std::int8_t>(rows * quant_stride(weight.matrix)) + arena_bytes<float>(scales) +
           arena_bytes<std::int32_t>(scales);
}

HENCE_INLINE void linear_forward(const packed_weight& weight, const worker& self, const rows_in<>& in,
                                 const rows_out<>& out, scratch temporary, bool accumulate) {
    const packed_matrix& matrix = weight.matrix;
    check_shapes(in, out, matrix.columns, matrix.rows);
    const std::size_t rows = in.extent(0);
    const activation_format wanted = activations_of(matrix.format);
    activations prepared{.values = in.data(), .value_stride = in.stride(0)};
    if (wanted != activation_format::f32) {
        const std::size_t stride = quant_stride(matrix);
        const std::size_t per_row = scales_per_row(matrix);
        const auto quants = temporary.take<std::int8_t>(rows * stride);
        const auto scales = temporary.take<float>(rows * per_row);
        const bool by_row = wanted == activation_format::q8_row;
        const auto sums = temporary.take<std::int32_t>(by_row ? rows : 0);
        const auto block_sums = temporary.take<block_sum>(by_row ? 0 : rows * per_row);
        const index_range mine = self.share(rows);
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
            const float* from = in.data() + row * in.stride(0);
            std::int8_t* to = quants.data() + row * stride;
            if (by_row)
                weight.kernels->quantize_row(from, matrix.columns, to, &scales[row], &sums[row]);
            else
                weight.kernels->quantize_blocks(from, matrix.columns, to, &scales[row * per_row], &block_sums[row * per_row]);
        }
        prepared = {.quants = quants.data(),
                    .quant_stride = stride,
                    .scales = scales.data(),
                    .sums = sums.data(),
                    .block_sums = block_sums.data(),
                    .block_stride = per_row};
        self.wait();
    }
    const index_range panels = self.share(matrix.panels());
    if (panels.size() > 0 && rows > 0) {
        const matmul_args args{.weights = matrix,
                               .in = prepared,
                               .rows = rows,
                               .out = out.data(),
                               .out_stride = out.stride(0),
                               .bias = weight.bias.data(),
                               .accumulate = accumulate};
        weight.kernels->matmul[static_cast<std::size_t>(matrix.format)](args, panels.begin, panels.end);
        if (!weight.zero_terms.empty())
            subtract_zero_points(*weight.kernels, args, weight.zero_terms.data(), panels.begin, panels.end);
    }
    self.wait();
}

}  // namespace layers::detail

HENCE_NAMESPACE_END

#endif
