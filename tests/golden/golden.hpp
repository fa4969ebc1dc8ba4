// Golden files: what another engine says about a model file, and a bare forward pass to compare it with.
//
// The fields are explained in README.md beside this. run() fills a page table and calls decoder::forward()
// itself, so that these comparisons stand on the model alone and on no engine.
#ifndef HENCE_TESTS_GOLDEN_GOLDEN_HPP
#define HENCE_TESTS_GOLDEN_GOLDEN_HPP

#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/test_data.hpp"

#include <hence/models/decoder.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace hence_test {

// Under the sanitizers (support/sanitized.hpp) the large model is left to the ordinary build, and of the number formats
// a few are enough.

struct golden_position {
    std::size_t position = 0;
    std::vector<hence::token_id> top_ids;
    std::vector<double> top_logits;
    double log_sum_exp = 0;

    /// How far the best token is ahead of the second.
    [[nodiscard]] double margin() const { return top_logits.at(0) - top_logits.at(1); }
};

struct golden_prompt {
    std::string text;
    std::vector<hence::token_id> ids;
    std::vector<golden_position> positions;
    double mean_negative_log_likelihood = 0;
    std::vector<hence::token_id> greedy;
    std::vector<double> greedy_margin;
    double quantized_error = 0;      ///< listed_mean_abs_error
    double quantized_agreement = 0;  ///< listed_top1_agreement
};

struct golden_file {
    std::string name;
    std::filesystem::path model;
    std::size_t vocabulary = 0;
    std::vector<golden_prompt> prompts;
};

inline golden_file read_golden(const std::filesystem::path& json_path, const std::filesystem::path& model_path) {
    const nlohmann::json document = nlohmann::json::parse(read_file(json_path));
    golden_file golden{json_path.stem().string(), model_path, document.at("vocabulary").get<std::size_t>(), {}};
    for (const nlohmann::json& entry : document.at("prompts")) {
        golden_prompt prompt;
        entry.at("text").get_to(prompt.text);
        entry.at("ids").get_to(prompt.ids);
        for (const nlohmann::json& place : entry.at("positions")) {
            golden_position position;
            place.at("position").get_to(position.position);
            place.at("top_ids").get_to(position.top_ids);
            place.at("top_logits").get_to(position.top_logits);
            place.at("log_sum_exp").get_to(position.log_sum_exp);
            prompt.positions.push_back(std::move(position));
        }
        entry.at("mean_negative_log_likelihood").get_to(prompt.mean_negative_log_likelihood);
        entry.at("greedy").get_to(prompt.greedy);
        entry.at("greedy_margin").get_to(prompt.greedy_margin);
        entry.at("quantized_path").at("listed_mean_abs_error").get_to(prompt.quantized_error);
        entry.at("quantized_path").at("listed_top1_agreement").get_to(prompt.quantized_agreement);
        golden.prompts.push_back(std::move(prompt));
    }
    REQUIRE(!golden.prompts.empty());
    return golden;
}

/// Every pair tiny/NAME.gguf and tiny/NAME.json that can be found; the pairs of the repository's own folder
/// are always among them.
inline std::vector<golden_file> tiny_goldens() {
    std::vector<golden_file> all;
    const auto folder = data("golden/tiny");
    REQUIRE(folder);
    std::set<std::filesystem::path> names;
    for (const auto& entry : std::filesystem::directory_iterator(*folder))
        if (entry.path().extension() == ".json") names.insert(entry.path());
    for (const std::filesystem::path& json : names) {
        std::filesystem::path model = json;
        all.push_back(read_golden(json, model.replace_extension(".gguf")));
    }
    REQUIRE(all.size() >= 4);
    return all;
}

