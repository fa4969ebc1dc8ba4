// safetensors: what is written reads back, sharded sets join, and bad files are refused.
#include <hence/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

using hence::errc;
using hence::safetensors_file;
using hence::safetensors_writer;
using shape = std::vector<std::int64_t>;

std::vector<std::byte> file_with(std::string_view header, std::size_t data_bytes) {
    std::vector<std::byte> file(8 + header.size() + data_bytes);
    const std::uint64_t length = header.size();
    std::memcpy(file.data(), &length, 8);
    std::memcpy(file.data() + 8, header.data(), header.size());
    return file;
}

hence::error refused(std::string_view header, std::size_t data_bytes) {
    const auto bytes = file_with(header, data_bytes);
    auto opened = safetensors_file::from_bytes(bytes, "test");
    INFO(header);
    REQUIRE_FALSE(opened.has_value());
    return opened.error();
}

void check_says(const hence::error& error, errc code, std::string_view part) {
    INFO(error.message());
    CHECK(error.code == code);
    CHECK(error.message().find(part) != std::string::npos);
}

std::span<const std::byte> bytes_of(const std::vector<float>& values) {
    return std::as_bytes(std::span(values));
}

void save(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

const char* const good = R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},)"
                         R"("a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},)"
                         R"("none":{"dtype":"F16","shape":[3,0],"data_offsets":[10,10]}})";

}  // namespace

TEST_CASE("a file gives its tensors by name, scalars and empty ones too") {
    const auto bytes = file_with(good, 10);
    const auto file = safetensors_file::from_bytes(bytes, "test").value();
    CHECK(file.name() == "test");
    CHECK(file.tensors().size() == 3);
    REQUIRE(file.metadata().size() == 1);
    CHECK(file.metadata()[0].second == "pt");
    const hence::file_tensor* a = file.find_tensor("a");
    REQUIRE(a != nullptr);
    CHECK(a->type == hence::dtype::bf16);
    CHECK(a->shape.empty());
    CHECK(a->elements() == 1);
    CHECK(a->data.data() == bytes.data() + bytes.size() - 10);
    CHECK(file.find_tensor("b")->shape == shape{2, 1});
    CHECK(file.find_tensor("b")->data.size() == 8);
    CHECK(file.find_tensor("none")->data.empty());
    CHECK(file.find_tensor("c") == nullptr);
    file.release_pages(*a);
}

TEST_CASE("what the writer writes reads back, in memory and on disk") {
    const hence_test::temporary_folder folder;
    const std::vector<float> values = {1, 2, 3, 4, 5, 6};
    safetensors_writer writer;
    writer.add("format", "other");
    writer.add("format", "pt");
    writer.add("note", "line\n\"quoted\" \xc3\xa9");
    REQUIRE(writer.add_tensor("w", hence::dtype::f32, shape{2, 3}, bytes_of(values)).has_value());
    REQUIRE(writer.add_tensor("model.layers.0.\"odd\".weight", hence::dtype::f16, shape{4}, bytes_of(values).first(8))
                .has_value());
    REQUIRE(writer.add_tensor("u", hence::dtype::u8, shape{3}, bytes_of(values).first(3)).has_value());
    const auto memory = writer.to_bytes().value();
    const auto file = safetensors_file::from_bytes(memory).value();
    CHECK(file.metadata()[0] == std::pair<std::string, std::string>{"format", "pt"});
    CHECK(file.metadata()[1].second == "line\n\"quoted\" \xc3\xa9");
    const hence::file_tensor* w = file.find_tensor("w");
    REQUIRE(w != nullptr);
    CHECK(w->shape == shape{2, 3});
    CHECK(std::memcmp(w->data.data(), values.data(), 24) == 0);
    CHECK(w->file_offset % 8 == 0);
    CHECK(file.find_tensor("u")->type == hence::dtype::u8);
    CHECK(file.find_tensor("model.layers.0.\"odd\".weight")->type == hence::dtype::f16);

    REQUIRE(writer.write(folder.file("model.safetensors")).has_value());
    const std::string disk = hence_test::read_file(folder.file("model.safetensors"));
    CHECK((disk.size() == memory.size() && std::memcmp(disk.data(), memory.data(), disk.size()) == 0));
    CHECK(safetensors_file::open(folder.path()).value().tensors().size() == 3);
    CHECK(safetensors_file::open(folder.path() + "/").value().tensors().size() == 3);
    CHECK(safetensors_file::open(folder.file("model.safetensors")).value().parts() == 1);
}

