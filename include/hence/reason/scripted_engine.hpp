// scripted_engine: an engine without weights, whose "model" is a script of completions and probabilities.
//
// It satisfies reasoning_engine, so every strategy runs on it: tests and golden replays of recorded models
// need nothing else, and a strategy's author can see one run in microseconds. A token is one byte (0..255)
// and token 256 ends a text. It counts, limits, cancels and replays as a real engine does; it is no
// simulation of speed.
#ifndef HENCE_REASON_SCRIPTED_ENGINE_HPP
#define HENCE_REASON_SCRIPTED_ENGINE_HPP

#include "../generate/reasoning_engine.hpp"
#include "detail/callable.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// One way in which a script may go on.
struct scripted_completion {
    std::string text;
    double probability = 1;  ///< relative to the other completions; they need not add up to 1
    bool ends = true;        ///< the end token follows; if not, the script is asked again with all the text
};

/// What a script answers to a context (the prompt and all text after it).
struct script_reply {
    std::vector<scripted_completion> completions = {};  ///< none: the text ends here
    /// False: drawn by probability, token by token. True: a recording; the branches that ask with the same
    /// context get the completions one after the other, whatever the sampling.
    bool in_order = false;
};

using script = callable<script_reply(std::string_view context)>;

/// A script from a list of (context, reply): exact contexts only; any other text ends at once.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] script script_table(std::vector<std::pair<std::string, script_reply>> table);

struct scripted_options {
    std::size_t context_length = 1u << 20;
    std::int64_t bytes_per_token = 64;  ///< what a cached position counts for in budget::bytes
};

namespace detail {
struct scripted_state;
struct scripted_sequence;
}  // namespace detail

/// A branch of a scripted engine; see reasoning_branch for what each call means.
class scripted_branch {
public:
    scripted_branch();
    scripted_branch(scripted_branch&&) noexcept;
    scripted_branch& operator=(scripted_branch&&) noexcept;
    ~scripted_branch();

    [[nodiscard]] result<std::vector<scripted_branch>> fork(std::size_t n);
    void prune();
    [[nodiscard]] result<void> rollback(std::size_t n);
    void cancel();
    void cut_at(std::size_t n);
    [[nodiscard]] result<void> set_sampling(const sampling& s);
    [[nodiscard]] const sampling& sampling_options() const;
    [[nodiscard]] std::span<const token_id> tokens() const;
    [[nodiscard]] std::span<const token_id> generated() const;
    [[nodiscard]] std::span<const token_statistics> statistics() const;
    [[nodiscard]] std::size_t prompt_tokens() const;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::uint64_t stream() const;
    [[nodiscard]] finish_reason finish() const;
    [[nodiscard]] std::optional<double> mean_log_probability() const;
    [[nodiscard]] const hence::account& account() const;

private:
    friend class scripted_engine;
    explicit scripted_branch(std::unique_ptr<detail::scripted_sequence> sequence);
    std::unique_ptr<detail::scripted_sequence> sequence_;
};

class scripted_engine {
public:
    using branch_type = scripted_branch;
    static constexpr token_id end_of_text = 256;

    explicit scripted_engine(script s, scripted_options options = {});

    [[nodiscard]] result<scripted_branch> begin(std::span<const token_id> prompt, std::uint64_t stream = 0,
                                                const sampling& s = {});

    /// See reasoning_engine. `on_event` takes a branch_event<scripted_branch>&.
    /// @shape none
    /// @errors those of the calls it makes, unchanged
    /// @source none
    template <class OnEvent>
    [[nodiscard]] result<void> extend(std::span<scripted_branch* const> branches, const until& limits,
                                      OnEvent&& on_event) {
        const auto call = [](void* target, branch_event<scripted_branch>& event) {
            (*static_cast<std::remove_reference_t<OnEvent>*>(target))(event);
        };
        return run(branches, limits, const_cast<void*>(static_cast<const void*>(std::addressof(on_event))), call);
    }
    [[nodiscard]] result<void> extend(std::span<scripted_branch* const> branches, const until& limits) {
        return extend(branches, limits, [](branch_event<scripted_branch>&) {});
    }
    [[nodiscard]] result<void> extend(scripted_branch& branch, const until& limits) {
        scripted_branch* const one[] = {&branch};
        return extend(std::span<scripted_branch* const>(one), limits);
    }

    [[nodiscard]] result<std::vector<float>> score(scripted_branch& branch, std::span<const token_id> tokens);
    [[nodiscard]] result<std::vector<std::vector<float>>> score(std::span<scripted_branch* const> branches,
                                                                std::span<const token_id> tokens);
    [[nodiscard]] result<std::vector<float>> next_log_probabilities(scripted_branch& branch,
                                                                    std::span<const token_id> candidates);
    [[nodiscard]] result<std::vector<std::vector<float>>> next_log_probabilities(
        std::span<scripted_branch* const> branches, std::span<const token_id> candidates);
    [[nodiscard]] result<void> force(scripted_branch& branch, std::span<const token_id> tokens);

    [[nodiscard]] result<std::vector<token_id>> encode(std::string_view text,
                                                       encode_as how = encode_as::prompt) const;
    [[nodiscard]] std::string decode(std::span<const token_id> tokens) const;
    [[nodiscard]] std::span<const token_id> end_tokens() const;
    [[nodiscard]] std::size_t context_length() const;
    [[nodiscard]] std::size_t vocabulary_size() const { return 257; }

    [[nodiscard]] result<void> set_budget(const budget& limit);
    [[nodiscard]] budget remaining_budget() const;
    [[nodiscard]] const hence::account& account() const;
    /// The sum of the accounts of all branches that this engine ever made, live or gone: its token and row counters
    /// equal account()'s whatever a strategy did with the branches.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] hence::account branch_accounts() const;
    [[nodiscard]] std::uint64_t replay_hash() const;

private:
    using event_call = void (*)(void*, branch_event<scripted_branch>&);
    result<void> run(std::span<scripted_branch* const> branches, const until& limits, void* target, event_call call);

    std::shared_ptr<detail::scripted_state> state_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/scripted_engine.inl.hpp"
#endif

#endif
