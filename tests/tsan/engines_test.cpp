// What host programs do with threads, for the thread sanitizer: one constant model under several engines.
#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <hence/generate/engine.hpp>
#include <hence/models/decoder.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace {

struct outcome {
    std::string text;
    std::uint64_t hash = 0;
};

outcome work(hence::engine<hence::decoder>& engine, const std::atomic<bool>* cancel = nullptr) {
    const auto prompt = engine.encode("24: 4 6 8 8\n").value();
    hence::sampling how;
    how.temperature = 1;
    hence::branch root = engine.begin(prompt, 7, how).value();
    std::vector<hence::branch> branches = root.fork(5).value();
    hence::until rules;
    rules.max_tokens = 40;
    rules.cancel = cancel;
    engine.extend(branches, rules).value();
    outcome all;
    for (const hence::branch& b : branches) all.text += b.text() + "/";
    all.hash = engine.replay_hash();
    return all;
}

}  // namespace

TEST_CASE("two engines on one model, in two threads with two workers each, say what one alone says") {
    HENCE_REQUIRE_DATA(file, "models/tiny-reasoner/tiny-reasoner-q8_0.gguf");
    const hence::decoder model = hence::load(file.string()).value();
    hence::engine<hence::decoder> alone(model, {.threads = 1});
    const outcome expected = work(alone);
    outcome found[2];
    std::vector<std::thread> threads;
    for (outcome& one : found)
        threads.emplace_back([&model, &one] {
            hence::engine<hence::decoder> engine(model, {.threads = 2});
            one = work(engine);
        });
    for (std::thread& thread : threads) thread.join();
    for (const outcome& one : found) {
        CHECK(one.text == expected.text);
        CHECK(one.hash == expected.hash);
    }
}

TEST_CASE("a model that one thread loads and another lets go of, while engines run") {
    HENCE_REQUIRE_DATA(file, "models/tiny-reasoner/tiny-reasoner-q8_0.gguf");
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    {
        const hence::decoder model = hence::load(file.string(), {.tier = {}, .threads = 2}).value();
        for (int i = 0; i < 2; ++i)
            threads.emplace_back([copy = model, &right] {
                hence::engine<hence::decoder> engine(copy, {.threads = 1});
                if (!work(engine).text.empty()) ++right;
            });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(right == 2);
}

TEST_CASE("cancelling from another thread ends a run") {
    HENCE_REQUIRE_DATA(file, "models/tiny-reasoner/tiny-reasoner-q8_0.gguf");
    const hence::decoder model = hence::load(file.string()).value();
    hence::engine<hence::decoder> engine(model, {.threads = 2});
    std::atomic<bool> cancel{false};
    std::thread other([&] { cancel = true; });
    (void)work(engine, &cancel);
    other.join();
    hence::branch after = engine.begin(engine.encode("calc: 1+1\n").value()).value();
    hence::until rules;
    rules.cancel = &cancel;
    engine.extend(after, rules).value();
    CHECK(after.finish() == hence::finish_reason::cancelled);
    CHECK(after.generated().empty());
}
