// What templates can call: operators, attributes, functions, macros, methods of lists and dictionaries, tests.
#ifndef HENCE_TEXT_DETAIL_JINJA_BUILTINS_HPP
#define HENCE_TEXT_DETAIL_JINJA_BUILTINS_HPP

#include "../../core/text.hpp"
#include "jinja_machine.hpp"

HENCE_NAMESPACE_BEGIN
namespace text::detail {

inline constexpr std::string_view known_filters[] = {
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "forceescape", "format", "from_json", "groupby",
    "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe",
    "select", "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode", "wordcount"};

inline constexpr std::string_view known_tests[] = {
    "!=", "<", "<=", "==", ">", ">=", "boolean", "callable", "defined", "divisibleby", "eq", "equalto", "escaped", "even", "false", "filter", "float", "ge",
    "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "none", "number", "odd", "sameas", "sequence",
    "string", "test", "true", "undefined", "upper"};

inline bool jinja_parser::is_known_filter(std::string_view name) {
    return std::find(std::begin(known_filters), std::end(known_filters), name) != std::end(known_filters);
}
inline bool jinja_parser::is_known_test(std::string_view name) {
    return std::find(std::begin(known_tests), std::end(known_tests), name) != std::end(known_tests);
}

inline std::size_t characters_in(std::string_view s) noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < s.size(); i += static_cast<unsigned char>(s[i]) < 0x80 ? 1 : decode_utf8(s, i).length) ++count;
    return count;
}

