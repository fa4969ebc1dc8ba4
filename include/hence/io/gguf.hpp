// gguf_file: reads GGUF files, versions 2 and 3, without copying the weights.
//
// A file is checked completely when it is opened: every count, length, offset, type and shape, against
// what the file holds, before memory is asked for. What opens is safe to use: all spans lie inside the
// file. It does not know what the keys mean for a model; that is models/. Writing is io/gguf_writer.hpp.
#ifndef HENCE_IO_GGUF_HPP
#define HENCE_IO_GGUF_HPP

#include "../config.hpp"
#include "../core/result.hpp"
#include "file_tensor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// The types of metadata values, with the numbers they have in files.
enum class gguf_type : std::uint32_t {
    u8,
    i8,
    u16,
    i16,
    u32,
    i32,
    f32,
    boolean,
    string,
    array,
    u64,
    i64,
    f64,
};

/// The name of a metadata type, as error messages and `hence inspect` print it.
/// @shape  none
/// @errors none
/// @source the GGUF specification
[[nodiscard]] constexpr std::string_view name(gguf_type type) noexcept {
    constexpr std::string_view names[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                          "bool", "string", "array", "u64", "i64", "f64"};
    return static_cast<std::uint32_t>(type) < 13 ? names[static_cast<std::uint32_t>(type)] : "unknown";
}

/// One metadata entry, still as the file stores it.
struct gguf_entry {
    std::string key;
    gguf_type type = gguf_type::u8;
    gguf_type element = gguf_type::u8;  ///< an array's element type; otherwise the same as type
    std::uint64_t count = 1;            ///< an array's elements; otherwise 1
    std::uint64_t file_offset = 0;      ///< where `data` begins in the file
    /// Little-endian values as in the file: an array's elements; strings with their 64-bit lengths.
    std::span<const std::byte> data;
};

/// One tensor of a GGUF file.
using gguf_tensor = file_tensor;

/// What gguf_file::get can return. Views point into the file.
template <class T>
concept gguf_value = std::is_same_v<T, bool> || std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::uint32_t> ||
    std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint64_t> || std::is_same_v<T, float> ||
    std::is_same_v<T, double> || std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
    std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<std::string_view>> ||
    std::is_same_v<T, std::vector<float>> || std::is_same_v<T, std::vector<std::int32_t>> ||
    std::is_same_v<T, std::vector<std::uint32_t>>;

/// An opened GGUF file or split set. Copies share it; every view is valid while one copy lives.
/// @threads const throughout: any number of threads may read
class gguf_file {
public:
    /// Maps and checks a file. The first file of a split set (-00001-of-0000N.gguf) opens the others too.
    /// @shape  none
    /// @errors file_not_found, io, truncated, bad_format, unsupported, mismatch: all that are found
    /// @source the GGUF specification (ggml-org/ggml, docs/gguf.md)
    [[nodiscard]] static result<gguf_file> open(const std::string& path);

    /// Checks a file in memory, for example one embedded in the program; the caller keeps the bytes alive.
    /// Tensor data is as aligned as the bytes are.
    /// @shape  bytes[any]
    /// @errors as open, without the file errors
    /// @source none
    [[nodiscard]] static result<gguf_file> from_bytes(std::span<const std::byte> bytes, std::string name = "<memory>");

    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::uint32_t version() const noexcept;

    /// The path, or the name given to from_bytes.
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] const std::string& name() const noexcept;

    /// What tensor offsets are multiples of: general.alignment, or 32.
    /// @shape  none
    /// @units  bytes
    /// @errors none
    /// @source the GGUF specification
    [[nodiscard]] std::uint32_t alignment() const noexcept;

    /// How many files the set has: 1, or split.count.
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t parts() const noexcept;

    /// All entries in file order (of a split set: of its first file).
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const gguf_entry> metadata() const noexcept;

    /// All tensors in file order.
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const gguf_tensor> tensors() const noexcept;

    /// The entry with this key, or nullptr.
    /// @shape  none
    /// @errors none
    /// @cost   O(log n)
    /// @source none
    [[nodiscard]] const gguf_entry* find(std::string_view key) const noexcept;

    /// The tensor with this name, or nullptr.
    /// @shape  none
    /// @errors none
    /// @cost   O(log n)
    /// @source none
    [[nodiscard]] const gguf_tensor* find_tensor(std::string_view tensor_name) const noexcept;

    /// A value that must be there. Integers convert between widths when the value fits; float and double
    /// also take integers; arrays convert element by element.
    /// @shape  none
    /// @errors missing; mismatch for another type; out_of_range for an integer that does not fit
    /// @source none
    template <gguf_value T>
    [[nodiscard]] result<T> get(std::string_view key) const {
        T value{};
        bool present = false;
        if (result<void> read_result = read(key, value, present); !read_result) return read_result.error();
        if (!present) return missing(key);
        return value;
    }

    /// A value that may be absent: nullopt then, but an error when it is there with a wrong type.
    /// @shape  none
    /// @errors mismatch, out_of_range
    /// @source none
    template <gguf_value T>
    [[nodiscard]] result<std::optional<T>> get_if(std::string_view key) const {
        std::optional<T> value{std::in_place};
        bool present = false;
        if (result<void> read_result = read(key, *value, present); !read_result) return read_result.error();
        if (!present) value.reset();
        return value;
    }

    /// Tells the system that this tensor's pages are not needed for now (it was packed into another
    /// layout). They stay readable. Does nothing for a file in memory.
    /// @shape  none
    /// @errors none
    /// @source none
    void release_pages(const gguf_tensor& tensor) const noexcept;

private:
    struct state;
    explicit gguf_file(std::shared_ptr<const state> s) noexcept : state_(std::move(s)) {}

    [[nodiscard]] error missing(std::string_view key) const;
    result<void> read(std::string_view key, bool& out, bool& present) const;
    result<void> read(std::string_view key, std::int32_t& out, bool& present) const;
    result<void> read(std::string_view key, std::uint32_t& out, bool& present) const;
    result<void> read(std::string_view key, std::int64_t& out, bool& present) const;
    result<void> read(std::string_view key, std::uint64_t& out, bool& present) const;
    result<void> read(std::string_view key, float& out, bool& present) const;
    result<void> read(std::string_view key, double& out, bool& present) const;
    result<void> read(std::string_view key, std::string& out, bool& present) const;
    result<void> read(std::string_view key, std::string_view& out, bool& present) const;
    result<void> read(std::string_view key, std::vector<std::string>& out, bool& present) const;
    result<void> read(std::string_view key, std::vector<std::string_view>& out, bool& present) const;
    result<void> read(std::string_view key, std::vector<float>& out, bool& present) const;
    result<void> read(std::string_view key, std::vector<std::int32_t>& out, bool& present) const;
    result<void> read(std::string_view key, std::vector<std::uint32_t>& out, bool& present) const;

    std::shared_ptr<const state> state_;
};

/// An entry's value in words, arrays cut after `max_elements` and strings after 60 bytes; control
/// characters and broken UTF-8 are escaped, so that a file cannot write to the terminal.
/// @shape  none
/// @errors none
/// @source none
[[nodiscard]] std::string to_text(const gguf_entry& entry, std::size_t max_elements = 6);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/gguf.inl.hpp"
#endif

#endif
