// self_refine: an answer, the model's own criticism of it, and another answer, round after round.
//
// Returns the best-scored answer, not the last one. Stops when the feedback says that nothing is wrong, when
// the scorer is satisfied, when an answer repeats, or at the budget.
#ifndef HENCE_REASON_SELF_REFINE_HPP
#define HENCE_REASON_SELF_REFINE_HPP

#include "aggregator.hpp"
#include "chain_of_thought.hpp"
#include "verifier.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

struct self_refine {
    static constexpr std::string_view strategy_name = "self_refine";

    std::size_t rounds = 3;           ///< refinements after the first answer, at most
    /// {question}, {answer} and {feedback} are filled in; an empty feedback prompt skips the criticism.
    std::string feedback = "{question}\n\nProposed answer:\n{answer}\n\nIs anything wrong with this answer? "
                           "If nothing is, say 'correct'. Otherwise say what is wrong.";
    std::string refine = "{question}\n\nProposed answer:\n{answer}\n\nFeedback:\n{feedback}\n\nGive a better answer.";
    std::string done = "correct";     ///< feedback that begins with this (case ignored) ends the rounds
    float temperature = 0;            ///< of first answers and refinements
    verifier scorer = verify::log_probability{};
    std::optional<double> enough = {};  ///< a score that ends the rounds
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("rounds", s.rounds);
        visit("feedback", s.feedback);
        visit("refine", s.refine);
        visit("done", s.done);
        visit("temperature", s.temperature);
        visit("scorer", s.scorer);
        visit("enough", s.enough);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors those of the engine and the scorer
    /// @source Madaan et al., 2303.17651, algorithm 1; the best-scored answer instead of the last
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        answer out;
        until limits = context.limits();
        scorer.prepare(limits);
        std::string criticism;
        std::size_t node = 0;
        for (std::size_t round = 0; round <= rounds; ++round) {
            if (round > 0 && context.exhausted()) break;
            auto branch = round == 0 ? thought.begin(context, context.sampling(temperature)) : asked(context, refine, out, criticism, temperature);
            if (!branch && round > 0 && branch.error().code == errc::context_full) {
                out.why = "the next prompt does not fit the context";
                break;
            }
            if (!branch) return std::move(branch).error();
            HENCE_TRY(context.extend(*branch, limits));
            candidate c = context.collect(round, *branch);
            const bool whole = c.finish != finish_reason::budget && c.finish != finish_reason::cancelled;
            if (whole) {
                const scored_branch<Engine> item[] = {{&*branch, c.text}};
                auto score = scorer.score(context, std::span<const scored_branch<Engine>>(item));
                if (score) c.score = (*score)[0];
                else if (score.error().code == errc::budget_exhausted) context.mark_cut();
                else return std::move(score).error();
            }
            node = context.note(node, round == 0 ? "answer" : "refined", c, branch->stream());
            const bool repeats = std::any_of(out.candidates.begin(), out.candidates.end(), [&](const candidate& earlier) { return earlier.text == c.text; });
            const bool satisfied = enough && c.score && *c.score >= *enough;
            if (whole || out.candidates.empty()) out.candidates.push_back(std::move(c));
            if (repeats || satisfied || !whole) {
                out.why = repeats ? "the answer repeats" : satisfied ? "the scorer is satisfied" : "cut in round " + std::to_string(round);
                break;
            }
            if (round == rounds || feedback.empty()) continue;
            if (context.exhausted()) break;
            auto critic = asked(context, feedback, out, {}, 0.0f);
            if (!critic && critic.error().code == errc::context_full) {
                out.why = "the feedback prompt does not fit the context";
                break;
            }
            if (!critic) return std::move(critic).error();
            HENCE_TRY(context.extend(*critic, context.limits()));
            criticism = critic->text();
            node = context.note(node, "feedback", criticism, static_cast<std::int64_t>(critic->generated().size()), name(critic->finish()), {}, critic->stream());
            if (critic->finish() == finish_reason::budget || critic->finish() == finish_reason::cancelled) break;
            if (says_done(criticism)) {
                out.why = "the feedback found nothing wrong";
                break;
            }
        }
        if (out.why.empty()) out.why = std::to_string(out.candidates.size()) + " answers";
        const verdict decision = aggregate::best{}(out.candidates);
        if (decision.chosen != verdict::none) {
            context.choose(out, out.candidates[decision.chosen]);
            out.confidence = decision.confidence;
        }
        out.parse_rate = decision.parse_rate;
        return out;
    }

private:
    [[nodiscard]] bool says_done(std::string_view criticism) const {
        const std::size_t first = criticism.find_first_not_of(" \t\r\n'\"*");
        if (done.empty() || first == std::string_view::npos) return false;
        const std::string_view text = criticism.substr(first);
        if (text.size() < done.size()) return false;
        const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
        return std::equal(done.begin(), done.end(), text.begin(), [&](char a, char b) { return lower(a) == lower(b); });
    }

    template <reasoning_engine Engine>
    static result<typename Engine::branch_type> asked(reasoning_context<Engine>& context, std::string_view text, const answer& so_far,
                                                      std::string_view criticism, float heat) {
        const std::pair<std::string_view, std::string_view> values[] = {
            {"question", context.question()}, {"answer", so_far.candidates.back().text}, {"feedback", criticism}};
        const std::string filled = detail::fill(text, values);
        return context.begin(filled, {}, context.sampling(heat));
    }
};

HENCE_NAMESPACE_END

#endif
