// quote: text from an untrusted file, made safe to put into a message.
//
// A file's strings may hold escape sequences that a terminal obeys, bytes that are no text, or a gigabyte.
// Everything that prints such a string goes through here. Full Unicode handling is text/unicode.hpp.
#ifndef HENCE_CORE_QUOTE_HPP
#define HENCE_CORE_QUOTE_HPP

#include "../config.hpp"

#include <cstddef>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// The length of the UTF-8 character that begins `text`, or 0 when there is none: overlong forms,
/// surrogates, values above U+10FFFF and cut sequences are not characters.
/// @shape  none
/// @units  bytes
/// @errors none
/// @source RFC 3629
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

/// Whether all of `text` is UTF-8.
/// @shape  none
/// @errors none
/// @source RFC 3629
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Appends text that is safe to print: control characters and bytes that are not UTF-8 as \xNN. What is longer
/// than about `limit` bytes is cut, and its full length stated.
/// @shape  none
/// @errors none
/// @source none
void append_printable(std::string& out, std::string_view text, std::size_t limit = std::string_view::npos);

/// `text` as append_printable writes it, in single quotes.
/// @shape  none
/// @errors none
/// @source none
[[nodiscard]] std::string quote(std::string_view text, std::size_t limit = 60);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/quote.inl.hpp"
#endif

#endif
