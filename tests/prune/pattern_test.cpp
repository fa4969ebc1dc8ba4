// Properties of built masks: the pattern holds exactly, and no dropped score beats a kept one that it could replace.
#include <hence/core/rng.hpp>
#include <hence/prune/pattern.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace hence;

namespace {

matrix<float> random_scores(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    matrix<float> scores(rows, columns);
    const counter_rng random{seed};
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j)
            scores(i, j) = static_cast<float>(random.uniform(i, static_cast<std::uint32_t>(j), 0));
    }
    return scores;
}

matrix_view<const float> seen(const matrix<float>& m) {
    return m.view();
}

mask_pattern of(std::string_view text, pattern_scope scope = pattern_scope::matrix) {
    mask_pattern pattern = parse_mask_pattern(text).value();
    pattern.scope = scope;
    return pattern;
}

}  // namespace

TEST_CASE("every pattern is obeyed exactly, for many shapes and scores", "[prune]") {
    const std::pair<std::string_view, pattern_scope> patterns[] = {{"2:4", pattern_scope::matrix},
                                                                   {"1:4", pattern_scope::matrix},
                                                                   {"4:8", pattern_scope::matrix},
                                                                   {"4:4", pattern_scope::matrix},
                                                                   {"block:16x4", pattern_scope::matrix},
                                                                   {"block:16x4:0.3", pattern_scope::row},
                                                                   {"block:1x8:0.75", pattern_scope::row},
                                                                   {"unstructured:0.5", pattern_scope::matrix},
                                                                   {"unstructured:0.37", pattern_scope::row},
                                                                   {"unstructured:0", pattern_scope::matrix},
                                                                   {"unstructured:1", pattern_scope::row}};
    for (const auto& [text, scope] : patterns) {
        const mask_pattern pattern = of(text, scope);
        for (std::size_t rows : {16u, 48u}) {
            for (std::size_t columns : {8u, 24u, 72u}) {
                INFO(text << " " << rows << "x" << columns);
                const auto scores = random_scores(rows, columns, rows * columns);
                const mask m = build_mask(seen(scores), pattern).value();
                const auto held = check_pattern(m, pattern);
                INFO((held ? std::string() : held.error().message()));
                CHECK(held.has_value());
            }
        }
    }
}

TEST_CASE("N:M keeps the highest of each group", "[prune]") {
    const auto scores = random_scores(7, 32, 5);
    const mask m = build_mask(seen(scores), of("2:4")).value();
    for (std::size_t i = 0; i < 7; ++i) {
        for (std::size_t first = 0; first < 32; first += 4) {
            float lowest_kept = std::numeric_limits<float>::infinity();
            float highest_dropped = -lowest_kept;
            for (std::size_t j = first; j < first + 4; ++j) {
                if (m(i, j))
                    lowest_kept = std::min(lowest_kept, scores(i, j));
                else
                    highest_dropped = std::max(highest_dropped, scores(i, j));
            }
            CHECK(lowest_kept > highest_dropped);
        }
    }
}

TEST_CASE("an unstructured mask keeps the highest scores of the matrix, or of each row", "[prune]") {
    const auto scores = random_scores(9, 41, 6);
    const mask whole = build_mask(seen(scores), of("unstructured:0.6")).value();
    CHECK(whole.count() == 9 * 41 - static_cast<std::size_t>(std::llround(0.6 * 9 * 41)));
    const mask rows = build_mask(seen(scores), of("unstructured:0.6", pattern_scope::row)).value();
    for (std::size_t i = 0; i < 9; ++i) CHECK(rows.count_row(i) == 41 - 25);
    for (std::size_t i = 0; i < 9; ++i) {
        for (std::size_t j = 0; j < 41; ++j) {
            for (std::size_t k = 0; k < 9; ++k) {
                for (std::size_t l = 0; l < 41; ++l) {
                    if (whole(i, j) && !whole(k, l)) REQUIRE(scores(i, j) > scores(k, l));
                    if (i == k && rows(i, j) && !rows(k, l)) REQUIRE(scores(i, j) > scores(k, l));
                }
            }
        }
    }
}

