// Loading a decoder: finds every tensor by name, checks its shape against the configuration, packs it.
#ifndef HENCE_MODELS_DETAIL_DECODER_LOAD_INL_HPP
#define HENCE_MODELS_DETAIL_DECODER_LOAD_INL_HPP

#include "../../core/text.hpp"
#include "../../kernels/pack.hpp"
#include "../../kernels/sparse.hpp"
#include "../../quant/decode.hpp"
#include "../../quant/zero_points.hpp"
#include "../../sys/folder.hpp"
#include "../../sys/large_pages.hpp"
#include "../architectures.hpp"
#include "../vocabulary_from_gguf.hpp"
#include "decoder_weights.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <numbers>
#include <optional>
#include <string>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace models::detail {

inline std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
    return concat({text, "]"});
}

// A GGUF file's own names need no translation.
class gguf_source final : public tensor_source {
public:
    explicit gguf_source(const gguf_file& file) : file_(file) {}
    [[nodiscard]] const std::string& name() const noexcept override { return file_.name(); }
    [[nodiscard]] const file_tensor* find_tensor(std::string_view name) const noexcept override { return file_.find_tensor(name); }
    [[nodiscard]] bool pruned() const noexcept override { return file_.find("hence.prune.pattern") != nullptr; }
    void release_pages(const file_tensor& tensor) const noexcept override { file_.release_pages(tensor); }
    [[nodiscard]] std::shared_ptr<const void> owner() const override { return std::make_shared<gguf_file>(file_); }

private:
    const gguf_file& file_;
};

// Tensors that replace some of a model's.
class replacement_source final : public tensor_source {
public:
    replacement_source(std::span<const file_tensor> tensors, bool pruned) : tensors_(tensors), pruned_(pruned) {}
    [[nodiscard]] const std::string& name() const noexcept override { return name_; }
    [[nodiscard]] const file_tensor* find_tensor(std::string_view name) const noexcept override {
        for (const file_tensor& tensor : tensors_)
            if (tensor.name == name) return &tensor;
        return nullptr;
    }
    [[nodiscard]] bool pruned() const noexcept override { return pruned_; }
    void release_pages(const file_tensor&) const noexcept override {}
    [[nodiscard]] std::shared_ptr<const void> owner() const override { return nullptr; }

private:
    std::span<const file_tensor> tensors_;
    bool pruned_;
    std::string name_ = "decoder::with_tensors";
};

// A tokenizer that is made where there is time for it. Its error is told before any other of the file.
class tokenizer_job {
public:
    explicit tokenizer_job(vocabulary words) : words_(std::move(words)) {}

    // Once. Does not throw: take() does, for it.
    void run() noexcept {
#if HENCE_EXCEPTIONS
        try {
            made_.emplace(tokenizer::make(std::move(words_)));
        } catch (...) {
            thrown_ = std::current_exception();
        }
#else
        made_.emplace(tokenizer::make(std::move(words_)));
#endif
    }
    [[nodiscard]] result<tokenizer> take() {
#if HENCE_EXCEPTIONS
        if (thrown_) std::rethrow_exception(thrown_);
#endif
        return std::move(*made_);
    }
    [[nodiscard]] error error_or(error other) {
        run();
        result<tokenizer> made = take();
        return made ? std::move(other) : std::move(made).error();
    }

private:
    vocabulary words_;
    std::optional<result<tokenizer>> made_;
#if HENCE_EXCEPTIONS
    std::exception_ptr thrown_;
#endif
};

// Takes tensors out of a file, gathering every complaint. With `partial` a tensor may be absent: what it would fill in
// keeps its old value.
class weight_loader {
public:
    weight_loader(const tensor_source& file, const load_options& options, bool partial = false)
        : file_(file), math_(options.math),
          memory_(options.memory != nullptr ? options.memory : std::pmr::get_default_resource()),
          team_(options.threads > 0 ? options.threads : available_processors()),
          pruned_(file.pruned()), partial_(partial) {}

    const file_tensor* lookup(const std::string& name) {
        const file_tensor* tensor = file_.find_tensor(name);
        if (tensor != nullptr && partial_) asked_.push_back(tensor);
        return tensor;
    }

