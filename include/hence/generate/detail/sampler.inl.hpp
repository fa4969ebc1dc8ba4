// Definitions of generate/sampler.hpp.
#ifndef HENCE_GENERATE_DETAIL_SAMPLER_INL_HPP
#define HENCE_GENERATE_DETAIL_SAMPLER_INL_HPP

#include "../../core/text.hpp"
#include "../sampler.hpp"
#include "noise_words.inl.hpp"
#include "vocabulary_scan.inl.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE result<void> check(const sampling& how, std::size_t vocabulary_size) {
    const auto refuse = [](const char* field, const char* expected, const std::string& found) -> result<void> {
        return make_error(errc::out_of_range, concat({"sampling.", field}), expected, found);
    };
    const auto text = [](float value) { return decimal(value); };
    if (!(how.temperature >= 0) || !std::isfinite(how.temperature))
        return refuse("temperature", "0 or a positive number", text(how.temperature));
    if (how.temperature > 0 && how.temperature < 1e-4f)
        return refuse("temperature", "0 (greedy) or at least 0.0001", text(how.temperature));
    if (how.top_k < 0) return refuse("top_k", "0 (all) or more", decimal(how.top_k));
    if (!(how.top_p > 0 && how.top_p <= 1)) return refuse("top_p", "more than 0, at most 1", text(how.top_p));
    if (!(how.min_p >= 0 && how.min_p <= 1)) return refuse("min_p", "from 0 to 1", text(how.min_p));
    // Bounded so that no finite logit overflows.
    if (!(how.repetition_penalty >= 0.01f && how.repetition_penalty <= 100))
        return refuse("repetition_penalty", "from 0.01 to 100 (1 = none)", text(how.repetition_penalty));
    if (!(std::abs(how.frequency_penalty) <= 1e6f))
        return refuse("frequency_penalty", "from -1000000 to 1000000", text(how.frequency_penalty));
    if (!(std::abs(how.presence_penalty) <= 1e6f))
        return refuse("presence_penalty", "from -1000000 to 1000000", text(how.presence_penalty));
    if (how.penalty_window < -1)
        return refuse("penalty_window", "-1 (all), 0 (none) or more", decimal(how.penalty_window));
    for (const auto& [token, bias] : how.logit_bias) {
        if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_size)
            return refuse("logit_bias", "tokens of the vocabulary", concat({"token ", token, " of ", vocabulary_size}));
        if (!(bias <= 1e30f && (bias >= -1e30f || std::isinf(bias))))
            return refuse("logit_bias", "numbers from -1e30 to 1e30, or minus infinity",
                          concat({text(bias), " for token ", token}));
    }
    return {};
}

HENCE_INLINE sampler::sampler(std::size_t vocabulary_size, std::pmr::memory_resource* memory)
    : words_(detail::vocabulary::widest_noise_words()),
      block_tops_((vocabulary_size + detail::vocabulary::block - 1) / detail::vocabulary::block, memory),
      block_order_(memory),
      candidates_(memory),
      window_(memory),
      changes_(memory) {
    block_order_.reserve(block_tops_.size());
    candidates_.reserve(vocabulary_size);
}

HENCE_INLINE void sampler::reserve(std::size_t history, std::size_t biases) {
    window_.reserve(history);
    changes_.reserve(history + biases);
}

// Fills block_tops_, top_ and arg_, from what the model found where that is there and right; false when a logit is NaN or
// infinite.
HENCE_INLINE bool sampler::scan(std::span<const float> logits, const float* known) noexcept {
    constexpr std::size_t block = detail::vocabulary::block;
    if (known != nullptr && std::none_of(known, known + block_tops_.size(), [](float top) { return std::isnan(top); })) {
        block_tops_.assign(known, known + block_tops_.size());
        find_top(logits);
        if (arg_ != no_token) return true;
    }
    bool finite = true;
    for (std::size_t b = 0; b < block_tops_.size(); ++b) {
        const std::size_t first = b * block;
        const detail::vocabulary::block_scan found =
            detail::vocabulary::scan_block(logits.data() + first, std::min(block, logits.size() - first));
        finite = finite && found.finite;
        block_tops_[b] = found.top;
    }
    find_top(logits);
    return finite;
}

// After adjust(): the blocks that it changed, those of the history in ascending order. Minus infinity is a banned token.
HENCE_INLINE void sampler::rescan(std::span<const float> logits) noexcept {
    constexpr std::size_t block = detail::vocabulary::block;
    std::size_t done = block_tops_.size();
    for (const change& c : changes_) {
        const std::size_t b = static_cast<std::size_t>(c.id) / block;
        if (b == std::exchange(done, b)) continue;
        block_tops_[b] = detail::vocabulary::scan_block(logits.data() + b * block, std::min(block, logits.size() - b * block)).top;
    }
    find_top(logits);
}