/// Where the characters of a string begin, and its end. Every 64th place is kept, for strings may be long; none where
/// all characters are of one byte.
class character_offsets {
public:
    explicit character_offsets(std::string_view s) : text_(s) {
        if (std::all_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
            count_ = s.size();
            return;
        }
        for (std::size_t i = 0; i < s.size(); i += decode_utf8(s, i).length)
            if (count_++ % each == 0) places_.push_back(i);
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_ + 1; }
    /// Neighbours cost little, whatever the direction: the last 64 places looked at are remembered.
    [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept {
        if (places_.empty()) return i;
        if (i >= count_) return text_.size();
        if (i / each != block_) {
            block_ = i / each;
            std::size_t at = places_[block_];
            for (std::size_t k = 0; k < each; ++k) {
                near_[k] = at;
                if (at < text_.size()) at += decode_utf8(text_, at).length;
            }
        }
        return near_[i % each];
    }

private:
    static constexpr std::size_t each = 64;
    std::string_view text_;
    std::vector<std::size_t> places_;
    std::size_t count_ = 0;
    mutable std::size_t block_ = static_cast<std::size_t>(-1);
    mutable std::array<std::size_t, each> near_{};
};

// --- operators -------------------------------------------------------------------------------------------

inline value jinja_machine::arithmetic(const jinja_node& n) {
    const value a = evaluate(n.kids[0]);
    const value b = n.kids.size() > 1 ? evaluate(n.kids[1]) : value(std::int64_t{0});
    if (failed()) return {};
    const bool formats = n.kind == node_kind::modulo && string_in(a) != nullptr;
    for (const value* v : {&a, &b})
        if (is_undefined(*v) && !formats) return fail("a value", why_undefined(*v));
    const auto i = integer_in(a);
    const auto j = integer_in(b);
    const auto x = number_in(a);
    const auto y = number_in(b);
    const auto wrong = [&] { return fail("operands that fit", concat({type_name(a), " and ", type_name(b)})); };
    const auto too_large = [&] { return fail("a number below 2^63", "a larger one", errc::out_of_range); };
    std::int64_t whole = 0;
    switch (n.kind) {
        case node_kind::minus:
            if (!x) return fail("a number", type_name(a));
            if (!i) return value(-*x);
            return __builtin_sub_overflow(std::int64_t{0}, *i, &whole) ? too_large() : value(whole);
        case node_kind::plus:
            if (!x) return fail("a number", type_name(a));
            return i ? value(*i) : value(*x);
        case node_kind::add:
            if (i && j) return __builtin_add_overflow(*i, *j, &whole) ? too_large() : value(whole);
            if (x && y) return value(*x + *y);
            if (string_in(a) != nullptr && string_in(b) != nullptr) {
                if (!charge(1, string_in(a)->size() + string_in(b)->size())) return {};
                return made(*string_in(a) + *string_in(b));
            }
            if (list_in(a) != nullptr && list_in(b) != nullptr && list_in(a)->tuple == list_in(b)->tuple) {
                std::vector<value> items = list_in(a)->items;
                items.insert(items.end(), list_in(b)->items.begin(), list_in(b)->items.end());
                return made(std::move(items), list_in(a)->tuple);
            }
            return wrong();
        case node_kind::subtract:
            if (i && j) return __builtin_sub_overflow(*i, *j, &whole) ? too_large() : value(whole);
            return x && y ? value(*x - *y) : wrong();
        case node_kind::multiply: {
            if (i && j) return __builtin_mul_overflow(*i, *j, &whole) ? too_large() : value(whole);
            if (x && y) return value(*x * *y);
            const value& repeated = j ? a : b;
            const auto count = j ? j : i;
            if (!count) return wrong();
            const auto times = static_cast<std::uint64_t>(std::max<std::int64_t>(*count, 0));
            if (const std::string* const s = string_in(repeated)) {
                if (times > 0 && s->size() > bytes_left_ / times) return charge(0, bytes_left_ + 1), value();
                const std::size_t size = s->size() * static_cast<std::size_t>(times);
                std::string out = times > 0 ? *s : std::string();
                out.reserve(size);
                while (out.size() < size) out.append(out, 0, std::min(out.size(), size - out.size()));
                return made(std::move(out));
            }
            if (const jinja_list* const l = list_in(repeated)) {
                if (times > 0 && l->items.size() > bytes_left_ / times / sizeof(value)) return charge(0, bytes_left_ + 1), value();
                std::vector<value> items;
                for (std::uint64_t k = 0; k < times && !l->items.empty(); ++k) items.insert(items.end(), l->items.begin(), l->items.end());
                return made(std::move(items), l->tuple);
            }
            return wrong();
        }
        case node_kind::divide:
            if (!x || !y) return wrong();
            return *y == 0 ? fail("a divisor", "division by zero") : value(*x / *y);
        case node_kind::floor_divide:
            if (!x || !y) return wrong();
            if (*y == 0) return fail("a divisor", "division by zero");
            if (!i || !j) return value(std::floor(*x / *y));
            if (*j == -1) return __builtin_sub_overflow(std::int64_t{0}, *i, &whole) ? too_large() : value(whole);
            whole = *i / *j;
            return value(whole - ((*i % *j != 0 && (*i < 0) != (*j < 0)) ? 1 : 0));
        case node_kind::modulo: {
            if (formats) return formatted(*string_in(a), b);
            if (!x || !y) return wrong();
            if (*y == 0) return fail("a divisor", "modulo by zero");
            if (!i || !j) {
                const double r = std::fmod(*x, *y);
                return value(r != 0 && (r < 0) != (*y < 0) ? r + *y : r);
            }
            if (*j == -1) return value(std::int64_t{0});
            whole = *i % *j;
            return value(whole != 0 && (whole < 0) != (*j < 0) ? whole + *j : whole);
        }
        case node_kind::power: {
            if (!x || !y) return wrong();
            if (!i || !j || *j < 0) return value(std::pow(*x, *y));
            whole = 1;
            std::int64_t base = *i;
            for (std::int64_t e = *j; e > 0; e >>= 1) {
                if ((e & 1) != 0 && __builtin_mul_overflow(whole, base, &whole)) return too_large();
                if (e > 1 && __builtin_mul_overflow(base, base, &base)) return too_large();
            }
            return value(whole);
        }
        default: return wrong();
    }
}

// --- attributes and items ----------------------------------------------------------------------------------

inline bool has_method(const value& v, std::string_view name) {
    constexpr std::string_view of_strings[] = {"capitalize", "casefold", "center", "count", "endswith", "find", "format", "index", "isalnum", "isalpha",
                                               "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "ljust",
                                               "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust",
                                               "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill"};
    constexpr std::string_view of_dicts[] = {"clear", "copy", "get", "items", "keys", "pop", "setdefault", "update", "values"};
    constexpr std::string_view of_lists[] = {"append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse"};
    const auto in = [&](const auto& names) { return std::find(std::begin(names), std::end(names), name) != std::end(names); };
    if (string_in(v) != nullptr) return in(of_strings);
    if (const jinja_dict* const d = dict_in(v)) return !d->is_namespace && in(of_dicts);
    if (const jinja_list* const l = list_in(v)) return l->tuple ? name == "count" || name == "index" : in(of_lists);
    return false;
}

inline value jinja_machine::attribute(const value& v, const std::string& name) {
    if (is_undefined(v)) return fail(concat({"a value with the attribute ", quote(name)}), why_undefined(v));
    if (has_method(v, name)) {
        auto f = std::make_shared<jinja_callable>();
        f->what = jinja_callable::kind::method;
        f->name = name;
        f->self = v;
        return value(value::storage(std::move(f)));
    }
    if (jinja_dict* const d = dict_in(v))
        if (const value* const found = d->find_name(name)) return *found;
    if (const auto* const f = std::get_if<value_call>(&v.data)) {
        jinja_callable& c = **f;
        if (c.what == jinja_callable::kind::loop) return loop_attribute(*c.loop, v, name);
        if (c.what == jinja_callable::kind::macro && name == "name") return value(c.name);
        if (c.what == jinja_callable::kind::cycler && name == "current") return list_in(c.self)->items[c.position % list_in(c.self)->items.size()];
        if (c.what == jinja_callable::kind::cycler && (name == "next" || name == "reset")) {
            auto method = std::make_shared<jinja_callable>();
            method->what = jinja_callable::kind::method;
            method->name = name;
            method->self = v;
            return value(value::storage(std::move(method)));
        }
    }
    return undefined(concat({"'", type_name(v), " object' has no attribute '", name, "'"}));
}

inline value jinja_machine::loop_attribute(jinja_loop& loop, const value& self, const std::string& name) {
    const auto count = static_cast<std::int64_t>(loop.items->size());
    const auto at = static_cast<std::int64_t>(loop.index);
    if (name == "index") return value(at + 1);
    if (name == "index0") return value(at);
    if (name == "revindex") return value(count - at);
    if (name == "revindex0") return value(count - at - 1);
    if (name == "first") return value(at == 0);
    if (name == "last") return value(at + 1 == count);
    if (name == "length") return value(count);
    if (name == "depth") return value(loop.depth + 1);
    if (name == "depth0") return value(loop.depth);
    if (name == "previtem") return at > 0 ? (*loop.items)[loop.index - 1] : undefined("there is no previous item");
    if (name == "nextitem") return at + 1 < count ? (*loop.items)[loop.index + 1] : undefined("there is no next item");
    if (name == "cycle" || name == "changed") {
        auto f = std::make_shared<jinja_callable>();
        f->what = jinja_callable::kind::method;
        f->name = name;
        f->self = self;
        return value(value::storage(std::move(f)));
    }
    return undefined(concat({"'loop' has no attribute '", name, "'"}));
}

inline value jinja_machine::item(const value& v, const value& key) {
    if (is_undefined(v)) return fail("a value with items", why_undefined(v));
    if (jinja_dict* const d = dict_in(v); d != nullptr && !d->is_namespace) {
        if (const value* const found = d->find(key)) return *found;
    } else if (const auto i = integer_in(key)) {
        if (const jinja_list* const l = list_in(v)) {
            const auto size = static_cast<std::int64_t>(l->items.size());
            const std::int64_t at = *i < 0 ? *i + size : *i;
            if (at >= 0 && at < size) return l->items[static_cast<std::size_t>(at)];
            return undefined(concat({"the list has no item ", *i}));
        }
        if (const std::string* const s = string_in(v)) {
            if (!charge(1 + s->size() / 16)) return {};
            const character_offsets offsets(*s);
            const auto size = static_cast<std::int64_t>(offsets.size()) - 1;
            const std::int64_t at = *i < 0 ? *i + size : *i;
            if (at < 0 || at >= size) return undefined(concat({"the string has no character ", *i}));
            const auto k = static_cast<std::size_t>(at);
            return value(s->substr(offsets[k], offsets[k + 1] - offsets[k]));
        }
    }
    if (const std::string* const name = string_in(key)) return attribute(v, *name);
    return undefined(concat({"'", type_name(v), " object' has no item ", text_of(key)}));
}

inline value jinja_machine::slice(const value& v, const jinja_node& n) {
    std::optional<std::int64_t> parts[3];
    for (std::size_t i = 0; i < 3; ++i) {
        if (n.kids[i] == no_node) continue;
        const value part = evaluate(n.kids[i]);
        if (failed()) return {};
        parts[i] = integer_in(part);
        if (!parts[i] && !is_none(part)) return fail("whole numbers in a slice", type_name(part));
    }
    const std::string* const s = string_in(v);
    const jinja_list* const l = list_in(v);
    if (is_undefined(v)) return fail("a value with items", why_undefined(v));
    if (s == nullptr && l == nullptr) return fail("a string or list to slice", type_name(v));
    const std::int64_t step = parts[2].value_or(1);
    if (step == 0) return fail("a step", "zero");
    const character_offsets offsets(s != nullptr ? std::string_view(*s) : std::string_view());
    const auto size = static_cast<std::int64_t>(s != nullptr ? offsets.size() - 1 : l->items.size());
    if (!charge(1 + static_cast<std::uint64_t>(size) / (s != nullptr && step != 1 ? 2 : 16))) return {};
    const auto bound = [&](std::optional<std::int64_t> given, std::int64_t otherwise) {
        if (!given) return otherwise;
        const std::int64_t at = *given < 0 ? *given + size : *given;
        return std::clamp<std::int64_t>(at, step < 0 ? -1 : 0, step < 0 ? size - 1 : size);
    };
    const std::int64_t begin = bound(parts[0], step < 0 ? size - 1 : 0);
    const std::int64_t end = bound(parts[1], step < 0 ? -1 : size);
    if (s != nullptr && step == 1) {
        const std::size_t from = offsets[static_cast<std::size_t>(std::min(begin, size))];
        return made(begin >= end ? std::string() : s->substr(from, offsets[static_cast<std::size_t>(end)] - from));
    }
    std::string text;
    std::vector<value> items;
    for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
        const auto k = static_cast<std::size_t>(i);
        if (s != nullptr) {
            const std::size_t at = offsets[k];
            text.append(*s, at, decode_utf8(*s, at).length);
        } else {
            items.push_back(l->items[k]);
        }
        if (__builtin_add_overflow(i, step, &i)) break;
    }
    return s != nullptr ? made(std::move(text)) : made(std::move(items), l->tuple);
}

