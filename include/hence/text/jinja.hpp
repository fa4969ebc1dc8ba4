// jinja_template: the chat template that a model's maker wrote, interpreted.
//
// The Jinja language as published chat templates use it, with the settings they are written for: trim_blocks and
// lstrip_blocks, no escaping, `raise_exception`, `strftime_now`, `tojson`, loop controls, `generation` blocks. It
// reads no files (no include, import or extends) and runs under limits: steps, memory, nesting. Who calls it
// with a model's messages is text/chat.hpp.
#ifndef HENCE_TEXT_JINJA_HPP
#define HENCE_TEXT_JINJA_HPP

#include "../core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

HENCE_NAMESPACE_BEGIN

struct jinja_list;
struct jinja_dict;
struct jinja_callable;

/// A value as templates see it. Copies share lists and dictionaries; rendering works on a copy of its own.
class jinja_value {
public:
    struct undefined {
        std::shared_ptr<const std::string> name;  ///< what was asked for and is not there
    };
    struct none {};
    using text = std::shared_ptr<const std::string>;
    using storage = std::variant<undefined, none, bool, std::int64_t, double, text, std::shared_ptr<jinja_list>,
                                 std::shared_ptr<jinja_dict>, std::shared_ptr<jinja_callable>>;

    jinja_value() = default;  ///< undefined
    jinja_value(storage s) : data(std::move(s)) {}
    jinja_value(bool b) : data(b) {}
    jinja_value(std::int64_t i) : data(i) {}
    jinja_value(double d) : data(d) {}
    jinja_value(std::string s) : data(std::make_shared<const std::string>(std::move(s))) {}
    jinja_value(std::string_view s) : jinja_value(std::string(s)) {}
    jinja_value(const char* s) : jinja_value(std::string(s)) {}

    /// A list of values.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] static jinja_value list(std::vector<jinja_value> items);

    /// A dictionary; keys in order, the last of equal keys stays.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] static jinja_value dict(std::vector<std::pair<std::string, jinja_value>> entries);

    /// JSON as a value: objects keep their order.
    /// @shape none
    /// @errors bad_format: not JSON, with its place; out_of_range: nested more than 200 deep
    /// @source RFC 8259
    [[nodiscard]] static result<jinja_value> from_json(std::string_view text, const std::string& where = "JSON");

    storage data;
};

/// A date and time of day for strftime_now.
struct jinja_time {
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;

    /// Reads 2026-01-15T12:00:00 (the time may be absent).
    /// @shape none
    /// @errors bad_format: anything else
    /// @source ISO 8601
    [[nodiscard]] static result<jinja_time> parse(std::string_view text);

    /// Now, in the machine's time zone.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] static jinja_time now();
};

struct jinja_options {
    jinja_time now = jinja_time::now();
    std::uint64_t max_steps = 2'000'000;   ///< plus 64 for each byte of the variables
    std::uint64_t max_bytes = 24u << 20;   ///< of all strings and lists made, plus 64 for each byte of the variables
};

namespace text::detail {
struct jinja_program;
}

class jinja_template {
public:
    /// @shape none
    /// @errors bad_format: a syntax error; unsupported: a statement, filter or test that is not known; out_of_range:
    /// nested too deep. All with the line.
    /// @source Jinja 3.1's documentation (palletsprojects.com)
    [[nodiscard]] static result<jinja_template> parse(std::string_view source, std::string name = "chat template");

    /// The text for these variables (a dictionary). What the template itself refuses (raise_exception) is an
    /// error whose `actual` is exactly its message and whose code is invalid_argument.
    /// @shape none
    /// @errors invalid_argument: see above; bad_format: an operation that makes no sense, with its line;
    /// out_of_range: a limit
    /// @cost linear in steps taken and text made
    /// @threads re-entrant
    /// @source as parse
    [[nodiscard]] result<std::string> render(const jinja_value& variables, const jinja_options& options = {}) const;

private:
    std::shared_ptr<const text::detail::jinja_program> program_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/jinja.inl.hpp"
#endif

#endif
