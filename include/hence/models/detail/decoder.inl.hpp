// Definitions of models/decoder.hpp: accessors and workspaces; loading and the forward pass are beside it.
#ifndef HENCE_MODELS_DETAIL_DECODER_INL_HPP
#define HENCE_MODELS_DETAIL_DECODER_INL_HPP

#include "../decoder.hpp"
#include "decoder_forward.inl.hpp"
#include "decoder_load.inl.hpp"

HENCE_NAMESPACE_BEGIN

HENCE_INLINE const decoder_config& decoder::config() const noexcept { return state_->config; }
HENCE_INLINE const hence::tokenizer& decoder::tokenizer() const noexcept { return *state_->tokenizer; }
HENCE_INLINE std::size_t decoder::vocabulary_size() const noexcept { return static_cast<std::size_t>(state_->config.vocabulary); }
HENCE_INLINE std::size_t decoder::context_length() const noexcept { return static_cast<std::size_t>(state_->config.context); }
HENCE_INLINE isa decoder::tier() const noexcept { return state_->kernels->tier; }
HENCE_INLINE std::size_t decoder::weight_bytes() const noexcept { return state_->weight_bytes; }
HENCE_INLINE std::size_t decoder::parameters() const noexcept { return state_->parameters; }

HENCE_INLINE kv_layout decoder::cache_layout(dtype type) const noexcept {
    const decoder_config& c = state_->config;
    return {c.layers, c.kv_heads, c.key_size, c.value_size, type};
}

HENCE_NAMESPACE_END

#endif
