// Definitions of text/unicode.hpp.
#ifndef HENCE_TEXT_DETAIL_UNICODE_INL_HPP
#define HENCE_TEXT_DETAIL_UNICODE_INL_HPP

#include "../unicode.hpp"
#include "unicode_case_tables.inl.hpp"
#include "unicode_category_tables.inl.hpp"
#include "unicode_composition_tables.inl.hpp"
#include "unicode_decomposition_tables.inl.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

HENCE_INLINE std::string_view unicode_version() noexcept { return tables::unicode_version; }

HENCE_INLINE code_point decode_utf8(std::string_view text, std::size_t position) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
    const std::size_t left = text.size() - position;
    const unsigned char b0 = byte(0);
    if (b0 < 0x80) return {b0, 1, true};
    const code_point bad{0xFFFD, 1, false};
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
    if (b0 >= 0xC2 && b0 <= 0xDF) {
        if (left < 2 || !tail(1)) return bad;
        return {static_cast<char32_t>((b0 & 0x1Fu) << 6 | (byte(1) & 0x3Fu)), 2, true};
    }
    if ((b0 & 0xF0u) == 0xE0u) {
        if (left < 3 || !tail(1) || !tail(2)) return bad;
        const char32_t value = static_cast<char32_t>((b0 & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu));
        if (value < 0x800 || (value >= 0xD800 && value < 0xE000)) return bad;
        return {value, 3, true};
    }
    if (b0 >= 0xF0 && b0 <= 0xF4) {
        if (left < 4 || !tail(1) || !tail(2) || !tail(3)) return bad;
        const char32_t value = static_cast<char32_t>((b0 & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 |
                                                     (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu));
        if (value < 0x10000 || value > 0x10FFFF) return bad;
        return {value, 4, true};
    }
    return bad;
}

HENCE_INLINE void append_utf8(std::string& text, char32_t value) {
    const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) value = 0xFFFD;
    if (value < 0x80) {
        put(value);
    } else if (value < 0x800) {
        put(0xC0 | value >> 6);
        put(0x80 | (value & 0x3F));
    } else if (value < 0x10000) {
        put(0xE0 | value >> 12);
        put(0x80 | (value >> 6 & 0x3F));
        put(0x80 | (value & 0x3F));
    } else {
        put(0xF0 | value >> 18);
        put(0x80 | (value >> 12 & 0x3F));
        put(0x80 | (value >> 6 & 0x3F));
        put(0x80 | (value & 0x3F));
    }
}

HENCE_INLINE bool is_valid_utf8(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode_utf8(text, i);
        if (!c.valid) return false;
        i += c.length;
    }
    return true;
}

HENCE_INLINE std::size_t incomplete_utf8_tail(std::string_view text) noexcept {
    const std::size_t most = std::min<std::size_t>(3, text.size());
    for (std::size_t back = 1; back <= most; ++back) {
        const auto lead = static_cast<unsigned char>(text[text.size() - back]);
        if (lead < 0x80) return 0;
        if (lead < 0xC0) continue;
        const std::size_t length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0u) == 0xE0u ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
        if (length <= back) return 0;
        if (back >= 2) {  // the second byte already tells overlong forms, surrogates and too large values
            const auto second = static_cast<unsigned char>(text[text.size() - back + 1]);
            if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
                (lead == 0xF4 && second > 0x8F))
                return 0;
        }
        return back;
    }
    return 0;
}

HENCE_INLINE std::string to_valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode_utf8(text, i);
        if (c.valid) {
            out.append(text.substr(i, c.length));
            i += c.length;
            continue;
        }
        out.append("\xEF\xBF\xBD");
        std::size_t taken = 1;  // the longest beginning of a character counts as one
        for (std::size_t length = 2; length <= 3 && i + length <= text.size(); ++length)
            if (incomplete_utf8_tail(text.substr(i, length)) == length) taken = length;
        i += taken;
    }
    return out;
}

