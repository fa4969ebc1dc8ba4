// Small scanners over ASCII text that several headers of this room share.
#ifndef HENCE_REASON_DETAIL_TEXT_SCAN_HPP
#define HENCE_REASON_DETAIL_TEXT_SCAN_HPP

#include "../../config.hpp"

#include <cstddef>
#include <string_view>

HENCE_NAMESPACE_BEGIN

namespace detail {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr std::string_view trim(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n\f\v";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// The index of the '}' that closes the '{' at `open`, or npos; escaped braces do not count.
constexpr std::size_t matching_brace(std::string_view text, std::size_t open) {
    std::size_t depth = 0;
    for (std::size_t at = open; at < text.size(); ++at) {
        if (text[at] == '\\') ++at;
        else if (text[at] == '{') ++depth;
        else if (text[at] == '}' && --depth == 0) return at;
    }
    return std::string_view::npos;
}

/// Whether exactly three digits stand at `at`.
constexpr bool group_of_three(std::string_view text, std::size_t at) {
    if (at + 3 > text.size()) return false;
    for (std::size_t i = at; i < at + 3; ++i)
        if (!is_digit(text[i])) return false;
    return at + 3 == text.size() || !is_digit(text[at + 3]);
}

/// The last place where `what` (lower case) stands in `text`, letter case ignored, or npos.
constexpr std::size_t rfind_ignoring_case(std::string_view text, std::string_view what) {
    if (what.size() > text.size()) return std::string_view::npos;
    for (std::size_t at = text.size() - what.size() + 1; at-- > 0;) {
        std::size_t i = 0;
        while (i < what.size() && lower(text[at + i]) == lower(what[i])) ++i;
        if (i == what.size()) return at;
    }
    return std::string_view::npos;
}

}  // namespace detail

HENCE_NAMESPACE_END

#endif
