// Definitions of reason/votes.hpp.
#ifndef HENCE_REASON_DETAIL_VOTES_INL_HPP
#define HENCE_REASON_DETAIL_VOTES_INL_HPP

#include "../votes.hpp"

#include <algorithm>
#include <limits>

HENCE_NAMESPACE_BEGIN

namespace detail {

inline bool beats(const vote& a, const vote& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.first_sample < b.first_sample;
}

}  // namespace detail

HENCE_INLINE void ballot::add(std::size_t sample, std::string_view value, double weight) {
    ++voted_;
    for (vote& v : votes_) {
        if (v.value != value) continue;
        ++v.count;
        v.weight += weight;
        v.first_sample = std::min(v.first_sample, sample);
        return;
    }
    votes_.push_back({std::string(value), 1, weight, sample});
}

HENCE_INLINE const vote* ballot::winner() const noexcept {
    const vote* best = nullptr;
    for (const vote& v : votes_)
        if (best == nullptr || detail::beats(v, *best)) best = &v;
    return best;
}

HENCE_INLINE std::vector<vote> ballot::ranking() const {
    std::vector<vote> sorted = votes_;
    std::sort(sorted.begin(), sorted.end(), detail::beats);
    return sorted;
}

HENCE_INLINE bool ballot::decided(std::span<const std::size_t> outstanding, double most) const {
    const vote* const leader = winner();
    if (leader == nullptr) return outstanding.empty();
    if (outstanding.empty()) return true;
    const double swing = most * static_cast<double>(outstanding.size());
    const std::size_t earliest = *std::min_element(outstanding.begin(), outstanding.end());
    // The worst case: every outstanding sample gives the same other answer, known or new.
    const auto overturns = [&](double weight, std::size_t first) {
        const double total = weight + swing;
        return total > leader->weight || (total == leader->weight && std::min(first, earliest) < leader->first_sample);
    };
    if (overturns(0, std::numeric_limits<std::size_t>::max())) return false;
    return std::none_of(votes_.begin(), votes_.end(), [&](const vote& v) {
        return &v != leader && overturns(v.weight, v.first_sample);
    });
}

HENCE_INLINE std::pair<std::int64_t, std::int64_t> ballot::top_two() const noexcept {
    std::pair<std::int64_t, std::int64_t> top{0, 0};
    for (const vote& v : votes_) {
        if (v.count > top.first) top = {v.count, top.first};
        else if (v.count > top.second) top.second = v.count;
    }
    return top;
}

HENCE_NAMESPACE_END

#endif
