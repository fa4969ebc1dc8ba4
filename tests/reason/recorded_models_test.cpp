// Strategies driven by recorded models: GPT-4's published answers to the Game of 24, through the scripted
// engine. No model runs; votes, best of n and tree search must give the numbers that the logs give.
#include "hence/reason/reason.hpp"
#include "hence/reason/registry.hpp"

#include "scripts.hpp"
#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

using namespace hence;
using nlohmann::json;

namespace {

json log_file(const std::filesystem::path& path) {
    std::ifstream in(path);
    return json::parse(in, nullptr, false);
}

/// The numbers of puzzle `index`, as the table lists them.
std::vector<std::string> puzzles(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line;
    std::vector<std::string> list;
    std::getline(in, line);
    while (std::getline(in, line)) {
        const std::size_t first = line.find(',');
        list.push_back(line.substr(first + 1, line.find(',', first + 1) - first - 1));
    }
    return list;
}

struct sampled {
    double mean = 0;
    int any = 0;
    int puzzles = 0;
};

/// 100 recorded answers a puzzle, through best_of_n with the exact checker: what each candidate scored.
sampled replay_samples(const json& log, const std::vector<std::string>& table) {
    sampled out;
    for (const json& entry : log) {
        const std::string question = "24: " + table[entry["idx"].get<std::size_t>()];
        std::vector<std::string> answers;
        for (const json& y : entry["ys"]) answers.push_back(y.get<std::string>());
        scripted_engine e(hence_test::recorded(answers, question + "\n"));
        reason_options options;
        options.max_tokens = 5000;
        const answer a =
            reason(e, question, best_of_n{.samples = answers.size(), .scorer = verify::game24()}, {}, options);
        REQUIRE(a.candidates.size() == answers.size());
        double right = 0;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            REQUIRE(a.candidates[i].text == answers[i]);
            right += *a.candidates[i].score;
        }
        out.mean += right / static_cast<double>(answers.size());
        out.any += right > 0 ? 1 : 0;
        CHECK((a.confidence == 1) == (right > 0));  // best of n with an exact checker is any of n
        ++out.puzzles;
    }
    out.mean /= out.puzzles;
    return out;
}

/// Judgements of which the values in the log are the sums: sure 20, likely 1, impossible 0.001, three a state.
std::vector<std::string> judgements(double value) {
    for (int sure = 0; sure <= 3; ++sure)
        for (int likely = 0; sure + likely <= 3; ++likely)
            for (int impossible = 0; sure + likely + impossible <= 3; ++impossible)
                if (std::abs(20.0 * sure + likely + 0.001 * impossible - value) < 1e-6) {
                    std::vector<std::string> words;
                    words.insert(words.end(), static_cast<std::size_t>(sure), "it is\nsure");
                    words.insert(words.end(), static_cast<std::size_t>(likely), "may be\nlikely");
                    words.insert(words.end(), static_cast<std::size_t>(impossible), "no\nimpossible");
                    while (words.size() < 3) words.push_back("I cannot say");
                    return words;
                }
    FAIL("a value that three judgements cannot give: " << value);
    return {};
}

/// The log's proposals hold blank lines, which hence does not take for thoughts: they get a name here.
std::string named(const std::string& path) {
    std::string out;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('\n', at), path.size());
        const std::string line = path.substr(at, end - at);
        out += (line.find_first_not_of(" \t") == std::string::npos ? "(blank)" : line) + "\n";
        at = end + 1;
    }
    return out;
}

}  // namespace

TEST_CASE("recorded plain answers: 6.2 % mean success, and chain of thought 4.2 % with 24 of 50 by any of 100") {
    HENCE_REQUIRE_DATA(table_path, "eval/game24/24.csv");
    HENCE_REQUIRE_DATA(plain_path,
                       "eval/game24/gpt4-logs/gpt-4_0.7_naive_standard_sample_100_start900_end1000_even.json");
    HENCE_REQUIRE_DATA(cot_path, "eval/game24/gpt4-logs/gpt-4_0.7_naive_cot_sample_100_start900_end1000_even.json");
    const auto table = puzzles(table_path);
    const sampled plain = replay_samples(log_file(plain_path), table);
    CHECK(plain.puzzles == 50);
    CHECK(std::abs(plain.mean - 0.062) < 0.0005);
    const sampled cot = replay_samples(log_file(cot_path), table);
    CHECK(std::abs(cot.mean - 0.042) < 0.0005);
    CHECK(cot.any == 24);
}

