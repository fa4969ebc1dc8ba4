// kv_sequence: sharing at token granularity, copy-on-write, and how many pages it all takes.
#include "support/catch.hpp"

#include <hence/cache/sequence.hpp>
#include <hence/core/rng.hpp>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

using namespace hence;

namespace {

constexpr std::size_t page = static_cast<std::size_t>(page_tokens);

// One int per position stands for keys and values.
page_pool make_pool(std::size_t limit = 0) { return page_pool({.page_bytes = page * sizeof(int), .max_pages = limit}); }

void write(page_pool& pool, kv_sequence& s, std::size_t end, int value) {
    s.reserve(end);
    REQUIRE(pool.ensure(s.pages_for(end)).has_value());
    const std::size_t promised = s.pages_for(end);
    const std::size_t before = pool.live_pages();
    const std::size_t first = s.length();
    s.prepare(end);
    REQUIRE(pool.live_pages() <= before + promised);
    for (std::size_t p = first; p < end; ++p) {
        const int unique = value + static_cast<int>(p);
        std::memcpy(s.table().pages[p / page] + (p % page) * sizeof(int), &unique, sizeof unique);
    }
    s.advance(end);
}

int at(const kv_sequence& s, std::size_t p) {
    int value;
    std::memcpy(&value, s.table().pages[p / page] + (p % page) * sizeof(int), sizeof value);
    return value;
}

}  // namespace

TEST_CASE("a fork shares all pages; only a write into a shared part-filled page copies it") {
    page_pool pool = make_pool();
    kv_sequence trunk(pool);
    write(pool, trunk, 2 * page + 5, 1000);
    REQUIRE(pool.live_pages() == 3);
    kv_sequence a(pool);
    kv_sequence b(pool);
    a.share(trunk, trunk.length());
    b.share(trunk, trunk.length());
    REQUIRE(pool.live_pages() == 3);
    write(pool, a, 2 * page + 6, 2000);
    REQUIRE(pool.live_pages() == 4);
    write(pool, b, 2 * page + 6, 3000);
    REQUIRE(pool.live_pages() == 5);
    trunk.clear();
    REQUIRE(pool.live_pages() == 4);
    for (std::size_t p = 0; p < 2 * page + 5; ++p) {
        REQUIRE(at(a, p) == 1000 + static_cast<int>(p));
        REQUIRE(at(b, p) == 1000 + static_cast<int>(p));
    }
    REQUIRE(at(a, 2 * page + 5) == 2000 + static_cast<int>(2 * page + 5));
    REQUIRE(at(b, 2 * page + 5) == 3000 + static_cast<int>(2 * page + 5));
}

TEST_CASE("the last owner of a shared page writes in place") {
    page_pool pool = make_pool();
    kv_sequence a(pool);
    write(pool, a, 10, 0);
    kv_sequence b(pool);
    b.share(a, 10);
    a.clear();
    REQUIRE(b.pages_for(11) == 0);
    write(pool, b, 11, 0);
    REQUIRE(pool.live_pages() == 1);
}

TEST_CASE("a fork at a page's end copies nothing, ever") {
    page_pool pool = make_pool();
    kv_sequence a(pool);
    write(pool, a, page, 0);
    kv_sequence b(pool);
    b.share(a, page);
    write(pool, a, page + 1, 100);
    write(pool, b, page + 1, 200);
    REQUIRE(pool.live_pages() == 3);
    REQUIRE(a.page(0) == b.page(0));
}

TEST_CASE("rollback into a shared page copies before the next write") {
    page_pool pool = make_pool();
    kv_sequence a(pool);
    write(pool, a, 20, 0);
    kv_sequence b(pool);
    b.share(a, 20);
    b.truncate(7);
    write(pool, b, 9, 5000);
    REQUIRE(at(a, 8) == 8);
    REQUIRE(at(b, 6) == 6);
    REQUIRE(at(b, 8) == 5008);
    a.truncate(0);
    REQUIRE(pool.live_pages() == 1);
}

TEST_CASE("sharing with itself and with a sequence that shares already keeps the counts right") {
    page_pool pool = make_pool();
    kv_sequence a(pool);
    write(pool, a, 70, 0);
    a.share(a, 40);
    REQUIRE(a.length() == 40);
    REQUIRE(pool.live_pages() == 2);
    kv_sequence b(pool);
    b.share(a, 40);
    b.share(a, 33);
    REQUIRE(pool.live_pages() == 2);
    kv_sequence c = std::move(b);
    b = std::move(c);
    REQUIRE(b.length() == 33);
    a.clear();
    b.clear();
    REQUIRE(pool.live_pages() == 0);
}

TEST_CASE("random forks, writes and rollbacks keep every sequence's contents and the page count bound") {
    page_pool pool = make_pool();
    std::vector<kv_sequence> sequences;
    std::vector<std::vector<int>> expected;
    sequences.emplace_back(pool);
    expected.emplace_back();
    const counter_rng rng{17};
    std::uint32_t counter = 0;
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(rng.words(0, counter++, 0)[0]) % n; };
    int serial = 0;
    for (int round = 0; round < 3000; ++round) {
        const std::size_t i = below(sequences.size());
        switch (below(5)) {
            case 0:
            case 1: {
                const std::size_t end = sequences[i].length() + 1 + below(page + 9);
                if (end > 300) break;
                serial += 1000;
                for (std::size_t p = sequences[i].length(); p < end; ++p) expected[i].push_back(serial + static_cast<int>(p));
                write(pool, sequences[i], end, serial);
                break;
            }
            case 2: {
                if (sequences.size() >= 12) break;
                const std::size_t n = below(sequences[i].length() + 1);
                kv_sequence child(pool);
                child.share(sequences[i], n);
                sequences.push_back(std::move(child));
                expected.emplace_back(expected[i].begin(), expected[i].begin() + static_cast<std::ptrdiff_t>(n));
                break;
            }
            case 3: {
                const std::size_t n = below(sequences[i].length() + 1);
                sequences[i].truncate(n);
                expected[i].resize(n);
                break;
            }
            default: {
                if (sequences.size() < 2) break;
                sequences.erase(sequences.begin() + static_cast<std::ptrdiff_t>(i));
                expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(i));
                break;
            }
        }
        std::size_t most = 0;
        for (std::size_t s = 0; s < sequences.size(); ++s) {
            REQUIRE(sequences[s].length() == expected[s].size());
            most += sequences[s].pages();
        }
        REQUIRE(pool.live_pages() <= most);
        if (round % 50 != 0) continue;
        for (std::size_t s = 0; s < sequences.size(); ++s)
            for (std::size_t p = 0; p < expected[s].size(); ++p) REQUIRE(at(sequences[s], p) == expected[s][p]);
    }
    sequences.clear();
    REQUIRE(pool.live_pages() == 0);
}
