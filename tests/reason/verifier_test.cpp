#include "hence/reason/verifier.hpp"

#include "hence/reason/best_of_n.hpp"
#include "hence/reason/direct.hpp"
#include "hence/reason/reason.hpp"
#include "scripts.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

using namespace hence;

static_assert(scorer_for<verifier, scripted_engine>);

namespace {

/// What a verifier says of texts, without branches.
std::vector<double> judged(const verifier& v, scripted_engine& e, std::string_view question, std::vector<std::string> texts) {
    const reason_options options;
    reasoning_context<scripted_engine> context(e, question, options);
    std::vector<scored_branch<scripted_engine>> items;
    for (const std::string& t : texts) items.push_back({nullptr, t});
    return v.score(context, std::span<const scored_branch<scripted_engine>>(items)).value();
}

}  // namespace

TEST_CASE("exact checkers: arithmetic and the Game of 24") {
    scripted_engine e(hence_test::sums());
    CHECK(judged(verify::arithmetic(), e, "calc: 17*3-9\n", {"17*3=51\n51-9=42\nanswer 42", "answer 43", "", "answer 84/2"}) == std::vector<double>{1, 0, 0, 1});
    CHECK(judged(verify::game24(), e, "24: 4 6 8 8",
                 {"8-6=2 (2 4 8)\n8+4=12 (2 12)\n12*2=24\nok", "(8-6)*(8+4)", "(8-6)*(8+4)=24", "Steps: ...\nAnswer: (8-6)*(8+4) = 24",
                  "8-6=2 (2 4 8)", "8*3", "ok", ""}) == std::vector<double>{1, 1, 1, 1, 0, 0, 0, 0});
    const reason_options options;
    reasoning_context<scripted_engine> context(e, "calc: two plus two", options);
    const scored_branch<scripted_engine> item[] = {{nullptr, "answer 4"}};
    CHECK(verifier(verify::arithmetic()).score(context, std::span<const scored_branch<scripted_engine>>(item)).error().code == errc::bad_format);
}

TEST_CASE("a probe reads P(yes) on the branch's own cache, costs its suffix only, and takes it back") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"a long chain of thought, answer 4", 1, true}}};
        if (context == "q\na long chain of thought, answer 4\nIs this answer right? ") return {.completions = {{"Yes", 0.6, true}, {"No", 0.2, true}, {"Perhaps", 0.2, true}}};
        return {};
    }));
    const reason_options options;
    reasoning_context<scripted_engine> context(e, "q", options);
    auto b = context.begin("q", {}, {}).value();
    REQUIRE(context.extend(b, context.limits()).has_value());
    const account before = e.account();
    const std::string text = b.text();
    const scored_branch<scripted_engine> item[] = {{&b, text}};
    const auto scores = verifier(verify::probe{}).score(context, std::span<const scored_branch<scripted_engine>>(item)).value();
    CHECK(std::abs(scores[0] - 0.75) < 1e-6);  // 0.6 / (0.6 + 0.2)
    CHECK(b.text() == text);
    CHECK(b.finish() == finish_reason::end_token);
    const account spent = e.account() - before;
    CHECK(spent.forced_tokens == 23);  // the suffix
    CHECK(spent.scored_tokens == 1);
    CHECK(spent.rows == 23);
}

TEST_CASE("a prompt asks about the state in the text, once for equal states") {
    int asked = 0;
    scripted_engine e(script([&](std::string_view context) -> script_reply {
        ++asked;
        if (context == "value: 2 4 8\n") return {.completions = {{"sure", 0.9, true}, {"never", 0.1, true}}};
        if (context == "value: 24\n") return {.completions = {{"sure", 1, true}}};
        return {.completions = {{"never", 1, true}}};
    }));
    const auto scores = judged(verify::value_24(), e, "24: 4 6 8 8", {"8-6=2 (2 4 8)", "6-4=2 (2 8 8)\n8-6=2 (2 4 8)", "12*2=24", "12*2=24\nok", "9+9=18\nno", ""});
    CHECK(asked == 2);
    CHECK(std::abs(scores[0] - 0.9) < 1e-6);
    CHECK(scores[1] == scores[0]);
    CHECK(scores[2] > 0.99);
    CHECK(scores[3] == scores[2]);
    CHECK(scores[4] == 0);  // the attempt has failed
    CHECK(scores[5] == 0);
    scripted_engine judge(script([](std::string_view context) -> script_reply {
        return {.completions = {{context == "check: 17*3-9=42\n" ? "right" : "wrong", 1, true}}};
    }));
    CHECK(judged(verify::check_calculation(), judge, "calc: 17*3-9\n", {"answer 42"})[0] > 0.99);
    CHECK(judged(verify::check_calculation(), judge, "calc: 17*3-9\n", {"answer 41"})[0] < 0.01);
    const verifier same(verify::prompt{.yes = "yes", .no = "yeah"});
    const reason_options options;
    reasoning_context<scripted_engine> context(judge, "q", options);
    const scored_branch<scripted_engine> item[] = {{nullptr, "text"}};
    CHECK(same.score(context, std::span<const scored_branch<scripted_engine>>(item)).error().code == errc::invalid_argument);
}

