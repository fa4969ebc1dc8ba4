// extend(): draws, stop rules, events. Included by engine.inl.hpp.
#ifndef HENCE_GENERATE_DETAIL_ENGINE_EXTEND_INL_HPP
#define HENCE_GENERATE_DETAIL_ENGINE_EXTEND_INL_HPP

#include "../../core/text.hpp"
#include "../../text/unicode.hpp"
#include "engine_core.hpp"

#include <algorithm>
#include <string>

HENCE_NAMESPACE_BEGIN

namespace detail {

HENCE_INLINE error engine_core::not_a_number(const branch_state& state, std::size_t position,
                                             const std::string& token) const {
    return make_error(errc::not_a_number,
                      concat({"logits of the branch with stream ", state.stream, " at position ", position}),
                      "finite numbers", concat({"NaN or infinity", token}));
}

HENCE_INLINE std::string engine_core::added_text(const branch_state& state) const {
    // text_of() of the part after text_start, whose beginning is the beginning of a character.
    std::string bytes;
    const hence::tokenizer& tokens = model_->tokenizer();
    for (std::size_t i = state.prompt; i < state.tokens.size(); ++i)
        if (static_cast<std::size_t>(state.tokens[i]) < tokens.size()) bytes += tokens.bytes(state.tokens[i]);
    if (bytes.size() > state.text_bytes) bytes.resize(state.text_bytes);
    bytes.erase(0, std::min(bytes.size(), state.text_start));
    bytes.resize(bytes.size() - text::incomplete_utf8_tail(bytes));
    return text::to_valid_utf8(bytes);
}

// Everything that steps of this call will need, so that they allocate nothing.
HENCE_INLINE void engine_core::prepare_extend(const until& rules, event_listener listener) {
    const hence::tokenizer& tokens = model_->tokenizer();
    std::size_t window = 0;
    std::size_t biases = 0;
    matches_ = !rules.stop.empty() || (listener.call != nullptr && rules.every_token);
    for (branch_state* state : list_) {
        state->extended = true;
        state->start = state->tokens.size();
        if (state->finish == finish_reason::end_token || state->finish == finish_reason::context_full) continue;
        state->finish = finish_reason::none;
        state->text_bytes = no_limit;
        const std::size_t most =
            state->tokens.size() + std::min(rules.max_tokens, context_ - std::min(context_, state->tokens.size()));
        // Doubling, so that many short calls cost no more than one long one.
        if (state->tokens.capacity() < most) {
            state->tokens.reserve(std::max(most, std::min(context_, 2 * state->tokens.size())));
            state->statistics.reserve(state->tokens.capacity() - state->prompt);
        }
        if (state->statistics.capacity() < most - state->prompt) state->statistics.reserve(most - state->prompt);
        state->kv.reserve(most);
        const sampling& how = state->how;
        window = std::max(window,
                          how.penalty_window < 0 ? most : std::min(most, static_cast<std::size_t>(how.penalty_window)));
        biases = std::max(biases, how.logit_bias.size());
        if (!matches_ && listener.call == nullptr) continue;
        // Where the new text begins: with the open character that the old one may end in.
        std::string before;
        for (std::size_t i = state->prompt; i < state->tokens.size(); ++i)
            if (static_cast<std::size_t>(state->tokens[i]) < tokens.size()) before += tokens.bytes(state->tokens[i]);
        const std::size_t open = text::incomplete_utf8_tail(before);
        state->text_start = before.size() - open;
        if (matches_)
            state->stops.start(rules.stop, longest_piece_, std::string_view(before).substr(before.size() - open));
    }
    reserve_plan(list_.size());
    reserve_logits(std::min(list_.size(), options_.max_logits));
    while (samplers_.size() < static_cast<std::size_t>(team_->size())) samplers_.emplace_back(vocabulary_, memory_);
    for (sampler& s : samplers_) s.reserve(window, biases);
}

// A branch is done: tells the listener once.
HENCE_INLINE void engine_core::conclude(branch_state& state, finish_reason reason, const until& rules,
                                        event_listener listener) {
    state.finish = reason;
    state.done = true;
    --active_;
    if (listener.call == nullptr) return;
    std::string text;
    if (!rules.every_token) {
        text = added_text(state);
    } else if (reason != finish_reason::stop_string && state.tokens.size() > state.start) {
        text = text::to_valid_utf8(state.stops.finish());
    }
    branch_event<branch> event{*state.handle, state.index};
    event.kind = event_kind::finished;
    event.reason = reason;
    event.text = text;
    listener.call(listener.context, event);
}

// Branches that ended without a token: cancelled or pruned by the callback, or without pages to go on.
HENCE_INLINE void engine_core::sweep(const until& rules, event_listener listener) {
    for (std::size_t i = 0; i < list_.size(); ++i) {
        branch_state& state = *list_[i];
        if (state.done) continue;
        if (state.finish != finish_reason::none) {
            conclude(state, state.finish, rules, listener);
        } else if (state.drawn() >= rules.max_tokens) {
            conclude(state, finish_reason::length, rules, listener);
        } else if (state.tokens.size() >= context_) {
            conclude(state, finish_reason::context_full, rules, listener);
        } else if (state.starved || state.tokens.size() >= state.cut) {
            conclude(state, finish_reason::budget, rules, listener);
        }
    }
}

// Forks that have drawn nothing yet have one text, and so one row gives the logits of all of them: a branch whose
// tokens are those of the last one that draws in this step draws from the same. (A row's result depends on nothing else.)
HENCE_INLINE bool engine_core::plan_twin(branch_state& state) {
    if (parts_.empty() || state.drawn() != 0) return false;
    const part& last = parts_.back();
    const branch_state* const other = last.twin != nullptr ? last.twin : last.state;
    if (!last.draws || other->drawn() != 0 || other->tokens != state.tokens) return false;
    state.donor = nullptr;
    parts_.push_back({&state, state.tokens.size(), last.first_logit, 0, true, other});
    return true;
}

// The caches as the step has left them, before any callback can change a branch that others take over from.
HENCE_INLINE void engine_core::settle_cache() noexcept {
    for (const part& p : parts_) {
        if (p.state->done || p.state->pruned || p.state->finish != finish_reason::none) continue;
        if (p.twin == nullptr)
            p.state->kv.advance(p.end);
        else
            p.state->kv.share(p.twin->kv, p.end);
    }
}

// Fills the step: each branch that may draw gets its pending rows and one that asks. Where order can be
// seen (a callback, a budget of tokens) a branch draws only after all that come before it, by tokens drawn
// and place in the list: then what happens does not depend on how steps are cut.
HENCE_INLINE void engine_core::plan_draws(bool ordered, result<void>& why) {
    clear_plan();
    order_.clear();
    std::size_t decoding = 0;
    for (branch_state* state : list_) {
        if (state->done) continue;
        settle_donor(*state);
        order_.push_back(state);
        if (state->donor == nullptr && state->pending() == 1) ++decoding;
    }
    std::sort(order_.begin(), order_.end(), [](const branch_state* a, const branch_state* b) {
        return a->drawn() != b->drawn() ? a->drawn() < b->drawn() : a->index < b->index;
    });
    std::size_t tickets = tokens_left();
    bool blocked = false;
    for (branch_state* state : order_) {
        if (rows_left() == 0 || !batch_has_room()) break;
        const std::size_t pending = state->pending();
        const bool in_turn = !(ordered && blocked) && tickets > 0;
        const bool decodes = state->donor == nullptr && pending == 1;
        if (in_turn && plan_twin(*state)) {
            decoding -= decodes ? 1 : 0;
            tickets -= tickets == no_limit ? 0 : 1;
            continue;
        }
        if (state->donor != nullptr) {
            blocked = true;
            continue;
        }
        const bool may_draw = in_turn && logits_left() > 0;
        std::size_t n = std::min(pending, rows_left());
        if (pending == 1) {
            decoding -= 1;
        } else if (!ordered) {  // long prompts leave room for those that decode
            n = std::min(n, rows_left() > decoding ? rows_left() - decoding : std::size_t{1});
        }
        if (!may_draw && n == pending) --n;
        const bool draws = n == pending;
        if (n == 0 || !plan_rows(*state, state->kv.length() + n, draws ? 1 : 0, draws, {}, why)) {
            blocked = blocked || !state->starved;
            continue;
        }
        if (draws) {
            tickets -= tickets == no_limit ? 0 : 1;
        } else {
            blocked = true;
        }
    }
}

HENCE_INLINE void engine_core::draw(const until& rules) noexcept {
    draws_.resize(parts_.size());
    auto work = [&](const worker& self) {
        sampler& own = samplers_[static_cast<std::size_t>(self.index)];
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const part& p = parts_[i];
            // Twins read one row, and a draw changes it for a while: one worker has them all.
            if (!p.draws || p.first_logit % self.count != self.index) continue;
            const auto row = static_cast<std::size_t>(p.first_logit);
            draw_request request;
            request.how = &p.state->how;
            request.history = p.state->tokens;
            request.stream = p.state->stream;
            request.position = static_cast<std::uint32_t>(p.state->tokens.size());
            request.log_probability = rules.log_probabilities;
            request.confidence_top_k = rules.confidence_top_k;
            request.self_certainty = rules.self_certainty;
            request.restore = true;
            request.block_tops = block_tops_ + row * block_tops_stride_;
            draws_[i] = own.draw({logit_data_ + row * logit_stride_, vocabulary_}, request);
        }
    };
    if (logits_ > 1) {
        team_->each(work);
    } else {
        work(worker{});
    }
}

