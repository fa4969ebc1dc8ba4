// Definitions of quant/block_grid.hpp.
#ifndef HENCE_QUANT_DETAIL_BLOCK_GRID_INL_HPP
#define HENCE_QUANT_DETAIL_BLOCK_GRID_INL_HPP

#include "../../core/scalar.hpp"
#include "../block_grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace detail {

struct level_range {
    std::int32_t lowest;
    std::int32_t highest;
    bool has_offset;  // scale * q + offset; else scale * q
};

// Signed levels where the format has no offset, though q4_0, q5_0 and q6_k store them shifted.
[[nodiscard]] constexpr level_range levels_of(dtype type) noexcept {
    switch (type) {
        case dtype::q4_0: return {-8, 7, false};
        case dtype::q5_0: return {-16, 15, false};
        case dtype::q6_k: return {-32, 31, false};
        case dtype::q4_1: case dtype::q4_k: return {0, 15, true};
        case dtype::q5_1: return {0, 31, true};
        default: return {-127, 127, false};
    }
}

struct fitted {
    double scale = 0;
    double offset = 0;  // at most 0 where `nonpositive` was asked for
    double error = 0;
};

[[nodiscard]] inline double level_of(double value, const level_range& range) noexcept {
    const double clipped = std::min<double>(range.highest, std::max<double>(range.lowest, value));
    return static_cast<double>(static_cast<std::int32_t>(clipped + (clipped < 0 ? -0.5 : 0.5)));
}

[[nodiscard]] inline double error_of(const float* x, const float* importance, std::size_t n, const level_range& range,
                                     double scale, double offset) noexcept {
    const double inverse = scale != 0 ? 1.0 / scale : 0.0;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double value = static_cast<double>(x[i]);
        const double off = value - scale * level_of((value - offset) * inverse, range) - offset;
        sum += (importance != nullptr ? static_cast<double>(importance[i]) : 1.0) * off * off;
    }
    return sum;
}

// The best scale (and offset) for the levels that the given ones round to: weighted least squares.
[[nodiscard]] inline fitted least_squares(const float* x, const float* importance, std::size_t n, const level_range& range,
                                          double scale, double offset, bool nonpositive) noexcept {
    const double inverse = scale != 0 ? 1.0 / scale : 0.0;
    double w_sum = 0, q_sum = 0, qq_sum = 0, x_sum = 0, qx_sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double value = static_cast<double>(x[i]);
        const double weight = importance != nullptr ? static_cast<double>(importance[i]) : 1.0;
        const double q = level_of((value - offset) * inverse, range);
        w_sum += weight;
        q_sum += weight * q;
        qq_sum += weight * q * q;
        x_sum += weight * value;
        qx_sum += weight * q * value;
    }
    fitted best{scale, offset, 0};
    const double determinant = w_sum * qq_sum - q_sum * q_sum;
    if (range.has_offset && determinant > 0) {
        best.scale = (w_sum * qx_sum - q_sum * x_sum) / determinant;
        best.offset = (qq_sum * x_sum - q_sum * qx_sum) / determinant;
    }
    if (!range.has_offset || (nonpositive && best.offset > 0)) {
        best.offset = 0;
        if (qq_sum > 0) best.scale = qx_sum / qq_sum;
    }
    best.error = error_of(x, importance, n, range, best.scale, best.offset);
    return best;
}

