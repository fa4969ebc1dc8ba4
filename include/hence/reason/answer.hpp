// answer: what a strategy hands back, with everything needed to judge it and to account for it.
#ifndef HENCE_REASON_ANSWER_HPP
#define HENCE_REASON_ANSWER_HPP

#include "../generate/account.hpp"
#include "../generate/budget.hpp"
#include "../generate/events.hpp"
#include "votes.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// One sample, leaf or attempt that a strategy looked at.
struct candidate {
    std::size_t sample = 0;        ///< its place in the strategy's order, which the tie rule goes by
    std::string text;              ///< the completion
    std::string value;             ///< the answer found in it, as written; empty when none was found
    std::string canonical;         ///< the answer's canonical form, which votes are counted by
    std::optional<double> score = {};  ///< what the strategy's scorer said, or its weight in the vote
    std::int64_t tokens = 0;       ///< tokens after the prompt
    finish_reason finish = finish_reason::none;
    std::size_t node = 0;          ///< its node in answer::trace; 0 when nothing is recorded
    [[nodiscard]] bool parsed() const noexcept { return !canonical.empty(); }
};

/// One node of the tree that a strategy grew; recorded when reason_options::trace is set.
struct trace_node {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t parent = none;
    std::string kind;   ///< "question", "sample", "step", "probe", "forced", ...
    std::string text;   ///< what this node adds to its parent's text
    std::optional<double> score = {};
    std::int64_t tokens = 0;
    double seconds = 0;     ///< since the run began
    std::string why;        ///< why it ended, or was kept or dropped
    std::uint64_t stream = 0;
    bool chosen = false;    ///< on the way to the answer
};

struct answer {
    std::string text;      ///< the chosen completion; empty when there is none
    std::string value;     ///< the answer found in it, as written; empty when none was found
    std::string canonical; ///< its canonical form
    std::string thinking;  ///< what stood between thinking tags, which `text` then leaves out
    double confidence = std::numeric_limits<double>::quiet_NaN();  ///< the winner's share or score; NaN: unknown
    bool cut = false;      ///< the budget ended before the strategy was done
    std::string why;       ///< why it stopped where it did
    std::vector<candidate> candidates;  ///< all that were looked at, by sample
    std::vector<vote> votes;            ///< best first; empty for strategies that do not vote
    double parse_rate = 1;              ///< the share of voting samples in which an answer was found
    std::int64_t cancelled_branches = 0;  ///< stopped, or never begun, because they could not matter
    std::int64_t saved_tokens = 0;        ///< what these would have cost at the mean length of the others
    hence::account account;      ///< what this run has cost
    double seconds = 0;          ///< wall time of this run
    std::vector<cut_position> cuts;  ///< the branches that a budget ended, and where
    std::uint64_t replay_hash = 0;  ///< equal for equal runs: see reasoning_engine::replay_hash()
    std::vector<trace_node> trace;  ///< with reason_options::trace; node 0 is the question

    [[nodiscard]] bool found() const noexcept { return !value.empty(); }
};

HENCE_NAMESPACE_END

#endif
