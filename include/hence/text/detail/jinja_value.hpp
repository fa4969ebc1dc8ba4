// The values of templates: lists, dictionaries, callables, and Python's ways of showing and comparing them.
#ifndef HENCE_TEXT_DETAIL_JINJA_VALUE_HPP
#define HENCE_TEXT_DETAIL_JINJA_VALUE_HPP

#include "../../core/text.hpp"
#include "../jinja.hpp"
#include "../unicode.hpp"
#include "piece_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

HENCE_NAMESPACE_BEGIN

struct jinja_list {
    std::vector<jinja_value> items;
    bool tuple = false;
};

struct jinja_dict {
    std::vector<std::pair<jinja_value, jinja_value>> entries;
    bool is_namespace = false;

    /// A key as bytes: equal for keys that are equal (1, 1.0 and true are). Empty where a value cannot be a key.
    static std::string encode(const jinja_value& key, int depth = 0) {
        if (const auto* s = std::get_if<jinja_value::text>(&key.data)) return concat({"s", **s});
        if (const auto* b = std::get_if<bool>(&key.data)) return *b ? "i1" : "i0";
        if (const auto* i = std::get_if<std::int64_t>(&key.data)) return concat({"i", *i});
        if (const auto* d = std::get_if<double>(&key.data)) {
            if (std::floor(*d) == *d && std::fabs(*d) < 9e18) return concat({"i", static_cast<std::int64_t>(*d)});
            return concat({"f", std::string(reinterpret_cast<const char*>(d), sizeof *d)});
        }
        if (std::holds_alternative<jinja_value::none>(key.data)) return "n";
        if (std::holds_alternative<jinja_value::undefined>(key.data)) return "u";
        if (const auto* l = std::get_if<std::shared_ptr<jinja_list>>(&key.data); l != nullptr && (*l)->tuple && depth < 50) {
            std::string out = "t";
            for (const jinja_value& item : (*l)->items) {
                const std::string part = encode(item, depth + 1);
                if (part.empty() || out.size() > (1u << 20)) return {};
                out += concat({part.size(), ":", part});
            }
            return out;
        }
        return {};
    }

    [[nodiscard]] jinja_value* find(const jinja_value& key) {
        if (entries.size() <= 8) {
            if (const auto* wanted = std::get_if<jinja_value::text>(&key.data)) {
                for (auto& [k, v] : entries)
                    if (const auto* s = std::get_if<jinja_value::text>(&k.data); s != nullptr && **s == **wanted) return &v;
                return nullptr;
            }
            const std::string bytes = encode(key);
            for (auto& [k, v] : entries)
                if (!bytes.empty() && encode(k) == bytes) return &v;
            return nullptr;
        }
        if (indexed_ != entries.size()) {
            index_ = {};
            for (std::size_t i = 0; i < entries.size(); ++i) index_.insert(encode(entries[i].first), static_cast<std::uint32_t>(i));
            indexed_ = entries.size();
        }
        const std::uint32_t at = index_.find(encode(key));
        return at == text::detail::piece_table::none ? nullptr : &entries[at].second;
    }
    [[nodiscard]] jinja_value* find_name(std::string_view key) { return find(jinja_value(key)); }

    void set(const jinja_value& key, jinja_value value) {
        if (jinja_value* const place = find(key)) {
            *place = std::move(value);
            return;
        }
        entries.emplace_back(key, std::move(value));
        if (entries.size() > 9 && indexed_ + 1 == entries.size()) {  // keep the index up to date, not made anew
            index_.insert(encode(key), static_cast<std::uint32_t>(entries.size() - 1));
            ++indexed_;
        }
    }
    void erase(const jinja_value& key) {
        const jinja_value* const place = find(key);
        if (place == nullptr) return;
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (&entries[i].second == place) {
                entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
                break;
            }
        indexed_ = 0;
        index_ = {};
    }

private:
    text::detail::piece_table index_;
    std::size_t indexed_ = 0;
};

