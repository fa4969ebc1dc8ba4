// Vectors of the AVX2 tiers: two registers each. Included inside a target region and a tier's namespace.
// HENCE_TIER_VNNI is 1 where the VEX form of vpdpbusd exists.

struct vf { __m256 lo, hi; };
struct vi { __m256i lo, hi; };
struct vb { __m256i lo, hi; };  // 64 bytes: 16 rows of 4 columns
using vq = __m256i;             // 4 activations, repeated

HENCE_ALWAYS_INLINE vf load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
// For several multiply-adds: g++ would have each of them read the memory again.
HENCE_ALWAYS_INLINE vf load_once(const float* p) {
    __m256 lo = _mm256_loadu_ps(p);
    __m256 hi = _mm256_loadu_ps(p + 8);
    HENCE_NO_CONTRACTION("x", lo);
    HENCE_NO_CONTRACTION("x", hi);
    return {lo, hi};
}
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
HENCE_ALWAYS_INLINE vf load_bf16(const std::uint16_t* p) {
    const __m256i lo = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i hi = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8)));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(lo, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(hi, 16))};
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
HENCE_ALWAYS_INLINE void store_bytes(std::uint8_t* p, vb v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v.lo);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 32), v.hi);
}
HENCE_ALWAYS_INLINE __m256i shift_and(__m256i v, int left, int mask) {
    const __m256i moved = left > 0 ? _mm256_slli_epi16(v, left) : _mm256_srl_epi16(v, _mm_cvtsi32_si128(-left));
    return _mm256_and_si256(moved, _mm256_set1_epi8(static_cast<char>(mask)));
}
// Each byte shifted left (right where negative), and what the mask keeps of it; no bit that it keeps may cross a byte.
HENCE_ALWAYS_INLINE vb shift_and(vb v, int left, int mask) { return {shift_and(v.lo, left, mask), shift_and(v.hi, left, mask)}; }
HENCE_ALWAYS_INLINE vb bit_or(vb a, vb b) { return {_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE vb look_up(vb v, const std::uint8_t* table) {
    const __m256i levels = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
    return {_mm256_shuffle_epi8(levels, v.lo), _mm256_shuffle_epi8(levels, v.hi)};
}

// 32-bit lanes that hold pairs of 16-bit numbers.
HENCE_ALWAYS_INLINE vi zero_int() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
HENCE_ALWAYS_INLINE vi load_int(const std::int32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
}
HENCE_ALWAYS_INLINE vi set1_pair(std::int32_t x) {
    const __m256i v = _mm256_set1_epi16(static_cast<short>(x));
    return {v, v};
}
HENCE_ALWAYS_INLINE vi widen(const std::int8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes))};
}
HENCE_ALWAYS_INLINE vi widen_pairs(const std::int8_t* p) {
    return {_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16)))};
}
HENCE_ALWAYS_INLINE vi pair_bits(vi v, int right, int mask) {
    const __m256i kept = _mm256_set1_epi16(static_cast<short>(mask));
    return {_mm256_and_si256(_mm256_srli_epi16(v.lo, right), kept), _mm256_and_si256(_mm256_srli_epi16(v.hi, right), kept)};
}
HENCE_ALWAYS_INLINE vi multiply_pairs(vi v, int factor) {
    const __m256i x = _mm256_set1_epi16(static_cast<short>(factor));
    return {_mm256_mullo_epi16(v.lo, x), _mm256_mullo_epi16(v.hi, x)};
}
// The sum of both products in each lane.
HENCE_ALWAYS_INLINE vi pair_dot(vi pairs, const block_sum* sums) {
    std::int32_t both;
    __builtin_memcpy(&both, sums, 4);
    const __m256i x = _mm256_set1_epi32(both);
    return {_mm256_madd_epi16(pairs.lo, x), _mm256_madd_epi16(pairs.hi, x)};
}

// The same, twice the same number in each lane; and a float times the sum of both.
HENCE_ALWAYS_INLINE __m256i pair_products(std::int32_t x, const block_sum* sums) {
    std::int32_t both;
    __builtin_memcpy(&both, sums, 4);
    return _mm256_madd_epi16(_mm256_set1_epi16(static_cast<short>(x)), _mm256_set1_epi32(both));
}
HENCE_ALWAYS_INLINE vi repeated_pair_dot(std::int32_t x, const block_sum* sums) {
    const __m256i v = pair_products(x, sums);
    return {v, v};
}
HENCE_ALWAYS_INLINE vf repeated_sum(float x, const block_sum* sums) {
    const __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(pair_products(1, sums)), _mm256_set1_ps(x));
    return {v, v};
}

HENCE_ALWAYS_INLINE vq broadcast_four(const std::int8_t* a) {
    std::int32_t four;
    __builtin_memcpy(&four, a, 4);
    return _mm256_set1_epi32(four);
}

inline constexpr bool many_registers = false;

