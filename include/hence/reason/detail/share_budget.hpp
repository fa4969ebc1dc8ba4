// The template behind share_budget() of reason/adaptive.hpp.
#ifndef HENCE_REASON_DETAIL_SHARE_BUDGET_HPP
#define HENCE_REASON_DETAIL_SHARE_BUDGET_HPP

#include "../../core/text.hpp"
#include "../adaptive.hpp"

#include <cmath>

HENCE_NAMESPACE_BEGIN

template <reasoning_engine Engine>
result<std::vector<answer>> share_budget(Engine& engine, std::span<const std::string> questions, const shared_voting& s,
                                         const budget& limit, const reason_options& options) {
    using branch_type = typename Engine::branch_type;
    HENCE_TRY(detail::require_positive("shared_voting", {{"questions (given)", questions.size()},
                                                         {"first", s.first},
                                                         {"window", s.window},
                                                         {"questions", s.questions},
                                                         {"samples", s.samples}}));
    for (std::size_t q = 0; q < questions.size(); ++q)
        if (questions[q].find_first_not_of(" \t\r\n") == std::string::npos)
            return make_error(errc::invalid_argument, concat({"questions[", q, "]"}), "some text", "an empty question");
    if (options.max_tokens == 0)
        return make_error(errc::invalid_argument, "reason_options.max_tokens", "1 or more", "0");
    HENCE_TRY(limit.check());
    const budget_scope<Engine> scope(engine, limit);
    HENCE_TRY(scope.status());
    struct asked {
        branch_type root;
        ballot votes;
        std::size_t begun = 0;
    };
    std::vector<asked> state;
    std::vector<answer> out(questions.size());
    std::vector<reason_options> own(questions.size(), options);
    std::vector<reasoning_context<Engine>> contexts;
    contexts.reserve(questions.size());
    for (std::size_t q = 0; q < questions.size(); ++q) {
        own[q].seed = mix64(options.seed, q);  // questions must not share their luck
        contexts.emplace_back(engine, questions[q], own[q]);
        HENCE_TRY_ASSIGN(root, s.thought.begin(contexts.back(), contexts.back().sampling(s.temperature)));
        state.push_back({std::move(root), {}, 0});
    }
    std::size_t drawn = 0;
    reasoning_context<Engine>& any = contexts[0];
    for (;;) {
        if (any.exhausted()) break;
        // Whom this round serves, and with how many samples.
        std::vector<std::pair<double, std::size_t>> wanted;
        for (std::size_t q = 0; q < state.size(); ++q) {
            const asked& a = state[q];
            if (a.begun >= s.samples) continue;
            const auto [first, second] = a.votes.top_two();
            const double sure = a.begun == 0 ? 0 : statistics::majority_probability(first, second);
            if (a.begun > 0 && sure >= s.threshold) continue;
            const double bonus =
                a.begun == 0
                    ? 1e9
                    : s.exploration * std::sqrt(std::log(static_cast<double>(drawn)) / static_cast<double>(a.begun));
            wanted.emplace_back(1 - sure + bonus, q);
        }
        if (wanted.empty()) break;
        std::stable_sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
        const bool opening = state[wanted[0].second].begun == 0;
        if (!opening && wanted.size() > s.questions) wanted.resize(s.questions);
        std::vector<branch_type> chains;
        std::vector<std::size_t> owner;
        for (const auto& [priority, q] : wanted) {
            const std::size_t count = std::min(opening ? s.first : s.window, s.samples - state[q].begun);
            HENCE_TRY_ASSIGN(children, state[q].root.fork(count));
            for (branch_type& child : children) {
                chains.push_back(std::move(child));
                owner.push_back(q);
            }
        }
        const auto pointers = any.pointers(chains);
        HENCE_TRY(s.thought.think(any, std::span<branch_type* const>(pointers), any.limits(), [&](auto& event) {
            if (event.kind != event_kind::finished) return;
            const std::size_t q = owner[event.index];
            asked& a = state[q];
            candidate c = contexts[q].collect(a.begun++, event.which);
            ++drawn;
            out[q].account += event.which.account();
            const bool whole = c.finish != finish_reason::budget && c.finish != finish_reason::cancelled;
            if (!whole)
                c.value.clear(), c.canonical.clear();
            else if (c.parsed())
                a.votes.add(c.sample, c.canonical);
            else
                a.votes.add_unparsed();
            out[q].candidates.push_back(std::move(c));
        }));
    }
    for (std::size_t q = 0; q < questions.size(); ++q) {
        const verdict decision = aggregate::majority{}(out[q].candidates);
        out[q].votes = decision.votes;
        out[q].confidence = decision.confidence;
        out[q].parse_rate = state[q].votes.parse_rate();
        out[q].cut = any.cut();
        out[q].seconds = any.elapsed();
        out[q].why = concat({state[q].votes.samples(), " samples of ", drawn, " in all"});
        if (decision.chosen != verdict::none) contexts[q].choose(out[q], out[q].candidates[decision.chosen]);
    }
    return out;
}

HENCE_NAMESPACE_END

#endif
