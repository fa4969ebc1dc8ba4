// Definitions of compress/prune.hpp: inline always, for they need Eigen.
#ifndef HENCE_COMPRESS_DETAIL_PRUNE_INL_HPP
#define HENCE_COMPRESS_DETAIL_PRUNE_INL_HPP

#include "../../kernels/sparse.hpp"
#include "../../quant/encode.hpp"
#include "../../quant/int8_rows.hpp"
#include "../prune.hpp"
#include "whole_model.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

inline std::string scale_name(const pruned_tensor& t) {
    return models::detail::beside(t.name, "scale");
}

inline std::span<const std::byte> scale_bytes(const pruned_tensor& t) {
    return std::as_bytes(std::span(t.scales));
}

class pruner {
public:
    pruner(const gguf_file& file, const prune_options& options)
        : file_(file), options_(options), team_(options.threads > 0 ? options.threads : available_processors()) {}

    result<pruned_model> run() {
        HENCE_TRY(check());
        made_.pattern = to_string(options_.pattern);
        if (options_.score == prune_score::magnitude) {
            for (const file_tensor* tensor : matrices_) HENCE_TRY(one(*tensor, nullptr));
        } else {
            HENCE_TRY(in_layers());
        }
        return std::move(made_);
    }

private:
    [[nodiscard]] bool wanted(const file_tensor& t) const {
        const auto place = place_of(t.name);
        return place && place->layer >= 0 && t.shape.size() == 2 &&
               std::find(options_.keep.begin(), options_.keep.end(), t.name) == options_.keep.end();
    }

    [[nodiscard]] dtype target(const file_tensor& t) const { return options_.type.value_or(t.type); }

    // Everything that can be refused, before any work.
    result<void> check() {
        std::optional<error> first;
        const auto complain = [&](error e) {
            if (first)
                first->also.push_back(std::move(e));
            else
                first = std::move(e);
        };
        for (const std::string& name : options_.keep)
            if (file_.find_tensor(name) == nullptr)
                complain(make_error(errc::invalid_argument, file_.name() + ": to keep", "a tensor of the file",
                                    "no such tensor", name));
        if (options_.score != prune_score::magnitude && options_.calibration.empty())
            return make_error(errc::invalid_argument, "prune", "a calibration text, which this score learns from",
                              "none");
        for (const file_tensor& t : file_.tensors()) {
            if (!wanted(t)) continue;
            matrices_.push_back(&t);
            if (auto fits = check_fits(pattern_of(t), static_cast<std::size_t>(t.shape[0]),
                                       static_cast<std::size_t>(t.shape[1]));
                !fits) {
                error e = std::move(fits).error();
                e.where = file_.name() + ": pattern " + to_string(options_.pattern) + ", " + e.where;
                e.tensor_name = t.name;
                complain(std::move(e));
            }
            if (auto fits = check_type(t); !fits) complain(std::move(fits).error());
        }
        if (first) return *std::move(first);
        if (matrices_.empty())
            return make_error(errc::missing, file_.name(), "matrices of layers (blk.0.attn_q.weight, ...)",
                              "none to prune");
        return {};
    }

    [[nodiscard]] result<void> check_type(const file_tensor& t) const {
        const dtype to = target(t);
        const std::string written = "type " + std::string(name(to));
        if (t.type == dtype::i8)
            return make_error(errc::unsupported, file_.name(),
                              "f32, f16, bf16 or blocks: rows of int8 are already rounded", "i8", t.name);
        switch (to) {
            case dtype::f32:
            case dtype::f16:
            case dtype::bf16:
            case dtype::q8_0:
            case dtype::q8_24:
            case dtype::q8_48:
            case dtype::q4_24:
            case dtype::i8: break;
            default:
                return make_error(
                    errc::unsupported, file_.name(),
                    "f32, f16, bf16 or q8_0, in which zeros can be written; or another type for the result (--type)",
                    std::string(name(to)), t.name);
        }
        const auto columns = static_cast<std::size_t>(t.shape[1]);
        if (columns % traits(to).block_elements != 0)
            return make_error(errc::mismatch, file_.name() + ": " + written,
                              "rows in multiples of " + std::to_string(traits(to).block_elements),
                              std::to_string(columns), t.name);
        const mask_pattern& p = options_.pattern;
        const bool halves = p.kind == pattern_kind::n_of_m && 2 * p.keep <= p.group;
        const bool fours = halves && 4 % p.group == 0;
        if ((to == dtype::q8_24 || to == dtype::q4_24) && !fours)
            return make_error(errc::mismatch, written, "the pattern 2:4 (or 1:4, 1:2)", to_string(p), t.name);
        if (to == dtype::q8_48 && !(halves && 8 % p.group == 0))
            return make_error(errc::mismatch, written, "the pattern 4:8 (or 2:4, 1:4, 1:2)", to_string(p), t.name);
        return {};
    }