// Starts from several widths of the range (clipping outliers or not) and improves each by least squares.
[[nodiscard]] inline fitted fit_group(const float* x, const float* importance, std::size_t n, const level_range& range,
                                      bool nonpositive) noexcept {
    double low = 0, high = 0, extreme = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double value = static_cast<double>(x[i]);
        low = i == 0 ? value : std::min(low, value);
        high = i == 0 ? value : std::max(high, value);
        if (std::fabs(value) > std::fabs(extreme)) extreme = value;
    }
    if (nonpositive && low > 0) low = 0;
    if (extreme == 0 || (range.has_offset && high <= low)) {
        if (!range.has_offset || extreme == 0) return {};
        if (extreme < 0 || !nonpositive) return {0, extreme, 0};  // all alike
    }
    fitted best{0, 0, -1};
    const auto consider = [&](double scale, double offset) {
        fitted now{scale, offset, error_of(x, importance, n, range, scale, offset)};
        for (int round = 0; round < 3; ++round) {
            if (best.error < 0 || now.error < best.error) best = now;
            now = least_squares(x, importance, n, range, now.scale, now.offset, nonpositive);
            if (!(now.error < best.error) && round > 0) break;
        }
        if (now.error < best.error) best = now;
    };
    constexpr int steps = 7;
    for (int step = -steps; step <= steps; ++step) {
        const double stretch = 1.0 + 0.02 * step * (range.highest - range.lowest < 32 ? 1.5 : 0.3);
        if (range.has_offset) {
            consider((high - low) * stretch / range.highest, low * (step % 2 == 0 ? 1.0 : stretch));
        } else {
            // The longer end of the range under the extreme value; its sign decides which end that is.
            consider(extreme * stretch / range.lowest, 0);
            consider(std::fabs(extreme) * stretch / range.highest, 0);
        }
    }
    return best;
}

[[nodiscard]] inline double half_value(std::uint16_t bits) noexcept { return static_cast<double>(to_float(f16{bits})); }
[[nodiscard]] inline std::uint16_t half_bits(double value) noexcept { return to_f16(static_cast<float>(value)).bits; }

// The 32-value formats: one scale, one offset, in halves. Rounding to halves moves the grid, so neighbouring halves are
// tried too, and the scale of the reference encoder: what is found is never worse than that.
inline void fit_plain(block_grid& grid, const level_range& range, const float* x, const float* importance) noexcept {
    double low = 0, high = 0, extreme = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        const double value = static_cast<double>(x[i]);
        low = i == 0 ? value : std::min(low, value);
        high = i == 0 ? value : std::max(high, value);
        if (std::fabs(value) > std::fabs(extreme)) extreme = value;
    }
    double best = -1;
    const auto consider = [&](std::uint16_t d, double wish) {
        const double scale = half_value(d);
        if ((d & 0x7fffu) >= 0x7c00u) return;
        const auto take = [&](std::uint16_t m) {
            if ((m & 0x7fffu) >= 0x7c00u) return;
            const double error = error_of(x, importance, 32, range, scale, half_value(m));
            if (best >= 0 && !(error < best)) return;
            best = error;
            grid.d = d;
            grid.m = m;
        };
        if (!range.has_offset) return take(0);
        take(half_bits(wish));
        if (scale != 0) take(half_bits(least_squares(x, importance, 32, range, scale, wish, false).offset));
    };
    const fitted found = fit_group(x, importance, 32, range, false);
    for (int up = -1; up <= 1; ++up) consider(static_cast<std::uint16_t>(half_bits(found.scale) + up), found.offset);
    if (range.has_offset) consider(half_bits((high - low) / range.highest), low);
    else consider(half_bits(extreme / range.lowest), 0);
    grid.scale[0] = static_cast<float>(half_value(grid.d));
    grid.offset[0] = static_cast<float>(half_value(grid.m));
}

// The 256-value formats: integer scales (and minimums) of groups, times a half. Fits each group freely, rounds to the
// integers that the shared halves allow, then moves single integers and the halves as long as that helps.
struct super_block {
    const float* x;
    const float* importance;
    level_range range;
    std::size_t group;
    std::size_t groups;
    std::int32_t lowest_scale;
    std::int32_t highest_scale;

    [[nodiscard]] const float* weights(std::size_t g) const noexcept { return importance != nullptr ? importance + g * group : nullptr; }
    [[nodiscard]] double error(std::size_t g, double scale, double offset) const noexcept {
        return error_of(x + g * group, weights(g), group, range, scale, offset);
    }

