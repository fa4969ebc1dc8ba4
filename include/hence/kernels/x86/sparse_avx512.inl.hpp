// What the sparse products need beside vec_avx512.inl.hpp: bytes of each row's own choice of activations.

using sb = vb;  // 64 bytes: 16 rows of 4
using si = vi;
inline constexpr int sparse_tokens = 4;

HENCE_ALWAYS_INLINE sb load_sparse(const std::uint8_t* p) {
    return load_bytes(p);
}
HENCE_ALWAYS_INLINE vf sums(si a) {
    return to_float(a);
}
HENCE_ALWAYS_INLINE sb repeat_four(const std::int8_t* a) {
    return broadcast_four(a);
}
HENCE_ALWAYS_INLINE sb repeat_eight(const std::int8_t* a) {
    std::int64_t eight;
    __builtin_memcpy(&eight, a, 8);
    return _mm512_set1_epi64(eight);
}
// Places of vector V: two bits each; bytes 2 and 3 of a row look four columns further.
template <int V>
HENCE_ALWAYS_INLINE sb places_of_two_bits(sb p) {
    return _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi16(p, 2 * V), _mm512_set1_epi8(3)),
                           _mm512_set1_epi32(0x04040000));
}
template <int Half>
HENCE_ALWAYS_INLINE sb nibbles(sb v) {
    if constexpr (Half == 0)
        return shift_and(v, 0, 15);
    else
        return shift_and(v, -4, 15);
}
HENCE_ALWAYS_INLINE sb minus_eight(sb v) {
    return _mm512_sub_epi8(v, _mm512_set1_epi8(8));
}
// Of eight repeated bytes, those at the given places.
HENCE_ALWAYS_INLINE sb choose(sb x, sb places) {
    return _mm512_shuffle_epi8(x, places);
}
// Of 32 bytes. A shuffle gives 0 where a place's top bit is set: each half of the bytes answers for its own places.
HENCE_ALWAYS_INLINE sb choose_of_32(const std::int8_t* a, sb places) {
    const vb first = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)));
    const vb second = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + 16)));
    return _mm512_or_si512(_mm512_shuffle_epi8(first, _mm512_add_epi8(places, _mm512_set1_epi8(0x70))),
                           _mm512_shuffle_epi8(second, _mm512_sub_epi8(places, _mm512_set1_epi8(16))));
}
// acc[r] += sum over 4 of w[r][i] * x[r][i], both signed: the weight's sign moves to the activation.
// 2 * 128 * 127 = 32512 < 32768, what vpmaddubsw may hold.
HENCE_ALWAYS_INLINE si dot_chosen(si acc, sb w, sb x) {
    const sb turned = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x);
#if HENCE_TIER_VNNI
    return _mm512_dpbusd_epi32(acc, _mm512_abs_epi8(w), turned);
#else
    const vi pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(w), turned);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
#endif
}
// 16 words of places, two bits each, and those that follow.
HENCE_ALWAYS_INLINE si load_places(const std::byte* p) {
    return _mm512_loadu_si512(p);
}
HENCE_ALWAYS_INLINE si next_places(si p) {
    return _mm512_srli_epi32(p, 2);
}
// Of four floats, those at the first places. The shuffle looks at two bits of a word only.
HENCE_ALWAYS_INLINE vf choose_of_four(const float* x, si places) {
    return _mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(x)), places);
}
HENCE_ALWAYS_INLINE vf gather(const float* x, const std::uint16_t* at) {
    const __m512i places = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
    return _mm512_i32gather_ps(places, x, 4);
}
