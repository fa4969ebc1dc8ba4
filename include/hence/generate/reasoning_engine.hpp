// reasoning_engine: the concept through which strategies see an engine and its branches.
//
// Strategies are written against this alone, so that a scripted engine can drive them without weights.
// engine<M> satisfies it for every causal_lm M (tests/generate/engine_test.cpp).
#ifndef HENCE_GENERATE_REASONING_ENGINE_HPP
#define HENCE_GENERATE_REASONING_ENGINE_HPP

#include "../core/result.hpp"
#include "../core/types.hpp"
#include "account.hpp"
#include "budget.hpp"
#include "events.hpp"
#include "sampling.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// One sequence of tokens with its share of the cache. Owning: destroying it prunes it. It must not
/// outlive its engine.
template <class B>
concept reasoning_branch =
    std::movable<B> && !std::copyable<B> &&
    requires(B b, const B c, std::size_t n, const sampling& s) {
        // Children share all tokens so far; child i of a branch's life has stream mix64(stream(), i).
        // The parent stays. O(pages), no forward step.
        { b.fork(n) } -> std::same_as<result<std::vector<B>>>;
        // Gives its cache back and ends it for good: its accounts and tokens stay readable.
        { b.prune() } -> std::same_as<void>;
        // Keeps the first `n` tokens (at least 1); clears finish().
        { b.rollback(n) } -> std::same_as<result<void>>;
        // Stops it inside the running extend(); a later extend() may go on with it.
        { b.cancel() } -> std::same_as<void>;
        // Lets it grow to `n` tokens and no further, as if a budget ended it there.
        { b.cut_at(n) } -> std::same_as<void>;
        // Changes how it samples from the next token on; streams and positions stay.
        { b.set_sampling(s) } -> std::same_as<result<void>>;
        { c.sampling_options() } -> std::convertible_to<const sampling&>;
        { c.tokens() } -> std::convertible_to<std::span<const token_id>>;     // prompt and all after
        { c.generated() } -> std::convertible_to<std::span<const token_id>>;  // all after the prompt, forced too
        { c.statistics() } -> std::convertible_to<std::span<const token_statistics>>;  // as long as generated()
        { c.prompt_tokens() } -> std::convertible_to<std::size_t>;
        { c.text() } -> std::convertible_to<std::string>;  // of generated(), without the stop string it ended at
        { c.stream() } -> std::same_as<std::uint64_t>;
        { c.finish() } -> std::same_as<finish_reason>;
        // Mean over the tokens drawn with until::log_probabilities; nullopt when there are none.
        { c.mean_log_probability() } -> std::same_as<std::optional<double>>;
        { c.account() } -> std::convertible_to<const account&>;
    };

/// What a strategy needs of an engine.
template <class E>
concept reasoning_engine =
    reasoning_branch<typename E::branch_type> &&
    requires(E e, const E c, typename E::branch_type b, std::span<typename E::branch_type* const> many,
             std::span<const token_id> tokens, const until& u, const sampling& s, const budget& limit,
             std::uint64_t stream, std::string_view text,
             void (*on_event)(branch_event<typename E::branch_type>&)) {
        typename E::branch_type;
        // A branch with this prompt. Lazy: nothing runs until the branch is first extended or scored.
        { e.begin(tokens, stream, s) } -> std::same_as<result<typename E::branch_type>>;
        // All branches advance together, one token per batched step, until each has finished. Any callable
        // taking branch_event<branch_type>& may listen. A branch that ended with end_token or context_full
        // stays as it is (one finished event); any other finished branch goes on. A budget that ends is not
        // an error: branches finish with finish_reason::budget. Errors: NaN logits, no memory.
        { e.extend(many, u, on_event) } -> std::same_as<result<void>>;
        { e.extend(many, u) } -> std::same_as<result<void>>;
        { e.extend(b, u) } -> std::same_as<result<void>>;
        // log p(tokens[i] | branch, tokens[0..i)) at temperature 1; the branch is as before afterwards.
        // The many-branch form scores the same probe on each in shared steps. Error budget_exhausted when
        // the budget does not allow it.
        { e.score(b, tokens) } -> std::same_as<result<std::vector<float>>>;
        { e.score(many, tokens) } -> std::same_as<result<std::vector<std::vector<float>>>>;
        // log p(candidate | branch) for each candidate as the next token.
        { e.next_log_probabilities(b, tokens) } -> std::same_as<result<std::vector<float>>>;
        { e.next_log_probabilities(many, tokens) } -> std::same_as<result<std::vector<std::vector<float>>>>;
        // Appends given tokens; lazy like begin(). Clears finish().
        { e.force(b, tokens) } -> std::same_as<result<void>>;

        { c.encode(text) } -> std::same_as<result<std::vector<token_id>>>;  // encode_as::prompt
        { c.encode(text, encode_as::continuation) } -> std::same_as<result<std::vector<token_id>>>;
        { c.decode(tokens) } -> std::same_as<std::string>;
        { c.end_tokens() } -> std::convertible_to<std::span<const token_id>>;
        { c.context_length() } -> std::convertible_to<std::size_t>;
        { c.vocabulary_size() } -> std::convertible_to<std::size_t>;

        // Replaces the budget; limits count from now on. Errors: negative limits.
        { e.set_budget(limit) } -> std::same_as<result<void>>;
        { c.remaining_budget() } -> std::same_as<budget>;
        { c.account() } -> std::convertible_to<const account&>;
        // Of all branches that were ever extended: streams, tokens and finish reasons, in any order.
        { c.replay_hash() } -> std::same_as<std::uint64_t>;
    };

/// Gives a part of a run its own budget within the one in force, and restores what is left of the outer
/// one when the part ends.
template <class Engine>
class budget_scope {
public:
    /// @shape none
    /// @errors see error(): a negative limit
    /// @source none
    budget_scope(Engine& engine, const budget& inner)
        : engine_(engine), outer_(engine.remaining_budget()), before_(engine.account()), start_(now()),
          set_(engine.set_budget(inner.within(outer_))) {}
    ~budget_scope() {
        account spent = engine_.account() - before_;
        spent.seconds = std::chrono::duration<double>(now() - start_).count();
        if (set_.has_value()) (void)engine_.set_budget(outer_.after(spent));
    }
    budget_scope(const budget_scope&) = delete;
    budget_scope& operator=(const budget_scope&) = delete;

    /// Whether the inner budget was accepted.
    /// @shape none
    /// @errors that of budget::check()
    /// @source none
    [[nodiscard]] const result<void>& status() const noexcept { return set_; }

private:
    static std::chrono::steady_clock::time_point now() noexcept { return std::chrono::steady_clock::now(); }
    Engine& engine_;
    budget outer_;
    account before_;
    std::chrono::steady_clock::time_point start_;
    result<void> set_;
};

HENCE_NAMESPACE_END

#endif
