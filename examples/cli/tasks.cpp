// Definitions of tasks.hpp: where questions come from, and what makes an answer right.
#include "tasks.hpp"

#include <hence/core/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace tool {

namespace {

namespace fs = std::filesystem;

// --- Game of 24 --------------------------------------------------------------------------------------

// The published test split: rows 900-999 after the head.
std::vector<problem> puzzles() {
    std::vector<problem> list;
    std::string_view rest = shipped_puzzles();
    for (std::size_t row = 0; !rest.empty(); ++row) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (row < 901 || row > 1000) continue;
        const std::size_t begin = line.find(',') + 1;
        const std::string numbers(line.substr(begin, line.find(',', begin) - begin));
        list.push_back({std::to_string(row - 1), "24: " + numbers, "24 direct: " + numbers, {}});
    }
    return list;
}

// --- arithmetic --------------------------------------------------------------------------------------

// Expressions of two to four operations on whole numbers; no step goes below 0 or above 9999.
struct expression_maker {
    hence::counter_rng rng;
    std::uint64_t number;
    bool easy = false;  // small numbers only
    std::uint32_t drawn = 0;

    std::uint64_t below(std::uint64_t n) { return rng.words(number, drawn++, 0)[0] % n; }

    struct part {
        std::string text;
        std::int64_t value;
        int precedence;  // 1 sum, 2 product, 3 number
        bool allowed;
    };

    part make(std::size_t operations) {
        if (operations == 0) {
            const auto value = static_cast<std::int64_t>(easy ? 2 + below(18) : below(2) == 0 ? 2 + below(8) : 10 + below(90));
            return {std::to_string(value), value, 3, true};
        }
        const std::size_t left = below(operations);
        part a = make(left);
        const char operation = "+-*+-"[below(5)];
        part b = make(operations - 1 - left);
        const int precedence = operation == '*' ? 2 : 1;
        if (a.precedence < precedence) a.text = "(" + a.text + ")";
        if (b.precedence < precedence || (b.precedence == precedence && operation == '-')) b.text = "(" + b.text + ")";
        const std::int64_t value = operation == '+'   ? a.value + b.value
                                   : operation == '-' ? a.value - b.value
                                                      : a.value * b.value;
        const bool fits = value >= 0 && value <= 9999 && !(operation == '*' && std::min(a.value, b.value) > 99);
        return {a.text + operation + b.text, value, precedence, a.allowed && b.allowed && fits};
    }
};

std::vector<problem> expressions(std::size_t count, std::size_t first) {
    constexpr std::size_t operations[] = {2, 2, 3, 3, 3, 4};
    constexpr std::uint64_t seed = 2024;
    std::vector<problem> list;
    for (std::size_t i = 0; i < count; ++i) {
        expression_maker maker{{seed}, first + i};
        for (;;) {
            const auto made = maker.make(operations[maker.below(6)]);
            if (!made.allowed) continue;
            list.push_back({std::to_string(first + i), "calc: " + made.text, "calc direct: " + made.text,
                            std::to_string(made.value)});
            break;
        }
    }
    return list;
}

// Easy sums and puzzles in turn: what a strategy that looks at the difficulty is for.
std::vector<problem> mixed() {
    std::vector<problem> list;
    constexpr std::uint64_t seed = 2025;
    for (const problem& puzzle : puzzles()) {
        const std::size_t number = list.size() / 2;
        expression_maker maker{{seed}, number, true};
        for (;;) {
            const auto made = maker.make(1 + maker.below(2));
            if (!made.allowed) continue;
            list.push_back({"sum " + std::to_string(number), "calc: " + made.text, "calc direct: " + made.text,
                            std::to_string(made.value)});
            break;
        }
        list.push_back(puzzle);
    }
    return list;
}

// --- files -------------------------------------------------------------------------------------------

