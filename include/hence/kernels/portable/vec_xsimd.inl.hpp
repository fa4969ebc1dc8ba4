// Vectors of the portable tier: as many xsimd batches as make sixteen floats, at the consumer's own flags.

using batch_f = xsimd::batch<float>;
using batch_i = xsimd::batch<std::int32_t>;
inline constexpr std::size_t batch_lanes = batch_f::size;
inline constexpr std::size_t batches = batch_lanes < 16 ? 16 / batch_lanes : 1;
static_assert(batches * batch_lanes == 16, "the portable tier handles vectors of 4, 8 or 16 floats");

struct vf { batch_f part[batches]; };
struct vi { batch_i part[batches]; };
struct vb { batch_i part[batches]; };  // 64 bytes: 16 rows of 4 columns, a row in an integer
using vq = const std::int8_t*;         // 4 activations

#define HENCE_XSIMD_PARTS_(result_type, expression)                        \
    result_type v;                                                          \
    for (std::size_t i = 0; i < batches; ++i) v.part[i] = (expression);     \
    return v;

HENCE_ALWAYS_INLINE vf load(const float* p) { HENCE_XSIMD_PARTS_(vf, batch_f::load_unaligned(p + i * batch_lanes)) }
HENCE_ALWAYS_INLINE vf load_once(const float* p) { return load(p); }
HENCE_ALWAYS_INLINE void store(float* p, const vf& v) {
    for (std::size_t i = 0; i < batches; ++i) v.part[i].store_unaligned(p + i * batch_lanes);
}
HENCE_ALWAYS_INLINE vf load_n(const float* p, std::size_t n) {
    float buffer[16] = {};
    __builtin_memcpy(buffer, p, n * sizeof(float));
    return load(buffer);
}
HENCE_ALWAYS_INLINE void store_n(float* p, const vf& v, std::size_t n) {
    float buffer[16];
    store(buffer, v);
    __builtin_memcpy(p, buffer, n * sizeof(float));
}
HENCE_ALWAYS_INLINE vf load_f16(const std::uint16_t* p) {
    float buffer[16];
    for (int i = 0; i < 16; ++i) buffer[i] = hence::to_float(f16{p[i]});
    return load(buffer);
}
HENCE_ALWAYS_INLINE void store_f16(std::uint16_t* p, const vf& v) {
    float buffer[16];
    store(buffer, v);
    for (int i = 0; i < 16; ++i) p[i] = hence::to_f16(buffer[i]).bits;
}
HENCE_ALWAYS_INLINE vf load_bf16(const std::uint16_t* p) {
    float buffer[16];
    for (int i = 0; i < 16; ++i) buffer[i] = hence::to_float(bf16{p[i]});
    return load(buffer);
}
HENCE_ALWAYS_INLINE void load_bf16_pair(const std::uint16_t* p, vf& even, vf& odd) {
    float buffer[2][16];
    for (int i = 0; i < 16; ++i) {
        buffer[0][i] = hence::to_float(bf16{p[2 * i]});
        buffer[1][i] = hence::to_float(bf16{p[2 * i + 1]});
    }
    even = load(buffer[0]);
    odd = load(buffer[1]);
}
HENCE_ALWAYS_INLINE vf set1(float x) { HENCE_XSIMD_PARTS_(vf, batch_f(x)) }
HENCE_ALWAYS_INLINE vf zero() { return set1(0.0f); }
HENCE_ALWAYS_INLINE vf fma(const vf& a, const vf& b, const vf& c) {
    HENCE_XSIMD_PARTS_(vf, xsimd::fma(a.part[i], b.part[i], c.part[i]))
}
HENCE_ALWAYS_INLINE vf add(const vf& a, const vf& b) { HENCE_XSIMD_PARTS_(vf, a.part[i] + b.part[i]) }
HENCE_ALWAYS_INLINE vf sub(const vf& a, const vf& b) { HENCE_XSIMD_PARTS_(vf, a.part[i] - b.part[i]) }
HENCE_ALWAYS_INLINE vf mul(const vf& a, const vf& b) { HENCE_XSIMD_PARTS_(vf, a.part[i] * b.part[i]) }
// Through memory: xsimd's division of floats is an approximation on Arm.
HENCE_ALWAYS_INLINE vf div(const vf& a, const vf& b) {
    float numerators[16];
    float denominators[16];
    store(numerators, a);
    store(denominators, b);
    for (int i = 0; i < 16; ++i) numerators[i] /= denominators[i];
    return load(numerators);
}
HENCE_ALWAYS_INLINE vf max(const vf& a, const vf& b) {
    HENCE_XSIMD_PARTS_(vf, xsimd::select(a.part[i] > b.part[i], a.part[i], b.part[i]))
}
HENCE_ALWAYS_INLINE vf min(const vf& a, const vf& b) {
    HENCE_XSIMD_PARTS_(vf, xsimd::select(a.part[i] < b.part[i], a.part[i], b.part[i]))
}
HENCE_ALWAYS_INLINE vf abs(const vf& a) { HENCE_XSIMD_PARTS_(vf, xsimd::abs(a.part[i])) }
HENCE_ALWAYS_INLINE vf select_less(const vf& a, const vf& b, const vf& yes, const vf& no) {
    HENCE_XSIMD_PARTS_(vf, xsimd::select(a.part[i] < b.part[i], yes.part[i], no.part[i]))
}
HENCE_ALWAYS_INLINE vi to_int(const vf& a) { HENCE_XSIMD_PARTS_(vi, xsimd::nearbyint_as_int(a.part[i])) }
HENCE_ALWAYS_INLINE vf to_float(const vi& a) { HENCE_XSIMD_PARTS_(vf, xsimd::to_float(a.part[i])) }
// Through memory: the name and form of xsimd's bit cast changed between its versions.
HENCE_ALWAYS_INLINE vf power_of_two(const vi& n) {
    std::int32_t bits[16];
    float values[16];
    for (std::size_t i = 0; i < batches; ++i) ((n.part[i] + batch_i(127)) << 23).store_unaligned(bits + i * batch_lanes);
    __builtin_memcpy(values, bits, sizeof values);
    return load(values);
}
HENCE_ALWAYS_INLINE vi set1_int(std::int32_t x) { HENCE_XSIMD_PARTS_(vi, batch_i(x)) }
HENCE_ALWAYS_INLINE vi add(const vi& a, const vi& b) { HENCE_XSIMD_PARTS_(vi, a.part[i] + b.part[i]) }
HENCE_ALWAYS_INLINE void store_int(std::int32_t* p, const vi& v) {
    for (std::size_t i = 0; i < batches; ++i) v.part[i].store_unaligned(p + i * batch_lanes);
}
HENCE_ALWAYS_INLINE void store_int8(std::int8_t* p, const vi& v) {
    std::int32_t buffer[16];
    store_int(buffer, v);
    for (int i = 0; i < 16; ++i) p[i] = static_cast<std::int8_t>(buffer[i]);
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
    std::int32_t buffer[16];
    __builtin_memcpy(buffer, p, sizeof buffer);
    HENCE_XSIMD_PARTS_(vb, batch_i::load_unaligned(buffer + i * batch_lanes))
}
HENCE_ALWAYS_INLINE void store_bytes(std::uint8_t* p, const vb& v) {
    std::int32_t buffer[16];
    for (std::size_t i = 0; i < batches; ++i) v.part[i].store_unaligned(buffer + i * batch_lanes);
    __builtin_memcpy(p, buffer, sizeof buffer);
}
// Each byte shifted left (right where negative), and what the mask keeps of it; no bit that it keeps may cross a byte.
HENCE_ALWAYS_INLINE vb shift_and(const vb& a, int left, int mask) {
    HENCE_XSIMD_PARTS_(vb, (left > 0 ? a.part[i] << left : a.part[i] >> -left) & batch_i(mask * 0x01010101))
}
HENCE_ALWAYS_INLINE vb bit_or(const vb& a, const vb& b) { HENCE_XSIMD_PARTS_(vb, a.part[i] | b.part[i]) }
HENCE_ALWAYS_INLINE vb look_up(const vb& a, const std::uint8_t* table) {
    std::uint8_t buffer[64];
    store_bytes(buffer, a);
    for (std::uint8_t& byte : buffer) byte = table[byte];
    return load_bytes(buffer);
}