// --- calls -------------------------------------------------------------------------------------------------

inline value jinja_machine::invoke(const value& callee, call_arguments& arguments) {
    const auto* const f = std::get_if<value_call>(&callee.data);
    if (f == nullptr) return fail("something to call", is_undefined(callee) ? why_undefined(callee) : type_name(callee));
    const value_call alive = *f;
    jinja_callable& c = *alive;
    switch (c.what) {
        case jinja_callable::kind::macro: return call_macro(c, arguments);
        case jinja_callable::kind::function: return call_function(c.name, arguments);
        case jinja_callable::kind::loop: {
            if (c.loop->node == no_node || !c.loop->outside) return fail("a loop that is 'recursive' to call", "one that is not");
            const value* const items = arguments.get(0, "iterable");
            if (items == nullptr) return fail("items for the loop", "none");
            const deeper guard(*this);
            std::string text;
            std::string* const outer = std::exchange(out_, &text);
            auto inner = std::exchange(scope_, c.loop->outside);
            if (!failed()) run_loop(c.loop->node, *items, c.loop->depth + 1);
            scope_ = std::move(inner);
            out_ = outer;
            return failed() ? value() : made(std::move(text));
        }
        case jinja_callable::kind::cycler: return fail("something to call", "a cycler: call its next()");
        case jinja_callable::kind::joiner: return c.position++ == 0 ? value("") : c.self;
        case jinja_callable::kind::method: break;
    }
    return call_method(c.self, c.name, arguments);
}

