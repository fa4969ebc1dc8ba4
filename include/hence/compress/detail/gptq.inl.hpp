// Definitions of compress/gptq.hpp: inline always, for they need Eigen.
#ifndef HENCE_COMPRESS_DETAIL_GPTQ_INL_HPP
#define HENCE_COMPRESS_DETAIL_GPTQ_INL_HPP

#include "../gptq.hpp"

#include "inverse_hessian.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

using float_rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// What all matrices that read the same inputs are rounded along: the costly part, found once for them.
struct gptq_course {
    float_rows factor;               // of the inverse Hessian of columns in `order`
    std::vector<std::size_t> order;  // of columns
    std::vector<std::size_t> place;  // of a column in `order`
    std::vector<float> importance;   // by column
    bool grids_first = false;

    [[nodiscard]] static result<gptq_course> make(const input_statistics& inputs, const gptq_options& options) {
        const std::size_t columns = inputs.width;
        if (columns == 0 || inputs.gram.size() != columns * columns)
            return make_error(errc::invalid_argument, "gptq",
                              "the gram matrix of " + std::to_string(columns) + " columns",
                              std::to_string(inputs.gram.size()) + " values");
        gptq_course made;
        made.grids_first = options.act_order;
        made.order.resize(columns);
        std::iota(made.order.begin(), made.order.end(), std::size_t{0});
        if (options.act_order)
            std::stable_sort(made.order.begin(), made.order.end(), [&](std::size_t a, std::size_t b) {
                return inputs.gram[a * columns + a] > inputs.gram[b * columns + b];
            });
        const auto k = static_cast<Eigen::Index>(columns);
        Eigen::MatrixXd hessian(k, k);
        for (Eigen::Index i = 0; i < k; ++i) {
            const std::size_t from = made.order[static_cast<std::size_t>(i)] * columns;
            for (Eigen::Index j = 0; j < k; ++j)
                hessian(i, j) = inputs.gram[from + made.order[static_cast<std::size_t>(j)]];
        }
        made.factor = inverse_hessian_factor(std::move(hessian), options.damping).cast<float>();
        if (made.factor.size() == 0)
            return make_error(errc::not_a_number, "gptq", "inputs with a positive definite gram matrix",
                              "none, whatever the damping");
        made.place.resize(columns);
        made.importance.resize(columns);
        for (std::size_t i = 0; i < columns; ++i) {
            const float diagonal = made.factor(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(i));
            made.place[made.order[i]] = i;
            made.importance[made.order[i]] = 1.0f / (diagonal * diagonal);
        }
        const float largest = *std::max_element(made.importance.begin(), made.importance.end());
        for (float& value : made.importance) value /= largest;
        return made;
    }

    // Rounds rows of w (columns in `order`; overwritten) and writes their blocks.
    void run(dtype type, float_rows& w, std::byte* out) const {
        const std::size_t columns = order.size();
        const std::size_t block = traits(type).block_elements;
        const std::size_t blocks = columns / block;
        const std::size_t chunk = std::max<std::size_t>(block, 128);
        const auto rows = static_cast<std::size_t>(w.rows());
        std::vector<block_grid> grids(rows * blocks);
        std::vector<std::int32_t> levels(rows * columns);
        std::vector<float> values(block);
        const auto fit = [&](std::size_t r, std::size_t b) {
            for (std::size_t i = 0; i < block; ++i)
                values[i] = w(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(place[b * block + i]));
            grids[r * blocks + b] = fit_grid(type, values.data(), importance.data() + b * block);
        };
        for (std::size_t r = 0; r < rows && grids_first; ++r)
            for (std::size_t b = 0; b < blocks; ++b) fit(r, b);
        float_rows errors(w.rows(), static_cast<Eigen::Index>(std::min(chunk, columns)));
        for (std::size_t first = 0; first < columns; first += chunk) {
            const std::size_t count = std::min(chunk, columns - first);
            const auto begin = static_cast<Eigen::Index>(first);
            const auto size = static_cast<Eigen::Index>(count);
            for (std::size_t r = 0; r < rows; ++r) {
                const auto row = static_cast<Eigen::Index>(r);
                for (std::size_t c = 0; c < count; ++c) {
                    const std::size_t column = order[first + c];
                    if (!grids_first && column % block == 0) fit(r, column / block);
                    const auto at = static_cast<Eigen::Index>(first + c);
                    const block_grid& grid = grids[r * blocks + column / block];
                    const std::int32_t level = grid.nearest(column % block, w(row, at));
                    levels[r * columns + column] = level;
                    const float error = (w(row, at) - grid.value(column % block, level)) / factor(at, at);
                    errors(row, static_cast<Eigen::Index>(c)) = error;
                    const auto left = static_cast<Eigen::Index>(count - c - 1);
                    if (left > 0)
                        w.row(row).segment(at + 1, left).noalias() -= error * factor.row(at).segment(at + 1, left);
                }
            }
            const auto rest = static_cast<Eigen::Index>(columns - first - count);
            if (rest > 0)
                w.rightCols(rest).noalias() -= errors.leftCols(size) * factor.block(begin, begin + size, size, rest);
        }
        const std::size_t bytes = traits(type).block_bytes;
        for (std::size_t i = 0; i < grids.size(); ++i) assemble(grids[i], levels.data() + i * block, out + i * bytes);
    }
};

inline result<std::vector<std::byte>> gptq_along(const gptq_course& course, dtype type, std::span<const float> weights,
                                                 std::size_t rows, thread_team& team) {
    const std::size_t columns = course.order.size();
    const std::string where = "gptq: " + std::string(name(type));
    if (!has_grid(type))
        return make_error(errc::unsupported, where, "a block format with a grid", std::string(name(type)));
    if (rows == 0 || weights.size() != rows * columns || columns % traits(type).block_elements != 0)
        return make_error(errc::invalid_argument, where,
                          "rows of whole blocks, of " + std::to_string(columns) + " columns",
                          std::to_string(weights.size()) + " weights in " + std::to_string(rows) + " rows");
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (!std::isfinite(weights[i]))
            return make_error(errc::not_a_number, where, "finite weights",
                              std::to_string(weights[i]) + " in row " + std::to_string(i / columns) + ", column " +
                                  std::to_string(i % columns));

    const std::size_t stride = row_bytes(type, columns);
    std::vector<std::byte> out(rows * stride);
    team.each([&](const worker& self) {
        const index_range mine = self.share(rows);
        if (mine.size() == 0) return;
        float_rows w(static_cast<Eigen::Index>(mine.size()), static_cast<Eigen::Index>(columns));
        for (std::size_t r = mine.begin; r < mine.end; ++r)
            for (std::size_t i = 0; i < columns; ++i)
                w(static_cast<Eigen::Index>(r - mine.begin), static_cast<Eigen::Index>(i)) =
                    weights[r * columns + course.order[i]];
        course.run(type, w, out.data() + mine.begin * stride);
    });
    return out;
}

}  // namespace detail

inline result<std::vector<std::byte>> gptq(dtype type, std::span<const float> weights, std::size_t rows,
                                           const input_statistics& inputs, thread_team& team,
                                           const gptq_options& options) {
    HENCE_TRY_ASSIGN(course, detail::gptq_course::make(inputs, options));
    return detail::gptq_along(course, type, weights, rows, team);
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
