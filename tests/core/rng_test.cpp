// The counter-based generator: published vectors, addresses that never collide, and draws that are uniform.
#include <hence/core/rng.hpp>

#include "support/catch.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <set>

namespace {
using words = std::array<std::uint32_t, 4>;
using key = std::array<std::uint32_t, 2>;
}  // namespace

TEST_CASE("philox4x32: Random123's known-answer vectors for 10 rounds") {
    CHECK(hence::philox4x32(words{0, 0, 0, 0}, key{0, 0}) == words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(hence::philox4x32(words{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, key{0xffffffff, 0xffffffff}) ==
          words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(hence::philox4x32(words{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, key{0xa4093822, 0x299f31d0}) ==
          words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
    static_assert(hence::philox4x32(words{0, 0, 0, 0}, key{0, 0})[0] == 0x6627e8d5);
}

TEST_CASE("mix64: the published splitmix64 sequence from seed 0, addressed instead of iterated") {
    CHECK(hence::mix64(0, 0) == 0xe220a8397b1dcdafu);
    CHECK(hence::mix64(0, 1) == 0x6e789e6aa1b965f4u);
    CHECK(hence::mix64(0, 2) == 0x06c45d188009454fu);
}

TEST_CASE("mix64: forks of neighbouring streams get different streams") {
    std::set<std::uint64_t> seen;
    for (std::uint64_t parent = 0; parent < 256; ++parent)
        for (std::uint64_t child = 0; child < 256; ++child) seen.insert(hence::mix64(parent, child));
    CHECK(seen.size() == 256 * 256);
}

TEST_CASE("counter_rng: each coordinate and the seed change the draw; the same address repeats it") {
    std::set<words> seen;
    for (std::uint64_t seed : {0ull, 1ull, 1ull << 40})
        for (std::uint64_t stream : {0ull, 1ull, 1ull << 32, ~0ull})
            for (std::uint32_t position : {0u, 1u, 0xffffffffu})
                for (std::uint32_t lane : {0u, 1u, 7u}) {
                    const hence::counter_rng rng{seed};
                    seen.insert(rng.words(stream, position, lane));
                    CHECK(rng.words(stream, position, lane) == hence::counter_rng{seed}.words(stream, position, lane));
                }
    CHECK(seen.size() == 3 * 4 * 3 * 3);
}

TEST_CASE("counter_rng: uniform draws lie strictly inside (0, 1), with the moments and bins of a uniform") {
    const hence::counter_rng rng{42};
    constexpr int n = 100000;
    double sum = 0, squares = 0;
    std::array<int, 64> bins{};
    for (int i = 0; i < n; ++i) {
        const double u = rng.uniform(3, static_cast<std::uint32_t>(i), 0);
        REQUIRE(u > 0.0);
        REQUIRE(u < 1.0);
        sum += u;
        squares += u * u;
        ++bins[static_cast<std::size_t>(u * 64)];
    }
    // Five standard deviations; the draws are fixed, so this either always holds or never.
    CHECK(std::fabs(sum / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
    CHECK(std::fabs(squares / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
    double chi_square = 0;
    for (const int count : bins) chi_square += (count - n / 64.0) * (count - n / 64.0) / (n / 64.0);
    CHECK(chi_square < 63 + 5 * std::sqrt(2.0 * 63));
}
