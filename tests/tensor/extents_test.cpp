// Run-time behaviour of extents; what is decided at compile time is in tests/compile/tensor_extents.cpp.
#include <hence/tensor/extents.hpp>

#include "support/catch.hpp"

using hence::dextents;
using hence::dynamic_extent;
using hence::extents;

TEST_CASE("extents given by all sizes or by the dynamic ones are the same", "[tensor]") {
    using shape = extents<dynamic_extent, 3, dynamic_extent>;
    CHECK(shape(2, 4) == shape(2, 3, 4));
    CHECK(shape(2, 4).size() == 24);
    CHECK(shape(2, 4).extent(0) == 2);
    CHECK(shape(2, 4).extent(1) == 3);
    CHECK(shape(2, 4).extent(2) == 4);
    CHECK(shape().size() == 0);
}

TEST_CASE("a run-time size that contradicts a static one is a contract violation", "[tensor]") {
    using shape = extents<dynamic_extent, 3>;
    CHECK_THROWS_AS(shape(2, 4), hence::exception);
    CHECK_THROWS_AS(shape(dextents<2>(2, 4)), hence::exception);
    CHECK_NOTHROW(shape(dextents<2>(2, 3)));
}

TEST_CASE("a negative size is a contract violation, not a huge one", "[tensor]") {
    CHECK_THROWS_AS(dextents<1>(-1), hence::exception);
    CHECK_THROWS_AS((extents<dynamic_extent, 3>(std::int8_t{-5}, 3)), hence::exception);
}
