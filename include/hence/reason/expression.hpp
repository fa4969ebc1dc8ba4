// Arithmetic written as text, evaluated exactly: what checkers of calculations stand on.
//
// Reads + - * / and parentheses over numbers (also the signs x, ×, ÷ and −), with a bound on depth, so that
// text from a model can be passed in as it is. Not a calculator for users: no functions, no variables.
#ifndef HENCE_REASON_EXPRESSION_HPP
#define HENCE_REASON_EXPRESSION_HPP

#include "../core/result.hpp"
#include "rational.hpp"

#include <span>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// The value of an expression and the numbers that it uses, in the order they are written (with a sign that stands
/// directly before one).
struct expression_value {
    rational value;
    std::vector<rational> numbers;
};

/// Evaluates the whole of `text`.
/// @shape none
/// @errors bad_format with the byte offset; out_of_range for division by zero, a result that does not fit 64
/// bits, or parentheses nested deeper than 64
/// @source none
[[nodiscard]] result<expression_value> evaluate(std::string_view text);

/// Whether an equation such as "8-6=2" holds exactly; both sides are expressions.
/// @shape none
/// @errors as evaluate(); bad_format when there is not exactly one '='
/// @source none
[[nodiscard]] result<bool> holds(std::string_view equation);

/// Why a proposed solution of the Game of 24 is wrong, or nothing when it is right: the expression (an
/// "= 24" after it is allowed) must give 24 and use each given number exactly once.
/// @shape none
/// @errors bad_format and out_of_range as evaluate(); mismatch when the value or the numbers are wrong
/// @source none
[[nodiscard]] result<void> check_24(std::string_view expression, std::span<const rational> numbers,
                                    rational target = {24, 1});

/// The numbers of a puzzle such as "4 6 8 8".
/// @shape none
/// @errors bad_format at the first word that is no number
/// @source none
[[nodiscard]] result<std::vector<rational>> parse_numbers(std::string_view text);

/// Whether 24 (or another target) can be reached from the numbers, by trying every order and operation.
/// @shape at most 6 numbers
/// @errors out_of_range for more than 6 numbers
/// @cost about 10^4 operations for 4 numbers
/// @source none
[[nodiscard]] result<bool> solvable_24(std::span<const rational> numbers, rational target = {24, 1});

/// Whether a solution written as steps with what is left in brackets ("8-6=2 (2 4 8)") is right: each step
/// holds, takes two of the numbers that are left and puts its result among them, and the last leaves the
/// target alone. Brackets are optional and checked when they are there; lines that hold no '=' end the
/// attempt ("ok") or, where they say "wait", start another one.
/// @shape none
/// @errors mismatch naming the first wrong line of the last attempt; bad_format when there is no step
/// @source none
[[nodiscard]] result<void> check_24_steps(std::string_view steps, std::span<const rational> numbers,
                                          rational target = {24, 1});

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/expression.inl.hpp"
#endif

#endif