TEST_CASE("a block goes by the sum of its scores", "[prune]") {
    matrix<float> scores(2, 8);
    // Sums: 8, 10 (one high weight), 12, 4.
    for (std::size_t j = 0; j < 8; ++j) {
        const float value[] = {2, 0, 3, 1};
        for (std::size_t i = 0; i < 2; ++i) scores(i, j) = value[j / 2];
    }
    scores(0, 2) = 10;
    const mask m = build_mask(seen(scores), of("block:2x2:0.5")).value();
    mask expected(2, 8, false);
    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t j = 2; j < 6; ++j) expected.set(i, j, true);
    }
    CHECK(m == expected);
}

TEST_CASE("of equal scores the first stays", "[prune]") {
    matrix<float> scores(1, 8);
    const mask m = build_mask(seen(scores), of("2:4")).value();
    for (std::size_t j = 0; j < 8; ++j) CHECK(m(0, j) == (j % 4 < 2));
    const mask u = build_mask(seen(scores), of("unstructured:0.25")).value();
    for (std::size_t j = 0; j < 8; ++j) CHECK(u(0, j) == (j < 6));
}

TEST_CASE("check_pattern finds one wrong bit and says where", "[prune]") {
    mask groups = build_mask(seen(random_scores(8, 16, 1)), of("2:4")).value();
    groups.set(5, 9, !groups(5, 9));
    const error wrong = check_pattern(groups, of("2:4")).error();
    CHECK(wrong.code == errc::mismatch);
    CHECK(wrong.where.find("row 5, column 8") != std::string::npos);

    mask blocks = build_mask(seen(random_scores(8, 16, 1)), of("block:4x4")).value();
    blocks.set(6, 13, !blocks(6, 13));
    CHECK(check_pattern(blocks, of("block:4x4")).error().where.find("row 4, column 12") != std::string::npos);
    CHECK(check_pattern(mask(8, 16), of("block:4x4")).error().code == errc::mismatch);

    mask weights = build_mask(seen(random_scores(8, 16, 1)), of("unstructured:0.5")).value();
    CHECK(check_pattern(weights, of("unstructured:0.5", pattern_scope::row)).has_value() ==
          std::ranges::all_of(std::array{0, 1, 2, 3, 4, 5, 6, 7},
                              [&](int row) { return weights.count_row(static_cast<std::size_t>(row)) == 8; }));
    weights.set(3, 3, !weights(3, 3));
    CHECK(check_pattern(weights, of("unstructured:0.5")).error().code == errc::mismatch);
}

TEST_CASE("bad patterns, shapes and scores are refused by name", "[prune]") {
    for (std::string_view text :
         {"", "2", "2:", ":4", "2:4x", "0:4", "5:4", "block", "block:16", "block:0x4", "block:16x4:2",
          "block:16x4:", "unstructured:", "unstructured:-0.1", "unstructured:nan", "heads:2", "2 :4"}) {
        INFO(text);
        CHECK(parse_mask_pattern(text).error().code == errc::invalid_argument);
    }
    for (std::string_view text : {"2:4", "block:16x4:0.5", "unstructured:0.25"}) CHECK(to_string(of(text)) == text);

    CHECK(build_mask(seen(random_scores(4, 6, 1)), of("2:4")).error().code == errc::mismatch);
    CHECK(build_mask(seen(random_scores(4, 8, 1)), of("block:3x4")).error().code == errc::mismatch);
    auto scores = random_scores(4, 8, 1);
    scores(2, 5) = std::numeric_limits<float>::quiet_NaN();
    const error wrong = build_mask(seen(scores), of("2:4")).error();
    CHECK(wrong.code == errc::not_a_number);
    CHECK(wrong.where.find("row 2, column 5") != std::string::npos);
}

TEST_CASE("magnitude and Wanda scores", "[prune]") {
    matrix<float> weights(2, 2);
    weights(0, 0) = -3;
    weights(0, 1) = 2;
    weights(1, 0) = 1;
    weights(1, 1) = -0.5f;
    owned_vector<float> norms(2);
    norms(0) = 0.5f;
    norms(1) = 4;
    const auto magnitude = magnitude_scores(weights);
    const auto wanda = wanda_scores(weights, norms);
    CHECK(magnitude(0, 0) == 3.0f);
    CHECK(magnitude(1, 1) == 0.5f);
    CHECK(wanda(0, 0) == 1.5f);
    CHECK(wanda(0, 1) == 8.0f);
    CHECK(wanda(1, 1) == 2.0f);
    CHECK_THROWS_AS(wanda_scores(weights, norms.view().rows(0, 1)), hence::exception);
}
