// What every fuzz target needs: a property that stops the run when it does not hold, and an input in a
// buffer of exactly its size, so that the address sanitizer sees a read past it.
#ifndef HENCE_TESTS_FUZZ_FUZZ_HPP
#define HENCE_TESTS_FUZZ_FUZZ_HPP

#include <hence/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#define HENCE_FUZZ_REQUIRE(condition)                                                \
    do {                                                                             \
        if (!(condition)) {                                                          \
            std::fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                            \
        }                                                                            \
    } while (false)

namespace hence_fuzz {

/// A refusal must say what is wrong, where, and in characters that a terminal only prints.
inline void check(const hence::error& error) {
    HENCE_FUZZ_REQUIRE(!error.where.empty());
    HENCE_FUZZ_REQUIRE(!error.expected.empty() || !error.actual.empty());
    const std::string message = error.message();
    HENCE_FUZZ_REQUIRE(message.size() < (std::size_t{1} << 16));
    for (const char c : message) HENCE_FUZZ_REQUIRE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

inline std::vector<std::byte> copy(const std::uint8_t* data, std::size_t size) {
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    return {bytes, bytes + size};
}

/// Reads every byte, so that a span that leaves its file is noticed.
inline void touch(std::span<const std::byte> bytes) {
    unsigned sum = 0;
    for (const std::byte b : bytes) sum += std::to_integer<unsigned>(b);
    volatile unsigned sink = sum;
    static_cast<void>(sink);
}

}  // namespace hence_fuzz

#endif
