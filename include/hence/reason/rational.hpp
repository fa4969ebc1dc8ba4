// rational: exact fractions of 64-bit integers, for answers that must not be compared as floats.
//
// Every operation says when the exact result does not fit instead of rounding or wrapping. Not for speed:
// checkers and canonical forms use it a few times an answer.
#ifndef HENCE_REASON_RATIONAL_HPP
#define HENCE_REASON_RATIONAL_HPP

#include "../config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// A fraction in lowest terms.
/// @invariant denominator > 0; gcd(|numerator|, denominator) == 1; neither is INT64_MIN. Values made by the
/// functions below keep it; make_rational() is how to make one from two integers.
struct rational {
    std::int64_t numerator = 0;
    std::int64_t denominator = 1;
    friend constexpr bool operator==(const rational&, const rational&) = default;

    [[nodiscard]] constexpr bool is_integer() const noexcept { return denominator == 1; }
};

/// The fraction n/d in lowest terms; nothing when d is 0 or a part does not fit.
/// @shape none
/// @errors nullopt, as said
/// @source none
[[nodiscard]] std::optional<rational> make_rational(std::int64_t n, std::int64_t d = 1);

/// Exact arithmetic; nothing when the result does not fit or a divisor is 0.
/// @shape none
/// @errors nullopt, as said
/// @source none
[[nodiscard]] std::optional<rational> add(rational a, rational b);
[[nodiscard]] std::optional<rational> subtract(rational a, rational b);
[[nodiscard]] std::optional<rational> multiply(rational a, rational b);
[[nodiscard]] std::optional<rational> divide(rational a, rational b);

/// Reads the whole of `text` as an integer, a decimal ("-0.50", ".5", "3.", "1.2e-3") or a fraction of
/// integers ("-3/6"). Exact: "0.1" is 1/10.
/// @shape none
/// @errors nullopt when the text is anything else or does not fit
/// @source none
[[nodiscard]] std::optional<rational> parse_rational(std::string_view text);

/// "42", "-1/2": the canonical spelling, one for each value.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string to_string(rational r);

/// The nearest double.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr double to_double(rational r) noexcept {
    return static_cast<double>(r.numerator) / static_cast<double>(r.denominator);
}

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/rational.inl.hpp"
#endif

#endif
