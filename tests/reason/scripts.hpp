// Scripts and helpers that the tests of strategies share.
#ifndef HENCE_TESTS_REASON_SCRIPTS_HPP
#define HENCE_TESTS_REASON_SCRIPTS_HPP

#include "hence/reason/scripted_engine.hpp"

#include <string>
#include <utility>
#include <vector>

namespace hence_test {

/// "sum: 20+22": right with probability `right`, else one of two wrong answers; chains of several lines.
inline hence::script sums(double right = 0.6) {
    return hence::script_table({{"sum: 20+22\n",
                                 {.completions = {{"20+22=42\nanswer 42", right, true},
                                                  {"20+22=41\nanswer 41", (1 - right) * 0.7, true},
                                                  {"2+2=4\n0+2=2\nanswer 24", (1 - right) * 0.3, true}}}}});
}

/// A recording: the i-th sample says answers[i].
inline hence::script recorded(const std::vector<std::string>& answers, const std::string& prompt = "q\n") {
    hence::script_reply reply;
    reply.in_order = true;
    for (const std::string& a : answers) reply.completions.push_back({a, 1, true});
    return hence::script_table({{prompt, std::move(reply)}});
}

}  // namespace hence_test

#endif
