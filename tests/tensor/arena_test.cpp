// Arenas: alignment, scoping by value, the high-water mark, and what happens when one is too small.
#include <hence/tensor/arena.hpp>

#include "support/catch.hpp"
#include "support/counting_resource.hpp"

#include <cstdint>

using namespace hence;

namespace {

std::uintptr_t address(const void* place) {
    return reinterpret_cast<std::uintptr_t>(place);
}

}  // namespace

TEST_CASE("an arena allocates once, when it is made", "[tensor]") {
    hence_test::counting_resource memory;
    {
        arena block(1000, &memory);
        CHECK(memory.allocations() == 1);
        scratch cursor = block.start();
        for (int i = 0; i < 10; ++i) static_cast<void>(cursor.take<float>(7));
        CHECK(memory.allocations() == 1);
    }
    CHECK(memory.live_bytes() == 0);
}

TEST_CASE("what a scratch gives is aligned and does not overlap", "[tensor]") {
    arena block(arena_bytes<float>(5) + arena_bytes<char>(65) + arena_bytes<double>(6));
    scratch cursor = block.start();
    const auto floats = cursor.take<float>(5);
    const auto chars = cursor.take<char>(65);
    const auto grid = cursor.take<double>(extents<2, dynamic_extent>(3));
    static_assert(grid.static_extent(0) == 2);
    CHECK(address(floats.data()) % HENCE_ALIGNMENT == 0);
    CHECK(address(chars.data()) % HENCE_ALIGNMENT == 0);
    CHECK(address(grid.data()) % HENCE_ALIGNMENT == 0);
    CHECK(address(chars.data()) >= address(floats.data() + floats.size()));
    CHECK(address(grid.data()) >= address(chars.data() + chars.size()));
    CHECK(cursor.left() == 0);
}

TEST_CASE("what a copy of a scratch takes is free again afterwards", "[tensor]") {
    arena block(1024);
    scratch cursor = block.start();
    static_cast<void>(cursor.take<float>(16));
    const auto callee = [](scratch own) { return own.take<float>(32).data(); };
    const float* const first = callee(cursor);
    const float* const second = callee(cursor);
    CHECK(first == second);
    CHECK(cursor.take<float>(1).data() == first);
    CHECK(block.high_water() == 64 + 128);
}

TEST_CASE("an arena that is too small is a contract violation at the first byte too many", "[tensor]") {
    arena block(128);
    scratch cursor = block.start();
    static_cast<void>(cursor.take<char>(64));
    CHECK_THROWS_AS(cursor.take<char>(65), hence::exception);
    CHECK_NOTHROW(cursor.take<char>(64));
    CHECK_THROWS_AS(cursor.take<char>(1), hence::exception);
    CHECK(cursor.take<char>(0).empty());
    CHECK_THROWS_AS(block.start().take<double>(std::size_t{1} << 61), hence::exception);

    arena none(0);
    CHECK_THROWS_AS(none.start().take<float>(1), hence::exception);
}
