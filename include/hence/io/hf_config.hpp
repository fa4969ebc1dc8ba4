// hf_config: what a training framework's config.json and generation_config.json say, as plain fields.
//
// It reads and checks types and ranges; absent fields stay absent unless the model family's published class
// fills them in. What the fields mean for a forward pass, and which architectures there are, is models/.
#ifndef HENCE_IO_HF_CONFIG_HPP
#define HENCE_IO_HF_CONFIG_HPP

#include "../config.hpp"
#include "../core/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// How rotary positions are stretched beyond the trained length.
struct hf_rope_scaling {
    std::string type;  ///< "default", "linear", "dynamic", "yarn", "llama3", "longrope" ("su" reads as longrope)
    std::optional<double> factor;
    std::optional<double> low_freq_factor;
    std::optional<double> high_freq_factor;
    std::optional<double> attention_factor;
    std::optional<double> beta_fast;
    std::optional<double> beta_slow;
    std::optional<std::int64_t> original_max_position_embeddings;
    std::vector<double> short_factor;  ///< longrope: one for each pair of the rotated dimensions
    std::vector<double> long_factor;
};

/// Decoding defaults of a model's maker.
struct hf_generation_config {
    std::optional<bool> do_sample;
    std::optional<double> temperature;
    std::optional<std::int64_t> top_k;
    std::optional<double> top_p;
    std::optional<double> min_p;
    std::optional<double> repetition_penalty;
    std::optional<std::int64_t> max_new_tokens;
    std::optional<std::int64_t> max_length;
    std::optional<std::int64_t> bos_token_id;
    std::optional<std::int64_t> pad_token_id;
    std::vector<std::int64_t> eos_token_id;  ///< one or several
};

/// A model's configuration under the names that most families share; GPT-2's own names (n_embd, n_layer,
/// ...) and the nested text_config of multimodal files are read into them.
struct hf_config {
    std::string model_type;                  ///< "llama", "qwen2", ..., as the file says
    std::vector<std::string> architectures;  ///< "LlamaForCausalLM", ...
    std::string dtype;                       ///< torch_dtype or dtype, or empty

    // Required of every causal model.
    std::int64_t hidden_size = 0;
    std::int64_t num_hidden_layers = 0;
    std::int64_t num_attention_heads = 0;
    std::int64_t vocab_size = 0;
    std::int64_t intermediate_size = 0;        ///< GPT-2 without n_inner: four times hidden_size
    std::int64_t num_key_value_heads = 0;      ///< absent: num_attention_heads
    std::int64_t head_dim = 0;                 ///< absent: hidden_size / num_attention_heads
    std::int64_t max_position_embeddings = 0;  ///< also n_positions

    std::optional<double> rms_norm_eps;
    std::optional<double> layer_norm_eps;  ///< layer_norm_eps, layer_norm_epsilon or norm_epsilon
    std::string hidden_act;                ///< also hidden_activation, activation_function

    double rope_theta = 10000.0;
    std::optional<double> rope_local_base_freq;  ///< Gemma 3's sliding layers
    double partial_rotary_factor = 1.0;
    std::optional<hf_rope_scaling> rope_scaling;  ///< absent when null or of type "default"
    std::optional<std::int64_t> original_max_position_embeddings;

    std::optional<bool> tie_word_embeddings;
    std::optional<bool> attention_bias;
    std::optional<bool> mlp_bias;
    std::optional<bool> use_bias;  ///< StarCoder2

    std::optional<std::int64_t> sliding_window;  ///< absent when null
    std::optional<bool> use_sliding_window;
    std::optional<std::int64_t> max_window_layers;
    std::optional<std::int64_t> sliding_window_pattern;
    std::vector<std::string> layer_types;  ///< "full_attention" or "sliding_attention" for each layer, or empty

    std::optional<double> attn_logit_softcapping;
    std::optional<double> final_logit_softcapping;
    std::optional<double> query_pre_attn_scalar;
    std::optional<bool> scale_attn_weights;               ///< GPT-2
    std::optional<bool> scale_attn_by_inverse_layer_idx;  ///< GPT-2
    std::optional<std::string> norm_type;                 ///< StarCoder2
    std::optional<std::string> mlp_type;                  ///< StarCoder2

    std::optional<std::int64_t> bos_token_id;
    std::optional<std::int64_t> pad_token_id;
    std::vector<std::int64_t> eos_token_id;
    std::optional<std::string> quantization_method;  ///< quantization_config.quant_method, if any
};

/// Reads the text of a config.json; `name` stands for it in errors.
/// @shape  none
/// @errors bad_format, missing, mismatch (types), out_of_range: all that are found
/// @source huggingface/transformers, the configuration classes of the families named in the file
[[nodiscard]] result<hf_config> parse_hf_config(std::string_view json, const std::string& name = "config.json");

/// Reads the text of a generation_config.json.
/// @shape  none
/// @errors as parse_hf_config
/// @source huggingface/transformers, GenerationConfig
[[nodiscard]] result<hf_generation_config> parse_hf_generation_config(
    std::string_view json, const std::string& name = "generation_config.json");

/// Reads FOLDER/config.json.
/// @shape  none
/// @errors file_not_found, io, and those of parse_hf_config
/// @source none
[[nodiscard]] result<hf_config> read_hf_config(const std::string& folder);

/// Reads FOLDER/generation_config.json; all fields absent where there is no such file.
/// @shape  none
/// @errors io, and those of parse_hf_generation_config
/// @source none
[[nodiscard]] result<hf_generation_config> read_hf_generation_config(const std::string& folder);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/hf_config.inl.hpp"
#endif

#endif
