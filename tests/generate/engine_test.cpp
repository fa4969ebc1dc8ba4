// The engine with a model that reads its cache: what branches draw, when they stop, what callbacks hear,
// what is refused. Replay and accounts have files of their own.
#include "support/catch.hpp"
#include "support/counting_resource.hpp"
#include "support/toy_model.hpp"

#include <hence/generate/engine.hpp>
#include <hence/generate/sampler.hpp>
#include <hence/text/unicode.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

using namespace hence;
using hence_test::toy_model;

static_assert(causal_lm<toy_model>);
static_assert(reasoning_engine<engine<toy_model>>);
static_assert(reasoning_branch<branch>);
static_assert(!std::copyable<branch>);
static_assert(!causal_lm<int>);
static_assert(!reasoning_engine<toy_model>);

namespace {

sampling warm(std::uint64_t seed = 0) {
    sampling how;
    how.temperature = 1;
    how.seed = seed;
    return how;
}

// What the documentation says a branch draws, from the tokens alone.
std::vector<token_id> reference_run(const toy_model& model, std::vector<token_id> tokens, std::uint64_t stream,
                                    const sampling& how, std::size_t count) {
    sampler s(model.vocabulary_size());
    s.reserve(4096, 64);
    for (std::size_t i = 0; i < count; ++i) {
        auto logits = model.reference_logits(tokens);
        draw_request request;
        request.how = &how;
        request.history = tokens;
        request.stream = stream;
        request.position = static_cast<std::uint32_t>(tokens.size());
        tokens.push_back(s.draw(logits, request).token);
    }
    return tokens;
}

std::vector<token_id> tokens_of(const branch& b) { return {b.tokens().begin(), b.tokens().end()}; }

std::vector<token_id> prompt_of(std::size_t length, token_id salt = 0) {
    std::vector<token_id> prompt(length);
    for (std::size_t i = 0; i < length; ++i) prompt[i] = static_cast<token_id>(3 + (i * 7 + static_cast<std::size_t>(salt) * 31) % 200);
    return prompt;
}

}  // namespace

TEST_CASE("a branch draws what its tokens, stream and sampling say, across page ends, in every type of cache") {
    const toy_model model;
    for (const dtype kv : {dtype::f32, dtype::f16, dtype::bf16, dtype::i8}) {
        engine e(model, {.threads = 2, .kv = kv, .max_rows = 16});
        for (const std::size_t length : {std::size_t{1}, std::size_t{31}, std::size_t{32}, std::size_t{33}, std::size_t{100}}) {
            const auto prompt = prompt_of(length);
            branch b = e.begin(prompt, 9, warm(4)).value();
            REQUIRE(e.extend(b, {.max_tokens = 40}).has_value());
            REQUIRE(tokens_of(b) == reference_run(model, prompt, 9, warm(4), 40));
            REQUIRE(b.finish() == finish_reason::length);
            REQUIRE(b.generated().size() == 40);
            REQUIRE(b.prompt_tokens() == length);
        }
    }
}

TEST_CASE("forks draw what fresh branches with the same tokens and stream draw, and their probes are bit-equal") {
    const toy_model model;
    engine e(model, {.threads = 2});
    const auto prompt = prompt_of(45);
    branch trunk = e.begin(prompt, 7, warm()).value();
    REQUIRE(e.extend(trunk, {.max_tokens = 11}).has_value());
    auto children = trunk.fork(4).value();
    for (std::size_t i = 0; i < 4; ++i) REQUIRE(children[i].stream() == mix64(7, i));
    auto later = trunk.fork(1).value();
    REQUIRE(later[0].stream() == mix64(7, 4));
    REQUIRE(e.extend(children, {.max_tokens = 30}).has_value());

    const std::vector<token_id> probe = prompt_of(9, 5);
    for (const branch& child : children) {
        engine fresh_engine(model, {.threads = 1, .keep_prompts = 0});
        branch fresh = fresh_engine.begin(trunk.tokens(), child.stream(), warm()).value();
        REQUIRE(fresh_engine.extend(fresh, {.max_tokens = 30}).has_value());
        REQUIRE(tokens_of(fresh) == tokens_of(child));
        REQUIRE(tokens_of(child) == reference_run(model, tokens_of(trunk), child.stream(), warm(), 30));
    }
    auto forked = e.score(children[2], probe).value();
    engine fresh_engine(model, {.threads = 1, .keep_prompts = 0});
    branch fresh = fresh_engine.begin(children[2].tokens()).value();
    const auto computed = fresh_engine.score(fresh, probe).value();
    REQUIRE(forked == computed);
}

