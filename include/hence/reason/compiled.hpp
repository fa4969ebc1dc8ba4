// The strategies of the library, compiled once for engine: what the compiled form (HENCE_COMPILED) keeps out of
// the files of a program. In the header-only form this header does nothing.
//
// Strategies know engines through the concept reasoning_engine alone; this is the one place of the room that
// names the engine of generate/, to say which instantiations the library holds.
#ifndef HENCE_REASON_COMPILED_HPP
#define HENCE_REASON_COMPILED_HPP

#include "../generate/engine.hpp"
#include "reason.hpp"
#include "registry.hpp"

#if defined(HENCE_COMPILED)

HENCE_NAMESPACE_BEGIN

#if defined(HENCE_IMPLEMENTATION)
#define HENCE_STRATEGY_TEMPLATE_ template
#else
#define HENCE_STRATEGY_TEMPLATE_ extern template
#endif
#define HENCE_STRATEGY_(name)                                                                                        \
    HENCE_STRATEGY_TEMPLATE_ result<answer> detail::run_strategy<engine_base, name>(                                  \
        engine_base&, std::string_view, const name&, const budget&, const reason_options&);

HENCE_STRATEGY_(direct)
HENCE_STRATEGY_(chain_of_thought)
HENCE_STRATEGY_(self_consistency)
HENCE_STRATEGY_(adaptive_consistency)
HENCE_STRATEGY_(early_stopping_self_consistency)
HENCE_STRATEGY_(deep_confidence)
HENCE_STRATEGY_(best_of_n)
HENCE_STRATEGY_(step_beam)
HENCE_STRATEGY_(diverse_verifier_tree_search)
HENCE_STRATEGY_(rebase)
HENCE_STRATEGY_(tree_of_thoughts)
HENCE_STRATEGY_(monte_carlo_tree_search)
HENCE_STRATEGY_(self_refine)
HENCE_STRATEGY_(budget_forcing)
HENCE_STRATEGY_(adaptive)
HENCE_STRATEGY_(any_strategy)

#undef HENCE_STRATEGY_
#undef HENCE_STRATEGY_TEMPLATE_

HENCE_NAMESPACE_END

#endif

#endif
