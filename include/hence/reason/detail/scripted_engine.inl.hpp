// Definitions of reason/scripted_engine.hpp.
#ifndef HENCE_REASON_DETAIL_SCRIPTED_ENGINE_INL_HPP
#define HENCE_REASON_DETAIL_SCRIPTED_ENGINE_INL_HPP

#include "../../core/text.hpp"
#include "../../core/rng.hpp"
#include "../scripted_engine.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

HENCE_NAMESPACE_BEGIN

namespace detail {

using scripted_clock = std::chrono::steady_clock;

struct scripted_state {
    script answers;
    scripted_options options;
    hence::account total;
    std::int64_t live_tokens = 0;
    budget limit;
    hence::account limit_from;
    scripted_clock::time_point limit_since = scripted_clock::now();
    std::uint64_t hash = 0;
    std::unordered_map<std::string, std::size_t> recordings_taken;
    std::vector<const scripted_sequence*> live;  // every branch that is there
    hence::account gone;                         // of the branches that are not

    budget remaining() const {
        hence::account spent = total - limit_from;
        spent.seconds = std::chrono::duration<double>(scripted_clock::now() - limit_since).count();
        return limit.after(spent);
    }
    bool exhausted() const {
        const budget left = remaining();
        return left.exhausted() || (limit.bytes && live_tokens * options.bytes_per_token >= *limit.bytes);
    }
};

/// Cached positions that several branches share; they leave the cache with the last of them.
struct scripted_segment {
    std::shared_ptr<scripted_state> state;
    std::int64_t tokens = 0;

    explicit scripted_segment(std::shared_ptr<scripted_state> s) : state(std::move(s)) {}
    scripted_segment(const scripted_segment&) = delete;
    scripted_segment& operator=(const scripted_segment&) = delete;
    ~scripted_segment() { state->live_tokens -= tokens; }
    void grow(std::int64_t by) {
        tokens += by;
        state->live_tokens += by;
        state->total.peak_kv_bytes =
            std::max(state->total.peak_kv_bytes, state->live_tokens * state->options.bytes_per_token);
    }
};

/// Where in its script a text is: which reply is in force and which of its completions still fit.
class script_walker {
public:
    /// Bytes that the script did not choose: the script is asked anew for what follows them.
    void push_forced(std::string_view bytes) {
        text_.append(bytes);
        anchors_.clear_after(text_.size());
    }
    void push_drawn(char byte) {
        text_ += byte;
        if (anchor* const top = anchors_.top()) top->narrow(text_);
    }
    void rollback(std::size_t bytes) {
        text_.resize(bytes);
        anchors_.drop_after(bytes);
        if (anchor* const top = anchors_.top()) top->reset(text_);
    }
    const std::string& text() const { return text_; }

    /// The law of the next token: (byte or end, probability), by token; probabilities add up to 1.
    std::vector<std::pair<token_id, double>> law(scripted_state& state) {
        for (int asked = 0; asked < 2; ++asked) {
            anchor* top = anchors_.top();
            if (top == nullptr || !top->goes_on(text_)) {
                anchors_.push(text_, state.answers(text_));
                top = anchors_.top();
                if (top->reply->completions.empty()) break;
            }
            auto law = top->law(text_, state);
            if (!law.empty()) return law;
        }
        return {{scripted_engine::end_of_text, 1.0}};
    }

private:
    struct anchor {
        std::size_t position = 0;
        std::shared_ptr<const script_reply> reply;
        std::vector<std::uint32_t> alive = {};
        std::size_t recording = none;
        static constexpr std::size_t none = static_cast<std::size_t>(-1);

