#include "hence/text/tokenizer.hpp"

#include "hence/core/quote.hpp"
#include "support/sanitized.hpp"
#include "text_support.hpp"

#include <algorithm>
#include <set>
#include <thread>

using namespace hence;
using hence_test::byte_vocabulary;
using hence_test::encode;
using hence_test::make_tokenizer;

namespace {
std::vector<std::string> blocks(const std::string& text, std::string_view separator) {
    std::vector<std::string> out;
    for (std::size_t at = 0;;) {
        const std::size_t end = text.find(separator, at);
        out.push_back(text.substr(at, end - at));
        if (end == std::string::npos) return out;
        at = end + separator.size();
    }
}

std::vector<token_id> numbers(const std::string& line) {
    std::istringstream in(line);
    std::vector<token_id> ids;
    for (token_id id = 0; in >> id;) ids.push_back(id);
    return ids;
}

// The vectors of llama.cpp's repository: texts, and ids without begin or end.
void check_vectors(const tokenizer& t, const std::filesystem::path& input, bool round_trip) {
    const auto texts = blocks(hence_test::read_file(input), "\n__ggml_vocab_test__\n");
    std::filesystem::path output = input;
    output.replace_extension(".out");
    const auto lines = blocks(hence_test::read_file(output), "\n");
    REQUIRE(texts.size() >= 40);
    REQUIRE(lines.size() >= texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i + 1 == texts.size() && texts[i].empty()) break;  // the file ends with a separator
        INFO("block " << i << ": " << texts[i]);
        const auto ids = encode(t, texts[i], {.special = false, .add_begin_end = false});
        CHECK(ids == numbers(lines[i]));
        if (round_trip) CHECK(t.decode(ids) == texts[i]);
    }
}

// Qwen 2 as its makers publish it: vocab.json, merges.txt, added_tokens.json.
vocabulary qwen2_vocabulary(const std::filesystem::path& folder) {
    vocabulary v;
    v.model = "gpt2";
    v.pre = "qwen2";
    const auto ids = nlohmann::json::parse(hence_test::read_file(folder / "vocab.json"));
    const auto added = nlohmann::json::parse(hence_test::read_file(folder / "added_tokens.json"));
    v.tokens.resize(ids.size() + added.size());
    v.types.assign(v.tokens.size(), 1);
    for (const auto& [token, id] : ids.items()) v.tokens.at(id.get<std::size_t>()) = token;
    for (const auto& [token, id] : added.items()) {
        v.tokens.at(id.get<std::size_t>()) = token;
        v.types.at(id.get<std::size_t>()) = 3;
    }
    const auto lines = blocks(hence_test::read_file(folder / "merges.txt"), "\n");
    for (std::size_t i = 1; i < lines.size(); ++i)  // the first line is the version
        if (!lines[i].empty()) v.merges.push_back(lines[i]);
    return v;
}
}  // namespace

TEST_CASE("published vectors are equal for every vocabulary that is there", "[text][tokenizer][data]") {
    for (const std::string name : {"gpt-2", "starcoder", "falcon", "mpt", "llama-spm", "bert-bge"}) {
        const std::string path = std::string("tokenizers/ggml-vocab-") + name + ".gguf";
        HENCE_REQUIRE_DATA(gguf, path);
        HENCE_REQUIRE_DATA(input, path + ".inp");
        INFO(name);
        check_vectors(make_tokenizer(hence_test::gguf_vocabulary(gguf)), input,
                      name != "bert-bge");  // which puts text in lower case
    }
}

// Work that grew with the square of the length would take hours here.
TEST_CASE("a megabyte of one character goes through every tokenizer", "[text][tokenizer][data]") {
    HENCE_REQUIRE_DATA(folder, "tokenizers");
    std::size_t vocabularies = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".gguf") continue;
        const auto t = make_tokenizer(hence_test::gguf_vocabulary(entry.path()));
        for (const std::string_view character : {"a", " ", "7", "!", "\n", "\xC3\xA9"}) {
            INFO(entry.path().filename() << " " << hence::quote(character));
            std::string text;
            while (text.size() < std::size_t{1} << (hence_test::sanitized ? 16 : 20)) text += character;
            const auto ids = encode(t, text, {.special = false, .add_begin_end = false});
            if (t.vocabulary().model == "gpt2") CHECK(t.decode(ids) == text);
            CHECK(ids.size() <= text.size() + 1);  // SentencePiece puts a mark before it
        }
        ++vocabularies;
    }
    CHECK(vocabularies >= 5);
}

