// Opens models as training frameworks publish them: a folder with config.json, safetensors and tokenizer.json.
//
// Include it in one file of a header-only program that opens such folders; load() then finds it. It is kept out of
// hence.hpp because it reads JSON, which costs compile time; hence::compiled has it inside. The families are
// data (detail/huggingface_families.hpp), one row for each, over the same decoder that runs GGUF files.
#ifndef HENCE_MODELS_HUGGINGFACE_HPP
#define HENCE_MODELS_HUGGINGFACE_HPP

#include "../core/result.hpp"
#include "../io/hf_config.hpp"
#include "../text/vocabulary.hpp"
#include "decoder.hpp"
#include "decoder_config.hpp"

#include <string>

HENCE_NAMESPACE_BEGIN

namespace models {

/// The model_type of every family that can be loaded, in one line, for error messages.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string supported_model_types();

/// A decoder's configuration from a config.json; `name` stands for it in errors.
/// @shape none
/// @errors unsupported: a model_type, activation, kind of rope scaling or option that is not known, or quantized
/// weights; out_of_range: sizes; all that are found
/// @source huggingface/transformers, the modelling files of the families
[[nodiscard]] result<decoder_config> read_config(const hf_config& config, const std::string& name);

}  // namespace models

/// The tokenizer that a folder describes: tokenizer.json, tokenizer_config.json, generation_config.json, and the chat
/// template in chat_template.jinja, chat_template.json or tokenizer_config.json, in this order.
/// @shape none
/// @errors file_not_found: no tokenizer.json; those of vocabulary_from_json
/// @source none
[[nodiscard]] result<vocabulary> vocabulary_from_folder(const std::string& folder);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/huggingface.inl.hpp"
#endif

#endif
