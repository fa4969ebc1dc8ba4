// sparsegpt against the definition: each weight left out is compensated by the inverse Hessian of what is still free, in
// float64, one at a time, without the Cholesky factor that makes it fast.
#include "support/catch.hpp"

#include <hence/compress/sparsegpt.hpp>
#include <hence/core/rng.hpp>
#include <hence/sys/thread_team.hpp>
#include <hence/tensor/tensor.hpp>

#include <Eigen/Dense>

#include <limits>
#include <vector>

using namespace hence;

namespace {

struct problem {
    Eigen::MatrixXd weights, inputs, gram;
    std::vector<double> gram_values;

    problem(Eigen::Index n, Eigen::Index k, std::uint64_t seed) : weights(n, k), inputs(4 * k, k) {
        const counter_rng random{seed};
        std::uint32_t at = 0;
        const auto next = [&] { return 2 * random.uniform(0, at++, 0) - 1; };
        for (Eigen::Index i = 0; i < weights.size(); ++i)
            weights(i % n, i / n) = static_cast<double>(static_cast<float>(next()));
        for (Eigen::Index r = 0; r < inputs.rows(); ++r) {
            const double common = next();  // columns that know of each other: otherwise there is nothing to compensate
            for (Eigen::Index c = 0; c < k; ++c)
                inputs(r, c) = next() * (1.0 + static_cast<double>(c % 5)) + common * 2;
        }
        gram = inputs.transpose() * inputs;
        for (Eigen::Index r = 0; r < k; ++r)
            for (Eigen::Index c = 0; c < k; ++c) gram_values.push_back(gram(r, c));
    }
    matrix<float> floats() const {
        matrix<float> m(static_cast<std::size_t>(weights.rows()), static_cast<std::size_t>(weights.cols()));
        for (std::size_t r = 0; r < m.extent(0); ++r)
            for (std::size_t c = 0; c < m.extent(1); ++c)
                m(r, c) = static_cast<float>(weights(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)));
        return m;
    }
};

// One row: at each column the Hessian of the columns from there on is inverted anew.
// Frantar, Alistarh 2023, eqs. 3 and 4: score w^2 / [H^-1]_00, update - w / [H^-1]_00 * H^-1_0.
Eigen::VectorXd prune_row(Eigen::VectorXd w, const Eigen::MatrixXd& gram, double damping, Eigen::Index keep,
                          Eigen::Index group, std::vector<bool>& kept) {
    const Eigen::Index k = w.size();
    Eigen::MatrixXd damped = gram;
    double mean = 0;
    for (Eigen::Index i = 0; i < gram.rows(); ++i) mean += gram(i, i) / static_cast<double>(gram.rows());
    damped.diagonal().array() += damping * mean;
    std::vector<Eigen::MatrixXd> inverses;
    for (Eigen::Index c = 0; c < k; ++c) inverses.push_back(damped.bottomRightCorner(k - c, k - c).inverse());
    kept.assign(static_cast<std::size_t>(k), true);
    for (Eigen::Index c = 0; c < k; ++c) {
        if (c % group == 0) {
            for (Eigen::Index drop = 0; drop < group - keep; ++drop) {
                Eigen::Index worst = -1;
                double least = 0;
                for (Eigen::Index j = c; j < c + group; ++j) {
                    const double score = w(j) * w(j) / inverses[static_cast<std::size_t>(j)](0, 0);
                    if (!kept[static_cast<std::size_t>(j)] || (worst >= 0 && score >= least)) continue;
                    worst = j;
                    least = score;
                }
                kept[static_cast<std::size_t>(worst)] = false;
            }
        }
        if (kept[static_cast<std::size_t>(c)]) continue;
        const Eigen::MatrixXd& inverse = inverses[static_cast<std::size_t>(c)];
        w.tail(k - c) -= w(c) / inverse(0, 0) * inverse.col(0);
        w(c) = 0;
    }
    return w;
}

double output_error(const problem& p, const matrix<float>& pruned) {
    Eigen::MatrixXd off = p.weights;
    for (Eigen::Index r = 0; r < off.rows(); ++r)
        for (Eigen::Index c = 0; c < off.cols(); ++c)
            off(r, c) -= static_cast<double>(pruned(static_cast<std::size_t>(r), static_cast<std::size_t>(c)));
    return (p.inputs * off.transpose()).norm() / (p.inputs * p.weights.transpose()).norm();
}

}  // namespace

