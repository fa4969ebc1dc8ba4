// Definitions of text/thinking.hpp.
#ifndef HENCE_TEXT_DETAIL_THINKING_INL_HPP
#define HENCE_TEXT_DETAIL_THINKING_INL_HPP

#include "../thinking.hpp"

HENCE_NAMESPACE_BEGIN
namespace text::detail {

inline constexpr std::string_view known_tags[][2] = {
    {"<think>", "</think>"},
    {"<|START_THINKING|>", "<|END_THINKING|>"},
    {"[THINK]", "[/THINK]"},
    {"<seed:think>", "</seed:think>"},
    {"<thinking>", "</thinking>"},
    {"<thought>", "</thought>"},
    {"<reasoning>", "</reasoning>"},
    {"<|channel|>analysis<|message|>", "<|channel|>final<|message|>"},
};

inline std::string_view without_spaces(std::string_view text, bool right) {
    constexpr std::string_view spaces = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(spaces);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    return right ? text.substr(0, text.find_last_not_of(spaces) + 1) : text;
}

}  // namespace text::detail

HENCE_INLINE thinking_tags thinking_tags_of(std::string_view chat_template) {
    for (const auto& [open, close] : text::detail::known_tags)
        if (chat_template.find(close) != std::string_view::npos) return {std::string(open), std::string(close)};
    return {};
}

HENCE_INLINE bool prompt_opens_thinking(std::string_view prompt, const thinking_tags& tags) {
    const std::size_t open = prompt.rfind(tags.open);
    if (tags.open.empty() || open == std::string_view::npos) return false;
    return text::detail::without_spaces(prompt.substr(open + tags.open.size()), true).empty();
}

HENCE_INLINE thinking_split split_thinking(std::string_view text, bool opened, const thinking_tags& tags) {
    using hence::text::detail::without_spaces;
    std::string_view rest = without_spaces(text, false);
    const bool opens = !tags.open.empty() && rest.substr(0, tags.open.size()) == tags.open;
    if (opens) rest.remove_prefix(tags.open.size());
    const std::size_t close = tags.close.empty() ? std::string_view::npos : rest.find(tags.close);
    if (close == std::string_view::npos) {
        if (opens || opened) return {std::string(without_spaces(rest, true)), {}, false};
        return {{}, std::string(text), true};
    }
    // A tag that the answer only mentions is not the end of thinking that never began.
    if (!opens && !opened && rest.substr(0, close).find(tags.open) != std::string_view::npos) return {{}, std::string(text), true};
    return {std::string(without_spaces(rest.substr(0, close), true)), std::string(without_spaces(rest.substr(close + tags.close.size()), false)), true};
}

HENCE_NAMESPACE_END

#endif
