// Definitions of reason/statistics.hpp.
#ifndef HENCE_REASON_DETAIL_STATISTICS_INL_HPP
#define HENCE_REASON_DETAIL_STATISTICS_INL_HPP

#include "../../core/rng.hpp"
#include "../statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE double statistics::majority_probability(std::int64_t v1, std::int64_t v2) {
    const std::int64_t n = v1 + v2;
    if (n <= 61) {  // C(n+1, j) and their partial sums stay below 2^62
        std::uint64_t term = 1;
        std::uint64_t sum = 0;
        for (std::int64_t j = 0; j <= v1; ++j) {
            sum += term;
            // term * (n + 1 - j) may need more than 64 bits; C(m, j) (m - j) / (j + 1) is exact either way.
            const auto up = static_cast<std::uint64_t>(n + 1 - j);
            const auto down = static_cast<std::uint64_t>(j + 1);
            const std::uint64_t common = std::gcd(term, down);
            term = (term / common) * (up / (down / common));
        }
        return std::ldexp(static_cast<double>(sum), -static_cast<int>(n + 1));
    }
    double sum = 0;
    for (std::int64_t j = 0; j <= v1; ++j) {
        const auto m = static_cast<double>(n + 1);
        const auto k = static_cast<double>(j);
        sum += std::exp(std::lgamma(m + 1) - std::lgamma(k + 1) - std::lgamma(m - k + 1) - m * std::log(2.0));
    }
    return std::min(sum, 1.0);
}

HENCE_INLINE double statistics::dirichlet_top_probability(std::span<const std::int64_t> votes, std::uint64_t seed,
                                                          int draws) {
    const std::size_t kinds = std::min<std::size_t>(votes.size(), 5);
    if (kinds < 2) return 1;
    const counter_rng rng{seed};
    int ahead = 0;
    for (int draw = 0; draw < draws; ++draw) {
        double top = 0;
        bool stays = true;
        for (std::size_t kind = 0; kind < kinds && stays; ++kind) {
            // Gamma(v + 1) for whole v is a sum of v + 1 exponentials; the common scale does not matter.
            double gamma = 0;
            for (std::int64_t i = 0; i <= votes[kind]; ++i)
                gamma -= std::log(rng.uniform(static_cast<std::uint64_t>(draw), static_cast<std::uint32_t>(i),
                                              static_cast<std::uint32_t>(kind)));
            if (kind == 0) top = gamma;
            else stays = gamma < top;
        }
        ahead += stays ? 1 : 0;
    }
    return static_cast<double>(ahead) / draws;
}

HENCE_INLINE double statistics::early_stopping_samples(std::span<const double> probabilities, int window, int cap) {
    double agree = 0;
    for (const double p : probabilities) agree += std::pow(p, window);
    const int windows = cap / window;
    double expected = 0;
    for (int i = 0; i + 1 < windows; ++i) expected += agree * std::pow(1 - agree, i) * (i + 1);
    expected += std::pow(1 - agree, windows - 1) * windows;
    return expected * window;
}

HENCE_INLINE double statistics::pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k) {
    if (n - c < k) return 1;
    double none = 1;
    for (std::int64_t i = n - c + 1; i <= n; ++i) none *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
    return 1 - none;
}

HENCE_INLINE std::pair<double, double> statistics::wilson_interval(std::int64_t successes, std::int64_t trials,
                                                                   double z) {
    if (trials <= 0) return {0, 1};
    const auto n = static_cast<double>(trials);
    const double p = static_cast<double>(successes) / n;
    const double centre = p + z * z / (2 * n);
    const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const double scale = 1 + z * z / n;
    return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

HENCE_INLINE double statistics::quantile(std::span<const double> values, double q) {
    if (values.empty()) return 0;
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

HENCE_INLINE double statistics::confidence_threshold(std::span<const double> lowest_groups, double keep_percent) {
    return quantile(lowest_groups, (100 - keep_percent) / 100);
}

namespace detail {

/// Means of each run of `window` values, or one mean of all when there are fewer.
inline std::vector<double> group_means(std::span<const float> values, std::size_t window) {
    std::vector<double> means;
    if (values.empty()) return means;
    window = std::clamp<std::size_t>(window, 1, values.size());
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        sum += static_cast<double>(values[i]);
        if (i >= window) sum -= static_cast<double>(values[i - window]);
        if (i + 1 >= window) means.push_back(sum / static_cast<double>(window));
    }
    return means;
}

}  // namespace detail

HENCE_INLINE double statistics::lowest_group(std::span<const float> confidences, std::size_t window) {
    const auto means = detail::group_means(confidences, window);
    return means.empty() ? 0 : *std::min_element(means.begin(), means.end());
}

HENCE_INLINE double statistics::bottom_groups(std::span<const float> confidences, std::size_t window,
                                              double fraction) {
    auto means = detail::group_means(confidences, window);
    if (means.empty()) return 0;
    std::sort(means.begin(), means.end());
    const auto wanted = static_cast<std::size_t>(fraction * static_cast<double>(means.size()));
    const std::size_t count = std::clamp<std::size_t>(wanted, 1, means.size());
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += means[i];
    return sum / static_cast<double>(count);
}

HENCE_INLINE double statistics::tail_mean(std::span<const float> confidences, std::size_t window) {
    if (confidences.empty()) return 0;
    const std::size_t count = std::clamp<std::size_t>(window, 1, confidences.size());
    double sum = 0;
    for (const float value : confidences.subspan(confidences.size() - count)) sum += static_cast<double>(value);
    return sum / static_cast<double>(count);
}

namespace detail {

/// Indices by value, largest first; equal values keep their order.
inline std::vector<std::size_t> descending(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    return order;
}

}  // namespace detail

HENCE_INLINE std::vector<std::size_t> statistics::rebase_widths(std::span<const double> rewards, std::size_t total,
                                                                double temperature) {
    std::vector<std::size_t> widths(rewards.size(), 0);
    if (rewards.empty()) return widths;
    const std::vector<double> share = softmax(rewards, temperature);
    double rest_share = 1;
    std::size_t rest = total;
    for (const std::size_t node : detail::descending(rewards)) {
        // The tolerance keeps a share that is whole but for rounding from being rounded up.
        const double exact = rest_share > 0 ? static_cast<double>(rest) * share[node] / rest_share : 0;
        const auto width = static_cast<std::size_t>(std::ceil(exact - 1e-9));
        widths[node] = std::min(width, rest);
        rest -= widths[node];
        rest_share -= share[node];
        if (rest == 0) break;
    }
    return widths;
}

HENCE_INLINE std::vector<double> statistics::softmax(std::span<const double> scores, double temperature) {
    std::vector<double> weights(scores.begin(), scores.end());
    if (weights.empty()) return weights;
    const double top = *std::max_element(weights.begin(), weights.end());
    double sum = 0;
    for (double& weight : weights) sum += weight = std::exp((weight - top) / temperature);
    for (double& weight : weights) weight /= sum;
    return weights;
}

HENCE_INLINE std::vector<double> statistics::borda_weights(std::span<const double> scores, double power) {
    std::vector<double> weights(scores.size());
    const auto order = detail::descending(scores);
    for (std::size_t rank = 0; rank < order.size(); ++rank)
        weights[order[rank]] = std::pow(static_cast<double>(order.size() - rank), power);
    return weights;
}

HENCE_NAMESPACE_END

#endif
