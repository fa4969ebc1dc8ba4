// hence bench: how fast this machine runs a model, and how far that is from what the machine could do.
//
// Prompt, decode and many branches are timed in the engine, draws included. Loading runs in a child process, so that its
// time and its peak memory are those of a program that does nothing else. The roofline column divides by the limit that
// this same run measures: the longer of the time to read the step's bytes and the time to do its 8-bit operations.
#include "common.hpp"
#include "machine_limits.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tool {

namespace {

struct options : model_options {
    std::vector<std::size_t> prompts{512};
    std::size_t decode = 128;
    std::vector<std::size_t> branches{1, 2, 4, 8, 16, 32};
    std::size_t prefix = 128;
    std::size_t repeat = 5;
    bool load_only = false;
    bool no_load = false;
    bool no_single = false;
    bool no_limits = false;
    bool json = false;
};

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

// --- what a step must do --------------------------------------------------------------------------

// Bytes and 8-bit operations of the steps of one measurement.
struct work {
    double bytes = 0;
    double operations = 0;
};

struct costs {
    double layer_products;      // of one row, without the head
    double head_products;       // of one row that asks for logits
    double attention_products;  // of one row, for each position that it sees
    double weight_bytes;
    double kv_bytes;  // of one position

    explicit costs(const hence::decoder& model, hence::dtype kv) {
        const hence::decoder_config& c = model.config();
        const double width = c.width;
        const double attention = static_cast<double>(c.heads) * c.key_size +
                                 static_cast<double>(c.kv_heads) * (c.key_size + c.value_size) +
                                 static_cast<double>(c.heads) * c.value_size;
        layer_products = c.layers * width * (attention + (c.gated ? 3.0 : 2.0) * c.feed_forward);
        head_products = width * c.vocabulary;
        attention_products = static_cast<double>(c.layers) * c.heads * (c.key_size + c.value_size);
        weight_bytes = static_cast<double>(model.weight_bytes());
        kv_bytes = static_cast<double>(model.cache_layout(kv).token_bytes());
    }

    // A prompt in steps of at most `rows` rows; the last row asks.
    [[nodiscard]] work prefill(std::size_t tokens, std::size_t rows) const {
        const auto n = static_cast<double>(tokens);
        const auto steps = static_cast<double>((tokens + rows - 1) / rows);
        return {steps * weight_bytes + n * kv_bytes,
                2 * (n * layer_products + head_products + attention_products * n * (n + 1) / 2)};
    }
    // `tokens` steps of `branches` rows that share `prefix` positions, each of which is read once.
    [[nodiscard]] work decode(std::size_t branches, std::size_t tokens, std::size_t prefix) const {
        const auto b = static_cast<double>(branches);
        const auto n = static_cast<double>(tokens);
        const auto shared = static_cast<double>(prefix);
        const double own = n * (n + 1) / 2;
        return {n * weight_bytes + kv_bytes * (n * shared + b * own),
                2 * b * (n * (layer_products + head_products) + attention_products * (n * shared + own))};
    }
};

double limit_seconds(const work& what, const machine_limits& limits) {
    const double memory = what.bytes / limits.bytes_per_second;
    return limits.int8_per_second > 0 ? std::max(memory, what.operations / limits.int8_per_second) : memory;
}

// --- measurements ----------------------------------------------------------------------------------

struct measurement {
    const char* test;
    std::size_t prompt;
    std::size_t branches;
    double tokens;  // of all branches together, in one repeat
    work what;
    std::vector<double> seconds;
    std::vector<double> cpu_seconds;  // of all threads together: what other programs on the machine disturb least

