// Definitions of reason/canonical.hpp.
#ifndef HENCE_REASON_DETAIL_CANONICAL_INL_HPP
#define HENCE_REASON_DETAIL_CANONICAL_INL_HPP

#include "../canonical.hpp"
#include "text_scan.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

namespace detail {

inline void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

/// The argument of a LaTeX command at `at`: a {group} or a single character; moves behind it.
inline std::string_view latex_argument(std::string_view text, std::size_t& at) {
    while (at < text.size() && text[at] == ' ') ++at;
    if (at >= text.size()) return {};
    if (text[at] != '{') {
        // A command as argument, as in \frac\pi2, is taken whole.
        std::size_t end = at + 1;
        if (text[at] == '\\')
            while (end < text.size() && is_letter(text[end])) ++end;
        const std::string_view one = text.substr(at, end - at);
        at = end;
        return one;
    }
    const std::size_t close = matching_brace(text, at);
    if (close == std::string_view::npos) {
        const std::string_view rest = text.substr(at + 1);
        at = text.size();
        return rest;
    }
    const std::string_view inside = text.substr(at + 1, close - at - 1);
    at = close + 1;
    return inside;
}

inline std::string grouped(std::string text) {
    const bool simple = text.find_first_not_of("0123456789.") == std::string::npos || text.size() == 1 ||
                        text.find_first_of("+-*/^ ,") == std::string::npos;
    return simple ? text : "(" + text + ")";
}

/// LaTeX to plain text: \frac{a}{b} to a/b, \text{..} to its content, spacing and \left away.
inline std::string plain(std::string_view text, int depth) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '$') {
            ++at;
            continue;
        }
        if (c != '\\' || depth > 32) {
            out += c;
            ++at;
            continue;
        }
        std::size_t end = ++at;
        while (end < text.size() && is_letter(text[end])) ++end;
        if (end == at) {  // \, \! \; \: \space are spacing; \( \[ delimit; \{ \% \$ \& are themselves
            if (at < text.size() && (text[at] == '{' || text[at] == '}' || text[at] == '%')) out += text[at];
            else if (at < text.size() && text[at] == '\\') out += ' ';
            ++at;
            continue;
        }
        const std::string_view command = text.substr(at, end - at);
        at = end;
        if (command == "frac" || command == "dfrac" || command == "tfrac" || command == "cfrac") {
            const std::string top = plain(latex_argument(text, at), depth + 1);
            const std::string bottom = plain(latex_argument(text, at), depth + 1);
            if (!out.empty() && is_digit(out.back())) out += ' ';  // a mixed number: 1\frac12
            out += grouped(top) + "/" + grouped(bottom);
        } else if (command == "sqrt") {
            if (at < text.size() && text[at] == '[') {
                const std::size_t close = std::min(text.find(']', at), text.size());
                out += "root" + std::string(text.substr(at + 1, close - at - 1));
                at = std::min(close + 1, text.size());
            } else {
                out += "sqrt";
            }
            out += "(" + plain(latex_argument(text, at), depth + 1) + ")";
        } else if (command == "text" || command == "mbox" || command == "textbf" || command == "mathrm" ||
                   command == "mathbf" || command == "boxed" || command == "fbox" || command == "textit" ||
                   command == "mathit" || command == "operatorname") {
            const std::string inside = plain(latex_argument(text, at), depth + 1);
            // "5\text{ cm}" and "5\text{cm}" are one: a word after a digit is a unit.
            if (!out.empty() && is_digit(out.back()) && !inside.empty() && is_letter(inside[0])) out += ' ';
            out += inside;
        } else if (command == "cdot" || command == "times") {
            out += '*';
        } else if (command == "div") {
            out += '/';
        } else if (command == "le" || command == "leq") {
            out += "<=";
        } else if (command == "ge" || command == "geq") {
            out += ">=";
        } else if (command == "left" || command == "right" || command == "big" || command == "Big" ||
                   command == "quad" || command == "qquad" || command == "displaystyle" || command == "degree") {
            while (at < text.size() && text[at] == ' ') ++at;
        } else {
            out += command;  // \pi, \infty, \cup ... keep their names
        }
    }
    return out;
}

/// Removes the commas that group thousands: digits on the left, exactly three (then no digit) on the right.
inline std::string without_thousands(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == ',' && at > 0 && is_digit(text[at - 1]) && group_of_three(text, at + 1)) continue;
        out += text[at];
    }
    return out;
}

