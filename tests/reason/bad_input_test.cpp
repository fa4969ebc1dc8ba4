// What every strategy makes of input that makes no sense: an error that names it, or an empty answer that says why.
#include "every_strategy.hpp"
#include "hence/reason/reason.hpp"
#include "hence/reason/regex.hpp"
#include "scripts.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"

#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace hence;
using hence_test::every_strategy;
using hence_test::talkative;

namespace {

/// One of each strategy that a verifier takes part in, with the verifier where it decides something.
std::vector<any_strategy> judged_by(const verifier& v) {
    std::vector<any_strategy> list;
    list.emplace_back(self_consistency{.samples = 4, .vote = vote_rule::weighted, .scorer = v});
    list.emplace_back(best_of_n{.samples = 4, .scorer = v});
    list.emplace_back(step_beam{.beams = 4, .width = 2, .scorer = v});
    list.emplace_back(diverse_verifier_tree_search{.subtrees = 2, .width = 2, .scorer = v});
    list.emplace_back(diverse_verifier_tree_search{.subtrees = 2, .width = 2, .lookahead = 1, .scorer = v});
    list.emplace_back(rebase{.width = 4, .scorer = v});
    list.emplace_back(tree_of_thoughts{.breadth = 2, .samples = 3, .scorer = v});
    list.emplace_back(
        tree_of_thoughts{.breadth = 2, .samples = 3, .search = tree_of_thoughts::order::depth_first, .scorer = v});
    list.emplace_back(monte_carlo_tree_search{.iterations = 4, .scorer = v});
    list.emplace_back(self_refine{.scorer = v});
    list.emplace_back(budget_forcing{.waits = 1, .until_passes = true, .scorer = v});
    for (const auto route :
         {adaptive::route::best_of_n, adaptive::route::tree_of_thoughts, adaptive::route::monte_carlo_tree_search}) {
        adaptive one{.easy = 2, .hard_below = 2, .hard = route};  // every question counts as hard
        one.tree.scorer = v;
        list.emplace_back(std::move(one));
    }
    strategy_list chain;
    chain.members = std::make_shared<const std::vector<any_strategy>>(
        std::vector<any_strategy>{any_strategy(direct{}), any_strategy(chain_of_thought{})});
    chain.accept.scorer = v;
    list.emplace_back(std::move(chain));
    return list;
}

}  // namespace

TEST_CASE("bad input: an empty question is refused by every strategy") {
    for (const std::string& name : every_strategy())
        for (const char* question : {"", " ", "\n\t \r\n"}) {
            INFO(name);
            scripted_engine e(talkative());
            const auto a = try_reason(e, question, parse_strategy(name).value());
            REQUIRE_FALSE(a.has_value());
            CHECK(a.error().code == errc::invalid_argument);
            CHECK(a.error().message().find("question") != std::string::npos);
            CHECK(e.account().forwards == 0);
        }
    scripted_engine e(talkative());
    const std::vector<std::string> questions{"sum: 20+22", " "};
    const auto shared = share_budget(e, questions, {});
    REQUIRE_FALSE(shared.has_value());
    CHECK(shared.error().message().find("questions[1]") != std::string::npos);
}

TEST_CASE("bad input: where no sample holds an answer, every strategy says so in an empty one") {
    reason_options options;
    options.extractor = extract::boxed{};  // and nothing is ever boxed
    for (const std::string& name : every_strategy()) {
        INFO(name);
        scripted_engine e(talkative());
        const auto a = try_reason(e, "sum: 20+22", parse_strategy(name).value(), {}, options);
        if (!a) FAIL(a.error().message());
        CHECK_FALSE(a->found());
        CHECK(a->value.empty());
        CHECK_FALSE(a->why.empty());
        CHECK_FALSE(a->cut);
        CHECK_FALSE(a->text.empty());  // what was written is shown all the same
        CHECK(a->parse_rate == 0);
    }
    // Nothing at all is written: the text is empty too.
    for (const std::string& name : every_strategy()) {
        INFO(name);
        scripted_engine silent(script([](std::string_view) -> script_reply { return {}; }));
        const auto a = try_reason(silent, "sum: 20+22", parse_strategy(name).value(), {.tokens = 5000});
        if (!a) FAIL(a.error().message());
        CHECK_FALSE(a->why.empty());
    }
}

