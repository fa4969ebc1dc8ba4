// Stoppers: when enough samples have voted. Each looks at the votes and at who could still vote.
#ifndef HENCE_REASON_STOPPER_HPP
#define HENCE_REASON_STOPPER_HPP

#include "concepts.hpp"
#include "statistics.hpp"

#include <span>

HENCE_NAMESPACE_BEGIN

namespace stop_when {

/// Never: every sample is drawn to its end.
struct all_voted {
    [[nodiscard]] bool operator()(const ballot&, std::span<const std::size_t> outstanding) const {
        return outstanding.empty();
    }
};

/// The outstanding samples cannot overturn the vote: the answer is the same as with all of them.
struct decided {
    [[nodiscard]] bool operator()(const ballot& votes, std::span<const std::size_t> outstanding) const {
        return votes.decided(outstanding);
    }
};

/// P(the leader is ahead of the runner-up) reaches a threshold. Source: Aggarwal et al., 2305.11860.
struct beta {
    double threshold = 0.95;
    [[nodiscard]] bool operator()(const ballot& votes, std::span<const std::size_t> outstanding) const {
        const auto [first, second] = votes.top_two();
        return outstanding.empty() || statistics::majority_probability(first, second) >= threshold;
    }
};

/// The same over all answers, by seeded draws from a Dirichlet. Source: Aggarwal et al., 2305.11860.
struct dirichlet {
    double threshold = 0.95;
    std::uint64_t seed = 0;
    [[nodiscard]] bool operator()(const ballot& votes, std::span<const std::size_t> outstanding) const {
        if (outstanding.empty()) return true;
        std::vector<std::int64_t> counts;
        for (const vote& v : votes.ranking()) counts.push_back(v.count);
        if (counts.size() < 3) return beta{threshold}(votes, outstanding);
        return statistics::dirichlet_top_probability(counts, seed) >= threshold;
    }
};

}  // namespace stop_when

HENCE_NAMESPACE_END

#endif
