// The high random words of a block of 64 tokens at once: Philox in vectors. Integers only, so every tier
// gives the same words; the widest that the machine runs is taken. Only sampler.inl.hpp includes this file.
#ifndef HENCE_GENERATE_DETAIL_NOISE_WORDS_INL_HPP
#define HENCE_GENERATE_DETAIL_NOISE_WORDS_INL_HPP

#include "../../core/rng.hpp"
#include "../../sys/cpu.hpp"

#include <cstdint>
#include <cstring>

#if HENCE_X86
#include <immintrin.h>
#endif

HENCE_NAMESPACE_BEGIN

namespace detail::vocabulary {

// out[16 g + 4 w + q] is word w of lane first_lane + 4 g + q: token by token as address_of() says. Returns the
// least word, which tells of most blocks that nothing in them can win.
using noise_words = std::uint32_t (*)(const counter_rng& rng, std::uint64_t stream, std::uint32_t position,
                                      std::uint32_t first_lane, std::uint32_t* out) noexcept;

inline std::uint32_t noise_words_scalar(const counter_rng& rng, std::uint64_t stream, std::uint32_t position,
                                        std::uint32_t first_lane, std::uint32_t* out) noexcept {
    std::uint32_t least = 0xFFFFFFFFu;
    for (std::uint32_t lane = 0; lane < 16; ++lane) {
        const auto words = rng.words(stream, position, first_lane + lane);
        for (std::uint32_t word = 0; word < 4; ++word) {
            out[16 * (lane / 4) + 4 * word + lane % 4] = words[word];
            least = words[word] < least ? words[word] : least;
        }
    }
    return least;
}

#if HENCE_X86

inline constexpr int philox_m0 = static_cast<int>(0xD2511F53u);
inline constexpr int philox_m1 = static_cast<int>(0xCD9E8D57u);
inline constexpr int philox_w0 = static_cast<int>(0x9E3779B9u);
inline constexpr int philox_w1 = static_cast<int>(0xBB67AE85u);

inline int low_int(std::uint64_t value) noexcept {
    return static_cast<int>(static_cast<std::uint32_t>(value));
}

// Four lanes a vector; SSE2 is in every x86-64 build.
inline std::uint32_t noise_words_sse2(const counter_rng& rng, std::uint64_t stream, std::uint32_t position,
                                      std::uint32_t first_lane, std::uint32_t* out) noexcept {
    const __m128i m0 = _mm_set1_epi32(philox_m0);
    const __m128i m1 = _mm_set1_epi32(philox_m1);
    const __m128i upper = _mm_set_epi32(-1, 0, -1, 0);
    // SSE2 compares signed numbers only: with the top bit flipped their order is the unsigned one.
    const __m128i flip = _mm_set1_epi32(low_int(0x80000000u));
    __m128i least = _mm_set1_epi32(0x7FFFFFFF);
    for (std::uint32_t group = 0; group < 4; ++group) {
        __m128i c0 = _mm_set1_epi32(low_int(stream));
        __m128i c1 = _mm_set1_epi32(low_int(stream >> 32));
        __m128i c2 = _mm_set1_epi32(low_int(position));
        __m128i c3 = _mm_add_epi32(_mm_set1_epi32(low_int(first_lane + 4 * group)), _mm_set_epi32(3, 2, 1, 0));
        __m128i k0 = _mm_set1_epi32(low_int(rng.seed));
        __m128i k1 = _mm_set1_epi32(low_int(rng.seed >> 32));
        for (int round = 0; round < 10; ++round) {
            const __m128i even0 = _mm_mul_epu32(c0, m0);
            const __m128i odd0 = _mm_mul_epu32(_mm_srli_epi64(c0, 32), m0);
            const __m128i even1 = _mm_mul_epu32(c2, m1);
            const __m128i odd1 = _mm_mul_epu32(_mm_srli_epi64(c2, 32), m1);
            const __m128i high0 = _mm_or_si128(_mm_srli_epi64(even0, 32), _mm_and_si128(upper, odd0));
            const __m128i high1 = _mm_or_si128(_mm_srli_epi64(even1, 32), _mm_and_si128(upper, odd1));
            c0 = _mm_xor_si128(_mm_xor_si128(high1, c1), k0);
            c1 = _mm_or_si128(_mm_andnot_si128(upper, even1), _mm_slli_epi64(odd1, 32));
            c2 = _mm_xor_si128(_mm_xor_si128(high0, c3), k1);
            c3 = _mm_or_si128(_mm_andnot_si128(upper, even0), _mm_slli_epi64(odd0, 32));
            k0 = _mm_add_epi32(k0, _mm_set1_epi32(philox_w0));
            k1 = _mm_add_epi32(k1, _mm_set1_epi32(philox_w1));
        }
        const __m128i words[4] = {c0, c1, c2, c3};
        std::memcpy(out + 16 * group, words, sizeof words);
        for (const __m128i& word : words) {
            const __m128i flipped = _mm_xor_si128(word, flip);
            const __m128i less = _mm_cmplt_epi32(flipped, least);
            least = _mm_or_si128(_mm_and_si128(less, flipped), _mm_andnot_si128(less, least));
        }
    }
    std::uint32_t lanes[4];
    least = _mm_xor_si128(least, flip);
    std::memcpy(lanes, &least, sizeof lanes);
    std::uint32_t all = lanes[0];
    for (const std::uint32_t lane : lanes) all = lane < all ? lane : all;
    return all;
}

HENCE_TARGET_BEGIN("avx2")
// Eight lanes a vector.
inline std::uint32_t noise_words_avx2(const counter_rng& rng, std::uint64_t stream, std::uint32_t position,
                                      std::uint32_t first_lane, std::uint32_t* out) noexcept {
    const __m256i m0 = _mm256_set1_epi32(philox_m0);
    const __m256i m1 = _mm256_set1_epi32(philox_m1);
    __m256i least = _mm256_set1_epi32(-1);
    for (std::uint32_t half = 0; half < 2; ++half) {
        __m256i c0 = _mm256_set1_epi32(low_int(stream));
        __m256i c1 = _mm256_set1_epi32(low_int(stream >> 32));
        __m256i c2 = _mm256_set1_epi32(low_int(position));
        __m256i c3 = _mm256_add_epi32(_mm256_set1_epi32(low_int(first_lane + 8 * half)),
                                      _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
        __m256i k0 = _mm256_set1_epi32(low_int(rng.seed));
        __m256i k1 = _mm256_set1_epi32(low_int(rng.seed >> 32));
        for (int round = 0; round < 10; ++round) {
            const __m256i even0 = _mm256_mul_epu32(c0, m0);
            const __m256i odd0 = _mm256_mul_epu32(_mm256_srli_epi64(c0, 32), m0);
            const __m256i even1 = _mm256_mul_epu32(c2, m1);
            const __m256i odd1 = _mm256_mul_epu32(_mm256_srli_epi64(c2, 32), m1);
            const __m256i high0 = _mm256_blend_epi32(_mm256_srli_epi64(even0, 32), odd0, 0xAA);
            const __m256i high1 = _mm256_blend_epi32(_mm256_srli_epi64(even1, 32), odd1, 0xAA);
            c0 = _mm256_xor_si256(_mm256_xor_si256(high1, c1), k0);
            c1 = _mm256_blend_epi32(even1, _mm256_slli_epi64(odd1, 32), 0xAA);
            c2 = _mm256_xor_si256(_mm256_xor_si256(high0, c3), k1);
            c3 = _mm256_blend_epi32(even0, _mm256_slli_epi64(odd0, 32), 0xAA);
            k0 = _mm256_add_epi32(k0, _mm256_set1_epi32(philox_w0));
            k1 = _mm256_add_epi32(k1, _mm256_set1_epi32(philox_w1));
        }
        const __m256i words[4] = {c0, c1, c2, c3};
        for (std::uint32_t word = 0; word < 4; ++word) {
            std::uint32_t lanes[8];
            std::memcpy(lanes, &words[word], sizeof lanes);
            std::memcpy(out + 32 * half + 4 * word, lanes, 16);
            std::memcpy(out + 32 * half + 16 + 4 * word, lanes + 4, 16);
            least = _mm256_min_epu32(least, words[word]);
        }
    }
    std::uint32_t lanes[8];
    std::memcpy(lanes, &least, sizeof lanes);
    std::uint32_t all = lanes[0];
    for (const std::uint32_t lane : lanes) all = lane < all ? lane : all;
    return all;
}
HENCE_TARGET_END

HENCE_TARGET_BEGIN("avx512f")
// Sixteen lanes a vector: the whole block.
inline std::uint32_t noise_words_avx512(const counter_rng& rng, std::uint64_t stream, std::uint32_t position,
                                        std::uint32_t first_lane, std::uint32_t* out) noexcept {
    const __m512i m0 = _mm512_set1_epi32(philox_m0);
    const __m512i m1 = _mm512_set1_epi32(philox_m1);
    __m512i c0 = _mm512_set1_epi32(low_int(stream));
    __m512i c1 = _mm512_set1_epi32(low_int(stream >> 32));
    __m512i c2 = _mm512_set1_epi32(low_int(position));
    __m512i c3 = _mm512_add_epi32(_mm512_set1_epi32(low_int(first_lane)),
                                  _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    __m512i k0 = _mm512_set1_epi32(low_int(rng.seed));
    __m512i k1 = _mm512_set1_epi32(low_int(rng.seed >> 32));
    for (int round = 0; round < 10; ++round) {
        // The maskz forms: the plain ones start from an undefined vector, which g++ 12 warns about.
        const __m512i even0 = _mm512_maskz_mul_epu32(0xFF, c0, m0);
        const __m512i odd0 = _mm512_maskz_mul_epu32(0xFF, _mm512_maskz_srli_epi64(0xFF, c0, 32), m0);
        const __m512i even1 = _mm512_maskz_mul_epu32(0xFF, c2, m1);
        const __m512i odd1 = _mm512_maskz_mul_epu32(0xFF, _mm512_maskz_srli_epi64(0xFF, c2, 32), m1);
        const __m512i high0 = _mm512_mask_blend_epi32(0xAAAA, _mm512_maskz_srli_epi64(0xFF, even0, 32), odd0);
        const __m512i high1 = _mm512_mask_blend_epi32(0xAAAA, _mm512_maskz_srli_epi64(0xFF, even1, 32), odd1);
        c0 = _mm512_xor_si512(_mm512_xor_si512(high1, c1), k0);
        c1 = _mm512_mask_blend_epi32(0xAAAA, even1, _mm512_maskz_slli_epi64(0xFF, odd1, 32));
        c2 = _mm512_xor_si512(_mm512_xor_si512(high0, c3), k1);
        c3 = _mm512_mask_blend_epi32(0xAAAA, even0, _mm512_maskz_slli_epi64(0xFF, odd0, 32));
        k0 = _mm512_add_epi32(k0, _mm512_set1_epi32(philox_w0));
        k1 = _mm512_add_epi32(k1, _mm512_set1_epi32(philox_w1));
    }
    const __m512i words[4] = {c0, c1, c2, c3};
    std::uint32_t all = 0xFFFFFFFFu;
    for (std::uint32_t word = 0; word < 4; ++word) {
        std::uint32_t lanes[16];
        std::memcpy(lanes, &words[word], sizeof lanes);
        for (std::uint32_t group = 0; group < 4; ++group)
            std::memcpy(out + 16 * group + 4 * word, lanes + 4 * group, 16);
        for (const std::uint32_t lane : lanes) all = lane < all ? lane : all;
    }
    return all;
}
HENCE_TARGET_END

#endif

inline noise_words widest_noise_words() noexcept {
#if HENCE_X86
    if (supported(isa::avx512)) return noise_words_avx512;
    if (supported(isa::avx2)) return noise_words_avx2;
    return noise_words_sse2;
#else
    return noise_words_scalar;
#endif
}

}  // namespace detail::vocabulary

HENCE_NAMESPACE_END

#endif
