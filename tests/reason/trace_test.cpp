#include "hence/reason/trace.hpp"

#include "hence/reason/registry.hpp"
#include "scripts.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <limits>

using namespace hence;

namespace {

trace recorded_run(const char* strategy, const budget& limit = {}, double right = 0.6) {
    scripted_engine e(hence_test::sums(right));
    const reason_options options{.seed = 5, .trace = true};
    const answer a = reason(e, "sum: 20+22", parse_strategy(strategy).value(), limit, options);
    return make_trace("sum: 20+22", strategy, a, options, limit, "a script");
}

}  // namespace

TEST_CASE("trace: JSON goes out and comes back the same") {
    for (const char* strategy : {"direct", "self_consistency:samples=8", "step_beam:beams=4,width=2", "monte_carlo_tree_search:iterations=5",
                                 "fallback:accept=arithmetic,threshold=1|direct|self_consistency:samples=4"}) {
        const trace t = recorded_run(strategy, {.tokens = 500, .deadline = std::chrono::seconds(60)});
        const auto back = parse_trace(to_json(t));
        INFO(strategy);
        if (!back) FAIL(back.error().message());
        CHECK(to_json(*back) == to_json(t));
        CHECK(back->nodes.size() == t.nodes.size());
        CHECK(back->replay_hash == t.replay_hash);
        CHECK(back->limit.tokens == 500);
        CHECK(first_difference(t, *back).empty());
    }
}

TEST_CASE("trace: every node but the first has an earlier parent, and the chosen ones are one path to the answer") {
    for (const std::string& name : strategy_names()) {
        const std::string text = name == "fallback" || name == "mixture" ? name + ":direct|self_consistency:samples=4|step_beam:beams=4" : name;
        const trace t = recorded_run(text.c_str());
        INFO(text);
        std::size_t leaf = 0;
        std::size_t chosen = 0;
        for (std::size_t i = 0; i < t.nodes.size(); ++i) {
            if (i > 0) REQUIRE(t.nodes[i].parent < i);
            if (!t.nodes[i].chosen) continue;
            ++chosen;
            leaf = i;
        }
        std::size_t length = 1;
        for (std::size_t at = leaf; at != 0; at = t.nodes[at].parent, ++length) CHECK(t.nodes[t.nodes[at].parent].chosen);
        CHECK(chosen == length);
        CHECK(chosen > 1);
    }
}

TEST_CASE("trace: a recorded run replays to the same hash, and a different one says where it departs") {
    for (const char* strategy : {"self_consistency:samples=8", "rebase:width=6", "monte_carlo_tree_search:iterations=6", "adaptive_consistency"}) {
        const trace t = parse_trace(to_json(recorded_run(strategy))).value();
        INFO(strategy);
        scripted_engine same(hence_test::sums());
        const auto again = replay(same, t, parse_strategy(t.strategy).value());
        REQUIRE(again.has_value());
        CHECK(again->same);
        CHECK(again->departs.empty());
        CHECK(again->again.text == t.text);
        scripted_engine other(hence_test::sums(0.05));
        const auto departed = replay(other, t, parse_strategy(t.strategy).value());
        REQUIRE(departed.has_value());
        CHECK_FALSE(departed->same);
        CHECK(departed->departs.starts_with("node "));
    }
}

TEST_CASE("trace: what a deadline cut is replayed from its cut positions, without the clock") {
    // The script takes its time, so the clock strikes wherever it happens to: in samples, steps, probes, between them.
    const auto slow = [](bool waits) {
        return script([waits, inner = hence_test::sums()](std::string_view context) {
            for (const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(30); waits && std::chrono::steady_clock::now() < end;) {}
            return inner(context);
        });
    };
    std::size_t cut = 0;
    for (const char* strategy : {"self_consistency:samples=8,stop_when_decided=false", "adaptive_consistency:window=2,threshold=0.99", "step_beam:beams=4,width=2",
                                 "tree_of_thoughts:breadth=2,samples=3,scorer=p_true", "monte_carlo_tree_search:iterations=8",
                                 "best_of_n:samples=6,window=2,scorer=forced_answer", "mixture:direct|self_consistency:samples=6|chain_of_thought", "budget_forcing:waits=3"})
        for (const int microseconds : {1, 20, 60, 150, 300, 700, 1500}) {
            INFO(strategy << " for " << microseconds << " us");
            const budget limit{.deadline = std::chrono::microseconds(microseconds)};
            const reason_options options{.seed = 5, .trace = true};
            scripted_engine timed(slow(true));
            const answer a = reason(timed, "sum: 20+22", parse_strategy(strategy).value(), limit, options);
            cut += a.cut ? 1 : 0;
            const trace t = parse_trace(to_json(make_trace("sum: 20+22", strategy, a, options, limit))).value();
            CHECK(t.cuts == a.cuts);
            scripted_engine e(slow(false));
            const auto again = replay(e, t, parse_strategy(t.strategy).value());
            REQUIRE(again.has_value());
            INFO(again->departs);
            CHECK(again->same);
            CHECK(again->again.cut == a.cut);
            CHECK(again->again.text == a.text);
        }
    CHECK(cut > 20);
}

