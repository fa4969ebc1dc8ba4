// tree_of_thoughts: deliberate search over partial solutions, breadth first or depth first.
//
// Thoughts are sampled (each node's children drawn one step at a time) or proposed (one prompt lists many).
// States are valued one by one by the scorer, or compared by a vote prompt that shows all of them.
#ifndef HENCE_REASON_TREE_OF_THOUGHTS_HPP
#define HENCE_REASON_TREE_OF_THOUGHTS_HPP

#include "../core/rng.hpp"
#include "detail/step_search.hpp"

#include <cmath>

HENCE_NAMESPACE_BEGIN

struct tree_of_thoughts {
    static constexpr std::string_view strategy_name = "tree_of_thoughts";
    enum class order : std::uint8_t { breadth_first, depth_first };
    enum class choose : std::uint8_t { greedy, sample };

    std::size_t breadth = 5;   ///< states kept at each depth (b); depth first: children tried at each node
    std::size_t samples = 10;  ///< children of each state, when they are sampled
    std::size_t steps = 12;    ///< depth at most; sampled paths run to their ends in the last step
    order search = order::breadth_first;
    choose selection = choose::greedy;  ///< or by chance, in proportion to the value
    /// A prompt that lists next steps, one a line; {question}, {text} (the path so far) and {state} (its last
    /// line) are filled in. Empty: children are sampled.
    std::string propose = {};
    verifier scorer = verify::log_probability{};  ///< the value of a state
    /// A prompt that shows all states ({states}) and asks for the best one's number; empty: the scorer decides.
    std::string vote_prompt = {};
    std::size_t votes = 3;                   ///< how often vote_prompt is asked
    std::optional<double> prune_below = {};  ///< depth first: states of a smaller value are not entered
    bool copies_score_zero = true;           ///< a state that another child of the round has already reached
    std::optional<double> enough = {};       ///< a finished path with this score ends the search
    step_rules step = {};
    float temperature = 0.8f;
    vote_rule vote = vote_rule::best;  ///< among the finished paths
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("breadth", s.breadth);
        visit("samples", s.samples);
        visit("steps", s.steps);
        visit("search", s.search);
        visit("selection", s.selection);
        visit("propose", s.propose);
        visit("scorer", s.scorer);
        visit("vote_prompt", s.vote_prompt);
        visit("votes", s.votes);
        visit("prune_below", s.prune_below);
        visit("copies_score_zero", s.copies_score_zero);
        visit("enough", s.enough);
        step_rules::fields(s.step, visit);
        visit("temperature", s.temperature);
        visit("vote", s.vote);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: a count of 0; those of the engine and the scorer
    /// @source Yao et al., 2305.10601, algorithms 1 and 2
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        HENCE_TRY(detail::require_positive(
            "tree_of_thoughts",
            {{"breadth", breadth}, {"samples", samples}, {"steps", steps}, {"step_tokens", step.tokens}}));
        if (!vote_prompt.empty()) HENCE_TRY(detail::require_positive("tree_of_thoughts", {{"votes", votes}}));
        HENCE_TRY_ASSIGN(root, thought.begin(context, context.sampling(temperature)));
        detail::step_search<Engine> tree(context, step, scorer);
        std::vector<detail::step_leaf<Engine>> done;
        std::vector<detail::step_leaf<Engine>> open;
        open.push_back(detail::step_leaf<Engine>{std::move(root), 0, 0, 0, {}, false, false});
        if (search == order::depth_first)
            HENCE_TRY(descend(context, tree, open, done));
        else
            HENCE_TRY(sweep(context, tree, open, done));
        return tree.conclude(done, open, vote, 1);
    }