TEST_CASE("recorded tree of thoughts: the same states kept at every step; 32 of 50 by any of 5, 20.4 % mean") {
    HENCE_REQUIRE_DATA(path, "eval/game24/gpt4-logs/gpt-4_0.7_propose1_value3_greedy5_start900_end1000_even.json");
    int any = 0;
    double mean = 0;
    int count = 0;
    for (const json& entry : log_file(path)) {
        const std::string x = entry["steps"][0]["x"].get<std::string>();
        // What the model proposed after each path, and what three judgements of each new path said.
        std::map<std::string, std::string> proposals;
        std::map<std::string, std::vector<std::string>> values;
        for (const json& step : entry["steps"]) {
            const auto& from = step["ys"];
            const auto& to = step["new_ys"];
            // new_ys lists the children parent by parent; a child is its parent's text and one line more
            std::size_t parent = 0;
            for (std::size_t i = 0; i < to.size(); ++i) {
                const std::string y = named(to[i].get<std::string>());
                std::string base;
                for (; parent < from.size(); ++parent) {
                    base = named(from[parent].get<std::string>());
                    if (y.starts_with(base) && y.size() > base.size()) break;
                }
                REQUIRE(parent < from.size());
                proposals[base] += y.substr(base.size());
                const double value = step["values"][i].get<double>();
                if (values.find(y) == values.end())
                    values[y] = judgements(value);
                else
                    CHECK(value == 0);  // a copy scores zero
            }
        }
        scripted_engine e(script([&](std::string_view context) -> script_reply {
            if (context.starts_with("propose|")) {
                const auto known = proposals.find(std::string(context.substr(8)));
                if (known == proposals.end()) return {};
                return {.completions = {{known->second, 1, true}}};
            }
            script_reply reply;
            reply.in_order = true;
            const auto known = values.find(std::string(context.substr(6)));
            if (known != values.end())
                for (const std::string& word : known->second) reply.completions.push_back({word, 1, true});
            return reply;
        }));
        verify::judge judge;
        judge.text = "value|{text}";
        const tree_of_thoughts tree{
            .breadth = 5, .samples = 1, .steps = 4, .propose = "propose|{text}", .scorer = judge};
        reason_options options;
        options.max_tokens = 20000;
        options.extractor = extract::last_line{};
        const answer a = reason(e, "24: " + x, tree, {}, options);
        // The five states that are left, best first in the log; candidates are in the order they were made.
        std::vector<std::string> expected;
        for (const json& y : entry["steps"][3]["select_new_ys"]) expected.push_back(named(y.get<std::string>()));
        std::vector<std::string> found;
        for (const candidate& c : a.candidates) found.push_back(c.text);
        std::sort(expected.begin(), expected.end());
        std::sort(found.begin(), found.end());
        INFO("puzzle " << x);
        CHECK(found == expected);
        int right = 0;
        for (const candidate& c : a.candidates)
            right += verify::solves_24("24: " + x, extract::last_line{}(c.text).value_or("")).has_value() ? 1 : 0;
        any += right > 0 ? 1 : 0;
        mean += right / 5.0;
        ++count;
    }
    CHECK(count == 50);
    CHECK(any == 32);
    CHECK(std::abs(mean / count - 0.204) < 0.0005);
}

TEST_CASE("recorded GSM8K: four systems' solutions vote, and the winner is right where its system's record says so") {
    HENCE_REQUIRE_DATA(path, "eval/gsm8k/recorded_solutions_even.jsonl");
    std::ifstream file(path);
    std::string line;
    int questions = 0;
    int right = 0;
    int agreements = 0;
    std::map<std::string, int> alone;
    while (std::getline(file, line)) {
        const json entry = json::parse(line, nullptr, false);
        std::vector<std::string> solutions;
        std::vector<bool> correct;
        for (const char* system : {"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}) {
            solutions.push_back(entry[system]["solution"].get<std::string>());
            correct.push_back(entry[system]["is_correct"].get<bool>());
            alone[system] += correct.back() ? 1 : 0;
        }
        scripted_engine e(hence_test::recorded(solutions, "q\n"));
        reason_options options;
        options.max_tokens = 20000;
        options.extractor = extract::after_marker{.marker = "A:"};
        const answer a = reason(e, "q", self_consistency{.samples = 4, .stop_when_decided = false}, {}, options);
        REQUIRE(a.candidates.size() == 4);
        // The vote counted by hand: most voices, ties to the first that was seen.
        std::vector<std::string> said;
        for (const std::string& text : solutions)
            said.push_back(canonicalize(options.extractor(text).value_or("")).text);
        std::size_t best = 0;
        std::ptrdiff_t most = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::ptrdiff_t voices = said[i].empty() ? 0 : std::count(said.begin(), said.end(), said[i]);
            if (voices > most) {
                most = voices;
                best = i;
            }
        }
        INFO("question " << questions);
        CHECK(a.canonical == said[best]);
        CHECK(a.text == solutions[best]);
        if (most > 0) CHECK(std::abs(a.confidence * a.parse_rate * 4 - static_cast<double>(most)) < 1e-9);
        right += correct[best] ? 1 : 0;
        agreements += most > 1 ? 1 : 0;
        ++questions;
    }
    CHECK(questions >= 600);
    CHECK(agreements > questions / 4);
    // Four unequal systems: their vote is better than the mean of them.
    int sum = 0;
    for (const auto& [system, count] : alone) sum += count;
    CHECK(4 * right > sum);
}
