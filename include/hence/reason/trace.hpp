// trace: a run of a strategy as a tree that can be kept, looked at, and run again.
//
// reason_options::trace makes an answer carry its nodes; make_trace() puts the question and the settings
// beside them. It is written as JSON (which parse_trace() reads back), as a Graphviz graph, and as one HTML
// page without outside parts that a person can open and explore. replay() runs a trace again and says where
// the new run departs, if it does.
#ifndef HENCE_REASON_TRACE_HPP
#define HENCE_REASON_TRACE_HPP

#include "answer.hpp"
#include "reason.hpp"

#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

struct trace {
    std::string model;              ///< a name, for people
    std::string question;
    std::string strategy;           ///< as parse_strategy() reads it
    std::uint64_t seed = 0;
    std::size_t max_tokens = 256;
    hence::sampling sampling = {};  ///< the seed above stands for its seed
    std::vector<std::string> stop;
    prompt_format format = prompt_format::automatic;
    std::string system;
    std::string extractor;          ///< as parse_extractor() reads it; empty where only the program knows it
    hence::budget limit = {};       ///< a deadline is kept for people; a replay goes by `cuts`
    std::vector<cut_position> cuts; ///< where the budget ended branches
    std::string text;               ///< the answer's text
    std::string value;
    std::string why;
    bool cut = false;
    hence::account account = {};
    double seconds = 0;
    std::uint64_t replay_hash = 0;
    std::vector<trace_node> nodes;  ///< parents before children; node 0 is the question
};

/// Puts an answer's tree together with what led to it.
/// @shape none
/// @errors none; an answer without a trace gives the question alone
/// @source none
[[nodiscard]] trace make_trace(std::string_view question, std::string_view strategy, const answer& a,
                               const reason_options& options = {}, const budget& limit = {}, std::string_view model = {},
                               std::string_view extractor = {});

/// @shape none
/// @errors none: text that is not UTF-8 is written with replacement characters
/// @source none
[[nodiscard]] std::string to_json(const trace& t);

/// A Graphviz graph: `dot -Tsvg`.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string to_dot(const trace& t);

/// One HTML page that needs nothing but a browser: the tree with scores, tokens, times and reasons, the chosen
/// path marked, branches that open and close, and a filter.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string to_html(const trace& t);

/// Reads what to_json() writes.
/// @shape none
/// @errors bad_format, missing or mismatch, naming the field; out_of_range: a parent that is no earlier node
/// @source none
[[nodiscard]] result<trace> parse_trace(std::string_view json, const std::string& where = "trace");

/// What a replay found.
struct replay_result {
    bool same = false;       ///< the hashes are equal
    std::string departs;     ///< where the runs part, in words; empty when they do not
    answer again;            ///< the new run
};

/// Where two traces part: the first node that differs, in words; empty when none does.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string first_difference(const trace& recorded, const trace& again);

/// Runs a recorded trace again on an engine. `strategy` is parse_strategy(t.strategy), or the object that was
/// used. All settings are taken from the record but the extractor, which is that of `options`.
/// @shape none
/// @errors those of try_reason()
/// @source none
template <reasoning_engine Engine, strategy_for<Engine> Strategy>
[[nodiscard]] result<replay_result> replay(Engine& engine, const trace& t, const Strategy& strategy, reason_options options = {}) {
    options.seed = t.seed;
    options.sampling = t.sampling;
    options.max_tokens = t.max_tokens;
    options.stop = t.stop;
    options.format = t.format;
    options.system = t.system;
    options.trace = true;
    budget limit = t.limit;
    // A clock does not strike twice at the same token: what it cut is cut by position.
    if (limit.deadline) options.cuts = t.cuts;
    limit.deadline.reset();
    HENCE_TRY_ASSIGN(a, try_reason(engine, t.question, strategy, limit, options));
    replay_result out;
    out.same = a.replay_hash == t.replay_hash;
    if (!out.same) {
        out.departs = first_difference(t, make_trace(t.question, t.strategy, a, options, limit));
        if (out.departs.empty()) out.departs = "in a branch that is no node of the trace, such as a probe";
    }
    out.again = std::move(a);
    return out;
}

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/trace.inl.hpp"
#endif

#endif
