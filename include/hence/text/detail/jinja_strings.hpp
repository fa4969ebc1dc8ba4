// The methods that strings have in templates, and Python's two ways of formatting.
#ifndef HENCE_TEXT_DETAIL_JINJA_STRINGS_HPP
#define HENCE_TEXT_DETAIL_JINJA_STRINGS_HPP

#include "../../core/text.hpp"
#include "jinja_builtins.hpp"

HENCE_NAMESPACE_BEGIN
namespace text::detail {

/// s without the characters of `set` (without one: whitespace) at its ends.
inline std::string_view stripped(std::string_view s, const std::string* set, bool left, bool right) {
    const auto goes = [&](std::string_view character) {
        if (set == nullptr) {
            const char32_t c = decode_utf8(character, 0).value;
            return is_whitespace(c) || (c >= 0x1C && c <= 0x1F);
        }
        for (std::size_t i = 0; i < set->size();) {
            const std::size_t length = decode_utf8(*set, i).length;
            if (std::string_view(*set).substr(i, length) == character) return true;
            i += length;
        }
        return false;
    };
    while (left && !s.empty()) {
        const std::size_t length = decode_utf8(s, 0).length;
        if (!goes(s.substr(0, length))) break;
        s.remove_prefix(length);
    }
    while (right && !s.empty()) {
        std::size_t begin = s.size() - 1;
        while (begin > 0 && s.size() - begin < 4 && (static_cast<unsigned char>(s[begin]) & 0xC0u) == 0x80u) --begin;
        if (decode_utf8(s, begin).length != s.size() - begin) begin = s.size() - 1;
        if (!goes(s.substr(begin))) break;
        s.remove_suffix(s.size() - begin);
    }
    return s;
}

inline std::string capitalized(std::string_view s) {
    if (s.empty()) return {};
    const std::size_t length = decode_utf8(s, 0).length;
    return to_upper(s.substr(0, length)) + to_lower(s.substr(length));
}

/// str.title(): each run of letters begins with a capital.
inline std::string titled(std::string_view s) {
    std::string out;
    bool inside = false;
    for (std::size_t i = 0; i < s.size();) {
        const code_point c = decode_utf8(s, i);
        const std::string_view one = s.substr(i, c.length);
        const bool letter = is_letter(general_category(c.value));
        out += !letter ? std::string(one) : inside ? to_lower(one) : to_upper(one);
        inside = letter;
        i += c.length;
    }
    return out;
}

inline std::vector<value> lines_of(std::string_view s, bool keep_ends) {
    std::vector<value> lines;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < s.size();) {
        const code_point c = decode_utf8(s, i);
        const bool ends = (c.value >= 10 && c.value <= 13) || (c.value >= 0x1C && c.value <= 0x1E) || c.value == 0x85 || c.value == 0x2028 || c.value == 0x2029;
        const std::size_t at = i;
        i += c.length;
        if (!ends) continue;
        if (c.value == 13 && i < s.size() && s[i] == '\n') ++i;
        lines.emplace_back(std::string(s.substr(begin, (keep_ends ? i : at) - begin)));
        begin = i;
    }
    if (begin < s.size()) lines.emplace_back(std::string(s.substr(begin)));
    return lines;
}

