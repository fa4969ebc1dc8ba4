// gguf_file: what it reads from good files, and what it says about bad ones.
#include <hence/io/gguf.hpp>

#include "io/gguf_bytes.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <fstream>
#include <limits>
#include <string>

namespace {

using hence::errc;
using hence::gguf_file;
using hence_test::gguf_bytes;

constexpr std::uint32_t u8 = 0, u16 = 2, u32 = 4, i32 = 5, f32 = 6, boolean = 7, string = 8, array = 9, u64 = 10,
                        i64 = 11, f64 = 12;

/// The error of bytes that must not open.
hence::error refused(const gguf_bytes& file) {
    auto opened = gguf_file::from_bytes(file.bytes(), "test");
    REQUIRE_FALSE(opened.has_value());
    return opened.error();
}

/// One tensor after one key: the smallest file with every structure.
gguf_bytes small_file() {
    gguf_bytes file;
    file.head(2, 4);
    file.key("general.architecture", string).text("llama");
    file.key("words", array).put(string).put(std::uint64_t{2}).text("a").text("bc");
    file.key("numbers", array).put(f32).put(std::uint64_t{3}).put(1.0f).put(2.0f).put(3.0f);
    file.key("general.alignment", u32).put(std::uint32_t{64});
    file.tensor("w", {4, 2}, 0, 0).tensor("q", {32}, 8, 64);
    file.align(64).zeros(64).zeros(34);
    return file;
}

void check_says(const hence::error& error, errc code, std::string_view part) {
    INFO(error.message());
    CHECK(error.code == code);
    CHECK(error.message().find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("a well-formed file gives its metadata, shapes outermost first, and spans at their offsets") {
    const gguf_bytes file = small_file();
    const auto opened = gguf_file::from_bytes(file.bytes(), "test");
    REQUIRE(opened.has_value());
    CHECK(opened->version() == 3);
    CHECK(opened->name() == "test");
    CHECK(opened->alignment() == 64);
    CHECK(opened->parts() == 1);
    CHECK(opened->metadata().size() == 4);
    CHECK(opened->get<std::string>("general.architecture").value() == "llama");
    CHECK(opened->get<std::vector<std::string>>("words").value() == std::vector<std::string>{"a", "bc"});
    CHECK(opened->get<std::vector<std::string_view>>("words").value() == std::vector<std::string_view>{"a", "bc"});
    CHECK(opened->get<std::vector<float>>("numbers").value() == std::vector<float>{1, 2, 3});
    REQUIRE(opened->tensors().size() == 2);
    const hence::gguf_tensor* w = opened->find_tensor("w");
    REQUIRE(w != nullptr);
    CHECK(w->shape == std::vector<std::int64_t>{2, 4});
    CHECK(w->elements() == 8);
    CHECK(w->type == hence::dtype::f32);
    CHECK(w->data.size() == 32);
    CHECK(w->data.data() == file.bytes().data() + w->file_offset);
    const hence::gguf_tensor* q = opened->find_tensor("q");
    REQUIRE(q != nullptr);
    CHECK(q->data.size() == 34);
    CHECK(q->file_offset == w->file_offset + 64);
    CHECK(opened->find_tensor("absent") == nullptr);
    CHECK(opened->find("absent") == nullptr);
    opened->release_pages(*w);
}

TEST_CASE("integers convert when they fit, floats take numbers, and wrong types name both types") {
    gguf_bytes file;
    file.head(0, 9);
    file.key("byte", u8).put(std::uint8_t{200});
    file.key("short", u16).put(std::uint16_t{40000});
    file.key("negative", i32).put(std::int32_t{-5});
    file.key("huge", u64).put(std::numeric_limits<std::uint64_t>::max());
    file.key("long", i64).put(std::int64_t{-7'000'000'000});
    file.key("real", f32).put(0.5f);
    file.key("double", f64).put(1e300);
    file.key("yes", boolean).put(std::uint8_t{1});
    file.key("flags", array).put(boolean).put(std::uint64_t{2}).put(std::uint8_t{1}).put(std::uint8_t{0});
    const gguf_file opened = gguf_file::from_bytes(file.bytes(), "test").value();
    CHECK(opened.get<std::uint32_t>("byte").value() == 200);
    CHECK(opened.get<std::int32_t>("short").value() == 40000);
    CHECK(opened.get<std::int64_t>("negative").value() == -5);
    CHECK(opened.get<std::uint64_t>("huge").value() == std::numeric_limits<std::uint64_t>::max());
    CHECK(opened.get<std::int64_t>("long").value() == -7'000'000'000);
    CHECK(opened.get<float>("real").value() == 0.5f);
    CHECK(opened.get<double>("double").value() == 1e300);
    CHECK(opened.get<float>("short").value() == 40000.0f);
    CHECK(opened.get<bool>("yes").value());
    CHECK(opened.get<std::vector<std::int32_t>>("flags").value() == std::vector<std::int32_t>{1, 0});

    check_says(opened.get<std::uint32_t>("negative").error(), errc::out_of_range, "found -5");
    check_says(opened.get<std::int64_t>("huge").error(), errc::out_of_range, "18446744073709551615");
    check_says(opened.get<float>("double").error(), errc::out_of_range, "1e+300");
    check_says(opened.get<std::uint32_t>("real").error(), errc::mismatch, "expected u32, found f32");
    check_says(opened.get<std::uint32_t>("yes").error(), errc::mismatch, "found bool");
    check_says(opened.get<bool>("byte").error(), errc::mismatch, "expected bool, found u8");
    check_says(opened.get<std::string>("byte").error(), errc::mismatch, "expected string, found u8");
    check_says(opened.get<std::vector<float>>("byte").error(), errc::mismatch, "array of f32");
    check_says(opened.get<std::vector<std::string>>("flags").error(), errc::mismatch, "found array of bool");
    check_says(opened.get<std::uint32_t>("absent").error(), errc::missing, "'absent'");
    CHECK_FALSE(opened.get_if<std::uint32_t>("absent").value().has_value());
    CHECK(opened.get_if<std::uint32_t>("byte").value() == 200u);
    CHECK_FALSE(opened.get_if<std::uint32_t>("real").has_value());
}

TEST_CASE("a file cut anywhere is refused and never read past its end") {
    const gguf_bytes file = small_file();
    for (std::size_t length = 0; length < file.size(); ++length) {
        // A copy of exactly this length, so that an address sanitizer sees a read past it.
        const std::vector<std::byte> cut(file.bytes().begin(),
                                         file.bytes().begin() + static_cast<std::ptrdiff_t>(length));
        const auto opened = gguf_file::from_bytes(cut, "test");
        INFO("cut at " << length);
        REQUIRE_FALSE(opened.has_value());
        CHECK((opened.error().code == errc::truncated || opened.error().code == errc::out_of_range));
        CHECK(opened.error().where.find("test: ") == 0);
    }
}

TEST_CASE("any byte of the head set to any of a few values never crashes") {
    const gguf_bytes file = small_file();
    std::vector<std::byte> bytes(file.bytes().begin(), file.bytes().end());
    std::size_t refusals = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const std::byte original = bytes[at];
        for (const unsigned value : {0u, 1u, 7u, 9u, 0x7fu, 0x80u, 0xffu}) {
            bytes[at] = static_cast<std::byte>(value);
            const auto opened = gguf_file::from_bytes(bytes, "test");
            if (!opened) {
                ++refusals;
                CHECK_FALSE(opened.error().message().empty());
                continue;
            }
            for (const auto& tensor : opened->tensors()) CHECK(tensor.data.size() <= bytes.size());
            for (const auto& entry : opened->metadata()) CHECK_FALSE(hence::to_text(entry).empty());
        }
        bytes[at] = original;
    }
    CHECK(refusals > 500);
}

TEST_CASE("files of other kinds are told apart") {
    const auto says = [](std::string_view start) {
        gguf_bytes file;
        file.raw(start);
        return refused(file).message();
    };
    CHECK(says("FUGG\0\0\0\3....").find("big-endian") != std::string::npos);
    CHECK(says("PK\x03\x04.....").find("zip archive") != std::string::npos);
    CHECK(says("version https://git-lfs.github.com/spec/v1").find("Git LFS") != std::string::npos);
    CHECK(says("<!DOCTYPE html>").find("HTML") != std::string::npos);
    CHECK(says("lmgg....").find("before GGUF") != std::string::npos);
    CHECK(says("").find("empty file") != std::string::npos);
    CHECK(says("x").find("'x'") != std::string::npos);
    CHECK(says("GG").find("truncated") != std::string::npos);
}

TEST_CASE("versions 1, 0, 4 and big-endian ones are refused; version 2 is read") {
    check_says(refused(gguf_bytes().head(0, 0, 1)), errc::unsupported, "found 1");
    check_says(refused(gguf_bytes().head(0, 0, 0)), errc::unsupported, "found 0");
    check_says(refused(gguf_bytes().head(0, 0, 4)), errc::unsupported, "found 4");
    check_says(refused(gguf_bytes().head(0, 0, 0x03000000u)), errc::unsupported, "big-endian file of version 3");
    gguf_bytes two;
    two.head(0, 1, 2).key("k", u8).put(std::uint8_t{1});
    CHECK(gguf_file::from_bytes(two.bytes()).value().version() == 2);
}

TEST_CASE("counts and lengths larger than the file are refused before memory is asked for") {
    constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t count : {huge, huge / 2, std::uint64_t{1} << 40, std::uint64_t{100}}) {
        check_says(refused(gguf_bytes().head(count, 0)), errc::out_of_range, "tensor count");
        check_says(refused(gguf_bytes().head(0, count)), errc::out_of_range, "metadata count");
        check_says(refused(gguf_bytes().head(0, 1).put(count).zeros(40)), errc::truncated, "key 0 length");
        check_says(refused(gguf_bytes().head(0, 1).key("k", string).put(count).zeros(9)), errc::truncated,
                   "key 'k' string 0 length");
        for (const std::uint32_t element : {u8, f32, string, array, u64})
            check_says(refused(gguf_bytes().head(0, 1).key("k", array).put(element).put(count).zeros(40)),
                       errc::truncated, "key 'k' count");
    }
}

TEST_CASE("both counts are reported when both are wrong but readable") {
    const hence::error e = refused(gguf_bytes().head(50, 50));
    INFO(e.message());
    CHECK(e.message().find("tensor count") != std::string::npos);
    CHECK(e.message().find("metadata count") != std::string::npos);
}

TEST_CASE("unknown value types, bad bools and deep arrays are refused") {
    check_says(refused(gguf_bytes().head(0, 1).key("k", 13).zeros(16)), errc::bad_format, "expected 0 to 12, found 13");
    check_says(refused(gguf_bytes().head(0, 1).key("k", array).put(std::uint32_t{99}).put(std::uint64_t{0}).zeros(9)),
               errc::bad_format, "found 99");
    check_says(refused(gguf_bytes().head(0, 1).key("k", boolean).put(std::uint8_t{2})), errc::bad_format,
               "0 or 1, found 2");
    gguf_bytes nested;
    nested.head(0, 1).key("k", array);
    for (int i = 0; i < 2000; ++i) nested.put(array).put(std::uint64_t{1});
    check_says(refused(nested), errc::unsupported, "nested at most 4 deep");

    gguf_bytes shallow;
    shallow.head(0, 1).key("k", array).put(array).put(std::uint64_t{2});
    for (int i = 0; i < 2; ++i) shallow.put(u32).put(std::uint64_t{1}).put(std::uint32_t{5});
    const gguf_file opened = gguf_file::from_bytes(shallow.bytes()).value();
    CHECK(hence::to_text(opened.metadata()[0]) == "[2 arrays]");
    CHECK_FALSE(opened.get<std::vector<std::int32_t>>("k").has_value());
}

TEST_CASE("alignment is a u32 power of two") {
    for (const std::uint32_t alignment : {0u, 1u, 4u, 24u, 33u, 0x80000000u})
        check_says(refused(gguf_bytes().head(0, 1).key("general.alignment", u32).put(alignment)), errc::out_of_range,
                   "power of two");
    check_says(refused(gguf_bytes().head(0, 1).key("general.alignment", u64).put(std::uint64_t{32})), errc::mismatch,
               "type u32");
}

TEST_CASE("names appear once and are printable UTF-8") {
    gguf_bytes keys;
    keys.head(0, 2);
    for (int i = 0; i < 2; ++i) keys.key("same", u8).put(std::uint8_t{1});
    check_says(refused(keys), errc::bad_format, "'same' again");
    gguf_bytes tensors;
    tensors.head(2, 0).tensor("same", {8}, 0, 0).tensor("same", {8}, 0, 32).align().zeros(64);
    check_says(refused(tensors), errc::bad_format, "'same' again");
    check_says(refused(gguf_bytes().head(0, 1).key("", u8).put(std::uint8_t{1}).zeros(1)), errc::bad_format, "empty");
    check_says(refused(gguf_bytes().head(0, 1).key("a\x1b[2J", u8).put(std::uint8_t{1})), errc::bad_format, "\\x1b");
    check_says(refused(gguf_bytes().head(0, 1).key("\xff\xfe", u8).put(std::uint8_t{1})), errc::bad_format, "UTF-8");
    check_says(refused(gguf_bytes().head(0, 1).key(std::string(65536, 'k'), u8).zeros(1)), errc::out_of_range, "65535");
    check_says(refused(gguf_bytes().head(1, 0).tensor(std::string(65, 't'), {8}, 0, 0).align().zeros(32)),
               errc::out_of_range, "at most 64");
}

TEST_CASE("shapes that no tensor can have are refused") {
    const auto with = [](const std::vector<std::uint64_t>& shape, std::uint32_t type) {
        return refused(gguf_bytes().head(1, 0).tensor("t", shape, type, 0).align().zeros(64));
    };
    check_says(with({}, 0), errc::out_of_range, "expected 1 to 4, found 0");
    check_says(with({1, 1, 1, 1, 1}, 0), errc::out_of_range, "found 5");
    check_says(with({0}, 0), errc::out_of_range, "at least 1");
    check_says(with({std::uint64_t{1} << 63}, 0), errc::out_of_range, "2^63");
    check_says(with({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0), errc::out_of_range, "2^63");
    check_says(with({std::uint64_t{1} << 31, std::uint64_t{1} << 31, 2}, 0), errc::out_of_range, "2^63");
    check_says(with({std::uint64_t{1} << 62}, 0), errc::out_of_range, "2^64 bytes");
    check_says(with({std::uint64_t{1} << 61}, 28), errc::out_of_range, "2^64 bytes");
    check_says(with({33}, 8), errc::mismatch, "a multiple of 32 for q8_0, found 33");
    check_says(with({32}, 14), errc::mismatch, "a multiple of 256 for q6_k");
}

TEST_CASE("formats are refused by name or by number, with the list of known ones") {
    const auto with = [](std::uint32_t type) {
        return refused(gguf_bytes().head(1, 0).tensor("t", {256}, type, 0).align().zeros(1024));
    };
    check_says(with(16), errc::unsupported, "found iq2_xxs, number 16");
    check_says(with(4), errc::unsupported, "found q4_2, number 4");
    check_says(with(39), errc::unsupported, "found mxfp4, number 39");
    check_says(with(77), errc::unsupported, "found number 77");
    check_says(with(77), errc::unsupported, "q8_0");
    CHECK(with(77).tensor_name == "t");
}

TEST_CASE("tensors are aligned, inside the file and apart") {
    const auto two = [](std::uint64_t first, std::uint64_t second) {
        gguf_bytes file;
        file.head(2, 0).tensor("a", {8}, 0, first).tensor("b", {16}, 0, second).align().zeros(96);
        return file;
    };
    REQUIRE(gguf_file::from_bytes(two(0, 32).bytes()).has_value());
    REQUIRE(gguf_file::from_bytes(two(64, 0).bytes()).has_value());
    check_says(refused(two(0, 33)), errc::bad_format, "a multiple of 32, found 33");
    check_says(refused(two(0, 64)), errc::truncated, "64 bytes from offset 64");
    check_says(refused(two(0, std::numeric_limits<std::uint64_t>::max() - 31)), errc::truncated, "data");
    check_says(refused(two(0, 0)), errc::bad_format, "an overlap");
    check_says(refused(two(32, 0)), errc::bad_format, "an overlap");
}

TEST_CASE("every mismatch is reported, not only the first") {
    gguf_bytes file;
    file.head(4, 1).key("yes", boolean).put(std::uint8_t{7});
    file.tensor("a", {33}, 8, 0).tensor("b", {8}, 17, 0).tensor("c", {8}, 0, 5).tensor("d", {800}, 0, 0);
    file.align().zeros(64);
    const hence::error e = refused(file);
    INFO(e.message());
    CHECK(e.also.size() == 4);
    for (const char* part : {"found 7", "tensor 'a'", "iq2_xs", "found 5", "tensor 'd'"})
        CHECK(e.message().find(part) != std::string::npos);
}

TEST_CASE("a file with thousands of mistakes gives a short list and a count") {
    gguf_bytes file;
    file.head(5000, 0);
    for (int i = 0; i < 5000; ++i) file.tensor("t" + std::to_string(i), {1}, 99, 0);
    const hence::error e = refused(file);
    CHECK(e.also.size() <= 33);
    CHECK(e.also.back().where == "and 4968 more");
}

TEST_CASE("to_text escapes what a terminal would obey and cuts what is long") {
    gguf_bytes file;
    file.head(0, 3);
    file.key("s", string).text(std::string("\x1b[31m\n\xff") + std::string(100, 'x'));
    file.key("a", array).put(u32).put(std::uint64_t{9});
    for (std::uint32_t i = 0; i < 9; ++i) file.put(i);
    file.key("b", boolean).put(std::uint8_t{0});
    const gguf_file opened = gguf_file::from_bytes(file.bytes()).value();
    const std::string text = hence::to_text(opened.metadata()[0]);
    CHECK(text.find("\\x1b[31m\\n\\xff") != std::string::npos);
    CHECK(text.size() < 120);
    CHECK(hence::to_text(opened.metadata()[1], 3) == "[0, 1, 2, ... 9 in all]");
    CHECK(hence::to_text(opened.metadata()[2]) == "false");
}

TEST_CASE("a real model file opens by path and agrees with what is published about it") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/llama.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    CHECK(file.get<std::string>("general.architecture").value() == "llama");
    CHECK(file.get<std::uint32_t>("llama.block_count").value() == 3);
    CHECK(file.get<std::vector<std::string>>("tokenizer.ggml.tokens").value().size() == 384);
    const hence::gguf_tensor* embedding = file.find_tensor("token_embd.weight");
    REQUIRE(embedding != nullptr);
    CHECK(embedding->shape == std::vector<std::int64_t>{384, 128});
    CHECK(reinterpret_cast<std::uintptr_t>(embedding->data.data()) % 32 == 0);
    const std::byte first = embedding->data[0];
    file.release_pages(*embedding);
    CHECK(embedding->data[0] == first);
}