// Long texts remember their words (detail/word_cache.hpp): more different words than it has places, of every length around
// its limits. A text of one word remembers nothing.
TEST_CASE("a word in a long text gives the tokens that it gives alone", "[text][tokenizer][data]") {
    std::uint32_t state = 1;
    const auto below = [&](std::uint32_t n) {
        state = state * 1664525u + 1013904223u;
        return (state >> 8) % n;
    };
    std::vector<std::string> known;
    for (std::size_t i = 0; i < 9000; ++i) {
        std::string word;
        for (const std::size_t length = 1 + below(20); word.size() < length;)
            word += below(9) == 0 ? "\xC3\xA9" : std::string(1, static_cast<char>('a' + below(i % 2 == 0 ? 3 : 26)));
        known.push_back(std::move(word));
    }
    std::vector<std::string> words;
    std::string text;
    for (int i = 0; i < (hence_test::sanitized ? 5000 : 40000); ++i) {
        words.push_back(known[below(below(4) == 0 ? 9000 : 300)]);
        text += (i == 0 ? "" : " ") + words.back();
    }
    for (const std::string name : {"gpt-2", "starcoder", "falcon", "llama-spm", "bert-bge"}) {
        HENCE_REQUIRE_DATA(gguf, "tokenizers/ggml-vocab-" + name + ".gguf");
        INFO(name);
        const auto t = make_tokenizer(hence_test::gguf_vocabulary(gguf));
        std::vector<token_id> expected;
        for (std::size_t i = 0; i < words.size(); ++i) {
            const bool spaced = i > 0 && t.vocabulary().model == "gpt2";
            const auto ids = encode(t, (spaced ? " " : "") + words[i], {.add_begin_end = false});
            expected.insert(expected.end(), ids.begin(), ids.end());
        }
        CHECK(encode(t, text, {.add_begin_end = false}) == expected);
    }
}

TEST_CASE("Qwen 2's vectors are equal with its published vocabulary", "[text][tokenizer][data]") {
    HENCE_REQUIRE_DATA(folder, "tokenizers/qwen2");
    HENCE_REQUIRE_DATA(input, "tokenizers/ggml-vocab-qwen2.gguf.inp");
    const auto t = make_tokenizer(qwen2_vocabulary(folder));
    check_vectors(t, input, true);
    CHECK(encode(t, "<|im_start|>user") == std::vector<token_id>{151644, 872});
}

