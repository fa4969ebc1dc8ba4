// block_grid: the values that one block of a number format can take, once its scales are chosen.
//
// Encoding in two steps: fit() chooses a block's scales by searching for the smallest squared error, then values are
// rounded to the grid and assemble() writes the format's bytes. Compensating methods (compress/gptq.hpp) need the steps
// apart: they change a value after its neighbours were rounded. The formats' reference encoders are quant/encode.hpp.
#ifndef HENCE_QUANT_BLOCK_GRID_HPP
#define HENCE_QUANT_BLOCK_GRID_HPP

#include "../config.hpp"
#include "../tensor/dtype.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// The formats that block_grid knows: q8_0, q5_0, q5_1, q4_0, q4_1, q4_k, q6_k.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr bool has_grid(dtype type) noexcept {
    switch (type) {
        case dtype::q8_0: case dtype::q5_0: case dtype::q5_1: case dtype::q4_0: case dtype::q4_1:
        case dtype::q4_k: case dtype::q6_k: return true;
        default: return false;
    }
}

/// Value i of a block is scale[g] * q + offset[g] with g = i / group and lowest <= q <= highest.
struct block_grid {
    static constexpr std::size_t max_groups = 16;
    dtype type = dtype::q8_0;
    std::size_t group = 32;   ///< values that share a scale
    std::int32_t lowest = 0;
    std::int32_t highest = 0;
    std::array<float, max_groups> scale{};
    std::array<float, max_groups> offset{};
    std::uint16_t d = 0;      ///< halves, as the block stores them
    std::uint16_t m = 0;
    std::array<std::int8_t, max_groups> scales{};        ///< of q4_k and q6_k: integer multiples of d
    std::array<std::uint8_t, max_groups> minimums{};     ///< of q4_k: integer multiples of m

    /// The nearest level's number.
    /// @shape none
    /// @errors none; a value that is not finite gives lowest
    /// @source none
    [[nodiscard]] std::int32_t nearest(std::size_t i, float value) const noexcept {
        const std::size_t g = i / group;
        if (scale[g] == 0.0f) return lowest > 0 ? lowest : 0;
        const double level = (static_cast<double>(value) - static_cast<double>(offset[g])) / static_cast<double>(scale[g]);
        if (!(level > lowest)) return lowest;
        if (level >= highest) return highest;
        return static_cast<std::int32_t>(level + (level < 0 ? -0.5 : 0.5));
    }

    /// What a level stands for.
    /// @shape none
    /// @errors none
    /// @numerics as decode_row, bit for bit
    /// @source none
    [[nodiscard]] float value(std::size_t i, std::int32_t q) const noexcept {
        const std::size_t g = i / group;
        return static_cast<float>(static_cast<double>(scale[g]) * q + static_cast<double>(offset[g]));
    }
};

/// Chooses the scales of one block for the smallest sum of importance * error^2.
/// @shape values[block], block = traits(type).block_elements; importance[block] or null: all alike
/// @errors none; the caller has checked has_grid(type) and that the values are finite
/// @cost about 20 passes over the block
/// @source none; alternates rounding and least squares from several starts
[[nodiscard]] block_grid fit_grid(dtype type, const float* values, const float* importance) noexcept;

/// Writes a block.
/// @shape levels[block]; out[traits(type).block_bytes]
/// @errors none
/// @source ggml block layouts (ggml-org/ggml, ggml-common.h)
void assemble(const block_grid& grid, const std::int32_t* levels, std::byte* out) noexcept;

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/block_grid.inl.hpp"
#endif

#endif