TEST_CASE("the writer refuses what the format has no place for") {
    const std::vector<float> values(64);
    safetensors_writer writer;
    CHECK(writer.add_tensor("ok", hence::dtype::f32, shape{2}, bytes_of(values).first(8)).has_value());
    CHECK_FALSE(writer.add_tensor("ok", hence::dtype::f32, shape{2}, bytes_of(values).first(8)).has_value());
    CHECK_FALSE(writer.add_tensor("", hence::dtype::f32, shape{2}, bytes_of(values).first(8)).has_value());
    CHECK_FALSE(writer.add_tensor("\xff", hence::dtype::f32, shape{2}, bytes_of(values).first(8)).has_value());
    CHECK_FALSE(writer.add_tensor("__metadata__", hence::dtype::f32, shape{2}, bytes_of(values).first(8)).has_value());
    CHECK_FALSE(writer.add_tensor("q", hence::dtype::q8_0, shape{32}, bytes_of(values).first(34)).has_value());
    CHECK_FALSE(writer.add_tensor("s", hence::dtype::f32, shape{-1}, bytes_of(values).first(8)).has_value());
    CHECK_FALSE(writer.add_tensor("s", hence::dtype::f32, shape{3}, bytes_of(values).first(8)).has_value());
    writer.add("bad", "\xff");
    CHECK_FALSE(writer.to_bytes().has_value());
}

TEST_CASE("a safetensors file cut anywhere is refused") {
    const auto bytes = file_with(good, 10);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
        INFO("cut at " << length);
        CHECK_FALSE(safetensors_file::from_bytes(cut).has_value());
    }
    auto longer = bytes;
    longer.push_back(std::byte{0});
    check_says(safetensors_file::from_bytes(longer).error(), errc::bad_format, "to end where the last tensor does");
}

TEST_CASE("header lengths, headers and other kinds of file are refused") {
    std::vector<std::byte> bytes(8, std::byte{0xff});
    check_says(safetensors_file::from_bytes(bytes).error(), errc::truncated, "header length");
    check_says(safetensors_file::from_bytes({}).error(), errc::truncated, "8 bytes");
    const char* gguf = "GGUF\3\0\0\0\0\0\0\0";
    check_says(safetensors_file::from_bytes(std::as_bytes(std::span(gguf, 12))).error(), errc::bad_format,
               "a GGUF file");
    check_says(refused("", 0), errc::bad_format, "a JSON object");
    check_says(refused("[]", 0), errc::bad_format, "a JSON object");
    check_says(refused("{\"a\"", 0), errc::bad_format, "header");
    CHECK(refused("{\"a\"", 0).byte_offset.value_or(0) >= 8);
    check_says(
        refused(
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
            4),
        errc::bad_format, "'a' twice");
    check_says(refused(R"({"__metadata__":{"a":1}})", 0), errc::bad_format, "a text, found 1");
    check_says(refused(R"({"__metadata__":7})", 0), errc::bad_format, "found 7");
}

