// Definitions of reason/extractor.hpp.
#ifndef HENCE_REASON_DETAIL_EXTRACTOR_INL_HPP
#define HENCE_REASON_DETAIL_EXTRACTOR_INL_HPP

#include "../extractor.hpp"
#include "text_scan.hpp"

HENCE_NAMESPACE_BEGIN

namespace detail {

inline std::optional<std::string> present(std::string_view text) {
    text = trim(text);
    if (text.empty()) return std::nullopt;
    return std::string(text);
}

/// The end of the unsigned number at `at`, or `at` when there is none: 1,234.5 and 3/4 are one each.
inline std::size_t number_end(std::string_view text, std::size_t at) {
    std::size_t end = at;
    const auto digits = [&] {
        while (end < text.size() && is_digit(text[end])) ++end;
    };
    digits();
    if (end > at && end - at <= 3)
        while (end < text.size() && text[end] == ',' && group_of_three(text, end + 1)) end += 4;
    if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
        ++end;
        digits();
    } else if (end > at && end + 1 < text.size() && text[end] == '/' && is_digit(text[end + 1])) {
        ++end;
        digits();
    }
    return end;
}

}  // namespace detail

HENCE_INLINE std::optional<std::string> extract::last_number::operator()(std::string_view text) const {
    std::size_t first = 0;
    std::size_t last = 0;
    for (std::size_t at = 0; at < text.size();) {
        const bool begins = detail::is_digit(text[at]) ||
                            (text[at] == '.' && at + 1 < text.size() && detail::is_digit(text[at + 1]));
        const std::size_t end = begins ? detail::number_end(text, at) : at;
        if (end == at) {
            ++at;
            continue;
        }
        first = at;
        last = end;
        // A minus is a sign unless an operand stands before it: "= -9", "(-9", but not "51-9" or "x - 9".
        if (first > 0 && text[first - 1] == '-') {
            std::size_t before = first - 1;
            while (before > 0 && text[before - 1] == ' ') --before;
            const char c = before > 0 ? text[before - 1] : '\n';
            const bool spaced_list = before < first - 1 && c != ')' && !detail::is_digit(c);
            if (spaced_list || !(detail::is_digit(c) || detail::is_letter(c) || c == ')' || c == '-')) --first;
        }
        at = end;
    }
    if (last == first) return std::nullopt;
    return std::string(text.substr(first, last - first));
}

HENCE_INLINE std::optional<std::string> extract::after_marker::operator()(std::string_view text) const {
    const std::size_t at = detail::rfind_ignoring_case(text, marker);
    if (at == std::string_view::npos || marker.empty()) return std::nullopt;
    std::string_view rest = text.substr(at + marker.size());
    for (std::size_t size = rest.size() + 1; size != rest.size();) {
        size = rest.size();
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t' || rest.front() == ':' ||
                                 rest.front() == '=' || rest.front() == '*'))
            rest.remove_prefix(1);
        if (rest.starts_with("is ") || rest.starts_with("is:")) rest.remove_prefix(2);
    }
    rest = detail::trim(rest.substr(0, rest.find('\n')));
    while (!rest.empty() && (rest.back() == '.' || rest.back() == '*')) rest.remove_suffix(1);
    return detail::present(rest);
}

HENCE_INLINE std::optional<std::string> extract::choice::operator()(std::string_view text) const {
    const auto letter = [&](std::size_t at) { return at < text.size() && letters.find(text[at]) != std::string::npos; };
    const auto alone = [&](std::size_t at) {
        const auto part_of_word = [&](char c) { return detail::is_letter(c) || detail::is_digit(c) || c == '\''; };
        return letter(at) && (at == 0 || !part_of_word(text[at - 1])) &&
               (at + 1 >= text.size() || !part_of_word(text[at + 1]));
    };
    if (const std::size_t marker = detail::rfind_ignoring_case(text, "answer"); marker != std::string_view::npos)
        for (std::size_t at = marker; at < text.size() && text[at] != '\n'; ++at)
            // "answer is a ..." names no choice when letters are capitals; the test is exact about case
            if (alone(at)) return std::string(1, text[at]);
    for (std::size_t at = text.size(); at-- > 1;)
        if (letter(at) && text[at - 1] == '(' && at + 1 < text.size() && text[at + 1] == ')')
            return std::string(1, text[at]);
    for (std::size_t at = text.size(); at-- > 0;)
        if (alone(at)) return std::string(1, text[at]);
    return std::nullopt;
}

