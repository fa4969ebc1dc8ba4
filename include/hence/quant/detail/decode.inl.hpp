// Definitions of quant/decode.hpp: one small function per block layout.
#ifndef HENCE_QUANT_DETAIL_DECODE_INL_HPP
#define HENCE_QUANT_DETAIL_DECODE_INL_HPP

#include "../../core/text.hpp"
#include "../../core/scalar.hpp"
#include "../decode.hpp"

#include <array>
#include <cstdint>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// Reads the fields of a block in place; blocks are not aligned.
struct block_bytes {
    const std::byte* at;

    [[nodiscard]] unsigned u8(std::size_t i) const noexcept { return std::to_integer<unsigned>(at[i]); }
    [[nodiscard]] int i8(std::size_t i) const noexcept { return static_cast<std::int8_t>(u8(i)); }
    [[nodiscard]] unsigned low(std::size_t i) const noexcept { return u8(i) & 15u; }
    [[nodiscard]] unsigned high(std::size_t i) const noexcept { return u8(i) >> 4; }
    template <class T>
    [[nodiscard]] T value(std::size_t i) const noexcept {
        T v;
        std::memcpy(&v, at + i, sizeof(T));
        return v;
    }
    [[nodiscard]] float half(std::size_t i) const noexcept { return to_float(f16{value<std::uint16_t>(i)}); }
};

[[nodiscard]] inline float real(unsigned v) noexcept {
    return static_cast<float>(static_cast<int>(v));
}
[[nodiscard]] inline float real(int v) noexcept {
    return static_cast<float>(v);
}

// The 16 levels of the iq4 formats.
inline constexpr std::array<std::int8_t, 16> iq4_levels = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                           1,    13,   25,  38,  53,  69,  89,  113};

// The 32-element formats keep element j in the low and j + 16 in the high nibble of byte j.

inline void decode_q8_0(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    for (std::size_t j = 0; j < 32; ++j) out[j] = d * real(b.i8(2 + j));
}

inline void decode_q4_0(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    for (std::size_t j = 0; j < 16; ++j) {
        out[j] = d * (real(b.low(2 + j)) - 8.0f);
        out[j + 16] = d * (real(b.high(2 + j)) - 8.0f);
    }
}

inline void decode_q4_1(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    const float m = b.half(2);
    for (std::size_t j = 0; j < 16; ++j) {
        out[j] = d * real(b.low(4 + j)) + m;
        out[j + 16] = d * real(b.high(4 + j)) + m;
    }
}

inline void decode_q5_0(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    const auto fifth = b.value<std::uint32_t>(2);
    for (unsigned j = 0; j < 16; ++j) {
        out[j] = d * (real(b.low(6 + j) | ((fifth >> j & 1u) << 4)) - 16.0f);
        out[j + 16] = d * (real(b.high(6 + j) | ((fifth >> (j + 16) & 1u) << 4)) - 16.0f);
    }
}

inline void decode_q5_1(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    const float m = b.half(2);
    const auto fifth = b.value<std::uint32_t>(4);
    for (unsigned j = 0; j < 16; ++j) {
        out[j] = d * real(b.low(8 + j) | ((fifth >> j & 1u) << 4)) + m;
        out[j + 16] = d * real(b.high(8 + j) | ((fifth >> (j + 16) & 1u) << 4)) + m;
    }
}

inline void decode_iq4_nl(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    for (std::size_t j = 0; j < 16; ++j) {
        out[j] = d * real(int{iq4_levels[b.low(2 + j)]});
        out[j + 16] = d * real(int{iq4_levels[b.high(2 + j)]});
    }
}

// q2_k: 16 groups of 16; scale in the low and minimum in the high nibble of a byte. 2-bit quants: a byte
// holds the same column of four groups of 32.
inline void decode_q2_k(block_bytes b, float* out) noexcept {
    const float d = b.half(80);
    const float dmin = b.half(82);
    for (unsigned group = 0; group < 16; ++group) {
        const float scale = d * real(b.low(group));
        const float minimum = dmin * real(b.high(group));
        const unsigned shift = group % 8 / 2 * 2;
        const std::size_t quants = 16 + group / 8 * 32 + group % 2 * 16;
        for (std::size_t j = 0; j < 16; ++j)
            out[group * 16 + j] = scale * real(b.u8(quants + j) >> shift & 3u) - minimum;
    }
}

// q3_k: as q2_k, with a third bit in hmask (clear means minus 4) and 6-bit scales around 32, whose low four
// bits lie in bytes 0-7 and high two in bytes 8-11 of the scales.
inline void decode_q3_k(block_bytes b, float* out) noexcept {
    const float d = b.half(108);
    for (unsigned group = 0; group < 16; ++group) {
        const unsigned low = group < 8 ? b.low(96 + group) : b.high(96 + group - 8);
        const unsigned high = b.u8(104 + group % 4) >> (group / 4 * 2) & 3u;
        const float scale = d * (real(low | high << 4) - 32.0f);
        const unsigned shift = group % 8 / 2 * 2;
        const unsigned mask_bit = group / 8 * 4 + group % 8 / 2;
        const std::size_t column = group % 2 * 16;
        for (std::size_t j = 0; j < 16; ++j) {
            const unsigned quant = b.u8(32 + group / 8 * 32 + column + j) >> shift & 3u;
            const bool third = (b.u8(column + j) >> mask_bit & 1u) != 0;
            out[group * 16 + j] = scale * real(static_cast<int>(quant) - (third ? 0 : 4));
        }
    }
}