TEST_CASE("score and next_log_probabilities are the model's own and leave the branch as it was") {
    const toy_model model;
    engine e(model, {.threads = 2, .max_rows = 8, .max_logits = 5});
    const auto prompt = prompt_of(50);
    branch b = e.begin(prompt, 1, warm()).value();
    REQUIRE(e.extend(b, {.max_tokens = 3}).has_value());
    branch other = b.fork(1).value().front().fork_as(77).value();
    REQUIRE(e.extend(other, {.max_tokens = 6}).has_value());
    const std::vector<token_id> probe = prompt_of(12, 3);
    const auto before = tokens_of(b);
    branch* const both[] = {&b, &other};
    const auto scores = e.score(both, probe).value();
    const auto next = e.next_log_probabilities(both, probe).value();
    for (std::size_t which = 0; which < 2; ++which) {
        auto tokens = tokens_of(*both[which]);
        const auto first = model.reference_logits(tokens);
        for (std::size_t i = 0; i < probe.size(); ++i) {
            REQUIRE(scores[which][i] == log_probability(model.reference_logits(tokens), probe[i]));
            REQUIRE(next[which][i] == log_probability(first, probe[i]));
            tokens.push_back(probe[i]);
        }
    }
    REQUIRE(e.score(b, probe).value() == scores[0]);
    REQUIRE(tokens_of(b) == before);
    REQUIRE(e.extend(b, {.max_tokens = 20}).has_value());
    REQUIRE(tokens_of(b) == reference_run(model, prompt, 1, warm(), 23));
    REQUIRE(e.score(b, {}).value().empty());
}

TEST_CASE("each_logits gives the logits of every position") {
    const toy_model model;
    engine e(model, {.max_rows = 16, .max_logits = 7});
    const auto tokens = prompt_of(60);
    std::size_t seen = 0;
    REQUIRE(e.each_logits(tokens, [&](std::size_t position, std::span<const float> logits) {
        REQUIRE(position == seen++);
        const auto expected = model.reference_logits(std::span(tokens).first(position + 1));
        REQUIRE(std::equal(logits.begin(), logits.end(), expected.begin(), expected.end()));
    }).has_value());
    REQUIRE(seen == 60);
    REQUIRE(e.kv_bytes() == 0);
}

TEST_CASE("force appends, rollback takes away, and drawing goes on from there") {
    const toy_model model;
    engine e(model);
    const auto prompt = prompt_of(40);
    branch b = e.begin(prompt, 5, warm()).value();
    REQUIRE(e.extend(b, {.max_tokens = 10}).has_value());
    REQUIRE(b.rollback(44).has_value());
    REQUIRE(b.finish() == finish_reason::none);
    auto tokens = reference_run(model, prompt, 5, warm(), 4);
    REQUIRE(tokens_of(b) == tokens);
    const std::vector<token_id> forced = prompt_of(40, 2);
    REQUIRE(e.force(b, forced).has_value());
    tokens.insert(tokens.end(), forced.begin(), forced.end());
    REQUIRE(e.extend(b, {.max_tokens = 7}).has_value());
    REQUIRE(tokens_of(b) == reference_run(model, tokens, 5, warm(), 7));
    REQUIRE(b.statistics().size() == b.generated().size());
    REQUIRE(b.statistics()[4].forced);
    REQUIRE_FALSE(b.statistics()[3].forced);
    REQUIRE(b.account().forced_tokens == 40);
    REQUIRE(b.account().discarded_tokens == 6);
    // Into the prompt, and to its first token.
    REQUIRE(b.rollback(1).has_value());
    REQUIRE(b.prompt_tokens() == 1);
    REQUIRE(e.extend(b, {.max_tokens = 5}).has_value());
    REQUIRE(tokens_of(b) == reference_run(model, {prompt[0]}, 5, warm(), 5));
    REQUIRE(b.rollback(0).error().code == errc::out_of_range);
    REQUIRE(b.rollback(1000).error().code == errc::out_of_range);
}

