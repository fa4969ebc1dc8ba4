// Definitions of kernels/pack.hpp.
#ifndef HENCE_KERNELS_DETAIL_PACK_INL_HPP
#define HENCE_KERNELS_DETAIL_PACK_INL_HPP

#include "../../core/scalar.hpp"
#include "../pack.hpp"
#include "unpack_sparse.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace kernels {

namespace detail {

// Elements of `Element` interleaved as [column / Pair][row][Pair].
template <class Element, std::size_t Pair>
void pack_elements(const std::byte* source, std::size_t rows, std::size_t columns, std::size_t panel,
                   std::byte* out) noexcept {
    const std::size_t stride = columns * sizeof(Element);
    for (std::size_t r = 0; r < panel_rows; ++r) {
        const std::size_t row = panel * panel_rows + r;
        for (std::size_t k = 0; k < columns; ++k) {
            Element value{};
            if (row < rows) std::memcpy(&value, source + row * stride + k * sizeof(Element), sizeof value);
            std::memcpy(out + ((k / Pair * panel_rows + r) * Pair + k % Pair) * sizeof(Element), &value, sizeof value);
        }
    }
}

// The three formats differ only in what precedes a block's values and in how these are grouped.
struct block_source {
    std::size_t block_bytes;   // in the file
    std::size_t header_bytes;  // scale, and minimum where there is one
    std::size_t groups;        // of four bytes per row in a block
    std::uint32_t flip;        // turns signed bytes into value + 128
};

inline void pack_blocks(const block_source& form, const std::byte* source, std::size_t rows, std::size_t columns,
                        std::size_t panel, const panel_layout& layout, std::byte* out) noexcept {
    const std::size_t blocks = columns / block_columns;
    const std::size_t stride = blocks * form.block_bytes;
    auto* values = out;
    auto* scales = out + layout.value_bytes;
    auto* minimums = scales + layout.scale_bytes;
    std::memset(scales, 0, layout.scale_bytes + layout.minimum_bytes);  // what pads them to 64 bytes, too
    for (std::size_t r = 0; r < panel_rows; ++r) {
        const std::size_t row = panel * panel_rows + r;
        const std::byte* in = source + row * stride;
        for (std::size_t b = 0; b < blocks; ++b) {
            std::byte* block = values + b * form.groups * 64;
            for (std::size_t g = 0; g < form.groups; ++g) {
                std::uint32_t four = 0;
                if (row < rows) std::memcpy(&four, in + b * form.block_bytes + form.header_bytes + 4 * g, 4);
                four ^= form.flip;
                std::memcpy(block + g * 64 + r * 4, &four, 4);
            }
            std::uint16_t halves[2] = {0, 0};
            if (row < rows) std::memcpy(halves, in + b * form.block_bytes, form.header_bytes);
            std::memcpy(scales + (b * panel_rows + r) * 2, &halves[0], 2);
            if (layout.minimum_bytes > 0) std::memcpy(minimums + (b * panel_rows + r) * 2, &halves[1], 2);
        }
    }
}

}  // namespace detail

HENCE_INLINE void pack_panels(dtype type, const std::byte* source, std::size_t rows, std::size_t columns,
                              std::size_t first, std::size_t last, std::byte* out) noexcept {
    const panel_layout layout = layout_of(*exact_packing(type), columns);
    for (std::size_t panel = first; panel < last; ++panel, out += layout.bytes()) {
        switch (type) {
            case dtype::f32: detail::pack_elements<float, 1>(source, rows, columns, panel, out); break;
            case dtype::f16:
                std::memset(out, 0, layout.bytes());
                detail::pack_elements<std::uint16_t, 1>(source, rows, columns, panel, out);
                break;
            case dtype::bf16:
                if (columns % 2 != 0) std::memset(out, 0, layout.bytes());
                detail::pack_elements<std::uint16_t, 2>(source, rows, columns, panel, out);
                break;
            case dtype::q8_0:
                detail::pack_blocks({34, 2, 8, 0x80808080u}, source, rows, columns, panel, layout, out);
                break;
            case dtype::q4_0: detail::pack_blocks({18, 2, 4, 0}, source, rows, columns, panel, layout, out); break;
            case dtype::q4_1: detail::pack_blocks({20, 4, 4, 0}, source, rows, columns, panel, layout, out); break;
            case dtype::q8_24: detail::pack_blocks({22, 2, 5, 0}, source, rows, columns, panel, layout, out); break;
            case dtype::q8_48: detail::pack_blocks({26, 2, 6, 0}, source, rows, columns, panel, layout, out); break;
            case dtype::q4_24:
                detail::pack_blocks({14, 2, 3, 0}, source, rows, columns, panel, layout, out);
                break;
            default: break;
        }
    }
}

