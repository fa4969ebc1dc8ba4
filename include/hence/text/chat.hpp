// render_chat: a conversation as the one text that a chat model was trained on.
#ifndef HENCE_TEXT_CHAT_HPP
#define HENCE_TEXT_CHAT_HPP

#include "../core/result.hpp"
#include "tokenizer.hpp"

#include <span>
#include <string>

HENCE_NAMESPACE_BEGIN

/// One turn: role is "system", "user" or "assistant".
struct chat_message {
    std::string role;
    std::string content;
};

/// The prompt for these messages by the model's own template; with add_generation_prompt it ends where the
/// assistant's answer begins. Encode it with encode_options{.add_begin_end = false} where the template writes
/// the begin token itself.
/// @shape none
/// @errors missing: the model has no template; unsupported: a template that is not ChatML
/// @source OpenAI's ChatML; the template in the model's file
[[nodiscard]] result<std::string> render_chat(const tokenizer& t, std::span<const chat_message> messages,
                                              bool add_generation_prompt = true);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/chat.inl.hpp"
#endif

#endif
