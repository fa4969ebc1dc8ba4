// chat_message and render_chat: a conversation as the one text that a chat model was trained on.
//
// What interprets the template is text/chat.hpp; a header-only program compiles it only if it includes that header.
#ifndef HENCE_TEXT_CHAT_MESSAGE_HPP
#define HENCE_TEXT_CHAT_MESSAGE_HPP

#include "../core/result.hpp"
#include "tokenizer.hpp"

#include <span>
#include <string>

HENCE_NAMESPACE_BEGIN

/// One turn: role is "system", "user" or "assistant" (or what else the template knows, such as "tool").
struct chat_message {
    std::string role;
    std::string content;
};

/// The prompt for these messages by the model's own template. It holds the begin token where the template
/// writes one: encode it with encode_options{.add_begin_end = false}.
/// @shape none
/// @errors missing: the model has no template; unsupported: a header-only program without <hence/text/chat.hpp>; those of jinja_template: invalid_argument with the template's own
/// words where it refuses the conversation
/// @source the template in the model's file
[[nodiscard]] result<std::string> render_chat(const tokenizer& t, std::span<const chat_message> messages,
                                              bool add_generation_prompt = true);

namespace text::detail {
HENCE_OPTIONAL result<std::string> render_messages(const tokenizer& t, std::span<const chat_message> messages, bool add_generation_prompt);
}  // namespace text::detail

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/chat_message.inl.hpp"
#endif

#endif
