// decode_row against values that the Python package gguf gave for the same bytes.
#include <hence/quant/decode.hpp>

#include <hence/core/scalar.hpp>
#include <hence/kernels/sparse.hpp>

#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::vector<std::byte> from_hex(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out.push_back(static_cast<std::byte>(digit(text[i]) * 16 + digit(text[i + 1])));
    return out;
}

const hence::dtype_traits* find(std::string_view name) {
    for (const auto& row : hence::dtype_table)
        if (row.name == name) return &row;
    return nullptr;
}

}  // namespace

TEST_CASE("decode_row gives the gguf package's values, bit for bit, for every block format it knows") {
    std::istringstream file(
        hence_test::read_file(std::filesystem::path(HENCE_SOURCE_DIR) / "tests/quant/decode_vectors.txt"));
    std::set<std::string> seen;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream fields(line);
        std::string name, blocks_hex, values_hex;
        REQUIRE(fields >> name >> blocks_hex >> values_hex);
        INFO(name);
        const hence::dtype_traits* row = find(name);
        REQUIRE(row != nullptr);
        const auto blocks = from_hex(blocks_hex);
        const auto expected = from_hex(values_hex);
        std::vector<float> values(expected.size() / sizeof(float), -1.0f);
        REQUIRE(hence::decode_row(row->type, blocks, values).has_value());
        for (std::size_t i = 0; i < values.size(); ++i) {
            float want;
            std::memcpy(&want, expected.data() + i * sizeof want, sizeof want);
            if (values[i] != want) FAIL_CHECK(name << " value " << i << ": " << values[i] << " is not " << want);
        }
        seen.insert(name);
    }
    CHECK(seen.size() == 14);
}

TEST_CASE("decode_row of q8_k is scale times quant, and ignores the block sums") {
    std::vector<std::byte> block(292, std::byte{0x5a});
    const float scale = 0.3f;
    std::memcpy(block.data(), &scale, sizeof scale);
    for (int i = 0; i < 256; ++i) block[4 + static_cast<std::size_t>(i)] = static_cast<std::byte>(i);
    std::vector<float> values(256);
    REQUIRE(hence::decode_row(hence::dtype::q8_k, block, values).has_value());
    for (int i = 0; i < 256; ++i) {
        const float expected = scale * static_cast<float>(i < 128 ? i : i - 256);
        CHECK(values[static_cast<std::size_t>(i)] == expected);
    }
}

TEST_CASE("decode_row converts the plain formats") {
    const double reals[] = {1.5, -2.25};
    const std::int64_t longs[] = {-7, 1'000'000};
    const std::int8_t bytes[] = {-128, 127};
    std::vector<float> out(2);
    REQUIRE(hence::decode_row(hence::dtype::f64, std::as_bytes(std::span(reals)), out).has_value());
    CHECK(out == std::vector<float>{1.5f, -2.25f});
    REQUIRE(hence::decode_row(hence::dtype::i64, std::as_bytes(std::span(longs)), out).has_value());
    CHECK(out == std::vector<float>{-7.0f, 1e6f});
    REQUIRE(hence::decode_row(hence::dtype::i8, std::as_bytes(std::span(bytes)), out).has_value());
    CHECK(out == std::vector<float>{-128.0f, 127.0f});
    REQUIRE(hence::decode_row(hence::dtype::u8, std::as_bytes(std::span(bytes)), out).has_value());
    CHECK(out == std::vector<float>{128.0f, 127.0f});
}

TEST_CASE("decode_row refuses sizes that do not belong together") {
    std::vector<std::byte> blocks(34);
    std::vector<float> out(33);
    const auto wrong_values = hence::decode_row(hence::dtype::q8_0, blocks, out);
    REQUIRE_FALSE(wrong_values.has_value());
    CHECK(wrong_values.error().code == hence::errc::invalid_argument);
    out.resize(64);
    CHECK_FALSE(hence::decode_row(hence::dtype::q8_0, blocks, out).has_value());
    out.resize(32);
    CHECK(hence::decode_row(hence::dtype::q8_0, blocks, out).has_value());
}

TEST_CASE("the formats that leave zeros out decode to the dense block's values, bit for bit") {
    using hence::dtype;
    for (const dtype type : {dtype::q8_24, dtype::q8_48, dtype::q4_24}) {
        const dtype dense_type = *hence::kernels::dense_of(type);
        const std::size_t group = type == dtype::q8_48 ? 8 : 4;
        std::vector<std::byte> dense(hence::row_bytes(dense_type, 96), std::byte{0});
        for (std::size_t k = 0; k < 96; ++k) {
            const std::size_t block = k / 32 * hence::traits(dense_type).block_bytes;
            if (k % 32 == 0) {
                const hence::f16 scale = hence::to_f16(0.37f + static_cast<float>(k));
                std::memcpy(&dense[block], &scale.bits, 2);
            }
            // Which of a group stay changes from group to group, from none to half of them.
            const bool stays = (k / group + k) % group < (k / group) % (group / 2 + 1);
            if (dense_type == dtype::q8_0) dense[block + 2 + k % 32] = stays ? static_cast<std::byte>(200 - k) : std::byte{0};
            else dense[block + 2 + k % 16] |= static_cast<std::byte>(stays ? k % 16 : 8) << (k % 32 < 16 ? 0 : 4);
        }
        std::vector<std::byte> smaller(hence::row_bytes(type, 96));
        REQUIRE(hence::kernels::leave_out_zeros(type, dense.data(), 96, smaller.data()));
        std::vector<float> wanted(96), found(96);
        REQUIRE(hence::decode_row(dense_type, dense, wanted).has_value());
        REQUIRE(hence::decode_row(type, smaller, found).has_value());
        INFO(hence::name(type));
        CHECK(found == wanted);
        CHECK(std::count(found.begin(), found.end(), 0.0f) < 96);
    }
}
