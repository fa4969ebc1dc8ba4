// verifier: judges a text, by value. What best_of_n, beams and tree searches hold as their scorer.
//
// Measures of the model's own confidence read what extend() recorded; probes ask the same model on the
// branch's own cache and cost their suffix only; prompts ask it afresh about a part of the text; checks are
// any code at all: exact checkers, a second engine, a user's callback. The names say which kind is at work,
// and reports should too.
#ifndef HENCE_REASON_VERIFIER_HPP
#define HENCE_REASON_VERIFIER_HPP

#include "../core/text.hpp"
#include "concepts.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace verify {

/// Mean log-probability of the drawn tokens.
struct log_probability {};

/// Mean self-certainty of the drawn tokens: KL of the uniform law from the model's, in nats.
/// Source: Kang et al., 2502.18581, equation 4.
struct self_certainty {};

/// DeepConf's confidence: minus the mean log-probability of the top_k tokens, as a mean, over the last window,
/// or of the lowest group. Source: Fu et al., 2508.15260.
struct group_confidence {
    enum class measure : std::uint8_t { mean, tail, bottom_tenth, lowest } how = measure::lowest;
    std::size_t window = 2048;
    int top_k = 20;
};

/// Appends a question to the branch and reads P(yes) / (P(yes) + P(no)); then takes it back. 0 where the context has no room for it.
/// Source: Kadavath et al., 2207.05221 (P(True)).
struct probe {
    std::string suffix = "\nIs this answer right? ";
    std::string yes = "Yes";
    std::string no = "No";
};

/// A prompt of its own to the same model, about the state that an extractor finds in the text: in `prompt`,
/// {state}, {question} (its part after the first ':', trimmed) and {text} are filled in. The score is P(yes) / (P(yes) + P(no)).
/// A text without a state scores `stateless`.
struct prompt {
    std::string text = "value: {state}\n";
    any_extractor state = extract::last_line{};
    std::string yes = "sure";
    std::string no = "never";
    double stateless = 0;
};

/// A prompt as above, answered in words: each of `samples` completions counts for the word that its last line
/// says, and the score is their sum. The tree-of-thoughts paper values states so.
/// Source: Yao et al., 2305.10601, appendix on the Game of 24 (its words and their values).
struct judge {
    std::string text = "{question}\n{text}\nCan this still succeed? (sure/likely/impossible)\n";
    any_extractor state = extract::whole_text{};
    std::size_t samples = 3;
    float temperature = 0.7f;
    std::size_t max_tokens = 64;
    std::vector<std::pair<std::string, double>> words = {{"sure", 20.0}, {"likely", 1.0}, {"impossible", 0.001}};
    double stateless = 0;
};

/// Constrained extraction: a fork is made to state its answer after `prefix`, and the score is how probable the
/// model finds what it states (the product over the answer's tokens, at temperature 1).
struct forced_answer {
    std::string prefix = "\nThe answer is ";
    std::string stop = "\n";
    std::size_t max_tokens = 32;
};

/// Any function of the question and the text; its name is for reports. It may fail, and where exceptions are
/// on it may throw: both become errors. NaN is an error too.
struct check {
    std::string label = "check";
    callable<result<double>(std::string_view question, std::string_view text)> function = {};
};

/// 1 when the text's answer is the exact value of the expression in the question ("calc: 17*3-9"), else 0.
/// @shape none
/// @errors when scoring: bad_format, if the question holds no expression
/// @source none
[[nodiscard]] check arithmetic(any_extractor find = {});

/// 1 when the text solves the Game of 24 on the numbers of the question ("24: 4 6 8 8"), else 0: steps, an
/// expression, or an expression after "Answer:".
/// @shape none
/// @errors when scoring: bad_format, if the question holds no numbers
/// @source none
[[nodiscard]] check game24();

/// The rest of a question after its task name: "calc: 17*3-9\n" -> "17*3-9".
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string_view task_argument(std::string_view question);

/// Why a text is no solution of the puzzle in the question, or nothing when it is one.
/// @shape none
/// @errors as check_24() and check_24_steps()
/// @source none
[[nodiscard]] result<void> solves_24(std::string_view question, std::string_view text);

/// The question whether 24 can be reached, asked of the model that ships ("value: 2 4 8"): the numbers in the
/// last brackets of the last line, or the number after its '=' (an "ok" may follow it; a "no" ends the hope).
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] prompt value_24();

/// The question whether a calculation is right, asked of the model that ships ("check: 17*3-9=42").
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] prompt check_calculation(any_extractor find = {});

}  // namespace verify

