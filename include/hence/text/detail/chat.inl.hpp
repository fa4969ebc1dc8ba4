// Definitions of text/chat.hpp.
#ifndef HENCE_TEXT_DETAIL_CHAT_INL_HPP
#define HENCE_TEXT_DETAIL_CHAT_INL_HPP

#include "../chat.hpp"
#include "jinja_value.hpp"

HENCE_NAMESPACE_BEGIN

HENCE_INLINE result<std::string> render_chat(std::string_view source, const jinja_value& messages, const chat_options& options) {
    HENCE_TRY_ASSIGN(parsed, jinja_template::parse(source));
    auto variables = std::make_shared<jinja_dict>();
    variables->set("messages", messages);
    variables->set("add_generation_prompt", jinja_value(options.add_generation_prompt));
    if (!options.begin_token.empty()) variables->set("bos_token", jinja_value(options.begin_token));
    if (!options.end_token.empty()) variables->set("eos_token", jinja_value(options.end_token));
    if (const jinja_dict* const further = text::detail::dict_in(options.variables))
        for (const auto& [key, v] : further->entries) variables->set(key, v);
    return parsed.render(jinja_value(jinja_value::storage(std::move(variables))), options.run);
}

HENCE_INLINE result<std::string> render_chat(const tokenizer& t, const jinja_value& messages, const chat_options& options) {
    if (t.chat_template().empty()) return make_error(errc::missing, "chat template", "one in the model's file", "none");
    chat_options filled = options;
    const auto name = [&](token_id id) { return id == no_token ? std::string() : t.vocabulary().tokens[static_cast<std::size_t>(id)]; };
    if (filled.begin_token.empty()) filled.begin_token = name(t.begin());
    if (filled.end_token.empty()) filled.end_token = name(t.end());
    return render_chat(t.chat_template(), messages, filled);
}

namespace text::detail {

HENCE_OPTIONAL result<std::string> render_messages(const tokenizer& t, std::span<const chat_message> messages, bool add_generation_prompt) {
    std::vector<jinja_value> list;
    for (const chat_message& message : messages) list.push_back(jinja_value::dict({{"role", message.role}, {"content", message.content}}));
    chat_options options;
    options.add_generation_prompt = add_generation_prompt;
    return render_chat(t, jinja_value::list(std::move(list)), options);
}

}  // namespace text::detail

HENCE_NAMESPACE_END

#endif
