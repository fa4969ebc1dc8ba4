// mapped_file: a file's bytes in memory without reading it, read-only.
//
// The mapping is what lets a model start before its weights are read, and lets several processes share
// them. It is not a way to write (sys/atomic_file.hpp). If another process shortens the file while it is
// mapped, reading the lost part ends the program (SIGBUS): replace a model file by renaming, not in place.
#ifndef HENCE_SYS_MAPPED_FILE_HPP
#define HENCE_SYS_MAPPED_FILE_HPP

#include "../config.hpp"
#include "../core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

HENCE_NAMESPACE_BEGIN

/// A file mapped read-only; unmapped when destroyed. Move-only: spans of its bytes stay valid over moves.
class mapped_file {
public:
    /// Maps a regular file. An empty file gives an empty span.
    /// @shape  none
    /// @errors file_not_found; bad_format for a folder, pipe or device; io with the system's own words
    /// @source none
    [[nodiscard]] static result<mapped_file> open(const std::string& path);

    mapped_file() noexcept = default;
    mapped_file(mapped_file&& other) noexcept;
    mapped_file& operator=(mapped_file&& other) noexcept;
    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;
    ~mapped_file();

    /// The whole file; begins at a page boundary.
    /// @shape  bytes[size()]
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

    /// @shape  none
    /// @units  bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Tells the system that the file will be read from front to back, so that it reads ahead.
    /// @shape  none
    /// @errors none: it is advice
    /// @source none
    void advise_sequential() const noexcept;

    /// Lets the system drop the whole pages inside bytes [offset, offset + length) from this process. The
    /// bytes stay readable: touching them again reads the file again.
    /// @shape  none
    /// @errors none: a range outside the file is cut to it
    /// @threads safe while others read
    /// @source none
    void release(std::size_t offset, std::size_t length) const noexcept;

private:
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/mapped_file.inl.hpp"
#endif

#endif
