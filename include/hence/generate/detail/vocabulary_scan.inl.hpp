// Passes over a row of logits: largest value, sum of exponentials, and the search for the winner of the
// Gumbel-max rule. Four lanes at a time with the compiler's own vectors, so that they run at a
// decent rate in a build without any -m flag. Only sampler.inl.hpp includes this file.
#ifndef HENCE_GENERATE_DETAIL_VOCABULARY_SCAN_INL_HPP
#define HENCE_GENERATE_DETAIL_VOCABULARY_SCAN_INL_HPP

#include "../../cache/step.hpp"
#include "../../config.hpp"
#include "../../core/rng.hpp"
#include "../../core/types.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

HENCE_NAMESPACE_BEGIN

namespace detail::vocabulary {

// Tokens per block: each block's largest logit is kept, so that later passes skip whole blocks.
inline constexpr std::size_t block = logit_block;

typedef float f32x4 __attribute__((vector_size(16)));
typedef std::int32_t i32x4 __attribute__((vector_size(16)));
typedef std::uint32_t u32x4 __attribute__((vector_size(16)));

HENCE_ALWAYS_INLINE f32x4 load(const float* p) noexcept {
    f32x4 v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

HENCE_ALWAYS_INLINE u32x4 load(const std::uint32_t* p) noexcept {
    u32x4 v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

struct block_scan {
    float top;
    bool finite;
};

// Largest of one block, and whether all exponents are below the all-ones of NaN and infinity.
HENCE_ALWAYS_INLINE block_scan scan_block(const float* x, std::size_t n) noexcept {
    const std::int32_t exponent = 0x7f800000;
    float top = -std::numeric_limits<float>::infinity();
    bool finite = true;
    std::size_t i = 0;
    if (n >= 4) {
        f32x4 largest = load(x);
        i32x4 bad = {0, 0, 0, 0};
        for (; i + 4 <= n; i += 4) {
            const f32x4 v = load(x + i);
            i32x4 bits;
            std::memcpy(&bits, &v, sizeof bits);
            bad |= ((bits & exponent) == exponent);
            largest = v > largest ? v : largest;
        }
        finite = (bad[0] | bad[1] | bad[2] | bad[3]) == 0;
        for (int lane = 0; lane < 4; ++lane) top = largest[lane] > top ? largest[lane] : top;
    }
    for (; i < n; ++i) {
        finite = finite && std::isfinite(x[i]);
        top = x[i] > top ? x[i] : top;
    }
    return {top, finite};
}

// exp(x) for x <= 0; relative error below 2e-7, 0 below -87.
HENCE_ALWAYS_INLINE f32x4 exp_not_positive(f32x4 x) noexcept {
    const f32x4 lowest = {-87.0f, -87.0f, -87.0f, -87.0f};
    const i32x4 tiny = x < lowest;
    x = x < lowest ? lowest : x;
    // 2^n * exp(r): n is x / ln 2 rounded to nearest (x is not positive, so truncation of t - 0.5 rounds).
    const f32x4 t = x * 1.44269504088896341f - 0.5f;
    const i32x4 n = __builtin_convertvector(t, i32x4);
    const f32x4 nf = __builtin_convertvector(n, f32x4);
    const f32x4 r = (x - nf * 0.693359375f) + nf * 2.12194440e-4f;
    f32x4 p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    i32x4 bits;
    std::memcpy(&bits, &p, sizeof bits);
    bits += n << 23;
    bits &= ~tiny;
    std::memcpy(&p, &bits, sizeof p);
    return p;
}

// Sum of exp((x - top) * scale) where top is the largest x; -inf counts 0. One fixed order.
inline double sum_of_exponentials(const float* x, std::size_t n, float top, float scale) noexcept {
    double total = 0;
    std::size_t i = 0;
    while (i + 4 <= n) {
        f32x4 part = {0, 0, 0, 0};
        const std::size_t end = i + block < n ? i + block : n;
        for (; i + 4 <= end; i += 4) part += exp_not_positive((load(x + i) - top) * scale);
        total += (static_cast<double>(part[0]) + static_cast<double>(part[1])) +
                 (static_cast<double>(part[2]) + static_cast<double>(part[3]));
    }
    if (i < n) {
        const float minus_infinity = -std::numeric_limits<float>::infinity();
        f32x4 v = {minus_infinity, minus_infinity, minus_infinity, minus_infinity};
        std::memcpy(&v, x + i, (n - i) * sizeof(float));
        v = exp_not_positive((v - top) * scale);
        total += (static_cast<double>(v[0]) + static_cast<double>(v[1])) +
                 (static_cast<double>(v[2]) + static_cast<double>(v[3]));
    }
    return total;
}

// Buckets of logits by their distance from the top, in units of the temperature; the last one is the rest.
inline constexpr std::size_t buckets = 1025;
inline constexpr float buckets_per_unit = 32;

struct bucket_of {
    float top;
    float scale;
    constexpr bucket_of(float largest, float inverse_temperature) noexcept
        : top(largest), scale(inverse_temperature * buckets_per_unit) {}
    [[nodiscard]] HENCE_ALWAYS_INLINE std::size_t operator()(float x) const noexcept {
        const float distance = (top - x) * scale;
        const auto rest = static_cast<float>(buckets - 1);
        return static_cast<std::size_t>(static_cast<std::int32_t>(distance < rest ? distance : rest));
    }
    [[nodiscard]] HENCE_ALWAYS_INLINE i32x4 operator()(f32x4 x) const noexcept {
        const auto rest = static_cast<float>(buckets - 1);
        const f32x4 most = {rest, rest, rest, rest};
        const f32x4 distance = (top - x) * scale;
        return __builtin_convertvector(distance < most ? distance : most, i32x4);
    }
};

// Adds exp((x - top) * scale) of each value to its bucket.
inline void add_weights(const float* x, std::size_t n, float top, float scale, const bucket_of& bucket,
                        std::array<double, buckets>& weights) noexcept {
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const f32x4 v = load(x + i);
        const f32x4 weight = exp_not_positive((v - top) * scale);
        const i32x4 at = bucket(v);
        weights[static_cast<std::size_t>(at[0])] += static_cast<double>(weight[0]);
        weights[static_cast<std::size_t>(at[1])] += static_cast<double>(weight[1]);
        weights[static_cast<std::size_t>(at[2])] += static_cast<double>(weight[2]);
        weights[static_cast<std::size_t>(at[3])] += static_cast<double>(weight[3]);
    }
    for (; i < n; ++i) {
        const float weight = exp_not_positive(f32x4{(x[i] - top) * scale, 0, 0, 0})[0];
        weights[bucket(x[i])] += static_cast<double>(weight);
    }
}

inline double sum(const float* x, std::size_t n) noexcept {
    double total = 0;
    std::size_t i = 0;
    while (i + 4 <= n) {
        f32x4 part = {0, 0, 0, 0};
        const std::size_t end = i + block < n ? i + block : n;
        for (; i + 4 <= end; i += 4) part += load(x + i);
        total += (static_cast<double>(part[0]) + static_cast<double>(part[1])) +
                 (static_cast<double>(part[2]) + static_cast<double>(part[3]));
    }
    for (; i < n; ++i) total += static_cast<double>(x[i]);
    return total;
}

// Where the random bits of a token come from: word `word` of the Philox block of lane `lane`. Sixteen
// tokens share four lanes such that one vector of four lanes gives four consecutive tokens per word
// (generate/detail/noise_words.inl.hpp computes them by the block).
struct address {
    std::uint32_t lane;
    std::uint32_t word;
};
constexpr address address_of(token_id id) noexcept {
    const auto t = static_cast<std::uint32_t>(id);
    return {(t / 16) * 4 + t % 4, (t / 4) % 4};
}

// The lanes of the lower 32 bits of a token's random number.
inline constexpr std::uint32_t low_bits_lane = 0x80000000u;

// The standard Gumbel noise of one token. v is uniform in (0, 1) on a grid of 2^-64 whose fine end is where
// the winners are: noise is large when v is small.
inline double gumbel(const counter_rng& rng, std::uint64_t stream, std::uint32_t position, token_id id) noexcept {
    const address at = address_of(id);
    const std::uint64_t high = rng.words(stream, position, at.lane)[at.word];
    const std::uint64_t low = rng.words(stream, position, at.lane | low_bits_lane)[at.word];
    double v = (static_cast<double>((high << 32) | low) + 0.5) * 0x1.0p-64;
    if (v > 1.0 - 0x1.0p-53) v = 1.0 - 0x1.0p-53;
    return -std::log(-std::log1p(-v));
}

// A token can beat `best` only if its v is at most exp(logit / T - best), so nearly all tokens are
// dismissed by their high random word against an upper bound of that power: 2^x is at most the float whose
// bits are (x + 127) * 2^23, because the exponential is convex between powers of two.
class dismissal {
public:
    dismissal(double inverse_temperature, float largest_magnitude) noexcept
        : scale_(static_cast<float>(inverse_temperature * 1.4426950408889634)),
          slack_(0.01 + 1e-6 * static_cast<double>(largest_magnitude) * inverse_temperature) {}

    void beat(double best) noexcept {
        offset_ = static_cast<float>(-best * 1.4426950408889634 + slack_ + 1e-6 * std::abs(best));
    }
    // No v is below 2^-65, so a block whose bound is below that has no winner.
    [[nodiscard]] bool hopeless(float logit) const noexcept { return logit * scale_ + offset_ < -65.0f; }

    [[nodiscard]] bool possible(float logit, std::uint32_t high_word) const noexcept {
        const float exponent = logit * scale_ + offset_;
        if (exponent >= 0) return true;
        if (exponent <= -126) return high_word < 256;
        const auto bound = std::bit_cast<float>(static_cast<std::int32_t>((exponent + 127.0f) * 8388608.0f));
        return static_cast<float>(high_word >> 8) * 0x1.0p-24f <= bound;
    }
    // The same for four tokens; a lane is all ones where the token is possible.
    [[nodiscard]] HENCE_ALWAYS_INLINE i32x4 possible(f32x4 logits, u32x4 high_words) const noexcept {
        const f32x4 lowest = {-126.0f, -126.0f, -126.0f, -126.0f};
        const f32x4 zero = {0, 0, 0, 0};
        f32x4 exponent = logits * scale_ + offset_;
        exponent = exponent < lowest ? lowest : exponent;
        exponent = exponent > zero ? zero : exponent;
        const i32x4 bits = __builtin_convertvector((exponent + 127.0f) * 8388608.0f, i32x4);
        f32x4 bound;
        std::memcpy(&bound, &bits, sizeof bound);
        const u32x4 high = high_words >> 8;
        i32x4 signed_high;
        std::memcpy(&signed_high, &high, sizeof high);
        return __builtin_convertvector(signed_high, f32x4) * 0x1.0p-24f <= bound;
    }

private:
    float scale_;
    double slack_;
    float offset_ = 0;
};

}  // namespace detail::vocabulary

HENCE_NAMESPACE_END

#endif
