// Logits against another engine's, file by file: every architecture, every number format, every tier.
#include "golden/golden.hpp"

#include <cstdio>

using namespace hence_test;
using hence::isa;
using hence::math;

namespace {

void report(const golden_file& golden, const hence::decoder& model, const comparison& found) {
    std::printf("%-24s %-10s worst %.5f mean %.5f (other engine %.5f) top-1 %.4f (%.4f) lse %.5f nll %.5f\n", golden.name.c_str(),
                std::string(name(model.tier())).c_str(), found.worst, found.error, found.allowed_error, found.agreement,
                found.allowed_agreement, found.worst_log_sum_exp, found.worst_likelihood);
}

void require_float_accuracy(const golden_file& golden, const hence::load_options& options = {}) {
    INFO(golden.name);
    const hence::decoder model = load_model(golden.model, options);
    CHECK(model.vocabulary_size() == golden.vocabulary);
    const comparison found = compare(model, golden);
    report(golden, model, found);
    CHECK(found.worst <= 0.005);
    CHECK(found.worst_log_sum_exp <= 0.005);
    CHECK(found.worst_likelihood <= 0.005);
    CHECK(found.clear_misses == std::vector<std::string>{});
}

void require_block_accuracy(const golden_file& golden, const hence::load_options& options = {}) {
    INFO(golden.name);
    const hence::decoder model = load_model(golden.model, options);
    CHECK(model.vocabulary_size() == golden.vocabulary);
    const comparison found = compare(model, golden);
    report(golden, model, found);
    CHECK(found.error <= 1.1 * found.allowed_error);
    CHECK(found.agreement >= found.allowed_agreement - 0.02);
    CHECK(found.worst_likelihood <= 0.1);
}

std::vector<isa> tiers() {
    std::vector<isa> all;
    for (std::size_t i = 0; i < hence::isa_count; ++i)
        if (const auto tier = static_cast<isa>(i); hence::kernels::compiled(tier) && hence::supported(tier)) all.push_back(tier);
    return all;
}

}  // namespace

TEST_CASE("tokenizers give the golden ids") {
    std::size_t prompts = 0;
    for (const golden_file& golden : tiny_goldens()) {
        const hence::decoder model = load_model(golden.model);
        for (const golden_prompt& prompt : golden.prompts) {
            INFO(golden.name << ": " << prompt.text);
            const auto ids = model.tokenizer().encode(prompt.text);
            REQUIRE(ids.has_value());
            CHECK(*ids == prompt.ids);
            ++prompts;
        }
    }
    CHECK(prompts >= 28);
}

TEST_CASE("float weights: logits within 0.005 of the reference") {
    for (const golden_file& golden : tiny_goldens())
        if (float_weights(golden.model)) require_float_accuracy(golden);
}

TEST_CASE("block formats: no more error than another engine's 8-bit activations") {
    for (const golden_file& golden : tiny_goldens())
        if (!float_weights(golden.model)) require_block_accuracy(golden);
}

TEST_CASE("bf16 weights with bf16 activations: no more error than another engine's") {
    std::size_t files = 0;
    for (const golden_file& golden : format_goldens()) {
        if (golden.name != "format-bf16") continue;
        ++files;
        for (const isa tier : tiers()) require_block_accuracy(golden, {.tier = tier, .math = math::bf16});
    }
    CHECK((sanitized || files == 1));
}

TEST_CASE("block formats, weights expanded: logits within 0.005 of the reference") {
    for (const golden_file& golden : tiny_goldens())
        if (!float_weights(golden.model)) require_float_accuracy(golden, {.tier = {}, .math = math::dequantized});
}