    [[nodiscard]] mask_pattern pattern_of(const file_tensor& t) const {
        mask_pattern pattern = options_.pattern;
        if (const auto found = options_.ratios.find(t.name); found != options_.ratios.end())
            pattern.pruned = found->second;
        if (options_.score != prune_score::magnitude) pattern.scope = pattern_scope::row;
        return pattern;
    }

    result<void> in_layers() {
        const bool gram = options_.score == prune_score::sparsegpt;
        return each_layer(
            file_, options_.calibration, options_.reading, options_.threads, gram,
            [this](const layer_statistics& statistics, const decoder_config&) { return one_layer(statistics); });
    }

    result<std::vector<file_tensor>> one_layer(const layer_statistics& statistics) {
        const std::size_t before = made_.tensors.size();
        for (const file_tensor* tensor : matrices_) {
            const auto place = place_of(tensor->name);
            if (place->layer == statistics.layer) HENCE_TRY(one(*tensor, &statistics.of(place->input)));
        }
        factors_.clear();
        std::vector<file_tensor> replaced;
        for (std::size_t i = before; i < made_.tensors.size(); ++i) {
            const pruned_tensor& t = made_.tensors[i];
            replaced.push_back({t.name, t.type, t.shape, 0, 0, t.data});
            if (!t.scales.empty()) replaced.push_back({scale_name(t), dtype::f32, {t.shape[0]}, 0, 0, scale_bytes(t)});
        }
        return replaced;
    }

    result<void> one(const file_tensor& t, const input_statistics* inputs) {
        const auto rows = static_cast<std::size_t>(t.shape[0]);
        const auto columns = static_cast<std::size_t>(t.shape[1]);
        HENCE_TRY_ASSIGN(values, finite_floats(file_, t));
        matrix<float> weights(rows, columns);
        for (std::size_t r = 0; r < rows; ++r)
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(r * columns), columns,
                        weights.view().row(r).span().begin());
        const matrix<float> original = weights.copy();
        const mask_pattern pattern = pattern_of(t);
        mask kept;
        if (options_.score == prune_score::sparsegpt) {
            std::optional<sparsegpt_rows>& factor = factors_[inputs];
            if (!factor) {
                HENCE_TRY_ASSIGN(made,
                                 made_of(t.name, sparsegpt_factor(inputs->gram, columns, options_.compensation.damping)));
                factor = std::move(made);
            }
            HENCE_TRY_ASSIGN(
                found, made_of(t.name, sparsegpt_along(*factor, weights.view(), pattern, team_, options_.compensation)));
            kept = std::move(found);
        } else {
            owned_vector<float> norms(columns);
            for (std::size_t c = 0; c < columns && inputs != nullptr; ++c)
                norms(c) = static_cast<float>(std::sqrt(inputs->sum_squares[c]));
            const matrix<float> scores = options_.score == prune_score::wanda
                                             ? wanda_scores(weights.view(), norms.view())
                                             : magnitude_scores(weights.view());
            HENCE_TRY_ASSIGN(found, build_mask(scores.view(), pattern));
            kept = std::move(found);
            kept.apply(weights.view());
        }
        pruned_tensor out;
        out.name = t.name;
        out.from = t.type;
        out.type = target(t);
        out.shape = t.shape;
        out.bytes_before = t.data.size();
        HENCE_TRY(encode(t, weights, kept, out));
        measure(original, out, inputs);
        made_.tensors.push_back(std::move(out));
        if (options_.progress != nullptr)
            options_.progress(options_.context, t.name, made_.tensors.size(), matrices_.size());
        return {};
    }

    // Masked blocks of q8_0 keep their other bytes; everything else is encoded anew.
    result<void> encode(const file_tensor& t, const matrix<float>& weights, const mask& kept,
                        pruned_tensor& out) const {
        const auto rows = static_cast<std::size_t>(t.shape[0]);
        const auto columns = static_cast<std::size_t>(t.shape[1]);
        const dtype dense = kernels::dense_of(out.type).value_or(out.type);
        const std::size_t dense_stride = row_bytes(dense, columns);
        const std::size_t stride = row_bytes(out.type, columns);
        out.data.resize(rows * stride);
        if (out.type == dtype::i8) return encode_int8(weights, out);
        std::vector<std::byte> row(dense_stride);
        for (std::size_t r = 0; r < rows; ++r) {
            if (t.type == dtype::q8_0 && dense == dtype::q8_0 && options_.score != prune_score::sparsegpt) {
                std::copy_n(t.data.begin() + static_cast<std::ptrdiff_t>(r * dense_stride), dense_stride, row.begin());
                for (std::size_t c = 0; c < columns; ++c)
                    if (!kept(r, c)) row[c / 32 * 34 + 2 + c % 32] = std::byte{0};
            } else {
                HENCE_TRY(encode_row(dense, weights.view().row(r).span(), row));
            }
            std::byte* to = out.data.data() + r * stride;
            if (dense == out.type) {
                std::copy(row.begin(), row.end(), to);
            } else if (!kernels::leave_out_zeros(out.type, row.data(), columns, to)) {
                return make_error(errc::mismatch, file_.name() + ": type " + std::string(name(out.type)),
                                  "a row of the pattern " + to_string(options_.pattern),
                                  "more values in row " + std::to_string(r), t.name);
            }
        }
        return {};
    }

    // Zeros stay: the range is symmetric.
    static result<void> encode_int8(const matrix<float>& weights, pruned_tensor& out) {
        const std::size_t columns = weights.extent(1);
        const std::span quants(reinterpret_cast<std::int8_t*>(out.data.data()), out.data.size());
        for (std::size_t r = 0; r < weights.extent(0); ++r) {
            HENCE_TRY_ASSIGN(found, made_of(out.name, encode_int8_row(weights.view().row(r).span(),
                                                                      quants.subspan(r * columns, columns))));
            out.scales.push_back(found.scale);
        }
        return {};
    }

    // What is left, and what it costs, of the values that a reader of the file will see.
    void measure(const matrix<float>& original, pruned_tensor& out, const input_statistics* inputs) const {
        const std::size_t rows = original.extent(0);
        const std::size_t columns = original.extent(1);
        const std::size_t stride = row_bytes(out.type, columns);
        sparsegpt_rows off(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
        sparsegpt_rows whole(off.rows(), off.cols());
        std::vector<float> now(columns);
        std::size_t zeros = 0;
        for (std::size_t r = 0; r < rows; ++r) {
            (void)decode_row(out.type, std::span<const std::byte>(out.data).subspan(r * stride, stride), now)
                .has_value();
            for (std::size_t c = 0; c < columns; ++c) {
                if (!out.scales.empty()) now[c] *= out.scales[r];
                zeros += now[c] == 0.0f ? 1 : 0;
                whole(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)) = original(r, c);
                off(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)) = original(r, c) - now[c];
            }
        }
        const auto ratio = [](double part, double all) { return all > 0 ? std::sqrt(part / all) : 0.0; };
        out.sparsity = static_cast<double>(zeros) / static_cast<double>(rows * columns);
        out.weight_error = ratio(off.cast<double>().squaredNorm(), whole.cast<double>().squaredNorm());
        if (inputs == nullptr || inputs->gram.empty()) return;
        const auto k = static_cast<Eigen::Index>(columns);
        const sparsegpt_rows gram =
            Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                inputs->gram.data(), k, k)
                .cast<float>();
        const auto energy = [&](const sparsegpt_rows& m) {
            return static_cast<double>((m * gram).cwiseProduct(m).sum());
        };
        out.output_error = ratio(std::max(energy(off), 0.0), energy(whole));
    }

    const gguf_file& file_;
    const prune_options& options_;
    spin_team team_;
    std::vector<const file_tensor*> matrices_;
    std::map<const input_statistics*, std::optional<sparsegpt_rows>> factors_;  // of the layer at hand
    pruned_model made_;
};

