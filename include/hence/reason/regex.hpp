// regex: regular expressions for extractors, in time linear in the text whatever the pattern.
//
// std::regex throws, recurses on the text's length and can take exponential time; text here comes from a
// model and patterns from a command line. A pattern becomes a small program that is run over all its states
// at once (Thompson, Pike). There are no back-references and no look-around, which need more than that.
//
// Syntax: literals, . [abc] [^a-z] \d \w \s \D \W \S \b \B ^ $ (...) (?:...) | * + ? {m} {m,} {m,n}, lazy
// forms with a further ?, the escapes \n \t \r \f \v \xHH \x{H..} and \ before punctuation; flags at the
// start: (?i) ASCII case ignored, (?s) . matches a newline, (?m) ^ and $ at every line. Text is UTF-8 and a
// byte that is not valid UTF-8 counts as one character that only . and negated classes match.
#ifndef HENCE_REASON_REGEX_HPP
#define HENCE_REASON_REGEX_HPP

#include "../core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace detail {

struct regex_range {
    std::uint32_t first, last;
};
struct regex_class {
    std::vector<regex_range> ranges;
    bool negated = false;
};
enum class regex_op : std::uint8_t { character, any, any_but_newline, one_of, split, jump, save, check, match };
/// split prefers x over y; check holds one of the assertions ^ $ b B (and their line forms) in x.
struct regex_instruction {
    regex_op op;
    std::uint32_t x = 0, y = 0;
};

}  // namespace detail

/// Where a pattern matched: byte ranges of the whole match (group 0) and of each group that took part.
struct regex_match {
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    struct range {
        std::size_t first = none, last = none;
    };
    std::vector<range> groups;

    /// The text of a group; nothing when the group took no part in the match or does not exist.
    /// @shape none
    /// @errors nullopt, as said
    /// @source none
    [[nodiscard]] std::optional<std::string_view> group(std::string_view text, std::size_t index) const {
        if (index >= groups.size() || groups[index].first == none || groups[index].last == none) return {};
        return text.substr(groups[index].first, groups[index].last - groups[index].first);
    }
};

/// A compiled pattern; immutable, so one may be shared between threads.
class regex {
public:
    /// Compiles a pattern.
    /// @shape none
    /// @errors bad_format or unsupported with the byte offset in the pattern; out_of_range when the pattern
    /// nests deeper than 100, repeats more than 1000 times or needs more than 20,000 instructions
    /// @source Thompson, CACM 1968; Pike's simulation with captures as described by Cox, 2009
    [[nodiscard]] static result<regex> compile(std::string_view pattern);

    /// The leftmost match that begins at byte `from` or later, by the usual priorities (the first
    /// alternative that matches; greedy or lazy as written).
    /// @shape none
    /// @errors none; nullopt when nothing matches
    /// @cost O(text * pattern)
    /// @source as compile()
    [[nodiscard]] std::optional<regex_match> search(std::string_view text, std::size_t from = 0) const;

    /// The last of the matches that repeated search() finds without overlap. Stays linear: when repeated
    /// searching has read 32 times the text, the last match found by then is the answer.
    /// @shape none
    /// @errors none; nullopt when nothing matches
    /// @source none
    [[nodiscard]] std::optional<regex_match> search_last(std::string_view text) const;

    /// How many groups a match has, the whole match not counted.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t groups() const noexcept { return groups_; }
    [[nodiscard]] const std::string& pattern() const noexcept { return pattern_; }

private:
    std::optional<regex_match> run(std::string_view text, std::size_t from, std::size_t& read) const;

    std::string pattern_;
    std::vector<detail::regex_instruction> program_;
    std::vector<detail::regex_class> classes_;
    std::size_t groups_ = 0;
    bool ignore_case_ = false;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/regex.inl.hpp"
#endif

#endif
