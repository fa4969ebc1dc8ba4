// What a strategy costs beside the network: a step of many branches is parted into the forward pass, the draws, and the
// rest (scheduling, pages, stop rules, votes, texts). And what voting costs beside one chain of the same length.
//
// The model is wrapped: its forward pass is timed, and every row of logits is drawn from once more on a copy, which times
// the draws under the same conditions. What is left of the wall time after the forward passes and twice the draws is the
// overhead. One thread, so that no part hides behind another.
#include <hence/generate/engine.hpp>
#include <hence/generate/sampler.hpp>
#include <hence/models/decoder.hpp>
#include <hence/reason/compiled.hpp>
#include <hence/reason/reason.hpp>
#include <hence/reason/registry.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) { return std::chrono::duration<double>(clock_type::now() - start).count(); }

struct times {
    double forward = 0;
    double draws = 0;
    std::int64_t steps = 0;
    std::int64_t rows = 0;
};

/// A decoder whose forward passes are timed; with `shadow` its logits are drawn from once more.
class timed_decoder {
public:
    struct workspace {
        hence::decoder::workspace inner;
        hence::sampler sampler;
        std::vector<float> row;
    };

    timed_decoder(hence::decoder model, bool shadow) : model_(std::move(model)), shadow_(shadow), times_(std::make_shared<times>()) {}

    [[nodiscard]] std::size_t vocabulary_size() const { return model_.vocabulary_size(); }
    [[nodiscard]] std::size_t context_length() const { return model_.context_length(); }
    [[nodiscard]] const hence::tokenizer& tokenizer() const { return model_.tokenizer(); }
    [[nodiscard]] hence::kv_layout cache_layout(hence::dtype type) const { return model_.cache_layout(type); }
    [[nodiscard]] workspace make_workspace(const hence::workspace_options& options) const {
        return {model_.make_workspace(options), hence::sampler(vocabulary_size()), std::vector<float>(vocabulary_size())};
    }
    void forward(const hence::step& s, workspace& scratch, hence::thread_team& team) const {
        auto start = clock_type::now();
        model_.forward(s, scratch.inner, team);
        times_->forward += seconds_since(start);
        ++times_->steps;
        times_->rows += static_cast<std::int64_t>(s.rows.size());
        if (!shadow_) return;
        start = clock_type::now();
        hence::sampling how;
        how.temperature = 0.7f;
        hence::draw_request request;
        request.how = &how;
        for (std::int32_t i = 0; i < s.logits_count; ++i) {
            const std::span<float> logits(s.logits + static_cast<std::size_t>(i) * s.logits_stride, vocabulary_size());
            request.stream = static_cast<std::uint64_t>(i);
            benchmark::DoNotOptimize(scratch.sampler.draw(logits, request));
        }
        times_->draws += seconds_since(start);
    }
    [[nodiscard]] times& measured() const { return *times_; }

private:
    hence::decoder model_;
    bool shadow_;
    std::shared_ptr<times> times_;
};
static_assert(hence::causal_lm<timed_decoder>);

/// The model's file, or nothing where this machine has none.
std::string find_model(const std::string& name) {
    const char* const named = std::getenv("HENCE_TEST_DATA");
    for (const std::string& folder : {std::string(named == nullptr ? "" : named), std::string(HENCE_SOURCE_DIR "/../shared/data"), std::string(HENCE_SOURCE_DIR "/examples")})
        if (!folder.empty() && std::filesystem::exists(folder + "/models/" + name)) return folder + "/models/" + name;
    return {};
}

constexpr const char* models[] = {"tiny-reasoner/tiny-reasoner-q8_0.gguf", "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"};
constexpr const char* questions[] = {"calc: 17*3-9", "Tom has 3 boxes of 12 pencils and gives 7 away. How many pencils are left?"};

std::optional<hence::decoder> load_model(benchmark::State& state, std::int64_t which) {
    const std::string path = find_model(models[which]);
    if (path.empty()) {
        state.SkipWithError("the model is not on this machine; set HENCE_TEST_DATA");
        return std::nullopt;
    }
    hence::load_options how;
    how.threads = 1;
    return hence::load(path, how).value();
}

