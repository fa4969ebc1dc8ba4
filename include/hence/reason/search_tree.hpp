// search_tree: visits, values and selection rules of Monte Carlo tree search, apart from any engine.
//
// Nodes are numbered as they are added; node 0 is the root. What a node stands for (a branch, a text) is
// the caller's, by number.
#ifndef HENCE_REASON_SEARCH_TREE_HPP
#define HENCE_REASON_SEARCH_TREE_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

HENCE_NAMESPACE_BEGIN

class search_tree {
public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct node {
        std::size_t parent = none;
        std::vector<std::size_t> children = {};
        double prior = 0;         ///< the policy's probability (PUCT) or a fast reward for the unvisited (UCT)
        double total = 0;         ///< the sum of backed-up rewards
        std::int64_t visits = 0;
        bool terminal = false;    ///< a finished answer
        bool closed = false;      ///< nothing below can be tried any more
        [[nodiscard]] double mean() const noexcept { return visits > 0 ? total / static_cast<double>(visits) : 0; }
    };

    search_tree() : nodes_(1) {}

    /// Adds a child and returns its number.
    /// @shape none
    /// @errors none
    /// @source none
    std::size_t add(std::size_t parent, double prior = 0);

    /// The child to visit by UCT: mean + weight * sqrt(ln max(1, N) / max(1, n)), where a child without
    /// visits has its prior as mean. Closed children are passed over; ties go to the first.
    /// @shape none
    /// @errors none; `none` when there is no open child
    /// @source Kocsis and Szepesvari, 2006; unvisited children as in Hao et al., 2305.14992
    [[nodiscard]] std::size_t select_uct(std::size_t parent, double weight = 1) const;

    /// The child to visit by PUCT: mean + prior * sqrt(N) / (1 + n) * (ln((N + base + 1) / base) + init).
    /// @shape none
    /// @errors none; `none` when there is no open child
    /// @source Silver et al., 2017, with AlphaZero's constants
    [[nodiscard]] std::size_t select_puct(std::size_t parent, double base = 19652, double init = 1.25) const;

    /// Adds a reward and a visit to a node and all above it.
    /// @shape none
    /// @errors none
    /// @source none
    void back_up(std::size_t leaf, double reward);

    /// Marks a node as exhausted, and the nodes above whose children all are.
    /// @shape none
    /// @errors none
    /// @source none
    void close(std::size_t leaf);

    [[nodiscard]] const node& operator[](std::size_t number) const { return nodes_[number]; }
    [[nodiscard]] node& operator[](std::size_t number) { return nodes_[number]; }
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }

private:
    std::vector<node> nodes_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/search_tree.inl.hpp"
#endif

#endif
