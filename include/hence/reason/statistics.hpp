// The closed forms that strategies stop, weigh and report by.
//
// Exact where integers allow it and pinned to published tables in statistics_test.cpp; nothing here draws
// unseeded random numbers or knows an engine.
#ifndef HENCE_REASON_STATISTICS_HPP
#define HENCE_REASON_STATISTICS_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace statistics {

/// P(Beta(v1 + 1, v2 + 1) > 1/2): how sure it is that an answer with v1 votes stays ahead of one with v2.
/// Sum over j <= v1 of C(n+1, j) / 2^(n+1) with n = v1 + v2: exact in integers up to n = 61.
/// @shape none
/// @errors none; v1 and v2 are not negative
/// @source Aggarwal et al., 2305.11860 (the integral); the closed form is the binomial identity
[[nodiscard]] double majority_probability(std::int64_t v1, std::int64_t v2);

/// P(the first answer stays the most probable) under Dirichlet(votes + 1), over the five largest counts,
/// by `draws` seeded draws.
/// @shape votes: largest first
/// @errors none; 1 for fewer than two answers
/// @source Aggarwal et al., 2305.11860; with our counter RNG instead of a global one
[[nodiscard]] double dirichlet_top_probability(std::span<const std::int64_t> votes, std::uint64_t seed,
                                               int draws = 10000);

/// Expected samples of early-stopping self-consistency for answers drawn with `probabilities`.
/// @shape none
/// @errors none; window and cap are positive
/// @source Li et al., 2401.10480, section 3
[[nodiscard]] double early_stopping_samples(std::span<const double> probabilities, int window, int cap);

/// Unbiased pass@k from n samples of which c are right.
/// @shape none
/// @errors none; 0 <= c <= n, 1 <= k <= n
/// @source Chen et al., 2107.03374, equation 1
[[nodiscard]] double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k);

/// The Wilson score interval of a proportion.
/// @shape (low, high)
/// @errors none; (0, 1) when there are no trials
/// @source Wilson, 1927
[[nodiscard]] std::pair<double, double> wilson_interval(std::int64_t successes, std::int64_t trials,
                                                        double z = 1.959963984540054);

/// The q-quantile (0..1) with linear interpolation between order statistics.
/// @shape none
/// @errors none; 0 for no values
/// @source definition 7 of Hyndman and Fan, 1996
[[nodiscard]] double quantile(std::span<const double> values, double q);

/// DeepConf's online threshold: the (100 - keep)-th percentile of the warm-up traces' lowest-group
/// confidences; traces that fall below it stop.
/// @shape none
/// @errors none
/// @source Fu et al., 2508.15260, section 3.3
[[nodiscard]] double confidence_threshold(std::span<const double> lowest_groups, double keep_percent);

/// The smallest mean of `window` consecutive values; the mean of all when there are fewer.
/// @shape none
/// @errors none; 0 for no values
/// @source Fu et al., 2508.15260, equation 4
[[nodiscard]] double lowest_group(std::span<const float> confidences, std::size_t window);

/// The mean of the lowest tenth of the group means (at least one group).
/// @shape none
/// @errors none; 0 for no values
/// @source Fu et al., 2508.15260, equation 3
[[nodiscard]] double bottom_groups(std::span<const float> confidences, std::size_t window, double fraction = 0.1);

/// The mean of the last `window` values.
/// @shape none
/// @errors none; 0 for no values
/// @source Fu et al., 2508.15260, equation 5
[[nodiscard]] double tail_mean(std::span<const float> confidences, std::size_t window);

/// REBASE's number of children for each open node: proportional to exp(reward / temperature), rounded up
/// from the best node down, so that the widths add up to the total exactly.
/// @shape one width for each reward, in the rewards' order
/// @errors none
/// @source Wu et al., 2408.00724, section 3.2, and its code's rounding
[[nodiscard]] std::vector<std::size_t> rebase_widths(std::span<const double> rewards, std::size_t total,
                                                     double temperature = 0.2);

/// exp(c / temperature), normalised.
/// @shape as given
/// @errors none; temperature is positive
/// @source Taubenfeld et al., 2502.06233, equation 2
[[nodiscard]] std::vector<double> softmax(std::span<const double> scores, double temperature);

/// Votes by rank: the best of n scores votes n^power, the next (n-1)^power; ties rank in the given order.
/// @shape as given
/// @errors none
/// @source Kang et al., 2502.18581, section 4.3
[[nodiscard]] std::vector<double> borda_weights(std::span<const double> scores, double power);

}  // namespace statistics

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/statistics.inl.hpp"
#endif

#endif