/// Any of the above, by value. Satisfies scorer_for every engine.
class verifier {
public:
    using kind = std::variant<verify::log_probability, verify::self_certainty, verify::group_confidence, verify::probe,
                              verify::prompt, verify::judge, verify::forced_answer, verify::check>;

    verifier() = default;
    template <class V>
        requires(!std::same_as<std::remove_cvref_t<V>, verifier> && std::constructible_from<kind, V&&>)
    verifier(V&& v) : kind_(std::forward<V>(v)) {}

    [[nodiscard]] const kind& which() const noexcept { return kind_; }
    /// The name that reports use: "log_probability", "probe", a check's label.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::string label() const;

    /// Whether scoring runs the model, so that it cannot happen while branches are being extended.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool asks_model() const noexcept {
        return std::holds_alternative<verify::probe>(kind_) || std::holds_alternative<verify::prompt>(kind_) ||
               std::holds_alternative<verify::judge>(kind_) || std::holds_alternative<verify::forced_answer>(kind_);
    }

    void prepare(until& limits) const;

    /// @shape one score for each item
    /// @errors not_a_number naming the verifier; budget_exhausted; whatever a check returns
    /// @source as the kinds
    template <reasoning_engine Engine>
    [[nodiscard]] result<std::vector<double>> score(reasoning_context<Engine>& context,
                                                    std::span<const scored_branch<Engine>> items) const;

private:
    [[nodiscard]] result<double> recorded(std::span<const token_statistics> statistics) const;
    [[nodiscard]] result<double> checked(const verify::check& c, std::string_view question,
                                         std::string_view text) const;
    template <reasoning_engine Engine>
    result<std::vector<double>> probed(reasoning_context<Engine>& context, const verify::probe& p,
                                       std::span<const scored_branch<Engine>> items) const;
    template <reasoning_engine Engine>
    result<std::vector<double>> prompted(reasoning_context<Engine>& context, const verify::prompt& p,
                                         std::span<const scored_branch<Engine>> items) const;

    template <reasoning_engine Engine>
    result<std::vector<double>> judged(reasoning_context<Engine>& context, const verify::judge& j,
                                       std::span<const scored_branch<Engine>> items) const;

    template <reasoning_engine Engine>
    result<std::vector<double>> stated(reasoning_context<Engine>& context, const verify::forced_answer& f,
                                       std::span<const scored_branch<Engine>> items) const;

    kind kind_ = verify::log_probability{};
};

/// An answer that a branch was made to state, and its probability.
struct stated_answer {
    std::string text;
    double probability = 0;
};

/// What each branch states after `prefix`, on forks that are dropped again: the branches stay as they were. A branch
/// whose context is full states nothing, with probability 0.
/// @shape one answer for each branch
/// @errors budget_exhausted: it does not allow all of it; those of the engine
/// @source none
template <reasoning_engine Engine>
[[nodiscard]] result<std::vector<stated_answer>> state_answers(reasoning_context<Engine>& context,
                                                               std::span<typename Engine::branch_type* const> branches,
                                                               const verify::forced_answer& how = {});

/// A verifier from its name: "log_probability", "self_certainty", "group_confidence", "p_true", "forced_answer",
/// "value_24", "check_calculation", "arithmetic", "game24".
/// @shape none
/// @errors invalid_argument with the list of names
/// @source none
[[nodiscard]] result<verifier> parse_verifier(std::string_view name);

namespace detail {

/// P(yes) / (P(yes) + P(no)) from log-probabilities; 1/2 when both are nil.
[[nodiscard]] double yes_share(double log_yes, double log_no);

/// Fills a prompt for each item and finds equal ones: distinct[place[i]] is item i's, npos where it has no state.
struct state_prompts {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::string> distinct;
    std::vector<std::size_t> place;

    void add(std::string_view text, const any_extractor& state, std::string_view question, std::string_view item);
};

/// The value of the word that a judgement's last line says, or 0.
[[nodiscard]] double word_value(std::string_view judgement, std::span<const std::pair<std::string, double>> words);

/// The first token of each of two words, as they continue a text; an error when they are the same.
template <reasoning_engine Engine>
result<std::vector<token_id>> first_tokens(const Engine& engine, std::string_view yes, std::string_view no) {
    std::vector<token_id> ids;
    for (const std::string_view word : {yes, no}) {
        HENCE_TRY_ASSIGN(tokens, engine.encode(word, encode_as::continuation));
        if (tokens.empty())
            return make_error(errc::invalid_argument, "verifier", "a word that begins with a token",
                              concat({"'", word, "'"}));
        ids.push_back(tokens[0]);
    }
    if (ids[0] == ids[1])
        return make_error(errc::invalid_argument, "verifier", "two words that differ in their first token",
                          concat({"'", yes, "' and '", no, "'"}));
    return ids;
}

}  // namespace detail

