#include "hence/reason/regex.hpp"

#include "support/catch.hpp"

#include <string>

namespace {

std::string find(const char* pattern, std::string_view text, std::size_t group = 0) {
    const auto compiled = hence::regex::compile(pattern);
    REQUIRE(compiled.has_value());
    const auto match = compiled->search(text);
    if (!match) return "<none>";
    const auto found = match->group(text, group);
    return found ? std::string(*found) : "<unset>";
}

hence::error refused(const std::string& pattern) {
    const auto compiled = hence::regex::compile(pattern);
    REQUIRE_FALSE(compiled.has_value());
    return compiled.error();
}

}  // namespace

TEST_CASE("regex: leftmost match with the usual priorities") {
    CHECK(find("a|ab", "xab") == "a");
    CHECK(find("ab|a", "xab") == "ab");
    CHECK(find("a*", "baaa") == "");
    CHECK(find("a+", "baaa") == "aaa");
    CHECK(find("a+?", "baaa") == "a");
    CHECK(find("<.*>", "<a><b>") == "<a><b>");
    CHECK(find("<.*?>", "<a><b>") == "<a>");
    CHECK(find("(a+)(b+)?", "aac", 2) == "<unset>");
    CHECK(find("(a+)(b+)?", "aabb", 2) == "bb");
    CHECK(find("(?:ab)+c", "ababc") == "ababc");
    CHECK(find("x{2,3}", "xxxx") == "xxx");
    CHECK(find("x{2,3}?", "xxxx") == "xx");
    CHECK(find("x{2}", "x") == "<none>");
    CHECK(find("a{,3}", "a{,3}") == "a{,3}");  // not a count: literal
    CHECK(find("(a|b)*c", "abac", 1) == "a");
    CHECK(find("(a*)*", "b") == "");
    CHECK(find("(a*)+b", "aaab") == "aaab");
    CHECK(find("", "abc") == "");
}

TEST_CASE("regex: classes, escapes, anchors and flags") {
    CHECK(find("[0-9]+", "ab12") == "12");
    CHECK(find("[^0-9]+", "12ab3") == "ab");
    CHECK(find("[]a]+", "x]a") == "]a");
    CHECK(find("[a\\]-]+", "x]-a") == "]-a");
    CHECK(find("[\\d.]+", "v1.25") == "1.25");
    CHECK(find("\\w+\\s\\W", "ab_1 +") == "ab_1 +");
    CHECK(find("\\bcat\\b", "concat cat") == "cat");
    CHECK(find("\\Bcat", "cat concat") == "cat");
    CHECK(find("^b", "ab") == "<none>");
    CHECK(find("(?m)^b$", "a\nb\nc") == "b");
    CHECK(find("c$", "abc") == "c");
    CHECK(find("a.b", "a\nb") == "<none>");
    CHECK(find("(?s)a.b", "a\nb") == "a\nb");
    CHECK(find("(?i)answer is ([a-d])", "The ANSWER IS B", 1) == "B");
    CHECK(find("(?i)[A-Z]+", "abc") == "abc");
    CHECK(find("(?i)[^a]", "Ab") == "b");
    CHECK(find("\\x41\\x{1F600}", "A\xF0\x9F\x98\x80") == "A\xF0\x9F\x98\x80");
    CHECK(find("\\$\\{", "a${b}") == "${");
}

TEST_CASE("regex: text is UTF-8, and bytes that are not are characters all the same") {
    CHECK(find("^.$", "\xC3\xA9") == "\xC3\xA9");
    CHECK(find("[\xC3\xA0-\xC3\xBC]+", "x\xC3\xA9\xC3\xA8y") == "\xC3\xA9\xC3\xA8");
    CHECK(find("a.b", "a\xFF" "b") == "a\xFF" "b");
    CHECK(find("^..$", "\xE2\x82") == "\xE2\x82");
    CHECK(find("a[^x]b", "a\x80" "b") == "a\x80" "b");
}

TEST_CASE("regex: the last match is the last of those without overlap") {
    const auto number = hence::regex::compile("\\d+").value();
    const std::string_view text = "12 345 6x";
    CHECK(*number.search_last(text)->group(text, 0) == "6");
    CHECK(*number.search_last("12 345")->group("12 345", 0) == "345");
    CHECK_FALSE(number.search_last("none").has_value());
    const auto empty = hence::regex::compile("x*").value();
    CHECK(empty.search_last("ab").has_value());
}