TEST_CASE("every tier gives the bits of the scalar one, in every number format") {
    for (const golden_file& golden : format_goldens()) {
        INFO(golden.name);
        const std::vector<hence::token_id>& ids = golden.prompts.back().ids;
        const std::vector<float> reference = run(load_model(golden.model, {.tier = isa::scalar}), ids);
        for (const isa tier : tiers()) {
            // Built for the consumer's own baseline, which may have no fused multiply-add: its turn comes next.
            if (tier == isa::portable) continue;
            INFO(name(tier));
            const std::vector<float> ours = run(load_model(golden.model, {.tier = tier}), ids);
            CHECK(std::memcmp(ours.data(), reference.data(), ours.size() * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("the portable and the scalar tier: the accuracy of each number format") {
    for (const isa tier : {isa::portable, isa::scalar}) {
        for (const golden_file& golden : format_goldens()) {
            if (float_weights(golden.model)) require_float_accuracy(golden, {.tier = tier});
            else require_block_accuracy(golden, {.tier = tier});
        }
    }
}

TEST_CASE("SmolLM2-135M-Instruct: no more error than another engine's 8-bit activations, and expanded within 0.005") {
    HENCE_REQUIRE_SMOLLM2_GOLDEN(golden);
    const hence::decoder model = load_model(golden.model);
    for (const golden_prompt& prompt : golden.prompts) CHECK(model.tokenizer().encode(prompt.text).value() == prompt.ids);
    require_block_accuracy(golden);
    require_float_accuracy(golden, {.tier = {}, .math = math::dequantized});
}

TEST_CASE("the model that ships: no more error than another engine's 8-bit activations, and expanded within 0.005") {
    HENCE_REQUIRE_DATA(json, "golden/tiny-reasoner-q8_0.json");
    HENCE_REQUIRE_DATA(file, "models/tiny-reasoner/tiny-reasoner-q8_0.gguf");
    const golden_file golden = read_golden(json, file);
    const hence::decoder model = load_model(file);
    for (const golden_prompt& prompt : golden.prompts) CHECK(model.tokenizer().encode(prompt.text).value() == prompt.ids);
    require_block_accuracy(golden);
    require_float_accuracy(golden, {.tier = {}, .math = math::dequantized});
}

TEST_CASE("the model that ships in float32: within 0.005 of the reference") {
    HENCE_REQUIRE_DATA(json, "golden/tiny-reasoner-f32.json");
    HENCE_REQUIRE_DATA(file, "models/tiny-reasoner/tiny-reasoner-f32.gguf");
    require_float_accuracy(read_golden(json, file));
}

TEST_CASE("a float16 cache: within what halving its precision explains") {
    for (const golden_file& golden : tiny_goldens()) {
        if (!float_weights(golden.model)) continue;
        INFO(golden.name);
        const comparison found = compare(load_model(golden.model), golden, hence::dtype::f16);
        CHECK(found.worst <= 0.05);
        CHECK(found.worst > 0);
    }
}

TEST_CASE("a cache of signed bytes: farther from the reference than a float16 one, and within what 127 steps explain") {
    for (const golden_file& golden : tiny_goldens()) {
        if (!float_weights(golden.model)) continue;
        const hence::decoder model = load_model(golden.model);
        const comparison found = compare(model, golden, hence::dtype::i8);
        report(golden, model, found);
        INFO(golden.name);
        CHECK(found.worst <= 0.8);
        CHECK(found.error <= 0.1);  // on avx2: 0.005 (gemma3) to 0.084 (llama)
        CHECK(found.worst > compare(model, golden, hence::dtype::f16).worst);
        CHECK(found.worst_likelihood <= 0.1);
    }
}

TEST_CASE("SmolLM2-135M-Instruct: a cache of signed bytes adds less error than another engine's 8-bit activations have") {
    HENCE_REQUIRE_SMOLLM2_GOLDEN(golden);
    for (const math arithmetic : {math::f32, math::dequantized}) {
        const hence::decoder model = load_model(golden.model, {.tier = {}, .math = arithmetic});
        const comparison floats = compare(model, golden);
        const comparison eight = compare(model, golden, hence::dtype::i8);
        report(golden, model, floats);
        report(golden, model, eight);
        CHECK(eight.error <= floats.error + eight.allowed_error);
        CHECK(eight.worst_likelihood <= 0.1);
    }
}

TEST_CASE("one thread and two give the same bits; a row does not depend on the rows beside it") {
    for (const golden_file& golden : tiny_goldens()) {
        const golden_prompt& prompt = golden.prompts.back();
        INFO(golden.name);
        const hence::decoder model = load_model(golden.model);
        const std::vector<float> two = run(model, prompt.ids, 2);
        CHECK(std::memcmp(two.data(), run(model, prompt.ids, 1).data(), two.size() * sizeof(float)) == 0);
        const std::span<const hence::token_id> half = std::span(prompt.ids).first(prompt.ids.size() / 2);
        const std::vector<float> fewer = run(model, half, 1);
        CHECK(std::memcmp(two.data(), fewer.data(), fewer.size() * sizeof(float)) == 0);
    }
}
