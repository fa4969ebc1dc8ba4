// What the subcommands of `hence` share: the options that say which model runs how, exit statuses, output.
//
// Each subcommand is one file with one function, add_NAME(), that declares its options and what to do.
// Anything that goes wrong is thrown: usage_error ends the program with status 2, everything else with 1.
#ifndef HENCE_EXAMPLES_CLI_COMMON_HPP
#define HENCE_EXAMPLES_CLI_COMMON_HPP

#include <hence/hence.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace tool {

/// The command line asks for something that does not exist.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// --threads and --isa: how the machine is used.
struct machine_options {
    int threads = 0;
    std::string isa;

    /// The tier asked for, if one was.
    [[nodiscard]] std::optional<hence::isa> tier() const;
};

/// Which model runs in which arithmetic.
struct model_options : machine_options {
    std::string path;  ///< empty: the model that ships
    std::string math = "f32";
    std::string kv = "f32";
    std::size_t context = 0;

    /// What the model is called in output: the file's name.
    [[nodiscard]] std::string name() const;
    [[nodiscard]] hence::decoder load() const;
    [[nodiscard]] hence::engine_options engine() const;
};

/// --temp, --seed and the other settings of a draw.
struct sampling_options {
    hence::sampling settings;
    std::vector<std::string> stop;
    std::size_t max_tokens = 256;

    [[nodiscard]] hence::until limits() const;
};

void add_machine_options(CLI::App& command, machine_options& o);
void add_model_options(CLI::App& command, model_options& o);
void add_sampling_options(CLI::App& command, sampling_options& o);

/// The bytes of the model that ships, which are part of the program.
[[nodiscard]] std::span<const std::byte> shipped_model();
inline constexpr std::string_view shipped_model_name = "tiny-reasoner-q8_0.gguf";

/// The puzzles of the Game of 24 as published, which are part of the program too (examples/data/game24/24.csv).
[[nodiscard]] std::string_view shipped_puzzles();

/// The tokenizer of a GGUF file or a folder, without its weights; of the model that ships for "".
[[nodiscard]] hence::tokenizer load_tokenizer(const std::string& path);

/// A file's bytes, or standard input's for "-".
[[nodiscard]] std::string read_file(const std::string& path);

/// Writes a file that appears complete or not at all.
void write_file(const std::string& path, std::string_view bytes);

/// Replaces \n, \t and \\ by what they stand for.
[[nodiscard]] std::string unescape(std::string_view text);

/// A prompt's ids; an empty prompt is refused unless the vocabulary puts a token of its own before it.
[[nodiscard]] std::vector<hence::token_id> encode_prompt(const hence::tokenizer& tokenizer, std::string_view text);

/// The natural logarithm of the sum of exponentials; throws where a logit is no number.
[[nodiscard]] double log_sum_exp(std::span<const float> logits, std::size_t position);

/// The JSON form of a 64-bit hash: hexadecimal text, which no reader rounds.
[[nodiscard]] std::string hash_text(std::uint64_t hash);

[[nodiscard]] nlohmann::json to_json(const hence::account& account);

/// Prints a document on a line (or indented); bytes that are no UTF-8 become U+FFFD.
void print_json(const nlohmann::json& document, bool indent = false);

/// Text to standard output, at once.
void print(std::string_view text);

/// Whether people read along: progress is shown only then.
[[nodiscard]] bool error_is_terminal();
[[nodiscard]] bool output_is_terminal();
[[nodiscard]] bool input_is_terminal();

/// One line of progress on a terminal, written over by the next; nothing in a pipe.
class progress_line {
public:
    progress_line() = default;
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    ~progress_line() { clear(); }
    void show(const std::string& text);
    void clear();

private:
    bool shown_ = false;
};

void add_generate(CLI::App& app);
void add_chat(CLI::App& app);
void add_reason(CLI::App& app);
void add_compare(CLI::App& app);
void add_eval(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_render(CLI::App& app);
void add_logits(CLI::App& app);
void add_perplexity(CLI::App& app);
void add_inspect(CLI::App& app);
void add_quantize(CLI::App& app);
void add_prune(CLI::App& app);
void add_demo(CLI::App& app);
void add_bench(CLI::App& app);
void add_version(CLI::App& app);

}  // namespace tool

#endif
