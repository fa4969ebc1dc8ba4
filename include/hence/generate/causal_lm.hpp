// causal_lm: the concept through which engines see a model.
//
// A model is a cheap handle to frozen weights: any number of engines, in any threads, run the same one. All
// that changes while it runs is in the workspace and the cache pages that an engine owns.
#ifndef HENCE_GENERATE_CAUSAL_LM_HPP
#define HENCE_GENERATE_CAUSAL_LM_HPP

#include "../cache/step.hpp"
#include "../sys/thread_team.hpp"
#include "../tensor/dtype.hpp"
#include "../text/tokenizer.hpp"

#include <concepts>
#include <cstddef>

HENCE_NAMESPACE_BEGIN

template <class M>
concept causal_lm =
    // An engine keeps a copy, so that the weights live as long as it does.
    std::copyable<M> && std::movable<typename M::workspace> &&
    requires(const M m, dtype cache_type, const workspace_options& options, const step& s,
             typename M::workspace& scratch, thread_team& team) {
        { m.vocabulary_size() } -> std::convertible_to<std::size_t>;  // logits per row
        { m.context_length() } -> std::convertible_to<std::size_t>;   // the most positions it was made for
        { m.tokenizer() } -> std::convertible_to<const tokenizer&>;
        // How pages of the cache are laid out when keys and values are stored as f32 or f16.
        { m.cache_layout(cache_type) } -> std::same_as<kv_layout>;
        // Everything that steps of these sizes need; one per engine.
        { m.make_workspace(options) } -> std::same_as<typename M::workspace>;
        // Runs the rows, reads and writes their pages, writes the logits that rows ask for. A row's result is a
        // function of its own sequence alone. Allocates nothing; must not throw.
        m.forward(s, scratch, team);
    };

HENCE_NAMESPACE_END

#endif
