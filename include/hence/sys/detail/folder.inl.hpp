// Definitions of sys/folder.hpp.
#ifndef HENCE_SYS_DETAIL_FOLDER_INL_HPP
#define HENCE_SYS_DETAIL_FOLDER_INL_HPP

#include "../folder.hpp"
#include "system_error_text.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <dirent.h>
#include <sys/stat.h>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE bool is_folder(const std::string& path) noexcept {
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

HENCE_INLINE result<std::vector<std::string>> folder_entries(const std::string& path) {
    DIR* const folder = ::opendir(path.c_str());
    if (folder == nullptr) {
        const int code = errno;
        return make_error(code == ENOENT || code == ENOTDIR ? errc::file_not_found : errc::io, path,
                          "a folder that can be read", detail::system_error_text(code));
    }
    constexpr std::size_t most = 100'000;
    std::vector<std::string> names;
    while (const dirent* const entry = ::readdir(folder)) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (names.size() == most) {
            ::closedir(folder);
            return make_error(errc::out_of_range, path, "at most 100000 names in the folder", "more");
        }
        names.emplace_back(name);
    }
    ::closedir(folder);
    std::sort(names.begin(), names.end());
    return names;
}

HENCE_NAMESPACE_END

#endif
