// chain_of_thought: the model writes its steps out before it answers.
//
// Zero-shot (an instruction, a forced beginning), few-shot (worked examples), and with a forced answer
// prefix: once the thinking has ended, the answer is read after words such as "The answer is", which makes
// it easy to find. Strategies that sample many chains hold one of these to say how each is prompted.
#ifndef HENCE_REASON_CHAIN_OF_THOUGHT_HPP
#define HENCE_REASON_CHAIN_OF_THOUGHT_HPP

#include "concepts.hpp"

#include <optional>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// A question with its answer written out in steps.
struct worked_example {
    std::string question;
    std::string answer;
};

struct chain_of_thought {
    static constexpr std::string_view strategy_name = "chain_of_thought";

    /// Put after the question. Unset: a request to think step by step where the prompt is a chat, nothing
    /// where the model gets the bare question.
    std::optional<std::string> instruction = {};
    std::vector<worked_example> examples = {};
    std::string thought_prefix = {};   ///< the chain is made to begin with this
    std::string answer_prefix = {};    ///< appended when the thinking has ended; the answer is what follows
    std::size_t answer_tokens = 32;    ///< most tokens after answer_prefix

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("instruction", s.instruction);
        visit("thought_prefix", s.thought_prefix);
        visit("answer_prefix", s.answer_prefix);
        visit("answer_tokens", s.answer_tokens);
    }

    /// A branch with the prompt and the beginning of the chain, from which chains can be forked.
    /// @shape none
    /// @errors those of the engine and of the prompt format
    /// @source Wei et al., 2201.11903 (few-shot); Kojima et al., 2205.11916 (zero-shot)
    template <reasoning_engine Engine>
    [[nodiscard]] result<typename Engine::branch_type> begin(reasoning_context<Engine>& context,
                                                             const sampling& s) const {
        if (!answer_prefix.empty() && answer_tokens == 0)
            return make_error(errc::invalid_argument, "chain_of_thought.answer_tokens", "1 or more after an answer prefix", "0");
        prompt_parts parts;
        if (instruction) parts.instruction = *instruction;
        else if (context.chats())
            parts.instruction = "Think step by step. End with a line that says 'answer:' and then only the answer.";
        for (const worked_example& e : examples) parts.examples.emplace_back(e.question, e.answer);
        HENCE_TRY_ASSIGN(root, context.begin(context.question(), parts, s));
        HENCE_TRY(context.force(root, thought_prefix));
        return root;
    }

    /// Runs chains to their ends; `on_done(event)` hears each one once, when all of it is written, and may
    /// cancel others.
    /// @shape none
    /// @errors those of the engine
    /// @source the forced answer prefix: Kojima et al., 2205.11916, section 3
    template <reasoning_engine Engine, class OnDone>
    [[nodiscard]] result<void> think(reasoning_context<Engine>& context,
                                     std::span<typename Engine::branch_type* const> chains, const until& limits,
                                     OnDone&& on_done) const {
        using branch_type = typename Engine::branch_type;
        if (answer_prefix.empty()) return context.extend(chains, limits, on_done);
        std::vector<branch_type*> answering;
        std::vector<std::size_t> place;
        HENCE_TRY(context.extend(chains, limits, [&](auto& event) {
            const bool over = event.reason == finish_reason::context_full || event.reason == finish_reason::budget ||
                              event.reason == finish_reason::cancelled;
            if (event.kind == event_kind::token || over) return on_done(event);
            answering.push_back(&event.which);
            place.push_back(event.index);
        }));
        for (branch_type* const chain : answering) {
            HENCE_TRY(context.reopen(*chain));
            HENCE_TRY(context.force(*chain, answer_prefix));
        }
        until rest = limits;
        rest.max_tokens = answer_tokens;
        rest.stop.push_back("\n");
        return context.extend(std::span<branch_type* const>(answering), rest, [&](auto& event) {
            auto whole = event;
            whole.index = place[event.index];
            on_done(whole);
        });
    }

    /// @shape none
    /// @errors those of the engine and of the prompt format
    /// @source as begin() and think()
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        answer out;
        HENCE_TRY_ASSIGN(chain, begin(context, context.sampling()));
        typename Engine::branch_type* const one[] = {&chain};
        HENCE_TRY(think(context, std::span<typename Engine::branch_type* const>(one), context.limits(),
                        [](typename reasoning_context<Engine>::event&) {}));
        out.candidates.push_back(context.collect(0, chain));
        candidate& only = out.candidates[0];
        (void)context.note(0, "sample", only, chain.stream());
        context.choose(out, only);
        out.parse_rate = only.parsed() ? 1 : 0;
        out.why = only.parsed() ? std::string(name(only.finish)) : "no answer was found in the completion";
        return out;
    }
};

HENCE_NAMESPACE_END

#endif
