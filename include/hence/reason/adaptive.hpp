// adaptive: spends by measured difficulty.
//
// A few samples tell how hard the question is: of one mind, and the answer is taken; mostly, and voting goes
// on until the leader is safe; divided, and the rest of the budget goes to a search. share_budget() does the
// same across many questions: each round of samples goes to those whose vote is least certain.
#ifndef HENCE_REASON_ADAPTIVE_HPP
#define HENCE_REASON_ADAPTIVE_HPP

#include "../core/text.hpp"
#include "best_of_n.hpp"
#include "mixture.hpp"
#include "monte_carlo_tree_search.hpp"
#include "self_consistency.hpp"
#include "tree_of_thoughts.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

struct adaptive {
    static constexpr std::string_view strategy_name = "adaptive";
    enum class route : std::uint8_t { vote, best_of_n, tree_of_thoughts, monte_carlo_tree_search };

    std::size_t probes = 4;         ///< samples that measure the difficulty
    double easy = 1.0;              ///< share of the probes that must agree for the answer to be taken at once
    double hard_below = 0.5;        ///< a smaller share sends the question to `hard`
    std::size_t samples = 40;       ///< in between: votes at most
    double threshold = 0.95;        ///< in between: stop when P(the leader is ahead) reaches this
    std::size_t window = 4;
    float temperature = 0.7f;
    route hard = route::vote;       ///< vote: hard questions are voted on like the others
    best_of_n chosen = {};          ///< settings of the searches
    tree_of_thoughts tree = {};
    monte_carlo_tree_search rollouts = {};
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("probes", s.probes);
        visit("easy", s.easy);
        visit("hard_below", s.hard_below);
        visit("samples", s.samples);
        visit("threshold", s.threshold);
        visit("window", s.window);
        visit("temperature", s.temperature);
        visit("hard", s.hard);
        visit("scorer", s.tree.scorer);  // one scorer for every search
        visit("enough", s.tree.enough);
        visit("tree_breadth", s.tree.breadth);
        visit("tree_samples", s.tree.samples);
        visit("tree_steps", s.tree.steps);
        visit("iterations", s.rollouts.iterations);
        visit("searched_samples", s.chosen.samples);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: a count of 0; those of the engine, the vote and the search
    /// @source difficulty by agreement: 2401.10480; routing: Snell et al., 2408.03314
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        HENCE_TRY(detail::require_positive("adaptive", {{"probes", probes}, {"samples", samples}, {"window", window}}));
        detail::vote_plan plan;
        plan.samples = std::max(samples, probes);
        plan.window = window;
        plan.temperature = temperature;
        plan.thought = &thought;
        enum class state { undecided, agreed, divided, sure } found = state::undecided;
        HENCE_TRY_ASSIGN(out, detail::sample_votes(context, plan, [&](const ballot& votes, std::span<const std::size_t> outstanding) {
            const auto counted = static_cast<std::size_t>(votes.samples());
            if (counted < probes) return false;
            const auto [first, second] = votes.top_two();
            const double share = static_cast<double>(first) / static_cast<double>(votes.samples());
            if (counted == probes && share >= easy) found = state::agreed;
            else if (counted == probes && share < hard_below && hard != route::vote) found = state::divided;
            else if (statistics::majority_probability(first, second) >= threshold || votes.decided(outstanding)) found = state::sure;
            return found != state::undecided;
        }));
        const bool search = hard != route::vote && (found == state::divided || found == state::undecided);
        if (!search || context.exhausted()) {
            out.why += found == state::agreed ? "; easy: the first were of one mind" : found == state::sure ? "; the leader is safe" : "";
            return out;
        }
        return searched(context, std::move(out));
    }

private:
    template <reasoning_engine Engine>
    result<answer> searched(reasoning_context<Engine>& context, answer voted) const {
        reasoning_context<Engine> inner = context.child();
        const std::size_t before = context.nodes();
        auto found = [&]() -> result<answer> {
            if (hard == route::best_of_n) {
                best_of_n s = chosen;
                s.thought = thought;
                s.scorer = tree.scorer;
                s.enough = tree.enough;
                return s.run(inner);
            }
            if (hard == route::monte_carlo_tree_search) {
                monte_carlo_tree_search s = rollouts;
                s.thought = thought;
                s.scorer = tree.scorer;
                s.enough = tree.enough;
                return s.run(inner);
            }
            tree_of_thoughts s = tree;
            s.thought = thought;
            return s.run(inner);
        }();
        if (!found) return found;
        if (inner.cut()) context.mark_cut();
        const std::string why = concat({voted.why, "; hard: searched, ", found->why});
        if (!found->found() && voted.found()) {  // the search has nothing that the vote has not
            (void)context.absorb(inner, 0, "search", found->why);
            context.unmark_below(before, context.nodes());
            voted.why = why;
            return voted;
        }
        context.unmark_below(0, before);
        context.mark_chosen(context.absorb(inner, 0, "search", found->why));
        found->why = why;
        found->cancelled_branches += voted.cancelled_branches;
        found->saved_tokens += voted.saved_tokens;
        for (candidate& c : found->candidates) {
            if (c.node > 0) c.node += before;
            voted.candidates.push_back(std::move(c));
        }
        found->candidates = std::move(voted.candidates);
        return found;
    }
};

/// How share_budget() votes.
struct shared_voting {
    std::size_t first = 4;        ///< samples that every question gets
    std::size_t window = 2;       ///< further samples that a question gets at a time
    std::size_t questions = 4;    ///< questions served in one round
    std::size_t samples = 40;     ///< of one question, at most
    double threshold = 0.95;      ///< a question whose leader is this safe gets no more
    double exploration = 0.1;     ///< weight of the bonus for questions that have had few samples
    float temperature = 0.7f;
    chain_of_thought thought = {};
};

/// Answers many questions on one budget. Each round's samples go to the questions with the largest upper bound
/// on how unsure their vote is: 1 - P(the leader is ahead) + exploration * sqrt(ln(all samples) / its samples).
/// @shape one answer for each question, in their order; each one's account holds its share of tokens only
/// @errors invalid_argument: no questions, or a count of 0; those of the engine
/// @source none; the stop rule is Adaptive-Consistency's, the allocation UCB1's
template <reasoning_engine Engine>
[[nodiscard]] result<std::vector<answer>> share_budget(Engine& engine, std::span<const std::string> questions,
                                                       const shared_voting& s, const budget& limit = {},
                                                       const reason_options& options = {});

HENCE_NAMESPACE_END

#include "detail/share_budget.hpp"

#endif
