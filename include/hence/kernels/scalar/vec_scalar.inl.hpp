// Vectors of the scalar tier: sixteen plain values. The reference that other tiers are compared with; its operations
// are calls, because inlining sixteen lanes everywhere costs every user compile time and helps no one.

struct vf { float lane[16]; };
struct vi { std::int32_t lane[16]; };
struct vb { std::uint8_t lane[64]; };  // 16 rows of 4 columns
using vq = const std::int8_t*;         // 4 activations

HENCE_TIER_MATH vf load(const float* p) {
    vf v;
    __builtin_memcpy(v.lane, p, sizeof v.lane);
    return v;
}
HENCE_TIER_MATH vf load_once(const float* p) { return load(p); }
HENCE_TIER_MATH void store(float* p, const vf& v) { __builtin_memcpy(p, v.lane, sizeof v.lane); }
HENCE_TIER_MATH vf load_n(const float* p, std::size_t n) {
    vf v = {};
    __builtin_memcpy(v.lane, p, n * sizeof(float));
    return v;
}
HENCE_TIER_MATH void store_n(float* p, const vf& v, std::size_t n) { __builtin_memcpy(p, v.lane, n * sizeof(float)); }
HENCE_TIER_MATH vf load_f16(const std::uint16_t* p) {
    vf v;
    for (int i = 0; i < 16; ++i) v.lane[i] = hence::to_float(f16{p[i]});
    return v;
}
HENCE_TIER_MATH void store_f16(std::uint16_t* p, const vf& v) {
    for (int i = 0; i < 16; ++i) p[i] = hence::to_f16(v.lane[i]).bits;
}
HENCE_TIER_MATH vf load_bf16(const std::uint16_t* p) {
    vf v;
    for (int i = 0; i < 16; ++i) v.lane[i] = hence::to_float(bf16{p[i]});
    return v;
}
HENCE_TIER_MATH void load_bf16_pair(const std::uint16_t* p, vf& even, vf& odd) {
    for (int i = 0; i < 16; ++i) {
        even.lane[i] = hence::to_float(bf16{p[2 * i]});
        odd.lane[i] = hence::to_float(bf16{p[2 * i + 1]});
    }
}
HENCE_TIER_MATH vf set1(float x) {
    vf v;
    for (float& lane : v.lane) lane = x;
    return v;
}
HENCE_TIER_MATH vf zero() { return set1(0.0f); }

#define HENCE_SCALAR_LANES_(result_type, expression)       \
    result_type v;                                          \
    for (int i = 0; i < 16; ++i) v.lane[i] = (expression);  \
    return v;

HENCE_TIER_MATH vf fma(const vf& a, const vf& b, const vf& c) {
    HENCE_SCALAR_LANES_(vf, __builtin_fmaf(a.lane[i], b.lane[i], c.lane[i]))
}
HENCE_TIER_MATH vf add(const vf& a, const vf& b) { HENCE_SCALAR_LANES_(vf, a.lane[i] + b.lane[i]) }
HENCE_TIER_MATH vf sub(const vf& a, const vf& b) { HENCE_SCALAR_LANES_(vf, a.lane[i] - b.lane[i]) }
HENCE_TIER_MATH vf mul(const vf& a, const vf& b) { HENCE_SCALAR_LANES_(vf, a.lane[i] * b.lane[i]) }
HENCE_TIER_MATH vf div(const vf& a, const vf& b) { HENCE_SCALAR_LANES_(vf, a.lane[i] / b.lane[i]) }
// As x86: the second operand where either is NaN.
HENCE_TIER_MATH vf max(const vf& a, const vf& b) { HENCE_SCALAR_LANES_(vf, a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]) }
HENCE_TIER_MATH vf min(const vf& a, const vf& b) { HENCE_SCALAR_LANES_(vf, a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]) }
HENCE_TIER_MATH vf abs(const vf& a) { HENCE_SCALAR_LANES_(vf, __builtin_fabsf(a.lane[i])) }
HENCE_TIER_MATH vf select_less(const vf& a, const vf& b, const vf& yes, const vf& no) {
    HENCE_SCALAR_LANES_(vf, a.lane[i] < b.lane[i] ? yes.lane[i] : no.lane[i])
}
// As x86: the smallest integer where the value is NaN or does not fit.
HENCE_TIER_MATH vi to_int(const vf& a) {
    HENCE_SCALAR_LANES_(vi, __builtin_fabsf(a.lane[i]) < 2147483648.0f
                                ? static_cast<std::int32_t>(__builtin_rintf(a.lane[i])) : -2147483647 - 1)
}
HENCE_TIER_MATH vf to_float(const vi& a) { HENCE_SCALAR_LANES_(vf, static_cast<float>(a.lane[i])) }
HENCE_TIER_MATH vf power_of_two(const vi& n) {
    HENCE_SCALAR_LANES_(vf, __builtin_bit_cast(float, (n.lane[i] + 127) << 23))
}
HENCE_TIER_MATH vi set1_int(std::int32_t x) { HENCE_SCALAR_LANES_(vi, x) }
HENCE_TIER_MATH vi add(const vi& a, const vi& b) { HENCE_SCALAR_LANES_(vi, a.lane[i] + b.lane[i]) }
HENCE_TIER_MATH void store_int(std::int32_t* p, const vi& v) { __builtin_memcpy(p, v.lane, sizeof v.lane); }
HENCE_TIER_MATH void store_int8(std::int8_t* p, const vi& v) {
    for (int i = 0; i < 16; ++i) p[i] = static_cast<std::int8_t>(v.lane[i]);
}

