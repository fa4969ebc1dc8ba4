// reason(): one question, one strategy, one budget, one answer.
#ifndef HENCE_REASON_REASON_HPP
#define HENCE_REASON_REASON_HPP

#include "concepts.hpp"

#include <string_view>
#include <type_traits>
#include <utility>

HENCE_NAMESPACE_BEGIN

class engine_base;

namespace detail {

/// The type whose instantiations serve an engine: engine<M> differs from engine_base by the model's type only,
/// so strategies are compiled for the base, once.
template <class Engine>
using reasoning_base = std::conditional_t<std::is_base_of_v<engine_base, Engine>, engine_base, Engine>;

/// @shape none
/// @errors as try_reason()
/// @source none
template <reasoning_engine Engine, strategy_for<Engine> Strategy>
result<answer> run_strategy(Engine& engine, std::string_view question, const Strategy& strategy, const budget& limit,
                            const reason_options& options) {
    if (question.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return make_error(errc::invalid_argument, "question", "some text", "an empty question");
    if (options.max_tokens == 0) return make_error(errc::invalid_argument, "reason_options.max_tokens", "1 or more", "0");
    HENCE_TRY(limit.check());
    const budget_scope<Engine> scope(engine, limit);
    HENCE_TRY(scope.status());
    const account before = engine.account();
    const std::uint64_t hash_before = engine.replay_hash();
    reasoning_context<Engine> context(engine, question, options);
    HENCE_TRY_ASSIGN(out, strategy.run(context));
    out.cut = out.cut || context.cut();
    if (out.cut) out.why += out.why.empty() ? "the budget ended" : "; the budget ended";
    if (context.cancelled()) out.why += "; cancelled";
    out.account = engine.account() - before;
    out.seconds = context.elapsed();
    out.replay_hash = engine.replay_hash() - hash_before;
    out.trace = context.take_trace();
    out.cuts = context.take_cuts();
    return out;
}

}  // namespace detail

/// Answers a question by a strategy, within a budget (and within the engine's own, if it has one).
/// Where the budget ends early the answer is the best so far and has `cut` set.
/// @shape none
/// @errors invalid_argument: an empty question, settings that make no sense; out_of_range: a negative budget;
/// context_full: the prompt does not fit; those of the engine, the prompt format and the strategy
/// @threads uses the engine, so one call at a time for each engine
/// @source none
template <reasoning_engine Engine, strategy_for<Engine> Strategy>
[[nodiscard]] result<answer> try_reason(Engine& engine, std::string_view question, const Strategy& strategy,
                                        const budget& limit = {}, const reason_options& options = {}) {
    return detail::run_strategy<detail::reasoning_base<Engine>>(engine, question, strategy, limit, options);
}

/// The same for programs that have nothing to do about an error: throws hence::exception, or calls the failure
/// handler where exceptions are off.
/// @shape none
/// @errors as try_reason(), thrown
/// @source none
template <reasoning_engine Engine, strategy_for<Engine> Strategy>
[[nodiscard]] answer reason(Engine& engine, std::string_view question, const Strategy& strategy,
                            const budget& limit = {}, const reason_options& options = {}) {
    return try_reason(engine, question, strategy, limit, options).value();
}

HENCE_NAMESPACE_END

#endif
