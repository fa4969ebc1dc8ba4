// Definitions of compress/sparsegpt.hpp: inline always, for they need Eigen.
#ifndef HENCE_COMPRESS_DETAIL_SPARSEGPT_INL_HPP
#define HENCE_COMPRESS_DETAIL_SPARSEGPT_INL_HPP

#include "../sparsegpt.hpp"

#include "inverse_hessian.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

using sparsegpt_rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The factor of the inverse Hessian: the costly part, found once for all matrices that read the same inputs.
inline result<sparsegpt_rows> sparsegpt_factor(std::span<const double> gram, std::size_t columns, double damping) {
    if (gram.size() != columns * columns)
        return make_error(errc::invalid_argument, "sparsegpt",
                          "a gram matrix of " + std::to_string(columns) + " x " + std::to_string(columns),
                          std::to_string(gram.size()) + " values");
    const auto k = static_cast<Eigen::Index>(columns);
    const Eigen::MatrixXd exact = inverse_hessian_factor(
        Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(gram.data(), k, k), damping);
    if (exact.size() == 0 || !exact.allFinite())
        return make_error(errc::not_a_number, "sparsegpt", "inputs with a positive definite gram matrix",
                          "none, whatever the damping");
    return sparsegpt_rows(exact.cast<float>());
}

// One worker's rows, from the first column to the last.
struct sparsegpt_pass {
    const mask_pattern& pattern;
    const sparsegpt_rows& factor;
    std::size_t chunk;
    std::size_t first_row;  // of the matrix
    mask& kept;

    [[nodiscard]] std::size_t height() const { return pattern.kind == pattern_kind::block ? pattern.block_rows : 1; }
    [[nodiscard]] std::size_t width() const { return pattern.kind == pattern_kind::block ? pattern.block_columns : 1; }

    [[nodiscard]] double score(const sparsegpt_rows& w, std::size_t r, std::size_t c) const {
        const auto at = static_cast<Eigen::Index>(c);
        const double share =
            static_cast<double>(w(static_cast<Eigen::Index>(r), at)) / static_cast<double>(factor(at, at));
        return share * share;
    }

