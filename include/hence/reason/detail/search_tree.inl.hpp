// Definitions of reason/search_tree.hpp.
#ifndef HENCE_REASON_DETAIL_SEARCH_TREE_INL_HPP
#define HENCE_REASON_DETAIL_SEARCH_TREE_INL_HPP

#include "../search_tree.hpp"

#include <algorithm>
#include <cmath>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE std::size_t search_tree::add(std::size_t parent, double prior) {
    const std::size_t number = nodes_.size();
    node child;
    child.parent = parent;
    child.prior = prior;
    nodes_.push_back(std::move(child));
    nodes_[parent].children.push_back(number);
    return number;
}

HENCE_INLINE std::size_t search_tree::select_uct(std::size_t parent, double weight) const {
    const auto total = static_cast<double>(std::max<std::int64_t>(1, nodes_[parent].visits));
    std::size_t best = none;
    double best_value = 0;
    for (const std::size_t number : nodes_[parent].children) {
        const node& child = nodes_[number];
        if (child.closed) continue;
        const auto visits = static_cast<double>(std::max<std::int64_t>(1, child.visits));
        const double value = (child.visits > 0 ? child.mean() : child.prior) + weight * std::sqrt(std::log(total) / visits);
        if (best == none || value > best_value) {
            best = number;
            best_value = value;
        }
    }
    return best;
}

HENCE_INLINE std::size_t search_tree::select_puct(std::size_t parent, double base, double init) const {
    const auto total = static_cast<double>(nodes_[parent].visits);
    const double scale = std::sqrt(total) * (std::log((total + base + 1) / base) + init);
    std::size_t best = none;
    double best_value = 0;
    for (const std::size_t number : nodes_[parent].children) {
        const node& child = nodes_[number];
        if (child.closed) continue;
        const double value = child.mean() + child.prior * scale / (1 + static_cast<double>(child.visits));
        if (best == none || value > best_value) {
            best = number;
            best_value = value;
        }
    }
    return best;
}

HENCE_INLINE void search_tree::back_up(std::size_t leaf, double reward) {
    for (std::size_t at = leaf; at != none; at = nodes_[at].parent) {
        nodes_[at].total += reward;
        ++nodes_[at].visits;
    }
}

HENCE_INLINE void search_tree::close(std::size_t leaf) {
    for (std::size_t at = leaf; at != none; at = nodes_[at].parent) {
        const auto& children = nodes_[at].children;
        const bool all_closed = std::all_of(children.begin(), children.end(), [&](std::size_t c) { return nodes_[c].closed; });
        if (at != leaf && !all_closed) break;
        nodes_[at].closed = true;
    }
}

HENCE_NAMESPACE_END

#endif
