// branch: one sequence of tokens in an engine, with its share of the cache. Movable, not copyable; fork()
// is the copy, and says so.
//
// A branch keeps its engine's memory alive, so it may be destroyed after the engine. Like the engine it is
// used by one thread at a time.
#ifndef HENCE_GENERATE_BRANCH_HPP
#define HENCE_GENERATE_BRANCH_HPP

#include "../core/result.hpp"
#include "../core/types.hpp"
#include "account.hpp"
#include "events.hpp"
#include "sampling.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace detail {
class engine_core;
struct branch_state;
}  // namespace detail

class branch {
public:
    ~branch();
    branch(branch&&) noexcept;
    branch& operator=(branch&&) noexcept;
    branch(const branch&) = delete;
    branch& operator=(const branch&) = delete;

    /// `count` children that share everything so far; the parent stays. The i-th child that a branch ever gets
    /// has the stream mix64(stream(), i), so a fresh branch with the same tokens and that stream draws the same.
    /// @shape none
    /// @errors invalid_argument: the branch was pruned; out_of_memory
    /// @cost O(pages) per child; no forward step, no page copied until a child writes
    /// @source none
    [[nodiscard]] result<std::vector<branch>> fork(std::size_t count);

    /// One child with a stream of the caller's choice.
    /// @shape none
    /// @errors as fork()
    /// @source none
    [[nodiscard]] result<branch> fork_as(std::uint64_t stream);

    /// Gives the cache back and ends the branch for good; tokens, text and account stay readable. A branch that is
    /// running gets finish_reason::cancelled.
    /// @shape none
    /// @errors none
    /// @source none
    void prune();

    /// Keeps the first `count` tokens. Clears finish().
    /// @shape 1 <= count <= tokens().size()
    /// @errors out_of_range; invalid_argument: pruned, or running in an extend() whose callback calls this
    /// @source none
    result<void> rollback(std::size_t count);

    /// Ends its part in the running extend(): no further token is appended. Outside extend() it only sets finish().
    /// @shape none
    /// @errors none
    /// @source none
    void cancel() noexcept;

    /// Lets the branch grow to `tokens` tokens and no further: finish_reason::budget. This is how a recorded run
    /// that met a deadline is replayed without the clock.
    /// @shape none
    /// @errors none
    /// @source none
    void cut_at(std::size_t tokens) noexcept;

    /// @shape none
    /// @errors that of check(sampling)
    /// @source none
    result<void> set_sampling(const sampling& how);
    [[nodiscard]] const sampling& sampling_options() const noexcept;

    /// Prompt and everything after. Views are valid until the branch changes.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const token_id> tokens() const noexcept;
    /// Everything after the prompt: drawn and forced.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const token_id> generated() const noexcept;
    /// One record for each token of generated().
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const token_statistics> statistics() const noexcept;
    [[nodiscard]] std::size_t prompt_tokens() const noexcept;

    /// The text of generated(), without the stop string it ended at. Valid UTF-8: ill-formed bytes are U+FFFD, a
    /// character that is still open at the end is left out.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::string text() const;

    [[nodiscard]] std::uint64_t stream() const noexcept;
    [[nodiscard]] finish_reason finish() const noexcept;
    [[nodiscard]] bool pruned() const noexcept;

    /// Mean over the tokens drawn while until::log_probabilities was set.
    /// @shape none
    /// @errors none; nullopt when there are no such tokens
    /// @source none
    [[nodiscard]] std::optional<double> mean_log_probability() const noexcept;

    [[nodiscard]] const hence::account& account() const noexcept;

    /// Whether both are branches of one engine.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool same_engine(const branch& other) const noexcept { return core_ == other.core_; }

private:
    friend class detail::engine_core;
    branch(std::shared_ptr<detail::engine_core> core, std::unique_ptr<detail::branch_state> state) noexcept;

    std::shared_ptr<detail::engine_core> core_;
    std::unique_ptr<detail::branch_state> state_;
};

HENCE_NAMESPACE_END

#endif