        bool fits(std::uint32_t i, std::string_view since) const {
            return std::string_view(reply->completions[i].text).starts_with(since);
        }
        void reset(std::string_view text) {
            alive.clear();
            for (std::uint32_t i = 0; i < reply->completions.size(); ++i)
                if (fits(i, text.substr(position))) alive.push_back(i);
        }
        void narrow(std::string_view text) {
            const std::string_view since = text.substr(position);
            std::erase_if(alive, [&](std::uint32_t i) { return !fits(i, since); });
        }
        /// False when the script has to be asked again: what fits is written out and does not end the text.
        bool goes_on(std::string_view text) const {
            if (reply->completions.empty()) return true;
            const std::size_t length = text.size() - position;
            return std::any_of(alive.begin(), alive.end(), [&](std::uint32_t i) {
                const scripted_completion& c = reply->completions[i];
                return (recording == none || recording == i) && (c.ends || c.text.size() > length);
            });
        }
        std::vector<std::pair<token_id, double>> law(std::string_view text, scripted_state& state) {
            if (reply->in_order && recording == none)
                recording = state.recordings_taken[std::string(text.substr(0, position))]++ % reply->completions.size();
            const std::size_t length = text.size() - position;
            std::map<token_id, double> weights;
            double sum = 0;
            for (const std::uint32_t i : alive) {
                const scripted_completion& c = reply->completions[i];
                if (recording != none && recording != i) continue;
                if (c.text.size() == length && !c.ends) continue;
                const token_id next = c.text.size() == length ? scripted_engine::end_of_text
                                                              : static_cast<unsigned char>(c.text[length]);
                weights[next] += c.probability;
                sum += c.probability;
            }
            std::vector<std::pair<token_id, double>> law;
            for (const auto& [token, weight] : weights)
                if (weight > 0) law.emplace_back(token, weight / sum);
            return law;
        }
    };

    /// The replies in force at growing positions, so that a rollback finds the one it falls back into.
    struct anchor_stack {
        std::vector<anchor> anchors;
        bool fresh = false;  // forced text: the top reply is out of force until the script is asked again

        anchor* top() { return anchors.empty() || fresh ? nullptr : &anchors.back(); }
        void push(const std::string& text, script_reply reply) {
            anchors.push_back({text.size(), std::make_shared<const script_reply>(std::move(reply))});
            anchors.back().reset(text);
            fresh = false;
        }
        void clear_after(std::size_t) { fresh = true; }
        void drop_after(std::size_t bytes) {
            while (!anchors.empty() && anchors.back().position > bytes) anchors.pop_back();
            fresh = anchors.empty();
        }
    };

    std::string text_;
    anchor_stack anchors_;
};

/// Everything behind a scripted_branch.
struct scripted_sequence {
    explicit scripted_sequence(std::shared_ptr<scripted_state> owner) : state(std::move(owner)) { state->live.push_back(this); }
    scripted_sequence(const scripted_sequence&) = delete;
    scripted_sequence& operator=(const scripted_sequence&) = delete;
    ~scripted_sequence() {
        state->gone += account;
        state->live.erase(std::find(state->live.begin(), state->live.end(), this));
    }

    std::shared_ptr<scripted_state> state;
    std::vector<std::shared_ptr<scripted_segment>> segments;  // the last one is this branch's own
    script_walker walker;
    std::vector<token_id> tokens;
    std::vector<token_statistics> statistics;
    std::size_t prompt = 0;
    std::size_t pending = 0;  // positions that no forward has read yet
    std::uint64_t stream = 0;
    std::uint64_t children = 0;
    hence::sampling options;
    hence::account account;
    finish_reason finish = finish_reason::none;
    std::size_t cut = static_cast<std::size_t>(-1);  // cut_at()
    std::size_t stop_length = 0;  // bytes of the stop string that text() leaves out
    std::uint64_t hash = 0;       // what the state's hash holds of this branch
    bool pruned = false;
    bool cancelled = false;

