// Builds GGUF bytes field by field, right or wrong, for the tests of the reader.
#ifndef HENCE_TESTS_IO_GGUF_BYTES_HPP
#define HENCE_TESTS_IO_GGUF_BYTES_HPP

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hence_test {

/// Appends fields; nothing is checked, which is the point.
class gguf_bytes {
public:
    template <class T>
    gguf_bytes& put(T value) {
        const std::size_t at = bytes_.size();
        bytes_.resize(at + sizeof value);
        std::memcpy(bytes_.data() + at, &value, sizeof value);
        return *this;
    }
    gguf_bytes& raw(std::string_view text) {
        const auto* from = reinterpret_cast<const std::byte*>(text.data());
        bytes_.insert(bytes_.end(), from, from + text.size());
        return *this;
    }
    gguf_bytes& text(std::string_view value) { return put(std::uint64_t{value.size()}).raw(value); }
    gguf_bytes& head(std::uint64_t tensors, std::uint64_t entries, std::uint32_t version = 3) {
        return raw("GGUF").put(version).put(tensors).put(entries);
    }
    gguf_bytes& key(std::string_view name, std::uint32_t type) { return text(name).put(type); }
    gguf_bytes& tensor(std::string_view name, const std::vector<std::uint64_t>& innermost_first, std::uint32_t type,
                       std::uint64_t offset) {
        text(name).put(static_cast<std::uint32_t>(innermost_first.size()));
        for (const std::uint64_t extent : innermost_first) put(extent);
        return put(type).put(offset);
    }
    gguf_bytes& align(std::size_t to = 32) {
        while (bytes_.size() % to != 0) bytes_.push_back(std::byte{0});
        return *this;
    }
    gguf_bytes& zeros(std::size_t count) {
        bytes_.resize(bytes_.size() + count);
        return *this;
    }

    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

private:
    std::vector<std::byte> bytes_;
};

}  // namespace hence_test

#endif
