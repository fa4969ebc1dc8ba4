// Files that mean harm: each gives its own clear error, quickly and in little memory.
//
// tests/fuzz/make_hostile.py writes them and says what each error must mention. Time is processor time, best of
// three, because machines are shared (and a loose limit on the clock, for what would wait); memory is what
// operator new hands out, counted here.
#include <hence/io/gguf.hpp>
#include <hence/io/hf_config.hpp>
#include <hence/io/safetensors.hpp>
#include <hence/models/decoder.hpp>
#include <hence/models/vocabulary_from_gguf.hpp>
#include <hence/text/chat.hpp>
#include <hence/text/tokenizer_json.hpp>

#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include <malloc.h>

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr double most_seconds = hence_test::sanitized ? 2.0 : 0.1;
constexpr double most_waiting_seconds = 20;

std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak_bytes{0};

void* counted_allocate(std::size_t size, std::size_t alignment = 0) {
    const std::size_t whole =
        alignment == 0 ? std::max<std::size_t>(size, 1) : (size + alignment) / alignment * alignment;
    void* const memory = alignment == 0 ? std::malloc(whole) : std::aligned_alloc(alignment, whole);
    if (memory == nullptr) return nullptr;
    const std::size_t live = live_bytes.fetch_add(::malloc_usable_size(memory)) + ::malloc_usable_size(memory);
    std::size_t peak = peak_bytes.load();
    while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
    }
    return memory;
}

void counted_free(void* memory) {
    if (memory == nullptr) return;
    live_bytes.fetch_sub(::malloc_usable_size(memory));
    std::free(memory);
}

/// What one input did.
struct outcome {
    std::optional<hence::error> error;
    double seconds = 0;  // of processor time
    double waited = 0;   // on the clock
    std::size_t bytes = 0;
};

/// The error of opening one file with the parser that the manifest names.
std::optional<hence::error> open_with(const std::string& parser, const std::string& path) {
    const auto error_of = [](auto&& result) -> std::optional<hence::error> {
        if (result) return std::nullopt;
        return result.error();
    };
    if (parser == "gguf") return error_of(hence::gguf_file::open(path));
    if (parser == "model" || parser == "folder") return error_of(hence::load(path));
    if (parser == "vocabulary") {
        auto file = hence::gguf_file::open(path);
        if (!file) return file.error();
        auto vocabulary = hence::vocabulary_from_gguf(*file);
        if (!vocabulary) return vocabulary.error();
        return error_of(hence::tokenizer::make(std::move(*vocabulary)));
    }
    if (parser == "safetensors") return error_of(hence::safetensors_file::open(path));
    if (parser == "config") return error_of(hence::parse_hf_config(hence_test::read_file(path), path));
    if (parser == "generation_config")
        return error_of(hence::parse_hf_generation_config(hence_test::read_file(path), path));
    if (parser == "tokenizer_json") {
        const std::string text = hence_test::read_file(path);
        hence::tokenizer_files files;
        files.tokenizer_json = text;
        files.name = path;
        auto vocabulary = hence::vocabulary_from_json(files);
        if (!vocabulary) return vocabulary.error();
        return error_of(hence::tokenizer::make(std::move(*vocabulary)));
    }
    if (parser == "template") {
        hence::vocabulary vocabulary;
        vocabulary.model = "llama";
        vocabulary.tokens = {"<unk>", "<s>", "</s>", "a"};
        vocabulary.scores = {0, 0, 0, -1};
        vocabulary.types = {2, 3, 3, 1};
        vocabulary.unknown = 0;
        vocabulary.chat_template = hence_test::read_file(path);
        auto tokenizer = hence::tokenizer::make(std::move(vocabulary));
        if (!tokenizer) return tokenizer.error();
        const std::vector<hence::chat_message> messages = {{"user", "hello"}, {"assistant", "hi"}};
        return error_of(hence::render_chat(*tokenizer, messages));
    }
    return hence::make_error(hence::errc::invalid_argument, parser, "a parser this test knows");
}

outcome run_once(const std::string& parser, const std::string& path) {
    outcome made;
    const std::size_t before = live_bytes.load();
    peak_bytes.store(before);
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t busy = std::clock();
    made.error = open_with(parser, path);
    made.seconds = static_cast<double>(std::clock() - busy) / CLOCKS_PER_SEC;
    made.waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    made.bytes = peak_bytes.load() - before;
    return made;
}

struct hostile_input {
    std::string parser, kind, path, says;
};

std::vector<hostile_input> read_manifest(const std::string& folder) {
    std::vector<hostile_input> inputs;
    std::istringstream lines(hence_test::read_file(folder + "/manifest.tsv"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        hostile_input input;
        std::getline(fields, input.parser, '\t');
        std::getline(fields, input.kind, '\t');
        std::getline(fields, input.path, '\t');
        std::getline(fields, input.says, '\t');
        input.path = folder + "/" + input.path;
        inputs.push_back(input);
    }
    return inputs;
}

bool printable(const std::string& message) {
    return std::none_of(message.begin(), message.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\n') || byte == 0x7f;
    });
}

}  // namespace

// Counted allocation for the whole executable. A request beyond the limit is granted and then reported: a
// refusal would hide it where the library copes with bad_alloc.
void* operator new(std::size_t size) {
    void* const memory = counted_allocate(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return counted_allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    void* const memory = counted_allocate(size, static_cast<std::size_t>(alignment));
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept {
    counted_free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    counted_free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    counted_free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    counted_free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    counted_free(memory);
}

TEST_CASE("every hostile file gives its own clear error, in under 100 ms and 64 MB") {
    const hence_test::temporary_folder folder;
    const std::string script = (hence_test::source_dir() / "tests/fuzz/make_hostile.py").string();
    REQUIRE(std::system(("python3 '" + script + "' '" + folder.path() + "' >/dev/null").c_str()) == 0);
    const std::vector<hostile_input> inputs = read_manifest(folder.path());
    REQUIRE(inputs.size() >= 60);
    std::map<std::string, std::size_t> counts;
    std::size_t largest = 0;
    double slowest = 0;
    std::string slowest_kind;
    for (const hostile_input& input : inputs) {
        INFO(input.parser << ": " << input.kind);
        outcome made = run_once(input.parser, input.path);
        for (int again = 0; again < 2 && made.seconds > most_seconds; ++again)
            made.seconds = std::min(made.seconds, run_once(input.parser, input.path).seconds);
        CHECK(made.seconds <= most_seconds);
        CHECK(made.waited <= most_waiting_seconds);
        CHECK(made.bytes <= most_bytes);
        largest = std::max(largest, made.bytes);
        if (made.seconds > slowest) {
            slowest = made.seconds;
            slowest_kind = input.parser + " " + input.kind;
        }
        ++counts[input.parser];
        if (!made.error) {
            FAIL_CHECK(input.parser << ": " << input.kind << " was taken for a good file");
            continue;
        }
        const std::string message = made.error->message();
        INFO(message.substr(0, 2000));
        CHECK_FALSE(made.error->where.empty());
        CHECK(message.size() <= 16384);
        CHECK(printable(message));
        CHECK(message.find(input.says) != std::string::npos);
        CHECK((!made.error->expected.empty() || !made.error->actual.empty()));
    }
    for (const auto& [parser, count] : counts) CHECK(count >= 5);
    WARN(inputs.size() << " hostile inputs: slowest " << slowest * 1000 << " ms (" << slowest_kind << "), largest "
                       << largest / 1024 << " KB");
}
