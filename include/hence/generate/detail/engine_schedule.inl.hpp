// Which rows the next step has: shared prefixes, pages, prompt pieces. And the step itself. Included by
// engine.inl.hpp.
#ifndef HENCE_GENERATE_DETAIL_ENGINE_SCHEDULE_INL_HPP
#define HENCE_GENERATE_DETAIL_ENGINE_SCHEDULE_INL_HPP

#include "../../core/text.hpp"
#include "engine_core.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

HENCE_NAMESPACE_BEGIN

namespace detail {

// How many leading tokens are the same, up to `most`; quick to say no when they differ at `at_least`.
inline std::size_t common_prefix(std::span<const token_id> a, std::span<const token_id> b, std::size_t at_least,
                                 std::size_t most) noexcept {
    most = std::min({most, a.size(), b.size()});
    if (most <= at_least || a[at_least] != b[at_least]) return 0;
    const auto end = a.begin() + static_cast<std::ptrdiff_t>(most);
    return static_cast<std::size_t>(std::mismatch(a.begin(), end, b.begin()).first - a.begin());
}

HENCE_INLINE void engine_core::reserve_logits(std::size_t rows) {
    if (rows <= logit_rows_) return;
    const std::size_t bytes = rows * (logit_stride_ + block_tops_stride_) * sizeof(float);
    logit_memory_.clear();
    logit_memory_.resize(bytes + HENCE_ALIGNMENT);
    void* start = logit_memory_.data();
    std::size_t space = logit_memory_.size();
    logit_data_ = static_cast<float*>(std::align(HENCE_ALIGNMENT, bytes, start, space));
    block_tops_ = logit_data_ + rows * logit_stride_;
    logit_rows_ = rows;
}

HENCE_INLINE void engine_core::reserve_plan(std::size_t branches) {
    order_.reserve(branches);
    tables_.reserve(branches);
    parts_.reserve(branches);
    draws_.reserve(branches);
}

HENCE_INLINE void engine_core::clear_plan() noexcept {
    rows_.clear();
    tables_.clear();
    parts_.clear();
    logits_ = 0;
}

// Takes over the longest prefix that any branch or kept sequence has in the cache. The last token is never
// shared: it must run to give logits.
HENCE_INLINE void engine_core::share_prefix(branch_state& state) {
    const std::size_t most = state.tokens.size() - 1;
    std::size_t best = state.kv.length();
    const kv_sequence* from = nullptr;
    kept* from_kept = nullptr;
    for (const branch_state* other : live_) {
        if (other == &state) continue;
        const std::size_t n = common_prefix(other->tokens, state.tokens, best, std::min(most, other->kv.length()));
        if (n <= best) continue;
        best = n;
        from = &other->kv;
    }
    for (kept& other : kept_) {
        const std::size_t n = common_prefix(other.tokens, state.tokens, best, std::min(most, other.kv.length()));
        if (n <= best) continue;
        best = n;
        from = &other.kv;
        from_kept = &other;
    }
    if (from == nullptr) return;
    const auto found = static_cast<std::int64_t>(best - state.kv.length());
    state.kv.share(*from, best);
    state.used.cached_tokens += found;
    used_.cached_tokens += found;
    if (from_kept != nullptr) from_kept->used = ++kept_clock_;
}

// Branches of one call that begin alike wait for the first of them instead of computing the same rows.
HENCE_INLINE void engine_core::await_prefixes() {
    for (std::size_t i = 0; i < list_.size(); ++i) {
        branch_state& state = *list_[i];
        if (state.done || state.pending() <= 1) continue;
        share_prefix(state);
        std::size_t best = state.kv.length();
        const std::size_t most = state.tokens.size() - 1;
        for (std::size_t j = 0; j < i && best < most; ++j) {
            branch_state& earlier = *list_[j];
            if (earlier.done || earlier.pending() <= 1) continue;
            const std::size_t n = common_prefix(earlier.tokens, state.tokens, best, std::min(most, earlier.tokens.size() - 1));
            if (n <= best) continue;
            best = n;
            state.donor = &earlier;
            state.donor_length = n;
        }
    }
}

HENCE_INLINE void engine_core::settle_donor(branch_state& state) {
    if (state.donor == nullptr) return;
    const branch_state& donor = *state.donor;
    const bool over = donor.pruned || donor.done;
    if (!over && donor.kv.length() < state.donor_length) return;
    state.donor = nullptr;
    const std::size_t found = std::min(donor.kv.length(), state.donor_length);  // 0 when it was pruned
    if (found > state.kv.length()) {
        const auto more = static_cast<std::int64_t>(found - state.kv.length());
        state.kv.share(donor.kv, found);
        state.used.cached_tokens += more;
        used_.cached_tokens += more;
    }
    if (over) share_prefix(state);
}

// A message of the engine while it runs; without the heap, since steps are near.
HENCE_INLINE void engine_core::say(const char* format, std::size_t first, std::size_t second) const {
    char text[160];
    const int length = std::snprintf(text, sizeof text, format, first, second);
    options_.log(log_level::debug, {text, static_cast<std::size_t>(std::max(0, length))});
}

HENCE_INLINE bool engine_core::evict_kept() {
    if (kept_.empty()) return false;
    if (options_.log) say("engine: a kept prompt gave its pages up; %zu stay, %zu bytes in use", kept_.size() - 1, pool_.live_pages() * pool_.page_bytes());
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const kept& a, const kept& b) { return a.used < b.used; }));
    return true;
}

