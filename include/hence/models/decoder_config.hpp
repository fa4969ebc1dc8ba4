// decoder_config: everything that distinguishes one causal decoder from another, as data.
//
// The forward pass (detail/decoder_forward.inl.hpp) reads these fields and never an architecture's name. A new
// architecture is a row in architectures.hpp that fills them in; see docs/reference/architectures.md.
#ifndef HENCE_MODELS_DECODER_CONFIG_HPP
#define HENCE_MODELS_DECODER_CONFIG_HPP

#include "../config.hpp"
#include "../kernels/dispatch.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// How hidden states are normalised before attention and feed-forward.
enum class norm_kind : std::uint8_t { rms, layer };

/// How rotary angles grow with position.
struct rope_config {
    float base = 10000.0f;
    float linear_factor = 1.0f;    ///< positions are divided by it
    float yarn_extrapolation = 0;  ///< 0: plain or linear; 1: YaRN
    float yarn_fast = 32.0f;
    float yarn_slow = 1.0f;
    float original_context = 0;    ///< context before scaling, for YaRN and long rope
    float magnitude = 1.0f;        ///< cosines and sines are multiplied by it
    std::vector<float> factors;    ///< frequency i is divided by factors[i]; empty: none
};

/// A causal decoder's shape and options. Sizes are element counts.
struct decoder_config {
    std::string architecture;  ///< as general.architecture names it
    std::string title;         ///< general.name, or empty
    std::int32_t layers = 0;
    std::int32_t width = 0;
    std::int32_t heads = 0;
    std::int32_t kv_heads = 0;
    std::int32_t key_size = 0;
    std::int32_t value_size = 0;
    std::int32_t feed_forward = 0;
    std::int32_t vocabulary = 0;
    std::int32_t context = 0;  ///< positions the model was made for

    norm_kind norm = norm_kind::rms;
    float norm_epsilon = 1e-5f;

    bool rotary = true;              ///< false: learned positions (position_embd.weight)
    std::int32_t rotary_size = 0;    ///< rotated values per head
    rope_style rotary_style = rope_style::neighbours;
    rope_config rope;                ///< of layers that see everything
    rope_config local_rope;          ///< of layers with a sliding window

    float attention_scale = 0;       ///< on scores; usually 1 / sqrt(key_size)
    float attention_softcap = 0;     ///< 0: none
    float final_softcap = 0;         ///< on logits; 0: none
    std::int32_t window = 0;         ///< positions that a windowed layer sees; 0: no such layers
    std::int32_t window_period = 0;  ///< layer i is windowed where i % period < period - 1; 0: all, if window > 0
    std::vector<std::uint8_t> window_layers;  ///< by layer, whether it is windowed; empty: as window_period says

    bool fused_qkv = false;          ///< attn_qkv holds queries, keys and values
    bool fused_gate = false;         ///< ffn_up holds gate and up
    bool gated = true;               ///< feed-forward is down(f(gate) * up), else down(f(up))
    activation feed_forward_activation = activation::silu;
    float embedding_scale = 1.0f;    ///< on token embeddings

    /// Whether a layer attends through the sliding window.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool windowed(std::int32_t layer) const noexcept {
        if (!window_layers.empty()) return window > 0 && window_layers[static_cast<std::size_t>(layer)] != 0;
        return window > 0 && (window_period == 0 || layer % window_period < window_period - 1);
    }
};

HENCE_NAMESPACE_END

#endif
