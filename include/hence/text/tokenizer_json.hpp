// vocabulary_from_json: the tokenizer that a model folder's JSON files describe, as plain data.
//
// tokenizer.json says how text becomes ids (normaliser, pre-tokenizer, model, post-processor, decoder); the files
// beside it name the begin and end tokens and hold the chat template. Every component that is not known is
// refused by name: nothing is replaced by something similar.
#ifndef HENCE_TEXT_TOKENIZER_JSON_HPP
#define HENCE_TEXT_TOKENIZER_JSON_HPP

#include "../core/result.hpp"
#include "vocabulary.hpp"

#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// The contents of a folder's files; all but the first may be empty.
struct tokenizer_files {
    std::string_view tokenizer_json;
    std::string_view tokenizer_config_json{};
    std::string_view generation_config_json{};
    std::string_view chat_template_jinja{};
    std::string name = "tokenizer.json";  ///< for error messages
};

/// @shape none
/// @errors bad_format: not JSON, or a field of the wrong type or value (named with its path); missing: a field;
/// unsupported: a component, model or option that is not known, by name
/// @source Hugging Face tokenizers' file format
[[nodiscard]] result<vocabulary> vocabulary_from_json(const tokenizer_files& files);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/step_runner.inl.hpp"
#include "detail/tokenizer_json.inl.hpp"
#endif

#endif
