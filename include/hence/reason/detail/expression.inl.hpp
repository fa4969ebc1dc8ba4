// Definitions of reason/expression.hpp.
#ifndef HENCE_REASON_DETAIL_EXPRESSION_INL_HPP
#define HENCE_REASON_DETAIL_EXPRESSION_INL_HPP

#include "../../core/text.hpp"
#include "../expression.hpp"
#include "text_scan.hpp"

#include <algorithm>
#include <string>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// A recursive-descent parser that remembers its first error; each method leaves `at` behind what it read.
class expression_parser {
public:
    explicit expression_parser(std::string_view text) : text_(text) {}

    result<expression_value> run() {
        expression_value out;
        const rational value = sum(0);
        skip();
        if (!error_ && at_ < text_.size()) fail(errc::bad_format, "an operator or the end");
        if (error_) return std::move(*error_);
        out.value = value;
        out.numbers = std::move(numbers_);
        return out;
    }

private:
    void skip() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }

    void fail(errc code, const char* expected) {
        if (error_) return;
        const std::string found =
            at_ < text_.size() ? "'" + std::string(text_.substr(at_, 12)) + "'" : std::string("the end");
        error_ = make_error(code, "expression", expected, found, {}, at_);
    }

    /// The operator here as one of + - * /, or 0; moves behind it when taken.
    char peek_operator(std::size_t& length) {
        skip();
        if (at_ >= text_.size()) return 0;
        const char c = text_[at_];
        length = 1;
        if (c == '+' || c == '-' || c == '*' || c == '/') return c;
        if (c == 'x' || c == 'X') return '*';
        const std::string_view rest = text_.substr(at_);
        if (rest.starts_with("\xC3\x97") || rest.starts_with("\xC2\xB7")) return length = 2, '*';  // × ·
        if (rest.starts_with("\xC3\xB7")) return length = 2, '/';                                  // ÷
        if (rest.starts_with("\xE2\x88\x92")) return length = 3, '-';                              // −
        return 0;
    }

    rational take(std::optional<rational> value, const char* expected) {
        if (value) return *value;
        fail(errc::out_of_range, expected);
        return {};
    }

    rational sum(int depth) {
        rational left = product(depth);
        std::size_t length = 0;
        for (char op = peek_operator(length); !error_ && (op == '+' || op == '-'); op = peek_operator(length)) {
            at_ += length;
            const rational right = product(depth);
            if (error_) break;
            left = take(op == '+' ? add(left, right) : subtract(left, right), "a result of at most 63 bits");
        }
        return left;
    }

    rational product(int depth) {
        rational left = factor(depth);
        std::size_t length = 0;
        for (char op = peek_operator(length); !error_ && (op == '*' || op == '/'); op = peek_operator(length)) {
            at_ += length;
            const rational right = factor(depth);
            if (error_) break;
            if (op == '/' && right.numerator == 0) {
                fail(errc::out_of_range, "a divisor other than 0");
                break;
            }
            left = take(op == '*' ? multiply(left, right) : divide(left, right), "a result of at most 63 bits");
        }
        return left;
    }

    rational factor(int depth) {
        if (depth > 64) {
            fail(errc::out_of_range, "parentheses nested at most 64 deep");
            return {};
        }
        bool negative = false;
        std::size_t length = 0;
        for (char op = peek_operator(length); op == '-' || op == '+'; op = peek_operator(length)) {
            negative ^= op == '-';
            at_ += length;
        }
        if (at_ < text_.size() && text_[at_] == '(') {
            ++at_;
            rational inner = sum(depth + 1);
            skip();
            if (error_) return {};
            if (at_ >= text_.size() || text_[at_] != ')') {
                fail(errc::bad_format, "')'");
                return {};
            }
            ++at_;
            return negative ? rational{-inner.numerator, inner.denominator} : inner;
        }
        std::size_t end = at_;
        while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.')) ++end;
        if (end == at_) {
            fail(errc::bad_format, "a number or '('");
            return {};
        }
        const auto number = parse_rational(text_.substr(at_, end - at_));
        if (!number) {
            fail(errc::bad_format, "a number of at most 63 bits");
            return {};
        }
        at_ = end;
        numbers_.push_back(negative ? rational{-number->numerator, number->denominator} : *number);
        return numbers_.back();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<rational> numbers_;
    std::optional<error> error_;
};

/// Removes one copy of each of `used` from `pool`; false when one is not there.
inline bool remove_all(std::vector<rational>& pool, std::span<const rational> used) {
    for (const rational& number : used) {
        const auto found = std::find(pool.begin(), pool.end(), number);
        if (found == pool.end()) return false;
        pool.erase(found);
    }
    return true;
}

inline std::string list(std::span<const rational> numbers) {
    std::string text;
    for (const rational& number : numbers) {
        if (!text.empty()) text += ' ';
        text += to_string(number);
    }
    return text;
}

inline bool reach(std::vector<rational>& pool, rational target) {
    if (pool.size() == 1) return pool[0] == target;
    for (std::size_t i = 0; i < pool.size(); ++i)
        for (std::size_t j = 0; j < pool.size(); ++j) {
            if (i == j) continue;
            const rational a = pool[i];
            const rational b = pool[j];
            std::vector<rational> rest;
            for (std::size_t k = 0; k < pool.size(); ++k)
                if (k != i && k != j) rest.push_back(pool[k]);
            const std::optional<rational> outcomes[] = {i < j ? add(a, b) : std::nullopt, subtract(a, b),
                                                        i < j ? multiply(a, b) : std::nullopt, divide(a, b)};
            for (const auto& outcome : outcomes) {
                if (!outcome) continue;
                rest.push_back(*outcome);
                if (reach(rest, target)) return true;
                rest.pop_back();
            }
        }
    return false;
}

}  // namespace detail

