// page_pool: growth, limits, reference counts and what fresh pages hold.
#include "support/catch.hpp"
#include "support/counting_resource.hpp"

#include <hence/cache/page_pool.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <vector>

using namespace hence;

TEST_CASE("pages are distinct, aligned, zeroed when new, and their addresses stay while the pool grows") {
    page_pool pool({.page_bytes = 100});
    std::vector<page_id> pages;
    std::vector<std::byte*> addresses;
    std::set<std::byte*> distinct;
    for (std::size_t i = 0; i < 200; ++i) {
        REQUIRE(pool.ensure(1).has_value());
        const page_id page = pool.take();
        REQUIRE(reinterpret_cast<std::uintptr_t>(pool.data(page)) % 64 == 0);
        REQUIRE(std::all_of(pool.data(page), pool.data(page) + 100, [](std::byte b) { return b == std::byte{0}; }));
        std::memset(pool.data(page), 0xAB, 100);
        pages.push_back(page);
        addresses.push_back(pool.data(page));
        distinct.insert(pool.data(page));
    }
    REQUIRE(distinct.size() == 200);
    for (std::size_t i = 0; i < pages.size(); ++i) REQUIRE(pool.data(pages[i]) == addresses[i]);
    REQUIRE(pool.live_pages() == 200);
    for (const page_id page : pages) pool.release(page);
    REQUIRE(pool.live_pages() == 0);
    REQUIRE(pool.peak_pages() == 200);
}

TEST_CASE("a page goes back when its last reference does, and is used again before memory grows") {
    page_pool pool({.page_bytes = 64});
    REQUIRE(pool.ensure(1).has_value());
    const page_id page = pool.take();
    pool.add_reference(page);
    REQUIRE(pool.references(page) == 2);
    pool.release(page);
    REQUIRE(pool.live_pages() == 1);
    pool.release(page);
    REQUIRE(pool.live_pages() == 0);
    const std::size_t capacity = pool.capacity_pages();
    REQUIRE(pool.ensure(1).has_value());
    REQUIRE(pool.take() == page);
    REQUIRE(pool.capacity_pages() == capacity);
    pool.release(page);
}

TEST_CASE("the limit is kept, and its error names it") {
    page_pool pool({.page_bytes = 64, .max_pages = 5});
    REQUIRE(pool.ensure(5).has_value());
    REQUIRE(pool.capacity_pages() == 5);
    for (int i = 0; i < 5; ++i) (void)pool.take();
    REQUIRE_FALSE(pool.allows(1));
    const auto refused = pool.ensure(1);
    REQUIRE_FALSE(refused.has_value());
    REQUIRE(refused.error().code == errc::out_of_memory);
    REQUIRE(refused.error().message().find("at most 5 pages of 64 bytes") != std::string::npos);
    pool.release(2);
    REQUIRE(pool.ensure(1).has_value());
    REQUIRE_FALSE(pool.ensure(2).has_value());
}

TEST_CASE("growth is geometric, take and release never allocate, and all memory comes back") {
    hence_test::counting_resource memory;
    {
        page_pool pool({.page_bytes = 1000, .max_pages = 0, .memory = &memory});
        for (int i = 0; i < 1000; ++i) {
            REQUIRE(pool.ensure(1).has_value());
            const auto before = memory.allocations();
            (void)pool.take();
            REQUIRE(memory.allocations() == before);
        }
        REQUIRE(memory.allocations() < 100);
        REQUIRE(pool.capacity_pages() <= 1500);
        const auto before = memory.allocations() + memory.deallocations();
        for (page_id page = 0; page < 1000; ++page) pool.release(page);
        REQUIRE(memory.allocations() + memory.deallocations() == before);
    }
    REQUIRE(memory.live_bytes() == 0);
}

TEST_CASE("a memory resource that refuses gives an error and leaves the pool usable") {
    hence_test::counting_resource memory;
    page_pool pool({.page_bytes = 4096, .max_pages = 0, .memory = &memory});
    REQUIRE(pool.ensure(2).has_value());
    memory.limit(memory.live_bytes() + 100);
    const auto refused = pool.ensure(1000);
    REQUIRE_FALSE(refused.has_value());
    REQUIRE(refused.error().code == errc::out_of_memory);
    REQUIRE(pool.ensure(2).has_value());
    const page_id page = pool.take();
    REQUIRE(pool.data(page) != nullptr);
    pool.release(page);
}
