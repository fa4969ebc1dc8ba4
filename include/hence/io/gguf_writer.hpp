// gguf_writer: builds GGUF version 3 files that this and other engines open.
//
// Metadata is kept as bytes; tensor data is not copied, the caller keeps it alive until the file is
// written. A file appears complete or not at all (sys/atomic_file.hpp).
#ifndef HENCE_IO_GGUF_WRITER_HPP
#define HENCE_IO_GGUF_WRITER_HPP

#include "gguf.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// Collects entries and tensors, then writes them in the order they were added.
class gguf_writer {
public:
    /// Sets a key. Adding a key again replaces its value and keeps its place, so that a file's entries can
    /// be copied first and changed after.
    /// @shape  none
    /// @errors none here: write() refuses keys that the format does not allow
    /// @source the GGUF specification
    void add(std::string_view key, bool value);
    void add(std::string_view key, std::uint8_t value);
    void add(std::string_view key, std::int32_t value);
    void add(std::string_view key, std::uint32_t value);
    void add(std::string_view key, std::int64_t value);
    void add(std::string_view key, std::uint64_t value);
    void add(std::string_view key, float value);
    void add(std::string_view key, double value);
    void add(std::string_view key, std::string_view value);
    void add(std::string_view key, const char* value) { add(key, std::string_view(value)); }
    void add(std::string_view key, std::span<const std::string> values);
    void add(std::string_view key, std::span<const float> values);
    void add(std::string_view key, std::span<const std::int32_t> values);
    void add(std::string_view key, std::span<const std::uint32_t> values);

    /// Copies an entry of another file, its value byte for byte.
    /// @shape  none
    /// @errors none
    /// @source none
    void add(const gguf_entry& entry);

    /// Adds a tensor; `data` must stay alive until the file is written.
    /// @shape  data: the rows of `shape` (outermost first) without gaps
    /// @errors invalid_argument for a shape, name or size that the format does not allow, or a name twice
    /// @source the GGUF specification
    [[nodiscard]] result<void> add_tensor(std::string name, dtype type, std::span<const std::int64_t> shape,
                                          std::span<const std::byte> data);

    /// Writes to a temporary file beside `path`, flushes it and renames it to `path`.
    /// @shape  none
    /// @errors io; invalid_argument for a key or alignment that the format does not allow
    /// @source none
    [[nodiscard]] result<void> write(const std::string& path) const;

    /// The file in memory.
    /// @shape  none
    /// @errors invalid_argument as write
    /// @source none
    [[nodiscard]] result<std::vector<std::byte>> to_bytes() const;

private:
    struct stored_value {
        std::string key;
        gguf_type type;
        std::vector<std::byte> bytes;  // as in a file, after the type
    };
    struct stored_tensor {
        std::string name;
        dtype type;
        std::vector<std::int64_t> shape;
        std::span<const std::byte> data;
    };

    std::vector<std::byte>& slot(std::string_view key, gguf_type type);
    [[nodiscard]] result<std::uint32_t> alignment() const;
    [[nodiscard]] std::vector<std::byte> head(std::uint32_t alignment) const;

    std::vector<stored_value> values_;
    std::vector<stored_tensor> tensors_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/gguf_writer.inl.hpp"
#endif

#endif
