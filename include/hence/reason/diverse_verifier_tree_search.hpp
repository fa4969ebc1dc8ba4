// diverse_verifier_tree_search: several beams of one that never compete, so that they stay different.
#ifndef HENCE_REASON_DIVERSE_VERIFIER_TREE_SEARCH_HPP
#define HENCE_REASON_DIVERSE_VERIFIER_TREE_SEARCH_HPP

#include "detail/step_search.hpp"

HENCE_NAMESPACE_BEGIN

struct diverse_verifier_tree_search {
    static constexpr std::string_view strategy_name = "diverse_verifier_tree_search";

    std::size_t subtrees = 4;          ///< independent (n / M)
    std::size_t width = 4;             ///< children of each subtree's one prefix (M)
    std::size_t steps = 40;            ///< rounds at most; the last one runs to the end
    std::size_t lookahead = 0;         ///< greedy steps written ahead before a child is scored, then taken back
    step_rules step = {};
    float temperature = 0.8f;
    verifier scorer = verify::log_probability{};
    vote_rule vote = vote_rule::weighted;
    double vote_parameter = 1;
    std::optional<double> enough = {};  ///< a finished path with this score ends the search
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("subtrees", s.subtrees);
        visit("width", s.width);
        visit("steps", s.steps);
        visit("lookahead", s.lookahead);
        step_rules::fields(s.step, visit);
        visit("temperature", s.temperature);
        visit("scorer", s.scorer);
        visit("vote", s.vote);
        visit("vote_parameter", s.vote_parameter);
        visit("enough", s.enough);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: a count of 0; those of the engine and the scorer
    /// @source Beeching, Tunstall, Rush, "Scaling test-time compute", 2024
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        HENCE_TRY(detail::require_positive("diverse_verifier_tree_search", {{"subtrees", subtrees}, {"width", width}, {"steps", steps}, {"step_tokens", step.tokens}}));
        using leaf = detail::step_leaf<Engine>;
        detail::step_search<Engine> search(context, step, scorer);
        HENCE_TRY_ASSIGN(root, thought.begin(context, context.sampling(temperature)));
        // Children of one subtree stand together: subtree i has open[i * width ... ).
        std::vector<leaf> open;
        std::vector<leaf> done;
        HENCE_TRY(search.grow(root, subtrees * width, 0, open));
        for (std::size_t round = 0; round < steps && !open.empty(); ++round) {
            const bool last = round + 1 == steps;
            HENCE_TRY(search.advance(open, last));
            if (lookahead > 0 && !last) HENCE_TRY(judge_ahead(context, search, open));
            HENCE_TRY(search.judge(open));
            if (last || context.exhausted()) {
                (void)search.retire(open, done, enough);
                break;
            }
            std::vector<leaf> next;
            bool satisfied = false;
            for (std::size_t first = 0; first + width <= open.size(); first += width) {
                std::vector<leaf> children;
                for (std::size_t i = first; i < first + width; ++i) children.push_back(std::move(open[i]));
                search.sort(children);
                if (!children[0].done && !children[0].cut) {
                    HENCE_TRY(search.grow(children[0].where, width, children[0].node, next));
                    continue;
                }
                // The best child has ended: so has the subtree, and all that ended in it votes.
                satisfied = search.retire(children, done, enough) || satisfied;
            }
            open = std::move(next);
            if (satisfied) break;
        }
        return search.conclude(done, open, vote, vote_parameter);
    }

private:
    template <reasoning_engine Engine>
    result<void> judge_ahead(reasoning_context<Engine>& context, detail::step_search<Engine>& search,
                             std::vector<detail::step_leaf<Engine>>& open) const {
        std::vector<detail::step_leaf<Engine>> ahead;
        std::vector<std::size_t> owner;
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (open[i].done || open[i].cut) continue;
            HENCE_TRY(search.grow(open[i].where, 1, open[i].node, ahead));
            HENCE_TRY(ahead.back().where.set_sampling(context.sampling(0.0f)));
            owner.push_back(i);
        }
        for (std::size_t k = 0; k < lookahead; ++k) HENCE_TRY(search.advance(ahead));
        HENCE_TRY(search.judge(ahead));
        for (std::size_t j = 0; j < ahead.size(); ++j) open[owner[j]].score = ahead[j].score;
        return {};
    }
};

HENCE_NAMESPACE_END

#endif