TEST_CASE("regex: a bad pattern is refused with its place and what was expected") {
    CHECK(refused("[abc").byte_offset == 0u);
    CHECK(refused("a**").code == hence::errc::bad_format);
    CHECK(refused("*a").byte_offset == 0u);
    CHECK(refused("a)b").byte_offset == 1u);
    CHECK(refused("(a").code == hence::errc::bad_format);
    CHECK(refused("a\\").code == hence::errc::bad_format);
    CHECK(refused("[z-a]").code == hence::errc::bad_format);
    CHECK(refused("[a-\\d]").code == hence::errc::bad_format);
    CHECK(refused("\\x4").code == hence::errc::bad_format);
    CHECK(refused("a{3,2}").code == hence::errc::bad_format);
    CHECK(refused("\xFF").code == hence::errc::bad_format);
    CHECK(refused("(a)\\1").code == hence::errc::unsupported);
    CHECK(refused("(?=a)").code == hence::errc::unsupported);
    CHECK(refused("(?x)a").code == hence::errc::unsupported);
    CHECK(refused("a{2000}").code == hence::errc::out_of_range);
    CHECK(refused("((((a{100}){100}){100}){100})").code == hence::errc::out_of_range);
    CHECK(refused("(?:(?:(?:(?:){1000}){1000}){1000}){1000}").code == hence::errc::out_of_range);
    CHECK(refused(std::string(100000, '(')).code == hence::errc::out_of_range);
    std::string groups;
    for (int i = 0; i < 65; ++i) groups += "()";
    CHECK(refused(groups).code == hence::errc::out_of_range);
}

TEST_CASE("regex: patterns that ruin backtracking matchers stay linear in the text") {
    // Each of these takes more than 2^1000 steps by backtracking.
    const std::string text(20000, 'a');
    for (const char* pattern : {"(a+)+b", "(a|a)*b", "(a|aa)+$b", "a*a*a*a*a*b", "(.*)(.*)(.*)(.*)x"}) {
        const auto compiled = hence::regex::compile(pattern).value();
        CHECK_FALSE(compiled.search(text).has_value());
        CHECK_FALSE(compiled.search_last(text).has_value());
    }
    // Repeated searching that reads to the end for each match gives up looking for later ones in time.
    const auto look_ahead = hence::regex::compile("a|a*b").value();
    CHECK(look_ahead.search_last(text).has_value());
}

TEST_CASE("regex: agrees with a slow and simple matcher on random patterns and texts") {
    // The oracle: sets of end positions by structural recursion over the pattern; whether there is a match
    // at all does not depend on priorities.
    struct oracle {
        std::string p;
        std::size_t at = 0;
        using ends = std::vector<bool>;
        ends alternatives(const std::string& t, ends from) {
            const ends start = from;
            ends all = concatenation(t, start);
            while (at < p.size() && p[at] == '|') {
                ++at;
                const ends other = concatenation(t, start);
                for (std::size_t i = 0; i < all.size(); ++i) all[i] = all[i] || other[i];
            }
            return all;
        }
        ends concatenation(const std::string& t, ends from) {
            while (at < p.size() && p[at] != '|' && p[at] != ')') {
                const std::size_t begin = at;
                ends once = atom(t, from);
                if (at < p.size() && (p[at] == '*' || p[at] == '?')) {
                    const bool many = p[at] == '*';
                    const std::size_t after = at + 1;
                    ends all = from;
                    for (std::size_t i = 0; i < all.size(); ++i) all[i] = all[i] || once[i];
                    for (bool grew = many; grew;) {
                        at = begin;
                        const ends more = atom(t, all);
                        grew = false;
                        for (std::size_t i = 0; i < all.size(); ++i)
                            if (more[i] && !all[i]) all[i] = grew = true;
                    }
                    at = after;
                    from = all;
                } else {
                    from = once;
                }
            }
            return from;
        }
        ends atom(const std::string& t, const ends& from) {
            if (p[at] == '(') {
                ++at;
                const ends inside = alternatives(t, from);
                ++at;
                return inside;
            }
            const char c = p[at++];
            ends to(from.size(), false);
            for (std::size_t i = 0; i + 1 < from.size(); ++i)
                if (from[i] && (c == '.' || t[i] == c)) to[i + 1] = true;
            return to;
        }
    };
    std::uint64_t state = 12345;
    const auto random = [&](std::uint64_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % n;
    };
    const auto make = [&](auto&& self, int depth) -> std::string {
        std::string out;
        for (std::uint64_t i = random(3) + 1; i > 0; --i) {
            std::string a = depth > 0 && random(3) == 0 ? "(" + self(self, depth - 1) + ")" : std::string(1, "ab."[random(3)]);
            const auto q = random(4);
            out += a + (q == 0 ? "*" : q == 1 ? "?" : "");
        }
        if (depth > 0 && random(3) == 0) out += "|" + self(self, depth - 1);
        return out;
    };
    int matched = 0;
    for (int round = 0; round < 2000; ++round) {
        const std::string pattern = make(make, 2);
        std::string text;
        for (std::uint64_t i = random(8); i > 0; --i) text += "ab"[random(2)];
        std::vector<bool> from(text.size() + 1, false);
        from[0] = true;
        oracle o{pattern};
        const bool expected = o.alternatives(text, from).back();
        const auto compiled = hence::regex::compile("^(?:" + pattern + ")$");
        INFO(pattern << " on '" << text << "'");
        REQUIRE(compiled.has_value());
        REQUIRE(compiled->search(text).has_value() == expected);
        matched += expected ? 1 : 0;
    }
    CHECK(matched > 200);
    CHECK(matched < 1900);
}