TEST_CASE("constrained extraction: a fork states its answer, with its probability, and the branch stays as it was") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"some thoughts", 1, true}}};
        if (context == "q\nsome thoughts\nThe answer is ") return {.completions = {{"42\nand more", 0.75, true}, {"17\n", 0.25, true}}};
        return {};
    }));
    const reason_options options;
    reasoning_context<scripted_engine> context(e, "q", options);
    auto b = context.begin("q", {}, {}).value();
    REQUIRE(context.extend(b, context.limits()).has_value());
    scripted_branch* const one[] = {&b};
    const auto stated = state_answers(context, std::span<scripted_branch* const>(one)).value();
    CHECK(stated[0].text == "42");
    CHECK(std::abs(stated[0].probability - 0.75) < 1e-6);
    CHECK(b.text() == "some thoughts");
    const std::string text = b.text();
    const scored_branch<scripted_engine> item[] = {{&b, text}};
    CHECK(std::abs(verifier(verify::forced_answer{}).score(context, std::span<const scored_branch<scripted_engine>>(item)).value()[0] - 0.75) < 1e-6);
    REQUIRE(e.set_budget({.tokens = 3}).has_value());
    CHECK(verifier(verify::forced_answer{}).score(context, std::span<const scored_branch<scripted_engine>>(item)).error().code == errc::budget_exhausted);
}

TEST_CASE("recorded measures: log-probability, self-certainty and group confidence of what was drawn") {
    scripted_engine e(script_table({{"q\n", {.completions = {{"ab", 0.5, true}, {"cd", 0.25, true}, {"ce", 0.25, true}}}}}));
    for (const verifier& v : {verifier(verify::log_probability{}), verifier(verify::self_certainty{}),
                              verifier(verify::group_confidence{.how = verify::group_confidence::measure::lowest, .window = 1, .top_k = 2})}) {
        const answer a = reason(e, "q", best_of_n{.samples = 12, .temperature = 1, .scorer = v});
        INFO(v.label());
        for (const candidate& c : a.candidates) REQUIRE(c.score.has_value());
        const auto& first = a.candidates[0];
        for (const candidate& c : a.candidates)
            if (c.text == first.text) CHECK(c.score == first.score);
    }
    const answer a = reason(e, "q", best_of_n{.samples = 12, .temperature = 1, .scorer = verify::log_probability{}}, {}, {.extractor = extract::whole_text{}});
    for (const candidate& c : a.candidates) {
        // log-probabilities of the tokens: two letters and the end
        const double expected = c.text == "ab" ? std::log(0.5) / 3 : 2 * std::log(0.5) / 3;
        CHECK(std::abs(*c.score - expected) < 1e-6);
    }
    CHECK(a.text == "ab");
}

TEST_CASE("a verifier that fails, throws or returns NaN ends in an error that names it") {
    const auto with = [](auto function) {
        scripted_engine e(hence_test::sums());
        return try_reason(e, "sum: 20+22", best_of_n{.samples = 4, .scorer = verify::check{.label = "mine", .function = function}});
    };
    const auto nan = with([](std::string_view, std::string_view) -> result<double> { return std::numeric_limits<double>::quiet_NaN(); });
    REQUIRE_FALSE(nan.has_value());
    CHECK(nan.error().code == errc::not_a_number);
    CHECK(nan.error().message().find("mine") != std::string::npos);
    const auto failed = with([](std::string_view, std::string_view) -> result<double> { return make_error(errc::io, "judge", "a judge"); });
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code == errc::io);
#if HENCE_EXCEPTIONS
    const auto thrown = with([](std::string_view, std::string_view) -> result<double> { throw std::runtime_error("no judge today"); });
    REQUIRE_FALSE(thrown.has_value());
    CHECK(thrown.error().message().find("no judge today") != std::string::npos);
#endif
    scripted_engine e(hence_test::sums());
    const auto empty = try_reason(e, "sum: 20+22", best_of_n{.samples = 4, .scorer = verify::check{}});
    REQUIRE_FALSE(empty.has_value());
}

TEST_CASE("a second model can be the judge: any engine inside a check") {
    auto judge = std::make_shared<scripted_engine>(script([](std::string_view context) -> script_reply {
        return {.completions = {{context.find("42") != std::string_view::npos ? "good" : "bad", 1, true}}};
    }));
    const verify::check second{.label = "second model", .function = [judge](std::string_view, std::string_view text) -> result<double> {
                                   HENCE_TRY_ASSIGN(said, try_reason(*judge, "judge: " + std::string(text), direct{}, {}, {.extractor = extract::whole_text{}}));
                                   return said.value == "good" ? 1.0 : 0.0;
                               }};
    scripted_engine e(hence_test::sums(0.2));
    CHECK(reason(e, "sum: 20+22", best_of_n{.samples = 16, .temperature = 1, .scorer = second}).value == "42");
}