inline value jinja_machine::call_macro(const jinja_callable& f, call_arguments& arguments) {
    const deeper guard(*this);
    if (failed()) return {};
    if (!charge(16)) return {};  // scopes, arguments, a text of its own
    const jinja_node& n = p_.nodes[f.node];
    auto own = std::make_shared<jinja_scope>();
    own->parent = f.scope;
    const auto outer = std::exchange(scope_, own);
    std::vector<bool> used(arguments.named.size());
    for (std::size_t i = 0; i < n.arguments.size() && !failed(); ++i) {
        const node_argument& parameter = n.arguments[i];
        const std::uint32_t number = p_.name_numbers.find(parameter.name);
        std::optional<value> given;
        if (i < arguments.list.size()) given = arguments.list[i];
        for (std::size_t k = 0; k < arguments.named.size(); ++k)
            if (arguments.named[k].first == parameter.name) {
                if (given) (void)fail(concat({"one value for ", quote(parameter.name)}), "two");
                given = arguments.named[k].second;
                used[k] = true;
            }
        if (!given && parameter.node != no_node) given = evaluate(parameter.node);
        define(number, given ? *given : undefined(concat({"parameter '", parameter.name, "' was not provided"})));
    }
    const auto special = [&](std::string_view name, value v, std::size_t count) {
        const std::uint32_t number = p_.name_numbers.find(name);
        if (number != piece_table::none) {
            define(number, std::move(v));
        } else if (count > 0) {
            (void)fail(concat({"arguments that the macro ", quote(f.name), " takes"}), concat({count, " more"}));
        }
    };
    std::vector<value> further(arguments.list.begin() + static_cast<std::ptrdiff_t>(std::min(arguments.list.size(), n.arguments.size())), arguments.list.end());
    auto rest = std::make_shared<jinja_dict>();
    for (std::size_t k = 0; k < used.size(); ++k)
        if (!used[k]) rest->set(value(arguments.named[k].first), arguments.named[k].second);
    const std::size_t further_count = further.size();
    const std::size_t rest_count = rest->entries.size();
    special("varargs", make_list(std::move(further), true), further_count);
    special("kwargs", value(value::storage(rest)), rest_count);
    if (const std::uint32_t caller = p_.name_numbers.find("caller"); caller != piece_table::none && f.name != "caller")
        define(caller, is_undefined(arguments.caller) ? undefined("no caller defined") : arguments.caller);
    value text = failed() ? value() : captured(n.kids[0], false);
    scope_ = outer;
    return text;
}

