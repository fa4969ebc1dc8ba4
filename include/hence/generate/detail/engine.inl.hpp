// Definitions of generate/engine.hpp and generate/branch.hpp: the calls that only keep books. What fills a
// step is in engine_schedule.inl.hpp, what comes of it in engine_extend.inl.hpp.
#ifndef HENCE_GENERATE_DETAIL_ENGINE_INL_HPP
#define HENCE_GENERATE_DETAIL_ENGINE_INL_HPP

#include "../../core/text.hpp"
#include "../../text/unicode.hpp"
#include "engine_core.hpp"

#include <algorithm>
#include <cmath>
#include <new>

HENCE_NAMESPACE_BEGIN

namespace detail {

// Memory that runs out while books are kept is an error of the call, where exceptions can tell of it.
template <class F>
auto catching(const char* where, F&& function) -> decltype(function()) {
#if HENCE_EXCEPTIONS
    try {
        return function();
    } catch (const std::bad_alloc&) {
        return make_error(errc::out_of_memory, where, "memory from the engine's memory resource", "none left");
    }
#else
    (void)where;
    return function();
#endif
}

// A branch's share of the replay hash.
inline std::uint64_t replay_hash_of(const branch_state& state) noexcept {
    std::uint64_t hash = mix64(state.stream, state.tokens.size());
    for (const token_id token : state.tokens) hash = mix64(hash, static_cast<std::uint64_t>(token));
    return mix64(hash, static_cast<std::uint64_t>(state.finish));
}

inline engine_core::busy::~busy() {
    core_.busy_ = false;
    core_.used_.seconds += std::chrono::duration<double>(clock::now() - start_).count();
    core_.used_.peak_kv_bytes = static_cast<std::int64_t>(core_.pool_.peak_pages() * core_.pool_.page_bytes());
    for (branch_state* state : core_.list_) {
        state->running = false;
        state->handle = nullptr;
        state->donor = nullptr;
    }
    core_.list_.clear();
}

HENCE_INLINE engine_core::engine_core(std::unique_ptr<model_runner> model, const engine_options& options,
                                      std::unique_ptr<thread_team> own_team)
    : options_(options),
      memory_(options.memory != nullptr ? options.memory : std::pmr::get_default_resource()),
      model_(std::move(model)),
      own_team_(std::move(own_team)),
      team_(own_team_ ? own_team_.get() : options.team),
      vocabulary_(model_->vocabulary_size()),
      context_(options.context != 0 ? options.context : model_->context_length()),
      layout_(model_->cache_layout(options.kv)),
      pool_({.page_bytes = layout_.page_bytes(),
             .max_pages = (options.cache_tokens + static_cast<std::size_t>(page_tokens) - 1) / static_cast<std::size_t>(page_tokens),
             .memory = memory_}),
      ends_(memory_),
      is_end_(vocabulary_, false, memory_),
      live_(memory_),
      kept_(memory_),
      pointers_(memory_),
      list_(memory_),
      order_(memory_),
      rows_(memory_),
      tables_(memory_),
      parts_(memory_),
      draws_(memory_),
      samplers_(memory_),
      logit_memory_(memory_) {
    const hence::tokenizer& tokens = model_->tokenizer();
    for (std::size_t i = 0; i < std::min(tokens.size(), vocabulary_); ++i) {
        const auto id = static_cast<token_id>(i);
        longest_piece_ = std::max(longest_piece_, tokens.bytes(id).size());
        if (!tokens.is_end(id)) continue;
        ends_.push_back(id);
        is_end_[i] = true;
    }
    rows_.reserve(options_.max_rows);
    kept_.reserve(options_.keep_prompts + 1);
    logit_stride_ = (vocabulary_ + 15) / 16 * 16;
    block_tops_stride_ = (vocabulary_ + logit_block - 1) / logit_block;
}

HENCE_INLINE result<void> engine_core::prepare() {
    model_->prepare({.max_rows = options_.max_rows,
                     .max_logits = options_.max_logits,
                     .threads = team_->size(),
                     .memory = memory_});
    return options_.cache_tokens != 0 ? pool_.ensure(pool_.max_pages()) : result<void>();
}

HENCE_INLINE error engine_core::full(const char* where, std::size_t found) const {
    return make_error(errc::context_full, where,
                      concat({"at most ", context_, " tokens (the context length of this ", (options_.context != 0 ? "engine" : "model"), ")"}),
                      decimal(found));
}

HENCE_INLINE result<void> engine_core::check_tokens(std::span<const token_id> tokens, const char* where) const {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i] < 0 || static_cast<std::size_t>(tokens[i]) >= vocabulary_)
            return make_error(errc::out_of_range, concat({where, ": token ", i}),
                              concat({"an id below ", vocabulary_}), decimal(tokens[i]));
    }
    return {};
}