    void grow(std::size_t by) { segments.back()->grow(static_cast<std::int64_t>(by)); }
    void add_rows(std::size_t n) {
        account.rows += static_cast<std::int64_t>(n);
        state->total.rows += static_cast<std::int64_t>(n);
    }
    void read_pending() {
        add_rows(pending);
        pending = 0;
    }
    void rehash() {
        std::uint64_t h = mix64(stream, tokens.size());
        for (const token_id t : tokens) h = mix64(h, static_cast<std::uint64_t>(t) + 1);
        h = mix64(h, static_cast<std::uint64_t>(finish));
        state->hash += h - hash;
        hash = h;
    }
    void append(token_id token, token_statistics what) {
        tokens.push_back(token);
        statistics.push_back(what);
        grow(1);
    }
};

inline constexpr double scripted_floor = 1e-9;  // log-probabilities of what a script never says stay finite

inline float scripted_log(double p) { return static_cast<float>(std::log(std::max(p, scripted_floor))); }

inline double scripted_probability(const std::vector<std::pair<token_id, double>>& law, token_id token) {
    for (const auto& [t, p] : law)
        if (t == token) return p;
    return 0;
}

/// Applies the settings to a law and draws; the same address always draws the same token.
inline token_id scripted_draw(const std::vector<std::pair<token_id, double>>& law, const sampling& s,
                              std::uint64_t stream, std::size_t position) {
    std::vector<std::pair<token_id, double>> scores;
    for (const auto& [token, p] : law) {
        double score = std::log(p);
        for (const auto& [biased, bias] : s.logit_bias)
            if (biased == token) score += static_cast<double>(bias);
        scores.emplace_back(token, score);
    }
    std::stable_sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    if (s.temperature <= 0) return scores.front().first;
    if (s.top_k > 0 && scores.size() > static_cast<std::size_t>(s.top_k))
        scores.resize(static_cast<std::size_t>(s.top_k));
    const double top = scores.front().second;
    double sum = 0;
    for (auto& [token, score] : scores) sum += score = std::exp((score - top) / static_cast<double>(s.temperature));
    double kept = 0;
    std::size_t count = 0;
    while (count < scores.size() && (count == 0 || kept < static_cast<double>(s.top_p) * sum) &&
           scores[count].second >= static_cast<double>(s.min_p) * scores[0].second)
        kept += scores[count++].second;
    const double u = counter_rng{s.seed}.uniform(stream, static_cast<std::uint32_t>(position), 0) * kept;
    double reached = 0;
    for (std::size_t i = 0; i + 1 < count; ++i)
        if (u < (reached += scores[i].second)) return scores[i].first;
    return scores[count - 1].first;
}

inline token_statistics scripted_statistics(const std::vector<std::pair<token_id, double>>& law, token_id token,
                                            const until& limits) {
    token_statistics out;
    if (limits.log_probabilities) out.log_probability = scripted_log(scripted_probability(law, token));
    if (limits.confidence_top_k > 0) {
        std::vector<double> p;
        for (const auto& entry : law) p.push_back(entry.second);
        std::sort(p.begin(), p.end(), std::greater<>());
        p.resize(static_cast<std::size_t>(limits.confidence_top_k), 0.0);
        double sum = 0;
        for (const double value : p) sum -= static_cast<double>(scripted_log(value));
        out.confidence = static_cast<float>(sum / static_cast<double>(p.size()));
    }
    if (limits.self_certainty) {
        constexpr double vocabulary = 257;
        double sum = (vocabulary - static_cast<double>(law.size())) * std::log(vocabulary * scripted_floor);
        for (const auto& entry : law) sum += std::log(vocabulary * std::max(entry.second, scripted_floor));
        out.self_certainty = static_cast<float>(-sum / vocabulary);
    }
    return out;
}

/// How much of the end of `text` must be held back: the beginning of a stop string, or of a character.
inline std::size_t scripted_held(std::string_view text, const std::vector<std::string>& stops) {
    std::size_t held = 0;
    for (const std::string& stop : stops)
        for (std::size_t n = std::min(stop.size(), text.size()); n > held; --n)
            if (text.ends_with(std::string_view(stop).substr(0, n))) {
                held = n;
                break;
            }
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if (byte < 0x80) break;
        if (byte < 0xC0) continue;
        const std::size_t need = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        if (need > back) held = std::max(held, back);
        break;
    }
    return held;
}

}  // namespace detail

HENCE_INLINE script script_table(std::vector<std::pair<std::string, script_reply>> table) {
    return script([table = std::move(table)](std::string_view context) {
        for (const auto& [known, reply] : table)
            if (known == context) return reply;
        return script_reply{};
    });
}

// --- branch ----------------------------------------------------------------------------------------

HENCE_INLINE scripted_branch::scripted_branch() = default;
HENCE_INLINE scripted_branch::scripted_branch(std::unique_ptr<detail::scripted_sequence> sequence)
    : sequence_(std::move(sequence)) {}
HENCE_INLINE scripted_branch::scripted_branch(scripted_branch&&) noexcept = default;
HENCE_INLINE scripted_branch& scripted_branch::operator=(scripted_branch&&) noexcept = default;
HENCE_INLINE scripted_branch::~scripted_branch() = default;

