// Vectors of the AVX-512 tiers: one register each. Included inside a target region and a tier's namespace.
// HENCE_TIER_VNNI is 1 where vpdpbusd exists.

using vf = __m512;
using vi = __m512i;
using vb = __m512i;  // 64 bytes: 16 rows of 4 columns
using vq = __m512i;  // 4 activations, repeated

HENCE_ALWAYS_INLINE vf load(const float* p) { return _mm512_loadu_ps(p); }
// For several multiply-adds: g++ would have each of them read the memory again.
HENCE_ALWAYS_INLINE vf load_once(const float* p) {
    vf v = load(p);
    HENCE_NO_CONTRACTION("v", v);
    return v;
}
HENCE_ALWAYS_INLINE void store(float* p, vf v) { _mm512_storeu_ps(p, v); }
HENCE_ALWAYS_INLINE vf load_n(const float* p, std::size_t n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), p);
}
HENCE_ALWAYS_INLINE void store_n(float* p, vf v, std::size_t n) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), v);
}
HENCE_ALWAYS_INLINE vf load_f16(const std::uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
HENCE_ALWAYS_INLINE void store_f16(std::uint16_t* p, vf v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
HENCE_ALWAYS_INLINE vf load_bf16(const std::uint16_t* p) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
// 16 pairs of bf16: the even and the odd columns.
HENCE_ALWAYS_INLINE void load_bf16_pair(const std::uint16_t* p, vf& even, vf& odd) {
    const vi pairs = _mm512_loadu_si512(p);
    even = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    odd = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
}
HENCE_ALWAYS_INLINE vf set1(float x) { return _mm512_set1_ps(x); }
HENCE_ALWAYS_INLINE vf zero() { return _mm512_setzero_ps(); }
HENCE_ALWAYS_INLINE vf fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
HENCE_ALWAYS_INLINE vf add(vf a, vf b) { return _mm512_add_ps(a, b); }
HENCE_ALWAYS_INLINE vf sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
HENCE_ALWAYS_INLINE vf mul(vf a, vf b) {
    vf v = _mm512_mul_ps(a, b);
    HENCE_NO_CONTRACTION("v", v);
    return v;
}
HENCE_ALWAYS_INLINE vf div(vf a, vf b) { return _mm512_div_ps(a, b); }
HENCE_ALWAYS_INLINE vf max(vf a, vf b) { return _mm512_max_ps(a, b); }
HENCE_ALWAYS_INLINE vf min(vf a, vf b) { return _mm512_min_ps(a, b); }
HENCE_ALWAYS_INLINE vf abs(vf a) { return _mm512_abs_ps(a); }
HENCE_ALWAYS_INLINE vf select_less(vf a, vf b, vf yes, vf no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
HENCE_ALWAYS_INLINE vi to_int(vf a) { return _mm512_cvtps_epi32(a); }
HENCE_ALWAYS_INLINE vf to_float(vi a) { return _mm512_cvtepi32_ps(a); }
HENCE_ALWAYS_INLINE vf power_of_two(vi n) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(127)), 23));
}
HENCE_ALWAYS_INLINE vi set1_int(std::int32_t x) { return _mm512_set1_epi32(x); }
HENCE_ALWAYS_INLINE vi add(vi a, vi b) { return _mm512_add_epi32(a, b); }
HENCE_ALWAYS_INLINE void store_int8(std::int8_t* p, vi v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
}
HENCE_ALWAYS_INLINE void store_int(std::int32_t* p, vi v) { _mm512_storeu_si512(p, v); }

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
HENCE_ALWAYS_INLINE float sum_lanes(vf v) { return sum_halves(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)); }
HENCE_ALWAYS_INLINE float max_lanes(vf v) { return max_halves(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)); }

HENCE_ALWAYS_INLINE vb load_bytes(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
HENCE_ALWAYS_INLINE void store_bytes(std::uint8_t* p, vb v) { _mm512_storeu_si512(p, v); }
// Each byte shifted left (right where negative), and what the mask keeps of it; no bit that it keeps may cross a byte.
HENCE_ALWAYS_INLINE vb shift_and(vb v, int left, int mask) {
    const vb moved = left > 0 ? _mm512_sll_epi16(v, _mm_cvtsi32_si128(left)) : _mm512_srl_epi16(v, _mm_cvtsi32_si128(-left));
    return _mm512_and_si512(moved, _mm512_set1_epi8(static_cast<char>(mask)));
}
HENCE_ALWAYS_INLINE vb bit_or(vb a, vb b) { return _mm512_or_si512(a, b); }
HENCE_ALWAYS_INLINE vb look_up(vb v, const std::uint8_t* table) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table))), v);
}