    // Complains of tensors that no part of the model asked for.
    void expect_all_asked(std::span<const file_tensor> tensors) {
        for (const file_tensor& tensor : tensors)
            if (std::find(asked_.begin(), asked_.end(), &tensor) == asked_.end())
                complain(make_error(errc::invalid_argument, file_.name(), "a tensor of this model", "none, or it again", tensor.name));
    }

    // The tensor of this name and shape, or nullptr: missing is an error unless `optional`.
    const file_tensor* find(const std::string& name, std::initializer_list<std::int64_t> shape, bool optional = false) {
        const file_tensor* tensor = lookup(name);
        if (tensor == nullptr) {
            if (!optional && !partial_)
                complain(make_error(errc::missing, file_.name(), concat({"a tensor of shape ", shape_text({shape.begin(), shape.size()})}),
                                    "no such tensor", file_.spelling(name)));
            return nullptr;
        }
        if (!std::equal(shape.begin(), shape.end(), tensor->shape.begin(), tensor->shape.end())) {
            complain(make_error(errc::mismatch, file_.name(), concat({"shape ", shape_text({shape.begin(), shape.size()})}),
                                concat({"shape ", shape_text(tensor->shape)}), file_.spelling(name), tensor->file_offset));
            return nullptr;
        }
        switch (tensor->type) {  // integers have no scale: they are not weights, whatever their shape
            case dtype::i8:      // but for a matrix that has one beside it
                if (shape.size() == 2 && name.ends_with(".weight") && lookup(beside(name, "scale")) != nullptr) return tensor;
                [[fallthrough]];
            case dtype::i16: case dtype::i32: case dtype::i64: case dtype::u8:
                complain(make_error(errc::mismatch, file_.name(), "a floating-point or block format",
                                    std::string(hence::name(tensor->type)), file_.spelling(name), tensor->file_offset));
                return nullptr;
            default: return tensor;
        }
    }

    std::vector<float> vector(const std::string& name, std::int64_t size, bool optional = false) {
        return numbers(find(name, {size}, optional), name);
    }

    // The values of a tensor that was found; none after a complaint.
    std::vector<float> numbers(const file_tensor* tensor, const std::string& name) {
        if (tensor == nullptr) return {};
        std::vector<float> values(static_cast<std::size_t>(tensor->elements()));
        parameters_ += values.size();
        if (auto decoded = decode_row(tensor->type, tensor->data, values); !decoded) {
            error e = std::move(decoded).error();
            e.where = concat({file_.name(), ": ", e.where});
            e.tensor_name = file_.spelling(name);
            complain(std::move(e));
            return {};
        }
        for (const float value : values) {
            if (!std::isfinite(value)) {
                complain(make_error(errc::not_a_number, file_.name(), "finite values", decimal(value), file_.spelling(name), tensor->file_offset));
                return {};
            }
        }
        return values;
    }

    void vector(std::vector<float>& into, const std::string& name, std::int64_t size, bool optional = false) {
        std::vector<float> values = vector(name, size, optional);
        if (!values.empty()) into = std::move(values);
    }

    void norm(norm_weight& into, const std::string& name, std::int64_t size, bool optional = false) {
        vector(into.scale, concat({name, ".weight"}), size, optional);
        vector(into.bias, concat({name, ".bias"}), size, true);
    }

    void matrix(weight& into, const std::string& name, std::int64_t rows, std::int64_t columns) {
        const std::string full = concat({name, ".weight"});
        if (const file_tensor* tensor = find(full, {rows, columns})) {
            plan(into, full, *tensor, 0, static_cast<std::size_t>(rows));
            parameters_ += static_cast<std::size_t>(tensor->elements());
        }
        vector(into.bias, concat({name, ".bias"}), rows, true);
    }

    // Several matrices stored as one, rows one after the other.
    template <std::size_t Parts>
    void fused(const std::string& name, const std::int64_t (&rows)[Parts], std::int64_t columns, weight* const (&parts)[Parts]) {
        std::int64_t total = 0;
        for (const std::int64_t count : rows) total += count;
        const std::string full = concat({name, ".weight"});
        const file_tensor* tensor = find(full, {total, columns});
        const std::vector<float> bias = vector(concat({name, ".bias"}), total, true);
        std::size_t first = 0;
        for (std::size_t i = 0; i < Parts; ++i) {
            const auto count = static_cast<std::size_t>(rows[i]);
            if (tensor != nullptr) plan(*parts[i], full, *tensor, first, count);
            if (!bias.empty())
                parts[i]->bias.assign(bias.begin() + static_cast<std::ptrdiff_t>(first),
                                      bias.begin() + static_cast<std::ptrdiff_t>(first + count));
            first += count;
        }
        if (tensor != nullptr) parameters_ += static_cast<std::size_t>(tensor->elements());
    }