HENCE_INLINE category general_category(char32_t value) noexcept {
    if (value > 0x10FFFF) return category::cn;
    const char letter = tables::block_letters[tables::block_index[value >> 8] * 256u + (value & 0xFFu)];
    return static_cast<category>(letter <= 'Z' ? letter - 'A' : letter - 'a' + 26);
}

namespace detail {

inline void append_cased(std::string& out, char32_t value, std::span<const std::uint32_t> runs,
                         std::span<const std::uint32_t> special) {
    for (std::size_t i = 0; i < special.size(); i += 4) {
        if (special[i] != value) continue;
        for (std::size_t k = 1; k < 4 && special[i + k] != 0; ++k) append_utf8(out, special[i + k]);
        return;
    }
    std::size_t low = 0;
    std::size_t high = runs.size() / 4;
    while (low < high) {  // the first run that ends at or after the value
        const std::size_t middle = (low + high) / 2;
        if (runs[middle * 4 + 1] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < runs.size() / 4) {
        const std::uint32_t first = runs[low * 4];
        if (value >= first && (value - first) % runs[low * 4 + 2] == 0) value = runs[low * 4 + 3] + (value - first);
    }
    append_utf8(out, value);
}

inline std::string cased(std::string_view text, bool upper) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode_utf8(text, i);
        if (c.value < 0x80) {
            const char ascii = text[i];
            const bool turn = upper ? ascii >= 'a' && ascii <= 'z' : ascii >= 'A' && ascii <= 'Z';
            out.push_back(turn ? static_cast<char>(ascii ^ 0x20) : ascii);
        } else if (!c.valid) {
            out.push_back(text[i]);
        } else if (upper) {
            append_cased(out, c.value, tables::upper_runs, tables::upper_special);
        } else {
            append_cased(out, c.value, tables::lower_runs, tables::lower_special);
        }
        i += c.length;
    }
    return out;
}

inline constexpr char32_t raw_byte = 0x110000;  // + an ill-formed byte, which takes no part in normalisation

inline std::uint32_t combining_class(char32_t value) noexcept {
    const auto* const last = std::upper_bound(std::begin(tables::combining_runs), std::end(tables::combining_runs),
                                              static_cast<std::uint32_t>(value) << 8 | 0xFFu);
    return last == std::begin(tables::combining_runs) || value >= raw_byte ? 0 : last[-1] & 0xFFu;
}

