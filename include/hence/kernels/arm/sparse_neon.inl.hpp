// What the sparse products need beside vec_neon.inl.hpp: bytes of each row's own choice of activations.

using sb = vb;  // 64 bytes: 16 rows of 4
using si = vi;
inline constexpr int sparse_tokens = 2;

HENCE_ALWAYS_INLINE sb load_sparse(const std::uint8_t* p) {
    return load_bytes(p);
}
HENCE_ALWAYS_INLINE vf sums(si a) {
    return to_float(a);
}
HENCE_ALWAYS_INLINE sb repeat_four(const std::int8_t* a) {
    const uint8x16_t x = vreinterpretq_u8_s8(broadcast_four(a));
    return {x, x, x, x};
}
HENCE_ALWAYS_INLINE sb repeat_eight(const std::int8_t* a) {
    const uint8x8_t half = vreinterpret_u8_s8(vld1_s8(a));
    const uint8x16_t x = vcombine_u8(half, half);
    return {x, x, x, x};
}
// Places of vector V: two bits each; bytes 2 and 3 of a row look four columns further.
template <int V>
HENCE_ALWAYS_INLINE uint8x16_t places_of_two_bits(uint8x16_t p) {
    const uint8x16_t further = vreinterpretq_u8_u32(vdupq_n_u32(0x04040000u));
    if constexpr (V > 0) p = vshrq_n_u8(p, 2 * V);
    return vorrq_u8(vandq_u8(p, vdupq_n_u8(3)), further);
}
template <int V>
HENCE_ALWAYS_INLINE sb places_of_two_bits(sb p) {
    return {places_of_two_bits<V>(p.q0), places_of_two_bits<V>(p.q1), places_of_two_bits<V>(p.q2),
            places_of_two_bits<V>(p.q3)};
}
template <int Half>
HENCE_ALWAYS_INLINE sb nibbles(sb v) {
    if constexpr (Half == 0)
        return shift_and(v, 0, 15);
    else
        return shift_and(v, -4, 15);
}
HENCE_ALWAYS_INLINE sb minus_eight(sb v) {
    const uint8x16_t eight = vdupq_n_u8(8);
    return {vsubq_u8(v.q0, eight), vsubq_u8(v.q1, eight), vsubq_u8(v.q2, eight), vsubq_u8(v.q3, eight)};
}
// Of eight repeated bytes, those at the given places.
HENCE_ALWAYS_INLINE sb choose(sb x, sb places) {
    return {vqtbl1q_u8(x.q0, places.q0), vqtbl1q_u8(x.q1, places.q1), vqtbl1q_u8(x.q2, places.q2),
            vqtbl1q_u8(x.q3, places.q3)};
}
HENCE_ALWAYS_INLINE sb choose_of_32(const std::int8_t* a, sb places) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(a);
    const uint8x16x2_t x = {{vld1q_u8(bytes), vld1q_u8(bytes + 16)}};
    return {vqtbl2q_u8(x, places.q0), vqtbl2q_u8(x, places.q1), vqtbl2q_u8(x, places.q2), vqtbl2q_u8(x, places.q3)};
}
// acc[r] += sum over 4 of w[r][i] * x[r][i], both signed.
HENCE_ALWAYS_INLINE int32x4_t dot_chosen_quarter(int32x4_t acc, uint8x16_t weights, uint8x16_t chosen) {
    const int8x16_t w = vreinterpretq_s8_u8(weights);
    const int8x16_t x = vreinterpretq_s8_u8(chosen);
#if HENCE_TIER_DOT == HENCE_NEON_WIDEN  // the 16-bit sums of two products stay within 2 * 128 * 127 = 32512
    const int16x8_t rows01 = vmull_s8(vget_low_s8(w), vget_low_s8(x));
    const int16x8_t rows23 = vmull_high_s8(w, x);
    return vpadalq_s16(acc, vpaddq_s16(rows01, rows23));
#else
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(w), "w"(x));
    return acc;
#endif
}
HENCE_ALWAYS_INLINE si dot_chosen(si acc, sb w, sb x) {
    return {dot_chosen_quarter(acc.q0, w.q0, x.q0), dot_chosen_quarter(acc.q1, w.q1, x.q1),
            dot_chosen_quarter(acc.q2, w.q2, x.q2), dot_chosen_quarter(acc.q3, w.q3, x.q3)};
}
// 16 words of places, two bits each, and those that follow.
HENCE_ALWAYS_INLINE si load_places(const std::byte* p) {
    const auto* const words = reinterpret_cast<const std::int32_t*>(p);
    return {vld1q_s32(words), vld1q_s32(words + 4), vld1q_s32(words + 8), vld1q_s32(words + 12)};
}
HENCE_ALWAYS_INLINE int32x4_t next_places(int32x4_t p) {
    return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(p), 2));
}
HENCE_ALWAYS_INLINE si next_places(si p) {
    return {next_places(p.q0), next_places(p.q1), next_places(p.q2), next_places(p.q3)};
}
// Of four floats, those at the first places: a table of bytes, so that place n becomes 4 n, 4 n + 1, 4 n + 2, 4 n + 3.
HENCE_ALWAYS_INLINE float32x4_t choose_of_four(uint8x16_t four, int32x4_t places) {
    const uint32x4_t place = vandq_u32(vreinterpretq_u32_s32(places), vdupq_n_u32(3));
    const uint32x4_t bytes = vmlaq_n_u32(vdupq_n_u32(0x03020100u), place, 0x04040404u);
    return vreinterpretq_f32_u8(vqtbl1q_u8(four, vreinterpretq_u8_u32(bytes)));
}
HENCE_ALWAYS_INLINE vf choose_of_four(const float* x, si places) {
    const uint8x16_t four = vreinterpretq_u8_f32(vld1q_f32(x));
    return {choose_of_four(four, places.q0), choose_of_four(four, places.q1), choose_of_four(four, places.q2),
            choose_of_four(four, places.q3)};
}
HENCE_ALWAYS_INLINE vf gather(const float* x, const std::uint16_t* at) {
    float buffer[16];
    for (int i = 0; i < 16; ++i) buffer[i] = x[at[i]];
    return load(buffer);
}
