// encode_row: rows of floats to the formats that files store, byte for byte as other GGUF engines write them.
//
// `rounding::reference` is the plain rule of each format, the same bytes as the reference encoders; `rounding::search`
// chooses scales for the smallest squared error in the same layout, which any engine reads. q4_k and q6_k have no plain
// rule: they are always searched. Nothing on a path that loads or runs a model includes this file.
#ifndef HENCE_QUANT_ENCODE_HPP
#define HENCE_QUANT_ENCODE_HPP

#include "../config.hpp"
#include "../core/result.hpp"
#include "../tensor/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

HENCE_NAMESPACE_BEGIN

/// How scales are chosen.
enum class rounding : std::uint8_t {
    reference,  ///< from the extreme values, as the reference encoders do
    search,     ///< for the smallest squared error, clipping outliers where that pays
};

/// What encode_row can be told.
struct rounding_options {
    hence::rounding rounding = hence::rounding::reference;
    /// Weights of the squared errors of a row's columns ([columns]; positive), such as the sums of squares that
    /// calibration finds; empty: all alike. Only search heeds them.
    std::span<const float> importance{};
};

/// Whether encode_row can write a format: f32, f16, bf16 and those with a grid (quant/block_grid.hpp).
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] bool can_encode(dtype type) noexcept;

/// Encodes one row (or any whole blocks of one).
/// @shape values[n], n a multiple of the block; out[row_bytes(type, n)]
/// @errors unsupported (no encoder), invalid_argument (sizes that do not belong together), not_a_number and out_of_range
///         (which column; a half, which f16 and the blocks' scales are, ends at 65504)
/// @numerics results do not depend on the compiler's contraction or the machine
/// @threads re-entrant; no allocation
/// @source ggml block layouts and its reference quantization (ggml-org/ggml, ggml-quants.c); search: block_grid.hpp
[[nodiscard]] result<void> encode_row(dtype type, std::span<const float> values, std::span<std::byte> out,
                                      const rounding_options& options = {});

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/encode.inl.hpp"
#endif

#endif
