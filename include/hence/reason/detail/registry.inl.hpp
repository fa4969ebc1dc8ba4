// Definitions of reason/registry.hpp.
#ifndef HENCE_REASON_DETAIL_REGISTRY_INL_HPP
#define HENCE_REASON_DETAIL_REGISTRY_INL_HPP

#include "../../core/text.hpp"
#include "../registry.hpp"

#include <array>
#include <charconv>
#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace detail {

// The names of enumerators, in their order.
inline constexpr std::array vote_rule_names{"majority", "weighted", "confidence", "borda", "best"};
inline constexpr std::array measure_names{"mean", "tail", "bottom_tenth", "lowest"};
inline constexpr std::array order_names{"breadth_first", "depth_first"};
inline constexpr std::array choose_names{"greedy", "sample"};
inline constexpr std::array rule_names{"uct", "puct"};
inline constexpr std::array reward_names{"scorer", "agreement"};
inline constexpr std::array route_names{"vote", "best_of_n", "tree_of_thoughts", "monte_carlo_tree_search"};

inline const auto& names_of(vote_rule) { return vote_rule_names; }
inline const auto& names_of(verify::group_confidence::measure) { return measure_names; }
inline const auto& names_of(tree_of_thoughts::order) { return order_names; }
inline const auto& names_of(tree_of_thoughts::choose) { return choose_names; }
inline const auto& names_of(monte_carlo_tree_search::rule) { return rule_names; }
inline const auto& names_of(monte_carlo_tree_search::reward) { return reward_names; }
inline const auto& names_of(adaptive::route) { return route_names; }

/// What a value of a type looks like, for error messages.
template <class T>
std::string setting_kind(const T& value) {
    if constexpr (std::is_same_v<T, bool>) return "true or false";
    else if constexpr (std::is_integral_v<T>) return "a whole number of 0 or more";
    else if constexpr (std::is_floating_point_v<T>) return "a number";
    else if constexpr (std::is_enum_v<T>) {
        std::string list;
        for (const char* name : names_of(value)) list += concat({(list.empty() ? "" : ", "), name});
        return concat({"one of ", list});
    } else return "text";
}

template <class T>
result<void> read_setting(std::string_view text, T& into) {
    const auto refuse = [&] { return make_error(errc::invalid_argument, "", setting_kind(into), concat({"'", text, "'"})); };
    if constexpr (std::is_same_v<T, std::string>) {
        into = std::string(text);
    } else if constexpr (std::is_same_v<T, bool>) {
        if (text != "true" && text != "false" && text != "1" && text != "0") return refuse();
        into = text == "true" || text == "1";
    } else if constexpr (std::is_integral_v<T> || std::is_floating_point_v<T>) {
        T value{};
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failed != std::errc{} || end != text.data() + text.size()) return refuse();
        if constexpr (std::is_integral_v<T>) {
            if (value < 0) return refuse();
        } else if (!std::isfinite(value)) {
            return refuse();
        }
        into = value;
    } else if constexpr (std::is_enum_v<T>) {
        const auto& names = names_of(into);
        for (std::size_t i = 0; i < names.size(); ++i)
            if (text == names[i]) {
                into = static_cast<T>(i);
                return {};
            }
        return refuse();
    } else if constexpr (std::is_same_v<T, verifier>) {
        HENCE_TRY_ASSIGN(value, parse_verifier(text));
        into = std::move(value);
    } else {  // optional
        typename T::value_type value{};
        HENCE_TRY(read_setting(text, value));
        into = std::move(value);
    }
    return {};
}

inline std::string escape_setting(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == ',' || c == '|' || c == ';') out += '\\';
        out += c;
    }
    return out;
}

inline std::string unescape_setting(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            out += text[i] == 'n' ? '\n' : text[i];
        } else {
            out += text[i];
        }
    }
    return out;
}

/// The place of `mark` that no backslash stands before, or npos.
inline std::size_t find_unescaped(std::string_view text, char mark, std::size_t from = 0) {
    for (std::size_t i = from; i < text.size(); ++i) {
        if (text[i] == '\\') ++i;
        else if (text[i] == mark) return i;
    }
    return std::string_view::npos;
}

/// The name that parse_verifier() knows, or the label of a verifier that only a program can make.
inline std::string verifier_name(const verifier& v) {
    const std::string label = v.label();
    if (label == "probe") return "p_true";
    if (label == "arithmetic (exact)") return "arithmetic";
    if (label == "game24 (exact)") return "game24";
    if (const auto* p = std::get_if<verify::prompt>(&v.which())) return p->text.starts_with("check:") ? "check_calculation" : "value_24";
    return label;
}

template <class T>
std::string write_setting(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) return escape_setting(value);
    else if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
    else if constexpr (std::is_integral_v<T>) return decimal(value);
    else if constexpr (std::is_floating_point_v<T>) {
        std::array<char, 64> buffer{};
        const auto [end, failed] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
        return failed == std::errc{} ? std::string(buffer.data(), end) : std::string();
    } else if constexpr (std::is_enum_v<T>) return names_of(value)[static_cast<std::size_t>(value)];
    else if constexpr (std::is_same_v<T, verifier>) return escape_setting(verifier_name(value));
    else return value ? write_setting(*value) : std::string("unset");
}