/// The pairs that differ in number format alone.
inline std::vector<golden_file> format_goldens() {
    std::vector<golden_file> all;
    for (golden_file& golden : tiny_goldens()) {
        const bool few = golden.name == "format-f32" || golden.name == "format-q8_0" || golden.name == "format-q4_k";
        if (golden.name.rfind("format-", 0) == 0 && (few || !sanitized)) all.push_back(std::move(golden));
    }
    REQUIRE(all.size() >= 2);
    return all;
}

/// Whether a file's matrices are all of types that run with float activations.
inline bool float_weights(const std::filesystem::path& path) {
    const auto file = hence::gguf_file::open(path.string());
    REQUIRE(file.has_value());
    for (const hence::gguf_tensor& tensor : file->tensors())
        if (tensor.type != hence::dtype::f32 && tensor.type != hence::dtype::f16 && tensor.type != hence::dtype::bf16)
            return false;
    return true;
}

inline hence::decoder load_model(const std::filesystem::path& path, const hence::load_options& options = {}) {
    auto model = hence::load(path.string(), options);
    INFO((model ? std::string() : model.error().message()));
    REQUIRE(model.has_value());
    return std::move(*model);
}

/// Logits after each of the tokens, [ids][vocabulary], as one step on pages that held NaN before.
inline std::vector<float> run(const hence::decoder& model, std::span<const hence::token_id> ids, int threads = 2,
                              hence::dtype cache = hence::dtype::f32) {
    hence::spin_team team(threads);
    const hence::kv_layout layout = model.cache_layout(cache);
    const std::size_t vocabulary = model.vocabulary_size();
    const auto page_tokens = static_cast<std::size_t>(hence::page_tokens);
    const std::size_t page_count = (ids.size() + page_tokens - 1) / page_tokens;
    const std::size_t page_bytes = (layout.page_bytes() + 63) / 64 * 64;
    struct alignas(64) line {
        std::byte bytes[64];
    };
    std::vector<line> memory(page_bytes / sizeof(line) * page_count);
    std::memset(memory.data(), 0xff, page_bytes * page_count);
    std::vector<std::byte*> pages;
    for (std::size_t i = 0; i < page_count; ++i) pages.push_back(reinterpret_cast<std::byte*>(memory.data()) + i * page_bytes);
    const hence::page_table table{pages.data(), static_cast<std::int32_t>(page_count)};

    auto workspace = model.make_workspace({ids.size(), ids.size(), threads, nullptr});
    std::vector<hence::step_row> rows;
    for (std::size_t i = 0; i < ids.size(); ++i)
        rows.push_back({ids[i], static_cast<std::int32_t>(i), 0, static_cast<std::int32_t>(i)});
    std::vector<float> logits(ids.size() * vocabulary);
    const std::size_t blocks = (vocabulary + hence::logit_block - 1) / hence::logit_block;
    std::vector<float> tops(ids.size() * blocks, std::numeric_limits<float>::infinity());
    model.forward({.rows = rows, .sequences = {&table, 1}, .layout = layout, .logits = logits.data(), .logits_stride = vocabulary,
                   .logits_count = static_cast<std::int32_t>(ids.size()), .block_tops = tops.data(), .block_tops_stride = blocks},
                  workspace, team);
    for (std::size_t i = 0; i < ids.size() * blocks; ++i) {
        const auto first = logits.begin() + static_cast<std::ptrdiff_t>(i / blocks * vocabulary + i % blocks * hence::logit_block);
        const std::size_t count = std::min(hence::logit_block, vocabulary - i % blocks * hence::logit_block);
        if (tops[i] != *std::max_element(first, first + static_cast<std::ptrdiff_t>(count)))
            FAIL("block " << i % blocks << " of row " << i / blocks << ": " << tops[i] << " is not its largest logit");
    }
    return logits;
}

/// Natural logarithm of the sum of exponentials, in double.
inline double log_sum_exp(std::span<const float> logits) {
    const double most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0;
    for (const float value : logits) sum += std::exp(static_cast<double>(value) - most);
    return most + std::log(sum);
}

