// Definitions of reason/verifier.hpp.
#ifndef HENCE_REASON_DETAIL_VERIFIER_INL_HPP
#define HENCE_REASON_DETAIL_VERIFIER_INL_HPP

#include "../../core/text.hpp"
#include "../expression.hpp"
#include "../statistics.hpp"
#include "../verifier.hpp"
#include "text_scan.hpp"

#include <cmath>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE double detail::yes_share(double log_yes, double log_no) {
    // Logistic of the difference: no underflow however unlikely both are.
    if (std::isinf(log_yes) && std::isinf(log_no)) return 0.5;
    return 1.0 / (1.0 + std::exp(log_no - log_yes));
}

HENCE_INLINE void detail::state_prompts::add(std::string_view text, const any_extractor& state, std::string_view question,
                                             std::string_view item) {
    const auto found = state(item);
    if (!found) {
        place.push_back(none);
        return;
    }
    const std::pair<std::string_view, std::string_view> values[] = {
        {"state", *found}, {"question", verify::task_argument(question)}, {"text", item}};
    std::string filled = fill(text, values);
    std::size_t at = 0;
    while (at < distinct.size() && distinct[at] != filled) ++at;
    if (at == distinct.size()) distinct.push_back(std::move(filled));
    place.push_back(at);
}

HENCE_INLINE double detail::word_value(std::string_view judgement, std::span<const std::pair<std::string, double>> words) {
    const auto line = extract::last_line{}(judgement);
    if (!line) return 0;
    for (const auto& [word, value] : words)
        if (line->size() >= word.size() && std::string_view(*line).ends_with(word)) return value;
    return 0;
}

HENCE_INLINE std::string_view verify::task_argument(std::string_view question) {
    const std::size_t colon = question.find(':');
    return detail::trim(colon == std::string_view::npos ? question : question.substr(colon + 1));
}

HENCE_INLINE result<void> verify::solves_24(std::string_view question, std::string_view text) {
    HENCE_TRY_ASSIGN(numbers, parse_numbers(task_argument(question)));
    if (numbers.empty()) return make_error(errc::bad_format, "question", "the numbers of a puzzle", "none");
    text = detail::trim(text);
    if (const std::size_t at = detail::rfind_ignoring_case(text, "answer:"); at != std::string_view::npos) {
        const std::string_view rest = text.substr(at + 7);
        return check_24(detail::trim(rest.substr(0, rest.find('\n'))), numbers);
    }
    // An attempt in steps has a line "a-b=c"; anything else is one expression, perhaps with "= 24" after it.
    const std::string_view first = text.substr(0, text.find('\n'));
    const std::size_t equals = first.find('=');
    const auto left = evaluate(first.substr(0, equals));
    const bool steps = equals != std::string_view::npos && left && left->numbers.size() == 2 && numbers.size() > 2;
    return steps ? check_24_steps(text, numbers) : check_24(first, numbers);
}

HENCE_INLINE verify::check verify::game24() {
    return {.label = "game24 (exact)",
            .function = [](std::string_view question, std::string_view text) -> result<double> {
                HENCE_TRY_ASSIGN(numbers, parse_numbers(task_argument(question)));
                return numbers.empty() || !solves_24(question, text) ? 0.0 : 1.0;
            }};
}

HENCE_INLINE verify::check verify::arithmetic(any_extractor find) {
    return {.label = "arithmetic (exact)",
            .function = [find = std::move(find)](std::string_view question, std::string_view text) -> result<double> {
                HENCE_TRY_ASSIGN(truth, evaluate(task_argument(question)));
                const auto found = find(text);
                return found && canonicalize(*found).number == truth.value ? 1.0 : 0.0;
            }};
}

HENCE_INLINE verify::prompt verify::value_24() {
    // Compiled from a literal that is known to be good: value() cannot fail.
    return {.text = "value: {state}\n",
            .state = extract::matching{.pattern = regex::compile("(?:\\(([0-9 ]+)\\)|=([0-9]+))\\s*(?:ok)?\\s*$").value(), .group = 1, .last = true},
            .yes = "sure",
            .no = "never",
            .stateless = 0};
}

HENCE_INLINE verify::prompt verify::check_calculation(any_extractor find) {
    return {.text = "check: {question}={state}\n", .state = std::move(find), .yes = "right", .no = "wrong", .stateless = 0};
}

