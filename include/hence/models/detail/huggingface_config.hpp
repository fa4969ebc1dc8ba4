// From the fields of a config.json to a decoder_config.
#ifndef HENCE_MODELS_DETAIL_HUGGINGFACE_CONFIG_HPP
#define HENCE_MODELS_DETAIL_HUGGINGFACE_CONFIG_HPP

#include "../../core/quote.hpp"
#include "../../core/result.hpp"
#include "../architectures.hpp"
#include "../decoder_config.hpp"
#include "huggingface_families.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <string>

HENCE_NAMESPACE_BEGIN

namespace models::detail {

/// Reads one configuration and gathers every complaint.
class hf_config_reader {
public:
    hf_config_reader(const hf_config& from, std::string name) : from_(from), name_(std::move(name)) {}

    result<decoder_config> read() {
        const hf_family* const family = find_family(from_.model_type);
        if (family == nullptr)
            return make_error(errc::unsupported, name_ + ": model_type", "one of " + supported_model_types(),
                              quote(from_.model_type));
        const architecture* kind = nullptr;
        for (const architecture& row : supported_architectures())
            if (row.name == family->architecture) kind = &row;
        HENCE_EXPECT(kind != nullptr, "every family names an architecture of the table");
        if (from_.quantization_method)
            complain(errc::unsupported, "quantization_config", "weights that are not quantized, or a GGUF file",
                     quote(*from_.quantization_method));
        sizes();
        if (first_) return *first_;
        config_.architecture = kind->name;
        config_.norm = kind->norm;
        epsilon();
        config_.fused_qkv = kind->fused_qkv;
        config_.fused_gate = kind->fused_gate;
        config_.gated = kind->gated;
        activation_function();
        if (kind->scaled_embedding) config_.embedding_scale = std::sqrt(static_cast<float>(config_.width));
        config_.rotary = kind->rotary;
        config_.rotary_style = rope_style::halves;  // every family stores its heads so
        if (config_.rotary) rope();
        window(*family);
        scores();
        if (first_) return *first_;
        return std::move(config_);
    }

private:
    void complain(errc code, const std::string& field, std::string expected, std::string actual) {
        error e = make_error(code, name_ + ": " + field, std::move(expected), std::move(actual));
        if (first_) first_->also.push_back(std::move(e));
        else first_ = std::move(e);
    }

    std::int32_t size(const char* field, std::int64_t value, std::int64_t most) {
        if (value < 1 || value > most)
            complain(errc::out_of_range, field, "1 to " + std::to_string(most), std::to_string(value));
        return static_cast<std::int32_t>(std::min(value, most));
    }

    void sizes() {
        config_.layers = size("num_hidden_layers", from_.num_hidden_layers, 4096);
        config_.width = size("hidden_size", from_.hidden_size, 1 << 24);
        config_.heads = size("num_attention_heads", from_.num_attention_heads, 65536);
        config_.kv_heads = size("num_key_value_heads", from_.num_key_value_heads, 65536);
        config_.key_size = config_.value_size = size("head_dim", from_.head_dim, 65536);
        config_.feed_forward = size("intermediate_size", from_.intermediate_size, 1 << 24);
        config_.vocabulary = size("vocab_size", from_.vocab_size, 1 << 24);
        config_.context = size("max_position_embeddings", from_.max_position_embeddings, 1 << 30);
        if (!first_ && std::int64_t{config_.heads} * config_.key_size > (1 << 24))
            complain(errc::out_of_range, "head_dim", "heads x head_dim of at most 16777216", std::to_string(config_.key_size));
    }

    void epsilon() {
        const bool rms = config_.norm == norm_kind::rms;
        const std::optional<double>& value = rms ? from_.rms_norm_eps : from_.layer_norm_eps;
        if (!value || !(*value > 0) || !(*value < 1))
            return complain(value ? errc::out_of_range : errc::missing, rms ? "rms_norm_eps" : "layer_norm_epsilon",
                            "a positive number below 1", value ? std::to_string(*value) : "no such field");
        config_.norm_epsilon = static_cast<float>(*value);
    }

