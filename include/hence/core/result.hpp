// error, exception and result<T>: how hence says that an input or the environment is wrong.
//
// result<T> has std::expected's interface; it is our own because an alias would change type with the
// language mode and could not throw hence::exception. Contract violations (a caller's wrong shape) are
// not results: see HENCE_EXPECT in config.hpp.
#ifndef HENCE_CORE_RESULT_HPP
#define HENCE_CORE_RESULT_HPP

#include "../config.hpp"
#include "quote.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// What kind of thing went wrong. Every code has a paragraph in docs/reference/errors.md.
enum class errc : std::uint8_t {
    file_not_found,    ///< the path does not exist or cannot be opened
    io,                ///< the operating system refused a read, write or map
    truncated,         ///< the input ends before a field that it announces
    bad_format,        ///< not the kind of file it should be, or a field breaks the format's rules
    unsupported,       ///< well formed, but a version, type, architecture or option hence lacks
    missing,           ///< a required key, tensor or file is absent
    mismatch,          ///< two parts of the input contradict each other (a shape, a count)
    out_of_range,      ///< a value outside its documented range
    invalid_argument,  ///< an option or parameter of the call makes no sense
    out_of_memory,     ///< a limit on memory or cache pages was reached
    context_full,      ///< a sequence reached the model's or the engine's context length
    not_a_number,      ///< NaN or infinity where a finite number is needed
    cancelled,         ///< the caller's cancellation took effect
    budget_exhausted,  ///< a budget does not allow even the first step
};

/// The short name of a code, as in docs/reference/errors.md.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr std::string_view name(errc code) noexcept {
    switch (code) {
        case errc::file_not_found: return "file_not_found";
        case errc::io: return "io";
        case errc::truncated: return "truncated";
        case errc::bad_format: return "bad_format";
        case errc::unsupported: return "unsupported";
        case errc::missing: return "missing";
        case errc::mismatch: return "mismatch";
        case errc::out_of_range: return "out_of_range";
        case errc::invalid_argument: return "invalid_argument";
        case errc::out_of_memory: return "out_of_memory";
        case errc::context_full: return "context_full";
        case errc::not_a_number: return "not_a_number";
        case errc::cancelled: return "cancelled";
        case errc::budget_exhausted: return "budget_exhausted";
    }
    return "unknown";
}

/// One thing that is wrong with an input or the environment, in the words a user can act on.
struct error {
    errc code = errc::io;
    std::string where;        ///< the file, field, option or function
    std::string expected;     ///< what would have been right
    std::string actual;       ///< what was found
    std::string tensor_name;  ///< the tensor concerned, or empty
    std::optional<std::uint64_t> byte_offset;  ///< where in the file, if it is a place
    std::vector<error> also;  ///< further mismatches of the same input: loaders report all of them

    /// One line for people, and one more for each further mismatch. Control characters and bytes that are not
    /// UTF-8 are escaped and what was found is cut after 400 bytes: it may come from a hostile file, and the line may go to a terminal.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::string message() const {
        std::string text;
        append_printable(text, where);
        if (!tensor_name.empty()) {
            text += text.empty() ? "tensor '" : ": tensor '";
            append_printable(text, tensor_name);
            text += '\'';
        }
        if (byte_offset) text += " at byte " + std::to_string(*byte_offset);
        if (!expected.empty()) append_printable(text += ": expected ", expected);
        if (!actual.empty()) {
            append_printable(text += expected.empty() ? ": " : ", found ", actual, 400);
        }
        text += " [";
        text += name(code);
        text += "]";
        for (const error& further : also) (text += '\n') += further.message();
        return text;
    }
};

#if HENCE_EXCEPTIONS
/// What result<T>::value() throws; what() is error::message().
class exception : public std::exception {
public:
    explicit exception(hence::error e) : error_(std::move(e)), text_(error_.message()) {}
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
    [[nodiscard]] const hence::error& error() const noexcept { return error_; }

private:
    hence::error error_;
    std::string text_;
};
#endif

