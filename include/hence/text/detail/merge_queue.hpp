// merge_pairs: joins neighbouring symbols, always the pair of lowest rank first and the leftmost of equals.
//
// Short inputs are scanned (n * n of at most 32 symbols), long ones go through a heap of (rank, position)
// over a linked list, so any input costs O(n log n). Both orders are the same by construction. Bytes and
// characters, GPT-2 merges and SentencePiece scores: all come here as symbol numbers and ranks.
#ifndef HENCE_TEXT_DETAIL_MERGE_QUEUE_HPP
#define HENCE_TEXT_DETAIL_MERGE_QUEUE_HPP

#include "piece_table.hpp"

#include <algorithm>
#include <functional>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

/// Memory that one encode() call uses again and again, and a count of the pair look-ups for the tests.
struct merge_scratch {
    struct node {
        std::uint32_t symbol;
        std::uint32_t previous;
        std::uint32_t next;
        merge with_next;
    };
    std::vector<std::uint32_t> symbols;  ///< in: one per character; out: what is left after all merges
    std::vector<node> nodes;
    std::vector<std::uint64_t> heap;
    std::vector<std::uint32_t> lengths;
    std::uint64_t steps = 0;  ///< pair look-ups and heap operations so far
};

inline void merge_few(merge_scratch& s, const pair_table& pairs) {
    constexpr std::size_t most = 32;
    merge with_next[most];
    std::uint32_t* const symbols = s.symbols.data();
    std::size_t count = s.symbols.size();
    for (std::size_t i = 0; i + 1 < count; ++i) with_next[i] = pairs.find(symbols[i], symbols[i + 1]);
    s.steps += count;
    while (count > 1) {
        std::size_t best = 0;
        for (std::size_t i = 1; i + 1 < count; ++i)
            if (with_next[i].rank < with_next[best].rank) best = i;
        if (with_next[best].rank == merge::never) break;
        symbols[best] = with_next[best].made;
        for (std::size_t i = best + 1; i + 1 < count; ++i) {
            symbols[i] = symbols[i + 1];
            with_next[i] = with_next[i + 1];
        }
        --count;
        with_next[best] = best + 1 < count ? pairs.find(symbols[best], symbols[best + 1]) : merge{};
        if (best > 0) with_next[best - 1] = pairs.find(symbols[best - 1], symbols[best]);
        s.steps += 2;
    }
    s.symbols.resize(count);
}

inline void merge_many(merge_scratch& s, const pair_table& pairs) {
    constexpr std::uint32_t end = 0xFFFFFFFFu;
    const auto count = static_cast<std::uint32_t>(s.symbols.size());
    s.nodes.clear();
    s.heap.clear();
    const auto offer = [&](std::uint32_t at) {
        merge_scratch::node& n = s.nodes[at];
        n.with_next = n.next == end ? merge{} : pairs.find(n.symbol, s.nodes[n.next].symbol);
        ++s.steps;
        return n.with_next.rank != merge::never;
    };
    const auto later = std::greater<>{};
    for (std::uint32_t i = 0; i < count; ++i) s.nodes.push_back({s.symbols[i], i == 0 ? end : i - 1, i + 1 == count ? end : i + 1, {}});
    for (std::uint32_t i = 0; i < count; ++i)
        if (offer(i)) s.heap.push_back(std::uint64_t{s.nodes[i].with_next.rank} << 32 | i);
    std::make_heap(s.heap.begin(), s.heap.end(), later);
    const auto push = [&](std::uint32_t at) {
        if (!offer(at)) return;
        s.heap.push_back(std::uint64_t{s.nodes[at].with_next.rank} << 32 | at);
        std::push_heap(s.heap.begin(), s.heap.end(), later);
        ++s.steps;
    };
    while (!s.heap.empty()) {
        std::pop_heap(s.heap.begin(), s.heap.end(), later);
        const auto rank = static_cast<std::uint32_t>(s.heap.back() >> 32);
        const auto at = static_cast<std::uint32_t>(s.heap.back());
        s.heap.pop_back();
        ++s.steps;
        merge_scratch::node& left = s.nodes[at];
        if (left.with_next.rank != rank) continue;  // an old entry: the pair here is another one by now, or none
        const std::uint32_t gone = left.next;
        left.symbol = left.with_next.made;
        left.next = s.nodes[gone].next;
        s.nodes[gone].with_next = merge{};
        if (left.next != end) s.nodes[left.next].previous = at;
        push(at);
        if (left.previous != end) push(left.previous);
    }
    s.symbols.clear();
    for (std::uint32_t i = 0; i != end; i = s.nodes[i].next) s.symbols.push_back(s.nodes[i].symbol);
}

inline void merge_pairs(merge_scratch& s, const pair_table& pairs) {
    if (s.symbols.size() < 2) return;
    if (s.symbols.size() <= 32) {
        merge_few(s, pairs);
    } else {
        merge_many(s, pairs);
    }
}

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
