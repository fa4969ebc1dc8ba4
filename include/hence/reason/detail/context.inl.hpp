// Definitions of reason/context.hpp.
#ifndef HENCE_REASON_DETAIL_CONTEXT_INL_HPP
#define HENCE_REASON_DETAIL_CONTEXT_INL_HPP

#include "../context.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE std::string detail::plain_prompt(std::string_view question, const prompt_parts& parts, bool end_line) {
    std::string text;
    const auto ask = [&](std::string_view asked) {
        text.append(asked);
        if (end_line && !asked.ends_with('\n')) text += '\n';
        if (!parts.instruction.empty()) {
            text.append(parts.instruction);
            if (end_line && !parts.instruction.ends_with('\n')) text += '\n';
        }
    };
    for (const auto& [asked, answered] : parts.examples) {
        ask(asked);
        text.append(answered);
        text.append(answered.ends_with('\n') ? "\n" : "\n\n");
    }
    ask(question);
    return text;
}

HENCE_INLINE std::string detail::fill(std::string_view text,
                                      std::span<const std::pair<std::string_view, std::string_view>> values) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t close = text[at] == '{' ? text.find('}', at) : std::string_view::npos;
        const auto name = close == std::string_view::npos ? std::string_view{} : text.substr(at + 1, close - at - 1);
        const auto known = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
        if (close == std::string_view::npos || known == values.end()) {
            out += text[at++];
            continue;
        }
        out.append(known->second);
        at = close + 1;
    }
    return out;
}

HENCE_INLINE void detail::split_thinking(std::string& text, std::string& thinking, const thinking_tags& tags, bool opened) {
    thinking_split parts = hence::split_thinking(text, opened, tags);
    text = std::move(parts.text);
    thinking = std::move(parts.thinking);
}

HENCE_INLINE std::int64_t detail::saved_tokens(const std::vector<candidate>& candidates, std::int64_t never_begun) {
    std::int64_t finished = 0;
    std::int64_t finished_tokens = 0;
    for (const candidate& c : candidates)
        if (c.finish != finish_reason::cancelled && c.finish != finish_reason::budget) {
            ++finished;
            finished_tokens += c.tokens;
        }
    if (finished == 0) return 0;
    const std::int64_t mean = finished_tokens / finished;
    std::int64_t saved = mean * never_begun;
    for (const candidate& c : candidates)
        if (c.finish == finish_reason::cancelled) saved += std::max<std::int64_t>(0, mean - c.tokens);
    return saved;
}

HENCE_NAMESPACE_END

#endif
