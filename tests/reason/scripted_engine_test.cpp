#include "hence/reason/scripted_engine.hpp"

#include "hence/core/rng.hpp"
#include "scripts.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cmath>
#include <map>

using namespace hence;

namespace {

std::vector<token_id> tokens(const scripted_engine& e, std::string_view text) { return e.encode(text).value(); }

scripted_branch begin(scripted_engine& e, std::string_view prompt, std::uint64_t stream = 0, const sampling& s = {}) {
    const auto t = tokens(e, prompt);
    return std::move(e.begin(t, stream, s)).value();
}

}  // namespace

static_assert(reasoning_engine<scripted_engine>);

TEST_CASE("scripted engine: greedy takes the likeliest completion, sampling follows the law") {
    scripted_engine e(script_table({{"q", {.completions = {{"abc", 1, true}, {"abd", 3, true}, {"x", 2, true}}}}}));
    auto greedy = begin(e, "q");
    REQUIRE(e.extend(greedy, {}).has_value());
    CHECK(greedy.text() == "abd");
    CHECK(greedy.finish() == finish_reason::end_token);
    std::map<std::string, int> counts;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        auto b = begin(e, "q", i, {.temperature = 1, .seed = 5});
        REQUIRE(e.extend(b, {}).has_value());
        ++counts[b.text()];
    }
    CHECK(std::abs(counts["abc"] - 500) < 70);
    CHECK(std::abs(counts["abd"] - 1500) < 90);
    CHECK(std::abs(counts["x"] - 1000) < 85);
}

TEST_CASE("scripted engine: a fork draws what a fresh branch with its stream draws") {
    scripted_engine e(hence_test::sums());
    auto root = begin(e, "sum: 20+22\n", 7, {.temperature = 1, .seed = 3});
    auto children = root.fork(8).value();
    for (std::size_t i = 0; i < children.size(); ++i) {
        REQUIRE(e.extend(children[i], {}).has_value());
        auto fresh = begin(e, "sum: 20+22\n", mix64(7, i), {.temperature = 1, .seed = 3});
        REQUIRE(e.extend(fresh, {}).has_value());
        CHECK(fresh.text() == children[i].text());
    }
}

TEST_CASE("scripted engine: recordings are given out in order") {
    scripted_engine e(hence_test::recorded({"one", "two", "three"}));
    auto root = begin(e, "q\n");
    auto children = root.fork(4).value();
    std::vector<scripted_branch*> list;
    for (auto& c : children) list.push_back(&c);
    REQUIRE(e.extend(std::span<scripted_branch* const>(list), {}).has_value());
    CHECK(children[0].text() == "one");
    CHECK(children[1].text() == "two");
    CHECK(children[2].text() == "three");
    CHECK(children[3].text() == "one");
}

TEST_CASE("scripted engine: stops, lengths, rollback and force") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q") return {.completions = {{"line one\nline two\n", 1, true}}};
        if (context == "qWait,") return {.completions = {{" more", 1, true}}};
        return {};
    }));
    auto b = begin(e, "q");
    REQUIRE(e.extend(b, {.stop = {"\n"}}).has_value());
    CHECK(b.text() == "line one");
    CHECK(b.finish() == finish_reason::stop_string);
    REQUIRE(e.extend(b, {.max_tokens = 4}).has_value());
    CHECK(b.text() == "line one\nline");
    CHECK(b.finish() == finish_reason::length);
    REQUIRE(b.rollback(1 + 9).has_value());
    CHECK(b.text() == "line one\n");
    REQUIRE(e.extend(b, {}).has_value());
    CHECK(b.text() == "line one\nline two\n");
    CHECK(b.finish() == finish_reason::end_token);
    REQUIRE(b.rollback(1).has_value());
    REQUIRE(e.force(b, tokens(e, "Wait,")).has_value());
    REQUIRE(e.extend(b, {}).has_value());
    CHECK(b.text() == "Wait, more");
    CHECK(b.statistics()[0].forced);
    CHECK_FALSE(b.statistics()[5].forced);
    CHECK_FALSE(b.rollback(0).has_value());
    CHECK_FALSE(e.begin({}, 0, {}).has_value());
}

TEST_CASE("scripted engine: scores are the log-probabilities of the tree, and leave the branch as it was") {
    scripted_engine e(script_table({{"q", {.completions = {{"yes", 3, true}, {"no", 1, true}}}}}));
    auto b = begin(e, "q");
    const auto scores = e.score(b, tokens(e, "yes")).value();
    REQUIRE(scores.size() == 3);
    CHECK(std::abs(scores[0] - std::log(0.75f)) < 1e-6f);
    CHECK(scores[1] == 0.0f);
    const auto next = e.next_log_probabilities(b, tokens(e, "yn")).value();
    CHECK(std::abs(next[1] - std::log(0.25f)) < 1e-6f);
    CHECK(b.tokens().size() == 1);
    CHECK(e.account().scored_tokens == 4);
}

