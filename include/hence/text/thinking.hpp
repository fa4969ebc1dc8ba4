// split_thinking: tells what a reasoning model thought from what it answers.
//
// Models write their thinking between tags, first thing in their turn. Some templates open the tag themselves,
// at the end of the prompt; some answers end (a budget, a context) before the tag is closed.
#ifndef HENCE_TEXT_THINKING_HPP
#define HENCE_TEXT_THINKING_HPP

#include "../config.hpp"

#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// What a model puts around its thinking.
struct thinking_tags {
    std::string open = "<think>";
    std::string close = "</think>";
};

/// The tags that a chat template itself writes or looks for; <think> and </think> where it names none that are known.
/// @shape none
/// @errors none
/// @source the published templates of Qwen 3, DeepSeek R1, QwQ, SmolLM3, GLM, Granite, Command A, Magistral, Seed
[[nodiscard]] thinking_tags thinking_tags_of(std::string_view chat_template);

/// Whether a prompt ends inside thinking: the template opened the tag and did not close it.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] bool prompt_opens_thinking(std::string_view prompt, const thinking_tags& tags = {});

struct thinking_split {
    std::string thinking;  ///< what stands between the tags, without whitespace at its ends; "" where there is none
    std::string text;      ///< the answer, without whitespace at its beginning
    bool finished = true;  ///< false where thinking was begun and not closed: then all is thinking
};

/// Splits what a model wrote. `opened`: the prompt ended inside thinking (prompt_opens_thinking). A closing tag
/// without an opening one ends thinking too: some models leave out what their template wrote for them.
/// @shape none
/// @errors none
/// @cost O(n)
/// @source none
[[nodiscard]] thinking_split split_thinking(std::string_view text, bool opened = false, const thinking_tags& tags = {});

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/thinking.inl.hpp"
#endif

#endif
