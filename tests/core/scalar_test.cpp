// f16 and bf16 against the processor's own conversions, and against arithmetic where it has none.
#include <hence/core/scalar.hpp>

#include "support/catch.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#if HENCE_X86
#include <immintrin.h>
#endif

namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

#if HENCE_X86
bool machine_converts() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c"); }
__attribute__((target("f16c"))) float machine_to_float(std::uint16_t half) { return _cvtsh_ss(half); }
__attribute__((target("f16c"))) std::uint16_t machine_to_half(float value) {
    return static_cast<std::uint16_t>(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
}
#elif HENCE_ARM
bool machine_converts() { return true; }
float machine_to_float(std::uint16_t half) { return static_cast<float>(std::bit_cast<__fp16>(half)); }
std::uint16_t machine_to_half(float value) { return std::bit_cast<std::uint16_t>(static_cast<__fp16>(value)); }
#else
bool machine_converts() { return false; }
float machine_to_float(std::uint16_t) { return 0; }
std::uint16_t machine_to_half(float) { return 0; }
#endif

}  // namespace

TEST_CASE("every f16 widens to the value that the processor gives, and back to itself") {
    int wrong = 0;
    int changed = 0;
    for (std::uint32_t half = 0; half <= 0xffff; ++half) {
        const hence::f16 stored{static_cast<std::uint16_t>(half)};
        const float widened = hence::to_float(stored);
        const bool nan = std::isnan(widened);
        CHECK_FALSE(nan != ((half & 0x7fff) > 0x7c00));
        if (!nan) {
            changed += hence::to_f16(widened) == stored ? 0 : 1;
            if (machine_converts()) wrong += bits(widened) == bits(machine_to_float(stored.bits)) ? 0 : 1;
        } else {
            changed += std::isnan(hence::to_float(hence::to_f16(widened))) ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
    CHECK(changed == 0);
}

TEST_CASE("floats narrow to the f16 that the processor gives, ties and subnormals included") {
    if (!machine_converts()) {
        WARN("skipped: this processor has no half-precision conversion to compare with");
        return;
    }
    int wrong = 0;
    const auto compare = [&](std::uint32_t pattern) {
        const auto value = std::bit_cast<float>(pattern);
        if (std::isnan(value)) return;
        wrong += hence::to_f16(value).bits == machine_to_half(value) ? 0 : 1;
    };
    // A prime stride over all floats, then the neighbourhood of every f16 and of every tie between two.
    for (std::uint64_t pattern = 0; pattern <= 0xffffffffu; pattern += 2053) compare(static_cast<std::uint32_t>(pattern));
    for (std::uint32_t half = 0; half < 0x7c00; ++half) {
        const std::uint32_t below = bits(hence::to_float(hence::f16{static_cast<std::uint16_t>(half)}));
        const std::uint32_t above = bits(hence::to_float(hence::f16{static_cast<std::uint16_t>(half + 1)}));
        const std::uint32_t tie = half + 1 < 0x7c00 ? bits((std::bit_cast<float>(below) + std::bit_cast<float>(above)) / 2)
                                                    : bits(65520.0f);
        for (const std::uint32_t at : {below, tie}) {
            compare(at);
            compare(at + 1);
            if (at != 0) compare(at - 1);
            compare(at | 0x80000000u);
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("bf16 keeps the upper half and rounds to nearest even") {
    CHECK(hence::to_bf16(1.0f).bits == 0x3f80);
    CHECK(hence::to_bf16(std::bit_cast<float>(0x3f808000u)).bits == 0x3f80);  // a tie, down to even
    CHECK(hence::to_bf16(std::bit_cast<float>(0x3f818000u)).bits == 0x3f82);  // a tie, up to even
    CHECK(hence::to_bf16(std::bit_cast<float>(0x3f808001u)).bits == 0x3f81);
    CHECK(hence::to_bf16(std::numeric_limits<float>::max()).bits == 0x7f80);
    CHECK(hence::to_bf16(std::numeric_limits<float>::infinity()).bits == 0x7f80);
    CHECK(hence::to_bf16(-0.0f).bits == 0x8000);
    CHECK(std::isnan(hence::to_float(hence::to_bf16(std::bit_cast<float>(0x7f800001u)))));
    int changed = 0;
    for (std::uint32_t stored = 0; stored <= 0xffff; ++stored) {
        const hence::bf16 value{static_cast<std::uint16_t>(stored)};
        const float widened = hence::to_float(value);
        if (!std::isnan(widened)) changed += hence::to_bf16(widened) == value ? 0 : 1;
    }
    CHECK(changed == 0);
}