HENCE_INLINE void sampler::find_top(std::span<const float> logits) noexcept {
    top_ = -std::numeric_limits<float>::infinity();
    std::size_t best = 0;
    for (std::size_t b = 0; b < block_tops_.size(); ++b) {
        if (block_tops_[b] > top_) {
            top_ = block_tops_[b];
            best = b;
        }
    }
    arg_ = no_token;
    if (top_ == -std::numeric_limits<float>::infinity()) return;
    const std::size_t first = best * detail::vocabulary::block;
    const std::size_t end = std::min(logits.size(), first + detail::vocabulary::block);
    for (std::size_t i = first; i < end; ++i) {
        if (logits[i] != top_) continue;
        arg_ = static_cast<token_id>(i);
        return;
    }
}

// Penalties and biases, in place; changes_ remembers what the model said.
HENCE_INLINE void sampler::adjust(std::span<float> logits, const draw_request& request) noexcept {
    const sampling& how = *request.how;
    changes_.clear();
    const auto at = [&](token_id id) -> float& { return logits[static_cast<std::size_t>(id)]; };
    const bool penalised = how.repetition_penalty != 1 || how.frequency_penalty != 0 || how.presence_penalty != 0;
    if (penalised && how.penalty_window != 0) {
        std::span<const token_id> recent = request.history;
        const auto window = static_cast<std::size_t>(how.penalty_window);
        if (how.penalty_window > 0 && recent.size() > window) recent = recent.last(window);
        window_.assign(recent.begin(), recent.end());
        std::sort(window_.begin(), window_.end());
        for (std::size_t i = 0; i < window_.size();) {
            const token_id id = window_[i];
            std::size_t end = i;
            while (end < window_.size() && window_[end] == id) ++end;
            float& logit = at(id);
            changes_.push_back({id, logit});
            logit = logit > 0 ? logit / how.repetition_penalty : logit * how.repetition_penalty;
            logit -= static_cast<float>(end - i) * how.frequency_penalty + how.presence_penalty;
            i = end;
        }
    }
    for (const auto& [id, bias] : how.logit_bias) {
        changes_.push_back({id, at(id)});
        at(id) += bias;
    }
}

// candidates_ = the tokens whose logit is at least `at_least`.
HENCE_INLINE void sampler::gather(std::span<const float> logits, float at_least) noexcept {
    constexpr std::size_t block = detail::vocabulary::block;
    candidates_.clear();
    for (std::size_t b = 0; b < block_tops_.size(); ++b) {
        if (block_tops_[b] < at_least) continue;
        const std::size_t end = std::min(logits.size(), (b + 1) * block);
        for (std::size_t i = b * block; i < end; ++i) {
            if (logits[i] >= at_least && logits[i] != -std::numeric_limits<float>::infinity())
                candidates_.push_back({logits[i], static_cast<token_id>(i)});
        }
    }
}

// candidates_ = the `count` largest logits, best first, ties to the lowest id.
HENCE_INLINE void sampler::keep_top(std::span<const float> logits, std::size_t count) noexcept {
    float at_least = -std::numeric_limits<float>::infinity();
    if (count <= block_tops_.size()) {
        // At least `count` tokens reach the count-th largest of the blocks' tops.
        block_order_.assign(block_tops_.begin(), block_tops_.end());
        const auto nth = block_order_.begin() + static_cast<std::ptrdiff_t>(count - 1);
        std::nth_element(block_order_.begin(), nth, block_order_.end(), [](float a, float b) { return a > b; });
        at_least = *nth;
    }
    gather(logits, at_least);
    if (candidates_.size() > count) {
        std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count),
                         candidates_.end(), better);
        candidates_.resize(count);
    }
    std::sort(candidates_.begin(), candidates_.end(), better);
}