    void activation_function() {
        const std::string& name = from_.hidden_act;
        if (name == "silu" || name == "swish") config_.feed_forward_activation = activation::silu;
        else if (name == "gelu_pytorch_tanh" || name == "gelu_new" || name == "gelu_fast")
            config_.feed_forward_activation = activation::gelu_tanh;
        else if (name == "gelu") config_.feed_forward_activation = activation::gelu_erf;
        else if (name == "relu") config_.feed_forward_activation = activation::relu;
        else complain(errc::unsupported, "hidden_act", "silu, swish, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh or relu", quote(name));
    }

    // --- rope ------------------------------------------------------------------------------------------

    void rope() {
        const double rotated = static_cast<double>(config_.key_size) * from_.partial_rotary_factor;
        config_.rotary_size = rotated >= 2 && rotated <= config_.key_size ? static_cast<std::int32_t>(rotated) : 0;
        if (config_.rotary_size < 2 || config_.rotary_size % 2 != 0) {
            complain(errc::out_of_range, "partial_rotary_factor",
                     "an even number of the " + std::to_string(config_.key_size) + " values of a head rotated, at least 2",
                     std::to_string(rotated));
            config_.rotary_size = 2;
        }
        config_.rope.base = base("rope_theta", from_.rope_theta);
        config_.rope.original_context = static_cast<float>(config_.context);
        config_.local_rope = config_.rope;
        if (from_.rope_scaling) scaling(*from_.rope_scaling);
        // Where windowed layers have a base of their own, scaling is not theirs either.
        if (from_.rope_local_base_freq) config_.local_rope.base = base("rope_local_base_freq", *from_.rope_local_base_freq);
        else config_.local_rope = config_.rope;
    }

    float base(const char* field, double value) {
        if (value > 1 && value <= 1e30) return static_cast<float>(value);
        complain(errc::out_of_range, field, "a number above 1", std::to_string(value));
        return 10000.0f;
    }

    double positive(const char* field, const std::optional<double>& value, std::optional<double> fallback) {
        if (value && *value > 0 && *value <= 1e9) return *value;
        if (!value && fallback) return *fallback;
        complain(value ? errc::out_of_range : errc::missing, std::string("rope_scaling: ") + field, "a positive number",
                 value ? std::to_string(*value) : "no such field");
        return 1;
    }

    void scaling(const hf_rope_scaling& s) {
        const double context = config_.context;
        const double original = static_cast<double>(
            s.original_max_position_embeddings.value_or(from_.original_max_position_embeddings.value_or(config_.context)));
        config_.rope.original_context = static_cast<float>(original);
        if (s.type == "linear") {
            config_.rope.linear_factor = static_cast<float>(positive("factor", s.factor, {}));
        } else if (s.type == "dynamic") {
            // It begins to stretch beyond max_position_embeddings, which is where the context ends.
        } else if (s.type == "llama3") {
            llama3(s, original);
        } else if (s.type == "yarn") {
            const double factor = positive("factor", s.factor, context / original);
            config_.rope.linear_factor = static_cast<float>(factor);
            config_.rope.yarn_extrapolation = 1.0f;
            config_.rope.yarn_fast = static_cast<float>(positive("beta_fast", s.beta_fast, 32));
            config_.rope.yarn_slow = static_cast<float>(positive("beta_slow", s.beta_slow, 1));
            config_.rope.magnitude =
                static_cast<float>(positive("attention_factor", s.attention_factor, factor > 1 ? 1 + 0.1 * std::log(factor) : 1));
        } else if (s.type == "longrope") {
            longrope(s, original);
        } else {
            complain(errc::unsupported, "rope_scaling: rope_type", "default, linear, dynamic, llama3, yarn or longrope", quote(s.type));
        }
    }

