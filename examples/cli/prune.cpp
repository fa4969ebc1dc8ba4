// hence prune: a model with weights left out, and what that costs.
//
// Everything that can be refused is refused before the work begins, and the output file appears complete or not at all.
#include "common.hpp"

#include <CLI/CLI.hpp>

#if __has_include(<Eigen/Cholesky>)

#include "compressing.hpp"

#include <hence/compress/prune.hpp>
#include <hence/compress/sensitivity.hpp>
#include <hence/compress/shrink.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>

namespace tool {

namespace {

namespace compress = hence::compress;

struct options : compressing_options {
    std::string pattern, type = "keep", score = "magnitude";
    bool by_sensitivity = false;
};

const std::map<std::string, hence::dtype> types = {{"f32", hence::dtype::f32},     {"f16", hence::dtype::f16},
                                                   {"bf16", hence::dtype::bf16},   {"q8_0", hence::dtype::q8_0},
                                                   {"q8_24", hence::dtype::q8_24}, {"q8_48", hence::dtype::q8_48},
                                                   {"q4_24", hence::dtype::q4_24}, {"int8", hence::dtype::i8}};
const std::map<std::string, compress::prune_score> scores = {{"magnitude", compress::prune_score::magnitude},
                                                             {"wanda", compress::prune_score::wanda},
                                                             {"sparsegpt", compress::prune_score::sparsegpt}};

std::size_t written_bytes(const compress::pruned_tensor& t) {
    return t.data.size() + t.scales.size() * sizeof(float);
}

nlohmann::json to_json(const compress::pruned_tensor& t) {
    nlohmann::json j = {{"name", t.name},
                        {"from", hence::name(t.from)},
                        {"to", hence::name(t.type)},
                        {"bytes_before", t.bytes_before},
                        {"bytes_after", written_bytes(t)},
                        {"sparsity", t.sparsity},
                        {"weight_error", t.weight_error}};
    if (t.output_error >= 0) j["output_error"] = t.output_error;
    return j;
}

void print_report(const std::vector<compress::pruned_tensor>& tensors) {
    std::string text = "tensor                          from   to     sparsity  weight error  output error\n";
    char line[200];
    for (const compress::pruned_tensor& t : tensors) {
        std::snprintf(line, sizeof line, "%-30s  %-5s  %-5s  %8.4f  %12.4f", t.name.c_str(),
                      std::string(hence::name(t.from)).c_str(), std::string(hence::name(t.type)).c_str(), t.sparsity,
                      t.weight_error);
        text += line;
        if (t.output_error >= 0) {
            std::snprintf(line, sizeof line, "  %12.4f", t.output_error);
            text += line;
        }
        text += "\n";
    }
    print(text);
}

void run(const options& o) {
    const compressing_input in(o, "prune");
    const hence::gguf_file& file = in.file;
    progress_line progress;
    compress::perplexity_score before, after;
    // Before the work, so that a text that is too short is refused before a file is written.
    auto start = std::chrono::steady_clock::now();
    const auto measure_before = [&] {
        if (in.evaluation.empty()) return;
        progress.show("perplexity before");
        before = score_of(o, file, in.evaluation);
        start = std::chrono::steady_clock::now();
    };
    std::vector<compress::pruned_tensor> tensors;
    nlohmann::json document = {{"input", o.in}, {"output", o.out}, {"pattern", o.pattern}};
    std::string summary;
    if (const auto structure = compress::parse_shrink(o.pattern)) {
        for (const auto& [option, given] : {std::pair{"--keep", !o.keep.empty()}, std::pair{"--by-sensitivity", o.by_sensitivity},
                                            std::pair{"--score", o.score != "magnitude"}})
            if (given)
                throw usage_error("prune: " + std::string(option) + ": expected a pattern of weights, found " +
                                  hence::quote(o.pattern) + ", which takes whole parts out by their magnitude");
        if (o.type != "keep" && o.pattern.starts_with("layers"))
            throw usage_error("prune: --type: expected a pattern that changes matrices, found " + hence::quote(o.pattern) +
                              ", which leaves those of other layers as they are");
        compress::shrink_options how{.what = *structure};
        if (o.type != "keep") how.type = types.at(o.type);
        measure_before();
        const compress::shrunk_model made = compress::shrink(file, how).value();
        compress::write(made, file, o.out).value();
        document["parameters_before"] = made.parameters_before;
        document["parameters_after"] = made.parameters_after;
        summary =
            std::to_string(made.parameters_before) + " parameters became " + std::to_string(made.parameters_after);
    } else {
        auto pattern = hence::parse_mask_pattern(o.pattern);
        if (!pattern)
            throw usage_error("--pattern: " + pattern.error().message() + "; or heads:N, channels:SHARE, layers:N");
        compress::prune_options how;
        how.pattern = *pattern;
        how.score = scores.at(o.score);
        if (how.score != compress::prune_score::magnitude && o.calibration.empty())
            throw usage_error("prune: the score " + o.score + " learns from a text: give --calibrate TEXT");
        if (o.type != "keep") how.type = types.at(o.type);
        how.calibration = in.calibration;
        how.reading = {.window = o.window, .max_tokens = o.tokens, .threads = o.threads};
        how.threads = o.threads;
        how.keep = kept_names(file, o.keep);
        how.progress = show_tensor;
        how.context = &progress;
        measure_before();
        if (o.by_sensitivity) {
            const auto scan =
                compress::scan_sensitivity(
                    file,
                    {.pattern = *pattern, .calibration = in.calibration, .reading = how.reading, .keep = how.keep})
                    .value();
            how.ratios = scan.ratios;
            document["loss"] = {{"even", scan.loss_even}, {"chosen", scan.loss_chosen}};
        }
        compress::pruned_model made = compress::prune(file, how).value();
        compress::write(made, file, o.out).value();
        tensors = std::move(made.tensors);
        std::size_t bytes_before = 0, bytes_after = 0;
        double zeros = 0, elements = 0;
        for (const compress::pruned_tensor& t : tensors) {
            const double count = static_cast<double>(t.shape[0]) * static_cast<double>(t.shape[1]);
            bytes_before += t.bytes_before;
            bytes_after += written_bytes(t);
            zeros += t.sparsity * count;
            elements += count;
        }
        document["score"] = o.score;
        document["sparsity"] = zeros / elements;
        document["matrix_bytes_before"] = bytes_before;
        document["matrix_bytes_after"] = bytes_after;
        for (const compress::pruned_tensor& t : tensors) document["tensors"].push_back(to_json(t));
        char line[160];
        std::snprintf(line, sizeof line, "%.2f %% of the weights in %zu matrices are zero; %zu bytes became %zu",
                      100 * zeros / elements, tensors.size(), bytes_before, bytes_after);
        summary = line;
    }
    document["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!in.evaluation.empty()) {
        progress.show("perplexity after");
        after = score_of(o, o.out, in.evaluation);
        document["perplexity"] = {{"before", before.perplexity}, {"after", after.perplexity}, {"tokens", after.tokens}};
    }
    progress.clear();
    if (o.json) return print_json(document);
    if (o.report) print_report(tensors);
    print(o.out + ": " + summary + "\n");
    if (!in.evaluation.empty()) print(perplexity_line(before.perplexity, after));
}

}  // namespace

void add_prune(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("prune", "Leaves weights of a model out, and says what that costs");
    const auto o = std::make_shared<options>();
    command
        ->add_option("-p,--pattern", o->pattern,
                     "2:4, 4:8, block:16x4, unstructured:0.5; heads:N, channels:SHARE, layers:N")
        ->required();
    command->add_option("--score", o->score, "what says how much a weight matters")
        ->check(CLI::IsMember(names_of(scores)))
        ->capture_default_str();
    std::vector<std::string> formats = names_of(types);
    formats.emplace_back("keep");
    command
        ->add_option(
            "-t,--type", o->type,
            "format of the pruned matrices; q8_24, q8_48 and q4_24 leave zeros out of the file; int8: as quantize's")
        ->check(CLI::IsMember(formats))
        ->capture_default_str();
    command->add_flag(
        "--by-sensitivity", o->by_sensitivity,
        "block, unstructured: each matrix loses the share that costs least, the whole what the pattern says");
    add_compressing_options(*command, *o);
    command->callback([o] { run(*o); });
}

}  // namespace tool

#else

namespace tool {

void add_prune(CLI::App& app) {
    app.add_subcommand("prune", "Not in this build: it needs Eigen")->callback([] {
        throw usage_error("prune: this build of the tool is without it (it needs Eigen; Debian: libeigen3-dev)");
    });
}

}  // namespace tool

#endif
