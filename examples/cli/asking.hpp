// What the subcommands that ask questions share: strategies with settings of the run, budgets, traces.
#ifndef HENCE_EXAMPLES_CLI_ASKING_HPP
#define HENCE_EXAMPLES_CLI_ASKING_HPP

#include "common.hpp"

#include <hence/reason/registry.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// One way to answer: a strategy, and the settings of the run that may stand among the strategy's own.
struct way {
    std::string text;      ///< as it was given
    std::string label;     ///< for tables and curves: label=..., else the text
    bool labelled = false;
    hence::any_strategy strategy;
    std::optional<std::size_t> max_tokens;  ///< max_tokens=N: of one sample, step or attempt
    std::optional<float> temperature;       ///< temp=T: of strategies without a temperature of their own
    hence::budget limit;                    ///< budget_tokens=N, budget_forwards=N: of the whole run
    bool shared = false;                    ///< no strategy: share_budget() over all questions, `limit` a question

    /// The options of a run, changed as this way asks.
    [[nodiscard]] hence::reason_options options(hence::reason_options all) const;
    /// Whether its samples are drawn without regard to each other: only then is there a pass@k.
    [[nodiscard]] bool draws_independently() const;
    /// Whether an exact checker takes part, so that the result says what is possible and not what the model knows.
    [[nodiscard]] bool uses_exact_checker() const;
};

/// "A;B:key=value,max_tokens=60;C". Throws usage_error naming `option` and what would be right.
[[nodiscard]] std::vector<way> parse_ways(std::string_view text, const char* option);

/// "tokens=N,forwards=N,bytes=N,ms=N", any of them.
[[nodiscard]] hence::budget parse_budget(std::string_view text);

/// The names that --format knows.
[[nodiscard]] hence::prompt_format parse_format(const std::string& name);
inline constexpr const char* format_names[] = {"automatic", "raw", "line", "chat"};

/// A command line's value, or usage_error that names its option.
template <class T>
T parsed(hence::result<T> value, const char* option) {
    if (!value) throw usage_error(std::string(option) + ": " + value.error().message());
    return std::move(*value);
}

/// NaN and infinity, which JSON has no numbers for, as null.
[[nodiscard]] nlohmann::json number_or_null(double value);

/// The names of all strategies, for --help.
[[nodiscard]] std::string strategy_list();

}  // namespace tool

#endif
