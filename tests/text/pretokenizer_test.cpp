#include "hence/text/pretokenizer.hpp"

#include "text_support.hpp"

using namespace hence::text;

namespace {
std::vector<std::string> pieces(const pretokenizer& cut, std::string_view text) {
    std::vector<std::uint32_t> lengths;
    cut.split(text, lengths);
    std::vector<std::string> out;
    std::size_t at = 0;
    for (const std::uint32_t length : lengths) {
        out.emplace_back(text.substr(at, length));
        at += length;
    }
    REQUIRE(at == text.size());
    return out;
}
}  // namespace

// The vectors come from Hugging Face's tokenizers with the families' published patterns
// (tests/text/make_pretokenizer_vectors.py).
TEST_CASE("cuts are those that the published patterns make", "[text][pretokenizer]") {
    const auto lines = hence_test::json_lines(hence_test::source_dir() / "tests/text/pretokenizer_vectors.jsonl");
    REQUIRE(lines.size() > 100);
    for (const auto& line : lines) {
        const std::string name = line["pre"];
        const std::string text = line["text"];
        INFO(name << ": " << line["text"].dump());
        const auto cut = pretokenizer::named(name);
        REQUIRE(cut);
        CHECK(pieces(*cut, text) == line["pieces"].get<std::vector<std::string>>());
    }
}

TEST_CASE("an unknown pre-tokenizer is refused by name with the list of known ones", "[text][pretokenizer]") {
    const auto cut = pretokenizer::named("llama-bpe-2");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == hence::errc::unsupported);
    CHECK(cut.error().message().find("'llama-bpe-2'") != std::string::npos);
    CHECK(cut.error().message().find("llama-bpe, ") != std::string::npos);
    CHECK_FALSE(pretokenizer::for_pattern("[a-z]+"));
}

TEST_CASE("broken UTF-8 is cut into pieces that add up to the text", "[text][pretokenizer]") {
    for (const std::string_view name : {"gpt-2", "smollm", "llama-bpe", "qwen2", "falcon", "default", "gpt-4o", "tekken", "deepseek-v3", "laguna", "qwen35"}) {
        const auto cut = pretokenizer::named(name);
        REQUIRE(cut);
        std::uint32_t state = 1;
        for (int round = 0; round < 200; ++round) {
            std::string text;
            for (int i = 0; i < 40; ++i) {
                state = state * 1664525u + 1013904223u;
                text.push_back(static_cast<char>(static_cast<unsigned char>(state >> 24)));
            }
            (void)pieces(*cut, text);  // requires that they add up
        }
    }
}