namespace text::detail {

using value = jinja_value;
using value_list = std::shared_ptr<jinja_list>;
using value_dict = std::shared_ptr<jinja_dict>;
using value_call = std::shared_ptr<jinja_callable>;

inline const std::string* string_in(const value& v) noexcept {
    const auto* s = std::get_if<value::text>(&v.data);
    return s == nullptr ? nullptr : s->get();
}
inline jinja_list* list_in(const value& v) noexcept {
    const auto* l = std::get_if<value_list>(&v.data);
    return l == nullptr ? nullptr : l->get();
}
inline jinja_dict* dict_in(const value& v) noexcept {
    const auto* d = std::get_if<value_dict>(&v.data);
    return d == nullptr ? nullptr : d->get();
}
inline bool is_undefined(const value& v) noexcept { return std::holds_alternative<value::undefined>(v.data); }
inline bool is_none(const value& v) noexcept { return std::holds_alternative<value::none>(v.data); }
inline bool is_boolean(const value& v) noexcept { return std::holds_alternative<bool>(v.data); }
/// An integer or a boolean as an integer, as Python has it.
inline std::optional<std::int64_t> integer_in(const value& v) noexcept {
    if (const auto* i = std::get_if<std::int64_t>(&v.data)) return *i;
    if (const auto* b = std::get_if<bool>(&v.data)) return *b ? 1 : 0;
    return std::nullopt;
}
inline std::optional<double> number_in(const value& v) noexcept {
    if (const auto* d = std::get_if<double>(&v.data)) return *d;
    if (const auto i = integer_in(v)) return static_cast<double>(*i);
    return std::nullopt;
}
inline value make_none() { return value(value::storage(value::none{})); }
inline value make_list(std::vector<value> items, bool tuple = false) {
    auto l = std::make_shared<jinja_list>();
    l->items = std::move(items);
    l->tuple = tuple;
    return value(value::storage(std::move(l)));
}

inline const char* type_name(const value& v) noexcept {
    switch (v.data.index()) {
        case 0: return "Undefined";
        case 1: return "NoneType";
        case 2: return "bool";
        case 3: return "int";
        case 4: return "float";
        case 5: return "str";
        case 6: return list_in(v)->tuple ? "tuple" : "list";
        case 7: return dict_in(v)->is_namespace ? "Namespace" : "dict";
        default: return "function";
    }
}

inline bool truth(const value& v) noexcept {
    switch (v.data.index()) {
        case 0:
        case 1: return false;
        case 2: return std::get<2>(v.data);
        case 3: return std::get<3>(v.data) != 0;
        case 4: return std::get<4>(v.data) != 0;
        case 5: return !std::get<5>(v.data)->empty();
        case 6: return !list_in(v)->items.empty();
        case 7: return dict_in(v)->is_namespace || !dict_in(v)->entries.empty();
        default: return true;
    }
}

/// A float as Python prints it: the shortest digits that give it back.
inline std::string float_text(double d) {
    if (std::isnan(d)) return "nan";
    if (std::isinf(d)) return d < 0 ? "-inf" : "inf";
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific);
    std::string scientific(buffer, end.ptr);
    std::string sign;
    if (scientific[0] == '-') {
        sign = "-";
        scientific.erase(0, 1);
    }
    const std::size_t e = scientific.find('e');
    std::string digits = scientific.substr(0, e);
    digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
    const int exponent = std::atoi(scientific.c_str() + e + 1);
    if (exponent < -4 || exponent >= 16) {
        std::string out = sign + digits.substr(0, 1);
        if (digits.size() > 1) out += concat({".", digits.substr(1)});
        const int size = exponent < 0 ? -exponent : exponent;
        return concat({out, (exponent < 0 ? "e-" : "e+"), (size < 10 ? "0" : ""), size});
    }
    if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= whole) return concat({sign, digits, std::string(whole - digits.size(), '0'), ".0"});
    return concat({sign, digits.substr(0, whole), ".", digits.substr(whole)});
}

/// repr() of a string.
inline std::string string_repr(std::string_view s) {
    const bool doubled = s.find('\'') != std::string_view::npos && s.find('"') == std::string_view::npos;
    const char quote_mark = doubled ? '"' : '\'';
    std::string out(1, quote_mark);
    const auto hex = [&](char32_t c, int digits) {
        for (int i = digits - 1; i >= 0; --i) out += "0123456789abcdef"[c >> (4 * i) & 15u];
    };
    for (std::size_t i = 0; i < s.size();) {
        const code_point c = decode_utf8(s, i);
        if (c.value == '\\' || c.value == static_cast<unsigned char>(quote_mark)) {
            out += '\\';
            out += static_cast<char>(c.value);
        } else if (c.value == '\n') {
            out += "\\n";
        } else if (c.value == '\r') {
            out += "\\r";
        } else if (c.value == '\t') {
            out += "\\t";
        } else if (c.value < 32 || c.value == 127) {
            out += "\\x";
            hex(c.value, 2);
        } else if (const category k = general_category(c.value); c.value >= 128 && (k >= category::zs || k == category::cn) && c.valid) {
            out += c.value < 256 ? "\\x" : c.value < 65536 ? "\\u" : "\\U";
            hex(c.value, c.value < 256 ? 2 : c.value < 65536 ? 4 : 8);
        } else {
            out.append(s.substr(i, c.length));
        }
        i += c.length;
    }
    return out + quote_mark;
}

