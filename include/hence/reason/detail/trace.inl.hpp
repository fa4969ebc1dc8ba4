// Definitions of reason/trace.hpp: JSON both ways, and Graphviz. The page is in trace_html.inl.hpp.
#ifndef HENCE_REASON_DETAIL_TRACE_INL_HPP
#define HENCE_REASON_DETAIL_TRACE_INL_HPP

#include "../../core/text.hpp"
#include "../../core/json.hpp"
#include "../../core/quote.hpp"
#include "../trace.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// Text as valid UTF-8: what is not becomes U+FFFD. JSON and HTML may hold nothing else.
inline std::string valid_utf8(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text.substr(at));
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            ++at;
        } else {
            out.append(text.substr(at, length));
            at += length;
        }
    }
    return out;
}

inline std::string hash_text(std::uint64_t hash) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
    const std::string text(digits.data(), end);
    return concat({std::string(16 - text.size(), '0'), text});
}

inline nlohmann::json finite_or_null(std::optional<double> value) {
    return value && std::isfinite(*value) ? nlohmann::json(*value) : nlohmann::json();
}

template <class T>
nlohmann::json value_or_null(const std::optional<T>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
}

inline constexpr std::array<std::string_view, 4> prompt_format_names{"automatic", "raw", "line", "chat"};

inline nlohmann::json sampling_document(const sampling& s) {
    nlohmann::json bias = nlohmann::json::array();
    for (const auto& [token, value] : s.logit_bias) bias.push_back({token, finite_or_null(static_cast<double>(value))});
    return {{"temperature", s.temperature},
            {"top_k", s.top_k},
            {"top_p", s.top_p},
            {"min_p", s.min_p},
            {"repetition_penalty", s.repetition_penalty},
            {"frequency_penalty", s.frequency_penalty},
            {"presence_penalty", s.presence_penalty},
            {"penalty_window", s.penalty_window},
            {"logit_bias", std::move(bias)}};
}

inline nlohmann::json trace_document(const trace& t) {
    nlohmann::json stop = nlohmann::json::array();
    for (const std::string& text : t.stop) stop.push_back(valid_utf8(text));
    nlohmann::json cuts = nlohmann::json::array();
    for (const cut_position& cut : t.cuts) cuts.push_back({{"stream", hash_text(cut.stream)}, {"tokens", cut.tokens}});
    nlohmann::json nodes = nlohmann::json::array();
    for (const trace_node& n : t.nodes)
        nodes.push_back({{"parent", n.parent == trace_node::none ? nlohmann::json() : nlohmann::json(n.parent)},
                         {"kind", valid_utf8(n.kind)},
                         {"text", valid_utf8(n.text)},
                         {"score", finite_or_null(n.score)},
                         {"tokens", n.tokens},
                         {"seconds", n.seconds},
                         {"why", valid_utf8(n.why)},
                         {"stream", hash_text(n.stream)},
                         {"chosen", n.chosen}});
    return {{"format", "hence trace 1"},
            {"model", valid_utf8(t.model)},
            {"question", valid_utf8(t.question)},
            {"strategy", valid_utf8(t.strategy)},
            {"seed", t.seed},
            {"max_tokens", t.max_tokens},
            {"sampling", sampling_document(t.sampling)},
            {"stop", std::move(stop)},
            {"prompt_format", prompt_format_names[static_cast<std::size_t>(t.format)]},
            {"system", valid_utf8(t.system)},
            {"extractor", valid_utf8(t.extractor)},
            {"cuts", std::move(cuts)},
            {"budget",
             {{"tokens", value_or_null(t.limit.tokens)},
              {"forwards", value_or_null(t.limit.forwards)},
              {"bytes", value_or_null(t.limit.bytes)},
              {"deadline_ns", t.limit.deadline ? nlohmann::json(t.limit.deadline->count()) : nlohmann::json()}}},
            {"text", valid_utf8(t.text)},
            {"answer", valid_utf8(t.value)},
            {"why", valid_utf8(t.why)},
            {"cut", t.cut},
            {"usage",
             {{"prompt_tokens", t.account.prompt_tokens},
              {"cached_tokens", t.account.cached_tokens},
              {"generated_tokens", t.account.generated_tokens},
              {"forced_tokens", t.account.forced_tokens},
              {"scored_tokens", t.account.scored_tokens},
              {"forwards", t.account.forwards},
              {"rows", t.account.rows},
              {"peak_kv_bytes", t.account.peak_kv_bytes}}},
            {"seconds", t.seconds},
            {"replay_hash", hash_text(t.replay_hash)},
            {"nodes", std::move(nodes)}};
}

