// Definitions of quant/int8_rows.hpp.
#ifndef HENCE_QUANT_DETAIL_INT8_ROWS_INL_HPP
#define HENCE_QUANT_DETAIL_INT8_ROWS_INL_HPP

#include "../int8_rows.hpp"

#include <algorithm>
#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace detail {

struct int8_limits {
    float low = 0.0f;
    float high = 0.0f;
};

[[nodiscard]] inline int8_scale scale_for(const int8_limits& limits, int8_range range) noexcept {
    if (range == int8_range::symmetric) return {std::max(-limits.low, limits.high) / 127.0f, 0};
    const float scale = (limits.high - limits.low) / 255.0f;
    if (scale == 0.0f) return {0.0f, 0};
    const float zero = std::nearbyint(-128.0f - limits.low / scale);
    return {scale, static_cast<std::int32_t>(std::min(127.0f, std::max(-128.0f, zero)))};
}

// `inverse` of a symmetric row is 127 / max|x|, as the kernels compute it, not 1 / scale.
[[nodiscard]] inline std::int8_t int8_quant(float value, float inverse, std::int32_t zero, float lowest) noexcept {
    const float q = std::nearbyint(value * inverse) + static_cast<float>(zero);
    return static_cast<std::int8_t>(std::min(127.0f, std::max(lowest, q)));
}

[[nodiscard]] inline float int8_inverse(const int8_limits& limits, const int8_scale& scale, int8_range range) noexcept {
    if (range == int8_range::asymmetric) return scale.scale != 0.0f ? 1.0f / scale.scale : 0.0f;
    const float largest = std::max(-limits.low, limits.high);
    return largest >= 3.8e-37f ? 127.0f / largest : 0.0f;  // below, the quotient would overflow
}

}  // namespace detail

HENCE_INLINE result<int8_scale> encode_int8_row(std::span<const float> values, std::span<std::int8_t> quants, int8_range range,
                                                const rounding_options& options) {
    if (quants.size() != values.size() || (!options.importance.empty() && options.importance.size() != values.size()))
        return make_error(errc::invalid_argument, "encode_int8_row", std::to_string(values.size()) + " quants (and importances)",
                          std::to_string(quants.size()) + " and " + std::to_string(options.importance.size()));
    detail::int8_limits full;  // zero is always in the range
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i]))
            return make_error(errc::not_a_number, "encode_int8_row", "finite values", std::to_string(values[i]) + " in column " + std::to_string(i));
        full.low = std::min(full.low, values[i]);
        full.high = std::max(full.high, values[i]);
    }
    const float lowest = range == int8_range::symmetric ? -127.0f : -128.0f;
    detail::int8_limits best = full;
    if (options.rounding == rounding::search) {
        double least = -1;
        for (int step = 0; step <= 40; ++step) {
            const float narrow = 1.0f - 0.015f * static_cast<float>(step);
            const detail::int8_limits limits{full.low * narrow, full.high * narrow};
            const int8_scale scale = detail::scale_for(limits, range);
            const float inverse = detail::int8_inverse(limits, scale, range);
            double error = 0;
            for (std::size_t i = 0; i < values.size(); ++i) {
                const int q = detail::int8_quant(values[i], inverse, scale.zero, lowest) - scale.zero;
                const double off = static_cast<double>(values[i]) - static_cast<double>(scale.scale) * q;
                error += (options.importance.empty() ? 1.0 : static_cast<double>(options.importance[i])) * off * off;
            }
            if (least >= 0 && !(error < least)) continue;
            least = error;
            best = limits;
        }
    }
    const int8_scale scale = detail::scale_for(best, range);
    const float inverse = detail::int8_inverse(best, scale, range);
    for (std::size_t i = 0; i < values.size(); ++i) quants[i] = detail::int8_quant(values[i], inverse, scale.zero, lowest);
    return scale;
}

HENCE_INLINE void decode_int8_row(std::span<const std::int8_t> quants, const int8_scale& scale, std::span<float> out) {
    HENCE_EXPECT(quants.size() == out.size(), "as many values as quants");
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(quants[i] - scale.zero) * scale.scale;
}

HENCE_NAMESPACE_END

#endif
