// Golden runs of the strategies that sample and vote: adaptive and early-stopping consistency, best of n,
// deep confidence, refinement, budget forcing, chains and sharing. Names say which header each belongs to.
#include "hence/reason/registry.hpp"
#include "hence/reason/reason.hpp"

#include "scripts.hpp"
#include "support/catch.hpp"

#include <cmath>

using namespace hence;

namespace {

std::vector<std::string> said(std::string_view letters) {
    std::vector<std::string> answers;
    for (const char c : letters) answers.push_back(std::string("answer ") + c);
    return answers;
}

std::int64_t samples_drawn(const answer& a) {
    std::int64_t n = 0;
    for (const candidate& c : a.candidates) n += c.finish == finish_reason::end_token ? 1 : 0;
    return n;
}

}  // namespace

TEST_CASE("adaptive consistency: stops where the table at .95 says, one sample at a time") {
    // min v1 for v2 = 0..3 at .95: 4, 6, 8, 9
    const std::pair<const char*, std::int64_t> runs[] = {{"1111111111", 4}, {"2111111111", 7}, {"1211111111", 7}, {"2211111111111", 10}, {"22211111111111", 12}, {"1111", 4}};
    for (const auto& [letters, expected] : runs) {
        INFO(letters);
        scripted_engine e(hence_test::recorded(said(letters)));
        const answer a = reason(e, "q", adaptive_consistency{.samples = 40, .window = 1});
        CHECK(samples_drawn(a) == expected);
        CHECK(a.value == "1");
        CHECK(a.cancelled_branches == 40 - expected);
    }
    scripted_engine tie(hence_test::recorded(said("12")));
    CHECK(samples_drawn(reason(tie, "q", adaptive_consistency{.samples = 10, .window = 1})) == 10);
}

TEST_CASE("adaptive consistency: a wider window spends at most one window more, and cancels its rest") {
    for (std::size_t window : {1u, 2u, 4u, 8u}) {
        scripted_engine e(hence_test::recorded(said("1")));
        const answer a = reason(e, "q", adaptive_consistency{.samples = 40, .window = window});
        CHECK(samples_drawn(a) == 4);  // equal lengths finish in order; the fifth is cancelled in the same step
        CHECK(a.candidates.size() <= 4 + window);
    }
}

TEST_CASE("early stopping: a window of one mind ends it, with that answer") {
    scripted_engine once(hence_test::recorded(said("11111")));
    CHECK(reason(once, "q", early_stopping_self_consistency{}).candidates.size() == 5);
    // 2 2 2 2 1 | 1 1 1 1 1: the second window agrees on 1 although 2 and 1 had been voted before
    scripted_engine second(hence_test::recorded(said("2222111111")));
    const answer a = reason(second, "q", early_stopping_self_consistency{});
    CHECK(a.candidates.size() == 10);
    CHECK(a.value == "1");
    scripted_engine never(hence_test::recorded(said("12")));
    const answer all = reason(never, "q", early_stopping_self_consistency{.samples = 12, .window = 5});
    CHECK(all.candidates.size() == 12);
    CHECK(all.value == "1");
}

TEST_CASE("early stopping: the mean number of samples is the closed form's expectation") {
    for (const double p : {0.9, 0.6}) {
        scripted_engine e(script_table({{"q\n", {.completions = {{"answer 1", p, true}, {"answer 2", 1 - p, true}}}}}));
        double total = 0;
        constexpr int runs = 600;
        for (std::uint64_t seed = 0; seed < runs; ++seed)
            total += static_cast<double>(reason(e, "q", early_stopping_self_consistency{.samples = 40, .window = 5, .temperature = 1}, {}, {.seed = seed}).candidates.size());
        const double law[] = {p, 1 - p};
        const double expected = statistics::early_stopping_samples(law, 5, 40);
        CHECK(std::abs(total / runs - expected) < 1.3);  // about four standard errors
    }
}

