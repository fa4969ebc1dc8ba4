// fallback and mixture: strategies made of strategies, by value, on one budget.
//
// fallback(a, b, c) tries cheap ones first and goes on only where the answer is not good enough;
// mixture(a, b, c) asks all and lets their answers vote. Each member gets an equal share of what is left.
#ifndef HENCE_REASON_MIXTURE_HPP
#define HENCE_REASON_MIXTURE_HPP

#include "../core/text.hpp"
#include "aggregator.hpp"
#include "verifier.hpp"

#include <cmath>
#include <tuple>
#include <utility>

HENCE_NAMESPACE_BEGIN

/// What makes an answer good enough to stop at.
struct acceptance {
    std::optional<verifier> scorer = {};  ///< judges the answer's text; unset: an answer that was found will do
    double threshold = 0.5;               ///< the score that is enough
    double confidence = 0;                ///< and the answer's own confidence, where this is above 0

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("accept", s.scorer);
        visit("threshold", s.threshold);
        visit("confidence", s.confidence);
    }
};

namespace detail {

/// Runs one member on its share of the budget that is left; its context's trace goes below the question.
template <reasoning_engine Engine, class Run>
result<answer> run_member(reasoning_context<Engine>& context, std::size_t index, std::size_t count, std::string_view name,
                          answer& into, std::size_t& node, Run&& run) {
    reasoning_context<Engine> inner = context.child();
    const auto shares = static_cast<std::int64_t>(count - index);
    const budget_scope<Engine> scope(context.engine(), context.engine().remaining_budget().share(0, shares));
    HENCE_TRY(scope.status());
    auto out = run(inner);
    if (!out) return out;
    out->cut = out->cut || inner.cut();
    node = context.absorb(inner, 0, name, out->why);
    into.cancelled_branches += out->cancelled_branches;
    into.saved_tokens += out->saved_tokens;
    return out;
}

/// The loop behind fallback: `call(i, context)` runs member i.
template <reasoning_engine Engine, class Names, class Call>
result<answer> run_in_turn(reasoning_context<Engine>& context, std::size_t count, const acceptance& accept,
                           const Names& name_of, Call&& call) {
    if (count == 0) return make_error(errc::invalid_argument, "fallback", "at least one strategy", "none");
    answer best;
    answer totals;
    std::optional<double> best_score;
    bool any = false;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0 && context.exhausted()) break;
        const std::size_t first = context.nodes();
        std::size_t node = 0;
        HENCE_TRY_ASSIGN(one, run_member(context, i, count, name_of(i), totals, node, [&](reasoning_context<Engine>& inner) { return call(i, inner); }));
        std::optional<double> score;
        bool enough = one.found();
        if (accept.scorer && enough) {
            const scored_branch<Engine> item[] = {{nullptr, one.text}};
            auto judged = accept.scorer->score(context, std::span<const scored_branch<Engine>>(item));
            if (judged) score = (*judged)[0];
            else if (judged.error().code == errc::budget_exhausted) context.mark_cut();
            else return std::move(judged).error();
            enough = score && *score >= accept.threshold;
        }
        if (accept.confidence > 0) enough = enough && one.confidence >= accept.confidence;
        const bool last = i + 1 == count;
        std::string why = concat({name_of(i), ": ", one.why});
        // Later members cost more and are trusted more, unless a score says otherwise.
        const bool better = !any || enough || (one.found() && (!best.found() || !score || !best_score || *score >= *best_score));
        if (better) {
            context.unmark_below(0, first);
            context.mark_chosen(node);
            best = std::move(one);
            best.why = std::move(why);
            best_score = score;
            any = true;
        } else {
            context.unmark_below(first, context.nodes());
        }
        if (enough) {
            if (!last) totals.cancelled_branches += static_cast<std::int64_t>(count - i - 1);
            break;
        }
        if (last) best.why += "; no member was good enough";
    }
    best.cancelled_branches = totals.cancelled_branches;
    best.saved_tokens = totals.saved_tokens;
    if (best_score) best.confidence = *best_score;
    return best;
}

