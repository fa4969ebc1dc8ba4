// engine: runs many branches of one model together, one batched forward step after another.
//
// It alone owns the cache, the random numbers, the batching, the budget and the account. Strategies see it
// through the concept reasoning_engine. An engine and its branches are used by one thread at a time; engines
// in different threads may share one model.
//
// What a branch draws is a function of its tokens, stream and sampling, of nothing else: not of the other
// branches, the thread count, the batch limits, or whether its prefix was forked, cached or computed.
#ifndef HENCE_GENERATE_ENGINE_HPP
#define HENCE_GENERATE_ENGINE_HPP

#include "../core/log.hpp"
#include "../core/result.hpp"
#include "../core/types.hpp"
#include "../sys/thread_team.hpp"
#include "../tensor/dtype.hpp"
#include "account.hpp"
#include "branch.hpp"
#include "budget.hpp"
#include "causal_lm.hpp"
#include "events.hpp"
#include "reasoning_engine.hpp"
#include "sampling.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

struct engine_options {
    int threads = 0;               ///< 0: all processors this process may use; ignored with `team`
    dtype kv = dtype::f32;         ///< how keys and values are stored: f32, f16, bf16 or i8 (one scale per head and position)
    std::size_t max_rows = 512;    ///< most rows of one step: how long a piece of prompt runs at once
    std::size_t max_logits = 64;   ///< most rows of one step that draw or score
    std::size_t batch = 0;         ///< most branches in one step; 0 = as many as rows and logits allow
    std::size_t context = 0;       ///< most tokens of one branch; 0 = the model's context length
    std::size_t cache_tokens = 0;  ///< reserve pages for so many tokens and use no more; 0 = grow as needed
    std::size_t keep_prompts = 4;  ///< so many sequences of pruned branches stay cached, one per prompt; 0 = none
    thread_team* team = nullptr;   ///< injected workers, not owned; must outlive the engine and its branches
    std::pmr::memory_resource* memory = nullptr;  ///< null: the default resource; must outlive engine and branches
    log_sink log = {};             ///< hears what the engine does beside its results; nothing in a step
};

namespace detail {

/// A causal_lm behind virtual functions: one call per step, so that the engine is compiled once.
class model_runner {
public:
    virtual ~model_runner() = default;
    [[nodiscard]] virtual std::size_t vocabulary_size() const = 0;
    [[nodiscard]] virtual std::size_t context_length() const = 0;
    [[nodiscard]] virtual const hence::tokenizer& tokenizer() const = 0;
    [[nodiscard]] virtual kv_layout cache_layout(dtype type) const = 0;
    virtual void prepare(const workspace_options& options) = 0;
    virtual void forward(const step& s, thread_team& team) noexcept = 0;
};

template <causal_lm M>
class runner_of final : public model_runner {
public:
    explicit runner_of(M model) : model_(std::move(model)) {}
    [[nodiscard]] const M& model() const noexcept { return model_; }
    [[nodiscard]] std::size_t vocabulary_size() const override { return model_.vocabulary_size(); }
    [[nodiscard]] std::size_t context_length() const override { return model_.context_length(); }
    [[nodiscard]] const hence::tokenizer& tokenizer() const override { return model_.tokenizer(); }
    [[nodiscard]] kv_layout cache_layout(dtype type) const override { return model_.cache_layout(type); }
    void prepare(const workspace_options& options) override {
        workspace_ = std::make_unique<typename M::workspace>(model_.make_workspace(options));
    }
    void forward(const step& s, thread_team& team) noexcept override { model_.forward(s, *workspace_, team); }

private:
    M model_;
    std::unique_ptr<typename M::workspace> workspace_;
};

/// Whoever listens to extend(): a callable without its type.
struct event_listener {
    void* context = nullptr;
    void (*call)(void* context, branch_event<branch>& event) = nullptr;
};

template <class F>
[[nodiscard]] event_listener listen(F& function) noexcept {
    if constexpr (std::is_function_v<F>) {
        return {reinterpret_cast<void*>(&function), [](void* context, branch_event<branch>& event) {
                    reinterpret_cast<F*>(context)(event);
                }};
    } else {
        return {const_cast<void*>(static_cast<const void*>(std::addressof(function))),
                [](void* context, branch_event<branch>& event) { (*static_cast<F*>(context))(event); }};
    }
}

}  // namespace detail

/// All of an engine but the type of its model. Movable; its branches follow.
class engine_base {
public:
    using branch_type = branch;

