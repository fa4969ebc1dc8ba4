// budget and account: the arithmetic that engines and strategies share.
#include "support/catch.hpp"

#include <hence/generate/budget.hpp>

#include <chrono>
#include <string>

using namespace hence;
using namespace std::chrono_literals;

TEST_CASE("shares add up to the whole, for any count and both ways to run") {
    for (const std::int64_t whole : {std::int64_t{0}, std::int64_t{1}, std::int64_t{7}, std::int64_t{1000}}) {
        const budget b{.tokens = whole, .forwards = whole, .bytes = whole, .deadline = std::chrono::nanoseconds(whole)};
        for (std::int64_t count = 1; count < 12; ++count) {
            std::int64_t tokens = 0;
            std::int64_t forwards = 0;
            std::int64_t nanoseconds = 0;
            std::int64_t bytes = 0;
            for (std::int64_t i = 0; i < count; ++i) {
                tokens += *b.share(i, count).tokens;
                forwards += *b.share(i, count).forwards;
                nanoseconds += b.share(i, count).deadline->count();
                bytes += *b.share(i, count, children::concurrent).bytes;
                REQUIRE(b.share(i, count).bytes == b.bytes);
                REQUIRE(b.share(i, count, children::concurrent).forwards == b.forwards);
                REQUIRE(b.share(i, count, children::concurrent).deadline == b.deadline);
            }
            REQUIRE(tokens == whole);
            REQUIRE(forwards == whole);
            REQUIRE(nanoseconds == whole);
            REQUIRE(bytes == whole);
        }
    }
    REQUIRE(budget{}.share(0, 3) == budget{});
}

TEST_CASE("absent is unlimited, zero is nothing, negative is an error by field") {
    REQUIRE(budget{}.unlimited());
    REQUIRE_FALSE(budget{}.exhausted());
    REQUIRE(budget{.tokens = 0}.exhausted());
    REQUIRE(budget{.deadline = 0ns}.exhausted());
    REQUIRE_FALSE(budget{.tokens = 1}.exhausted());
    REQUIRE(budget{.tokens = 0}.check().has_value());
    REQUIRE(budget{.tokens = -1}.check().error().where == "budget.tokens");
    REQUIRE(budget{.forwards = -1}.check().error().where == "budget.forwards");
    REQUIRE(budget{.bytes = -1}.check().error().where == "budget.bytes");
    REQUIRE(budget{.deadline = -1ns}.check().error().code == errc::out_of_range);
}

TEST_CASE("after subtracts flows, never below zero, and leaves levels") {
    account spent;
    spent.generated_tokens = 5;
    spent.forced_tokens = 2;
    spent.scored_tokens = 3;
    spent.prompt_tokens = 100;
    spent.forwards = 4;
    spent.seconds = 0.5;
    const budget left = budget{.tokens = 12, .forwards = 3, .bytes = 9, .deadline = 2s}.after(spent);
    REQUIRE(*left.tokens == 2);
    REQUIRE(*left.forwards == 0);
    REQUIRE(*left.bytes == 9);
    REQUIRE(*left.deadline == 1500ms);
    REQUIRE(budget{}.after(spent) == budget{});
}

TEST_CASE("within takes the tighter limit of each kind") {
    const budget both = budget{.tokens = 5, .deadline = 3s}.within({.tokens = 9, .forwards = 2, .deadline = 1s});
    REQUIRE(both == budget{.tokens = 5, .forwards = 2, .bytes = {}, .deadline = 1s});
}

TEST_CASE("accounts add, subtract and keep the larger peak") {
    account a;
    a.generated_tokens = 3;
    a.rows = 10;
    a.peak_kv_bytes = 100;
    a.seconds = 1;
    account b = a;
    b.peak_kv_bytes = 50;
    const account sum = a + b;
    REQUIRE(sum.generated_tokens == 6);
    REQUIRE(sum.rows == 20);
    REQUIRE(sum.peak_kv_bytes == 100);
    REQUIRE((sum - b).rows == 10);
    REQUIRE((sum - b).peak_kv_bytes == 100);
}
