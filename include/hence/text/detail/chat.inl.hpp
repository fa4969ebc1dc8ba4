// Definitions of text/chat.hpp.
#ifndef HENCE_TEXT_DETAIL_CHAT_INL_HPP
#define HENCE_TEXT_DETAIL_CHAT_INL_HPP

#include "../chat.hpp"

#include <string_view>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE result<std::string> render_chat(const tokenizer& t, std::span<const chat_message> messages,
                                             bool add_generation_prompt) {
    const std::string_view source = t.chat_template();
    constexpr std::string_view opening = "<|im_start|>system\n";  // as GGUF's writers leave it, unescaped
    if (source.empty()) return make_error(errc::missing, "chat template", "tokenizer.chat_template in the model's file", "none");
    if (source.find("<|im_start|>") == std::string_view::npos || source.find("<|im_end|>") == std::string_view::npos)
        return make_error(errc::unsupported, "chat template", "ChatML (<|im_start|> and <|im_end|>)", "another format");
    std::string out;
    const auto turn = [&](std::string_view role, std::string_view content) {
        ((((out += "<|im_start|>") += role) += "\n") += content) += "<|im_end|>\n";
    };
    if (messages.empty() || messages[0].role != "system") {  // the maker's own system text, if the template has one
        const std::size_t at = source.find(opening);
        const std::size_t end = at == std::string_view::npos ? at : source.find("<|im_end|>", at);
        if (end != std::string_view::npos) {
            const std::string_view text = source.substr(at + opening.size(), end - at - opening.size());
            if (text.find_first_of("{}'\"") == std::string_view::npos) turn("system", text);
        }
    }
    for (const chat_message& message : messages) turn(message.role, message.content);
    if (add_generation_prompt) out += "<|im_start|>assistant\n";
    return out;
}

HENCE_NAMESPACE_END

#endif