HENCE_INLINE result<std::vector<scripted_branch>> scripted_branch::fork(std::size_t n) {
    if (sequence_->pruned) return make_error(errc::invalid_argument, "branch::fork", "a live branch", "a pruned one");
    std::vector<scripted_branch> children;
    for (std::size_t i = 0; i < n; ++i) {
        auto child = std::make_unique<detail::scripted_sequence>(sequence_->state);
        child->segments = sequence_->segments;
        child->segments.push_back(std::make_shared<detail::scripted_segment>(child->state));
        child->walker = sequence_->walker;
        child->tokens = sequence_->tokens;
        child->statistics = sequence_->statistics;
        child->prompt = sequence_->prompt;
        child->stream = mix64(sequence_->stream, sequence_->children++);
        child->options = sequence_->options;
        child->account.cached_tokens = static_cast<std::int64_t>(child->tokens.size());
        child->state->total.cached_tokens += child->account.cached_tokens;
        child->finish = sequence_->finish;
        child->stop_length = sequence_->stop_length;
        children.push_back(scripted_branch(std::move(child)));
    }
    // What the parent adds from here on is its own.
    sequence_->segments.push_back(std::make_shared<detail::scripted_segment>(sequence_->state));
    return children;
}

HENCE_INLINE void scripted_branch::prune() {
    sequence_->pruned = true;
    sequence_->segments.clear();
}

HENCE_INLINE result<void> scripted_branch::rollback(std::size_t n) {
    auto& s = *sequence_;
    if (s.pruned || n < 1 || n > s.tokens.size())
        return make_error(errc::invalid_argument, "branch::rollback", concat({"1 to ", s.tokens.size(), " tokens of a live branch"}),
                          decimal(n));
    const std::size_t dropped = s.tokens.size() - n;
    const std::size_t from = std::max(n, s.prompt);
    const auto discarded = static_cast<std::int64_t>(s.tokens.size() - std::min(from, s.tokens.size()));
    s.account.discarded_tokens += discarded;
    s.state->total.discarded_tokens += discarded;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < n; ++i) bytes += s.tokens[i] < scripted_engine::end_of_text ? 1u : 0u;
    s.tokens.resize(n);
    s.prompt = std::min(s.prompt, n);
    s.statistics.resize(n - s.prompt);
    s.walker.rollback(bytes);
    auto own = static_cast<std::int64_t>(dropped);  // shared positions stay with those that share them
    own = std::min(own, s.segments.back()->tokens);
    s.segments.back()->grow(-own);
    s.pending = std::min(s.pending, n);
    s.finish = finish_reason::none;
    s.stop_length = 0;
    return {};
}

HENCE_INLINE void scripted_branch::cancel() { sequence_->cancelled = true; }
HENCE_INLINE result<void> scripted_branch::set_sampling(const sampling& s) {
    sequence_->options = s;
    return {};
}
HENCE_INLINE const sampling& scripted_branch::sampling_options() const { return sequence_->options; }
HENCE_INLINE std::span<const token_id> scripted_branch::tokens() const { return sequence_->tokens; }
HENCE_INLINE std::span<const token_id> scripted_branch::generated() const {
    return std::span<const token_id>(sequence_->tokens).subspan(sequence_->prompt);
}
HENCE_INLINE std::span<const token_statistics> scripted_branch::statistics() const { return sequence_->statistics; }
HENCE_INLINE std::size_t scripted_branch::prompt_tokens() const { return sequence_->prompt; }
HENCE_INLINE std::string scripted_branch::text() const {
    std::string text;
    for (const token_id t : generated())
        if (t < scripted_engine::end_of_text) text += static_cast<char>(t);
    text.resize(text.size() - std::min(text.size(), sequence_->stop_length));
    return text;
}
HENCE_INLINE std::uint64_t scripted_branch::stream() const { return sequence_->stream; }
HENCE_INLINE void scripted_branch::cut_at(std::size_t n) { sequence_->cut = n; }
HENCE_INLINE finish_reason scripted_branch::finish() const { return sequence_->finish; }
HENCE_INLINE std::optional<double> scripted_branch::mean_log_probability() const {
    double sum = 0;
    int count = 0;
    for (const token_statistics& s : sequence_->statistics)
        if (!s.forced && !std::isnan(s.log_probability)) {
            sum += static_cast<double>(s.log_probability);
            ++count;
        }
    if (count == 0) return std::nullopt;
    return sum / count;
}
HENCE_INLINE const account& scripted_branch::account() const { return sequence_->account; }

