// reasoning_context: what a strategy holds while it runs: the engine, the question, the options, and the
// few things that every strategy does the same way (prompting, extending, collecting, tracing).
//
// It adds no policy. A strategy is straight-line code over branches that calls it.
#ifndef HENCE_REASON_CONTEXT_HPP
#define HENCE_REASON_CONTEXT_HPP

#include "../core/result.hpp"
#include "../core/rng.hpp"
#include "../generate/reasoning_engine.hpp"
#include "../text/chat_message.hpp"
#include "../text/thinking.hpp"
#include "answer.hpp"
#include "canonical.hpp"
#include "options.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// What a prompt consists of besides the question.
struct prompt_parts {
    std::string_view instruction = {};  ///< put after the question
    std::vector<std::pair<std::string_view, std::string_view>> examples = {};  ///< questions and worked answers
};

namespace detail {

/// Builds the prompt text for formats without a template.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string plain_prompt(std::string_view question, const prompt_parts& parts, bool end_line);

/// Replaces each {name} in a template by its value; other braces stay.
[[nodiscard]] std::string fill(std::string_view text,
                               std::span<const std::pair<std::string_view, std::string_view>> values);

/// Moves what stands between thinking tags from text to thinking; `opened`: the prompt ended inside thinking.
void split_thinking(std::string& text, std::string& thinking, const thinking_tags& tags, bool opened);

/// Tokens per sample that is done, times the samples that were spared, less what they had cost already.
[[nodiscard]] std::int64_t saved_tokens(const std::vector<candidate>& candidates, std::int64_t never_begun);

}  // namespace detail

template <reasoning_engine Engine>
class reasoning_context {
public:
    using engine_type = Engine;
    using branch = typename Engine::branch_type;
    using event = branch_event<branch>;

    reasoning_context(Engine& engine, std::string_view question, const reason_options& options)
        : engine_(engine), question_(question), options_(options), start_(std::chrono::steady_clock::now()) {
        if (options.trace) trace_.push_back({.kind = "question", .text = std::string(question), .why = {}});
    }

    [[nodiscard]] Engine& engine() noexcept { return engine_; }
    [[nodiscard]] std::string_view question() const noexcept { return question_; }
    [[nodiscard]] const reason_options& options() const noexcept { return options_; }

