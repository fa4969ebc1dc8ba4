#include "hence/reason/canonical.hpp"

#include "support/catch.hpp"

#include <string>

namespace {
std::string form(const char* text) { return hence::canonicalize(text).text; }
}  // namespace

TEST_CASE("canonical: numbers have one spelling, exact") {
    for (const char* same : {"1200", "1,200", "$1,200.00", "\\$1,200", "1200 dollars", "\\boxed{1200}", " 1200. ", "1.2e3", "+1200", "x = 1200", "**1200**", "12\\,00", "#### 1200"})
        CHECK(form(same) == "1200");
    CHECK(form("0.5") == "1/2");
    CHECK(form("\\frac{1}{2}") == "1/2");
    CHECK(form("\\dfrac12") == "1/2");
    CHECK(form("-\\frac{3}{6}") == "-1/2");
    CHECK(form("1 1/2") == "3/2");
    CHECK(form("1\\frac{1}{2}") == "3/2");
    CHECK(form("-1 1/2") == "-3/2");
    CHECK(form("50\\%") == "50");
    CHECK(form("90^\\circ") == "90");
    CHECK(form("5\\text{ cm}") == "5");
    CHECK(form("5\\text{cm}^2") == "5");
    CHECK(form("\xE2\x88\x92" "7") == "-7");
    CHECK(hence::canonicalize("3.50").number == hence::rational{7, 2});
}

TEST_CASE("canonical: different answers stay different") {
    CHECK(form("12") != form("1,2"));
    CHECK(form("(1,2)") == "(1,2)");
    CHECK(form("\\left( 3, \\frac{\\pi}{2} \\right)") == "(3,pi/2)");
    CHECK(form("2\\sqrt{3}") == "2sqrt(3)");
    CHECK(form("2x+1") != form("2x+2"));
    CHECK(form("2\\pi") == "2pi");
    CHECK(form("2pi") != form("2"));
    CHECK(form("5x") != form("5"));
    CHECK(form("(B)") == form("b."));
    CHECK(form("Yes.") == form("yes"));
    CHECK(form("New  York") == "new york");
    CHECK(form("").empty());
    CHECK(form("  $ $ ").empty());
}

TEST_CASE("canonical: any bytes have a form") {
    CHECK_NOTHROW(form("\\frac{"));
    CHECK_NOTHROW(form("\\frac"));
    CHECK_NOTHROW(form("\\"));
    CHECK_NOTHROW(form("{{{{"));
    CHECK_NOTHROW(form("\xFF\xFE,123"));
    std::string deep;
    for (int i = 0; i < 10000; ++i) deep += "\\frac{";
    CHECK_NOTHROW(hence::canonicalize(deep));
}
