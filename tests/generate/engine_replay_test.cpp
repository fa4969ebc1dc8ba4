// The engine's promises about whole runs: exact replay under any batching, accounts that add up, budgets that
// hold, and any program of forks, rollbacks, probes and draws equal to one that recomputes from scratch.
#include "support/catch.hpp"
#include "support/toy_model.hpp"

#include <hence/generate/engine.hpp>
#include <hence/generate/sampler.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace hence;
using hence_test::toy_model;

namespace {

sampling warm(std::uint64_t seed) {
    sampling how;
    how.temperature = 0.8f;
    how.top_p = 0.95f;
    how.repetition_penalty = 1.1f;
    how.seed = seed;
    return how;
}

std::vector<token_id> prompt_of(std::size_t length, std::size_t salt = 0) {
    std::vector<token_id> prompt(length);
    for (std::size_t i = 0; i < length; ++i) prompt[i] = static_cast<token_id>(3 + (i * 7 + (i >= 20 ? salt * 31 : 0)) % 200);
    return prompt;
}

token_id reference_draw(const toy_model& model, const std::vector<token_id>& tokens, std::uint64_t stream, const sampling& how,
                        sampler& s) {
    auto logits = model.reference_logits(tokens);
    draw_request request;
    request.how = &how;
    request.history = tokens;
    request.stream = stream;
    request.position = static_cast<std::uint32_t>(tokens.size());
    return s.draw(logits, request).token;
}

// What of an account is the sum over branches.
void require_sums(const account& engine_total, const account& branch_sum) {
    REQUIRE(engine_total.prompt_tokens == branch_sum.prompt_tokens);
    REQUIRE(engine_total.cached_tokens == branch_sum.cached_tokens);
    REQUIRE(engine_total.generated_tokens == branch_sum.generated_tokens);
    REQUIRE(engine_total.forced_tokens == branch_sum.forced_tokens);
    REQUIRE(engine_total.scored_tokens == branch_sum.scored_tokens);
    REQUIRE(engine_total.drafted_tokens == branch_sum.drafted_tokens);
    REQUIRE(engine_total.accepted_tokens == branch_sum.accepted_tokens);
    REQUIRE(engine_total.discarded_tokens == branch_sum.discarded_tokens);
    REQUIRE(engine_total.rows == branch_sum.rows);
}

// A run with forks, callbacks that cancel, probes, forced text and several prompts.
std::uint64_t mixed_run(engine_options options, bool forks, std::vector<std::vector<token_id>>* texts = nullptr,
                        std::optional<std::int64_t> tokens = {}) {
    const toy_model model({.context = 400, .end_bias = 1.5f});
    engine e(model, options);
    REQUIRE(e.set_budget({.tokens = tokens}).has_value());
    branch trunk = e.begin(prompt_of(90), 5, warm(1)).value();
    std::vector<branch> branches;
    if (forks) {
        branches = trunk.fork(6).value();
    } else {
        for (std::uint64_t i = 0; i < 6; ++i) branches.push_back(e.begin(prompt_of(90), mix64(5, i), warm(1)).value());
    }
    branches.push_back(e.begin(prompt_of(130, 3), 40, warm(2)).value());
    branches.push_back(e.begin(prompt_of(7, 0), 41, warm(2)).value());
    std::size_t finished = 0;
    REQUIRE(e.extend(branches, {.max_tokens = 60}, [&](branch_event<branch>& event) {
        if (event.reason != finish_reason::cancelled && ++finished == 5)
            for (branch& other : branches) other.cancel();
    }).has_value());
    if (!tokens) {
        REQUIRE(e.force(branches[7], prompt_of(5)).has_value());
        REQUIRE(e.score(branches[2], prompt_of(6)).has_value());
    }
    REQUIRE(e.extend(branches[7], {.max_tokens = 20, .stop_at_end = false}).has_value());
    branches[1].prune();
    if (texts != nullptr)
        for (const branch& b : branches) texts->emplace_back(b.tokens().begin(), b.tokens().end());
    return e.replay_hash();
}

}  // namespace

TEST_CASE("replay: the same texts and hash for any threads, batch limits, cache type of prefix, and on every run") {
    std::vector<std::vector<token_id>> texts;
    const std::uint64_t hash = mixed_run({.threads = 1}, true, &texts);
    for (const bool forks : {true, false})
        for (const int threads : {1, 2, 3})
            for (const std::size_t max_rows : {std::size_t{512}, std::size_t{64}, std::size_t{3}, std::size_t{1}})
                for (const std::size_t batch : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
                    std::vector<std::vector<token_id>> again;
                    const auto logits = static_cast<std::size_t>(threads == 3 ? 2 : 64);
                    INFO("forks " << forks << " threads " << threads << " rows " << max_rows << " batch " << batch);
                    REQUIRE(mixed_run({.threads = threads, .max_rows = max_rows, .max_logits = logits, .batch = batch,
                                       .keep_prompts = max_rows == 3 ? std::size_t{0} : std::size_t{4}},
                                      forks, &again) == hash);
                    REQUIRE(again == texts);
                }
    // The hash sees what it should: a run that is cut short has another.
    REQUIRE(mixed_run({.threads = 1}, true, nullptr, 117) != hash);
}

