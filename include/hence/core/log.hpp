// log_sink: where a host program wants to hear what the library does. The library itself prints nothing.
//
// A sink is one function with its context, so that a program's own logger fits behind it. There are few messages, none
// of them an error: errors are results. No message is made where there is no sink, and none in a forward step.
#ifndef HENCE_CORE_LOG_HPP
#define HENCE_CORE_LOG_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

HENCE_NAMESPACE_BEGIN

enum class log_level : std::uint8_t {
    debug,    ///< what only somebody who looks for it wants to know: a cache that grew
    info,     ///< once a model or engine: what was loaded, how it runs
    warning,  ///< it works, but not as asked or not as well as it could
};

/// A function that hears messages. Its thread is the one that called the library.
struct log_sink {
    void* context = nullptr;
    /// The message has no line end and is valid during the call. Must not throw, nor call what called it.
    void (*write)(void* context, log_level level, std::string_view message) = nullptr;

    /// Whether anybody listens.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] explicit operator bool() const noexcept { return write != nullptr; }

    /// Tells whoever listens.
    /// @shape none
    /// @errors none
    /// @source none
    void operator()(log_level level, std::string_view message) const {
        if (write != nullptr) write(context, level, message);
    }
};

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr std::string_view name(log_level level) noexcept {
    constexpr std::string_view names[] = {"debug", "info", "warning"};
    return names[static_cast<std::size_t>(level)];
}

HENCE_NAMESPACE_END

#endif
