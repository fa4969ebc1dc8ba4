// generate and chat: the simple calls give what the engine gives.
#include "support/catch.hpp"
#include "support/toy_model.hpp"

#include <hence/generate/engine.hpp>
#include <hence/generate/generate.hpp>

#include <atomic>
#include <string>
#include <vector>

using namespace hence;
using hence_test::toy_model;

TEST_CASE("generate streams the text it returns, with tokens, reason and usage") {
    engine e(toy_model{});
    std::string streamed;
    const completion done = generate(e, "abc\n", {.max_tokens = 40, .sampling = {.temperature = 1, .seed = 3}, .stream = 8, .log_probabilities = true},
                                     [&](std::string_view piece) { streamed += piece; }).value();
    REQUIRE(done.text == streamed);
    REQUIRE(done.tokens.size() == 40);
    REQUIRE(done.finish == finish_reason::length);
    REQUIRE(done.usage.generated_tokens == 40);
    REQUIRE(done.usage.prompt_tokens == 3);
    REQUIRE(*done.mean_log_probability < 0);

    engine f(toy_model{});
    branch b = f.begin(f.encode("abc\n").value(), 8, {.temperature = 1, .seed = 3}).value();
    REQUIRE(f.extend(b, {.max_tokens = 40}).has_value());
    REQUIRE(b.text() == done.text);

    const completion again = generate(e, "abc\n", {.max_tokens = 40, .sampling = {.temperature = 1, .seed = 3}, .stream = 8}).value();
    REQUIRE(again.tokens == done.tokens);
    REQUIRE(again.usage.generated_tokens == 40);
    REQUIRE_FALSE(again.mean_log_probability.has_value());
    const completion other = generate(e, "abc\n", {.max_tokens = 40, .sampling = {.temperature = 1, .seed = 3}, .stream = 9}).value();
    REQUIRE(other.tokens != done.tokens);
}

TEST_CASE("a listener stops generate by returning false, a flag by being set") {
    engine e(toy_model{});
    int pieces = 0;
    const completion done = generate(e, "abc", {.max_tokens = 100}, [&](std::string_view) { return ++pieces < 5; }).value();
    REQUIRE(done.finish == finish_reason::cancelled);
    REQUIRE(pieces == 5);
    REQUIRE(done.tokens.size() < 100);
    const std::atomic<bool> flag{true};
    const completion none = generate(e, "abc", {.cancel = &flag}).value();
    REQUIRE(none.finish == finish_reason::cancelled);
    REQUIRE(none.text.empty());
}

TEST_CASE("generate: stop strings, budgets, a full context and bad prompts") {
    engine e(toy_model({.context = 30}));
    const completion whole = generate(e, "a", {.max_tokens = 1000}).value();
    REQUIRE(whole.finish == finish_reason::context_full);
    REQUIRE(whole.tokens.size() == 28);
    const std::string stop = whole.text.substr(whole.text.size() / 2, 1);
    const completion cut = generate(e, "a", {.max_tokens = 1000, .stop = {stop}}).value();
    REQUIRE(cut.text == whole.text.substr(0, whole.text.find(stop)));
    REQUIRE(e.set_budget({.tokens = 4}).has_value());
    const completion short_one = generate(e, "a").value();
    REQUIRE(short_one.finish == finish_reason::budget);
    REQUIRE(short_one.tokens.size() == 4);
    REQUIRE(e.set_budget({}).has_value());
    const auto too_long = generate(e, std::string(31, 'q'));
    REQUIRE(too_long.error().code == errc::context_full);
    REQUIRE(too_long.error().message().find("30 tokens") != std::string::npos);
    REQUIRE(generate(e, "a", {.sampling = {.top_p = -1}}).error().where == "sampling.top_p");
}

TEST_CASE("chat needs a template, and says so") {
    engine e(toy_model{});
    const std::vector<chat_message> messages{{"user", "hello"}};
    REQUIRE(chat(e, messages).error().code == errc::missing);
}