    // Notes that rows of a tensor are to be packed into a matrix, which must stay where it is until pack_all(). What it
    // held before is given up; its bias stays.
    void plan(weight& into, const std::string& name, const file_tensor& tensor, std::size_t first_row, std::size_t rows) {
        const auto columns = static_cast<std::size_t>(tensor.shape.back());
        const std::size_t stride = row_bytes(tensor.type, columns);
        std::optional<packing> format = kernels::exact_packing(tensor.type);
        if (math_ == math::bf16 && format == packing::bf16) format = packing::bf16d;
        int8_rows int8;
        if (tensor.type == dtype::i8) {
            if (!scales_of(name, tensor, first_row, rows, int8)) return;
            format = packing::i8;
        }
        const bool expand = !format || (math_ == math::dequantized && *format != packing::f32);
        const std::byte* source = tensor.data.data() + first_row * stride;
        into.matrix = {expand ? packing::f32 : *format, rows, columns, nullptr};
        std::size_t bytes = into.matrix.bytes();
        bool sparse = false;
        if (pruned_ && !expand && int8.zeros.empty()) {
            if (const auto choice = kernels::sparse_packing(tensor.type, source, rows, columns)) {
                into.matrix.format = choice->format;
                bytes = choice->bytes;
                sparse = choice->format != packing::i8_24;
            }
            file_.release_pages(tensor);  // it was read to see its zeros
        }
        bytes = (bytes + HENCE_ALIGNMENT - 1) / HENCE_ALIGNMENT * HENCE_ALIGNMENT;
        freed_bytes_ += std::exchange(into.bytes, bytes);
        into.input_scale = int8.input_scale;
        into.zero_terms.clear();
        if (!expand && !int8.zeros.empty()) {
            into.zero_terms = int8.zeros;
            to_zero_terms(int8.scales, into.zero_terms);
        }
        jobs_.push_back({&into, &tensor, source, stride, expand, sparse, weight_bytes_, std::move(int8)});
        weight_bytes_ += bytes;
        if (expand) widest_ = std::max(widest_, columns);
        if (!format && std::find(expanded_.begin(), expanded_.end(), tensor.type) == expanded_.end()) expanded_.push_back(tensor.type);
    }

    // Packs everything that was planned into one block of memory, by all workers at once; one of them does `before` first, which
    // must not throw. Matrices are handed out in pieces of a few megabytes, and then their pages of the file are let go, so that
    // hardly more than the packed weights is ever in memory. (Another worker may still read the tensor: it finds its pages again.)
    template <class F>
    void pack_all(F&& before) {
        if (jobs_.empty()) return before();
        const auto shared = std::make_shared<byte_buffer>(weight_bytes_, memory_);
        byte_buffer& storage = *shared;
        prefer_large_pages(storage.data(), storage.size());
        std::vector<piece> pieces;
        for (const job& j : jobs_) {
            packed_matrix& matrix = j.into->matrix;
            matrix.data = storage.data() + j.offset;
            j.into->storage = shared;
            if (j.sparse) {
                kernels::pack_sparse(matrix.format, j.tensor->type, j.source, matrix.rows, matrix.columns, storage.data() + j.offset);
                file_.release_pages(*j.tensor);
                continue;
            }
            const std::size_t together = std::max(std::size_t{1}, piece_bytes / (panel_rows * j.stride));
            for (std::size_t panel = 0; panel < matrix.panels(); panel += together)
                pieces.push_back({&j, {panel, std::min(matrix.panels(), panel + together)}});
        }
        const std::size_t panel_values = panel_rows * widest_;
        std::vector<float> values(panel_values * static_cast<std::size_t>(team_.size()));
        std::atomic<std::size_t> next{0};
        team_.each([&](const worker& self) {
            if (self.index == 0) before();
            float* const own = values.data() + panel_values * static_cast<std::size_t>(self.index);
            for (std::size_t i = next++; i < pieces.size(); i = next++) {
                const piece& p = pieces[i];
                pack_share(*p.of, p.panels, storage.data() + p.of->offset, own);
                file_.release_pages(*p.of->tensor);
            }
        });
    }

