// Definitions of text/chat_message.hpp.
#ifndef HENCE_TEXT_DETAIL_CHAT_MESSAGE_INL_HPP
#define HENCE_TEXT_DETAIL_CHAT_MESSAGE_INL_HPP

#include "../chat_message.hpp"

HENCE_NAMESPACE_BEGIN

HENCE_INLINE result<std::string> render_chat(const tokenizer& t, std::span<const chat_message> messages, bool add_generation_prompt) {
    if (!HENCE_IS_THERE(text::detail::render_messages))
        return make_error(errc::unsupported, "chat template", "a program that includes <hence/text/chat.hpp> or links hence::compiled",
                          "a program without the interpreter of chat templates");
    return text::detail::render_messages(t, messages, add_generation_prompt);
}

HENCE_NAMESPACE_END

#endif
