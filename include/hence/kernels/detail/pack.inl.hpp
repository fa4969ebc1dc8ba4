// Definitions of kernels/pack.hpp.
#ifndef HENCE_KERNELS_DETAIL_PACK_INL_HPP
#define HENCE_KERNELS_DETAIL_PACK_INL_HPP

#include "../../core/scalar.hpp"
#include "../pack.hpp"
#include "stored_blocks.hpp"
#include "unpack_sparse.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace kernels {

namespace detail {

// Elements of `Element` interleaved as [column / Pair][row][Pair]. All rows of a column are written together, so that a panel
// is written once from its beginning to its end.
template <class Element, std::size_t Pair>
void pack_elements(const std::byte* source, std::size_t rows, std::size_t columns, std::size_t panel,
                   std::byte* out) noexcept {
    constexpr std::size_t size = Pair * sizeof(Element);
    const std::size_t stride = columns * sizeof(Element);
    const std::size_t first = panel * panel_rows;
    const std::size_t present = std::min(panel_rows, rows - first);
    if (present < panel_rows) std::memset(out, 0, (columns + Pair - 1) / Pair * panel_rows * size);
    const std::byte* in = source + first * stride;
    for (std::size_t k = 0; k < columns; k += Pair, in += size, out += panel_rows * size) {
        const std::size_t count = std::min(size, (columns - k) * sizeof(Element));
        for (std::size_t r = 0; r < present; ++r) {
            if (count == size) std::memcpy(out + r * size, in + r * stride, size);
            else std::memcpy(out + r * size, in + r * stride, count);
        }
    }
}

// The rows of a panel are sixteen streams from memory; each is asked for some blocks ahead.
inline constexpr std::size_t row_bytes_ahead = 256;

// These formats differ only in what precedes a block's values and in how these are grouped: a scale, and a minimum where there
// is one; groups of four bytes of a row, of which `Flip` makes value + 128 where they are signed. A block of all rows is
// finished before the next, as it fits the first-level cache and a wide matrix's panel does not.
template <std::size_t BlockBytes, std::size_t HeaderBytes, std::size_t Groups, std::uint32_t Flip>
void pack_blocks(const std::byte* source, std::size_t rows, std::size_t columns, std::size_t panel, const panel_layout& layout,
                 std::byte* out) noexcept {
    const std::size_t blocks = columns / block_columns;
    const std::size_t stride = blocks * BlockBytes;
    const std::size_t first = panel * panel_rows;
    const std::size_t present = std::min(panel_rows, rows - first);
    const std::byte* in = source + first * stride;
    std::byte* scales = out + layout.value_bytes;
    std::byte* minimums = scales + layout.scale_bytes;
    std::memset(scales, 0, layout.scale_bytes + layout.minimum_bytes);  // of absent rows, and what pads them to 64 bytes
    for (std::size_t b = 0; b < blocks; ++b, in += BlockBytes, out += Groups * 64, scales += panel_rows * 2, minimums += panel_rows * 2) {
        for (std::size_t r = 0; r < present; ++r) {
            const std::byte* const stored = in + r * stride;
            __builtin_prefetch(stored + row_bytes_ahead, 0, 0);
            HENCE_UNROLL
            for (std::size_t g = 0; g < Groups; ++g) {
                std::uint32_t four;
                std::memcpy(&four, stored + HeaderBytes + 4 * g, 4);
                four ^= Flip;
                std::memcpy(out + g * 64 + r * 4, &four, 4);
            }
            std::memcpy(scales + r * 2, stored, 2);
            if constexpr (HeaderBytes == 4) std::memcpy(minimums + r * 2, stored + 2, 2);
        }
        const std::uint32_t absent = Flip;
        for (std::size_t r = present; r < panel_rows; ++r)
            for (std::size_t g = 0; g < Groups; ++g) std::memcpy(out + g * 64 + r * 4, &absent, 4);
    }
}

// Writes row r's 32 quants of a block; the block's bytes were zero.
inline void pack_quants(const block_form& form, const std::uint8_t* quants, std::size_t r, std::byte* block) noexcept {
    auto* const row = reinterpret_cast<std::uint8_t*>(block) + r * 4;
    if (form.vectors == 8) {
        for (std::size_t g = 0; g < 8; ++g) std::memcpy(row + g * 64, quants + g * 4, 4);
        return;
    }
    for (std::size_t k = 0; k < 16; ++k)
        row[k / 4 * 64 + k % 4] = static_cast<std::uint8_t>((quants[k] & 15) | quants[k + 16] << 4);
    if (form.vectors == 4) return;
    for (std::size_t k = 0; k < 32; ++k) {
        const unsigned high = static_cast<unsigned>(quants[k]) >> 4;
        const std::size_t group = k / 4;
        std::uint8_t& bits = form.vectors == 5 ? row[256 + k % 4] : row[256 + group / 4 * 64 + k % 4];
        bits = static_cast<std::uint8_t>(static_cast<unsigned>(bits) | high << (form.vectors == 5 ? group : group % 4 * 2));
    }
}

// One row of one panel; everything was zero before.
inline void pack_block_row(dtype type, const block_form& form, const std::byte* source, std::size_t columns, std::size_t r,
                           const panel_layout& layout, std::byte* panel) noexcept {
    const std::size_t together = form.scales == scale_kind::halves ? block_columns : super_columns;
    std::byte* const scales = panel + layout.value_bytes;
    stored_block block;
    for (std::size_t at = 0; at < columns; at += together, source += traits(type).block_bytes) {
        read_block(type, source, block);
        const std::size_t first = at / block_columns;
        for (std::size_t k = 0; k < together; k += block_columns)
            pack_quants(form, block.quants + k, r, panel + (first + k / block_columns) * 64 * form.vectors);
        if (form.scales == scale_kind::halves) {
            std::memcpy(scales + (first * panel_rows + r) * 2, &block.scale, 2);
            if (form.minimum) std::memcpy(scales + layout.scale_bytes + (first * panel_rows + r) * 2, &block.minimum, 2);
            continue;
        }
        std::byte* const super = scales + at / super_columns * super_bytes(form);
        for (std::size_t i = 0; i < 8; ++i) {
            if (form.scales == scale_kind::by_16) {
                std::memcpy(super + (i * panel_rows + r) * 2, block.scales + 2 * i, 2);
            } else {
                std::memcpy(super + i * panel_rows + r, block.scales + i, 1);
                if (form.minimum) std::memcpy(super + 128 + i * panel_rows + r, block.minimums + i, 1);
            }
        }
        std::byte* const halves = super + super_bytes(form) - (form.minimum ? 64 : 32);
        std::memcpy(halves + r * 2, &block.scale, 2);
        if (form.minimum) std::memcpy(halves + 32 + r * 2, &block.minimum, 2);
    }
}

// 32 values of a row from a block packing.
inline void unpack_block(const packed_matrix& matrix, const std::byte* panel, std::size_t block, std::size_t r, float* out) noexcept {
    const block_form form = form_of(matrix.format);
    const panel_layout layout = matrix.layout();
    const auto* const row = reinterpret_cast<const std::uint8_t*>(panel) + block * 64 * form.vectors + r * 4;
    const std::byte* const scales = panel + layout.value_bytes;
    const auto half_at = [](const std::byte* at) { return to_float(f16{stored_half(reinterpret_cast<const std::uint8_t*>(at))}); };
    float scale[2];
    float minimum[2] = {0.0f, 0.0f};
    if (form.scales == scale_kind::halves) {
        const std::byte* const at = scales + (block * panel_rows + r) * 2;
        scale[0] = scale[1] = half_at(at);
        if (form.minimum) minimum[0] = minimum[1] = half_at(at + layout.scale_bytes);
    } else {
        const std::byte* const super = scales + block / 8 * super_bytes(form);
        const std::byte* const halves = super + super_bytes(form) - (form.minimum ? 64 : 32) + r * 2;
        const std::size_t inside = block % 8;
        for (std::size_t h = 0; h < 2; ++h) {
            const bool by_16 = form.scales == scale_kind::by_16;
            const std::size_t at = by_16 ? (inside * panel_rows + r) * 2 + h : inside * panel_rows + r;
            int inner = static_cast<std::int8_t>(super[at]);
            int least = 0;
            if (form.minimum) {
                const int byte = std::to_integer<int>(super[at]);
                inner = by_16 ? byte & 15 : byte;
                least = by_16 ? byte >> 4 : std::to_integer<int>(super[128 + at]);
                minimum[h] = -(half_at(halves + 32) * static_cast<float>(least));
            }
            scale[h] = half_at(halves) * static_cast<float>(inner);
        }
    }
    for (std::size_t k = 0; k < 32; ++k) {
        const std::size_t group = k / 4;
        int quant = 0;
        if (form.vectors == 8) {
            quant = row[group * 64 + k % 4];
        } else {
            const int both = row[group % 4 * 64 + k % 4];
            quant = group < 4 ? both & 15 : both >> 4;
            if (form.vectors == 5) quant |= (row[256 + k % 4] >> group & 1) << 4;
            if (form.vectors == 6) quant |= (row[256 + group / 4 * 64 + k % 4] >> (group % 4 * 2) & 3) << 4;
            if (form.levels) quant = iq4_biased_levels[quant];
        }
        const auto value = static_cast<float>(quant - form.bias);
        // One rounding, as the kernels' fused multiply-add.
        out[k] = form.minimum ? std::fma(value, scale[k / 16], minimum[k / 16]) : value * scale[k / 16];
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
                if (columns % 2 != 0) std::memset(out, 0, layout.bytes());  // what pads a panel, or a pair
                detail::pack_elements<std::uint16_t, 1>(source, rows, columns, panel, out);
                break;
            case dtype::bf16:
                if (columns % 2 != 0) std::memset(out, 0, layout.bytes());
                detail::pack_elements<std::uint16_t, 2>(source, rows, columns, panel, out);
                break;
            case dtype::q8_0:
                detail::pack_blocks<34, 2, 8, 0x80808080u>(source, rows, columns, panel, layout, out);
                break;
            case dtype::q4_0: detail::pack_blocks<18, 2, 4, 0>(source, rows, columns, panel, layout, out); break;
            case dtype::q4_1: detail::pack_blocks<20, 4, 4, 0>(source, rows, columns, panel, layout, out); break;
            case dtype::q8_24: detail::pack_blocks<22, 2, 5, 0>(source, rows, columns, panel, layout, out); break;
            case dtype::q8_48: detail::pack_blocks<26, 2, 6, 0>(source, rows, columns, panel, layout, out); break;
            case dtype::q4_24:
                detail::pack_blocks<14, 2, 3, 0>(source, rows, columns, panel, layout, out);
                break;
            default: {
                std::memset(out, 0, layout.bytes());  // rows past the last, and what pads scales to 64 bytes
                const block_form form = form_of(*exact_packing(type));
                const std::size_t stride = row_bytes(type, columns);
                for (std::size_t r = 0; r < panel_rows && panel * panel_rows + r < rows; ++r)
                    detail::pack_block_row(type, form, source + (panel * panel_rows + r) * stride, columns, r, layout, out);
                break;
            }
        }
    }
}

