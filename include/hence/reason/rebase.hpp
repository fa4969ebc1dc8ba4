// rebase: a tree search whose every node gets children in proportion to its reward.
#ifndef HENCE_REASON_REBASE_HPP
#define HENCE_REASON_REBASE_HPP

#include "../core/text.hpp"
#include "detail/step_search.hpp"

HENCE_NAMESPACE_BEGIN

struct rebase {
    static constexpr std::string_view strategy_name = "rebase";

    std::size_t width = 16;            ///< children of a round in all; finished paths reduce it
    double balance = 0.2;              ///< the temperature of the shares: smaller favours the best node more
    std::size_t steps = 40;            ///< rounds at most; the last one runs to the end
    step_rules step = {};
    float temperature = 0.8f;
    verifier scorer = verify::log_probability{};
    vote_rule vote = vote_rule::weighted;
    double vote_parameter = 1;
    std::optional<double> enough = {};  ///< a finished path with this score ends the search
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("width", s.width);
        visit("balance", s.balance);
        visit("steps", s.steps);
        step_rules::fields(s.step, visit);
        visit("temperature", s.temperature);
        visit("scorer", s.scorer);
        visit("vote", s.vote);
        visit("vote_parameter", s.vote_parameter);
        visit("enough", s.enough);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: a count or balance of 0; those of the engine and the scorer
    /// @source Wu et al., 2408.00724, algorithm 1
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        HENCE_TRY(detail::require_positive("rebase", {{"width", width}, {"steps", steps}, {"step_tokens", step.tokens}}));
        if (!(balance > 0)) return make_error(errc::invalid_argument, "rebase.balance", "above 0", decimal(balance));
        using leaf = detail::step_leaf<Engine>;
        detail::step_search<Engine> search(context, step, scorer);
        HENCE_TRY_ASSIGN(root, thought.begin(context, context.sampling(temperature)));
        std::vector<leaf> open;
        std::vector<leaf> done;
        HENCE_TRY(search.grow(root, width, 0, open));
        for (std::size_t round = 0; round < steps && !open.empty(); ++round) {
            const bool last = round + 1 == steps;
            HENCE_TRY(search.advance(open, last));
            HENCE_TRY(search.judge(open));
            if (search.retire(open, done, enough) || last || open.empty() || context.exhausted()) break;
            if (done.size() >= width) break;
            std::vector<double> rewards;
            for (const leaf& l : open) rewards.push_back(l.score.value_or(0));
            const auto widths = statistics::rebase_widths(rewards, width - done.size(), balance);
            std::vector<leaf> next;
            for (std::size_t i = 0; i < open.size(); ++i) HENCE_TRY(search.grow(open[i].where, widths[i], open[i].node, next));
            open = std::move(next);
        }
        return search.conclude(done, open, vote, vote_parameter);
    }
};

HENCE_NAMESPACE_END

#endif