TEST_CASE("the ids of every golden prompt are equal", "[text][tokenizer][data]") {
    HENCE_REQUIRE_DATA(golden, "golden");
    std::vector<std::pair<std::filesystem::path, std::filesystem::path>> files;
    for (const auto& entry : std::filesystem::directory_iterator(golden / "tiny"))
        if (entry.path().extension() == ".json") {
            auto model = entry.path();
            files.emplace_back(entry.path(), model.replace_extension(".gguf"));
        }
    const auto add = [&](const char* json, const char* model) {
        if (const auto path = hence_test::data(model); path && std::filesystem::exists(golden / json))
            files.emplace_back(golden / json, *path);
    };
    add("tiny-reasoner-f32.json", "models/tiny-reasoner/tiny-reasoner-f32.gguf");
    add("smollm2-135m-instruct-q4_1.json", "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
    REQUIRE(files.size() >= 4);
    for (const auto& [json, model] : files) {
        const auto t = make_tokenizer(hence_test::gguf_vocabulary(model));
        const auto expected = nlohmann::json::parse(hence_test::read_file(json));
        for (const auto& prompt : expected["prompts"]) {
            const std::string text = prompt["text"];
            INFO(json << ": " << text.substr(0, 60));
            CHECK(encode(t, text) == prompt["ids"].get<std::vector<token_id>>());
        }
    }
}

TEST_CASE("any bytes come back from encode and decode", "[text][tokenizer]") {
    const auto t = make_tokenizer(byte_vocabulary({"t h", "th e", "\xC4\xA0 the"}, {"<end>"}));
    std::uint32_t state = 5;
    for (int round = 0; round < 300; ++round) {
        std::string text;
        for (std::uint32_t i = state % 60; i > 0; --i) {
            state = state * 1664525u + 1013904223u;
            text.push_back(static_cast<char>(static_cast<unsigned char>(state >> (round % 2 == 0 ? 24 : 26))));
        }
        state += 977;
        CHECK(t.decode(encode(t, text)) == text);
    }
}

TEST_CASE("special tokens are found in the text only where that is asked for", "[text][tokenizer]") {
    vocabulary v = byte_vocabulary({}, {"<|a|>", "<|a|>b"});
    v.tokens.push_back("<keep>");
    v.types.push_back(4);
    v.begin = 256;
    v.end = 257;
    v.add_begin = v.add_end = true;
    const auto t = make_tokenizer(v);
    CHECK(encode(t, "x<|a|>y") == std::vector<token_id>{256, 'x', 256, 'y', 257});
    CHECK(encode(t, "<|a|>b<|a|>c") == std::vector<token_id>{256, 257, 256, 'c', 257});  // the longest wins
    CHECK(encode(t, "<|a|>", {.special = false, .add_begin_end = false}) ==
          std::vector<token_id>{'<', '|', 'a', '|', '>'});
    CHECK(encode(t, "<keep>", {.special = false, .add_begin_end = false}) == std::vector<token_id>{258});
    CHECK(encode(t, "") == std::vector<token_id>{256, 257});
    const std::vector<token_id> ids{256, 'x', 258, 257};
    CHECK(t.decode(ids) == "x<keep>");
    CHECK(t.decode(ids, {.special = true}) == "<|a|>x<keep><|a|>b");
    CHECK(t.bytes(256).empty());
    CHECK(t.is_special(256));
    CHECK_FALSE(t.is_special(258));
    CHECK_FALSE(t.is_special(-1));
    CHECK(t.is_end(257));
    CHECK_FALSE(t.is_end(256));
    CHECK(t.find("<keep>") == 258);
    CHECK_FALSE(t.find("keep"));
    CHECK(t.begin() == 256);
    CHECK(t.size() == 259);
    CHECK_THROWS(t.bytes(259));
}

TEST_CASE("added tokens take the whitespace and respect the words that their flags say", "[text][tokenizer]") {
    vocabulary v = byte_vocabulary({}, {"<l>", "<r>", "cat"});
    v.added = {{.id = 256, .strip_left = true}, {.id = 257, .strip_right = true}, {.id = 258, .single_word = true}};
    const auto t = make_tokenizer(v);
    CHECK(encode(t, "a  <l> b") == std::vector<token_id>{'a', 256, ' ', 'b'});
    CHECK(encode(t, "a <r> \n b") == std::vector<token_id>{'a', ' ', 257, 'b'});
    CHECK(encode(t, "cat cats") == std::vector<token_id>{258, ' ', 'c', 'a', 't', 's'});
    CHECK(encode(t,
                 "\xC3\xA9"
                 "cat")
              .size() == 5);
}

TEST_CASE("SentencePiece puts a space before text, spells unknown characters in bytes and takes both back",
          "[text][tokenizer]") {
    vocabulary v;
    v.model = "llama";
    v.tokens = {"<unk>", "<s>", "</s>"};
    v.types = {2, 3, 3};
    for (int b = 0; b < 256; ++b) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(b));
        v.tokens.emplace_back(name);
        v.types.push_back(6);
    }
    for (const char* piece : {"\u2581", "a", "b", "ab",
                              "\u2581"
                              "a",
                              "\u2581"
                              "ab"}) {
        v.tokens.emplace_back(piece);
        v.types.push_back(1);
    }
    v.scores.assign(v.tokens.size(), 0.0f);
    const auto id = [&](std::string_view name) {
        return static_cast<token_id>(std::find(v.tokens.begin(), v.tokens.end(), name) - v.tokens.begin());
    };
    v.scores[static_cast<std::size_t>(id("ab"))] = -1;
    v
        .scores[static_cast<std::size_t>(id("\u2581"
                                            "a"))] = -2;
    v
        .scores[static_cast<std::size_t>(id("\u2581"
                                            "ab"))] = -3;
    v.begin = 1;
    v.end = 2;
    v.unknown = 0;
    v.add_begin = true;
    const auto t = make_tokenizer(v);
    CHECK(encode(t, "ab ab") == std::vector<token_id>{1,
                                                      id("\u2581"
                                                         "ab"),
                                                      id("\u2581"
                                                         "ab")});
    CHECK(encode(t, "") == std::vector<token_id>{1});
    CHECK(encode(t, "\u00e9a") == std::vector<token_id>{1, id("\u2581"), id("<0xC3>"), id("<0xA9>"), id("a")});
    CHECK(encode(t, "a</s>b") == std::vector<token_id>{1,
                                                       id("\u2581"
                                                          "a"),
                                                       2, id("\u2581"), id("b")});
    for (const std::string text : {"ab ab", "", " a", "  a  b ", "\u00e9\n\xFF", "a\u2028b"})
        CHECK(t.decode(encode(t, text)) == text);
    const std::vector<token_id> first{
        id("\u2581"
           "a")};
    CHECK(t.decode(first) == "a");
    CHECK(t.decode(first, {.beginning = false}) == " a");
}

TEST_CASE("threads share one tokenizer", "[text][tokenizer]") {
    const auto t = make_tokenizer(byte_vocabulary({"t h", "th e", "o n", "on e"}));
    const std::string text = "the one then once other thorn the one";
    const auto expected = encode(t, text);
    std::vector<std::thread> threads;
    std::vector<int> same(4);
    for (std::size_t i = 0; i < same.size(); ++i)
        threads.emplace_back([&, i] {
            for (int round = 0; round < 200; ++round) {
                const auto ids = t.encode(text);
                same[i] += ids && *ids == expected ? 1 : 0;
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(same == std::vector<int>(4, 200));
}
