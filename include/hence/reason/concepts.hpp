// The concepts that strategies are composed of. (`extractor` is in extractor.hpp, `reasoning_engine` in
// generate/reasoning_engine.hpp.)
#ifndef HENCE_REASON_CONCEPTS_HPP
#define HENCE_REASON_CONCEPTS_HPP

#include "context.hpp"

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// A way to answer a question: a plain struct of settings and one function.
template <class S, class Engine>
concept strategy_for = reasoning_engine<Engine> && std::copyable<S> &&
                       requires(const S s, reasoning_context<Engine>& context) {
                           // The name that command lines and reports use.
                           { S::strategy_name } -> std::convertible_to<std::string_view>;
                           // Answers context.question() on context.engine(). Anytime: when the budget ends it
                           // returns its best answer so far. Fills text, value, why, candidates, votes,
                           // cancelled_branches and saved_tokens; reason() fills the rest.
                           { s.run(context) } -> std::same_as<result<answer>>;
                       };

/// A branch to be judged, and the text after its prompt.
template <class Engine>
struct scored_branch {
    typename Engine::branch_type* where = nullptr;  ///< null: only the text is there to judge
    std::string_view text;
};

/// What judges partial or finished texts: a verifier, a process reward, a measure of confidence.
template <class S, class Engine>
concept scorer_for = reasoning_engine<Engine> && std::copyable<S> &&
                     requires(const S s, reasoning_context<Engine>& context, until& limits,
                              std::span<const scored_branch<Engine>> items) {
                         // Asks extend() to record what score() will read.
                         { s.prepare(limits) } -> std::same_as<void>;
                         // One finite score for each item, higher is better; probes leave the branches as they
                         // were. Errors: not_a_number, budget_exhausted.
                         { s.score(context, items) } -> std::same_as<result<std::vector<double>>>;
                     };

/// What makes the next states of a search: branches that have each one step more than their parent.
template <class P, class Engine>
concept proposer_for = reasoning_engine<Engine> && std::copyable<P> &&
                       requires(const P p, reasoning_context<Engine>& context, const until& limits,
                                std::span<typename Engine::branch_type* const> parents) {
                           // The children of each parent, in a fixed order; a parent may have none.
                           { p.propose(context, parents, limits) }
                               -> std::same_as<result<std::vector<std::vector<typename Engine::branch_type>>>>;
                       };

/// What an aggregator decides.
struct verdict {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t chosen = none;  ///< index into the candidates; none when nobody could be chosen
    std::vector<vote> votes;    ///< best first
    double confidence = 0;      ///< the winner's share of all weight
    double parse_rate = 1;
};

/// What makes one answer of many candidates.
template <class A>
concept aggregator = std::copyable<A> && requires(const A a, std::span<const candidate> candidates) {
    // Candidates without an answer do not vote; ties go to the lowest sample.
    { a(candidates) } -> std::same_as<verdict>;
};

/// What says that enough samples have voted.
template <class S>
concept stopper = std::copyable<S> && requires(const S s, const ballot& votes, std::span<const std::size_t> outstanding) {
    // `outstanding`: the samples that would still vote. True: they need not.
    { s(votes, outstanding) } -> std::same_as<bool>;
};

HENCE_NAMESPACE_END

#endif