inline value jinja_machine::string_method(const std::string& s, const std::string& name, const call_arguments& arguments) {
    if (!charge(1 + s.size() / 16)) return {};
    const value* const a = arguments.get(0, name == "split" || name == "rsplit" ? "sep" : name == "splitlines" ? "keepends" : name == "replace" ? "old" : "chars");
    const value* const b = arguments.get(1, name == "replace" ? "new" : name == "split" || name == "rsplit" ? "maxsplit" : "end");
    const std::string* const text = a == nullptr ? nullptr : string_in(*a);
    const auto need_text = [&] { return fail(concat({"a string for ", name}), a == nullptr ? "none" : is_undefined(*a) ? why_undefined(*a) : type_name(*a)); };
    const std::string_view view = s;
    if (name == "strip" || name == "lstrip" || name == "rstrip") {
        if (a != nullptr && text == nullptr && !is_none(*a)) return need_text();
        return made(std::string(stripped(view, text, name != "rstrip", name != "lstrip")));
    }
    if (name == "upper") return made(to_upper(s));
    if (name == "lower" || name == "casefold") return made(to_lower(s));
    if (name == "capitalize") return made(capitalized(s));
    if (name == "title") return made(titled(s));
    if (name == "swapcase") {
        std::string out;
        for (std::size_t i = 0; i < s.size(); i += decode_utf8(s, i).length) {
            const std::string_view one = view.substr(i, decode_utf8(s, i).length);
            const std::string upper = to_upper(one);
            out += upper == one ? to_lower(one) : upper;
        }
        return made(std::move(out));
    }
    if (name == "splitlines") return charge_lines(s) ? made(lines_of(s, a != nullptr && truth(*a))) : value();
    if (name == "split" || name == "rsplit") {
        const auto limit = b == nullptr ? std::optional<std::int64_t>(-1) : integer_in(*b);
        if (!limit) return fail("a whole number of splits", type_name(*b));
        if (a != nullptr && text == nullptr && !is_none(*a)) return need_text();
        if (text != nullptr && text->empty()) return fail("a separator", "an empty one");
        std::vector<std::string_view> parts;
        const bool from_right = name == "rsplit" && *limit >= 0;
        std::string_view left = view;
        const auto more = [&] { return *limit < 0 || static_cast<std::int64_t>(parts.size()) < *limit; };
        if (text != nullptr) {
            for (std::size_t at; more() && (at = from_right ? left.rfind(*text) : left.find(*text)) != std::string_view::npos;) {
                if (!charge(1, 80)) return {};
                parts.push_back(from_right ? left.substr(at + text->size()) : left.substr(0, at));
                left = from_right ? left.substr(0, at) : left.substr(at + text->size());
            }
            parts.push_back(left);
        } else {
            const auto space = [&](std::size_t i) { return is_whitespace(decode_utf8(left, i).value); };
            left = stripped(left, nullptr, !from_right, from_right);
            while (!left.empty() && more()) {
                std::size_t cut = std::string_view::npos;
                for (std::size_t i = 0; i < left.size(); i += decode_utf8(left, i).length)
                    if (space(i)) {
                        cut = i;
                        if (!from_right) break;
                    }
                if (cut == std::string_view::npos) break;
                parts.push_back(from_right ? left.substr(cut + decode_utf8(left, cut).length) : left.substr(0, cut));
                left = stripped(from_right ? left.substr(0, cut) : left.substr(cut), nullptr, !from_right, from_right);
                if (!charge(1 + (from_right ? left.size() / 16 : 0), 80)) return {};
            }
            left = stripped(left, nullptr, from_right && more(), !from_right && more());
            if (!left.empty()) parts.push_back(left);
        }
        if (from_right) std::reverse(parts.begin(), parts.end());
        if (!charge(1, s.size())) return {};
        std::vector<value> items;
        for (const std::string_view part : parts) items.emplace_back(part);
        return made(std::move(items));
    }
    if (name == "startswith" || name == "endswith") {
        const auto holds = [&](const std::string& part) {
            return part.size() <= s.size() && (name == "startswith" ? view.substr(0, part.size()) : view.substr(s.size() - part.size())) == part;
        };
        if (text != nullptr) return value(holds(*text));
        const jinja_list* const several = a == nullptr ? nullptr : list_in(*a);
        if (several == nullptr) return need_text();
        return value(std::any_of(several->items.begin(), several->items.end(), [&](const value& v) { return string_in(v) != nullptr && holds(*string_in(v)); }));
    }
    if (name == "replace") {
        const std::string* const put = b == nullptr ? nullptr : string_in(*b);
        const value* const limit_value = arguments.get(2, "count");
        if (text == nullptr || put == nullptr) return need_text();
        std::int64_t limit = limit_value == nullptr ? -1 : integer_in(*limit_value).value_or(-1);
        std::string out;
        std::size_t at = 0;
        if (text->empty()) {  // between all characters
            for (; limit != 0 && at <= s.size(); --limit) {
                out += *put;
                if (at == s.size()) return made(std::move(out));
                const std::size_t length = decode_utf8(s, at).length;
                out += s.substr(at, length);
                at += length;
                if (out.size() > bytes_left_) return charge(0, out.size()), value();
            }
            return made(out + s.substr(at));
        }
        for (std::size_t found; limit != 0 && (found = s.find(*text, at)) != std::string::npos; --limit) {
            out.append(s, at, found - at);
            out += *put;
            at = found + text->size();
            if (out.size() > bytes_left_) return charge(0, out.size()), value();
        }
        return made(out.append(s, at));
    }
    if (name == "join") {
        std::vector<value> items;
        if (a == nullptr || !iterate(*a, items)) return failed() ? value() : need_text();
        std::string out;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (string_in(items[i]) == nullptr) return fail("strings to join", type_name(items[i]));
            if (i > 0) out += s;
            out += *string_in(items[i]);
            if (out.size() > bytes_left_) return charge(0, out.size()), value();
        }
        return made(std::move(out));
    }
    if (name == "format") return brace_format(s, arguments);
    if (name.substr(0, 2) == "is") {
        bool any = false;
        bool all = true;
        bool cased = false;
        bool start = true;
        for (std::size_t i = 0; i < s.size();) {
            const code_point c = decode_utf8(s, i);
            const category k = general_category(c.value);
            i += c.length;
            any = true;
            const bool upper = k == category::lu || k == category::lt;
            if (name == "isdigit" || name == "isdecimal") all = all && (k == category::nd || (name == "isdigit" && k == category::no && (c.value == 0xB2 || c.value == 0xB3 || c.value == 0xB9)));
            if (name == "isnumeric") all = all && is_number(k);
            if (name == "isalpha") all = all && is_letter(k);
            if (name == "isalnum") all = all && (is_letter(k) || is_number(k));
            if (name == "isspace") all = all && is_whitespace(c.value);
            if (name == "isascii") all = all && c.value < 0x80;
            if (name == "isupper") all = all && k != category::ll;
            if (name == "islower") all = all && !upper;
            if (name == "istitle") all = all && (upper ? start : k != category::ll || !start);
            if (upper || k == category::ll) cased = true;
            start = !is_letter(k);
        }
        if (name == "isascii") return value(all);
        if (name == "isupper" || name == "islower" || name == "istitle") return value(all && cased);
        return value(any && all);
    }
    if (name == "zfill" || name == "center" || name == "ljust" || name == "rjust") {
        const auto width = a == nullptr ? std::nullopt : integer_in(*a);
        if (!width) return fail(concat({"a width for ", name}), a == nullptr ? "none" : type_name(*a));
        const auto size = static_cast<std::int64_t>(characters_in(s));
        const std::string fill = name == "zfill" ? "0" : b != nullptr && string_in(*b) != nullptr ? *string_in(*b) : " ";
        const std::int64_t missing = *width - size;
        if (missing <= 0) return value(s);
        if (!charge(1, static_cast<std::uint64_t>(missing) * 4)) return {};
        const std::int64_t left = name == "ljust" ? 0 : name == "center" ? missing / 2 + (missing & *width & 1) : missing;
        std::string before;
        std::string after;
        for (std::int64_t i = 0; i < left; ++i) before += fill;
        for (std::int64_t i = left; i < missing; ++i) after += fill;
        if (name == "zfill" && !s.empty() && (s[0] == '-' || s[0] == '+')) return made(s.substr(0, 1) + before + s.substr(1));
        return made(before + s + after);
    }
    if (text == nullptr) return need_text();
    if (name == "removeprefix") return made(view.substr(0, text->size()) == *text ? s.substr(text->size()) : s);
    if (name == "removesuffix") return made(text->size() <= s.size() && view.substr(s.size() - text->size()) == *text ? s.substr(0, s.size() - text->size()) : s);
    if (name == "count") {
        std::int64_t count = 0;
        if (text->empty()) return value(static_cast<std::int64_t>(characters_in(s)) + 1);
        for (std::size_t at = s.find(*text); at != std::string::npos; at = s.find(*text, at + text->size())) ++count;
        return value(count);
    }
    const bool right = name[0] == 'r';
    const std::size_t at = right ? s.rfind(*text) : s.find(*text);
    if (name == "partition" || name == "rpartition") {
        if (at == std::string::npos) return right ? made({value(""), value(""), value(s)}, true) : made({value(s), value(""), value("")}, true);
        if (!charge(1, s.size())) return {};
        return made({value(s.substr(0, at)), *a, value(s.substr(at + text->size()))}, true);
    }
    if (at == std::string::npos) return name == "find" || name == "rfind" ? value(std::int64_t{-1}) : fail("a part that is in the string", quote(*text));
    return value(static_cast<std::int64_t>(characters_in(view.substr(0, at))));
}

