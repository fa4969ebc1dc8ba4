// parse_json: what it reads, and what it refuses that a plain parser lets through.
#include <hence/core/json.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

#include <string>

namespace {

hence::error refused(std::string_view text, hence::json_limits limits = {}) {
    auto parsed = hence::parse_json(text, "test.json", limits);
    INFO(text.substr(0, 100));
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().where == "test.json");
    return parsed.error();
}

}  // namespace

TEST_CASE("a document gives the same value as nlohmann's own parser") {
    for (const std::string text :
         {R"({"a": [1, -2, 3.5, true, null, "x\u00e9\n"], "b": {"c": {}}, "d": []})", "[]", "7", "\"text\"",
          " {\"big\": 18446744073709551615} ", "[[[[]]], [1, [2]]]", "[{\"a\": 1}, {\"a\": 2}]", "\xef\xbb\xbf{}"}) {
        const auto parsed = hence::parse_json(text, "test.json");
        INFO(text);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == nlohmann::json::parse(text));
    }
}

TEST_CASE("what is not JSON is refused with the byte and the reason") {
    for (const char* text :
         {"", "{", "[1,", "{\"a\" 1}", "[1,]", "{\"a\":1,}", "nul", "01", "1e999", "[1] 2", "'a'", "\"\\x\"",
          "\"\xff\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "\"a\nb\"", "NaN", "// comment"}) {
        const hence::error e = refused(text);
        CHECK(e.code == hence::errc::bad_format);
        CHECK(e.byte_offset.has_value());
        CHECK_FALSE(e.actual.empty());
    }
    CHECK(refused("[1, x]").byte_offset == 5u);
    // What the file says is escaped on its way to a terminal.
    CHECK(refused("[\x1b[31m]").message().find('\x1b') == std::string::npos);
}

TEST_CASE("a key twice in one object is refused, in two objects it is not") {
    CHECK(refused(R"({"a": 1, "a": 1})").actual.find("'a' twice") != std::string::npos);
    CHECK(refused(R"({"x": {"b": 1, "b": [2]}})").actual.find("'b' twice") != std::string::npos);
}

TEST_CASE("nesting and the number of values have limits") {
    CHECK(refused(std::string(65, '[') + std::string(65, ']')).code == hence::errc::out_of_range);
    CHECK(hence::parse_json(std::string(64, '[') + std::string(64, ']'), "test.json").has_value());
    CHECK(refused(std::string(1'000'000, '[')).code == hence::errc::out_of_range);
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
    CHECK(refused(deep).code == hence::errc::out_of_range);
    const std::string digits(401, '7');
    CHECK(refused("[1, " + digits + "]").code == hence::errc::out_of_range);
    CHECK(refused("[1, " + digits + "]").byte_offset == 4u);
    CHECK(hence::parse_json("[\"" + digits + "\", \"a\\\"" + digits + "\"]", "test.json").has_value());
    CHECK(refused("[1,2,3,4]", {.depth = 8, .values = 4}).code == hence::errc::out_of_range);
    CHECK(hence::parse_json("[1,2,3]", "test.json", {.depth = 8, .values = 4}).has_value());
}
