// sparsegpt: leaving weights out so that a matrix's products with the calibration's inputs change least.
//
// Columns are gone through in order; what leaving out a weight does to the products is taken up by the weights of its row
// that are still to come (the inverse Hessian says how). Masks are chosen on the way, from weights that have already
// taken up what came before. Needs Eigen; header-only in every form of the library.
#ifndef HENCE_COMPRESS_SPARSEGPT_HPP
#define HENCE_COMPRESS_SPARSEGPT_HPP

#include "../core/result.hpp"
#include "../prune/mask.hpp"
#include "../prune/pattern.hpp"
#include "../sys/thread_team.hpp"
#include "../tensor/tensor_view.hpp"

#include <cstddef>
#include <span>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// How sparsegpt() compensates.
struct sparsegpt_options {
    double damping = 0.01;    ///< added to the Hessian's diagonal, as a share of its mean
    std::size_t chunk = 128;  ///< columns over which block and unstructured masks are chosen at a time
};

/// Prunes weights[n, k] in place. Blocks and unstructured masks lose the same share of each row (of blocks), spread evenly
/// over the chunks; the pattern's scope is not asked.
/// @shape weights[n, k]; gram[k * k]: X^T X of the rows that the matrix reads; the result: [n, k]
/// @errors as check_fits(); invalid_argument (gram of another size), not_a_number (weights, or a gram matrix that no
///         damping makes positive)
/// @cost n k^2 multiply-adds and two Cholesky factorisations of k x k
/// @threads the team's workers take rows
/// @source Frantar, Alistarh, 2023, SparseGPT (2301.00774), algorithm 1; blocks are scored by their sums
[[nodiscard]] result<mask> sparsegpt(const matrix_view<float>& weights, std::span<const double> gram,
                                     const mask_pattern& pattern, thread_team& team,
                                     const sparsegpt_options& options = {});

}  // namespace compress

HENCE_NAMESPACE_END

#include "detail/sparsegpt.inl.hpp"

#endif
