// Reading untrusted bytes: a cursor that cannot leave its span, and the list in which a loader collects
// everything that is wrong.
#ifndef HENCE_IO_DETAIL_BYTES_HPP
#define HENCE_IO_DETAIL_BYTES_HPP

#include "../../core/text.hpp"
#include "../../core/quote.hpp"
#include "../../core/result.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

namespace detail {

static_assert(std::endian::native == std::endian::little, "hence reads little-endian files in place");

/// Walks a span; every read is checked against what is left. `at` never passes the end.
struct byte_cursor {
    std::span<const std::byte> bytes;
    std::size_t at = 0;

    [[nodiscard]] std::size_t left() const noexcept { return bytes.size() - at; }

    template <class T>
    [[nodiscard]] bool read(T& out) noexcept {
        if (left() < sizeof(T)) return false;
        std::memcpy(&out, bytes.data() + at, sizeof(T));
        at += sizeof(T);
        return true;
    }

    [[nodiscard]] bool skip(std::uint64_t count) noexcept {
        if (count > left()) return false;
        at += static_cast<std::size_t>(count);
        return true;
    }
};

template <class T>
[[nodiscard]] T load(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Everything that is wrong with one input. The first `limit` are kept; the rest are counted.
class error_list {
public:
    static constexpr std::size_t limit = 32;

    void add(error e) {
        if (count_++ == 0)
            first_ = std::move(e);
        else if (count_ <= limit)
            first_.also.push_back(std::move(e));
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }

    /// The first error with the others in `also`; call it once, when not empty.
    [[nodiscard]] error take() {
        if (count_ > limit) {
            error rest;
            rest.code = first_.code;
            rest.where = concat({"and ", count_ - limit, " more"});
            first_.also.push_back(std::move(rest));
        }
        return std::move(first_);
    }

private:
    error first_;
    std::size_t count_ = 0;
};

}  // namespace detail

HENCE_NAMESPACE_END

#endif
