// Canonical forms: when two answers, written differently, are the same answer.
//
// Strips LaTeX, units, currency, thousands separators and case, and turns numbers into exact fractions, so
// that "$1,200.00", "1200 dollars" and "\boxed{1200}" get one vote together. It compares spelling and exact
// numbers; it is no computer algebra: "2x+1" and "1+2x" stay two answers.
#ifndef HENCE_REASON_CANONICAL_HPP
#define HENCE_REASON_CANONICAL_HPP

#include "../config.hpp"
#include "rational.hpp"

#include <optional>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// An answer's one spelling, and its value when it is a number.
struct canonical_form {
    std::string text;  ///< equal for equal answers; empty when nothing was left
    std::optional<rational> number;
    friend bool operator==(const canonical_form& a, const canonical_form& b) { return a.text == b.text; }
};

/// The canonical form of an answer.
/// @shape none
/// @errors none: any text has a form; LaTeX groups nested deeper than 32 are left as they are
/// @source none
[[nodiscard]] canonical_form canonicalize(std::string_view answer);

/// Whether two answers are the same one.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] inline bool equivalent(std::string_view a, std::string_view b) {
    return canonicalize(a) == canonicalize(b);
}

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/canonical.inl.hpp"
#endif

#endif
