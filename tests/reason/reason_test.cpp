#include "hence/reason/reason.hpp"

#include "every_strategy.hpp"
#include "hence/reason/registry.hpp"
#include "scripts.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <string>

using namespace hence;
using hence_test::every_strategy;
using hence_test::talkative;

TEST_CASE("reason: the README's call") {
    scripted_engine e(hence_test::sums());
    auto answer = hence::reason(e, "sum: 20+22\n", hence::self_consistency{.samples = 16}, hence::budget{.tokens = 4096});
    CHECK(answer.value == "42");
    CHECK(answer.text == "20+22=42\nanswer 42");
    CHECK(answer.account.generated_tokens > 0);
    CHECK(answer.account.generated_tokens <= 4096);
    CHECK_FALSE(answer.cut);
}

TEST_CASE("reason: a question without a final newline gets one, and raw leaves it as it is") {
    scripted_engine e(hence_test::sums());
    CHECK(reason(e, "sum: 20+22", direct{}).value == "42");
    CHECK(reason(e, "sum: 20+22", direct{}, {}, {.format = prompt_format::raw}).value.empty());
    const auto chat = try_reason(e, "sum: 20+22", direct{}, {}, {.format = prompt_format::chat});
    REQUIRE_FALSE(chat.has_value());
    CHECK(chat.error().code == errc::unsupported);
}

TEST_CASE("reason: bad input is refused by name") {
    scripted_engine e(hence_test::sums(), {.context_length = 64});
    CHECK(try_reason(e, "", direct{}).error().code == errc::invalid_argument);
    CHECK(try_reason(e, " \n", direct{}).error().code == errc::invalid_argument);
    CHECK(try_reason(e, "q", direct{}, {.tokens = -1}).error().message().find("budget.tokens") != std::string::npos);
    CHECK(try_reason(e, "q", direct{}, {}, {.max_tokens = 0}).error().code == errc::invalid_argument);
    CHECK(try_reason(e, std::string(100, 'x'), direct{}).error().code == errc::context_full);
#if HENCE_EXCEPTIONS
    CHECK_THROWS_AS(reason(e, "", direct{}), hence::exception);
#endif
    for (const char* zero : {"self_consistency:samples=0", "adaptive_consistency:samples=0", "adaptive_consistency:window=0",
                             "early_stopping_self_consistency:window=0", "deep_confidence:samples=0", "deep_confidence:warmup=0",
                             "deep_confidence:keep_percent=0", "best_of_n:samples=0", "step_beam:beams=0", "step_beam:steps=0",
                             "diverse_verifier_tree_search:subtrees=0", "rebase:width=0", "rebase:balance=0", "tree_of_thoughts:breadth=0",
                             "tree_of_thoughts:samples=0", "monte_carlo_tree_search:iterations=0", "adaptive:probes=0",
                             "self_consistency:vote=confidence,vote_parameter=0", "step_beam:step_tokens=0"}) {
        const auto answer = try_reason(e, "sum: 20+22", parse_strategy(zero).value());
        INFO(zero);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().code == errc::invalid_argument);
    }
}

TEST_CASE("reason: every strategy answers, within no budget") {
    for (const std::string& name : every_strategy()) {
        INFO(name);
        scripted_engine e(talkative());
        const auto strategy = parse_strategy(name);
        REQUIRE(strategy.has_value());
        const auto a = try_reason(e, "sum: 20+22", *strategy, {}, {.seed = 3, .trace = true});
        if (!a) FAIL(a.error().message());
        CHECK(a->found());
        CHECK_FALSE(a->cut);
        CHECK_FALSE(a->why.empty());
        CHECK(a->trace.size() > 1);
        CHECK(a->trace[0].chosen);
    }
}

TEST_CASE("reason: every strategy is anytime; tokens are never overrun, forwards never, and nothing hangs") {
    for (const std::string& name : every_strategy()) {
        const auto strategy = parse_strategy(name).value();
        std::uint64_t state = 99;
        for (std::int64_t limit : {0, 1, 2, 3, 7, 15, 20, 31, 50, 77, 120, 333}) {
            INFO(name << " on " << limit);
            state = mix64(state, static_cast<std::uint64_t>(limit));
            {
                scripted_engine e(talkative());
                const auto a = try_reason(e, "sum: 20+22", strategy, {.tokens = limit}, {.seed = state});
                if (!a) FAIL(a.error().message());
                CHECK(e.account().spent_tokens() <= limit);
                CHECK((a->cut || a->found()));
                if (limit == 0) CHECK((a->cut && a->value.empty()));
                if (a->cut) CHECK(a->why.find("budget") != std::string::npos);
            }
            {
                scripted_engine e(talkative());
                const auto a = try_reason(e, "sum: 20+22", strategy, {.forwards = limit}, {.seed = state});
                if (!a) FAIL(a.error().message());
                CHECK(e.account().forwards <= limit + 1);
            }
            {
                scripted_engine e(talkative(), {.bytes_per_token = 1});
                const auto a = try_reason(e, "sum: 20+22", strategy, {.bytes = limit}, {.seed = state});
                if (!a) FAIL(a.error().message());
            }
        }
        scripted_engine e(talkative());
        const auto a = try_reason(e, "sum: 20+22", strategy, {.deadline = std::chrono::nanoseconds(0)});
        REQUIRE(a.has_value());
        CHECK(a->cut);
    }
}

