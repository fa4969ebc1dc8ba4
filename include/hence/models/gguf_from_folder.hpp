// gguf_from_folder: a model folder (config.json, safetensors, tokenizer.json) as a GGUF file.
//
// For what takes GGUF: `hence quantize`, `hence prune` and other engines. Weights keep their numbers and types; what the two
// kinds of file store differently is rearranged as other converters do it (Llama's query and key rows, norms in f32, unused
// rows of the vocabulary). What a GGUF file has no key for is refused, never dropped: the configuration that the new file
// gives is compared with the folder's. Optional in header-only programs, as models/huggingface.hpp.
#ifndef HENCE_MODELS_GGUF_FROM_FOLDER_HPP
#define HENCE_MODELS_GGUF_FROM_FOLDER_HPP

#include "../core/result.hpp"

#include <cstddef>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// The folder's model as the bytes of a GGUF file, for gguf_file::from_bytes.
/// @shape none
/// @errors those of load_folder; unsupported: a tokenizer that is no byte-level BPE with a cut that GGUF has a name for, or a
///         part of the configuration that a GGUF file cannot say
/// @cost memory: all weights
/// @source the GGUF specification; names and rearrangements as ggml-org/llama.cpp's converter
[[nodiscard]] result<std::vector<std::byte>> gguf_from_folder(const std::string& path);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/gguf_from_folder.inl.hpp"
#endif

#endif