// --- engine ----------------------------------------------------------------------------------------

HENCE_INLINE scripted_engine::scripted_engine(script s, scripted_options options)
    : state_(std::make_shared<detail::scripted_state>()) {
    state_->answers = std::move(s);
    state_->options = options;
}

HENCE_INLINE result<scripted_branch> scripted_engine::begin(std::span<const token_id> prompt, std::uint64_t stream,
                                                            const sampling& s) {
    if (prompt.empty()) return make_error(errc::invalid_argument, "begin", "a prompt of at least one token", "none");
    if (prompt.size() > state_->options.context_length)
        return make_error(errc::context_full, "begin", concat({"at most ", state_->options.context_length, " tokens"}),
                          decimal(prompt.size()));
    auto sequence = std::make_unique<detail::scripted_sequence>(state_);
    sequence->segments.push_back(std::make_shared<detail::scripted_segment>(state_));
    sequence->tokens.assign(prompt.begin(), prompt.end());
    sequence->prompt = sequence->pending = prompt.size();
    sequence->stream = stream;
    sequence->options = s;
    sequence->account.prompt_tokens = static_cast<std::int64_t>(prompt.size());
    state_->total.prompt_tokens += sequence->account.prompt_tokens;
    sequence->walker.push_forced(decode(prompt));
    sequence->grow(prompt.size());
    return scripted_branch(std::move(sequence));
}

