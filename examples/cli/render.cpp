// hence render: a conversation as the text that a chat template makes of it, and nothing else.
#include "common.hpp"

#include <hence/text/chat.hpp>
#include <hence/text/jinja.hpp>

#include <CLI/CLI.hpp>

#include <memory>
#include <utility>

namespace tool {

namespace {

struct options : machine_options {
    std::string model;
    std::string source;
    std::string messages;
    std::vector<std::string> settings;
    std::string now;
    bool no_generation_prompt = false;
};

// VALUE is JSON where it can be read as such (true, 3, "text", [...]), else text.
std::pair<std::string, hence::jinja_value> parse_setting(const std::string& setting) {
    const std::size_t equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos) throw usage_error("--set: expected NAME=VALUE, found " + hence::quote(setting));
    const std::string value = setting.substr(equals + 1);
    auto parsed = hence::jinja_value::from_json(value, "--set");
    return {setting.substr(0, equals), parsed ? std::move(*parsed) : hence::jinja_value(value)};
}

void run(const options& o) {
    hence::chat_options how;
    how.add_generation_prompt = !o.no_generation_prompt;
    if (!o.now.empty()) {
        auto time = hence::jinja_time::parse(o.now);
        if (!time) throw usage_error("--now: " + time.error().message());
        how.run.now = *time;
    }
    std::vector<std::pair<std::string, hence::jinja_value>> variables;
    for (const std::string& setting : o.settings) variables.push_back(parse_setting(setting));
    how.variables = hence::jinja_value::dict(std::move(variables));

    const std::string text = read_file(o.messages);
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos || text[first] != '[')
        throw std::runtime_error(o.messages + ": expected a JSON list of messages, found " + hence::quote(text));
    const hence::jinja_value messages = hence::jinja_value::from_json(text, o.messages).value();
    if (!o.source.empty()) return print(hence::render_chat(read_file(o.source), messages, how).value());
    print(hence::render_chat(load_tokenizer(o.model), messages, how).value());
}

}  // namespace

void add_render(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("render", "Prints a conversation as a chat template writes it");
    const auto o = std::make_shared<options>();
    CLI::Option* const model = command->add_option("-m,--model", o->model, "GGUF file or model folder whose template is used; unset: the model that ships");
    add_machine_options(*command, *o);
    command->add_option("--template", o->source, "a file that holds the template, instead")->excludes(model);
    command->add_option("--messages", o->messages, "a JSON list of messages (role, content); -: standard input")->required();
    command->add_flag("--no-generation-prompt", o->no_generation_prompt, "do not end where the assistant's answer begins");
    command->add_option("--set", o->settings, "NAME=VALUE: a further variable for the template; may be given again")->allow_extra_args(false);
    command->add_option("--now", o->now, "the time for strftime_now, as 2026-01-15T12:00:00; unset: now");
    command->callback([o] { run(*o); });
}

}  // namespace tool
