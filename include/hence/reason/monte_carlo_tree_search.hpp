// monte_carlo_tree_search: spends rollouts where earlier ones paid.
//
// A node is a path of steps on a branch of its own. Each iteration selects by UCT or PUCT, expands by `width`
// sampled steps, runs the most promising child to its end and backs the reward up. The reward is the
// scorer's, or how many of all finished paths give the same answer (rStar's), and with `discriminate` the
// finished paths are masked and completed again, and those that hold up are preferred.
#ifndef HENCE_REASON_MONTE_CARLO_TREE_SEARCH_HPP
#define HENCE_REASON_MONTE_CARLO_TREE_SEARCH_HPP

#include "../core/text.hpp"
#include "detail/step_search.hpp"
#include "search_tree.hpp"

#include <cmath>

HENCE_NAMESPACE_BEGIN

struct monte_carlo_tree_search {
    static constexpr std::string_view strategy_name = "monte_carlo_tree_search";
    enum class rule : std::uint8_t { uct, puct };
    enum class reward : std::uint8_t { scorer, agreement };

    std::size_t iterations = 32;
    std::size_t width = 4;             ///< children of an expanded node
    std::size_t depth = 16;            ///< steps at most; deeper paths run to their ends
    rule select = rule::uct;
    double exploration = 1;            ///< UCT's weight; PUCT's constants are AlphaZero's
    reward rewards = reward::scorer;
    verifier scorer = verify::log_probability{};
    std::optional<double> enough = {}; ///< a finished path with this reward ends the search
    bool greedy_rollout = false;       ///< rollouts at temperature 0
    vote_rule vote = vote_rule::best;  ///< among finished paths; weighted sums rewards by answer
    bool discriminate = false;         ///< rStar's mutual consistency
    std::size_t maskings = 4;          ///< where a path is cut to be completed again: shares .2 to .5 of it
    /// Completes a masked path: (question, beginning) -> completion. Unset: the same model does, at `temperature`.
    callable<result<std::string>(std::string_view question, std::string_view beginning)> discriminator = {};
    step_rules step = {};
    float temperature = 0.8f;
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("iterations", s.iterations);
        visit("width", s.width);
        visit("depth", s.depth);
        visit("select", s.select);
        visit("exploration", s.exploration);
        visit("rewards", s.rewards);
        visit("scorer", s.scorer);
        visit("enough", s.enough);
        visit("greedy_rollout", s.greedy_rollout);
        visit("vote", s.vote);
        visit("discriminate", s.discriminate);
        visit("maskings", s.maskings);
        step_rules::fields(s.step, visit);
        visit("temperature", s.temperature);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: a count of 0; those of the engine, the scorer and the discriminator
    /// @source Kocsis and Szepesvari, 2006; Hao et al., 2305.14992 (RAP); Qi et al., 2408.06195 (rStar)
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        HENCE_TRY(detail::require_positive("monte_carlo_tree_search", {{"iterations", iterations}, {"width", width}, {"depth", depth}, {"step_tokens", step.tokens}}));
        if (discriminate) HENCE_TRY(detail::require_positive("monte_carlo_tree_search", {{"maskings", maskings}}));
        using leaf = detail::step_leaf<Engine>;
        detail::step_search<Engine> search(context, step, scorer);
        HENCE_TRY_ASSIGN(root, thought.begin(context, context.sampling(temperature)));
        search_tree tree;
        std::vector<leaf> states;  // states[i] is node i of the tree
        states.push_back(leaf{std::move(root), 0, 0, 0, {}, false, false});
        std::vector<leaf> finished;
        bool satisfied = false;
        for (std::size_t i = 0; i < iterations && !satisfied && !tree[0].closed && !context.exhausted(); ++i) {
            std::size_t at = 0;
            std::size_t level = 0;
            while (!tree[at].children.empty()) {
                at = select == rule::uct ? tree.select_uct(at, exploration) : tree.select_puct(at);
                ++level;
                if (at == search_tree::none) break;
            }
            if (at == search_tree::none) break;
            std::vector<leaf> rollout;
            if (states[at].done) {
                tree.close(at);  // an ended path cannot be tried twice
                continue;
            }
            if (level < depth) {
                HENCE_TRY(expand(context, search, tree, states, at));
                const std::size_t best = select == rule::uct ? tree.select_uct(at, exploration) : best_prior(tree, at);
                if (best == search_tree::none) {
                    tree.close(at);
                    continue;
                }
                at = best;
            }
            if (states[at].cut) break;
            HENCE_TRY(search.grow(states[at].where, 1, states[at].node, rollout));
            rollout.back().done = states[at].done;
            rollout.back().score = states[at].score;
            if (greedy_rollout) HENCE_TRY(rollout.back().where.set_sampling(context.sampling(0.0f)));
            HENCE_TRY(search.advance(rollout, true));
            HENCE_TRY(search.judge(rollout));
            if (!rollout[0].done) break;  // the budget ended on the way
            const bool path_ended = states[at].done;
            finished.push_back(std::move(rollout[0]));
            const double gained = value_of(context, finished, finished.size() - 1);
            tree.back_up(at, gained);
            if (path_ended) tree.close(at);
            satisfied = enough && gained >= *enough;
        }
        if (rewards == reward::agreement)
            for (std::size_t i = 0; i < finished.size(); ++i) finished[i].score = value_of(context, finished, i);
        const std::size_t rollouts = finished.size();
        std::int64_t dropped = 0;
        if (discriminate && !context.exhausted()) HENCE_TRY(keep_consistent(context, finished, dropped));
        std::vector<leaf> open;
        if (finished.empty())
            for (std::size_t i = 1; i < states.size(); ++i) open.push_back(std::move(states[i]));
        answer out = search.conclude(finished, open, vote, 1);
        out.why = concat({rollouts, " rollouts, ", tree.size(), " nodes", (satisfied ? "; the reward is enough" : tree[0].closed ? "; every path has been tried" : ""), (dropped > 0 ? "; " + std::to_string(dropped) + " paths did not hold up when completed again" : std::string())});
        return out;
    }