HENCE_INLINE void engine_core::append(branch_state& state, const drawn& d, const until& rules,
                                      event_listener listener) {
    const hence::tokenizer& tokens = model_->tokenizer();
    state.tokens.push_back(d.token);
    state.statistics.push_back(d.statistics);
    ++state.used.generated_tokens;
    ++used_.generated_tokens;
    finish_reason reason = finish_reason::none;
    if (rules.stop_at_end && is_end_[static_cast<std::size_t>(d.token)]) {
        reason = finish_reason::end_token;
    } else if (std::find(rules.stop_tokens.begin(), rules.stop_tokens.end(), d.token) != rules.stop_tokens.end()) {
        reason = finish_reason::stop_token;
    }
    std::string_view piece;
    if (matches_ && static_cast<std::size_t>(d.token) < tokens.size()) {
        const stop_matcher::outcome out = state.stops.push(tokens.bytes(d.token));
        piece = out.text;
        if (out.stopped) {
            reason = finish_reason::stop_string;
            state.text_bytes = state.text_start + state.stops.released();
        }
    }
    if (reason == finish_reason::none) {
        if (state.drawn() >= rules.max_tokens) {
            reason = finish_reason::length;
        } else if (state.tokens.size() >= context_) {
            reason = finish_reason::context_full;
        } else if (state.tokens.size() >= state.cut) {
            reason = finish_reason::budget;
        }
    }
    if (listener.call != nullptr && rules.every_token) {
        branch_event<branch> event{*state.handle, state.index};
        event.kind = event_kind::token;
        event.token = d.token;
        event.statistics = d.statistics;
        std::string repaired;
        if (!text::is_valid_utf8(piece)) piece = repaired = text::to_valid_utf8(piece);
        event.text = piece;
        listener.call(listener.context, event);
        if (state.pruned)
            reason = state.finish;
        else if (reason == finish_reason::none)
            reason = state.finish;  // cancelled by the callback
    }
    if (reason != finish_reason::none) conclude(state, reason, rules, listener);
}