TEST_CASE("replay holds under a budget of tokens, which is spent to the last token and no further") {
    for (const std::int64_t tokens : {std::int64_t{0}, std::int64_t{1}, std::int64_t{50}, std::int64_t{117}}) {
        std::vector<std::vector<token_id>> texts;
        const std::uint64_t hash = mixed_run({.threads = 1}, true, &texts, tokens);
        for (const std::size_t batch : {std::size_t{1}, std::size_t{3}, std::size_t{0}})
            for (const std::size_t max_rows : {std::size_t{2}, std::size_t{100}}) {
                std::vector<std::vector<token_id>> again;
                REQUIRE(mixed_run({.threads = 2, .max_rows = max_rows, .batch = batch}, batch == 3, &again, tokens) == hash);
                REQUIRE(again == texts);
            }
    }
}

TEST_CASE("a run that a deadline cut is replayed from its cut positions, without the clock") {
    const toy_model model({.context = 2000});
    engine e(model, {.threads = 1});
    std::vector<branch> branches;
    for (std::uint64_t i = 0; i < 4; ++i) branches.push_back(e.begin(prompt_of(30 + i), i, warm(3)).value());
    REQUIRE(e.set_budget({.deadline = std::chrono::milliseconds(3)}).has_value());
    REQUIRE(e.extend(branches, {.max_tokens = 1900}).has_value());
    engine f(model, {.threads = 2, .max_rows = 16});
    std::vector<branch> replayed;
    for (std::uint64_t i = 0; i < 4; ++i) {
        REQUIRE(branches[i].finish() == finish_reason::budget);
        replayed.push_back(f.begin(prompt_of(30 + i), i, warm(3)).value());
        replayed.back().cut_at(branches[i].tokens().size());
    }
    REQUIRE(f.extend(replayed, {.max_tokens = 1900}).has_value());
    REQUIRE(f.replay_hash() == e.replay_hash());
}

