// What a host program injects into an engine is what the engine uses: threads, memory, and a log that hears of it.
#include "support/catch.hpp"
#include "support/counting_resource.hpp"
#include "support/toy_model.hpp"

#include <hence/generate/engine.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace hence;
using hence_test::toy_model;

namespace {

struct heard {
    std::vector<std::pair<log_level, std::string>> lines;
    [[nodiscard]] log_sink sink() {
        return {this, [](void* context, log_level level, std::string_view message) {
                    static_cast<heard*>(context)->lines.emplace_back(level, message);
                }};
    }
    [[nodiscard]] std::size_t count(log_level level, std::string_view part) const {
        std::size_t found = 0;
        for (const auto& [at, text] : lines) found += at == level && text.find(part) != std::string::npos ? 1 : 0;
        return found;
    }
};

// A team of one that counts how often it was asked.
class counting_team final : public thread_team {
public:
    [[nodiscard]] int size() const noexcept override { return 1; }
    void run(task function, void* context) noexcept override {
        ++runs;
        function(context, worker{});
    }
    int runs = 0;
};

}  // namespace

TEST_CASE("an engine runs on the team, the memory and the log that it is given") {
    hence_test::counting_resource memory;
    counting_team team;
    heard log;
    {
        engine e(toy_model(), {.team = &team, .memory = &memory, .log = log.sink()});
        REQUIRE(log.count(log_level::info, "1 injected threads") == 1);
        REQUIRE(log.count(log_level::info, "context of 512 tokens") == 1);
        branch b = e.begin(std::vector<token_id>(40, 10)).value();
        REQUIRE(e.extend(b, {.max_tokens = 5, .stop_at_end = false}).has_value());
        REQUIRE(memory.live_bytes() > 0);
        // 40 + 5 tokens are two pages: the cache grew for the prompt, and once more.
        REQUIRE(log.count(log_level::debug, "the cache now holds") >= 1);
    }
    REQUIRE(memory.live_bytes() == 0);
    REQUIRE(log.count(log_level::warning, "") == 0);
}

TEST_CASE("a kept prompt that gives its pages up is heard of") {
    heard log;
    engine e(toy_model(), {.threads = 1, .cache_tokens = 96, .log = log.sink()});
    {
        branch old = e.begin(std::vector<token_id>(60, 10)).value();
        REQUIRE(e.extend(old, {.max_tokens = 2, .stop_at_end = false}).has_value());
        old.prune();
    }
    branch next = e.begin(std::vector<token_id>(80, 20)).value();
    REQUIRE(e.extend(next, {.max_tokens = 2, .stop_at_end = false}).has_value());
    REQUIRE(log.count(log_level::debug, "a kept prompt gave its pages up") == 1);
}

TEST_CASE("without a log nothing is heard, and levels have names") {
    REQUIRE_FALSE(log_sink{});
    log_sink{}(log_level::info, "into nothing");
    REQUIRE(name(log_level::debug) == "debug");
    REQUIRE(name(log_level::info) == "info");
    REQUIRE(name(log_level::warning) == "warning");
}