std::string find_data(const std::string& task, const std::string& relative) {
    std::vector<fs::path> places;
    if (const char* const named = std::getenv("HENCE_TEST_DATA"); named != nullptr && *named != '\0')
        places.emplace_back(named);
    places.push_back(fs::path(HENCE_EXAMPLES_DIR) / ".." / ".." / "shared" / "data");
    places.push_back(fs::path("..") / "shared" / "data");
    std::string tried;
    for (const fs::path& place : places) {
        std::error_code ignored;
        const fs::path path = (place / relative).lexically_normal();
        if (fs::is_regular_file(path, ignored)) return path.string();
        tried += (tried.empty() ? "" : ", ") + path.string();
    }
    throw std::runtime_error("--task " + task + ": expected the file " + relative +
                             " in the folder that HENCE_TEST_DATA names; not found: " + tried);
}

// The first of several fields that an object has, as text.
std::optional<std::string> field(const nlohmann::json& object, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        const auto found = object.find(name);
        if (found == object.end()) continue;
        if (found->is_string()) return found->get<std::string>();
        if (found->is_number()) {
            std::string text = found->dump();
            if (text.ends_with(".0")) text.resize(text.size() - 2);
            return text;
        }
        throw std::runtime_error("expected text or a number as \"" + std::string(name) + "\", found " +
                                 hence::quote(found->dump(), 60));
    }
    return std::nullopt;
}

problem read_problem(const nlohmann::json& object, std::size_t number) {
    if (!object.is_object())
        throw std::runtime_error("expected an object with \"question\" and \"answer\", found " +
                                 hence::quote(object.dump(), 60));
    auto question = field(object, {"question", "problem", "Question"});
    if (!question) throw std::runtime_error("expected a field \"question\"");
    const auto body = field(object, {"Body", "context"});
    if (body) {
        const bool ended = body->ends_with('.') || body->ends_with('?') || body->ends_with('!');
        question = *body + (ended ? " " : ". ") + *question;
    }
    auto truth = field(object, {"answer", "Answer"});
    if (!truth || truth->empty()) throw std::runtime_error("expected a field \"answer\"");
    // GSM8K writes its solutions out; the answer stands after the mark.
    if (const std::size_t mark = truth->rfind("#### "); mark != std::string::npos) truth = truth->substr(mark + 5);
    return {field(object, {"id", "ID", "unique_id"}).value_or(std::to_string(number)), *question, *question, *truth};
}

std::vector<problem> read_problems(const std::string& path) {
    const std::string bytes = read_file(path);
    std::vector<problem> list;
    const auto add = [&](const nlohmann::json& object, const std::string& place) {
        try {
            list.push_back(read_problem(object, list.size()));
        } catch (const std::exception& e) {
            throw std::runtime_error(place + ": " + e.what());
        }
    };
    const std::size_t start = std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
    if (start < bytes.size() && bytes[start] == '[') {
        const nlohmann::json all = hence::parse_json(bytes, path).value();
        for (const nlohmann::json& one : all) add(one, path + ": entry " + std::to_string(list.size()));
    } else {
        std::size_t line = 0;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
            const std::string_view text = std::string_view(bytes).substr(at, end - at);
            at = end + 1;
            ++line;
            if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            const std::string place = path + ": line " + std::to_string(line);
            add(hence::parse_json(text, place).value(), place);
        }
    }
    if (list.empty()) throw std::runtime_error(path + ": expected questions, found none");
    return list;
}

// A number where there is one: models put units and words around it.
std::optional<std::string> stated_number(std::string_view completion) {
    const auto found = hence::extract::automatic{}(completion);
    if (!found || hence::canonicalize(*found).number) return found;
    const auto number = hence::extract::last_number{}(*found);
    return number ? number : found;
}

void keep(task& t, std::size_t count, std::size_t first) {
    if (first >= t.problems.size())
        throw usage_error("--first: " + t.name + " has " + std::to_string(t.problems.size()) +
                          " questions, so expected less than that, found " + std::to_string(first));
    t.problems.erase(t.problems.begin(), t.problems.begin() + static_cast<std::ptrdiff_t>(first));
    if (count > 0 && count < t.problems.size()) t.problems.resize(count);
}

}  // namespace

