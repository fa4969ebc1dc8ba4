// Definitions of models/architectures.hpp.
#ifndef HENCE_MODELS_DETAIL_ARCHITECTURES_INL_HPP
#define HENCE_MODELS_DETAIL_ARCHITECTURES_INL_HPP

#include "../../core/text.hpp"
#include "../architectures.hpp"

#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace models {

namespace detail {

inline constexpr architecture architecture_table[] = {
    {.name = "llama"},
    {.name = "qwen2", .rotary_style = rope_style::halves},
    {.name = "qwen3", .rotary_style = rope_style::halves},
    {.name = "gemma2",
     .rotary_style = rope_style::halves,
     .feed_forward_activation = activation::gelu_half,
     .scaled_embedding = true,
     .window = 4096,
     .uses_window = true,
     .window_period = 2,
     .wide_scale_layers = 46},
    {.name = "gemma3",
     .rotary_style = rope_style::halves,
     .feed_forward_activation = activation::gelu_half,
     .scaled_embedding = true,
     .uses_window = true,
     .window_period = 6,
     .local_rope_base = 10000.0f,
     .wide_scale_layers = 62},
    {.name = "phi3", .rotary_style = rope_style::halves, .fused_qkv = true, .fused_gate = true},
    {.name = "gpt2",
     .norm = norm_kind::layer,
     .rotary = false,
     .fused_qkv = true,
     .gated = false,
     .feed_forward_activation = activation::gelu_half},
    {.name = "starcoder2",
     .norm = norm_kind::layer,
     .rotary_style = rope_style::halves,
     .gated = false,
     .feed_forward_activation = activation::gelu_half},
};

// Reads keys under one prefix and gathers every complaint.
class config_reader {
public:
    config_reader(const gguf_file& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

    template <class T>
    T optional(const std::string& key, T fallback) {
        auto found = file_.get_if<T>(prefix_ + key);
        if (!found) {
            complain(std::move(found).error());
            return fallback;
        }
        return found->value_or(fallback);
    }

    std::int32_t size(const std::string& key, std::optional<std::int32_t> fallback = {},
                      std::int32_t most = 1 << 24) {
        const std::string full = prefix_ + key;
        std::optional<std::int64_t> value;
        if (const gguf_entry* entry = file_.find(full); entry != nullptr && entry->type == gguf_type::array) {
            // A value per layer: the decoder has one size for all.
            auto each = file_.get<std::vector<std::int32_t>>(full);
            if (!each) {
                complain(std::move(each).error());
                return fallback.value_or(0);
            }
            for (const std::int32_t one : *each) {
                if (value && *value != one) {
                    complain(make_error(errc::unsupported, concat({file_.name(), ": ", full}), "the same value for every layer",
                                        concat({*value, " and ", one})));
                    return fallback.value_or(0);
                }
                value = one;
            }
        } else {
            auto found = file_.get_if<std::int64_t>(full);
            if (!found) {
                complain(std::move(found).error());
                return fallback.value_or(0);
            }
            value = *found;
        }
        if (!value) {
            if (fallback) return *fallback;
            complain(make_error(errc::missing, file_.name(), concat({"key '", full, "'"}), "no such key"));
            return 0;
        }
        if (*value < 1 || *value > most) {
            complain(make_error(errc::out_of_range, concat({file_.name(), ": ", full}), concat({"1 to ", most}),
                                decimal(*value)));
            return fallback.value_or(0);
        }
        return static_cast<std::int32_t>(*value);
    }

    float positive(const std::string& key, std::optional<float> fallback) {
        const float value = optional<float>(key, fallback.value_or(-1.0f));
        if (std::isfinite(value) && value > 0.0f) return value;
        if (fallback && value == *fallback) return value;  // a default of zero means "none"
        complain(make_error(fallback || file_.find(prefix_ + key) != nullptr ? errc::out_of_range : errc::missing,
                            concat({file_.name(), ": ", prefix_, key}), "a positive number", decimal(value)));
        return fallback.value_or(1.0f);
    }

    void complain(error e) {
        if (first_) first_->also.push_back(std::move(e));
        else first_ = std::move(e);
    }
    void require(bool condition, const std::string& key, std::string expected, std::string actual) {
        if (!condition && !first_)
            complain(make_error(errc::mismatch, concat({file_.name(), ": ", prefix_, key}), std::move(expected), std::move(actual)));
    }
    [[nodiscard]] const std::optional<error>& complaints() const { return first_; }

private:
    const gguf_file& file_;
    std::string prefix_;
    std::optional<error> first_;
};

inline rope_config read_rope(const gguf_file& file, config_reader& keys, const decoder_config& config) {
    rope_config rope;
    rope.base = keys.positive("rope.freq_base", 10000.0f);
    rope.original_context = keys.positive("rope.scaling.original_context_length", static_cast<float>(config.context));
    const auto type = keys.optional<std::string>("rope.scaling.type", "");
    const float factor = keys.optional<float>("rope.scaling.factor", keys.optional<float>("rope.scale_linear", 1.0f));
    rope.magnitude = keys.positive("rope.scaling.attn_factor", 1.0f);
    if (!(factor >= 0.0f && factor <= 1e6f))  // 0 is how some files say "none"
        keys.complain(make_error(errc::out_of_range, concat({file.name(), ": ", config.architecture, ".rope.scaling.factor"}),
                                 "a number from 0 to 1e6", decimal(factor)));
    if (type.empty() || type == "linear" || type == "none" || type == "yarn") {
        if (type != "none" && factor > 0.0f) rope.linear_factor = factor;
    } else if (type != "longrope") {
        keys.complain(make_error(errc::unsupported, concat({file.name(), ": ", config.architecture, ".rope.scaling.type"}),
                                 "none, linear, yarn or longrope", concat({"'", type, "'"})));
    }
    if (type == "yarn") {
        rope.yarn_extrapolation = 1.0f;
        rope.yarn_fast = keys.positive("rope.scaling.yarn_beta_fast", 32.0f);
        rope.yarn_slow = keys.positive("rope.scaling.yarn_beta_slow", 1.0f);
        rope.magnitude *= 1.0f + 0.1f * std::log(rope.linear_factor);
    }
    return rope;
}

}  // namespace detail

HENCE_INLINE std::span<const architecture> supported_architectures() noexcept { return detail::architecture_table; }

HENCE_INLINE std::string supported_architecture_names() {
    std::string list;
    for (const architecture& entry : supported_architectures()) {
        if (!list.empty()) list += ", ";
        list += entry.name;
    }
    return list;
}

HENCE_INLINE result<decoder_config> read_config(const gguf_file& file) {
    HENCE_TRY_ASSIGN(name, file.get<std::string>("general.architecture"));
    const architecture* kind = nullptr;
    for (const architecture& entry : supported_architectures())
        if (entry.name == name) kind = &entry;
    if (kind == nullptr)
        return make_error(errc::unsupported, concat({file.name(), ": general.architecture"}),
                          concat({"one of ", supported_architecture_names()}), concat({"'", name, "'"}));

    detail::config_reader keys(file, concat({name, "."}));
    decoder_config config;
    config.architecture = name;
    if (auto title = file.get_if<std::string>("general.name"); title && *title) config.title = **title;
    config.layers = keys.size("block_count", {}, 4096);
    config.width = keys.size("embedding_length");
    config.heads = keys.size("attention.head_count", {}, 65536);
    config.kv_heads = keys.size("attention.head_count_kv", config.heads, 65536);
    config.feed_forward = keys.size("feed_forward_length");
    config.context = keys.size("context_length", {}, 1 << 30);
    const std::int32_t head_size = config.heads > 0 ? config.width / config.heads : 0;
    config.key_size = keys.size("attention.key_length", head_size, 65536);
    config.value_size = keys.size("attention.value_length", head_size, 65536);
    if (keys.complaints()) return *keys.complaints();

    keys.require(config.heads % config.kv_heads == 0, "attention.head_count",
                 concat({"a multiple of attention.head_count_kv (", config.kv_heads, ")"}),
                 decimal(config.heads));
    keys.require(static_cast<std::int64_t>(config.heads) * config.key_size <= (1 << 24), "attention.key_length",
                 "heads x key length of at most 16777216", decimal(config.key_size));
    keys.require(static_cast<std::int64_t>(config.heads) * config.value_size <= (1 << 24), "attention.value_length",
                 "heads x value length of at most 16777216", decimal(config.value_size));
    if (file.find(concat({name, ".attention.key_length"})) == nullptr)
        keys.require(config.width % config.heads == 0, "embedding_length",
                     concat({"a multiple of attention.head_count (", config.heads, ")"}),
                     decimal(config.width));
    // Mixtures of experts share names with plain models but not their meaning.
    if (auto experts = file.get_if<std::int64_t>(concat({name, ".expert_count"})); experts && *experts && **experts > 0)
        keys.complain(make_error(errc::unsupported, concat({file.name(), ": ", name, ".expert_count"}),
                                 "no experts (mixture models are not supported)", decimal(**experts)));

    config.norm = kind->norm;
    config.norm_epsilon = keys.positive(kind->norm == norm_kind::rms ? "attention.layer_norm_rms_epsilon"
                                                                     : "attention.layer_norm_epsilon", {});
    config.rotary = kind->rotary;
    config.rotary_style = kind->rotary_style;
    config.fused_qkv = kind->fused_qkv;
    config.fused_gate = kind->fused_gate;
    config.gated = kind->gated;
    config.feed_forward_activation = kind->feed_forward_activation;
    if (kind->scaled_embedding) config.embedding_scale = std::sqrt(static_cast<float>(config.width));
    if (config.rotary) {
        config.rotary_size = keys.size("rope.dimension_count", config.key_size, config.key_size);
        keys.require(config.rotary_size % 2 == 0, "rope.dimension_count", "an even number", decimal(config.rotary_size));
        config.rope = detail::read_rope(file, keys, config);
        config.local_rope = config.rope;
        if (kind->local_rope_base > 0) config.local_rope = rope_config{.base = kind->local_rope_base, .factors = {}};
        config.local_rope.base = keys.positive("rope.freq_base_swa", config.local_rope.base);
    }
    if (kind->uses_window) {
        config.window = keys.optional<std::int32_t>("attention.sliding_window", kind->window);
        config.window_period = keys.size("attention.sliding_window_pattern", kind->window_period, 4096);
        keys.require(config.window >= 0, "attention.sliding_window", "0 or more", decimal(config.window));
    }
    config.attention_softcap = keys.positive("attn_logit_softcapping", 0.0f);
    config.final_softcap = keys.positive("final_logit_softcapping", 0.0f);
    const bool wide = kind->wide_scale_layers > 0 && config.layers == kind->wide_scale_layers;
    config.attention_scale = 1.0f / std::sqrt(static_cast<float>(wide ? config.width / config.heads : config.key_size));
    if (keys.complaints()) return *keys.complaints();
    return config;
}

}  // namespace models

HENCE_NAMESPACE_END

#endif
