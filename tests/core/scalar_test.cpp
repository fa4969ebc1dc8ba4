// f16 and bf16 conversions: every half, and floats around every rounding decision, against the arithmetic of IEEE 754
// in double and against the processor's own instructions.
#include <hence/core/scalar.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#if HENCE_X86
#include <immintrin.h>
#endif

using hence::bf16;
using hence::f16;

namespace {

// The value that a format with `bits` fraction bits and smallest normal exponent `lowest` rounds x to: to the nearest
// multiple of its quantum, ties to even; infinite from `overflow` on.
double rounded(double x, int bits, int lowest, double overflow) {
    if (std::fabs(x) >= overflow) return std::copysign(std::numeric_limits<double>::infinity(), x);
    if (x == 0) return x;
    const double quantum = std::ldexp(1.0, std::max(std::ilogb(x), lowest) - bits);
    return std::rint(x / quantum) * quantum;  // both exact: a power of two
}

bool same(double a, double b) {
    return a == b && std::signbit(a) == std::signbit(b);
}

// Upper halves in full, lower halves where roundings change: every exponent, sign and leading fraction is met.
template <class F>
void each_float(F&& visit) {
    constexpr std::uint32_t lower[] = {0x0000, 0x0001, 0x0fff, 0x1000, 0x1001, 0x1fff, 0x2000,
                                       0x3000, 0x7fff, 0x8000, 0x8001, 0xcafe, 0xf000, 0xffff};
    for (std::uint32_t upper = 0; upper < 0x10000u; ++upper)
        for (const std::uint32_t low : lower) visit(std::bit_cast<float>((upper << 16) | low));
}

#if HENCE_X86
bool machine_converts() {
    return __builtin_cpu_supports("avx2");
}  // no processor has it without F16C
__attribute__((target("f16c"))) float machine_to_float(std::uint16_t half) {
    return _cvtsh_ss(half);
}
__attribute__((target("f16c"))) std::uint16_t machine_to_half(float value) {
    return static_cast<std::uint16_t>(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT)));
}
#elif HENCE_ARM
bool machine_converts() {
    return true;
}
float machine_to_float(std::uint16_t half) {
    return static_cast<float>(std::bit_cast<__fp16>(half));
}
std::uint16_t machine_to_half(float value) {
    return std::bit_cast<std::uint16_t>(static_cast<__fp16>(value));
}
#else
bool machine_converts() {
    return false;
}
float machine_to_float(std::uint16_t) {
    return 0;
}
std::uint16_t machine_to_half(float) {
    return 0;
}
#endif

}  // namespace

TEST_CASE("f16: each of the 65536 halves has the value that its fields say, and converts back to itself") {
    for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
        const f16 half{static_cast<std::uint16_t>(bits)};
        const float value = hence::to_float(half);
        const int exponent = static_cast<int>((bits >> 10) & 31u);
        const double fraction = static_cast<double>(bits & 0x3ffu) / 1024.0;
        const double sign = (bits & 0x8000u) != 0 ? -1.0 : 1.0;
        INFO("half " << bits);
        if (exponent == 31 && fraction != 0) {
            REQUIRE(std::isnan(value));
            REQUIRE(std::signbit(value) == (sign < 0));
            REQUIRE(hence::to_f16(value).bits == (bits | 0x200u));  // quiet, payload kept
            continue;
        }
        const double wanted = exponent == 31  ? sign * std::numeric_limits<double>::infinity()
                              : exponent == 0 ? sign * std::ldexp(fraction, -14)
                                              : sign * std::ldexp(1.0 + fraction, exponent - 15);
        REQUIRE(same(double{value}, wanted));
        REQUIRE(hence::to_f16(value) == half);
    }
}

TEST_CASE("f16: floats round to nearest even, overflow to infinity, underflow to zero of their sign") {
    std::uint64_t wrong = 0;
    each_float([&](float x) {
        if (std::isnan(x)) {
            const f16 half = hence::to_f16(x);
            wrong += !std::isnan(hence::to_float(half)) || (half.bits & 0x200u) == 0;
        } else {
            wrong += !same(double{hence::to_float(hence::to_f16(x))}, rounded(double{x}, 10, -14, 65520.0));
        }
    });
    CHECK(wrong == 0);
    CHECK(hence::to_f16(65504.0f).bits == 0x7bff);
    CHECK(hence::to_f16(65519.996f).bits == 0x7bff);
    CHECK(hence::to_f16(65520.0f).bits == 0x7c00);
    CHECK(hence::to_f16(0x1.0p-24f).bits == 1);
    CHECK(hence::to_f16(0x1.0p-25f).bits == 0);  // a tie, to even
    CHECK(hence::to_f16(0x1.000002p-25f).bits == 1);
    CHECK(hence::to_f16(-0.0f).bits == 0x8000);
    static_assert(hence::to_f16(1.0f).bits == 0x3c00 && hence::to_float(f16{0xc000}) == -2.0f);
}

TEST_CASE("f16: both directions equal the processor's instructions") {
    if (!machine_converts()) {
        WARN("skipped: this processor has no half-precision conversion to compare with");
        return;
    }
    std::uint64_t wrong = 0;
    for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
        const f16 half{static_cast<std::uint16_t>(bits)};
        if (!std::isnan(hence::to_float(half))) wrong += hence::to_float(half) != machine_to_float(half.bits);
    }
    each_float([&](float x) { wrong += hence::to_f16(x).bits != machine_to_half(x); });
    for (std::uint64_t pattern = 0; pattern <= 0xffffffffu; pattern += 2053) {
        const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(pattern));
        wrong += hence::to_f16(x).bits != machine_to_half(x);
    }
    CHECK(wrong == 0);
}

TEST_CASE("bf16: each of the 65536 values is the upper half of a float, and converts back to itself") {
    for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
        const float value = hence::to_float(bf16{static_cast<std::uint16_t>(bits)});
        REQUIRE(std::bit_cast<std::uint32_t>(value) == bits << 16);
        const std::uint32_t quiet = std::isnan(value) ? 0x40u : 0u;
        REQUIRE(hence::to_bf16(value).bits == (bits | quiet));
    }
}

TEST_CASE("bf16: floats round to nearest even and NaN never becomes infinity") {
    std::uint64_t wrong = 0;
    each_float([&](float x) {
        const float back = hence::to_float(hence::to_bf16(x));
        if (std::isnan(x))
            wrong += !std::isnan(back);
        else if (std::isinf(x))
            wrong += back != x;
        else
            wrong += !same(double{back}, rounded(double{x}, 7, -126, 0x1.ffp127));
    });
    CHECK(wrong == 0);
    CHECK(hence::to_bf16(std::bit_cast<float>(0x7f7fffffu)).bits == 0x7f80);  // the largest float is nearer to infinity
    CHECK(hence::to_bf16(1.00390625f).bits == 0x3f80);                        // a tie, to even
    CHECK(hence::to_bf16(1.01171875f).bits == 0x3f82);                        // a tie, to even
    CHECK(std::isnan(hence::to_float(hence::to_bf16(std::bit_cast<float>(0x7f800001u)))));
    static_assert(hence::to_bf16(-1.5f).bits == 0xbfc0);
}
