// Masks as objects: algebra against bit-by-bit arithmetic, saving, and hostile files.
#include <hence/core/rng.hpp>
#include <hence/prune/mask.hpp>
#include <hence/tensor/tensor.hpp>

#include "support/catch.hpp"

#include <cstdio>
#include <filesystem>
#include <limits>

using namespace hence;

namespace {

// Widths on both sides of a byte and of a word.
constexpr std::size_t widths[] = {1, 7, 8, 9, 63, 64, 65, 130};

mask random_mask(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    mask m(rows, columns, false);
    const counter_rng random{seed};
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j)
            m.set(i, j, random.uniform(i, static_cast<std::uint32_t>(j), 0) < 0.4);
    }
    return m;
}

std::vector<std::byte> patched(std::vector<std::byte> bytes, std::size_t place, int value) {
    bytes.at(place) = static_cast<std::byte>(value);
    return bytes;
}

}  // namespace

TEST_CASE("count, density and rows of a mask agree with its bits", "[prune]") {
    for (std::size_t width : widths) {
        const mask m = random_mask(5, width, width);
        std::size_t sum = 0;
        for (std::size_t i = 0; i < 5; ++i) {
            std::size_t of_row = 0;
            for (std::size_t j = 0; j < width; ++j) of_row += m(i, j) ? 1 : 0;
            CHECK(m.count_row(i) == of_row);
            sum += of_row;
        }
        CHECK(m.count() == sum);
        CHECK(m.density() == static_cast<double>(sum) / static_cast<double>(5 * width));
        CHECK(mask(5, width).count() == 5 * width);
        CHECK(mask(5, width, false).count() == 0);
    }
    CHECK(mask().density() == 1.0);
}

TEST_CASE("masks combine bit by bit and obey De Morgan", "[prune]") {
    for (std::size_t width : widths) {
        const mask a = random_mask(4, width, 1);
        const mask b = random_mask(4, width, 2);
        const mask both = a & b;
        const mask either = a | b;
        const mask inverse = ~a;
        for (std::size_t i = 0; i < 4; ++i) {
            for (std::size_t j = 0; j < width; ++j) {
                CHECK(both(i, j) == (a(i, j) && b(i, j)));
                CHECK(either(i, j) == (a(i, j) || b(i, j)));
                CHECK(inverse(i, j) == !a(i, j));
            }
        }
        CHECK(~(a & b) == (~a | ~b));
        CHECK(~~a == a);
        CHECK((a | ~a) == mask(4, width));
        CHECK((a & ~a) == mask(4, width, false));
    }
    CHECK_THROWS_AS(mask(2, 3) & mask(3, 2), hence::exception);
    CHECK_THROWS_AS(mask(2, 3) | mask(2, 4), hence::exception);
    CHECK_THROWS_AS(mask(2, 3).set(2, 0, true), hence::exception);
}

TEST_CASE("apply() zeroes what is dropped and touches nothing else", "[prune]") {
    const mask m = random_mask(6, 70, 3);
    matrix<float> weights(6, 70);
    for (std::size_t i = 0; i < weights.size(); ++i) weights.data()[i] = static_cast<float>(i) + 1.0f;
    const matrix<float> before = weights.copy();
    for (std::size_t i = 0; i < 6; ++i) {
        if (!m(i, 0)) weights(i, 0) = std::numeric_limits<float>::quiet_NaN();
    }
    m.apply(weights.view());
    for (std::size_t i = 0; i < 6; ++i) {
        for (std::size_t j = 0; j < 70; ++j) CHECK(weights(i, j) == (m(i, j) ? before(i, j) : 0.0f));
    }
    CHECK(mask::of_nonzero(weights.view()) == m);

    matrix<bf16> small(6, 70);
    for (bf16& value : small.span()) value = to_bf16(2.0f);
    m.apply(small.view());
    CHECK(mask::of_nonzero(small.view()) == m);
    CHECK_THROWS_AS(m.apply(small.view().rows(0, 5)), hence::exception);
}

TEST_CASE("a mask survives bytes and files", "[prune]") {
    const std::string path = (std::filesystem::temp_directory_path() / "hence_mask_test.msk").string();
    for (std::size_t width : widths) {
        const mask m = random_mask(3, width, 9);
        const auto bytes = m.to_bytes();
        CHECK(bytes.size() == 32 + 3 * ((width + 7) / 8));
        CHECK(mask::from_bytes(bytes).value() == m);
        m.save(path).value();
        CHECK(mask::load(path).value() == m);
    }
    CHECK(mask::from_bytes(mask().to_bytes()).value() == mask());
    std::filesystem::remove(path);
    CHECK(mask::load(path).error().code == errc::file_not_found);
}

TEST_CASE("a damaged mask file is refused with the field that is wrong", "[prune]") {
    const auto bytes = random_mask(3, 13, 4).to_bytes();
    const auto code = [](std::span<const std::byte> input) { return mask::from_bytes(input).error().code; };
    for (std::size_t length = 0; length < bytes.size(); ++length)
        CHECK(code(std::span(bytes).first(length)) == errc::truncated);
    auto longer = bytes;
    longer.push_back(std::byte{0});
    CHECK(code(longer) == errc::mismatch);
    CHECK(code(patched(bytes, 0, 'x')) == errc::bad_format);
    CHECK(code(patched(bytes, 8, 2)) == errc::unsupported);
    CHECK(code(patched(bytes, 33, 0xff)) == errc::bad_format);                     // bits after column 13
    CHECK_FALSE(mask::from_bytes(patched(bytes, 23, 0xff)).has_value());           // 2^63 rows
    CHECK_FALSE(mask::from_bytes(patched(bytes, 31, 0xff)).has_value());           // 2^63 columns
    CHECK_FALSE(mask::from_bytes(patched(mask().to_bytes(), 16, 1)).has_value());  // rows of no columns
}