HENCE_INLINE void pack_panels_i8(const std::int8_t* quants, const float* scales, std::size_t rows, std::size_t columns,
                                 std::size_t first, std::size_t last, std::byte* out) noexcept {
    const panel_layout layout = layout_of(packing::i8, columns);
    for (std::size_t panel = first; panel < last; ++panel, out += layout.bytes()) {
        std::memset(out, 0x80, layout.value_bytes);  // the biased zero
        std::memset(out + layout.value_bytes, 0, layout.scale_bytes);
        for (std::size_t r = 0; r < panel_rows && panel * panel_rows + r < rows; ++r) {
            const std::size_t row = panel * panel_rows + r;
            for (std::size_t k = 0; k < columns; ++k)
                out[(k / 4 * panel_rows + r) * 4 + k % 4] =
                    static_cast<std::byte>(static_cast<std::uint8_t>(quants[row * columns + k]) ^ 0x80u);
            std::memcpy(out + layout.value_bytes + r * 4, &scales[row], 4);
        }
    }
}

HENCE_INLINE void pack_panels_i8(const float* source, std::size_t rows, std::size_t columns, std::size_t first,
                                 std::size_t last, std::byte* out) noexcept {
    const panel_layout layout = layout_of(packing::i8, columns);
    for (std::size_t panel = first; panel < last; ++panel, out += layout.bytes()) {
        std::memset(out, 0x80, layout.value_bytes);
        std::memset(out + layout.value_bytes, 0, layout.scale_bytes);
        for (std::size_t r = 0; r < panel_rows && panel * panel_rows + r < rows; ++r) {
            const float* row = source + (panel * panel_rows + r) * columns;
            float largest = 0.0f;
            float finite = 0.0f;  // or NaN, which then is the scale: a bad weight shows in every result of its row
            for (std::size_t k = 0; k < columns; ++k) {
                largest = std::max(largest, std::fabs(row[k]));
                finite += row[k] * 0.0f;
            }
            const bool usable = finite == 0.0f && largest >= 3.8e-37f;  // below, 127 / largest would overflow
            const float inverse = usable ? 127.0f / largest : 0.0f;
            const float scale = largest / 127.0f + finite;
            for (std::size_t k = 0; k < columns; ++k) {
                const int quant = usable ? static_cast<int>(std::nearbyint(row[k] * inverse)) : 0;
                out[(k / 4 * panel_rows + r) * 4 + k % 4] = static_cast<std::byte>(quant + 128);
            }
            std::memcpy(out + layout.value_bytes + r * 4, &scale, 4);
        }
    }
}

HENCE_INLINE void unpack_row(const packed_matrix& matrix, std::size_t row, float* out) noexcept {
    if (is_sparse(matrix.format)) return detail::unpack_sparse_row(matrix, row, out);
    const panel_layout layout = matrix.layout();
    const std::byte* panel = matrix.data + row / panel_rows * layout.bytes();
    const std::size_t r = row % panel_rows;
    const auto half_at = [](const std::byte* p) {
        f16 value;
        std::memcpy(&value.bits, p, 2);
        return to_float(value);
    };
    for (std::size_t k = 0; k < matrix.columns; ++k) {
        const std::size_t block = k / block_columns;
        const std::size_t inside = k % block_columns;
        switch (matrix.format) {
            case packing::f32: std::memcpy(&out[k], panel + (k * panel_rows + r) * 4, 4); break;
            case packing::f16: out[k] = half_at(panel + (k * panel_rows + r) * 2); break;
            case packing::bf16: {
                bf16 value;
                std::memcpy(&value.bits, panel + ((k / 2 * panel_rows + r) * 2 + k % 2) * 2, 2);
                out[k] = to_float(value);
                break;
            }
            case packing::q8: {
                const int value = std::to_integer<int>(panel[block * 512 + inside / 4 * 64 + r * 4 + inside % 4]) - 128;
                out[k] = static_cast<float>(value) * half_at(panel + layout.value_bytes + (block * panel_rows + r) * 2);
                break;
            }
            case packing::q4:
            case packing::q4m: {
                const std::size_t column = inside % 16;
                const int both = std::to_integer<int>(panel[block * 256 + column / 4 * 64 + r * 4 + column % 4]);
                const int nibble = inside < 16 ? both & 15 : both >> 4;
                const std::byte* scale = panel + layout.value_bytes + (block * panel_rows + r) * 2;
                if (matrix.format == packing::q4)
                    out[k] = static_cast<float>(nibble - 8) * half_at(scale);
                else  // one rounding, as the kernels' fused multiply-add
                    out[k] = std::fma(static_cast<float>(nibble), half_at(scale), half_at(scale + layout.scale_bytes));
                break;
            }
            case packing::i8: {
                const int value = std::to_integer<int>(panel[(k / 4 * panel_rows + r) * 4 + k % 4]) - 128;
                float scale;
                std::memcpy(&scale, panel + layout.value_bytes + r * 4, 4);
                out[k] = static_cast<float>(value) * scale;
                break;
            }
            default: break;
        }
    }
}

}  // namespace kernels

HENCE_NAMESPACE_END

#endif
