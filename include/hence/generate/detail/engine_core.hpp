// engine_core: what an engine and its branches share. Only the definitions of branch and engine see it.
#ifndef HENCE_GENERATE_DETAIL_ENGINE_CORE_HPP
#define HENCE_GENERATE_DETAIL_ENGINE_CORE_HPP

#include "../../cache/page_pool.hpp"
#include "../../cache/sequence.hpp"
#include "../../cache/step.hpp"
#include "../engine.hpp"
#include "../sampler.hpp"
#include "../stop.hpp"

#include <chrono>
#include <limits>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// Everything about one branch. Invariant between calls: kv.length() < tokens.size(), because the last token
/// has to run to give the logits that the next is drawn from.
struct branch_state {
    explicit branch_state(page_pool& pool, std::pmr::memory_resource* memory)
        : tokens(memory), statistics(memory), kv(pool, memory), stops(memory) {}

    std::pmr::vector<token_id> tokens;
    std::size_t prompt = 0;
    std::pmr::vector<token_statistics> statistics;  // of tokens after the prompt
    kv_sequence kv;
    std::uint64_t stream = 0;
    std::uint64_t children = 0;
    sampling how;
    finish_reason finish = finish_reason::none;
    account used;
    std::size_t text_bytes = no_limit;  // of the text of generated(): where a stop string cut it
    std::size_t cut = no_limit;         // cut_at()
    std::size_t slot = 0;               // place in engine_core::live_
    bool pruned = false;
    bool extended = false;  // part of the replay hash

    // While extend() or score() runs it:
    bool running = false;
    bool done = false;
    bool starved = false;  // the byte budget has no page for it
    std::size_t index = 0;
    branch* handle = nullptr;
    std::size_t start = 0;       // tokens.size() when extend() began
    std::size_t text_start = 0;  // bytes of the text of generated() at that time
    stop_matcher stops;
    branch_state* donor = nullptr;  // is computing a prefix that this one will share
    std::size_t donor_length = 0;

    [[nodiscard]] std::size_t drawn() const noexcept { return tokens.size() - start; }
    [[nodiscard]] std::size_t pending() const noexcept { return tokens.size() - kv.length(); }
};

class engine_core : public std::enable_shared_from_this<engine_core> {
public:
    engine_core(std::unique_ptr<model_runner> model, const engine_options& options, std::unique_ptr<thread_team> own_team);
    result<void> prepare();

    result<branch> begin(std::span<const token_id> prompt, std::uint64_t stream, const sampling& how);
    result<void> extend(std::span<branch* const> branches, const until& rules, event_listener listener);
    result<std::vector<std::vector<float>>> probe(std::span<branch* const> branches, std::span<const token_id> tokens,
                                                  bool candidates);
    result<void> each_logits(std::span<const token_id> tokens, void* context,
                             void (*use)(void*, std::size_t, std::span<const float>));
    result<void> force(branch& one, std::span<const token_id> tokens);
    result<branch> fork(branch_state& parent, std::uint64_t stream);
    void prune(branch_state& state);
    result<void> rollback(branch_state& state, std::size_t count);
    result<void> set_sampling(branch_state& state, const sampling& how);
    result<void> set_budget(const budget& limit);
    [[nodiscard]] budget remaining() const;
    void forget_prompts() { kept_.clear(); }

    [[nodiscard]] std::uint64_t replay_hash() const noexcept;
    [[nodiscard]] std::string text_of(const branch_state& state) const;
    [[nodiscard]] const model_runner& model() const noexcept { return *model_; }
    [[nodiscard]] const account& used() const noexcept { return used_; }
    [[nodiscard]] std::int64_t kv_bytes() const noexcept {
        return static_cast<std::int64_t>(pool_.live_pages() * pool_.page_bytes());
    }
    [[nodiscard]] std::span<const token_id> end_tokens() const noexcept { return ends_; }
    [[nodiscard]] std::size_t context() const noexcept { return context_; }
    [[nodiscard]] std::size_t vocabulary() const noexcept { return vocabulary_; }
    [[nodiscard]] int threads() const noexcept { return team_->size(); }
    std::pmr::vector<branch*>& pointer_list() noexcept { return pointers_; }

private:
    using clock = std::chrono::steady_clock;