HENCE_INLINE result<expression_value> evaluate(std::string_view text) {
    return detail::expression_parser(text).run();
}

HENCE_INLINE result<bool> holds(std::string_view equation) {
    const std::size_t equals = equation.find('=');
    if (equals == std::string_view::npos || equation.find('=', equals + 1) != std::string_view::npos)
        return make_error(errc::bad_format, "equation", "exactly one '='", concat({"'", equation, "'"}));
    HENCE_TRY_ASSIGN(left, evaluate(equation.substr(0, equals)));
    HENCE_TRY_ASSIGN(right, evaluate(equation.substr(equals + 1)));
    return left.value == right.value;
}

HENCE_INLINE result<void> check_24(std::string_view expression, std::span<const rational> numbers,
                                   rational target) {
    std::string_view left = expression;
    if (const std::size_t equals = expression.find('='); equals != std::string_view::npos) {
        left = expression.substr(0, equals);
        HENCE_TRY_ASSIGN(right, evaluate(expression.substr(equals + 1)));
        if (right.value != target)
            return make_error(errc::mismatch, "solution", concat({to_string(target), " after '='"}), to_string(right.value));
    }
    HENCE_TRY_ASSIGN(given, evaluate(left));
    if (given.value != target)
        return make_error(errc::mismatch, "solution", concat({"the value ", to_string(target)}), to_string(given.value));
    // A sign before a number is an operation here: "-4+28" uses 4 and 28.
    std::vector<rational> pool(numbers.begin(), numbers.end());
    for (rational& number : pool) number.numerator = number.numerator < 0 ? -number.numerator : number.numerator;
    std::vector<rational> used = given.numbers;
    for (rational& number : used) number.numerator = number.numerator < 0 ? -number.numerator : number.numerator;
    if (!detail::remove_all(pool, used) || !pool.empty())
        return make_error(errc::mismatch, "solution", concat({"each of ", detail::list(numbers), " once"}),
                          detail::list(given.numbers));
    return {};
}

HENCE_INLINE result<std::vector<rational>> parse_numbers(std::string_view text) {
    std::vector<rational> numbers;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t first = text.find_first_not_of(" ,\t\r\n", at);
        if (first == std::string_view::npos) break;
        const std::size_t end = std::min(text.find_first_of(" ,\t\r\n", first), text.size());
        const auto number = parse_rational(text.substr(first, end - first));
        if (!number)
            return make_error(errc::bad_format, "numbers", "a number",
                              concat({"'", text.substr(first, end - first), "'"}), {}, first);
        numbers.push_back(*number);
        at = end;
    }
    return numbers;
}

HENCE_INLINE result<bool> solvable_24(std::span<const rational> numbers, rational target) {
    if (numbers.size() > 6)
        return make_error(errc::out_of_range, "numbers", "at most 6", decimal(numbers.size()));
    std::vector<rational> pool(numbers.begin(), numbers.end());
    return !pool.empty() && detail::reach(pool, target);
}

HENCE_INLINE result<void> check_24_steps(std::string_view steps, std::span<const rational> numbers,
                                         rational target) {
    std::vector<rational> pool(numbers.begin(), numbers.end());
    std::optional<error> wrong;
    std::size_t taken = 0;
    bool ended = false;
    for (std::size_t at = 0; at < steps.size();) {
        const std::size_t end = std::min(steps.find('\n', at), steps.size());
        const std::string_view line = detail::trim(steps.substr(at, end - at));
        at = end + 1;
        if (line.empty()) continue;
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) {
            if (line.starts_with("wait")) {  // another attempt: only the last one counts
                pool.assign(numbers.begin(), numbers.end());
                wrong.reset();
                taken = 0;
                ended = false;
            } else {
                ended = true;
            }
            continue;
        }
        if (wrong) continue;
        const auto refuse = [&](std::string expected) {
            wrong = make_error(errc::mismatch, "step", std::move(expected), concat({"'", line, "'"}));
        };
        if (ended) {
            refuse("no step after the attempt has ended");
            continue;
        }
        const std::size_t bracket = std::min(line.find('(', equals), line.size());
        const auto left = evaluate(line.substr(0, equals));
        const auto right = evaluate(line.substr(equals + 1, bracket - equals - 1));
        if (!left || !right || left->numbers.size() != 2 || left->value != right->value) {
            refuse("one operation on two numbers with its right result");
            continue;
        }
        if (!detail::remove_all(pool, left->numbers)) {
            refuse(concat({"two of the numbers left: ", detail::list(pool)}));
            continue;
        }
        pool.push_back(right->value);
        ++taken;
        if (bracket < line.size()) {
            std::string_view inside = line.substr(bracket + 1);
            inside = inside.substr(0, inside.find(')'));
            if (const std::size_t colon = inside.find(':'); colon != std::string_view::npos)
                inside = inside.substr(colon + 1);
            const auto told = parse_numbers(inside);
            std::vector<rational> rest = pool;
            if (!told || !detail::remove_all(rest, *told) || !rest.empty())
                refuse(concat({"in brackets what is left: ", detail::list(pool)}));
        }
    }
    if (wrong) return std::move(*wrong);
    if (taken == 0) return make_error(errc::bad_format, "solution", "at least one step", "none");
    if (pool.size() != 1 || pool[0] != target)
        return make_error(errc::mismatch, "solution", concat({to_string(target), " alone at the end"}), detail::list(pool));
    return {};
}

HENCE_NAMESPACE_END

#endif
