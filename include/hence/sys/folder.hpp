// Folders: whether a path is one, and what lies in it. For loaders that open what a person downloaded.
#ifndef HENCE_SYS_FOLDER_HPP
#define HENCE_SYS_FOLDER_HPP

#include "../config.hpp"
#include "../core/result.hpp"

#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// Whether there is a folder of this name (a link to one counts).
/// @shape  none
/// @errors none: what cannot be looked at is no folder
/// @source none
[[nodiscard]] bool is_folder(const std::string& path) noexcept;

/// The names in a folder, sorted; without "." and "..".
/// @shape  none
/// @errors file_not_found; io with the system's own words; out_of_range for more than 100 000 names
/// @source none
[[nodiscard]] result<std::vector<std::string>> folder_entries(const std::string& path);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/folder.inl.hpp"
#endif

#endif