/// Called where exceptions are off and value() has no value; must not return. Define HENCE_FAILURE_HANDLER
/// to the name of a function with this signature to replace it; the default prints and aborts.
/// @shape none
/// @errors throws hence::exception, or does not return
/// @source none
[[noreturn]] inline void failure(const error& e) {
#if HENCE_EXCEPTIONS
    throw hence::exception(e);
#elif defined(HENCE_FAILURE_HANDLER)
    HENCE_FAILURE_HANDLER(e);
    std::abort();
#else
    std::fprintf(stderr, "hence: %s\n", e.message().c_str());
    std::abort();
#endif
}

/// Where HENCE_EXPECT ends up: throws hence::exception with errc::invalid_argument, or aborts with the text.
/// @shape none
/// @errors throws hence::exception, or does not return
/// @source none
[[noreturn]] HENCE_NOINLINE inline void contract_violation(const char* condition, const char* text,
                                                           const char* file, int line) {
    failure(error{.code = errc::invalid_argument,
                  .where = std::string(file) + ":" + std::to_string(line),
                  .expected = text,
                  .actual = std::string("not (") + condition + ")",
                  .tensor_name = {},
                  .byte_offset = {},
                  .also = {}});
}

/// Builds an error with the fields most callers have: make_error(errc::missing, where, expected, found).
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] inline error make_error(errc code, std::string where, std::string expected = {},
                                      std::string actual = {}, std::string tensor_name = {},
                                      std::optional<std::uint64_t> byte_offset = {}) {
    return error{.code = code,
                 .where = std::move(where),
                 .expected = std::move(expected),
                 .actual = std::move(actual),
                 .tensor_name = std::move(tensor_name),
                 .byte_offset = byte_offset,
                 .also = {}};
}

/// A value of T, or the error that kept it from being made; std::expected's interface.
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;
    using error_type = hence::error;

    template <class U = T>
        requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, hence::error>)
    result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
    result(hence::error e) : state_(std::in_place_index<1>, std::move(e)) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & {
        if (!has_value()) failure(*std::get_if<1>(&state_));
        return **this;
    }
    const T& value() const& {
        if (!has_value()) failure(*std::get_if<1>(&state_));
        return **this;
    }
    T&& value() && {
        if (!has_value()) failure(*std::get_if<1>(&state_));
        return std::move(**this);
    }

    T& operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
    T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return std::get_if<0>(&state_); }
    const T* operator->() const noexcept { return std::get_if<0>(&state_); }

    hence::error& error() & noexcept { return *std::get_if<1>(&state_); }
    const hence::error& error() const& noexcept { return *std::get_if<1>(&state_); }
    hence::error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

    template <class U>
    T value_or(U&& other) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <class U>
    T value_or(U&& other) && {
        return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(other));
    }

    template <class F>
    auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
        if (has_value()) return std::forward<F>(f)(std::move(**this));
        return std::move(*this).error();
    }
    template <class F>
    auto transform(F&& f) && -> result<std::remove_cvref_t<std::invoke_result_t<F, T&&>>> {
        if (has_value()) return std::forward<F>(f)(std::move(**this));
        return std::move(*this).error();
    }
    template <class F>
    result or_else(F&& f) && {
        if (has_value()) return std::move(*this);
        return std::forward<F>(f)(std::move(*this).error());
    }

private:
    std::variant<T, hence::error> state_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;
    using error_type = hence::error;

    result() = default;
    result(hence::error e) : error_(std::move(e)) {}
    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (error_) failure(*error_);
    }
    hence::error& error() & noexcept { return *error_; }
    const hence::error& error() const& noexcept { return *error_; }
    hence::error&& error() && noexcept { return std::move(*error_); }

private:
    std::optional<hence::error> error_;
};

HENCE_NAMESPACE_END

/// Returns the error of an expression from the enclosing function, or goes on.
#define HENCE_TRY(expression)                                                       \
    do {                                                                            \
        if (auto hence_try_result_ = (expression); !hence_try_result_.has_value()) \
            return std::move(hence_try_result_).error();                            \
    } while (false)

/// Declares `name` as the value of an expression, or returns its error from the enclosing function.
#define HENCE_TRY_ASSIGN(name, expression)                                         \
    auto name##_result_ = (expression);                                            \
    if (!name##_result_.has_value()) return std::move(name##_result_).error();     \
    auto name = std::move(*name##_result_)

#endif
