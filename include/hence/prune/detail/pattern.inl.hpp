// Definitions of prune/pattern.hpp.
#ifndef HENCE_PRUNE_DETAIL_PATTERN_INL_HPP
#define HENCE_PRUNE_DETAIL_PATTERN_INL_HPP

#include "../../core/text.hpp"
#include "../pattern.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

HENCE_NAMESPACE_BEGIN

namespace detail {

// The whole of `text` as a number, or nothing.
template <class T>
std::optional<T> whole_number(std::string_view text) noexcept {
    T value{};
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

inline std::size_t pruned_count(double share, std::size_t of) noexcept {
    return static_cast<std::size_t>(std::llround(share * static_cast<double>(of)));
}

// Blocks are the units of a block pattern, single weights those of an unstructured one.
struct pattern_units {
    std::size_t height;
    std::size_t width;
    std::size_t rows;     // of units
    std::size_t columns;  // of units
};

inline pattern_units units_of(const mask_pattern& pattern, std::size_t rows, std::size_t columns) noexcept {
    const bool blocks = pattern.kind == pattern_kind::block;
    const std::size_t height = blocks ? pattern.block_rows : 1;
    const std::size_t width = blocks ? pattern.block_columns : 1;
    return {height, width, rows / height, columns / width};
}

// Drops the `count` lowest of `scores`: of equal ones the last. `order` is scratch.
template <class Drop>
void drop_lowest(std::span<const double> scores, std::size_t count, std::vector<std::size_t>& order, Drop drop) {
    order.resize(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto lower = [&](std::size_t a, std::size_t b) {
        return scores[a] != scores[b] ? scores[a] < scores[b] : a > b;
    };
    if (count < order.size())
        std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), lower);
    for (std::size_t i = 0; i < count; ++i) drop(order[i]);
}

inline void drop_in_groups(const matrix_view<const float>& scores, const mask_pattern& pattern, mask& m) {
    std::vector<double> group(pattern.group);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < scores.extent(0); ++i) {
        for (std::size_t first = 0; first < scores.extent(1); first += pattern.group) {
            for (std::size_t j = 0; j < pattern.group; ++j) group[j] = static_cast<double>(scores(i, first + j));
            drop_lowest(group, pattern.group - pattern.keep, order, [&](std::size_t j) { m.set(i, first + j, false); });
        }
    }
}

inline void drop_units(const matrix_view<const float>& scores, const mask_pattern& pattern, mask& m) {
    const pattern_units units = units_of(pattern, scores.extent(0), scores.extent(1));
    std::vector<double> sums(units.rows * units.columns, 0.0);
    for (std::size_t i = 0; i < scores.extent(0); ++i) {
        double* const row = sums.data() + i / units.height * units.columns;
        for (std::size_t j = 0; j < scores.extent(1); ++j) row[j / units.width] += static_cast<double>(scores(i, j));
    }
    std::vector<std::size_t> order;
    const auto drop_unit = [&](std::size_t unit) {
        const std::size_t top = unit / units.columns * units.height;
        const std::size_t left = unit % units.columns * units.width;
        for (std::size_t i = 0; i < units.height; ++i) {
            for (std::size_t j = 0; j < units.width; ++j) m.set(top + i, left + j, false);
        }
    };
    const std::span<const double> all_sums(sums);
    if (pattern.scope == pattern_scope::matrix) {
        drop_lowest(all_sums, pruned_count(pattern.pruned, sums.size()), order, drop_unit);
    } else {
        for (std::size_t i = 0; i < units.rows; ++i) {
            drop_lowest(all_sums.subspan(i * units.columns, units.columns), pruned_count(pattern.pruned, units.columns),
                        order, [&](std::size_t j) { drop_unit(i * units.columns + j); });
        }
    }
}

inline std::string place_text(std::size_t row, std::size_t column) {
    return concat({"row ", row, ", column ", column});
}

