// zero_points: 8-bit weights with zero points at run time, value = scale * (quant - zero).
//
// The kernels multiply the quants as they are. What the zero points add is of rank one, zero * scale of an output times
// the sum of a row's activations, and the quantizer of activations has counted that sum: it is taken off afterwards,
// one fused multiply-add for each output, so that batch, tile and number of workers change nothing in it either.
#ifndef HENCE_QUANT_ZERO_POINTS_HPP
#define HENCE_QUANT_ZERO_POINTS_HPP

#include "../kernels/dispatch.hpp"
#include "../tensor/packed.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

HENCE_NAMESPACE_BEGIN

/// In place: zeros become zero * scale of their rows, which subtract_zero_points takes.
/// @shape scales[n], zeros[n]
/// @errors none; the caller checks
/// @source none
inline void to_zero_terms(std::span<const float> scales, std::span<float> zeros) noexcept {
    for (std::size_t i = 0; i < zeros.size(); ++i) zeros[i] *= scales[i];
}

/// What has to follow packing::i8's product over panels [first, last) where rows have zero points.
/// @shape terms[args.weights.rows], of to_zero_terms
/// @errors none; the caller checks
/// @numerics sums are at most 127 * 65536 and so exact in a float
/// @cost 2 operations an output
/// @source Jacob et al. 2017 (1712.05877), equation 7
inline void subtract_zero_points(const kernel_table& kernels, const matmul_args& args, const float* terms,
                                 std::size_t first, std::size_t last) noexcept {
    const std::size_t begin = first * panel_rows;
    const std::size_t end = std::min(last * panel_rows, args.weights.rows);
    for (std::size_t row = 0; row < args.rows && begin < end; ++row) {
        const float sum = args.in.scales[row] * static_cast<float>(args.in.sums[row]);
        float* const out = args.out + row * args.out_stride + begin;
        kernels.scale_add(terms + begin, -sum, out, end - begin, out);
    }
}

HENCE_NAMESPACE_END

#endif