/// A number that fills `text`, also as a mixed number "1 1/2".
inline std::optional<rational> whole_number(std::string_view text) {
    if (const auto number = parse_rational(text)) return number;
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find('/') == std::string_view::npos) return std::nullopt;
    const auto whole = parse_rational(text.substr(0, space));
    const auto part = parse_rational(trim(text.substr(space + 1)));
    const bool mixed = whole && part && whole->is_integer() && part->numerator > 0 &&
                       part->numerator < part->denominator && text.find('/') > space;
    if (!mixed) return std::nullopt;
    return whole->numerator < 0 || text[0] == '-' ? subtract(*whole, *part) : add(*whole, *part);
}

/// Strips what surrounds a value and says nothing about it.
inline std::string_view stripped(std::string_view text) {
    for (std::size_t size = text.size() + 1; size != text.size();) {
        size = text.size();
        text = trim(text);
        while (!text.empty() && (text.back() == '.' || text.back() == ',' || text.back() == ';' ||
                                 text.back() == ':' || text.back() == '!' || text.back() == '*'))
            text.remove_suffix(1);
        while (!text.empty() && (text.front() == ':' || text.front() == '*' || text.front() == '=' ||
                                 text.front() == '#'))
            text.remove_prefix(1);
        if (text.size() >= 2 && ((text.front() == '"' && text.back() == '"') ||
                                 (text.front() == '\'' && text.back() == '\'') ||
                                 (text.front() == '`' && text.back() == '`')))
            text = text.substr(1, text.size() - 2);
        // {50} and (B); "(1,2)" and "(a)(b)" keep theirs
        if (text.size() >= 2 && text.front() == '{' && matching_brace(text, 0) == text.size() - 1)
            text = text.substr(1, text.size() - 2);
        if (text.size() == 3 && text.front() == '(' && text.back() == ')') text = text.substr(1, 1);
    }
    return text;
}

}  // namespace detail

HENCE_INLINE canonical_form canonicalize(std::string_view answer) {
    canonical_form form;
    std::string text = detail::plain(answer, 0);
    for (const std::string_view sign : {"\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5"}) detail::replace_all(text, sign, "");
    detail::replace_all(text, "\xE2\x88\x92", "-");  // the minus sign and the no-break spaces of Unicode
    detail::replace_all(text, "\xC2\xA0", " ");
    detail::replace_all(text, "\xE2\x80\xAF", " ");
    detail::replace_all(text, "\xC2\xB0", "");
    detail::replace_all(text, "^circ", "");
    detail::replace_all(text, "^{circ}", "");
    detail::replace_all(text, "%", "");
    text = detail::without_thousands(detail::stripped(text));
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);

    // "x = 5": the value is on the right when the left is a single name.
    if (const std::size_t equals = text.find('='); equals != std::string::npos && text.find('=', equals + 1) == std::string::npos) {
        const std::string_view left = detail::trim(std::string_view(text).substr(0, equals));
        const bool name = !left.empty() && left.size() <= 3 && detail::is_letter(left[0]);
        if (name) text = std::string(detail::trim(std::string_view(text).substr(equals + 1)));
    }

    form.number = detail::whole_number(text);
    if (!form.number) {  // a number and its unit: "42 dollars", "5 cm^2"; words only, or it is a formula
        std::size_t end = 0;
        while (end < text.size() && (detail::is_digit(text[end]) || text[end] == '.' || text[end] == '/' ||
                                     ((text[end] == '-' || text[end] == '+') && end == 0)))
            ++end;
        std::string_view unit = std::string_view(text).substr(end);
        const bool spaced = !unit.empty() && unit[0] == ' ';
        unit = detail::trim(unit);
        const bool words = !unit.empty() && detail::is_letter(unit[0]) &&
                           unit.find_first_of("=+*()<>\\") == std::string_view::npos;
        if (end > 0 && words && (spaced || unit.size() > 1) && unit.find("sqrt") == std::string_view::npos &&
            !unit.starts_with("pi") && !unit.starts_with("root"))
            form.number = parse_rational(std::string_view(text).substr(0, end));
    }
    if (form.number) {
        form.text = to_string(*form.number);
        return form;
    }
    // Text keeps single spaces between words; a formula keeps none.
    const bool formula = text.find_first_of("0123456789+*/^=()[]{}<>") != std::string::npos;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!space) form.text += c;
        else if (!formula && !form.text.empty() && form.text.back() != ' ') form.text += ' ';
    }
    return form;
}

HENCE_NAMESPACE_END

#endif
