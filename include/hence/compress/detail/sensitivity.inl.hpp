// Definitions of compress/sensitivity.hpp.
#ifndef HENCE_COMPRESS_DETAIL_SENSITIVITY_INL_HPP
#define HENCE_COMPRESS_DETAIL_SENSITIVITY_INL_HPP

#include "../sensitivity.hpp"
#include "whole_model.hpp"

#include <algorithm>
#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

// Losses of one matrix: within each row (of blocks) the smallest go first.
inline result<sensitivity_curve> curve_of(const gguf_file& file, const file_tensor& t,
                                          const sensitivity_options& options, const input_statistics* inputs,
                                          std::size_t steps) {
    const auto rows = static_cast<std::size_t>(t.shape[0]);
    const auto columns = static_cast<std::size_t>(t.shape[1]);
    const bool blocks = options.pattern.kind == pattern_kind::block;
    const std::size_t height = blocks ? options.pattern.block_rows : 1;
    const std::size_t width = blocks ? options.pattern.block_columns : 1;
    HENCE_TRY_ASSIGN(weights, finite_floats(file, t));
    sensitivity_curve curve{t.name, rows * columns, std::vector<double>(steps + 1, 0.0)};
    std::vector<double> units(columns / width);
    double whole = 0;
    for (std::size_t top = 0; top < rows; top += height) {
        std::fill(units.begin(), units.end(), 0.0);
        for (std::size_t r = top; r < top + height; ++r) {
            for (std::size_t c = 0; c < columns; ++c) {
                const double w = static_cast<double>(weights[r * columns + c]);
                units[c / width] += w * w * (inputs != nullptr ? inputs->sum_squares[c] : 1.0);
            }
        }
        std::sort(units.begin(), units.end());
        std::size_t gone = 0;
        double lost = 0;
        for (std::size_t i = 0; i <= steps; ++i) {
            const auto due = static_cast<std::size_t>(
                std::llround(options.step * static_cast<double>(i) * static_cast<double>(units.size())));
            for (; gone < std::min(due, units.size()); ++gone) lost += units[gone];
            curve.loss[i] += lost;
        }
        for (; gone < units.size(); ++gone) lost += units[gone];
        whole += lost;
    }
    for (double& loss : curve.loss) loss = whole > 0 ? loss / whole : 0.0;
    return curve;
}

// The shares that lose least, in steps.
inline std::vector<std::size_t> cheapest_steps(const std::vector<sensitivity_curve>& curves, double budget,
                                               double step) {
    double all = 0;
    for (const sensitivity_curve& curve : curves) all += static_cast<double>(curve.weights);
    std::vector<std::size_t> at(curves.size(), 0);
    double gone = 0;
    while (gone < budget * all) {
        std::size_t best = curves.size();
        double least = 0;
        for (std::size_t i = 0; i < curves.size(); ++i) {
            if (at[i] + 1 >= curves[i].loss.size()) continue;
            const double price = curves[i].loss[at[i] + 1] - curves[i].loss[at[i]];
            if (best < curves.size() && price >= least) continue;
            best = i;
            least = price;
        }
        if (best == curves.size()) break;
        ++at[best];
        gone += step * static_cast<double>(curves[best].weights);
    }
    return at;
}

}  // namespace detail

HENCE_INLINE result<sensitivity_scan> scan_sensitivity(const gguf_file& file, const sensitivity_options& options) {
    const mask_pattern& pattern = options.pattern;
    if (pattern.kind == pattern_kind::n_of_m)
        return make_error(errc::invalid_argument, "scan_sensitivity",
                          "a pattern with a share (block:16x4:0.5, unstructured:0.5)", to_string(pattern));
    if (!(options.step > 0 && options.step < 1 && options.most > 0 && options.most < 1))
        return make_error(errc::invalid_argument, "scan_sensitivity", "a step and a largest share between 0 and 1",
                          std::to_string(options.step) + ", " + std::to_string(options.most));
    const auto steps = static_cast<std::size_t>(options.most / options.step + 1e-9);
    if (!(pattern.pruned >= 0 && pattern.pruned <= options.step * static_cast<double>(steps)))
        return make_error(errc::out_of_range, "scan_sensitivity: the pattern's share",
                          "at most " + std::to_string(options.step * static_cast<double>(steps)),
                          std::to_string(pattern.pruned));
    sensitivity_scan scan;
    const auto add = [&](const file_tensor& t, const input_statistics* inputs) -> result<void> {
        HENCE_TRY(check_fits(pattern, static_cast<std::size_t>(t.shape[0]), static_cast<std::size_t>(t.shape[1])));
        HENCE_TRY_ASSIGN(curve, detail::curve_of(file, t, options, inputs, steps));
        scan.curves.push_back(std::move(curve));
        return {};
    };
    std::vector<layer_statistics> statistics;
    if (!options.calibration.empty()) {
        HENCE_TRY_ASSIGN(model, decoder::from_gguf(file));
        HENCE_TRY_ASSIGN(text, calibration::make(model, options.calibration, options.reading));
        while (text.layer() < model.config().layers) {
            HENCE_TRY_ASSIGN(found, text.capture_and_advance(model));
            statistics.push_back(std::move(found));
        }
    }
    for (const file_tensor& t : file.tensors()) {
        const auto place = place_of(t.name);
        if (!place || place->layer < 0 || t.shape.size() != 2) continue;
        if (std::find(options.keep.begin(), options.keep.end(), t.name) != options.keep.end()) continue;
        const bool known = static_cast<std::size_t>(place->layer) < statistics.size();
        HENCE_TRY(add(t, known ? &statistics[static_cast<std::size_t>(place->layer)].of(place->input) : nullptr));
    }
    const std::vector<std::size_t> chosen = detail::cheapest_steps(scan.curves, pattern.pruned, options.step);
    double all = 0;
    for (const sensitivity_curve& curve : scan.curves) all += static_cast<double>(curve.weights);
    const auto even = static_cast<std::size_t>(std::llround(pattern.pruned / options.step));
    for (std::size_t i = 0; i < scan.curves.size(); ++i) {
        scan.ratios[scan.curves[i].name] = options.step * static_cast<double>(chosen[i]);
        const double size = static_cast<double>(scan.curves[i].weights) / all;
        scan.loss_chosen += size * scan.curves[i].loss[chosen[i]];
        scan.loss_even += size * scan.curves[i].loss[std::min(even, steps)];
    }
    return scan;
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