/// Reads fields of an object and remembers the first that is missing or of another type.
class trace_reader {
public:
    trace_reader(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {}

    template <class T>
    void read(const char* key, T& into) {
        if (error_) return;
        const auto found = object_.find(key);
        if (found == object_.end()) {
            error_ = make_error(errc::missing, concat({where_, ".", key}), "a field");
            return;
        }
        if constexpr (std::is_same_v<T, std::string>) {
            if (!found->is_string()) return wrong(key, "a string");
            into = found->template get<std::string>();
        } else if constexpr (std::is_same_v<T, bool>) {
            if (!found->is_boolean()) return wrong(key, "true or false");
            into = found->template get<bool>();
        } else if constexpr (std::is_floating_point_v<T>) {
            if (!found->is_number()) return wrong(key, "a number");
            into = found->template get<T>();
        } else {
            if (!found->is_number_integer() || (std::is_unsigned_v<T> && !found->is_number_unsigned()))
                return wrong(key, std::is_unsigned_v<T> ? "a whole number of 0 or more" : "a whole number");
            into = found->template get<T>();
        }
    }
    template <class T>
    void read_optional(const char* key, std::optional<T>& into) {
        if (error_) return;
        const auto found = object_.find(key);
        if (found == object_.end() || found->is_null()) return;
        T value{};
        read(key, value);
        into = value;
    }
    void read_hash(const char* key, std::uint64_t& into) {
        std::string text;
        read(key, text);
        if (error_) return;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into, 16);
        if (failed != std::errc{} || end != text.data() + text.size()) wrong(key, "a hexadecimal number");
    }
    void wrong(const char* key, const char* expected) {
        if (!error_) error_ = make_error(errc::bad_format, concat({where_, ".", key}), expected, quote(object_[key].dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    }
    [[nodiscard]] result<void> done() const {
        if (error_) return *error_;
        return {};
    }

private:
    const nlohmann::json& object_;
    std::string where_;
    std::optional<error> error_;
};

inline result<void> read_sampling(const nlohmann::json& document, const std::string& where, sampling& s) {
    trace_reader reader(document, where);
    reader.read("temperature", s.temperature);
    reader.read("top_k", s.top_k);
    reader.read("top_p", s.top_p);
    reader.read("min_p", s.min_p);
    reader.read("repetition_penalty", s.repetition_penalty);
    reader.read("frequency_penalty", s.frequency_penalty);
    reader.read("presence_penalty", s.presence_penalty);
    reader.read("penalty_window", s.penalty_window);
    HENCE_TRY(reader.done());
    const auto bias = document.find("logit_bias");
    if (bias == document.end() || !bias->is_array()) return make_error(errc::missing, where + ".logit_bias", "a list");
    for (const nlohmann::json& one : *bias) {
        // A ban is minus infinity, which JSON has no number for.
        if (!one.is_array() || one.size() != 2 || !one[0].is_number_integer() || !(one[1].is_number() || one[1].is_null()))
            return make_error(errc::bad_format, where + ".logit_bias", "pairs of a token and a number or null", quote(one.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
        s.logit_bias.emplace_back(one[0].get<token_id>(), one[1].is_null() ? -std::numeric_limits<float>::infinity() : one[1].get<float>());
    }
    return {};
}

/// The settings of a run beside its strategy and its limits.
inline result<void> read_run_settings(const nlohmann::json& document, const std::string& where, trace& t) {
    if (!document.contains("sampling") || !document["sampling"].is_object()) return make_error(errc::missing, where + ".sampling", "an object");
    HENCE_TRY(read_sampling(document["sampling"], where + ".sampling", t.sampling));
    std::string format;
    trace_reader reader(document, where);
    reader.read("system", t.system);
    reader.read("extractor", t.extractor);
    reader.read("prompt_format", format);
    HENCE_TRY(reader.done());
    const auto known = std::find(prompt_format_names.begin(), prompt_format_names.end(), format);
    if (known == prompt_format_names.end()) return make_error(errc::bad_format, where + ".prompt_format", "automatic, raw, line or chat", quote(format));
    t.format = static_cast<prompt_format>(known - prompt_format_names.begin());
    for (const char* list : {"stop", "cuts"})
        if (!document.contains(list) || !document[list].is_array()) return make_error(errc::missing, where + "." + list, "a list");
    for (const nlohmann::json& one : document["stop"]) {
        if (!one.is_string()) return make_error(errc::bad_format, where + ".stop", "a list of strings");
        t.stop.push_back(one.get<std::string>());
    }
    for (const nlohmann::json& one : document["cuts"]) {
        const std::string place = where + ".cuts[" + std::to_string(t.cuts.size()) + "]";
        if (!one.is_object()) return make_error(errc::bad_format, place, "an object");
        cut_position cut;
        trace_reader fields(one, place);
        fields.read_hash("stream", cut.stream);
        fields.read("tokens", cut.tokens);
        HENCE_TRY(fields.done());
        t.cuts.push_back(cut);
    }
    return {};
}

inline std::string shortened(std::string_view text, std::size_t limit) {
    std::string out = valid_utf8(text);
    if (out.size() <= limit) return out;
    std::size_t cut = limit;
    while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0u) == 0x80u) --cut;  // not inside a character
    out.resize(cut);
    return concat({out, "..."});
}

inline std::string two_digits(double value) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, 3).ptr;
    return std::string(buffer.data(), end);
}

}  // namespace detail

