#include "hence/reason/statistics.hpp"

#include "support/catch.hpp"

#include <array>
#include <cmath>
#include <numeric>

namespace s = hence::statistics;

namespace {

std::int64_t least_votes(double threshold, std::int64_t v2) {
    std::int64_t v1 = v2;
    while (s::majority_probability(v1, v2) < threshold) ++v1;
    return v1;
}

/// The integral of the paper by Simpson's rule: another road to the same number.
double by_quadrature(int v1, int v2) {
    const auto area = [&](double from) {
        constexpr int steps = 20000;
        const double h = (1 - from) / steps;
        double sum = 0;
        for (int i = 0; i <= steps; ++i) {
            const double x = from + h * i;
            const double f = std::pow(x, v1) * std::pow(1 - x, v2);
            sum += f * (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2);
        }
        return sum * h / 3;
    };
    return area(0.5) / area(0);
}

}  // namespace

TEST_CASE("adaptive consistency: the stop tables at .95, .90 and .99") {
    const std::array<std::int64_t, 12> at95{4, 6, 8, 9, 11, 12, 14, 15, 17, 18, 19, 21};
    for (std::size_t v2 = 0; v2 < at95.size(); ++v2) CHECK(least_votes(0.95, static_cast<std::int64_t>(v2)) == at95[v2]);
    const std::array<std::int64_t, 8> at90{3, 5, 6, 8, 9, 11, 12, 13};
    for (std::size_t v2 = 0; v2 < at90.size(); ++v2) CHECK(least_votes(0.90, static_cast<std::int64_t>(v2)) == at90[v2]);
    const std::array<std::int64_t, 8> at99{6, 9, 11, 13, 14, 16, 18, 19};
    for (std::size_t v2 = 0; v2 < at99.size(); ++v2) CHECK(least_votes(0.99, static_cast<std::int64_t>(v2)) == at99[v2]);
}

TEST_CASE("adaptive consistency: the closed form is the paper's integral") {
    CHECK(s::majority_probability(0, 0) == 0.5);
    CHECK(s::majority_probability(4, 0) == 31.0 / 32.0);
    for (const auto& [v1, v2] : {std::pair{3, 1}, {7, 5}, {20, 10}, {30, 30}})
        CHECK(std::abs(s::majority_probability(v1, v2) - by_quadrature(v1, v2)) < 1e-9);
    // the exact and the floating branch meet
    const double below = s::majority_probability(33, 28);
    const double above = s::majority_probability(34, 28);
    CHECK(below < above);
    CHECK(std::abs(s::majority_probability(40, 30) - by_quadrature(40, 30)) < 1e-9);
}

TEST_CASE("adaptive consistency: the Dirichlet form is seeded and agrees with the Beta form for two answers") {
    const std::array<std::int64_t, 2> two{6, 2};
    const double p = s::dirichlet_top_probability(two, 7, 20000);
    CHECK(p == s::dirichlet_top_probability(two, 7, 20000));
    CHECK(std::abs(p - s::majority_probability(6, 2)) < 0.01);
    const std::array<std::int64_t, 3> three{6, 2, 1};
    CHECK(s::dirichlet_top_probability(three, 7, 20000) < p + 0.01);
    const std::array<std::int64_t, 1> one{3};
    CHECK(s::dirichlet_top_probability(one, 7) == 1.0);
}

TEST_CASE("early stopping: expected samples for two laws") {
    const std::array<double, 2> easy{0.9, 0.1};
    const std::array<double, 2> hard{0.6, 0.4};
    CHECK(std::abs(s::early_stopping_samples(easy, 5, 40) - 8.46) < 0.005);
    CHECK(std::abs(s::early_stopping_samples(hard, 5, 40) - 29.6) < 0.05);
    const std::array<double, 1> sure{1.0};
    CHECK(std::abs(s::early_stopping_samples(sure, 5, 40) - 5) < 1e-12);
}

