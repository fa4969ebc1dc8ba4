// Definitions of reason/rational.hpp.
#ifndef HENCE_REASON_DETAIL_RATIONAL_INL_HPP
#define HENCE_REASON_DETAIL_RATIONAL_INL_HPP

#include "../../core/text.hpp"
#include "../rational.hpp"
#include "text_scan.hpp"

#include <limits>
#include <numeric>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE std::optional<rational> make_rational(std::int64_t n, std::int64_t d) {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
    if (d == 0 || n == lowest || d == lowest) return std::nullopt;
    const std::int64_t common = std::gcd(n, d);
    n /= common;
    d /= common;
    return d < 0 ? rational{-n, -d} : rational{n, d};
}

HENCE_INLINE std::optional<rational> add(rational a, rational b) {
    // Over the least common denominator, so that sums of small fractions do not overflow needlessly.
    const std::int64_t common = std::gcd(a.denominator, b.denominator);
    std::int64_t left = 0;
    std::int64_t right = 0;
    std::int64_t sum = 0;
    std::int64_t bottom = 0;
    if (__builtin_mul_overflow(a.numerator, b.denominator / common, &left) ||
        __builtin_mul_overflow(b.numerator, a.denominator / common, &right) ||
        __builtin_add_overflow(left, right, &sum) ||
        __builtin_mul_overflow(a.denominator, b.denominator / common, &bottom))
        return std::nullopt;
    return make_rational(sum, bottom);
}

HENCE_INLINE std::optional<rational> subtract(rational a, rational b) {
    return add(a, rational{-b.numerator, b.denominator});
}

HENCE_INLINE std::optional<rational> multiply(rational a, rational b) {
    // Cancelling crosswise first leaves a product in lowest terms.
    const std::int64_t c = std::gcd(a.numerator, b.denominator);
    const std::int64_t d = std::gcd(b.numerator, a.denominator);
    std::int64_t top = 0;
    std::int64_t bottom = 0;
    if (__builtin_mul_overflow(a.numerator / c, b.numerator / d, &top) ||
        __builtin_mul_overflow(a.denominator / d, b.denominator / c, &bottom))
        return std::nullopt;
    return make_rational(top, bottom);
}

HENCE_INLINE std::optional<rational> divide(rational a, rational b) {
    if (b.numerator == 0) return std::nullopt;
    const rational inverse = b.numerator < 0 ? rational{-b.denominator, -b.numerator}
                                             : rational{b.denominator, b.numerator};
    return multiply(a, inverse);
}

namespace detail {

/// Appends one decimal digit; false when it does not fit.
inline bool push_digit(std::int64_t& value, char digit) {
    return !__builtin_mul_overflow(value, 10, &value) && !__builtin_add_overflow(value, digit - '0', &value);
}

}  // namespace detail

HENCE_INLINE std::optional<rational> parse_rational(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        const auto top = parse_rational(text.substr(0, slash));
        const auto bottom = parse_rational(text.substr(slash + 1));
        const bool whole = top && bottom && text.find('/', slash + 1) == std::string_view::npos;
        if (!whole) return std::nullopt;
        return divide(*top, *bottom);
    }
    std::size_t at = 0;
    bool negative = false;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
    std::int64_t value = 0;
    std::int64_t scale = 1;
    std::size_t digits = 0;
    for (; at < text.size() && detail::is_digit(text[at]); ++at, ++digits)
        if (!detail::push_digit(value, text[at])) return std::nullopt;
    if (at < text.size() && text[at] == '.') {
        ++at;
        // Trailing zeros say nothing and would only make long decimals overflow.
        std::size_t end = at;
        while (end < text.size() && detail::is_digit(text[end])) ++end;
        std::size_t last = end;
        while (last > at && text[last - 1] == '0') --last;
        for (std::size_t i = at; i < last; ++i)
            if (!detail::push_digit(value, text[i]) || __builtin_mul_overflow(scale, 10, &scale))
                return std::nullopt;
        digits += end - at;
        at = end;
    }
    if (digits == 0) return std::nullopt;
    std::optional<rational> number = make_rational(negative ? -value : value, scale);
    if (number && at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        bool down = false;
        if (at < text.size() && (text[at] == '-' || text[at] == '+')) down = text[at++] == '-';
        int exponent = 0;
        const std::size_t first = at;
        for (; at < text.size() && detail::is_digit(text[at]); ++at)
            if ((exponent = exponent * 10 + (text[at] - '0')) > 18) return std::nullopt;
        if (at == first) return std::nullopt;
        for (int i = 0; i < exponent && number; ++i)
            number = down ? divide(*number, rational{10, 1}) : multiply(*number, rational{10, 1});
    }
    return at == text.size() ? number : std::nullopt;
}

HENCE_INLINE std::string to_string(rational r) {
    std::string text = decimal(r.numerator);
    if (r.denominator != 1) text += concat({"/", r.denominator});
    return text;
}

HENCE_NAMESPACE_END

#endif
