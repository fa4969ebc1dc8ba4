// What the sparse products need beside vec_avx2.inl.hpp: bytes of each row's own choice of activations.

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
    const __m256i x = broadcast_four(a);
    return {x, x};
}
HENCE_ALWAYS_INLINE sb repeat_eight(const std::int8_t* a) {
    std::int64_t eight;
    __builtin_memcpy(&eight, a, 8);
    const __m256i x = _mm256_set1_epi64x(eight);
    return {x, x};
}
// Places of vector V: two bits each; bytes 2 and 3 of a row look four columns further.
template <int V>
HENCE_ALWAYS_INLINE sb places_of_two_bits(sb p) {
    const __m256i mask = _mm256_set1_epi8(3);
    const __m256i further = _mm256_set1_epi32(0x04040000);
    return {_mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(p.lo, 2 * V), mask), further),
            _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(p.hi, 2 * V), mask), further)};
}
template <int Half>
HENCE_ALWAYS_INLINE sb nibbles(sb v) {
    if constexpr (Half == 0)
        return shift_and(v, 0, 15);
    else
        return shift_and(v, -4, 15);
}
HENCE_ALWAYS_INLINE sb minus_eight(sb v) {
    const __m256i eight = _mm256_set1_epi8(8);
    return {_mm256_sub_epi8(v.lo, eight), _mm256_sub_epi8(v.hi, eight)};
}
// Of eight repeated bytes, those at the given places.
HENCE_ALWAYS_INLINE sb choose(sb x, sb places) {
    return {_mm256_shuffle_epi8(x.lo, places.lo), _mm256_shuffle_epi8(x.hi, places.hi)};
}
// Of 32 bytes. A shuffle gives 0 where a place's top bit is set: each half of the bytes answers for its own places.
HENCE_ALWAYS_INLINE __m256i choose_of_32_half(__m256i first, __m256i second, __m256i places) {
    return _mm256_or_si256(_mm256_shuffle_epi8(first, _mm256_add_epi8(places, _mm256_set1_epi8(0x70))),
                           _mm256_shuffle_epi8(second, _mm256_sub_epi8(places, _mm256_set1_epi8(16))));
}
HENCE_ALWAYS_INLINE sb choose_of_32(const std::int8_t* a, sb places) {
    const __m256i first = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)));
    const __m256i second = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + 16)));
    return {choose_of_32_half(first, second, places.lo), choose_of_32_half(first, second, places.hi)};
}
// acc[r] += sum over 4 of w[r][i] * x[r][i], both signed: the weight's sign moves to the activation.
// 2 * 128 * 127 = 32512 < 32768, what vpmaddubsw may hold.
HENCE_ALWAYS_INLINE __m256i dot_chosen_half(__m256i acc, __m256i w, __m256i x) {
#if HENCE_TIER_VNNI
    return _mm256_dpbusd_avx_epi32(acc, _mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
#else
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    HENCE_NO_CONTRACTION("x", acc);  // g++ would add products in pairs first, and keep them in memory until then
    return acc;
#endif
}
HENCE_ALWAYS_INLINE si dot_chosen(si acc, sb w, sb x) {
    return {dot_chosen_half(acc.lo, w.lo, x.lo), dot_chosen_half(acc.hi, w.hi, x.hi)};
}
// 16 words of places, two bits each, and those that follow.
HENCE_ALWAYS_INLINE si load_places(const std::byte* p) {
    const auto* const words = reinterpret_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(words), _mm256_loadu_si256(words + 1)};
}
HENCE_ALWAYS_INLINE si next_places(si p) {
    return {_mm256_srli_epi32(p.lo, 2), _mm256_srli_epi32(p.hi, 2)};
}
// Of four floats, those at the first places. The shuffle looks at two bits of a word only.
HENCE_ALWAYS_INLINE vf choose_of_four(const float* x, si places) {
    const __m256 four = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(x));
    return {_mm256_permutevar_ps(four, places.lo), _mm256_permutevar_ps(four, places.hi)};
}
HENCE_ALWAYS_INLINE vf gather(const float* x, const std::uint16_t* at) {
    const __m256i lo = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    const __m256i hi = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 8)));
    return {_mm256_i32gather_ps(x, lo, 4), _mm256_i32gather_ps(x, hi, 4)};
}
