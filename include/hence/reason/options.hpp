// reason_options: what all strategies share, apart from the budget.
#ifndef HENCE_REASON_OPTIONS_HPP
#define HENCE_REASON_OPTIONS_HPP

#include "../generate/budget.hpp"
#include "../generate/events.hpp"
#include "../generate/sampling.hpp"
#include "detail/callable.hpp"
#include "extractor.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// How a question becomes a prompt.
enum class prompt_format : std::uint8_t {
    automatic,  ///< chat where the tokenizer has a chat template, else line
    raw,        ///< the question as it is
    line,       ///< the question, with a newline after it if it has none
    chat,       ///< the tokenizer's chat template, the question being the user's message
};

/// A piece of a running sample's text.
struct text_piece {
    std::size_t sample = 0;   ///< which of the branches that run side by side
    std::string_view text;    ///< whole characters; valid during the call
    finish_reason finish = finish_reason::none;  ///< set on the sample's last piece
};

struct reason_options {
    std::uint64_t seed = 0;               ///< the one source of randomness of a run
    hence::sampling sampling = {};        ///< strategies that draw several samples set the temperature themselves
    std::size_t max_tokens = 256;         ///< of one sample, step or attempt
    std::vector<std::string> stop = {};   ///< further strings that end a completion
    prompt_format format = prompt_format::automatic;
    std::string system = {};              ///< the system message, where the format is chat
    any_extractor extractor = {};         ///< finds the answer in a completion
    callable<void(const text_piece&)> on_text = {};  ///< hears each sample's text as it grows
    const std::atomic<bool>* cancel = nullptr;       ///< set from any thread: the run ends with its best answer
    bool trace = false;                   ///< record answer::trace
    std::vector<cut_position> cuts = {};  ///< ends these branches there, as a budget did in the run that replay() repeats
};

HENCE_NAMESPACE_END

#endif