HENCE_INLINE result<void> scripted_engine::run(std::span<scripted_branch* const> branches, const until& limits,
                                               void* target, event_call call) {
    const auto started = detail::scripted_clock::now();
    struct progress {
        std::size_t added = 0;
        std::size_t begin = 0;      // bytes of text when this extend() began
        std::size_t reported = 0;   // bytes told so far
        bool done = false;
    };
    std::vector<progress> states(branches.size());

    const auto told = [&](std::size_t i, event_kind kind, finish_reason reason, token_id token, token_statistics what,
                          std::string_view text) {
        branch_event<scripted_branch> event{*branches[i], i, kind, reason, token, what, text};
        call(target, event);
    };
    const auto finish = [&](std::size_t i, finish_reason reason) {
        detail::scripted_sequence& s = *branches[i]->sequence_;
        s.finish = reason;
        states[i].done = true;
        s.cancelled = false;
        s.rehash();
        const std::string text = branches[i]->text();
        const std::size_t from = std::min(states[i].reported, text.size());
        states[i].reported = text.size();
        told(i, event_kind::finished, reason, no_token, {}, std::string_view(text).substr(from));
    };

    for (std::size_t i = 0; i < branches.size(); ++i) {
        detail::scripted_sequence& s = *branches[i]->sequence_;
        if (s.pruned) return make_error(errc::invalid_argument, "extend", "live branches", concat({"a pruned one at index ", i}));
        if (s.finish != finish_reason::end_token && s.finish != finish_reason::context_full) {
            s.finish = finish_reason::none;
            s.stop_length = 0;
        }
        states[i].begin = states[i].reported = branches[i]->text().size();
    }
    for (std::size_t i = 0; i < branches.size(); ++i) {
        const finish_reason reason = branches[i]->sequence_->finish;
        if (reason != finish_reason::none) finish(i, reason);
    }

    for (;;) {
        std::vector<std::size_t> live;
        for (std::size_t i = 0; i < branches.size(); ++i) {
            if (states[i].done) continue;
            detail::scripted_sequence& s = *branches[i]->sequence_;
            if (s.pruned || s.cancelled || (limits.cancel != nullptr && limits.cancel->load())) finish(i, finish_reason::cancelled);
            else if (states[i].added >= limits.max_tokens) finish(i, finish_reason::length);
            else if (s.tokens.size() >= state_->options.context_length) finish(i, finish_reason::context_full);
            else if (s.tokens.size() >= s.cut) finish(i, finish_reason::budget);
            else live.push_back(i);
        }
        if (live.empty()) break;
        // Tokens are never overrun: where fewer are left than branches, the last branches end here.
        if (const auto left = state_->remaining().tokens)
            while (!live.empty() && static_cast<std::int64_t>(live.size()) > *left) {
                finish(live.back(), finish_reason::budget);
                live.pop_back();
            }
        if (live.empty()) break;
        if (state_->exhausted()) {
            for (const std::size_t i : live) finish(i, finish_reason::budget);
            break;
        }
        ++state_->total.forwards;
        for (const std::size_t i : live) {
            detail::scripted_sequence& s = *branches[i]->sequence_;
            ++s.account.forwards;
            if (s.pending > 0) s.read_pending();
            else s.add_rows(1);
        }
        for (const std::size_t i : live) {
            detail::scripted_sequence& s = *branches[i]->sequence_;
            if (states[i].done || s.pruned || s.cancelled) continue;
            const auto law = s.walker.law(*state_);
            const token_id token = detail::scripted_draw(law, s.options, s.stream, s.tokens.size());
            const token_statistics what = detail::scripted_statistics(law, token, limits);
            s.append(token, what);
            ++s.account.generated_tokens;
            ++state_->total.generated_tokens;
            ++states[i].added;
            const bool ended = token == end_of_text && limits.stop_at_end;
            if (token != end_of_text) s.walker.push_drawn(static_cast<char>(token));

            std::string text = branches[i]->text();
            const std::string* stopped = nullptr;
            for (const std::string& stop : limits.stop)
                if (!stop.empty() && std::string_view(text).substr(states[i].begin).ends_with(stop) &&
                    (stopped == nullptr || stop.size() > stopped->size()))
                    stopped = &stop;
            if (limits.every_token) {
                const std::size_t keep = stopped != nullptr ? stopped->size() : detail::scripted_held(text, limits.stop);
                const std::size_t certain = std::max(states[i].reported, text.size() - std::min(keep, text.size()));
                const std::string piece = text.substr(states[i].reported, certain - states[i].reported);
                states[i].reported = certain;
                told(i, event_kind::token, finish_reason::none, token, what, piece);
                if (s.pruned || s.cancelled) continue;
            }
            if (stopped != nullptr) {
                s.stop_length = stopped->size();
                finish(i, finish_reason::stop_string);
            } else if (ended) {
                finish(i, finish_reason::end_token);
            } else if (std::find(limits.stop_tokens.begin(), limits.stop_tokens.end(), token) != limits.stop_tokens.end()) {
                finish(i, finish_reason::stop_token);
            }
        }
    }
    state_->total.seconds += std::chrono::duration<double>(detail::scripted_clock::now() - started).count();
    return {};
}

HENCE_INLINE result<std::vector<std::vector<float>>> scripted_engine::score(std::span<scripted_branch* const> branches,
                                                                            std::span<const token_id> tokens) {
    const budget left = state_->remaining();
    const auto needed = static_cast<std::int64_t>(tokens.size() * branches.size());
    if ((left.tokens && *left.tokens < needed) || state_->exhausted())
        return make_error(errc::budget_exhausted, "score", concat({"room for ", needed, " tokens"}));
    ++state_->total.forwards;
    std::vector<std::vector<float>> lists;
    for (scripted_branch* const branch : branches) {
        detail::scripted_sequence& s = *branch->sequence_;
        s.read_pending();
        s.add_rows(tokens.size());
        ++s.account.forwards;
        s.account.scored_tokens += static_cast<std::int64_t>(tokens.size());
        state_->total.scored_tokens += static_cast<std::int64_t>(tokens.size());
        detail::script_walker probe = s.walker;
        std::vector<float> scores;
        for (const token_id token : tokens) {
            scores.push_back(detail::scripted_log(detail::scripted_probability(probe.law(*state_), token)));
            if (token < end_of_text) probe.push_drawn(static_cast<char>(token));
        }
        s.rehash();
        lists.push_back(std::move(scores));
    }
    return lists;
}

HENCE_INLINE result<std::vector<float>> scripted_engine::score(scripted_branch& branch, std::span<const token_id> tokens) {
    scripted_branch* const one[] = {&branch};
    HENCE_TRY_ASSIGN(lists, score(std::span<scripted_branch* const>(one), tokens));
    return std::move(lists[0]);
}