TEST_CASE("best of n: an exact checker finds what the vote does not, and enough stops at once") {
    scripted_engine vote(hence_test::recorded({"answer 41", "answer 41", "answer 42", "answer 41"}, "calc: 20+22\n"));
    CHECK(reason(vote, "calc: 20+22", self_consistency{.samples = 4}).value == "41");
    scripted_engine best(hence_test::recorded({"answer 41", "answer 41", "answer 42", "answer 41"}, "calc: 20+22\n"));
    CHECK(reason(best, "calc: 20+22", best_of_n{.samples = 4, .scorer = verify::arithmetic()}).value == "42");
    scripted_engine first(hence_test::recorded({"answer 41", "answer 42", "so the answer 43", "answer 41"}, "calc: 20+22\n"));
    const answer a = reason(first, "calc: 20+22", best_of_n{.samples = 4, .scorer = verify::arithmetic(), .enough = 1.0});
    CHECK(a.value == "42");
    CHECK(a.cancelled_branches == 2);
    CHECK(a.saved_tokens > 0);
}

TEST_CASE("deep confidence: unsure traces are cancelled while they run and do not vote") {
    // A trace is sure (one way on) or wavers: where it says "?" the next character has many ways.
    script_reply reply;
    reply.completions.push_back({"sure sure sure sure answer 1", 0.5, true});
    for (char c = 'a'; c <= 'j'; ++c) reply.completions.push_back({std::string("hmm ?") + c + std::string("? a long and idle way on to the answer 2"), 0.05, true});
    scripted_engine e(script_table({{"q\n", reply}}));
    const deep_confidence online{.samples = 48, .warmup = 16, .keep_percent = 10, .consensus = 1.1, .window = 4, .top_k = 3, .batch = 8, .temperature = 1};
    const answer a = reason(e, "q", online);
    CHECK(a.value == "1");
    CHECK(a.cancelled_branches > 5);
    CHECK(a.votes.size() == 1);
    for (const candidate& c : a.candidates)
        if (c.finish == finish_reason::cancelled) CHECK(c.text.starts_with("hmm"));
    // consensus ends it after the warm-up
    scripted_engine again(script_table({{"q\n", reply}}));
    deep_confidence stops = online;
    stops.consensus = 0.95;
    const answer b = reason(again, "q", stops);
    CHECK(b.candidates.size() == 16);
    CHECK(b.cancelled_branches == 32);
    // offline: the same filter after the fact
    scripted_engine off(script_table({{"q\n", reply}}));
    deep_confidence offline = online;
    offline.online = false;
    const answer c = reason(off, "q", offline);
    CHECK(c.votes.size() == 1);
    CHECK(c.value == "1");
    CHECK(c.cancelled_branches == 0);
}

TEST_CASE("self refine: returns the best-scored answer, not the last, and stops when told that nothing is wrong") {
    const auto with = [](std::string feedback) {
        return script([feedback](std::string_view context) -> script_reply {
            if (context == "calc: 20+22\n") return {.completions = {{"answer 40", 1, true}}};
            if (context.find("Give a better answer") != std::string_view::npos)
                return {.completions = {{context.find("answer 40") != std::string_view::npos ? "answer 42" : "answer 44", 1, true}}};
            return {.completions = {{feedback, 1, true}}};
        });
    };
    scripted_engine e(with("The sum is wrong."));
    const answer a = reason(e, "calc: 20+22", self_refine{.rounds = 2, .scorer = verify::arithmetic()});
    REQUIRE(a.candidates.size() == 3);
    CHECK(a.candidates[2].value == "44");
    CHECK(a.value == "42");
    scripted_engine done(with("Correct, nothing to add."));
    const answer b = reason(done, "calc: 20+22", self_refine{.rounds = 2});
    CHECK(b.candidates.size() == 1);
    CHECK(b.why.find("nothing wrong") != std::string::npos);
    scripted_engine enough(with("Wrong."));
    CHECK(reason(enough, "calc: 20+22", self_refine{.rounds = 5, .scorer = verify::arithmetic(), .enough = 1.0}).candidates.size() == 2);
    scripted_engine repeats(script([](std::string_view) -> script_reply { return {.completions = {{"answer 7", 1, true}}}; }));
    CHECK(reason(repeats, "calc: 20+22", self_refine{.rounds = 5, .feedback = ""}).candidates.size() == 2);
}

