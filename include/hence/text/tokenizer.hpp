// tokenizer: text to token ids and back.
//
// One class for every kind of vocabulary: byte-level BPE with the published pre-tokenizers, SentencePiece BPE
// and unigram, WordPiece. It is made from a `vocabulary`; who reads that from which file is elsewhere
// (models/vocabulary_from_gguf.hpp, text/tokenizer_json.hpp). Chat templates: text/chat.hpp.
#ifndef HENCE_TEXT_TOKENIZER_HPP
#define HENCE_TEXT_TOKENIZER_HPP

#include "../core/result.hpp"
#include "../core/types.hpp"
#include "vocabulary.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

struct encode_options {
    bool special = true;        ///< special tokens written in the text count as such
    bool add_begin_end = true;  ///< what the vocabulary asks for: begin, end, separator
};

struct decode_options {
    bool special = false;   ///< print special tokens too
    bool beginning = true;  ///< the ids are a text from its beginning: the space that encode() puts before it is taken off
};

namespace text {
struct tokenizer_state;
}

/// Cheap to copy (the state is shared and const) and safe to use from any number of threads.
class tokenizer {
public:
    /// @shape none
    /// @errors unsupported: the model or pre-tokenizer is not known (the error lists those that are); mismatch,
    /// out_of_range, bad_format: ids outside the vocabulary, tables of different lengths, tokens that occur twice,
    /// merges of parts that nothing makes
    /// @source none
    [[nodiscard]] static result<tokenizer> make(hence::vocabulary v);

    /// The ids of a text.
    /// @shape none
    /// @errors out_of_range: a text of 4 GiB or more; missing: a byte that the vocabulary cannot spell
    /// @cost O(n log n), whatever the text; ill-formed UTF-8 is encoded as the bytes it is
    /// @threads re-entrant
    /// @source see text/bpe.hpp, text/unigram.hpp, text/wordpiece.hpp
    [[nodiscard]] result<std::vector<token_id>> encode(std::string_view text, encode_options options = {}) const;

    /// The text of ids, byte for byte (it may end, or begin, inside a character).
    /// @shape none
    /// @errors contract: an id outside the vocabulary
    /// @threads re-entrant
    /// @source none
    [[nodiscard]] std::string decode(std::span<const token_id> ids, decode_options options = {}) const;

    /// The bytes a token stands for when printed: "" for special tokens. The view lives as long as a copy of
    /// this tokenizer.
    /// @shape none
    /// @errors contract: an id outside the vocabulary
    /// @source none
    [[nodiscard]] std::string_view bytes(token_id id) const;

    /// The same, and the vocabulary's own spelling for special tokens.
    /// @shape none
    /// @errors contract: an id outside the vocabulary
    /// @source none
    [[nodiscard]] std::string_view bytes_or_name(token_id id) const;

    /// How many tokens there are; ids are below it.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t size() const noexcept;

    /// @shape none
    /// @errors none; no_token where the vocabulary has none
    /// @source none
    [[nodiscard]] token_id begin() const noexcept;
    /// @shape none
    /// @errors none; no_token where the vocabulary has none
    /// @source none
    [[nodiscard]] token_id end() const noexcept;

    /// Whether this token ends a generation: end, end_of_turn and what else the vocabulary lists.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool is_end(token_id id) const noexcept;

    /// Whether this token is a control or unknown token: not printed.
    /// @shape none
    /// @errors none; false outside the vocabulary
    /// @source none
    [[nodiscard]] bool is_special(token_id id) const noexcept;

    /// The id of an exact vocabulary entry, as the vocabulary spells it.
    /// @shape none
    /// @errors none; empty where there is none
    /// @source none
    [[nodiscard]] std::optional<token_id> find(std::string_view token_text) const;

    /// @shape none
    /// @errors none; "" where the file has none
    /// @source none
    [[nodiscard]] const std::string& chat_template() const noexcept;

    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] const hence::vocabulary& vocabulary() const noexcept;

private:
    explicit tokenizer(std::shared_ptr<const text::tokenizer_state> state) : state_(std::move(state)) {}
    std::shared_ptr<const text::tokenizer_state> state_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/tokenizer.inl.hpp"
#endif

#endif
