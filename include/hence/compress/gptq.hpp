// gptq: rounding a matrix so that its products with the calibration's inputs change least.
//
// Columns are rounded one after another; what rounding one of them does to the products is taken up by the columns that
// are still free (the inverse Hessian says how). The result is in the format's own layout and read like any other.
// Needs Eigen; header-only in every form of the library.
#ifndef HENCE_COMPRESS_GPTQ_HPP
#define HENCE_COMPRESS_GPTQ_HPP

#include "../core/result.hpp"
#include "../quant/block_grid.hpp"
#include "../sys/thread_team.hpp"
#include "calibration.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// How gptq() compensates.
struct gptq_options {
    double damping = 0.01;   ///< added to the Hessian's diagonal, as a share of its mean
    bool act_order = false;  ///< columns with the largest inputs first; scales are then chosen before any compensation
};

/// Rounds weights[n, k] to the blocks of `type`.
/// @shape weights[n * k]; inputs.gram[k * k]; the result: n rows of row_bytes(type, k)
/// @errors unsupported (a format without a grid), invalid_argument (sizes; no gram matrix), not_a_number (weights, or a
///         gram matrix that no damping makes positive)
/// @cost n k^2 multiply-adds and two Cholesky factorisations of k x k
/// @threads the team's workers take rows
/// @source Frantar et al. 2022, GPTQ (2210.17323), algorithm 1; scales are fitted to each block as it is reached, with the
///         squared inverse Cholesky diagonal as importance
[[nodiscard]] result<std::vector<std::byte>> gptq(dtype type, std::span<const float> weights, std::size_t rows,
                                                  const input_statistics& inputs, thread_team& team,
                                                  const gptq_options& options = {});

}  // namespace compress

HENCE_NAMESPACE_END

#include "detail/gptq.inl.hpp"

#endif
