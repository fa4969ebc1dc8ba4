// hence generate: goes on with a text.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

namespace tool {

namespace {

struct options : model_options, sampling_options {
    std::string text;
    std::string file;
    bool escapes = false;
    bool json = false;
    bool tokens_given = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void run(const options& o) {
    const std::string text = !o.file.empty() ? read_file(o.file) : o.escapes ? unescape(o.text) : o.text;
    const hence::decoder model = o.load();
    hence::engine engine = hence::engine<hence::decoder>::make(model, o.engine()).value();
    const std::vector<hence::token_id> ids = encode_prompt(engine.tokenizer(), text);

    const auto start = std::chrono::steady_clock::now();
    double first_token = 0;
    hence::branch branch = engine.begin(ids, 0, o.settings).value();
    hence::until rules = o.limits();
    rules.every_token = true;
    engine.extend(branch, rules, [&](hence::branch_event<hence::branch>& event) {
        if (first_token == 0) first_token = seconds_since(start);
        if (!o.json) print(event.text);
    }).value();
    const double seconds = seconds_since(start);

    const auto generated = static_cast<double>(branch.generated().size());
    // The first token's time is the prompt's.
    const double rate = generated > 1 ? (generated - 1) / (seconds - first_token) : 0;
    if (o.json) {
        const std::vector<hence::token_id> continuation(branch.generated().begin(), branch.generated().end());
        nlohmann::json document = {{"model", o.name()},
                                   {"vocabulary", model.vocabulary_size()},
                                   {"prompt", text},
                                   {"prompt_ids", ids},
                                   {"text", branch.text()},
                                   {"ids", continuation},
                                   {"finish", hence::name(branch.finish())},
                                   {"usage", to_json(engine.account())},
                                   {"seconds", seconds},
                                   {"prompt_seconds", first_token},
                                   {"tokens_per_second", rate},
                                   {"isa", hence::name(model.tier())},
                                   {"replay_hash", hash_text(engine.replay_hash())}};
        if (o.settings.temperature == 0) document["greedy"] = continuation;
        print_json(document);
    } else {
        print("\n");
        if (error_is_terminal())
            std::fprintf(stderr, "[%zu + %.0f tokens, %.2f s, %.1f tokens/s, %s]\n", ids.size(), generated, seconds, rate,
                         std::string(hence::name(branch.finish())).c_str());
    }
    if (branch.finish() == hence::finish_reason::context_full && o.tokens_given)
        throw std::runtime_error("the context is full: expected room for " + std::to_string(ids.size()) + " + " + std::to_string(o.max_tokens) +
                                 " tokens, found a context of " + std::to_string(engine.context_length()));
}

}  // namespace

void add_generate(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("generate", "Goes on with a text");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    CLI::Option_group* const input = command->add_option_group("input", "the prompt");
    input->add_option("-p,--prompt", o->text, "the prompt itself");
    input->add_option("--file", o->file, "a file that holds it; -: standard input");
    input->require_option(1);
    command->add_flag("-e,--escapes", o->escapes, "\\n, \\t and \\\\ in the prompt stand for line end, tab and backslash");
    add_sampling_options(*command, *o);
    command->add_flag("--json", o->json, "as JSON, when all is done");
    command->callback([o, command] {
        o->tokens_given = command->count("--tokens") > 0;
        run(*o);
    });
}

}  // namespace tool
