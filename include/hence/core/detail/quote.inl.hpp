// Definitions of core/quote.hpp.
#ifndef HENCE_CORE_DETAIL_QUOTE_INL_HPP
#define HENCE_CORE_DETAIL_QUOTE_INL_HPP

#include "../quote.hpp"

HENCE_NAMESPACE_BEGIN

HENCE_INLINE std::size_t utf8_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const unsigned second = byte(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f))
        return 0;
    return length;
}

HENCE_INLINE bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

HENCE_INLINE void append_printable(std::string& out, std::string_view text, std::size_t limit) {
    static constexpr char digits[] = "0123456789abcdef";
    const std::size_t whole = text.size();
    while (!text.empty() && whole - text.size() < limit) {
        const std::size_t length = utf8_length(text);
        const auto first = static_cast<unsigned char>(text[0]);
        if (length == 1 && first == '\n') {
            out += "\\n";
        } else if (length == 0 || first < 0x20 || first == 0x7f) {
            out += {'\\', 'x', digits[first >> 4], digits[first & 15]};
        } else if (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
            // C1 controls, which some terminals obey.
            const auto second = static_cast<unsigned char>(text[1]);
            out += {'\\', 'x', 'c', '2', '\\', 'x', digits[second >> 4], digits[second & 15]};
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    if (!text.empty()) out += "... (" + std::to_string(whole) + " bytes)";
}

HENCE_INLINE std::string quote(std::string_view text, std::size_t limit) {
    std::string out = "'";
    append_printable(out, text, limit);
    return out += '\'';
}

HENCE_NAMESPACE_END

#endif