// 32-bit lanes that hold pairs of 16-bit numbers.
HENCE_ALWAYS_INLINE vi zero_int() { return set1_int(0); }
HENCE_ALWAYS_INLINE vi load_int(const std::int32_t* p) {
    HENCE_XSIMD_PARTS_(vi, batch_i::load_unaligned(p + i * batch_lanes))
}
HENCE_ALWAYS_INLINE vi widen(const std::int8_t* p) {
    std::int32_t buffer[16];
    for (int i = 0; i < 16; ++i) buffer[i] = p[i];
    return load_int(buffer);
}
HENCE_ALWAYS_INLINE vi first_of_pairs(const vi& a) { HENCE_XSIMD_PARTS_(vi, (a.part[i] << 16) >> 16) }
HENCE_ALWAYS_INLINE vi second_of_pairs(const vi& a) { HENCE_XSIMD_PARTS_(vi, a.part[i] >> 16) }
HENCE_ALWAYS_INLINE vi make_pairs(const vi& first, const vi& second) {
    HENCE_XSIMD_PARTS_(vi, (first.part[i] & batch_i(0xffff)) | (second.part[i] << 16))
}
HENCE_ALWAYS_INLINE vi set1_pair(std::int32_t x) { return make_pairs(set1_int(x), set1_int(x)); }
HENCE_ALWAYS_INLINE vi widen_pairs(const std::int8_t* p) {
    std::int8_t halves[2][16];
    for (int i = 0; i < 32; ++i) halves[i % 2][i / 2] = p[i];
    return make_pairs(widen(halves[0]), widen(halves[1]));
}
HENCE_ALWAYS_INLINE vi pair_bits(const vi& a, int right, int mask) {
    HENCE_XSIMD_PARTS_(vi, (a.part[i] >> right) & batch_i(mask * 0x00010001))
}
HENCE_ALWAYS_INLINE vi multiply_int(const vi& a, const vi& b) { HENCE_XSIMD_PARTS_(vi, a.part[i] * b.part[i]) }
HENCE_ALWAYS_INLINE vi multiply_pairs(const vi& a, int factor) {
    const vi x = set1_int(factor);
    return make_pairs(multiply_int(first_of_pairs(a), x), multiply_int(second_of_pairs(a), x));
}
// The sum of both products in each lane.
HENCE_ALWAYS_INLINE vi pair_dot(const vi& a, const block_sum* sums) {
    return add(multiply_int(first_of_pairs(a), set1_int(sums->first)), multiply_int(second_of_pairs(a), set1_int(sums->second)));
}

HENCE_ALWAYS_INLINE vq broadcast_four(const std::int8_t* a) { return a; }

#include "../generic/quant_sums.inl.hpp"
#include "../generic/repeated_sums.inl.hpp"

inline constexpr bool many_registers = false;
inline constexpr std::int32_t byte_bias = 128;
HENCE_ALWAYS_INLINE vi dot_byte(const vi& acc, const vb& w, vq a) {
    const batch_i mask(0xff);
    HENCE_XSIMD_PARTS_(vi, acc.part[i] + (w.part[i] & mask) * batch_i(a[0]) + ((w.part[i] >> 8) & mask) * batch_i(a[1]) +
                               ((w.part[i] >> 16) & mask) * batch_i(a[2]) + ((w.part[i] >> 24) & mask) * batch_i(a[3]))
}
HENCE_ALWAYS_INLINE vi dot_nibble(const vi& acc, const vb& w, vq a) { return dot_byte(acc, w, a); }
#include "../generic/small_sums.inl.hpp"

#undef HENCE_XSIMD_PARTS_

#include "../scalar/sparse_plain.inl.hpp"
