#include "hence/reason/self_consistency.hpp"

#include "hence/reason/reason.hpp"
#include "scripts.hpp"
#include "support/catch.hpp"

using namespace hence;

static_assert(strategy_for<self_consistency, scripted_engine>);

TEST_CASE("self consistency: the majority of recorded samples, ties to the first seen, unparsed excluded") {
    const auto vote_of = [](std::vector<std::string> answers) {
        scripted_engine e(hence_test::recorded(answers));
        return reason(e, "q", self_consistency{.samples = answers.size()});
    };
    CHECK(vote_of({"answer 1", "answer 2", "answer 2"}).value == "2");
    CHECK(vote_of({"answer 1", "answer 2"}).value == "1");
    CHECK(vote_of({"no idea", "none", "answer 3"}).value == "3");
    CHECK(vote_of({"answer 0.5", "answer 2", "answer 1/2"}).canonical == "1/2");
    const answer none = vote_of({"no idea", "none"});
    CHECK_FALSE(none.found());
    CHECK(none.parse_rate == 0);
    CHECK(none.why.find("no answer") != std::string::npos);
    CHECK_FALSE(none.text.empty());
}

TEST_CASE("self consistency: cancelling what cannot overturn the vote never changes the answer, and saves tokens") {
    std::int64_t saved = 0;
    std::int64_t spent = 0;
    std::int64_t full = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const double right = 0.2 + 0.7 * static_cast<double>(seed % 10) / 10;
        scripted_engine a(hence_test::sums(right));
        scripted_engine b(hence_test::sums(right));
        const self_consistency early{.samples = 9, .temperature = 1};
        const self_consistency whole{.samples = 9, .temperature = 1, .stop_when_decided = false};
        const answer x = reason(a, "sum: 20+22", early, {}, {.seed = seed});
        const answer y = reason(b, "sum: 20+22", whole, {}, {.seed = seed});
        REQUIRE(x.canonical == y.canonical);
        saved += x.saved_tokens;
        spent += x.account.generated_tokens;
        full += y.account.generated_tokens;
        CHECK(y.cancelled_branches == 0);
    }
    CHECK(spent < full);
    // What is reported as saved is an estimate; it must be of the right size.
    CHECK(saved > (full - spent) / 4);
    CHECK(saved < (full - spent) * 2);
}

TEST_CASE("self consistency: samples of a vote and their streams do not depend on how many run") {
    scripted_engine a(hence_test::sums());
    scripted_engine b(hence_test::sums());
    const answer few = reason(a, "sum: 20+22", self_consistency{.samples = 3, .temperature = 1, .stop_when_decided = false});
    const answer many = reason(b, "sum: 20+22", self_consistency{.samples = 12, .temperature = 1, .stop_when_decided = false});
    for (std::size_t i = 0; i < 3; ++i) CHECK(few.candidates[i].text == many.candidates[i].text);
}

TEST_CASE("self consistency: the forced answer prefix is where the answer is read") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"I think about 7 and 9.", 1, true}}};
        if (context == "q\nI think about 7 and 9. The answer is ") return {.completions = {{"16\nand so on", 1, true}}};
        return {};
    }));
    const answer a = reason(e, "q", self_consistency{.samples = 3, .thought = {.answer_prefix = " The answer is "}});
    CHECK(a.text == "I think about 7 and 9. The answer is 16");
    CHECK(a.value == "16");
}

TEST_CASE("self consistency: the universal form follows the model's choice, and the vote where it names none") {
    const auto with = [](std::string choice) {
        return script([choice](std::string_view context) -> script_reply {
            if (context == "q\n") {
                script_reply reply;
                reply.in_order = true;
                reply.completions = {{"a poem about rain", 1, true}, {"a poem about snow", 1, true}, {"a poem about rain", 1, true}};
                return reply;
            }
            return {.completions = {{choice, 1, true}}};
        });
    };
    const self_consistency universal{.samples = 3, .universal = true};
    reason_options options;
    options.extractor = extract::whole_text{};
    scripted_engine a(with("The most consistent response is Response 2."));
    CHECK(reason(a, "q", universal, {}, options).text == "a poem about snow");
    scripted_engine b(with("I cannot say."));
    CHECK(reason(b, "q", universal, {}, options).text == "a poem about rain");
    scripted_engine c(with("Response 99"));
    CHECK(reason(c, "q", universal, {}, options).text == "a poem about rain");
}

TEST_CASE("self consistency: few-shot examples and instructions come before the question") {
    std::string seen;
    scripted_engine e(script([&](std::string_view context) -> script_reply {
        seen = std::string(context);
        return {.completions = {{"answer 1", 1, true}}};
    }));
    (void)reason(e, "2+2?", self_consistency{.samples = 1, .thought = {.instruction = "Think.", .examples = {{"1+1?", "It is 2.\nanswer 2"}}, .thought_prefix = "Let's see: "}});
    CHECK(seen == "1+1?\nThink.\nIt is 2.\nanswer 2\n\n2+2?\nThink.\nLet's see: ");
}