// Fills list_ from the caller's branches.
HENCE_INLINE result<void> engine_core::check_list(std::span<branch* const> branches, const char* where) {
    const auto refuse = [&](const char* expected, const std::string& found) -> result<void> {
        for (branch_state* state : list_) state->running = false;
        list_.clear();
        return make_error(errc::invalid_argument, where, expected, found);
    };
    if (busy_) return make_error(errc::invalid_argument, where, "no other extend or score in progress", "a call from inside a callback");
    list_.clear();
    list_.reserve(branches.size());
    for (std::size_t i = 0; i < branches.size(); ++i) {
        if (branches[i] == nullptr || !branches[i]->state_) return refuse("branches", concat({"none at place ", i}));
        branch_state& state = *branches[i]->state_;
        if (branches[i]->core_.get() != this) return refuse("branches of this engine", concat({"another's at place ", i}));
        if (state.pruned) return refuse("branches that live", concat({"a pruned one at place ", i}));
        if (state.running) return refuse("each branch once", concat({"the same at place ", i}));
        state.running = true;
        state.done = false;
        state.starved = false;
        state.index = i;
        state.handle = branches[i];
        state.donor = nullptr;
        list_.push_back(&state);
    }
    return {};
}

HENCE_INLINE branch engine_core::make_branch(std::unique_ptr<branch_state> state) {
    enlist(*state);
    return branch(shared_from_this(), std::move(state));
}

HENCE_INLINE void engine_core::enlist(branch_state& state) {
    state.slot = live_.size();
    live_.push_back(&state);
}

HENCE_INLINE result<branch> engine_core::begin(std::span<const token_id> prompt, std::uint64_t stream, const sampling& how) {
    if (prompt.empty()) return make_error(errc::invalid_argument, "prompt", "at least one token", "none");
    HENCE_TRY(check_tokens(prompt, "prompt"));
    HENCE_TRY(check(how, vocabulary_));
    if (prompt.size() > context_) return full("prompt", prompt.size());
    return catching("engine.begin", [&]() -> result<branch> {
        auto state = std::make_unique<branch_state>(pool_, memory_);
        state->tokens.assign(prompt.begin(), prompt.end());
        state->prompt = prompt.size();
        state->stream = stream;
        state->how = how;
        state->used.prompt_tokens = static_cast<std::int64_t>(prompt.size());
        branch made = make_branch(std::move(state));
        used_.prompt_tokens += static_cast<std::int64_t>(prompt.size());
        return made;
    });
}

HENCE_INLINE result<branch> engine_core::fork(branch_state& parent, std::uint64_t stream) {
    if (parent.pruned) return make_error(errc::invalid_argument, "branch.fork", "a branch that lives", "a pruned one");
    return catching("branch.fork", [&]() -> result<branch> {
        auto child = std::make_unique<branch_state>(pool_, memory_);
        child->tokens = parent.tokens;
        child->prompt = parent.prompt;
        child->statistics = parent.statistics;
        child->kv.share(parent.kv, std::min(parent.kv.length(), parent.tokens.size() - 1));
        child->stream = stream;
        child->how = parent.how;
        child->text_bytes = parent.text_bytes;
        // A context that is full stays full; other reasons were the parent's.
        child->finish = parent.running ? finish_reason::none : parent.finish;
        return make_branch(std::move(child));
    });
}

