// Definitions of core/result.hpp: out of line in every form, because they stand behind each error of the library.
#ifndef HENCE_CORE_DETAIL_RESULT_INL_HPP
#define HENCE_CORE_DETAIL_RESULT_INL_HPP

#include "../quote.hpp"
#include "../result.hpp"
#include "../text.hpp"

#if !HENCE_EXCEPTIONS
#include <cstdio>
#include <cstdlib>
#endif

HENCE_NAMESPACE_BEGIN

HENCE_NOINLINE HENCE_INLINE std::string error::message() const {
    std::string text;
    append_printable(text, where);
    if (!tensor_name.empty()) {
        text += text.empty() ? "tensor '" : ": tensor '";
        append_printable(text, tensor_name);
        text += '\'';
    }
    if (byte_offset) text += concat({" at byte ", *byte_offset});
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

[[noreturn]] HENCE_NOINLINE HENCE_INLINE void failure(const error& e) {
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

HENCE_NOINLINE HENCE_INLINE error make_error(errc code, std::string_view where, std::string_view expected, std::string_view actual,
                                             std::string_view tensor_name, std::optional<std::uint64_t> byte_offset) {
    error e;
    e.code = code;
    e.where = where;
    e.expected = expected;
    e.actual = actual;
    e.tensor_name = tensor_name;
    e.byte_offset = byte_offset;
    return e;
}

[[noreturn]] HENCE_NOINLINE HENCE_INLINE void contract_violation(const char* condition, const char* text, const char* file, int line) {
    failure(make_error(errc::invalid_argument, concat({file, ":", line}), text, concat({"not (", condition, ")"})));
}

namespace detail {

HENCE_NOINLINE HENCE_INLINE failure_box::failure_box(error&& e) : error_(new error(std::move(e))) {}
HENCE_NOINLINE HENCE_INLINE failure_box::failure_box(const error& e) : error_(new error(e)) {}
HENCE_NOINLINE HENCE_INLINE failure_box::failure_box(const failure_box& other)
    : error_(other.error_ == nullptr ? nullptr : new error(*other.error_)) {}
HENCE_NOINLINE HENCE_INLINE failure_box::operator error() && { return std::move(*error_); }
HENCE_NOINLINE HENCE_INLINE void failure_box::destroy(error* e) noexcept { delete e; }

}  // namespace detail

HENCE_NAMESPACE_END

#endif