HENCE_INLINE std::string verifier::label() const {
    struct visitor {
        std::string operator()(const verify::log_probability&) const { return "log_probability"; }
        std::string operator()(const verify::self_certainty&) const { return "self_certainty"; }
        std::string operator()(const verify::group_confidence&) const { return "group_confidence"; }
        std::string operator()(const verify::probe&) const { return "probe"; }
        std::string operator()(const verify::prompt&) const { return "prompt"; }
        std::string operator()(const verify::judge&) const { return "judge"; }
        std::string operator()(const verify::forced_answer&) const { return "forced_answer"; }
        std::string operator()(const verify::check& c) const { return c.label; }
    };
    return std::visit(visitor{}, kind_);
}

HENCE_INLINE void verifier::prepare(until& limits) const {
    if (std::holds_alternative<verify::log_probability>(kind_)) limits.log_probabilities = true;
    if (std::holds_alternative<verify::self_certainty>(kind_)) limits.self_certainty = true;
    if (const auto* g = std::get_if<verify::group_confidence>(&kind_)) limits.confidence_top_k = g->top_k;
}

HENCE_INLINE result<double> verifier::recorded(std::span<const token_statistics> statistics) const {
    std::vector<float> values;
    const auto* const group = std::get_if<verify::group_confidence>(&kind_);
    for (const token_statistics& s : statistics) {
        const float value = group != nullptr ? s.confidence
                            : std::holds_alternative<verify::self_certainty>(kind_) ? s.self_certainty
                                                                                    : s.log_probability;
        if (!s.forced && !std::isnan(value)) values.push_back(value);
    }
    // Nothing drawn is nothing to be sure of: the lowest finite score, not an error.
    if (values.empty()) return group != nullptr || std::holds_alternative<verify::self_certainty>(kind_) ? 0.0 : -1e9;
    if (group != nullptr) switch (group->how) {
            case verify::group_confidence::measure::mean: break;
            case verify::group_confidence::measure::tail: return statistics::tail_mean(values, group->window);
            case verify::group_confidence::measure::bottom_tenth: return statistics::bottom_groups(values, group->window);
            case verify::group_confidence::measure::lowest: return statistics::lowest_group(values, group->window);
        }
    const double mean = statistics::tail_mean(values, values.size());
    if (!std::isfinite(mean)) return make_error(errc::not_a_number, concat({"verifier '", label(), "'"}), "a finite score", decimal(mean));
    return mean;
}

HENCE_INLINE result<double> verifier::checked(const verify::check& c, std::string_view question,
                                              std::string_view text) const {
    if (!c.function) return make_error(errc::invalid_argument, concat({"verifier '", c.label, "'"}), "a function", "none");
    const auto judged = [&]() -> result<double> {
#if HENCE_EXCEPTIONS
        try {
            return c.function(question, text);
        } catch (const std::exception& thrown) {
            return make_error(errc::invalid_argument, concat({"verifier '", c.label, "'"}), "a score", concat({"an exception: ", thrown.what()}));
        } catch (...) {
            return make_error(errc::invalid_argument, concat({"verifier '", c.label, "'"}), "a score", "an exception");
        }
#else
        return c.function(question, text);
#endif
    }();
    if (judged && !std::isfinite(*judged))
        return make_error(errc::not_a_number, concat({"verifier '", c.label, "'"}), "a finite score", decimal(*judged));
    return judged;
}

HENCE_INLINE result<verifier> parse_verifier(std::string_view name) {
    if (name == "log_probability") return verifier(verify::log_probability{});
    if (name == "self_certainty") return verifier(verify::self_certainty{});
    if (name == "group_confidence") return verifier(verify::group_confidence{});
    if (name == "p_true") return verifier(verify::probe{});
    if (name == "forced_answer") return verifier(verify::forced_answer{});
    if (name == "value_24") return verifier(verify::value_24());
    if (name == "check_calculation") return verifier(verify::check_calculation());
    if (name == "arithmetic") return verifier(verify::arithmetic());
    if (name == "game24") return verifier(verify::game24());
    return make_error(errc::invalid_argument, "verifier",
                      "log_probability, self_certainty, group_confidence, p_true, forced_answer, value_24, check_calculation, "
                      "arithmetic or game24",
                      concat({"'", name, "'"}));
}

HENCE_NAMESPACE_END

#endif
