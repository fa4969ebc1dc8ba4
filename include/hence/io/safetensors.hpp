// safetensors_file: reads safetensors files, sharded sets included, without copying the weights.
//
// The header is checked completely when a file is opened: names, types, shapes and offsets, which must
// cover the data exactly. Names and shapes are those of the training framework; what they mean for a model
// is models/. Configurations beside the weights are io/hf_config.hpp.
#ifndef HENCE_IO_SAFETENSORS_HPP
#define HENCE_IO_SAFETENSORS_HPP

#include "../config.hpp"
#include "../core/result.hpp"
#include "file_tensor.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// An opened safetensors file or sharded set. Copies share it; every view is valid while one copy lives.
/// @threads const throughout: any number of threads may read
class safetensors_file {
public:
    /// Opens a .safetensors file, a .safetensors.index.json with its shards, or a folder that holds
    /// model.safetensors or model.safetensors.index.json.
    /// @shape  none
    /// @errors file_not_found, io, truncated, bad_format, unsupported, mismatch: all that are found
    /// @source huggingface/safetensors, README "Format"
    [[nodiscard]] static result<safetensors_file> open(const std::string& path);

    /// Checks a file in memory; the caller keeps the bytes alive. Tensor data is as aligned as the bytes are.
    /// @shape  bytes[any]
    /// @errors as open, without the file errors
    /// @source none
    [[nodiscard]] static result<safetensors_file> from_bytes(std::span<const std::byte> bytes,
                                                             std::string name = "<memory>");

    /// The path it was opened by, or the name given to from_bytes.
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] const std::string& name() const noexcept;

    /// How many files the set has.
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t parts() const noexcept;

    /// The texts of __metadata__, sorted by key (of a sharded set: of its first file).
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const std::pair<std::string, std::string>> metadata() const noexcept;

    /// All tensors, sorted by name. A scalar's shape is empty; an extent may be 0.
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const file_tensor> tensors() const noexcept;

    /// The tensor with this name, or nullptr.
    /// @shape  none
    /// @errors none
    /// @cost   O(log n)
    /// @source none
    [[nodiscard]] const file_tensor* find_tensor(std::string_view tensor_name) const noexcept;

    /// Tells the system that this tensor's pages are not needed for now. They stay readable.
    /// @shape  none
    /// @errors none
    /// @source none
    void release_pages(const file_tensor& tensor) const noexcept;

private:
    struct state;
    explicit safetensors_file(std::shared_ptr<const state> s) noexcept : state_(std::move(s)) {}

    std::shared_ptr<const state> state_;
};

/// Builds safetensors files. Tensor data is not copied: the caller keeps it alive until the file is written.
class safetensors_writer {
public:
    /// Sets a text of __metadata__.
    /// @shape  none
    /// @errors none here: write() refuses text that is not UTF-8
    /// @source none
    void add(std::string key, std::string value);

    /// Adds a tensor of a plain type (block formats have no name here).
    /// @shape  data: the rows of `shape` (outermost first) without gaps
    /// @errors invalid_argument for a name twice, a type, shape or size that do not belong together
    /// @source none
    [[nodiscard]] result<void> add_tensor(std::string name, dtype type, std::span<const std::int64_t> shape,
                                          std::span<const std::byte> data);

    /// Writes to a temporary file beside `path`, flushes it and renames it to `path`.
    /// @shape  none
    /// @errors io; invalid_argument for a name or text that is not UTF-8
    /// @source none
    [[nodiscard]] result<void> write(const std::string& path) const;

    /// The file in memory.
    /// @shape  none
    /// @errors invalid_argument as write
    /// @source none
    [[nodiscard]] result<std::vector<std::byte>> to_bytes() const;

private:
    [[nodiscard]] result<std::string> head() const;

    std::vector<std::pair<std::string, std::string>> metadata_;
    std::vector<file_tensor> tensors_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/safetensors.inl.hpp"
#endif

#endif
