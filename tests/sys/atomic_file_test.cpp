// atomic_file: a file is there complete, or what was there before is.
#include <hence/sys/atomic_file.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <filesystem>
#include <string_view>

#include <sys/stat.h>

namespace {

std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::size_t entries(const std::string& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
    return count;
}

}  // namespace

TEST_CASE("a committed file replaces the old one and leaves nothing beside it") {
    const hence_test::temporary_folder folder;
    const std::string path = folder.file("out");
    for (const std::string text : {"first", "second, longer"}) {
        auto file = hence::atomic_file::create(path);
        REQUIRE(file.has_value());
        REQUIRE(file->write(bytes(text)).has_value());
        REQUIRE(file->commit().has_value());
        CHECK(hence_test::read_file(path) == text);
        CHECK(entries(folder.path()) == 1);
    }
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    CHECK((status.st_mode & 0777u) == (0666u & ~mask));
}

TEST_CASE("a file that is not committed leaves the old one, also when moved from") {
    const hence_test::temporary_folder folder;
    const std::string path = folder.file("out");
    {
        auto file = hence::atomic_file::create(path);
        REQUIRE(file.has_value());
        REQUIRE(file->write(bytes("old")).has_value());
        REQUIRE(file->commit().has_value());
    }
    {
        auto file = hence::atomic_file::create(path);
        auto second = hence::atomic_file::create(path);
        REQUIRE(file.has_value());
        REQUIRE(second.has_value());
        REQUIRE(file->write(bytes("half of the n")).has_value());
        const hence::atomic_file moved = std::move(*file);
        CHECK(entries(folder.path()) == 3);
    }
    CHECK(entries(folder.path()) == 1);
    CHECK(hence_test::read_file(path) == "old");
}

TEST_CASE("an absent folder and a folder in the way are errors that name the path") {
    const hence_test::temporary_folder folder;
    const auto absent = hence::atomic_file::create(folder.file("no/out"));
    REQUIRE_FALSE(absent.has_value());
    CHECK(absent.error().code == hence::errc::io);
    CHECK(absent.error().where == folder.file("no/out"));

    std::filesystem::create_directory(folder.file("taken"));
    auto blocked = hence::atomic_file::create(folder.file("taken"));
    REQUIRE(blocked.has_value());
    REQUIRE_FALSE(blocked->commit().has_value());
    CHECK(entries(folder.path()) == 1);
}