std::optional<std::string> claimed_solution(std::string_view completion) {
    std::string steps;
    bool claimed = false;
    for (std::size_t begin = 0; begin < completion.size();) {
        const std::size_t end = std::min(completion.find('\n', begin), completion.size());
        const std::string line(completion.substr(begin, end - begin));
        begin = end + 1;
        if (line.find('=') != std::string::npos)
            steps.append(steps.empty() ? "" : "\n").append(line);
        else if (line == "ok")
            claimed = true;
        else
            steps.clear();
    }
    if (!claimed || steps.empty()) return std::nullopt;
    return steps;
}

bool task::right(const problem& p, std::string_view text, std::string_view value) const {
    if (p.truth.empty()) return hence::verify::solves_24(p.question, value.empty() ? text : value).has_value();
    if (value.empty()) return false;
    const hence::canonical_form said = hence::canonicalize(value);
    const hence::canonical_form truth = hence::canonicalize(p.truth);
    return truth.number ? said.number == truth.number : said.text == truth.text;
}

task load_task(const std::string& name, std::size_t count, std::size_t first) {
    task t;
    t.name = name;
    if (name == "arithmetic") {
        t.problems = expressions(count == 0 ? 200 : count, first);
        t.extractor = stated_number;
        t.system =
            "Calculate what stands after \"calc:\". Work step by step. End with a line that says 'answer:' and then "
            "only the number.";
        t.max_tokens = 200;
        return t;
    }
    if (name == "game24") {
        t.problems = puzzles();
        t.extractor = [](std::string_view completion) -> std::optional<std::string> {
            if (auto claimed = claimed_solution(completion)) return claimed;
            return hence::extract::after_marker{"answer:"}(completion);
        };
        t.system =
            "Play the Game of 24: use the four numbers after \"24:\", each exactly once, with + - * / and parentheses, "
            "to make 24. "
            "Work step by step. End with a line that says 'answer:' and then one expression, such as answer: "
            "(8-6)*(8+4)";
        t.max_tokens = 60;
        keep(t, count, first);
        return t;
    }
    if (name == "mixed") {
        t.problems = mixed();
        // A calculation ends with "answer N"; where nothing is said to be the answer, only a claimed solution is one.
        t.extractor = [](std::string_view completion) -> std::optional<std::string> {
            if (auto claimed = claimed_solution(completion)) return claimed;
            return completion.find("answer") == std::string_view::npos ? std::nullopt : stated_number(completion);
        };
        t.system =
            "Calculate what stands after \"calc:\" and end with a line that says 'answer:' and then only the number. "
            "After \"24:\" stand four "
            "numbers: use each exactly once, with + - * / and parentheses, to make 24, and end with 'answer:' and the "
            "expression.";
        t.max_tokens = 60;
        keep(t, count, first);
        return t;
    }
    t.extractor = stated_number;
    if (name == "gsm8k")
        t.problems = read_problems(find_data(name, "eval/gsm8k/test_even.jsonl"));
    else if (name == "svamp")
        t.problems = read_problems(find_data(name, "eval/svamp/svamp_even.json"));
    else if (name == "math500") {
        t.problems = read_problems(find_data(name, "eval/math500/test_even.jsonl"));
        t.extractor = hence::extract::automatic{};
        t.max_tokens = 512;
    } else {
        std::error_code ignored;
        if (!fs::exists(name, ignored))
            throw usage_error("--task: expected " + std::string(task_names) + ", found " + hence::quote(name) +
                              ", which is neither");
        t.problems = read_problems(name);
        const bool numbers = std::all_of(t.problems.begin(), t.problems.end(), [](const problem& p) {
            return hence::canonicalize(p.truth).number.has_value();
        });
        if (!numbers) t.extractor = hence::extract::automatic{};
        t.name = fs::path(name).filename().string();
    }
    keep(t, count, first);
    return t;
}

}  // namespace tool