#if HENCE_TIER_VNNI
inline constexpr std::int32_t byte_bias = 128;
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq x) {
    return {_mm256_dpbusd_avx_epi32(acc.lo, w.lo, x), _mm256_dpbusd_avx_epi32(acc.hi, w.hi, x)};
}
HENCE_ALWAYS_INLINE vi dot_nibble(vi acc, vb w, vq x) { return dot_byte(acc, w, x); }
HENCE_ALWAYS_INLINE vi multiply_int(vi a, vi b) { return {_mm256_mullo_epi32(a.lo, b.lo), _mm256_mullo_epi32(a.hi, b.hi)}; }
HENCE_ALWAYS_INLINE vi second_of_pairs(vi v) { return {_mm256_srai_epi32(v.lo, 16), _mm256_srai_epi32(v.hi, 16)}; }
HENCE_ALWAYS_INLINE vi first_of_pairs(vi v) {
    return second_of_pairs({_mm256_slli_epi32(v.lo, 16), _mm256_slli_epi32(v.hi, 16)});
}
#include "../generic/small_sums.inl.hpp"
#else
inline constexpr std::int32_t byte_bias = 0;
// Small unsigned weights: vpmaddubsw's 16-bit pairs are summed for some groups before they are widened (see
// generic/matmul_blocks.inl.hpp for the bounds).
using small_sum = vb;
inline constexpr int small_steps = 4;
inline constexpr bool sums_start = false;
inline constexpr int half_steps = 2;
HENCE_ALWAYS_INLINE small_sum half_begin() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
HENCE_ALWAYS_INLINE small_sum small_begin(vi) { return half_begin(); }
HENCE_ALWAYS_INLINE small_sum small_add(small_sum sum, vb w, vq x) {
    sum.lo = _mm256_add_epi16(sum.lo, _mm256_maddubs_epi16(w.lo, x));
    HENCE_NO_CONTRACTION("x", sum.lo);  // g++ would add all products in pairs first, and keep them in memory until then
    sum.hi = _mm256_add_epi16(sum.hi, _mm256_maddubs_epi16(w.hi, x));
    HENCE_NO_CONTRACTION("x", sum.hi);
    return sum;
}
HENCE_ALWAYS_INLINE vi half_end(vi dot, small_sum sum, vi scale) {
    return {_mm256_add_epi32(dot.lo, _mm256_madd_epi16(sum.lo, scale.lo)),
            _mm256_add_epi32(dot.hi, _mm256_madd_epi16(sum.hi, scale.hi))};
}
HENCE_ALWAYS_INLINE vi small_end(vi dot, small_sum sum) { return half_end(dot, sum, set1_pair(1)); }
// A half's scale twice in each lane: its products with both 16-bit sums of a row.
HENCE_ALWAYS_INLINE __m256i first_twice(__m256i v) {
    return _mm256_blend_epi16(v, _mm256_slli_epi32(v, 16), 0xaa);
}
HENCE_ALWAYS_INLINE __m256i second_twice(__m256i v) {
    return _mm256_blend_epi16(v, _mm256_srli_epi32(v, 16), 0x55);
}
HENCE_ALWAYS_INLINE void split_scales(vi pairs, vi& first, vi& second) {
    first = {first_twice(pairs.lo), first_twice(pairs.hi)};
    second = {second_twice(pairs.lo), second_twice(pairs.hi)};
}
// Full bytes would saturate as unsigned: take the bias off, move the weight's sign to the activation.
// 2 * 128 * 127 = 32512 < 32768.
HENCE_ALWAYS_INLINE __m256i dot_byte_half(__m256i acc, __m256i w, __m256i x) {
    const __m256i s = _mm256_xor_si256(w, _mm256_set1_epi8(static_cast<char>(-128)));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(s), _mm256_sign_epi8(x, s));
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    HENCE_NO_CONTRACTION("x", acc);
    return acc;
}
HENCE_ALWAYS_INLINE vi dot_byte(vi acc, vb w, vq x) {
    return {dot_byte_half(acc.lo, w.lo, x), dot_byte_half(acc.hi, w.hi, x)};
}
#endif

#include "sparse_avx2.inl.hpp"

// The sums of sixteen quants and sixteen more.
HENCE_ALWAYS_INLINE block_sum sums_of(vi a, vi b) {
    const __m256i ones = _mm256_set1_epi16(1);
    const __m256i words = _mm256_add_epi16(_mm256_packs_epi32(a.lo, b.lo), _mm256_packs_epi32(a.hi, b.hi));
    const __m256i pairs = _mm256_madd_epi16(words, ones);  // of each four lanes two of a, two of b
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
    const __m128i two = _mm_madd_epi16(_mm_packs_epi32(four, four), _mm256_castsi256_si128(ones));
    return {static_cast<std::int16_t>(_mm_cvtsi128_si32(two)), static_cast<std::int16_t>(_mm_extract_epi32(two, 1))};
}