    // Of `scores` the `count` lowest go; of equal ones the last.
    template <class Drop>
    static void drop_lowest(const std::vector<double>& scores, std::size_t count, Drop drop) {
        std::vector<std::size_t> order(scores.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] < scores[b] : a > b; });
        for (std::size_t i = 0; i < count; ++i) drop(order[i]);
    }

    void choose_groups(const sparsegpt_rows& w, std::size_t first) {
        std::vector<double> scores(pattern.group);
        for (std::size_t r = 0; r < static_cast<std::size_t>(w.rows()); ++r) {
            for (std::size_t j = 0; j < pattern.group; ++j) scores[j] = score(w, r, first + j);
            drop_lowest(scores, pattern.group - pattern.keep,
                        [&](std::size_t j) { kept.set(first_row + r, first + j, false); });
        }
    }

    // Units of columns [first, last), as many that the share is right for all columns so far.
    void choose_units(const sparsegpt_rows& w, std::size_t first, std::size_t last) {
        const auto due = [&](std::size_t columns) {
            return static_cast<std::size_t>(std::llround(pattern.pruned * static_cast<double>(columns / width())));
        };
        const std::size_t count = due(last) - due(first);
        std::vector<double> scores((last - first) / width());
        for (std::size_t top = 0; top < static_cast<std::size_t>(w.rows()); top += height()) {
            std::fill(scores.begin(), scores.end(), 0.0);
            for (std::size_t r = top; r < top + height(); ++r)
                for (std::size_t c = first; c < last; ++c) scores[(c - first) / width()] += score(w, r, c);
            drop_lowest(scores, count, [&](std::size_t unit) {
                for (std::size_t r = top; r < top + height(); ++r)
                    for (std::size_t c = 0; c < width(); ++c)
                        kept.set(first_row + r, first + unit * width() + c, false);
            });
        }
    }

    void run(sparsegpt_rows& w) {
        const auto columns = static_cast<std::size_t>(w.cols());
        const std::size_t unit = pattern.kind == pattern_kind::n_of_m ? pattern.group : width();
        const std::size_t step = std::max(unit, chunk / unit * unit);
        sparsegpt_rows errors(w.rows(), static_cast<Eigen::Index>(std::min(step, columns)));
        for (std::size_t first = 0; first < columns; first += step) {
            const std::size_t last = std::min(first + step, columns);
            if (pattern.kind != pattern_kind::n_of_m) choose_units(w, first, last);
            for (std::size_t c = first; c < last; ++c) {
                if (pattern.kind == pattern_kind::n_of_m && c % pattern.group == 0) choose_groups(w, c);
                const auto at = static_cast<Eigen::Index>(c);
                const auto left = static_cast<Eigen::Index>(last - c - 1);
                for (Eigen::Index r = 0; r < w.rows(); ++r) {
                    float error = 0.0f;
                    if (!kept(first_row + static_cast<std::size_t>(r), c)) {
                        error = w(r, at) / factor(at, at);
                        w(r, at) = 0.0f;
                        if (left > 0)
                            w.row(r).segment(at + 1, left).noalias() -= error * factor.row(at).segment(at + 1, left);
                    }
                    errors(r, static_cast<Eigen::Index>(c - first)) = error;
                }
            }
            const auto begin = static_cast<Eigen::Index>(first);
            const auto size = static_cast<Eigen::Index>(last - first);
            const auto rest = static_cast<Eigen::Index>(columns - last);
            if (rest > 0)
                w.rightCols(rest).noalias() -= errors.leftCols(size) * factor.block(begin, begin + size, size, rest);
        }
    }
};

inline result<mask> sparsegpt_along(const sparsegpt_rows& factor, const matrix_view<float>& weights,
                                    const mask_pattern& pattern, thread_team& team, const sparsegpt_options& options) {
    const std::size_t rows = weights.extent(0);
    const std::size_t columns = weights.extent(1);
    HENCE_TRY(check_fits(pattern, rows, columns));
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            if (!std::isfinite(weights(r, c)))
                return make_error(
                    errc::not_a_number, "sparsegpt", "finite weights",
                    std::to_string(weights(r, c)) + " in row " + std::to_string(r) + ", column " + std::to_string(c));
    mask kept(rows, columns);
    const std::size_t strip = pattern.kind == pattern_kind::block ? pattern.block_rows : 1;
    team.each([&](const worker& self) {
        const index_range mine = self.share(rows / strip);
        if (mine.size() == 0) return;
        const std::size_t begin = mine.begin * strip;
        sparsegpt_rows w(static_cast<Eigen::Index>(mine.size() * strip), static_cast<Eigen::Index>(columns));
        for (std::size_t r = 0; r < mine.size() * strip; ++r)
            for (std::size_t c = 0; c < columns; ++c)
                w(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)) = weights(begin + r, c);
        sparsegpt_pass{pattern, factor, std::max<std::size_t>(options.chunk, 1), begin, kept}.run(w);
        for (std::size_t r = 0; r < mine.size() * strip; ++r)
            for (std::size_t c = 0; c < columns; ++c)
                weights(begin + r, c) = w(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c));
    });
    return kept;
}

}  // namespace detail

inline result<mask> sparsegpt(const matrix_view<float>& weights, std::span<const double> gram,
                              const mask_pattern& pattern, thread_team& team, const sparsegpt_options& options) {
    HENCE_TRY(check_fits(pattern, weights.extent(0), weights.extent(1)));
    HENCE_TRY_ASSIGN(factor, detail::sparsegpt_factor(gram, weights.extent(1), options.damping));
    return detail::sparsegpt_along(factor, weights, pattern, team, options);
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
