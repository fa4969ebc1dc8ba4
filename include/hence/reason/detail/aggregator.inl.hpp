// Definitions of reason/aggregator.hpp.
#ifndef HENCE_REASON_DETAIL_AGGREGATOR_INL_HPP
#define HENCE_REASON_DETAIL_AGGREGATOR_INL_HPP

#include "../aggregator.hpp"
#include "../statistics.hpp"

#include <algorithm>
#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// Counts with one weight per candidate and picks, among the winner's voters, the first (or best-scored).
inline verdict tally(std::span<const candidate> candidates, std::span<const double> weights, bool best_scored) {
    ballot votes;
    double total = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (!candidates[i].parsed()) {
            votes.add_unparsed();
            continue;
        }
        votes.add(candidates[i].sample, candidates[i].canonical, weights[i]);
        total += weights[i];
    }
    verdict out;
    out.parse_rate = votes.parse_rate();
    const vote* const winner = votes.winner();
    if (winner == nullptr) return out;
    out.confidence = total > 0 ? winner->weight / total : 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].canonical != winner->value) continue;
        if (out.chosen == verdict::none) {
            out.chosen = i;
        } else {
            const candidate& held = candidates[out.chosen];
            const bool better = best_scored ? weights[i] > weights[out.chosen] : candidates[i].sample < held.sample;
            if (better) out.chosen = i;
        }
    }
    out.votes = votes.ranking();
    return out;
}

/// Weights made from the scores of the candidates that vote; the others get 0.
template <class Weigh>
std::vector<double> weigh_voters(std::span<const candidate> candidates, Weigh&& weigh) {
    std::vector<double> scores;
    for (const candidate& c : candidates)
        if (c.parsed()) scores.push_back(c.score.value_or(0));
    const std::vector<double> weights = weigh(std::span<const double>(scores));
    std::vector<double> out;
    std::size_t next = 0;
    for (const candidate& c : candidates) out.push_back(c.parsed() ? weights[next++] : 0);
    return out;
}

}  // namespace detail

HENCE_INLINE verdict aggregate::majority::operator()(std::span<const candidate> candidates) const {
    const std::vector<double> ones(candidates.size(), 1.0);
    return detail::tally(candidates, ones, false);
}

HENCE_INLINE verdict aggregate::weighted::operator()(std::span<const candidate> candidates) const {
    // Sums of negative scores would favour rare answers: log-probabilities weigh as the probabilities they are.
    const bool logarithms = std::any_of(candidates.begin(), candidates.end(), [](const candidate& c) { return c.parsed() && c.score && *c.score < 0; });
    std::vector<double> weights;
    for (const candidate& c : candidates) weights.push_back(!c.score ? 0 : logarithms ? std::exp(*c.score) : *c.score);
    return detail::tally(candidates, weights, true);
}

HENCE_INLINE verdict aggregate::confidence_informed::operator()(std::span<const candidate> candidates) const {
    const auto weights = detail::weigh_voters(
        candidates, [&](std::span<const double> scores) { return statistics::softmax(scores, temperature); });
    return detail::tally(candidates, weights, true);
}

HENCE_INLINE verdict aggregate::borda::operator()(std::span<const candidate> candidates) const {
    const auto weights = detail::weigh_voters(
        candidates, [&](std::span<const double> scores) { return statistics::borda_weights(scores, power); });
    return detail::tally(candidates, weights, true);
}

HENCE_INLINE verdict aggregate::best::operator()(std::span<const candidate> candidates) const {
    verdict out = majority{}(candidates);
    out.chosen = verdict::none;
    const auto worse = [&](const candidate& a, const candidate& b) {  // whether a is worse than b
        if (a.parsed() != b.parsed()) return b.parsed();
        if (a.score.has_value() != b.score.has_value()) return b.score.has_value();
        if (a.score && *a.score != *b.score) return *a.score < *b.score;
        return b.sample < a.sample;
    };
    for (std::size_t i = 0; i < candidates.size(); ++i)
        if (out.chosen == verdict::none || worse(candidates[out.chosen], candidates[i])) out.chosen = i;
    if (out.chosen != verdict::none) out.confidence = candidates[out.chosen].score.value_or(0);
    return out;
}

HENCE_INLINE verdict decide(vote_rule rule, double parameter, std::span<const candidate> candidates) {
    switch (rule) {
        case vote_rule::majority: break;
        case vote_rule::weighted: return aggregate::weighted{}(candidates);
        case vote_rule::confidence: return aggregate::confidence_informed{.temperature = parameter}(candidates);
        case vote_rule::borda: return aggregate::borda{.power = parameter}(candidates);
        case vote_rule::best: return aggregate::best{}(candidates);
    }
    return aggregate::majority{}(candidates);
}

HENCE_NAMESPACE_END

#endif