    template <class F>
    void time(F&& run) {
        const std::clock_t used = std::clock();
        const auto start = clock_type::now();
        run();
        seconds.push_back(seconds_since(start));
        cpu_seconds.push_back(static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC);
    }
};

// Any tokens do: speed does not depend on them. No two prompts begin alike, so that no cache is found.
std::vector<hence::token_id> prompt_of(std::size_t tokens, std::size_t vocabulary, std::uint64_t number) {
    const hence::counter_rng rng{number};
    std::vector<hence::token_id> ids(tokens);
    for (std::size_t i = 0; i < tokens; ++i)
        ids[i] = static_cast<hence::token_id>(rng.words(0, static_cast<std::uint32_t>(i), 0)[0] % vocabulary);
    return ids;
}

hence::until exactly(std::size_t tokens) {
    hence::until rules;
    rules.max_tokens = tokens;
    rules.stop_at_end = false;
    return rules;
}

using decoder_engine = hence::engine<hence::decoder>;

void measure_prefill(decoder_engine& engine, measurement& m, std::uint64_t number) {
    hence::branch one = engine.begin(prompt_of(m.prompt, engine.vocabulary_size(), number)).value();
    m.time([&] { engine.extend(one, exactly(1)).value(); });
}

// The prompt runs before the clock starts; then every step is one row a branch.
void measure_decode(decoder_engine& engine, measurement& m, std::size_t tokens, std::uint64_t number) {
    hence::sampling how;
    how.temperature = m.branches > 1 ? 1.0f : 0.0f;  // branches that all draw alike would be no branches
    how.seed = number;
    const std::vector<hence::token_id> ids = prompt_of(m.prompt, engine.vocabulary_size(), number);
    std::vector<hence::branch> all;
    all.push_back(engine.begin(ids, 0, how).value());
    engine.extend(all.front(), exactly(1)).value();
    for (std::size_t i = 1; i < m.branches; ++i) all.push_back(engine.begin(ids, i, how).value());
    engine.extend(std::span(all), exactly(1)).value();
    m.time([&] { engine.extend(std::span(all), exactly(tokens)).value(); });
}

struct load_figures {
    double seconds = 0;  // from nothing to the first token
    double load_seconds = 0;
    std::size_t weight_bytes = 0;
    std::size_t kv_bytes = 0;
    std::size_t peak_bytes = 0;
    bool ok = false;
};

std::size_t peak_memory() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
#if defined(__APPLE__)
    return static_cast<std::size_t>(used.ru_maxrss);
#else
    return static_cast<std::size_t>(used.ru_maxrss) * 1024;
#endif
}

load_figures load_once(const options& o) {
    load_figures found;
    const auto start = clock_type::now();
    const hence::decoder model = o.load();
    found.load_seconds = seconds_since(start);
    decoder_engine engine = decoder_engine::make(model, o.engine()).value();
    hence::branch one = engine.begin(prompt_of(1, engine.vocabulary_size(), 1)).value();
    engine.extend(one, exactly(1)).value();
    found.seconds = seconds_since(start);
    found.weight_bytes = model.weight_bytes();
    found.kv_bytes = static_cast<std::size_t>(engine.kv_bytes());
    found.peak_bytes = peak_memory();
    found.ok = true;
    return found;
}

// In a process of its own: peak memory never goes down again.
load_figures load_in_child(const options& o) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("bench: no pipe to a child process");
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("bench: no child process");
    if (child == 0) {
        load_figures found;
        try {
            found = load_once(o);
        } catch (const std::exception&) {  // the parent says what is wrong
        }
        const bool written = write(ends[1], &found, sizeof found) == static_cast<ssize_t>(sizeof found);
        _exit(written && found.ok ? 0 : 1);
    }
    close(ends[1]);
    load_figures found;
    const bool complete = read(ends[0], &found, sizeof found) == static_cast<ssize_t>(sizeof found);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!complete || !found.ok) {
        (void)o.load();  // throws what the child met
        throw std::runtime_error("bench: loading in a child process failed");
    }
    return found;
}

// --- output ----------------------------------------------------------------------------------------

nlohmann::json to_json(const measurement& m, const machine_limits& limits) {
    const double middle = median(m.seconds);
    const double least = *std::min_element(m.seconds.begin(), m.seconds.end());
    const double most = *std::max_element(m.seconds.begin(), m.seconds.end());
    std::vector<double> rates;
    for (const double s : m.seconds) rates.push_back(m.tokens / s);
    nlohmann::json row = {{"test", m.test},
                          {"prompt", m.prompt},
                          {"branches", m.branches},
                          {"tokens", m.tokens},
                          {"seconds", middle},
                          {"tokens_per_second", m.tokens / middle},
                          {"tokens_per_second_min", m.tokens / most},
                          {"tokens_per_second_max", m.tokens / least},
                          {"samples", rates},
                          {"cpu_tokens_per_second", m.tokens / median(m.cpu_seconds)},
                          {"bytes_per_second", m.what.bytes / middle},
                          {"int8_per_second", m.what.operations / middle}};
    if (limits.bytes_per_second > 0) {
        const double limit = limit_seconds(m.what, limits);
        const bool arithmetic = limit > m.what.bytes / limits.bytes_per_second;
        row["limit_tokens_per_second"] = m.tokens / limit;
        row["bound_by"] = arithmetic ? "arithmetic" : "memory";
        row["of_limit"] = limit / middle;
    }
    return row;
}