/// A number with so many digits after the point.
inline std::string fixed_text(double d, int digits) {
    char buffer[400];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed, std::clamp(digits, 0, 60));
    return end.ec == std::errc() ? std::string(buffer, end.ptr) : float_text(d);
}

/// %e and %g of C.
inline std::string exponent_text(double d, int digits, bool general) {
    char buffer[400];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, general ? std::chars_format::general : std::chars_format::scientific, std::clamp(digits, 0, 60));
    return end.ec == std::errc() ? std::string(buffer, end.ptr) : float_text(d);
}

/// Puts a text into a width, as %5s, %-5s and {:<5} ask.
inline std::string padded(std::string text, std::size_t width, char align, std::string_view fill) {
    const std::size_t size = characters_in(text);
    if (size >= width) return text;
    const std::size_t missing = width - size;
    const std::size_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
    std::string out;
    for (std::size_t i = 0; i < left; ++i) out += fill;
    out += text;
    for (std::size_t i = left; i < missing; ++i) out += fill;
    return out;
}

/// pattern % v
inline value jinja_machine::formatted(const std::string& pattern, const value& v) {
    std::string out;
    std::size_t used = 0;
    const jinja_list* const tuple = list_in(v) != nullptr && list_in(v)->tuple ? list_in(v) : nullptr;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '%') {
            out += pattern[i];
            continue;
        }
        if (++i < pattern.size() && pattern[i] == '%') {
            out += '%';
            continue;
        }
        value argument;
        bool named = false;
        if (i < pattern.size() && pattern[i] == '(') {
            const std::size_t close = pattern.find(')', i);
            jinja_dict* const d = dict_in(v);
            if (close == std::string::npos || d == nullptr) return fail("a dictionary for a format with names", type_name(v));
            const value* const found = d->find_name(std::string_view(pattern).substr(i + 1, close - i - 1));
            if (found == nullptr) return fail("a value for every name of the format", quote(std::string_view(pattern).substr(i + 1, close - i - 1)));
            argument = *found;
            named = true;
            i = close + 1;
        }
        bool left = false;
        bool zero = false;
        bool plus = false;
        bool blank = false;
        for (; i < pattern.size() && std::string_view("-0+ #").find(pattern[i]) != std::string_view::npos; ++i) {
            left = left || pattern[i] == '-';
            zero = zero || pattern[i] == '0';
            plus = plus || pattern[i] == '+';
            blank = blank || pattern[i] == ' ';
        }
        const auto number = [&] {
            int n = 0;
            for (; i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9'; ++i) n = std::min(n * 10 + (pattern[i] - '0'), 10000);
            return n;
        };
        const int width = number();
        int digits = -1;
        if (i < pattern.size() && pattern[i] == '.') {
            ++i;
            digits = number();
        }
        if (i >= pattern.size()) return fail("a conversion after '%'", "the end of the format");
        if (!named) {
            if (tuple != nullptr ? used >= tuple->items.size() : used > 0) return fail("a value for every '%' of the format", "too few");
            argument = tuple != nullptr ? tuple->items[used] : v;
            ++used;
        }
        std::string text;
        const auto whole = integer_in(argument);
        const auto real = number_in(argument);
        switch (pattern[i]) {
            case 's': text = shown(argument); break;
            case 'r': append_text(text, argument, true, bytes_left_); break;
            case 'd':
            case 'i':
            case 'u':
                if (!real) return fail("a number for %d", type_name(argument));
                text = decimal(whole ? *whole : static_cast<std::int64_t>(std::clamp(*real, -9e18, 9e18)));
                break;
            case 'e':
            case 'E':
            case 'g':
            case 'G':
                if (!real) return fail(concat({"a number for %", std::string_view(&pattern[i], 1)}), type_name(argument));
                text = exponent_text(*real, digits < 0 ? 6 : digits, (pattern[i] | 0x20) == 'g');
                if (pattern[i] == 'E' || pattern[i] == 'G') text = to_upper(text);
                break;
            case 'c':
                if (whole && *whole >= 0 && *whole < 0x110000) {
                    append_utf8(text, static_cast<char32_t>(*whole));
                } else if (string_in(argument) != nullptr && characters_in(*string_in(argument)) == 1) {
                    text = *string_in(argument);
                } else {
                    return fail("a character for %c", type_name(argument));
                }
                break;
            case 'f':
            case 'F':
                if (!real) return fail("a number for %f", type_name(argument));
                text = fixed_text(*real, digits < 0 ? 6 : digits);
                break;
            case 'x':
            case 'X':
            case 'o': {
                if (!whole || *whole < 0) return fail("a whole number, not negative", type_name(argument));
                char buffer[32];
                text.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, *whole, pattern[i] == 'o' ? 8 : 16).ptr);
                if (pattern[i] == 'X') text = to_upper(text);
                break;
            }
            default: return fail("one of the conversions s, r, d, i, u, f, e, g, c, x, o", quote(std::string_view(&pattern[i], 1)), errc::unsupported);
        }
        if ((pattern[i] == 's' || pattern[i] == 'r') && digits >= 0) {
            const character_offsets offsets(text);
            if (static_cast<std::size_t>(digits) + 1 < offsets.size()) text.resize(offsets[static_cast<std::size_t>(digits)]);
        }
        const bool is_number = real && std::string_view("sarc").find(pattern[i]) == std::string_view::npos;
        std::string sign;
        if (is_number && text[0] == '-') {
            sign = "-";
            text.erase(0, 1);
        } else if (is_number && (plus || blank)) {
            sign = plus ? "+" : " ";
        }
        if (is_number && zero && !left) text = padded(std::move(text), static_cast<std::size_t>(std::max(width - static_cast<int>(sign.size()), 0)), '>', "0");
        out += padded(sign + text, static_cast<std::size_t>(width), left ? '<' : '>', " ");
        if (out.size() > bytes_left_) return charge(0, out.size()), value();
    }
    // As Python has it: what nobody asked for is an error, but for values that could have been looked up in.
    if (tuple != nullptr ? used < tuple->items.size() : used == 0 && (string_in(v) != nullptr || is_none(v) || number_in(v)))
        return fail("no more values than the format has '%'", "more");
    return made(std::move(out));
}

