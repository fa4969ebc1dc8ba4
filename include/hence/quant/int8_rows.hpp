// int8_rows: plain 8-bit numbers with one scale per row, symmetric or with a zero point.
//
// The int8 x int8 kernels multiply the bytes (packing::i8); zero points come off afterwards (zero_points.hpp). In files it is
// the pair NAME.weight (i8) and NAME.scale (docs/reference/gguf.md). A zero point serves data on one side of zero.
#ifndef HENCE_QUANT_INT8_ROWS_HPP
#define HENCE_QUANT_INT8_ROWS_HPP

#include "../config.hpp"
#include "../core/result.hpp"
#include "encode.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

HENCE_NAMESPACE_BEGIN

/// Whether zero is in the middle of the range.
enum class int8_range : std::uint8_t {
    symmetric,   ///< value = scale * q, q in [-127, 127]
    asymmetric,  ///< value = scale * (q - zero), q in [-128, 127]
};

/// A row's scale and zero point.
struct int8_scale {
    float scale = 0.0f;
    std::int32_t zero = 0;  ///< of symmetric rows 0
};

/// Rounds a row to bytes. With rounding::search the range is narrowed as far as the squared error falls: outliers clip.
/// @shape values[n], quants[n]; options.importance empty or [n]
/// @errors invalid_argument (sizes), not_a_number (which column)
/// @numerics symmetric reference: as kernels::pack_panels_i8, rounding to nearest, halves to even
/// @threads re-entrant; no allocation
/// @source none
[[nodiscard]] result<int8_scale> encode_int8_row(std::span<const float> values, std::span<std::int8_t> quants,
                                                 int8_range range = int8_range::symmetric, const rounding_options& options = {});

/// @shape quants[n], out[n]
/// @errors contract: sizes differ
/// @source none
void decode_int8_row(std::span<const std::int8_t> quants, const int8_scale& scale, std::span<float> out);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/int8_rows.inl.hpp"
#endif

#endif