HENCE_INLINE result<std::vector<std::vector<float>>> scripted_engine::next_log_probabilities(
    std::span<scripted_branch* const> branches, std::span<const token_id> candidates) {
    const budget left = state_->remaining();
    const auto needed = static_cast<std::int64_t>(branches.size());
    if ((left.tokens && *left.tokens < needed) || state_->exhausted())
        return make_error(errc::budget_exhausted, "next_log_probabilities", concat({"room for ", needed, " tokens"}));
    ++state_->total.forwards;
    std::vector<std::vector<float>> lists;
    for (scripted_branch* const branch : branches) {
        detail::scripted_sequence& s = *branch->sequence_;
        if (s.pending > 0) s.read_pending();
        else s.add_rows(1);
        ++s.account.forwards;
        ++s.account.scored_tokens;
        ++state_->total.scored_tokens;
        detail::script_walker probe = s.walker;
        const auto law = probe.law(*state_);
        std::vector<float> scores;
        for (const token_id token : candidates) scores.push_back(detail::scripted_log(detail::scripted_probability(law, token)));
        s.rehash();
        lists.push_back(std::move(scores));
    }
    return lists;
}

HENCE_INLINE result<std::vector<float>> scripted_engine::next_log_probabilities(scripted_branch& branch,
                                                                                std::span<const token_id> candidates) {
    scripted_branch* const one[] = {&branch};
    HENCE_TRY_ASSIGN(lists, next_log_probabilities(std::span<scripted_branch* const>(one), candidates));
    return std::move(lists[0]);
}

HENCE_INLINE result<void> scripted_engine::force(scripted_branch& branch, std::span<const token_id> tokens) {
    detail::scripted_sequence& s = *branch.sequence_;
    if (s.pruned) return make_error(errc::invalid_argument, "force", "a live branch", "a pruned one");
    if (s.tokens.size() + tokens.size() > state_->options.context_length)
        return make_error(errc::context_full, "force", concat({"at most ", state_->options.context_length, " tokens"}),
                          decimal(s.tokens.size() + tokens.size()));
    const budget left = state_->remaining();
    if (left.tokens && *left.tokens < static_cast<std::int64_t>(tokens.size()))
        return make_error(errc::budget_exhausted, "force", concat({"room for ", tokens.size(), " tokens"}), decimal(*left.tokens));
    token_statistics forced;
    forced.forced = true;
    for (const token_id token : tokens) s.append(token, forced);
    s.pending += tokens.size();
    s.account.forced_tokens += static_cast<std::int64_t>(tokens.size());
    state_->total.forced_tokens += static_cast<std::int64_t>(tokens.size());
    s.walker.push_forced(decode(tokens));
    s.finish = finish_reason::none;
    s.stop_length = 0;
    return {};
}

HENCE_INLINE result<std::vector<token_id>> scripted_engine::encode(std::string_view text, encode_as) const {
    std::vector<token_id> tokens;
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
}

HENCE_INLINE std::string scripted_engine::decode(std::span<const token_id> tokens) const {
    std::string text;
    for (const token_id t : tokens)
        if (t < end_of_text) text += static_cast<char>(t);
    return text;
}

HENCE_INLINE std::span<const token_id> scripted_engine::end_tokens() const {
    static constexpr token_id ends[] = {end_of_text};
    return ends;
}
HENCE_INLINE std::size_t scripted_engine::context_length() const { return state_->options.context_length; }
HENCE_INLINE result<void> scripted_engine::set_budget(const budget& limit) {
    HENCE_TRY(limit.check());
    state_->limit = limit;
    state_->limit_from = state_->total;
    state_->limit_since = detail::scripted_clock::now();
    return {};
}
HENCE_INLINE budget scripted_engine::remaining_budget() const { return state_->remaining(); }
HENCE_INLINE const account& scripted_engine::account() const { return state_->total; }
HENCE_INLINE account scripted_engine::branch_accounts() const {
    hence::account sum = state_->gone;
    for (const detail::scripted_sequence* const sequence : state_->live) sum += sequence->account;
    return sum;
}
HENCE_INLINE std::uint64_t scripted_engine::replay_hash() const { return state_->hash; }

HENCE_NAMESPACE_END

#endif