inline std::span<const std::uint32_t> find_decomposition(char32_t value, std::span<const std::uint32_t> runs,
                                                         std::span<const std::uint32_t> pool) noexcept {
    std::size_t low = 0;
    std::size_t high = runs.size() / 4;
    while (low < high) {  // the first run that begins after the value
        const std::size_t middle = (low + high) / 2;
        if (runs[middle * 4] <= value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) return {};
    const std::uint32_t* const run = &runs[(low - 1) * 4];
    const std::uint32_t index = static_cast<std::uint32_t>(value) - run[0];
    if (index >= run[1]) return {};
    return pool.subspan(run[3] + std::size_t{index} * run[2], run[2]);
}

inline void decompose(std::vector<char32_t>& out, char32_t value, bool compatibility) {
    if (value < 0xA0 || value >= raw_byte) {
        out.push_back(value);
        return;
    }
    if (value >= 0xAC00 && value < 0xAC00 + 11172) {
        const char32_t index = value - 0xAC00;
        out.push_back(0x1100 + index / 588);
        out.push_back(0x1161 + index % 588 / 28);
        if (index % 28 != 0) out.push_back(0x11A7 + index % 28);
        return;
    }
    std::span<const std::uint32_t> parts;
    if (compatibility) parts = find_decomposition(value, tables::compatibility_runs, tables::compatibility_pool);
    if (parts.empty()) parts = find_decomposition(value, tables::canonical_runs, tables::canonical_pool);
    if (parts.empty()) {
        out.push_back(value);
    } else {
        out.insert(out.end(), parts.begin(), parts.end());
    }
}

inline char32_t composed(char32_t first, char32_t second) noexcept {
    if (first >= 0x1100 && first < 0x1113 && second >= 0x1161 && second < 0x1176)
        return 0xAC00 + ((first - 0x1100) * 21 + (second - 0x1161)) * 28;
    if (first >= 0xAC00 && first < 0xAC00 + 11172 && (first - 0xAC00) % 28 == 0 && second > 0x11A7 && second < 0x11C3)
        return first + (second - 0x11A7);
    std::size_t low = 0;
    std::size_t high = std::size(tables::compositions) / 3;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const std::uint32_t* const entry = &tables::compositions[middle * 3];
        if (entry[0] < first || (entry[0] == first && entry[1] < second)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == std::size(tables::compositions) / 3) return 0;
    const std::uint32_t* const entry = &tables::compositions[low * 3];
    return entry[0] == first && entry[1] == second ? entry[2] : 0;
}

inline void compose(std::vector<char32_t>& text) {
    std::size_t written = 0;
    std::size_t starter = text.size();  // none yet
    std::uint32_t previous = 0;         // class of the last character kept since the starter
    for (const char32_t value : text) {
        const std::uint32_t ccc = combining_class(value);
        if (starter < written && (written == starter + 1 || (previous < ccc && previous != 0))) {
            const char32_t both = value < raw_byte ? composed(text[starter], value) : 0;
            if (both != 0) {
                text[starter] = both;
                continue;
            }
        }
        if (ccc == 0) starter = written;
        previous = ccc;
        text[written++] = value;
    }
    text.resize(written);
}

}  // namespace detail

HENCE_INLINE std::string to_lower(std::string_view text) { return detail::cased(text, false); }

HENCE_INLINE std::string to_upper(std::string_view text) { return detail::cased(text, true); }

namespace detail {

/// Normalises a part that no character outside it can change: an ASCII character at most, then others.
inline void normalize_part(std::string_view text, normal_form form, std::vector<char32_t>& points, std::string& out) {
    const bool compatibility = form == normal_form::nfkc || form == normal_form::nfkd;
    points.clear();
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode_utf8(text, i);
        decompose(points, c.valid ? c.value : raw_byte + static_cast<unsigned char>(text[i]), compatibility);
        i += c.length;
    }
    for (std::size_t i = 0; i < points.size();) {
        if (combining_class(points[i]) == 0) {
            ++i;
            continue;
        }
        std::size_t end = i + 1;
        while (end < points.size() && combining_class(points[end]) != 0) ++end;
        std::stable_sort(points.begin() + static_cast<std::ptrdiff_t>(i), points.begin() + static_cast<std::ptrdiff_t>(end),
                         [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
        i = end;
    }
    if (form == normal_form::nfc || form == normal_form::nfkc) compose(points);
    for (const char32_t value : points) {
        if (value >= raw_byte) {
            out.push_back(static_cast<char>(static_cast<unsigned char>(value - raw_byte)));
        } else {
            append_utf8(out, value);
        }
    }
}

}  // namespace detail

HENCE_INLINE std::string normalize(std::string_view text, normal_form form) {
    const auto ascii = [&](std::size_t i) { return static_cast<unsigned char>(text[i]) < 0x80; };
    std::string out;
    out.reserve(text.size());
    std::vector<char32_t> points;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t other = at;
        while (other < text.size() && ascii(other)) ++other;
        if (other == text.size()) {
            out.append(text.substr(at));
            break;
        }
        const std::size_t begin = other > at ? other - 1 : at;  // a mark may join the character before it
        out.append(text.substr(at, begin - at));
        while (other < text.size() && !ascii(other)) ++other;
        detail::normalize_part(text.substr(begin, other - begin), form, points, out);
        at = other;
    }
    return out;
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