// Pages for the branch to write up to `end`; kept prompts go first when there is a limit. False and
// `starved`: the byte budget has none; false and an error in `why`: memory has none.
HENCE_INLINE bool engine_core::take_pages(branch_state& state, std::size_t end, result<void>& why) {
    if (limit_.bytes) {
        const auto allowed = static_cast<std::size_t>(*limit_.bytes) / pool_.page_bytes();
        while (pool_.live_pages() + state.kv.pages_for(end) > allowed && state.kv.pages_for(end) > 0) {
            if (evict_kept()) continue;
            state.starved = true;
            return false;
        }
    }
    const std::size_t capacity = pool_.capacity_pages();
    for (;;) {
        result<void> enough = pool_.ensure(state.kv.pages_for(end));
        if (enough.has_value()) break;
        if (evict_kept()) continue;
        why = std::move(enough);
        return false;
    }
    if (options_.log && pool_.capacity_pages() != capacity) say("engine: the cache now holds %zu pages, %zu bytes", pool_.capacity_pages(), pool_.capacity_pages() * pool_.page_bytes());
    state.kv.prepare(end);
    return true;
}

// Adds the branch's rows up to `end`, of which the last `asking` ask for logits; false when it has no pages.
HENCE_INLINE bool engine_core::plan_rows(branch_state& state, std::size_t end, std::size_t asking, bool draws,
                                         std::span<const token_id> beyond, result<void>& why) {
    if (!take_pages(state, end, why)) return false;
    const auto sequence = static_cast<std::int32_t>(tables_.size());
    parts_.push_back({&state, end, asking != 0 ? logits_ : -1, static_cast<std::int32_t>(asking), draws, nullptr});
    tables_.push_back(state.kv.table());
    for (std::size_t position = state.kv.length(); position < end; ++position) {
        const bool asks = position + asking >= end;
        rows_.push_back({.token = position < state.tokens.size() ? state.tokens[position] : beyond[position - state.tokens.size()],
                         .position = static_cast<std::int32_t>(position),
                         .sequence = sequence,
                         .logits = asks ? logits_++ : -1});
    }
    return true;
}

HENCE_INLINE std::size_t engine_core::tokens_left() const noexcept {
    if (!limit_.tokens) return no_limit;
    const std::int64_t spent = used_.spent_tokens() - limit_start_.spent_tokens();
    return *limit_.tokens > spent ? static_cast<std::size_t>(*limit_.tokens - spent) : 0;
}

