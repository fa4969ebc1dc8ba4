// Ownership, alignment and memory resources of tensor.
#include <hence/tensor/tensor.hpp>

#include "support/catch.hpp"
#include "support/counting_resource.hpp"

#include <cstdint>
#include <utility>

using namespace hence;

TEST_CASE("a tensor is aligned for vectors and starts as zeros", "[tensor]") {
    for (int columns : {1, 3, 17, 64}) {
        const matrix<float> values(3, columns);
        CHECK(reinterpret_cast<std::uintptr_t>(values.data()) % HENCE_ALIGNMENT == 0);
        for (float value : values.span()) CHECK(value == 0.0f);
    }
}

TEST_CASE("a tensor takes its memory from the resource it is given and returns all of it", "[tensor]") {
    hence_test::counting_resource memory;
    {
        matrix<double> first(dextents<2>(5, 7), &memory);
        CHECK(memory.live_bytes() == 5 * 7 * sizeof(double));
        matrix<double> second = std::move(first);
        CHECK(memory.allocations() == 1);
        CHECK(first.data() == nullptr);
        CHECK(first.empty());
        matrix<double> third(dextents<2>(1, 1), &memory);
        third = std::move(second);
        CHECK(third.extent(1) == 7);
        CHECK(memory.live_bytes() == 5 * 7 * sizeof(double));
        const matrix<double> nothing(dextents<2>(0, 9), &memory);
        CHECK(nothing.data() == nullptr);
    }
    CHECK(memory.live_bytes() == 0);
    CHECK(memory.allocations() == memory.deallocations());
}

TEST_CASE("copy() is deep and says so", "[tensor]") {
    matrix<int, 2, 2> values;
    values(1, 0) = 7;
    matrix<int, 2, 2> other = values.copy();
    values(1, 0) = 8;
    CHECK(other(1, 0) == 7);
    matrix<int, 2, 2> moved = std::move(values);
    CHECK_THROWS_AS(values.copy(), hence::exception);
    CHECK(moved(1, 0) == 8);

    const auto column = copy(moved.view().subview(all, 0));
    CHECK(column(1) == 8);
    static_assert(std::is_same_v<decltype(column), const owned_vector<int, 2>>);
}

TEST_CASE("sizes whose product does not fit are a contract violation", "[tensor]") {
    const auto huge = static_cast<std::size_t>(1) << 40;
    CHECK_THROWS_AS(matrix<float>(huge, huge), hence::exception);
    CHECK_THROWS_AS((owned_vector<float>(-1)), hence::exception);
}

TEST_CASE("a tensor converts to views, with constness", "[tensor]") {
    matrix<float, dynamic_extent, 3> values(2);
    const matrix_view<float> all_of_it = matrix_view<float, dynamic_extent, 3>(values);
    all_of_it(1, 2) = 4.0f;
    const auto& constant = values;
    const matrix_view<const float, dynamic_extent, 3> view = constant;
    CHECK(view(1, 2) == 4.0f);
    CHECK(constant(1, 2) == 4.0f);
}
