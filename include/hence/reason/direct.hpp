// direct: the answer at once, one completion, no thinking asked for.
#ifndef HENCE_REASON_DIRECT_HPP
#define HENCE_REASON_DIRECT_HPP

#include "concepts.hpp"

#include <string>

HENCE_NAMESPACE_BEGIN

struct direct {
    static constexpr std::string_view strategy_name = "direct";

    std::string instruction = {};    ///< put after the question
    std::string answer_prefix = {};  ///< the completion is made to begin with this, such as "answer "

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("instruction", s.instruction);
        visit("answer_prefix", s.answer_prefix);
    }

    /// @shape none
    /// @errors those of the engine and of the prompt format
    /// @source none
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        answer out;
        HENCE_TRY_ASSIGN(branch, context.begin(context.question(), {.instruction = instruction}, context.sampling()));
        HENCE_TRY(context.force(branch, answer_prefix));
        HENCE_TRY(context.extend(branch, context.limits()));
        out.candidates.push_back(context.collect(0, branch));
        candidate& only = out.candidates[0];
        (void)context.note(0, "sample", only, branch.stream());
        context.choose(out, only);
        out.parse_rate = only.parsed() ? 1 : 0;
        out.why = only.parsed() ? std::string(name(only.finish)) : "no answer was found in the completion";
        return out;
    }
};

HENCE_NAMESPACE_END

#endif
