#include "hence/reason/rational.hpp"

#include "support/catch.hpp"

#include <limits>

using hence::rational;

namespace {
rational read(const char* text) {
    const auto r = hence::parse_rational(text);
    REQUIRE(r.has_value());
    return *r;
}
}  // namespace

TEST_CASE("rational: reads integers, decimals and fractions exactly") {
    CHECK(read("42") == rational{42, 1});
    CHECK(read("-0.50") == rational{-1, 2});
    CHECK(read(".5") == rational{1, 2});
    CHECK(read("3.") == rational{3, 1});
    CHECK(read("0.1") == rational{1, 10});
    CHECK(read("-3/6") == rational{-1, 2});
    CHECK(read("3/-6") == rational{-1, 2});
    CHECK(read("1.2e-3") == rational{3, 2500});
    CHECK(read("2E3") == rational{2000, 1});
    CHECK(read("1.50000000000000000000000000") == rational{3, 2});
    for (const char* bad : {"", "-", ".", "1/0", "1/2/3", "1e", "1e99", "abc", "1 2", "0x10", "99999999999999999999", "--1", "1.2.3", "/", "1/"})
        CHECK_FALSE(hence::parse_rational(bad).has_value());
}

TEST_CASE("rational: arithmetic is exact and says when a result does not fit") {
    CHECK(*hence::add(read("1/3"), read("1/6")) == rational{1, 2});
    CHECK(*hence::subtract(read("1/3"), read("1/3")) == rational{0, 1});
    CHECK(*hence::multiply(read("-2/3"), read("3/4")) == rational{-1, 2});
    CHECK(*hence::divide(read("1/2"), read("-1/4")) == rational{-2, 1});
    CHECK_FALSE(hence::divide(read("1"), rational{}).has_value());
    const rational big{std::numeric_limits<std::int64_t>::max(), 1};
    CHECK_FALSE(hence::add(big, rational{1, 1}).has_value());
    CHECK_FALSE(hence::multiply(big, rational{2, 1}).has_value());
    CHECK(*hence::multiply(big, rational{1, std::numeric_limits<std::int64_t>::max()}) == rational{1, 1});
    CHECK_FALSE(hence::make_rational(std::numeric_limits<std::int64_t>::min(), 2).has_value());
    CHECK_FALSE(hence::make_rational(1, 0).has_value());
}

TEST_CASE("rational: one spelling for each value") {
    CHECK(hence::to_string(read("2.50")) == "5/2");
    CHECK(hence::to_string(read("-4/2")) == "-2");
}
