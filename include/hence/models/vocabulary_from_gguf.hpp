// vocabulary_from_gguf: the tokenizer that a GGUF file describes (its tokenizer.* keys), as plain data.
//
// The defaults of absent keys are those that llama.cpp's readers assume, for files are written with them in
// mind. Whether the description makes sense is checked by tokenizer::make().
#ifndef HENCE_MODELS_VOCABULARY_FROM_GGUF_HPP
#define HENCE_MODELS_VOCABULARY_FROM_GGUF_HPP

#include "../core/result.hpp"
#include "../io/gguf.hpp"
#include "../text/vocabulary.hpp"

HENCE_NAMESPACE_BEGIN

/// @shape none
/// @errors missing, mismatch, out_of_range: a key that is absent, of the wrong type or does not fit the others;
/// unsupported: a tokenizer.ggml.model that is not known
/// @source the GGUF specification; defaults: llama.cpp, llama-vocab.cpp
[[nodiscard]] result<vocabulary> vocabulary_from_gguf(const gguf_file& file);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/vocabulary_from_gguf.inl.hpp"
#endif

#endif
