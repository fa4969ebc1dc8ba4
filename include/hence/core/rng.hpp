// Counter-based random numbers: a draw is a pure function of (seed, stream, position, lane).
//
// No state, so any branch, thread or replay that asks for the same coordinates gets the same number.
// This is what makes sampled text independent of batching, threads and speculation.
#ifndef HENCE_CORE_RNG_HPP
#define HENCE_CORE_RNG_HPP

#include "../config.hpp"

#include <array>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// Philox4x32-10: encrypts a 128-bit counter under a 64-bit key.
/// @shape counter and result are four 32-bit words
/// @errors none
/// @source Salmon, Moraes, Dror, Shaw, SC 2011; checked against Random123's known-answer vectors
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                                std::array<std::uint32_t, 2> key) noexcept {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
        const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
        counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(product0)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

/// Mixes two words into one; used to derive a forked branch's stream from its parent's.
/// @shape none
/// @errors none
/// @source splitmix64 finaliser (Steele, Lea, Flood, OOPSLA 2014)
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t a, std::uint64_t b = 0) noexcept {
    std::uint64_t z = a + 0x9E3779B97F4A7C15u * (b + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/// The draws of one run: keyed by a seed, addressed by stream, position and lane.
struct counter_rng {
    std::uint64_t seed = 0;

    /// 128 random bits for one address.
    /// @shape four words
    /// @errors none
    /// @source philox4x32
    [[nodiscard]] constexpr std::array<std::uint32_t, 4> words(std::uint64_t stream, std::uint32_t position,
                                                               std::uint32_t lane) const noexcept {
        return philox4x32({static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32),
                           position, lane},
                          {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    }

    /// A double in the open interval (0, 1), on a grid of 2^-53.
    /// @shape scalar
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr double uniform(std::uint64_t stream, std::uint32_t position,
                                           std::uint32_t lane) const noexcept {
        const auto w = words(stream, position, lane);
        const std::uint64_t bits = ((std::uint64_t{w[0]} << 32) | w[1]) >> 12;
        return (static_cast<double>(bits) + 0.5) * 0x1.0p-52;
    }
};

HENCE_NAMESPACE_END

#endif
