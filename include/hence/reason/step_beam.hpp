// step_beam: beam search over steps, guided by a process reward.
#ifndef HENCE_REASON_STEP_BEAM_HPP
#define HENCE_REASON_STEP_BEAM_HPP

#include "detail/step_search.hpp"

HENCE_NAMESPACE_BEGIN

struct step_beam {
    static constexpr std::string_view strategy_name = "step_beam";

    std::size_t beams = 16;            ///< prefixes that grow side by side (n)
    std::size_t width = 4;             ///< children of each prefix that is kept (M): beams / width are kept
    std::size_t steps = 40;            ///< rounds at most; the last one runs to the end
    step_rules step = {};
    float temperature = 0.8f;
    verifier scorer = verify::log_probability{};  ///< the process reward
    vote_rule vote = vote_rule::best;
    double vote_parameter = 1;
    std::optional<double> enough = {};  ///< a finished path with this score ends the search
    bool distinct = true;              ///< prefixes of equal text count once
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("beams", s.beams);
        visit("width", s.width);
        visit("steps", s.steps);
        step_rules::fields(s.step, visit);
        visit("temperature", s.temperature);
        visit("scorer", s.scorer);
        visit("vote", s.vote);
        visit("vote_parameter", s.vote_parameter);
        visit("enough", s.enough);
        visit("distinct", s.distinct);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: a count of 0; those of the engine and the scorer
    /// @source Beeching, Tunstall, Rush, "Scaling test-time compute", 2024; scores are of the text that is kept
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        HENCE_TRY(detail::require_positive("step_beam", {{"beams", beams}, {"width", width}, {"steps", steps}, {"step_tokens", step.tokens}}));
        using leaf = detail::step_leaf<Engine>;
        detail::step_search<Engine> search(context, step, scorer);
        HENCE_TRY_ASSIGN(root, thought.begin(context, context.sampling(temperature)));
        std::vector<leaf> open;
        std::vector<leaf> done;
        HENCE_TRY(search.grow(root, beams, 0, open));
        for (std::size_t round = 0; round < steps && !open.empty(); ++round) {
            const bool last = round + 1 == steps;
            HENCE_TRY(search.advance(open, last));
            HENCE_TRY(search.judge(open));
            if (search.retire(open, done, enough) || last || open.empty() || context.exhausted()) break;
            search.sort(open);
            if (distinct) drop_copies(open);
            const std::size_t kept = std::min(open.size(), std::max<std::size_t>(1, beams / width));
            std::vector<leaf> next;
            for (std::size_t i = 0; i < kept; ++i)  // copied back up to `beams` in all
                HENCE_TRY(search.grow(open[i].where, beams / kept + (i < beams % kept ? 1 : 0), open[i].node, next));
            open = std::move(next);
        }
        return search.conclude(done, open, vote, vote_parameter);
    }

private:
    template <class Leaf>
    static void drop_copies(std::vector<Leaf>& leaves) {
        std::vector<std::string> seen;
        std::vector<Leaf> kept;
        for (Leaf& l : leaves) {
            std::string text = l.where.text();
            if (std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
            seen.push_back(std::move(text));
            kept.push_back(std::move(l));
        }
        leaves = std::move(kept);
    }
};

HENCE_NAMESPACE_END

#endif
