// Positive and negative examples of the reason room's concepts.
#include <hence/reason/aggregator.hpp>
#include <hence/reason/scripted_engine.hpp>
#include <hence/reason/stopper.hpp>
#include <hence/reason/strategies.hpp>

#include <string>

namespace {

using namespace hence;

static_assert(reasoning_engine<scripted_engine> && reasoning_branch<scripted_branch>);
static_assert(!reasoning_engine<int> && !reasoning_branch<std::string>);

// --- extractor -----------------------------------------------------------------------------------------

struct first_word {
    std::optional<std::string> operator()(std::string_view text) const { return std::string(text.substr(0, text.find(' '))); }
};
struct returns_text {
    std::string operator()(std::string_view text) const { return std::string(text); }
};
struct not_const {
    std::optional<std::string> operator()(std::string_view) { return {}; }
};
struct not_copyable {
    not_copyable(const not_copyable&) = delete;
    std::optional<std::string> operator()(std::string_view) const { return {}; }
};
static_assert(extractor<extract::last_number> && extractor<extract::matching> && extractor<any_extractor> && extractor<first_word>);
static_assert(std::constructible_from<any_extractor, first_word>);
static_assert(!extractor<returns_text> && !extractor<not_const> && !extractor<not_copyable>);
static_assert(!std::constructible_from<any_extractor, returns_text>);

// --- scorer --------------------------------------------------------------------------------------------

struct by_length {
    void prepare(until&) const {}
    template <reasoning_engine Engine>
    result<std::vector<double>> score(reasoning_context<Engine>&, std::span<const scored_branch<Engine>> items) const {
        std::vector<double> scores;
        for (const auto& item : items) scores.push_back(static_cast<double>(item.text.size()));
        return scores;
    }
};
struct never_prepares {
    template <reasoning_engine Engine>
    result<std::vector<double>> score(reasoning_context<Engine>&, std::span<const scored_branch<Engine>>) const;
};
static_assert(scorer_for<verifier, scripted_engine> && scorer_for<by_length, scripted_engine>);
static_assert(!scorer_for<never_prepares, scripted_engine> && !scorer_for<extract::boxed, scripted_engine>);
static_assert(!scorer_for<verifier, int>);

// --- aggregator and stopper ------------------------------------------------------------------------------

static_assert(aggregator<aggregate::majority> && aggregator<aggregate::borda> && aggregator<aggregate::best>);
static_assert(!aggregator<extract::boxed> && !aggregator<ballot>);
static_assert(stopper<stop_when::decided> && stopper<stop_when::beta> && stopper<stop_when::dirichlet> && stopper<stop_when::all_voted>);
static_assert(!stopper<aggregate::majority> && !stopper<ballot>);

// --- strategy ------------------------------------------------------------------------------------------

template <class... S>
constexpr bool all_strategies = (strategy_for<S, scripted_engine> && ...);
static_assert(all_strategies<HENCE_STRATEGY_TYPES>);
static_assert(strategy_for<fallback_chain<direct, self_consistency>, scripted_engine>);
static_assert(strategy_for<strategy_mixture<direct, chain_of_thought>, scripted_engine>);

struct nameless {
    template <reasoning_engine Engine>
    result<answer> run(reasoning_context<Engine>&) const;
};
struct without_result {
    static constexpr std::string_view strategy_name = "without_result";
    template <reasoning_engine Engine>
    answer run(reasoning_context<Engine>&) const;
};
static_assert(!strategy_for<nameless, scripted_engine> && !strategy_for<without_result, scripted_engine> && !strategy_for<direct, int>);

}  // namespace
