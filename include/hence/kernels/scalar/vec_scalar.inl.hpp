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
HENCE_TIER_MATH vb low_nibbles(const vb& a) {
    vb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = a.lane[i] & 15u;
    return v;
}
HENCE_TIER_MATH vb high_nibbles(const vb& a) {
    vb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = static_cast<std::uint8_t>(a.lane[i] >> 4);
    return v;
}

HENCE_ALWAYS_INLINE vq broadcast_four(const std::int8_t* a) { return a; }
// -(*x << Shift) in every lane.
template <int Shift>
vi minus_shifted(const std::int32_t* x) {
    return set1_int(-*x * (1 << Shift));
}

inline constexpr std::int32_t byte_bias = 128;
HENCE_TIER_MATH vi dot_byte(const vi& acc, const vb& w, vq a) {
    HENCE_SCALAR_LANES_(vi, acc.lane[i] + w.lane[4 * i] * a[0] + w.lane[4 * i + 1] * a[1] + w.lane[4 * i + 2] * a[2] +
                                w.lane[4 * i + 3] * a[3])
}
HENCE_TIER_MATH vi dot_nibble(const vi& acc, const vb& w, vq a) { return dot_byte(acc, w, a); }

#undef HENCE_SCALAR_LANES_

#include "sparse_plain.inl.hpp"