TEST_CASE("trace: wherever the clock strikes, a replay departs nowhere") {
    // Whoever hears the text takes longer than the deadline at one token, and every token has its turn. Where one sample of a window is
    // done and the other is cut, the former's probe still has its text forced, though nothing is drawn after it.
    std::size_t done_beside_cut = 0;
    for (const char* strategy : {"best_of_n:samples=6,window=2,scorer=forced_answer", "best_of_n:samples=6,window=3,scorer=p_true", "budget_forcing:waits=2",
                                 "step_beam:beams=2,width=2", "tree_of_thoughts:breadth=2,samples=3,scorer=p_true", "monte_carlo_tree_search:iterations=3",
                                 "self_refine", "mixture:direct|self_consistency:samples=3|chain_of_thought"})
        for (std::size_t at = 1; at <= 200; ++at) {
            INFO(strategy << ", the clock strikes at token " << at);
            std::size_t heard = 0;
            const budget limit{.deadline = std::chrono::milliseconds(4)};
            reason_options options{.seed = 5, .trace = true};
            options.on_text = [&](const text_piece&) {
                if (++heard != at) return;
                for (const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(5); std::chrono::steady_clock::now() < end;) {}
            };
            scripted_engine timed(hence_test::sums());
            const answer a = reason(timed, "sum: 20+22", parse_strategy(strategy).value(), limit, options);
            const trace t = make_trace("sum: 20+22", strategy, a, options, limit);
            scripted_engine e(hence_test::sums());
            const auto again = replay(e, t, parse_strategy(t.strategy).value());
            REQUIRE(again.has_value());
            INFO(again->departs);
            CHECK(again->same);
            CHECK(again->again.text == a.text);
            if (heard < at) break;
            for (std::size_t i = 0; i + 1 < a.candidates.size(); i += 2)
                done_beside_cut += (a.candidates[i].finish == finish_reason::budget) != (a.candidates[i + 1].finish == finish_reason::budget) ? 1 : 0;
        }
    CHECK(done_beside_cut > 0);
}

TEST_CASE("trace: the settings of a run are part of it") {
    scripted_engine e(hence_test::sums());
    reason_options options{.seed = 9, .max_tokens = 30, .trace = true};
    options.sampling = {.temperature = 0.9f, .top_k = 5, .top_p = 0.95f, .min_p = 0.01f, .repetition_penalty = 1.1f, .logit_bias = {{65, 1.5f}, {66, -std::numeric_limits<float>::infinity()}}};
    options.stop = {"\n\n", "STOP"};
    options.format = prompt_format::line;
    options.system = "Be brief.";
    const answer a = reason(e, "sum: 20+22", chain_of_thought{}, {}, options);
    const trace t = parse_trace(to_json(make_trace("sum: 20+22", "chain_of_thought", a, options, {}, "a script", "last_number"))).value();
    CHECK(t.sampling.temperature == 0.9f);
    CHECK(t.sampling.top_k == 5);
    CHECK(t.sampling.top_p == 0.95f);
    CHECK(t.sampling.logit_bias == options.sampling.logit_bias);
    CHECK(t.stop == options.stop);
    CHECK(t.format == prompt_format::line);
    CHECK(t.system == "Be brief.");
    CHECK(t.extractor == "last_number");
    scripted_engine again(hence_test::sums());
    CHECK(replay(again, t, chain_of_thought{}).value().same);
    trace other = t;
    other.sampling.temperature = 3;
    other.sampling.top_k = 0;
    other.seed = 3;
    scripted_engine third(hence_test::sums());
    CHECK_FALSE(replay(third, other, chain_of_thought{}).value().same);
}

