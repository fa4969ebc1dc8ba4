#include "support/catch.hpp"

#include <hence/core/text.hpp>

#include <cstdint>
#include <limits>
#include <string>

using hence::concat;
using hence::decimal;

TEST_CASE("concat: texts, characters and numbers one after another") {
    const std::string name = "blk.0";
    CHECK(concat({"tensor '", name, '\'', " has ", std::uint64_t{3}, " of ", -4, " at ", std::string_view("0x").substr(1)}) ==
          "tensor 'blk.0' has 3 of -4 at x");
    CHECK(concat({}).empty());
    std::string out = "a";
    hence::append(out, {"b", 7});
    CHECK(out == "ab7");
}

TEST_CASE("decimal: the ends of each type, and what std::to_string writes for real numbers") {
    CHECK(decimal(0) == "0");
    CHECK(decimal(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(decimal(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
    CHECK(decimal(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(decimal(std::int8_t{-128}) == "-128");
    CHECK(decimal(std::uint8_t{200}) == "200");
    CHECK(decimal(true) == "1");
    for (const double x : {0.5, -2.25, 1e300, std::numeric_limits<double>::infinity()}) CHECK(decimal(x) == std::to_string(x));
    CHECK(decimal(0.25F) == "0.250000");
}
