// deep_confidence: votes weighed by how sure the model was while it thought, and traces that lose their
// confidence stopped before they end.
//
// Offline: all samples run to their ends, the most confident keep_percent vote. Online: a warm-up runs to its
// end and sets a threshold; later traces are cancelled the moment the confidence of their last `window`
// tokens falls below it, and sampling ends when the vote is nearly of one mind. The threshold and the test
// use the same measure (lowest group); warm-up traces below it do not vote, as they would not have later.
#ifndef HENCE_REASON_DEEP_CONFIDENCE_HPP
#define HENCE_REASON_DEEP_CONFIDENCE_HPP

#include "../core/text.hpp"
#include "aggregator.hpp"
#include "chain_of_thought.hpp"
#include "statistics.hpp"
#include "verifier.hpp"

#include <algorithm>
#include <cmath>

HENCE_NAMESPACE_BEGIN

struct deep_confidence {
    static constexpr std::string_view strategy_name = "deep_confidence";
    using measure = verify::group_confidence::measure;

    std::size_t samples = 64;
    bool online = true;
    std::size_t warmup = 16;          ///< online: traces that set the threshold
    double keep_percent = 10;         ///< 10: few and sure; 90: nearly all
    double consensus = 0.95;          ///< online: stop when the leader has this share of the votes' weight
    std::size_t window = 2048;        ///< tokens of a group
    int top_k = 20;                   ///< tokens whose log-probabilities make a token's confidence
    measure how = measure::lowest;    ///< offline: the trace's score
    std::size_t batch = 16;           ///< online: traces that run side by side after the warm-up
    float temperature = 0.7f;
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("samples", s.samples);
        visit("online", s.online);
        visit("warmup", s.warmup);
        visit("keep_percent", s.keep_percent);
        visit("consensus", s.consensus);
        visit("window", s.window);
        visit("top_k", s.top_k);
        visit("how", s.how);
        visit("batch", s.batch);
        visit("temperature", s.temperature);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: settings that make no sense, by name; those of the engine
    /// @source Fu et al., 2508.15260, algorithms 1 and 2, with the paper's consensus stop
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        HENCE_TRY(check());
        answer out;
        HENCE_TRY_ASSIGN(root, thought.begin(context, context.sampling(temperature)));
        double threshold = 0;
        std::size_t begun = 0;
        std::int64_t sagged = 0;
        bool agreed = false;
        const std::size_t first = online ? std::min(warmup, samples) : samples;
        HENCE_TRY(trace_batch(context, root, first, {}, begun, out, sagged));
        if (online && begun >= warmup) {
            std::vector<double> lowest;
            for (const candidate& c : out.candidates)
                if (voted(c)) lowest.push_back(*c.score);
            threshold = statistics::confidence_threshold(lowest, keep_percent);
            agreed = weigh(out.candidates, threshold).confidence >= consensus;
            while (begun < samples && !agreed && !context.exhausted()) {
                HENCE_TRY(trace_batch(context, root, std::min(batch, samples - begun), threshold, begun, out, sagged));
                agreed = weigh(out.candidates, threshold).confidence >= consensus;
            }
        } else {
            std::vector<double> scores;
            for (const candidate& c : out.candidates)
                if (voted(c)) scores.push_back(*c.score);
            threshold = statistics::quantile(scores, (100 - keep_percent) / 100);
        }
        verdict decision = weigh(out.candidates, threshold);
        out.votes = std::move(decision.votes);
        out.confidence = decision.confidence;
        out.parse_rate = decision.parse_rate;
        const auto never_begun = static_cast<std::int64_t>(samples - begun);
        out.cancelled_branches = sagged + (agreed ? never_begun : 0);
        out.saved_tokens = detail::saved_tokens(out.candidates, agreed ? never_begun : 0);
        if (decision.chosen == verdict::none) {
            out.why = out.candidates.empty() ? "no trace was begun" : "no answer was found in any trace that votes";
            if (!out.candidates.empty()) out.text = out.candidates[0].text;
            return out;
        }
        context.choose(out, out.candidates[decision.chosen]);
        out.why = concat({begun, " traces, ", sagged, " stopped for low confidence", (agreed ? "; the vote was nearly of one mind" : "")});
        return out;
    }

