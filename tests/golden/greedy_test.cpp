// Greedy continuations through the engine against another engine's.
//
// They are compared up to the first token where the other engine's best and second best are close (margin below
// 0.5): from there on, rounding decides and texts part.
#include "golden/golden.hpp"

#include <hence/generate/engine.hpp>

using namespace hence_test;

namespace {

// How many tokens agree, and how many must.
struct agreement {
    std::size_t tokens = 0;
    std::size_t required = 0;
};

agreement continues(hence::engine<hence::decoder>& engine, const golden_prompt& prompt) {
    auto branch = engine.begin(prompt.ids).value();
    hence::until rules;
    rules.max_tokens = prompt.greedy.size();
    rules.stop_at_end = false;  // the golden continuations go on after an end token
    engine.extend(branch, rules).value();
    agreement found;
    while (found.required < prompt.greedy.size() && prompt.greedy_margin[found.required] >= 0.5) ++found.required;
    const auto generated = branch.generated();
    while (found.tokens < generated.size() && generated[found.tokens] == prompt.greedy[found.tokens]) ++found.tokens;
    return found;
}

void require_greedy(const golden_file& golden, hence::dtype cache = hence::dtype::f32) {
    hence::engine<hence::decoder> engine(load_model(golden.model), {.threads = 2, .kv = cache});
    for (const golden_prompt& prompt : golden.prompts) {
        INFO(golden.name << ": " << prompt.text);
        const agreement found = continues(engine, prompt);
        CHECK(found.tokens >= found.required);
    }
}

}  // namespace

TEST_CASE("greedy continuations of every architecture and format, up to the first close call") {
    for (const golden_file& golden : tiny_goldens()) require_greedy(golden);
}

TEST_CASE("greedy continuations with a float16 cache") {
    for (const golden_file& golden : tiny_goldens())
        if (float_weights(golden.model)) require_greedy(golden, hence::dtype::f16);
}

TEST_CASE("SmolLM2-135M-Instruct: greedy continuations up to the first close call") {
    HENCE_REQUIRE_SMOLLM2_GOLDEN(golden);
    require_greedy(golden);
}

TEST_CASE("the model that ships: greedy continuations up to the first close call") {
    HENCE_REQUIRE_DATA(json, "golden/tiny-reasoner-q8_0.json");
    HENCE_REQUIRE_DATA(file, "models/tiny-reasoner/tiny-reasoner-q8_0.gguf");
    require_greedy(read_golden(json, file));
}

TEST_CASE("engine logits are the model's, bit for bit, however a prompt is cut into steps") {
    for (const golden_file& golden : tiny_goldens()) {
        const golden_prompt& prompt = golden.prompts.back();
        INFO(golden.name);
        const hence::decoder model = load_model(golden.model);
        const std::size_t vocabulary = model.vocabulary_size();
        const std::vector<float> expected = run(model, prompt.ids);
        for (const std::size_t rows : {std::size_t{5}, std::size_t{512}}) {
            hence::engine<hence::decoder> engine(model, {.threads = 2, .max_rows = rows, .max_logits = rows});
            std::size_t positions = 0;
            engine.each_logits(prompt.ids, [&](std::size_t position, std::span<const float> logits) {
                CHECK(std::memcmp(logits.data(), expected.data() + position * vocabulary, vocabulary * sizeof(float)) == 0);
                ++positions;
            }).value();
            CHECK(positions == prompt.ids.size());
        }
    }
}