inline result<gguf_writer> pruned_writer(const pruned_model& model, const gguf_file& source) {
    gguf_writer writer = writer_like(source);
    writer.add("hence.prune.pattern", model.pattern);
    if (std::any_of(model.tensors.begin(), model.tensors.end(),
                    [](const pruned_tensor& t) { return !t.scales.empty(); }))
        writer.add("hence.int8_pairs", std::uint32_t{1});
    for (const file_tensor& t : source.tensors()) {
        const auto pruned = std::find_if(model.tensors.begin(), model.tensors.end(),
                                         [&](const pruned_tensor& p) { return p.name == t.name; });
        if (pruned == model.tensors.end()) {
            HENCE_TRY(writer.add_tensor(t.name, t.type, t.shape, t.data));
            continue;
        }
        HENCE_TRY(writer.add_tensor(t.name, pruned->type, pruned->shape, pruned->data));
        if (pruned->scales.empty()) continue;
        HENCE_TRY(
            writer.add_tensor(scale_name(*pruned), dtype::f32, std::span(t.shape).first(1), scale_bytes(*pruned)));
    }
    return writer;
}

}  // namespace detail

inline result<pruned_model> prune(const gguf_file& file, const prune_options& options) {
    return detail::pruner(file, options).run();
}

inline result<void> write(const pruned_model& model, const gguf_file& source, const std::string& path) {
    HENCE_TRY_ASSIGN(writer, detail::pruned_writer(model, source));
    return writer.write(path);
}

inline result<std::vector<std::byte>> to_bytes(const pruned_model& model, const gguf_file& source) {
    HENCE_TRY_ASSIGN(writer, detail::pruned_writer(model, source));
    return writer.to_bytes();
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
