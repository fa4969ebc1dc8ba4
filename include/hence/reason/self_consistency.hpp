// self_consistency: many chains of thought at a temperature, and the answer that most of them reach.
//
// All samples run in one batch on a shared prompt. In the plain vote the samples still running are cancelled
// as soon as they cannot overturn it, which changes the cost and never the answer. Votes can be weighted by
// a scorer (weighted, CISC's softmax, Borda ranks); the universal form lets the model pick among the answers
// it has written, which needs no extractor.
#ifndef HENCE_REASON_SELF_CONSISTENCY_HPP
#define HENCE_REASON_SELF_CONSISTENCY_HPP

#include "../core/text.hpp"
#include "detail/sample_votes.hpp"
#include "stopper.hpp"

HENCE_NAMESPACE_BEGIN

struct self_consistency {
    static constexpr std::string_view strategy_name = "self_consistency";

    std::size_t samples = 16;
    float temperature = 0.7f;
    chain_of_thought thought = {};            ///< how each sample is prompted
    vote_rule vote = vote_rule::majority;     ///< other rules score every finished sample with `scorer`
    verifier scorer = verify::log_probability{};
    double vote_parameter = 1;                ///< CISC's temperature, Borda's power
    bool stop_when_decided = true;            ///< cancel what cannot overturn a plain vote
    bool universal = false;                   ///< let the model choose the most consistent response

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("samples", s.samples);
        visit("temperature", s.temperature);
        visit("vote", s.vote);
        visit("scorer", s.scorer);
        visit("vote_parameter", s.vote_parameter);
        visit("stop_when_decided", s.stop_when_decided);
        visit("universal", s.universal);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: no samples, or a vote_parameter that its rule cannot use; those of the engine and the scorer
    /// @source Wang et al., 2203.11171; CISC: 2502.06233; Borda: 2502.18581; universal: Chen et al., 2311.17311
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        if (vote == vote_rule::confidence && !(vote_parameter > 0))
            return make_error(errc::invalid_argument, "self_consistency.vote_parameter", "a temperature above 0", decimal(vote_parameter));
        const bool plain = vote == vote_rule::majority;
        detail::vote_plan plan;
        plan.samples = samples;
        plan.temperature = temperature;
        plan.thought = &thought;
        plan.scorer = plain ? nullptr : &scorer;
        plan.rule = vote;
        plan.rule_parameter = vote_parameter;
        const bool early = plain && stop_when_decided && !universal;
        auto out = detail::sample_votes(context, plan, early ? detail::any_stopper(stop_when::decided{}) : detail::any_stopper(stop_when::all_voted{}));
        if (!out || !universal || context.exhausted()) return out;
        return choose_universally(context, std::move(*out));
    }

private:
    /// Shows all responses and asks for the most consistent one; the vote stands when none is named.
    template <reasoning_engine Engine>
    static result<answer> choose_universally(reasoning_context<Engine>& context, answer out) {
        std::string text = "I have generated the following responses to the question: ";
        text.append(context.question());
        for (std::size_t i = 0; i < out.candidates.size(); ++i)
            text += "\n\nResponse " + std::to_string(i + 1) + ":\n" + out.candidates[i].text;
        text += "\n\nEvaluate these responses. Select the most consistent response based on majority consensus. "
                "Start your answer with \"The most consistent response is Response X\".";
        auto judge = context.begin(text, {}, context.sampling(0.0f));
        // The responses may fill the context: then the vote decides, and the answer says so.
        if (!judge && judge.error().code == errc::context_full) {
            out.why += "; they do not fit the context together, so the vote decided";
            return out;
        }
        if (!judge) return std::move(judge).error();
        until limits = context.limits();
        limits.max_tokens = 64;
        HENCE_TRY(context.extend(*judge, limits));
        const std::string said = judge->text();
        const std::size_t at = said.rfind("Response ");
        std::size_t number = 0;
        for (std::size_t i = at == std::string::npos ? said.size() : at + 9; i < said.size() && said[i] >= '0' && said[i] <= '9' && number < 100000; ++i)
            number = number * 10 + static_cast<std::size_t>(said[i] - '0');
        context.note(0, "judge", said, static_cast<std::int64_t>(judge->generated().size()), name(judge->finish()));
        if (number < 1 || number > out.candidates.size()) {
            out.why += "; no response was named, so the vote decided";
            return out;
        }
        context.choose(out, out.candidates[number - 1]);
        out.why += concat({"; the model chose response ", number});
        return out;
    }
};

HENCE_NAMESPACE_END

#endif
