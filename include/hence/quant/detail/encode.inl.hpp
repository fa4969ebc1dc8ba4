// Definitions of quant/encode.hpp.
#ifndef HENCE_QUANT_DETAIL_ENCODE_INL_HPP
#define HENCE_QUANT_DETAIL_ENCODE_INL_HPP

#include "../../core/scalar.hpp"
#include "../block_grid.hpp"
#include "../encode.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace detail {

// A float product with one rounding whatever the compiler contracts: the exact product in double, then one conversion.
[[nodiscard]] inline float product(float a, float b) noexcept {
    return static_cast<float>(static_cast<double>(a) * static_cast<double>(b));
}

// Clips before it converts: where a block is so small that 1 / d overflows, products are infinite or NaN.
[[nodiscard]] inline std::int32_t clip_level(double value, std::int32_t highest) noexcept {
    return value > 0 ? static_cast<std::int32_t>(std::min<double>(value, highest)) : 0;
}

// Formats without an offset: the value farthest from zero gets the lowest level. The reference's compilers fuse the product
// with the sum: one rounding to float, which may reach the next level, and then truncation.
inline void reference_signed(const float* x, block_grid& grid, std::int32_t* levels) noexcept {
    const std::int32_t half = -grid.lowest;  // 8 or 16
    float extreme = 0.0f;
    float largest = 0.0f;
    for (std::size_t j = 0; j < 32; ++j) {
        if (std::fabs(x[j]) > largest) {
            largest = std::fabs(x[j]);
            extreme = x[j];
        }
    }
    const float d = extreme / static_cast<float>(grid.lowest);
    const float inverse = d != 0.0f ? 1.0f / d : 0.0f;
    grid.d = to_f16(d).bits;
    for (std::size_t j = 0; j < 32; ++j) {
        const auto level = static_cast<float>(static_cast<double>(x[j]) * static_cast<double>(inverse) + (half + 0.5));
        levels[j] = clip_level(static_cast<double>(level), 2 * half - 1) - half;
    }
}

inline void reference_offset(const float* x, block_grid& grid, std::int32_t* levels) noexcept {
    float low = x[0];
    float high = x[0];
    for (std::size_t j = 1; j < 32; ++j) {
        low = std::min(low, x[j]);
        high = std::max(high, x[j]);
    }
    const float d = (high - low) / static_cast<float>(grid.highest);
    const float inverse = d != 0.0f ? 1.0f / d : 0.0f;
    grid.d = to_f16(d).bits;
    grid.m = to_f16(low).bits;
    for (std::size_t j = 0; j < 32; ++j)
        levels[j] = clip_level(static_cast<double>(product(x[j] - low, inverse) + 0.5f), grid.highest);
}

inline void reference_q8_0(const float* x, block_grid& grid, std::int32_t* levels) noexcept {
    float largest = 0.0f;
    for (std::size_t j = 0; j < 32; ++j) largest = std::max(largest, std::fabs(x[j]));
    const float d = largest / 127.0f;
    const float inverse = d != 0.0f ? 1.0f / d : 0.0f;
    grid.d = to_f16(d).bits;
    for (std::size_t j = 0; j < 32; ++j) {
        const double level = static_cast<double>(product(x[j], inverse));  // halves away from zero
        levels[j] = level < 0 ? -clip_level(-level + 0.5, 127) : clip_level(level + 0.5, 127);
    }
}

inline void encode_block(dtype type, const float* x, const float* importance, bool search, std::byte* out) noexcept {
    std::int32_t levels[256];
    if (search || type == dtype::q4_k || type == dtype::q6_k) {
        const block_grid grid = fit_grid(type, x, importance);
        for (std::size_t i = 0; i < traits(type).block_elements; ++i) levels[i] = grid.nearest(i, x[i]);
        return assemble(grid, levels, out);
    }
    block_grid grid;
    const level_range range = levels_of(type);
    grid.type = type;
    grid.lowest = range.lowest;
    grid.highest = range.highest;
    if (type == dtype::q8_0) reference_q8_0(x, grid, levels);
    else if (range.has_offset) reference_offset(x, grid, levels);
    else reference_signed(x, grid, levels);
    assemble(grid, levels, out);
}

template <class T>
void encode_plain(std::span<const float> values, std::byte* out, T (*convert)(float)) noexcept {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const T value = convert(values[i]);
        std::memcpy(out + i * sizeof(T), &value, sizeof(T));
    }
}

}  // namespace detail

HENCE_INLINE bool can_encode(dtype type) noexcept {
    return has_grid(type) || type == dtype::f32 || type == dtype::f16 || type == dtype::bf16;
}

HENCE_INLINE result<void> encode_row(dtype type, std::span<const float> values, std::span<std::byte> out,
                                     const rounding_options& options) {
    const std::string where = "encode_row: " + std::string(name(type));
    if (!can_encode(type)) return make_error(errc::unsupported, where, "f32, f16, bf16, q8_0, q5_0, q5_1, q4_0, q4_1, q4_k or q6_k", std::string(name(type)));
    const std::size_t block = traits(type).block_elements;
    if (values.size() % block != 0 || out.size() != row_bytes(type, values.size()))
        return make_error(errc::invalid_argument, where,
                          "a multiple of " + std::to_string(block) + " values and room for their blocks",
                          std::to_string(values.size()) + " values, " + std::to_string(out.size()) + " bytes");
    if (!options.importance.empty() && options.importance.size() != values.size())
        return make_error(errc::invalid_argument, where, std::to_string(values.size()) + " importances", std::to_string(options.importance.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
            return make_error(errc::not_a_number, where, "finite values", std::to_string(values[i]) + " in column " + std::to_string(i));
    if (type != dtype::f32 && type != dtype::bf16)  // scales are halves
        for (std::size_t i = 0; i < values.size(); ++i)
            if (std::fabs(values[i]) > 65504.0f)
                return make_error(errc::out_of_range, where, "magnitudes up to 65504, the largest half",
                                  std::to_string(values[i]) + " in column " + std::to_string(i));
    switch (type) {
        case dtype::f32: detail::encode_plain<float>(values, out.data(), [](float v) { return v; }); return {};
        case dtype::f16: detail::encode_plain<f16>(values, out.data(), [](float v) { return to_f16(v); }); return {};
        case dtype::bf16: detail::encode_plain<bf16>(values, out.data(), [](float v) { return to_bf16(v); }); return {};
        default: break;
    }
    const std::size_t bytes = traits(type).block_bytes;
    const float* importance = options.importance.empty() ? nullptr : options.importance.data();
    for (std::size_t at = 0, b = 0; at < values.size(); at += block, ++b)
        detail::encode_block(type, values.data() + at, importance != nullptr ? importance + at : nullptr,
                             options.rounding == rounding::search, out.data() + b * bytes);
    return {};
}

HENCE_NAMESPACE_END

#endif
