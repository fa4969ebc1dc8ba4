// The architectures that the decoder runs, each a row of data, and reading a configuration from a GGUF file.
//
// Adding one: docs/reference/architectures.md.
#ifndef HENCE_MODELS_ARCHITECTURES_HPP
#define HENCE_MODELS_ARCHITECTURES_HPP

#include "../core/result.hpp"
#include "../io/gguf.hpp"
#include "decoder_config.hpp"

#include <span>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// What an architecture's files leave unsaid.
struct architecture {
    std::string_view name;     ///< general.architecture
    norm_kind norm = norm_kind::rms;
    bool rotary = true;
    rope_style rotary_style = rope_style::neighbours;
    bool fused_qkv = false;
    bool fused_gate = false;
    bool gated = true;
    activation feed_forward_activation = activation::silu;
    bool scaled_embedding = false;      ///< embeddings are multiplied by sqrt(width)
    std::int32_t window = 0;            ///< where the file has no attention.sliding_window
    bool uses_window = false;           ///< attention.sliding_window is obeyed
    std::int32_t window_period = 0;     ///< where the file has no attention.sliding_window_pattern
    float local_rope_base = 0;          ///< base of windowed layers where the file has none; 0: as the others
    /// Layers of the variant that scales attention by sqrt(width / heads) instead of sqrt(key size); 0: none.
    std::int32_t wide_scale_layers = 0;
};

namespace models {

/// All architectures that can be loaded.
/// @shape none
/// @errors none
/// @source the models' published configurations
[[nodiscard]] std::span<const architecture> supported_architectures() noexcept;

/// Their names in one line, for error messages.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string supported_architecture_names();

/// Reads and checks a decoder's configuration.
/// @shape none
/// @errors unsupported architecture (with the list), missing keys, values out of range; reports every one it finds
/// @source GGUF keys as llama.cpp writes them
[[nodiscard]] result<decoder_config> read_config(const gguf_file& file);

}  // namespace models

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/architectures.inl.hpp"
#endif

#endif
