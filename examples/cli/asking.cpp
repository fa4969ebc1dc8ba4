// Definitions of asking.hpp.
#include "asking.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace tool {

namespace {

// The place of `mark` that no backslash stands before, or the end.
std::size_t find_unescaped(std::string_view text, char mark, std::size_t from = 0) {
    for (std::size_t i = from; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == mark)
            return i;
    }
    return text.size();
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
    return text;
}

template <class T>
T number(std::string_view key, std::string_view text, T least, const char* option) {
    T value{};
    const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (trouble != std::errc() || end != text.data() + text.size() || !(value >= least))
        throw usage_error(std::string(option) + ": " + std::string(key) + ": expected a number of " +
                          std::to_string(least) + " or more, found " + hence::quote(text));
    return value;
}

// Takes the run's own settings out of a strategy's; what is left is the strategy's.
std::string take_run_settings(std::string_view settings, way& into, const char* option) {
    std::string rest;
    for (std::size_t at = 0; at < settings.size();) {
        const std::size_t end = find_unescaped(settings, ',', at);
        const std::string_view one = settings.substr(at, end - at);
        at = end + 1;
        const std::size_t equals = std::min(one.find('='), one.size());
        const std::string_view key = one.substr(0, equals);
        const std::string_view value = one.substr(std::min(one.size(), equals + 1));
        if (key == "max_tokens")
            into.max_tokens = number<std::size_t>(key, value, 1, option);
        else if (key == "temp")
            into.temperature = number<float>(key, value, 0, option);
        else if (key == "budget_tokens")
            into.limit.tokens = number<std::int64_t>(key, value, 0, option);
        else if (key == "budget_forwards")
            into.limit.forwards = number<std::int64_t>(key, value, 0, option);
        else if (key == "label") {
            into.label.clear();
            for (std::size_t i = 0; i < value.size(); ++i)
                into.label += value[i] == '\\' && i + 1 < value.size() ? value[++i] : value[i];
            into.labelled = true;
        } else
            rest.append(rest.empty() ? "" : ",").append(one);
    }
    return rest;
}

}  // namespace

hence::reason_options way::options(hence::reason_options all) const {
    if (max_tokens) all.max_tokens = *max_tokens;
    if (temperature) all.sampling.temperature = *temperature;
    return all;
}

bool way::draws_independently() const {
    if (shared) return false;
    for (const char* name : {"self_consistency", "adaptive_consistency", "early_stopping_self_consistency",
                             "deep_confidence", "best_of_n"})
        if (strategy.name() == name) return true;
    return false;
}

bool way::uses_exact_checker() const {
    if (shared) return false;
    const std::string settings = hence::describe(strategy);
    for (const char* name : {"scorer=game24", "scorer=arithmetic", "accept=game24", "accept=arithmetic"})
        if (settings.find(name) != std::string::npos) return true;
    return false;
}

std::vector<way> parse_ways(std::string_view text, const char* option) {
    std::vector<way> list;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = find_unescaped(text, ';', at);
        const std::string_view one = trimmed(text.substr(at, end - at));
        at = end + 1;
        if (one.empty()) continue;
        way next;
        next.text = next.label = std::string(one);
        const std::size_t bar = find_unescaped(one, '|');
        const std::string_view head = one.substr(0, bar);
        const std::size_t colon = std::min(head.find(':'), head.size());
        std::string plain(head.substr(0, colon));
        if (colon < head.size()) {
            const std::string rest = take_run_settings(head.substr(colon + 1), next, option);
            if (!rest.empty() || bar < one.size()) plain += ":" + rest;
        }
        plain.append(one.substr(bar));
        next.strategy = parsed(hence::parse_strategy(plain), option);
        list.push_back(std::move(next));
    }
    if (list.empty())
        throw usage_error(std::string(option) + ": expected at least one strategy, found none; there are " +
                          strategy_list());
    return list;
}

hence::budget parse_budget(std::string_view text) {
    hence::budget limit;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        const std::size_t equals = item.find('=');
        const std::string key(item.substr(0, equals));
        const std::string_view value = equals == std::string_view::npos ? std::string_view() : item.substr(equals + 1);
        std::int64_t number = 0;
        const auto [end, trouble] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (trouble != std::errc() || end != value.data() + value.size() || number < 0)
            throw usage_error("--budget: " + key + ": expected a whole number that is not negative, found " +
                              hence::quote(value));
        if (key == "tokens")
            limit.tokens = number;
        else if (key == "forwards")
            limit.forwards = number;
        else if (key == "bytes")
            limit.bytes = number;
        else if (key == "ms") {
            // A century is as good as no limit and fits into nanoseconds.
            limit.deadline = std::chrono::milliseconds(std::min<std::int64_t>(number, 3'000'000'000'000));
        } else
            throw usage_error("--budget: there is no limit " + hence::quote(key) +
                              "; there are tokens, forwards, bytes, ms");
    }
    return limit;
}

hence::prompt_format parse_format(const std::string& name) {
    for (std::size_t i = 0; i < std::size(format_names); ++i)
        if (name == format_names[i]) return static_cast<hence::prompt_format>(i);
    return hence::prompt_format::automatic;
}

nlohmann::json number_or_null(double value) {
    return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

std::string strategy_list() {
    std::string names;
    for (const std::string& name : hence::strategy_names()) names += (names.empty() ? "" : ", ") + name;
    return names;
}

}  // namespace tool