template <class Strategy>
result<void> read_settings(std::string_view strategy, std::string_view settings, Strategy& into) {
    for (std::size_t at = 0; at < settings.size();) {
        const std::size_t end = std::min(find_unescaped(settings, ',', at), settings.size());
        const std::string_view setting = settings.substr(at, end - at);
        at = end + 1;
        if (setting.empty()) continue;
        const std::size_t equals = setting.find('=');
        const std::string_view key = setting.substr(0, equals);
        if (equals == std::string_view::npos)
            return make_error(errc::invalid_argument, concat({"strategy '", strategy, "'"}), "settings of the form key=value", concat({"'", setting, "'"}));
        const std::string value = unescape_setting(setting.substr(equals + 1));
        std::string known;
        bool found = false;
        std::optional<error> wrong;
        Strategy::fields(into, [&](const char* name, auto& field) {
            known += concat({(known.empty() ? "" : ", "), name});
            if (key != name || found) return;
            found = true;
            auto read = read_setting(std::string_view(value), field);
            if (!read) wrong = std::move(read).error();
        });
        if (wrong) {
            wrong->where = concat({"strategy '", strategy, "', setting '", key, "'", (wrong->where.empty() ? "" : " (" + wrong->where + ")")});
            return std::move(*wrong);
        }
        if (!found)
            return make_error(errc::invalid_argument, concat({"strategy '", strategy, "'"}), concat({"one of the settings ", known}), concat({"'", key, "'"}));
    }
    return {};
}

template <std::size_t I = 0>
result<any_strategy> make_named(std::string_view name, std::string_view settings) {
    if constexpr (I + 1 < std::variant_size_v<any_strategy::kind>) {
        using type = std::variant_alternative_t<I, any_strategy::kind>;
        if (name != type::strategy_name) return make_named<I + 1>(name, settings);
        type strategy{};
        HENCE_TRY(read_settings(name, settings, strategy));
        return any_strategy(std::move(strategy));
    } else {
        std::string known;
        for (const std::string& one : strategy_names()) known += (known.empty() ? "" : ", ") + one;
        return make_error(errc::invalid_argument, "strategy", concat({"one of ", known}), concat({"'", name, "'"}));
    }
}

inline result<any_strategy> parse_nested(std::string_view text, int depth) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const std::string_view rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    if (name != "fallback" && name != "mixture") return make_named(name, rest);
    if (depth > 0) return make_error(errc::invalid_argument, concat({"strategy '", name, "'"}), "members that are no chains themselves", concat({"'", text, "'"}));
    strategy_list list;
    std::vector<any_strategy> members;
    list.vote = name == "mixture";
    for (std::size_t at = 0; at <= rest.size();) {
        const std::size_t end = std::min(find_unescaped(rest, '|', at), rest.size());
        const std::string_view part = rest.substr(at, end - at);
        const bool own = at == 0 && part.find('=') != std::string_view::npos && part.substr(0, part.find('=')).find(':') == std::string_view::npos;
        at = end + 1;
        if (own) {
            HENCE_TRY(read_settings(name, part, list));
            continue;
        }
        if (part.empty()) continue;
        HENCE_TRY_ASSIGN(member, parse_nested(part, depth + 1));
        members.push_back(std::move(member));
    }
    if (members.empty())
        return make_error(errc::invalid_argument, concat({"strategy '", name, "'"}), concat({"members, as in '", name, ":direct|chain_of_thought'"}), "none");
    list.members = std::make_shared<const std::vector<any_strategy>>(std::move(members));
    return any_strategy(std::move(list));
}

}  // namespace detail

HENCE_INLINE any_strategy::any_strategy() : kind_(std::make_shared<const kind>(direct{})) {}

HENCE_INLINE std::string_view any_strategy::name() const {
    if (const auto* list = std::get_if<strategy_list>(kind_.get()); list != nullptr && list->vote) return "mixture";
    return std::visit([](const auto& s) -> std::string_view { return s.strategy_name; }, *kind_);
}

HENCE_INLINE result<any_strategy> parse_strategy(std::string_view text) { return detail::parse_nested(text, 0); }

HENCE_INLINE result<std::vector<any_strategy>> parse_strategies(std::string_view text) {
    std::vector<any_strategy> list;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(detail::find_unescaped(text, ';', at), text.size());
        const std::string_view one = text.substr(at, end - at);
        at = end + 1;
        if (one.find_first_not_of(" \n") == std::string_view::npos) continue;
        HENCE_TRY_ASSIGN(strategy, parse_strategy(one));
        list.push_back(std::move(strategy));
    }
    if (list.empty()) return make_error(errc::invalid_argument, "strategies", "at least one", "none");
    return list;
}

HENCE_INLINE std::vector<std::string> strategy_names() {
    std::vector<std::string> names;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (names.emplace_back(std::variant_alternative_t<I, any_strategy::kind>::strategy_name), ...);
    }(std::make_index_sequence<std::variant_size_v<any_strategy::kind> - 1>{});
    names.emplace_back("fallback");
    names.emplace_back("mixture");
    return names;
}

HENCE_INLINE std::string describe(const any_strategy& strategy) {
    std::string text(strategy.name());
    std::string settings;
    std::visit([&](const auto& s) {
        std::remove_cvref_t<decltype(s)>::fields(s, [&](const char* name, const auto& value) {
            const std::string written = detail::write_setting(value);
            if (written != "unset") settings += concat({(settings.empty() ? "" : ","), name, "=", written});
        });
    }, strategy.which());
    if (!settings.empty()) text += concat({":", settings});
    if (const auto* list = std::get_if<strategy_list>(&strategy.which()); list != nullptr && list->members)
        for (const any_strategy& member : *list->members) text += "|" + describe(member);
    return text;
}

HENCE_NAMESPACE_END

#endif
