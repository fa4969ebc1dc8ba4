// hence quantize: a model of floats to block formats or int8, with what that costs.
//
// Everything that can be refused is refused before the work begins, and the output file appears complete or not at all.
#include "common.hpp"

#include <CLI/CLI.hpp>

#if __has_include(<Eigen/Cholesky>)

#include "compressing.hpp"

#include <hence/compress/quantize.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>

namespace tool {

namespace {

namespace compress = hence::compress;

struct options : compressing_options {
    std::string type, embedding, method;
    float smooth = -1;
    bool fixed = false, asymmetric = false, act_order = false, requantize = false;
};

const std::map<std::string, hence::dtype> types = {
    {"q8_0", hence::dtype::q8_0}, {"q5_0", hence::dtype::q5_0}, {"q5_1", hence::dtype::q5_1},
    {"q4_0", hence::dtype::q4_0}, {"q4_1", hence::dtype::q4_1}, {"q4_k", hence::dtype::q4_k},
    {"q6_k", hence::dtype::q6_k}, {"int8", hence::dtype::i8},   {"f32", hence::dtype::f32},
    {"f16", hence::dtype::f16},   {"bf16", hence::dtype::bf16}};

const std::map<std::string, compress::quantize_method> methods = {{"nearest", compress::quantize_method::nearest},
                                                                  {"search", compress::quantize_method::search},
                                                                  {"awq", compress::quantize_method::awq},
                                                                  {"gptq", compress::quantize_method::gptq},
                                                                  {"awq+gptq", compress::quantize_method::awq_gptq}};

std::string human(std::size_t bytes) {
    char text[32];
    if (bytes >= 10'000'000)
        std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
    else
        std::snprintf(text, sizeof text, "%.1f kB", static_cast<double>(bytes) / 1e3);
    return text;
}

nlohmann::json to_json(const compress::tensor_report& r) {
    nlohmann::json j = {{"name", r.name},         {"from", hence::name(r.from)},    {"to", hence::name(r.to)},
                        {"elements", r.elements}, {"bytes_before", r.bytes_before}, {"bytes_after", r.bytes_after}};
    if (!r.note.empty()) j["note"] = r.note;
    if (r.error.count() == 0) return j;
    j["max_error"] = r.error.max();
    j["rms_error"] = r.error.rms();
    j["cosine"] = r.error.cosine();
    // Nothing lost has no ratio: null.
    j["sqnr_db"] = std::isfinite(r.error.sqnr_db()) ? nlohmann::json(r.error.sqnr_db()) : nlohmann::json();
    return j;
}

void print_report(const compress::quantized_model& model) {
    std::string text = "tensor                          from  to        max error    rms error  cosine     SQNR dB\n";
    char line[256];
    for (const compress::tensor_report& r : model.reports) {
        if (r.error.count() == 0 && r.note.empty()) continue;
        std::snprintf(line, sizeof line, "%-30s  %-4s  %-5s", r.name.c_str(), std::string(hence::name(r.from)).c_str(),
                      std::string(hence::name(r.to)).c_str());
        text += line;
        if (r.error.count() > 0) {
            std::snprintf(line, sizeof line, "  %11.3e  %11.3e  %.6f  %8.2f", r.error.max(), r.error.rms(),
                          r.error.cosine(), r.error.sqnr_db());
            text += line;
        }
        text += (r.note.empty() ? "" : "  " + r.note) + "\n";
    }
    print(text);
}

void run(const options& o) {
    compress::quantize_options how;
    how.type = types.at(o.type);
    const bool floats = !hence::has_grid(how.type) && how.type != hence::dtype::i8;
    how.embedding = !o.embedding.empty() ? types.at(o.embedding) : floats ? how.type : hence::dtype::q8_0;
    how.threads = o.threads;
    how.requantize = o.requantize;
    how.fixed_activations = o.fixed;
    how.asymmetric = o.asymmetric;
    how.compensation.act_order = o.act_order;
    how.reading = {.window = o.window, .max_tokens = o.tokens, .threads = o.threads};
    const bool calibrates = !o.calibration.empty();
    const bool int8 = how.type == hence::dtype::i8;
    if (o.method.empty())
        how.method = calibrates && hence::has_grid(how.type) && how.type != hence::dtype::q8_0
                         ? compress::quantize_method::gptq
                         : compress::quantize_method::nearest;
    else
        how.method = methods.at(o.method);
    how.smooth = o.smooth >= 0 ? o.smooth : (calibrates && int8 ? 0.5f : 0.0f);
    if (!calibrates && (how.method > compress::quantize_method::search || how.smooth > 0 || how.fixed_activations))
        throw usage_error("quantize: this method learns from a text: give --calibrate TEXT");
    const compressing_input in(o, "quantize");
    how.calibration = in.calibration;
    how.keep = kept_names(in.file, o.keep);
    progress_line progress;
    how.context = &progress;
    how.progress = show_tensor;

    compress::perplexity_score before, after;
    if (!in.evaluation.empty()) {
        progress.show("perplexity before");
        before = score_of(o, in.file, in.evaluation);
    }
    const auto start = std::chrono::steady_clock::now();
    const compress::quantized_model made = compress::quantize(in.file, how).value();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    compress::write(made, in.file, o.out).value();
    if (!in.evaluation.empty()) {
        progress.show("perplexity after");
        after = score_of(o, o.out, in.evaluation);
    }
    progress.clear();

    std::size_t bytes_before = 0, bytes_after = 0;
    for (const compress::tensor_report& r : made.reports) {
        bytes_before += r.bytes_before;
        bytes_after += r.bytes_after;
    }
    if (o.json) {
        nlohmann::json document = {{"input", o.in},
                                   {"output", o.out},
                                   {"type", o.type},
                                   {"tensor_bytes_before", bytes_before},
                                   {"tensor_bytes_after", bytes_after},
                                   {"seconds", seconds}};
        for (const auto& [name, method] : methods)
            if (method == how.method) document["method"] = name;
        for (const compress::tensor_report& r : made.reports) document["tensors"].push_back(to_json(r));
        if (!in.evaluation.empty())
            document["perplexity"] = {{"before", before.perplexity},
                                      {"after", after.perplexity},
                                      {"tokens", after.tokens},
                                      {"windows", after.windows}};
        return print_json(document);
    }
    if (o.report) print_report(made);
    print(o.out + ": " + human(bytes_before) + " of tensors became " + human(bytes_after) + "\n");
    if (!in.evaluation.empty()) print(perplexity_line(before.perplexity, after));
}

}  // namespace

void add_quantize(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("quantize", "Writes a model in fewer bits, and says what that costs");
    const auto o = std::make_shared<options>();
    const std::vector<std::string> formats = names_of(types);
    std::vector<std::string> ends = names_of(types);
    std::erase(ends, "int8");
    command->add_option("-t,--type", o->type, "format of the layers' matrices")
        ->required()
        ->check(CLI::IsMember(formats));
    command
        ->add_option(
            "--embedding", o->embedding,
            "format of the embedding and the output matrix; unset: q8_0, or --type where that is f32, f16 or bf16")
        ->check(CLI::IsMember(ends));
    command->add_option("--method", o->method, "unset: nearest, or gptq for below 8 bits with a calibration text")
        ->check(CLI::IsMember(names_of(methods)));
    command
        ->add_option(
            "--smooth", o->smooth,
            "int8: how much of the activations' range moves into the weights; unset: 0.5 with a calibration text")
        ->check(CLI::Range(0.0f, 1.0f));
    command->add_flag("--fixed-activations", o->fixed,
                      "int8: activations' scales from the text instead of from each row");
    command->add_flag("--asymmetric", o->asymmetric,
                      "int8: a zero point for each row of weights, for weights to one side of zero");
    command->add_flag("--act-order", o->act_order, "gptq: columns with the largest inputs first");
    command->add_flag("--requantize", o->requantize, "take a model that is already quantized");
    add_compressing_options(*command, *o);
    command->callback([o] { run(*o); });
}

}  // namespace tool

#else

namespace tool {

void add_quantize(CLI::App& app) {
    app.add_subcommand("quantize", "Not in this build: it needs Eigen")->callback([] {
        throw usage_error("quantize: this build of the tool is without it (it needs Eigen; Debian: libeigen3-dev)");
    });
}

}  // namespace tool

#endif