    engine_base(engine_base&&) noexcept = default;
    engine_base& operator=(engine_base&&) noexcept = default;
    engine_base(const engine_base&) = delete;
    engine_base& operator=(const engine_base&) = delete;
    ~engine_base() = default;

    /// A branch with this prompt. Nothing runs until it is extended or scored; then the longest prefix that any
    /// other branch or a kept prompt has in the cache is shared, token by token, and only the rest is computed.
    /// @shape prompt: at least one token, at most the context length
    /// @errors invalid_argument: an empty prompt; out_of_range: a token outside the vocabulary, or sampling without
    ///   a meaning; context_full: naming the limit
    /// @source none
    [[nodiscard]] result<branch> begin(std::span<const token_id> prompt, std::uint64_t stream = 0,
                                       const sampling& how = {});

    /// Draws tokens for all branches together until each has finished; see `until` and finish_reason for when.
    /// A branch that had ended with end_token or context_full stays as it is; one that finished otherwise goes on.
    /// The callback gets branch_event<branch>& and may cancel, prune or fork branches, and begin others; it
    /// must not extend, score, roll back or force those that run, nor destroy them.
    /// When a budget ends, branches finish with finish_reason::budget, and that is no error.
    /// @shape branches: of this engine, each once
    /// @errors not_a_number: naming branch, position and token; out_of_memory: naming the limit; invalid_argument;
    ///   on an error branches keep the tokens they have
    /// @cost at most one step more than a budget of forwards, bytes or time allows; tokens are never overrun
    /// @source none
    template <class F>
        requires std::invocable<F&, branch_event<branch>&>
    result<void> extend(std::span<branch* const> branches, const until& rules, F&& on_event) {
        return run(branches, rules, detail::listen(on_event));
    }
    /// @shape as above
    /// @errors as above
    /// @source none
    result<void> extend(std::span<branch* const> branches, const until& rules) { return run(branches, rules, {}); }
    /// @shape as above, for branches in one array
    /// @errors as above
    /// @source none
    template <class F>
        requires std::invocable<F&, branch_event<branch>&>
    result<void> extend(std::span<branch> branches, const until& rules, F&& on_event) {
        return run(pointers(branches), rules, detail::listen(on_event));
    }
    /// @shape as above, for branches in one array
    /// @errors as above
    /// @source none
    result<void> extend(std::span<branch> branches, const until& rules) { return run(pointers(branches), rules, {}); }
    /// @shape as above, for one branch
    /// @errors as above
    /// @source none
    template <class F>
        requires std::invocable<F&, branch_event<branch>&>
    result<void> extend(branch& one, const until& rules, F&& on_event) {
        branch* const list[] = {&one};
        return run(list, rules, detail::listen(on_event));
    }
    /// @shape as above, for one branch
    /// @errors as above
    /// @source none
    result<void> extend(branch& one, const until& rules) {
        branch* const list[] = {&one};
        return run(list, rules, {});
    }

    /// log p(tokens[i] | branch, tokens before i) at temperature 1, on the branch's own cache, which is as before
    /// afterwards. Costs the probe's rows and one more.
    /// @shape result[tokens.size()]
    /// @errors out_of_range: a token outside the vocabulary; context_full; budget_exhausted: the budget does not
    ///   allow all of it; not_a_number; out_of_memory
    /// @source none
    [[nodiscard]] result<std::vector<float>> score(branch& one, std::span<const token_id> tokens);
    /// The same probe on many branches, in shared steps.
    /// @shape result[branches.size()][tokens.size()]
    /// @errors as above
    /// @source none
    [[nodiscard]] result<std::vector<std::vector<float>>> score(std::span<branch* const> branches,
                                                                std::span<const token_id> tokens);

    /// log p(candidate | branch) for each candidate as the next token, at temperature 1. Costs one row.
    /// @shape result[candidates.size()]
    /// @errors as score()
    /// @source none
    [[nodiscard]] result<std::vector<float>> next_log_probabilities(branch& one, std::span<const token_id> candidates);
    /// The same for many branches, in shared steps.
    /// @shape result[branches.size()][candidates.size()]
    /// @errors as score()
    /// @source none
    [[nodiscard]] result<std::vector<std::vector<float>>> next_log_probabilities(std::span<branch* const> branches,
                                                                                 std::span<const token_id> candidates);