    [[nodiscard]] double choose(std::size_t g, double d, double m, const fitted& wish, std::int8_t& scale, std::uint8_t& minimum) const noexcept {
        const auto clip = [](double value, std::int32_t low, std::int32_t high) {
            return std::min(high, std::max(low, static_cast<std::int32_t>(std::floor(value + 0.5))));
        };
        const std::int32_t s = d != 0 ? clip(wish.scale / d, lowest_scale, highest_scale) : 0;
        const std::int32_t n = m != 0 ? clip(-wish.offset / m, 0, 63) : 0;
        double best = -1;
        const int reach = range.has_offset && m != 0 ? 1 : 0;
        for (std::int32_t a = std::max(lowest_scale, s - 1); a <= std::min(highest_scale, s + 1); ++a) {
            for (std::int32_t b = std::max(0, n - reach); b <= std::min(63, n + reach); ++b) {
                const double now = error(g, static_cast<double>(static_cast<float>(d * a)), -static_cast<double>(static_cast<float>(m * b)));
                if (best >= 0 && !(now < best)) continue;
                best = now;
                scale = static_cast<std::int8_t>(a);
                minimum = static_cast<std::uint8_t>(b);
            }
        }
        return best;
    }

    void fit(block_grid& grid) const noexcept {
        fitted wishes[block_grid::max_groups];
        double largest = 0, smallest = 0, deepest = 0;
        for (std::size_t g = 0; g < groups; ++g) {
            wishes[g] = fit_group(x + g * group, weights(g), group, range, true);
            largest = std::max(largest, wishes[g].scale);
            smallest = std::min(smallest, wishes[g].scale);
            deepest = std::max(deepest, -wishes[g].offset);
        }
        double d = largest / highest_scale;
        // Signed scales: the longer end serves the larger magnitude.
        if (lowest_scale < 0) d = -smallest > largest ? smallest / lowest_scale : largest / highest_scale;
        double m = deepest / 63;
        double best = -1;
        for (int round = 0; round < 3; ++round) {
            block_grid now = grid;
            now.d = half_bits(d);
            now.m = half_bits(m);
            double total = 0;
            for (std::size_t g = 0; g < groups; ++g)
                total += choose(g, half_value(now.d), half_value(now.m), wishes[g], now.scales[g], now.minimums[g]);
            if (best >= 0 && !(total < best)) break;
            best = total;
            grid = now;
            improve_halves(grid, d, m);
        }
        for (std::size_t g = 0; g < groups; ++g) {
            grid.scale[g] = static_cast<float>(half_value(grid.d) * grid.scales[g]);
            grid.offset[g] = -static_cast<float>(half_value(grid.m) * grid.minimums[g]);
        }
    }

    // Least squares for d and m with all integers fixed: x = d (s q) - m n.
    void improve_halves(const block_grid& grid, double& d, double& m) const noexcept {
        double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
        for (std::size_t g = 0; g < groups; ++g) {
            const double scale = half_value(grid.d) * grid.scales[g];
            const double offset = -half_value(grid.m) * grid.minimums[g];
            const double inverse = scale != 0 ? 1.0 / scale : 0.0;
            for (std::size_t i = 0; i < group; ++i) {
                const double value = static_cast<double>(x[g * group + i]);
                const double weight = importance != nullptr ? static_cast<double>(importance[g * group + i]) : 1.0;
                const double a = grid.scales[g] * level_of((value - offset) * inverse, range);
                const double b = -static_cast<double>(grid.minimums[g]);
                aa += weight * a * a;
                ab += weight * a * b;
                bb += weight * b * b;
                ax += weight * a * value;
                bx += weight * b * value;
            }
        }
        const double determinant = aa * bb - ab * ab;
        if (bb > 0 && determinant > 1e-12 * aa * bb) {
            d = (bb * ax - ab * bx) / determinant;
            m = std::max(0.0, (aa * bx - ab * ax) / determinant);
        } else if (aa > 0) {
            d = ax / aa;
        }
    }
};

}  // namespace detail