TEST_CASE("trace: a graph and a page, whatever the texts hold") {
    scripted_engine e(script([](std::string_view) -> script_reply {
        return {.completions = {{"\"quoted\" \\ </script><script>alert(1)</script> \xFF & <b> answer 7", 1, true}}};
    }));
    const reason_options options{.trace = true};
    const answer a = reason(e, "x </script>", direct{}, {}, options);
    const trace t = make_trace("x </script>", "direct", a, options);
    const std::string page = to_html(t);
    // the only script elements that open or close are the page's own
    std::size_t opened = 0;
    std::size_t closed = 0;
    for (std::size_t at = page.find("<script"); at != std::string::npos; at = page.find("<script", at + 1)) ++opened;
    for (std::size_t at = page.find("</script>"); at != std::string::npos; at = page.find("</script>", at + 1)) ++closed;
    CHECK(opened == 2);
    CHECK(closed == 2);
    CHECK(page.find("http") == std::string::npos);  // nothing from outside
    const std::size_t first = page.find("application/json\">") + 18;
    const auto data = nlohmann::json::parse(page.substr(first, page.find("</script>", first) - first), nullptr, false);
    REQUIRE(data.is_object());
    CHECK(data["nodes"].size() == 2);
    CHECK(data["nodes"][1]["text"].get<std::string>().find("</script>") != std::string::npos);
    const std::string dot = to_dot(t);
    CHECK(dot.starts_with("digraph"));
    CHECK(dot.find("\\\"quoted\\\" \\\\") != std::string::npos);
    CHECK(dot.find("n0 -> n1") != std::string::npos);
}

TEST_CASE("trace: a damaged file is refused by field") {
    const auto good = nlohmann::json::parse(to_json(recorded_run("direct")));
    const auto refused = [&](auto damage) {
        nlohmann::json bad = good;
        damage(bad);
        const auto t = parse_trace(bad.dump(), "run.json");
        REQUIRE_FALSE(t.has_value());
        return t.error().message();
    };
    CHECK(refused([](auto& j) { j["format"] = "other"; }).find("run.json.format") != std::string::npos);
    CHECK(refused([](auto& j) { j.erase("seed"); }).find("run.json.seed") != std::string::npos);
    CHECK(refused([](auto& j) { j["seed"] = -4; }).find("run.json.seed") != std::string::npos);
    CHECK(refused([](auto& j) { j["replay_hash"] = "xyz"; }).find("replay_hash") != std::string::npos);
    CHECK(refused([](auto& j) { j["nodes"] = nlohmann::json::array(); }).find("nodes") != std::string::npos);
    CHECK(refused([](auto& j) { j["nodes"][1]["parent"] = 7; }).find("nodes[1].parent") != std::string::npos);
    CHECK(refused([](auto& j) { j["nodes"][1]["parent"] = nullptr; }).find("nodes[1].parent") != std::string::npos);
    CHECK(refused([](auto& j) { j["nodes"][1]["text"] = 5; }).find("nodes[1].text") != std::string::npos);
    CHECK(refused([](auto& j) { j["sampling"]["top_p"] = "x"; }).find("sampling.top_p") != std::string::npos);
    CHECK(refused([](auto& j) { j["sampling"]["logit_bias"] = {1}; }).find("logit_bias") != std::string::npos);
    CHECK(refused([](auto& j) { j["prompt_format"] = "odd"; }).find("prompt_format") != std::string::npos);
    CHECK(refused([](auto& j) { j["stop"] = {4}; }).find("stop") != std::string::npos);
    CHECK(refused([](auto& j) { j["cuts"] = {{{"stream", "zz"}, {"tokens", 4}}}; }).find("cuts[0].stream") != std::string::npos);
    CHECK(refused([](auto& j) { j["usage"] = 1; }).find("usage") != std::string::npos);
    CHECK_FALSE(parse_trace("{").has_value());
    CHECK_FALSE(parse_trace("[]").has_value());
}
