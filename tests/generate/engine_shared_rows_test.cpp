// Branches of one text draw from one row of logits: the same tokens for fewer rows, whatever happens to one of them.
#include "support/catch.hpp"
#include "support/toy_model.hpp"

#include <hence/generate/engine.hpp>

#include <algorithm>
#include <limits>
#include <vector>

using namespace hence;
using hence_test::toy_model;

namespace {

sampling warm(std::uint64_t seed = 0) {
    sampling how;
    how.temperature = 1;
    how.seed = seed;
    return how;
}

std::vector<token_id> prompt_of(std::size_t length, token_id salt = 0) {
    std::vector<token_id> prompt(length);
    for (std::size_t i = 0; i < length; ++i)
        prompt[i] = static_cast<token_id>(3 + (i * 7 + static_cast<std::size_t>(salt) * 31) % 200);
    return prompt;
}

}  // namespace

TEST_CASE("forks that have drawn nothing share one row of logits, and draw what they would draw alone") {
    const toy_model model;
    const auto drawn = [&](bool forked, const until& rules, std::int64_t& rows, bool banned) {
        engine e(model, {.threads = 2, .keep_prompts = 0});
        std::vector<std::vector<token_id>> texts;
        sampling how = warm();
        how.presence_penalty = 0.7f;  // changes the logits in place, and differently for each branch below
        branch trunk = e.begin(prompt_of(40), 1, how).value();
        branch* const first[] = {&trunk};
        REQUIRE(e.extend(first, {.max_tokens = 5}).has_value());
        const std::int64_t before = e.account().rows;
        std::vector<branch> list;
        for (std::uint64_t i = 0; i < 12; ++i) {
            list.push_back(trunk.fork_as(100 + i).value());
            how.logit_bias = {{static_cast<token_id>(i), banned ? -std::numeric_limits<float>::infinity() : 2.0f}};
            REQUIRE(list.back().set_sampling(how).has_value());
        }
        if (forked) {
            REQUIRE(e.extend(list, rules).has_value());
        } else {
            for (branch& one : list) REQUIRE(e.extend(one, rules).has_value());
        }
        for (const branch& one : list) texts.emplace_back(one.generated().begin(), one.generated().end());
        rows = e.account().rows - before;
        return texts;
    };
    for (const bool banned : {false, true}) {
        std::int64_t together = 0;
        std::int64_t alone = 0;
        const until rules{.max_tokens = 6, .log_probabilities = true};
        REQUIRE(drawn(true, rules, together, banned) == drawn(false, rules, alone, banned));
        REQUIRE(together < alone);
        REQUIRE(together <= 1 + 12 * 5);
    }
}

TEST_CASE("a callback may cancel or prune forks that share a row of logits, the first of them too") {
    const toy_model model;
    for (std::size_t victim = 0; victim < 4; ++victim)
        for (const bool prune : {false, true}) {
            engine e(model, {.threads = 1});
            branch trunk = e.begin(prompt_of(20), 1, warm()).value();
            auto list = trunk.fork(4).value();
            bool done = false;
            until rules{.max_tokens = 4};
            rules.every_token = true;
            REQUIRE(e.extend(list, rules, [&](branch_event<branch>&) {
                         if (done) return;
                         done = true;
                         if (prune)
                             list[victim].prune();
                         else
                             list[victim].cancel();
                     }).has_value());
            engine fresh(model, {.threads = 1, .keep_prompts = 0});
            branch root = fresh.begin(prompt_of(20), 1, warm()).value();
            auto others = root.fork(4).value();
            for (std::size_t i = 0; i < 4; ++i) {
                if (i == victim) continue;
                REQUIRE(fresh.extend(others[i], {.max_tokens = 4}).has_value());
                REQUIRE(std::equal(list[i].tokens().begin(), list[i].tokens().end(), others[i].tokens().begin(),
                                   others[i].tokens().end()));
            }
            // What was cancelled goes on from where it is, as if nothing had been.
            if (prune) continue;
            REQUIRE(e.extend(list[victim], {.max_tokens = 4 - (list[victim].tokens().size() - 20)}).has_value());
            REQUIRE(fresh.extend(others[victim], {.max_tokens = 4}).has_value());
            REQUIRE(std::equal(list[victim].tokens().begin(), list[victim].tokens().end(),
                               others[victim].tokens().begin(), others[victim].tokens().end()));
        }
}