HENCE_INLINE trace make_trace(std::string_view question, std::string_view strategy, const answer& a,
                              const reason_options& options, const budget& limit, std::string_view model,
                              std::string_view extractor) {
    trace t;
    t.model = std::string(model);
    t.question = std::string(question);
    t.strategy = std::string(strategy);
    t.seed = options.seed;
    t.max_tokens = options.max_tokens;
    t.sampling = options.sampling;
    t.stop = options.stop;
    t.format = options.format;
    t.system = options.system;
    t.extractor = std::string(extractor);
    t.limit = limit;
    t.cuts = a.cuts;
    t.text = a.text;
    t.value = a.value;
    t.why = a.why;
    t.cut = a.cut;
    t.account = a.account;
    t.seconds = a.seconds;
    t.replay_hash = a.replay_hash;
    t.nodes = a.trace;
    if (t.nodes.empty()) t.nodes.push_back({.kind = "question", .text = t.question, .why = {}});
    return t;
}

HENCE_INLINE std::string to_json(const trace& t) {
    return detail::trace_document(t).dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
}

HENCE_INLINE std::string to_dot(const trace& t) {
    const auto escaped = [](std::string_view text) {
        std::string out;
        for (const char c : detail::shortened(text, 160)) {
            if (c == '\n') {
                out += "\\l";
                continue;
            }
            if (c == '"' || c == '\\') out += '\\';
            if (static_cast<unsigned char>(c) >= 0x20) out += c;
        }
        return out;
    };
    std::string out = "digraph trace {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\", fontsize=10];\n";
    for (std::size_t i = 0; i < t.nodes.size(); ++i) {
        const trace_node& n = t.nodes[i];
        std::string label = concat({escaped(n.kind), "\\l", escaped(n.text), "\\l"});
        if (n.score) label += concat({"score ", detail::two_digits(*n.score), "\\l"});
        if (!n.why.empty()) label += concat({escaped(n.why), "\\l"});
        out += concat({"  n", i, " [label=\"", label, "\"", (n.chosen ? ", penwidth=2.5, color=\"#1a7f37\"" : ""), "];\n"});
        if (n.parent != trace_node::none)
            out += concat({"  n", n.parent, " -> n", i, (n.chosen ? " [penwidth=2.5, color=\"#1a7f37\"]" : ""), ";\n"});
    }
    return concat({out, "}\n"});
}

