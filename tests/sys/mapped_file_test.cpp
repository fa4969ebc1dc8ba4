// mapped_file: what it shows of a file, and how it refuses what it cannot map.
#include <hence/sys/mapped_file.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cstdio>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace {

void write_text(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

std::string text_of(const hence::mapped_file& file) {
    return {reinterpret_cast<const char*>(file.bytes().data()), file.size()};
}

}  // namespace

TEST_CASE("a mapped file shows the file's bytes, also after it was moved and its name removed") {
    const hence_test::temporary_folder folder;
    const std::string path = folder.file("a");
    write_text(path, "frozen weights");
    auto opened = hence::mapped_file::open(path);
    REQUIRE(opened.has_value());
    const std::byte* before = opened->bytes().data();
    hence::mapped_file moved = std::move(*opened);
    CHECK(moved.bytes().data() == before);
    CHECK(opened->size() == 0);
    std::remove(path.c_str());
    CHECK(text_of(moved) == "frozen weights");
    hence::mapped_file other;
    other = std::move(moved);
    CHECK(text_of(other) == "frozen weights");
}

TEST_CASE("an empty file maps to an empty span") {
    const hence_test::temporary_folder folder;
    write_text(folder.file("empty"), "");
    const auto opened = hence::mapped_file::open(folder.file("empty"));
    REQUIRE(opened.has_value());
    CHECK(opened->bytes().empty());
    opened->advise_sequential();
    opened->release(0, 10);
}

TEST_CASE("released pages stay readable, whatever the range") {
    const hence_test::temporary_folder folder;
    std::string text(100'000, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
    write_text(folder.file("pages"), text);
    const auto opened = hence::mapped_file::open(folder.file("pages"));
    REQUIRE(opened.has_value());
    opened->advise_sequential();
    for (const auto& [offset, length] : {std::pair<std::size_t, std::size_t>{0, 100'000},
                                         {5000, 20'000},
                                         {4096, 4096},
                                         {99'999, ~std::size_t{0}},
                                         {200'000, 1},
                                         {10, 5}}) {
        opened->release(offset, length);
        CHECK(text_of(*opened) == text);
    }
}

TEST_CASE("absent files, folders and pipes are refused with the path, without waiting") {
    const hence_test::temporary_folder folder;
    const auto absent = hence::mapped_file::open(folder.file("absent"));
    REQUIRE_FALSE(absent.has_value());
    CHECK(absent.error().code == hence::errc::file_not_found);
    CHECK(absent.error().message().find(folder.file("absent")) != std::string::npos);
    CHECK(absent.error().message().find("No such file") != std::string::npos);

    const auto directory = hence::mapped_file::open(folder.path());
    REQUIRE_FALSE(directory.has_value());
    CHECK(directory.error().code == hence::errc::bad_format);
    CHECK(directory.error().actual == "a folder");

    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    const auto pipe = hence::mapped_file::open(folder.file("pipe"));
    REQUIRE_FALSE(pipe.has_value());
    CHECK(pipe.error().code == hence::errc::bad_format);

    if (::geteuid() != 0) {  // root may read anything
        write_text(folder.file("secret"), "x");
        REQUIRE(::chmod(folder.file("secret").c_str(), 0) == 0);
        const auto secret = hence::mapped_file::open(folder.file("secret"));
        REQUIRE_FALSE(secret.has_value());
        CHECK(secret.error().code == hence::errc::io);
    }
}
