// hence tokenize: a text's token ids. Reads only the vocabulary, so files without weights will do.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace tool {

namespace {

struct options : machine_options {
    std::string model;
    std::string text;
    std::string file;
    bool plain = false;
    bool json = false;
};

void run(const options& o) {
    const hence::tokenizer tokenizer = load_tokenizer(o.model);
    const std::string text = o.file.empty() ? o.text : read_file(o.file);
    const std::vector<hence::token_id> ids = tokenizer.encode(text, {.special = true, .add_begin_end = !o.plain}).value();
    if (o.json) {
        std::vector<std::string> pieces;
        for (const hence::token_id id : ids) pieces.emplace_back(tokenizer.bytes_or_name(id));
        return print_json({{"ids", ids}, {"tokens", pieces}});
    }
    std::string line;
    for (const hence::token_id id : ids) line += (line.empty() ? "" : " ") + std::to_string(id);
    print(line + "\n");
}

}  // namespace

void add_tokenize(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("tokenize", "Prints a text's token ids");
    const auto o = std::make_shared<options>();
    command->add_option("-m,--model", o->model, "GGUF file or model folder; unset: the model that ships");
    add_machine_options(*command, *o);
    CLI::Option_group* const input = command->add_option_group("input", "the text");
    input->add_option("-p,--prompt", o->text, "the text itself");
    input->add_option("--file", o->file, "a file that holds it; -: standard input");
    input->require_option(1);
    command->add_flag("--no-begin-end", o->plain, "without the begin and end tokens that the vocabulary asks for");
    command->add_flag("--json", o->json, "as JSON: ids, tokens");
    command->callback([o] { run(*o); });
}

}  // namespace tool
