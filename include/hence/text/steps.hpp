// The steps of a tokenizer that is described part by part (tokenizer.json), as plain data.
//
// A text goes through the normalisation steps, is cut by the cutting steps, and each piece goes to the model;
// printing steps say how tokens become text again. text/pipeline.hpp runs them.
#ifndef HENCE_TEXT_STEPS_HPP
#define HENCE_TEXT_STEPS_HPP

#include "../config.hpp"

#include <cstdint>
#include <string>

HENCE_NAMESPACE_BEGIN
namespace text {

struct normalize_step {
    enum class kind : std::uint8_t {
        nfc,
        nfd,
        nfkc,
        nfkd,
        lowercase,
        strip,          ///< whitespace at the ends: left, right
        strip_accents,  ///< combining marks (Mn) go
        replace,        ///< find (literal, or a pattern) becomes put
        prepend,        ///< put before a text that is not empty
        bert,           ///< clean, separate_chinese, accents, lower
        charsmap,       ///< SentencePiece's rules: put holds the block
        byte_alphabet,  ///< bytes become GPT-2's characters
        nmt,            ///< control characters go, odd spaces become spaces
    };
    kind what = kind::nfc;
    std::string find{};
    std::string put{};
    bool is_pattern = false;
    bool left = true;
    bool right = true;
    bool clean = true;
    bool separate_chinese = true;
    bool accents = true;
    bool lower = true;
};

/// What becomes of the text that a cutting step finds.
enum class split_behavior : std::uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };

struct cut_step {
    enum class kind : std::uint8_t {
        split,             ///< at find (literal, or a pattern)
        byte_level,        ///< GPT-2's pattern (use_pattern), then GPT-2's byte alphabet
        metaspace,         ///< spaces become put, which also stands before the text (where `prepend` says); words are cut
        whitespace,        ///< words (\w+) and other runs; whitespace is dropped
        whitespace_split,  ///< at whitespace, which is dropped
        digits,            ///< each digit alone (individual) or runs of them
        punctuation,
        bert,  ///< words and single punctuation characters; whitespace is dropped
    };
    enum class place : std::uint8_t { always, first, never };
    kind what = kind::split;
    std::string find{};
    std::string put{};
    bool is_pattern = false;
    bool invert = false;
    split_behavior behavior = split_behavior::isolated;
    bool prefix_space = false;
    bool use_pattern = true;
    bool individual = false;
    bool cut_words = true;
    place prepend = place::always;
};

struct print_step {
    enum class kind : std::uint8_t {
        byte_level,     ///< GPT-2's characters become bytes
        metaspace,      ///< find becomes a space; those of a text's first token are dropped (drop_first)
        wordpiece,      ///< a space before each token that does not begin with find
        byte_fallback,  ///< <0x0A> becomes that byte
        replace,        ///< find becomes put
        suffix,         ///< find at the end of a token becomes a space
        drop_first,     ///< a space at the beginning of a text is dropped
        spaced,         ///< a space between tokens: what no decoder at all means
    };
    kind what = kind::byte_level;
    std::string find{};
    std::string put{};
    bool cleanup = false;
    bool drop_first = true;
};

}  // namespace text
HENCE_NAMESPACE_END

#endif
