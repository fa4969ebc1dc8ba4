// Definitions of compress/quantize.hpp: inline always, for they need Eigen.
#ifndef HENCE_COMPRESS_DETAIL_QUANTIZE_INL_HPP
#define HENCE_COMPRESS_DETAIL_QUANTIZE_INL_HPP

#include "../../quant/int8_rows.hpp"
#include "../quantize.hpp"
#include "../rescale.hpp"
#include "whole_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

inline bool is_float(dtype type) noexcept {
    return type == dtype::f32 || type == dtype::f16 || type == dtype::bf16;
}
inline bool is_integer(dtype type) noexcept {
    return type == dtype::i8 || type == dtype::i16 || type == dtype::i32 || type == dtype::i64 || type == dtype::u8;
}

/// Formats that other engines number in general.file_type.
inline std::uint32_t file_type_of(dtype type) noexcept {
    switch (type) {
        case dtype::f16: return 1;
        case dtype::bf16: return 32;
        case dtype::q4_0: return 2;
        case dtype::q4_1: return 3;
        case dtype::q8_0: return 7;
        case dtype::q5_0: return 8;
        case dtype::q5_1: return 9;
        case dtype::q4_k: return 14;
        case dtype::q6_k: return 18;
        default: return 0;
    }
}

// The format itself where its blocks divide the rows, else the next one that does (as other engines choose it).
inline std::optional<dtype> fitting(dtype type, std::size_t columns) noexcept {
    if (type == dtype::i8) return type;
    if (columns % traits(type).block_elements == 0) return type;
    const dtype plain = type == dtype::q4_k ? dtype::q5_0 : dtype::q8_0;
    if (traits(type).block_elements > 32 && columns % 32 == 0) return plain;
    return std::nullopt;
}

inline std::span<const std::byte> bytes_of(const std::vector<float>& values) {
    return std::as_bytes(std::span(values));
}

class quantizer {
public:
    quantizer(const gguf_file& file, const quantize_options& options)
        : file_(file), options_(options), team_(options.threads > 0 ? options.threads : available_processors()) {}

    result<quantized_model> run() {
        HENCE_TRY(check());
        const std::span<const file_tensor> tensors = file_.tensors();
        made_.reports.resize(tensors.size());
        slots_.resize(tensors.size());
        if (!options_.calibration.empty()) HENCE_TRY(run_layers());
        for (std::size_t i = 0; i < tensors.size(); ++i)
            if (slots_[i].empty()) HENCE_TRY(alone(i));
        for (auto& slot : slots_)
            for (compressed_tensor& tensor : slot) made_.tensors.push_back(std::move(tensor));
        made_.extended =
            std::any_of(made_.tensors.begin(), made_.tensors.end(), [](const auto& t) { return t.type == dtype::i8; });
        made_.file_type = file_type_of(options_.type);
        return std::move(made_);
    }

private:
    static constexpr const char* where = "quantize";

    [[nodiscard]] bool kept(const std::string& name) const {
        return std::find(options_.keep.begin(), options_.keep.end(), name) != options_.keep.end();
    }
    [[nodiscard]] static bool is_matrix(const file_tensor& t) {
        return t.shape.size() == 2 && t.name.ends_with(".weight") && t.name != "position_embd.weight";
    }
    [[nodiscard]] static bool is_end(const std::string& name) {
        return name == "token_embd.weight" || name == "output.weight";
    }

    result<void> check() {
        if (!can_encode(options_.type) && options_.type != dtype::i8)
            return make_error(errc::unsupported, where,
                              "f32, f16, bf16, q8_0, q5_0, q5_1, q4_0, q4_1, q4_k, q6_k or int8",
                              std::string(name(options_.type)));
        if (!can_encode(options_.embedding))
            return make_error(errc::unsupported, "quantize: the embedding",
                              "f32, f16, bf16, q8_0, q5_0, q5_1, q4_0, q4_1, q4_k or q6_k",
                              std::string(name(options_.embedding)));
        const bool wants_text =
            options_.method > quantize_method::search || options_.smooth > 0.0f || options_.fixed_activations;
        if (wants_text && options_.calibration.empty())
            return make_error(errc::invalid_argument, where, "a calibration text for this method", "none");
        if (!has_grid(options_.type) && options_.method > quantize_method::search)
            return make_error(errc::invalid_argument, where,
                              "nearest or search for " + std::string(name(options_.type)),
                              "a method for block formats");
        const char* const of_int8_only = options_.smooth > 0.0f        ? "quantize.smooth"
                                         : options_.fixed_activations ? "quantize.fixed_activations"
                                         : options_.asymmetric        ? "quantize.asymmetric"
                                                                      : nullptr;
        if (options_.type != dtype::i8 && of_int8_only != nullptr)
            return make_error(errc::invalid_argument, of_int8_only, "the type int8, where it belongs",
                              std::string(name(options_.type)));
        std::optional<error> first;
        for (const file_tensor& tensor : file_.tensors()) {
            if (!is_matrix(tensor) || kept(tensor.name) || is_float(tensor.type)) continue;
            if (options_.requantize && !is_integer(tensor.type)) continue;
            error complaint =
                make_error(errc::unsupported, file_.name(), "f32, f16 or bf16: the model is already quantized",
                           std::string(name(tensor.type)), tensor.name, tensor.file_offset);
            if (first)
                first->also.push_back(std::move(complaint));
            else
                first = std::move(complaint);
        }
        if (first) {
            if (first->also.size() > 3) first->also.resize(3);
            return *first;
        }
        return {};
    }

