#include "hence/reason/canonical.hpp"
#include "hence/reason/extractor.hpp"

#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace x = hence::extract;

namespace {
std::string or_none(const std::optional<std::string>& found) { return found ? *found : "<none>"; }
}  // namespace

TEST_CASE("last_number: a minus is a sign only where no operand stands before it") {
    CHECK(or_none(x::last_number{}("17*3=51\n51-9=42")) == "42");
    CHECK(or_none(x::last_number{}("51-9")) == "9");
    CHECK(or_none(x::last_number{}("x = -9.")) == "-9");
    CHECK(or_none(x::last_number{}("it is -9")) == "-9");
    CHECK(or_none(x::last_number{}("(-9)")) == "-9");
    CHECK(or_none(x::last_number{}("-5")) == "-5");
    CHECK(or_none(x::last_number{}("cost $1,234.50 in all.")) == "1,234.50");
    CHECK(or_none(x::last_number{}("1,2")) == "2");
    CHECK(or_none(x::last_number{}("about 3/4 of it")) == "3/4");
    CHECK(or_none(x::last_number{}("pi is .5 or so")) == ".5");
    CHECK(or_none(x::last_number{}("no number")) == "<none>");
    CHECK(or_none(x::last_number{}("")) == "<none>");
}

TEST_CASE("after_marker: the rest of the line after the last marker") {
    CHECK(or_none(x::after_marker{}("51-9=42\nanswer 42")) == "42");
    CHECK(or_none(x::after_marker{}("The Answer is: **42**.\nbye")) == "42");
    CHECK(or_none(x::after_marker{}("answer 1\nanswer 2")) == "2");
    CHECK(or_none(x::after_marker{.marker = "####"}("x #### 1,000")) == "1,000");
    CHECK(or_none(x::after_marker{}("answer\n")) == "<none>");
    CHECK(or_none(x::after_marker{}("nothing")) == "<none>");
    CHECK(or_none(x::after_marker{.marker = ""}("nothing")) == "<none>");
}

TEST_CASE("choice: a letter that stands for an option") {
    CHECK(or_none(x::choice{}("I think (B), no: the answer is (C).")) == "C");
    CHECK(or_none(x::choice{}("Between (A) and (D)... (D)")) == "D");
    CHECK(or_none(x::choice{}("B")) == "B");
    CHECK(or_none(x::choice{}("Because DNA is long.")) == "<none>");
    CHECK(or_none(x::choice{.letters = "XY"}("answer: Y")) == "Y");
}

TEST_CASE("boxed: the last complete box, with balanced braces") {
    CHECK(or_none(x::boxed{}("\\boxed{1} then $\\boxed{\\frac{1}{2}}$")) == "\\frac{1}{2}");
    CHECK(or_none(x::boxed{}("\\boxed{7} and \\boxed{unfinished")) == "7");
    CHECK(or_none(x::boxed{}("\\fbox{3}")) == "3");
    CHECK(or_none(x::boxed{}("\\boxed 5$")) == "5");
    CHECK(or_none(x::boxed{}("none")) == "<none>");
    std::string hostile;
    for (int i = 0; i < 100000; ++i) hostile += "\\boxed{";
    CHECK(or_none(x::boxed{}(hostile)) == "<none>");
}

TEST_CASE("matching, last_line, whole_text and automatic") {
    const auto pattern = hence::regex::compile("result: (\\d+)").value();
    CHECK(or_none(x::matching{.pattern = pattern}("result: 1 result: 2")) == "2");
    CHECK(or_none(x::matching{.pattern = pattern, .last = false}("result: 1 result: 2")) == "1");
    CHECK(or_none(x::matching{.pattern = pattern}("nothing")) == "<none>");
    CHECK(or_none(x::last_line{}("a\nb\n\n")) == "b");
    CHECK(or_none(x::whole_text{}("  ")) == "<none>");
    CHECK(or_none(x::automatic{}("so \\boxed{3} and 4")) == "3");
    CHECK(or_none(x::automatic{}("#### 12\n13")) == "12");
    CHECK(or_none(x::automatic{}("answer 7, of 9")) == "7, of 9");
    CHECK(or_none(x::automatic{}("the sum is 9")) == "9");
}

TEST_CASE("extractors are found by name, and an unknown name lists the known") {
    CHECK(or_none(hence::parse_extractor("last_number").value()("a 4")) == "4");
    CHECK(or_none(hence::parse_extractor("after_marker:=>").value()("=> yes")) == "yes");
    CHECK(or_none(hence::parse_extractor("choice:PQ").value()("(Q)")) == "Q");
    CHECK(or_none(hence::parse_extractor("regex:a(b+)").value()("abbb")) == "bbb");
    CHECK(or_none(hence::parse_extractor("regex:ab+").value()("abbb")) == "abbb");
    const auto unknown = hence::parse_extractor("guess");
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().message().find("last_number") != std::string::npos);
    CHECK(hence::parse_extractor("regex:(").error().code == hence::errc::bad_format);
}

TEST_CASE("extraction agrees with the recorded correctness of four systems on GSM8K") {
    HENCE_REQUIRE_DATA(path, "eval/gsm8k/recorded_solutions_even.jsonl");
    std::ifstream file(path);
    std::string line;
    int judged = 0;
    int agreed = 0;
    int truths = 0;
    while (std::getline(file, line)) {
        const auto entry = nlohmann::json::parse(line, nullptr, false);
        REQUIRE(entry.is_object());
        const x::after_marker marker{.marker = "A:"};
        const auto truth = marker(entry["ground_truth"].get<std::string>());
        REQUIRE(truth.has_value());
        truths += hence::canonicalize(*truth).number.has_value() ? 1 : 0;
        for (const char* system : {"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}) {
            const auto found = marker(entry[system]["solution"].get<std::string>());
            const bool right = found && hence::equivalent(*found, *truth);
            ++judged;
            agreed += right == entry[system]["is_correct"].get<bool>() ? 1 : 0;
        }
    }
    REQUIRE(judged >= 4 * 600);
    INFO(agreed << " of " << judged);
    CHECK(truths * 4 == judged);
    CHECK(agreed == judged);
}

TEST_CASE("boxed and canonical agree with the answers that MATH-500 gives beside its solutions") {
    HENCE_REQUIRE_DATA(path, "eval/math500/test_even.jsonl");
    std::ifstream file(path);
    std::string line;
    int all = 0;
    int agreed = 0;
    while (std::getline(file, line)) {
        const auto entry = nlohmann::json::parse(line, nullptr, false);
        const auto found = x::boxed{}(entry["solution"].get<std::string>());
        const bool same = found && hence::equivalent(*found, entry["answer"].get<std::string>());
        if (!same) WARN(entry["unique_id"] << ": " << or_none(found) << " against " << entry["answer"]);
        ++all;
        agreed += same ? 1 : 0;
    }
    REQUIRE(all >= 240);
    INFO(agreed << " of " << all);
    CHECK(agreed >= all - 2);
}
