// gguf_writer: what it writes reads back equal, and files of other engines copy byte for byte.
#include <hence/io/gguf_writer.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using hence::gguf_file;
using hence::gguf_writer;

std::span<const std::byte> bytes_of(const std::vector<float>& values) {
    return std::as_bytes(std::span(values));
}

gguf_writer copy_of(const gguf_file& file) {
    gguf_writer writer;
    for (const auto& entry : file.metadata()) writer.add(entry);
    for (const auto& tensor : file.tensors())
        REQUIRE(writer.add_tensor(tensor.name, tensor.type, tensor.shape, tensor.data).has_value());
    return writer;
}

}  // namespace

TEST_CASE("every kind of value and a tensor read back as they were written") {
    const std::vector<std::string> words = {"", "a", "\xf0\x9f\x98\x80"};
    const std::vector<float> reals = {1.5f, -0.0f};
    const std::vector<std::int32_t> ints = {-1, 2};
    const std::vector<std::uint32_t> naturals = {4'000'000'000u};
    const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
    const std::vector<std::int64_t> shape = {2, 3};
    gguf_writer writer;
    writer.add("bool", true);
    writer.add("u8", std::uint8_t{255});
    writer.add("i32", -5);
    writer.add("u32", 5u);
    writer.add("i64", std::int64_t{-5'000'000'000});
    writer.add("u64", std::uint64_t{1} << 63);
    writer.add("f32", 0.25f);
    writer.add("f64", 0.1);
    writer.add("literal", "not a bool");
    writer.add("text", std::string_view("text"));
    writer.add("words", std::span(words));
    writer.add("reals", std::span(reals));
    writer.add("ints", std::span(ints));
    writer.add("naturals", std::span(naturals));
    writer.add("u32", 6u);  // replaces
    REQUIRE(writer.add_tensor("w", hence::dtype::f32, shape, bytes_of(weights)).has_value());
    REQUIRE(writer.add_tensor("x", hence::dtype::f32, shape, bytes_of(weights)).has_value());

    const auto made = writer.to_bytes();
    REQUIRE(made.has_value());
    const gguf_file file = gguf_file::from_bytes(*made).value();
    CHECK(file.metadata().size() == 14);
    CHECK(file.metadata()[3].key == "u32");
    CHECK(file.get<bool>("bool").value());
    CHECK(file.get<std::uint32_t>("u8").value() == 255);
    CHECK(file.get<std::int32_t>("i32").value() == -5);
    CHECK(file.get<std::uint32_t>("u32").value() == 6);
    CHECK(file.get<std::int64_t>("i64").value() == -5'000'000'000);
    CHECK(file.get<std::uint64_t>("u64").value() == std::uint64_t{1} << 63);
    CHECK(file.get<float>("f32").value() == 0.25f);
    CHECK(file.get<double>("f64").value() == 0.1);
    CHECK(file.get<std::string>("literal").value() == "not a bool");
    CHECK(file.get<std::string>("text").value() == "text");
    CHECK(file.get<std::vector<std::string>>("words").value() == words);
    CHECK(file.get<std::vector<float>>("reals").value() == reals);
    CHECK(file.get<std::vector<std::int32_t>>("ints").value() == ints);
    CHECK(file.get<std::vector<std::uint32_t>>("naturals").value() == naturals);
    const hence::gguf_tensor* w = file.find_tensor("w");
    REQUIRE(w != nullptr);
    CHECK(w->shape == shape);
    REQUIRE(w->data.size() == weights.size() * sizeof(float));
    CHECK(std::memcmp(w->data.data(), weights.data(), w->data.size()) == 0);
    CHECK(file.find_tensor("x")->file_offset == w->file_offset + 32);
}

TEST_CASE("a file in memory and a file on disk are the same bytes, at the alignment that was asked for") {
    const hence_test::temporary_folder folder;
    const std::vector<float> weights(10, 1.0f);
    const std::vector<std::int64_t> shape = {10};
    gguf_writer writer;
    writer.add("general.alignment", 128u);
    REQUIRE(writer.add_tensor("a", hence::dtype::f32, shape, bytes_of(weights)).has_value());
    REQUIRE(writer.add_tensor("b", hence::dtype::f32, shape, bytes_of(weights)).has_value());
    REQUIRE(writer.write(folder.file("out.gguf")).has_value());
    const std::string disk = hence_test::read_file(folder.file("out.gguf"));
    const std::vector<std::byte> memory = writer.to_bytes().value();
    REQUIRE(disk.size() == memory.size());
    CHECK(std::memcmp(disk.data(), memory.data(), disk.size()) == 0);
    const gguf_file file = gguf_file::open(folder.file("out.gguf")).value();
    CHECK(file.tensors()[1].file_offset % 128 == 0);
}

TEST_CASE("an empty writer makes a file that opens") {
    const auto made = gguf_writer().to_bytes().value();
    const gguf_file file = gguf_file::from_bytes(made).value();
    CHECK(file.tensors().empty());
    CHECK(file.metadata().empty());
}

TEST_CASE("what the format does not allow is refused by the writer") {
    const std::vector<float> weights(64, 1.0f);
    const auto bytes = bytes_of(weights);
    using shape = std::vector<std::int64_t>;
    gguf_writer writer;
    REQUIRE(writer.add_tensor("ok", hence::dtype::f32, shape{64}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("ok", hence::dtype::f32, shape{64}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("", hence::dtype::f32, shape{64}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor(std::string(65, 'n'), hence::dtype::f32, shape{64}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("t", hence::dtype::f32, shape{}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("t", hence::dtype::f32, shape{1, 1, 1, 1, 64}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("t", hence::dtype::f32, shape{0, 64}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("t", hence::dtype::f32, shape{-1, -64}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("t", hence::dtype::f32, shape{65}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("t", hence::dtype::u8, shape{256}, bytes).has_value());
    CHECK_FALSE(writer.add_tensor("t", hence::dtype::q8_0, shape{33}, bytes.first(34)).has_value());
    CHECK(writer.add_tensor("t", hence::dtype::q8_0, shape{2, 32}, bytes.first(68)).has_value());

    const hence_test::temporary_folder folder;
    CHECK_FALSE(writer.write(folder.file("absent/out.gguf")).has_value());
    gguf_writer misaligned = writer;
    misaligned.add("general.alignment", 24u);
    CHECK_FALSE(misaligned.write(folder.file("out.gguf")).has_value());
    gguf_writer nameless = writer;
    nameless.add("", 1u);
    CHECK_FALSE(nameless.to_bytes().has_value());
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("every golden file copies byte for byte through reader and writer") {
    HENCE_REQUIRE_DATA(folder, "golden/tiny");
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".gguf") continue;
        INFO(entry.path().string());
        const gguf_file file = gguf_file::open(entry.path().string()).value();
        const std::vector<std::byte> copy = copy_of(file).to_bytes().value();
        const std::string original = hence_test::read_file(entry.path());
        CHECK((copy.size() == original.size() && std::memcmp(copy.data(), original.data(), copy.size()) == 0));
        ++files;
    }
    CHECK(files > 0);
}
