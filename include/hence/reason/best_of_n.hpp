// best_of_n: many samples, judged; the best one, or a vote weighted by the judgement.
//
// With an exact checker and `enough` it stops at the first sample that passes and cancels the others, which
// is "any of n". With scorer self_certainty and rule borda it is the Borda vote of that paper.
#ifndef HENCE_REASON_BEST_OF_N_HPP
#define HENCE_REASON_BEST_OF_N_HPP

#include "../core/text.hpp"
#include "detail/sample_votes.hpp"
#include "stopper.hpp"

HENCE_NAMESPACE_BEGIN

struct best_of_n {
    static constexpr std::string_view strategy_name = "best_of_n";

    std::size_t samples = 16;
    float temperature = 0.7f;
    verifier scorer = verify::log_probability{};
    vote_rule vote = vote_rule::best;
    double vote_parameter = 0.5;              ///< Borda's power, or the temperature of vote=confidence
    std::optional<double> enough = {};        ///< a score that ends the search at once
    std::size_t window = 0;                   ///< samples that run side by side; 0 = all
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("samples", s.samples);
        visit("temperature", s.temperature);
        visit("scorer", s.scorer);
        visit("vote", s.vote);
        visit("vote_parameter", s.vote_parameter);
        visit("enough", s.enough);
        visit("window", s.window);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: no samples; those of the engine and the scorer
    /// @source Cobbe et al., 2110.14168 (verifier); Kang et al., 2502.18581 (self-certainty, Borda)
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        if (vote == vote_rule::confidence && !(vote_parameter > 0))
            return make_error(errc::invalid_argument, "best_of_n.vote_parameter", "a temperature above 0", decimal(vote_parameter));
        detail::vote_plan plan;
        plan.samples = samples;
        plan.window = window;
        plan.temperature = temperature;
        plan.thought = &thought;
        plan.scorer = &scorer;
        plan.rule = vote;
        plan.rule_parameter = vote_parameter;
        plan.stop_at_score = enough;
        return detail::sample_votes(context, plan, stop_when::all_voted{});
    }
};

HENCE_NAMESPACE_END

#endif
