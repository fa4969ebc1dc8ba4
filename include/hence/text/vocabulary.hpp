// vocabulary: what a file says about its tokenizer, in no file's format.
//
// Readers fill it (GGUF metadata: models/vocabulary_from_gguf.hpp; tokenizer.json: text/tokenizer_json.hpp) and
// tokenizer::make() turns it into a tokenizer. It is plain data and checks nothing itself.
#ifndef HENCE_TEXT_VOCABULARY_HPP
#define HENCE_TEXT_VOCABULARY_HPP

#include "../core/types.hpp"
#include "steps.hpp"

#include <cstdint>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// Values of vocabulary::types; the numbers are GGUF's.
enum class token_type : std::int32_t {
    undefined = 0,
    normal = 1,
    unknown = 2,       ///< stands for what the vocabulary cannot spell
    control = 3,       ///< special: found in text only where special tokens are asked for, not printed
    user_defined = 4,  ///< found in text before anything else, printed
    unused = 5,
    byte = 6,  ///< <0x00> ... <0xFF>: one byte of a character that has no token
};

/// A token that is looked for in the text itself, before any cutting, beside those that types tell.
struct added_token {
    token_id id = no_token;
    bool special = true;        ///< not printed, and found only where special tokens are asked for
    bool strip_left = false;    ///< takes the whitespace before it
    bool strip_right = false;   ///< takes the whitespace after it
    bool single_word = false;   ///< only where no letter, digit or underscore touches it
    bool normalized = false;    ///< looked for in the normalised text
};

struct vocabulary {
    /// "gpt2": byte-level BPE; "llama": SentencePiece BPE; "t5": SentencePiece unigram; "bert": WordPiece. Described
    /// part by part, with the steps below: "bpe" (over characters), "unigram", "wordpiece", "wordlevel".
    std::string model{};
    /// The pre-tokenizer of the gpt2 model, by GGUF's name for it.
    std::string pre{};

    std::vector<std::string> tokens{};    ///< by id, as the file spells them (gpt2: in GPT-2's byte alphabet)
    std::vector<float> scores{};          ///< llama, t5: by id; empty where the model has none
    std::vector<double> exact_scores{};   ///< unigram: the same where a file has more digits; equal sums are told apart by them
    std::vector<std::int32_t> types{};    ///< token_type by id; empty: all normal
    std::vector<std::string> merges{};    ///< gpt2, bpe: "left right", earliest first; NUL between parts that hold spaces
    std::vector<added_token> added{};     ///< further tokens to look for in the text, or flags of those that types tell

    token_id begin = no_token;
    token_id end = no_token;
    token_id unknown = no_token;
    token_id separator = no_token;
    token_id padding = no_token;
    token_id mask = no_token;
    token_id end_of_turn = no_token;
    std::vector<token_id> also_end{};  ///< further ids that end a generation

    bool add_begin = false;      ///< encode() puts `begin` first
    bool add_end = false;        ///< encode() puts `end` last
    bool add_separator = false;  ///< encode() puts `separator` last (bert)
    bool add_space_prefix = true;            ///< llama, t5: a space before the text
    bool remove_extra_whitespaces = false;   ///< t5: runs of spaces become one, those at the ends go
    bool escape_whitespaces = true;          ///< llama, t5: a space is U+2581 in the tokens
    bool whitespace_suffix = false;          ///< t5: the space mark stands after a word, not before it
    bool byte_fallback = false;              ///< bpe, unigram: unknown characters become byte tokens
    bool fuse_unknown = false;               ///< bpe: neighbouring unknown characters become one unknown token
    bool whole_piece_first = false;          ///< gpt2, bpe: a whole piece that is a token is taken without merging
    bool lowercase = true;                   ///< bert
    bool strip_accents = true;               ///< bert
    std::string precompiled_charsmap{};        ///< t5: SentencePiece's normalisation rules, as the file holds them

    std::string continuing_prefix{};         ///< wordpiece, bpe: what tokens inside a word begin with, such as "##"
    std::string word_suffix{};               ///< bpe: what the last token of a word ends with, such as "</w>"
    std::uint32_t max_word_characters = 0;   ///< wordpiece: longer words are unknown; 0: no limit

    // Described part by part: empty where `model` and `pre` say it all.
    bool by_steps = false;
    std::vector<text::normalize_step> normalization{};
    std::vector<text::cut_step> cuts{};
    std::vector<text::print_step> printing{};
    std::vector<token_id> before{};  ///< what encode() puts first, where `add_...` do not say it
    std::vector<token_id> after{};   ///< what encode() puts last

    std::string chat_template{};
};

HENCE_NAMESPACE_END

#endif
