#include "hence/reason/search_tree.hpp"

#include "support/catch.hpp"

#include <cmath>

using hence::search_tree;

TEST_CASE("search_tree: UCT choices on a fixed tree") {
    search_tree t;
    const auto a = t.add(0, 0.1);
    const auto b = t.add(0, 0.9);
    const auto c = t.add(0, 0.5);
    CHECK(t.select_uct(0) == b);  // nothing visited: ln 1 = 0, the fast reward decides
    t.back_up(b, 0.2);
    // N = 1: still no exploration term; c's prior 0.5 against b's mean 0.2
    CHECK(t.select_uct(0) == c);
    t.back_up(c, 1.0);
    t.back_up(a, 0.0);
    // N = 3: a 0 + sqrt(ln 3), b 0.2 + sqrt(ln 3), c 1 + sqrt(ln 3)
    CHECK(t.select_uct(0) == c);
    for (int i = 0; i < 20; ++i) t.back_up(c, 0.3);
    // N = 23, n_c = 21, mean (1 + 6) / 21 = 0.333: c 0.333 + sqrt(3.135 / 21) = 0.720; b 0.2 + 1.771 = 1.971
    CHECK(std::abs(t[c].mean() - 7.0 / 21) < 1e-12);
    CHECK(t.select_uct(0) == b);
    CHECK(t.select_uct(0, 0.0) == c);  // no exploration
    CHECK(t[0].visits == 23);
}

TEST_CASE("search_tree: PUCT choices on a fixed tree") {
    search_tree t;
    const auto a = t.add(0, 0.2);
    const auto b = t.add(0, 0.8);
    CHECK(t.select_puct(0) == a);  // no visits: all values are 0, the first
    t.back_up(a, 0.5);
    // N = 1: scale = 1 * (ln(19654 / 19652) + 1.25) = 1.2501; a 0.5 + 0.2 * 1.25 / 2 = 0.625; b 0.8 * 1.25 = 1.0
    CHECK(t.select_puct(0) == b);
    t.back_up(b, 0.0);
    t.back_up(b, 0.0);
    // N = 3: scale 2.1654; a 0.5 + 0.2 * 2.1654 / 2 = 0.7165; b 0.8 * 2.1654 / 3 = 0.5774
    CHECK(t.select_puct(0) == a);
}

TEST_CASE("search_tree: closed children are passed over, and closing climbs") {
    search_tree t;
    const auto a = t.add(0, 1);
    const auto b = t.add(0, 0);
    const auto leaf = t.add(a, 0);
    t.close(leaf);
    CHECK(t[a].closed);
    CHECK_FALSE(t[0].closed);
    CHECK(t.select_uct(0) == b);
    t.close(b);
    CHECK(t[0].closed);
    CHECK(t.select_uct(0) == search_tree::none);
    CHECK(t.select_puct(0) == search_tree::none);
}