TEST_CASE("reason: the accounts of all branches add up to the engine's under every strategy, cut or not") {
    for (const std::string& name : every_strategy()) {
        const auto strategy = parse_strategy(name).value();
        for (const std::optional<std::int64_t> limit : {std::optional<std::int64_t>{}, std::optional<std::int64_t>{37}, std::optional<std::int64_t>{150}}) {
            INFO(name << " on " << limit.value_or(-1));
            scripted_engine e(talkative());
            const auto a = try_reason(e, "sum: 20+22", strategy, {.tokens = limit}, {.seed = 11});
            REQUIRE(a.has_value());
            const account sum = e.branch_accounts();
            const account& total = e.account();
            CHECK(sum.prompt_tokens == total.prompt_tokens);
            CHECK(sum.cached_tokens == total.cached_tokens);
            CHECK(sum.generated_tokens == total.generated_tokens);
            CHECK(sum.forced_tokens == total.forced_tokens);
            CHECK(sum.scored_tokens == total.scored_tokens);
            CHECK(sum.discarded_tokens == total.discarded_tokens);
            CHECK(sum.rows == total.rows);
            CHECK(a->account.spent_tokens() == total.spent_tokens());
        }
    }
}

TEST_CASE("reason: every strategy repeats itself exactly, and a seed changes the draw") {
    std::size_t differ = 0;
    for (const std::string& name : every_strategy()) {
        INFO(name);
        const auto strategy = parse_strategy(name).value();
        const auto once = [&](std::uint64_t seed) {
            scripted_engine e(talkative());
            return reason(e, "sum: 20+22", strategy, {}, {.seed = seed});
        };
        const answer a = once(1);
        const answer b = once(1);
        CHECK(a.text == b.text);
        CHECK(a.replay_hash == b.replay_hash);
        CHECK(a.account.spent_tokens() == b.account.spent_tokens());
        differ += once(2).replay_hash != a.replay_hash ? 1 : 0;
        // The hash is of this run alone, not of what the engine did before.
        scripted_engine used(talkative());
        (void)reason(used, "sum: 20+22", direct{});
        CHECK(reason(used, "sum: 20+22", strategy, {}, {.seed = 1}).replay_hash == a.replay_hash);
    }
    CHECK(differ > 20);
}

TEST_CASE("reason: the engine's own budget stays in force around the call and is charged for it") {
    scripted_engine e(hence_test::sums());
    REQUIRE(e.set_budget({.tokens = 100}).has_value());
    const answer a = reason(e, "sum: 20+22", self_consistency{.samples = 4}, {.tokens = 1000});
    CHECK(a.account.generated_tokens <= 100);
    CHECK(e.remaining_budget().tokens == 100 - a.account.spent_tokens());
    (void)reason(e, "sum: 20+22", direct{}, {.tokens = 3});
    CHECK(e.remaining_budget().tokens == 100 - a.account.spent_tokens() - 3);
}

TEST_CASE("reason: cancelling from outside ends the run with what there is") {
    for (const std::string& name : every_strategy()) {
        INFO(name);
        std::atomic<bool> stop{false};
        scripted_engine e(talkative());
        int pieces = 0;
        reason_options options;
        options.cancel = &stop;
        options.on_text = [&](const text_piece&) {
            if (++pieces == 12) stop = true;
        };
        const auto a = try_reason(e, "sum: 20+22", parse_strategy(name).value(), {}, options);
        if (!a) FAIL(a.error().message());
        CHECK(a->why.find("cancelled") != std::string::npos);
    }
}

TEST_CASE("reason: streamed pieces of one sample are its text") {
    scripted_engine e(hence_test::sums(1.0));
    std::string heard;
    bool last = false;
    reason_options options;
    options.on_text = [&](const text_piece& piece) {
        CHECK(piece.sample == 0);
        heard.append(piece.text);
        last = last || piece.finish == finish_reason::end_token;
    };
    const answer a = reason(e, "sum: 20+22", chain_of_thought{}, {}, options);
    CHECK(heard == a.text);
    CHECK(last);
}

TEST_CASE("reason: thinking between tags is kept apart from the answer's text") {
    scripted_engine e(script_table({{"q\n", {.completions = {{"<think>maybe 7</think>\nanswer 8", 1, true}}}}}));
    const answer a = reason(e, "q", chain_of_thought{});
    CHECK(a.thinking == "maybe 7");
    CHECK(a.text == "answer 8");
    CHECK(a.value == "8");
}