// The 6-bit scale and minimum of group `i` of 8 in the 12 bytes that q4_k and q5_k share.
struct scale_and_minimum {
    unsigned scale;
    unsigned minimum;
};
inline scale_and_minimum k_scale(block_bytes b, std::size_t at, unsigned i) noexcept {
    if (i < 4) return {b.u8(at + i) & 63u, b.u8(at + i + 4) & 63u};
    return {b.low(at + i + 4) | (b.u8(at + i - 4) >> 6) << 4, b.high(at + i + 4) | (b.u8(at + i) >> 6) << 4};
}

inline void decode_q4_k(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    const float dmin = b.half(2);
    for (unsigned group = 0; group < 8; ++group) {
        const auto [s, m] = k_scale(b, 4, group);
        const float scale = d * real(s);
        const float minimum = dmin * real(m);
        const std::size_t quants = 16 + group / 2 * 32;
        for (std::size_t j = 0; j < 32; ++j) {
            const unsigned quant = group % 2 == 0 ? b.low(quants + j) : b.high(quants + j);
            out[group * 32 + j] = scale * real(quant) - minimum;
        }
    }
}

inline void decode_q5_k(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    const float dmin = b.half(2);
    for (unsigned group = 0; group < 8; ++group) {
        const auto [s, m] = k_scale(b, 4, group);
        const float scale = d * real(s);
        const float minimum = dmin * real(m);
        const std::size_t quants = 48 + group / 2 * 32;
        for (std::size_t j = 0; j < 32; ++j) {
            const unsigned quant = group % 2 == 0 ? b.low(quants + j) : b.high(quants + j);
            const unsigned fifth = b.u8(16 + j) >> group & 1u;
            out[group * 32 + j] = scale * real(quant | fifth << 4) - minimum;
        }
    }
}

// q6_k: halves of 128; in each, four runs of 32 share 64 bytes of low nibbles and 32 bytes of high pairs.
inline void decode_q6_k(block_bytes b, float* out) noexcept {
    const float d = b.half(208);
    for (unsigned run = 0; run < 8; ++run) {
        const unsigned half = run / 4;
        const unsigned part = run % 4;
        const std::size_t lows = half * 64 + part % 2 * 32;
        for (std::size_t j = 0; j < 32; ++j) {
            const unsigned low = part < 2 ? b.low(lows + j) : b.high(lows + j);
            const unsigned high = b.u8(128 + half * 32 + j) >> (part * 2) & 3u;
            const float scale = d * real(b.i8(192 + half * 8 + part * 2 + j / 16));
            out[run * 32 + j] = scale * (real(low | high << 4) - 32.0f);
        }
    }
}

inline void decode_q8_k(block_bytes b, float* out) noexcept {
    const auto d = b.value<float>(0);
    for (std::size_t j = 0; j < 256; ++j) out[j] = d * real(b.i8(4 + j));
}

inline void decode_iq4_xs(block_bytes b, float* out) noexcept {
    const float d = b.half(0);
    const unsigned highs = b.value<std::uint16_t>(2);
    for (unsigned group = 0; group < 8; ++group) {
        const unsigned low = b.u8(4 + group / 2) >> (group % 2 * 4) & 15u;
        const float scale = d * (real(low | (highs >> (group * 2) & 3u) << 4) - 32.0f);
        for (std::size_t j = 0; j < 16; ++j) {
            out[group * 32 + j] = scale * real(int{iq4_levels[b.low(8 + group * 16 + j)]});
            out[group * 32 + j + 16] = scale * real(int{iq4_levels[b.high(8 + group * 16 + j)]});
        }
    }
}

// The formats that skip zeros: scale; 16 values; places. Values 4 v to 4 v + 3 are of columns 8 v to 8 v + 7. A place that
// is named twice has the sum of its values, as in the kernels.

// 2 of 4: byte i of four holds the places of values i, 4 + i, 8 + i, 12 + i, two bits each, within four columns; values 0
// and 1 of a quadruple lie in the first four of its eight columns, 2 and 3 in the second.
inline std::size_t column_24(block_bytes b, std::size_t places, std::size_t value) noexcept {
    const std::size_t v = value / 4;
    const std::size_t i = value % 4;
    return 8 * v + i / 2 * 4 + (b.u8(places + i) >> (2 * v) & 3u);
}
// 4 of 8: byte 4 (v / 2) + i holds the place of value 4 v + i among eight columns, in the low nibble for even v.
inline std::size_t column_48(block_bytes b, std::size_t places, std::size_t value) noexcept {
    const std::size_t v = value / 4;
    return 8 * v + (b.u8(places + v / 2 * 4 + value % 4) >> (v % 2 * 4) & 7u);
}
inline int nibble_24(block_bytes b, std::size_t value) noexcept {
    const std::size_t v = value / 4;
    return static_cast<int>(b.u8(2 + v / 2 * 4 + value % 4) >> (v % 2 * 4) & 15u) - 8;
}