    // What stands beside rows of an int8 matrix.
    struct int8_rows {
        std::vector<float> scales;  // of other matrices empty
        std::vector<float> zeros;   // of symmetric rows empty
        float input_scale = 0.0f;
    };

    // False after a complaint.
    bool scales_of(const std::string& name, const file_tensor& tensor, std::size_t first_row, std::size_t rows, int8_rows& into) {
        const std::string scale_name = beside(name, "scale");
        const std::int64_t count = tensor.shape.front();
        const file_tensor* stored = lookup(scale_name);
        const bool zeros = stored != nullptr && stored->shape.size() == 2;  // scales, then zero points
        const std::vector<float> found = numbers(zeros ? find(scale_name, {2, count}) : find(scale_name, {count}), scale_name);
        if (found.empty()) return false;
        const auto from = found.begin() + static_cast<std::ptrdiff_t>(first_row);
        into.scales.assign(from, from + static_cast<std::ptrdiff_t>(rows));
        if (zeros) into.zeros.assign(from + count, from + count + static_cast<std::ptrdiff_t>(rows));
        for (const float zero : into.zeros) {
            if (zero >= -128.0f && zero <= 127.0f && zero == std::nearbyint(zero)) continue;
            complain(make_error(errc::out_of_range, file_.name(), "whole zero points from -128 to 127", decimal(zero),
                                file_.spelling(scale_name), stored->file_offset));
            return false;
        }
        const std::vector<float> input = vector(beside(name, "input_scale"), 1, true);
        if (input.empty()) return true;
        if (!(input[0] > 0.0f)) {
            complain(make_error(errc::out_of_range, file_.name(), "a positive scale of activations", decimal(input[0]),
                                file_.spelling(beside(name, "input_scale"))));
            return false;
        }
        into.input_scale = input[0];
        return true;
    }

    void rows_of(row_table& into, const file_tensor* tensor) {
        if (tensor == nullptr) return;
        if (tensor->type == dtype::i8)
            complain(make_error(errc::mismatch, file_.name(), "a floating-point or block format", "i8", tensor->name, tensor->file_offset));
        parameters_ += static_cast<std::size_t>(tensor->elements());
        const auto columns = static_cast<std::size_t>(tensor->shape.back());
        into = {tensor->type, tensor->data.data(), row_bytes(tensor->type, columns), columns};
    }

    void complain(error e) {
        if (first_) first_->also.push_back(std::move(e));
        else first_ = std::move(e);
    }
    [[nodiscard]] const std::optional<error>& complaints() const { return first_; }
    [[nodiscard]] std::size_t weight_bytes() const { return weight_bytes_; }
    [[nodiscard]] std::size_t freed_bytes() const { return freed_bytes_; }
    [[nodiscard]] const std::vector<dtype>& expanded() const { return expanded_; }
    [[nodiscard]] std::size_t parameters() const { return parameters_; }

private:
    static constexpr std::size_t piece_bytes = std::size_t{4} << 20;
    struct job {
        weight* into;
        const file_tensor* tensor;
        const std::byte* source;
        std::size_t stride;  // bytes from row to row of the source
        bool expand;         // to f32 first
        bool sparse;         // without its zeros, by pack_sparse(): whole, not by shares
        std::size_t offset;  // in the block of all weights
        int8_rows int8;
    };

    struct piece {
        const job* of;
        index_range panels;
    };

