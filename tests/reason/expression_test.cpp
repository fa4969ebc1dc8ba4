#include "hence/reason/expression.hpp"

#include "support/catch.hpp"

#include <string>

using hence::rational;

namespace {
std::vector<rational> numbers(const char* text) { return hence::parse_numbers(text).value(); }
}  // namespace

TEST_CASE("expression: precedence, parentheses, signs and Unicode operators") {
    CHECK(hence::evaluate("17*3-9").value().value == rational{42, 1});
    CHECK(hence::evaluate("(8-6)*(8+4)").value().value == rational{24, 1});
    CHECK(hence::evaluate("2-3-4").value().value == rational{-5, 1});
    CHECK(hence::evaluate("8/3/2").value().value == rational{4, 3});
    CHECK(hence::evaluate("-(2+3) * -2").value().value == rational{10, 1});
    CHECK(hence::evaluate("6 \xC3\x97 4 \xC3\xB7 2 \xE2\x88\x92 1").value().value == rational{11, 1});
    CHECK(hence::evaluate("8/(3-8/3)").value().value == rational{24, 1});
    CHECK(hence::evaluate("1.5*2").value().numbers.size() == 2);
}

TEST_CASE("expression: what is wrong is said with its place") {
    const auto open = hence::evaluate("(1+2");
    REQUIRE_FALSE(open.has_value());
    CHECK(open.error().code == hence::errc::bad_format);
    CHECK(open.error().byte_offset == 4u);
    CHECK(hence::evaluate("4/(2-2)").error().code == hence::errc::out_of_range);
    CHECK(hence::evaluate("9999999999*9999999999").error().code == hence::errc::out_of_range);
    for (const char* bad : {"", " ", "1+", "*2", "1 2", "1+2)", "abc", "1..2", "()"})
        CHECK_FALSE(hence::evaluate(bad).has_value());
    CHECK_FALSE(hence::evaluate(std::string(100000, '(')).has_value());
    CHECK_FALSE(hence::evaluate(std::string(100000, '-')).has_value());
}

TEST_CASE("expression: equations") {
    CHECK(hence::holds("8-6=2").value());
    CHECK_FALSE(hence::holds("8-6=3").value());
    CHECK_FALSE(hence::holds("8-6").has_value());
    CHECK_FALSE(hence::holds("1=1=1").has_value());
}

TEST_CASE("game of 24: an expression must use each number once and give 24") {
    const auto n = numbers("4 6 8 8");
    CHECK(hence::check_24("(8-6)*(8+4)", n).has_value());
    CHECK(hence::check_24("(8-6)*(8+4) = 24", n).has_value());
    CHECK(hence::check_24("(8-6)*(8+4) = 25", n).error().code == hence::errc::mismatch);
    CHECK(hence::check_24("(8-6)*(8+4)*1", n).error().code == hence::errc::mismatch);  // a number too many
    CHECK(hence::check_24("6*4", n).error().code == hence::errc::mismatch);            // two too few
    CHECK(hence::check_24("8+8+4+6", n).error().code == hence::errc::mismatch);        // 26
    CHECK_FALSE(hence::check_24("", n).has_value());
    CHECK(hence::check_24("-4+28", numbers("4 28")).has_value());
    CHECK(hence::check_24("8/(3-8/3)", numbers("3 3 8 8")).has_value());
}

TEST_CASE("game of 24: steps are followed one by one") {
    const auto n = numbers("4 6 8 8");
    CHECK(hence::check_24_steps("8-6=2 (2 4 8)\n8+4=12 (2 12)\n12*2=24\nok\n", n).has_value());
    CHECK(hence::check_24_steps("8-6=2\n8+4=12\n12*2=24", n).has_value());
    CHECK(hence::check_24_steps("8 - 6 = 2 (left: 2 4 8)\n8 + 4 = 12 (left: 2 12)\n12 * 2 = 24 (left: 24)", n).has_value());
    CHECK_FALSE(hence::check_24_steps("8-6=2 (2 4 8)\n8+4=12 (2 11)\n12*2=24\n", n).has_value());  // wrong rest
    CHECK_FALSE(hence::check_24_steps("8-6=3 (3 4 8)\n8*3=24 (4 24)", n).has_value());             // wrong result
    CHECK_FALSE(hence::check_24_steps("8-6=2 (2 4 8)\n9+4=13", n).has_value());                    // 9 is not there
    CHECK_FALSE(hence::check_24_steps("8-6=2 (2 4 8)\n8+4=12 (2 12)\n", n).has_value());           // not finished
    CHECK_FALSE(hence::check_24_steps("ok", n).has_value());
    // only the attempt after the last "wait" counts
    CHECK(hence::check_24_steps("8+8=16 (4 6 16)\n16+6=22 (4 22)\n22+4=26\nno\nwait\n8-6=2 (2 4 8)\n8+4=12 (2 12)\n12*2=24\nok", n).has_value());
    CHECK_FALSE(hence::check_24_steps("8-6=2 (2 4 8)\n8+4=12 (2 12)\n12*2=24\nok\nwait\n8+8=16 (4 6 16)", n).has_value());
}

TEST_CASE("game of 24: what can be reached") {
    CHECK(hence::solvable_24(numbers("4 6 8 8")).value());
    CHECK(hence::solvable_24(numbers("3 3 8 8")).value());
    CHECK_FALSE(hence::solvable_24(numbers("1 1 1 1")).value());
    CHECK(hence::solvable_24(numbers("24")).value());
    CHECK_FALSE(hence::solvable_24({}).value());
    CHECK_FALSE(hence::solvable_24(numbers("1 2 3 4 5 6 7")).has_value());
    CHECK_FALSE(hence::parse_numbers("1 two 3").has_value());
}