private:
    [[nodiscard]] static std::size_t best_prior(const search_tree& tree, std::size_t parent) {
        std::size_t best = search_tree::none;
        for (const std::size_t child : tree[parent].children)
            if (!tree[child].closed && (best == search_tree::none || tree[child].prior > tree[best].prior)) best = child;
        return best;
    }

    template <reasoning_engine Engine>
    result<void> expand(reasoning_context<Engine>& context, detail::step_search<Engine>& search, search_tree& tree,
                        std::vector<detail::step_leaf<Engine>>& states, std::size_t parent) const {
        std::vector<detail::step_leaf<Engine>> children;
        HENCE_TRY(search.grow(states[parent].where, width, states[parent].node, children));
        HENCE_TRY(search.advance(children));
        HENCE_TRY(search.judge(children));
        // Equal steps are one action; priors are the softmax of the scores, which PUCT needs as a law.
        std::vector<std::string> seen;
        std::vector<detail::step_leaf<Engine>> distinct;
        std::vector<double> scores;
        for (auto& child : children) {
            std::string text = child.where.text();
            if (child.cut) context.mark_cut();
            if (child.cut || std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
            seen.push_back(std::move(text));
            scores.push_back(child.score.value_or(0));
            distinct.push_back(std::move(child));
        }
        const auto law = statistics::softmax(scores, 1.0);
        for (std::size_t i = 0; i < distinct.size(); ++i) {
            const std::size_t number = tree.add(parent, select == rule::puct ? law[i] : scores[i]);
            tree[number].terminal = distinct[i].done;
            states.push_back(std::move(distinct[i]));
        }
        return {};
    }

    /// The reward of a finished path: the scorer's, or the share of finished paths with the same answer.
    template <reasoning_engine Engine>
    double value_of(reasoning_context<Engine>& context, const std::vector<detail::step_leaf<Engine>>& finished, std::size_t which) const {
        if (rewards == reward::scorer) return finished[which].score.value_or(0);
        const std::string mine = context.collect(0, finished[which].where).canonical;
        if (mine.empty()) return 0;
        std::size_t same = 0;
        for (const auto& path : finished) same += context.collect(0, path.where).canonical == mine ? 1 : 0;
        return static_cast<double>(same) / static_cast<double>(finished.size());
    }

    /// Cuts each finished path at several places, has the rest written again, and keeps the paths whose answer
    /// comes back at least half of the time; survivors score reward plus survival rate.
    template <reasoning_engine Engine>
    result<void> keep_consistent(reasoning_context<Engine>& context, std::vector<detail::step_leaf<Engine>>& finished, std::int64_t& dropped) const {
        using branch_type = typename Engine::branch_type;
        std::vector<detail::step_leaf<Engine>> kept;
        std::vector<detail::step_leaf<Engine>> fallen;
        for (auto& path : finished) {
            const candidate whole = context.collect(0, path.where);
            std::size_t again = 0;
            std::size_t tried = 0;
            std::vector<branch_type> completions;
            std::vector<std::string> beginnings;
            const std::size_t drawn = path.where.generated().size();
            for (std::size_t m = 0; m < maskings && whole.parsed(); ++m) {
                const double share = maskings == 1 ? 0.35 : 0.2 + 0.3 * static_cast<double>(m) / static_cast<double>(maskings - 1);
                const auto keep_tokens = static_cast<std::size_t>(share * static_cast<double>(drawn));
                HENCE_TRY_ASSIGN(copy, path.where.fork(1));
                HENCE_TRY(copy[0].rollback(copy[0].prompt_tokens() + keep_tokens));
                beginnings.push_back(copy[0].text());
                completions.push_back(std::move(copy[0]));
            }
            if (discriminator) {
                for (const std::string& beginning : beginnings) {
                    HENCE_TRY_ASSIGN(rest, discriminator(context.question(), beginning));
                    ++tried;
                    again += context.collect(0, beginning + rest).canonical == whole.canonical ? 1 : 0;
                }
            } else if (!completions.empty()) {
                const auto pointers = context.pointers(completions);
                HENCE_TRY(context.extend(std::span<branch_type* const>(pointers), context.limits()));
                for (const branch_type& c : completions) {
                    if (c.finish() == finish_reason::budget || c.finish() == finish_reason::cancelled) continue;
                    ++tried;
                    again += context.collect(0, c).canonical == whole.canonical ? 1 : 0;
                }
            }
            const double survival = tried > 0 ? static_cast<double>(again) / static_cast<double>(tried) : 0;
            path.score = path.score.value_or(0) + survival;
            (tried > 0 && 2 * again >= tried ? kept : fallen).push_back(std::move(path));
        }
        // When nothing holds up, all are kept: an answer is better than none.
        dropped = kept.empty() ? 0 : static_cast<std::int64_t>(fallen.size());
        finished = kept.empty() ? std::move(fallen) : std::move(kept);
        return {};
    }
};

HENCE_NAMESPACE_END

#endif
