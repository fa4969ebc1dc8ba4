// hence compare: several strategies on one question, side by side.
#include "asking.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

namespace tool {

namespace {

struct options : model_options, sampling_options {
    std::string question;
    std::string direct;
    std::string truth;
    std::string strategies = "direct;chain_of_thought;self_consistency;adaptive_consistency;best_of_n";
    std::string budget;
    std::string extractor = "automatic";
    std::string format = "automatic";
    std::string system;
    std::size_t batch = 0;
    bool texts = false;
    bool json = false;
};

struct row {
    const way* how = nullptr;
    hence::answer answer;
    bool right = false;
};

// One line, cut to a width.
std::string one_line(std::string_view text, std::size_t width) {
    std::string out;
    for (const char c : text) out += c == '\n' ? ' ' : c;
    if (out.size() > width) out = out.substr(0, width - 3) + "...";
    return out + std::string(width - std::min(width, out.size()), ' ');
}

void print_table(const options& o, const std::vector<row>& rows) {
    print(o.question + "\n\n");
    print(std::string(o.truth.empty() ? "" : "       ") + one_line("answer", 22) + "   sure  samples   tokens forwards  seconds  strategy: why it ended\n");
    for (const row& one : rows) {
        const hence::answer& a = one.answer;
        char line[160];
        char sure[16] = "     -";
        if (std::isfinite(a.confidence)) std::snprintf(sure, sizeof sure, "%6.2f", a.confidence);
        std::snprintf(line, sizeof line, "%s  %7zu  %7lld  %7lld  %7.3f  ", sure, a.candidates.size(), static_cast<long long>(a.account.spent_tokens()),
                      static_cast<long long>(a.account.forwards), a.seconds);
        print(std::string(o.truth.empty() ? "" : one.right ? "right  " : "wrong  ") + one_line(a.found() ? a.value : "none", 22) + " " + line + one.how->text + ": " + a.why + "\n");
    }
    if (!o.texts) return;
    for (const row& one : rows) print("\n--- " + one.how->text + "\n" + one.answer.text + (one.answer.text.ends_with('\n') ? "" : "\n"));
}

nlohmann::json to_json(const options& o, const std::vector<row>& rows) {
    nlohmann::json list = nlohmann::json::array();
    for (const row& one : rows) {
        const hence::answer& a = one.answer;
        nlohmann::json entry = {{"strategy", one.how->text}, {"settings", hence::describe(one.how->strategy)}, {"answer", a.value}, {"found", a.found()}, {"text", a.text},
                                {"confidence", number_or_null(a.confidence)}, {"cut", a.cut}, {"why", a.why}, {"samples", a.candidates.size()},
                                {"cancelled_branches", a.cancelled_branches}, {"saved_tokens", a.saved_tokens}, {"tokens", a.account.spent_tokens()},
                                {"forwards", a.account.forwards}, {"usage", tool::to_json(a.account)}, {"seconds", a.seconds}, {"replay_hash", hash_text(a.replay_hash)}};
        if (!o.truth.empty()) entry["right"] = one.right;
        list.push_back(std::move(entry));
    }
    return {{"model", o.name()}, {"question", o.question}, {"seed", o.settings.seed}, {"results", std::move(list)}};
}

void run(const options& o) {
    const std::vector<way> ways = parse_ways(o.strategies, "--strategies");
    const hence::budget given = parse_budget(o.budget);
    hence::reason_options all;
    all.seed = o.settings.seed;
    all.sampling = o.settings;
    all.max_tokens = o.max_tokens;
    all.stop = o.limits().stop;
    all.format = parse_format(o.format);
    all.system = o.system;
    all.extractor = parsed(hence::parse_extractor(o.extractor), "--extractor");

    const hence::decoder model = o.load();
    hence::engine_options machine = o.engine();
    machine.batch = o.batch;
    machine.keep_prompts = 0;  // nobody starts where another has been
    hence::engine engine = hence::engine<hence::decoder>::make(model, machine).value();
    std::vector<row> rows;
    progress_line progress;
    for (const way& how : ways) {
        progress.show(how.text);
        const bool at_once = how.strategy.name() == "direct" && !o.direct.empty();
        const hence::reason_options run = how.options(all);
        auto answer = hence::try_reason(engine, at_once ? o.direct : o.question, how.strategy, how.limit.within(given), run);
        progress.clear();
        if (!answer) throw std::runtime_error(how.text + ": " + answer.error().message());
        const bool right = !o.truth.empty() && answer->found() && hence::equivalent(answer->value, o.truth);
        rows.push_back({&how, std::move(*answer), right});
    }
    if (o.json) return print_json(to_json(o, rows));
    print_table(o, rows);
}

}  // namespace

void add_compare(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("compare", "Answers one question by several strategies, side by side");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    command->add_option("-q,--question", o->question, "the question")->required();
    command->add_option("--direct", o->direct, "the question as the strategy direct gets it; unset: the same");
    command->add_option("--answer", o->truth, "the right answer: then each row says whether it was found");
    command->add_option("--strategies", o->strategies,
                        "A;B:key=value,...;C. Beside a strategy's own settings: max_tokens, temp, budget_tokens, budget_forwards. Names: " + strategy_list())->capture_default_str();
    command->add_option("--budget", o->budget, "the most that each may spend: tokens=N,forwards=N,bytes=N,ms=N");
    command->add_option("--batch", o->batch, "most branches in one step; 0: as many as fit")->capture_default_str();
    command->add_option("--extractor", o->extractor, "what finds the answer in a text")->capture_default_str();
    command->add_option("--format", o->format, "how the question becomes a prompt")
        ->check(CLI::IsMember(std::vector<std::string>(std::begin(format_names), std::end(format_names))))->capture_default_str();
    command->add_option("--system", o->system, "the system message of a chat");
    command->add_flag("--texts", o->texts, "shows the texts too");
    add_sampling_options(*command, *o);
    command->add_flag("--json", o->json, "as JSON: results (strategy, answer, text, tokens, seconds, ...)");
    command->callback([o] { run(*o); });
}

}  // namespace tool
