// The second part of hence demo: the Game of 24 as in the tree-of-thoughts paper's table, on puzzles of its test split.
//
// The same weights answer each puzzle in every way; an exact checker that knows nothing of the model says what was solved.
#include "demo.hpp"

#include "asking.hpp"
#include "tasks.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace tool {

namespace {

struct row {
    const char* title;
    const char* judge;      ///< what told good from bad while the model worked
    const char* strategy;   ///< as --strategies reads it; null: any of the samples of the row before
    const char* published;  ///< GPT-4's success in the paper
};

// Yao et al., 2305.10601, table 2: best of 100 and the rest with GPT-4.
constexpr row rows[] = {
    {"direct", "-", "direct", "7.3"},
    {"chain of thought", "-", "chain_of_thought:max_tokens=60", "4.0"},
    {"self-consistency, 100 samples", "vote", "self_consistency:samples=100,temperature=1,stop_when_decided=false,max_tokens=60", "9.0"},
    {"any of the same 100", "exact checker", nullptr, "49"},
    {"budget forcing, 230 tokens", "-", "budget_forcing:most=230,temperature=0.8,max_tokens=230", ""},
    {"Monte Carlo tree search", "value: prompt", "monte_carlo_tree_search:iterations=12,width=6,depth=4,scorer=value_24,max_tokens=60", ""},
    {"tree of thoughts, b = 1", "value: prompt", "tree_of_thoughts:breadth=1,samples=20,steps=6,scorer=value_24,max_tokens=60", "45"},
    {"tree of thoughts, b = 5", "value: prompt", "tree_of_thoughts:breadth=5,samples=10,steps=6,scorer=value_24,max_tokens=60", "74"},
};
constexpr std::size_t row_count = std::size(rows);

struct total {
    std::size_t solved = 0;
    std::int64_t tokens = 0;
    double seconds = 0;
};

std::string mark(bool solved) {
    if (!output_is_terminal()) return solved ? "x" : ".";
    return solved ? "\033[32mx\033[0m" : "\033[31m.\033[0m";
}

void print_table(const std::array<total, row_count>& sums, std::size_t asked) {
    print("\n                                    judged by        solved     tokens  seconds a puzzle   GPT-4, published\n");
    for (std::size_t r = 0; r < row_count; ++r) {
        const double n = static_cast<double>(asked);
        char line[160];
        std::snprintf(line, sizeof line, "  %-32s  %-13s %3zu of %3zu  %9.0f  %16.3f   %14s %s\n", rows[r].title, rows[r].judge, sums[r].solved, asked,
                      static_cast<double>(sums[r].tokens) / n, sums[r].seconds / n, rows[r].published, *rows[r].published == '\0' ? "" : "%");
        print(line);
    }
}

}  // namespace

void show_puzzles(hence::engine<hence::decoder>& engine, const demo_options& o) {
    const task t = load_task("game24", 0, 0);
    std::vector<way> ways;
    for (const row& one : rows)
        if (one.strategy != nullptr) ways.push_back(parse_ways(one.strategy, "demo").at(0));
    const std::size_t count = std::min(o.puzzles, t.problems.size());
    print("\nThe Game of 24: make 24 from four numbers. " + std::to_string(count) + " puzzles of the published test split, each in " + std::to_string(row_count) +
          " ways (x: solved, by an exact checker),\nin the order of the table below.\n\n");

    std::array<total, row_count> sums{};
    std::size_t asked = 0;
    const auto start = std::chrono::steady_clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    for (; asked < count && elapsed() < o.seconds; ++asked) {
        const problem& p = t.problems[asked * t.problems.size() / count];  // from all over the split, which grows harder
        print("  " + p.question.substr(4) + std::string(p.question.size() < 18 ? 18 - p.question.size() : 1, ' '));
        std::size_t w = 0;
        for (std::size_t r = 0; r < row_count; ++r) {
            if (rows[r].strategy == nullptr) continue;
            const way& how = ways[w++];
            hence::reason_options run;
            run.seed = hence::mix64(o.seed, asked);
            run.extractor = t.extractor;
            run = how.options(std::move(run));
            const bool at_once = how.strategy.name() == "direct";
            const hence::answer answer = hence::reason(engine, at_once ? p.direct : p.question, how.strategy, how.limit, run);
            const auto tell = [&](std::size_t place, bool solved) {
                sums[place].solved += solved ? 1 : 0;
                sums[place].tokens += answer.account.spent_tokens();
                sums[place].seconds += answer.seconds;
                print(" " + mark(solved));
            };
            tell(r, t.right(p, answer.text, answer.value));
            if (r + 1 == row_count || rows[r + 1].strategy != nullptr) continue;
            bool any = false;
            for (const hence::candidate& c : answer.candidates) any = any || t.right(p, c.text, c.value);
            tell(r + 1, any);
        }
        print("\n");
    }
    if (asked == 0) return;
    print_table(sums, asked);
    char line[160];
    std::snprintf(line, sizeof line, "\n  %.0f s in all%s. All %zu: hence demo --puzzles %zu --seconds 3600; intervals and curves: hence eval.\n", elapsed(),
                  asked < count ? "; the rest was left out for time" : "", t.problems.size(), t.problems.size());
    print(line);
}

}  // namespace tool