TEST_CASE("budget forcing: an end is refused by taking the end token back and appending the wait text") {
    const script thinker([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"first 1", 1, true}}};
        if (context == "q\nfirst 1\nWait\n") return {.completions = {{"then 2", 1, true}}};
        if (context == "q\nfirst 1\nWait\nthen 2\nWait\n") return {.completions = {{"now 3", 1, true}}};
        return {.completions = {{"lost", 1, true}}};
    });
    for (std::size_t waits : {0u, 1u, 2u}) {
        scripted_engine e(thinker);
        const answer a = reason(e, "q", budget_forcing{.waits = waits, .wait = "\nWait\n"});
        CHECK(a.value == std::to_string(waits + 1));
        CHECK(a.account.forced_tokens == static_cast<std::int64_t>(6 * waits));
        CHECK(a.account.discarded_tokens == static_cast<std::int64_t>(waits));
    }
    scripted_engine least(thinker);  // the first end comes after 8 tokens, the second after 8 - 1 + 6 + 7
    CHECK(reason(least, "q", budget_forcing{.least = 10, .waits = 5, .wait = "\nWait\n"}).value == "2");
    scripted_engine passes(script([](std::string_view context) -> script_reply {
        if (context == "calc: 1+1\n") return {.completions = {{"answer 3", 1, true}}};
        return {.completions = {{"answer 2", 1, true}}};
    }));
    const answer checked = reason(passes, "calc: 1+1", budget_forcing{.waits = 9, .wait = "\n", .until_passes = true, .scorer = verify::arithmetic()});
    CHECK(checked.value == "2");
    CHECK(checked.account.forced_tokens == 1);
}

TEST_CASE("budget forcing: at most so many thinking tokens, then the answer by force") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"thinking on and on and on</think>answer 9", 1, true}}};
        if (context.ends_with("</think>Final answer: ")) return {.completions = {{"5", 1, true}}};
        return {};
    }));
    const budget_forcing cut{.most = 10, .end_of_thinking = "</think>", .answer_prefix = "Final answer: "};
    const answer a = reason(e, "q", cut);
    CHECK(a.thinking.empty() == false);
    CHECK(a.value == "5");
    CHECK(a.why.find("10 thinking tokens, ended by force") != std::string::npos);
    budget_forcing room = cut;
    room.most = 100;
    scripted_engine f(script([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"short</think>answer 9", 1, true}}};
        return {};
    }));
    CHECK(reason(f, "q", room).value == "9");
}

TEST_CASE("budget forcing: a marker that ends the thinking is taken back whole, whatever stands before it") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"caf\xC3\xA9</think>answer 1", 1, true}}};
        if (context == "q\ncaf\xC3\xA9 Wait ") return {.completions = {{"more</think>answer 2", 1, true}}};
        return {.completions = {{"?", 1, true}}};
    }));
    const answer a = reason(e, "q", budget_forcing{.waits = 1, .wait = " Wait ", .end_of_thinking = "</think>"});
    CHECK(a.value == "2");
    CHECK(a.thinking == "caf\xC3\xA9 Wait more");
}

TEST_CASE("fallback: goes on only where the answer is not good enough") {
    const script s([](std::string_view context) -> script_reply {
        if (context == "calc: 20+22\nanswer ") return {.completions = {{"41", 1, true}}};
        return {.completions = {{"20+22=42\nanswer 42", 1, true}}};
    });
    auto chain = fallback(direct{.answer_prefix = "answer "}, chain_of_thought{}, self_consistency{.samples = 8});
    scripted_engine first(s);
    CHECK(reason(first, "calc: 20+22", chain).value == "41");
    chain.accept = {.scorer = verify::arithmetic(), .threshold = 1};
    scripted_engine checked(s);
    const answer a = reason(checked, "calc: 20+22", chain);
    CHECK(a.value == "42");
    CHECK(a.why.starts_with("chain_of_thought"));
    CHECK(a.confidence == 1);
    auto nothing_good = fallback(direct{.answer_prefix = "answer "}, direct{.answer_prefix = "answer "});
    nothing_good.accept = {.scorer = verify::arithmetic(), .threshold = 1};
    scripted_engine bad(s);
    const answer b = reason(bad, "calc: 20+22", nothing_good);
    CHECK(b.value == "41");
    CHECK(b.why.find("no member was good enough") != std::string::npos);
}