/// The loop behind mixture: each member's answer is one vote.
template <reasoning_engine Engine, class Names, class Call>
result<answer> run_all(reasoning_context<Engine>& context, std::size_t count, bool by_confidence, const Names& name_of, Call&& call) {
    if (count == 0) return make_error(errc::invalid_argument, "mixture", "at least one strategy", "none");
    answer out;
    std::vector<answer> members;
    bool cut = false;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0 && context.exhausted()) break;
        candidate c;
        HENCE_TRY_ASSIGN(one, run_member(context, i, count, name_of(i), out, c.node, [&](reasoning_context<Engine>& inner) { return call(i, inner); }));
        c.sample = i;
        c.text = one.text;
        c.value = one.value;
        c.canonical = one.canonical;
        c.score = std::isfinite(one.confidence) ? one.confidence : 1.0;
        cut = cut || one.cut;
        out.candidates.push_back(std::move(c));
        members.push_back(std::move(one));
    }
    verdict decision = decide(by_confidence ? vote_rule::weighted : vote_rule::majority, 1, out.candidates);
    out.votes = std::move(decision.votes);
    out.confidence = decision.confidence;
    out.parse_rate = decision.parse_rate;
    out.cut = cut;
    out.why = "no member found an answer";
    if (decision.chosen != verdict::none) {
        const answer& chosen = members[decision.chosen];
        // Of the members' own paths only the chosen member's leads to this answer.
        const std::size_t first = out.candidates[decision.chosen].node;
        const std::size_t last = decision.chosen + 1 < out.candidates.size() ? out.candidates[decision.chosen + 1].node : context.nodes();
        context.unmark_below(0, first);
        context.unmark_below(last, context.nodes());
        context.mark_chosen(first);
        out.text = chosen.text;
        out.value = chosen.value;
        out.canonical = chosen.canonical;
        out.thinking = chosen.thinking;
        out.why = concat({members.size(), " strategies voted; shown: ", name_of(decision.chosen)});
    } else if (!members.empty()) {
        out.text = members.back().text;
    }
    return out;
}

template <class Members>
struct member_names {
    template <std::size_t... I>
    static std::string_view at(std::size_t i, std::index_sequence<I...>) {
        std::string_view name;
        ((i == I ? void(name = std::tuple_element_t<I, Members>::strategy_name) : void()), ...);
        return name;
    }
    std::string_view operator()(std::size_t i) const { return at(i, std::make_index_sequence<std::tuple_size_v<Members>>{}); }
};

/// Runs member i of a tuple.
template <reasoning_engine Engine, class Members>
result<answer> run_tuple_member(const Members& members, std::size_t i, reasoning_context<Engine>& context) {
    std::optional<result<answer>> out;
    const auto try_member = [&](std::size_t index, const auto& member) {
        if (index == i) out.emplace(member.run(context));
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (try_member(I, std::get<I>(members)), ...);
    }(std::make_index_sequence<std::tuple_size_v<Members>>{});
    return std::move(*out);
}

}  // namespace detail

/// Made by fallback(...).
template <class... Strategies>
struct fallback_chain {
    static constexpr std::string_view strategy_name = "fallback";
    std::tuple<Strategies...> members;
    acceptance accept = {};

    /// @shape none
    /// @errors those of the members and of the scorer
    /// @source none
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        return detail::run_in_turn(context, sizeof...(Strategies), accept, detail::member_names<std::tuple<Strategies...>>{},
                                   [&](std::size_t i, reasoning_context<Engine>& inner) { return detail::run_tuple_member(members, i, inner); });
    }
};

/// Made by mixture(...).
template <class... Strategies>
struct strategy_mixture {
    static constexpr std::string_view strategy_name = "mixture";
    std::tuple<Strategies...> members;
    bool by_confidence = false;  ///< votes weigh their strategy's confidence

    /// @shape none
    /// @errors those of the members
    /// @source none
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        return detail::run_all(context, sizeof...(Strategies), by_confidence, detail::member_names<std::tuple<Strategies...>>{},
                               [&](std::size_t i, reasoning_context<Engine>& inner) { return detail::run_tuple_member(members, i, inner); });
    }
};

/// Strategies to try in turn until an answer is good enough: set `.accept` of what it returns.
/// @shape none
/// @errors none
/// @source none
template <class... Strategies>
[[nodiscard]] fallback_chain<Strategies...> fallback(Strategies... members) {
    return {.members = {std::move(members)...}};
}

/// Strategies whose answers vote.
/// @shape none
/// @errors none
/// @source none
template <class... Strategies>
[[nodiscard]] strategy_mixture<Strategies...> mixture(Strategies... members) {
    return {.members = {std::move(members)...}};
}

HENCE_NAMESPACE_END

#endif
