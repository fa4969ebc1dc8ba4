#include "hence/models/vocabulary_from_gguf.hpp"

#include "hence/io/gguf_writer.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <functional>

using namespace hence;

namespace {
using strings = std::vector<std::string>;
using numbers = std::vector<std::int32_t>;

/// The description of a file with these entries; the file itself lives only while it is read.
result<vocabulary> described(const std::function<void(gguf_writer&)>& fill) {
    gguf_writer w;
    w.add("general.architecture", "llama");
    fill(w);
    const auto bytes = w.to_bytes();
    REQUIRE(bytes);
    const auto file = gguf_file::from_bytes(*bytes, "test.gguf");
    REQUIRE(file);
    return vocabulary_from_gguf(*file);
}

void gpt2(gguf_writer& w) {
    w.add("tokenizer.ggml.model", "gpt2");
    w.add("tokenizer.ggml.pre", "qwen2");
    w.add("tokenizer.ggml.tokens", strings{"a", "b", "ab", "<|im_end|>", "<|endoftext|>", "<|x|>"});
    w.add("tokenizer.ggml.token_type", numbers{1, 1, 1, 3, 3, 3});
    w.add("tokenizer.ggml.merges", strings{"a b"});
}

void llama(gguf_writer& w) {
    w.add("tokenizer.ggml.model", "llama");
    w.add("tokenizer.ggml.tokens", strings{"<unk>", "<s>", "</s>", "a", ""});
    w.add("tokenizer.ggml.scores", std::vector<float>{0, 0, 0, -1, -2});
}
}  // namespace

TEST_CASE("every tokenizer key of a file arrives in the vocabulary", "[models][vocabulary]") {
    const auto v = described([](gguf_writer& w) {
        gpt2(w);
        w.add("tokenizer.ggml.bos_token_id", std::uint32_t{4});
        w.add("tokenizer.ggml.eos_token_id", std::uint32_t{3});
        w.add("tokenizer.ggml.padding_token_id", std::uint32_t{4});
        w.add("tokenizer.ggml.eom_token_id", std::uint32_t{5});
        w.add("tokenizer.ggml.add_bos_token", true);
        w.add("tokenizer.chat_template", "{{ messages }}");
    });
    if (!v) FAIL(v.error().message());
    CHECK(v->model == "gpt2");
    CHECK(v->pre == "qwen2");
    CHECK(v->tokens.size() == 6);
    CHECK(v->merges == strings{"a b"});
    CHECK(v->begin == 4);
    CHECK(v->end == 3);
    CHECK(v->padding == 4);
    CHECK(v->add_begin);
    CHECK_FALSE(v->add_end);
    CHECK(v->chat_template == "{{ messages }}");
    CHECK(v->end_of_turn == 3);  // by its name, for no key gives one
    for (const token_id id : {3, 4, 5}) CHECK(std::find(v->also_end.begin(), v->also_end.end(), id) != v->also_end.end());
}

TEST_CASE("what a file leaves out is what its writers assume", "[models][vocabulary]") {
    auto v = described(llama);
    if (!v) FAIL(v.error().message());
    CHECK(v->begin == 1);
    CHECK(v->end == 2);
    CHECK(v->unknown == 0);
    CHECK(v->add_begin);
    CHECK(v->add_space_prefix);
    CHECK(v->tokens[4] == "[EMPTY_4]");

    v = described([](gguf_writer& w) {
        gpt2(w);
        w.add("tokenizer.ggml.bos_token_id", std::uint32_t{0xFFFFFFFF});
    });
    REQUIRE(v);
    CHECK(v->begin == no_token);
    CHECK(v->end == no_token);
    CHECK_FALSE(v->add_begin);

    v = described([](gguf_writer& w) {
        w.add("tokenizer.ggml.model", "gpt2");
        w.add("tokenizer.ggml.pre", "llama-bpe");
        w.add("tokenizer.ggml.tokens", strings{"a", "<|begin_of_text|>"});
        w.add("tokenizer.ggml.merges", strings{});
        w.add("tokenizer.ggml.bos_token_id", std::uint32_t{1});
    });
    REQUIRE(v);
    CHECK(v->add_begin);  // Llama 3's files rely on it

    v = described([](gguf_writer& w) {
        w.add("tokenizer.ggml.model", "gpt2");
        w.add("tokenizer.ggml.tokens", strings{"a"});
        w.add("tokenizer.ggml.merges", strings{});
    });
    REQUIRE(v);
    CHECK(v->pre == "default");
}

TEST_CASE("Phi 3's special tokens take the whitespace after them", "[models][vocabulary]") {
    const auto v = described([](gguf_writer& w) {
        llama(w);
        w.add("general.name", "Phi-3 Mini");
        w.add("tokenizer.ggml.token_type", numbers{2, 3, 3, 3, 1});
    });
    REQUIRE(v);
    CHECK(std::any_of(v->added.begin(), v->added.end(), [](const added_token& a) { return a.id == 3 && a.strip_right; }));
    CHECK(std::none_of(v->added.begin(), v->added.end(), [](const added_token& a) { return a.id == 1; }));
}

TEST_CASE("bad keys are errors that name the file and the key", "[models][vocabulary]") {
    const auto refusal = [](const std::function<void(gguf_writer&)>& fill) {
        const auto v = described(fill);
        return v ? std::string("accepted") : v.error().message();
    };
    const auto has = [](const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; };
    CHECK(has(refusal([](gguf_writer&) {}), "tokenizer.ggml.model"));
    CHECK(has(refusal([](gguf_writer& w) { w.add("tokenizer.ggml.model", "gpt2"); }), "tokenizer.ggml.tokens"));
    CHECK(has(refusal([](gguf_writer& w) {
              w.add("tokenizer.ggml.model", "rwkv");
              w.add("tokenizer.ggml.tokens", strings{"a"});
          }),
              "one of gpt2, llama, t5, bert, found 'rwkv'"));
    CHECK(has(refusal([](gguf_writer& w) {
              w.add("tokenizer.ggml.model", "gpt2");
              w.add("tokenizer.ggml.tokens", strings{"a"});
          }),
              "tokenizer.ggml.merges"));
    const std::string id = refusal([](gguf_writer& w) {
        gpt2(w);
        w.add("tokenizer.ggml.eos_token_id", std::uint32_t{6});
    });
    CHECK(has(id, "test.gguf: tokenizer.ggml.eos_token_id: expected an id below 6, found 6"));
    CHECK(has(refusal([](gguf_writer& w) {
              llama(w);
              w.add("tokenizer.ggml.precompiled_charsmap", "text");
          }),
              "precompiled_charsmap"));
    CHECK(has(refusal([](gguf_writer& w) {
              llama(w);
              w.add("tokenizer.ggml.add_bos_token", "yes");
          }),
              "tokenizer.ggml.add_bos_token"));
}