inline value jinja_machine::call_function(const std::string& name, const call_arguments& arguments) {
    if (name == "raise_exception") {
        const value* const message = arguments.get(0, "message");
        if (!failure_)
            failure_ = make_error(errc::invalid_argument, concat({p_.file, ": line ", line_}), {}, message == nullptr ? std::string() : text_of(*message));
        return {};
    }
    if (name == "strftime_now") {
        const value* const pattern = arguments.get(0, "format");
        if (pattern == nullptr || string_in(*pattern) == nullptr) return fail("a format for strftime_now", pattern == nullptr ? "none" : type_name(*pattern));
        constexpr std::size_t most = 65536;  // no date is longer, and each two bytes may write ten
        if (string_in(*pattern)->size() > most)
            return fail(concat({"a format for strftime_now of at most ", most, " bytes"}), concat({string_in(*pattern)->size(), " bytes"}));
        return made(strftime(*string_in(*pattern)));
    }
    if (name == "range") {
        std::int64_t parts[3] = {0, 0, 1};
        if (arguments.list.empty() || arguments.list.size() > 3) return fail("one to three numbers for range", decimal(arguments.list.size()));
        for (std::size_t i = 0; i < arguments.list.size(); ++i) {
            const auto number = integer_in(arguments.list[i]);
            if (!number) return fail("whole numbers for range", type_name(arguments.list[i]));
            parts[arguments.list.size() == 1 ? 1 : i] = *number;
        }
        if (parts[2] == 0) return fail("a step for range", "zero");
        std::vector<value> items;
        for (std::int64_t i = parts[0]; parts[2] > 0 ? i < parts[1] : i > parts[1];) {
            items.emplace_back(i);
            if (items.size() > 100000) return fail("a range of at most 100000 items", "more", errc::out_of_range);
            if (__builtin_add_overflow(i, parts[2], &i)) break;
        }
        return made(std::move(items));
    }
    if (name == "cycler") {
        if (arguments.list.empty()) return fail("items for cycler", "none");
        auto f = std::make_shared<jinja_callable>();
        f->what = jinja_callable::kind::cycler;
        f->self = make_list(arguments.list);
        return value(value::storage(std::move(f)));
    }
    if (name == "joiner") {
        auto f = std::make_shared<jinja_callable>();
        f->what = jinja_callable::kind::joiner;
        f->self = arguments.get(0, "sep") == nullptr ? value(", ") : *arguments.get(0, "sep");
        return value(value::storage(std::move(f)));
    }
    auto d = std::make_shared<jinja_dict>();  // dict, namespace
    d->is_namespace = name == "namespace";
    for (const value& v : arguments.list) {
        if (const jinja_dict* const other = dict_in(v)) {
            for (const auto& [key, item] : other->entries) d->set(key, item);
        } else {
            std::vector<value> pairs;
            if (!iterate(v, pairs)) return {};
            for (const value& pair : pairs) {
                const jinja_list* const two = list_in(pair);
                if (two == nullptr || two->items.size() != 2 || jinja_dict::encode(two->items[0]).empty()) return fail("pairs of keys and values", type_name(pair));
                d->set(two->items[0], two->items[1]);
            }
        }
    }
    for (const auto& [key, v] : arguments.named) d->set(value(key), v);
    if (!charge(1, d->entries.size() * 96)) return {};
    if (d->is_namespace) namespaces_.push_back(d);
    return value(value::storage(std::move(d)));
}

