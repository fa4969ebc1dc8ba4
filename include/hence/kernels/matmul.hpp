// The contract of the matrix product: out[t, n] = sum over k of in[t, k] * weights[n, k].
//
// Plain structs only; dispatch.hpp has the functions. Every output is one chain of operations in a fixed order
// (columns, or blocks of columns, ascending; fused multiply-adds), whatever the number of rows, the tile or the
// thread: a row's result never depends on the others. Block formats multiply signed 8-bit activations with
// 8-bit or smaller weights into exact 32-bit integers, then scale each block of 32 columns in float. Where a block has two
// sub-scales (packing's by_16) these are integers too, and the 32-bit sum holds both halves times their scales.
#ifndef HENCE_KERNELS_MATMUL_HPP
#define HENCE_KERNELS_MATMUL_HPP

#include "../tensor/packed.hpp"

#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// The sums of the first and the last 16 quants of a block of 32: each within 16 * 127.
struct block_sum {
    std::int16_t first = 0;
    std::int16_t second = 0;
};

/// Rows of activations in the format that a packing needs (activations_of).
struct activations {
    const float* values = nullptr;          ///< f32: [rows][value_stride]
    std::size_t value_stride = 0;           ///< elements
    const std::int8_t* quants = nullptr;    ///< q8: [rows][quant_stride], each within [-127, 127]
    std::size_t quant_stride = 0;           ///< bytes; a multiple of 32, at least the padded columns
    const float* scales = nullptr;          ///< q8_blocks: [rows][block_stride]; q8_row: [rows][1]
    const std::int32_t* sums = nullptr;     ///< q8_row: the sums of the quants under each scale, same shape
    const block_sum* block_sums = nullptr;  ///< q8_blocks: the same, by halves
    const std::uint16_t* halves = nullptr;  ///< bf16: [rows][half_stride]; past an odd number of columns a zero
    std::size_t half_stride = 0;            ///< elements
    std::size_t block_stride = 0;           ///< elements; columns / 32 or more for q8_blocks, 1 for q8_row
};

/// One product for a range of panels.
/// @numerics bf16: exact products, one chain of float additions per output, of each pair of columns the odd one first, as
///           vdpbf16ps adds; that instruction takes subnormal numbers for zero, the other tiers do not. The tier amx sums
///           the even and the odd columns of each 32 by themselves and adds the sum of both, as tdpbf16ps does
/// @numerics int8: 32-bit sums, exact while columns <= 65536; floats: one fused multiply-add chain per output
struct matmul_args {
    packed_matrix weights;
    activations in;
    std::size_t rows = 0;         ///< rows of activations
    float* out = nullptr;         ///< [rows][out_stride]
    std::size_t out_stride = 0;   ///< elements
    const float* bias = nullptr;  ///< [weights.rows], or null
    bool accumulate = false;      ///< add to what out holds (a residual) instead of replacing it
};

HENCE_NAMESPACE_END

#endif
