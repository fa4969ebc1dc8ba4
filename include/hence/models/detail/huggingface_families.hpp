// The families of models that load_folder() opens: what config.json leaves unsaid and what its tensors are called.
//
// A family is a row at the end of this file. docs/reference/adding_an_architecture.md goes through one.
#ifndef HENCE_MODELS_DETAIL_HUGGINGFACE_FAMILIES_HPP
#define HENCE_MODELS_DETAIL_HUGGINGFACE_FAMILIES_HPP

#include "../../io/hf_config.hpp"

#include <cstdint>
#include <span>
#include <string_view>

HENCE_NAMESPACE_BEGIN

namespace models::detail {

/// What says whether some projections have biases.
enum class hf_bias : std::uint8_t { no, yes, attention_bias, mlp_bias, use_bias };

/// What is done to a tensor on the way in.
enum class hf_change : std::uint8_t {
    none,
    add_one,    ///< Gemma's norms are stored as their distance from 1
    transpose,  ///< GPT-2's matrices are stored with the inputs outermost
};

/// Which layers attend through a sliding window, where layer_types does not say so.
enum class hf_window : std::uint8_t {
    none,
    all,         ///< all, where sliding_window is set
    when_asked,  ///< where use_sliding_window is true: those from max_window_layers on
    periodic,    ///< all but each sliding_window_pattern-th
};

/// A module of a layer, by GGUF's name and by the family's: `.weight`, and `.bias` where `bias` says so.
struct hf_module {
    std::string_view ours;
    std::string_view theirs;
    hf_bias bias = hf_bias::no;
    hf_change change = hf_change::none;
};

struct hf_family {
    std::string_view model_type;    ///< as config.json has it
    std::string_view architecture;  ///< the row of supported_architectures()
    std::span<const hf_module> layer;
    std::string_view root = "model.";
    std::string_view layers = "layers.";
    std::string_view embedding = "embed_tokens";
    std::string_view positions{};
    std::string_view output_norm = "norm";
    hf_bias output_norm_bias = hf_bias::no;
    hf_change norm_change = hf_change::none;
    hf_window window = hf_window::none;
    std::int32_t window_period = 0;
};

inline constexpr hf_module llama_layer[] = {
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj", hf_bias::attention_bias},
    {"attn_k", "self_attn.k_proj", hf_bias::attention_bias},
    {"attn_v", "self_attn.v_proj", hf_bias::attention_bias},
    {"attn_output", "self_attn.o_proj", hf_bias::attention_bias},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj", hf_bias::mlp_bias},
    {"ffn_up", "mlp.up_proj", hf_bias::mlp_bias},
    {"ffn_down", "mlp.down_proj", hf_bias::mlp_bias},
};

inline constexpr hf_module mistral_layer[] = {
    {"attn_norm", "input_layernorm"},    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},      {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},       {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
};

inline constexpr hf_module qwen2_layer[] = {
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj", hf_bias::yes},
    {"attn_k", "self_attn.k_proj", hf_bias::yes},
    {"attn_v", "self_attn.v_proj", hf_bias::yes},
    {"attn_output", "self_attn.o_proj"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
};

inline constexpr hf_module qwen3_layer[] = {
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj", hf_bias::attention_bias},
    {"attn_k", "self_attn.k_proj", hf_bias::attention_bias},
    {"attn_v", "self_attn.v_proj", hf_bias::attention_bias},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"attn_output", "self_attn.o_proj", hf_bias::attention_bias},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
};

inline constexpr hf_module gemma2_layer[] = {
    {"attn_norm", "input_layernorm", hf_bias::no, hf_change::add_one},
    {"attn_q", "self_attn.q_proj", hf_bias::attention_bias},
    {"attn_k", "self_attn.k_proj", hf_bias::attention_bias},
    {"attn_v", "self_attn.v_proj", hf_bias::attention_bias},
    {"attn_output", "self_attn.o_proj", hf_bias::attention_bias},
    {"post_attention_norm", "post_attention_layernorm", hf_bias::no, hf_change::add_one},
    {"ffn_norm", "pre_feedforward_layernorm", hf_bias::no, hf_change::add_one},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
    {"post_ffw_norm", "post_feedforward_layernorm", hf_bias::no, hf_change::add_one},
};

inline constexpr hf_module gemma3_layer[] = {
    {"attn_norm", "input_layernorm", hf_bias::no, hf_change::add_one},
    {"attn_q", "self_attn.q_proj", hf_bias::attention_bias},
    {"attn_k", "self_attn.k_proj", hf_bias::attention_bias},
    {"attn_v", "self_attn.v_proj", hf_bias::attention_bias},
    {"attn_q_norm", "self_attn.q_norm", hf_bias::no, hf_change::add_one},
    {"attn_k_norm", "self_attn.k_norm", hf_bias::no, hf_change::add_one},
    {"attn_output", "self_attn.o_proj", hf_bias::attention_bias},
    {"post_attention_norm", "post_attention_layernorm", hf_bias::no, hf_change::add_one},
    {"ffn_norm", "pre_feedforward_layernorm", hf_bias::no, hf_change::add_one},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
    {"post_ffw_norm", "post_feedforward_layernorm", hf_bias::no, hf_change::add_one},
};

inline constexpr hf_module phi3_layer[] = {
    {"attn_norm", "input_layernorm"},    {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_up", "mlp.gate_up_proj"},      {"ffn_down", "mlp.down_proj"},
};

inline constexpr hf_module gpt2_layer[] = {
    {"attn_norm", "ln_1", hf_bias::yes},
    {"attn_qkv", "attn.c_attn", hf_bias::yes, hf_change::transpose},
    {"attn_output", "attn.c_proj", hf_bias::yes, hf_change::transpose},
    {"ffn_norm", "ln_2", hf_bias::yes},
    {"ffn_up", "mlp.c_fc", hf_bias::yes, hf_change::transpose},
    {"ffn_down", "mlp.c_proj", hf_bias::yes, hf_change::transpose},
};

inline constexpr hf_module starcoder2_layer[] = {
    {"attn_norm", "input_layernorm", hf_bias::yes},
    {"attn_q", "self_attn.q_proj", hf_bias::use_bias},
    {"attn_k", "self_attn.k_proj", hf_bias::use_bias},
    {"attn_v", "self_attn.v_proj", hf_bias::use_bias},
    {"attn_output", "self_attn.o_proj", hf_bias::use_bias},
    {"ffn_norm", "post_attention_layernorm", hf_bias::yes},
    {"ffn_up", "mlp.c_fc", hf_bias::use_bias},
    {"ffn_down", "mlp.c_proj", hf_bias::use_bias},
};

inline constexpr hf_family hf_families[] = {
    {.model_type = "llama", .architecture = "llama", .layer = llama_layer},
    {.model_type = "mistral", .architecture = "llama", .layer = mistral_layer, .window = hf_window::all},
    {.model_type = "qwen2", .architecture = "qwen2", .layer = qwen2_layer, .window = hf_window::when_asked},
    {.model_type = "qwen3", .architecture = "qwen3", .layer = qwen3_layer, .window = hf_window::when_asked},
    {.model_type = "gemma2",
     .architecture = "gemma2",
     .layer = gemma2_layer,
     .norm_change = hf_change::add_one,
     .window = hf_window::periodic,
     .window_period = 2},
    {.model_type = "gemma3_text",
     .architecture = "gemma3",
     .layer = gemma3_layer,
     .norm_change = hf_change::add_one,
     .window = hf_window::periodic,
     .window_period = 6},
    {.model_type = "phi3", .architecture = "phi3", .layer = phi3_layer, .window = hf_window::all},
    {.model_type = "gpt2",
     .architecture = "gpt2",
     .layer = gpt2_layer,
     .root = "transformer.",
     .layers = "h.",
     .embedding = "wte",
     .positions = "wpe",
     .output_norm = "ln_f",
     .output_norm_bias = hf_bias::yes},
    {.model_type = "starcoder2",
     .architecture = "starcoder2",
     .layer = starcoder2_layer,
     .output_norm_bias = hf_bias::yes,
     .window = hf_window::all},
};

[[nodiscard]] inline const hf_family* find_family(std::string_view model_type) noexcept {
    if (model_type == "gemma3") model_type = "gemma3_text";  // with pictures; the language model inside is the same
    for (const hf_family& family : hf_families)
        if (family.model_type == model_type) return &family;
    return nullptr;
}

[[nodiscard]] inline bool has_bias(hf_bias rule, const hf_config& config) noexcept {
    switch (rule) {
        case hf_bias::no: return false;
        case hf_bias::yes: return true;
        case hf_bias::attention_bias: return config.attention_bias.value_or(false);
        case hf_bias::mlp_bias: return config.mlp_bias.value_or(false);
        case hf_bias::use_bias: return config.use_bias.value_or(true);
    }
    return false;
}

}  // namespace models::detail

HENCE_NAMESPACE_END

#endif
