// The loop that all voting strategies share: draw samples in windows, count, stop, cancel the rest.
#ifndef HENCE_REASON_DETAIL_SAMPLE_VOTES_HPP
#define HENCE_REASON_DETAIL_SAMPLE_VOTES_HPP

#include "../../core/text.hpp"
#include "../aggregator.hpp"
#include "../chain_of_thought.hpp"
#include "../verifier.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

namespace detail {

struct vote_plan {
    std::size_t samples = 0;
    std::size_t window = 0;     ///< samples that run side by side; 0 = all
    float temperature = 0;
    const chain_of_thought* thought = nullptr;
    const verifier* scorer = nullptr;  ///< scores each finished sample, or null
    vote_rule rule = vote_rule::majority;
    double rule_parameter = 1;
    bool stop_on_agreement = false;  ///< stop after a window whose samples all gave one answer, with that answer
    std::optional<double> stop_at_score = {};  ///< stop when a sample scores this much
};

/// A stopper of any kind: the loop below is compiled once for an engine, not once for each stopper.
using any_stopper = callable<bool(const ballot& votes, std::span<const std::size_t> outstanding)>;

/// Draws as planned until `stop(ballot, outstanding)`; what is still running then is cancelled.
template <reasoning_engine Engine>
result<answer> sample_votes(reasoning_context<Engine>& context, const vote_plan& plan, const any_stopper& stop) {
    using branch = typename Engine::branch_type;
    if (plan.samples == 0) return make_error(errc::invalid_argument, "samples", "1 or more", "0");
    answer out;
    HENCE_TRY_ASSIGN(root, plan.thought->begin(context, context.sampling(plan.temperature)));

    until limits = context.limits();
    if (plan.scorer != nullptr) plan.scorer->prepare(limits);
    ballot votes;
    std::vector<candidate>& candidates = out.candidates;
    bool stopped = false;
    std::string agreed;  // the answer of a window that was of one mind
    std::optional<error> failed;
    std::size_t begun = 0;
    const std::size_t window = plan.window == 0 ? plan.samples : plan.window;

    while (begun < plan.samples && !stopped && !context.exhausted()) {
        const std::size_t count = std::min(window, plan.samples - begun);
        HENCE_TRY_ASSIGN(chains, root.fork(count));
        const auto pointers = context.pointers(chains);
        const std::size_t first = begun;
        begun += count;
        std::vector<bool> done(count, false);
        const auto outstanding = [&] {
            std::vector<std::size_t> list;
            for (std::size_t i = 0; i < count; ++i)
                if (!done[i]) list.push_back(first + i);
            for (std::size_t i = begun; i < plan.samples; ++i) list.push_back(i);
            return list;
        };
        HENCE_TRY(plan.thought->think(context, std::span<branch* const>(pointers), limits, [&](auto& event) {
            if (event.kind != event_kind::finished || done[event.index]) return;
            done[event.index] = true;
            candidate c = context.collect(first + event.index, event.which);
            // What was stopped half-way has said nothing yet.
            const bool votes_now = c.finish != finish_reason::cancelled && c.finish != finish_reason::budget;
            if (votes_now && plan.scorer != nullptr && !failed) {
                const scored_branch<Engine> item[] = {{&event.which, c.text}};
                // Probes would extend inside extend(); they are asked after the window instead.
                if (!plan.scorer->asks_model()) {
                    auto score = plan.scorer->score(context, std::span<const scored_branch<Engine>>(item));
                    if (score) c.score = (*score)[0];
                    else failed = std::move(score).error();
                }
            }
            if (!votes_now) c.value.clear(), c.canonical.clear();
            else if (c.parsed()) votes.add(c.sample, c.canonical);
            else votes.add_unparsed();
            (void)context.note(0, "sample", c, event.which.stream());
            candidates.push_back(std::move(c));
            const bool good_enough = plan.stop_at_score && candidates.back().score && *candidates.back().score >= *plan.stop_at_score;
            if (votes_now && !stopped && (good_enough || stop(votes, outstanding()))) {
                stopped = true;
                for (std::size_t i = 0; i < count; ++i)
                    if (!done[i]) pointers[i]->cancel();
            }
        }));
        if (failed) return std::move(*failed);
        if (plan.stop_on_agreement && !context.cut()) {
            const std::string* common = nullptr;
            bool agree = true;
            for (const candidate& c : candidates)
                if (c.sample >= first) {
                    agree = agree && c.parsed() && (common == nullptr || *common == c.canonical);
                    common = &c.canonical;
                }
            if (agree && common != nullptr) agreed = *common;
            stopped = stopped || !agreed.empty();
        }
        if (plan.scorer != nullptr) {  // the probes of this window, in one batch
            std::vector<scored_branch<Engine>> items;
            std::vector<candidate*> judged;
            for (candidate& c : candidates)
                if (c.sample >= first && c.finish != finish_reason::cancelled && c.finish != finish_reason::budget && !c.score) {
                    items.push_back({pointers[c.sample - first], c.text});
                    judged.push_back(&c);
                }
            if (!items.empty()) {
                auto scores = plan.scorer->score(context, std::span<const scored_branch<Engine>>(items));
                if (!scores && scores.error().code == errc::budget_exhausted) context.mark_cut();
                else if (!scores) return std::move(scores).error();
                else
                    for (std::size_t i = 0; i < judged.size(); ++i) {
                        judged[i]->score = (*scores)[i];
                        stopped = stopped || (plan.stop_at_score && (*scores)[i] >= *plan.stop_at_score);
                    }
            }
        }
    }

    std::sort(candidates.begin(), candidates.end(), [](const candidate& a, const candidate& b) { return a.sample < b.sample; });
    verdict decision = decide(plan.rule, plan.rule_parameter, candidates);
    if (!agreed.empty())
        for (std::size_t i = 0; i < candidates.size(); ++i)
            if (candidates[i].canonical == agreed) {
                decision.chosen = i;
                break;
            }
    out.parse_rate = votes.parse_rate();
    out.votes = std::move(decision.votes);
    out.confidence = decision.confidence;
    const auto never_begun = static_cast<std::int64_t>(plan.samples - begun);
    out.saved_tokens = stopped ? saved_tokens(candidates, never_begun) : 0;
    if (stopped) {
        out.cancelled_branches = never_begun;
        for (const candidate& c : candidates) out.cancelled_branches += c.finish == finish_reason::cancelled ? 1 : 0;
    }
    for (const candidate& c : candidates)
        if (trace_node* const node = context.traced(c.node); node != nullptr && c.node > 0) node->score = c.score;
    if (decision.chosen != verdict::none) {
        context.choose(out, candidates[decision.chosen]);
        out.why = concat({votes.samples(), " of ", plan.samples, " samples voted", (out.cancelled_branches > 0 ? "; the rest was not needed" : "")});
    } else {
        // Nobody voted: show the longest text there is, which may be cut, rather than nothing.
        const candidate* longest = nullptr;
        for (const candidate& c : candidates)
            if (longest == nullptr || c.text.size() > longest->text.size()) longest = &c;
        if (longest != nullptr) out.text = longest->text;
        out.confidence = 0;
        out.why = votes.samples() == 0 ? "no sample was finished" : "no answer was found in any of " + std::to_string(votes.samples()) + " samples";
    }
    return out;
}

}  // namespace detail

HENCE_NAMESPACE_END

#endif
