// Definitions of common.hpp: options, input and output that the subcommands share.
#include "common.hpp"

#include <hence/models/huggingface.hpp>
#include <hence/sys/atomic_file.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <unistd.h>

namespace tool {

namespace {

template <class Names>
std::string join(const Names& names) {
    std::string all;
    for (const auto& one : names) all.append(all.empty() ? "" : ", ").append(one);
    return all;
}

}  // namespace

// --- options ---------------------------------------------------------------------------------------

void add_machine_options(CLI::App& command, machine_options& o) {
    command.add_option("--threads", o.threads, "threads; 0: all processors")->check(CLI::Range(0, 1024))->capture_default_str();
    command.add_option("--isa", o.isa, "instruction-set tier; unset: HENCE_ISA, else the fastest of this machine");
    command.parse_complete_callback([&o] { (void)o.tier(); });
}

void add_model_options(CLI::App& command, model_options& o) {
    command.add_option("-m,--model", o.path, "GGUF file or model folder; unset: the model that ships");
    add_machine_options(command, o);
    command.add_option("--math", o.math, "f32: quantized weights meet 8-bit activations; bf16: bf16 weights meet bf16 activations, too; dequantized: all in float32")
        ->check(CLI::IsMember({"f32", "bf16", "dequantized"}))
        ->capture_default_str();
    command.add_option("--kv", o.kv, "how keys and values are stored")->check(CLI::IsMember({"f32", "f16", "bf16", "int8"}))->capture_default_str();
    command.add_option("--context", o.context, "most tokens of one text; 0: the model's context")->capture_default_str();
}

void add_sampling_options(CLI::App& command, sampling_options& o) {
    const auto group = "Sampling";
    command.add_option("-n,--tokens", o.max_tokens, "most tokens to generate")->check(CLI::Range(1, 1 << 30))->capture_default_str()->group(group);
    command.add_option("--temp,--temperature", o.settings.temperature, "0: always the most probable token")
        ->check(CLI::Range(0.0f, 1e6f))->capture_default_str()->group(group);
    command.add_option("--seed", o.settings.seed, "draws are a function of it")->capture_default_str()->group(group);
    command.add_option("--top-k", o.settings.top_k, "keep the k most probable tokens; 0: all")->check(CLI::Range(0, 1 << 30))->group(group);
    command.add_option("--top-p", o.settings.top_p, "keep the fewest tokens that reach this probability")->check(CLI::Range(0.0f, 1.0f))->group(group);
    command.add_option("--min-p", o.settings.min_p, "keep tokens of this share of the top probability")->check(CLI::Range(0.0f, 1.0f))->group(group);
    command.add_option("--repetition-penalty", o.settings.repetition_penalty, "on tokens that occurred recently; 1: none")->group(group);
    command.add_option("--frequency-penalty", o.settings.frequency_penalty, "per recent occurrence")->group(group);
    command.add_option("--presence-penalty", o.settings.presence_penalty, "for any recent occurrence")->group(group);
    command.add_option("--stop", o.stop, "text that ends the completion; may be given again")->allow_extra_args(false)->group(group);
}

std::optional<hence::isa> machine_options::tier() const {
    if (isa.empty()) return std::nullopt;
    if (const auto found = hence::parse_isa(isa)) return found;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < hence::isa_count; ++i) names.emplace_back(hence::name(static_cast<hence::isa>(i)));
    throw usage_error("--isa: there is no tier '" + isa + "'; there are " + join(names));
}

std::string model_options::name() const {
    if (path.empty()) return std::string(shipped_model_name);
    const std::filesystem::path file(path);
    return (file.has_filename() ? file : file.parent_path()).filename().string();  // a folder's may end with a slash
}

hence::decoder model_options::load() const {
    hence::load_options how;
    how.tier = tier();
    how.math = math == "dequantized" ? hence::math::dequantized : math == "bf16" ? hence::math::bf16 : hence::math::f32;
    how.threads = threads;
    return path.empty() ? hence::load(shipped_model(), how).value() : hence::load(path, how).value();
}

hence::tokenizer load_tokenizer(const std::string& path) {
    const auto words = [&]() -> hence::result<hence::vocabulary> {
        if (hence::is_folder(path)) return hence::vocabulary_from_folder(path);
        HENCE_TRY_ASSIGN(file, path.empty() ? hence::gguf_file::from_bytes(shipped_model(), std::string(shipped_model_name))
                                            : hence::gguf_file::open(path));
        return hence::vocabulary_from_gguf(file);
    };
    return hence::tokenizer::make(words().value()).value();
}

hence::engine_options model_options::engine() const {
    hence::engine_options how;
    how.threads = threads;
    how.kv = kv == "f16" ? hence::dtype::f16 : kv == "bf16" ? hence::dtype::bf16 : kv == "int8" ? hence::dtype::i8 : hence::dtype::f32;
    how.context = context;
    return how;
}

hence::until sampling_options::limits() const {
    hence::until rules;
    rules.max_tokens = max_tokens;
    for (const std::string& text : stop) rules.stop.push_back(unescape(text));
    return rules;
}

// --- input -----------------------------------------------------------------------------------------

std::string read_file(const std::string& path) {
    if (path == "-") return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) throw std::runtime_error(path + ": expected a file, found a folder");
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error(path + ": cannot be read");
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, std::string_view bytes) {
    auto file = hence::atomic_file::create(path).value();
    file.write(std::as_bytes(std::span(bytes))).value();
    file.commit().value();
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = i + 1 < text.size() ? text[i + 1] : '\0';
        if (text[i] != '\\' || (next != 'n' && next != 't' && next != '\\')) {
            out += text[i];
            continue;
        }
        out += next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
        ++i;
    }
    return out;
}

std::vector<hence::token_id> encode_prompt(const hence::tokenizer& tokenizer, std::string_view text) {
    std::vector<hence::token_id> ids = tokenizer.encode(text).value();
    if (ids.empty()) throw std::runtime_error("the prompt is empty: expected some text (this model has no begin token to start from)");
    return ids;
}

double log_sum_exp(std::span<const float> logits, std::size_t position) {
    const double most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0;
    for (const float value : logits) sum += std::exp(static_cast<double>(value) - most);
    const double result = most + std::log(sum);
    if (!std::isfinite(result))
        throw std::runtime_error("logits at position " + std::to_string(position) + ": expected finite numbers, found NaN or infinity");
    return result;
}

// --- output ----------------------------------------------------------------------------------------

std::string hash_text(std::uint64_t hash) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    return text;
}

nlohmann::json to_json(const hence::account& account) {
    return {{"prompt_tokens", account.prompt_tokens},       {"cached_tokens", account.cached_tokens},
            {"generated_tokens", account.generated_tokens}, {"forced_tokens", account.forced_tokens},
            {"scored_tokens", account.scored_tokens},       {"drafted_tokens", account.drafted_tokens},
            {"accepted_tokens", account.accepted_tokens},   {"discarded_tokens", account.discarded_tokens},
            {"rows", account.rows},                         {"forwards", account.forwards},
            {"peak_kv_bytes", account.peak_kv_bytes}};
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void print_json(const nlohmann::json& document, bool indent) {
    print(document.dump(indent ? 1 : -1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

bool error_is_terminal() { return isatty(STDERR_FILENO) != 0; }
bool output_is_terminal() { return isatty(STDOUT_FILENO) != 0; }
bool input_is_terminal() { return isatty(STDIN_FILENO) != 0; }

void progress_line::show(const std::string& text) {
    if (!error_is_terminal()) return;
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    shown_ = true;
}

void progress_line::clear() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
    shown_ = false;
}

}  // namespace tool