    static void pack_share(const job& j, const index_range& share, std::byte* storage, float* values) noexcept {
        const packed_matrix& matrix = j.into->matrix;
        const std::size_t panel_bytes = matrix.layout().bytes();
        std::byte* out = storage + share.begin * panel_bytes;
        if (!j.expand && !j.int8.scales.empty()) {
            const auto* quants = reinterpret_cast<const std::int8_t*>(j.source);
            const float* scales = j.int8.scales.data();
            if (matrix.format == packing::i8_24)
                kernels::pack_panels_i8_24(quants, scales, matrix.rows, matrix.columns, share.begin, share.end, out);
            else
                kernels::pack_panels_i8(quants, scales, matrix.rows, matrix.columns, share.begin, share.end, out);
            return;
        }
        if (!j.expand) {
            kernels::pack_panels(j.tensor->type, j.source, matrix.rows, matrix.columns, share.begin, share.end, out);
            return;
        }
        for (std::size_t panel = share.begin; panel < share.end; ++panel, out += panel_bytes) {
            const std::size_t begin = panel * panel_rows;
            const std::size_t count = std::min(panel_rows, matrix.rows - begin);
            for (std::size_t r = 0; r < count; ++r) {
                const std::span<float> row(values + r * matrix.columns, matrix.columns);
                (void)decode_row(j.tensor->type, {j.source + (begin + r) * j.stride, j.stride}, row).has_value();
                if (j.int8.scales.empty()) continue;
                const float zero = j.int8.zeros.empty() ? 0.0f : j.int8.zeros[begin + r];
                for (float& value : row) value = (value - zero) * j.int8.scales[begin + r];
            }
            kernels::pack_panels(dtype::f32, reinterpret_cast<const std::byte*>(values), count, matrix.columns, 0, 1, out);
        }
    }

    const tensor_source& file_;
    hence::math math_;
    std::pmr::memory_resource* memory_;
    spin_team team_;
    bool pruned_;  // the file says that some of its weights were left out: zeros are worth looking for
    bool partial_;
    std::vector<const file_tensor*> asked_;  // where that is told
    std::optional<error> first_;
    std::vector<job> jobs_;
    std::vector<dtype> expanded_;  // stored formats without a kernel
    std::size_t widest_ = 0;       // columns of what is expanded
    std::size_t weight_bytes_ = 0;
    std::size_t freed_bytes_ = 0;  // of matrices that were replaced
    std::size_t parameters_ = 0;
};

inline void tell(const log_sink& log, const std::string& file, const decoder_config& config, const weight_loader& load, isa tier) {
    for (const dtype type : load.expanded())
        log(log_level::warning, concat({file, ": no kernel multiplies ", name(type), ": those weights are kept as f32"}));
    log(log_level::info, concat({file, ": ", config.architecture, ", ", config.layers, " layers, ",
                                 load.parameters(), " parameters, ", load.weight_bytes(),
                                 " bytes of weights packed for ", name(tier)}));
}

// Radians per position for each rotated pair.
// @source RoFormer (2104.09864); YaRN (2309.00071), its ramp between pair indices `low` and `high`
inline std::vector<float> rope_frequencies(const rope_config& rope, std::int32_t size) {
    std::vector<float> frequencies(static_cast<std::size_t>(size / 2));
    const auto correction = [&](double turns) {
        return size * std::log(static_cast<double>(rope.original_context) / (turns * 2.0 * std::numbers::pi)) /
               (2.0 * std::log(static_cast<double>(rope.base)));
    };
    const double low = std::max(0.0, std::floor(correction(rope.yarn_fast)));
    const double high = std::min(size - 1.0, std::ceil(correction(rope.yarn_slow)));
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        double frequency = std::pow(static_cast<double>(rope.base), -2.0 * static_cast<double>(i) / size);
        if (i < rope.factors.size()) frequency /= static_cast<double>(rope.factors[i]);
        const double interpolated = frequency / static_cast<double>(rope.linear_factor);
        const double ramp = (static_cast<double>(i) - low) / std::max(0.001, high - low);
        const double keep = static_cast<double>(rope.yarn_extrapolation) * (1.0 - std::clamp(ramp, 0.0, 1.0));
        frequencies[i] = static_cast<float>(interpolated * (1.0 - keep) + frequency * keep);
    }
    return frequencies;
}