TEST_CASE(
    "bad input: a verifier that returns NaN, infinity or an error, or throws, is named by every strategy that asks "
    "one") {
    using function = callable<result<double>(std::string_view, std::string_view)>;
    std::vector<std::pair<function, errc>> bad;
    bad.emplace_back(
        [](std::string_view, std::string_view) -> result<double> { return std::numeric_limits<double>::quiet_NaN(); },
        errc::not_a_number);
    bad.emplace_back(
        [](std::string_view, std::string_view) -> result<double> { return std::numeric_limits<double>::infinity(); },
        errc::not_a_number);
    bad.emplace_back(
        [](std::string_view, std::string_view) -> result<double> {
            return make_error(errc::io, "mine", "a judge that answers");
        },
        errc::io);
#if HENCE_EXCEPTIONS
    bad.emplace_back(
        [](std::string_view, std::string_view) -> result<double> { throw std::runtime_error("no judge today"); },
        errc::invalid_argument);
    bad.emplace_back([](std::string_view, std::string_view) -> result<double> { throw 7; }, errc::invalid_argument);
#endif
    bad.emplace_back(function{}, errc::invalid_argument);
    for (const auto& [does, code] : bad)
        for (const any_strategy& strategy : judged_by(verify::check{.label = "mine", .function = does})) {
            INFO(describe(strategy));
            scripted_engine e(talkative());
            const auto a = try_reason(e, "sum: 20+22", strategy);
            REQUIRE_FALSE(a.has_value());
            CHECK(a.error().code == code);
            CHECK(a.error().message().find("mine") != std::string::npos);
            // The engine is as good as new.
            CHECK(reason(e, "sum: 20+22", direct{}).found());
        }
}

TEST_CASE("bad input: budgets of zero and below") {
    using namespace std::chrono_literals;
    for (const std::string& name : every_strategy()) {
        const any_strategy strategy = parse_strategy(name).value();
        INFO(name);
        for (const budget& nothing :
             {budget{.tokens = 0}, budget{.forwards = 0}, budget{.bytes = 0}, budget{.deadline = 0ns}}) {
            scripted_engine e(talkative());
            const auto a = try_reason(e, "sum: 20+22", strategy, nothing);
            if (!a) FAIL(a.error().message());
            CHECK(a->cut);
            CHECK_FALSE(a->found());
            CHECK(a->why.find("budget") != std::string::npos);
            CHECK(e.account().generated_tokens + e.account().scored_tokens == 0);
            CHECK(e.account().forwards == 0);
        }
        for (const auto& [limit, field] :
             {std::pair{budget{.tokens = -1}, "tokens"}, std::pair{budget{.forwards = -5}, "forwards"},
              std::pair{budget{.bytes = -1}, "bytes"}, std::pair{budget{.deadline = -1ns}, "deadline"}}) {
            scripted_engine e(talkative());
            const auto a = try_reason(e, "sum: 20+22", strategy, limit);
            REQUIRE_FALSE(a.has_value());
            CHECK(a.error().message().find(field) != std::string::npos);
            CHECK(e.account().forwards == 0);
        }
    }
    scripted_engine e(talkative());
    const std::vector<std::string> questions{"sum: 20+22"};
    CHECK_FALSE(share_budget(e, questions, {}, {.tokens = -1}).has_value());
}

TEST_CASE("bad input: counts of zero are refused with the setting's name") {
    for (const char* zero : {"self_consistency:samples=0",
                             "adaptive_consistency:samples=0",
                             "adaptive_consistency:window=0",
                             "early_stopping_self_consistency:samples=0",
                             "early_stopping_self_consistency:window=0",
                             "deep_confidence:samples=0",
                             "deep_confidence:warmup=0",
                             "deep_confidence:keep_percent=0",
                             "deep_confidence:window=0",
                             "deep_confidence:top_k=0",
                             "deep_confidence:batch=0",
                             "best_of_n:samples=0",
                             "step_beam:beams=0",
                             "step_beam:width=0",
                             "step_beam:steps=0",
                             "step_beam:step_tokens=0",
                             "diverse_verifier_tree_search:subtrees=0",
                             "diverse_verifier_tree_search:width=0",
                             "diverse_verifier_tree_search:steps=0",
                             "diverse_verifier_tree_search:step_tokens=0",
                             "rebase:width=0",
                             "rebase:steps=0",
                             "rebase:step_tokens=0",
                             "rebase:balance=0",
                             "tree_of_thoughts:breadth=0",
                             "tree_of_thoughts:samples=0",
                             "tree_of_thoughts:steps=0",
                             "tree_of_thoughts:step_tokens=0",
                             "tree_of_thoughts:vote_prompt=which of {states},votes=0",
                             "monte_carlo_tree_search:iterations=0",
                             "monte_carlo_tree_search:width=0",
                             "monte_carlo_tree_search:depth=0",
                             "monte_carlo_tree_search:step_tokens=0",
                             "monte_carlo_tree_search:discriminate=true,maskings=0",
                             "adaptive:probes=0",
                             "adaptive:samples=0",
                             "adaptive:window=0",
                             "chain_of_thought:answer_prefix=answer ,answer_tokens=0",
                             "budget_forcing:forced_answer=answer ,forced_answer_tokens=0"}) {
        INFO(zero);
        const std::string text = zero;
        const std::size_t equals = text.rfind('=');
        const std::size_t key = text.find_last_of(":,", equals) + 1;
        const std::string name = text.substr(key, equals - key);
        scripted_engine e(talkative());
        const auto a = try_reason(e, "sum: 20+22", parse_strategy(zero).value(), {.tokens = 5000});
        REQUIRE_FALSE(a.has_value());
        CHECK(a.error().code == errc::invalid_argument);
        CHECK(a.error().message().find(name) != std::string::npos);
    }
    scripted_engine e(talkative());
    const std::vector<std::string> questions{"sum: 20+22"};
    for (const shared_voting& zero : {shared_voting{.first = 0}, shared_voting{.window = 0},
                                      shared_voting{.questions = 0}, shared_voting{.samples = 0}})
        CHECK(share_budget(e, questions, zero).error().code == errc::invalid_argument);
    CHECK(try_reason(e, "sum: 20+22", direct{}, {}, {.max_tokens = 0}).error().code == errc::invalid_argument);
    CHECK(share_budget(e, questions, {}, {}, {.max_tokens = 0}).error().code == errc::invalid_argument);
    CHECK(reason(e, "sum: 20+22", self_refine{.rounds = 0}).found());  // no second try is a first one all the same
}

