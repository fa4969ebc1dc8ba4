// stored_block: the whole numbers of a file's block, before any scale is applied. What packing moves around.
//
// quant/decode.hpp is the reference for what blocks stand for; its code and this are independent, and pack_test compares them.
#ifndef HENCE_KERNELS_DETAIL_STORED_BLOCKS_HPP
#define HENCE_KERNELS_DETAIL_STORED_BLOCKS_HPP

#include "../../tensor/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace kernels::detail {

// One block of 32 or 256 columns. Halves are kept as bits.
struct stored_block {
    std::uint8_t quants[256];     // unsigned
    std::uint8_t scales[16];      // inner scales as packing has them: a signed byte, or scale | minimum << 4 (q2_k)
    std::uint8_t minimums[8];     // inner minimums (q4_k, q5_k)
    std::uint16_t scale;          // half
    std::uint16_t minimum;        // half
};

inline std::uint16_t stored_half(const std::uint8_t* at) noexcept {
    std::uint16_t bits;
    std::memcpy(&bits, at, 2);
    return bits;
}

// Nibbles of a 32-column block: column j low, column j + 16 high in byte j.
inline void read_nibbles(const std::uint8_t* from, std::uint8_t* quants) noexcept {
    for (int j = 0; j < 16; ++j) {
        quants[j] = from[j] & 15u;
        quants[j + 16] = static_cast<std::uint8_t>(from[j] >> 4);
    }
}

inline void read_fifth_bits(const std::uint8_t* from, std::uint8_t* quants) noexcept {
    for (int j = 0; j < 32; ++j) quants[j] = static_cast<std::uint8_t>(quants[j] | (from[j / 8] >> (j % 8) & 1) << 4);
}

// q4_k, q5_k: 6-bit scales and minimums of 8 groups in 12 bytes; nibbles of two groups of 32 in 32 bytes.
inline void read_k(const std::uint8_t* from, const std::uint8_t* fifth, const std::uint8_t* nibbles, stored_block& out) noexcept {
    out.scale = stored_half(from);
    out.minimum = stored_half(from + 2);
    const std::uint8_t* const packed = from + 4;
    for (int i = 0; i < 4; ++i) {
        out.scales[i] = packed[i] & 63u;
        out.minimums[i] = packed[i + 4] & 63u;
        out.scales[i + 4] = static_cast<std::uint8_t>((packed[i + 8] & 15) | packed[i] >> 6 << 4);
        out.minimums[i + 4] = static_cast<std::uint8_t>(packed[i + 8] >> 4 | packed[i + 4] >> 6 << 4);
    }
    for (int pair = 0; pair < 4; ++pair) {
        for (int j = 0; j < 32; ++j) {
            const unsigned both = nibbles[pair * 32 + j];
            const unsigned high = fifth != nullptr ? static_cast<unsigned>(fifth[j]) >> (2 * pair) : 0u;
            out.quants[pair * 64 + j] = static_cast<std::uint8_t>((both & 15u) | (high & 1u) << 4);
            out.quants[pair * 64 + 32 + j] = static_cast<std::uint8_t>(both >> 4 | (high >> 1 & 1u) << 4);
        }
    }
}

// q2_k, q3_k: four groups of 32 columns share 32 bytes, two bits each.
inline void read_pairs_of_bits(const std::uint8_t* from, std::uint8_t* quants) noexcept {
    for (int k = 0; k < 256; ++k) quants[k] = from[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3u;
}

inline void read_q3_k(const std::uint8_t* from, stored_block& out) noexcept {
    read_pairs_of_bits(from + 32, out.quants);
    for (int k = 0; k < 256; ++k) out.quants[k] = static_cast<std::uint8_t>(out.quants[k] | (from[k % 32] >> (k / 32) & 1) << 2);
    const std::uint8_t* const packed = from + 96;
    for (int i = 0; i < 16; ++i) {
        const unsigned low = i < 8 ? packed[i] & 15u : static_cast<unsigned>(packed[i - 8]) >> 4;
        const unsigned high = static_cast<unsigned>(packed[8 + i % 4]) >> (i / 4 * 2) & 3u;
        out.scales[i] = static_cast<std::uint8_t>((low | high << 4) - 32u);
    }
    out.scale = stored_half(from + 108);
}

inline void read_q6_k(const std::uint8_t* from, stored_block& out) noexcept {
    for (int k = 0; k < 256; ++k) {
        const int half = k / 128;
        const int run = k % 128 / 32;
        const unsigned low = static_cast<unsigned>(from[half * 64 + run % 2 * 32 + k % 32]) >> (run / 2 * 4) & 15u;
        const unsigned high = static_cast<unsigned>(from[128 + half * 32 + k % 32]) >> (run * 2) & 3u;
        out.quants[k] = static_cast<std::uint8_t>(low | high << 4);
    }
    std::memcpy(out.scales, from + 192, 16);
    out.scale = stored_half(from + 208);
}

inline void read_iq4_xs(const std::uint8_t* from, stored_block& out) noexcept {
    out.scale = stored_half(from);
    const unsigned highs = stored_half(from + 2);
    for (int i = 0; i < 8; ++i) {
        const unsigned low = static_cast<unsigned>(from[4 + i / 2]) >> (i % 2 * 4) & 15u;
        out.scales[i] = static_cast<std::uint8_t>((low | (highs >> (2 * i) & 3u) << 4) - 32u);
        read_nibbles(from + 8 + i * 16, out.quants + i * 32);
    }
}

// The block of a format at `from`; q8_0's quants become value + 128.
inline void read_block(dtype type, const std::byte* block, stored_block& out) noexcept {
    const auto* const from = reinterpret_cast<const std::uint8_t*>(block);
    out.scale = stored_half(from);
    switch (type) {
        case dtype::q8_0:
            for (int j = 0; j < 32; ++j) out.quants[j] = from[2 + j] ^ 0x80u;
            break;
        case dtype::q4_0:
        case dtype::iq4_nl: read_nibbles(from + 2, out.quants); break;
        case dtype::q4_1:
            out.minimum = stored_half(from + 2);
            read_nibbles(from + 4, out.quants);
            break;
        case dtype::q5_0:
            read_nibbles(from + 6, out.quants);
            read_fifth_bits(from + 2, out.quants);
            break;
        case dtype::q5_1:
            out.minimum = stored_half(from + 2);
            read_nibbles(from + 8, out.quants);
            read_fifth_bits(from + 4, out.quants);
            break;
        case dtype::q4_k: read_k(from, nullptr, from + 16, out); break;
        case dtype::q5_k: read_k(from, from + 16, from + 48, out); break;
        case dtype::q6_k: read_q6_k(from, out); break;
        case dtype::iq4_xs: read_iq4_xs(from, out); break;
        case dtype::q3_k: read_q3_k(from, out); break;
        case dtype::q2_k:
            read_pairs_of_bits(from + 16, out.quants);
            std::memcpy(out.scales, from, 16);
            out.scale = stored_half(from + 80);
            out.minimum = stored_half(from + 82);
            break;
        default: break;
    }
}

}  // namespace kernels::detail

HENCE_NAMESPACE_END

#endif
