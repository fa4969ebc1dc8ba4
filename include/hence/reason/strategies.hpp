// Every strategy of the library, and the list of their types.
#ifndef HENCE_REASON_STRATEGIES_HPP
#define HENCE_REASON_STRATEGIES_HPP

#include "adaptive.hpp"
#include "adaptive_consistency.hpp"
#include "best_of_n.hpp"
#include "budget_forcing.hpp"
#include "chain_of_thought.hpp"
#include "deep_confidence.hpp"
#include "direct.hpp"
#include "diverse_verifier_tree_search.hpp"
#include "early_stopping_self_consistency.hpp"
#include "mixture.hpp"
#include "monte_carlo_tree_search.hpp"
#include "rebase.hpp"
#include "self_consistency.hpp"
#include "self_refine.hpp"
#include "step_beam.hpp"
#include "tree_of_thoughts.hpp"

/// The strategies whose settings a command line can write, for a std::variant (registry.hpp).
#define HENCE_STRATEGY_TYPES                                                                                  \
    ::hence::direct, ::hence::chain_of_thought, ::hence::self_consistency, ::hence::adaptive_consistency,     \
        ::hence::early_stopping_self_consistency, ::hence::deep_confidence, ::hence::best_of_n,               \
        ::hence::step_beam, ::hence::diverse_verifier_tree_search, ::hence::rebase, ::hence::tree_of_thoughts, \
        ::hence::monte_carlo_tree_search, ::hence::self_refine, ::hence::budget_forcing, ::hence::adaptive

#endif