// Ends a branch: its cache goes back or is kept for prompts that begin like it.
HENCE_INLINE void engine_core::prune(branch_state& state) {
    if (state.pruned) return;
    if (state.running && state.finish == finish_reason::none) state.finish = finish_reason::cancelled;
    if (state.extended) retired_hash_ += replay_hash_of(state);
    state.pruned = true;
    live_[state.slot] = live_.back();
    live_[state.slot]->slot = state.slot;
    live_.pop_back();
    // A sequence of less than half a page is computed again as fast as it is found.
    if (options_.keep_prompts != 0 && state.kv.length() >= static_cast<std::size_t>(page_tokens) / 2) {
        const auto same_prompt = [&](const kept& k) {
            return k.prompt == state.prompt && k.tokens.size() >= k.prompt &&
                   std::equal(k.tokens.begin(), k.tokens.begin() + static_cast<std::ptrdiff_t>(k.prompt), state.tokens.begin());
        };
        auto at = std::find_if(kept_.begin(), kept_.end(), same_prompt);
        if (at == kept_.end() && kept_.size() >= options_.keep_prompts)
            at = std::min_element(kept_.begin(), kept_.end(), [](const kept& a, const kept& b) { return a.used < b.used; });
        if (at != kept_.end()) kept_.erase(at);
#if HENCE_EXCEPTIONS
        try {
#endif
            kept_.push_back({std::pmr::vector<token_id>(state.tokens, memory_), state.prompt, std::move(state.kv), ++kept_clock_});
#if HENCE_EXCEPTIONS
        } catch (const std::bad_alloc&) {
            // Keeping is a courtesy; without memory for it the pages just go back.
        }
#endif
    }
    state.kv.clear();
}

HENCE_INLINE result<void> engine_core::rollback(branch_state& state, std::size_t count) {
    if (state.pruned || state.running)
        return make_error(errc::invalid_argument, "branch.rollback", "a branch that lives and does not run", state.pruned ? "a pruned one" : "a running one");
    if (count < 1 || count > state.tokens.size())
        return make_error(errc::out_of_range, "branch.rollback", concat({"from 1 to ", state.tokens.size(), " tokens"}), decimal(count));
    const auto gone = static_cast<std::int64_t>(state.tokens.size() - std::max(count, std::min(state.prompt, state.tokens.size())));
    state.used.discarded_tokens += gone;
    used_.discarded_tokens += gone;
    state.tokens.resize(count);
    state.prompt = std::min(state.prompt, count);
    state.statistics.resize(count - state.prompt);
    state.kv.truncate(std::min(state.kv.length(), count - 1));
    state.finish = finish_reason::none;
    state.text_bytes = no_limit;
    return {};
}

HENCE_INLINE result<void> engine_core::force(branch& one, std::span<const token_id> tokens) {
    if (!one.state_ || one.core_.get() != this) return make_error(errc::invalid_argument, "engine.force", "a branch of this engine", "another's");
    branch_state& state = *one.state_;
    if (state.pruned || state.running)
        return make_error(errc::invalid_argument, "engine.force", "a branch that lives and does not run", state.pruned ? "a pruned one" : "a running one");
    HENCE_TRY(check_tokens(tokens, "engine.force"));
    if (tokens.size() > context_ - state.tokens.size()) return full("engine.force", state.tokens.size() + tokens.size());
    if (tokens.size() > tokens_left())
        return make_error(errc::budget_exhausted, "engine.force", concat({tokens.size(), " tokens left in the budget"}), decimal(tokens_left()));
    return catching("engine.force", [&]() -> result<void> {
        state.tokens.reserve(state.tokens.size() + tokens.size());
        state.statistics.reserve(state.statistics.size() + tokens.size());
        for (const token_id token : tokens) {
            state.tokens.push_back(token);
            state.statistics.push_back({.forced = true});
        }
        state.used.forced_tokens += static_cast<std::int64_t>(tokens.size());
        used_.forced_tokens += static_cast<std::int64_t>(tokens.size());
        state.finish = finish_reason::none;
        state.text_bytes = no_limit;
        return {};
    });
}