    // Scales are halves.
    result<float_matrix> floats(const file_tensor& tensor) {
        HENCE_TRY_ASSIGN(values, finite_floats(file_, tensor, 65504.0f));
        return float_matrix{tensor.name, static_cast<std::size_t>(tensor.elements() / tensor.shape.back()),
                            static_cast<std::size_t>(tensor.shape.back()), std::move(values)};
    }

    void tell(const std::string& tensor) {
        ++done_;
        if (options_.progress != nullptr) options_.progress(options_.context, tensor, done_, file_.tensors().size());
    }

    void keep_as_is(std::size_t index, std::string note) {
        const file_tensor& t = file_.tensors()[index];
        slots_[index] = {{t.name, t.type, t.shape, {t.data.begin(), t.data.end()}}};
        made_.reports[index] = {t.name,        t.type,        t.type, static_cast<std::size_t>(t.elements()),
                                t.data.size(), t.data.size(), {},     std::move(note)};
        tell(t.name);
    }

    // A tensor that calibration has nothing to say about.
    result<void> alone(std::size_t index) {
        const file_tensor& t = file_.tensors()[index];
        if (!is_matrix(t) || kept(t.name)) {
            keep_as_is(index, is_matrix(t) ? "kept" : "");
            return {};
        }
        HENCE_TRY_ASSIGN(matrix, floats(t));
        return encode(index, matrix, nullptr, options_.method >= quantize_method::search);
    }

    // Puts a matrix into its format. With statistics it may be compensated (when they have a gram matrix) or weighted.
    result<void> encode(std::size_t index, const float_matrix& matrix, const input_statistics* inputs, bool search) {
        const file_tensor& t = file_.tensors()[index];
        const dtype wanted = is_end(t.name) ? options_.embedding : options_.type;
        const std::optional<dtype> type = fitting(wanted, matrix.columns);
        if (!type) {
            keep_as_is(index, "rows of " + std::to_string(matrix.columns) + " are no whole blocks of " +
                                  std::string(name(wanted)));
            return {};
        }
        tensor_report report{t.name, t.type, *type, static_cast<std::size_t>(t.elements()), t.data.size(), 0, {}, {}};
        if (*type != wanted)
            report.note =
                "rows of " + std::to_string(matrix.columns) + " are no whole blocks of " + std::string(name(wanted));
        std::vector<float> importance;
        if (inputs != nullptr && search) importance = importance_of(*inputs);
        const rounding_options how{search ? rounding::search : rounding::reference, importance};
        std::vector<compressed_tensor>& slot = slots_[index];
        if (*type == dtype::i8) {
            encode_int8(matrix, how, t, report, slot);
            if (inputs != nullptr && options_.fixed_activations) add_input_scale(*inputs, t, slot);
        } else {
            const bool compensate =
                inputs != nullptr && !inputs->gram.empty() && options_.method >= quantize_method::gptq;
            std::vector<std::byte> data;
            if (compensate) {
                std::optional<gptq_course>& course = courses_[inputs];
                if (!course) {
                    HENCE_TRY_ASSIGN(found, made_of(t.name, gptq_course::make(*inputs, options_.compensation)));
                    course = std::move(found);
                }
                HENCE_TRY_ASSIGN(rounded, made_of(t.name, gptq_along(*course, *type, matrix.values, matrix.rows, team_)));
                data = std::move(rounded);
            } else {
                data = encode_rows(*type, matrix, how);
            }
            report.error = error_of(*type, matrix, data);
            slot = {{t.name, *type, t.shape, std::move(data)}};
        }
        for (const compressed_tensor& part : slot) report.bytes_after += part.data.size();
        made_.reports[index] = std::move(report);
        tell(t.name);
        return {};
    }