// Top-k, top-p and min-p each keep the best tokens up to some last one; so do all of them together.
HENCE_INLINE sampler::candidate sampler::last_survivor(std::span<const float> logits, const sampling& how) noexcept {
    candidate last{-std::numeric_limits<float>::infinity(), std::numeric_limits<token_id>::max()};
    const double inverse = 1.0 / static_cast<double>(how.temperature);
    const auto distance = [&](float logit) {
        return (static_cast<double>(logit) - static_cast<double>(top_)) * inverse;
    };
    const bool by_count = how.top_k > 0 && static_cast<std::size_t>(how.top_k) < logits.size();
    if (by_count) {
        keep_top(logits, static_cast<std::size_t>(how.top_k));
        last = candidates_.back();
    }
    if (how.top_p < 1 && by_count) {
        double total = 0;
        for (const candidate& c : candidates_) total += std::exp(distance(c.logit));
        last = last_of_nucleus(0, static_cast<double>(how.top_p) * total, inverse, last);
    } else if (how.top_p < 1) {
        // The weight of each bucket of logits shows in which one the nucleus ends; only that one is sorted.
        const auto scale = static_cast<float>(inverse);
        const detail::vocabulary::bucket_of bucket(top_, scale);
        std::array<double, detail::vocabulary::buckets> weights{};
        detail::vocabulary::add_weights(logits.data(), logits.size(), top_, scale, bucket, weights);
        double total = 0;
        for (const double w : weights) total += w;
        const double enough = static_cast<double>(how.top_p) * total;
        double above = 0;
        std::size_t ends_in = 0;
        while (ends_in + 1 < weights.size() && above + weights[ends_in] < enough) above += weights[ends_in++];
        candidates_.clear();
        for (std::size_t b = 0; b < block_tops_.size(); ++b) {
            if (bucket(block_tops_[b]) > ends_in) continue;
            const std::size_t end = std::min(logits.size(), (b + 1) * detail::vocabulary::block);
            for (std::size_t i = b * detail::vocabulary::block; i < end; ++i) {
                if (bucket(logits[i]) == ends_in && logits[i] != -std::numeric_limits<float>::infinity())
                    candidates_.push_back({logits[i], static_cast<token_id>(i)});
            }
        }
        std::sort(candidates_.begin(), candidates_.end(), better);
        last = last_of_nucleus(above, enough, inverse, last);
    }
    if (how.min_p > 0) {
        // The least float that passes, within a few steps of the rounded edge.
        const double lowest = std::log(static_cast<double>(how.min_p));
        const float infinity = std::numeric_limits<float>::infinity();
        auto edge = static_cast<float>(static_cast<double>(top_) + lowest * static_cast<double>(how.temperature));
        while (distance(edge) >= lowest) edge = std::nextafter(edge, -infinity);
        while (distance(edge) < lowest) edge = std::nextafter(edge, infinity);
        if (edge > last.logit) last = {edge, std::numeric_limits<token_id>::max()};
    }
    return last;
}

// The first of the sorted candidates_ with which the sum reaches `enough`.
HENCE_INLINE sampler::candidate sampler::last_of_nucleus(double sum, double enough, double inverse_temperature,
                                                         candidate otherwise) const noexcept {
    for (const candidate& c : candidates_) {
        sum += std::exp((static_cast<double>(c.logit) - static_cast<double>(top_)) * inverse_temperature);
        if (sum >= enough) return c;
    }
    return candidates_.empty() ? otherwise : candidates_.back();
}

HENCE_INLINE double sampler::perturbed(float logit, token_id id, const draw_request& request) const noexcept {
    return static_cast<double>(logit) / static_cast<double>(request.how->temperature) +
           detail::vocabulary::gumbel(counter_rng{request.how->seed}, request.stream, request.position, id);
}

// The winner among the tokens that are no worse than `last`.
HENCE_INLINE token_id sampler::draw_survivor(std::span<const float> logits, candidate last,
                                             const draw_request& request) const noexcept {
    namespace vocabulary = detail::vocabulary;
    const counter_rng rng{request.how->seed};
    const double inverse = 1.0 / static_cast<double>(request.how->temperature);
    // Tokens far below the top are far below every bound too, so only magnitudes near the top matter for
    // the rounding that the bound must allow for.
    vocabulary::dismissal bound(inverse, std::abs(top_) + 100 * request.how->temperature);
    token_id winner = arg_;
    double best = perturbed(top_, arg_, request);
    bound.beat(best);
    const auto consider = [&](std::size_t i) {
        const candidate c{logits[i], static_cast<token_id>(i)};
        if (c.id == arg_ || c.logit == -std::numeric_limits<float>::infinity() || better(last, c)) return;
        const double value = perturbed(c.logit, c.id, request);
        if (value < best || (value == best && c.id > winner)) return;
        best = value;
        winner = c.id;
        bound.beat(best);
    };
    for (std::size_t b = 0; b < block_tops_.size(); ++b) {
        if (block_tops_[b] < last.logit || bound.hopeless(block_tops_[b])) continue;
        const std::size_t end = std::min(logits.size(), (b + 1) * vocabulary::block);
        std::size_t i = b * vocabulary::block;
        std::uint32_t words[vocabulary::block];
        // The bound grows with the logit and falls with the word: where the block's largest logit cannot win with its
        // least word, nothing in it can.
        const std::uint32_t least =
            words_(rng, request.stream, request.position, static_cast<std::uint32_t>(i / 4), words);
        if (!bound.possible(block_tops_[b], least)) continue;
        const std::uint32_t* word = words;
        for (; i + 4 <= end; i += 4, word += 4) {
            const vocabulary::i32x4 may = bound.possible(vocabulary::load(logits.data() + i), vocabulary::load(word));
            if ((may[0] | may[1] | may[2] | may[3]) == 0) continue;
            for (std::size_t lane = 0; lane < 4; ++lane)
                if (may[lane] != 0) consider(i + lane);
        }
        for (; i < end; ++i)
            if (bound.possible(logits[i], *word++)) consider(i);
    }
    return winner;
}