// What the step gave, branch by branch in the order in which it was planned.
HENCE_INLINE result<void> engine_core::commit(const until& rules, event_listener listener) {
    settle_cache();
    // The last token has always to run: where none was appended, its place in the cache is given back.
    const auto give_back = [](branch_state& state) {
        if (!state.pruned && state.kv.length() >= state.tokens.size()) state.kv.truncate(state.tokens.size() - 1);
    };
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const part& p = parts_[i];
        branch_state& state = *p.state;
        if (state.done || state.pruned || state.finish != finish_reason::none) {
            give_back(state);
            continue;
        }
        if (!p.draws) continue;
        const drawn& d = draws_[i];
        if (d.status == draw_status::not_a_number || d.status == draw_status::no_candidate) {
            for (std::size_t rest = i; rest < parts_.size(); ++rest) give_back(*parts_[rest].state);
            if (d.status == draw_status::not_a_number)
                return not_a_number(state, state.tokens.size(), concat({" for token ", d.token}));
            return make_error(errc::invalid_argument, "sampling.logit_bias", "at least one token that is not banned",
                              concat({"none for the branch with stream ", state.stream}));
        }
        append(state, d, rules, listener);
    }
    return {};
}

HENCE_INLINE result<void> engine_core::extend(std::span<branch* const> branches, const until& rules,
                                              event_listener listener) {
    HENCE_TRY(check(rules, vocabulary_));
    HENCE_TRY(check_list(branches, "engine.extend"));
    const busy guard(*this);
    prepare_extend(rules, listener);
    await_prefixes();
    const bool ordered = listener.call != nullptr || limit_.tokens.has_value();
    active_ = list_.size();
    for (;;) {
        sweep(rules, listener);
        if (active_ == 0) return {};
        const bool cancelled = rules.cancel != nullptr && rules.cancel->load(std::memory_order_relaxed);
        if (cancelled || out_of_budget()) {
            for (std::size_t i = 0; i < list_.size(); ++i) {
                if (list_[i]->done) continue;
                const finish_reason own = list_[i]->finish;  // an earlier event's callback may have cancelled it
                conclude(*list_[i],
                         own != finish_reason::none ? own
                         : cancelled                ? finish_reason::cancelled
                                                    : finish_reason::budget,
                         rules, listener);
            }
            return {};
        }
        result<void> why;
        plan_draws(ordered, why);
        if (rows_.empty()) {
            if (!why.has_value()) return why;
            continue;  // the branches that could go on have no pages: the sweep ends them
        }
        forward();
        draw(rules);
        HENCE_TRY(commit(rules, listener));
    }
}

}  // namespace detail

HENCE_NAMESPACE_END

#endif