    /// True once a branch or a probe ended for lack of budget.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool cut() const noexcept { return cut_; }
    /// True when not one more token may be spent, or the caller has cancelled.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool exhausted() {
        if (options_.cancel != nullptr && options_.cancel->load()) cancelled_ = true;
        if (!cut_ && !cancelled_ && (replayed_end() || engine_.remaining_budget().exhausted())) {
            cut_ = true;
            note_end();
        }
        return cut_ || cancelled_;
    }
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }
    void mark_cut() noexcept { cut_ = true; }

    // --- prompts -----------------------------------------------------------------------------------

    /// The prompt for a question in the format that the options ask for.
    /// @shape none
    /// @errors unsupported: chat without a chat template; those of the template and of encode()
    /// @source none
    [[nodiscard]] result<std::vector<token_id>> prompt(std::string_view question, const prompt_parts& parts = {}) {
        if constexpr (requires { engine_.tokenizer().chat_template(); }) {
            const bool has_template = !engine_.tokenizer().chat_template().empty();
            if (options_.format == prompt_format::chat || (options_.format == prompt_format::automatic && has_template)) {
                std::vector<chat_message> messages;
                if (!options_.system.empty()) messages.push_back({"system", options_.system});
                for (const auto& [asked, answered] : parts.examples) {
                    messages.push_back({"user", std::string(asked)});
                    messages.push_back({"assistant", std::string(answered)});
                }
                std::string user(question);
                if (!parts.instruction.empty()) user.append("\n").append(parts.instruction);
                messages.push_back({"user", std::move(user)});
                HENCE_TRY_ASSIGN(text, render_chat(engine_.tokenizer(), messages, true));
                tags_ = thinking_tags_of(engine_.tokenizer().chat_template());
                opened_ = prompt_opens_thinking(text, tags_);
                // The template may write the begin token itself: it must be there once, not twice.
                HENCE_TRY_ASSIGN(tokens, engine_.tokenizer().encode(text, {.special = true, .add_begin_end = false}));
                const token_id begin = engine_.tokenizer().begin();
                if (engine_.tokenizer().vocabulary().add_begin && begin != no_token && (tokens.empty() || tokens[0] != begin))
                    tokens.insert(tokens.begin(), begin);
                return tokens;
            }
        } else if (options_.format == prompt_format::chat) {
            return make_error(errc::unsupported, "reason_options.format", "an engine with a chat template for 'chat'");
        }
        return engine_.encode(detail::plain_prompt(question, parts, options_.format != prompt_format::raw),
                              encode_as::prompt);
    }

    /// Whether prompt() will use a chat template.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool chats() const {
        if constexpr (requires { engine_.tokenizer().chat_template(); })
            return options_.format == prompt_format::chat ||
                   (options_.format == prompt_format::automatic && !engine_.tokenizer().chat_template().empty());
        else
            return false;
    }

    /// The options' sampling with the run's seed, and another temperature if one is given.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] hence::sampling sampling(std::optional<float> temperature = {}) const {
        hence::sampling s = options_.sampling;
        s.seed = options_.seed;
        if (temperature) s.temperature = *temperature;
        return s;
    }

    /// The options' limits of one completion.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] until limits() const {
        until u;
        u.max_tokens = options_.max_tokens;
        u.stop = options_.stop;
        u.cancel = options_.cancel;
        return u;
    }

    /// A new root; each root of a run draws from a stream of its own.
    /// @shape none
    /// @errors those of the calls it makes, unchanged
    /// @source none
    [[nodiscard]] result<branch> begin(std::span<const token_id> tokens, const hence::sampling& s) {
        const std::uint64_t number = next_stream_++;
        return engine_.begin(tokens, stream_base_ == 0 ? number : mix64(stream_base_, number), s);
    }
    [[nodiscard]] result<branch> begin(std::string_view question, const prompt_parts& parts, const hence::sampling& s) {
        HENCE_TRY_ASSIGN(tokens, prompt(question, parts));
        return begin(std::span<const token_id>(tokens), s);
    }

    /// Appends text that the model has not written. False, and the branch as it was, when the budget or the
    /// context has no room for it.
    /// @shape none
    /// @errors those of encode() and force(), other than the lack of room
    /// @source none
    [[nodiscard]] result<bool> force(branch& b, std::string_view text) {
        if (text.empty()) return true;
        HENCE_TRY_ASSIGN(tokens, engine_.encode(text, encode_as::continuation));
        auto done = engine_.force(b, std::span<const token_id>(tokens));
        if (done) return true;
        if (done.error().code == errc::budget_exhausted) cut_ = true;
        else if (done.error().code != errc::context_full) return std::move(done).error();
        return false;
    }

    /// Takes back the token that ended a branch, so that something can be appended in its place.
    /// @shape none
    /// @errors those of the calls it makes, unchanged
    /// @source none
    [[nodiscard]] result<void> reopen(branch& b) {
        if (b.finish() == finish_reason::end_token) return b.rollback(b.tokens().size() - 1);
        return {};
    }

    // --- running -----------------------------------------------------------------------------------

    /// engine.extend() that also streams text and remembers whether the budget ended something.
    /// `on_event` hears finished events (and tokens, when the limits ask for them).
    /// @shape none
    /// @errors those of the calls it makes, unchanged
    /// @source none
    template <class OnEvent>
    [[nodiscard]] result<void> extend(std::span<branch* const> branches, const until& limits, OnEvent&& on_event) {
        if (branches.empty()) return {};
        until asked = limits;
        if (options_.on_text) asked.every_token = true;
        place_cuts(branches);
        const std::size_t before = cuts_.size();
        HENCE_TRY(engine_.extend(branches, asked, [&](event& e) {
            if (options_.on_text && (!e.text.empty() || e.kind == event_kind::finished))
                options_.on_text({e.index, e.text, e.reason});
            if (e.kind == event_kind::finished) {
                note_cut(e.which);
                if (e.reason == finish_reason::cancelled && options_.cancel != nullptr && options_.cancel->load())
                    cancelled_ = true;
                on_event(e);
            } else if (limits.every_token) {
                on_event(e);
            }
        }));
        return end_replayed_budget(before);
    }
    [[nodiscard]] result<void> extend(std::span<branch* const> branches, const until& limits) {
        return extend(branches, limits, [](event&) {});
    }
    [[nodiscard]] result<void> extend(branch& b, const until& limits) {
        branch* const one[] = {&b};
        return extend(std::span<branch* const>(one), limits);
    }

    /// The same for branches that are no samples, such as a judge's: nobody hears their text.
    /// @shape none
    /// @errors those of the calls it makes, unchanged
    /// @source none
    [[nodiscard]] result<void> extend_aside(std::span<branch* const> branches, const until& limits) {
        if (branches.empty()) return {};
        place_cuts(branches);
        const std::size_t before = cuts_.size();
        HENCE_TRY(engine_.extend(branches, limits));
        for (branch* const b : branches) note_cut(*b);
        return end_replayed_budget(before);
    }

    /// The engine's, remembering where a budget did not allow it.
    /// @shape none
    /// @errors those of the engine
    /// @source none
    [[nodiscard]] result<std::vector<std::vector<float>>> next_log_probabilities(std::span<branch* const> branches,
                                                                                 std::span<const token_id> candidates) {
        if (replayed_end()) note_end();
        auto out = engine_.next_log_probabilities(branches, candidates);
        if (!out && out.error().code == errc::budget_exhausted) note_end();
        return out;
    }

    /// Pointers to branches, as extend() wants them.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] static std::vector<branch*> pointers(std::vector<branch>& branches) {
        std::vector<branch*> list;
        for (branch& b : branches) list.push_back(&b);
        return list;
    }

    // --- collecting --------------------------------------------------------------------------------

    /// A finished branch as a candidate: its text, and the answer that the extractor finds in it.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] candidate collect(std::size_t sample, const branch& b, std::string_view prefix = {}) const {
        candidate c = collect(sample, std::string(prefix) + b.text());
        c.tokens = static_cast<std::int64_t>(b.generated().size());
        c.finish = b.finish();
        return c;
    }
    [[nodiscard]] candidate collect(std::size_t sample, std::string text) const {
        candidate c;
        c.sample = sample;
        c.text = std::move(text);
        std::string visible = c.text;
        std::string hidden;
        detail::split_thinking(visible, hidden, tags_, opened_);
        if (auto found = options_.extractor(visible)) {
            c.canonical = canonicalize(*found).text;
            c.value = std::move(*found);
        }
        return c;
    }

    /// Makes a candidate the answer's text and value, and its path through the trace the chosen one.
    /// @shape none
    /// @errors none
    /// @source none
    void choose(answer& a, const candidate& c) {
        unmark_below(0, trace_.size());
        if (c.node > 0) mark_chosen(c.node);
        a.text = c.text;
        detail::split_thinking(a.text, a.thinking, tags_, opened_);
        a.value = c.value;
        a.canonical = c.canonical;
    }

    // --- strategies inside strategies --------------------------------------------------------------

    /// A context for a strategy that this one runs: the same question and options, other random streams, and
    /// a cut of its own. End it with absorb().
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] reasoning_context child() {
        reasoning_context inner(engine_, question_, options_);
        inner.stream_base_ = mix64(stream_base_, ++children_);
        inner.start_ = start_;
        return inner;
    }
    /// Takes over a child's trace, below a node of this one; returns the node that stands for the child.
    /// @shape none
    /// @errors none
    /// @source none
    std::size_t absorb(reasoning_context& inner, std::size_t parent, std::string_view kind, std::string_view why) {
        cancelled_ = cancelled_ || inner.cancelled_;
        cuts_.insert(cuts_.end(), inner.cuts_.begin(), inner.cuts_.end());
        if (!options_.trace) return 0;
        const std::size_t offset = trace_.size();
        for (trace_node& node : inner.trace_) {
            node.parent = node.parent == trace_node::none ? parent : node.parent + offset;
            trace_.push_back(std::move(node));
        }
        trace_[offset].kind = std::string(kind);
        trace_[offset].text.clear();
        trace_[offset].why = std::string(why);
        return offset;
    }
    /// Marks nodes [first, last) as not chosen: their answer was not taken.
    /// @shape none
    /// @errors none
    /// @source none
    void unmark_below(std::size_t first, std::size_t last) noexcept {
        for (std::size_t i = first; i < last && i < trace_.size(); ++i) trace_[i].chosen = false;
    }
    [[nodiscard]] std::size_t nodes() const noexcept { return trace_.size(); }

    // --- trace -------------------------------------------------------------------------------------

    /// Adds a node and returns its number (0 when nothing is recorded).
    /// @shape none
    /// @errors none
    /// @source none
    std::size_t note(std::size_t parent, std::string_view kind, std::string_view text, std::int64_t tokens = 0,
                     std::string_view why = {}, std::optional<double> score = {}, std::uint64_t stream = 0) {
        if (!options_.trace) return 0;
        trace_.push_back({parent, std::string(kind), std::string(text), score, tokens, elapsed(), std::string(why), stream});
        return trace_.size() - 1;
    }
    std::size_t note(std::size_t parent, std::string_view kind, candidate& c, std::uint64_t stream = 0) {
        return c.node = note(parent, kind, c.text, c.tokens, name(c.finish), c.score, stream);
    }
    /// The node to change, or null when nothing is recorded.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] trace_node* traced(std::size_t number) noexcept {
        return options_.trace && number < trace_.size() ? &trace_[number] : nullptr;
    }
    /// Marks the way from a node up to the question as chosen.
    /// @shape none
    /// @errors none
    /// @source none
    void mark_chosen(std::size_t number) noexcept {
        while (options_.trace && number < trace_.size()) {
            trace_[number].chosen = true;
            number = trace_[number].parent;
        }
    }
    [[nodiscard]] std::vector<trace_node> take_trace() noexcept { return std::move(trace_); }
    [[nodiscard]] std::vector<cut_position> take_cuts() noexcept { return std::move(cuts_); }

    [[nodiscard]] double elapsed() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    // A replay ends branches where the recorded run's budget ended them; from then on nothing more may be spent.
    void place_cuts(std::span<branch* const> branches) {
        for (const cut_position& cut : options_.cuts)
            for (branch* const b : branches)
                if (b->stream() == cut.stream) b->cut_at(cut.tokens);
    }
    void note_cut(const branch& b) {
        if (b.finish() != finish_reason::budget) return;
        cut_ = true;
        cuts_.push_back({b.stream(), b.tokens().size()});
    }
    [[nodiscard]] result<void> end_replayed_budget(std::size_t cuts_before) {
        if (options_.cuts.empty() || cuts_.size() == cuts_before) return {};
        return stop_clock();
    }
    // As after a deadline: nothing more is computed, but what costs no time is still done (text is forced as far as the
    // tokens last), or a probe's branch would be another than the recorded one.
    [[nodiscard]] result<void> stop_clock() {
        budget left = engine_.remaining_budget();
        left.deadline = std::chrono::nanoseconds(0);
        return engine_.set_budget(left);
    }
    // A budget may also end between branches. The calls at which a strategy can learn of it are counted, and the one at
    // which it did is kept as the position of a stream that no branch has.
    [[nodiscard]] std::uint64_t end_stream() const noexcept { return mix64(stream_base_, 0x656e6465642e2e2eull); }
    [[nodiscard]] bool replayed_end() {
        ++checks_;
        for (const cut_position& cut : options_.cuts)
            if (cut.stream == end_stream() && checks_ >= cut.tokens) return true;
        return false;
    }
    void note_end() {
        if (end_noted_) return;
        end_noted_ = true;
        cuts_.push_back({end_stream(), checks_});
        if (!options_.cuts.empty()) (void)stop_clock();  // cannot fail: no limit is negative
    }

    Engine& engine_;
    std::string_view question_;
    const reason_options& options_;
    std::chrono::steady_clock::time_point start_;
    std::uint64_t next_stream_ = 0;
    std::uint64_t stream_base_ = 0;
    std::uint64_t children_ = 0;
    thinking_tags tags_ = {};
    bool opened_ = false;  // prompts end inside thinking
    bool cut_ = false;
    bool cancelled_ = false;
    std::vector<trace_node> trace_;
    std::vector<cut_position> cuts_;
    std::size_t checks_ = 0;
    bool end_noted_ = false;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/context.inl.hpp"
#endif

#endif
