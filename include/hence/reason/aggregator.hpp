// Aggregators: one answer out of many candidates, under the one tie rule of votes.hpp.
#ifndef HENCE_REASON_AGGREGATOR_HPP
#define HENCE_REASON_AGGREGATOR_HPP

#include "concepts.hpp"

#include <span>

HENCE_NAMESPACE_BEGIN

namespace aggregate {

/// One candidate, one vote.
struct majority {
    /// @shape none
    /// @errors none: nothing is chosen when nobody voted
    /// @source Wang et al., 2203.11171
    [[nodiscard]] verdict operator()(std::span<const candidate> candidates) const;
};

/// Each vote weighs its candidate's score (a candidate without one weighs nothing); where a score is negative,
/// all weigh exp(score), which is what log-probabilities mean.
struct weighted {
    /// @shape none
    /// @errors none
    /// @source Li et al., 2206.02336
    [[nodiscard]] verdict operator()(std::span<const candidate> candidates) const;
};

/// Votes weigh the softmax of the scores of all that voted; temperature to infinity gives the majority.
struct confidence_informed {
    double temperature = 1;
    /// @shape none
    /// @errors none
    /// @source Taubenfeld et al., 2502.06233 (CISC)
    [[nodiscard]] verdict operator()(std::span<const candidate> candidates) const;
};

/// Votes weigh by the rank of their score: n^power for the best of n.
struct borda {
    double power = 0.5;
    /// @shape none
    /// @errors none
    /// @source Kang et al., 2502.18581
    [[nodiscard]] verdict operator()(std::span<const candidate> candidates) const;
};

/// The candidate with the best score, whatever the others say; unparsed ones only when all are.
struct best {
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] verdict operator()(std::span<const candidate> candidates) const;
};

}  // namespace aggregate

/// How candidates' scores count; the names on a command line are these.
enum class vote_rule : std::uint8_t { majority, weighted, confidence, borda, best };

/// The verdict by a rule chosen at run time. `parameter`: the temperature or power of rules that have one.
/// @shape none
/// @errors none
/// @source as the rules
[[nodiscard]] verdict decide(vote_rule rule, double parameter, std::span<const candidate> candidates);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/aggregator.inl.hpp"
#endif

#endif
