// budget_forcing: makes one chain of thought longer or shorter than the model would.
//
// Shorter: at `most` tokens the thinking is ended by force and the answer read. Longer: when the model ends
// before `least` tokens, its end token is taken back and the wait text appended, up to `waits` times. Both
// are token appends on the branch: nothing is computed again. What is appended counts as forced tokens.
#ifndef HENCE_REASON_BUDGET_FORCING_HPP
#define HENCE_REASON_BUDGET_FORCING_HPP

#include "../core/text.hpp"
#include "chain_of_thought.hpp"
#include "verifier.hpp"

HENCE_NAMESPACE_BEGIN

struct budget_forcing {
    static constexpr std::string_view strategy_name = "budget_forcing";

    std::size_t most = 0;              ///< most thinking tokens; 0 = options.max_tokens
    std::size_t least = 0;             ///< the model may not end before so many thinking tokens, while waits last
    std::size_t waits = 0;             ///< how often an end is refused
    std::string wait = "Wait";         ///< appended in place of the refused end
    std::string end_of_thinking = {};  ///< the marker after which the answer stands, such as "</think>"
    std::string answer_prefix = {};    ///< appended when the thinking is cut, such as "Final answer:"
    std::size_t answer_tokens = 64;    ///< most tokens after the thinking
    float temperature = 0;
    /// With `until_passes` an end is refused only while the scorer gives the text less than 1/2.
    bool until_passes = false;
    verifier scorer = verify::log_probability{};
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("most", s.most);
        visit("least", s.least);
        visit("waits", s.waits);
        visit("wait", s.wait);
        visit("end_of_thinking", s.end_of_thinking);
        visit("forced_answer", s.answer_prefix);
        visit("forced_answer_tokens", s.answer_tokens);
        visit("temperature", s.temperature);
        visit("until_passes", s.until_passes);
        visit("scorer", s.scorer);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: no tokens for the answer; those of the engine and the scorer
    /// @source Muennighoff et al., 2501.19393, section 3.1
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        answer out;
        if (answer_tokens == 0 && !(answer_prefix.empty() && end_of_thinking.empty()))
            return make_error(errc::invalid_argument, "budget_forcing.forced_answer_tokens", "1 or more", "0");
        HENCE_TRY_ASSIGN(chain, thought.begin(context, context.sampling(temperature)));
        const std::size_t limit = most > 0 ? most : context.options().max_tokens;
        std::size_t refused = 0;
        std::size_t thought_tokens = 0;
        bool ran_out = false;
        std::size_t node = 0;
        for (;;) {
            thought_tokens = chain.generated().size();
            if (thought_tokens >= limit) {
                ran_out = true;
                break;
            }
            until limits = context.limits();
            limits.max_tokens = limit - thought_tokens;
            if (until_passes) scorer.prepare(limits);
            if (!end_of_thinking.empty()) limits.stop.push_back(end_of_thinking);
            HENCE_TRY(context.extend(chain, limits));
            thought_tokens = chain.generated().size();
            const bool ended = chain.finish() == finish_reason::end_token || chain.finish() == finish_reason::stop_string;
            if (!ended) {
                ran_out = chain.finish() == finish_reason::length;
                break;
            }
            bool refuse = refused < waits && (thought_tokens < least || least == 0) && thought_tokens < limit;
            if (refuse && until_passes) {
                const std::string text = chain.text();
                const scored_branch<Engine> item[] = {{&chain, text}};
                auto score = scorer.score(context, std::span<const scored_branch<Engine>>(item));
                if (!score && score.error().code == errc::budget_exhausted) {
                    context.mark_cut();
                    break;
                }
                if (!score) return std::move(score).error();
                refuse = (*score)[0] < 0.5;
            }
            if (!refuse) break;
            node = context.note(node, "thought", chain.text(), static_cast<std::int64_t>(thought_tokens), "end refused", {}, chain.stream());
            HENCE_TRY(take_back_end(context, chain));
            HENCE_TRY_ASSIGN(room, context.force(chain, wait));
            if (!room) break;
            ++refused;
        }
        // An answer after a marker or a forced prefix is a second, short completion.
        const bool forced_end = ran_out && !(end_of_thinking.empty() && answer_prefix.empty());
        const bool marked = !ran_out && !end_of_thinking.empty() && chain.finish() == finish_reason::stop_string;
        if (forced_end) {
            HENCE_TRY(context.force(chain, end_of_thinking));
            HENCE_TRY(context.force(chain, answer_prefix));
        }
        if ((forced_end || marked) && !context.cut()) {
            until limits = context.limits();
            limits.max_tokens = answer_tokens;
            HENCE_TRY(context.extend(chain, limits));
        }
        out.candidates.push_back(context.collect(0, chain));
        candidate& only = out.candidates[0];
        (void)context.note(node, "answer", only, chain.stream());
        context.choose(out, only);
        out.parse_rate = only.parsed() ? 1 : 0;
        out.why = concat({thought_tokens, " thinking tokens", (forced_end ? ", ended by force" : ""), (refused > 0 ? ", the end was refused " + std::to_string(refused) + " times" : std::string()), (only.parsed() ? "" : "; no answer was found")});
        return out;
    }

private:
    /// Removes the end token, or the marker's tokens, whichever ended the thinking.
    template <reasoning_engine Engine>
    result<void> take_back_end(reasoning_context<Engine>& context, typename Engine::branch_type& chain) const {
        if (chain.finish() != finish_reason::stop_string) return context.reopen(chain);
        // A marker may span several tokens, and its first token may hold text before it: cut tokens until the
        // marker is gone, then write back what it took along.
        const std::string keep = chain.text();
        std::size_t length = chain.tokens().size();
        HENCE_TRY(chain.rollback(--length));
        while (length > chain.prompt_tokens() + 1 && chain.text().size() > keep.size()) HENCE_TRY(chain.rollback(--length));
        const std::string left = chain.text();
        if (left.size() < keep.size()) HENCE_TRY(context.force(chain, std::string_view(keep).substr(left.size())));
        return {};
    }
};

HENCE_NAMESPACE_END

#endif
