// Where the tests find models, golden files and vocabularies.
//
// A relative path such as "golden/tiny/llama.gguf" is looked up in $HENCE_TEST_DATA, in ../shared/data
// beside the repository, and among the copies that the repository carries (tests/golden/,
// examples/models/). Data that is not there skips the test with a message; under CI=true it fails it,
// so that a run that proves nothing cannot pass.
#ifndef HENCE_TESTS_SUPPORT_TEST_DATA_HPP
#define HENCE_TESTS_SUPPORT_TEST_DATA_HPP

#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#ifndef HENCE_SOURCE_DIR
#error "tests are compiled with HENCE_SOURCE_DIR, the repository's root, as a string"
#endif

namespace hence_test {

inline std::filesystem::path source_dir() { return std::filesystem::path(HENCE_SOURCE_DIR); }

/// The file or folder called `relative`, or nothing where it is absent.
inline std::optional<std::filesystem::path> data(std::string_view relative) {
    const auto at = [&](const std::filesystem::path& root) -> std::optional<std::filesystem::path> {
        std::error_code ignored;
        std::filesystem::path found = (root / relative).lexically_normal();
        if (std::filesystem::exists(found, ignored)) return found;
        return std::nullopt;
    };
    if (const char* named = std::getenv("HENCE_TEST_DATA"); named != nullptr && *named != '\0') {
        if (auto found = at(named)) return found;
    }
    if (auto found = at(source_dir() / ".." / "shared" / "data")) return found;
    if (auto found = at(source_dir() / "tests")) return found;
    return at(source_dir() / "examples");
}

/// Absent data is a failure where someone relies on the answer.
inline bool data_required() {
    const char* ci = std::getenv("CI");
    return ci != nullptr && std::string_view(ci) == "true";
}

/// The bytes of a file as a string; the test fails where it cannot be read.
inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    INFO("reading " << path.string());
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace hence_test

/// Declares `variable`, the path of a data file; leaves the test case where the file is absent (CI: fails it).
#define HENCE_REQUIRE_DATA(variable, relative)                                                   \
    const auto variable##_found_ = ::hence_test::data(relative);                                 \
    if (!variable##_found_) {                                                                    \
        if (::hence_test::data_required()) FAIL("CI needs the data file " << (relative));        \
        WARN("skipped: no data file " << (relative) << " (set HENCE_TEST_DATA to its folder)");  \
        return;                                                                                  \
    }                                                                                            \
    const std::filesystem::path& variable = *variable##_found_

#endif