    [[nodiscard]] static std::vector<float> importance_of(const input_statistics& inputs) {
        double mean = 0;
        for (const double sum : inputs.sum_squares) mean += sum / static_cast<double>(inputs.width);
        std::vector<float> importance(inputs.width, 1.0f);
        for (std::size_t k = 0; k < inputs.width && mean > 0; ++k)
            importance[k] = static_cast<float>(std::max(inputs.sum_squares[k] / mean, 1e-6));
        return importance;
    }

    // Values are finite and in range, sizes whole blocks: no row can fail.
    std::vector<std::byte> encode_rows(dtype type, const float_matrix& matrix, const rounding_options& how) {
        const std::size_t stride = row_bytes(type, matrix.columns);
        std::vector<std::byte> data(matrix.rows * stride);
        team_.each([&](const worker& self) {
            const index_range mine = self.share(matrix.rows);
            for (std::size_t r = mine.begin; r < mine.end; ++r)
                (void)encode_row(type, matrix.row(r), std::span(data).subspan(r * stride, stride), how).has_value();
        });
        return data;
    }

    error_report error_of(dtype type, const float_matrix& matrix, const std::vector<std::byte>& data) {
        error_report report;
        const std::size_t stride = row_bytes(type, matrix.columns);
        std::vector<float> decoded(matrix.columns);
        for (std::size_t r = 0; r < matrix.rows; ++r) {
            (void)decode_row(type, std::span(data).subspan(r * stride, stride), decoded).has_value();
            report.add(matrix.row(r), decoded);
        }
        return report;
    }

    void encode_int8(const float_matrix& matrix, const rounding_options& how, const file_tensor& t,
                     tensor_report& report, std::vector<compressed_tensor>& slot) {
        const int8_range range = options_.asymmetric ? int8_range::asymmetric : int8_range::symmetric;
        std::vector<std::int8_t> quants(matrix.values.size());
        std::vector<int8_scale> scales(matrix.rows);
        team_.each([&](const worker& self) {
            const index_range mine = self.share(matrix.rows);
            for (std::size_t r = mine.begin; r < mine.end; ++r) {
                const auto found =
                    encode_int8_row(matrix.row(r), std::span(quants).subspan(r * matrix.columns, matrix.columns),
                                    range, how);
                if (found) scales[r] = *found;
            }
        });
        std::vector<float> decoded(matrix.columns);
        for (std::size_t r = 0; r < matrix.rows; ++r) {
            decode_int8_row(std::span(quants).subspan(r * matrix.columns, matrix.columns), scales[r], decoded);
            report.error.add(matrix.row(r), decoded);
        }
        const auto bytes = std::as_bytes(std::span(quants));
        slot = {{t.name, dtype::i8, t.shape, {bytes.begin(), bytes.end()}}};
        std::vector<float> beside;
        for (const int8_scale& one : scales) beside.push_back(one.scale);
        const auto rows = static_cast<std::int64_t>(matrix.rows);
        if (!options_.asymmetric) return add_floats(slot, t, "scale", {rows}, beside);
        for (const int8_scale& one : scales) beside.push_back(static_cast<float>(one.zero));
        add_floats(slot, t, "scale", {2, rows}, beside);
    }

    static void add_floats(std::vector<compressed_tensor>& slot, const file_tensor& t, const char* suffix,
                           std::vector<std::int64_t> shape, const std::vector<float>& values) {
        const auto bytes = bytes_of(values);
        slot.push_back({models::detail::beside(t.name, suffix),
                        dtype::f32,
                        std::move(shape),
                        {bytes.begin(), bytes.end()}});
    }

    static void add_input_scale(const input_statistics& inputs, const file_tensor& t,
                                std::vector<compressed_tensor>& slot) {
        const float largest = *std::max_element(inputs.absolute_maximum.begin(), inputs.absolute_maximum.end());
        if (largest > 0.0f) add_floats(slot, t, "input_scale", {1}, {largest / 127.0f});
    }

    // --- with a calibration text -------------------------------------------------------------------------------------

    struct layer_matrix {
        std::size_t index = 0;
        layer_input input = layer_input::attention;
        float_matrix matrix;
    };

    result<void> run_layers() {
        const bool gram = options_.method >= quantize_method::awq;
        return each_layer(file_, options_.calibration, options_.reading, options_.threads, gram,
                          [this](layer_statistics& statistics, const decoder_config& config) {
                              return one_layer(statistics, config);
                          });
    }