template <reasoning_engine Engine>
result<std::vector<double>> verifier::probed(reasoning_context<Engine>& context, const verify::probe& p,
                                             std::span<const scored_branch<Engine>> items) const {
    using branch_type = typename Engine::branch_type;
    HENCE_TRY_ASSIGN(candidates, detail::first_tokens(context.engine(), p.yes, p.no));
    std::vector<branch_type> asked;
    std::vector<std::size_t> owner;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (items[i].where == nullptr)
            return make_error(errc::invalid_argument, "verify::probe", "branches that are still there to be asked",
                              "text alone");
        HENCE_TRY_ASSIGN(children, items[i].where->fork(1));
        HENCE_TRY(context.reopen(children[0]));
        HENCE_TRY_ASSIGN(room, context.force(children[0], p.suffix));
        if (!room && context.cut()) return make_error(errc::budget_exhausted, label(), "room for the question");
        if (!room) continue;  // its context is full: it cannot be asked
        asked.push_back(std::move(children[0]));
        owner.push_back(i);
    }
    std::vector<double> scores(items.size(), 0.0);
    if (asked.empty()) return scores;
    auto pointers = context.pointers(asked);
    HENCE_TRY_ASSIGN(logs, context.next_log_probabilities(std::span<branch_type* const>(pointers), candidates));
    for (std::size_t i = 0; i < logs.size(); ++i)
        scores[owner[i]] = detail::yes_share(static_cast<double>(logs[i][0]), static_cast<double>(logs[i][1]));
    return scores;
}

template <reasoning_engine Engine>
result<std::vector<double>> verifier::prompted(reasoning_context<Engine>& context, const verify::prompt& p,
                                               std::span<const scored_branch<Engine>> items) const {
    using branch_type = typename Engine::branch_type;
    HENCE_TRY_ASSIGN(candidates, detail::first_tokens(context.engine(), p.yes, p.no));
    detail::state_prompts prompts;  // equal prompts are asked once
    for (const auto& item : items) prompts.add(p.text, p.state, context.question(), item.text);
    std::vector<branch_type> asked;
    for (const std::string& text : prompts.distinct) {
        HENCE_TRY_ASSIGN(tokens, context.engine().encode(text, encode_as::prompt));
        HENCE_TRY_ASSIGN(one, context.begin(std::span<const token_id>(tokens), context.sampling()));
        asked.push_back(std::move(one));
    }
    std::vector<double> told;
    if (!asked.empty()) {
        auto pointers = context.pointers(asked);
        HENCE_TRY_ASSIGN(logs, context.next_log_probabilities(std::span<branch_type* const>(pointers), candidates));
        for (const auto& log : logs)
            told.push_back(detail::yes_share(static_cast<double>(log[0]), static_cast<double>(log[1])));
    }
    std::vector<double> scores;
    for (const std::size_t at : prompts.place) scores.push_back(at < told.size() ? told[at] : p.stateless);
    return scores;
}

template <reasoning_engine Engine>
result<std::vector<double>> verifier::judged(reasoning_context<Engine>& context, const verify::judge& j,
                                             std::span<const scored_branch<Engine>> items) const {
    using branch_type = typename Engine::branch_type;
    if (j.samples == 0) return make_error(errc::invalid_argument, "verify::judge.samples", "1 or more", "0");
    detail::state_prompts prompts;
    for (const auto& item : items) prompts.add(j.text, j.state, context.question(), item.text);
    std::vector<branch_type> asked;
    for (const std::string& text : prompts.distinct) {
        HENCE_TRY_ASSIGN(tokens, context.engine().encode(text, encode_as::prompt));
        HENCE_TRY_ASSIGN(root, context.begin(std::span<const token_id>(tokens), context.sampling(j.temperature)));
        HENCE_TRY_ASSIGN(judges, root.fork(j.samples));
        for (branch_type& one : judges) asked.push_back(std::move(one));
    }
    until limits;
    limits.max_tokens = j.max_tokens;
    limits.cancel = context.options().cancel;
    const auto pointers = context.pointers(asked);
    HENCE_TRY(context.extend_aside(std::span<branch_type* const>(pointers), limits));
    std::vector<double> told(prompts.distinct.size(), 0);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (asked[i].finish() == finish_reason::budget)
            return make_error(errc::budget_exhausted, label(), "room for every judgement");
        told[i / j.samples] += detail::word_value(asked[i].text(), j.words);
    }
    std::vector<double> scores;
    for (const std::size_t at : prompts.place) scores.push_back(at < told.size() ? told[at] : j.stateless);
    return scores;
}

