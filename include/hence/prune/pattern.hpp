// mask_pattern: the shapes that pruning can take, and masks of those shapes built from scores.
//
// A score says how much a weight matters; where it comes from (magnitude, activations, second order) is not this
// file's business, except for the magnitude itself.
#ifndef HENCE_PRUNE_PATTERN_HPP
#define HENCE_PRUNE_PATTERN_HPP

#include "../tensor/tensor.hpp"
#include "mask.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// Which weights may go together.
enum class pattern_kind : std::uint8_t {
    n_of_m,        ///< of each `group` neighbours in a row, `keep` stay
    block,         ///< blocks of block_rows x block_columns stay or go as a whole
    unstructured,  ///< any weight
};

/// Over what the smallest scores are sought.
enum class pattern_scope : std::uint8_t {
    matrix,  ///< the whole matrix
    row,     ///< each row (or row of blocks) loses the same share, as Wanda does
};

/// The shape of a mask.
struct mask_pattern {
    pattern_kind kind = pattern_kind::unstructured;
    std::size_t keep = 2;                         ///< n_of_m: how many of a group stay
    std::size_t group = 4;                        ///< n_of_m: the neighbours of a group
    std::size_t block_rows = 1;                   ///< block: outputs of a block
    std::size_t block_columns = 1;                ///< block: inputs of a block
    double pruned = 0.5;                          ///< block, unstructured: the share that goes, in [0, 1]
    pattern_scope scope = pattern_scope::matrix;  ///< block, unstructured

    friend bool operator==(const mask_pattern&, const mask_pattern&) = default;
};

/// Reads "2:4" (N:M), "block:16x4" or "block:16x4:0.5" (rows x columns, share pruned), "unstructured:0.5".
/// @shape none
/// @errors invalid_argument, with the forms that there are
/// @source none
[[nodiscard]] result<mask_pattern> parse_mask_pattern(std::string_view text);

/// What parse_mask_pattern() reads; the scope is not part of it.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string to_string(const mask_pattern& pattern);

/// Whether the pattern makes sense by itself and divides a matrix.
/// @shape none
/// @errors invalid_argument (0 of 4, a share outside [0, 1]), mismatch (4 does not divide the columns)
/// @source none
[[nodiscard]] result<void> check_fits(const mask_pattern& pattern, std::size_t rows, std::size_t columns);

/// The mask of a pattern that keeps the highest scores: within each group of N:M, by the sum over a block, or weight
/// by weight. Exactly round(pruned * n) of n weights or blocks go, over the matrix or over each row. Of equal scores
/// the first in row-major order stays.
/// @shape scores[rows, columns]
/// @errors as check_fits(); not_a_number for a score that is not finite, with its place
/// @cost O(rows * columns)
/// @source none
[[nodiscard]] result<mask> build_mask(const matrix_view<const float>& scores, const mask_pattern& pattern);

/// Whether a mask has a pattern exactly: every group, every block, and the number of weights.
/// @shape mask[rows, columns]
/// @errors as check_fits(); mismatch with the first group, block or count that differs
/// @source none
[[nodiscard]] result<void> check_pattern(const mask& m, const mask_pattern& pattern);

/// |w|: the score of magnitude pruning.
/// @shape weights[rows, columns] -> [rows, columns]
/// @errors what the memory resource throws
/// @source Han, Pool, Tran, Dally, 2015, arXiv 1506.02626
[[nodiscard]] matrix<float> magnitude_scores(const matrix_view<const float>& weights);

/// |w| * norm of the weight's input over a calibration text: the score of Wanda, to be compared within a row.
/// @shape weights[rows, columns], input_norms[columns] -> [rows, columns]
/// @errors contract: the sizes differ; what the memory resource throws
/// @source Sun, Liu, Bair, Kolter, 2023, arXiv 2306.11695, eq. 1
[[nodiscard]] matrix<float> wanda_scores(const matrix_view<const float>& weights,
                                         const vector_view<const float>& input_norms);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/pattern.inl.hpp"
#endif

#endif
