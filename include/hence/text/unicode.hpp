// UTF-8, general categories, case and the normal forms: what tokenizers need to know about characters.
//
// The tables are generated (tools/generate_unicode.py) and name their Unicode version. Text is never assumed
// to be valid: a byte that belongs to no well-formed character is one code point of its own, of no category.
// It is not a general Unicode library: no scripts, no line breaking, no locales.
#ifndef HENCE_TEXT_UNICODE_HPP
#define HENCE_TEXT_UNICODE_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN
namespace text {

/// General categories in the order of the tables.
enum class category : std::uint8_t {
    cn, lu, ll, lt, lm, lo, mn, mc, me, nd, nl, no, pc, pd, ps, pe, pi, pf, po, sm, sc, sk, so, zs, zl, zp, cc, cf, cs, co
};

/// One decoded character: its value and the bytes it took; an ill-formed byte has value 0xFFFD and length 1.
struct code_point {
    char32_t value = 0;
    std::uint32_t length = 1;
    bool valid = true;
};

/// The normal forms of Unicode Standard Annex 15.
enum class normal_form : std::uint8_t { nfc, nfd, nfkc, nfkd };

/// Which version of Unicode the tables hold, such as "16.0.0".
/// @shape none
/// @errors none
/// @source The Unicode Consortium, UnicodeData.txt, through Python's unicodedata2
[[nodiscard]] std::string_view unicode_version() noexcept;

/// Reads the character at `position`, which must be inside the text.
/// @shape none
/// @errors none; overlong forms, surrogates and values above U+10FFFF are ill-formed bytes
/// @source RFC 3629
[[nodiscard]] code_point decode_utf8(std::string_view text, std::size_t position) noexcept;

/// Appends one character; values that are no Unicode scalar value become U+FFFD.
/// @shape none
/// @errors none
/// @source RFC 3629
void append_utf8(std::string& text, char32_t value);

/// Whether the whole text is well-formed UTF-8.
/// @shape none
/// @errors none
/// @source RFC 3629
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// How many bytes at the end of the text are the beginning of a character that more bytes could complete.
/// @shape none
/// @errors none
/// @source RFC 3629
[[nodiscard]] std::size_t incomplete_utf8_tail(std::string_view text) noexcept;

/// The text with what is ill-formed replaced by U+FFFD, one for each maximal beginning of a character.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

/// @shape none
/// @errors none; values above U+10FFFF are unassigned
/// @source UnicodeData.txt, field 2
[[nodiscard]] category general_category(char32_t value) noexcept;

/// Category L: a letter.
/// @shape none
/// @errors none
/// @source UnicodeData.txt
[[nodiscard]] inline bool is_letter(category c) noexcept { return c >= category::lu && c <= category::lo; }
/// Category M: a combining mark.
/// @shape none
/// @errors none
/// @source UnicodeData.txt
[[nodiscard]] inline bool is_mark(category c) noexcept { return c >= category::mn && c <= category::me; }
/// Category N: a number.
/// @shape none
/// @errors none
/// @source UnicodeData.txt
[[nodiscard]] inline bool is_number(category c) noexcept { return c >= category::nd && c <= category::no; }
/// Category P: punctuation.
/// @shape none
/// @errors none
/// @source UnicodeData.txt
[[nodiscard]] inline bool is_punctuation(category c) noexcept { return c >= category::pc && c <= category::po; }
/// Category S: a symbol.
/// @shape none
/// @errors none
/// @source UnicodeData.txt
[[nodiscard]] inline bool is_symbol(category c) noexcept { return c >= category::sm && c <= category::so; }

/// The White_Space property (\s of the published patterns).
/// @shape none
/// @errors none
/// @source PropList.txt
[[nodiscard]] inline bool is_whitespace(char32_t c) noexcept {
    if (c < 0x80) return c == U' ' || (c >= 9 && c <= 13);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

/// Lower case of a text, character by character (one character may become several; no context rules but the
/// final sigma is left as it is).
/// @shape none
/// @errors none; ill-formed bytes stay as they are
/// @source UnicodeData.txt and SpecialCasing.txt
[[nodiscard]] std::string to_lower(std::string_view text);

/// Upper case of a text, character by character (one character may become several).
/// @shape none
/// @errors none; ill-formed bytes stay as they are
/// @source UnicodeData.txt and SpecialCasing.txt
[[nodiscard]] std::string to_upper(std::string_view text);

/// A text in one of the normal forms.
/// @shape none
/// @errors none; ill-formed bytes stay as they are
/// @cost O(n log n)
/// @source Unicode Standard Annex 15
[[nodiscard]] std::string normalize(std::string_view text, normal_form form);

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/unicode.inl.hpp"
#endif

#endif