inline std::string jinja_machine::strftime(const std::string& pattern) {
    constexpr const char* months[] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};
    constexpr const char* days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    constexpr int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const jinja_time& t = o_.now;
    const int month = std::clamp(t.month, 1, 12);
    const bool leap = (t.year % 4 == 0 && t.year % 100 != 0) || t.year % 400 == 0;
    const int day_of_year = before[month - 1] + t.day + (leap && month > 2 ? 1 : 0);
    const int shifted = month < 3 ? t.year - 1 : t.year;  // Sakamoto's weekday
    constexpr int offsets[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    const int weekday = (shifted + shifted / 4 - shifted / 100 + shifted / 400 + offsets[month - 1] + t.day) % 7;
    const auto digits = [](int number, int width, char fill = '0') {
        std::string s = decimal(number);
        if (static_cast<int>(s.size()) < width) s.insert(0, static_cast<std::size_t>(width) - s.size(), fill);
        return s;
    };
    std::string out;
    for (std::size_t i = 0; i < pattern.size() && out.size() <= bytes_left_; ++i) {
        if (pattern[i] != '%' || i + 1 == pattern.size()) {
            out += pattern[i];
            continue;
        }
        char c = pattern[++i];
        const bool bare = c == '-' && i + 1 < pattern.size();  // %-d: no leading zero
        if (bare) c = pattern[++i];
        const int two = bare ? 1 : 2;
        const int hour12 = t.hour % 12 == 0 ? 12 : t.hour % 12;
        switch (c) {
            case 'Y': out += digits(t.year, bare ? 1 : 4); break;
            case 'y': out += digits(t.year % 100, two); break;
            case 'm': out += digits(t.month, two); break;
            case 'd': out += digits(t.day, two); break;
            case 'e': out += digits(t.day, two, ' '); break;
            case 'H': out += digits(t.hour, two); break;
            case 'I': out += digits(hour12, two); break;
            case 'M': out += digits(t.minute, two); break;
            case 'S': out += digits(t.second, two); break;
            case 'f': out += "000000"; break;
            case 'p': out += t.hour < 12 ? "AM" : "PM"; break;
            case 'j': out += digits(day_of_year, bare ? 1 : 3); break;
            case 'w': out += digits(weekday, 1); break;
            case 'u': out += digits(weekday == 0 ? 7 : weekday, 1); break;
            case 'U': out += digits((day_of_year + 6 - weekday) / 7, two); break;
            case 'W': out += digits((day_of_year + 6 - (weekday + 6) % 7) / 7, two); break;
            case 'B': out += months[month - 1]; break;
            case 'b':
            case 'h': out += std::string(months[month - 1]).substr(0, 3); break;
            case 'A': out += days[weekday]; break;
            case 'a': out += std::string(days[weekday]).substr(0, 3); break;
            case 'F': out += concat({digits(t.year, 4), "-", digits(t.month, 2), "-", digits(t.day, 2)}); break;
            case 'D': out += concat({digits(t.month, 2), "/", digits(t.day, 2), "/", digits(t.year % 100, 2)}); break;
            case 'x': out += concat({digits(t.month, 2), "/", digits(t.day, 2), "/", digits(t.year % 100, 2)}); break;
            case 'T':
            case 'X': out += concat({digits(t.hour, 2), ":", digits(t.minute, 2), ":", digits(t.second, 2)}); break;
            case 'R': out += concat({digits(t.hour, 2), ":", digits(t.minute, 2)}); break;
            case 'c':
                out += concat({std::string(days[weekday]).substr(0, 3), " ", std::string(months[month - 1]).substr(0, 3), " ", digits(t.day, 2, ' '), " ", digits(t.hour, 2), ":", digits(t.minute, 2), ":", digits(t.second, 2), " ", digits(t.year, 4)});
                break;
            case 'Z':
            case 'z': break;  // a naive time has no zone
            case 'n': out += '\n'; break;
            case 't': out += '\t'; break;
            case '%': out += '%'; break;
            default:
                out += '%';
                out += c;
        }
    }
    return out;
}

