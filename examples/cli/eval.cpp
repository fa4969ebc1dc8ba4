// hence eval: how often strategies are right, and what that costs.
#include "evaluation.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace tool {

namespace {

struct options : model_options, sampling_options {
    std::string task = "game24";
    std::string strategies = "direct;chain_of_thought;self_consistency";
    std::size_t limit = 0;
    std::size_t first = 0;
    std::string budget;
    std::string format = "automatic";
    std::string extractor;
    std::string system;
    std::string resume;
    std::string svg;
    std::string curves;
    std::vector<std::int64_t> share;
    std::size_t batch = 0;
    bool tokens_given = false;
    bool json = false;
};

// All that a result depends on, as a line of text: what a file of outcomes is looked up by.
std::string settings_of(const options& o, const task& t, const way& how, const hence::reason_options& run,
                        const hence::budget& limit, std::size_t parameters) {
    const auto or_null = [](const std::optional<std::int64_t>& value) {
        return value ? nlohmann::json(*value) : nlohmann::json();
    };
    const hence::sampling& s = run.sampling;
    nlohmann::json all = {
        {"model", o.name()},
        {"parameters", parameters},
        {"math", o.math},
        {"kv", o.kv},
        {"context", o.context},
        {"task", t.name},
        {"strategy", how.shared ? how.text : hence::describe(how.strategy)},
        {"max_tokens", run.max_tokens},
        {"seed", o.settings.seed},
        {"sampling",
         {s.temperature, s.top_k, s.top_p, s.min_p, s.repetition_penalty, s.frequency_penalty, s.presence_penalty}},
        {"budget",
         {or_null(limit.tokens), or_null(limit.forwards), or_null(limit.bytes),
          limit.deadline ? nlohmann::json(limit.deadline->count()) : nlohmann::json()}},
        {"format", o.format},
        {"extractor", o.extractor},
        {"stop", run.stop}};
    if (!o.system.empty()) all["system"] = o.system;
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Questions must not share their luck: each has random numbers of its own.
std::uint64_t seed_of(std::uint64_t seed, std::string_view id) {
    for (const char c : id) seed = hence::mix64(seed, static_cast<unsigned char>(c));
    return seed;
}

void print_row(const summary& one) {
    const point p = one.total();
    double samples = 0, forwards = 0, seconds = 0;
    const double n = static_cast<double>(std::max<std::size_t>(one.outcomes.size(), 1));
    for (const outcome& x : one.outcomes) {
        samples += static_cast<double>(x.samples) / n;
        forwards += static_cast<double>(x.forwards) / n;
        seconds += x.seconds / n;
    }
    char row[160];
    std::snprintf(row, sizeof row, "%6.1f %%  %5.1f-%-5.1f  %9.1f  %9.1f  %9.1f  %9.3f  ", 100 * p.accuracy,
                  100 * p.low, 100 * p.high, samples, p.tokens, forwards, seconds);
    print(row + one.how->text + (one.how->uses_exact_checker() ? "  [exact checker]" : "") + "\n");
}

// All questions on one budget: share_budget() gives samples to those whose vote is least certain.
void answer_together(hence::engine<hence::decoder>& engine, const task& t, const hence::shared_voting& votes,
                     const hence::reason_options& run, const std::string& settings, outcome_file& kept, summary& sum) {
    std::vector<std::string> questions;
    bool known = true;
    for (const problem& p : t.problems) {
        questions.push_back(p.question);
        known = known && kept.find(settings, p.id) != nullptr;
    }
    if (known) {
        for (const problem& p : t.problems) sum.outcomes.push_back(*kept.find(settings, p.id));
        return;
    }
    const hence::budget limit{.tokens = *sum.how->limit.tokens * static_cast<std::int64_t>(questions.size())};
    auto answers = hence::share_budget(engine, questions, votes, limit, run);
    if (!answers) throw std::runtime_error(t.name + ", " + sum.how->text + ": " + answers.error().message());
    for (std::size_t i = 0; i < answers->size(); ++i) {
        hence::answer& a = (*answers)[i];
        a.seconds /= static_cast<double>(answers->size());  // of all of them together
        a.account.forwards = 0;  // steps are shared, and a branch's own would count them often
        sum.outcomes.push_back(judge(t, t.problems[i], a));
        kept.add(settings, t.problems[i].id, sum.outcomes.back());
    }
}

void show_progress(progress_line& progress, const summary& one, std::size_t index, std::size_t ways,
                   std::size_t questions, double per_question) {
    const point p = one.total();
    char line[160];
    std::snprintf(line, sizeof line,
                  "strategy %zu of %zu, question %zu of %zu, %.0f %% right, %.0f s left of this one: %.60s", index + 1,
                  ways, one.outcomes.size(), questions, 100 * p.accuracy,
                  per_question * static_cast<double>(questions - one.outcomes.size()), one.how->text.c_str());
    progress.show(line);
}

void run(const options& o) {
    std::vector<way> ways = parse_ways(o.strategies, "--strategies");
    for (const std::int64_t tokens : o.share) {
        way& all = ways.emplace_back();
        all.shared = true;
        all.limit.tokens = tokens;
        all.text = "share_budget:tokens=" + std::to_string(tokens);
        all.label = all.text;
    }
    const hence::budget given = parse_budget(o.budget);
    const task t = load_task(o.task, o.limit, o.first);
    outcome_file kept(o.resume);
    for (const std::string* path : {&o.svg, &o.curves}) {
        std::error_code ignored;
        const auto folder = std::filesystem::path(*path).parent_path();
        if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
            throw usage_error(*path + ": there is no folder " + folder.string());
    }
    const hence::decoder model = o.load();
    hence::engine_options machine = o.engine();
    machine.batch = o.batch;
    hence::engine engine = hence::engine<hence::decoder>::make(model, machine).value();

    hence::reason_options all;
    all.sampling = o.settings;
    all.max_tokens = o.tokens_given ? o.max_tokens : t.max_tokens;
    all.stop = o.limits().stop;
    all.format = parse_format(o.format);
    all.system = o.system.empty() ? t.system : o.system;
    all.extractor = o.extractor.empty() ? t.extractor : parsed(hence::parse_extractor(o.extractor), "--extractor");

    if (!o.json) {
        print(o.name() + " on " + t.name + ", " + std::to_string(t.problems.size()) + " questions, seed " +
              std::to_string(o.settings.seed) + ", " + std::to_string(engine.threads()) +
              " threads; samples, tokens, forwards and seconds are for one question\n");
        print("   right  95 % of it      samples     tokens   forwards    seconds  strategy\n");
    }
    std::vector<summary> summaries;
    progress_line progress;
    for (std::size_t w = 0; w < ways.size(); ++w) {
        const way& how = ways[w];
        hence::reason_options run = how.options(all);
        const hence::budget limit = how.limit.within(given);
        const std::string settings = settings_of(o, t, how, run, limit, model.parameters());
        const bool at_once = !how.shared && how.strategy.name() == "direct";
        summary& sum = summaries.emplace_back(summary{&how, {}});
        const auto start = std::chrono::steady_clock::now();
        std::size_t asked = 0;
        if (how.shared) {
            hence::shared_voting votes;
            votes.samples = 100;
            if (o.settings.temperature > 0) votes.temperature = o.settings.temperature;
            run.seed = o.settings.seed;
            answer_together(engine, t, votes, run,
                            settings + " of " + std::to_string(t.problems.size()) + " from " + t.problems[0].id, kept,
                            sum);
        }
        for (const problem& p : t.problems) {
            if (how.shared) break;
            if (const outcome* const known = kept.find(settings, p.id)) {
                sum.outcomes.push_back(*known);
                continue;
            }
            run.seed = seed_of(o.settings.seed, p.id);
            const std::string& question = at_once ? p.direct : p.question;
            auto answer = hence::try_reason(engine, question, how.strategy, limit, run);
            if (!answer)
                throw std::runtime_error(t.name + ", question " + p.id + ", " + how.text + ": " +
                                         answer.error().message());
            outcome one = judge(t, p, *answer);
            kept.add(settings, p.id, one);
            sum.outcomes.push_back(std::move(one));
            const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            show_progress(progress, sum, w, ways.size(), t.problems.size(), seconds / static_cast<double>(++asked));
        }
        progress.clear();
        if (!o.json) print_row(sum);
    }
    const std::vector<curve> drawn = curves(summaries);
    if (!o.curves.empty()) write_file(o.curves, to_json(drawn).dump(1) + "\n");
    if (!o.svg.empty())
        write_file(o.svg, to_svg(drawn, o.name() + " on " + t.name + " (" + std::to_string(t.problems.size()) +
                                            " questions)"));
    if (!o.json) return;
    nlohmann::json results = nlohmann::json::array();
    for (const summary& one : summaries) results.push_back(one.json());
    print_json({{"model", o.name()},
                {"task", t.name},
                {"questions", t.problems.size()},
                {"seed", o.settings.seed},
                {"threads", engine.threads()},
                {"results", std::move(results)},
                {"curves", to_json(drawn)}});
}

}  // namespace

void add_eval(CLI::App& app) {
    CLI::App* const command =
        app.add_subcommand("eval", "Measures how often strategies are right, and what that costs");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    command->add_option("--task", o->task, std::string(task_names))->capture_default_str();
    command
        ->add_option("--strategies", o->strategies,
                     "A;B:key=value,...;C. Beside a strategy's own settings: max_tokens, temp, budget_tokens, "
                     "budget_forwards, label. Names: " +
                         strategy_list())
        ->capture_default_str();
    command
        ->add_option("--share", o->share,
                     "also answers all questions together on one budget of N tokens a question (share_budget); N,N,... "
                     "for several")
        ->delimiter(',')
        ->check(CLI::NonNegativeNumber);
    command->add_option("--limit", o->limit, "most questions; 0: all (arithmetic: 200)")->capture_default_str();
    command->add_option("--first", o->first, "leaves out so many questions at the beginning")->capture_default_str();
    command->add_option("--budget", o->budget, "the most to spend on a question: tokens=N,forwards=N,bytes=N,ms=N");
    command->add_option("--batch", o->batch, "most branches in one step; 0: as many as fit")->capture_default_str();
    command->add_option("--extractor", o->extractor, "what finds the answer in a text; unset: the task's own");
    command->add_option("--format", o->format, "how a question becomes a prompt")
        ->check(CLI::IsMember(std::vector<std::string>(std::begin(format_names), std::end(format_names))))
        ->capture_default_str();
    command->add_option("--system", o->system, "the system message of a chat; unset: the task's own");
    command->add_option("--resume", o->resume, "keeps every result in this file, and computes none twice");
    command->add_option("--svg", o->svg, "draws accuracy against tokens");
    command->add_option("--curves", o->curves, "writes the curves as JSON");
    add_sampling_options(*command, *o);
    command->get_option("--tokens")->description("most tokens of one sample; unset: the task's own")->default_str("");
    command->add_flag(
        "--json", o->json,
        "as JSON: results (strategy, accuracy, low, high, samples, tokens, forwards, seconds, ...), curves");
    command->callback([o, command] {
        o->tokens_given = command->count("--tokens") > 0;
        run(*o);
    });
}

}  // namespace tool
