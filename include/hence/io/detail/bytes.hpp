// Reading untrusted bytes: a cursor that cannot leave its span, text that cannot harm a terminal, and the
// list in which a loader collects everything that is wrong.
#ifndef HENCE_IO_DETAIL_BYTES_HPP
#define HENCE_IO_DETAIL_BYTES_HPP

#include "../../core/result.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

namespace detail {

static_assert(std::endian::native == std::endian::little, "hence reads little-endian files in place");

/// Walks a span; every read is checked against what is left. `at` never passes the end.
struct byte_cursor {
    std::span<const std::byte> bytes;
    std::size_t at = 0;

    [[nodiscard]] std::size_t left() const noexcept { return bytes.size() - at; }

    template <class T>
    [[nodiscard]] bool read(T& out) noexcept {
        if (left() < sizeof(T)) return false;
        std::memcpy(&out, bytes.data() + at, sizeof(T));
        at += sizeof(T);
        return true;
    }

    [[nodiscard]] bool skip(std::uint64_t count) noexcept {
        if (count > left()) return false;
        at += static_cast<std::size_t>(count);
        return true;
    }
};

template <class T>
[[nodiscard]] T load(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The length of the UTF-8 character that begins `text`, or 0 when there is none: overlong forms,
/// surrogates, values above U+10FFFF and cut sequences are not characters.
[[nodiscard]] inline std::size_t utf8_character(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const unsigned second = byte(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return length;
}

[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_character(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// Text from a file in quotes, cut after about `limit` bytes, with control characters and bytes that are
/// not UTF-8 as \xNN.
[[nodiscard]] inline std::string in_quotes(std::string_view text, std::size_t limit = 60) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "'";
    const std::size_t whole = text.size();
    while (!text.empty() && whole - text.size() < limit) {
        const std::size_t length = utf8_character(text);
        const auto first = static_cast<unsigned char>(text[0]);
        if (length == 1 && first == '\n') {
            out += "\\n";
        } else if (length == 0 || first < 0x20 || first == 0x7f) {
            out += {'\\', 'x', digits[first >> 4], digits[first & 15]};
        } else if (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
            out += "\\u00";  // C1 controls, which some terminals obey
            out += {digits[static_cast<unsigned char>(text[1]) >> 4], digits[text[1] & 15]};
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '\'';
    if (!text.empty()) out += "... (" + std::to_string(whole) + " bytes)";
    return out;
}

/// Everything that is wrong with one input. The first `limit` are kept; the rest are counted.
class error_list {
public:
    static constexpr std::size_t limit = 32;

    void add(error e) {
        if (count_++ == 0)
            first_ = std::move(e);
        else if (count_ <= limit)
            first_.also.push_back(std::move(e));
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

    /// The first error with the others in `also`; call it once, when not empty.
    [[nodiscard]] error take() {
        if (count_ > limit) {
            error rest;
            rest.code = first_.code;
            rest.where = "and " + std::to_string(count_ - limit) + " more";
            first_.also.push_back(std::move(rest));
        }
        return std::move(first_);
    }

private:
    error first_;
    std::size_t count_ = 0;
};

}  // namespace detail

HENCE_NAMESPACE_END

#endif