/// "{} {0} {name} {:>5} {:.2f}".format(..)
inline value jinja_machine::brace_format(const std::string& pattern, const call_arguments& arguments) {
    std::string out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if ((c == '{' || c == '}') && i + 1 < pattern.size() && pattern[i + 1] == c) {
            out += c;
            ++i;
            continue;
        }
        if (c != '{') {
            out += c;
            continue;
        }
        const std::size_t close = pattern.find('}', i);
        if (close == std::string::npos) return fail("'}' in the format", "none");
        std::string field = pattern.substr(i + 1, close - i - 1);
        std::string spec;
        if (const std::size_t colon = field.find(':'); colon != std::string::npos) {
            spec = field.substr(colon + 1);
            field.resize(colon);
        }
        const value* argument = nullptr;
        if (field.empty()) {
            argument = arguments.get(next++, "");
        } else if (field.find_first_not_of("0123456789") == std::string::npos && field.size() < 6) {
            argument = arguments.get(static_cast<std::size_t>(std::atoi(field.c_str())), "");
        } else {
            argument = arguments.get(arguments.list.size(), field);
        }
        if (argument == nullptr) return fail("a value for every field of the format", quote(field));
        std::string text = shown(*argument);
        if (!spec.empty()) {  // [align][0][width][.digits][type]
            std::size_t k = 0;
            char align = number_in(*argument) ? '>' : '<';
            if (spec[0] == '<' || spec[0] == '>' || spec[0] == '^') align = spec[k++];
            const bool zero = k < spec.size() && spec[k] == '0';
            std::size_t width = 0;
            for (; k < spec.size() && spec[k] >= '0' && spec[k] <= '9'; ++k) width = std::min<std::size_t>(width * 10 + static_cast<std::size_t>(spec[k] - '0'), 10000);
            int digits = -1;
            if (k < spec.size() && spec[k] == '.') {
                digits = 0;
                for (++k; k < spec.size() && spec[k] >= '0' && spec[k] <= '9'; ++k) digits = std::min(digits * 10 + (spec[k] - '0'), 60);
            }
            const std::string type = spec.substr(k);
            if (type == "f" && number_in(*argument)) {
                text = fixed_text(*number_in(*argument), digits < 0 ? 6 : digits);
            } else if (!(type.empty() && digits < 0) && !(type == "d" && integer_in(*argument)) && !(type == "s" && string_in(*argument) != nullptr)) {
                return fail("a plain format specification", quote(spec), errc::unsupported);
            }
            text = padded(std::move(text), width, align, zero ? "0" : " ");
        }
        out += text;
        i = close;
        if (out.size() > bytes_left_) return charge(0, out.size()), value();
    }
    return made(std::move(out));
}

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