// 32-bit lanes that hold pairs of 16-bit numbers.
HENCE_ALWAYS_INLINE vi zero_int() { return _mm512_setzero_si512(); }
HENCE_ALWAYS_INLINE vi load_int(const std::int32_t* p) { return _mm512_loadu_si512(p); }
HENCE_ALWAYS_INLINE vi set1_pair(std::int32_t x) { return _mm512_set1_epi16(static_cast<short>(x)); }
HENCE_ALWAYS_INLINE vi widen(const std::int8_t* p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
HENCE_ALWAYS_INLINE vi widen_pairs(const std::int8_t* p) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
HENCE_ALWAYS_INLINE vi pair_bits(vi v, int right, int mask) {
    return _mm512_and_si512(_mm512_srl_epi16(v, _mm_cvtsi32_si128(right)), set1_pair(mask));
}
HENCE_ALWAYS_INLINE vi multiply_pairs(vi v, int factor) { return _mm512_mullo_epi16(v, set1_pair(factor)); }
// The sum of both products in each lane.
HENCE_ALWAYS_INLINE vi pair_dot(vi pairs, const block_sum* sums) {
    std::int32_t both;
    __builtin_memcpy(&both, sums, 4);
    return _mm512_madd_epi16(pairs, _mm512_set1_epi32(both));
}

HENCE_ALWAYS_INLINE vq broadcast_four(const std::int8_t* a) {
    std::int32_t four;
    __builtin_memcpy(&four, a, 4);
    return _mm512_set1_epi32(four);
}

#include "../generic/repeated_sums.inl.hpp"

inline constexpr bool many_registers = true;

#if HENCE_TIER_VNNI
inline constexpr std::int32_t byte_bias = 128;  // what dot_byte leaves in each weight
// acc[r] += sum over 4 columns of w[r][c] * a[c], w unsigned.
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq a) { return _mm512_dpbusd_epi32(acc, w, a); }
HENCE_ALWAYS_INLINE vi dot_nibble(vi acc, vb w, vq a) { return dot_byte(acc, w, a); }
HENCE_ALWAYS_INLINE vi multiply_int(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
HENCE_ALWAYS_INLINE vi first_of_pairs(vi v) { return _mm512_srai_epi32(_mm512_slli_epi32(v, 16), 16); }
HENCE_ALWAYS_INLINE vi second_of_pairs(vi v) { return _mm512_srai_epi32(v, 16); }
#include "../generic/small_sums.inl.hpp"
#else
inline constexpr std::int32_t byte_bias = 0;
// Small unsigned weights: vpmaddubsw's 16-bit pairs are summed for some groups before they are widened (see
// generic/matmul_blocks.inl.hpp for the bounds).
using small_sum = vb;
inline constexpr int small_steps = 4;
inline constexpr bool sums_start = false;
inline constexpr int half_steps = 2;
HENCE_ALWAYS_INLINE small_sum half_begin() { return zero_int(); }
HENCE_ALWAYS_INLINE small_sum small_begin(vi) { return zero_int(); }
HENCE_ALWAYS_INLINE small_sum small_add(small_sum sum, vb w, vq x) {
    return _mm512_add_epi16(sum, _mm512_maddubs_epi16(w, x));
}
HENCE_ALWAYS_INLINE vi half_end(vi dot, small_sum sum, vi scale) { return _mm512_add_epi32(dot, _mm512_madd_epi16(sum, scale)); }
HENCE_ALWAYS_INLINE vi small_end(vi dot, small_sum sum) { return half_end(dot, sum, set1_pair(1)); }
// A half's scale twice in each lane: its products with both 16-bit sums of a row.
HENCE_ALWAYS_INLINE void split_scales(vi pairs, vi& first, vi& second) {
    first = _mm512_mask_blend_epi16(0xaaaaaaaau, pairs, _mm512_slli_epi32(pairs, 16));
    second = _mm512_mask_blend_epi16(0x55555555u, pairs, _mm512_srli_epi32(pairs, 16));
}
// Full bytes would saturate as unsigned: take the bias off, move the weight's sign to the activation.
// 2 * 128 * 127 = 32512 < 32768.
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq x) {
    const vi s = _mm512_xor_si512(w, _mm512_set1_epi8(static_cast<char>(-128)));
    const vi signed_x = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(s), _mm512_setzero_si512(), x);
    const vi pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(s), signed_x);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
#endif

#include "sparse_avx512.inl.hpp"

// The sums of sixteen quants and sixteen more.
HENCE_ALWAYS_INLINE block_sum sums_of(vi a, vi b) {
    const __m512i ones = _mm512_set1_epi16(1);
    const __m512i pairs = _mm512_madd_epi16(_mm512_packs_epi32(a, b), ones);  // of each four lanes two of a, two of b
    const __m256i eight = _mm256_add_epi32(_mm512_castsi512_si256(pairs), _mm512_extracti64x4_epi64(pairs, 1));
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    const __m128i two = _mm_madd_epi16(_mm_packs_epi32(four, four), _mm512_castsi512_si128(ones));
    return {static_cast<std::int16_t>(_mm_cvtsi128_si32(two)), static_cast<std::int16_t>(_mm_extract_epi32(two, 1))};
}