HENCE_INLINE drawn sampler::draw(std::span<float> logits, const draw_request& request) noexcept {
    drawn out;
    const sampling& how = *request.how;
    if (!scan(logits, request.block_tops)) {
        out.token = first_not_finite(logits);
        out.status = draw_status::not_a_number;
        return out;
    }
    double log_total = 0;  // log of the sum of exponentials of the model's own logits
    const bool statistics = request.log_probability || request.confidence_top_k > 0 || request.self_certainty;
    if (statistics) {
        log_total = static_cast<double>(top_) +
                    std::log(detail::vocabulary::sum_of_exponentials(logits.data(), logits.size(), top_, 1.0f));
    }
    if (request.confidence_top_k > 0) {
        keep_top(logits, std::min(static_cast<std::size_t>(request.confidence_top_k), logits.size()));
        double sum = 0;
        for (const candidate& c : candidates_) sum += log_total - static_cast<double>(c.logit);
        out.statistics.confidence = static_cast<float>(sum / static_cast<double>(candidates_.size()));
    }
    if (request.self_certainty) {
        const auto size = static_cast<double>(logits.size());
        out.statistics.self_certainty = static_cast<float>(
            log_total - detail::vocabulary::sum(logits.data(), logits.size()) / size - std::log(size));
    }

    adjust(logits, request);
    if (!changes_.empty()) rescan(logits);
    if (arg_ == no_token) {
        out.status = draw_status::no_candidate;
    } else if (how.temperature == 0) {
        out.token = arg_;
    } else {
        out.token = draw_survivor(logits, last_survivor(logits, how), request);
    }
    if (request.log_probability && out.token != no_token) {
        float raw = logits[static_cast<std::size_t>(out.token)];
        // The first record of a token that was changed twice is what the model said.
        for (const change& c : changes_) {
            if (c.id == out.token) {
                raw = c.raw;
                break;
            }
        }
        out.statistics.log_probability = static_cast<float>(static_cast<double>(raw) - log_total);
    }
    if (request.restore)
        for (std::size_t i = changes_.size(); i-- > 0;) logits[static_cast<std::size_t>(changes_[i].id)] = changes_[i].raw;
    return out;
}

HENCE_INLINE double log_normalizer(std::span<const float> logits) noexcept {
    if (first_not_finite(logits) != no_token) return std::numeric_limits<double>::quiet_NaN();
    float top = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < logits.size(); i += detail::vocabulary::block) {
        const std::size_t n = std::min(detail::vocabulary::block, logits.size() - i);
        top = std::max(top, detail::vocabulary::scan_block(logits.data() + i, n).top);
    }
    return static_cast<double>(top) +
           std::log(detail::vocabulary::sum_of_exponentials(logits.data(), logits.size(), top, 1.0f));
}

HENCE_INLINE float log_probability(std::span<const float> logits, token_id token) noexcept {
    return static_cast<float>(static_cast<double>(logits[static_cast<std::size_t>(token)]) - log_normalizer(logits));
}

HENCE_INLINE token_id first_not_finite(std::span<const float> logits) noexcept {
    for (std::size_t i = 0; i < logits.size(); i += detail::vocabulary::block) {
        const std::size_t n = std::min(detail::vocabulary::block, logits.size() - i);
        if (detail::vocabulary::scan_block(logits.data() + i, n).finite) continue;
        for (std::size_t j = i;; ++j)
            if (!std::isfinite(logits[j])) return static_cast<token_id>(j);
    }
    return no_token;
}

HENCE_NAMESPACE_END

#endif