HENCE_INLINE result<void> engine_core::set_sampling(branch_state& state, const sampling& how) {
    HENCE_TRY(check(how, vocabulary_));
    if (state.running) return make_error(errc::invalid_argument, "branch.set_sampling", "a branch that does not run", "a running one");
    state.how = how;
    return {};
}

HENCE_INLINE result<void> engine_core::set_budget(const budget& limit) {
    HENCE_TRY(limit.check());
    limit_ = limit;
    limit_start_ = used_;
    limit_time_ = clock::now();
    return {};
}

HENCE_INLINE budget engine_core::remaining() const {
    account spent = used_ - limit_start_;
    spent.seconds = limit_.deadline ? std::chrono::duration<double>(clock::now() - limit_time_).count() : 0;
    return limit_.after(spent);
}

HENCE_INLINE std::uint64_t engine_core::replay_hash() const noexcept {
    std::uint64_t hash = retired_hash_;
    for (const branch_state* state : live_)
        if (state->extended) hash += replay_hash_of(*state);
    return hash;
}

HENCE_INLINE std::string engine_core::text_of(const branch_state& state) const {
    std::string bytes;
    const hence::tokenizer& tokens = model_->tokenizer();
    for (std::size_t i = state.prompt; i < state.tokens.size(); ++i)
        if (static_cast<std::size_t>(state.tokens[i]) < tokens.size()) bytes += tokens.bytes(state.tokens[i]);
    if (bytes.size() > state.text_bytes) bytes.resize(state.text_bytes);
    bytes.resize(bytes.size() - text::incomplete_utf8_tail(bytes));
    return text::is_valid_utf8(bytes) ? bytes : text::to_valid_utf8(bytes);
}

}  // namespace detail

// --- branch ----------------------------------------------------------------------------------------

HENCE_INLINE branch::branch(std::shared_ptr<detail::engine_core> core, std::unique_ptr<detail::branch_state> state) noexcept
    : core_(std::move(core)), state_(std::move(state)) {}
HENCE_INLINE branch::branch(branch&&) noexcept = default;
HENCE_INLINE branch::~branch() {
    if (state_) core_->prune(*state_);
}
HENCE_INLINE branch& branch::operator=(branch&& other) noexcept {
    if (this == &other) return *this;
    if (state_) core_->prune(*state_);
    state_ = std::move(other.state_);
    core_ = std::move(other.core_);
    return *this;
}

