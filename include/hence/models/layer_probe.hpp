// layer_probe: looks into a decoder's forward pass, and runs some of its layers alone.
//
// For calibration and compression (compress/): what the products of a layer read is what decides how its weights may be
// rounded or left out. A workspace without a probe, the ordinary case, pays one comparison per stage.
#ifndef HENCE_MODELS_LAYER_PROBE_HPP
#define HENCE_MODELS_LAYER_PROBE_HPP

#include "../sys/thread_team.hpp"

#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// The inputs that the products of one layer read. Matrices that share an input share its statistics.
enum class layer_input : std::uint8_t {
    attention,          ///< of attn_q, attn_k and attn_v (or attn_qkv): the normalised residual stream
    attention_output,   ///< of attn_output: the mixed values
    feed_forward,       ///< of ffn_gate and ffn_up: the normalised residual stream
    feed_forward_down,  ///< of ffn_down: the activated products
    head,               ///< of the output matrix: only the rows that ask for logits
};
inline constexpr std::size_t layer_input_count = 5;

/// Rows that a product is about to read, while they are there.
struct probed_rows {
    std::int32_t layer = 0;  ///< of the head: the number of layers
    layer_input input = layer_input::attention;
    const float* values = nullptr;  ///< [rows][stride]
    std::size_t stride = 0;         ///< elements
    std::size_t rows = 0;
    std::size_t width = 0;
};

/// What to see, and which layers to run.
struct layer_probe {
    /// Called by every worker of the team for each input, or null. The workers share the work as they like and must not
    /// call wait().
    void (*see)(void* context, const worker& self, const probed_rows& input) noexcept = nullptr;
    void* context = nullptr;

    std::int32_t first_layer = 0;
    std::int32_t last_layer = -1;        ///< one past the last; -1: all layers and the output matrix
    const float* stream_in = nullptr;    ///< [rows][width]: the residual stream before first_layer; null: the embeddings
    float* stream_out = nullptr;         ///< [rows][width]: gets the residual stream after last_layer; null: not wanted;
                                         ///< may be stream_in
};

HENCE_NAMESPACE_END

#endif