TEST_CASE("pass@k is unbiased: equal to the mean over all subsets") {
    for (int n = 1; n <= 8; ++n)
        for (int c = 0; c <= n; ++c)
            for (int k = 1; k <= n; ++k) {
                int subsets = 0;
                int passing = 0;
                for (unsigned mask = 0; mask < (1u << n); ++mask) {
                    if (__builtin_popcount(mask) != k) continue;
                    ++subsets;
                    passing += (mask & ((1u << c) - 1u)) != 0 ? 1 : 0;
                }
                CHECK(std::abs(s::pass_at_k(n, c, k) - static_cast<double>(passing) / subsets) < 1e-12);
            }
    CHECK(s::pass_at_k(100, 0, 10) == 0);
    CHECK(s::pass_at_k(100, 100, 1) == 1);
}

TEST_CASE("rebase: widths add up to the total, the best first") {
    const std::array<double, 4> rewards{0.9, 0.8, 0.5, 0.1};
    CHECK(s::rebase_widths(rewards, 16) == std::vector<std::size_t>{10, 5, 1, 0});
    for (std::size_t total : {0u, 1u, 2u, 7u, 64u, 100u}) {
        const std::array<double, 5> many{0.3, 0.31, 0.29, 0.9, 0.0};
        const auto widths = s::rebase_widths(many, total, 0.2);
        CHECK(std::accumulate(widths.begin(), widths.end(), std::size_t{0}) == total);
    }
    CHECK(s::rebase_widths({}, 16).empty());
    const std::array<double, 2> equal{0.5, 0.5};
    CHECK(s::rebase_widths(equal, 4) == std::vector<std::size_t>{2, 2});
}

TEST_CASE("deep confidence: groups, percentiles and the threshold") {
    const std::array<float, 6> c{4, 2, 6, 8, 1, 3};
    CHECK(s::lowest_group(c, 2) == 2.0);    // (1+3)/2
    CHECK(s::lowest_group(c, 100) == 4.0);  // fewer than a window: the mean of all
    CHECK(s::tail_mean(c, 2) == 2.0);
    CHECK(s::bottom_groups(c, 2) == 2.0);   // a tenth of five groups is one
    CHECK(s::bottom_groups(c, 2, 0.4) == 2.5);  // groups 3 4 7 4.5 2: the lowest two
    CHECK(s::lowest_group({}, 4) == 0);
    // 16 warm-up traces: keep 10 % (aggressive) is the 90th percentile, keep 90 % the 10th
    std::array<double, 16> lowest{};
    std::iota(lowest.begin(), lowest.end(), 1.0);
    CHECK(std::abs(s::confidence_threshold(lowest, 10) - 14.5) < 1e-12);
    CHECK(std::abs(s::confidence_threshold(lowest, 90) - 2.5) < 1e-12);
}

TEST_CASE("softmax weights and Borda ranks") {
    const std::array<double, 3> scores{1, 2, 2};
    const auto hot = s::softmax(scores, 1e9);
    for (const double w : hot) CHECK(std::abs(w - 1.0 / 3) < 1e-6);  // temperature to infinity: the plain vote
    const auto w = s::softmax(scores, 1);
    CHECK(std::abs(w[0] - 1 / (1 + 2 * std::exp(1.0))) < 1e-12);
    CHECK(s::softmax(std::array<double, 2>{1000, -1000}, 1)[0] == 1.0);
    CHECK(s::borda_weights(scores, 1) == std::vector<double>{1, 3, 2});  // ties rank as given
    CHECK(s::borda_weights(scores, 0) == std::vector<double>{1, 1, 1});  // power 0: the majority
}

TEST_CASE("wilson interval and quantiles") {
    const auto [low, high] = s::wilson_interval(8, 10);
    CHECK(std::abs(low - 0.4901625) < 1e-6);
    CHECK(std::abs(high - 0.9433178) < 1e-6);
    CHECK(s::wilson_interval(0, 0) == std::pair<double, double>{0, 1});
    CHECK(s::wilson_interval(0, 5).first == 0);
    CHECK(s::quantile(std::array<double, 4>{4, 1, 3, 2}, 0.5) == 2.5);
}