TEST_CASE("the penalties see the whole sequence, and new sampling holds from the next token on") {
    const toy_model model;
    engine e(model);
    sampling how = warm();
    how.repetition_penalty = 1.7f;
    how.presence_penalty = 1;
    how.penalty_window = 20;
    branch b = e.begin(prompt_of(30), 2, how).value();
    REQUIRE(e.extend(b, {.max_tokens = 12}).has_value());
    auto tokens = reference_run(model, prompt_of(30), 2, how, 12);
    REQUIRE(tokens_of(b) == tokens);
    how.temperature = 0;
    how.penalty_window = -1;
    how.logit_bias = {{tokens.back(), -std::numeric_limits<float>::infinity()}};
    REQUIRE(b.set_sampling(how).has_value());
    REQUIRE(e.extend(b, {.max_tokens = 12}).has_value());
    REQUIRE(tokens_of(b) == reference_run(model, tokens, 2, how, 12));
    how.top_p = 7;
    REQUIRE(b.set_sampling(how).error().where == "sampling.top_p");
}

TEST_CASE("prompts share what any other branch or a kept prompt has in the cache, token by token") {
    const toy_model model;
    engine e(model);
    auto prompt = prompt_of(100);
    branch a = e.begin(prompt, 1, warm()).value();
    REQUIRE(e.extend(a, {.max_tokens = 1}).has_value());
    REQUIRE(e.account().rows == 100);
    REQUIRE(e.account().cached_tokens == 0);

    branch same = e.begin(prompt, 2, warm()).value();
    REQUIRE(e.extend(same, {.max_tokens = 1}).has_value());
    REQUIRE(e.account().rows == 101);
    REQUIRE(same.account().cached_tokens == 99);

    prompt[77] += 1;  // differs inside the third page
    branch near = e.begin(prompt, 3, warm()).value();
    REQUIRE(e.extend(near, {.max_tokens = 5}).has_value());
    REQUIRE(near.account().cached_tokens == 77);
    REQUIRE(tokens_of(near) == reference_run(model, prompt, 3, warm(), 5));

    { const branch gone = std::move(near); }
    branch again = e.begin(prompt, 4, warm()).value();
    REQUIRE(e.extend(again, {.max_tokens = 1}).has_value());
    REQUIRE(again.account().cached_tokens == 99);
    REQUIRE(e.extend(a, {.max_tokens = 10}).has_value());
    REQUIRE(tokens_of(a) == reference_run(model, prompt_of(100), 1, warm(), 11));
    e.forget_prompts();
}

TEST_CASE("a conversation continues in the cache of its earlier turn") {
    const toy_model model;
    engine e(model);
    branch first = e.begin(prompt_of(60), 1, warm()).value();
    REQUIRE(e.extend(first, {.max_tokens = 30}).has_value());
    auto history = tokens_of(first);
    first.prune();
    for (const token_id t : prompt_of(10, 8)) history.push_back(t);
    branch second = e.begin(history, 1, warm()).value();
    REQUIRE(e.extend(second, {.max_tokens = 4}).has_value());
    REQUIRE(second.account().cached_tokens == 89);
    REQUIRE(tokens_of(second) == reference_run(model, history, 1, warm(), 4));
}

