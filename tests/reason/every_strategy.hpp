// One of each strategy, and a script in which all of them have something to do. For tests that go through every strategy.
#ifndef HENCE_TESTS_REASON_EVERY_STRATEGY_HPP
#define HENCE_TESTS_REASON_EVERY_STRATEGY_HPP

#include "hence/reason/registry.hpp"
#include "hence/reason/scripted_engine.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hence_test {

/// One of each strategy, in forms that reach all of their parts.
inline std::vector<std::string> every_strategy() {
    std::vector<std::string> list;
    for (const std::string& name : hence::strategy_names())
        if (name != "fallback" && name != "mixture") list.push_back(name);
    for (const char* more : {"direct:answer_prefix=answer ",
                             "chain_of_thought:answer_prefix=\\nanswer ,thought_prefix=So: ",
                             "self_consistency:samples=8,vote=confidence",
                             "self_consistency:samples=8,vote=borda,scorer=self_certainty",
                             "self_consistency:samples=8,vote=weighted,scorer=p_true",
                             "self_consistency:samples=4,universal=true",
                             "best_of_n:scorer=forced_answer,samples=4",
                             "self_consistency:samples=5,answer_prefix=\\nanswer ",
                             "adaptive_consistency:dirichlet=true,window=1",
                             "early_stopping_self_consistency:window=3,samples=7",
                             "deep_confidence:samples=20,warmup=4,window=4,top_k=2,batch=4",
                             "deep_confidence:online=false,samples=8,how=tail,window=3",
                             "best_of_n:scorer=arithmetic,enough=1,window=2",
                             "best_of_n:scorer=check_calculation",
                             "step_beam:beams=4,width=2,scorer=p_true",
                             "step_beam:beams=3,width=4,steps=2",
                             "diverse_verifier_tree_search:subtrees=2,width=2,lookahead=1",
                             "rebase:width=5,scorer=p_true",
                             "tree_of_thoughts:search=depth_first,breadth=2,samples=3",
                             "tree_of_thoughts:selection=sample,breadth=2",
                             "tree_of_thoughts:propose=propose {text},breadth=2,steps=3",
                             "tree_of_thoughts:vote_prompt=which of {states},breadth=2,samples=3",
                             "monte_carlo_tree_search:select=puct,iterations=6,rewards=agreement,vote=weighted",
                             "monte_carlo_tree_search:iterations=6,discriminate=true,greedy_rollout=true",
                             "self_refine:rounds=2",
                             "self_refine:rounds=2,feedback=,enough=10",
                             "budget_forcing:waits=2,wait=\\nWait\\n,most=60",
                             "budget_forcing:most=8,forced_answer=\\nanswer ",
                             "budget_forcing:waits=2,until_passes=true,scorer=arithmetic",
                             "budget_forcing:end_of_thinking=answer,waits=1",
                             "adaptive:hard=tree_of_thoughts",
                             "adaptive:hard=best_of_n,hard_below=1,scorer=arithmetic,enough=1,samples=6",
                             "adaptive:hard=monte_carlo_tree_search,hard_below=1",
                             "fallback:direct|self_consistency:samples=4",
                             "fallback:accept=arithmetic,threshold=1|direct|best_of_n:samples=4",
                             "mixture:direct|chain_of_thought|self_consistency:samples=4",
                             "mixture:by_confidence=true|direct|self_consistency:samples=4"})
        list.push_back(more);
    return list;
}

/// A script that has something to say in every context: sums, probes, proposals, judgements, waits.
inline hence::script talkative() {
    return hence::script([](std::string_view context) -> hence::script_reply {
        if (context == "sum: 20+22\n")
            return {.completions = {{"20+22=42\nanswer 42", 0.5, true},
                                    {"20+22=41\nanswer 41", 0.3, true},
                                    {"2+2=4\n0+2=2\nanswer 24", 0.2, true}}};
        if (context.ends_with("right? ")) return {.completions = {{"Yes", 0.7, true}, {"No", 0.3, true}}};
        if (context.starts_with("check:")) return {.completions = {{"right", 0.6, true}, {"wrong", 0.4, true}}};
        if (context.starts_with("propose")) return {.completions = {{"20+22=42\n2+2=4\n", 1, true}}};
        if (context.starts_with("which of"))
            return {.completions = {{"Choice 1", 0.5, true}, {"the best is 2", 0.5, true}}};
        if (context.ends_with("answer ")) return {.completions = {{"42", 0.6, true}, {"41", 0.4, true}}};
        return {.completions = {{" so 42\nanswer 42", 0.6, true}, {" so 41\nanswer 41", 0.4, true}}};
    });
}

}  // namespace hence_test

#endif