TEST_CASE("mixture: the members' answers vote, and each has its share of the budget") {
    const script s([](std::string_view context) -> script_reply {
        if (context == "q\nanswer ") return {.completions = {{"1", 1, true}}};
        return {.completions = {{"answer 2", 1, true}}};
    });
    scripted_engine e(s);
    const answer a = reason(e, "q", mixture(direct{.answer_prefix = "answer "}, chain_of_thought{}, self_consistency{.samples = 2}), {.tokens = 300});
    CHECK(a.value == "2");
    CHECK(a.candidates.size() == 3);
    CHECK(a.votes.size() == 2);
    CHECK_FALSE(a.cut);
    scripted_engine tight(s);
    const answer b = reason(tight, "q", mixture(self_consistency{.samples = 50}, chain_of_thought{}), {.tokens = 60});
    CHECK(b.cut);                        // the first member's half was not enough for it
    CHECK(b.candidates.size() == 2);     // but the second had its own
    CHECK(b.candidates[1].parsed());
}

TEST_CASE("adaptive: easy questions are answered at once, divided ones are searched") {
    scripted_engine easy(hence_test::recorded(said("7777777")));
    const answer a = reason(easy, "q", adaptive{});
    CHECK(samples_drawn(a) == 4);
    CHECK(a.why.find("easy") != std::string::npos);
    script_reply divided;
    divided.completions = {{"answer 1", 1, true}, {"answer 2", 1, true}, {"answer 3", 1, true}, {"answer 4", 1, true}, {"answer 42", 1, true}};
    scripted_engine hard(script_table({{"calc: 20+22\n", divided}}));
    adaptive searching{.hard_below = 1.0, .temperature = 1, .hard = adaptive::route::best_of_n};
    searching.chosen.samples = 40;
    searching.chosen.temperature = 1;
    searching.tree.scorer = verify::arithmetic();
    searching.tree.enough = 1;
    const answer b = reason(hard, "calc: 20+22", searching, {}, {.seed = 1});
    CHECK(b.value == "42");
    CHECK(b.why.find("hard: searched") != std::string::npos);
}

TEST_CASE("adaptive: where the vote has nothing, the search's text is the answer even if no value is found in it") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "24: 4 6\n") return {.completions = {{"4+6=10\nno", 0.9, true}, {"4*6=24\nok", 0.1, true}}};
        if (context == "value: 24\n") return {.completions = {{"sure", 1, true}}};
        if (context.starts_with("value:")) return {.completions = {{"never", 1, true}}};
        return {.completions = {{context.ends_with("4*6=24\n") ? "ok" : "no", 1, true}}};
    }));
    adaptive searching{.samples = 8, .temperature = 1, .hard = adaptive::route::tree_of_thoughts};
    searching.tree = {.breadth = 1, .samples = 40, .scorer = verify::value_24(), .temperature = 1};
    reason_options options;
    options.extractor = extract::after_marker{};
    const answer a = reason(e, "24: 4 6", searching, {}, options);
    CHECK(a.text == "4*6=24\nok");
    CHECK_FALSE(a.found());
}

TEST_CASE("share_budget: samples go to the questions whose vote is least certain") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context.starts_with("easy")) return {.completions = {{"answer 1", 1, true}}};
        return {.completions = {{"answer 1", 0.55, true}, {"answer 2", 0.45, true}}};
    }));
    const std::vector<std::string> questions{"easy a", "hard b", "easy c", "hard d"};
    const auto all = share_budget(e, questions, {.temperature = 1}, {.tokens = 600});
    REQUIRE(all.has_value());
    REQUIRE(all->size() == 4);
    CHECK((*all)[0].candidates.size() == 4);
    CHECK((*all)[2].candidates.size() == 4);
    CHECK((*all)[1].candidates.size() > 8);
    CHECK((*all)[3].candidates.size() > 8);
    CHECK(e.account().spent_tokens() <= 600);
    for (const answer& a : *all) CHECK(a.found());
    CHECK_FALSE(share_budget(e, {}, {}).has_value());
    scripted_engine poor(hence_test::sums());
    const auto none = share_budget(poor, questions, {}, {.tokens = 0});
    REQUIRE(none.has_value());
    for (const answer& a : *none) CHECK((a.cut && !a.found()));
}