HENCE_INLINE std::optional<std::string> extract::boxed::operator()(std::string_view text) const {
    // A text full of boxes that never close must not cost a scan to its end for each.
    std::size_t limit = text.size();
    for (int attempt = 0; attempt < 64 && limit > 0; ++attempt) {
        const std::size_t box = text.rfind("boxed", limit - 1);
        const std::size_t frame = text.rfind("\\fbox", limit - 1);
        std::size_t at = std::string_view::npos;
        if (box != std::string_view::npos) at = box;
        if (frame != std::string_view::npos && (at == std::string_view::npos || frame > at)) at = frame;
        if (at == std::string_view::npos) return std::nullopt;
        const std::size_t open = at + 5;  // both names end five characters on
        if (open < text.size() && text[open] == '{') {
            const std::size_t close = detail::matching_brace(text, open);
            if (close != std::string_view::npos) return detail::present(text.substr(open + 1, close - open - 1));
        } else if (open + 1 < text.size() && text[open] == ' ') {  // \boxed 5
            const std::size_t end = text.find_first_of(" $\n.", open + 1);
            return detail::present(text.substr(open + 1, end == std::string_view::npos ? end : end - open - 1));
        }
        limit = at;
    }
    return std::nullopt;
}

HENCE_INLINE std::optional<std::string> extract::matching::operator()(std::string_view text) const {
    const auto match = last ? pattern.search_last(text) : pattern.search(text);
    if (!match) return std::nullopt;
    if (const auto wanted = match->group(text, group)) return detail::present(*wanted);
    for (std::size_t i = 1; i <= pattern.groups(); ++i)
        if (const auto other = match->group(text, i)) return detail::present(*other);
    return detail::present(*match->group(text, 0));
}

HENCE_INLINE std::optional<std::string> extract::last_line::operator()(std::string_view text) const {
    text = detail::trim(text);
    const std::size_t line = text.rfind('\n');
    return detail::present(line == std::string_view::npos ? text : text.substr(line + 1));
}

HENCE_INLINE std::optional<std::string> extract::whole_text::operator()(std::string_view text) const {
    return detail::present(text);
}

HENCE_INLINE std::optional<std::string> extract::automatic::operator()(std::string_view text) const {
    if (auto found = boxed{}(text)) return found;
    if (auto found = after_marker{.marker = "####"}(text)) return found;
    if (auto found = after_marker{.marker = "answer"}(text)) return found;
    return last_number{}(text);
}

HENCE_INLINE result<any_extractor> parse_extractor(std::string_view name) {
    const std::size_t colon = name.find(':');
    const std::string_view kind = name.substr(0, colon);
    const std::string argument(colon == std::string_view::npos ? std::string_view{} : name.substr(colon + 1));
    if (kind == "regex") {
        HENCE_TRY_ASSIGN(pattern, regex::compile(argument));
        const std::size_t group = pattern.groups() > 0 ? 1 : 0;
        return any_extractor(extract::matching{.pattern = std::move(pattern), .group = group, .last = true});
    }
    if (kind == "after_marker")
        return any_extractor(argument.empty() ? extract::after_marker{} : extract::after_marker{argument});
    if (kind == "choice") return any_extractor(argument.empty() ? extract::choice{} : extract::choice{argument});
    if (argument.empty()) {
        if (kind == "automatic") return any_extractor(extract::automatic{});
        if (kind == "last_number") return any_extractor(extract::last_number{});
        if (kind == "boxed") return any_extractor(extract::boxed{});
        if (kind == "last_line") return any_extractor(extract::last_line{});
        if (kind == "whole_text") return any_extractor(extract::whole_text{});
    }
    return make_error(errc::invalid_argument, "extractor",
                      "automatic, last_number, after_marker[:MARKER], choice[:LETTERS], boxed, last_line, "
                      "whole_text or regex:PATTERN",
                      "'" + std::string(name) + "'");
}

HENCE_NAMESPACE_END

#endif
