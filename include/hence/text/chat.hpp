// render_chat: a conversation as the one text that a chat model was trained on.
//
// The template is the one in the model's file, interpreted by text/jinja.hpp. What the model then writes may
// begin with its thinking: text/thinking.hpp tells that apart from the answer.
#ifndef HENCE_TEXT_CHAT_HPP
#define HENCE_TEXT_CHAT_HPP

#include "../core/result.hpp"
#include "jinja.hpp"
#include "tokenizer.hpp"

#include <span>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// One turn: role is "system", "user" or "assistant" (or what else the template knows, such as "tool").
struct chat_message {
    std::string role;
    std::string content;
};

struct chat_options {
    bool add_generation_prompt = true;  ///< end where the assistant's answer begins
    std::string begin_token{};          ///< bos_token in the template
    std::string end_token{};            ///< eos_token in the template
    jinja_value variables{};            ///< further variables (a dictionary): tools, documents, enable_thinking, ...
    jinja_options run{};                ///< the time for strftime_now, limits
};

/// The prompt for these messages by the model's own template. It holds the begin token where the template
/// writes one: encode it with encode_options{.add_begin_end = false}.
/// @shape none
/// @errors missing: the model has no template; those of jinja_template: invalid_argument with the template's own
/// words where it refuses the conversation
/// @source the template in the model's file
[[nodiscard]] result<std::string> render_chat(const tokenizer& t, std::span<const chat_message> messages,
                                              bool add_generation_prompt = true);

/// The same with further variables for the template; empty begin and end tokens are the tokenizer's.
/// @shape none
/// @errors as above
/// @source the template in the model's file
[[nodiscard]] result<std::string> render_chat(const tokenizer& t, const jinja_value& messages, const chat_options& options);

/// A template without a model: messages is a list of dictionaries, as in JSON files.
/// @shape none
/// @errors those of jinja_template
/// @source the template
[[nodiscard]] result<std::string> render_chat(std::string_view source, const jinja_value& messages, const chat_options& options);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/chat.inl.hpp"
#endif

#endif
