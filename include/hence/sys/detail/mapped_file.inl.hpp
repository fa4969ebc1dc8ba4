// Definitions of sys/mapped_file.hpp.
#ifndef HENCE_SYS_DETAIL_MAPPED_FILE_INL_HPP
#define HENCE_SYS_DETAIL_MAPPED_FILE_INL_HPP

#include "../../core/text.hpp"
#include "../mapped_file.hpp"
#include "system_error_text.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE result<mapped_file> mapped_file::open(const std::string& path) {
    // O_NONBLOCK: opening a pipe that nobody writes to must not hang before it can be refused.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        const int code = errno;
        return make_error(code == ENOENT || code == ENOTDIR ? errc::file_not_found : errc::io, path,
                          "a file that can be read", detail::system_error_text(code));
    }
    struct stat status = {};
    if (::fstat(descriptor, &status) != 0) {
        const int code = errno;
        ::close(descriptor);
        return make_error(errc::io, path, "a file whose size can be read", detail::system_error_text(code));
    }
    if (!S_ISREG(status.st_mode)) {
        ::close(descriptor);
        return make_error(errc::bad_format, path, "a regular file",
                          S_ISDIR(status.st_mode) ? "a folder" : "a pipe, socket or device");
    }
    mapped_file file;
    if (status.st_size > 0) {
        const auto size = static_cast<std::size_t>(status.st_size);
        void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        const int code = errno;
        if (address == MAP_FAILED) {
            ::close(descriptor);
            return make_error(errc::io, path, concat({"a file of ", size, " bytes that can be mapped"}),
                              detail::system_error_text(code));
        }
        file.data_ = static_cast<const std::byte*>(address);
        file.size_ = size;
    }
    ::close(descriptor);  // the mapping keeps the file
    return file;
}

HENCE_INLINE mapped_file::mapped_file(mapped_file&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

HENCE_INLINE mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

HENCE_INLINE mapped_file::~mapped_file() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

HENCE_INLINE void mapped_file::advise_sequential() const noexcept {
    if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_SEQUENTIAL);
}

HENCE_INLINE void mapped_file::release(std::size_t offset, std::size_t length) const noexcept {
    if (offset >= size_) return;
    if (length > size_ - offset) length = size_ - offset;
    // Only whole pages, so that a neighbour's page is not read twice.
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t begin = (offset + page - 1) / page * page;
    const std::size_t end = (offset + length) / page * page;
    if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

HENCE_NAMESPACE_END

#endif
