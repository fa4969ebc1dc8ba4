// Small operations on a token's text that several tokenizers share.
#ifndef HENCE_TEXT_DETAIL_TOKEN_TEXT_HPP
#define HENCE_TEXT_DETAIL_TOKEN_TEXT_HPP

#include "../unicode.hpp"
#include "../vocabulary.hpp"

#include <cstddef>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

inline token_type type_of(const vocabulary& v, std::size_t id) noexcept {
    return v.types.empty() ? token_type::normal : static_cast<token_type>(v.types[id]);
}

/// The byte that a token such as <0x0A> stands for, or -1.
inline int byte_of_token(std::string_view token) noexcept {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                      : -1;
    };
    if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
    const int high = digit(token[3]);
    const int low = digit(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// \w of Rust's regular expressions, which the `Whitespace` step and tokens that are single words use.
inline bool is_word_character(const code_point& c) {
    const category k = general_category(c.value);
    return c.valid && (is_letter(k) || is_mark(k) || k == category::nd || k == category::nl || k == category::pc ||
                       c.value == 0x200C || c.value == 0x200D || (c.value >= 0x24B6 && c.value <= 0x24E9));
}

inline std::string replaced(std::string_view text, std::string_view find, std::string_view put) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t found = find.empty() ? std::string_view::npos : text.find(find, at);
        out.append(text.substr(at, found - at));
        if (found == std::string_view::npos) break;
        out.append(put);
        at = found + find.size();
    }
    return out;
}

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
