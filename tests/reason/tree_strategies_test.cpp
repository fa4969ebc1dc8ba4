// Golden runs of the strategies that search over steps: beams, verifier trees, REBASE, trees of thoughts and
// Monte Carlo tree search, on scripted trees whose best path is known.
#include "hence/reason/reason.hpp"
#include "hence/reason/registry.hpp"

#include "scripts.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <map>

using namespace hence;

namespace {

/// A tree of digits: three steps, each one of 0..9 with equal probability, then the end. The reward of a path
/// is how close its digits are to 7, 3, 9; no other path than "7\n3\n9\n" is worth 1.
script digits() {
    return script([](std::string_view context) -> script_reply {
        const auto lines = std::count(context.begin(), context.end(), '\n');
        if (lines >= 4) return {};
        script_reply reply;
        for (char d = '0'; d <= '9'; ++d) reply.completions.push_back({std::string(1, d) + "\n", 1, false});
        return reply;
    });
}

double closeness(std::string_view text) {
    const int target[] = {7, 3, 9};
    double sum = 0;
    std::size_t n = 0;
    for (const char c : text)
        if (c >= '0' && c <= '9' && n < 3) sum += 1.0 - static_cast<double>(std::abs((c - '0') - target[n++])) / 10.0;
    return n == 0 ? 0 : sum / static_cast<double>(n);
}

verify::check close() {
    return {.label = "closeness",
            .function = [](std::string_view, std::string_view text) -> result<double> { return closeness(text); }};
}

answer run(const any_strategy& s, std::uint64_t seed, const budget& limit = {}) {
    scripted_engine e(digits());
    return reason(e, "go", s, limit, {.seed = seed});
}

template <class S>
double mean_reward(const S& s, std::int64_t& tokens) {
    double sum = 0;
    tokens = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        scripted_engine e(digits());
        const answer a = reason(e, "go", s, {}, {.seed = seed});
        sum += closeness(a.text);
        tokens += a.account.spent_tokens();
    }
    return sum / 20;
}

}  // namespace

TEST_CASE("step searches: each finds better paths than as many plain samples, for no more tokens") {
    std::int64_t sampled_tokens = 0;
    const double sampled = mean_reward(best_of_n{.samples = 60, .temperature = 1, .scorer = close()}, sampled_tokens);
    std::int64_t tokens = 0;
    const double beam = mean_reward(step_beam{.beams = 50, .width = 10, .temperature = 1, .scorer = close()}, tokens);
    CHECK(beam > sampled);
    CHECK(tokens <= sampled_tokens);
    const double dvts = mean_reward(
        diverse_verifier_tree_search{
            .subtrees = 3, .width = 16, .temperature = 1, .scorer = close(), .vote = vote_rule::best},
        tokens);
    CHECK(dvts > sampled);
    CHECK(tokens <= sampled_tokens);
    const double balanced = mean_reward(
        rebase{.width = 50, .balance = 0.05, .temperature = 1, .scorer = close(), .vote = vote_rule::best}, tokens);
    CHECK(balanced > sampled);
    CHECK(tokens <= sampled_tokens);
    const double tree =
        mean_reward(tree_of_thoughts{.breadth = 2, .samples = 25, .scorer = close(), .temperature = 1}, tokens);
    CHECK(tree > sampled);
    CHECK(tokens <= sampled_tokens);
    const double monte_carlo = mean_reward(
        monte_carlo_tree_search{.iterations = 30, .width = 6, .exploration = 0.2, .scorer = close(), .temperature = 1},
        tokens);
    CHECK(monte_carlo > sampled - 0.02);  // it learns by rollouts what the others are told by the process reward
    CHECK(tokens <= sampled_tokens);
}

TEST_CASE("step beam: keeps n / M prefixes, distinct ones, and copies them back to n") {
    scripted_engine e(script_table({{"q\n", {.completions = {{"a\n", 0.7, false}, {"b\n", 0.3, false}}}},
                                    {"q\na\n", {.completions = {{"end", 1, true}}}},
                                    {"q\nb\n", {.completions = {{"end answer 5", 1, true}}}}}));
    const verify::check likes_b{.label = "b",
                                .function = [](std::string_view, std::string_view text) -> result<double> {
                                    return text.starts_with("b") ? 1.0 : 0.0;
                                }};
    const answer a =
        reason(e, "q", step_beam{.beams = 8, .width = 4, .temperature = 1, .scorer = likes_b}, {}, {.trace = true});
    CHECK(a.text == "b\nend answer 5");
    CHECK(a.candidates.size() == 8);  // two kept, four copies of each
    CHECK(std::count_if(a.candidates.begin(), a.candidates.end(),
                        [](const candidate& c) { return c.text.starts_with("a"); }) == 4);
    const answer one = reason(e, "q", step_beam{.beams = 8, .width = 8, .temperature = 1, .scorer = likes_b});
    CHECK(std::all_of(one.candidates.begin(), one.candidates.end(),
                      [](const candidate& c) { return c.text.starts_with("b"); }));
}

