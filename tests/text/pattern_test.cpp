#include "hence/text/pattern.hpp"

#include "text_support.hpp"

using namespace hence::text;

namespace {
std::vector<std::string> found(std::string_view source, std::string_view text) {
    const auto p = pattern::compile(source);
    if (!p) FAIL(p.error().message());
    pattern::scratch memory;
    std::vector<pattern::span> matches;
    p->find_all(text, memory, matches);
    std::vector<std::string> out;
    for (const auto& m : matches) out.emplace_back(text.substr(m.begin, m.end - m.begin));
    return out;
}
using list = std::vector<std::string>;

std::string refusal(std::string_view source) {
    const auto p = pattern::compile(source);
    return p ? "accepted" : p.error().message();
}
}  // namespace

TEST_CASE("the leftmost match wins, and of its alternatives the first", "[text][pattern]") {
    CHECK(found("a|ab", "ab") == list{"a"});
    CHECK(found("ab|a", "ab") == list{"ab"});
    CHECK(found("(?:ab|a)(?:c|bcd)?", "abcd") == list{"abc"});
    CHECK(found("a*1|a", "aaab") == list{"a", "a", "a"});
    CHECK(found("a+?", "aa") == list{"a", "a"});
    CHECK(found("a{2,3}", "aaaaa") == list{"aaa", "aa"});
    CHECK(found("a{2,3}?", "aaaaa") == list{"aa", "aa"});
    CHECK(found("x{,2}1", "xxx1") == list{"xx1"});
    CHECK(found("a{x}", "a{x}") == list{"a{x}"});
}

TEST_CASE("possessive repetition gives nothing back", "[text][pattern]") {
    CHECK(found("a++ab|b", "aaab") == list{"b"});
    CHECK(found("a?+ab|b", "ab") == list{"b"});
    CHECK(found("a?+b", "ab") == list{"ab"});
}

TEST_CASE("classes, properties and case", "[text][pattern]") {
    CHECK(found("[\\p{L}&&[^a-z]]+", "abCDé") == list{"CDé"});
    CHECK(found("[^\\W\\d]+", "a1_b") == list{"a", "_b"});
    CHECK(found("\\p{Han}+", "ab你好c") == list{"你好"});
    CHECK(found("\\P{L}+", "a12b") == list{"12"});
    CHECK(found("(?i:straSSE)", "STRAsse") == list{"STRAsse"});
    CHECK(found("(?i)k", "\u212A") == list{"\u212A"});
    CHECK(found("[]a-]+", "]-a") == list{"]-a"});
    CHECK(found("\\x41\\u00e9\\x{4F60}", "Aé你") == list{"Aé你"});
    CHECK(found(".", "a\n\xFF") == list{"a", "\xFF"});
}

TEST_CASE("assertions look without taking", "[text][pattern]") {
    CHECK(found("\\s+(?!\\S)", "a   b  ") == list{"  ", "  "});
    CHECK(found("\\d{1,3}(?=(?:\\d{3})*\\b)", "1234567") == list{"1", "234", "567"});
    CHECK(found("(?<=a)b", "abb") == list{"b"});
    CHECK(found("(?<!a)b", "abb") == list{"b"});
    CHECK(found("^a|b$", "a\nab") == list{"a", "a", "b"});
    CHECK(found("\\Aa|a\\z", "aaa") == list{"a", "a"});
    CHECK(found("\\bcat\\b", "cat cats") == list{"cat"});
    CHECK(found("(?=(\\d{3})+(?!\\d))", "12345").size() == 1);  // an empty match: a place to cut
}

TEST_CASE("what cannot be matched in linear time is refused with its place", "[text][pattern]") {
    CHECK(refusal("(a)\\1").find("at byte 5: expected an escape of a class or character, found '\\1'") != std::string::npos);
    CHECK(refusal("(?>a)").find("'(?>'") != std::string::npos);
    CHECK(refusal("(?<=ab)c").find("lookbehind of one character") != std::string::npos);
    CHECK(refusal("(a?)*").find("one that can be empty") != std::string::npos);
    CHECK(refusal("((a{100}){100}){100}").find("at most 10000") != std::string::npos);
    CHECK(refusal(std::string(2000, '(')).find("at most 100 deep") != std::string::npos);
    CHECK(refusal("[a").find("']'") != std::string::npos);
    CHECK(refusal("a)").find("unmatched ')'") != std::string::npos);
    CHECK(refusal("*").find("something to repeat") != std::string::npos);
    CHECK(refusal("\\p{Klingon}").find("Klingon") != std::string::npos);
    CHECK(refusal("a\\").find("a character after") != std::string::npos);
}

TEST_CASE("a published pattern and its scanner cut the same", "[text][pattern]") {
    // the vectors were made with these patterns by another engine; here the general matcher meets them too
    const std::string llama3 =
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
    std::size_t checked = 0;
    for (const auto& line : hence_test::json_lines(hence_test::source_dir() / "tests/text/pretokenizer_vectors.jsonl")) {
        if (line["pre"] != "llama-bpe") continue;
        CHECK(found(llama3, line["text"].get<std::string>()) == line["pieces"].get<list>());
        ++checked;
    }
    CHECK(checked >= 10);
}

TEST_CASE("each character costs one step, however the text tempts", "[text][pattern]") {
    const auto p = pattern::compile("a*b|a");  // a backtracking engine needs n * n here
    REQUIRE(p);
    pattern::scratch memory;
    std::vector<pattern::span> matches;
    p->find_all(std::string(200000, 'a'), memory, matches);
    CHECK(matches.size() == 200000);
    CHECK(memory.known_states.size() < 10);  // the pass back met a handful of situations, each worked out once
}