    /// Logits after each position of a token sequence, outside any branch; for measurements and comparisons.
    /// `use(position, logits)` sees them in order.
    /// @shape logits[vocabulary_size()]
    /// @errors as begin() and score(); counted as scored tokens
    /// @source none
    template <class F>
        requires std::invocable<F&, std::size_t, std::span<const float>>
    result<void> each_logits(std::span<const token_id> tokens, F&& use) {
        return run_logits(tokens, const_cast<void*>(static_cast<const void*>(std::addressof(use))), [](void* context, std::size_t position, std::span<const float> logits) {
            (*static_cast<std::remove_reference_t<F>*>(context))(position, logits);
        });
    }

    /// Appends given tokens. Lazy like begin(). Clears finish().
    /// @shape none
    /// @errors out_of_range: a token outside the vocabulary; context_full: naming the limit; budget_exhausted: the
    ///   budget has fewer tokens left; invalid_argument: pruned or running
    /// @source none
    result<void> force(branch& one, std::span<const token_id> tokens);

    /// The ids of a text: with the begin token that the vocabulary asks for, or without for a continuation.
    /// @shape none
    /// @errors those of tokenizer::encode
    /// @source none
    [[nodiscard]] result<std::vector<token_id>> encode(std::string_view text, encode_as role = encode_as::prompt) const;
    /// The text of tokens that go on after others, as valid UTF-8; special tokens print nothing.
    /// @shape none
    /// @errors contract: an id outside the vocabulary
    /// @source none
    [[nodiscard]] std::string decode(std::span<const token_id> tokens) const;

    [[nodiscard]] const hence::tokenizer& tokenizer() const noexcept;
    /// The tokens that end a generation.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::span<const token_id> end_tokens() const noexcept;
    [[nodiscard]] std::size_t context_length() const noexcept;
    [[nodiscard]] std::size_t vocabulary_size() const noexcept;
    [[nodiscard]] int threads() const noexcept;

    /// Replaces the budget; its limits count from now on.
    /// @shape none
    /// @errors out_of_range: a negative limit
    /// @source none
    result<void> set_budget(const budget& limit);
    /// What the budget still allows.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] budget remaining_budget() const;

    /// What everything since construction cost.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] const hence::account& account() const noexcept;
    /// Bytes of cache pages in use now, kept prompts included.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::int64_t kv_bytes() const noexcept;
    /// Lets go of the kept prompts.
    /// @shape none
    /// @errors none
    /// @source none
    void forget_prompts();

    /// A sum over all branches that extend() ever ran, in any order: their streams, tokens and finish reasons. Equal
    /// for any thread count, batch limit, forked or fresh prefix, and on repeated runs.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::uint64_t replay_hash() const noexcept;

protected:
    /// @errors see engine<M>::make
    [[nodiscard]] static result<std::shared_ptr<detail::engine_core>> make_core(std::unique_ptr<detail::model_runner> model,
                                                                                const engine_options& options);
    explicit engine_base(std::shared_ptr<detail::engine_core> core) noexcept : core_(std::move(core)) {}

private:
    result<void> run(std::span<branch* const> branches, const until& rules, detail::event_listener listener);
    result<void> run_logits(std::span<const token_id> tokens, void* context,
                            void (*use)(void*, std::size_t, std::span<const float>));
    [[nodiscard]] std::span<branch* const> pointers(std::span<branch> branches);

    std::shared_ptr<detail::engine_core> core_;
};

/// An engine for models of type M: `auto e = hence::engine(model);`.
template <causal_lm M>
class engine : public engine_base {
public:
    using model_type = M;

    /// As make(); options that make() refuses are a contract violation here.
    /// @shape none
    /// @errors throws hence::exception (or ends the program where exceptions are off) for what make() refuses
    /// @source none
    explicit engine(M model, const engine_options& options = {}) : engine(make(std::move(model), options).value()) {}

    /// @shape none
    /// @errors invalid_argument: options without a meaning, by field; unsupported: the cache type; out_of_memory
    /// @source none
    [[nodiscard]] static result<engine> make(M model, const engine_options& options = {}) {
        auto runner = std::make_unique<detail::runner_of<M>>(std::move(model));
        const detail::runner_of<M>* const view = runner.get();
        HENCE_TRY_ASSIGN(core, make_core(std::move(runner), options));
        return engine(std::move(core), view);
    }

    [[nodiscard]] const M& model() const noexcept { return runner_->model(); }

private:
    engine(std::shared_ptr<detail::engine_core> core, const detail::runner_of<M>* runner) noexcept
        : engine_base(std::move(core)), runner_(runner) {}
    const detail::runner_of<M>* runner_;  // owned by the core
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/engine.inl.hpp"
#endif

#endif
