// registry: strategies by name, as command lines and configuration files write them.
//
//   self_consistency
//   self_consistency:samples=16,temperature=0.7,vote=borda
//   fallback:accept=arithmetic|direct|self_consistency:samples=8
//   mixture:direct|chain_of_thought|self_consistency:samples=8
//
// Every strategy lists its settings once (its `fields`), and parsing, error messages and printing use that
// list. Inside a value a comma is written \, a newline \n, a bar \| and a backslash \\. The members of fallback
// and mixture are parted by '|'; before the first bar their own settings may stand.
#ifndef HENCE_REASON_REGISTRY_HPP
#define HENCE_REASON_REGISTRY_HPP

#include "strategies.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

HENCE_NAMESPACE_BEGIN

class any_strategy;

/// A fallback chain or a mixture whose members are known only at run time.
struct strategy_list {
    static constexpr std::string_view strategy_name = "fallback";
    /// Behind a pointer because a member may be any strategy, this one included.
    std::shared_ptr<const std::vector<any_strategy>> members = {};
    bool vote = false;  ///< mixture: all are asked and vote
    acceptance accept = {};
    bool by_confidence = false;

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        acceptance::fields(s.accept, visit);
        visit("by_confidence", s.by_confidence);
    }

    /// @shape none
    /// @errors those of the members
    /// @source none
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const;
};

/// Any strategy of the library, by value; itself a strategy.
class any_strategy {
public:
    static constexpr std::string_view strategy_name = "any";
    using kind = std::variant<HENCE_STRATEGY_TYPES, strategy_list>;

    any_strategy();
    template <class Strategy>
        requires(!std::same_as<std::remove_cvref_t<Strategy>, any_strategy>)
    explicit any_strategy(Strategy&& strategy);

    [[nodiscard]] const kind& which() const noexcept { return *kind_; }
    [[nodiscard]] std::string_view name() const;

    /// @shape none
    /// @errors those of the strategy
    /// @source none
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        return std::visit([&](const auto& strategy) -> result<answer> { return strategy.run(context); }, *kind_);
    }

private:
    std::shared_ptr<const kind> kind_;
};

template <class Strategy>
    requires(!std::same_as<std::remove_cvref_t<Strategy>, any_strategy>)
any_strategy::any_strategy(Strategy&& strategy) : kind_(std::make_shared<const kind>(std::forward<Strategy>(strategy))) {}

template <reasoning_engine Engine>
result<answer> strategy_list::run(reasoning_context<Engine>& context) const {
    const std::size_t count = members ? members->size() : 0;
    const auto name_of = [&](std::size_t i) { return (*members)[i].name(); };
    const auto call = [&](std::size_t i, reasoning_context<Engine>& inner) { return (*members)[i].run(inner); };
    if (vote) return detail::run_all(context, count, by_confidence, name_of, call);
    return detail::run_in_turn(context, count, accept, name_of, call);
}

/// A strategy from its name and settings.
/// @shape none
/// @errors invalid_argument naming the unknown strategy, setting or value, and listing what would be right
/// @source none
[[nodiscard]] result<any_strategy> parse_strategy(std::string_view text);

/// Parses a list of strategies parted by ';' ("A;B:key=value;C"); a ';' inside a value is written \;.
/// @shape none
/// @errors as parse_strategy()
/// @source none
[[nodiscard]] result<std::vector<any_strategy>> parse_strategies(std::string_view text);

/// The names that parse_strategy() knows.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::vector<std::string> strategy_names();

/// A strategy's settings and their values, as parse_strategy() reads them: "name:key=value,...".
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string describe(const any_strategy& strategy);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/registry.inl.hpp"
#endif

#endif
