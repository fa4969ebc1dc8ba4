// Random small models of every architecture in shapes that no published model has, against a forward pass in float64:
// head sizes, groups, widths and vocabularies that are no multiple of anything a kernel works in.
#include "golden/golden.hpp"
#include "golden/reference_forward.hpp"

#include <hence/core/scalar.hpp>
#include <hence/io/gguf_writer.hpp>
#include <hence/models/architectures.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <random>

using namespace hence_test;

namespace {

struct shape {
    std::string architecture;
    std::int64_t layers, width, heads, kv_heads, key, value, inner, vocabulary, rotary;
    std::int64_t positions = 19;
    bool tied = true;
};

/// Writes random models; keeps the tensors' bytes until the file is made.
class random_model {
public:
    random_model(const shape& s, unsigned seed, hence::dtype type = hence::dtype::f32) : s_(s), type_(type), random_(seed) {}

    std::vector<std::byte> bytes() {
        metadata();
        matrix("token_embd.weight", s_.vocabulary, s_.width, 1.0f);
        const bool gpt2 = s_.architecture == "gpt2", centred = gpt2 || s_.architecture == "starcoder2";
        const bool gemma = s_.architecture.substr(0, 5) == "gemma";
        if (gpt2) matrix("position_embd.weight", 64, s_.width, 0.5f);
        for (std::int64_t layer = 0; layer < s_.layers; ++layer) {
            const std::string p = "blk." + std::to_string(layer) + ".";
            const auto norm = [&](const std::string& name, std::int64_t size) {
                vector(p + name + ".weight", size, 1.0f);
                if (centred) vector(p + name + ".bias", size, 0.0f);
            };
            const bool some_biases = s_.architecture == "qwen2" || s_.architecture == "llama";
            const auto linear = [&](const std::string& name, std::int64_t rows, std::int64_t columns, bool bias) {
                matrix(p + name + ".weight", rows, columns, 1.0f / std::sqrt(static_cast<float>(columns)));
                if (bias || centred) vector(p + name + ".bias", rows, 0.0f);
            };
            norm("attn_norm", s_.width);
            const std::int64_t q = s_.heads * s_.key, k = s_.kv_heads * s_.key, v = s_.kv_heads * s_.value;
            if (gpt2 || s_.architecture == "phi3") {
                linear("attn_qkv", q + k + v, s_.width, gpt2);
            } else {
                linear("attn_q", q, s_.width, some_biases);
                linear("attn_k", k, s_.width, some_biases);
                linear("attn_v", v, s_.width, some_biases);
            }
            if (s_.architecture == "qwen3" || s_.architecture == "gemma3") {
                norm("attn_q_norm", s_.key);
                norm("attn_k_norm", s_.key);
            }
            linear("attn_output", s_.width, s_.heads * s_.value, false);
            norm("ffn_norm", s_.width);
            if (gemma) {
                norm("post_attention_norm", s_.width);
                norm("post_ffw_norm", s_.width);
            }
            if (!centred && s_.architecture != "phi3") linear("ffn_gate", s_.inner, s_.width, false);
            linear("ffn_up", s_.architecture == "phi3" ? 2 * s_.inner : s_.inner, s_.width, false);
            linear("ffn_down", s_.width, s_.inner, false);
        }
        vector("output_norm.weight", s_.width, 1.0f);
        if (centred) vector("output_norm.bias", s_.width, 0.0f);
        if (!s_.tied) matrix("output.weight", s_.vocabulary, s_.width, 1.0f);
        return writer_.to_bytes().value();
    }

private:
    void metadata() {
        const std::string p = s_.architecture + ".";
        const auto number = [&](const char* key, std::int64_t value) { writer_.add(p + key, static_cast<std::uint32_t>(value)); };
        writer_.add("general.architecture", s_.architecture);
        number("context_length", 64);
        number("embedding_length", s_.width);
        number("block_count", s_.layers);
        number("feed_forward_length", s_.inner);
        number("attention.head_count", s_.heads);
        number("attention.head_count_kv", s_.kv_heads);
        number("attention.key_length", s_.key);
        number("attention.value_length", s_.value);
        if (s_.architecture != "gpt2") number("rope.dimension_count", s_.rotary);
        writer_.add(p + "rope.freq_base", s_.architecture == "gemma3" ? 1e6f : 5000.0f);
        if (s_.architecture == "gemma2" || s_.architecture == "gemma3") number("attention.sliding_window", 7);
        if (s_.architecture == "gemma2") {
            writer_.add(p + "attn_logit_softcapping", 3.0f);
            writer_.add(p + "final_logit_softcapping", 4.0f);
        }
        const bool centred = s_.architecture == "gpt2" || s_.architecture == "starcoder2";
        writer_.add(p + (centred ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"), 1e-5f);
        writer_.add("tokenizer.ggml.model", "gpt2");
        writer_.add("tokenizer.ggml.pre", "gpt-2");
        std::vector<std::string> tokens;
        for (std::int64_t i = 0; i < s_.vocabulary; ++i) tokens.push_back("t" + std::to_string(i));
        writer_.add("tokenizer.ggml.tokens", tokens);
        writer_.add("tokenizer.ggml.merges", std::span<const std::string>());
    }

    float draw(float around, float spread) { return around + spread * std::normal_distribution<float>()(random_); }

    void vector(const std::string& name, std::int64_t size, float around) {
        std::vector<float>& values = vectors_.emplace_back();
        for (std::int64_t i = 0; i < size; ++i) values.push_back(draw(around, 0.2f));
        const std::int64_t extents[] = {size};
        writer_.add_tensor(name, hence::dtype::f32, extents, std::as_bytes(std::span(values))).value();
    }

    // Block formats are made of random bits: scales stay small, all else is any value the format can have.
    void matrix(const std::string& name, std::int64_t rows, std::int64_t columns, float spread) {
        const std::int64_t extents[] = {rows, columns};
        std::vector<std::byte>& bytes = blobs_.emplace_back();
        const auto put = [&](auto value) {
            const auto raw = std::as_bytes(std::span(&value, 1));
            bytes.insert(bytes.end(), raw.begin(), raw.end());
        };
        for (std::int64_t i = 0; i < rows * columns; ++i) {
            const float value = draw(0, spread);
            if (type_ == hence::dtype::f16) put(hence::to_f16(value));
            else if (type_ == hence::dtype::bf16) put(hence::to_bf16(value));
            else if (type_ == hence::dtype::f32) put(value);
            else if (i % 32 == 0) {
                put(hence::to_f16(spread / 64));  // Q8_0
                for (int j = 0; j < 32; ++j) put(static_cast<std::int8_t>(std::clamp(draw(0, 60), -127.0f, 127.0f)));
            }
        }
        writer_.add_tensor(name, type_, extents, bytes).value();
    }

    const shape s_;
    hence::dtype type_;
    std::mt19937 random_;
    hence::gguf_writer writer_;
    std::deque<std::vector<float>> vectors_;
    std::deque<std::vector<std::byte>> blobs_;
};

double worst_difference(const std::vector<std::byte>& bytes, const shape& s, const hence::load_options& options) {
    std::vector<hence::token_id> ids;
    for (std::int64_t i = 0; i < s.positions; ++i) ids.push_back(static_cast<hence::token_id>((i * i * 5 + 3) % s.vocabulary));
    const auto file = hence::gguf_file::from_bytes(bytes).value();
    auto model = hence::decoder::from_gguf(file, options);
    INFO((model ? std::string() : model.error().message()));
    REQUIRE(model.has_value());
    const std::vector<double> expected = reference_forward(file).run(ids);
    const std::vector<float> ours = run(*model, ids);
    REQUIRE(ours.size() == expected.size());
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const double difference = std::abs(static_cast<double>(ours[i]) - expected[i]);
        worst = difference <= worst ? worst : difference;
        largest = std::max(largest, std::abs(expected[i]));
    }
    return worst / std::max(1.0, largest);
}

std::vector<shape> shapes() {
    std::vector<shape> all;
    for (const hence::architecture& row : hence::models::supported_architectures()) {
        const std::string name(row.name);
        // Widths, heads, groups, head sizes, feed-forward sizes and vocabularies without common factors.
        const std::int64_t period = name == "gemma3" ? 7 : 2;
        if (name == "gpt2") {
            all.push_back({name, 2, 33, 3, 3, 11, 11, 50, 37, 0});
            all.push_back({name, 1, 130, 13, 13, 10, 10, 257, 101, 0});
        } else {
            all.push_back({name, period, 33, 3, 1, 14, 14, 47, 37, 14});
            all.push_back({name, period, 70, 7, 7, 6, 6, 35, 129, 4});
            all.push_back({name, 1, 1, 1, 1, 2, 2, 1, 3, 2});
            all.push_back({name, 1, 129, 10, 5, 34, 34, 131, 513, 34, 40, false});
            all.push_back({name, 1, 65, 12, 2, 18, 22, 67, 63, 10, 33});
        }
    }
    return all;
}

}  // namespace

TEST_CASE("odd shapes of every architecture: float weights against float64") {
    unsigned seed = 1;
    for (const shape& s : shapes()) {
        for (const hence::dtype type : {hence::dtype::f32, hence::dtype::f16, hence::dtype::bf16}) {
            random_model model(s, seed++, type);
            const std::vector<std::byte> bytes = model.bytes();
            INFO(s.architecture << " width " << s.width << " heads " << s.heads << "/" << s.kv_heads << " of " << s.key << "/" << s.value);
            // GGUF's gelu is rounded to half precision, as the engines compute it that these files are made for.
            const bool half = s.architecture == "gpt2" || s.architecture == "starcoder2" || s.architecture.substr(0, 5) == "gemma";
            CHECK(worst_difference(bytes, s, {}) <= (half ? 2e-3 : 1e-4));
        }
    }
}

TEST_CASE("odd shapes on every tier") {
    for (std::size_t i = 0; i < hence::isa_count; ++i) {
        const auto tier = static_cast<hence::isa>(i);
        if (!hence::kernels::compiled(tier) || !hence::supported(tier)) continue;
        unsigned seed = 100;
        for (const shape& s : shapes()) {
            if (s.architecture != "llama" && s.architecture != "gemma3") continue;
            INFO(s.architecture << " width " << s.width << " on " << name(tier));
            random_model model(s, seed++);
            CHECK(worst_difference(model.bytes(), s, {.tier = tier}) <= 2e-3);
        }
    }
}

TEST_CASE("widths that are multiples of 32 but of nothing larger: 8-bit blocks, expanded and not") {
    unsigned seed = 500;
    for (const std::int64_t width : {32, 96, 160, 224}) {
        const shape s{"qwen2", 2, width, 5, 1, 32, 32, 96, 77, 32};
        random_model model(s, seed++, hence::dtype::q8_0);
        const std::vector<std::byte> bytes = model.bytes();
        INFO("width " << width);
        CHECK(worst_difference(bytes, s, {.tier = {}, .math = hence::math::dequantized}) <= 1e-4);
        CHECK(worst_difference(bytes, s, {}) <= 0.05);
    }
}