    // A sequence that was pruned and stays in the cache for prompts that begin like it.
    struct kept {
        std::pmr::vector<token_id> tokens;
        std::size_t prompt = 0;
        kv_sequence kv;
        std::uint64_t used = 0;
    };
    // A branch's rows in the step that is being put together.
    struct part {
        branch_state* state;
        std::size_t end;           // kv length after the step
        std::int32_t first_logit;  // of the rows that ask, or -1
        std::int32_t logits;       // how many ask
        bool draws;
        const branch_state* twin = nullptr;  // has no rows: draws from this one's logits, and takes over its cache
    };
    // Marks the time and the engine as running, for the length of a call.
    class busy {
    public:
        explicit busy(engine_core& core) noexcept : core_(core), start_(clock::now()) { core_.busy_ = true; }
        ~busy();
        busy(const busy&) = delete;
        busy& operator=(const busy&) = delete;

    private:
        engine_core& core_;
        clock::time_point start_;
    };

    [[nodiscard]] result<void> check_tokens(std::span<const token_id> tokens, const char* where) const;
    [[nodiscard]] result<void> check_list(std::span<branch* const> branches, const char* where);
    [[nodiscard]] error full(const char* where, std::size_t found) const;
    [[nodiscard]] branch make_branch(std::unique_ptr<branch_state> state);
    void enlist(branch_state& state);
    void reserve_logits(std::size_t rows);
    void reserve_plan(std::size_t branches);

    // engine_schedule.inl.hpp: which rows the next step has
    void share_prefix(branch_state& state);
    void await_prefixes();
    void settle_donor(branch_state& state);
    bool plan_rows(branch_state& state, std::size_t end, std::size_t asking, bool draws, std::span<const token_id> beyond,
                   result<void>& why);
    [[nodiscard]] bool take_pages(branch_state& state, std::size_t end, result<void>& why);
    bool evict_kept();
    void say(const char* format, std::size_t first, std::size_t second) const;
    [[nodiscard]] std::size_t rows_left() const noexcept { return options_.max_rows - rows_.size(); }
    [[nodiscard]] std::size_t logits_left() const noexcept { return logit_rows_ - static_cast<std::size_t>(logits_); }
    [[nodiscard]] bool batch_has_room() const noexcept { return options_.batch == 0 || parts_.size() < options_.batch; }
    [[nodiscard]] bool out_of_budget() const;
    [[nodiscard]] std::size_t tokens_left() const noexcept;
    void clear_plan() noexcept;
    void forward();
    result<void> prefill();

    // engine_extend.inl.hpp: what comes of the step
    void prepare_extend(const until& rules, event_listener listener);
    void plan_draws(bool ordered, result<void>& why);
    [[nodiscard]] bool plan_twin(branch_state& state);
    void settle_cache() noexcept;
    void draw(const until& rules) noexcept;
    result<void> commit(const until& rules, event_listener listener);
    void append(branch_state& state, const drawn& d, const until& rules, event_listener listener);
    void conclude(branch_state& state, finish_reason reason, const until& rules, event_listener listener);
    void sweep(const until& rules, event_listener listener);
    [[nodiscard]] std::string added_text(const branch_state& state) const;
    [[nodiscard]] error not_a_number(const branch_state& state, std::size_t position, const std::string& token) const;

    engine_options options_;
    std::pmr::memory_resource* memory_;
    std::unique_ptr<model_runner> model_;
    std::unique_ptr<thread_team> own_team_;
    thread_team* team_;
    std::size_t vocabulary_;
    std::size_t context_;
    kv_layout layout_;
    page_pool pool_;
    std::pmr::vector<token_id> ends_;
    std::pmr::vector<bool> is_end_;
    std::size_t longest_piece_ = 0;

    std::pmr::vector<branch_state*> live_;
    std::pmr::vector<kept> kept_;
    std::uint64_t kept_clock_ = 0;
    std::pmr::vector<branch*> pointers_;

    account used_;
    std::uint64_t retired_hash_ = 0;
    budget limit_;
    account limit_start_;
    clock::time_point limit_time_;
    bool busy_ = false;
    bool matches_ = false;    // this extend() looks at text
    std::size_t active_ = 0;  // branches of list_ that are not done

    // The step in the making, and its memory.
    std::pmr::vector<branch_state*> list_;   // what runs, in the caller's order
    std::pmr::vector<branch_state*> order_;  // the same, by tokens drawn and place
    std::pmr::vector<step_row> rows_;
    std::pmr::vector<page_table> tables_;
    std::pmr::vector<part> parts_;
    std::pmr::vector<drawn> draws_;
    std::pmr::vector<sampler> samplers_;  // one per worker
    std::int32_t logits_ = 0;             // rows that ask so far
    std::size_t logit_rows_ = 0;          // rows the buffer holds
    std::size_t logit_stride_ = 0;
    std::pmr::vector<std::byte> logit_memory_;
    float* logit_data_ = nullptr;
    float* block_tops_ = nullptr;         // of the logits: see step
    std::size_t block_tops_stride_ = 0;
};

}  // namespace detail

HENCE_NAMESPACE_END

#endif