HENCE_INLINE bool engine_core::out_of_budget() const {
    if (limit_.unlimited()) return false;
    if (limit_.bytes && *limit_.bytes == 0) return true;
    if (limit_.forwards && used_.forwards - limit_start_.forwards >= *limit_.forwards) return true;
    if (limit_.deadline && clock::now() - limit_time_ >= *limit_.deadline) return true;
    return tokens_left() == 0;
}

// The step: everything before has been scheduling, and from here to its end nothing allocates.
HENCE_INLINE void engine_core::forward() {
    step s;
    s.rows = rows_;
    s.sequences = tables_;
    s.layout = layout_;
    s.logits = logit_data_;
    s.logits_stride = logit_stride_;
    s.logits_count = logits_;
    s.block_tops = block_tops_;
    s.block_tops_stride = block_tops_stride_;
    for (std::int32_t i = 0; i < logits_; ++i)
        block_tops_[static_cast<std::size_t>(i) * block_tops_stride_] = std::numeric_limits<float>::quiet_NaN();
    model_->forward(s, *team_);
    ++used_.forwards;
    used_.rows += static_cast<std::int64_t>(rows_.size());
    used_.peak_kv_bytes = static_cast<std::int64_t>(pool_.peak_pages() * pool_.page_bytes());
    for (const part& p : parts_) {
        ++p.state->used.forwards;
        if (p.twin != nullptr) {
            const auto found = static_cast<std::int64_t>(p.end - p.state->kv.length());
            p.state->used.cached_tokens += found;
            used_.cached_tokens += found;
            continue;
        }
        p.state->used.rows += static_cast<std::int64_t>(p.end - p.state->kv.length());
    }
}

// Runs what is pending of all branches of list_ but their last tokens.
HENCE_INLINE result<void> engine_core::prefill() {
    for (;;) {
        clear_plan();
        bool all = true;
        result<void> why;
        for (branch_state* state : list_) {
            settle_donor(*state);
            if (state->pending() <= 1) continue;
            all = false;
            if (state->donor != nullptr || rows_left() == 0 || !batch_has_room()) continue;
            plan_rows(*state, state->kv.length() + std::min(state->pending() - 1, rows_left()), 0, false, {}, why);
        }
        if (all) return {};
        if (out_of_budget() || (rows_.empty() && why.has_value()))
            return make_error(errc::budget_exhausted, "engine.score", "a budget that allows the prompt and the probe", "one that has ended");
        if (rows_.empty()) return why;
        forward();
        for (const part& p : parts_) p.state->kv.advance(p.end);
    }
}

