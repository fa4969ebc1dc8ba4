// sensitivity: how much each matrix of a model loses at each share of weights left out, and the shares that lose least
// under a budget.
#ifndef HENCE_COMPRESS_SENSITIVITY_HPP
#define HENCE_COMPRESS_SENSITIVITY_HPP

#include "../core/result.hpp"
#include "../io/gguf.hpp"
#include "../prune/pattern.hpp"
#include "calibration.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// How a scan is made.
struct sensitivity_options {
    mask_pattern pattern{};          ///< block or unstructured; its share is the budget: of all weights that may go
    double step = 0.05;              ///< between the shares that are tried
    double most = 0.9;               ///< no matrix loses more
    std::string_view calibration{};  ///< a text: losses are weighted by what weights meet; empty: by their size alone
    calibration_options reading{};
    std::vector<std::string> keep{};  ///< names of tensors that stay as they are
};

/// One matrix: what it loses at each share.
struct sensitivity_curve {
    std::string name;
    std::size_t weights = 0;
    std::vector<double> loss;  ///< [i]: at share i * step; the squared loss of its output, as a part of the whole
};

/// What a scan found.
struct sensitivity_scan {
    std::vector<sensitivity_curve> curves;
    std::map<std::string, double> ratios;  ///< for prune_options::ratios
    double loss_even = 0;                  ///< the mean loss of a weight's matrix if all lost the budget's share
    double loss_chosen = 0;                ///< the same under the chosen shares, which may go a little past the budget
};

/// Raises the share of the matrix whose loss then grows least, step by step, until the budget is met. A matrix's loss counts
/// by its size: were it not so, small matrices would be spared at the cost of large ones, which measured far worse.
/// @shape none
/// @errors invalid_argument (an N:M pattern, which leaves no choice; a step or a share outside (0, 1)), out_of_range (a budget
///         above `most`), mismatch (as check_fits), not_a_number, those of decoder::from_gguf and calibration
/// @source the loss of a weight is Wanda's score squared (2306.11695); the greedy choice is exact where curves are convex, which
///         sums of the smallest scores are
[[nodiscard]] result<sensitivity_scan> scan_sensitivity(const gguf_file& file, const sensitivity_options& options);

}  // namespace compress

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/sensitivity.inl.hpp"
#endif

#endif
