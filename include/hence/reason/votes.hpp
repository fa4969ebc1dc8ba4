// ballot: counts votes for answers under one fixed tie rule, and knows when a vote can no longer turn.
//
// Ties go to the answer whose first voter has the lowest sample index: not to the one that finished first,
// so that a result never depends on how samples were batched. Unparsed samples are counted, not voted.
#ifndef HENCE_REASON_VOTES_HPP
#define HENCE_REASON_VOTES_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// One answer of a vote.
struct vote {
    std::string value;              ///< the canonical answer
    std::int64_t count = 0;         ///< how many samples gave it
    double weight = 0;              ///< the sum of their weights; equal to count in a plain vote
    std::size_t first_sample = 0;   ///< the lowest sample index that gave it
};

class ballot {
public:
    /// Adds the vote of one sample. Weights are added in the order of the calls.
    /// @shape none
    /// @errors none; weight is finite
    /// @source Wang et al., 2203.11171 (majority); tie rule ours
    void add(std::size_t sample, std::string_view value, double weight = 1);

    /// Counts a sample in which no answer was found.
    /// @shape none
    /// @errors none
    /// @source none
    void add_unparsed() noexcept { ++unparsed_; }

    /// The answer with the largest weight; null when nobody has voted. Valid until the next add().
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] const vote* winner() const noexcept;

    /// All answers, best first.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::vector<vote> ranking() const;

    /// Whether the samples still outstanding, each with a vote of weight `most`, cannot change the winner.
    /// @shape outstanding: sample indices
    /// @errors none
    /// @source none
    [[nodiscard]] bool decided(std::span<const std::size_t> outstanding, double most = 1) const;

    /// The two largest counts, by count.
    /// @shape (first, second)
    /// @errors none
    /// @source none
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> top_two() const noexcept;

    /// The samples that voted or were unparsed; and the share of those that voted (1 when there are none).
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::int64_t samples() const noexcept { return voted_ + unparsed_; }
    [[nodiscard]] double parse_rate() const noexcept {
        return samples() == 0 ? 1.0 : static_cast<double>(voted_) / static_cast<double>(samples());
    }

private:
    std::vector<vote> votes_;
    std::int64_t voted_ = 0;
    std::int64_t unparsed_ = 0;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/votes.inl.hpp"
#endif

#endif