void print_table(const nlohmann::json& document) {
    char line[256];
    const auto say = [&](auto... values) {
        std::snprintf(line, sizeof line, values...);
        print(line);
    };
    say("%s, %s, %d threads\n", document["model"].get<std::string>().c_str(),
        document["isa"].get<std::string>().c_str(), document["threads"].get<int>());
    if (const auto found = document.find("limits"); found != document.end()) {
        const nlohmann::json& limits = *found;
        say("limits measured: %.1f GB/s from memory, %.0f G 8-bit operations/s (%s)\n",
            limits["bytes_per_second"].get<double>() / 1e9, limits["int8_per_second"].get<double>() / 1e9,
            limits["instruction"].get<std::string>().c_str());
    }
    if (!document["tests"].empty())
        say("%-8s %7s %8s %12s %22s %8s %8s %9s  %s\n", "test", "prompt", "branches", "tokens/s", "spread", "GB/s",
            "Gop/s", "of limit", "bound by");
    for (const nlohmann::json& t : document["tests"]) {
        char spread[32];
        std::snprintf(spread, sizeof spread, "%.1f .. %.1f", t["tokens_per_second_min"].get<double>(),
                      t["tokens_per_second_max"].get<double>());
        say("%-8s %7zu %8zu %12.1f %22s %8.1f %8.0f", t["test"].get<std::string>().c_str(),
            t["prompt"].get<std::size_t>(), t["branches"].get<std::size_t>(), t["tokens_per_second"].get<double>(),
            spread, t["bytes_per_second"].get<double>() / 1e9, t["int8_per_second"].get<double>() / 1e9);
        if (const auto found = t.find("of_limit"); found != t.end())
            say(" %8.0f%%  %s", 100 * found->get<double>(), t["bound_by"].get<std::string>().c_str());
        print("\n");
    }
    if (const auto found = document.find("load"); found != document.end()) {
        const nlohmann::json& l = *found;
        say("load to first token %.3f s (loading %.3f s; %.3f .. %.3f); peak memory %.1f MB = weights %.1f + cache "
            "%.1f + %.1f\n",
            l["seconds"].get<double>(), l["load_seconds"].get<double>(), l["seconds_min"].get<double>(),
            l["seconds_max"].get<double>(), l["peak_bytes"].get<double>() / 1e6, l["weight_bytes"].get<double>() / 1e6,
            l["kv_bytes"].get<double>() / 1e6, l["other_bytes"].get<double>() / 1e6);
    }
}

nlohmann::json measure_load(const options& o) {
    std::vector<double> seconds;
    std::vector<double> load_seconds;
    load_figures last;
    progress_line progress;
    for (std::size_t i = 0; i < o.repeat; ++i) {
        progress.show("load, " + std::to_string(i + 1) + " of " + std::to_string(o.repeat));
        last = load_in_child(o);
        seconds.push_back(last.seconds);
        load_seconds.push_back(last.load_seconds);
    }
    return {
        {"seconds", median(seconds)},
        {"seconds_min", *std::min_element(seconds.begin(), seconds.end())},
        {"seconds_max", *std::max_element(seconds.begin(), seconds.end())},
        {"samples", seconds},
        {"load_seconds", median(load_seconds)},
        {"peak_bytes", last.peak_bytes},
        {"weight_bytes", last.weight_bytes},
        {"kv_bytes", last.kv_bytes},
        {"other_bytes", static_cast<double>(last.peak_bytes) - static_cast<double>(last.weight_bytes + last.kv_bytes)}};
}