/// Options under which every chain has the same length: no end token is ever drawn.
hence::reason_options endless(std::span<const hence::token_id> ends, std::size_t tokens) {
    hence::reason_options options;
    options.max_tokens = tokens;
    for (const hence::token_id end : ends) options.sampling.logit_bias.emplace_back(end, -std::numeric_limits<float>::infinity());
    return options;
}

/// range(0): the model. Shares of the wall time of 32 branches that draw 48 tokens each, in percent.
void voting_overhead(benchmark::State& state) {
    const auto which = state.range(0);
    auto loaded = load_model(state, which);
    if (!loaded) return;
    const timed_decoder model(std::move(*loaded), true);
    hence::engine<timed_decoder> engine(model, {.threads = 1});
    const hence::reason_options options = endless(engine.end_tokens(), 48);
    const hence::self_consistency strategy{.samples = 32, .stop_when_decided = false};
    double wall = 0;
    (void)hence::reason(engine, questions[which], strategy, {}, options);
    model.measured() = {};
    for (auto _ : state) {
        const auto start = clock_type::now();
        benchmark::DoNotOptimize(hence::reason(engine, questions[which], strategy, {}, options).text.size());
        wall += seconds_since(start);
    }
    const times& t = model.measured();
    const double step = wall - t.draws;  // without the shadow's draws
    state.counters["step_ms"] = 1000 * step / static_cast<double>(t.steps);
    state.counters["forward_%"] = 100 * t.forward / step;
    state.counters["draws_%"] = 100 * t.draws / step;
    state.counters["overhead_%"] = 100 * (step - t.forward - t.draws) / step;
}
BENCHMARK(voting_overhead)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

/// The same for a search of 32 branches with its value prompts, on the model that ships.
void search_overhead(benchmark::State& state) {
    auto loaded = load_model(state, 0);
    if (!loaded) return;
    const timed_decoder model(std::move(*loaded), true);
    hence::engine<timed_decoder> engine(model, {.threads = 1});
    const auto strategy = hence::parse_strategy("tree_of_thoughts:breadth=4,samples=8,steps=6,scorer=value_24").value();
    double wall = 0;
    for (auto _ : state) {
        const auto start = clock_type::now();
        benchmark::DoNotOptimize(hence::reason(engine, "24: 4 6 8 8", strategy).text.size());
        wall += seconds_since(start);
    }
    const times& t = model.measured();
    const double step = wall - t.draws;
    state.counters["step_ms"] = 1000 * step / static_cast<double>(t.steps);
    state.counters["forward_%"] = 100 * t.forward / step;
    state.counters["draws_%"] = 100 * t.draws / step;
    state.counters["overhead_%"] = 100 * (step - t.forward - t.draws) / step;
}
BENCHMARK(search_overhead)->Unit(benchmark::kMillisecond)->UseRealTime();

/// range(0): the model; range(1): threads. The wall time of 16 samples over that of one chain of the same length, and the
/// two taken in turn so that a busy machine slows both.
void voting_against_one_chain(benchmark::State& state) {
    const auto which = state.range(0);
    auto loaded = load_model(state, which);
    if (!loaded) return;
    hence::engine<hence::decoder> engine(*loaded, {.threads = static_cast<int>(state.range(1)), .keep_prompts = 0});
    const hence::reason_options options = endless(engine.end_tokens(), 64);
    const hence::self_consistency vote{.samples = 16, .stop_when_decided = false};
    const hence::chain_of_thought chain;
    double voted = 0;
    double thought = 0;
    for (auto _ : state) {
        auto start = clock_type::now();
        benchmark::DoNotOptimize(hence::reason(engine, questions[which], chain, {}, options).text.size());
        thought += seconds_since(start);
        start = clock_type::now();
        benchmark::DoNotOptimize(hence::reason(engine, questions[which], vote, {}, options).text.size());
        voted += seconds_since(start);
    }
    state.counters["chain_ms"] = 1000 * thought / static_cast<double>(state.iterations());
    state.counters["vote_ms"] = 1000 * voted / static_cast<double>(state.iterations());
    state.counters["ratio"] = voted / thought;
}
BENCHMARK(voting_against_one_chain)->ArgsProduct({{0, 1}, {1, 2}})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
