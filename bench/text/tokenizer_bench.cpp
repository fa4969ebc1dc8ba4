// Encoding speed on GSM8K's text, one thread, cold cache: each iteration begins with a tokenizer just made.
// Vocabularies as they are, and GPT-2's with the cut of every family.
//
// usage: bench_text; needs the test data (HENCE_TEST_DATA, or ../shared/data beside the repository).
#include "hence/io/gguf.hpp"
#include "hence/models/vocabulary_from_gguf.hpp"
#include "hence/text/tokenizer.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

std::string data_folder() {
    const char* const named = std::getenv("HENCE_TEST_DATA");
    return named != nullptr && *named != '\0' ? named : std::string(HENCE_SOURCE_DIR) + "/../shared/data";
}

std::string questions() {
    std::string text;
    for (const char* name : {"/eval/gsm8k/test_even.jsonl", "/eval/gsm8k/train_1000.jsonl"}) {
        std::ifstream in(data_folder() + name, std::ios::binary);
        text.append(std::istreambuf_iterator<char>(in), {});
    }
    return text;
}

void encode(benchmark::State& state, const std::string& vocabulary_file, const std::string& cut = {}) {
    const std::string text = questions();
    const auto file = hence::gguf_file::open(data_folder() + vocabulary_file);
    auto vocabulary = file ? hence::vocabulary_from_gguf(*file) : hence::result<hence::vocabulary>(file.error());
    if (!vocabulary || text.empty()) {
        state.SkipWithError("needs the test data");
        return;
    }
    if (!cut.empty()) vocabulary->pre = cut;
    std::size_t tokens = 0;
    for (auto _ : state) {
        state.PauseTiming();
        auto tokenizer = hence::tokenizer::make(*vocabulary).value();
        state.ResumeTiming();
        tokens = tokenizer.encode(text).value().size();
        benchmark::DoNotOptimize(tokens);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
    state.counters["tokens"] = static_cast<double>(tokens);
}

// One name for each scanner.
const bool registered = [] {
    for (const char* const cut : {"gpt-2", "smollm", "llama-bpe", "qwen2", "qwen35", "gpt-4o", "tekken", "deepseek-v3",
                                  "falcon", "minicpm5", "laguna", "default"})
        benchmark::RegisterBenchmark((std::string("encode/gpt-2 cut as ") + cut).c_str(), [cut](
                                                                                              benchmark::State& state) {
            encode(state, "/tokenizers/ggml-vocab-gpt-2.gguf", cut);
        })->Unit(benchmark::kMillisecond);
    for (const char* const name : {"starcoder", "falcon", "mpt", "llama-spm", "bert-bge"})
        benchmark::RegisterBenchmark((std::string("encode/") + name).c_str(), [name](benchmark::State& state) {
            encode(state, std::string("/tokenizers/ggml-vocab-") + name + ".gguf");
        })->Unit(benchmark::kMillisecond);
    return true;
}();

}  // namespace