inline void load_layer(weight_loader& load, const decoder_config& c, const std::string& prefix, layer_weights& layer) {
    const std::int64_t width = c.width;
    const std::int64_t query_rows = std::int64_t{c.heads} * c.key_size;
    const std::int64_t key_rows = std::int64_t{c.kv_heads} * c.key_size;
    const std::int64_t value_rows = std::int64_t{c.kv_heads} * c.value_size;
    load.norm(layer.attention_norm, concat({prefix, "attn_norm"}), width);
    if (c.fused_qkv) {
        load.fused(concat({prefix, "attn_qkv"}), {query_rows, key_rows, value_rows}, width,
                   {&layer.query, &layer.key, &layer.value});
    } else {
        load.matrix(layer.query, concat({prefix, "attn_q"}), query_rows, width);
        load.matrix(layer.key, concat({prefix, "attn_k"}), key_rows, width);
        load.matrix(layer.value, concat({prefix, "attn_v"}), value_rows, width);
    }
    load.norm(layer.query_norm, concat({prefix, "attn_q_norm"}), c.key_size, true);
    load.norm(layer.key_norm, concat({prefix, "attn_k_norm"}), c.key_size, true);
    load.matrix(layer.output, concat({prefix, "attn_output"}), width, std::int64_t{c.heads} * c.value_size);
    load.norm(layer.post_attention_norm, concat({prefix, "post_attention_norm"}), width, true);
    load.norm(layer.feed_forward_norm, concat({prefix, "ffn_norm"}), width);
    if (c.fused_gate) {
        load.fused(concat({prefix, "ffn_up"}), {c.feed_forward, c.feed_forward}, width, {&layer.gate, &layer.up});
    } else {
        if (c.gated) load.matrix(layer.gate, concat({prefix, "ffn_gate"}), c.feed_forward, width);
        load.matrix(layer.up, concat({prefix, "ffn_up"}), c.feed_forward, width);
    }
    load.matrix(layer.down, concat({prefix, "ffn_down"}), width, c.feed_forward);
    load.norm(layer.post_feed_forward_norm, concat({prefix, "post_ffw_norm"}), width, true);
}

// The last norm and the output matrix, which is the embedding where the file has no other.
template <class State>
void load_head(weight_loader& load, const decoder_config& c, State& into) {
    load.norm(into.output_norm, "output_norm", c.width);
    const std::string name = into.tied ? "token_embd.weight" : "output.weight";
    if (const file_tensor* head = load.find(name, {c.vocabulary, c.width}, true))
        load.plan(into.head, name, *head, 0, static_cast<std::size_t>(c.vocabulary));
    load.vector(into.head.bias, "output.bias", c.vocabulary, true);
}

}  // namespace models::detail

HENCE_INLINE result<decoder> decoder::from_gguf(const gguf_file& file, const load_options& options) {
    HENCE_TRY_ASSIGN(config, models::read_config(file));
    HENCE_TRY_ASSIGN(words, vocabulary_from_gguf(file));
    return from_tensors(models::detail::gguf_source(file), std::move(config), std::move(words), options);
}

HENCE_INLINE result<decoder> decoder::from_tensors(const tensor_source& file, decoder_config config,
                                                   hence::vocabulary words, const load_options& options) {
    HENCE_TRY_ASSIGN(table, options.tier ? kernels::table(*options.tier) : kernels::default_table());
    // The tokenizer's tables take as long as a good part of the packing, and are made beside it.
    const std::size_t tokens = words.tokens.size();
    models::detail::tokenizer_job text(std::move(words));

    const std::string embedding_name = file.spelling("token_embd.weight");
    const file_tensor* embedding = file.find_tensor("token_embd.weight");
    if (embedding == nullptr)
        return text.error_or(make_error(errc::missing, file.name(), concat({"a tensor [vocabulary, ", config.width, "]"}),
                                        "no such tensor", embedding_name));
    if (embedding->shape.size() != 2 || embedding->shape[1] != config.width || embedding->shape[0] > (1 << 24))
        return text.error_or(make_error(errc::mismatch, file.name(), concat({"shape [vocabulary, ", config.width, "]"}),
                                        concat({"shape ", models::detail::shape_text(embedding->shape)}), embedding_name,
                                        embedding->file_offset));
    config.vocabulary = static_cast<std::int32_t>(embedding->shape[0]);
    if (tokens > static_cast<std::size_t>(config.vocabulary))
        return text.error_or(make_error(errc::mismatch, concat({file.name(), ": the tokenizer's tokens"}),
                                        concat({"at most as many as ", embedding_name, " has rows (", config.vocabulary, ")"}),
                                        decimal(tokens)));

    auto made = std::make_shared<state>(table, file.owner());
    models::detail::weight_loader load(file, options);
    load.rows_of(made->tokens, load.find("token_embd.weight", {config.vocabulary, config.width}));
    if (!config.rotary) load.rows_of(made->positions, load.find("position_embd.weight", {config.context, config.width}));
    made->layers.resize(static_cast<std::size_t>(config.layers));
    for (std::int32_t i = 0; i < config.layers; ++i) {
        models::detail::load_layer(load, config, concat({"blk.", i, "."}), made->layers[static_cast<std::size_t>(i)]);
        if (load.complaints() && load.complaints()->also.size() > 64) return text.error_or(*load.complaints());
    }
    made->tied = file.find_tensor("output.weight") == nullptr;
    models::detail::load_head(load, config, *made);
    if (config.rotary) {
        const std::int64_t pairs = config.rotary_size / 2;
        if (config.rope.factors.empty()) config.rope.factors = load.vector("rope_freqs.weight", pairs, true);
        if (config.rope.factors.empty()) {
            // Long rope: one set of factors up to the original context, another beyond it.
            const bool beyond = static_cast<float>(config.context) > config.rope.original_context;
            config.rope.factors = load.vector(beyond ? "rope_factors_long.weight" : "rope_factors_short.weight", pairs, true);
        }
        for (const float factor : config.rope.factors)
            if (!(factor > 0.0f))
                load.complain(make_error(errc::out_of_range, file.name(), "positive rope factors", decimal(factor)));
        made->frequencies = models::detail::rope_frequencies(config.rope, config.rotary_size);
        made->local_frequencies = models::detail::rope_frequencies(config.local_rope, config.rotary_size);
    }
    if (load.complaints()) return text.error_or(*load.complaints());
    load.pack_all([&] { text.run(); });
    HENCE_TRY_ASSIGN(tokenizer, text.take());
    made->tokenizer = std::move(tokenizer);
    if (options.log) models::detail::tell(options.log, file.name(), config, load, table->tier);
    made->weight_bytes = load.weight_bytes();
    made->bf16_activations = options.math == math::bf16;
    made->parameters = load.parameters();
    made->config = std::move(config);
    made->options = options;
    made->pruned = file.pruned();
    return decoder(std::move(made));
}