/// str() (or, inside containers, repr()) of a value. Stops at 100 levels, for a list may hold itself, and once
/// the text is longer than `limit`, for it may hold another list twice, and that one another.
inline void append_text(std::string& out, const value& v, bool repr, std::size_t limit, int depth = 0) {
    if (out.size() > limit) return;
    switch (v.data.index()) {
        case 0:
            if (repr) out += "Undefined";
            return;
        case 1: out += "None"; return;
        case 2: out += std::get<2>(v.data) ? "True" : "False"; return;
        case 3: out += decimal(std::get<3>(v.data)); return;
        case 4: out += float_text(std::get<4>(v.data)); return;
        case 5: out += repr ? string_repr(*std::get<5>(v.data)) : *std::get<5>(v.data); return;
        case 6: {
            const jinja_list& l = *list_in(v);
            if (depth > 100) {
                out += "[...]";
                return;
            }
            out += l.tuple ? '(' : '[';
            for (std::size_t i = 0; i < l.items.size() && out.size() <= limit; ++i) {
                if (i > 0) out += ", ";
                append_text(out, l.items[i], true, limit, depth + 1);
            }
            if (l.tuple && l.items.size() == 1) out += ',';
            out += l.tuple ? ')' : ']';
            return;
        }
        case 7: {
            const jinja_dict& d = *dict_in(v);
            if (depth > 100) {
                out += "{...}";
                return;
            }
            out += d.is_namespace ? "<Namespace {" : "{";
            for (std::size_t i = 0; i < d.entries.size() && out.size() <= limit; ++i) {
                if (i > 0) out += ", ";
                append_text(out, d.entries[i].first, true, limit, depth + 1);
                out += ": ";
                append_text(out, d.entries[i].second, true, limit, depth + 1);
            }
            out += d.is_namespace ? "}>" : "}";
            return;
        }
        default: out += "<function>"; return;
    }
}

inline std::string text_of(const value& v, std::size_t limit = std::size_t{1} << 20) {
    std::string out;
    append_text(out, v, false, limit);
    return out;
}

/// ==. `budget` counts down the comparisons made; where it reaches zero the answer is no, and does not matter.
inline bool equal(const value& a, const value& b, std::uint64_t& budget, int depth = 0) {
    if (depth > 100 || budget == 0) return false;
    --budget;
    const auto x = number_in(a);
    const auto y = number_in(b);
    if (x && y) {
        const auto i = integer_in(a);
        const auto j = integer_in(b);
        return i && j ? *i == *j : *x == *y;
    }
    if (a.data.index() != b.data.index()) return false;
    switch (a.data.index()) {
        case 0:
        case 1: return true;
        case 5: return *std::get<5>(a.data) == *std::get<5>(b.data);
        case 6: {
            const jinja_list& l = *list_in(a);
            const jinja_list& m = *list_in(b);
            if (l.tuple != m.tuple || l.items.size() != m.items.size()) return false;
            for (std::size_t i = 0; i < l.items.size(); ++i)
                if (!equal(l.items[i], m.items[i], budget, depth + 1)) return false;
            return true;
        }
        case 7: {
            jinja_dict& d = *dict_in(a);
            jinja_dict& e = *dict_in(b);
            if (&d == &e) return true;
            if (d.entries.size() != e.entries.size() || d.is_namespace || e.is_namespace) return false;
            for (const auto& [k, v] : d.entries) {
                const value* const other = e.find(k);
                if (other == nullptr || !equal(v, *other, budget, depth + 1)) return false;
            }
            return true;
        }
        default: return std::get<8>(a.data) == std::get<8>(b.data);
    }
}

/// -1, 0, 1, or nothing where Python has no order.
inline std::optional<int> order(const value& a, const value& b, std::uint64_t& budget, int depth = 0) {
    const auto x = number_in(a);
    const auto y = number_in(b);
    if (x && y) {
        const auto i = integer_in(a);
        const auto j = integer_in(b);
        if (i && j) return *i < *j ? -1 : *i > *j ? 1 : 0;
        return *x < *y ? -1 : *x > *y ? 1 : 0;
    }
    const std::string* const s = string_in(a);
    const std::string* const t = string_in(b);
    if (s != nullptr && t != nullptr) {
        const int c = s->compare(*t);
        return c < 0 ? -1 : c > 0 ? 1 : 0;
    }
    const jinja_list* const l = list_in(a);
    const jinja_list* const m = list_in(b);
    if (l == nullptr || m == nullptr || l->tuple != m->tuple || depth > 100) return std::nullopt;
    for (std::size_t i = 0; i < l->items.size() && i < m->items.size(); ++i) {
        if (equal(l->items[i], m->items[i], budget)) continue;
        return order(l->items[i], m->items[i], budget, depth + 1);
    }
    return l->items.size() < m->items.size() ? -1 : l->items.size() > m->items.size() ? 1 : 0;
}

