// Encoding speed on GSM8K's text, one thread, cold cache: each iteration begins with a tokenizer just made.
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

void encode(benchmark::State& state, const std::string& vocabulary_file) {
    const std::string text = questions();
    const auto file = hence::gguf_file::open(data_folder() + vocabulary_file);
    const auto vocabulary = file ? hence::vocabulary_from_gguf(*file) : hence::result<hence::vocabulary>(file.error());
    if (!vocabulary || text.empty()) {
        state.SkipWithError("needs the test data");
        return;
    }
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

BENCHMARK_CAPTURE(encode, gpt2, "/tokenizers/ggml-vocab-gpt-2.gguf")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, starcoder, "/tokenizers/ggml-vocab-starcoder.gguf")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, falcon, "/tokenizers/ggml-vocab-falcon.gguf")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, sentencepiece, "/tokenizers/ggml-vocab-llama-spm.gguf")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, wordpiece, "/tokenizers/ggml-vocab-bert-bge.gguf")->Unit(benchmark::kMillisecond);

}  // namespace
