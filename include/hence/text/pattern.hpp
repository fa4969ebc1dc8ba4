// pattern: the regular expressions of published tokenizers, matched in linear time.
//
// Perl's leftmost-first semantics, as the makers' own engines have them, without backtracking: one pass from the
// end of the text notes from which states a match can be completed, then each match is walked without a wrong
// turn. It takes groups, alternatives, classes (with \p{..}, \s, \w, \d and &&), greedy, lazy and possessive
// repetition, lookahead, lookbehind of one character, anchors, word boundaries and (?i). No captures, no
// backreferences: patterns that need them are refused.
#ifndef HENCE_TEXT_PATTERN_HPP
#define HENCE_TEXT_PATTERN_HPP

#include "../core/result.hpp"
#include "detail/piece_table.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

namespace detail {

/// A class of characters: any of the items, taken with the sets it is intersected with.
struct char_set {
    struct item {
        enum class kind : std::uint8_t { range, category, space, word, nested } what = kind::range;
        bool negated = false;
        std::uint32_t first = 0;  // range: first character; category: bits by category; nested: index in sets
        std::uint32_t last = 0;
    };
    std::vector<item> items;
    std::vector<std::uint32_t> also_in;  // indices of sets that must hold too (&&)
    bool negated = false;
    bool any_case = false;
};

/// One instruction of a compiled pattern; `next` and `other` are instruction numbers.
struct pattern_node {
    enum class op : std::uint8_t { accept, character, split, line_begin, line_end, text_begin, text_end, boundary, not_boundary, ahead,
                                   not_ahead, behind, not_behind } what = op::accept;
    std::uint32_t next = 0;
    std::uint32_t other = 0;  // split: second choice; lookahead: its first instruction
    std::uint32_t set = 0;    // character, behind
};

}  // namespace detail

class pattern {
public:
    struct span {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    /// Memory that matching uses again and again, with what it learnt about the text's characters.
    struct scratch {
        const pattern* owner = nullptr;
        std::vector<std::uint32_t> offsets;
        std::vector<std::uint32_t> classes;
        std::vector<std::uint32_t> states;
        std::vector<std::uint64_t> state_bits;
        std::vector<std::uint64_t> class_bits;
        std::array<std::uint32_t, 128> ascii_class{};
        detail::piece_table known_states;
        detail::piece_table known_classes;
        detail::piece_table known_characters;
        detail::pair_table steps;
        std::vector<std::uint64_t> work;
    };

    /// @shape none
    /// @errors bad_format: not a pattern; unsupported: a construct that is refused (named, with its place);
    /// out_of_range: nested or repeated beyond 10,000 instructions
    /// @source Thompson 1968; the reverse pass: Frisch, Cardelli 2004, "Greedy regular expression matching"
    [[nodiscard]] static result<pattern> compile(std::string_view source);

    /// Appends all matches from left to right; they do not overlap. An empty match is one too: it is a place to cut.
    /// @shape none
    /// @errors none; ill-formed bytes are characters that only negated classes and '.' match
    /// @cost O(n * instructions)
    /// @threads re-entrant; one scratch a thread
    /// @source as compile
    void find_all(std::string_view text, scratch& s, std::vector<span>& matches) const;

private:
    friend class pattern_compiler;
    [[nodiscard]] std::uint32_t class_of(char32_t c, scratch& s) const;
    [[nodiscard]] std::uint32_t step(std::uint32_t after, std::uint32_t here, std::uint32_t before, scratch& s) const;

    std::vector<detail::pattern_node> nodes_;
    std::vector<std::uint32_t> order_;  // instructions, each after those it can go to without a character
    std::vector<detail::char_set> sets_;
    std::uint32_t start_ = 0;
    std::uint32_t word_set_ = 0;     // \w, for boundaries
    std::uint32_t newline_set_ = 0;  // for line anchors
    bool looks_back_ = false;        // needs to know the character before
};

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/pattern.inl.hpp"
#endif

#endif
