// account: what a run has cost, counted where the cost arises.
//
// The engine keeps one for everything it did and one per branch. The token and row counters of all
// branches that ever lived add up to the engine's; forwards, peak bytes and seconds belong to the engine
// alone, because one forward serves many branches.
#ifndef HENCE_GENERATE_ACCOUNT_HPP
#define HENCE_GENERATE_ACCOUNT_HPP

#include "../config.hpp"

#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// Counters of one run, branch or difference of two moments.
struct account {
    std::int64_t prompt_tokens = 0;     ///< tokens handed to begin()
    std::int64_t cached_tokens = 0;     ///< positions whose keys and values were found, not computed
    std::int64_t generated_tokens = 0;  ///< tokens sampled and appended, end tokens included
    std::int64_t forced_tokens = 0;     ///< tokens appended by force()
    std::int64_t scored_tokens = 0;     ///< probe tokens of score() and candidate reads, rolled back after
    std::int64_t drafted_tokens = 0;    ///< tokens proposed by a drafter
    std::int64_t accepted_tokens = 0;   ///< of these, accepted
    std::int64_t discarded_tokens = 0;  ///< generated or forced tokens that rollback() took away again
    std::int64_t rows = 0;              ///< rows of forward steps, whatever they were for
    std::int64_t forwards = 0;          ///< forward steps; a branch counts the steps that it had rows in
    std::int64_t peak_kv_bytes = 0;     ///< engine only: most bytes of cache pages in use at one time
    double seconds = 0;                 ///< engine only: wall time spent inside extend, score and the like

    /// What budget::tokens limits: everything that is produced or read beyond prompts.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr std::int64_t spent_tokens() const noexcept {
        return generated_tokens + forced_tokens + scored_tokens;
    }

    /// Adds the counters; the peak is the larger of the two.
    constexpr account& operator+=(const account& other) noexcept {
        prompt_tokens += other.prompt_tokens;
        cached_tokens += other.cached_tokens;
        generated_tokens += other.generated_tokens;
        forced_tokens += other.forced_tokens;
        scored_tokens += other.scored_tokens;
        drafted_tokens += other.drafted_tokens;
        accepted_tokens += other.accepted_tokens;
        discarded_tokens += other.discarded_tokens;
        rows += other.rows;
        forwards += other.forwards;
        peak_kv_bytes = peak_kv_bytes > other.peak_kv_bytes ? peak_kv_bytes : other.peak_kv_bytes;
        seconds += other.seconds;
        return *this;
    }

    friend constexpr account operator+(account a, const account& b) noexcept { return a += b; }

    /// What happened between an earlier moment and this one; the peak stays this one's.
    /// @shape none
    /// @errors none
    /// @source none
    friend constexpr account operator-(account later, const account& earlier) noexcept {
        later.prompt_tokens -= earlier.prompt_tokens;
        later.cached_tokens -= earlier.cached_tokens;
        later.generated_tokens -= earlier.generated_tokens;
        later.forced_tokens -= earlier.forced_tokens;
        later.scored_tokens -= earlier.scored_tokens;
        later.drafted_tokens -= earlier.drafted_tokens;
        later.accepted_tokens -= earlier.accepted_tokens;
        later.discarded_tokens -= earlier.discarded_tokens;
        later.rows -= earlier.rows;
        later.forwards -= earlier.forwards;
        later.seconds -= earlier.seconds;
        return later;
    }

    friend constexpr bool operator==(const account&, const account&) = default;
};

HENCE_NAMESPACE_END

#endif