HENCE_INLINE result<std::vector<branch>> branch::fork(std::size_t count) {
    return detail::catching("branch.fork", [&]() -> result<std::vector<branch>> {
        std::vector<branch> children;
        children.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            HENCE_TRY_ASSIGN(child, core_->fork(*state_, mix64(state_->stream, state_->children)));
            ++state_->children;
            children.push_back(std::move(child));
        }
        return children;
    });
}
HENCE_INLINE result<branch> branch::fork_as(std::uint64_t stream) { return core_->fork(*state_, stream); }
HENCE_INLINE void branch::prune() { core_->prune(*state_); }
HENCE_INLINE result<void> branch::rollback(std::size_t count) { return core_->rollback(*state_, count); }
HENCE_INLINE void branch::cancel() noexcept {
    if (!state_->pruned && state_->finish == finish_reason::none) state_->finish = finish_reason::cancelled;
}
HENCE_INLINE void branch::cut_at(std::size_t tokens) noexcept { state_->cut = tokens; }
HENCE_INLINE result<void> branch::set_sampling(const sampling& how) { return core_->set_sampling(*state_, how); }
HENCE_INLINE const sampling& branch::sampling_options() const noexcept { return state_->how; }
HENCE_INLINE std::span<const token_id> branch::tokens() const noexcept { return state_->tokens; }
HENCE_INLINE std::span<const token_id> branch::generated() const noexcept {
    return std::span<const token_id>(state_->tokens).subspan(state_->prompt);
}
HENCE_INLINE std::span<const token_statistics> branch::statistics() const noexcept { return state_->statistics; }
HENCE_INLINE std::size_t branch::prompt_tokens() const noexcept { return state_->prompt; }
HENCE_INLINE std::string branch::text() const { return core_->text_of(*state_); }
HENCE_INLINE std::uint64_t branch::stream() const noexcept { return state_->stream; }
HENCE_INLINE finish_reason branch::finish() const noexcept { return state_->finish; }
HENCE_INLINE bool branch::pruned() const noexcept { return state_->pruned; }
HENCE_INLINE const account& branch::account() const noexcept { return state_->used; }
HENCE_INLINE std::optional<double> branch::mean_log_probability() const noexcept {
    double sum = 0;
    std::size_t count = 0;
    for (const token_statistics& s : state_->statistics) {
        if (std::isnan(s.log_probability)) continue;
        sum += static_cast<double>(s.log_probability);
        ++count;
    }
    if (count == 0) return std::nullopt;
    return sum / static_cast<double>(count);
}

// --- engine_base -----------------------------------------------------------------------------------

HENCE_INLINE result<std::shared_ptr<detail::engine_core>> engine_base::make_core(std::unique_ptr<detail::model_runner> model,
                                                                                 const engine_options& options) {
    const auto refuse = [](const char* field, std::string expected, std::string found) {
        return make_error(errc::invalid_argument, concat({"engine_options.", field}), std::move(expected), std::move(found));
    };
    if (options.threads < 0) return refuse("threads", "0 (all processors) or more", decimal(options.threads));
    if (options.kv != dtype::f32 && options.kv != dtype::f16 && options.kv != dtype::bf16 && options.kv != dtype::i8)
        return make_error(errc::unsupported, "engine_options.kv", "f32, f16, bf16 or i8", std::string(name(options.kv)));
    if (options.max_rows < 1 || options.max_rows > 65536) return refuse("max_rows", "from 1 to 65536", decimal(options.max_rows));
    if (options.max_logits < 1 || options.max_logits > 65536) return refuse("max_logits", "from 1 to 65536", decimal(options.max_logits));
    if (options.context > model->context_length())
        return refuse("context", concat({"at most ", model->context_length(), " (the model's context length)"}), decimal(options.context));
    return detail::catching("engine", [&]() -> result<std::shared_ptr<detail::engine_core>> {
        std::unique_ptr<thread_team> own;
        if (options.team == nullptr) own = std::make_unique<spin_team>(options.threads != 0 ? options.threads : available_processors());
        auto core = std::make_shared<detail::engine_core>(std::move(model), options, std::move(own));
        HENCE_TRY(core->prepare());
        if (options.log) {
            const int wanted = options.threads != 0 ? options.threads : available_processors();
            if (options.team == nullptr && core->threads() < wanted)
                options.log(log_level::warning,
                            concat({"engine: the system started ", core->threads(), " of ", wanted, " threads"}));
            options.log(log_level::info,
                        concat({"engine: ", core->threads(), options.team != nullptr ? " injected" : "", " threads, a context of ",
                                core->context(), " tokens, ", core->model().cache_layout(options.kv).token_bytes(), " bytes of ",
                                name(options.kv), " cache a token"}));
        }
        return core;
    });
}