TEST_CASE("diverse verifier tree search: each subtree keeps its own best, and all its leaves vote") {
    const answer a = run(any_strategy(diverse_verifier_tree_search{
                             .subtrees = 3, .width = 4, .temperature = 1, .scorer = close(), .vote = vote_rule::best}),
                         1);
    CHECK(a.candidates.size() == 12);
    // leaves of one subtree share their first two steps
    for (std::size_t t = 0; t < 3; ++t)
        for (std::size_t i = 1; i < 4; ++i)
            CHECK(a.candidates[4 * t + i].text.substr(0, 4) == a.candidates[4 * t].text.substr(0, 4));
}

TEST_CASE("lookahead scores what would follow and leaves the branch as it was") {
    // x looks better at once, y leads to more.
    const script s([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"x\n", 0.5, false}, {"y\n", 0.5, false}}};
        if (context == "q\nx\n") return {.completions = {{"poor answer 1", 1, true}}};
        return {.completions = {{"rich answer 2", 1, true}}};
    });
    const verify::check greedy{.label = "greedy",
                               .function = [](std::string_view, std::string_view text) -> result<double> {
                                   if (text.find("rich") != std::string_view::npos) return 1.0;
                                   if (text.find("poor") != std::string_view::npos) return 0.0;
                                   return text.starts_with("x") ? 0.6 : 0.4;
                               }};
    diverse_verifier_tree_search search{
        .subtrees = 1, .width = 8, .temperature = 1, .scorer = greedy, .vote = vote_rule::best};
    scripted_engine blind(s);
    CHECK(reason(blind, "q", search).value == "1");
    search.lookahead = 1;
    scripted_engine ahead(s);
    CHECK(reason(ahead, "q", search).value == "2");
}

TEST_CASE("rebase: widths follow the rewards round by round") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q\n") {
            script_reply reply;
            reply.in_order = true;
            for (const char* step : {"a\n", "b\n", "c\n", "d\n"}) reply.completions.push_back({step, 1, false});
            return reply;
        }
        return {.completions = {{"end", 1, true}}};
    }));
    const verify::check rewards{
        .label = "table", .function = [](std::string_view, std::string_view text) -> result<double> {
            return text.starts_with("a") ? 0.9 : text.starts_with("b") ? 0.8 : text.starts_with("c") ? 0.5 : 0.1;
        }};
    // 16 first children: four each of a, b, c, d; shares by exp(R / 0.2)
    const answer a = reason(e, "q", rebase{.width = 16, .scorer = rewards});
    std::map<char, int> counts;
    for (const candidate& c : a.candidates) ++counts[c.text[0]];
    CHECK(a.candidates.size() == 16);
    std::vector<double> r;
    for (int i = 0; i < 4; ++i)
        for (const double x : {0.9, 0.8, 0.5, 0.1}) r.push_back(x);
    const auto widths = statistics::rebase_widths(r, 16);
    std::map<char, int> expected;
    for (std::size_t i = 0; i < 16; ++i)
        if (widths[i] > 0) expected["abcd"[i % 4]] += static_cast<int>(widths[i]);
    CHECK(counts == expected);
}

TEST_CASE("tree of thoughts, depth first: prunes below the threshold, backtracks, stops at the first that passes") {
    // 5 looks promising (0.8) but leads nowhere; 4 (0.6) leads to the answer.
    int expanded = 0;
    const script s([&](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"5\n", 0.4, false}, {"4\n", 0.4, false}, {"1\n", 0.2, false}}};
        if (context.ends_with("\n1\n")) ++expanded;
        if (context.ends_with("\n4\n")) return {.completions = {{"answer 42", 1, true}}};
        return {.completions = {{"dead\n", 1, false}}};
    });
    const verify::check value{.label = "value",
                              .function = [](std::string_view, std::string_view text) -> result<double> {
                                  if (text.find("42") != std::string_view::npos) return 1.0;
                                  if (text.find("dead") != std::string_view::npos) return 0.0;
                                  return text.starts_with("5") ? 0.8 : text.starts_with("4") ? 0.6 : 0.1;
                              }};
    scripted_engine e(s);
    const answer a = reason(e, "q",
                            tree_of_thoughts{.breadth = 3,
                                             .samples = 12,
                                             .steps = 4,
                                             .search = tree_of_thoughts::order::depth_first,
                                             .scorer = value,
                                             .prune_below = 0.3,
                                             .enough = 1,
                                             .temperature = 1});
    CHECK(a.value == "42");
    CHECK(expanded == 0);
}

