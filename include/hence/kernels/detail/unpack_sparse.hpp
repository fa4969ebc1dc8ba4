// Reading back a row of the packings that leave zeros out (kernels/sparse.hpp says how they lie).
#ifndef HENCE_KERNELS_DETAIL_UNPACK_SPARSE_HPP
#define HENCE_KERNELS_DETAIL_UNPACK_SPARSE_HPP

#include "../../core/scalar.hpp"
#include "../../tensor/packed.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace kernels::detail {

constexpr std::size_t to_line(std::size_t bytes) noexcept {
    return (bytes + 63) / 64 * 64;
}

constexpr bool is_block_packing(packing format) noexcept {
    return format == packing::q8_block || format == packing::f32_block || format == packing::bf16_block;
}

// One row of the packings that leave zeros out: every value that is there is put where it belongs.
inline void unpack_sparse_row(const packed_matrix& matrix, std::size_t row, float* out) noexcept {
    std::fill(out, out + matrix.columns, 0.0f);
    const std::size_t r = row % panel_rows;
    const std::size_t panel = row / panel_rows;
    const std::size_t blocks = (matrix.columns + block_columns - 1) / block_columns;
    const auto byte_at = [](const std::byte* p) { return std::to_integer<unsigned>(*p); };
    const auto half_at = [](const std::byte* p) {
        f16 value;
        std::memcpy(&value.bits, p, 2);
        return to_float(value);
    };
    const auto number_at = [&](const std::byte* p) {  // of f32_* and bf16_*
        float value;
        if (matrix.format == packing::f32_block || matrix.format == packing::f32_rows || matrix.format == packing::f32_24) {
            std::memcpy(&value, p, 4);
            return value;
        }
        bf16 half;
        std::memcpy(&half.bits, p, 2);
        return to_float(half);
    };
    const auto signed_at = [&](const std::byte* p) { return static_cast<float>(static_cast<std::int8_t>(byte_at(p))); };
    if (matrix.format <= packing::i8_24) {
        const panel_layout layout = matrix.layout();
        const std::byte* base = matrix.data + panel * layout.bytes();
        const std::size_t value_vectors = matrix.format == packing::q4_24 ? 2 : 4;
        const std::size_t block_bytes = layout.value_bytes / blocks;
        for (std::size_t b = 0; b < blocks; ++b) {
            float scale;
            if (matrix.format == packing::i8_24)
                std::memcpy(&scale, base + layout.value_bytes + r * 4, 4);
            else
                scale = half_at(base + layout.value_bytes + (b * panel_rows + r) * 2);
            const std::byte* block = base + b * block_bytes + r * 4;
            for (std::size_t j = 0; j < 16; ++j) {
                const std::size_t v = j / 4;
                const std::size_t i = j % 4;
                float value = 0;
                if (matrix.format == packing::q4_24)
                    value = static_cast<float>(byte_at(block + v / 2 * 64 + i) >> v % 2 * 4 & 15u) - 8.0f;
                else
                    value = signed_at(block + v * 64 + i);
                const std::byte* places = block + value_vectors * 64 + i;
                const std::size_t column = matrix.format == packing::q8_48
                                               ? byte_at(places + v / 2 * 64) >> v % 2 * 4 & 7u
                                               : i / 2 * 4 + (byte_at(places) >> 2 * v & 3u);
                out[b * block_columns + 8 * v + column] += value * scale;
            }
        }
        return;
    }
    if (matrix.format == packing::f32_24 || matrix.format == packing::bf16_24) {
        const std::size_t pair = matrix.format == packing::bf16_24 ? 2 : 1;
        const std::byte* block = matrix.data + panel * matrix.layout().bytes();
        for (std::size_t b = 0; b < blocks; ++b, block += 64 + 1024 / pair) {
            std::uint32_t places;
            std::memcpy(&places, block + 4 * r, 4);
            for (std::size_t slot = 0; slot < 16; ++slot, places >>= 2)
                out[b * block_columns + slot / 2 * 4 + (places & 3u)] +=
                    number_at(block + 64 + ((slot / pair * panel_rows + r) * pair + slot % pair) * (4 / pair));
        }
        return;
    }
    std::uint64_t offset;
    std::memcpy(&offset, matrix.data + panel * 8, 8);
    const std::byte* base = matrix.data + offset;
    const bool bytes = matrix.format == packing::q8_block || matrix.format == packing::q8_rows;
    const std::byte* scales = base + to_line(blocks);
    const std::byte* values = scales + (bytes ? to_line(blocks * 32) : 0);
    if (matrix.format == packing::q8_rows) {
        for (std::size_t b = 0; b < blocks; ++b) {
            for (unsigned four = 0; four < byte_at(base + b); ++four, values += 128) {
                for (std::size_t i = 0; i < 4; ++i)
                    out[b * block_columns + byte_at(values + 64 + r * 4 + i)] +=
                        signed_at(values + r * 4 + i) * half_at(scales + (b * panel_rows + r) * 2);
            }
        }
    } else if (is_block_packing(matrix.format)) {
        const std::size_t size = bytes ? 1 : matrix.format == packing::f32_block ? 4 : 2;
        for (std::size_t b = 0; b < blocks; ++b) {
            for (unsigned g = 0; g < 8; ++g) {
                if ((byte_at(base + b) >> g & 1u) == 0) continue;
                for (std::size_t k = 0; k < 4; ++k) {
                    float& place = out[b * block_columns + 4 * g + k];
                    if (bytes)
                        place = signed_at(values + r * 4 + k) * half_at(scales + (b * panel_rows + r) * 2);
                    else if (size == 4)
                        place = number_at(values + (k * panel_rows + r) * 4);
                    else
                        place = number_at(values + ((k / 2 * panel_rows + r) * 2 + k % 2) * 2);
                }
                values += 64 * size;
            }
        }
    } else {
        std::uint32_t slots;
        std::memcpy(&slots, base, 4);
        const std::size_t pair = matrix.format == packing::bf16_rows ? 2 : 1;
        values = base + 64 + to_line(slots * 32);
        for (std::size_t slot = 0; slot < slots; ++slot) {
            std::uint16_t column;
            std::memcpy(&column, base + 64 + (slot * panel_rows + r) * 2, 2);
            out[column] += number_at(values + ((slot / pair * panel_rows + r) * pair + slot % pair) * (4 / pair));
        }
    }
}

}  // namespace kernels::detail

HENCE_NAMESPACE_END

#endif