HENCE_INLINE result<branch> engine_base::begin(std::span<const token_id> prompt, std::uint64_t stream, const sampling& how) {
    return core_->begin(prompt, stream, how);
}
HENCE_INLINE result<void> engine_base::run(std::span<branch* const> branches, const until& rules, detail::event_listener listener) {
    return detail::catching("engine.extend", [&] { return core_->extend(branches, rules, listener); });
}
HENCE_INLINE result<void> engine_base::run_logits(std::span<const token_id> tokens, void* context,
                                                  void (*use)(void*, std::size_t, std::span<const float>)) {
    return detail::catching("engine.each_logits", [&] { return core_->each_logits(tokens, context, use); });
}
HENCE_INLINE std::span<branch* const> engine_base::pointers(std::span<branch> branches) {
    auto& list = core_->pointer_list();
    list.clear();
    for (branch& one : branches) list.push_back(&one);
    return list;
}
HENCE_INLINE result<std::vector<std::vector<float>>> engine_base::score(std::span<branch* const> branches, std::span<const token_id> tokens) {
    return detail::catching("engine.score", [&] { return core_->probe(branches, tokens, false); });
}
HENCE_INLINE result<std::vector<float>> engine_base::score(branch& one, std::span<const token_id> tokens) {
    branch* const list[] = {&one};
    HENCE_TRY_ASSIGN(rows, score(list, tokens));
    return std::move(rows[0]);
}
HENCE_INLINE result<std::vector<std::vector<float>>> engine_base::next_log_probabilities(std::span<branch* const> branches,
                                                                                         std::span<const token_id> candidates) {
    return detail::catching("engine.next_log_probabilities", [&] { return core_->probe(branches, candidates, true); });
}
HENCE_INLINE result<std::vector<float>> engine_base::next_log_probabilities(branch& one, std::span<const token_id> candidates) {
    branch* const list[] = {&one};
    HENCE_TRY_ASSIGN(rows, next_log_probabilities(list, candidates));
    return std::move(rows[0]);
}
HENCE_INLINE result<void> engine_base::force(branch& one, std::span<const token_id> tokens) { return core_->force(one, tokens); }
HENCE_INLINE result<std::vector<token_id>> engine_base::encode(std::string_view text, encode_as role) const {
    const hence::tokenizer& tokens = core_->model().tokenizer();
    HENCE_TRY_ASSIGN(ids, tokens.encode(text, {.special = true, .add_begin_end = role == encode_as::prompt}));
    // A prompt is there to be continued: the end token that some vocabularies ask for would end it.
    if (role == encode_as::prompt && tokens.vocabulary().add_end && !ids.empty() && ids.back() == tokens.end()) ids.pop_back();
    return ids;
}
HENCE_INLINE std::string engine_base::decode(std::span<const token_id> tokens) const {
    return text::to_valid_utf8(core_->model().tokenizer().decode(tokens, {.special = false, .beginning = false}));
}
HENCE_INLINE const hence::tokenizer& engine_base::tokenizer() const noexcept { return core_->model().tokenizer(); }
HENCE_INLINE std::span<const token_id> engine_base::end_tokens() const noexcept { return core_->end_tokens(); }
HENCE_INLINE std::size_t engine_base::context_length() const noexcept { return core_->context(); }
HENCE_INLINE std::size_t engine_base::vocabulary_size() const noexcept { return core_->vocabulary(); }
HENCE_INLINE int engine_base::threads() const noexcept { return core_->threads(); }
HENCE_INLINE result<void> engine_base::set_budget(const budget& limit) { return core_->set_budget(limit); }
HENCE_INLINE budget engine_base::remaining_budget() const { return core_->remaining(); }
HENCE_INLINE const account& engine_base::account() const noexcept { return core_->used(); }
HENCE_INLINE std::int64_t engine_base::kv_bytes() const noexcept { return core_->kv_bytes(); }
HENCE_INLINE void engine_base::forget_prompts() { core_->forget_prompts(); }
HENCE_INLINE std::uint64_t engine_base::replay_hash() const noexcept { return core_->replay_hash(); }

HENCE_NAMESPACE_END

#include "engine_extend.inl.hpp"
#include "engine_schedule.inl.hpp"

#endif
