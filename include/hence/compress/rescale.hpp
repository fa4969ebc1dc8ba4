// rescale: moving the range of a product's inputs into its weights, or the other way round, without changing the product.
//
// Channel k of the inputs is divided by s[k], column k of the weights multiplied by it; the division is folded into what
// makes the inputs (a norm's scale, the rows of ffn_up), so that the model computes the same function and costs the same.
// It serves whichever side suffers more from rounding: activations in int8 (SmoothQuant), weights in 4 bits (AWQ).
#ifndef HENCE_COMPRESS_RESCALE_HPP
#define HENCE_COMPRESS_RESCALE_HPP

#include "../core/result.hpp"
#include "calibration.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// A matrix [rows, columns] of a file, expanded to floats.
struct float_matrix {
    std::string name;
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::vector<float> values;

    [[nodiscard]] std::span<float> row(std::size_t r) noexcept { return std::span(values).subspan(r * columns, columns); }
    [[nodiscard]] std::span<const float> row(std::size_t r) const noexcept { return std::span(values).subspan(r * columns, columns); }
};

/// s[k] = max|x_k|^strength / max|w_k|^(1 - strength): evens out the ranges of inputs and weights.
/// @shape matrices: all that read these inputs, [n, k] each; the result [k]
/// @errors contract: columns == inputs.width
/// @source Xiao et al. 2022, SmoothQuant (2211.10438), equation 4; scales are normalised to a geometric mean of 1
[[nodiscard]] inline std::vector<float> smoothing_scales(const input_statistics& inputs, std::span<const float_matrix* const> matrices,
                                                         float strength) {
    std::vector<float> scales(inputs.width, 1.0f);
    double logarithms = 0;
    for (std::size_t k = 0; k < inputs.width; ++k) {
        float largest = 0.0f;
        for (const float_matrix* matrix : matrices) {
            HENCE_EXPECT(matrix->columns == inputs.width, "matrices that read these inputs");
            for (std::size_t r = 0; r < matrix->rows; ++r) largest = std::max(largest, std::fabs(matrix->values[r * inputs.width + k]));
        }
        if (inputs.absolute_maximum[k] > 0.0f && largest > 0.0f)
            scales[k] = std::pow(inputs.absolute_maximum[k], strength) / std::pow(largest, 1.0f - strength);
        logarithms += std::log(static_cast<double>(scales[k]));
    }
    const auto mean = static_cast<float>(std::exp(logarithms / static_cast<double>(std::max<std::size_t>(inputs.width, 1))));
    for (float& scale : scales) scale = std::clamp(scale / mean, 1e-4f, 1e4f);
    return scales;
}

/// s[k] = (root of the mean of x_k^2)^strength: protects the weights that meet large inputs.
/// @shape the result [inputs.width]
/// @errors none; channels that are always zero get 1
/// @source Lin et al. 2023, AWQ (2306.00978), equation 5; with the root mean square instead of the mean magnitude
[[nodiscard]] inline std::vector<float> activation_scales(const input_statistics& inputs, float strength) {
    std::vector<float> scales(inputs.width, 1.0f);
    float least = 0.0f, most = 0.0f;
    for (std::size_t k = 0; k < inputs.width; ++k) {
        const double mean = inputs.sum_squares[k] / static_cast<double>(std::max<std::size_t>(inputs.rows, 1));
        if (mean > 0) scales[k] = std::max(1e-4f, static_cast<float>(std::pow(mean, 0.5 * static_cast<double>(strength))));
        least = k == 0 ? scales[k] : std::min(least, scales[k]);
        most = std::max(most, scales[k]);
    }
    for (float& scale : scales) scale /= std::sqrt(most * least);
    return scales;
}

/// Multiplies the columns of a matrix.
/// @shape matrix[n, k], scales[k]
/// @errors contract: sizes differ
/// @source none
inline void scale_columns(float_matrix& matrix, std::span<const float> scales) {
    HENCE_EXPECT(matrix.columns == scales.size(), "a scale for each column");
    for (std::size_t r = 0; r < matrix.rows; ++r)
        for (std::size_t k = 0; k < scales.size(); ++k) matrix.values[r * scales.size() + k] *= scales[k];
}

/// Divides the rows of a matrix: what it writes reaches the next one smaller.
/// @shape matrix[k, m], scales[k]
/// @errors contract: sizes differ
/// @source none
inline void divide_rows(float_matrix& matrix, std::span<const float> scales) {
    HENCE_EXPECT(matrix.rows == scales.size(), "a scale for each row");
    for (std::size_t r = 0; r < matrix.rows; ++r)
        for (float& value : matrix.row(r)) value /= scales[r];
}

/// The statistics of inputs divided by scales.
/// @shape scales[inputs.width]
/// @errors contract: sizes differ
/// @source none
inline void divide_inputs(input_statistics& inputs, std::span<const float> scales) {
    HENCE_EXPECT(inputs.width == scales.size(), "a scale for each channel");
    for (std::size_t k = 0; k < scales.size(); ++k) {
        const double scale = static_cast<double>(scales[k]);
        inputs.sum_squares[k] /= scale * scale;
        inputs.absolute_maximum[k] /= scales[k];
        for (std::size_t j = 0; j < scales.size() && !inputs.gram.empty(); ++j)
            inputs.gram[k * scales.size() + j] /= scale * static_cast<double>(scales[j]);
    }
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