TEST_CASE("branches of one call that begin alike compute their common prompt once") {
    const toy_model model;
    engine e(model, {.threads = 1, .max_rows = 20, .keep_prompts = 0});
    std::vector<branch> branches;
    for (std::uint64_t i = 0; i < 8; ++i) {
        auto prompt = prompt_of(70);
        if (i >= 4) prompt[50] = static_cast<token_id>(200 + i);
        branches.push_back(e.begin(prompt, i, warm()).value());
    }
    REQUIRE(e.extend(branches, {.max_tokens = 1}).has_value());
    // One whole prompt, from whose logits the other three draw too, and four tails of 20.
    REQUIRE(e.account().rows == 70 + 4 * 20);
    REQUIRE(e.account().cached_tokens == 3 * 70 + 4 * 50);
}

TEST_CASE("forks of a branch that has not run yet compute its prompt once") {
    const toy_model model;
    engine e(model);
    branch trunk = e.begin(prompt_of(64), 1, warm()).value();
    auto children = trunk.fork(10).value();
    REQUIRE(e.account().forwards == 0);
    REQUIRE(e.extend(children, {.max_tokens = 3}).has_value());
    // The prompt's last row gives all ten their first token.
    REQUIRE(e.account().rows == 64 + 10 * 2);
    REQUIRE(e.account().forwards == 3);
}

TEST_CASE("peak cache bytes are those of the unique tokens plus one part-filled page a branch") {
    const toy_model model;
    engine e(model, {.keep_prompts = 0});
    const auto page_bytes = static_cast<std::int64_t>(model.cache_layout(dtype::f32).page_bytes());
    constexpr std::int64_t branches = 20;
    branch trunk = e.begin(prompt_of(200), 1, warm()).value();
    auto children = trunk.fork(branches).value();
    REQUIRE(e.extend(children, {.max_tokens = 50}).has_value());
    // The last token drawn has not run.
    const std::int64_t unique = 199 + branches * 50;
    const std::int64_t exact = (unique * page_bytes + page_tokens - 1) / page_tokens;
    REQUIRE(e.account().peak_kv_bytes >= exact);
    REQUIRE(e.account().peak_kv_bytes <= exact + (branches + 1) * page_bytes);
    children.clear();
    trunk.prune();
    REQUIRE(e.kv_bytes() == 0);
}

TEST_CASE("stop tokens, stop strings, end tokens, length and context each give their reason and text") {
    const toy_model model({.context = 64});
    engine e(model);
    const auto prompt = e.encode("abc").value();
    const auto free = reference_run(model, prompt, 3, warm(), 30);
    {
        branch b = e.begin(prompt, 3, warm()).value();
        REQUIRE(e.extend(b, {.max_tokens = 30, .stop_tokens = {free[prompt.size() + 6]}}).has_value());
        REQUIRE(b.finish() == finish_reason::stop_token);
        REQUIRE(b.tokens().back() == free[prompt.size() + 6]);
    }
    {
        branch whole = e.begin(prompt, 3, warm()).value();
        REQUIRE(e.extend(whole, {.max_tokens = 30}).has_value());
        const std::string text = whole.text();
        REQUIRE(text.size() > 20);
        // A stop string made of the tokens 10 to 12 as they print.
        std::string stop;
        for (std::size_t i = 10; i < 13; ++i) stop += e.tokenizer().bytes(free[prompt.size() + i]);
        branch b = e.begin(prompt, 3, warm()).value();
        std::string streamed;
        REQUIRE(e.extend(b, {.max_tokens = 30, .stop = {"never there", stop}, .every_token = true},
                         [&](branch_event<branch>& event) { streamed += event.text; }).has_value());
        REQUIRE(b.finish() == finish_reason::stop_string);
        REQUIRE(b.generated().size() == 13);
        REQUIRE(b.text() == streamed);
        REQUIRE(text.starts_with(b.text()));
        REQUIRE(e.extend(b, {.max_tokens = 17}).has_value());  // it can go on past the stop string
        REQUIRE(b.text() == text);
    }
    {
        branch b = e.begin(prompt, 3, warm()).value();
        REQUIRE(e.extend(b, {.max_tokens = 1000}).has_value());
        REQUIRE(b.finish() == finish_reason::context_full);
        REQUIRE(b.tokens().size() == 64);
        REQUIRE(e.extend(b, {.max_tokens = 1000}).has_value());
        REQUIRE(b.tokens().size() == 64);
        REQUIRE(b.rollback(60).has_value());
        REQUIRE(e.extend(b, {.max_tokens = 2}).has_value());
        REQUIRE(b.finish() == finish_reason::length);
    }
    const toy_model ending({.context = 64, .end_bias = 100});
    engine f(ending);
    branch b = f.begin(prompt, 3, warm()).value();
    REQUIRE(f.extend(b, {.max_tokens = 5}).has_value());
    REQUIRE(b.finish() == finish_reason::end_token);
    REQUIRE(b.generated().size() == 1);
    REQUIRE(b.text().empty());
    int events = 0;
    REQUIRE(f.extend(b, {.max_tokens = 5}, [&](branch_event<branch>& event) {
        ++events;
        REQUIRE(event.reason == finish_reason::end_token);
    }).has_value());
    REQUIRE(events == 1);
    REQUIRE(b.generated().size() == 1);
    REQUIRE(b.rollback(prompt.size()).has_value());
    REQUIRE(f.extend(b, {.max_tokens = 5, .stop_at_end = false}).has_value());
    REQUIRE(b.finish() == finish_reason::length);
    REQUIRE(f.end_tokens().size() == 1);
    REQUIRE(f.end_tokens()[0] == 2);
}

