// stop_matcher: stop strings across tokens, held-back text, whole characters.
#include "support/catch.hpp"

#include <hence/core/rng.hpp>
#include <hence/generate/stop.hpp>
#include <hence/text/unicode.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace hence;

namespace {

struct streamed {
    std::string text;
    bool stopped = false;
};

streamed run(const std::vector<std::string>& stops, const std::vector<std::string>& pieces, std::string_view open = {}) {
    stop_matcher matcher;
    matcher.start(stops, 16, open);
    streamed out;
    for (const std::string& piece : pieces) {
        const auto step = matcher.push(piece);
        out.text += step.text;
        REQUIRE(text::incomplete_utf8_tail(out.text) == 0);
        if (step.stopped) {
            out.stopped = true;
            REQUIRE(matcher.released() == out.text.size());
            return out;
        }
    }
    out.text += matcher.finish();
    return out;
}

}  // namespace

TEST_CASE("a stop string inside one token, at its end, and across tokens") {
    REQUIRE(run({"END"}, {"abENDcd"}).text == "ab");
    REQUIRE(run({"END"}, {"ab", "E", "N", "D"}).text == "ab");
    REQUIRE(run({"END"}, {"abE", "NDx"}).text == "ab");
    REQUIRE(run({"END"}, {"abE", "NDx"}).stopped);
    REQUIRE(run({"\n\n"}, {"line\n", "\nmore"}).text == "line");
}

TEST_CASE("what looked like a stop string and was none comes out") {
    REQUIRE(run({"END"}, {"abE", "Nx"}).text == "abENx");
    REQUIRE(run({"END"}, {"abEN"}).text == "abEN");
    REQUIRE(run({"aab"}, {"a", "a", "a", "b"}).text == "a");
    REQUIRE(run({"abac"}, {"ab", "ab", "ac"}).text == "ab");
}

TEST_CASE("the stop string that is complete first wins, whatever their order") {
    REQUIRE(run({"later", "sooner"}, {"x sooner later"}).text == "x ");
    REQUIRE(run({"bcd", "b"}, {"ab", "cd"}).text == "a");
    REQUIRE(run({"abcd", "bc"}, {"xabcd"}).text == "xa");
    REQUIRE(run({"bc", "abc"}, {"xa", "bc"}).text == "x");
}

TEST_CASE("an open character waits, and one that never closes is left out") {
    REQUIRE(run({}, {"a\xC3", "\xA9", "b"}).text == "a\xC3\xA9" "b");
    REQUIRE(run({}, {"\xF0\x9F", "\x98", "\x80"}).text == "\xF0\x9F\x98\x80");
    REQUIRE(run({}, {"a\xE2\x82"}).text == "a");
    REQUIRE(run({}, {"\xA9!"}, "\xC3").text == "\xC3\xA9!");
}

TEST_CASE("random texts, cut anywhere: the stream is the text before the first stop string") {
    const counter_rng rng{5};
    std::uint32_t counter = 0;
    const auto below = [&](std::uint32_t n) { return rng.words(1, counter++, 0)[0] % n; };
    for (int round = 0; round < 3000; ++round) {
        std::vector<std::string> stops(below(3));
        for (std::string& stop : stops)
            for (std::uint32_t n = 1 + below(4); n > 0; --n) stop += static_cast<char>('a' + below(2));
        std::string whole;
        std::vector<std::string> pieces(below(8));
        for (std::string& piece : pieces) {
            for (std::uint32_t n = below(5); n > 0; --n) piece += static_cast<char>('a' + below(3));
            whole += piece;
        }
        std::size_t end = std::string::npos;
        std::size_t complete = std::string::npos;
        for (const std::string& stop : stops) {
            const std::size_t at = whole.find(stop);
            if (at == std::string::npos || at + stop.size() > complete) continue;
            if (at + stop.size() == complete) {
                end = std::min(end, at);
            } else {
                end = at;
                complete = at + stop.size();
            }
        }
        INFO(whole);
        const streamed out = run(stops, pieces);
        REQUIRE(out.text == whole.substr(0, end));
        REQUIRE(out.stopped == (end != std::string::npos));
    }
}

TEST_CASE("stop rules without a meaning are refused by field") {
    until rules;
    REQUIRE(check(rules, 10).has_value());
    rules.stop = {"ok", ""};
    REQUIRE(check(rules, 10).error().where == "until.stop");
    rules.stop.clear();
    rules.stop_tokens = {10};
    REQUIRE(check(rules, 10).error().where == "until.stop_tokens");
    rules.stop_tokens.clear();
    rules.confidence_top_k = -1;
    REQUIRE(check(rules, 10).error().where == "until.confidence_top_k");
}