TEST_CASE("random programs: every branch equals a reference that recomputes from scratch, and accounts add up") {
    struct mirror {
        std::vector<token_id> tokens;
        std::size_t prompt;
        std::uint64_t stream;
        std::uint64_t children;
        sampling how;
    };
    for (std::uint64_t program = 0; program < 30; ++program) {
        const toy_model model({.context = 180, .end_bias = program % 3 == 0 ? 1.0f : -100.0f});
        const counter_rng rng{program};
        std::uint32_t counter = 0;
        const auto below = [&](std::size_t n) { return static_cast<std::size_t>(rng.words(9, counter++, 0)[0]) % n; };
        engine e(model, {.threads = static_cast<int>(1 + program % 2),
                         .kv = program % 5 == 4 ? dtype::f16 : program % 5 == 3 ? dtype::i8 : program % 5 == 2 ? dtype::bf16 : dtype::f32,
                         .max_rows = 1 + below(60),
                         .max_logits = 1 + below(9),
                         .batch = below(5),
                         .cache_tokens = program % 7 == 6 ? std::size_t{20000} : std::size_t{0},
                         .keep_prompts = below(4)});
        sampler s(model.vocabulary_size());
        s.reserve(4096, 16);
        std::vector<branch> branches;
        std::vector<mirror> mirrors;
        account gone;  // of branches that were destroyed
        for (int round = 0; round < 60; ++round) {
            const std::size_t action = branches.empty() ? 0 : below(9);
            const std::size_t i = branches.empty() ? 0 : below(branches.size());
            if (action == 0 && branches.size() < 14) {
                const auto prompt = prompt_of(1 + below(120), below(3));
                const std::uint64_t stream = below(5);
                branches.push_back(e.begin(prompt, stream, warm(program)).value());
                mirrors.push_back({prompt, prompt.size(), stream, 0, warm(program)});
            } else if (action == 1 && branches.size() < 14) {
                auto children = branches[i].fork(1 + below(3)).value();
                for (branch& child : children) {
                    mirror m = mirrors[i];
                    m.stream = mix64(mirrors[i].stream, mirrors[i].children++);
                    m.children = 0;
                    REQUIRE(child.stream() == m.stream);
                    branches.push_back(std::move(child));
                    mirrors.push_back(m);
                }
            } else if (action == 2) {
                const std::size_t n = 1 + below(mirrors[i].tokens.size());
                REQUIRE(branches[i].rollback(n).has_value());
                mirrors[i].tokens.resize(n);
                mirrors[i].prompt = std::min(mirrors[i].prompt, n);
            } else if (action == 3) {
                const auto forced = prompt_of(below(40), 5);
                const bool fits = mirrors[i].tokens.size() + forced.size() <= 180;
                REQUIRE(e.force(branches[i], forced).has_value() == fits);
                if (fits) mirrors[i].tokens.insert(mirrors[i].tokens.end(), forced.begin(), forced.end());
            } else if (action == 4) {
                const auto probe = prompt_of(1 + below(9), 4);
                std::vector<branch*> list;
                std::vector<std::size_t> which;
                bool fits = true;
                for (std::size_t b = 0; b < branches.size(); ++b) {
                    if (below(2) == 0) continue;
                    list.push_back(&branches[b]);
                    which.push_back(b);
                    fits = fits && mirrors[b].tokens.size() + probe.size() - 1 <= 180;
                }
                const auto scores = e.score(list, probe);
                REQUIRE(scores.has_value() == fits);
                for (std::size_t k = 0; fits && k < which.size(); ++k) {
                    auto tokens = mirrors[which[k]].tokens;
                    for (std::size_t t = 0; t < probe.size(); ++t) {
                        REQUIRE((*scores)[k][t] == log_probability(model.reference_logits(tokens), probe[t]));
                        tokens.push_back(probe[t]);
                    }
                }
            } else if (action == 5) {
                gone += branches[i].account();
                branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(i));
                mirrors.erase(mirrors.begin() + static_cast<std::ptrdiff_t>(i));
            } else {
                std::vector<branch*> list;
                std::vector<std::size_t> which;
                for (std::size_t b = 0; b < branches.size(); ++b) {
                    if (below(3) == 0) continue;
                    list.push_back(&branches[b]);
                    which.push_back(b);
                }
                std::vector<std::size_t> old;
                std::vector<bool> ended;
                for (const std::size_t b : which) {
                    old.push_back(mirrors[b].tokens.size());
                    ended.push_back(branches[b].finish() == finish_reason::end_token || branches[b].finish() == finish_reason::context_full);
                }
                const std::size_t most = below(25);
                std::size_t events = 0;
                const std::size_t cancel_at = below(40);
                REQUIRE(e.extend(list, {.max_tokens = most, .every_token = round % 2 == 0}, [&](branch_event<branch>& event) {
                    if (++events == cancel_at && event.which.finish() == finish_reason::none) event.which.cancel();
                }).has_value());
                for (std::size_t k = 0; k < which.size(); ++k) {
                    mirror& m = mirrors[which[k]];
                    const branch& b = branches[which[k]];
                    const std::size_t added = b.tokens().size() - old[k];
                    for (std::size_t t = 0; t < added; ++t) m.tokens.push_back(reference_draw(model, m.tokens, m.stream, m.how, s));
                    if (ended[k]) REQUIRE(added == 0);
                    switch (b.finish()) {
                        case finish_reason::length: REQUIRE(added == most); break;
                        case finish_reason::context_full: REQUIRE(b.tokens().size() == 180); break;
                        case finish_reason::end_token: REQUIRE(m.tokens.back() == 2); break;
                        default: REQUIRE(b.finish() == finish_reason::cancelled);
                    }
                }
            }
            account sum = gone;
            for (std::size_t b = 0; b < branches.size(); ++b) {
                sum += branches[b].account();
                REQUIRE(std::equal(branches[b].tokens().begin(), branches[b].tokens().end(), mirrors[b].tokens.begin(), mirrors[b].tokens.end()));
                REQUIRE(branches[b].prompt_tokens() == mirrors[b].prompt);
                REQUIRE(branches[b].statistics().size() == branches[b].generated().size());
            }
            require_sums(e.account(), sum);
            REQUIRE(e.account().rows == model.counters().rows);
            REQUIRE(e.account().forwards == model.counters().forwards);
        }
        branches.clear();
        e.forget_prompts();
        REQUIRE(e.kv_bytes() == 0);
    }
}

