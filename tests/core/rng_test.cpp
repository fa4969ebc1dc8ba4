// The counter generator against Random123's published vectors, and the shape of what is drawn from it.
#include <hence/core/rng.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <set>

namespace {
using words = std::array<std::uint32_t, 4>;
}

TEST_CASE("philox4x32 equals Random123's known-answer vectors") {
    // kat_vectors of Random123 1.14, "philox4x32 10".
    CHECK(hence::philox4x32({0, 0, 0, 0}, {0, 0}) == words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(hence::philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
          words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(hence::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("each part of the address changes the draw") {
    const hence::counter_rng rng{42};
    const auto reference = rng.words(7, 11, 3);
    CHECK(rng.words(7, 11, 3) == reference);
    CHECK(rng.words(8, 11, 3) != reference);
    CHECK(rng.words(7 + (std::uint64_t{1} << 32), 11, 3) != reference);
    CHECK(rng.words(7, 12, 3) != reference);
    CHECK(rng.words(7, 11, 4) != reference);
    CHECK(hence::counter_rng{43}.words(7, 11, 3) != reference);
    CHECK(hence::counter_rng{42 + (std::uint64_t{1} << 32)}.words(7, 11, 3) != reference);
}

TEST_CASE("uniform draws lie inside the open unit interval and have its mean and variance") {
    const hence::counter_rng rng{1};
    double sum = 0;
    double squares = 0;
    double lowest = 1;
    double highest = 0;
    constexpr int count = 200000;
    for (int i = 0; i < count; ++i) {
        const double u = rng.uniform(5, static_cast<std::uint32_t>(i), 0);
        sum += u;
        squares += u * u;
        lowest = u < lowest ? u : lowest;
        highest = u > highest ? u : highest;
    }
    CHECK(lowest > 0);
    CHECK(highest < 1);
    const double mean = sum / count;
    const double variance = squares / count - mean * mean;
    // Five standard errors: sqrt(1/12/n) for the mean, sqrt(1/180/n) for the variance.
    CHECK(mean > 0.5 - 0.0033);
    CHECK(mean < 0.5 + 0.0033);
    CHECK(variance > 1.0 / 12 - 0.00084);
    CHECK(variance < 1.0 / 12 + 0.00084);
}

TEST_CASE("mix64 gives forks of neighbouring streams different streams") {
    std::set<std::uint64_t> seen;
    for (std::uint64_t parent = 0; parent < 256; ++parent)
        for (std::uint64_t child = 0; child < 256; ++child) seen.insert(hence::mix64(parent, child));
    CHECK(seen.size() == 256 * 256);
}
