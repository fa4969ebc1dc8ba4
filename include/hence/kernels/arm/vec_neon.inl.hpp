// Vectors of the NEON tiers: four registers each. Included inside a target region and a tier's namespace.
// HENCE_TIER_DOT says which integer dot product the tier has: widening multiplies, sdot or usdot.

struct vf { float32x4_t q0, q1, q2, q3; };
struct vi { int32x4_t q0, q1, q2, q3; };
struct vb { uint8x16_t q0, q1, q2, q3; };  // 64 bytes: 16 rows of 4 columns

HENCE_ALWAYS_INLINE vf load(const float* p) {
    return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}
HENCE_ALWAYS_INLINE vf load_once(const float* p) { return load(p); }
HENCE_ALWAYS_INLINE void store(float* p, vf v) {
    vst1q_f32(p, v.q0);
    vst1q_f32(p + 4, v.q1);
    vst1q_f32(p + 8, v.q2);
    vst1q_f32(p + 12, v.q3);
}
HENCE_ALWAYS_INLINE vf load_n(const float* p, std::size_t n) {
    float buffer[16] = {};
    __builtin_memcpy(buffer, p, n * sizeof(float));
    return load(buffer);
}
HENCE_ALWAYS_INLINE void store_n(float* p, vf v, std::size_t n) {
    float buffer[16];
    store(buffer, v);
    __builtin_memcpy(p, buffer, n * sizeof(float));
}
// Conversions between half and float are part of the baseline; arithmetic on halves is not.
HENCE_ALWAYS_INLINE vf load_f16(const std::uint16_t* p) {
    const uint16x8_t lo = vld1q_u16(p);
    const uint16x8_t hi = vld1q_u16(p + 8);
    return {vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(lo))), vcvt_f32_f16(vreinterpret_f16_u16(vget_high_u16(lo))),
            vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(hi))), vcvt_f32_f16(vreinterpret_f16_u16(vget_high_u16(hi)))};
}
HENCE_ALWAYS_INLINE void store_f16(std::uint16_t* p, vf v) {
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v.q0)));
    vst1_u16(p + 4, vreinterpret_u16_f16(vcvt_f16_f32(v.q1)));
    vst1_u16(p + 8, vreinterpret_u16_f16(vcvt_f16_f32(v.q2)));
    vst1_u16(p + 12, vreinterpret_u16_f16(vcvt_f16_f32(v.q3)));
}
HENCE_ALWAYS_INLINE float32x4_t even_half(uint32x4_t pairs) { return vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16)); }
HENCE_ALWAYS_INLINE float32x4_t odd_half(uint32x4_t pairs) {
    return vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000u)));
}
HENCE_ALWAYS_INLINE vf load_bf16(const std::uint16_t* p) {
    const uint16x8_t lo = vld1q_u16(p);
    const uint16x8_t hi = vld1q_u16(p + 8);
    return {even_half(vmovl_u16(vget_low_u16(lo))), even_half(vmovl_u16(vget_high_u16(lo))),
            even_half(vmovl_u16(vget_low_u16(hi))), even_half(vmovl_u16(vget_high_u16(hi)))};
}
// 16 pairs of bf16: the even and the odd columns.
HENCE_ALWAYS_INLINE void load_bf16_pair(const std::uint16_t* p, vf& even, vf& odd) {
    const uint32x4_t a = vreinterpretq_u32_u16(vld1q_u16(p));
    const uint32x4_t b = vreinterpretq_u32_u16(vld1q_u16(p + 8));
    const uint32x4_t c = vreinterpretq_u32_u16(vld1q_u16(p + 16));
    const uint32x4_t d = vreinterpretq_u32_u16(vld1q_u16(p + 24));
    even = {even_half(a), even_half(b), even_half(c), even_half(d)};
    odd = {odd_half(a), odd_half(b), odd_half(c), odd_half(d)};
}
HENCE_ALWAYS_INLINE vf set1(float x) {
    const float32x4_t q = vdupq_n_f32(x);
    return {q, q, q, q};
}
HENCE_ALWAYS_INLINE vf zero() { return set1(0.0f); }
HENCE_ALWAYS_INLINE vf fma(vf a, vf b, vf c) {
    return {vfmaq_f32(c.q0, a.q0, b.q0), vfmaq_f32(c.q1, a.q1, b.q1), vfmaq_f32(c.q2, a.q2, b.q2),
            vfmaq_f32(c.q3, a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE vf add(vf a, vf b) {
    return {vaddq_f32(a.q0, b.q0), vaddq_f32(a.q1, b.q1), vaddq_f32(a.q2, b.q2), vaddq_f32(a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE vf sub(vf a, vf b) {
    return {vsubq_f32(a.q0, b.q0), vsubq_f32(a.q1, b.q1), vsubq_f32(a.q2, b.q2), vsubq_f32(a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE vf mul(vf a, vf b) {
    vf v = {vmulq_f32(a.q0, b.q0), vmulq_f32(a.q1, b.q1), vmulq_f32(a.q2, b.q2), vmulq_f32(a.q3, b.q3)};
    HENCE_NO_CONTRACTION("w", v.q0);
    HENCE_NO_CONTRACTION("w", v.q1);
    HENCE_NO_CONTRACTION("w", v.q2);
    HENCE_NO_CONTRACTION("w", v.q3);
    return v;
}
HENCE_ALWAYS_INLINE vf div(vf a, vf b) {
    return {vdivq_f32(a.q0, b.q0), vdivq_f32(a.q1, b.q1), vdivq_f32(a.q2, b.q2), vdivq_f32(a.q3, b.q3)};
}
// As x86: the second operand where either is NaN. The instructions fmax and fmaxnm choose otherwise.
HENCE_ALWAYS_INLINE float32x4_t larger(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
HENCE_ALWAYS_INLINE float32x4_t smaller(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
HENCE_ALWAYS_INLINE vf max(vf a, vf b) {
    return {larger(a.q0, b.q0), larger(a.q1, b.q1), larger(a.q2, b.q2), larger(a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE vf min(vf a, vf b) {
    return {smaller(a.q0, b.q0), smaller(a.q1, b.q1), smaller(a.q2, b.q2), smaller(a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE vf abs(vf a) { return {vabsq_f32(a.q0), vabsq_f32(a.q1), vabsq_f32(a.q2), vabsq_f32(a.q3)}; }
HENCE_ALWAYS_INLINE vf select_less(vf a, vf b, vf yes, vf no) {
    return {vbslq_f32(vcltq_f32(a.q0, b.q0), yes.q0, no.q0), vbslq_f32(vcltq_f32(a.q1, b.q1), yes.q1, no.q1),
            vbslq_f32(vcltq_f32(a.q2, b.q2), yes.q2, no.q2), vbslq_f32(vcltq_f32(a.q3, b.q3), yes.q3, no.q3)};
}
HENCE_ALWAYS_INLINE vi to_int(vf a) {
    return {vcvtnq_s32_f32(a.q0), vcvtnq_s32_f32(a.q1), vcvtnq_s32_f32(a.q2), vcvtnq_s32_f32(a.q3)};
}
HENCE_ALWAYS_INLINE vf to_float(vi a) {
    return {vcvtq_f32_s32(a.q0), vcvtq_f32_s32(a.q1), vcvtq_f32_s32(a.q2), vcvtq_f32_s32(a.q3)};
}
HENCE_ALWAYS_INLINE float32x4_t two_to(int32x4_t n) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}
HENCE_ALWAYS_INLINE vf power_of_two(vi n) { return {two_to(n.q0), two_to(n.q1), two_to(n.q2), two_to(n.q3)}; }
HENCE_ALWAYS_INLINE vi set1_int(std::int32_t x) {
    const int32x4_t q = vdupq_n_s32(x);
    return {q, q, q, q};
}
HENCE_ALWAYS_INLINE vi add(vi a, vi b) {
    return {vaddq_s32(a.q0, b.q0), vaddq_s32(a.q1, b.q1), vaddq_s32(a.q2, b.q2), vaddq_s32(a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE void store_int(std::int32_t* p, vi v) {
    vst1q_s32(p, v.q0);
    vst1q_s32(p + 4, v.q1);
    vst1q_s32(p + 8, v.q2);
    vst1q_s32(p + 12, v.q3);
}
HENCE_ALWAYS_INLINE void store_int8(std::int8_t* p, vi v) {
    const int16x8_t lo = vcombine_s16(vmovn_s32(v.q0), vmovn_s32(v.q1));
    const int16x8_t hi = vcombine_s16(vmovn_s32(v.q2), vmovn_s32(v.q3));
    vst1q_s8(p, vcombine_s8(vmovn_s16(lo), vmovn_s16(hi)));
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

HENCE_ALWAYS_INLINE vb load_bytes(const std::uint8_t* p) {
    return {vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)};
}
HENCE_ALWAYS_INLINE void store_bytes(std::uint8_t* p, vb v) {
    vst1q_u8(p, v.q0);
    vst1q_u8(p + 16, v.q1);
    vst1q_u8(p + 32, v.q2);
    vst1q_u8(p + 48, v.q3);
}
HENCE_ALWAYS_INLINE uint8x16_t shift_and(uint8x16_t v, int left, int mask) {
    return vandq_u8(vshlq_u8(v, vdupq_n_s8(static_cast<std::int8_t>(left))), vdupq_n_u8(static_cast<std::uint8_t>(mask)));
}
// Each byte shifted left (right where negative), and what the mask keeps of it.
HENCE_ALWAYS_INLINE vb shift_and(vb v, int left, int mask) {
    return {shift_and(v.q0, left, mask), shift_and(v.q1, left, mask), shift_and(v.q2, left, mask), shift_and(v.q3, left, mask)};
}
HENCE_ALWAYS_INLINE vb bit_or(vb a, vb b) {
    return {vorrq_u8(a.q0, b.q0), vorrq_u8(a.q1, b.q1), vorrq_u8(a.q2, b.q2), vorrq_u8(a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE vb look_up(vb v, const std::uint8_t* table) {
    const uint8x16_t levels = vld1q_u8(table);
    return {vqtbl1q_u8(levels, v.q0), vqtbl1q_u8(levels, v.q1), vqtbl1q_u8(levels, v.q2), vqtbl1q_u8(levels, v.q3)};
}

// 32-bit lanes that hold pairs of 16-bit numbers.
HENCE_ALWAYS_INLINE vi zero_int() { return set1_int(0); }
HENCE_ALWAYS_INLINE vi load_int(const std::int32_t* p) {
    return {vld1q_s32(p), vld1q_s32(p + 4), vld1q_s32(p + 8), vld1q_s32(p + 12)};
}
HENCE_ALWAYS_INLINE vi set1_pair(std::int32_t x) {
    const int32x4_t q = vreinterpretq_s32_s16(vdupq_n_s16(static_cast<std::int16_t>(x)));
    return {q, q, q, q};
}
HENCE_ALWAYS_INLINE vi widen(const std::int8_t* p) {
    const int8x16_t bytes = vld1q_s8(p);
    const int16x8_t lo = vmovl_s8(vget_low_s8(bytes));
    const int16x8_t hi = vmovl_high_s8(bytes);
    return {vmovl_s16(vget_low_s16(lo)), vmovl_high_s16(lo), vmovl_s16(vget_low_s16(hi)), vmovl_high_s16(hi)};
}
HENCE_ALWAYS_INLINE vi widen_pairs(const std::int8_t* p) {
    return {vreinterpretq_s32_s16(vmovl_s8(vld1_s8(p))), vreinterpretq_s32_s16(vmovl_s8(vld1_s8(p + 8))),
            vreinterpretq_s32_s16(vmovl_s8(vld1_s8(p + 16))), vreinterpretq_s32_s16(vmovl_s8(vld1_s8(p + 24)))};
}
HENCE_ALWAYS_INLINE int32x4_t pair_bits(int32x4_t v, int right, int mask) {
    const int16x8_t moved = vshlq_s16(vreinterpretq_s16_s32(v), vdupq_n_s16(static_cast<std::int16_t>(-right)));
    return vreinterpretq_s32_s16(vandq_s16(moved, vdupq_n_s16(static_cast<std::int16_t>(mask))));
}
HENCE_ALWAYS_INLINE vi pair_bits(vi v, int right, int mask) {
    return {pair_bits(v.q0, right, mask), pair_bits(v.q1, right, mask), pair_bits(v.q2, right, mask), pair_bits(v.q3, right, mask)};
}
HENCE_ALWAYS_INLINE int32x4_t multiply_pairs(int32x4_t v, int factor) {
    return vreinterpretq_s32_s16(vmulq_n_s16(vreinterpretq_s16_s32(v), static_cast<std::int16_t>(factor)));
}
HENCE_ALWAYS_INLINE vi multiply_pairs(vi v, int factor) {
    return {multiply_pairs(v.q0, factor), multiply_pairs(v.q1, factor), multiply_pairs(v.q2, factor), multiply_pairs(v.q3, factor)};
}
HENCE_ALWAYS_INLINE vi multiply_int(vi a, vi b) {
    return {vmulq_s32(a.q0, b.q0), vmulq_s32(a.q1, b.q1), vmulq_s32(a.q2, b.q2), vmulq_s32(a.q3, b.q3)};
}
HENCE_ALWAYS_INLINE vi second_of_pairs(vi v) {
    return {vshrq_n_s32(v.q0, 16), vshrq_n_s32(v.q1, 16), vshrq_n_s32(v.q2, 16), vshrq_n_s32(v.q3, 16)};
}
HENCE_ALWAYS_INLINE vi first_of_pairs(vi v) {
    return second_of_pairs({vshlq_n_s32(v.q0, 16), vshlq_n_s32(v.q1, 16), vshlq_n_s32(v.q2, 16), vshlq_n_s32(v.q3, 16)});
}
// The sum of both products in each lane.
HENCE_ALWAYS_INLINE vi pair_dot(vi pairs, const block_sum* sums) {
    return add(multiply_int(first_of_pairs(pairs), set1_int(sums->first)),
               multiply_int(second_of_pairs(pairs), set1_int(sums->second)));
}

using vq = int8x16_t;  // 4 activations, repeated
HENCE_ALWAYS_INLINE vq broadcast_four(const std::int8_t* a) {
    std::int32_t four;
    __builtin_memcpy(&four, a, 4);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

#include "../generic/quant_sums.inl.hpp"
#include "../generic/repeated_sums.inl.hpp"

inline constexpr bool many_registers = true;

// The dot products are written as instructions: clang before 16 declares their intrinsics only where the whole file is
// compiled for them.
#if HENCE_TIER_DOT == HENCE_NEON_I8MM
HENCE_ALWAYS_INLINE int32x4_t dot_mixed(int32x4_t acc, uint8x16_t w, int8x16_t x) {
    __asm__("usdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(w), "w"(x));
    return acc;
}
inline constexpr std::int32_t byte_bias = 128;  // what dot_byte leaves in each weight
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq x) {
    return {dot_mixed(acc.q0, w.q0, x), dot_mixed(acc.q1, w.q1, x), dot_mixed(acc.q2, w.q2, x),
            dot_mixed(acc.q3, w.q3, x)};
}
HENCE_ALWAYS_INLINE vi dot_nibble(vi acc, vb w, vq x) { return dot_byte(acc, w, x); }
#else
inline constexpr std::int32_t byte_bias = 0;
HENCE_ALWAYS_INLINE int32x4_t dot_signed(int32x4_t acc, int8x16_t w, int8x16_t x) {
#if HENCE_TIER_DOT == HENCE_NEON_DOTPROD
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(w), "w"(x));
    return acc;
#else  // the 16-bit sums of two products stay within 2 * 128 * 127 = 32512
    const int16x8_t rows01 = vmull_s8(vget_low_s8(w), vget_low_s8(x));
    const int16x8_t rows23 = vmull_high_s8(w, x);
    return vpadalq_s16(acc, vpaddq_s16(rows01, rows23));
#endif
}
// Bytes below 128 are the same signed and unsigned.
HENCE_ALWAYS_INLINE vi dot_nibble(vi acc, vb w, vq x) {
    return {dot_signed(acc.q0, vreinterpretq_s8_u8(w.q0), x), dot_signed(acc.q1, vreinterpretq_s8_u8(w.q1), x),
            dot_signed(acc.q2, vreinterpretq_s8_u8(w.q2), x), dot_signed(acc.q3, vreinterpretq_s8_u8(w.q3), x)};
}
// There is no product of signed and unsigned bytes here: flipping the top bit takes the bias off.
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq x) {
    const uint8x16_t flip = vdupq_n_u8(0x80);
    return dot_nibble(acc, {veorq_u8(w.q0, flip), veorq_u8(w.q1, flip), veorq_u8(w.q2, flip), veorq_u8(w.q3, flip)}, x);
}
#endif
#include "../generic/small_sums.inl.hpp"

#include "sparse_neon.inl.hpp"