TEST_CASE("tensor entries with a wrong field are refused, all of them at once") {
    check_says(refused(R"({"a":5})", 0), errc::bad_format, "found 5");
    check_says(refused(R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1), errc::bad_format, "1 to 1000");
    check_says(refused(R"({"a\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1), errc::bad_format, "control");
    check_says(refused(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1), errc::unsupported,
               "found 'F8_E4M3'");
    check_says(refused(R"({"a":{"dtype":"X","shape":[1],"data_offsets":[0,1]}})", 1), errc::unsupported,
               "one of F32 F16 BF16");
    check_says(refused(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}})", 1), errc::bad_format, "dtype");
    check_says(refused(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1), errc::bad_format, "found nothing");
    check_says(refused(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1), errc::bad_format, "an array of at most 8");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[1]}})", 1), errc::bad_format, "two natural numbers");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1), errc::out_of_range, "found -1");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1), errc::out_of_range, "1.5");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})", 1),
               errc::out_of_range, "2^63");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
               errc::out_of_range, "product");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}})", 0),
               errc::out_of_range, "product");
    check_says(refused(R"({"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0),
               errc::out_of_range, "2^64 bytes");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1), errc::bad_format,
               "at most 8");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1), errc::out_of_range,
               "a rising pair");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", 1), errc::truncated,
               "up to the 1 bytes");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", 1), errc::bad_format,
               "array of 3");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,2]}})", 2), errc::mismatch,
               "1 bytes, by dtype and shape");
    check_says(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}})", 1), errc::bad_format,
               "'more'");
    check_says(
        refused(
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
            3),
        errc::bad_format, "an overlap");
    check_says(
        refused(
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
            3),
        errc::bad_format, "a gap");
    const hence::error all = refused(R"({"a":5,"b":{"dtype":"X","shape":3,"data_offsets":[]},"__metadata__":[]})", 0);
    INFO(all.message());
    CHECK(all.also.size() == 4);
}

TEST_CASE("a sharded set joins its files, and an index that disagrees with them is refused") {
    const hence_test::temporary_folder folder;
    const std::vector<float> values = {1, 2};
    for (const char* part : {"one", "two"}) {
        safetensors_writer writer;
        REQUIRE(writer.add_tensor(std::string("w.") + part, hence::dtype::f32, shape{2}, bytes_of(values)).has_value());
        REQUIRE(writer.write(folder.file(std::string(part) + ".safetensors")).has_value());
    }
    const std::string index = folder.file("model.safetensors.index.json");
    save(index, R"({"metadata":{"total_size":16},"weight_map":{"w.one":"one.safetensors","w.two":"two.safetensors"}})");
    const auto set = safetensors_file::open(folder.path());
    REQUIRE(set.has_value());
    CHECK(set->parts() == 2);
    CHECK(set->tensors().size() == 2);
    CHECK(set->find_tensor("w.two")->part == 1);
    set->release_pages(*set->find_tensor("w.two"));
    CHECK(safetensors_file::open(index).has_value());

    const auto says = [&](std::string_view text, errc code, std::string_view part) {
        save(index, text);
        const auto opened = safetensors_file::open(folder.path());
        REQUIRE_FALSE(opened.has_value());
        check_says(opened.error(), code, part);
    };
    says(R"({"weight_map":{"w.one":"two.safetensors","w.two":"two.safetensors"}})", errc::mismatch,
         "none of this name");
    says(R"({"weight_map":{"w.one":"one.safetensors","w.two":"one.safetensors"}})", errc::mismatch, "'w.two'");
    says(R"({"weight_map":{"w.one":"two.safetensors","w.two":"one.safetensors"}})", errc::mismatch, "it in ");
    says(R"({"weight_map":{"w.one":"one.safetensors","absent":"two.safetensors"}})", errc::mismatch,
         "none of this name");
    says(R"({"weight_map":{"w.one":"one.safetensors","x":"three.safetensors"}})", errc::file_not_found,
         "three.safetensors");
    says(R"({"weight_map":{"w.one":"../one.safetensors"}})", errc::bad_format, "beside the index");
    says(R"({"weight_map":{"w.one":"/etc/passwd"}})", errc::bad_format, "beside the index");
    says(R"({"weight_map":{"w.one":1}})", errc::bad_format, "beside the index");
    says(R"({"weight_map":{}})", errc::missing, "at least one tensor");
    says(R"({"weight_map":[]})", errc::bad_format, "weight_map");
    says(R"([])", errc::bad_format, "weight_map");
    std::filesystem::remove(index);
    const auto empty = safetensors_file::open(folder.path());
    REQUIRE_FALSE(empty.has_value());
    check_says(empty.error(), errc::file_not_found, "model.safetensors.index.json");
}
