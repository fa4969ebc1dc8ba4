// special_matcher: finds the tokens that are looked for in the text itself, the longest at each place.
//
// A trie over their spellings. A text is read once; only where a byte begins some token does a walk start, and
// a walk is no longer than the longest token.
#ifndef HENCE_TEXT_DETAIL_SPECIAL_MATCHER_HPP
#define HENCE_TEXT_DETAIL_SPECIAL_MATCHER_HPP

#include "../vocabulary.hpp"

#include <array>
#include <cstddef>
#include <string_view>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

class special_matcher {
public:
    struct match {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint32_t which = none;
    };
    static constexpr std::uint32_t none = 0xFFFFFFFFu;

    /// Adds a spelling with a number of the caller's; the first of equal spellings stays.
    void add(std::string_view spelling, std::uint32_t which) {
        if (spelling.empty()) return;
        if (nodes_.empty()) nodes_.push_back({});
        starts_[static_cast<unsigned char>(spelling[0])] = true;
        std::uint32_t at = 0;
        for (const char c : spelling) {
            std::uint32_t child = child_of(at, c);
            if (child == none) {
                child = static_cast<std::uint32_t>(nodes_.size());
                nodes_.push_back({c, none, none, nodes_[at].first_child});
                nodes_[at].first_child = child;
            }
            at = child;
        }
        if (nodes_[at].which == none) nodes_[at].which = which;
    }

    [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }

    /// The first place from `from` on where a spelling that `accept(match)` allows begins, and the longest there.
    template <class Accept>
    [[nodiscard]] match find(std::string_view text, std::size_t from, Accept&& accept) const {
        if (nodes_.empty()) return {};
        for (std::size_t i = from; i < text.size(); ++i) {
            if (!starts_[static_cast<unsigned char>(text[i])]) continue;
            match best;
            std::uint32_t at = 0;
            for (std::size_t k = i; k < text.size(); ++k) {
                at = child_of(at, text[k]);
                if (at == none) break;
                const match candidate{i, k + 1, nodes_[at].which};
                if (candidate.which != none && accept(candidate)) best = candidate;
            }
            if (best.which != none) return best;
        }
        return {};
    }

private:
    struct node {
        char byte = 0;
        std::uint32_t which = none;
        std::uint32_t first_child = none;
        std::uint32_t sibling = none;
    };

    [[nodiscard]] std::uint32_t child_of(std::uint32_t at, char c) const noexcept {
        std::uint32_t child = nodes_[at].first_child;
        while (child != none && nodes_[child].byte != c) child = nodes_[child].sibling;
        return child;
    }

    std::vector<node> nodes_;
    std::array<bool, 256> starts_{};
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