    // Low frequencies are divided by the factor, high ones kept, those between blended.
    // @source The Llama 3 Herd of Models (2407.21783) and the code published with Llama 3.1
    void llama3(const hf_rope_scaling& s, double original) {
        const double factor = positive("factor", s.factor, {});
        const double low = positive("low_freq_factor", s.low_freq_factor, {});
        const double high = positive("high_freq_factor", s.high_freq_factor, {});
        if (!(high > low)) return complain(errc::mismatch, "rope_scaling: high_freq_factor", "more than low_freq_factor", std::to_string(high));
        for (std::int32_t i = 0; i < config_.rotary_size / 2; ++i) {
            const double frequency = std::pow(static_cast<double>(config_.rope.base), -2.0 * i / config_.rotary_size);
            const double turns = original * frequency / (2.0 * std::numbers::pi);
            const double keep = std::clamp((turns - low) / (high - low), 0.0, 1.0);
            config_.rope.factors.push_back(static_cast<float>(1.0 / ((1.0 - keep) / factor + keep)));
        }
    }

    // One set of factors up to the original context, another beyond it: the context decides, as for GGUF files.
    // @source LongRoPE (2402.13753); the scale of attention: Phi-3's published code
    void longrope(const hf_rope_scaling& s, double original) {
        const bool beyond = config_.context > original;
        const std::vector<double>& factors = beyond ? s.long_factor : s.short_factor;
        if (factors.size() != static_cast<std::size_t>(config_.rotary_size / 2))
            return complain(errc::mismatch, beyond ? "rope_scaling: long_factor" : "rope_scaling: short_factor",
                            std::to_string(config_.rotary_size / 2) + " numbers", std::to_string(factors.size()));
        for (const double factor : factors) config_.rope.factors.push_back(static_cast<float>(factor));
        const double stretch = s.factor ? positive("factor", s.factor, {}) : config_.context / original;
        const double usual = stretch > 1 && original > 1 ? std::sqrt(1 + std::log(stretch) / std::log(original)) : 1;
        config_.rope.magnitude = static_cast<float>(positive("attention_factor", s.attention_factor, usual));
    }

    // --- attention -------------------------------------------------------------------------------------

    void window(const hf_family& family) {
        if (family.window == hf_window::none) return;
        const bool asked = from_.use_sliding_window.value_or(family.window != hf_window::when_asked);
        if (!asked || !from_.sliding_window) return;
        config_.window = size("sliding_window", from_.sliding_window.value_or(1), std::numeric_limits<std::int32_t>::max());
        if (!from_.layer_types.empty()) {
            for (const std::string& type : from_.layer_types) config_.window_layers.push_back(type == "sliding_attention");
        } else if (family.window == hf_window::when_asked) {
            const std::int64_t full = from_.max_window_layers.value_or(0);
            for (std::int32_t i = 0; i < config_.layers; ++i) config_.window_layers.push_back(i >= full);
        } else if (family.window == hf_window::periodic) {
            config_.window_period = size("sliding_window_pattern", from_.sliding_window_pattern.value_or(family.window_period), 4096);
        }
    }

    void scores() {
        const double scalar = from_.query_pre_attn_scalar.value_or(config_.key_size);
        if (!(scalar > 0)) complain(errc::out_of_range, "query_pre_attn_scalar", "a positive number", std::to_string(scalar));
        else config_.attention_scale = static_cast<float>(1.0 / std::sqrt(scalar));
        if (!from_.scale_attn_weights.value_or(true)) config_.attention_scale = 1.0f;
        if (from_.scale_attn_by_inverse_layer_idx.value_or(false))
            complain(errc::unsupported, "scale_attn_by_inverse_layer_idx", "false", "true");
        if (from_.norm_type && *from_.norm_type != "layer_norm")
            complain(errc::unsupported, "norm_type", "layer_norm", quote(*from_.norm_type));
        if (from_.mlp_type && *from_.mlp_type != "default")
            complain(errc::unsupported, "mlp_type", "default", quote(*from_.mlp_type));
        config_.attention_softcap = static_cast<float>(from_.attn_logit_softcapping.value_or(0));
        config_.final_softcap = static_cast<float>(from_.final_logit_softcapping.value_or(0));
    }

    const hf_config& from_;
    std::string name_;
    decoder_config config_;
    std::optional<error> first_;
};

}  // namespace models::detail

HENCE_NAMESPACE_END

#endif
