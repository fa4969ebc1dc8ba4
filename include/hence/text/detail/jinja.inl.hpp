// Definitions of text/jinja.hpp.
#ifndef HENCE_TEXT_DETAIL_JINJA_INL_HPP
#define HENCE_TEXT_DETAIL_JINJA_INL_HPP

#include "../../core/text.hpp"
#include "../jinja.hpp"
#include "jinja_filters.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

/// Builds values as the JSON parser goes: objects keep their order, and nothing recurses.
class jinja_json_builder {
public:
    using json = nlohmann::json;

    bool null() { return put(make_none()); }
    bool boolean(bool b) { return put(value(b)); }
    bool number_integer(json::number_integer_t i) { return put(value(std::int64_t{i})); }
    bool number_unsigned(json::number_unsigned_t u) {
        return put(u <= static_cast<json::number_unsigned_t>(std::numeric_limits<std::int64_t>::max()) ? value(static_cast<std::int64_t>(u)) : value(static_cast<double>(u)));
    }
    bool number_float(json::number_float_t d, const json::string_t&) { return put(value(double{d})); }
    bool string(json::string_t& s) { return put(value(std::move(s))); }
    bool binary(json::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(value(value::storage(std::make_shared<jinja_dict>()))); }
    bool start_array(std::size_t) { return open(make_list({})); }
    bool key(json::string_t& k) {
        keys_.back() = std::move(k);
        return true;
    }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    template <class Exception>
    bool parse_error(std::size_t position, const std::string&, const Exception&) {
        where_ = position;
        return false;
    }

    value root;
    std::size_t where_ = 0;
    bool too_deep = false;

private:
    bool put(value v) {
        if (open_.empty()) {
            root = std::move(v);
        } else if (jinja_list* const l = list_in(open_.back())) {
            l->items.push_back(std::move(v));
        } else {
            dict_in(open_.back())->set(value(keys_.back()), std::move(v));
        }
        return true;
    }
    bool open(value v) {
        if (open_.size() >= 200) {
            too_deep = true;
            return false;
        }
        open_.push_back(std::move(v));
        keys_.emplace_back();
        return true;
    }
    bool close() {
        value v = std::move(open_.back());
        open_.pop_back();
        keys_.pop_back();
        return put(std::move(v));
    }

    std::vector<value> open_;
    std::vector<std::string> keys_;
};

}  // namespace text::detail

HENCE_INLINE jinja_value jinja_value::list(std::vector<jinja_value> items) { return hence::text::detail::make_list(std::move(items)); }

HENCE_INLINE jinja_value jinja_value::dict(std::vector<std::pair<std::string, jinja_value>> entries) {
    auto d = std::make_shared<jinja_dict>();
    for (auto& [key, v] : entries) d->set(jinja_value(std::move(key)), std::move(v));
    return jinja_value(storage(std::move(d)));
}

HENCE_INLINE result<jinja_value> jinja_value::from_json(std::string_view text, const std::string& where) {
    hence::text::detail::jinja_json_builder builder;
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root);
    if (builder.too_deep) return make_error(errc::out_of_range, where, "at most 200 levels of nesting", "more");
    return make_error(errc::bad_format, where, "JSON", "something else, or a text cut short", {}, builder.where_);
}

HENCE_INLINE result<jinja_time> jinja_time::parse(std::string_view text) {
    jinja_time t;
    const auto wrong = [&] { return make_error(errc::bad_format, "time", "a date and time such as 2026-01-15T12:00:00", quote(text)); };
    int* const fields[] = {&t.year, &t.month, &t.day, &t.hour, &t.minute, &t.second};
    constexpr std::size_t widths[] = {4, 2, 2, 2, 2, 2};
    constexpr std::string_view separators = "--T::";
    std::size_t at = 0;
    std::size_t read = 0;
    for (; read < 6 && at < text.size(); ++read) {
        if (read > 0) {
            const char expected = separators[read - 1];
            if (text[at] != expected && !(expected == 'T' && text[at] == ' ')) return wrong();
            ++at;
        }
        const std::string_view digits = text.substr(at, widths[read]);
        const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), *fields[read]);
        if (digits.size() != widths[read] || end.ec != std::errc() || end.ptr != digits.data() + digits.size()) return wrong();
        at += widths[read];
    }
    const bool good = t.month >= 1 && t.month <= 12 && t.day >= 1 && t.day <= 31 && t.hour >= 0 && t.hour < 24 && t.minute >= 0 && t.minute < 60 && t.second >= 0 && t.second < 61;
    if (at != text.size() || (read != 3 && read < 5) || !good) return wrong();
    return t;
}

HENCE_INLINE jinja_time jinja_time::now() {
    const std::time_t seconds = std::time(nullptr);
    std::tm local{};
    if (localtime_r(&seconds, &local) == nullptr) return {};
    return {local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec};
}

HENCE_INLINE result<jinja_template> jinja_template::parse(std::string_view source, std::string name) {
    constexpr std::size_t most_bytes = std::size_t{4} << 20;
    if (source.size() > most_bytes) return make_error(errc::out_of_range, name, "a template of at most 4 MiB", concat({source.size(), " bytes"}));
    auto program = std::make_shared<hence::text::detail::jinja_program>();
    program->file = std::move(name);
    std::vector<hence::text::detail::jinja_token> tokens;
    hence::text::detail::jinja_lexer::problem wrong;
    if (!hence::text::detail::jinja_lexer(source).run(tokens, wrong))
        return make_error(errc::bad_format, concat({program->file, ": line ", wrong.line}), wrong.expected, wrong.actual);
    if (auto failure = hence::text::detail::jinja_parser(std::move(tokens), *program).parse()) return *failure;
    jinja_template t;
    t.program_ = std::move(program);
    return t;
}

HENCE_INLINE result<std::string> jinja_template::render(const jinja_value& variables, const jinja_options& options) const {
    if (!program_) return make_error(errc::invalid_argument, "chat template", "a parsed template", "none");
    return hence::text::detail::jinja_machine(*program_, options).run(variables);
}

HENCE_NAMESPACE_END

#endif