inline value jinja_machine::call_method(const value& self, const std::string& name, const call_arguments& arguments) {
    if (!charge(4)) return {};
    if (const std::string* const s = string_in(self)) return string_method(*s, name, arguments);
    if (const auto* const f = std::get_if<value_call>(&self.data)) {
        jinja_callable& c = **f;
        if (c.what == jinja_callable::kind::cycler) {
            const std::vector<value>& items = list_in(c.self)->items;
            if (name == "reset") return c.position = 0, make_none();
            return items[c.position++ % items.size()];
        }
        if (name == "cycle") {
            if (arguments.list.empty()) return fail("items for loop.cycle", "none");
            return arguments.list[c.loop->index % arguments.list.size()];
        }
        const value now = make_list(arguments.list, true);  // loop.changed
        const bool unchanged = c.loop->changed && same(*c.loop->changed, now);
        c.loop->changed = now;
        return value(!unchanged);
    }
    return container_method(self, name, arguments);
}

inline value jinja_machine::container_method(const value& self, const std::string& name, const call_arguments& arguments) {
    const value* const first = arguments.get(0, "key");
    const value* const second = arguments.get(1, "default");
    if (jinja_dict* const d = dict_in(self)) {
        std::vector<value> items;
        if (name == "get") {
            if (first == nullptr) return fail("a key for get", "none");
            const value* const found = d->find(*first);
            return found != nullptr ? *found : second != nullptr ? *second : make_none();
        }
        if (name == "items") {
            for (const auto& [key, v] : d->entries) items.push_back(make_list({key, v}, true));
            return made(std::move(items));
        }
        if (name == "keys" || name == "values") {
            for (const auto& [key, v] : d->entries) items.push_back(name == "keys" ? key : v);
            return made(std::move(items));
        }
        if (name == "copy") {
            auto copy = std::make_shared<jinja_dict>();
            copy->entries = d->entries;
            if (!charge(1, d->entries.size() * 96)) return {};
            return value(value::storage(std::move(copy)));
        }
        if (name != "clear" && first == nullptr && arguments.named.empty()) return fail(concat({"an argument for ", name}), "none");
        namespaces_.push_back(std::get<value_dict>(self.data));  // changed: it may come to hold itself
        const bool grows = name == "update" || name == "setdefault";  // by an entry, its key as bytes and a place in the index
        if (!charge(grows ? 48 : 24 + d->entries.size() / 16, grows ? 192 : 96)) return {};
        if (name == "clear") return d->entries.clear(), *d = jinja_dict{}, make_none();
        if (name == "update") {
            if (first != nullptr)
                if (const jinja_dict* const other = dict_in(*first))
                    for (const auto& [key, v] : std::vector<std::pair<value, value>>(other->entries)) d->set(key, v);
            for (const auto& [key, v] : arguments.named) d->set(value(key), v);
            return make_none();
        }
        if (jinja_dict::encode(*first).empty()) return fail("a key that can be one", type_name(*first));
        const value* const found = d->find(*first);
        if (name == "setdefault") {
            if (found != nullptr) return *found;
            d->set(*first, second != nullptr ? *second : make_none());
            return *d->find(*first);
        }
        if (found == nullptr) return second != nullptr ? *second : fail("a key that is there", text_of(*first));
        const value taken = *found;  // pop
        d->erase(*first);
        return taken;
    }
    jinja_list* const l = list_in(self);
    if (l == nullptr) return fail("a method", quote(name));
    const value* const item = arguments.get(0, "value");
    if (name == "copy") return made(l->items);
    if (name == "count" || name == "index") {
        if (item == nullptr) return fail("an item to look for", "none");
        std::int64_t count = 0;
        (void)charge(1 + l->items.size());
        for (std::size_t i = 0; i < l->items.size(); ++i) {
            if (!same(l->items[i], *item)) continue;
            if (name == "index") return value(static_cast<std::int64_t>(i));
            ++count;
        }
        return name == "index" ? fail("an item that is in the list", text_of(*item)) : value(count);
    }
    changed_lists_.push_back(std::get<value_list>(self.data));
    if (!charge(16, sizeof(value))) return {};
    if (name == "clear") return l->items.clear(), make_none();
    if (name == "reverse") return std::reverse(l->items.begin(), l->items.end()), make_none();
    if (name == "pop") {
        const auto at = item == nullptr ? std::optional<std::int64_t>(-1) : integer_in(*item);
        const auto size = static_cast<std::int64_t>(l->items.size());
        const std::int64_t i = at ? (*at < 0 ? *at + size : *at) : -1;
        if (i < 0 || i >= size) return fail("an item to pop", "index out of range");
        const value taken = l->items[static_cast<std::size_t>(i)];
        (void)charge(static_cast<std::uint64_t>(size - i));
        l->items.erase(l->items.begin() + static_cast<std::ptrdiff_t>(i));
        return taken;
    }
    if (item == nullptr) return fail(concat({"an argument for ", name}), "none");
    if (name == "append") return l->items.push_back(*item), make_none();
    if (name == "extend") {
        std::vector<value> items;
        if (!iterate(*item, items)) return {};
        l->items.insert(l->items.end(), items.begin(), items.end());
        return make_none();
    }
    (void)charge(1 + l->items.size());
    if (name == "insert") {
        const auto at = integer_in(*item);
        if (!at || arguments.list.size() < 2) return fail("an index and an item for insert", type_name(*item));
        const auto size = static_cast<std::int64_t>(l->items.size());
        const std::int64_t i = std::clamp<std::int64_t>(*at < 0 ? *at + size : *at, 0, size);
        l->items.insert(l->items.begin() + static_cast<std::ptrdiff_t>(i), arguments.list[1]);
        return make_none();
    }
    for (std::size_t i = 0; i < l->items.size(); ++i)  // remove
        if (same(l->items[i], *item)) return l->items.erase(l->items.begin() + static_cast<std::ptrdiff_t>(i)), make_none();
    return fail("an item that is in the list", text_of(*item));
}