HENCE_INLINE void pack_panels_i8(const std::int8_t* quants, const float* scales, std::size_t rows, std::size_t columns,
                                 std::size_t first, std::size_t last, std::byte* out) noexcept {
    const panel_layout layout = layout_of(packing::i8, columns);
    for (std::size_t panel = first; panel < last; ++panel, out += layout.bytes()) {
        const std::size_t row = panel * panel_rows;
        const std::size_t present = std::min(panel_rows, rows - row);
        std::memset(out + layout.value_bytes, 0, layout.scale_bytes);
        std::memcpy(out + layout.value_bytes, scales + row, present * sizeof(float));
        const std::int8_t* in = quants + row * columns;
        std::byte* to = out;
        for (std::size_t k = 0; k < columns; k += 4, in += 4, to += panel_rows * 4) {
            const std::size_t count = std::min<std::size_t>(4, columns - k);
            for (std::size_t r = 0; r < panel_rows; ++r) {
                std::uint32_t four = 0;
                if (r < present) {
                    if (count == 4) std::memcpy(&four, in + r * columns, 4);
                    else std::memcpy(&four, in + r * columns, count);
                }
                four ^= 0x80808080u;  // value + 128
                std::memcpy(to + r * 4, &four, 4);
            }
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
    for (std::size_t k = 0; k < matrix.columns; ++k) {
        switch (matrix.format) {
            case packing::f32: std::memcpy(&out[k], panel + (k * panel_rows + r) * 4, 4); break;
            case packing::f16: {
                f16 value;
                std::memcpy(&value.bits, panel + (k * panel_rows + r) * 2, 2);
                out[k] = to_float(value);
                break;
            }
            case packing::bf16:
            case packing::bf16d: {
                bf16 value;
                std::memcpy(&value.bits, panel + ((k / 2 * panel_rows + r) * 2 + k % 2) * 2, 2);
                out[k] = to_float(value);
                break;
            }
            case packing::i8: {
                const int value = std::to_integer<int>(panel[(k / 4 * panel_rows + r) * 4 + k % 4]) - 128;
                float scale;
                std::memcpy(&scale, panel + layout.value_bytes + r * 4, 4);
                out[k] = static_cast<float>(value) * scale;
                break;
            }
            default:
                detail::unpack_block(matrix, panel, k / block_columns, r, out + k);
                k += block_columns - 1;
                break;
        }
    }
}

}  // namespace kernels

HENCE_NAMESPACE_END

#endif