HENCE_INLINE result<std::vector<std::vector<float>>> engine_core::probe(std::span<branch* const> branches,
                                                                        std::span<const token_id> tokens, bool candidates) {
    const char* const where = candidates ? "engine.next_log_probabilities" : "engine.score";
    HENCE_TRY(check_tokens(tokens, where));
    HENCE_TRY(check_list(branches, where));
    const busy guard(*this);
    std::vector<std::vector<float>> out(list_.size(), std::vector<float>(tokens.size()));
    if (tokens.empty() || list_.empty()) return out;
    const std::size_t rows = candidates ? 1 : tokens.size();
    for (const branch_state* state : list_)
        if (state->tokens.size() + rows - 1 > context_) return full(where, state->tokens.size() + rows - 1);
    if (rows * list_.size() > tokens_left())
        return make_error(errc::budget_exhausted, where, concat({rows * list_.size(), " tokens left in the budget"}), decimal(tokens_left()));

    reserve_plan(list_.size());
    reserve_logits(std::min(rows * list_.size(), options_.max_logits));
    for (branch_state* state : list_) {
        state->start = 0;  // probe rows that have run
        state->kv.reserve(state->tokens.size() + rows);
    }
    await_prefixes();
    HENCE_TRY(prefill());

    // Whatever happens, the branches' caches end where they began.
    struct restore {
        std::pmr::vector<branch_state*>& list;
        ~restore() {
            for (branch_state* state : list) state->kv.truncate(std::min(state->kv.length(), state->tokens.size() - 1));
        }
    } const restored{list_};
    for (;;) {
        clear_plan();
        result<void> why;
        bool all = true;
        for (branch_state* state : list_) {
            const std::size_t n = std::min({rows - state->start, rows_left(), logits_left()});
            if (state->start < rows) all = false;
            if (n == 0 || !batch_has_room()) continue;
            plan_rows(*state, state->kv.length() + n, n, false, tokens, why);
        }
        if (all) return out;
        if (out_of_budget() || (rows_.empty() && why.has_value()))
            return make_error(errc::budget_exhausted, where, "a budget that allows the whole probe", "one that has ended");
        if (rows_.empty()) return std::move(why).error();
        forward();
        team_->each([&](const worker& self) {
            for (const part& p : parts_) {
                for (std::int32_t i = 0; i < p.logits; ++i) {
                    const std::int32_t row = p.first_logit + i;
                    if (row % self.count != self.index) continue;
                    const std::span<const float> logits(logit_data_ + static_cast<std::size_t>(row) * logit_stride_, vocabulary_);
                    std::vector<float>& results = out[p.state->index];
                    const double total = log_normalizer(logits);
                    const auto value = [&](token_id t) {
                        return static_cast<float>(static_cast<double>(logits[static_cast<std::size_t>(t)]) - total);
                    };
                    if (candidates) {
                        for (std::size_t c = 0; c < tokens.size(); ++c) results[c] = value(tokens[c]);
                    } else {
                        const std::size_t at = p.state->start + static_cast<std::size_t>(i);
                        results[at] = value(tokens[at]);
                    }
                }
            }
        });
        for (const part& p : parts_) {
            branch_state& state = *p.state;
            const auto ran = static_cast<std::int64_t>(p.logits);
            state.used.scored_tokens += ran;
            used_.scored_tokens += ran;
            const std::vector<float>& results = out[state.index];
            for (std::size_t i = candidates ? 0 : state.start; i < (candidates ? tokens.size() : state.start + static_cast<std::size_t>(p.logits)); ++i) {
                if (!std::isnan(results[i])) continue;
                return not_a_number(state, state.tokens.size() + (candidates ? 0 : i), "");
            }
            state.start += static_cast<std::size_t>(p.logits);
            state.kv.advance(p.end);
        }
    }
}

HENCE_INLINE result<void> engine_core::each_logits(std::span<const token_id> tokens, void* context,
                                                   void (*use)(void*, std::size_t, std::span<const float>)) {
    const char* const where = "engine.each_logits";
    HENCE_TRY(check_tokens(tokens, where));
    HENCE_TRY(check_list({}, where));
    if (tokens.size() > context_) return full(where, tokens.size());
    if (tokens.size() > tokens_left())
        return make_error(errc::budget_exhausted, where, concat({tokens.size(), " tokens left in the budget"}), decimal(tokens_left()));
    const busy guard(*this);
    branch_state state(pool_, memory_);
    state.tokens.assign(tokens.begin(), tokens.end());
    state.kv.reserve(tokens.size());
    reserve_plan(1);
    const std::size_t chunk = std::min(options_.max_rows, options_.max_logits);
    reserve_logits(std::min(tokens.size(), chunk));
    while (state.pending() > 0) {
        clear_plan();
        result<void> why;
        const std::size_t first = state.kv.length();
        const std::size_t n = std::min({state.pending(), chunk, logits_left()});
        if (!plan_rows(state, first + n, n, false, {}, why) && !why.has_value()) return why;
        if (rows_.empty() || out_of_budget())
            return make_error(errc::budget_exhausted, where, "a budget that allows all of it", "one that has ended");
        forward();
        used_.scored_tokens += static_cast<std::int64_t>(n);
        state.kv.advance(first + n);
        for (std::size_t i = 0; i < n; ++i) use(context, first + i, {logit_data_ + i * logit_stride_, vocabulary_});
    }
    return {};
}

}  // namespace detail

HENCE_NAMESPACE_END

#endif
