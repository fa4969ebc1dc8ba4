// result<T>, error and exception: std::expected's behaviour, and messages that say what a user needs.
#include <hence/core/result.hpp>

#include "support/catch.hpp"

#include <memory>
#include <string>
#include <type_traits>

namespace {

hence::result<int> half(int value) {
    if (value % 2 != 0) return hence::make_error(hence::errc::invalid_argument, "half", "an even number", std::to_string(value));
    return value / 2;
}

hence::result<void> positive(int value) {
    if (value <= 0) return hence::make_error(hence::errc::out_of_range, "positive", "above 0", std::to_string(value));
    return {};
}

}  // namespace

TEST_CASE("a result holds a value or an error, never both") {
    const auto good = half(8);
    REQUIRE(good.has_value());
    CHECK(static_cast<bool>(good));
    CHECK(*good == 4);
    CHECK(good.value() == 4);
    CHECK(good.value_or(7) == 4);

    const auto bad = half(7);
    REQUIRE_FALSE(bad.has_value());
    CHECK(bad.error().code == hence::errc::invalid_argument);
    CHECK(bad.error().actual == "7");
    CHECK(bad.value_or(7) == 7);
}

TEST_CASE("a result moves what it holds") {
    hence::result<std::unique_ptr<int>> held(std::make_unique<int>(3));
    const std::unique_ptr<int> taken = std::move(held).value();
    CHECK(*taken == 3);
    static_assert(!std::is_copy_constructible_v<hence::result<std::unique_ptr<int>>>);
}

TEST_CASE("and_then, transform and or_else pass an error through and stop at it") {
    CHECK(half(8).and_then(half).value() == 2);
    CHECK(half(6).and_then(half).error().actual == "3");
    int calls = 0;
    const auto counted = half(7).transform([&](int v) {
        ++calls;
        return std::to_string(v);
    });
    CHECK_FALSE(counted.has_value());
    CHECK(calls == 0);
    CHECK(half(8).transform([](int v) { return std::to_string(v); }).value() == "4");
    CHECK(half(7).or_else([](hence::error) -> hence::result<int> { return 0; }).value() == 0);
    CHECK(half(8).or_else([](hence::error) -> hence::result<int> { return 0; }).value() == 4);
}

TEST_CASE("a result of void is success or an error") {
    CHECK(positive(1).has_value());
    CHECK(positive(0).error().expected == "above 0");
}

#if HENCE_EXCEPTIONS
TEST_CASE("value() on an error throws an exception whose text is the error's message") {
    bool thrown = false;
    try {
        static_cast<void>(half(7).value());
    } catch (const hence::exception& e) {
        thrown = true;
        CHECK(e.error().code == hence::errc::invalid_argument);
        CHECK(std::string(e.what()) == "half: expected an even number, found 7 [invalid_argument]");
    }
    CHECK(thrown);
    CHECK_THROWS_AS(positive(-1).value(), hence::exception);
}

TEST_CASE("a broken contract throws with the condition and the place") {
    bool thrown = false;
    try {
        const int rows = 3;
        HENCE_EXPECT(rows == 4, "four rows");
    } catch (const hence::exception& e) {
        thrown = true;
        CHECK(e.error().code == hence::errc::invalid_argument);
        CHECK(e.error().expected == "four rows");
        CHECK(e.error().actual == "not (rows == 4)");
        CHECK(e.error().where.find("result_test.cpp") != std::string::npos);
    }
    CHECK(thrown);
}
#endif

TEST_CASE("a message names file, tensor, place, expected and found, and every further mismatch on its own line") {
    hence::error e = hence::make_error(hence::errc::mismatch, "model.gguf", "576 columns", "512 columns",
                                       "blk.0.attn_q.weight", 4096);
    CHECK(e.message() ==
          "model.gguf: tensor 'blk.0.attn_q.weight' at byte 4096: expected 576 columns, found 512 columns [mismatch]");
    e.also.push_back(hence::make_error(hence::errc::missing, "model.gguf", "a tensor output_norm.weight"));
    CHECK(e.message().ends_with("\nmodel.gguf: expected a tensor output_norm.weight [missing]"));
    CHECK(hence::make_error(hence::errc::io, {}, {}, "no space left").message() == ": no space left [io]");
}

TEST_CASE("every error code has a name of its own") {
    std::string seen;
    for (int code = 0; code <= static_cast<int>(hence::errc::budget_exhausted); ++code) {
        const std::string name(hence::name(static_cast<hence::errc>(code)));
        CHECK(name != "unknown");
        CHECK(seen.find(" " + name + " ") == std::string::npos);
        seen += " " + name + " ";
    }
    CHECK(hence::name(static_cast<hence::errc>(200)) == "unknown");
}
