// An input that is several files: parts, each after a line "=====NAME", are written to a folder of their own.
//
// For what only opens paths: model folders and split sets. The folder lies in memory where the machine has /dev/shm.
#ifndef HENCE_TESTS_FUZZ_FILE_SET_HPP
#define HENCE_TESTS_FUZZ_FILE_SET_HPP

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hence_fuzz {

class file_set {
public:
    file_set() {
        std::string pattern =
            std::filesystem::is_directory("/dev/shm") ? "/dev/shm/hence-fuzz-XXXXXX" : "/tmp/hence-fuzz-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        folder_ = pattern;
    }
    ~file_set() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    file_set(const file_set&) = delete;
    file_set& operator=(const file_set&) = delete;

    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

    /// Writes the parts whose names are in `known`; what was there before is removed. The input's other parts are left out.
    void write(std::string_view input, std::span<const std::string_view> known) {
        constexpr std::string_view mark = "=====";
        for (const std::string_view name : known) std::remove(path(name).c_str());
        while (input.substr(0, mark.size()) == mark) {
            input.remove_prefix(mark.size());
            const std::size_t line = std::min(input.find('\n'), input.size());
            const std::string_view name = input.substr(0, line);
            input.remove_prefix(std::min(line + 1, input.size()));
            const std::size_t end = std::min(input.find(std::string("\n") + std::string(mark)), input.size());
            if (std::find(known.begin(), known.end(), name) != known.end()) put(path(name), input.substr(0, end));
            input.remove_prefix(std::min(end + 1, input.size()));
        }
    }

private:
    [[nodiscard]] std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
    static void put(const std::string& path, std::string_view bytes) {
        std::FILE* const file = std::fopen(path.c_str(), "wb");
        if (file == nullptr || std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size()) std::abort();
        std::fclose(file);
    }

    std::string folder_;
};

}  // namespace hence_fuzz

#endif
