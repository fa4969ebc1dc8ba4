// Split GGUF sets: opening the first file opens all, and sets that do not fit together are refused.
#include <hence/io/gguf_writer.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using hence::errc;
using hence::gguf_file;
using hence::gguf_writer;

const std::vector<float> weights = {1, 2, 3, 4, 5, 6, 7, 8};
const std::vector<std::int64_t> eight = {8};

struct part_options {
    std::uint32_t number = 0;
    std::uint32_t count = 3;
    std::int32_t tensors = 3;
    bool numbered = true;
    std::string tensor;
};

void write_part(const std::string& path, const part_options& options) {
    gguf_writer writer;
    if (options.number == 0) writer.add("general.architecture", "llama");
    if (options.numbered) writer.add("split.no", options.number);
    writer.add("split.count", options.count);
    writer.add("split.tensors.count", options.tensors);
    REQUIRE(writer
                .add_tensor(options.tensor.empty() ? "t" + std::to_string(options.number) : options.tensor,
                            hence::dtype::f32, eight, std::as_bytes(std::span(weights)))
                .has_value());
    REQUIRE(writer.write(path).has_value());
}

void write_set(const hence_test::temporary_folder& folder) {
    for (std::uint32_t i = 0; i < 3; ++i)
        write_part(folder.file("m-0000" + std::to_string(i + 1) + "-of-00003.gguf"), {.number = i, .tensor = {}});
}

void check_refused(const std::string& path, errc code, std::string_view part) {
    const auto opened = gguf_file::open(path);
    REQUIRE_FALSE(opened.has_value());
    INFO(opened.error().message());
    CHECK(opened.error().code == code);
    CHECK(opened.error().message().find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("the first file of a set opens all of them") {
    const hence_test::temporary_folder folder;
    write_set(folder);
    const gguf_file set = gguf_file::open(folder.file("m-00001-of-00003.gguf")).value();
    CHECK(set.parts() == 3);
    REQUIRE(set.tensors().size() == 3);
    CHECK(set.get<std::string>("general.architecture").value() == "llama");
    for (std::uint32_t i = 0; i < 3; ++i) {
        const hence::gguf_tensor* tensor = set.find_tensor("t" + std::to_string(i));
        REQUIRE(tensor != nullptr);
        CHECK(tensor->part == i);
        CHECK(std::memcmp(tensor->data.data(), weights.data(), 32) == 0);
        set.release_pages(*tensor);
        CHECK(std::memcmp(tensor->data.data(), weights.data(), 32) == 0);
    }
}

TEST_CASE("a set with a missing, foreign or wrong file is refused") {
    const hence_test::temporary_folder folder;
    const std::string first = folder.file("m-00001-of-00003.gguf");
    const std::string last = folder.file("m-00003-of-00003.gguf");
    write_set(folder);
    check_refused(last, errc::invalid_argument, "the first file of the set");
    std::filesystem::remove(last);
    check_refused(first, errc::file_not_found, "m-00003-of-00003.gguf");
    write_part(last, {.number = 1, .tensor = "t2"});
    check_refused(first, errc::mismatch, "'split.no': expected 2, found 1");
    write_part(last, {.number = 2, .numbered = false, .tensor = {}});
    check_refused(first, errc::mismatch, "no such key");
    write_part(last, {.number = 2, .tensor = "t0"});
    check_refused(first, errc::bad_format, "each tensor once");
    write_part(last, {.number = 2, .tensor = {}});
    write_part(first, {.number = 0, .tensors = 4, .tensor = {}});
    check_refused(first, errc::mismatch, "expected 3, as the files of the set hold, found 4");
    write_part(first, {.number = 0, .count = 5, .tensor = {}});
    check_refused(first, errc::mismatch, "the first of 5 files");
    write_part(first, {.number = 0, .count = 70000, .tensor = {}});
    check_refused(first, errc::out_of_range, "65535");
}

TEST_CASE("a set of thousands of absent files gives a short answer") {
    const hence_test::temporary_folder folder;
    write_part(folder.file("m-00001-of-60000.gguf"), {.number = 0, .count = 60000, .tensor = {}});
    const auto opened = gguf_file::open(folder.file("m-00001-of-60000.gguf"));
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().also.size() < 16);
}

TEST_CASE("a part of a set in memory is refused: its other files have no names there") {
    gguf_writer writer;
    writer.add("split.count", 2u);
    const auto bytes = writer.to_bytes().value();
    const auto opened = gguf_file::from_bytes(bytes);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == errc::unsupported);
}
