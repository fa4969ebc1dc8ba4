// hence reason: one question, one strategy, one budget, one answer.
#include "asking.hpp"

#include <hence/reason/trace.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>

namespace tool {

namespace {

struct options : model_options, sampling_options {
    std::string question;
    bool asked = false;  // --question was given, be it empty
    std::string strategy = "self_consistency";
    std::string limit;
    std::string extractor = "automatic";
    std::string format = "automatic";
    std::string system;
    std::string trace;
    std::string replay;
    std::size_t batch = 0;
    bool json = false;
};

nlohmann::json to_json(const options& o, const hence::any_strategy& strategy, const hence::answer& answer) {
    nlohmann::json votes = nlohmann::json::array();
    for (const hence::vote& one : answer.votes) votes.push_back({{"value", one.value}, {"count", one.count}, {"weight", number_or_null(one.weight)}});
    nlohmann::json candidates = nlohmann::json::array();
    for (const hence::candidate& one : answer.candidates)
        candidates.push_back({{"sample", one.sample}, {"text", one.text}, {"answer", one.value}, {"tokens", one.tokens}, {"finish", hence::name(one.finish)},
                              {"score", one.score ? number_or_null(*one.score) : nlohmann::json()}});
    return {{"model", o.name()},
            {"question", o.question},
            {"strategy", hence::describe(strategy)},
            {"answer", answer.value},
            {"found", answer.found()},
            {"text", answer.text},
            {"thinking", answer.thinking},
            {"confidence", number_or_null(answer.confidence)},
            {"cut", answer.cut},
            {"why", answer.why},
            {"parse_rate", answer.parse_rate},
            {"votes", votes},
            {"candidates", candidates},
            {"cancelled_branches", answer.cancelled_branches},
            {"saved_tokens", answer.saved_tokens},
            {"usage", tool::to_json(answer.account)},
            {"seconds", answer.seconds},
            {"replay_hash", hash_text(answer.replay_hash)}};
}

// What a trace is written as, by the end of its file's name.
using trace_writer = std::string (*)(const hence::trace&);
trace_writer writer_for(const std::string& path) {
    constexpr std::array<std::pair<std::string_view, trace_writer>, 3> kinds{{{".html", hence::to_html}, {".json", hence::to_json}, {".dot", hence::to_dot}}};
    for (const auto& [ending, writer] : kinds)
        if (path.ends_with(ending)) return writer;
    throw usage_error("--trace: expected a file that ends in .html, .json or .dot, found " + hence::quote(path));
}

// Shows on a terminal how far a run is.
class run_progress {
public:
    run_progress(const hence::engine<hence::decoder>& engine, hence::reason_options& how) {
        if (!error_is_terminal()) return;
        how.on_text = [this, &engine](const hence::text_piece&) {
            const auto now = std::chrono::steady_clock::now();
            if (now - shown_ < std::chrono::milliseconds(100)) return;
            shown_ = now;
            char line[64];
            std::snprintf(line, sizeof line, "%lld tokens, %.1f s", static_cast<long long>(engine.account().generated_tokens),
                          std::chrono::duration<double>(now - start_).count());
            line_.show(line);
        };
    }
    void clear() { line_.clear(); }

private:
    progress_line line_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point shown_ = start_;
};

hence::engine<hence::decoder> make_engine(const options& o, const hence::decoder& model) {
    hence::engine_options machine = o.engine();
    machine.batch = o.batch;
    return hence::engine<hence::decoder>::make(model, machine).value();
}

void replay(const options& o) {
    const hence::trace recorded = hence::parse_trace(read_file(o.replay), o.replay).value();
    const hence::any_strategy strategy = hence::parse_strategy(recorded.strategy).value();
    hence::reason_options how;
    if (!recorded.extractor.empty()) how.extractor = hence::parse_extractor(recorded.extractor).value();
    const hence::decoder model = o.load();
    hence::engine engine = make_engine(o, model);
    run_progress progress(engine, how);
    const hence::replay_result found = hence::replay(engine, recorded, strategy, how).value();
    progress.clear();
    if (o.json)
        print_json({{"same", found.same}, {"departs", found.departs}, {"recorded_hash", hash_text(recorded.replay_hash)},
                    {"replay_hash", hash_text(found.again.replay_hash)}, {"recorded_answer", recorded.value}, {"answer", found.again.value}});
    else if (found.same) print("the same: " + hash_text(recorded.replay_hash) + "\n");
    if (!found.same)
        throw std::runtime_error("the run departs from " + o.replay + " (recorded with " + (recorded.model.empty() ? "a model without a name" : recorded.model) +
                                 ", now " + o.name() + "): " + found.departs);
}

void run(const options& o) {
    if (!o.replay.empty()) {
        if (o.asked || !o.trace.empty()) throw usage_error("--replay: the question and the settings are those of the record; give neither --question nor --trace");
        return replay(o);
    }
    if (!o.asked) throw usage_error("reason: expected --question or --replay");
    const hence::any_strategy strategy = parsed(hence::parse_strategy(o.strategy), "--strategy");
    const hence::budget limit = parse_budget(o.limit);
    const trace_writer writer = o.trace.empty() ? nullptr : writer_for(o.trace);
    hence::reason_options how;
    how.seed = o.settings.seed;
    how.sampling = o.settings;
    how.max_tokens = o.max_tokens;
    how.stop = o.limits().stop;
    how.format = parse_format(o.format);
    how.system = o.system;
    how.extractor = parsed(hence::parse_extractor(o.extractor), "--extractor");
    how.trace = writer != nullptr;

    const hence::decoder model = o.load();
    hence::engine engine = make_engine(o, model);
    run_progress progress(engine, how);
    const hence::answer answer = hence::try_reason(engine, o.question, strategy, limit, how).value();
    progress.clear();
    if (writer != nullptr) write_file(o.trace, writer(hence::make_trace(o.question, o.strategy, answer, how, limit, o.name(), o.extractor)));
    if (o.json) return print_json(to_json(o, strategy, answer));
    print(answer.text + (answer.text.ends_with('\n') ? "" : "\n"));
    if (answer.found()) print("answer: " + answer.value + "\n");
    else std::fprintf(stderr, "hence: no answer was found: %s\n", answer.why.c_str());
    if (error_is_terminal())
        std::fprintf(stderr, "[%s; %lld tokens, %lld forwards, %.2f s, replay %s]\n", answer.why.c_str(),
                     static_cast<long long>(answer.account.generated_tokens), static_cast<long long>(answer.account.forwards), answer.seconds,
                     hash_text(answer.replay_hash).c_str());
}

}  // namespace

void add_reason(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("reason", "Answers a question by a strategy, within a budget");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    const CLI::Option* const question = command->add_option("-q,--question", o->question, "the question");
    command->add_option("--strategy", o->strategy, "NAME[:key=value,...]; names: " + strategy_list())->capture_default_str();
    command->add_option("--budget", o->limit, "the most to spend: tokens=N,forwards=N,bytes=N,ms=N");
    command->add_option("--batch", o->batch, "most branches in one step; 0: as many as fit")->capture_default_str();
    command->add_option("--extractor", o->extractor, "what finds the answer in a text")->capture_default_str();
    command->add_option("--format", o->format, "how the question becomes a prompt")
        ->check(CLI::IsMember(std::vector<std::string>(std::begin(format_names), std::end(format_names))))->capture_default_str();
    command->add_option("--system", o->system, "the system message of a chat");
    command->add_option("--trace", o->trace, "writes the tree behind the answer: FILE.html, FILE.json or FILE.dot");
    command->add_option("--replay", o->replay, "runs a trace (FILE.json) again: the same, or where it departs");
    add_sampling_options(*command, *o);
    command->add_flag("--json", o->json, "as JSON: answer, text, usage, seconds, replay_hash, ...");
    command->callback([o, question] {
        o->asked = question->count() > 0;
        run(*o);
    });
}

}  // namespace tool
