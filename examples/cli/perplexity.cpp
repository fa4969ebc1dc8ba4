// hence perplexity: how well a model predicts a text, cut into windows of one context each.
//
// Every window is read from nothing (with the begin token, where the vocabulary asks for one) and scored from
// its second token on, natural logarithms.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>

namespace tool {

namespace {

struct options : model_options {
    std::string file;
    std::size_t window = 0;
    bool json = false;
};

void run(const options& o) {
    const std::string text = read_file(o.file);
    const hence::decoder model = o.load();
    hence::engine engine = hence::engine<hence::decoder>::make(model, o.engine()).value();
    const hence::tokenizer& tokenizer = engine.tokenizer();
    const std::size_t window = o.window == 0 ? engine.context_length() : o.window;
    if (window > engine.context_length())
        throw usage_error("--ctx: expected at most " + std::to_string(engine.context_length()) + " (the model's context), found " + std::to_string(window));

    const std::vector<hence::token_id> ids = tokenizer.encode(text, {.special = true, .add_begin_end = false}).value();
    const bool begins = tokenizer.vocabulary().add_begin && tokenizer.begin() != hence::no_token;
    const std::size_t step = window - (begins ? 1 : 0);
    if (ids.size() + (begins ? 1 : 0) < 2)
        throw std::runtime_error(o.file + ": expected a text of at least two tokens, found " + std::to_string(ids.size()));

    const auto start = std::chrono::steady_clock::now();
    progress_line progress;
    double sum = 0;
    std::size_t scored = 0, windows = 0;
    for (std::size_t first = 0; first < ids.size(); first += step) {
        std::vector<hence::token_id> part;
        if (begins) part.push_back(tokenizer.begin());
        const std::size_t last = std::min(first + step, ids.size());
        part.insert(part.end(), ids.begin() + static_cast<std::ptrdiff_t>(first), ids.begin() + static_cast<std::ptrdiff_t>(last));
        if (part.size() < 2) break;  // a single token at the end predicts nothing
        engine.each_logits(part, [&](std::size_t position, std::span<const float> logits) {
            if (position + 1 < part.size()) sum += log_sum_exp(logits, position) - static_cast<double>(logits[static_cast<std::size_t>(part[position + 1])]);
        }).value();
        scored += part.size() - 1;
        ++windows;
        char line[96];
        std::snprintf(line, sizeof line, "%zu of %zu tokens, perplexity %.4f", last, ids.size(), std::exp(sum / static_cast<double>(scored)));
        progress.show(line);
    }
    progress.clear();
    const double mean = sum / static_cast<double>(scored);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (o.json)
        return print_json({{"model", o.name()}, {"perplexity", std::exp(mean)}, {"mean_negative_log_likelihood", mean}, {"tokens", scored},
                           {"windows", windows}, {"context", window}, {"seconds", seconds}});
    char line[192];
    std::snprintf(line, sizeof line, "perplexity %.4f over %zu tokens in %zu windows of %zu (mean negative log-likelihood %.6f, %.2f s)\n",
                  std::exp(mean), scored, windows, window, mean, seconds);
    print(line);
}

}  // namespace

void add_perplexity(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("perplexity", "Measures how well a model predicts a text");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    command->add_option("-f,--file", o->file, "the text; -: standard input")->required();
    command->add_option("--ctx", o->window, "tokens of a window; 0: the model's context")->check(CLI::IsMember({0}) | CLI::Range(2, 1 << 30))->capture_default_str();
    command->add_flag("--json", o->json, "as JSON");
    command->callback([o] { run(*o); });
}

}  // namespace tool