// --- tests -------------------------------------------------------------------------------------------------

inline bool jinja_machine::test(const std::string& name, const value& v, const call_arguments& arguments) {
    const value* const other = arguments.get(0, "other");
    const auto i = integer_in(v);
    const bool number = number_in(v) && !is_boolean(v);
    if (name == "defined") return !is_undefined(v);
    if (name == "undefined") return is_undefined(v);
    if (name == "none") return is_none(v);
    if (name == "string") return string_in(v) != nullptr;
    if (name == "mapping") return dict_in(v) != nullptr && !dict_in(v)->is_namespace;
    if (name == "boolean") return is_boolean(v);
    if (name == "true" || name == "false") return is_boolean(v) && truth(v) == (name == "true");
    if (name == "number") return number_in(v).has_value();
    if (name == "integer") return i && number;
    if (name == "float") return number && !i;
    if (name == "callable") return is_undefined(v) || std::holds_alternative<value_call>(v.data);
    if (name == "iterable" || name == "sequence") {
        if (is_undefined(v)) return true;
        return string_in(v) != nullptr || list_in(v) != nullptr || (dict_in(v) != nullptr && !dict_in(v)->is_namespace);
    }
    if (name == "escaped") return false;
    if (name == "lower" || name == "upper") {
        const std::string text = shown(v);
        const std::string turned = name == "lower" ? to_lower(text) : to_upper(text);
        return text == turned && text != (name == "lower" ? to_upper(text) : to_lower(text));
    }
    if (name == "odd" || name == "even") {
        if (!number_in(v)) return (void)fail("a number to test", type_name(v)), false;
        if (!i) return std::fmod(std::fabs(*number_in(v)), 2.0) == (name == "odd" ? 1.0 : 0.0);
        return (*i % 2 != 0) == (name == "odd");
    }
    if (name == "filter" || name == "test") {  // whether there is one of that name
        const std::string asked = text_of(v);
        return name == "filter" ? std::find(std::begin(known_filters), std::end(known_filters), asked) != std::end(known_filters)
                                : std::find(std::begin(known_tests), std::end(known_tests), asked) != std::end(known_tests);
    }
    if (other == nullptr) return (void)fail(concat({"an argument for the test ", quote(name)}), "none"), false;
    if (name == "divisibleby") {
        const auto by = integer_in(*other);
        if (!i || !by || *by == 0) return (void)fail("whole numbers, not zero, for divisibleby", type_name(*other)), false;
        return *by == -1 || *i % *by == 0;
    }
    if (name == "eq" || name == "equalto" || name == "==") return same(v, *other);
    if (name == "ne" || name == "!=") return !same(v, *other);
    if (name == "in") return contains(*other, v);
    if (name == "sameas") {
        if (v.data.index() != other->data.index()) return false;
        if (list_in(v) != nullptr) return list_in(v) == list_in(*other);
        if (dict_in(v) != nullptr) return dict_in(v) == dict_in(*other);
        return same(v, *other);
    }
    const auto sign = ordered(v, *other);
    if (!sign) return (void)fail("values that have an order", concat({type_name(v), " and ", type_name(*other)})), false;
    if (name == "lt" || name == "lessthan" || name == "<") return *sign < 0;
    if (name == "le" || name == "<=") return *sign <= 0;
    if (name == "gt" || name == "greaterthan" || name == ">") return *sign > 0;
    return *sign >= 0;
}

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