    result<std::vector<file_tensor>> one_layer(layer_statistics& statistics, const decoder_config& config) {
        HENCE_TRY_ASSIGN(matrices, matrices_of(statistics.layer));
        std::vector<std::pair<std::size_t, std::vector<float>>> vectors;  // norms that took in scales
        if (options_.smooth > 0.0f || options_.method == quantize_method::awq ||
            options_.method == quantize_method::awq_gptq)
            HENCE_TRY(rescale(config, statistics, matrices, vectors));
        for (const layer_matrix& m : matrices)
            HENCE_TRY(encode(m.index, m.matrix, &statistics.of(m.input), options_.method >= quantize_method::search));
        courses_.clear();
        std::vector<file_tensor> replaced;
        for (auto& [index, values] : vectors) store_vector(index, values);
        const auto add = [&](std::size_t index) {
            for (const compressed_tensor& part : slots_[index])
                replaced.push_back({part.name, part.type, part.shape, 0, 0, part.data});
        };
        for (const auto& vector : vectors) add(vector.first);
        for (const layer_matrix& m : matrices) add(m.index);
        return replaced;
    }

    result<std::vector<layer_matrix>> matrices_of(std::int32_t layer) {
        std::vector<layer_matrix> found;
        const std::span<const file_tensor> tensors = file_.tensors();
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            const auto place = place_of(tensors[i].name);
            if (!place || place->layer != layer || !is_matrix(tensors[i]) || kept(tensors[i].name)) continue;
            HENCE_TRY_ASSIGN(matrix, floats(tensors[i]));
            found.push_back({i, place->input, std::move(matrix)});
        }
        return found;
    }

    [[nodiscard]] std::optional<std::size_t> find(const std::string& tensor_name) const {
        const std::span<const file_tensor> tensors = file_.tensors();
        for (std::size_t i = 0; i < tensors.size(); ++i)
            if (tensors[i].name == tensor_name) return i;
        return std::nullopt;
    }

    void store_vector(std::size_t index, const std::vector<float>& values) {
        const file_tensor& t = file_.tensors()[index];
        const auto bytes = bytes_of(values);
        slots_[index] = {{t.name, dtype::f32, t.shape, {bytes.begin(), bytes.end()}}};
        made_.reports[index] = {t.name,        t.type,       dtype::f32, values.size(),
                                t.data.size(), bytes.size(), {},         "took in the scales of channels"};
        tell(t.name);
    }

    // Folds scales between each norm (or ffn_up) and the matrices behind it. Where one of them is kept, its input may not
    // change, and the group is left alone.
    result<void> rescale(const decoder_config& c, layer_statistics& statistics, std::vector<layer_matrix>& matrices,
                         std::vector<std::pair<std::size_t, std::vector<float>>>& vectors) {
        const std::string prefix = "blk." + std::to_string(statistics.layer) + ".";
        const auto readers = [&](layer_input input) {
            std::vector<float_matrix*> group;
            for (layer_matrix& m : matrices)
                if (m.input == input) group.push_back(&m.matrix);
            return group;
        };
        const auto all_here = [&](std::initializer_list<const char*> names) {
            for (const char* one : names) {
                const std::string full = prefix + one + ".weight";
                if (find(full) && std::none_of(matrices.begin(), matrices.end(),
                                               [&](const layer_matrix& m) { return m.matrix.name == full; }))
                    return false;
            }
            return true;
        };
        const auto through_norm = [&](layer_input input, const std::string& norm_name) -> result<void> {
            const auto norm = find(norm_name + ".weight");
            const std::vector<float_matrix*> group = readers(input);
            if (!norm || kept(norm_name + ".weight") || group.empty()) return {};
            input_statistics& inputs = statistics.inputs[static_cast<std::size_t>(input)];
            const std::vector<float> scales = choose(inputs, group);
            if (scales.empty()) return {};
            for (const char* suffix : {".weight", ".bias"}) {
                const auto vector = find(norm_name + suffix);
                if (!vector) continue;
                HENCE_TRY_ASSIGN(values, floats(file_.tensors()[*vector]));
                for (std::size_t k = 0; k < scales.size(); ++k) values.values[k] /= scales[k];
                vectors.emplace_back(*vector, std::move(values.values));
            }
            for (float_matrix* matrix : group) scale_columns(*matrix, scales);
            divide_inputs(inputs, scales);
            return {};
        };
        // ffn_down first: it changes ffn_up's rows, which only the rounding of ffn_up sees.
        if (c.gated && !c.fused_gate && all_here({"ffn_up", "ffn_down"}) && !find(prefix + "ffn_up.bias")) {
            const std::vector<float_matrix*> group = readers(layer_input::feed_forward_down);
            const auto up = std::find_if(matrices.begin(), matrices.end(), [&](const layer_matrix& m) {
                return m.matrix.name == prefix + "ffn_up.weight";
            });
            if (group.size() == 1 && up != matrices.end()) {
                input_statistics& inputs = statistics.inputs[static_cast<std::size_t>(layer_input::feed_forward_down)];
                const std::vector<float> scales = choose(inputs, group);
                if (!scales.empty()) {
                    divide_rows(up->matrix, scales);
                    scale_columns(*group[0], scales);
                    divide_inputs(inputs, scales);
                }
            }
        }
        if (all_here({"attn_q", "attn_k", "attn_v", "attn_qkv"}))
            HENCE_TRY(through_norm(layer_input::attention, prefix + "attn_norm"));
        if (all_here({"ffn_gate", "ffn_up"})) HENCE_TRY(through_norm(layer_input::feed_forward, prefix + "ffn_norm"));
        return {};
    }

    // The scales of one group of matrices; empty: none help.
    std::vector<float> choose(const input_statistics& inputs, const std::vector<float_matrix*>& group) {
        if (options_.type == dtype::i8) {
            const std::vector<const float_matrix*> readers(group.begin(), group.end());
            return smoothing_scales(inputs, readers, options_.smooth);
        }
        std::vector<float> best;
        const auto k = static_cast<Eigen::Index>(inputs.width);
        const float_rows gram =
            Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                inputs.gram.data(), k, k)
                .cast<float>();
        double least = loss(gram, group, {});
        for (int step = 1; step <= 10; ++step) {
            std::vector<float> scales = activation_scales(inputs, 0.1f * static_cast<float>(step));
            const double now = loss(gram, group, scales);
            if (!(now < least)) continue;
            least = now;
            best = std::move(scales);
        }
        return best;
    }

    // The squared error of the products, trace(D G D^T), when weights are rounded under these scales.
    double loss(const float_rows& gram, const std::vector<float_matrix*>& group, const std::vector<float>& scales) {
        double sum = 0;
        for (const float_matrix* matrix : group) {
            const std::optional<dtype> type = fitting(options_.type, matrix->columns);
            if (!type) continue;
            float_matrix scaled = *matrix;
            if (!scales.empty()) scale_columns(scaled, scales);
            const std::vector<std::byte> data = encode_rows(*type, scaled, {});
            const std::size_t stride = row_bytes(*type, matrix->columns);
            float_rows off(static_cast<Eigen::Index>(matrix->rows), gram.rows());
            for (std::size_t r = 0; r < matrix->rows; ++r) {
                float* row = off.data() + r * matrix->columns;
                (void)decode_row(*type, std::span(data).subspan(r * stride, stride), {row, matrix->columns})
                    .has_value();
                for (std::size_t i = 0; i < matrix->columns; ++i)
                    row[i] = (scales.empty() ? row[i] : row[i] / scales[i]) - matrix->values[r * matrix->columns + i];
            }
            sum += static_cast<double>((off * gram).cwiseProduct(off).sum());
        }
        return sum;
    }

    const gguf_file& file_;
    const quantize_options& options_;
    spin_team team_;
    quantized_model made_;
    std::vector<std::vector<compressed_tensor>> slots_;  // by the source's order; an int8 matrix takes two or three
    std::map<const input_statistics*, std::optional<gptq_course>> courses_;  // of the layer at hand
    std::size_t done_ = 0;
};

inline result<gguf_writer> writer_of(const quantized_model& model, const gguf_file& source) {
    gguf_writer writer = writer_like(source);
    writer.add("general.quantization_version", std::uint32_t{2});
    if (model.extended)
        writer.add("hence.int8_pairs", std::uint32_t{1});
    else
        writer.add("general.file_type", model.file_type);
    for (const compressed_tensor& tensor : model.tensors)
        HENCE_TRY(writer.add_tensor(tensor.name, tensor.type, tensor.shape, tensor.data));
    return writer;
}

}  // namespace detail

inline result<quantized_model> quantize(const gguf_file& file, const quantize_options& options) {
    return detail::quantizer(file, options).run();
}

inline result<void> write(const quantized_model& model, const gguf_file& source, const std::string& path) {
    HENCE_TRY_ASSIGN(writer, detail::writer_of(model, source));
    return writer.write(path);
}

inline result<std::vector<std::byte>> to_bytes(const quantized_model& model, const gguf_file& source) {
    HENCE_TRY_ASSIGN(writer, detail::writer_of(model, source));
    return writer.to_bytes();
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