private:
    [[nodiscard]] bool worth(std::optional<double> score) const {
        return !prune_below || (score && *score >= *prune_below);
    }

    template <reasoning_engine Engine>
    result<void> sweep(reasoning_context<Engine>& context, detail::step_search<Engine>& tree,
                       std::vector<detail::step_leaf<Engine>>& open,
                       std::vector<detail::step_leaf<Engine>>& done) const {
        using leaf = detail::step_leaf<Engine>;
        for (std::size_t depth = 0; depth < steps && !open.empty() && !context.exhausted(); ++depth) {
            std::vector<leaf> children;
            HENCE_TRY(expand(context, tree, open, children, depth + 1 == steps));
            HENCE_TRY(value(context, tree, children));
            if (children.empty()) break;
            if (propose.empty()) {
                const bool good = tree.retire(children, done, enough);
                if (good || (children.empty() && !done.empty())) {
                    open.clear();
                    return {};
                }
            }
            if (children.empty()) break;
            keep(context, children, depth);
            open = std::move(children);
            if (std::all_of(open.begin(), open.end(), [](const leaf& l) { return l.cut; })) break;
        }
        // Proposed paths never end by themselves: the last states kept are the finished ones.
        if (!propose.empty() && !context.cut() && !context.cancelled()) {
            for (leaf& l : open) {
                l.done = true;
                done.push_back(std::move(l));
            }
            open.clear();
        }
        return {};
    }

    template <reasoning_engine Engine>
    result<void> descend(reasoning_context<Engine>& context, detail::step_search<Engine>& tree,
                         std::vector<detail::step_leaf<Engine>>& open,
                         std::vector<detail::step_leaf<Engine>>& done) const {
        using leaf = detail::step_leaf<Engine>;
        struct level {
            std::vector<leaf> untried;  // worst first, so that the best is at the back
        };
        std::vector<level> path;
        path.push_back({});
        path.back().untried = std::move(open);
        open.clear();
        while (!path.empty() && !context.exhausted()) {
            if (path.back().untried.empty()) {  // backtrack
                path.pop_back();
                continue;
            }
            std::vector<leaf> state;
            state.push_back(std::move(path.back().untried.back()));
            path.back().untried.pop_back();
            std::vector<leaf> children;
            HENCE_TRY(expand(context, tree, state, children, path.size() >= steps));
            HENCE_TRY(value(context, tree, children));
            if (!propose.empty() && path.size() >= steps)
                for (leaf& child : children) child.done = true;
            const bool good = tree.retire(children, done, enough);
            // A finished path that nothing speaks against ends the search; without `enough`, any finished one does.
            const bool finished = !enough && std::any_of(done.begin(), done.end(),
                                                         [&](const leaf& l) { return l.done && worth(l.score); });
            if (good || finished) break;
            tree.sort(children);
            level next;
            for (std::size_t i = std::min(children.size(), breadth); i-- > 0;)
                if (worth(children[i].score)) next.untried.push_back(std::move(children[i]));
            path.push_back(std::move(next));
        }
        for (level& l : path)
            for (leaf& state : l.untried) open.push_back(std::move(state));
        return {};
    }

    template <reasoning_engine Engine>
    result<void> expand(reasoning_context<Engine>& context, detail::step_search<Engine>& tree,
                        std::vector<detail::step_leaf<Engine>>& states,
                        std::vector<detail::step_leaf<Engine>>& children, bool last) const {
        using branch_type = typename Engine::branch_type;
        if (propose.empty()) {
            for (auto& state : states) HENCE_TRY(tree.grow(state.where, samples, state.node, children));
            return tree.advance(children, last);
        }
        // A state whose prompt, or whose next steps, have no room in the context stays as it is.
        const auto stays = [&](detail::step_leaf<Engine>& state) {
            state.cut = true;
            state.node = context.note(state.node, "no room", {}, 0, {}, {}, state.where.stream());
            children.push_back(std::move(state));
        };
        std::vector<branch_type> asked;
        std::vector<std::size_t> owners;
        for (std::size_t i = 0; i < states.size(); ++i) {
            auto& state = states[i];
            const std::string text = state.where.text();
            const std::string line = extract::last_line{}(text).value_or("");
            const std::pair<std::string_view, std::string_view> values[] = {
                {"question", context.question()}, {"text", text}, {"state", line}};
            HENCE_TRY_ASSIGN(prompt, context.engine().encode(detail::fill(propose, values), encode_as::prompt));
            auto one = context.begin(std::span<const token_id>(prompt), context.sampling(temperature));
            if (!one && one.error().code == errc::context_full && !text.empty()) {
                stays(state);
                continue;
            }
            if (!one) return std::move(one).error();
            asked.push_back(std::move(*one));
            owners.push_back(i);
        }
        const auto pointers = context.pointers(asked);
        HENCE_TRY(context.extend(std::span<branch_type* const>(pointers), context.limits()));
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const bool whole =
                asked[i].finish() != finish_reason::budget && asked[i].finish() != finish_reason::cancelled;
            std::string text = asked[i].text();
            if (!whole)
                text.resize(
                    text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n'));  // the last line may be half a step
            auto& state = states[owners[i]];
            const std::size_t before = children.size();
            bool full = false;
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t end = std::min(text.find('\n', at), text.size());
                const std::string line = text.substr(at, end - at);
                at = end + 1;
                if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
                HENCE_TRY(tree.grow(state.where, 1, state.node, children));
                HENCE_TRY_ASSIGN(room, context.force(children.back().where, line + step.stop));
                if (!room) {
                    children.pop_back();
                    full = true;
                    continue;
                }
                children.back().node =
                    context.note(state.node, "proposed", line, 0, {}, {}, children.back().where.stream());
            }
            if (full && children.size() == before && !state.where.text().empty()) stays(state);
        }
        return {};
    }

    template <reasoning_engine Engine>
    result<void> value(reasoning_context<Engine>& context, detail::step_search<Engine>& tree,
                       std::vector<detail::step_leaf<Engine>>& children) const {
        if (copies_score_zero) {
            std::vector<std::string> seen;
            for (auto& child : children) {
                std::string text = child.where.text();
                if (std::find(seen.begin(), seen.end(), text) != seen.end())
                    child.score = 0;
                else
                    seen.push_back(std::move(text));
            }
        }
        if (vote_prompt.empty()) return tree.judge(children);
        return ballot_on(context, tree, children);
    }

    /// One prompt over all states, asked `votes` times; a state's value is how often it was named. Where they do not fit the
    /// context together, the scorer decides.
    template <reasoning_engine Engine>
    result<void> ballot_on(reasoning_context<Engine>& context, detail::step_search<Engine>& tree,
                           std::vector<detail::step_leaf<Engine>>& children) const {
        std::string list;
        for (std::size_t i = 0; i < children.size(); ++i)
            list += "Choice " + std::to_string(i + 1) + ":\n" + children[i].where.text() + "\n";
        const std::pair<std::string_view, std::string_view> values[] = {{"question", context.question()},
                                                                        {"states", list}};
        auto judge = context.begin(detail::fill(vote_prompt, values), {}, context.sampling(temperature));
        if (!judge && judge.error().code == errc::context_full) {  // all states together: then the scorer decides
            context.note(0, "vote", "the states do not fit the context together; the scorer decides", 0);
            return tree.judge(children);
        }
        if (!judge) return std::move(judge).error();
        HENCE_TRY_ASSIGN(judges, judge->fork(votes));
        const auto pointers = context.pointers(judges);
        HENCE_TRY(context.extend(std::span<typename Engine::branch_type* const>(pointers), context.limits()));
        for (auto& child : children)
            if (!child.score) child.score = 0;
        for (const auto& one : judges) {
            const auto number = extract::last_number{}(one.text());
            const auto which = number ? parse_rational(*number) : std::nullopt;
            if (which && which->is_integer() && which->numerator >= 1 &&
                which->numerator <= static_cast<std::int64_t>(children.size()))
                *children[static_cast<std::size_t>(which->numerator - 1)].score += 1;
        }
        return {};
    }

    /// Keeps `breadth` states: the best, or by chance in proportion to their values (without replacement).
    template <reasoning_engine Engine>
    void keep(reasoning_context<Engine>& context, std::vector<detail::step_leaf<Engine>>& children,
              std::size_t depth) const {
        detail::step_search<Engine>::sort(children);
        if (selection == choose::sample && children.size() > breadth) {
            std::vector<detail::step_leaf<Engine>> chosen;
            const counter_rng rng{context.options().seed};
            for (std::size_t draw = 0; draw < breadth; ++draw) {
                double total = 0;
                for (const auto& child : children) total += std::max(0.0, child.score.value_or(0));
                const double u = rng.uniform(mix64(0x746f74, depth), static_cast<std::uint32_t>(draw), 0) * total;
                std::size_t pick = 0;
                double reached = std::max(0.0, children[0].score.value_or(0));
                while (total > 0 && pick + 1 < children.size() && u >= reached)
                    reached += std::max(0.0, children[++pick].score.value_or(0));
                chosen.push_back(std::move(children[pick]));
                children.erase(children.begin() + static_cast<std::ptrdiff_t>(pick));
            }
            children = std::move(chosen);
            return;
        }
        if (children.size() > breadth)
            children.erase(children.begin() + static_cast<std::ptrdiff_t>(breadth), children.end());
    }
};

HENCE_NAMESPACE_END

#endif
