// hence demo: the model that ships answers the same questions at once, step by step, and by vote, and then solves puzzles
// by search (demo_puzzles.cpp).
//
// Nothing is recorded: the text streams as the model writes it, and an exact checker that knows nothing of the
// model says what was right.
#include "demo.hpp"

#include "tasks.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <map>
#include <memory>

namespace tool {

namespace {

// --- questions ---------------------------------------------------------------------------------------

enum class game { calculate, twenty_four };

struct question {
    game kind;
    std::string_view text;
};

// Calculations of three and four operations, and the first puzzles of the Game of 24's published test split, which the
// model was not trained on.
constexpr std::array<question, 8> questions{{
    {game::calculate, "17*3-9"},
    {game::calculate, "(23+19)*4-58"},
    {game::calculate, "84/7+36*2"},
    {game::calculate, "9*(46-38)+65"},
    {game::twenty_four, "4 5 6 10"},
    {game::twenty_four, "1 2 4 7"},
    {game::twenty_four, "2 5 8 11"},
    {game::twenty_four, "3 4 4 13"},
}};

std::string prompt(const question& q, bool at_once) {
    const std::string head = q.kind == game::calculate ? "calc" : "24";
    return head + (at_once ? " direct: " : ": ") + std::string(q.text);
}

hence::any_extractor extractor(const question& q) {
    if (q.kind == game::calculate) return hence::extract::after_marker{"answer"};
    return claimed_solution;
}

// The exact checker: what an expression is worth, and whether steps are arithmetic that leads to 24.
bool right(const question& q, const hence::answer& answer, bool at_once) {
    if (q.kind == game::calculate) {
        const auto said = hence::evaluate(answer.value);
        return said && said->value == hence::evaluate(q.text).value().value;
    }
    const auto numbers = hence::parse_numbers(q.text).value();
    const std::string text = answer.text.substr(0, answer.text.find_last_not_of('\n') + 1);
    return (at_once ? hence::check_24(text, numbers) : hence::check_24_steps(answer.value, numbers)).has_value();
}

// --- showing -----------------------------------------------------------------------------------------

// A completion on one line, cut to what a terminal shows.
class one_line {
public:
    explicit one_line(std::size_t width) : width_(width) {}

    void add(std::string_view text) {
        std::string out;
        for (const char c : text) {
            if (c == '\n') {
                parted_ = true;
                continue;
            }
            if (parted_ && used_ > 0) put(out, " | ");
            parted_ = false;
            put(out, std::string_view(&c, 1));
        }
        print(out);
    }
    void finish() { print(std::string(used_ < width_ ? width_ - used_ : 0, ' ')); }

private:
    void put(std::string& out, std::string_view piece) {
        if (used_ + piece.size() + 3 > width_) {
            if (!cut_) out += "...";
            if (!cut_) used_ += 3;
            cut_ = true;
            return;
        }
        out += piece;
        used_ += piece.size();
    }
    std::size_t width_;
    std::size_t used_ = 0;
    bool parted_ = false;
    bool cut_ = false;
};

struct total {
    std::size_t right = 0;
    std::int64_t tokens = 0;
    double seconds = 0;
};

constexpr std::size_t text_width = 66;

template <class Strategy>
void ask(hence::engine<hence::decoder>& engine, const question& q, bool at_once, std::string_view title, const Strategy& strategy,
         const demo_options& o, total& sum) {
    char head[64];
    std::snprintf(head, sizeof head, "  %-17s ", std::string(title).c_str());
    print(head);
    one_line line(text_width);
    const hence::any_extractor find = at_once ? hence::any_extractor(hence::extract::automatic{}) : extractor(q);
    std::map<std::size_t, std::string> samples;
    constexpr bool votes = std::is_same_v<Strategy, hence::self_consistency>;

    hence::reason_options how;
    how.seed = o.seed;
    how.max_tokens = 200;
    how.extractor = q.kind == game::calculate ? extractor(q) : find;
    how.on_text = [&](const hence::text_piece& piece) {
        if (!votes) return line.add(piece.text);
        std::string& text = samples[piece.sample] += piece.text;
        if (piece.finish == hence::finish_reason::none || piece.finish == hence::finish_reason::cancelled) return;
        const auto found = find(text);
        if (q.kind == game::calculate) line.add(found ? *found + " " : "? ");
        else line.add(found ? "x" : ".");
    };
    const hence::answer answer = hence::reason(engine, prompt(q, at_once), strategy, {}, how);
    if (votes) line.add("-> " + (answer.found() ? answer.value : "none"));
    line.finish();
    const bool good = right(q, answer, at_once);
    sum.right += good ? 1 : 0;
    sum.tokens += answer.account.generated_tokens;
    sum.seconds += answer.seconds;
    char tail[64];
    std::snprintf(tail, sizeof tail, " %5lld tokens %6.3f s\n", static_cast<long long>(answer.account.generated_tokens), answer.seconds);
    print(" " + verdict(good) + tail);
}

void print_total(std::string_view title, const total& sum) {
    char line[128];
    std::snprintf(line, sizeof line, "  %-17s %2zu of %zu right   %6lld tokens   %7.3f s   %8.0f tokens/s\n", std::string(title).c_str(), sum.right,
                  questions.size(), static_cast<long long>(sum.tokens), sum.seconds, static_cast<double>(sum.tokens) / sum.seconds);
    print(line);
}

void run(const demo_options& o) {
    const hence::decoder model = o.load();
    hence::engine engine = hence::engine<hence::decoder>::make(model, o.engine()).value();
    print(o.name() + ": " + std::to_string(model.parameters() / 1000) + " k parameters, frozen; " + std::string(hence::name(model.tier())) +
          " kernels, " + std::to_string(engine.threads()) + " threads. The same weights answer each question in three ways.\n");
    std::array<total, 3> sums;
    for (const question& q : questions) {
        const std::string text(q.text);
        print(q.kind == game::calculate ? "\n" + text + " = ?\n" : "\nmake 24 from " + text + "   (x: a sample that claims a solution, .: one that does not)\n");
        ask(engine, q, true, "direct", hence::direct{}, o, sums[0]);
        ask(engine, q, false, "chain of thought", hence::chain_of_thought{}, o, sums[1]);
        ask(engine, q, false, "self-consistency", hence::self_consistency{.samples = o.samples}, o, sums[2]);
    }
    print("\nin all, judged by an exact checker\n");
    print_total("direct", sums[0]);
    print_total("chain of thought", sums[1]);
    print_total("self-consistency", sums[2]);
    if (o.puzzles > 0) show_puzzles(engine, o);
}

}  // namespace

std::string verdict(bool good) {
    const std::string word = good ? "right" : "wrong";
    if (!output_is_terminal()) return word;
    return (good ? "\033[32m" : "\033[31m") + word + "\033[0m";
}

void add_demo(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("demo", "Shows what thinking longer and voting do for a small model");
    const auto o = std::make_shared<demo_options>();
    add_model_options(*command, *o);
    command->add_option("--seed", o->seed, "draws are a function of it")->capture_default_str();
    command->add_option("--samples", o->samples, "samples of self-consistency")->check(CLI::Range(1, 4096))->capture_default_str();
    command->add_option("--puzzles", o->puzzles, "puzzles of the Game of 24, of 100; 0: none")->check(CLI::Range(0, 100))->capture_default_str();
    command->add_option("--seconds", o->seconds, "no further puzzle is begun after so many")->check(CLI::Range(0.0, 1e6))->capture_default_str();
    command->callback([o] { run(*o); });
}

}  // namespace tool