TEST_CASE("sparsegpt's masks and weights are those of the float64 definition") {
    const problem p(12, 40, 3);
    for (const auto& [keep, group] : {std::pair{2, 4}, std::pair{4, 8}, std::pair{1, 4}}) {
        const mask_pattern pattern{.kind = pattern_kind::n_of_m,
                                   .keep = static_cast<std::size_t>(keep),
                                   .group = static_cast<std::size_t>(group)};
        for (const std::size_t chunk : {8u, 24u, 128u}) {
            for (const int threads : {1, 3}) {
                matrix<float> w = p.floats();
                spin_team team(threads);
                const mask kept =
                    compress::sparsegpt(w.view(), p.gram_values, pattern, team, {.damping = 0.01, .chunk = chunk})
                        .value();
                CHECK(check_pattern(kept, pattern).has_value());
                for (Eigen::Index r = 0; r < 12; ++r) {
                    std::vector<bool> wanted_mask;
                    const Eigen::VectorXd wanted = prune_row(p.weights.row(r), p.gram, 0.01, keep, group, wanted_mask);
                    for (std::size_t c = 0; c < 40; ++c) {
                        INFO(keep << ":" << group << ", chunk " << chunk << ", row " << r << ", column " << c);
                        CHECK(kept(static_cast<std::size_t>(r), c) == wanted_mask[c]);
                        CHECK(std::fabs(static_cast<double>(w(static_cast<std::size_t>(r), c)) -
                                        wanted(static_cast<Eigen::Index>(c))) < 2e-4);
                    }
                }
            }
        }
    }
}

TEST_CASE("every pattern is obeyed exactly, and compensation beats Wanda, which beats magnitude") {
    const problem p(32, 64, 5);
    std::vector<float> norms;
    for (Eigen::Index c = 0; c < 64; ++c) norms.push_back(static_cast<float>(p.inputs.col(c).norm()));
    for (const char* text : {"2:4", "4:8", "unstructured:0.5", "unstructured:0.3", "block:16x4:0.5"}) {
        mask_pattern pattern = parse_mask_pattern(text).value();
        pattern.scope = pattern_scope::row;
        serial_team team;
        matrix<float> compensated = p.floats();
        const mask kept = compress::sparsegpt(compensated.view(), p.gram_values, pattern, team, {.chunk = 16}).value();
        INFO(text);
        CHECK(check_pattern(kept, pattern).has_value());
        CHECK((mask::of_nonzero(compensated.view()) & ~kept).count() == 0);

        const matrix<float> original = p.floats();
        matrix<float> by_wanda = p.floats();
        build_mask(
            wanda_scores(original.view(), vector_view<const float>(norms.data(), extents<dynamic_extent>(norms.size())))
                .view(),
            pattern)
            .value()
            .apply(by_wanda.view());
        matrix<float> by_magnitude = p.floats();
        build_mask(magnitude_scores(original.view()).view(), pattern).value().apply(by_magnitude.view());
        CHECK(output_error(p, compensated) < output_error(p, by_wanda));
        CHECK(output_error(p, by_wanda) < output_error(p, by_magnitude));
    }
}

TEST_CASE("sparsegpt refuses what it cannot use") {
    const problem p(4, 8, 1);
    serial_team team;
    matrix<float> w = p.floats();
    const mask_pattern halves = parse_mask_pattern("2:4").value();
    const std::vector<double> small(9, 1.0);
    CHECK(compress::sparsegpt(w.view(), small, halves, team).error().code == errc::invalid_argument);
    CHECK(compress::sparsegpt(w.view(), p.gram_values, parse_mask_pattern("2:5").value(), team).error().code ==
          errc::mismatch);
    w(1, 2) = std::numeric_limits<float>::quiet_NaN();
    const auto refused = compress::sparsegpt(w.view(), p.gram_values, halves, team);
    CHECK(refused.error().code == errc::not_a_number);
    CHECK(refused.error().message().find("row 1, column 2") != std::string::npos);
    matrix<float> unread = p.floats();  // nothing reads these columns: the smallest go, nothing moves
    const std::vector<double> nothing(64, 0.0);
    const mask kept = compress::sparsegpt(unread.view(), nothing, halves, team).value();
    matrix<float> wanted = p.floats();
    kept.apply(wanted.view());
    for (std::size_t r = 0; r < 4; ++r)
        for (std::size_t c = 0; c < 8; ++c) CHECK(unread(r, c) == wanted(r, c));
}