TEST_CASE("scripted engine: text pieces are whole characters and concatenate to the text") {
    const std::string said = "caf\xC3\xA9 \xF0\x9F\x98\x80 stop? no, STOP here";
    scripted_engine e(script_table({{"q", {.completions = {{said, 1, true}}}}}));
    auto b = begin(e, "q");
    std::string heard;
    until u;
    u.every_token = true;
    u.stop = {"STOP"};
    scripted_branch* const one[] = {&b};
    REQUIRE(e.extend(std::span<scripted_branch* const>(one), u, [&](branch_event<scripted_branch>& event) {
        for (std::size_t i = 0; i < event.text.size(); ++i) {
            const auto lead = static_cast<unsigned char>(event.text[i]);
            const std::size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
            REQUIRE(i + need <= event.text.size());
            i += need - 1;
        }
        heard.append(event.text);
    }).has_value());
    CHECK(heard == b.text());
    CHECK(heard == "caf\xC3\xA9 \xF0\x9F\x98\x80 stop? no, ");
}

TEST_CASE("scripted engine: budgets are never overrun in tokens and by at most one step otherwise") {
    for (std::int64_t limit : {0, 1, 5, 17, 40}) {
        scripted_engine e(hence_test::sums());
        REQUIRE(e.set_budget({.tokens = limit}).has_value());
        auto root = begin(e, "sum: 20+22\n", 0, {.temperature = 1});
        auto children = root.fork(4).value();
        std::vector<scripted_branch*> list;
        for (auto& c : children) list.push_back(&c);
        REQUIRE(e.extend(std::span<scripted_branch* const>(list), {}).has_value());
        CHECK(e.account().generated_tokens <= limit);
        for (auto& c : children) CHECK(c.finish() != finish_reason::none);
    }
    scripted_engine e(hence_test::sums());
    REQUIRE_FALSE(e.set_budget({.tokens = -1}).has_value());
    REQUIRE(e.set_budget({.forwards = 3}).has_value());
    auto b = begin(e, "sum: 20+22\n");
    REQUIRE(e.extend(b, {}).has_value());
    CHECK(b.generated().size() == 3);
    CHECK(b.finish() == finish_reason::budget);
    REQUIRE(e.set_budget({.deadline = std::chrono::nanoseconds(0)}).has_value());
    REQUIRE(e.extend(b, {}).has_value());
    CHECK(b.finish() == finish_reason::budget);
}

TEST_CASE("scripted engine: cancellation from the callback and from outside") {
    scripted_engine e(hence_test::sums());
    auto root = begin(e, "sum: 20+22\n", 0, {.temperature = 1});
    auto children = root.fork(4).value();
    std::vector<scripted_branch*> list;
    for (auto& c : children) list.push_back(&c);
    int finished = 0;
    REQUIRE(e.extend(std::span<scripted_branch* const>(list), {}, [&](branch_event<scripted_branch>& event) {
        ++finished;
        if (event.reason == finish_reason::end_token)
            for (auto* other : list)
                if (other->finish() == finish_reason::none) other->cancel();
    }).has_value());
    CHECK(finished == 4);
    std::atomic<bool> stop{true};
    auto b = begin(e, "sum: 20+22\n");
    until u;
    u.cancel = &stop;
    REQUIRE(e.extend(b, u).has_value());
    CHECK(b.finish() == finish_reason::cancelled);
    CHECK(b.generated().empty());
}

TEST_CASE("scripted engine: the accounts of all branches add up to the engine's") {
    scripted_engine e(hence_test::sums());
    account sum;
    const auto add = [&](const scripted_branch& b) { sum += b.account(); };
    auto root = begin(e, "sum: 20+22\n", 0, {.temperature = 1});
    auto children = root.fork(3).value();
    for (auto& c : children) REQUIRE(e.extend(c, {.max_tokens = 10}).has_value());
    REQUIRE(children[0].rollback(children[0].tokens().size() - 4).has_value());
    REQUIRE(e.force(children[1], tokens(e, "abc")).has_value());
    (void)e.score(children[2], tokens(e, "xy")).value();
    for (auto& c : children) REQUIRE(e.extend(c, {}).has_value());
    add(root);
    for (auto& c : children) add(c);
    CHECK(sum.prompt_tokens == e.account().prompt_tokens);
    CHECK(sum.cached_tokens == e.account().cached_tokens);
    CHECK(sum.generated_tokens == e.account().generated_tokens);
    CHECK(sum.forced_tokens == e.account().forced_tokens);
    CHECK(sum.scored_tokens == e.account().scored_tokens);
    CHECK(sum.discarded_tokens == e.account().discarded_tokens);
    CHECK(sum.rows == e.account().rows);
}

TEST_CASE("scripted engine: cache bytes count shared positions once and come back") {
    scripted_engine e(hence_test::sums(), {.bytes_per_token = 1});
    auto root = begin(e, "sum: 20+22\n", 0, {.temperature = 0});
    auto children = root.fork(10).value();
    for (auto& c : children) REQUIRE(e.extend(c, {.max_tokens = 5}).has_value());
    CHECK(e.account().peak_kv_bytes == 11 + 10 * 5);
    children.clear();
    auto other = begin(e, "sum: 20+22\n");
    REQUIRE(e.extend(other, {.max_tokens = 5}).has_value());
    CHECK(e.account().peak_kv_bytes == 11 + 10 * 5);
}

TEST_CASE("scripted engine: the context's length ends a branch, and is named when a prompt exceeds it") {
    scripted_engine e(hence_test::sums(), {.context_length = 16});
    auto b = begin(e, "sum: 20+22\n");
    REQUIRE(e.extend(b, {}).has_value());
    CHECK(b.finish() == finish_reason::context_full);
    CHECK(b.tokens().size() == 16);
    const auto refused = e.begin(tokens(e, "a prompt that is too long for it"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message().find("16") != std::string::npos);
}
