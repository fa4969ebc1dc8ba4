// Extractors: where in a completion the answer stands.
//
// Each is a plain struct that returns the answer as it was written, or nothing when the completion holds
// none (it is then counted as unparsed and does not vote). Canonical forms are canonical.hpp's matter.
#ifndef HENCE_REASON_EXTRACTOR_HPP
#define HENCE_REASON_EXTRACTOR_HPP

#include "../core/result.hpp"
#include "detail/callable.hpp"
#include "regex.hpp"

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// What finds the answer in a completion.
template <class X>
concept extractor = std::copyable<X> && requires(const X x, std::string_view completion) {
    // The answer as written, or nothing. Must not fail: a completion is any text at all.
    { x(completion) } -> std::same_as<std::optional<std::string>>;
};

namespace extract {

/// The last number: an integer, decimal, "1,234" or "3/4", with a sign that is no minus between operands.
struct last_number {
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

/// The rest of the line after the last marker, letter case ignored; "is", ':' and '=' after it are skipped.
struct after_marker {
    std::string marker = "answer";
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

/// A letter of multiple choice: "answer is (B)", else the last "(B)", else the last "B" that stands alone.
struct choice {
    std::string letters = "ABCDE";
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

/// The content of the last complete \boxed{...} or \fbox{...}.
struct boxed {
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

/// A group of a regular expression's last match (or first); group 0 is all of it. Without the group that
/// is asked for, the first group that took part.
struct matching {
    regex pattern;
    std::size_t group = 1;
    bool last = true;
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

/// The last line that is not blank.
struct last_line {
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

/// All of the completion, without blanks around it; nothing when it is blank.
struct whole_text {
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

/// What fits most completions: boxed, else after "####", else after "answer", else the last number.
struct automatic {
    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const;
};

}  // namespace extract

/// Any extractor, by value; automatic unless told.
class any_extractor {
public:
    any_extractor() : find_(extract::automatic{}) {}
    template <class X>
        requires(!std::same_as<X, any_extractor> && extractor<X>)
    any_extractor(X x) : find_(std::move(x)) {}

    [[nodiscard]] std::optional<std::string> operator()(std::string_view completion) const {
        return find_(completion);
    }

private:
    callable<std::optional<std::string>(std::string_view)> find_;
};

/// An extractor from its name, as on a command line: "automatic", "last_number", "after_marker",
/// "after_marker:MARKER", "choice", "choice:LETTERS", "boxed", "last_line", "whole_text", "regex:PATTERN".
/// @shape none
/// @errors invalid_argument with the list of names; the errors of regex::compile()
/// @source none
[[nodiscard]] result<any_extractor> parse_extractor(std::string_view name);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/extractor.inl.hpp"
#endif

#endif