HENCE_INLINE result<trace> parse_trace(std::string_view json, const std::string& where) {
    HENCE_TRY_ASSIGN(document, parse_json(json, where));
    if (!document.is_object()) return make_error(errc::bad_format, where, "an object");
    trace t;
    std::string format;
    detail::trace_reader top(document, where);
    top.read("format", format);
    HENCE_TRY(top.done());
    if (format != "hence trace 1") return make_error(errc::unsupported, concat({where, ".format"}), "'hence trace 1'", quote(format));
    top.read("model", t.model);
    top.read("question", t.question);
    top.read("strategy", t.strategy);
    top.read("seed", t.seed);
    top.read("max_tokens", t.max_tokens);
    top.read("text", t.text);
    top.read("answer", t.value);
    top.read("why", t.why);
    top.read("cut", t.cut);
    top.read("seconds", t.seconds);
    top.read_hash("replay_hash", t.replay_hash);
    HENCE_TRY(top.done());
    HENCE_TRY(detail::read_run_settings(document, where, t));
    for (const char* part : {"budget", "usage"})
        if (!document.contains(part) || !document[part].is_object()) return make_error(errc::missing, concat({where, ".", part}), "an object");
    detail::trace_reader limits(document["budget"], concat({where, ".budget"}));
    limits.read_optional("tokens", t.limit.tokens);
    limits.read_optional("forwards", t.limit.forwards);
    limits.read_optional("bytes", t.limit.bytes);
    std::optional<std::int64_t> deadline;
    limits.read_optional("deadline_ns", deadline);
    HENCE_TRY(limits.done());
    if (deadline) t.limit.deadline = std::chrono::nanoseconds(*deadline);
    detail::trace_reader usage(document["usage"], concat({where, ".usage"}));
    usage.read("prompt_tokens", t.account.prompt_tokens);
    usage.read("cached_tokens", t.account.cached_tokens);
    usage.read("generated_tokens", t.account.generated_tokens);
    usage.read("forced_tokens", t.account.forced_tokens);
    usage.read("scored_tokens", t.account.scored_tokens);
    usage.read("forwards", t.account.forwards);
    usage.read("rows", t.account.rows);
    usage.read("peak_kv_bytes", t.account.peak_kv_bytes);
    HENCE_TRY(usage.done());
    if (!document.contains("nodes") || !document["nodes"].is_array() || document["nodes"].empty())
        return make_error(errc::missing, concat({where, ".nodes"}), "a list of at least one node");
    for (const nlohmann::json& one : document["nodes"]) {
        const std::string place = concat({where, ".nodes[", t.nodes.size(), "]"});
        if (!one.is_object()) return make_error(errc::bad_format, place, "an object");
        trace_node n;
        detail::trace_reader reader(one, place);
        std::optional<std::size_t> parent;
        reader.read_optional("parent", parent);
        reader.read("kind", n.kind);
        reader.read("text", n.text);
        reader.read_optional("score", n.score);
        reader.read("tokens", n.tokens);
        reader.read("seconds", n.seconds);
        reader.read("why", n.why);
        reader.read_hash("stream", n.stream);
        reader.read("chosen", n.chosen);
        HENCE_TRY(reader.done());
        if (parent ? *parent >= t.nodes.size() : !t.nodes.empty())
            return make_error(errc::out_of_range, concat({place, ".parent"}), "an earlier node", parent ? std::to_string(*parent) : "null");
        if (parent) n.parent = *parent;
        t.nodes.push_back(std::move(n));
    }
    return t;
}

HENCE_INLINE std::string first_difference(const trace& recorded, const trace& again) {
    const std::size_t both = std::min(recorded.nodes.size(), again.nodes.size());
    for (std::size_t i = 0; i < both; ++i) {
        const trace_node& a = recorded.nodes[i];
        const trace_node& b = again.nodes[i];
        const std::string place = concat({"node ", i, " (", a.kind, ")"});
        if (a.kind != b.kind || a.parent != b.parent || a.stream != b.stream) return concat({place, ": another step of the strategy was taken"});
        if (detail::valid_utf8(a.text) != detail::valid_utf8(b.text)) {
            const auto [x, y] = std::mismatch(a.text.begin(), a.text.begin() + static_cast<std::ptrdiff_t>(std::min(a.text.size(), b.text.size())), b.text.begin());
            const auto at = static_cast<std::size_t>(x - a.text.begin());
            (void)y;
            return concat({place, ": text differs from byte ", at, ": recorded ", quote(std::string_view(a.text).substr(at), 40), ", now ", quote(std::string_view(b.text).substr(at), 40)});
        }
        if (a.tokens != b.tokens) return place + ": " + std::to_string(a.tokens) + " tokens recorded, now " + std::to_string(b.tokens);
        if (a.why != b.why) return concat({place, ": it ended by ", quote(a.why), ", now by ", quote(b.why)});
    }
    if (recorded.nodes.size() != again.nodes.size())
        return "after node " + std::to_string(both) + ": " + std::to_string(recorded.nodes.size()) + " nodes recorded, now " + std::to_string(again.nodes.size());
    return {};
}

HENCE_NAMESPACE_END

#include "trace_html.inl.hpp"

#endif
