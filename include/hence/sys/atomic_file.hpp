// atomic_file: writes a file that appears complete or not at all.
//
// The bytes go to a temporary file in the same folder; commit() makes them durable and renames. A program
// that fails, is killed or runs out of disk half way leaves whatever was at the path before.
#ifndef HENCE_SYS_ATOMIC_FILE_HPP
#define HENCE_SYS_ATOMIC_FILE_HPP

#include "../config.hpp"
#include "../core/result.hpp"

#include <cstddef>
#include <span>
#include <string>

HENCE_NAMESPACE_BEGIN

/// A file under construction; removed when destroyed before commit().
class atomic_file {
public:
    /// Creates the temporary file beside `path`, with the permissions a new file gets.
    /// @shape  none
    /// @errors io with the system's own words (no such folder, no permission)
    /// @source none
    [[nodiscard]] static result<atomic_file> create(const std::string& path);

    atomic_file(atomic_file&& other) noexcept;
    atomic_file& operator=(atomic_file&& other) noexcept;
    atomic_file(const atomic_file&) = delete;
    atomic_file& operator=(const atomic_file&) = delete;
    ~atomic_file();

    /// Appends bytes.
    /// @shape  bytes[any]
    /// @errors io (disk full, quota)
    /// @source none
    [[nodiscard]] result<void> write(std::span<const std::byte> bytes);

    /// Flushes to the disk and takes the place of whatever is at the path.
    /// @shape  none
    /// @errors io; the temporary file is removed then
    /// @source none
    [[nodiscard]] result<void> commit();

private:
    atomic_file(std::string path, std::string temporary, int descriptor) noexcept;

    std::string path_;
    std::string temporary_;
    int descriptor_ = -1;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/atomic_file.inl.hpp"
#endif

#endif
