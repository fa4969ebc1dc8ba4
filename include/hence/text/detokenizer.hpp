// streaming_detokenizer: the text of tokens as they come, never half a character.
//
// A token may end inside a UTF-8 character; its bytes wait until the character is whole. What can never become
// one is given as U+FFFD, so the stream is valid UTF-8 whatever the tokens are. The bytes as they are:
// tokenizer::decode().
#ifndef HENCE_TEXT_DETOKENIZER_HPP
#define HENCE_TEXT_DETOKENIZER_HPP

#include "tokenizer.hpp"

#include <string>

HENCE_NAMESPACE_BEGIN

class streaming_detokenizer {
public:
    /// The options' `beginning` is false here: what a model generates goes on after a prompt.
    /// @shape none
    /// @errors none
    /// @source none
    explicit streaming_detokenizer(tokenizer t, decode_options options = {.special = false, .beginning = false})
        : tokenizer_(std::move(t)), options_(options) {}

    /// The text that this token completes; empty while a character is still open.
    /// @shape none
    /// @errors contract: an id outside the vocabulary
    /// @source none
    std::string push(token_id id);

    /// What is left when no token follows: U+FFFD for an open character. The object can be used again after.
    /// @shape none
    /// @errors none
    /// @source none
    std::string finish();

private:
    tokenizer tokenizer_;
    decode_options options_;
    std::string open_;
    bool begun_ = false;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/detokenizer.inl.hpp"
#endif

#endif
