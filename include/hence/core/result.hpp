// error, exception and result<T>: how hence says that an input or the environment is wrong.
//
// result<T> has std::expected's interface; it is our own because an alias would change type with the
// language mode and could not throw hence::exception. Contract violations (a caller's wrong shape) are
// not results: see HENCE_EXPECT in config.hpp.
#ifndef HENCE_CORE_RESULT_HPP
#define HENCE_CORE_RESULT_HPP

#include "../config.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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
    [[nodiscard]] std::string message() const;
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
[[noreturn]] void failure(const error& e);

/// Where HENCE_EXPECT ends up: throws hence::exception with errc::invalid_argument, or aborts with the text.
/// @shape none
/// @errors throws hence::exception, or does not return
/// @source none
[[noreturn]] void contract_violation(const char* condition, const char* text, const char* file, int line);

/// Builds an error with the fields most callers have: make_error(errc::missing, where, expected, found).
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] error make_error(errc code, std::string_view where, std::string_view expected = {}, std::string_view actual = {},
                               std::string_view tensor_name = {}, std::optional<std::uint64_t> byte_offset = {});

namespace detail {

// What a failed result holds: one pointer, so that passing a failure on costs a few instructions. Every function
// here that touches the error itself is compiled once; inline, they were a third of a program's code.
class failure_box {
public:
    failure_box() noexcept = default;
    explicit failure_box(error&& e);
    explicit failure_box(const error& e);
    failure_box(const failure_box& other);
    failure_box(failure_box&& other) noexcept : error_(std::exchange(other.error_, nullptr)) {}
    failure_box& operator=(failure_box other) noexcept {
        std::swap(error_, other.error_);
        return *this;
    }
    ~failure_box() {
        if (error_ != nullptr) destroy(error_);
    }
    [[nodiscard]] error& get() const noexcept { return *error_; }
    [[nodiscard]] bool holds() const noexcept { return error_ != nullptr; }
    /// For functions that return an error and use HENCE_TRY.
    operator error() &&;  // NOLINT: the conversion is the point

private:
    static void destroy(error* e) noexcept;

    error* error_ = nullptr;
};

}  // namespace detail

/// A value of T, or the error that kept it from being made; std::expected's interface.
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;
    using error_type = hence::error;

    template <class U = T>
        requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, hence::error> &&
                 !std::is_same_v<std::remove_cvref_t<U>, detail::failure_box>)
    result(U&& value) : value_(std::forward<U>(value)), has_value_(true) {}
    result(hence::error&& e) : failure_(std::move(e)), has_value_(false) {}
    result(const hence::error& e) : failure_(e), has_value_(false) {}
    result(detail::failure_box&& failure) noexcept : failure_(std::move(failure)), has_value_(false) {}

    result(const result& other)
        requires std::is_copy_constructible_v<T>
        : has_value_(other.has_value_) {
        if (has_value_) {
            ::new (static_cast<void*>(std::addressof(value_))) T(other.value_);
        } else {
            ::new (static_cast<void*>(&failure_)) detail::failure_box(other.failure_);
        }
    }
    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : has_value_(other.has_value_) {
        if (has_value_) {
            ::new (static_cast<void*>(std::addressof(value_))) T(std::move(other.value_));
        } else {
            ::new (static_cast<void*>(&failure_)) detail::failure_box(std::move(other.failure_));
        }
    }
    // If moving a T throws, the program ends: there is nothing left to go back to.
    result& operator=(result other) noexcept {
        clear();
        ::new (static_cast<void*>(this)) result(std::move(other));
        return *this;
    }
    ~result() { clear(); }

    [[nodiscard]] bool has_value() const noexcept { return has_value_; }
    explicit operator bool() const noexcept { return has_value_; }

    T& value() & {
        if (!has_value_) failure(failure_.get());
        return value_;
    }
    const T& value() const& {
        if (!has_value_) failure(failure_.get());
        return value_;
    }
    T&& value() && {
        if (!has_value_) failure(failure_.get());
        return std::move(value_);
    }

    T& operator*() & noexcept { return value_; }
    const T& operator*() const& noexcept { return value_; }
    T&& operator*() && noexcept { return std::move(value_); }
    T* operator->() noexcept { return std::addressof(value_); }
    const T* operator->() const noexcept { return std::addressof(value_); }

    hence::error& error() & noexcept { return failure_.get(); }
    const hence::error& error() const& noexcept { return failure_.get(); }
    hence::error&& error() && noexcept { return std::move(failure_.get()); }
    // The failure as one pointer, to be returned as another function's result: what HENCE_TRY does.
    detail::failure_box&& pass_on() && noexcept { return std::move(failure_); }

    template <class U>
    T value_or(U&& other) const& {
        return has_value_ ? value_ : static_cast<T>(std::forward<U>(other));
    }
    template <class U>
    T value_or(U&& other) && {
        return has_value_ ? std::move(value_) : static_cast<T>(std::forward<U>(other));
    }

    template <class F>
    auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
        if (has_value_) return std::forward<F>(f)(std::move(value_));
        return std::move(failure_);
    }
    template <class F>
    auto transform(F&& f) && -> result<std::remove_cvref_t<std::invoke_result_t<F, T&&>>> {
        if (has_value_) return std::forward<F>(f)(std::move(value_));
        return std::move(failure_);
    }
    template <class F>
    result or_else(F&& f) && {
        if (has_value_) return std::move(*this);
        return std::forward<F>(f)(std::move(*this).error());
    }

private:
    void clear() noexcept {
        if (has_value_) {
            value_.~T();
        } else {
            failure_.~failure_box();
        }
    }

    // A plain union and not std::variant, whose machinery every result<T> of a program would instantiate.
    union {
        T value_;
        detail::failure_box failure_;
    };
    bool has_value_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;
    using error_type = hence::error;

    result() = default;
    result(hence::error&& e) : failure_(std::move(e)) {}
    result(const hence::error& e) : failure_(e) {}
    result(detail::failure_box&& failure) noexcept : failure_(std::move(failure)) {}
    [[nodiscard]] bool has_value() const noexcept { return !failure_.holds(); }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (failure_.holds()) failure(failure_.get());
    }
    hence::error& error() & noexcept { return failure_.get(); }
    const hence::error& error() const& noexcept { return failure_.get(); }
    hence::error&& error() && noexcept { return std::move(failure_.get()); }
    // As result<T>::pass_on.
    detail::failure_box&& pass_on() && noexcept { return std::move(failure_); }

private:
    detail::failure_box failure_;
};

HENCE_NAMESPACE_END

/// Returns the error of an expression from the enclosing function, or goes on.
#define HENCE_TRY(expression)                                                       \
    do {                                                                            \
        if (auto hence_try_result_ = (expression); !hence_try_result_.has_value()) \
            return std::move(hence_try_result_).pass_on();                          \
    } while (false)

/// Declares `name` as the value of an expression, or returns its error from the enclosing function.
#define HENCE_TRY_ASSIGN(name, expression)                                         \
    auto name##_result_ = (expression);                                            \
    if (!name##_result_.has_value()) return std::move(name##_result_).pass_on();   \
    auto name = std::move(*name##_result_)

#if HENCE_HAS_DEFINITIONS
#include "detail/result.inl.hpp"
#endif

#endif