TEST_CASE("tree of thoughts: one vote prompt over all states") {
    scripted_engine e(script([](std::string_view context) -> script_reply {
        if (context == "q\n") return {.completions = {{"left\n", 0.5, false}, {"right\n", 0.5, false}}};
        if (context.starts_with("Which?")) {
            // names the choice under which "right" stands
            const std::size_t at = context.find("right");
            const std::size_t choice = context.rfind("Choice ", at);
            return {.completions = {{"The best is " + std::string(context.substr(
                                                          choice + 7, context.find(':', choice) - choice - 7)),
                                     1, true}}};
        }
        return {.completions = {{context.find("right") != std::string_view::npos ? "answer 2" : "answer 1", 1, true}}};
    }));
    const answer a = reason(
        e, "q", tree_of_thoughts{.breadth = 1, .samples = 6, .vote_prompt = "Which?\n{states}", .temperature = 1});
    CHECK(a.value == "2");
}

TEST_CASE("tree of thoughts: where the context is full the best so far is the answer") {
    // Every step makes the propose prompt six bytes longer.
    const auto reply = [](std::string_view context) -> script_reply {
        if (context.starts_with("next?")) return {.completions = {{"step 1\nstep 2\n", 1, true}}};
        return {.completions = {{"unused", 1, true}}};
    };
    const verify::check second{.label = "value",
                               .function = [](std::string_view, std::string_view text) -> result<double> {
                                   return static_cast<double>(std::count(text.begin(), text.end(), '2'));
                               }};
    for (const auto order : {tree_of_thoughts::order::breadth_first, tree_of_thoughts::order::depth_first}) {
        scripted_engine e(script(reply), {.context_length = 60});
        const auto a =
            reason(e, "q",
                   any_strategy(tree_of_thoughts{
                       .breadth = 2, .steps = 20, .search = order, .propose = "next? {text}", .scorer = second}));
        CAPTURE(static_cast<int>(order), a.text);
        CHECK(a.text.starts_with("step 2\nstep 2\n"));
        CHECK(a.text.size() < 60);
        // Not even the first prompt fits: that is an error, as for every strategy.
        scripted_engine small(script(reply), {.context_length = 4});
        CHECK(try_reason(small, "q",
                         any_strategy(tree_of_thoughts{.search = order, .propose = "next? {text}", .scorer = second}))
                  .error()
                  .code == errc::context_full);
    }
}

TEST_CASE("tree of thoughts: states that do not fit one vote prompt are left to the scorer") {
    std::size_t asked = 0;
    const verify::check right{.label = "value",
                              .function = [](std::string_view, std::string_view text) -> result<double> {
                                  return text.find("right") == std::string_view::npos ? 0.0 : 1.0;
                              }};
    scripted_engine e(
        script([&](std::string_view context) -> script_reply {
            if (context.starts_with("Which?")) ++asked;
            if (context == "q\n") return {.completions = {{"left\n", 0.5, false}, {"right\n", 0.5, false}}};
            return {
                .completions = {{context.find("right") != std::string_view::npos ? "answer 2" : "answer 1", 1, true}}};
        }),
        {.context_length = 60});
    const answer a =
        reason(e, "q",
               tree_of_thoughts{
                   .breadth = 1, .samples = 6, .scorer = right, .vote_prompt = "Which?\n{states}", .temperature = 1});
    CHECK(a.value == "2");
    CHECK(asked == 0);
}

TEST_CASE("monte carlo tree search: rewards steer the visits, and enough ends it") {
    const answer found = run(
        any_strategy(monte_carlo_tree_search{
            .iterations = 400, .width = 40, .exploration = 0.3, .scorer = close(), .enough = 1.0, .temperature = 1}),
        5);
    CHECK(closeness(found.text) == 1.0);
    CHECK(found.why.find("enough") != std::string::npos);
    const answer few =
        run(any_strategy(monte_carlo_tree_search{.iterations = 3, .width = 2, .scorer = close(), .temperature = 1}), 5);
    CHECK(few.candidates.size() == 3);
    // a tree that is small is searched to its end and no further
    scripted_engine e(hence_test::sums());
    const answer all = reason(
        e, "sum: 20+22",
        monte_carlo_tree_search{.iterations = 1000, .width = 8, .scorer = verify::arithmetic(), .temperature = 1});
    CHECK(all.value == "42");
    CHECK(all.candidates.size() < 20);
}

TEST_CASE("monte carlo tree search: agreement as reward, and paths that hold up when completed again") {
    scripted_engine e(hence_test::sums(0.6));
    const monte_carlo_tree_search s{.iterations = 12,
                                    .rewards = monte_carlo_tree_search::reward::agreement,
                                    .vote = vote_rule::weighted,
                                    .temperature = 1};
    CHECK(reason(e, "sum: 20+22", s).value == "42");
    // The discriminator knows better than the generator: only 41 comes back to it.
    monte_carlo_tree_search strict = s;
    strict.vote = vote_rule::best;
    strict.discriminate = true;
    strict.discriminator = [](std::string_view, std::string_view) -> result<std::string> {
        return std::string("\nanswer 41");
    };
    scripted_engine f(hence_test::sums(0.6));
    const answer a = reason(f, "sum: 20+22", strict);
    CHECK(a.value == "41");
    CHECK(a.why.find("did not hold up") != std::string::npos);
}
