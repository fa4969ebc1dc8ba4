// Definitions of core/json.hpp.
#ifndef HENCE_CORE_DETAIL_JSON_INL_HPP
#define HENCE_CORE_DETAIL_JSON_INL_HPP

#include "../json.hpp"
#include "../quote.hpp"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// Builds a document from nlohmann's parse events, and stops at the first thing it does not allow.
class json_builder {
public:
    using json = nlohmann::json;

    json_builder(const std::string& where, json_limits limits) : where_(where), limits_(limits) {}

    [[nodiscard]] json& document() noexcept { return document_; }
    [[nodiscard]] std::optional<error>& problem() noexcept { return problem_; }

    // The interface that nlohmann calls; false stops it.
    bool null() { return add(nullptr) != nullptr; }
    bool boolean(bool value) { return add(value) != nullptr; }
    bool number_integer(json::number_integer_t value) { return add(value) != nullptr; }
    bool number_unsigned(json::number_unsigned_t value) { return add(value) != nullptr; }
    bool number_float(json::number_float_t value, const json::string_t&) { return add(value) != nullptr; }
    bool string(json::string_t& value) { return add(std::move(value)) != nullptr; }
    bool binary(json::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(json::object()); }
    bool start_array(std::size_t) { return open(json::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }

    bool key(json::string_t& name) {
        json& object = *open_.back();
        if (object.contains(name))
            return refuse(errc::bad_format, "each key once", concat({quote(name), " twice in an object"}));
        slot_ = &object[name];
        return true;
    }

    template <class Exception>
    bool parse_error(std::size_t position, const std::string& last_token, const Exception& exception) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ...": the reason
        // is between the place, which byte_offset has, and the input that it repeats unescaped.
        std::string_view reason = exception.what();
        if (const auto at = reason.find("column "); at != reason.npos) reason.remove_prefix(at);
        if (const auto at = reason.find(": "); at != reason.npos) reason.remove_prefix(at + 2);
        if (const auto at = reason.find("] "); reason.starts_with('[') && at != reason.npos)
            reason.remove_prefix(at + 2);
        reason = reason.substr(0, std::min<std::size_t>(reason.find("; last read"), 120));
        problem_ = make_error(errc::bad_format, where_, "JSON", concat({reason, " at ", quote(last_token, 24)}),
                              {}, position);
        return false;
    }

private:
    template <class Value>
    json* add(Value&& value) {
        if (++values_ > limits_.values) {
            refuse(errc::out_of_range, concat({"at most ", limits_.values, " values"}), "more");
            return nullptr;
        }
        if (open_.empty()) return &(document_ = json(std::forward<Value>(value)));
        json& parent = *open_.back();
        if (parent.is_array()) {
            parent.push_back(json(std::forward<Value>(value)));
            return &parent.back();
        }
        return &(*slot_ = json(std::forward<Value>(value)));
    }

    bool open(json&& container) {
        if (open_.size() >= limits_.depth)
            return refuse(errc::out_of_range, concat({"at most ", limits_.depth, " levels"}), "deeper nesting");
        json* added = add(std::move(container));
        if (added == nullptr) return false;
        open_.push_back(added);
        return true;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    bool refuse(errc code, std::string expected, std::string actual) {
        problem_ = make_error(code, where_, std::move(expected), std::move(actual));
        return false;
    }

    const std::string& where_;
    json_limits limits_;
    json document_;
    json* slot_ = nullptr;
    // Pointers stay good: a container is added to only while it is the last of this list.
    std::vector<json*> open_;
    std::size_t values_ = 0;
    std::optional<error> problem_;
};

/// Where a number of more than `most` digits begins, or npos. Converting such a number takes long, and repeats it
/// in the message; no writer makes one.
[[nodiscard]] inline std::size_t endless_number(std::string_view text, std::size_t most) noexcept {
    bool quoted_text = false;
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') quoted_text = !quoted_text;
        if (quoted_text && c == '\\') ++i;
        digits = !quoted_text && c >= '0' && c <= '9' ? digits + 1 : 0;
        if (digits > most) return i - most;
    }
    return std::string_view::npos;
}

}  // namespace detail

HENCE_INLINE result<nlohmann::json> parse_json(std::string_view text, const std::string& where, json_limits limits) {
    constexpr std::size_t most_digits = 400;
    if (const std::size_t at = detail::endless_number(text, most_digits); at != text.npos)
        return make_error(errc::out_of_range, where, "numbers of at most 400 digits", "a longer one", {}, at);
    detail::json_builder builder(where, limits);
    const bool whole = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
    if (builder.problem()) return std::move(*builder.problem());
    if (!whole) return make_error(errc::bad_format, where, "JSON", "something else");
    return std::move(builder.document());
}

HENCE_NAMESPACE_END

#endif