// Sums the lanes by halves: i + (i + 8), then 4, 2, 1 apart. The same tree in every tier.
HENCE_NOINLINE inline float sum_lanes(const vf& v) {
    float a[16];
    store(a, v);
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) a[i] += a[i + width];
    return a[0];
}
HENCE_NOINLINE inline float max_lanes(const vf& v) {
    float a[16];
    store(a, v);
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) a[i] = a[i] > a[i + width] ? a[i] : a[i + width];
    return a[0];
}

HENCE_TIER_MATH vb load_bytes(const std::uint8_t* p) {
    vb v;
    __builtin_memcpy(v.lane, p, sizeof v.lane);
    return v;
}
HENCE_TIER_MATH void store_bytes(std::uint8_t* p, const vb& v) { __builtin_memcpy(p, v.lane, sizeof v.lane); }
// Each byte shifted left (right where negative), and what the mask keeps of it.
HENCE_TIER_MATH vb shift_and(const vb& a, int left, int mask) {
    vb v;
    for (int i = 0; i < 64; ++i)
        v.lane[i] = static_cast<std::uint8_t>((left > 0 ? a.lane[i] << left : a.lane[i] >> -left) & mask);
    return v;
}
HENCE_TIER_MATH vb bit_or(const vb& a, const vb& b) {
    vb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = a.lane[i] | b.lane[i];
    return v;
}
HENCE_TIER_MATH vb look_up(const vb& a, const std::uint8_t* table) {
    vb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = table[a.lane[i]];
    return v;
}

// 32-bit lanes that hold pairs of 16-bit numbers.
HENCE_ALWAYS_INLINE std::int32_t pair_of(std::int32_t first, std::int32_t second) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(first & 0xffff) | static_cast<std::uint32_t>(second) << 16);
}
HENCE_ALWAYS_INLINE std::int32_t first_of(std::int32_t pair) { return static_cast<std::int16_t>(pair & 0xffff); }
HENCE_ALWAYS_INLINE std::int32_t second_of(std::int32_t pair) { return pair >> 16; }
HENCE_TIER_MATH vi zero_int() { return set1_int(0); }
HENCE_TIER_MATH vi load_int(const std::int32_t* p) { HENCE_SCALAR_LANES_(vi, p[i]) }
HENCE_TIER_MATH vi set1_pair(std::int32_t x) { return set1_int(pair_of(x, x)); }
HENCE_TIER_MATH vi widen(const std::int8_t* p) { HENCE_SCALAR_LANES_(vi, p[i]) }
HENCE_TIER_MATH vi widen_pairs(const std::int8_t* p) { HENCE_SCALAR_LANES_(vi, pair_of(p[2 * i], p[2 * i + 1])) }
HENCE_TIER_MATH vi pair_bits(const vi& a, int right, int mask) {
    HENCE_SCALAR_LANES_(vi, pair_of((first_of(a.lane[i]) >> right) & mask, (second_of(a.lane[i]) >> right) & mask))
}
HENCE_TIER_MATH vi multiply_pairs(const vi& a, int factor) {
    HENCE_SCALAR_LANES_(vi, pair_of(first_of(a.lane[i]) * factor, second_of(a.lane[i]) * factor))
}
// The sum of both products in each lane.
HENCE_TIER_MATH vi pair_dot(const vi& a, const block_sum* sums) {
    HENCE_SCALAR_LANES_(vi, first_of(a.lane[i]) * sums->first + second_of(a.lane[i]) * sums->second)
}
HENCE_TIER_MATH vi multiply_int(const vi& a, const vi& b) { HENCE_SCALAR_LANES_(vi, a.lane[i] * b.lane[i]) }
HENCE_TIER_MATH vi first_of_pairs(const vi& a) { HENCE_SCALAR_LANES_(vi, first_of(a.lane[i])) }
HENCE_TIER_MATH vi second_of_pairs(const vi& a) { HENCE_SCALAR_LANES_(vi, second_of(a.lane[i])) }

HENCE_ALWAYS_INLINE vq broadcast_four(const std::int8_t* a) { return a; }

#include "../generic/quant_sums.inl.hpp"
#include "../generic/repeated_sums.inl.hpp"

inline constexpr bool many_registers = false;
inline constexpr std::int32_t byte_bias = 128;
HENCE_TIER_MATH vi dot_byte(const vi& acc, const vb& w, vq a) {
    HENCE_SCALAR_LANES_(vi, acc.lane[i] + w.lane[4 * i] * a[0] + w.lane[4 * i + 1] * a[1] + w.lane[4 * i + 2] * a[2] +
                                w.lane[4 * i + 3] * a[3])
}
HENCE_TIER_MATH vi dot_nibble(const vi& acc, const vb& w, vq a) { return dot_byte(acc, w, a); }
#include "../generic/small_sums.inl.hpp"

#undef HENCE_SCALAR_LANES_

#include "sparse_plain.inl.hpp"