void run(const options& o) {
    nlohmann::json document = {
        {"model", o.name()}, {"version", HENCE_VERSION_STRING}, {"kv", o.kv}, {"math", o.math}, {"repeat", o.repeat}};
    // First, while this process is small: a child begins with its parent's memory.
    if (!o.no_load || o.load_only) document["load"] = measure_load(o);

    const hence::decoder model = o.load();
    hence::engine_options how = o.engine();
    how.keep_prompts = 0;
    std::size_t most = 1;
    for (const std::size_t b : o.branches) most = std::max(most, b);
    how.max_logits = std::max(how.max_logits, most);
    how.max_rows = std::max(how.max_rows, most);
    hence::spin_team team(o.threads > 0 ? o.threads : hence::available_processors());
    how.team = &team;
    decoder_engine engine = decoder_engine::make(model, how).value();
    const machine_limits limits = o.no_limits ? machine_limits{} : measure_limits(model.tier(), team);
    document["isa"] = hence::name(model.tier());
    document["threads"] = engine.threads();
    if (!o.no_limits)
        document["limits"] = {{"bytes_per_second", limits.bytes_per_second},
                              {"int8_per_second", limits.int8_per_second},
                              {"instruction", limits.instruction}};
    document["weight_bytes"] = model.weight_bytes();
    document["tests"] = nlohmann::json::array();

    const costs cost(model, how.kv);
    std::vector<measurement> tests;
    if (!o.load_only) {
        for (const std::size_t p : o.prompts)
            if (p > 0)
                tests.push_back({"prefill", p, 1, static_cast<double>(p), cost.prefill(p, how.max_rows), {}, {}});
        if (o.decode > 0) {
            if (!o.no_single)
                tests.push_back({"decode", 1, 1, static_cast<double>(o.decode), cost.decode(1, o.decode, 2), {}, {}});
            for (const std::size_t b : o.branches)
                if (b > 0)
                    tests.push_back({"branches",
                                     o.prefix,
                                     b,
                                     static_cast<double>(b * o.decode),
                                     cost.decode(b, o.decode, o.prefix + 1),
                                     {},
                                     {}});
        }
    }
    for (const measurement& m : tests) {
        const std::size_t needed = m.prompt + (m.test == std::string_view("prefill") ? 1 : o.decode + 2);
        if (needed > engine.context_length())
            throw std::runtime_error("bench: expected at most " + std::to_string(engine.context_length()) +
                                     " tokens a branch, the context, found " + std::to_string(needed) +
                                     " (prompt and tokens)");
    }
    // Every test once in turn, again and again: a slow minute of the machine is then in all of them. The first round only warms.
    progress_line progress;
    std::uint64_t number = 0;
    for (std::size_t round = 0; round <= o.repeat; ++round) {
        for (measurement& m : tests) {
            progress.show("round " + std::to_string(round) + " of " + std::to_string(o.repeat) + ": " + m.test + ", " +
                          std::to_string(m.branches) + " branches");
            if (m.test == std::string_view("prefill"))
                measure_prefill(engine, m, ++number);
            else
                measure_decode(engine, m, o.decode, ++number);
        }
        if (round == 0)
            for (measurement& m : tests) {
                m.seconds.clear();
                m.cpu_seconds.clear();
            }
    }
    progress.clear();
    for (const measurement& m : tests) document["tests"].push_back(to_json(m, limits));
    if (o.json)
        print_json(document);
    else
        print_table(document);
}

}  // namespace

void add_bench(CLI::App& app) {
    CLI::App* const command =
        app.add_subcommand("bench", "Measures speed, and how far it is from what this machine could do");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    command->add_option("-p,--prompt", o->prompts, "prompt lengths to time; 0: none")
        ->delimiter(',')
        ->check(CLI::Range(0, 1 << 20))
        ->capture_default_str();
    command->add_option("-n,--tokens", o->decode, "tokens a branch draws; 0: no decoding")
        ->check(CLI::Range(0, 1 << 20))
        ->capture_default_str();
    command->add_option("-b,--branches", o->branches, "branches that decode together; 0: none")
        ->delimiter(',')
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
    command->add_option("--prefix", o->prefix, "tokens of the prompt that the branches share")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    command->add_option("--repeat", o->repeat, "how often each is timed")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--load-only", o->load_only, "only the time to the first token and peak memory");
    command->add_flag("--no-load", o->no_load, "without these");
    command->add_flag("--no-single", o->no_single, "without the decode of one branch that shares no prompt");
    command->add_flag("--no-limits", o->no_limits, "without measuring the machine's limits: no roofline");
    command->add_flag("--json", o->json, "as JSON");
    command->callback([o] { run(*o); });
}

}  // namespace tool
