// f16 and bf16: storage types of two bytes with exact conversions to and from float.
//
// They carry no arithmetic: kernels widen to float. Conversions round to nearest even, as IEEE 754 and
// the x86 and Arm instructions do, so that scalar and vector tiers agree bit for bit.
#ifndef HENCE_CORE_SCALAR_HPP
#define HENCE_CORE_SCALAR_HPP

#include "../config.hpp"

#include <bit>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// IEEE 754 binary16, stored.
struct f16 {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(f16, f16) = default;
};

/// bfloat16: the upper half of a float, stored.
struct bf16 {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(bf16, bf16) = default;
};

/// @shape scalar
/// @errors none; NaN stays NaN, infinities stay
/// @source IEEE 754-2019
[[nodiscard]] constexpr float to_float(f16 h) noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(h.bits & 0x8000u) << 16;
    const std::uint32_t exponent = (h.bits >> 10) & 0x1fu;
    std::uint32_t mantissa = h.bits & 0x3ffu;
    if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
    if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
    if (mantissa == 0) return std::bit_cast<float>(sign);
    const auto shift = static_cast<std::uint32_t>(std::countl_zero(mantissa)) - 21u;  // subnormal: normalise
    mantissa = (mantissa << shift) & 0x3ffu;
    return std::bit_cast<float>(sign | ((113u - shift) << 23) | (mantissa << 13));
}

/// @shape scalar
/// @errors none; overflow gives infinity
/// @source IEEE 754-2019, round to nearest even
[[nodiscard]] constexpr f16 to_f16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return f16{static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu))};
    if (magnitude >= 0x47800000u) return f16{static_cast<std::uint16_t>(sign | 0x7c00u)};
    if (magnitude < 0x33000000u) return f16{sign};
    std::uint32_t half;
    std::uint32_t rest;
    std::uint32_t halfway;
    if (magnitude < 0x38800000u) {  // subnormal half: shift the full mantissa into place
        const std::uint32_t shift = 126u - (magnitude >> 23);
        const std::uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
        half = mantissa >> shift;
        rest = mantissa & ((1u << shift) - 1u);
        halfway = 1u << (shift - 1u);
    } else {
        half = (magnitude - 0x38000000u) >> 13;
        rest = magnitude & 0x1fffu;
        halfway = 0x1000u;
    }
    if (rest > halfway || (rest == halfway && (half & 1u))) ++half;
    return f16{static_cast<std::uint16_t>(sign | half)};
}

/// @shape scalar
/// @errors none
/// @source none
[[nodiscard]] constexpr float to_float(bf16 b) noexcept {
    return std::bit_cast<float>(static_cast<std::uint32_t>(b.bits) << 16);
}

/// @shape scalar
/// @errors none; NaN stays a quiet NaN
/// @source none; round to nearest even
[[nodiscard]] constexpr bf16 to_bf16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return bf16{static_cast<std::uint16_t>((bits >> 16) | 0x40u)};
    return bf16{static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

[[nodiscard]] constexpr float to_float(float value) noexcept { return value; }

HENCE_NAMESPACE_END

#endif
