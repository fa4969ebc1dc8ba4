// hence logits: what the model says at every position of a prompt, in the form of the golden files.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>

namespace tool {

namespace {

struct options : model_options {
    std::string text;
    std::string prompts;
    std::size_t top = 20;
    bool escapes = false;
    bool json = false;
};

// Prompts are JSON strings, one on each line; blank lines are skipped.
std::vector<std::string> read_prompts(const std::string& path) {
    const std::string content = read_file(path);
    std::vector<std::string> prompts;
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < content.size();) {
        const std::size_t end = std::min(content.find('\n', begin), content.size());
        const std::string_view line = std::string_view(content).substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const nlohmann::json value = nlohmann::json::parse(line.begin(), line.end(), nullptr, false);
        if (!value.is_string())
            throw std::runtime_error(path + ": line " + std::to_string(number) + ": expected a JSON string, found " + hence::quote(line));
        prompts.push_back(value.get<std::string>());
    }
    if (prompts.empty()) throw std::runtime_error(path + ": expected a JSON string on each line, found none");
    return prompts;
}

nlohmann::json examine(hence::engine_base& engine, const std::string& text, std::size_t top) {
    const std::vector<hence::token_id> ids = encode_prompt(engine.tokenizer(), text);
    nlohmann::json positions = nlohmann::json::array();
    std::vector<hence::token_id> order;
    double likelihood = 0;
    engine.each_logits(ids, [&](std::size_t position, std::span<const float> logits) {
        const double sum = log_sum_exp(logits, position);
        if (position + 1 < ids.size()) likelihood += sum - static_cast<double>(logits[static_cast<std::size_t>(ids[position + 1])]);
        order.resize(logits.size());
        std::iota(order.begin(), order.end(), 0);
        const auto listed = static_cast<std::ptrdiff_t>(std::min(top, order.size()));
        std::partial_sort(order.begin(), order.begin() + listed, order.end(), [&](hence::token_id a, hence::token_id b) {
            const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
            return x > y || (x == y && a < b);
        });
        order.resize(static_cast<std::size_t>(listed));
        std::vector<float> values;
        for (const hence::token_id id : order) values.push_back(logits[static_cast<std::size_t>(id)]);
        positions.push_back({{"position", position}, {"top_ids", order}, {"top_logits", values}, {"log_sum_exp", sum}});
    }).value();
    nlohmann::json result = {{"text", text}, {"ids", ids}, {"positions", std::move(positions)}};
    // One token predicts nothing that is known.
    if (ids.size() > 1) result["mean_negative_log_likelihood"] = likelihood / static_cast<double>(ids.size() - 1);
    else result["mean_negative_log_likelihood"] = nullptr;
    return result;
}

void print_table(const hence::tokenizer& tokenizer, const nlohmann::json& prompt) {
    std::string out;
    const nlohmann::json& ids = prompt["ids"];
    for (const nlohmann::json& place : prompt["positions"]) {
        const auto position = place["position"].get<std::size_t>();
        out += std::to_string(position) + " " + hence::quote(tokenizer.bytes_or_name(ids[position].get<hence::token_id>())) + " ->";
        for (std::size_t i = 0; i < place["top_ids"].size(); ++i) {
            char value[32];
            std::snprintf(value, sizeof value, " %.4f", place["top_logits"][i].get<double>());
            out += " " + hence::quote(tokenizer.bytes_or_name(place["top_ids"][i].get<hence::token_id>())) + value;
        }
        out += '\n';
    }
    print(out);
}

void run(const options& o) {
    std::vector<std::string> texts;
    if (o.prompts.empty()) texts.push_back(o.escapes ? unescape(o.text) : o.text);
    else texts = read_prompts(o.prompts);
    const hence::decoder model = o.load();
    hence::engine engine = hence::engine<hence::decoder>::make(model, o.engine()).value();
    nlohmann::json prompts = nlohmann::json::array();
    progress_line progress;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        progress.show("prompt " + std::to_string(i + 1) + " of " + std::to_string(texts.size()));
        prompts.push_back(examine(engine, texts[i], o.top));
        if (!o.json) {
            progress.clear();
            print_table(engine.tokenizer(), prompts.back());
        }
    }
    progress.clear();
    if (o.json) print_json({{"model", o.name()}, {"vocabulary", model.vocabulary_size()}, {"prompts", std::move(prompts)}});
}

}  // namespace

void add_logits(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("logits", "Prints the largest logits after every token of a prompt");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    CLI::Option_group* const input = command->add_option_group("input", "the prompts");
    input->add_option("-p,--prompt", o->text, "one prompt");
    input->add_option("--prompts", o->prompts, "a file with a JSON string on each line; -: standard input");
    input->require_option(1);
    command->add_flag("-e,--escapes", o->escapes, "\\n, \\t and \\\\ in the prompt stand for line end, tab and backslash");
    command->add_option("--top", o->top, "how many logits of each position")->check(CLI::Range(1, 1 << 24))->capture_default_str();
    command->add_flag("--json", o->json, "as JSON: model, vocabulary, prompts");
    command->callback([o] { run(*o); });
}

}  // namespace tool
