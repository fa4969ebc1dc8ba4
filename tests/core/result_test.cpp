// result<T> and error: std::expected's behaviour, messages that name file, field, expected and found, contracts.
#include <hence/core/result.hpp>

#include "support/catch.hpp"

#include <memory>
#include <string>
#include <type_traits>

using hence::errc;
using hence::make_error;
using hence::result;

namespace {

result<int> half_of(int x) {
    if (x % 2 != 0) return make_error(errc::invalid_argument, "half_of", "an even number", std::to_string(x));
    return x / 2;
}

result<void> even(int x) {
    HENCE_TRY(half_of(x));
    return {};
}

result<int> quarter_of(int x) {
    HENCE_TRY_ASSIGN(half, half_of(x));
    HENCE_TRY_ASSIGN(quarter, half_of(half));
    return quarter;
}

}  // namespace

TEST_CASE("error: the message names place, tensor, byte, what was expected and what was found, a line per mismatch") {
    auto e = make_error(errc::mismatch, "model.gguf", "[576, 64]", "[64, 576]", "blk.0.attn_q.weight", 4096);
    CHECK(e.message() ==
          "model.gguf: tensor 'blk.0.attn_q.weight' at byte 4096: expected [576, 64], found [64, 576] [mismatch]");
    e.also.push_back(make_error(errc::missing, "model.gguf", "key 'general.architecture'"));
    CHECK(e.message().find("\nmodel.gguf: expected key 'general.architecture' [missing]") != std::string::npos);
    CHECK(make_error(errc::io, "x").message() == "x [io]");
    CHECK(make_error(errc::io, "x", "", "a directory").message() == "x: a directory [io]");
    CHECK(make_error(errc::io, "", "", "", "t").message() == "tensor 't' [io]");
}

TEST_CASE("error: every code has its own name") {
    std::string all;
    for (int code = 0; code <= static_cast<int>(errc::budget_exhausted); ++code) {
        const std::string name(hence::name(static_cast<errc>(code)));
        INFO(name);
        CHECK(name != "unknown");
        CHECK(all.find("," + name + ",") == std::string::npos);
        all += "," + name + ",";
    }
    CHECK(hence::name(static_cast<errc>(200)) == "unknown");
}

TEST_CASE("result: holds a value or an error") {
    const result<int> good = half_of(8), bad = half_of(7);
    REQUIRE(good.has_value());
    CHECK(static_cast<bool>(good));
    CHECK(*good == 4);
    CHECK(good.value() == 4);
    CHECK(good.value_or(9) == 4);
    REQUIRE_FALSE(bad.has_value());
    CHECK_FALSE(static_cast<bool>(bad));
    CHECK(bad.value_or(9) == 9);
    CHECK(bad.error().code == errc::invalid_argument);
    CHECK(bad.error().actual == "7");
}

TEST_CASE("result: and_then, transform and or_else go on or pass the error through") {
    int calls = 0;
    const auto twice = [&](int x) {
        ++calls;
        return 2 * x;
    };
    CHECK(*half_of(8).and_then(half_of) == 2);
    CHECK(half_of(6).and_then(half_of).error().actual == "3");
    CHECK(half_of(7).and_then(half_of).error().actual == "7");
    CHECK(*half_of(8).transform(twice) == 8);
    CHECK(half_of(7).transform(twice).error().actual == "7");
    CHECK(calls == 1);
    const auto zero = [](const hence::error&) { return result<int>(0); };
    CHECK(*half_of(7).or_else(zero) == 0);
    CHECK(*half_of(8).or_else(zero) == 4);
    CHECK(half_of(8).transform([](int x) { return std::to_string(x); }).value() == "4");
}

TEST_CASE("result: move-only values move out") {
    static_assert(!std::is_copy_constructible_v<result<std::unique_ptr<int>>>);
    result<std::unique_ptr<int>> made(std::make_unique<int>(5));
    const std::unique_ptr<int> taken = std::move(made).value();
    CHECK(*taken == 5);
    result<std::unique_ptr<int>> other = result<std::unique_ptr<int>>(std::make_unique<int>(6));
    CHECK(**other == 6);
    CHECK((*std::move(other) != nullptr));
}

TEST_CASE("result<void>: success or an error; HENCE_TRY and HENCE_TRY_ASSIGN return it") {
    CHECK(even(4).has_value());
    CHECK(even(5).error().actual == "5");
    even(4).value();
    CHECK(*quarter_of(12) == 3);
    CHECK(quarter_of(6).error().actual == "3");
    CHECK(quarter_of(5).error().actual == "5");
}

#if HENCE_EXCEPTIONS
TEST_CASE("result: value() without a value throws hence::exception with the message and the error") {
    try {
        static_cast<void>(half_of(7).value());
        FAIL("value() returned");
    } catch (const hence::exception& e) {
        CHECK(std::string(e.what()) == "half_of: expected an even number, found 7 [invalid_argument]");
        CHECK(e.error().code == errc::invalid_argument);
    }
    CHECK_THROWS_AS(even(5).value(), hence::exception);
    const result<int> bad = half_of(7);
    CHECK_THROWS_AS(bad.value(), hence::exception);
}

#if !defined(HENCE_NO_CONTRACTS)
TEST_CASE("contracts: HENCE_EXPECT throws with the text, the condition and the place") {
    const int rows = 3;
    HENCE_EXPECT(rows == 3, "three rows");
    try {
        HENCE_EXPECT(rows == 4, "four rows");
        FAIL("the contract held");
    } catch (const hence::exception& e) {
        const std::string text = e.what();
        CHECK(text.find("result_test.cpp:") != std::string::npos);
        CHECK(text.find("expected four rows, found not (rows == 4)") != std::string::npos);
    }
}
#endif
#endif

TEST_CASE("result: copies of successes and failures are their own") {
    hence::result<void> good;
    hence::result<void> copy = good;
    CHECK(copy.has_value());
    copy = make_error(errc::io, "disk", "a write", "an error");
    CHECK(good.has_value());
    REQUIRE_FALSE(copy.has_value());
    const hence::result<void> again = copy;
    copy.error().where = "changed";
    CHECK(again.error().where == "disk");

    hence::result<std::string> text = std::string("a text that is too long for the small buffer of a string");
    hence::result<std::string> second = text;
    text->clear();
    CHECK(second->size() > 20);
    second = make_error(errc::io, "disk");
    CHECK(second.error().where == "disk");
    second = text;
    CHECK(second->empty());
    second = again.error();
    CHECK_FALSE(second.has_value());
}
