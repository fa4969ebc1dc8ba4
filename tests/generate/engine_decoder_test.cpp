// The engine's promises with real weights: what holds for the toy model must hold for the decoder's kernels.
#include "support/catch.hpp"
#include "support/counting_resource.hpp"
#include "support/test_data.hpp"

#include <hence/core/rng.hpp>
#include <hence/generate/engine.hpp>
#include <hence/generate/generate.hpp>
#include <hence/kernels/dispatch.hpp>
#include <hence/models/decoder.hpp>

#include <string>
#include <vector>

using namespace hence;

static_assert(causal_lm<decoder>);
static_assert(reasoning_engine<engine<decoder>>);

namespace {

std::vector<token_id> prompt_of(const decoder& model, std::size_t length, std::size_t salt = 0) {
    std::vector<token_id> prompt(length);
    for (std::size_t i = 0; i < length; ++i)
        prompt[i] = static_cast<token_id>((5 + i * 13 + (i >= 20 ? salt * 7 : 0)) % model.vocabulary_size());
    return prompt;
}

sampling warm() {
    sampling how;
    how.temperature = 0.9f;
    how.top_p = 0.95f;
    how.seed = 7;
    return how;
}

std::uint64_t mixed_run(const decoder& model, const engine_options& options, bool forks) {
    engine e(model, options);
    std::vector<branch> branches;
    if (forks) {
        branches = e.begin(prompt_of(model, 45), 3, warm()).value().fork(5).value();
    } else {
        for (std::uint64_t i = 0; i < 5; ++i) branches.push_back(e.begin(prompt_of(model, 45), mix64(3, i), warm()).value());
    }
    branches.push_back(e.begin(prompt_of(model, 61, 2), 9, warm()).value());
    REQUIRE(e.extend(branches, {.max_tokens = 20, .stop_at_end = false}).has_value());
    REQUIRE(e.score(branches[1], prompt_of(model, 9)).has_value());
    auto more = branches[2].fork(2).value();
    REQUIRE(e.extend(more, {.max_tokens = 9, .stop_at_end = false}).has_value());
    return e.replay_hash();
}

}  // namespace

TEST_CASE("decoder: forked branches' probabilities are bit-equal to a fresh prefill's, in every type of cache") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/llama.gguf");
    const decoder model = load(path.string()).value();
    for (const dtype kv : {dtype::f32, dtype::f16, dtype::bf16, dtype::i8}) {
        engine e(model, {.threads = 2, .kv = kv});
        branch trunk = e.begin(prompt_of(model, 40), 1, warm()).value();
        REQUIRE(e.extend(trunk, {.max_tokens = 7, .stop_at_end = false}).has_value());
        auto children = trunk.fork(3).value();
        REQUIRE(e.extend(children, {.max_tokens = 11, .stop_at_end = false}).has_value());
        std::vector<branch*> list;
        for (branch& child : children) list.push_back(&child);
        const auto probe = prompt_of(model, 12, 4);
        const auto forked = e.score(list, probe).value();
        for (std::size_t i = 0; i < children.size(); ++i) {
            engine other(model, {.threads = 1, .kv = kv, .max_rows = 5 + i * 20, .max_logits = 3});
            branch fresh = other.begin(children[i].tokens()).value();
            REQUIRE(other.score(fresh, probe).value() == forked[i]);
        }
    }
}

TEST_CASE("decoder: the replay hash is one for 1 and 2 threads, any batch mix, forked or fresh, on every tier, in every type of cache") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/llama.gguf");
    for (std::size_t i = 0; i < isa_count; ++i) {
        const auto tier = static_cast<isa>(i);
        if (!kernels::compiled(tier) || !supported(tier)) continue;
        const decoder model = load(path.string(), {.tier = tier}).value();
        std::vector<std::uint64_t> hashes;
        for (const dtype kv : {dtype::f32, dtype::f16, dtype::bf16, dtype::i8}) {
            const std::uint64_t hash = mixed_run(model, {.threads = 1, .kv = kv}, true);
            hashes.push_back(hash);
            for (const bool forks : {true, false})
                for (const std::size_t max_rows : {std::size_t{512}, std::size_t{7}, std::size_t{1}}) {
                    INFO(name(tier) << ", " << name(kv) << " cache, forks " << forks << " rows " << max_rows);
                    const engine_options how{.threads = forks ? 2 : 1, .kv = kv, .max_rows = max_rows, .batch = max_rows == 7 ? 2u : 0u};
                    REQUIRE(mixed_run(model, how, forks) == hash);
                }
        }
        CHECK(hashes[3] != hashes[0]);  // bytes are not floats: the option did something
    }
}

TEST_CASE("decoder: the replay hash is one for every limit of a batch") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/llama.gguf");
    const decoder model = load(path.string()).value();
    const std::uint64_t hash = mixed_run(model, {.threads = 1}, true);
    for (const bool forks : {true, false})
        for (const int threads : {1, 2})
            for (const std::size_t max_rows : {std::size_t{512}, std::size_t{7}, std::size_t{1}})
                for (const std::size_t batch : {std::size_t{0}, std::size_t{2}}) {
                    INFO("forks " << forks << " threads " << threads << " rows " << max_rows << " batch " << batch);
                    REQUIRE(mixed_run(model, {.threads = threads, .max_rows = max_rows, .batch = batch}, forks) == hash);
                }
}

TEST_CASE("decoder: a step takes nothing from the engine's memory resource") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/llama.gguf");
    const decoder model = load(path.string()).value();
    hence_test::counting_resource memory;
    engine e(model, {.threads = 2, .cache_tokens = 2048, .memory = &memory});
    auto branches = e.begin(prompt_of(model, 40), 1, warm()).value().fork(6).value();
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    REQUIRE(e.extend(branches, {.max_tokens = 60, .stop_at_end = false, .every_token = true, .log_probabilities = true}, [&](branch_event<branch>&) {
        last = memory.allocations();
        if (first == 0) first = last;
    }).has_value());
    REQUIRE(first > 0);
    REQUIRE(last == first);
}