TEST_CASE("streamed pieces are whole characters and add up to the text, with and without token events") {
    const toy_model model;
    engine e(model);
    for (std::uint64_t stream = 0; stream < 20; ++stream) {
        branch b = e.begin(prompt_of(5), stream, warm()).value();
        std::string streamed;
        for (int turn = 0; turn < 3; ++turn) {
            std::size_t finished = 0;
            std::size_t tokens = 0;
            REQUIRE(e.extend(b, {.max_tokens = 25, .stop = {"zzz"}, .every_token = turn != 1}, [&](branch_event<branch>& event) {
                REQUIRE(text::is_valid_utf8(event.text));
                streamed += event.text;
                (event.kind == event_kind::token ? tokens : finished) += 1;
                if (event.kind == event_kind::token) REQUIRE(event.token == event.which.tokens().back());
            }).has_value());
            REQUIRE(finished == 1);
            REQUIRE(tokens == (turn != 1 ? 25u : 0u));
            REQUIRE(streamed == b.text());
        }
    }
}

TEST_CASE("what is recorded of tokens is what the statistics say, and only when asked") {
    const toy_model model;
    engine e(model);
    branch b = e.begin(prompt_of(5), 1, warm()).value();
    REQUIRE(e.extend(b, {.max_tokens = 4}).has_value());
    REQUIRE_FALSE(b.mean_log_probability().has_value());
    REQUIRE(e.extend(b, {.max_tokens = 6, .log_probabilities = true, .confidence_top_k = 5, .self_certainty = true}).has_value());
    double sum = 0;
    auto tokens = tokens_of(b);
    for (std::size_t i = 4; i < 10; ++i) {
        const auto logits = model.reference_logits(std::span(tokens).first(5 + i));
        const float expected = log_probability(logits, tokens[5 + i]);
        REQUIRE(std::abs(b.statistics()[i].log_probability - expected) < 1e-6f);
        REQUIRE(b.statistics()[i].confidence > 0);
        REQUIRE(b.statistics()[i].self_certainty > 0);
        sum += static_cast<double>(b.statistics()[i].log_probability);
    }
    REQUIRE(std::isnan(b.statistics()[3].log_probability));
    REQUIRE(std::abs(*b.mean_log_probability() - sum / 6) < 1e-9);
}