inline result<void> check_groups(const mask& m, const mask_pattern& pattern) {
    for (std::size_t i = 0; i < m.rows(); ++i) {
        for (std::size_t first = 0; first < m.columns(); first += pattern.group) {
            std::size_t kept = 0;
            for (std::size_t j = 0; j < pattern.group; ++j) kept += m(i, first + j) ? 1 : 0;
            if (kept != pattern.keep) {
                return make_error(errc::mismatch, concat({"mask, group at ", place_text(i, first)}),
                                  concat({pattern.keep, " kept of ", pattern.group}),
                                  decimal(kept));
            }
        }
    }
    return {};
}

inline result<void> check_units(const mask& m, const mask_pattern& pattern) {
    const pattern_units units = units_of(pattern, m.rows(), m.columns());
    std::size_t dropped_of_all = 0;
    for (std::size_t row = 0; row < units.rows; ++row) {
        std::size_t dropped_of_row = 0;
        for (std::size_t column = 0; column < units.columns; ++column) {
            const std::size_t top = row * units.height;
            const std::size_t left = column * units.width;
            for (std::size_t i = 0; i < units.height; ++i) {
                for (std::size_t j = 0; j < units.width; ++j) {
                    if (m(top + i, left + j) != m(top, left)) {
                        return make_error(errc::mismatch, concat({"mask, block at ", place_text(top, left)}),
                                          "all kept or all dropped", "both");
                    }
                }
            }
            dropped_of_row += m(top, left) ? 0 : 1;
        }
        dropped_of_all += dropped_of_row;
        const std::size_t expected = pruned_count(pattern.pruned, units.columns);
        if (pattern.scope == pattern_scope::row && dropped_of_row != expected) {
            return make_error(errc::mismatch, concat({"mask, row ", row * units.height}),
                              concat({expected, " dropped of ", units.columns}),
                              decimal(dropped_of_row));
        }
    }
    const std::size_t count = units.rows * units.columns;
    const std::size_t expected = pruned_count(pattern.pruned, count);
    if (pattern.scope == pattern_scope::matrix && dropped_of_all != expected) {
        return make_error(errc::mismatch, "mask", concat({expected, " dropped of ", count}),
                          decimal(dropped_of_all));
    }
    return {};
}

}  // namespace detail

HENCE_INLINE result<mask_pattern> parse_mask_pattern(std::string_view text) {
    const auto wrong = [&] {
        return make_error(errc::invalid_argument, "mask pattern",
                          "N:M such as 2:4, block:RxC[:share] such as block:16x4:0.5, or unstructured:share",
                          concat({"'", text, "'"}));
    };
    mask_pattern pattern;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return wrong();
    const std::string_view head = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    if (head == "unstructured") {
        const auto share = detail::whole_number<double>(rest);
        if (!share) return wrong();
        pattern.pruned = *share;
    } else if (head == "block") {
        const std::size_t second = rest.find(':');
        const std::string_view sizes = rest.substr(0, second);
        const std::size_t cross = sizes.find('x');
        if (cross == std::string_view::npos) return wrong();
        const auto rows = detail::whole_number<std::size_t>(sizes.substr(0, cross));
        const auto columns = detail::whole_number<std::size_t>(sizes.substr(cross + 1));
        const auto share = second == std::string_view::npos ? std::optional(pattern.pruned)
                                                            : detail::whole_number<double>(rest.substr(second + 1));
        if (!rows || !columns || !share) return wrong();
        pattern.kind = pattern_kind::block;
        pattern.block_rows = *rows;
        pattern.block_columns = *columns;
        pattern.pruned = *share;
    } else {
        const auto keep = detail::whole_number<std::size_t>(head);
        const auto group = detail::whole_number<std::size_t>(rest);
        if (!keep || !group) return wrong();
        pattern.kind = pattern_kind::n_of_m;
        pattern.keep = *keep;
        pattern.group = *group;
    }
    HENCE_TRY(check_fits(pattern, 0, 0));
    return pattern;
}