HENCE_INLINE block_grid fit_grid(dtype type, const float* values, const float* importance) noexcept {
    const detail::level_range range = detail::levels_of(type);
    block_grid grid;
    grid.type = type;
    grid.lowest = range.lowest;
    grid.highest = range.highest;
    if (type == dtype::q4_k) {
        detail::super_block{values, importance, range, 32, 8, 0, 63}.fit(grid);
    } else if (type == dtype::q6_k) {
        grid.group = 16;
        detail::super_block{values, importance, range, 16, 16, -128, 127}.fit(grid);
    } else {
        detail::fit_plain(grid, range, values, importance);
    }
    return grid;
}

HENCE_INLINE void assemble(const block_grid& grid, const std::int32_t* levels, std::byte* out) noexcept {
    const auto byte_of = [](auto value) { return static_cast<std::byte>(static_cast<std::uint8_t>(value)); };
    const std::size_t bytes = traits(grid.type).block_bytes;
    std::memset(out, 0, bytes);
    const auto nibbles = [&](std::size_t at, std::int32_t shift, bool fifth) {
        std::uint32_t high = 0;
        for (std::size_t j = 0; j < 16; ++j) {
            const auto low = static_cast<std::uint32_t>(levels[j] + shift);
            const auto up = static_cast<std::uint32_t>(levels[j + 16] + shift);
            out[at + j] = byte_of((low & 15u) | (up & 15u) << 4);
            high |= (low >> 4) << j | (up >> 4) << (j + 16);
        }
        if (fifth) std::memcpy(out + at - 4, &high, 4);
    };
    switch (grid.type) {
        case dtype::q8_0:
            for (std::size_t j = 0; j < 32; ++j) out[2 + j] = byte_of(levels[j]);
            break;
        case dtype::q4_0: nibbles(2, 8, false); break;
        case dtype::q4_1: nibbles(4, 0, false); break;
        case dtype::q5_0: nibbles(6, 16, true); break;
        case dtype::q5_1: nibbles(8, 0, true); break;
        case dtype::q4_k:
            for (std::size_t g = 0; g < 8; ++g) {
                const auto s = static_cast<std::uint32_t>(grid.scales[g]);
                const std::uint32_t m = grid.minimums[g];
                if (g < 4) {
                    out[4 + g] |= byte_of(s);
                    out[8 + g] |= byte_of(m);
                } else {
                    out[8 + g] |= byte_of((s & 15u) | (m & 15u) << 4);
                    out[g] |= byte_of((s >> 4) << 6);
                    out[4 + g] |= byte_of((m >> 4) << 6);
                }
                for (std::size_t j = 0; j < 32; ++j)
                    out[16 + g / 2 * 32 + j] |= byte_of(static_cast<std::uint32_t>(levels[g * 32 + j]) << (g % 2 * 4));
            }
            break;
        case dtype::q6_k:
            for (std::size_t run = 0; run < 8; ++run) {
                const std::size_t half = run / 4;
                const std::size_t part = run % 4;
                for (std::size_t j = 0; j < 32; ++j) {
                    const auto q = static_cast<std::uint32_t>(levels[run * 32 + j] + 32);
                    out[half * 64 + part % 2 * 32 + j] |= byte_of((q & 15u) << (part / 2 * 4));
                    out[128 + half * 32 + j] |= byte_of((q >> 4) << (part * 2));
                }
            }
            for (std::size_t g = 0; g < 16; ++g) out[192 + g] = byte_of(grid.scales[g]);
            std::memcpy(out + 208, &grid.d, 2);
            return;
        default: return;
    }
    std::memcpy(out, &grid.d, 2);
    if (grid.type == dtype::q4_1 || grid.type == dtype::q5_1 || grid.type == dtype::q4_k) std::memcpy(out + 2, &grid.m, 2);
}

HENCE_NAMESPACE_END

#endif
