// The filters of templates.
#ifndef HENCE_TEXT_DETAIL_JINJA_FILTERS_HPP
#define HENCE_TEXT_DETAIL_JINJA_FILTERS_HPP

#include "../../core/text.hpp"
#include "jinja_strings.hpp"

HENCE_NAMESPACE_BEGIN
namespace text::detail {

inline std::string escaped(std::string_view s) {
    std::string out;
    for (const char c : s) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&#34;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

/// a.b.0: what attribute= arguments name.
inline value jinja_machine::by_path(const value& v, const value& path) {
    if (const auto i = integer_in(path)) return item(v, path);
    const std::string* const names = string_in(path);
    if (names == nullptr) return fail("the name of an attribute", type_name(path));
    value at = v;
    for (std::size_t begin = 0; begin <= names->size() && !failed();) {
        const std::size_t end = std::min(names->find('.', begin), names->size());
        const std::string name = names->substr(begin, end - begin);
        const bool index = !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == std::string::npos;
        if (is_undefined(at)) return at;
        at = item(at, index ? value(static_cast<std::int64_t>(std::atoi(name.c_str()))) : value(name));
        begin = end + 1;
    }
    return at;
}

inline value jinja_machine::filter(const std::string& name, const value& v, const call_arguments& arguments) {
    const value* const a = arguments.get(0, name == "default" || name == "d" ? "default_value" : name == "trim" ? "chars" : name == "attr" ? "name" : name == "indent" ? "width" : "");
    const value* const b = arguments.get(1, name == "default" || name == "d" ? "boolean" : "first");
    if (name == "default" || name == "d") {
        const bool absent = is_undefined(v) || (b != nullptr && truth(*b) && !truth(v));
        return !absent ? v : a != nullptr ? *a : value("");
    }
    if (name == "tojson") return json_filter(v, arguments);
    if (name == "from_json") {  // not Jinja's own: templates made for other engines read arguments of tools with it
        const std::string* const text = string_in(v);
        if (text == nullptr) return fail("a string of JSON", is_undefined(v) ? why_undefined(v) : type_name(v));
        if (!charge(1 + text->size(), text->size() * 16)) return {};
        auto read = jinja_value::from_json(*text);
        return read ? std::move(*read) : fail("JSON", read.error().message());
    }
    if (name == "string" || name == "safe") return string_in(v) != nullptr ? v : made(shown(v));
    if (name == "attr" && dict_in(v) != nullptr && !dict_in(v)->is_namespace && a != nullptr && string_in(*a) != nullptr && !has_method(v, *string_in(*a)))
        return undefined(concat({"a dictionary has no attribute ", quote(*string_in(*a))}));  // its keys are no attributes
    if (name == "attr") return a != nullptr && string_in(*a) != nullptr ? attribute(v, *string_in(*a)) : fail("the name of an attribute", "none");
    if (name == "items") {
        if (is_undefined(v)) return made(std::vector<value>{});
        if (dict_in(v) == nullptr) return fail("a dictionary", type_name(v));
        return container_method(v, "items", {});
    }
    if (name == "length" || name == "count") {
        if (is_undefined(v)) return value(std::int64_t{0});
        if (const std::string* const s = string_in(v)) return value(static_cast<std::int64_t>(characters_in(*s)));
        if (const jinja_list* const l = list_in(v)) return value(static_cast<std::int64_t>(l->items.size()));
        if (const jinja_dict* const d = dict_in(v)) return value(static_cast<std::int64_t>(d->entries.size()));
        return fail("something that has a length", type_name(v));
    }
    if (name == "abs" || name == "int" || name == "float" || name == "round") return number_filter(name, v, arguments);
    if (name == "map") return map_filter(v, arguments);
    if (name == "select" || name == "reject" || name == "selectattr" || name == "rejectattr") return choosing_filter(name, v, arguments);
    constexpr std::string_view of_lists[] = {"batch", "dictsort", "first", "groupby", "join", "last", "list", "max", "min", "reverse", "slice", "sort", "sum", "unique"};
    if (std::find(std::begin(of_lists), std::end(of_lists), name) != std::end(of_lists)) return list_filter(name, v, arguments);

    const std::string text = shown(v);
    if (!charge(1 + text.size() / 16)) return {};
    if (name == "trim") return made(std::string(stripped(text, a == nullptr ? nullptr : string_in(*a), true, true)));
    if (name == "upper") return made(to_upper(text));
    if (name == "lower") return made(to_lower(text));
    if (name == "capitalize") return made(capitalized(text));
    if (name == "e" || name == "escape" || name == "forceescape") return made(escaped(text));
    if (name == "title") {  // words are cut at spaces, '-' and opening brackets
        std::string out;
        bool start = true;
        for (std::size_t i = 0; i < text.size();) {
            const code_point c = decode_utf8(text, i);
            const std::string_view one = std::string_view(text).substr(i, c.length);
            out += start ? to_upper(one) : to_lower(one);
            start = is_whitespace(c.value) || one == "-" || one == "(" || one == "{" || one == "[" || one == "<";
            i += c.length;
        }
        return made(std::move(out));
    }
    if (name == "replace") {
        call_arguments given = arguments;
        for (value& argument : given.list)
            if (string_in(argument) == nullptr && !integer_in(argument)) argument = value(text_of(argument));
        return string_method(text, "replace", given);
    }
    if (name == "center") return string_method(text, "center", arguments.list.empty() ? call_arguments{{value(std::int64_t{80})}, {}, {}} : arguments);
    if (name == "format") {
        if (arguments.named.empty()) return formatted(text, make_list(arguments.list, true));
        auto d = std::make_shared<jinja_dict>();
        for (const auto& [key, item] : arguments.named) d->set(value(key), item);
        return formatted(text, value(value::storage(std::move(d))));
    }
    if (name == "indent") {
        const value* const blank = arguments.get(2, "blank");
        const std::int64_t width = a == nullptr || string_in(*a) != nullptr ? 4 : integer_in(*a).value_or(4);
        if (width > 10000) return fail("a width of at most 10000", decimal(width), errc::out_of_range);
        const std::string space = a != nullptr && string_in(*a) != nullptr ? *string_in(*a) : std::string(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
        std::string out = b != nullptr && truth(*b) ? space : std::string();
        if (!charge_lines(text)) return {};
        const std::vector<value> lines = lines_of(concat({text, "\n"}), false);
        if (!charge(1, text.size() + lines.size() * (space.size() + 64))) return {};
        for (std::size_t i = 0; i < lines.size(); ++i) {
            const std::string& line = *string_in(lines[i]);
            if (i > 0) out += "\n";
            if (i > 0 && (!line.empty() || (blank != nullptr && truth(*blank)))) out += space;
            out += line;
        }
        return made(std::move(out));
    }
    if (name == "wordcount") {
        std::int64_t count = 0;
        bool inside = false;
        for (std::size_t i = 0; i < text.size();) {
            const code_point c = decode_utf8(text, i);
            const category k = general_category(c.value);
            const bool word = is_letter(k) || is_number(k) || c.value == '_';
            count += word && !inside;
            inside = word;
            i += c.length;
        }
        return value(count);
    }
    if (name == "truncate") {
        const value* const width = arguments.get(0, "length");
        const value* const kill = arguments.get(1, "killwords");
        const value* const end = arguments.get(2, "end");
        const value* const leeway = arguments.get(3, "leeway");
        const std::string tail = end == nullptr ? "..." : text_of(*end);
        const std::int64_t size = width == nullptr ? 255 : integer_in(*width).value_or(255);
        const character_offsets offsets(text);
        const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
        if (count <= size + (leeway == nullptr ? 5 : integer_in(*leeway).value_or(5))) return made(text);
        const std::int64_t kept = std::max<std::int64_t>(size - static_cast<std::int64_t>(characters_in(tail)), 0);
        std::string out = text.substr(0, offsets[static_cast<std::size_t>(std::min(kept, count))]);
        if (kill == nullptr || !truth(*kill)) {
            const std::size_t space = out.rfind(' ');
            if (space != std::string::npos) out.resize(space);
        }
        return made(out + tail);
    }
    if (name == "urlencode") {
        std::string out;
        for (const char c : text) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("_.-~/").find(c) != std::string_view::npos;
            if (plain) {
                out += c;
            } else {
                out += '%';
                out += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
                out += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
            }
        }
        return made(std::move(out));
    }
    std::string plain;  // striptags
    bool tag = false;
    for (const char c : text) {
        if (c == '<') tag = true;
        if (!tag) plain += c;
        if (c == '>') tag = false;
    }
    std::string out;
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const bool space = plain[i] == ' ' || (plain[i] >= '\t' && plain[i] <= '\r');
        if (!space) {
            out += plain[i];
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    return made(std::string(stripped(out, nullptr, true, true)));
}

inline value jinja_machine::json_filter(const value& v, const call_arguments& arguments) {
    json_style style;
    style.limit = bytes_left_;
    for (const auto& [key, given] : arguments.named) {
        if (key == "indent") {
            if (const auto i = integer_in(given)) style.indent = static_cast<int>(std::clamp<std::int64_t>(*i, 0, 100));
        } else if (key == "ensure_ascii") {
            style.ascii = truth(given);
        } else if (key == "sort_keys") {
            style.sort_keys = truth(given);
        } else if (key == "separators") {
            if (is_none(given)) continue;
            const jinja_list* const two = list_in(given);
            if (two == nullptr || two->items.size() != 2 || string_in(two->items[0]) == nullptr || string_in(two->items[1]) == nullptr)
                return fail("two strings as separators", type_name(given));
            style.item_separator = *string_in(two->items[0]);
            style.key_separator = *string_in(two->items[1]);
        } else {
            return fail("indent, ensure_ascii, separators or sort_keys", quote(key), errc::unsupported);
        }
    }
    if (!arguments.list.empty())
        if (const auto i = integer_in(arguments.list[0])) style.indent = static_cast<int>(std::clamp<std::int64_t>(*i, 0, 100));
    std::string out;
    std::string wrong;
    if (!append_json(out, v, style, 0, wrong)) return fail("a value that JSON can hold", wrong, wrong[0] == 'a' ? errc::out_of_range : errc::bad_format);
    return made(std::move(out));
}

inline value jinja_machine::number_filter(const std::string& name, const value& v, const call_arguments& arguments) {
    const auto i = integer_in(v);
    const auto x = number_in(v);
    if (name == "abs") {
        if (!x) return fail("a number", type_name(v));
        return i ? value(*i < 0 ? -std::max(*i, -std::numeric_limits<std::int64_t>::max()) : *i) : value(std::fabs(*x));
    }
    if (name == "int" || name == "float") {
        const value* const otherwise = arguments.get(0, "default");
        if (name == "int" && i) return value(*i);
        if (name == "float" && x) return value(*x);
        if (x && std::isfinite(*x)) return value(static_cast<std::int64_t>(std::clamp(std::trunc(*x), -9.2e18, 9.2e18)));
        if (const std::string* const s = string_in(v)) {
            std::string_view t = stripped(*s, nullptr, true, true);
            if (t.size() > 1 && t[0] == '+') t.remove_prefix(1);
            const auto base_value = integer_in(arguments.get(1, "base") == nullptr ? value(std::int64_t{10}) : *arguments.get(1, "base"));
            const int base = static_cast<int>(std::clamp<std::int64_t>(base_value.value_or(10), 2, 36));
            std::int64_t whole = 0;
            double real = 0;
            if (base == 16 && t.size() > 2 && t[0] == '0' && (t[1] | 0x20) == 'x') t.remove_prefix(2);
            if (const auto end = std::from_chars(t.data(), t.data() + t.size(), whole, base); name == "int" && end.ec == std::errc() && end.ptr == t.data() + t.size()) return value(whole);
            if (const auto end = std::from_chars(t.data(), t.data() + t.size(), real); end.ec == std::errc() && end.ptr == t.data() + t.size()) {
                if (name == "float") return value(real);
                if (std::isfinite(real)) return value(static_cast<std::int64_t>(std::clamp(std::trunc(real), -9.2e18, 9.2e18)));
            }
        }
        return otherwise != nullptr ? *otherwise : name == "int" ? value(std::int64_t{0}) : value(0.0);
    }
    const value* const digits_value = arguments.get(0, "precision");
    const value* const method_value = arguments.get(1, "method");
    const std::string method = method_value == nullptr ? "common" : text_of(*method_value);
    const auto digits = static_cast<int>(std::clamp<std::int64_t>(digits_value == nullptr ? 0 : integer_in(*digits_value).value_or(0), -300, 300));
    if (!x) return fail("a number to round", type_name(v));
    if (method == "common") {
        if (i && digits >= 0) return value(*i);
        if (digits >= 0 && digits <= 60 && std::fabs(*x) < 1e60) {  // as the decimal digits round, like Python's round()
            double rounded = 0;
            const std::string text = fixed_text(*x, digits);
            (void)std::from_chars(text.data(), text.data() + text.size(), rounded);
            return value(rounded);
        }
        const double scale = std::pow(10.0, digits);
        const double rounded = std::nearbyint(*x * scale) / scale;
        return i ? value(static_cast<std::int64_t>(rounded)) : value(rounded);
    }
    if (method != "ceil" && method != "floor") return fail("common, ceil or floor", quote(method));
    const double scale = std::pow(10.0, digits);
    return value((method == "ceil" ? std::ceil(*x * scale) : std::floor(*x * scale)) / scale);
}

inline value jinja_machine::map_filter(const value& v, const call_arguments& arguments) {
    std::vector<value> items;
    if (truth(v) && !iterate(v, items)) return {};  // none and false have no items here
    const value* const path = arguments.list.empty() ? arguments.get(0, "attribute") : nullptr;
    std::vector<value> out;
    if (path != nullptr) {
        const value* otherwise = nullptr;
        for (const auto& [key, given] : arguments.named)
            if (key == "default") otherwise = &given;
        for (const value& one : items) {
            value found = by_path(one, *path);
            if (failed()) return {};
            out.push_back(is_undefined(found) && otherwise != nullptr ? *otherwise : found);
        }
        return made(std::move(out));
    }
    const std::string* const name = arguments.list.empty() ? nullptr : string_in(arguments.list[0]);
    if (name == nullptr || std::find(std::begin(known_filters), std::end(known_filters), *name) == std::end(known_filters))
        return fail("attribute= or the name of a filter for map", name == nullptr ? "none" : quote(*name));
    call_arguments rest = arguments;
    rest.list.erase(rest.list.begin());
    const deeper guard(*this);
    for (const value& one : items) {
        out.push_back(filter(*name, one, rest));
        if (failed()) return {};
    }
    return made(std::move(out));
}

inline value jinja_machine::choosing_filter(const std::string& name, const value& v, const call_arguments& arguments) {
    std::vector<value> items;
    if (truth(v) && !iterate(v, items)) return {};
    const bool by_attribute = name.size() > 6;
    const bool wanted = name[0] == 's';
    call_arguments rest = arguments;
    value path;
    if (by_attribute) {
        if (rest.list.empty()) return fail(concat({"the name of an attribute for ", name}), "none");
        path = rest.list[0];
        rest.list.erase(rest.list.begin());
    }
    std::string test_name;
    if (!rest.list.empty()) {
        test_name = text_of(rest.list[0]);
        if (std::find(std::begin(known_tests), std::end(known_tests), test_name) == std::end(known_tests)) return fail("a test of Jinja", quote(test_name), errc::unsupported);
        rest.list.erase(rest.list.begin());
    }
    std::vector<value> out;
    for (const value& one : items) {
        const value subject = by_attribute ? by_path(one, path) : one;
        if (!charge(1)) return {};
        const bool holds = test_name.empty() ? truth(subject) : test(test_name, subject, rest);
        if (failed()) return {};
        if (holds == wanted) out.push_back(one);
    }
    return made(std::move(out));
}

inline value jinja_machine::list_filter(const std::string& name, const value& v, const call_arguments& arguments) {
    if (const std::string* const s = string_in(v); s != nullptr && (name == "first" || name == "last")) {  // without all the others
        if (s->empty()) return undefined(concat({"an empty string has no ", name, " character"}));
        const character_offsets offsets(*s);
        const std::size_t last = offsets.size() - 2;
        return value(name == "first" ? s->substr(0, offsets[1]) : s->substr(offsets[last]));
    }
    std::vector<value> items;
    if (name != "dictsort" && !iterate(v, items)) return {};
    if (!charge(1 + items.size())) return {};
    const auto named = [&](std::size_t i, std::string_view key) { return arguments.get(i, key); };
    const auto flag = [&](std::size_t i, std::string_view key) { return named(i, key) != nullptr && truth(*named(i, key)); };
    if (name == "first") return items.empty() ? undefined("the sequence has no first item") : items.front();
    if (name == "last") return items.empty() ? undefined("the sequence has no last item") : items.back();
    if (name == "list") return made(std::move(items));
    if (name == "reverse") {
        std::reverse(items.begin(), items.end());
        if (string_in(v) == nullptr) return made(std::move(items));
        std::string out;
        for (const value& one : items) out += *string_in(one);
        return made(std::move(out));
    }
    if (name == "join") {
        const std::string separator = named(0, "d") == nullptr ? std::string() : text_of(*named(0, "d"));
        const value* const path = named(1, "attribute");
        std::string out;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (i > 0) out += separator;
            append_text(out, path == nullptr ? items[i] : by_path(items[i], *path), false, bytes_left_);
            if (failed()) return {};
            if (out.size() > bytes_left_) return charge(0, out.size()), value();
        }
        return made(std::move(out));
    }
    if (name == "batch" || name == "slice") {
        const auto count = named(0, name == "batch" ? "linecount" : "slices") == nullptr ? std::nullopt : integer_in(*named(0, name == "batch" ? "linecount" : "slices"));
        const value* const fill = named(1, "fill_with");
        if (!count || *count <= 0 || *count > 100000) return fail(concat({"a number from 1 to 100000 for ", name}), "none");
        std::vector<value> out;
        const auto parts = static_cast<std::size_t>(*count);
        if (name == "batch") {
            for (std::size_t i = 0; i < items.size(); i += parts) {
                std::vector<value> row(items.begin() + static_cast<std::ptrdiff_t>(i), items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), i + parts)));
                while (fill != nullptr && row.size() < parts && charge(1, sizeof(value))) row.push_back(*fill);
                out.push_back(made(std::move(row)));
            }
        } else {
            const std::size_t each = items.size() / parts;
            const std::size_t longer = items.size() % parts;
            std::size_t at = 0;
            for (std::size_t i = 0; i < parts; ++i) {
                const std::size_t size = each + (i < longer ? 1 : 0);
                std::vector<value> column(items.begin() + static_cast<std::ptrdiff_t>(at), items.begin() + static_cast<std::ptrdiff_t>(at + size));
                if (fill != nullptr && i >= longer && longer > 0) column.push_back(*fill);
                at += size;
                out.push_back(made(std::move(column)));
            }
        }
        return made(std::move(out));
    }
    if (name == "sum") {
        const value* const path = named(0, "attribute");
        const value* const start = named(1, "start");
        std::int64_t whole = start == nullptr ? 0 : integer_in(*start).value_or(0);
        double real = start != nullptr && !integer_in(*start) ? number_in(*start).value_or(0) : 0;
        bool exact = start == nullptr || integer_in(*start);
        if (const jinja_list* const first = start == nullptr ? nullptr : list_in(*start)) {  // lists, one after the other
            std::vector<value> all = first->items;
            for (const value& one : items) {
                const value part = path == nullptr || is_none(*path) ? one : by_path(one, *path);
                const jinja_list* const more = list_in(part);
                if (more == nullptr || more->tuple != first->tuple) return fail("lists to add", type_name(part));
                if (!charge(1 + all.size() / 16, more->items.size() * sizeof(value))) return {};
                all.insert(all.end(), more->items.begin(), more->items.end());
            }
            return made(std::move(all), first->tuple);
        }
        for (const value& one : items) {
            const value number = path == nullptr || is_none(*path) ? one : by_path(one, *path);
            if (!number_in(number)) return fail("numbers to add", type_name(number));
            if (!integer_in(number)) exact = false;
            real += *number_in(number);
            if (exact && __builtin_add_overflow(whole, *integer_in(number), &whole)) return fail("a sum below 2^63", "a larger one", errc::out_of_range);
        }
        return exact ? value(whole) : value(real + (start != nullptr && integer_in(*start) ? static_cast<double>(*integer_in(*start)) : 0.0));
    }

    // What is left compares: sort, dictsort, unique, min, max, groupby.
    const auto key_of = [&](const value& one, const value* path, bool sensitive) {
        value key = path == nullptr || is_none(*path) ? one : by_path(one, *path);
        if (!sensitive && string_in(key) != nullptr) key = value(to_lower(*string_in(key)));
        return key;
    };
    struct keyed {
        value key;
        value item;
    };
    std::vector<keyed> pairs;
    const auto sorted = [&](bool reverse) {
        std::uint64_t log = 1;
        while ((std::uint64_t{1} << log) < pairs.size()) ++log;
        if (!charge(pairs.size() * log)) return;
        bool comparable = true;
        const auto less = [&](const keyed& a, const keyed& b) {
            const auto sign = reverse ? ordered(b.key, a.key) : ordered(a.key, b.key);
            if (!sign && !same(a.key, b.key)) comparable = false;  // two without the attribute are alike
            return sign && *sign < 0;
        };
        std::stable_sort(pairs.begin(), pairs.end(), less);
        if (!comparable) (void)fail("values that have an order", "values of different types");
    };
    std::vector<value> out;
    if (name == "dictsort") {
        const jinja_dict* const d = dict_in(v);
        if (d == nullptr) return fail("a dictionary to sort", type_name(v));
        const value* const by = named(1, "by");
        const bool by_value = by != nullptr && text_of(*by) == "value";
        for (const auto& [key, item] : d->entries) pairs.push_back({key_of(by_value ? item : key, nullptr, flag(0, "case_sensitive")), make_list({key, item}, true)});
        sorted(flag(2, "reverse"));
        for (keyed& p : pairs) out.push_back(std::move(p.item));
        return made(std::move(out));
    }
    if (name == "sort" || name == "groupby") {
        const value* const path = name == "sort" ? named(2, "attribute") : named(0, "attribute");
        const bool sensitive = name == "sort" ? flag(1, "case_sensitive") : flag(2, "case_sensitive");
        for (const value& one : items) {
            if (path != nullptr && string_in(*path) != nullptr && string_in(*path)->find(',') != std::string::npos) {  // several attributes
                std::vector<value> keys;
                for (std::size_t begin = 0; begin <= string_in(*path)->size();) {
                    const std::size_t end = std::min(string_in(*path)->find(',', begin), string_in(*path)->size());
                    const value part = value(string_in(*path)->substr(begin, end - begin));
                    keys.push_back(key_of(one, &part, sensitive));
                    begin = end + 1;
                }
                pairs.push_back({make_list(std::move(keys), true), one});
            } else {
                pairs.push_back({key_of(one, path, sensitive), one});
            }
        }
        if (failed()) return {};
        sorted(name == "sort" && flag(0, "reverse"));
        if (name == "sort") {
            for (keyed& p : pairs) out.push_back(std::move(p.item));
            return made(std::move(out));
        }
        for (std::size_t i = 0; i < pairs.size();) {
            std::size_t end = i;
            std::vector<value> group;
            for (; end < pairs.size() && same(pairs[end].key, pairs[i].key); ++end) group.push_back(pairs[end].item);
            out.push_back(make_list({path == nullptr ? pairs[i].key : by_path(pairs[i].item, *path), made(std::move(group))}, true));
            i = end;
        }
        return made(std::move(out));
    }
    const value* const path = named(1, "attribute");
    const bool sensitive = flag(0, "case_sensitive");
    if (name == "unique") {
        piece_table seen;
        for (const value& one : items) {
            const std::string key = jinja_dict::encode(key_of(one, path, sensitive));
            if (failed()) return {};
            if (key.empty()) return fail("items that can be keys", type_name(one));
            const auto next = static_cast<std::uint32_t>(seen.size());
            if (seen.insert(key, next) == next && seen.size() == next + 1) out.push_back(one);
        }
        return made(std::move(out));
    }
    if (items.empty()) return undefined(concat({"an empty sequence has no ", name}));  // min, max
    std::size_t best = 0;
    for (std::size_t i = 1; i < items.size(); ++i) {
        const auto sign = ordered(key_of(items[i], path, sensitive), key_of(items[best], path, sensitive));
        if (!sign) return fail("values that have an order", concat({type_name(items[i]), " and ", type_name(items[best])}));
        if (name == "min" ? *sign < 0 : *sign > 0) best = i;
    }
    return items[best];
}

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
