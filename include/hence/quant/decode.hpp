// decode_row: the exact values that a stored row of any format stands for.
//
// The reference that kernels, encoders and oracles are compared with, and what packing uses for formats
// that have no kernel of their own. It is plain and scalar; nothing on a hot path calls it per token.
#ifndef HENCE_QUANT_DECODE_HPP
#define HENCE_QUANT_DECODE_HPP

#include "../config.hpp"
#include "../core/result.hpp"
#include "../tensor/dtype.hpp"

#include <cstddef>
#include <span>

HENCE_NAMESPACE_BEGIN

/// Expands whole rows (or any whole blocks) to float.
/// @shape    blocks: out.size() / block_elements blocks of `type`; out[n], n a multiple of the block
/// @numerics exact for every format with 16-bit scales (scale times sub-scale times quant fits the 24 bits
///           of a float); one rounding for q8_k, f64, i32 and i64; so contraction cannot change a bit
/// @errors   invalid_argument when the sizes do not belong together
/// @threads  re-entrant; no allocation
/// @source   ggml block layouts (ggml-org/ggml, ggml-common.h); test: decode_test against the gguf package
[[nodiscard]] result<void> decode_row(dtype type, std::span<const std::byte> blocks, std::span<float> out);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/decode.inl.hpp"
#endif

#endif