HENCE_INLINE std::string to_string(const mask_pattern& pattern) {
    const auto share = [&] {
        char text[32];
        const auto [end, status] = std::to_chars(text, text + sizeof text, pattern.pruned);
        return std::string(text, status == std::errc() ? end : text);
    };
    switch (pattern.kind) {
        case pattern_kind::n_of_m: return concat({pattern.keep, ":", pattern.group});
        case pattern_kind::block:
            return concat({"block:", pattern.block_rows, "x", pattern.block_columns, ":", share()});
        case pattern_kind::unstructured: return concat({"unstructured:", share()});
    }
    return {};
}

HENCE_INLINE result<void> check_fits(const mask_pattern& pattern, std::size_t rows, std::size_t columns) {
    const std::string where = concat({"mask pattern ", to_string(pattern)});
    if (pattern.kind == pattern_kind::n_of_m) {
        if (pattern.group == 0 || pattern.keep == 0 || pattern.keep > pattern.group)
            return make_error(errc::invalid_argument, where, "N:M with 1 <= N <= M");
        if (columns % pattern.group != 0) {
            return make_error(errc::mismatch, where, concat({"columns in multiples of ", pattern.group}),
                              decimal(columns));
        }
        return {};
    }
    if (!(pattern.pruned >= 0.0 && pattern.pruned <= 1.0))
        return make_error(errc::invalid_argument, where, "a pruned share in [0, 1]");
    if (pattern.kind == pattern_kind::block) {
        if (pattern.block_rows == 0 || pattern.block_columns == 0)
            return make_error(errc::invalid_argument, where, "a block of at least 1x1");
        if (rows % pattern.block_rows != 0 || columns % pattern.block_columns != 0) {
            return make_error(errc::mismatch, where, "a matrix that the blocks divide",
                              concat({rows, "x", columns}));
        }
    }
    return {};
}

HENCE_INLINE result<mask> build_mask(const matrix_view<const float>& scores, const mask_pattern& pattern) {
    HENCE_TRY(check_fits(pattern, scores.extent(0), scores.extent(1)));
    for (std::size_t i = 0; i < scores.extent(0); ++i) {
        for (std::size_t j = 0; j < scores.extent(1); ++j) {
            if (!std::isfinite(scores(i, j))) {
                return make_error(errc::not_a_number, concat({"mask scores, ", detail::place_text(i, j)}), "a finite number",
                                  decimal(scores(i, j)));
            }
        }
    }
    mask m(scores.extent(0), scores.extent(1));
    if (pattern.kind == pattern_kind::n_of_m) {
        detail::drop_in_groups(scores, pattern, m);
    } else {
        detail::drop_units(scores, pattern, m);
    }
    return m;
}

HENCE_INLINE result<void> check_pattern(const mask& m, const mask_pattern& pattern) {
    HENCE_TRY(check_fits(pattern, m.rows(), m.columns()));
    return pattern.kind == pattern_kind::n_of_m ? detail::check_groups(m, pattern) : detail::check_units(m, pattern);
}

HENCE_INLINE matrix<float> magnitude_scores(const matrix_view<const float>& weights) {
    matrix<float> scores(uninitialized, weights.extents());
    for (std::size_t i = 0; i < weights.size(); ++i) scores.data()[i] = std::fabs(weights.data()[i]);
    return scores;
}

HENCE_INLINE matrix<float> wanda_scores(const matrix_view<const float>& weights,
                                        const vector_view<const float>& input_norms) {
    HENCE_EXPECT(input_norms.extent(0) == weights.extent(1), "a norm for each column of the weights");
    matrix<float> scores(uninitialized, weights.extents());
    for (std::size_t i = 0; i < weights.extent(0); ++i) {
        for (std::size_t j = 0; j < weights.extent(1); ++j) scores(i, j) = std::fabs(weights(i, j)) * input_norms[j];
    }
    return scores;
}

HENCE_NAMESPACE_END

#endif