HENCE_INLINE result<decoder> decoder::with_tensors(std::span<const file_tensor> tensors) const {
    if (tensors.empty()) return *this;
    for (const file_tensor& tensor : tensors)
        if (tensor.shape.empty() || tensor.shape.back() % std::int64_t{traits(tensor.type).block_elements} != 0 ||
            row_bytes(tensor.type, static_cast<std::size_t>(tensor.elements())) != tensor.data.size())
            return make_error(errc::mismatch, "decoder::with_tensors", "data of its type and shape",
                              concat({tensor.data.size(), " bytes"}), tensor.name);
    auto made = std::make_shared<state>(*state_);  // shares what is packed
    const decoder_config& c = made->config;
    const models::detail::replacement_source source(tensors, made->pruned);
    models::detail::weight_loader load(source, made->options, true);
    load.rows_of(made->tokens, load.find("token_embd.weight", {c.vocabulary, c.width}));
    if (!c.rotary) load.rows_of(made->positions, load.find("position_embd.weight", {c.context, c.width}));
    for (std::int32_t i = 0; i < c.layers; ++i)
        models::detail::load_layer(load, c, concat({"blk.", i, "."}), made->layers[static_cast<std::size_t>(i)]);
    models::detail::load_head(load, c, *made);
    load.expect_all_asked(tensors);
    if (load.complaints()) return *load.complaints();
    load.pack_all([] {});
    made->weight_bytes += load.weight_bytes();
    made->weight_bytes -= load.freed_bytes();
    return decoder(std::move(made));
}

HENCE_INLINE result<decoder> load(const std::string& path, const load_options& options) {
    if (is_folder(path) || path.ends_with(".safetensors") || path.ends_with(".json")) {
        if (!HENCE_IS_THERE(load_folder))
            return make_error(errc::unsupported, path,
                              "a GGUF file, or a program that includes <hence/models/huggingface.hpp> or links hence::compiled",
                              "a folder, safetensors or JSON file in a program without that");
        return load_folder(path, options);
    }
    HENCE_TRY_ASSIGN(file, gguf_file::open(path));
    return decoder::from_gguf(file, options);
}

HENCE_INLINE result<decoder> load(std::span<const std::byte> bytes, const load_options& options) {
    HENCE_TRY_ASSIGN(file, gguf_file::from_bytes(bytes));
    return decoder::from_gguf(file, options);
}

HENCE_NAMESPACE_END

#endif