template <class Value, class Column>
void decode_sparse(block_bytes b, float* out, Value value, Column column) noexcept {
    int quants[32] = {};
    for (std::size_t j = 0; j < 16; ++j) quants[column(j)] += value(j);
    const float d = b.half(0);
    for (std::size_t j = 0; j < 32; ++j) out[j] = d * real(quants[j]);
}
inline void decode_q8_24(block_bytes b, float* out) noexcept {
    decode_sparse(b, out, [&](std::size_t j) { return b.i8(2 + j); }, [&](std::size_t j) { return column_24(b, 18, j); });
}
inline void decode_q8_48(block_bytes b, float* out) noexcept {
    decode_sparse(b, out, [&](std::size_t j) { return b.i8(2 + j); }, [&](std::size_t j) { return column_48(b, 18, j); });
}
inline void decode_q4_24(block_bytes b, float* out) noexcept {
    decode_sparse(b, out, [&](std::size_t j) { return nibble_24(b, j); }, [&](std::size_t j) { return column_24(b, 10, j); });
}

template <class T>
void decode_plain(const std::byte* from, std::span<float> out) noexcept {
    for (std::size_t i = 0; i < out.size(); ++i) {
        T value;
        std::memcpy(&value, from + i * sizeof(T), sizeof(T));
        if constexpr (std::is_arithmetic_v<T>)
            out[i] = static_cast<float>(value);
        else
            out[i] = to_float(value);
    }
}

template <void (*Decode)(block_bytes, float*)>
void decode_blocks(dtype type, const std::byte* from, std::span<float> out) noexcept {
    const dtype_traits& block = traits(type);
    for (std::size_t i = 0; i < out.size(); i += block.block_elements, from += block.block_bytes)
        Decode(block_bytes{from}, out.data() + i);
}

}  // namespace detail

HENCE_INLINE result<void> decode_row(dtype type, std::span<const std::byte> blocks, std::span<float> out) {
    const dtype_traits& block = traits(type);
    if (out.size() % block.block_elements != 0 || blocks.size() != row_bytes(type, out.size()))
        return make_error(errc::invalid_argument, concat({"decode_row: ", block.name}),
                          concat({row_bytes(type, out.size()), " bytes for ", out.size(), " values, a multiple of ", block.block_elements}),
                          concat({blocks.size(), " bytes"}));
    const std::byte* from = blocks.data();
    switch (type) {
        case dtype::f32: detail::decode_plain<float>(from, out); break;
        case dtype::f16: detail::decode_plain<f16>(from, out); break;
        case dtype::bf16: detail::decode_plain<bf16>(from, out); break;
        case dtype::f64: detail::decode_plain<double>(from, out); break;
        case dtype::i8: detail::decode_plain<std::int8_t>(from, out); break;
        case dtype::i16: detail::decode_plain<std::int16_t>(from, out); break;
        case dtype::i32: detail::decode_plain<std::int32_t>(from, out); break;
        case dtype::i64: detail::decode_plain<std::int64_t>(from, out); break;
        case dtype::u8: detail::decode_plain<std::uint8_t>(from, out); break;
        case dtype::q8_0: detail::decode_blocks<detail::decode_q8_0>(type, from, out); break;
        case dtype::q4_0: detail::decode_blocks<detail::decode_q4_0>(type, from, out); break;
        case dtype::q4_1: detail::decode_blocks<detail::decode_q4_1>(type, from, out); break;
        case dtype::q5_0: detail::decode_blocks<detail::decode_q5_0>(type, from, out); break;
        case dtype::q5_1: detail::decode_blocks<detail::decode_q5_1>(type, from, out); break;
        case dtype::q2_k: detail::decode_blocks<detail::decode_q2_k>(type, from, out); break;
        case dtype::q3_k: detail::decode_blocks<detail::decode_q3_k>(type, from, out); break;
        case dtype::q4_k: detail::decode_blocks<detail::decode_q4_k>(type, from, out); break;
        case dtype::q5_k: detail::decode_blocks<detail::decode_q5_k>(type, from, out); break;
        case dtype::q6_k: detail::decode_blocks<detail::decode_q6_k>(type, from, out); break;
        case dtype::q8_k: detail::decode_blocks<detail::decode_q8_k>(type, from, out); break;
        case dtype::iq4_nl: detail::decode_blocks<detail::decode_iq4_nl>(type, from, out); break;
        case dtype::iq4_xs: detail::decode_blocks<detail::decode_iq4_xs>(type, from, out); break;
        case dtype::q8_24: detail::decode_blocks<detail::decode_q8_24>(type, from, out); break;
        case dtype::q8_48: detail::decode_blocks<detail::decode_q8_48>(type, from, out); break;
        case dtype::q4_24: detail::decode_blocks<detail::decode_q4_24>(type, from, out); break;
    }
    return {};
}

HENCE_NAMESPACE_END

#endif
