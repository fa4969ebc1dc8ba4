#include "hence/reason/votes.hpp"

#include "support/catch.hpp"

#include <array>
#include <string>
#include <vector>

using hence::ballot;

TEST_CASE("ballot: the majority wins, ties go to the lowest first sample whatever the order of arrival") {
    ballot b;
    CHECK(b.winner() == nullptr);
    b.add(3, "7");
    b.add(2, "8");
    CHECK(b.winner()->value == "8");
    b.add(5, "7");
    CHECK(b.winner()->value == "7");
    b.add(4, "8");
    CHECK(b.winner()->value == "8");  // 2 : 2, sample 2 came first
    b.add(0, "7");
    CHECK(b.winner()->value == "7");
    b.add_unparsed();
    CHECK(b.samples() == 6);
    CHECK(b.parse_rate() == 5.0 / 6.0);
    CHECK(b.top_two() == std::pair<std::int64_t, std::int64_t>{3, 2});
    CHECK(b.ranking().front().first_sample == 0);
}

TEST_CASE("ballot: decided exactly when no outcome of the outstanding samples changes the winner") {
    // Every vote of 6 samples over 3 answers, every subset of them counted: compared with trying all outcomes.
    const std::array<std::string, 3> answers{"a", "b", "c"};
    int decided_early = 0;
    for (int code = 0; code < 729; ++code) {
        std::array<int, 6> given{};
        for (int i = 0, rest = code; i < 6; ++i, rest /= 3) given[static_cast<std::size_t>(i)] = rest % 3;
        for (unsigned counted = 0; counted < 64; ++counted) {
            ballot now;
            std::vector<std::size_t> outstanding;
            for (std::size_t i = 0; i < 6; ++i) {
                if (counted >> i & 1u) now.add(i, answers[static_cast<std::size_t>(given[i])]);
                else outstanding.push_back(i);
            }
            if (now.winner() == nullptr || outstanding.size() > 3) continue;
            const std::string leader = now.winner()->value;
            bool can_change = false;
            int outcomes = 1;
            for (std::size_t i = 0; i < outstanding.size(); ++i) outcomes *= 5;
            for (int o = 0; o < outcomes && !can_change; ++o) {  // a, b, c, a new answer, no answer
                ballot then = now;
                for (std::size_t i = 0, rest = static_cast<std::size_t>(o); i < outstanding.size(); ++i, rest /= 5) {
                    const std::size_t what = rest % 5;
                    if (what < 3) then.add(outstanding[i], answers[what]);
                    else if (what == 3) then.add(outstanding[i], "new");
                    else then.add_unparsed();
                }
                can_change = then.winner()->value != leader;
            }
            REQUIRE(now.decided(outstanding) == !can_change);
            decided_early += !can_change && !outstanding.empty() ? 1 : 0;
        }
    }
    CHECK(decided_early > 1000);
}

TEST_CASE("ballot: with no votes nothing is decided until nobody is left") {
    ballot b;
    const std::array<std::size_t, 1> one{0};
    CHECK_FALSE(b.decided(one));
    CHECK(b.decided({}));
}