/// What a file's logits differ from the golden ones by, pooled over its prompts.
struct comparison {
    double worst = 0;             ///< of all listed logits
    double error = 0;             ///< mean over listed logits, prompts weighted by their positions
    double agreement = 0;         ///< share of listed positions with the golden top token
    double allowed_error = 0;     ///< the other engine's, pooled likewise
    double allowed_agreement = 0;
    double worst_log_sum_exp = 0;
    double worst_likelihood = 0;  ///< of a prompt's mean negative log-likelihood
    std::size_t positions = 0;
    std::vector<std::string> clear_misses;  ///< another top token where the golden margin exceeds 0.1
};

inline comparison compare(const hence::decoder& model, const golden_file& golden,
                          hence::dtype cache = hence::dtype::f32) {
    comparison all;
    const std::size_t vocabulary = model.vocabulary_size();
    for (const golden_prompt& prompt : golden.prompts) {
        const std::vector<float> logits = run(model, prompt.ids, 2, cache);
        const auto row = [&](std::size_t i) { return std::span<const float>(logits).subspan(i * vocabulary, vocabulary); };
        double error = 0;
        std::size_t listed = 0, agreed = 0;
        for (const golden_position& place : prompt.positions) {
            const std::span<const float> ours = row(place.position);
            for (std::size_t i = 0; i < place.top_ids.size(); ++i) {
                const double difference =
                    std::abs(static_cast<double>(ours[static_cast<std::size_t>(place.top_ids[i])]) - place.top_logits[i]);
                // A NaN is the largest error there is, not none.
                all.worst = difference <= all.worst ? all.worst : difference;
                error += difference;
                ++listed;
            }
            const auto best = static_cast<hence::token_id>(std::max_element(ours.begin(), ours.end()) - ours.begin());
            if (best == place.top_ids[0]) ++agreed;
            else if (place.margin() > 0.1)
                all.clear_misses.push_back("'" + prompt.text.substr(0, 30) + "' position " + std::to_string(place.position));
            const double sum = std::abs(log_sum_exp(ours) - place.log_sum_exp);
            all.worst_log_sum_exp = sum <= all.worst_log_sum_exp ? all.worst_log_sum_exp : sum;
        }
        double likelihood = 0;
        for (std::size_t i = 0; i + 1 < prompt.ids.size(); ++i)
            likelihood += log_sum_exp(row(i)) - static_cast<double>(row(i)[static_cast<std::size_t>(prompt.ids[i + 1])]);
        likelihood = std::abs(likelihood / static_cast<double>(prompt.ids.size() - 1) - prompt.mean_negative_log_likelihood);
        all.worst_likelihood = likelihood <= all.worst_likelihood ? all.worst_likelihood : likelihood;

        const auto weight = static_cast<double>(prompt.positions.size());
        all.positions += prompt.positions.size();
        all.error += weight * error / static_cast<double>(listed);
        all.agreement += static_cast<double>(agreed);
        all.allowed_error += weight * prompt.quantized_error;
        all.allowed_agreement += weight * prompt.quantized_agreement;
    }
    const auto count = static_cast<double>(all.positions);
    all.error /= count;
    all.agreement /= count;
    all.allowed_error /= count;
    all.allowed_agreement /= count;
    return all;
}

}  // namespace hence_test

// SmolLM2-135M-Instruct's golden file, as `golden`; the test ends here where the data is absent, or the build is sanitized.
#define HENCE_REQUIRE_SMOLLM2_GOLDEN(golden)                                                                  \
    if (hence_test::sanitized) {                                                                              \
        WARN("left to the build without sanitizers, for time");                                               \
        return;                                                                                               \
    }                                                                                                         \
    HENCE_REQUIRE_DATA(golden##_json, "golden/smollm2-135m-instruct-q4_1.json");                              \
    HENCE_REQUIRE_DATA(golden##_model, "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");       \
    const golden_file golden = read_golden(golden##_json, golden##_model)

#endif