TEST_CASE("budgets: tokens are never overrun, forwards and bytes neither, zero gives empty and valid answers") {
    const toy_model model;
    for (std::int64_t limit = 0; limit < 60; limit = limit * 2 + 1) {
        for (const std::size_t batch : {std::size_t{0}, std::size_t{2}}) {
            {
                engine e(model, {.batch = batch});
                auto branches = e.begin(prompt_of(40), 1, warm(1)).value().fork(7).value();
                REQUIRE(e.set_budget({.tokens = limit}).has_value());
                REQUIRE(e.extend(branches, {.max_tokens = 100}).has_value());
                REQUIRE(e.account().generated_tokens == limit);
                REQUIRE(*e.remaining_budget().tokens == 0);
                std::size_t least = 1000;
                std::size_t most = 0;
                for (const branch& b : branches) {
                    REQUIRE(b.finish() == finish_reason::budget);
                    least = std::min(least, b.generated().size());
                    most = std::max(most, b.generated().size());
                }
                REQUIRE(most - least <= 1);
                REQUIRE(e.force(branches[0], prompt_of(1)).error().code == errc::budget_exhausted);
                REQUIRE(e.score(branches[0], prompt_of(1)).error().code == errc::budget_exhausted);
                REQUIRE(e.set_budget({}).has_value());
                REQUIRE(e.extend(branches, {.max_tokens = 3}).has_value());
                for (const branch& b : branches) REQUIRE(b.finish() == finish_reason::length);
            }
            {
                engine e(model, {.batch = batch});
                auto branches = e.begin(prompt_of(40), 1, warm(1)).value().fork(3).value();
                REQUIRE(e.set_budget({.forwards = limit}).has_value());
                REQUIRE(e.extend(branches, {.max_tokens = 200}).has_value());
                REQUIRE(e.account().forwards == limit);
                for (const branch& b : branches) REQUIRE(b.finish() == finish_reason::budget);
            }
            {
                engine e(model, {.batch = batch});
                const auto page_bytes = static_cast<std::int64_t>(model.cache_layout(dtype::f32).page_bytes());
                auto branches = e.begin(prompt_of(40), 1, warm(1)).value().fork(3).value();
                REQUIRE(e.set_budget({.bytes = limit * page_bytes + page_bytes / 2}).has_value());
                REQUIRE(e.extend(branches, {.max_tokens = 200}).has_value());
                REQUIRE(e.account().peak_kv_bytes <= limit * page_bytes);
                for (const branch& b : branches) REQUIRE(b.finish() == (limit >= 1 + 3 * 7 ? finish_reason::length : finish_reason::budget));
            }
        }
    }
    engine e(model);
    REQUIRE(e.set_budget({.tokens = -5}).error().code == errc::out_of_range);
    branch b = e.begin(prompt_of(10), 1, warm(1)).value();
    REQUIRE(e.set_budget({.deadline = std::chrono::nanoseconds(0)}).has_value());
    REQUIRE(e.extend(b, {}).has_value());
    REQUIRE(b.finish() == finish_reason::budget);
    REQUIRE(b.text().empty());
    REQUIRE(e.account().forwards == 0);
}

TEST_CASE("a budget that ends inside a probe is an error, and the branch stays as it was") {
    const toy_model model;
    engine e(model, {.max_rows = 10});
    branch b = e.begin(prompt_of(64), 1, warm(1)).value();
    REQUIRE(e.set_budget({.forwards = 3}).has_value());
    REQUIRE(e.score(b, prompt_of(20)).error().code == errc::budget_exhausted);
    REQUIRE(e.account().forwards == 3);
    REQUIRE(e.set_budget({.tokens = 19}).has_value());
    const auto forwards = e.account().forwards;
    REQUIRE(e.score(b, prompt_of(20)).error().code == errc::budget_exhausted);
    REQUIRE(e.account().forwards == forwards);
    REQUIRE(e.set_budget({}).has_value());
    const auto scores = e.score(b, prompt_of(20)).value();
    auto tokens = prompt_of(64);
    for (std::size_t i = 0; i < 20; ++i) {
        REQUIRE(scores[i] == log_probability(model.reference_logits(tokens), prompt_of(20)[i]));
        tokens.push_back(prompt_of(20)[i]);
    }
}

TEST_CASE("budget_scope: a child's budget lies within its parent's, and what it spent is gone from the parent") {
    const toy_model model;
    engine e(model);
    branch b = e.begin(prompt_of(20), 1, warm(1)).value();
    REQUIRE(e.set_budget({.tokens = 30}).has_value());
    {
        const budget_scope scope(e, {.tokens = 10});
        REQUIRE(scope.status().has_value());
        REQUIRE(e.extend(b, {.max_tokens = 100}).has_value());
        REQUIRE(b.generated().size() == 10);
    }
    REQUIRE(*e.remaining_budget().tokens == 20);
    {
        const budget_scope scope(e, {.tokens = 1000});
        REQUIRE(e.extend(b, {.max_tokens = 5}).has_value());
        REQUIRE(*e.remaining_budget().tokens == 15);
    }
    REQUIRE(*e.remaining_budget().tokens == 15);
    {
        const budget_scope scope(e, {.tokens = -1});
        REQUIRE_FALSE(scope.status().has_value());
    }
    REQUIRE(*e.remaining_budget().tokens == 15);
}