TEST_CASE("bad input: a context that is too small ends in an error that names it, or in what there was room for") {
    const std::size_t prompt = std::string_view("sum: 20+22\n").size();
    for (const std::string& name : every_strategy()) {
        const any_strategy strategy = parse_strategy(name).value();
        {
            scripted_engine e(talkative(), {.context_length = prompt - 1});
            const auto a = try_reason(e, "sum: 20+22", strategy);
            INFO(name);
            REQUIRE_FALSE(a.has_value());
            CHECK(a.error().code == errc::context_full);
            CHECK(a.error().message().find(std::to_string(prompt - 1)) != std::string::npos);
        }
        for (std::size_t room = 0; room < 60; room += hence_test::sanitized ? 7 : 1) {
            INFO(name << " with room for " << room);
            scripted_engine e(talkative(), {.context_length = prompt + room});
            const auto a = try_reason(e, "sum: 20+22", strategy, {.tokens = 20000}, {.seed = room});
            if (!a) {  // a prompt that grows with the answers may be what does not fit
                CHECK(a.error().code == errc::context_full);
                continue;
            }
            CHECK_FALSE(a->why.empty());
            CHECK((a->found() || a->parse_rate < 1 || a->candidates.empty()));
        }
    }
}

TEST_CASE("bad input: a probe that the context has no room for scores 0 and not something else") {
    const std::string question = "q\n";
    const std::string text = "answer 42";
    // Without its suffix the probe would read "Yes" from the text itself.
    const auto says = script([&](std::string_view context) -> script_reply {
        if (context == question) return {.completions = {{text, 1, true}}};
        return {.completions = {{"Yes", 0.9, true}, {"No", 0.1, true}}};
    });
    for (const bool room : {false, true}) {
        scripted_engine e(says, {.context_length = room ? 200u : question.size() + text.size() + 4});
        for (const verifier& v : {verifier(verify::probe{}), verifier(verify::forced_answer{})}) {
            const auto a = try_reason(e, "q", best_of_n{.samples = 2, .scorer = v});
            INFO(v.label() << room);
            if (!a) FAIL(a.error().message());
            CHECK(a->value == "42");
            CHECK_FALSE(a->cut);
            for (const candidate& c : a->candidates) CHECK((*c.score > 0) == room);
        }
    }
    // A budget that ends in the middle of the suffix is an end of the budget, and no score.
    scripted_engine e(says);
    const auto a = try_reason(e, "q", best_of_n{.samples = 1, .scorer = verify::probe{}}, {.tokens = 15});
    REQUIRE(a.has_value());
    CHECK(a->cut);
    CHECK_FALSE(a->candidates[0].score.has_value());
}

TEST_CASE("bad input: an invalid pattern is refused before anything runs, with its place") {
    for (const char* bad : {"(", "a{2,1}", "[z-a]", "*a", "(?=a)", "\\1", "a**b("}) {
        INFO(bad);
        const auto made = regex::compile(bad);
        REQUIRE_FALSE(made.has_value());
        const auto found = parse_extractor(std::string("regex:") + bad);
        REQUIRE_FALSE(found.has_value());
        CHECK(found.error().code == made.error().code);
        CHECK_FALSE(found.error().message().empty());
    }
}
