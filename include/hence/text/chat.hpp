// render_chat with all that a template may be given: variables, the time, messages with tools.
//
// chat_message.hpp declares the form that most programs need. A header-only program that uses chat models includes this
// header, which brings the interpreter (three seconds of compile time). The template is the one in the model's file, interpreted by text/jinja.hpp. What the model then writes may
// begin with its thinking: text/thinking.hpp tells that apart from the answer.
#ifndef HENCE_TEXT_CHAT_HPP
#define HENCE_TEXT_CHAT_HPP

#include "../core/result.hpp"
#include "chat_message.hpp"
#include "jinja.hpp"
#include "tokenizer.hpp"

#include <span>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

struct chat_options {
    bool add_generation_prompt = true;  ///< end where the assistant's answer begins
    std::string begin_token{};          ///< bos_token in the template
    std::string end_token{};            ///< eos_token in the template
    jinja_value variables{};            ///< further variables (a dictionary): tools, documents, enable_thinking, ...
    jinja_options run{};                ///< the time for strftime_now, limits
};

/// As render_chat of chat_message.hpp, with further variables for the template; empty begin and end tokens are the tokenizer's.
/// @shape none
/// @errors missing: the model has no template; those of jinja_template
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
