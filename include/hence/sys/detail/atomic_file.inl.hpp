// Definitions of sys/atomic_file.hpp.
#ifndef HENCE_SYS_DETAIL_ATOMIC_FILE_INL_HPP
#define HENCE_SYS_DETAIL_ATOMIC_FILE_INL_HPP

#include "../../core/text.hpp"
#include "../atomic_file.hpp"
#include "system_error_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE atomic_file::atomic_file(std::string path, std::string temporary, int descriptor) noexcept
    : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

HENCE_INLINE result<atomic_file> atomic_file::create(const std::string& path) {
    // Not mkstemp: it fixes the mode at 0600, and the umask cannot be read without changing it.
    for (int attempt = 0; attempt < 1000; ++attempt) {
        std::string temporary = concat({path, ".partial-", ::getpid(), "-", attempt});
        const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) return atomic_file(path, std::move(temporary), descriptor);
        if (errno != EEXIST)
            return make_error(errc::io, path, "a folder that can be written", detail::system_error_text(errno));
    }
    return make_error(errc::io, path, "an unused temporary name beside it", "1000 left-over files named .partial-*");
}

HENCE_INLINE atomic_file::atomic_file(atomic_file&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

HENCE_INLINE atomic_file& atomic_file::operator=(atomic_file&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(temporary_, other.temporary_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

HENCE_INLINE atomic_file::~atomic_file() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
}

HENCE_INLINE result<void> atomic_file::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        // Linux moves at most 2^31 - 4096 bytes a call; smaller pieces behave alike everywhere.
        const std::size_t piece = std::min<std::size_t>(bytes.size(), std::size_t{1} << 30);
        const auto written = ::write(descriptor_, bytes.data(), piece);
        if (written < 0) {
            if (errno == EINTR) continue;
            return make_error(errc::io, path_, concat({"to write ", bytes.size(), " bytes"}),
                              detail::system_error_text(errno));
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

HENCE_INLINE result<void> atomic_file::commit() {
    const int descriptor = std::exchange(descriptor_, -1);
    int code = ::fsync(descriptor) == 0 ? 0 : errno;
    if (::close(descriptor) != 0 && code == 0) code = errno;
    if (code == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) code = errno;
    if (code != 0) {
        ::unlink(temporary_.c_str());
        return make_error(errc::io, path_, "a place that a finished file can be renamed to",
                          detail::system_error_text(code));
    }
    // The new name itself is durable once its folder is: best effort, some file systems refuse it.
    const auto slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    const int directory = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (directory >= 0) {
        ::fsync(directory);
        ::close(directory);
    }
    return {};
}

HENCE_NAMESPACE_END

#endif