TEST_CASE("a callback's cancel takes effect at once, whatever the batching") {
    const toy_model model;
    std::vector<std::vector<token_id>> first;
    for (const std::size_t batch : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
        engine e(model, {.threads = 2, .max_rows = batch == 2 ? std::size_t{5} : std::size_t{512}, .batch = batch});
        std::vector<branch> branches;
        for (std::uint64_t i = 0; i < 5; ++i) branches.push_back(e.begin(prompt_of(20 + i * 9), i, warm()).value());
        std::vector<std::size_t> order;
        REQUIRE(e.extend(branches, {.max_tokens = 30, .every_token = true}, [&](branch_event<branch>& event) {
            if (event.kind == event_kind::finished) order.push_back(event.index);
            if (event.kind == event_kind::token && event.index == 2 && event.which.generated().size() == 7) {
                branches[0].cancel();
                branches[3].cancel();
                event.which.cancel();
            }
            if (event.kind == event_kind::token && event.index == 4 && event.which.generated().size() == 9) branches[1].prune();
        }).has_value());
        REQUIRE(branches[0].generated().size() == 7);
        REQUIRE(branches[1].generated().size() == 9);
        REQUIRE(branches[2].generated().size() == 7);
        REQUIRE(branches[3].generated().size() == 6);
        REQUIRE(branches[4].generated().size() == 30);
        REQUIRE(branches[0].finish() == finish_reason::cancelled);
        REQUIRE(branches[1].finish() == finish_reason::cancelled);
        REQUIRE(branches[1].pruned());
        REQUIRE(order.size() == 5);
        REQUIRE(order.back() == 4);
        std::vector<std::vector<token_id>> all;
        for (const branch& b : branches) all.push_back(tokens_of(b));
        if (first.empty()) first = all;
        REQUIRE(all == first);
        // A cancelled branch can go on later and draws what it would have drawn.
        REQUIRE(e.extend(branches[3], {.max_tokens = 24}).has_value());
        REQUIRE(tokens_of(branches[3]) == reference_run(model, prompt_of(47), 3, warm(), 30));
    }
}

TEST_CASE("callbacks may fork and begin, and a flag stops all branches") {
    const toy_model model;
    engine e(model);
    std::vector<branch> branches;
    for (std::uint64_t i = 0; i < 3; ++i) branches.push_back(e.begin(prompt_of(33), i, warm()).value());
    std::vector<branch> children;
    std::atomic<bool> flag{false};
    REQUIRE(e.extend(branches, {.max_tokens = 50, .every_token = true, .cancel = &flag}, [&](branch_event<branch>& event) {
        if (event.kind != event_kind::token) return;
        if (event.which.generated().size() == 4) {
            auto forked = event.which.fork(2).value();
            for (branch& child : forked) children.push_back(std::move(child));
            children.push_back(e.begin(prompt_of(12), 50, warm()).value());
        }
        if (event.index == 0 && event.which.generated().size() == 10) flag = true;
    }).has_value());
    for (const branch& b : branches) REQUIRE(b.finish() == finish_reason::cancelled);
    REQUIRE(branches[0].generated().size() == 10);
    REQUIRE(children.size() == 9);
    REQUIRE(e.extend(children, {.max_tokens = 8}).has_value());
    for (const branch& child : children) {
        const auto tokens = tokens_of(child);
        const std::vector<token_id> before(tokens.begin(), tokens.end() - 8);
        REQUIRE(tokens == reference_run(model, before, child.stream(), warm(), 8));
    }
}