private:
    static bool voted(const candidate& c) {
        return c.score && c.finish != finish_reason::cancelled && c.finish != finish_reason::budget;
    }

    result<void> check() const {
        const auto refuse = [](const char* field, const char* expected, double found) -> result<void> {
            return make_error(errc::invalid_argument, concat({"deep_confidence.", field}), expected, decimal(found));
        };
        if (samples == 0) return refuse("samples", "1 or more", 0);
        if (online && warmup == 0) return refuse("warmup", "1 or more", 0);
        if (!(keep_percent > 0 && keep_percent <= 100)) return refuse("keep_percent", "above 0, at most 100", keep_percent);
        if (window == 0) return refuse("window", "1 or more", 0);
        if (top_k <= 0) return refuse("top_k", "1 or more", top_k);
        if (batch == 0) return refuse("batch", "1 or more", 0);
        return {};
    }

    /// Traces below the threshold do not vote; the others weigh by their confidence.
    static verdict weigh(std::span<const candidate> candidates, double threshold) {
        std::vector<candidate> voters;
        std::vector<std::size_t> from;
        for (std::size_t i = 0; i < candidates.size(); ++i)
            if (voted(candidates[i]) && *candidates[i].score >= threshold) {
                voters.push_back(candidates[i]);
                from.push_back(i);
            }
        verdict decision = aggregate::weighted{}(voters);
        if (decision.chosen != verdict::none) decision.chosen = from[decision.chosen];
        return decision;
    }

    template <reasoning_engine Engine>
    result<void> trace_batch(reasoning_context<Engine>& context, typename Engine::branch_type& root, std::size_t count,
                             std::optional<double> threshold, std::size_t& begun, answer& out, std::int64_t& sagged) const {
        using branch_type = typename Engine::branch_type;
        struct running {
            std::vector<float> confidences;
            double sum = 0;
            bool done = false;
            bool sagged = false;
        };
        HENCE_TRY_ASSIGN(chains, root.fork(count));
        const auto pointers = context.pointers(chains);
        std::vector<running> states(count);
        const std::size_t first = begun;
        begun += count;
        until limits = context.limits();
        limits.confidence_top_k = top_k;
        limits.every_token = true;
        const measure score_by = online ? measure::lowest : how;
        HENCE_TRY(thought.think(context, std::span<branch_type* const>(pointers), limits, [&](auto& event) {
            running& state = states[event.index];
            if (event.kind == event_kind::token) {
                const float c = event.statistics.confidence;
                if (std::isnan(c)) return;
                state.confidences.push_back(c);
                state.sum += static_cast<double>(c);
                const std::size_t n = state.confidences.size();
                if (n > window) state.sum -= static_cast<double>(state.confidences[n - 1 - window]);
                if (threshold && n >= window && state.sum / static_cast<double>(window) < *threshold) {
                    state.sagged = true;
                    event.which.cancel();
                }
                return;
            }
            if (state.done) return;
            state.done = true;
            candidate c = context.collect(first + event.index, event.which);
            switch (score_by) {
                case measure::mean: c.score = statistics::tail_mean(state.confidences, state.confidences.size()); break;
                case measure::tail: c.score = statistics::tail_mean(state.confidences, window); break;
                case measure::bottom_tenth: c.score = statistics::bottom_groups(state.confidences, window); break;
                case measure::lowest: c.score = statistics::lowest_group(state.confidences, window); break;
            }
            if (state.sagged) {
                ++sagged;
                c.finish = finish_reason::cancelled;
            }
            (void)context.note(0, "trace", c, event.which.stream());
            out.candidates.push_back(std::move(c));
        }));
        std::sort(out.candidates.begin(), out.candidates.end(), [](const candidate& a, const candidate& b) { return a.sample < b.sample; });
        return {};
    }
};

HENCE_NAMESPACE_END

#endif
