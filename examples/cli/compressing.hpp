// What `hence quantize` and `hence prune` have in common: a file in, a smaller one out, texts to learn from and to measure on.
#ifndef HENCE_EXAMPLES_CLI_COMPRESSING_HPP
#define HENCE_EXAMPLES_CLI_COMPRESSING_HPP

#include "common.hpp"

#include <hence/compress/perplexity.hpp>
#include <hence/models/gguf_from_folder.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

struct compressing_options : machine_options {
    std::string in, out, calibration, evaluation;
    std::vector<std::string> keep;
    std::size_t window = 0, tokens = 0;
    bool report = false, json = false;
};

inline void add_compressing_options(CLI::App& command, compressing_options& o) {
    command.add_option("input", o.in, "GGUF file, or a model folder (config.json, safetensors, tokenizer.json)")
        ->required();
    command.add_option("output", o.out, "GGUF file to write")->required();
    command.add_option("--calibrate", o.calibration, "a text of the kind that the model will meet");
    command.add_option("--window", o.window, "tokens of the text read together; 0: the context, at most 512")
        ->check(CLI::IsMember({0}) | CLI::Range(2, 1 << 30))
        ->capture_default_str();
    command.add_option("--calibration-tokens", o.tokens, "most tokens of the text; 0: all")->capture_default_str();
    command.add_option("--keep", o.keep, "tensors whose names match this pattern stay as they are; may be given again")
        ->allow_extra_args(false);
    command.add_option("--eval", o.evaluation,
                       "a text to measure perplexity on, before and after; unset: the calibration text");
    command.add_flag("--report", o.report, "the error of every tensor");
    command.add_flag("--json", o.json, "as JSON");
    add_machine_options(command, o);
}

/// The files that the options name, read; what would replace its own source is a mistake. A folder becomes a GGUF file in
/// memory.
struct compressing_input {
    std::vector<std::byte> converted;
    hence::gguf_file file;
    std::string calibration, evaluation;

    compressing_input(const compressing_options& o, const char* command)
        : file((refuse_same(o, command), open(o.in, converted))),
          calibration(o.calibration.empty() ? "" : text_of(o.calibration, "--calibrate")),
          evaluation(o.evaluation.empty() ? calibration : text_of(o.evaluation, "--eval")) {}

private:
    static hence::gguf_file open(const std::string& path, std::vector<std::byte>& converted) {
        if (!std::filesystem::is_directory(path) && !path.ends_with(".safetensors") && !path.ends_with(".json"))
            return hence::gguf_file::open(path).value();
        converted = hence::gguf_from_folder(path).value();
        return hence::gguf_file::from_bytes(converted, path).value();
    }
    static std::string text_of(const std::string& path, const char* option) {
        std::string text = read_file(path);
        if (text.empty()) throw std::runtime_error(path + ": " + option + ": expected a text, found an empty file");
        return text;
    }
    static void refuse_same(const compressing_options& o, const char* command) {
        std::error_code ignored;
        if (std::filesystem::equivalent(o.in, o.out, ignored))
            throw usage_error(std::string(command) + ": the output would replace the input " + o.in);
    }
};

/// The names that a pattern of --keep matches; a pattern that matches nothing is a mistake.
inline std::vector<std::string> kept_names(const hence::gguf_file& file, const std::vector<std::string>& patterns) {
    std::vector<std::string> names;
    for (const std::string& text : patterns) {
        auto pattern = hence::regex::compile(text);
        if (!pattern) throw usage_error("--keep: " + pattern.error().message());
        const std::size_t before = names.size();
        for (const hence::gguf_tensor& tensor : file.tensors())
            if (pattern->search(tensor.name)) names.push_back(tensor.name);
        if (names.size() == before)
            throw usage_error("--keep: " + hence::quote(text) + " matches the name of no tensor");
    }
    return names;
}

/// For the progress callbacks of compress; the context is a progress_line.
inline void show_tensor(void* line, std::string_view tensor, std::size_t done, std::size_t total) {
    static_cast<progress_line*>(line)->show(std::to_string(done) + " of " + std::to_string(total) +
                                            " tensors: " + std::string(tensor));
}

/// Of a file that is open, and of one by its path.
inline hence::compress::perplexity_score score_of(const compressing_options& o, const hence::gguf_file& file,
                                                  const std::string& text) {
    hence::load_options loading;
    loading.tier = o.tier();
    loading.threads = o.threads;
    return hence::compress::perplexity(hence::decoder::from_gguf(file, loading).value(), text, {.threads = o.threads})
        .value();
}
inline hence::compress::perplexity_score score_of(const compressing_options& o, const std::string& path,
                                                  const std::string& text) {
    return score_of(o, hence::gguf_file::open(path).value(), text);
}

inline std::string perplexity_line(double before, const hence::compress::perplexity_score& after) {
    char line[160];
    std::snprintf(line, sizeof line, "perplexity %.4f before, %.4f after (%+.2f %%, %zu tokens)\n", before,
                  after.perplexity, 100.0 * (after.perplexity / before - 1.0), after.tokens);
    return line;
}

std::vector<std::string> names_of(const auto& map) {
    std::vector<std::string> names;
    for (const auto& [name, value] : map) names.push_back(name);
    return names;
}

}  // namespace tool

#endif