TEST_CASE("bad calls are refused with what is wrong") {
    const toy_model model({.context = 50});
    engine e(model);
    REQUIRE(e.begin({}).error().code == errc::invalid_argument);
    const std::vector<token_id> outside{5, 9999};
    REQUIRE(e.begin(outside).error().message().find("prompt: token 1") != std::string::npos);
    const auto too_long = e.begin(prompt_of(51));
    REQUIRE(too_long.error().code == errc::context_full);
    REQUIRE(too_long.error().message().find("at most 50 tokens") != std::string::npos);
    sampling bad;
    bad.temperature = -1;
    REQUIRE(e.begin(prompt_of(3), 0, bad).error().where == "sampling.temperature");

    branch b = e.begin(prompt_of(48), 0, warm()).value();
    REQUIRE(e.force(b, prompt_of(3)).error().code == errc::context_full);
    REQUIRE(e.force(b, outside).error().code == errc::out_of_range);
    REQUIRE(e.score(b, prompt_of(4)).error().code == errc::context_full);
    REQUIRE(e.score(b, prompt_of(3)).has_value());
    REQUIRE(e.score(b, outside).error().code == errc::out_of_range);
    REQUIRE(e.extend(b, {.stop = {""}}).error().where == "until.stop");

    branch* const twice[] = {&b, &b};
    REQUIRE(e.extend(twice, {}).error().code == errc::invalid_argument);
    branch* const none[] = {nullptr};
    REQUIRE(e.extend(none, {}).error().code == errc::invalid_argument);
    engine other(model);
    REQUIRE(other.extend(b, {}).error().code == errc::invalid_argument);
    REQUIRE(other.force(b, prompt_of(1)).error().code == errc::invalid_argument);
    branch gone = e.begin(prompt_of(3)).value();
    gone.prune();
    REQUIRE(e.extend(gone, {}).error().code == errc::invalid_argument);
    REQUIRE(e.score(gone, prompt_of(2)).error().code == errc::invalid_argument);
    REQUIRE(e.force(gone, prompt_of(2)).error().code == errc::invalid_argument);
    REQUIRE(gone.fork(2).error().code == errc::invalid_argument);
    REQUIRE(gone.rollback(1).error().code == errc::invalid_argument);
    gone.prune();

    // Not from inside a callback.
    REQUIRE(e.extend(b, {.max_tokens = 1}, [&](branch_event<branch>& event) {
        REQUIRE(e.extend(event.which, {}).error().code == errc::invalid_argument);
        REQUIRE(e.score(event.which, prompt_of(1)).error().code == errc::invalid_argument);
        REQUIRE(e.force(event.which, prompt_of(1)).error().code == errc::invalid_argument);
        REQUIRE(event.which.rollback(1).error().code == errc::invalid_argument);
    }).has_value());
    REQUIRE(e.extend(std::span<branch* const>{}, {}).has_value());

    REQUIRE(engine<toy_model>::make(model, {.threads = -1}).error().where == "engine_options.threads");
    REQUIRE(engine<toy_model>::make(model, {.kv = dtype::q4_0}).error().code == errc::unsupported);
    REQUIRE(engine<toy_model>::make(model, {.max_rows = 0}).error().where == "engine_options.max_rows");
    REQUIRE(engine<toy_model>::make(model, {.max_logits = 0}).error().where == "engine_options.max_logits");
    REQUIRE(engine<toy_model>::make(model, {.context = 51}).error().where == "engine_options.context");
}

TEST_CASE("NaN logits end the call with stream, position and token; other tokens stay") {
    const toy_model model({.context = 512, .end_bias = -100, .nan_position = 36});
    engine e(model);
    std::vector<branch> branches;
    branches.push_back(e.begin(prompt_of(10), 8, warm()).value());
    branches.push_back(e.begin(prompt_of(32), 11, warm()).value());
    const auto failed = e.extend(branches, {.max_tokens = 20});
    REQUIRE(failed.error().code == errc::not_a_number);
    REQUIRE(failed.error().message().find("stream 11 at position 37") != std::string::npos);
    REQUIRE(failed.error().message().find("token 7") != std::string::npos);
    REQUIRE(branches[1].generated().size() == 5);
    REQUIRE(branches[0].generated().size() >= 5);
    const auto probed = e.score(branches[1], prompt_of(3));
    REQUIRE(probed.error().code == errc::not_a_number);
    REQUIRE(branches[1].rollback(33).has_value());
    REQUIRE(e.extend(branches[1], {.max_tokens = 2}).has_value());
    REQUIRE(tokens_of(branches[1]) == reference_run(model, prompt_of(32), 11, warm(), 3));
    sampling ban = warm();
    for (token_id t = 0; t < static_cast<token_id>(model.vocabulary_size()); ++t)
        ban.logit_bias.emplace_back(t, -std::numeric_limits<float>::infinity());
    branch nothing = e.begin(prompt_of(3), 0, ban).value();
    REQUIRE(e.extend(nothing, {}).error().where == "sampling.logit_bias");
}

