// Questions with known answers, for hence eval and hence demo.
//
// game24, arithmetic and mixed (easy sums and puzzles in turn) are always there; gsm8k, svamp and math500 are looked up where the tests look for their data; any
// other name is a file of questions (JSON lines, or a JSON list).
#ifndef HENCE_EXAMPLES_CLI_TASKS_HPP
#define HENCE_EXAMPLES_CLI_TASKS_HPP

#include "common.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tool {

struct problem {
    std::string id;
    std::string question;  ///< the prompt
    std::string direct;    ///< the prompt where the answer is asked for at once
    std::string truth;     ///< the right answer; empty where only a check can tell (Game of 24)
};

struct task {
    std::string name;
    std::vector<problem> problems;
    hence::any_extractor extractor;  ///< finds the answer in a completion
    std::string system;              ///< says to a chat model what the questions are
    std::size_t max_tokens = 256;    ///< of one sample

    /// Whether an answer is right, told by an exact check that knows nothing of the model.
    [[nodiscard]] bool right(const problem& p, std::string_view text, std::string_view value) const;
};

/// @param count  most problems; 0: all there are (of arithmetic, which has no end, 200)
/// @param first  so many are left out at the beginning
[[nodiscard]] task load_task(const std::string& name, std::size_t count, std::size_t first);

/// What the model that ships says of its own accord in place of a solution's steps is no answer to vote for: the steps that
/// an "ok" follows.
[[nodiscard]] std::optional<std::string> claimed_solution(std::string_view completion);

inline constexpr std::string_view task_names = "game24, arithmetic, mixed, gsm8k, svamp, math500 or a file of questions";

}  // namespace tool

#endif
