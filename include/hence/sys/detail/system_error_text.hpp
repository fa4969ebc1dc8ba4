// The operating system's words for an error number, without the shared buffer of strerror().
#ifndef HENCE_SYS_DETAIL_SYSTEM_ERROR_TEXT_HPP
#define HENCE_SYS_DETAIL_SYSTEM_ERROR_TEXT_HPP

#include "../../config.hpp"

#include <cstring>
#include <string>

HENCE_NAMESPACE_BEGIN

namespace detail {

// strerror_r has two signatures (POSIX int, GNU char*); overloading picks the one the C library has.
inline const char* chosen_error_text(int, const char* buffer) {
    return buffer;
}
inline const char* chosen_error_text(const char* text, const char*) {
    return text;
}

inline std::string system_error_text(int code) {
    char buffer[256] = "unknown error";
    return chosen_error_text(::strerror_r(code, buffer, sizeof buffer), buffer);
}

}  // namespace detail

HENCE_NAMESPACE_END

#endif
