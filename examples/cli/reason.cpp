// hence reason: one question, one strategy, one budget, one answer.
#include "common.hpp"

#include <hence/reason/registry.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>

namespace tool {

namespace {

struct options : model_options, sampling_options {
    std::string question;
    std::string strategy = "self_consistency";
    std::string limit;
    std::string extractor = "automatic";
    std::string format = "automatic";
    std::string system;
    std::size_t batch = 0;
    bool json = false;
};

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
            throw usage_error("--budget: " + key + ": expected a whole number that is not negative, found " + hence::quote(value));
        if (key == "tokens") limit.tokens = number;
        else if (key == "forwards") limit.forwards = number;
        else if (key == "bytes") limit.bytes = number;
        else if (key == "ms") {
            // A century is as good as no limit and fits into nanoseconds.
            limit.deadline = std::chrono::milliseconds(std::min<std::int64_t>(number, 3'000'000'000'000));
        } else throw usage_error("--budget: there is no limit " + hence::quote(key) + "; there are tokens, forwards, bytes, ms");
    }
    return limit;
}

hence::prompt_format parse_format(const std::string& name) {
    if (name == "raw") return hence::prompt_format::raw;
    if (name == "line") return hence::prompt_format::line;
    if (name == "chat") return hence::prompt_format::chat;
    return hence::prompt_format::automatic;
}

template <class T>
T parsed(hence::result<T> value, const char* option) {
    if (!value) throw usage_error(std::string(option) + ": " + value.error().message());
    return std::move(*value);
}

nlohmann::json number_or_null(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(); }

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

void run(const options& o) {
    const hence::any_strategy strategy = parsed(hence::parse_strategy(o.strategy), "--strategy");
    const hence::budget limit = parse_budget(o.limit);
    hence::reason_options how;
    how.seed = o.settings.seed;
    how.sampling = o.settings;
    how.max_tokens = o.max_tokens;
    how.stop = o.limits().stop;
    how.format = parse_format(o.format);
    how.system = o.system;
    how.extractor = parsed(hence::parse_extractor(o.extractor), "--extractor");

    const hence::decoder model = o.load();
    hence::engine_options machine = o.engine();
    machine.batch = o.batch;
    hence::engine engine = hence::engine<hence::decoder>::make(model, machine).value();

    progress_line progress;
    const auto start = std::chrono::steady_clock::now();
    auto shown = start;
    if (error_is_terminal()) {
        how.on_text = [&](const hence::text_piece&) {
            const auto now = std::chrono::steady_clock::now();
            if (now - shown < std::chrono::milliseconds(100)) return;
            shown = now;
            char line[64];
            std::snprintf(line, sizeof line, "%lld tokens, %.1f s", static_cast<long long>(engine.account().generated_tokens),
                          std::chrono::duration<double>(now - start).count());
            progress.show(line);
        };
    }
    const hence::answer answer = hence::try_reason(engine, o.question, strategy, limit, how).value();
    progress.clear();
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
    command->add_option("-q,--question", o->question, "the question")->required();
    std::string names;
    for (const std::string& name : hence::strategy_names()) names += (names.empty() ? "" : ", ") + name;
    command->add_option("--strategy", o->strategy, "NAME[:key=value,...]; names: " + names)->capture_default_str();
    command->add_option("--budget", o->limit, "the most to spend: tokens=N,forwards=N,bytes=N,ms=N");
    command->add_option("--batch", o->batch, "most branches in one step; 0: as many as fit")->capture_default_str();
    command->add_option("--extractor", o->extractor, "what finds the answer in a text")->capture_default_str();
    command->add_option("--format", o->format, "how the question becomes a prompt")
        ->check(CLI::IsMember({"automatic", "raw", "line", "chat"}))->capture_default_str();
    command->add_option("--system", o->system, "the system message of a chat");
    add_sampling_options(*command, *o);
    command->add_flag("--json", o->json, "as JSON: answer, text, usage, seconds, replay_hash, ...");
    command->callback([o] { run(*o); });
}

}  // namespace tool
