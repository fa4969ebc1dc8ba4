// Vectors of the AVX2 tiers: two registers each. Included inside a target region and a tier's namespace.
// HENCE_TIER_VNNI is 1 where the VEX form of vpdpbusd exists.

struct vf { __m256 lo, hi; };
struct vi { __m256i lo, hi; };
struct vb { __m256i lo, hi; };  // 64 bytes: 16 rows of 4 columns
using vq = __m256i;             // 4 activations, repeated

HENCE_ALWAYS_INLINE vf load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
HENCE_ALWAYS_INLINE void store(float* p, vf v) {
    _mm256_storeu_ps(p, v.lo);
    _mm256_storeu_ps(p + 8, v.hi);
}
HENCE_ALWAYS_INLINE vf load_n(const float* p, std::size_t n) {
    alignas(32) float buffer[16] = {};
    __builtin_memcpy(buffer, p, n * sizeof(float));
    return load(buffer);
}
HENCE_ALWAYS_INLINE void store_n(float* p, vf v, std::size_t n) {
    alignas(32) float buffer[16];
    store(buffer, v);
    __builtin_memcpy(p, buffer, n * sizeof(float));
}
HENCE_ALWAYS_INLINE vf load_f16(const std::uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
            _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8)))};
}
HENCE_ALWAYS_INLINE void store_f16(std::uint16_t* p, vf v) {
    constexpr int rounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v.lo, rounding));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 8), _mm256_cvtps_ph(v.hi, rounding));
}
HENCE_ALWAYS_INLINE void load_bf16_pair(const std::uint16_t* p, vf& even, vf& odd) {
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
    const __m256i lo = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i hi = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 16));
    even = {_mm256_castsi256_ps(_mm256_slli_epi32(lo, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(hi, 16))};
    odd = {_mm256_castsi256_ps(_mm256_and_si256(lo, mask)), _mm256_castsi256_ps(_mm256_and_si256(hi, mask))};
}
HENCE_ALWAYS_INLINE vf set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
HENCE_ALWAYS_INLINE vf zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
HENCE_ALWAYS_INLINE vf fma(vf a, vf b, vf c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
HENCE_ALWAYS_INLINE vf add(vf a, vf b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE vf sub(vf a, vf b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE vf mul(vf a, vf b) {
    vf v = {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
    HENCE_NO_CONTRACTION("x", v.lo);
    HENCE_NO_CONTRACTION("x", v.hi);
    return v;
}
HENCE_ALWAYS_INLINE vf div(vf a, vf b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE vf max(vf a, vf b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE vf min(vf a, vf b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE vf abs(vf a) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return {_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
}
HENCE_ALWAYS_INLINE vf select_less(vf a, vf b, vf yes, vf no) {
    return {_mm256_blendv_ps(no.lo, yes.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ)),
            _mm256_blendv_ps(no.hi, yes.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ))};
}
HENCE_ALWAYS_INLINE vi to_int(vf a) { return {_mm256_cvtps_epi32(a.lo), _mm256_cvtps_epi32(a.hi)}; }
HENCE_ALWAYS_INLINE vf to_float(vi a) { return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)}; }
HENCE_ALWAYS_INLINE vf power_of_two(vi n) {
    const __m256i bias = _mm256_set1_epi32(127);
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n.lo, bias), 23)),
            _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n.hi, bias), 23))};
}
HENCE_ALWAYS_INLINE vi set1_int(std::int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
HENCE_ALWAYS_INLINE vi add(vi a, vi b) { return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE void store_int(std::int32_t* p, vi v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v.lo);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), v.hi);
}
HENCE_ALWAYS_INLINE void store_int8(std::int8_t* p, vi v) {
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(v.lo, v.hi), 0xd8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

// Sums the lanes by halves: i + (i + 8), then 4, 2, 1 apart. The same tree in every tier.
HENCE_ALWAYS_INLINE float sum_halves(__m256 lo, __m256 hi) {
    const __m256 eight = _mm256_add_ps(lo, hi);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
HENCE_ALWAYS_INLINE float max_halves(__m256 lo, __m256 hi) {
    const __m256 eight = _mm256_max_ps(lo, hi);
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}
HENCE_ALWAYS_INLINE float sum_lanes(vf v) { return sum_halves(v.lo, v.hi); }
HENCE_ALWAYS_INLINE float max_lanes(vf v) { return max_halves(v.lo, v.hi); }

HENCE_ALWAYS_INLINE vb load_bytes(const std::uint8_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))};
}
HENCE_ALWAYS_INLINE vb low_nibbles(vb v) {
    const __m256i mask = _mm256_set1_epi8(15);
    return {_mm256_and_si256(v.lo, mask), _mm256_and_si256(v.hi, mask)};
}
HENCE_ALWAYS_INLINE vb high_nibbles(vb v) {
    const __m256i mask = _mm256_set1_epi8(15);
    return {_mm256_and_si256(_mm256_srli_epi16(v.lo, 4), mask), _mm256_and_si256(_mm256_srli_epi16(v.hi, 4), mask)};
}

HENCE_ALWAYS_INLINE vq broadcast_four(const std::int8_t* a) {
    std::int32_t four;
    __builtin_memcpy(&four, a, 4);
    return _mm256_set1_epi32(four);
}
// -(*x << Shift) in every lane.
template <int Shift>
HENCE_ALWAYS_INLINE vi minus_shifted(const std::int32_t* x) {
    const __m256i v = _mm256_slli_epi32(_mm256_sub_epi32(_mm256_setzero_si256(), _mm256_set1_epi32(*x)), Shift);
    return {v, v};
}

#if HENCE_TIER_VNNI
inline constexpr std::int32_t byte_bias = 128;
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq x) {
    return {_mm256_dpbusd_avx_epi32(acc.lo, w.lo, x), _mm256_dpbusd_avx_epi32(acc.hi, w.hi, x)};
}
HENCE_ALWAYS_INLINE vi dot_nibble(vi acc, vb w, vq x) { return dot_byte(acc, w, x); }
#else
inline constexpr std::int32_t byte_bias = 0;
// Unsigned w (0..127): vpmaddubsw's 16-bit sums stay below 2 * 127 * 127 = 32258.
HENCE_ALWAYS_INLINE vi dot_nibble(vi acc, vb w, vq x) {
    const __m256i ones = _mm256_set1_epi16(1);
    return {_mm256_add_epi32(acc.lo, _mm256_madd_epi16(_mm256_maddubs_epi16(w.lo, x), ones)),
            _mm256_add_epi32(acc.hi, _mm256_madd_epi16(_mm256_maddubs_epi16(w.hi, x), ones))};
}
// Full bytes would saturate as unsigned: take the bias off, move the weight's sign to the activation.
// 2 * 128 * 127 = 32512 < 32768.
HENCE_ALWAYS_INLINE __m256i dot_byte_half(__m256i acc, __m256i w, __m256i x) {
    const __m256i s = _mm256_xor_si256(w, _mm256_set1_epi8(static_cast<char>(-128)));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(s), _mm256_sign_epi8(x, s));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq x) {
    return {dot_byte_half(acc.lo, w.lo, x), dot_byte_half(acc.hi, w.hi, x)};
}
#endif

#include "sparse_avx2.inl.hpp"