/// json.dumps: compact with ", " and ": " unless separators say otherwise; indent < 0 means one line.
struct json_style {
    int indent = -1;
    std::string item_separator = ", ";
    std::string key_separator = ": ";
    bool ascii = false;
    bool sort_keys = false;
    std::size_t limit = 0;  // of the text, in bytes
};

inline void append_json_string(std::string& out, std::string_view s, bool ascii) {
    out += '"';
    const auto escape = [&](char32_t unit) {
        out += "\\u";
        for (int i = 3; i >= 0; --i) out += "0123456789abcdef"[unit >> (4 * i) & 15u];
    };
    for (std::size_t i = 0; i < s.size();) {
        const code_point c = decode_utf8(s, i);
        switch (c.value) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            default:
                if (c.value < 32) {
                    escape(c.value);
                } else if (ascii && c.value > 126) {
                    if (c.value > 0xFFFF) {
                        escape(0xD800 + ((c.value - 0x10000) >> 10));
                        escape(0xDC00 + ((c.value - 0x10000) & 0x3FF));
                    } else {
                        escape(c.value);
                    }
                } else {
                    out.append(s.substr(i, c.length));
                }
        }
        i += c.length;
    }
    out += '"';
}

/// False where a value has no JSON form (`wrong` is then its type).
inline bool append_json(std::string& out, const value& v, const json_style& style, int depth, std::string& wrong) {
    const auto line = [&](int level) {
        if (style.indent < 0) return;
        out += '\n';
        out.append(static_cast<std::size_t>(style.indent) * static_cast<std::size_t>(level), ' ');
    };
    const std::string comma = style.indent >= 0 && style.item_separator == ", " ? "," : style.item_separator;
    if (depth > 100 || out.size() > style.limit) {
        wrong = depth > 100 ? "a value that is nested too deep" : "a value that is too large";
        return false;
    }
    switch (v.data.index()) {
        case 1: out += "null"; return true;
        case 2: out += std::get<2>(v.data) ? "true" : "false"; return true;
        case 3: out += decimal(std::get<3>(v.data)); return true;
        case 4: {
            const double d = std::get<4>(v.data);
            out += std::isnan(d) ? "NaN" : std::isinf(d) ? (d < 0 ? "-Infinity" : "Infinity") : float_text(d);
            return true;
        }
        case 5: append_json_string(out, *std::get<5>(v.data), style.ascii); return true;
        case 6: {
            const jinja_list& l = *list_in(v);
            if (l.items.empty()) {
                out += "[]";
                return true;
            }
            out += '[';
            for (std::size_t i = 0; i < l.items.size(); ++i) {
                if (i > 0) out += comma;
                line(depth + 1);
                if (!append_json(out, l.items[i], style, depth + 1, wrong)) return false;
            }
            line(depth);
            out += ']';
            return true;
        }
        case 7: {
            const jinja_dict& d = *dict_in(v);
            if (d.is_namespace) break;
            if (d.entries.empty()) {
                out += "{}";
                return true;
            }
            std::vector<const std::pair<value, value>*> entries;
            for (const auto& entry : d.entries) entries.push_back(&entry);
            if (style.sort_keys)
                std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return text_of(a->first) < text_of(b->first); });
            out += '{';
            bool first = true;
            for (const auto* entry : entries) {
                if (!first) out += comma;
                first = false;
                line(depth + 1);
                std::string key;
                if (const std::string* const s = string_in(entry->first)) {
                    key = *s;
                } else if (entry->first.data.index() >= 5 || is_undefined(entry->first)) {
                    wrong = type_name(entry->first);
                    return false;
                } else {
                    (void)append_json(key, entry->first, style, depth, wrong);
                }
                append_json_string(out, key, style.ascii);
                out += style.key_separator;
                if (!append_json(out, entry->second, style, depth + 1, wrong)) return false;
            }
            line(depth);
            out += '}';
            return true;
        }
        default: break;
    }
    wrong = type_name(v);
    return false;
}

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