TEST_CASE("a cache of fixed size gives up kept prompts first, then names its limit") {
    const toy_model model;
    engine e(model, {.cache_tokens = 128});
    branch first = e.begin(prompt_of(60), 1, warm()).value();
    REQUIRE(e.extend(first, {.max_tokens = 1}).has_value());
    first.prune();
    REQUIRE(e.kv_bytes() > 0);
    branch second = e.begin(prompt_of(90, 4), 1, warm()).value();
    REQUIRE(e.extend(second, {.max_tokens = 38}).has_value());
    REQUIRE(tokens_of(second) == reference_run(model, prompt_of(90, 4), 1, warm(), 38));
    const auto refused = e.extend(second, {.max_tokens = 10});
    REQUIRE(refused.error().code == errc::out_of_memory);
    REQUIRE(refused.error().message().find("at most 4 pages") != std::string::npos);
    REQUIRE(second.rollback(100).has_value());
    REQUIRE(e.extend(second, {.max_tokens = 5}).has_value());
}

TEST_CASE("branches outlive their engine") {
    const toy_model model;
    auto e = std::make_unique<engine<toy_model>>(model);
    branch b = e->begin(prompt_of(40), 1, warm()).value();
    REQUIRE(e->extend(b, {.max_tokens = 3}).has_value());
    const auto tokens = tokens_of(b);
    e.reset();
    REQUIRE(tokens_of(b) == tokens);
    REQUIRE_FALSE(b.text().empty());
}

TEST_CASE("two engines share one model, and an injected team and memory are used") {
    const toy_model model;
    hence_test::counting_resource memory;
    serial_team team;
    {
        engine e(model, {.team = &team, .memory = &memory});
        engine f(model);
        REQUIRE(e.threads() == 1);
        branch a = e.begin(prompt_of(40), 1, warm()).value();
        branch b = f.begin(prompt_of(40), 1, warm()).value();
        REQUIRE(e.extend(a, {.max_tokens = 9}).has_value());
        REQUIRE(f.extend(b, {.max_tokens = 9}).has_value());
        REQUIRE(tokens_of(a) == tokens_of(b));
        REQUIRE(memory.live_bytes() > static_cast<std::size_t>(e.kv_bytes()));
        REQUIRE(&e.model().tokenizer() == &f.tokenizer());
    }
    REQUIRE(memory.live_bytes() == 0);
}

TEST_CASE("encode and decode: prompts begin as the vocabulary asks, continuations do not") {
    const toy_model model;
    engine e(model);
    const auto prompt = e.encode("abc\nq").value();
    REQUIRE(prompt.front() == 1);
    const auto rest = e.encode("abc\nq", encode_as::continuation).value();
    REQUIRE(std::equal(rest.begin(), rest.end(), prompt.begin() + 1, prompt.end()));
    REQUIRE(e.decode(rest) == "abc\nq");
    REQUIRE(e.encode("").value().size() == 1);
}

TEST_CASE("steps mix pieces of prompts with rows that draw, within the limits set") {
    const toy_model model;
    engine e(model, {.threads = 2, .max_rows = 12, .max_logits = 6, .batch = 5});
    std::vector<branch> branches;
    for (std::uint64_t i = 0; i < 9; ++i) branches.push_back(e.begin(prompt_of(3 + 20 * i, static_cast<token_id>(i)), i, warm()).value());
    REQUIRE(e.extend(branches, {.max_tokens = 20}).has_value());
    for (std::uint64_t i = 0; i < 9; ++i)
        REQUIRE(tokens_of(branches[i]) == reference_run(model, prompt_of(3 + 20 * i, static_cast<token_id>(i)), i, warm(), 20));
    REQUIRE(model.counters().most_rows <= 12);
    REQUIRE(model.counters().most_branches <= 5);
    REQUIRE(model.counters().mixed_steps > 0);
}