template <reasoning_engine Engine>
result<std::vector<stated_answer>> state_answers(reasoning_context<Engine>& context,
                                                 std::span<typename Engine::branch_type* const> branches,
                                                 const verify::forced_answer& how) {
    using branch_type = typename Engine::branch_type;
    std::vector<branch_type> forks;
    std::vector<std::size_t> drawn_from;
    std::vector<std::size_t> owner;
    for (std::size_t i = 0; i < branches.size(); ++i) {
        HENCE_TRY_ASSIGN(child, branches[i]->fork(1));
        HENCE_TRY(child[0].set_sampling(context.sampling(0.0f)));
        HENCE_TRY(context.reopen(child[0]));
        HENCE_TRY_ASSIGN(room, context.force(child[0], how.prefix));
        if (!room && context.cut())
            return make_error(errc::budget_exhausted, "state_answers", "room for the answer prefix");
        if (!room) continue;
        drawn_from.push_back(child[0].generated().size());
        forks.push_back(std::move(child[0]));
        owner.push_back(i);
    }
    std::vector<stated_answer> out(branches.size());
    if (forks.empty()) return out;
    until limits;
    limits.max_tokens = how.max_tokens;
    limits.log_probabilities = true;
    limits.cancel = context.options().cancel;
    if (!how.stop.empty()) limits.stop.push_back(how.stop);
    const auto pointers = context.pointers(forks);
    HENCE_TRY(context.extend_aside(std::span<branch_type* const>(pointers), limits));
    for (std::size_t i = 0; i < forks.size(); ++i) {
        if (forks[i].finish() == finish_reason::budget)
            return make_error(errc::budget_exhausted, "state_answers", "room for every answer");
        const auto drawn = forks[i].statistics().subspan(drawn_from[i]);
        if (drawn.empty()) continue;  // the prefix took the last room in the context
        double sum = 0;
        for (const token_statistics& s : drawn) sum += static_cast<double>(s.log_probability);
        const std::string whole = forks[i].text();
        const std::string before = context.engine().decode(forks[i].generated().first(drawn_from[i]));
        out[owner[i]] = {whole.substr(std::min(before.size(), whole.size())), std::exp(sum)};
    }
    return out;
}

template <reasoning_engine Engine>
result<std::vector<double>> verifier::stated(reasoning_context<Engine>& context, const verify::forced_answer& f,
                                             std::span<const scored_branch<Engine>> items) const {
    std::vector<typename Engine::branch_type*> branches;
    for (const auto& item : items) {
        if (item.where == nullptr)
            return make_error(errc::invalid_argument, "verify::forced_answer",
                              "branches that are still there to be asked", "text alone");
        branches.push_back(item.where);
    }
    HENCE_TRY_ASSIGN(answers, state_answers(context, std::span<typename Engine::branch_type* const>(branches), f));
    std::vector<double> scores;
    for (const stated_answer& one : answers) scores.push_back(one.probability);
    return scores;
}

template <reasoning_engine Engine>
result<std::vector<double>> verifier::score(reasoning_context<Engine>& context,
                                            std::span<const scored_branch<Engine>> items) const {
    if (const auto* p = std::get_if<verify::probe>(&kind_)) return probed(context, *p, items);
    if (const auto* p = std::get_if<verify::prompt>(&kind_)) return prompted(context, *p, items);
    if (const auto* j = std::get_if<verify::judge>(&kind_)) return judged(context, *j, items);
    if (const auto* f = std::get_if<verify::forced_answer>(&kind_)) return stated(context, *f, items);
    std::vector<double> scores;
    for (const auto& item : items) {
        if (const auto* c = std::get_if<verify::check>(&kind_)) {
            HENCE_TRY_ASSIGN(one, checked(*c, context.question(), item.text));
            scores.push_back(one);
            continue;
        }
        if (item.where == nullptr)
            return make_error(errc::invalid_argument, label(), "branches that are still there to be read",
                              "text alone");
        HENCE_TRY_ASSIGN(one, recorded(item.where->statistics()));
        scores.push_back(one);
    }
    return scores;
}

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/verifier.inl.hpp"
#endif

#endif
