// A model folder of any files: it loads or is refused; what loads runs one step without leaving its buffers.
#include <hence/generate/engine.hpp>
#include <hence/models/decoder.hpp>
#include <hence/models/huggingface.hpp>

#include "file_set.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static hence_fuzz::file_set files;
    constexpr std::string_view names[] = {
        "config.json",         "tokenizer.json",     "tokenizer_config.json", "generation_config.json",
        "chat_template.jinja", "chat_template.json", "model.safetensors",     "model.safetensors.index.json",
        "a.safetensors",       "b.safetensors"};
    files.write(hence_fuzz::text(data, size), names);
    hence::load_options options;
    options.threads = 1;
    const auto model = hence::load(files.folder(), options);
    if (!model) {
        hence_fuzz::check(model.error());
        return 0;
    }
    if (model->context_length() > 4096 || model->vocabulary_size() > 4096) return 0;
    hence::engine_options small;
    small.threads = 1;
    small.max_rows = 4;
    small.context = std::min<std::size_t>(model->context_length(), 8);
    hence::engine engine(*model, small);
    const std::vector<hence::token_id> prompt = {0, static_cast<hence::token_id>(model->vocabulary_size() - 1)};
    auto branch = engine.begin(prompt);
    if (!branch) {
        hence_fuzz::check(branch.error());
        return 0;
    }
    const std::vector<hence::token_id> candidates = {0};
    const auto scores = engine.next_log_probabilities(*branch, candidates);
    if (!scores) hence_fuzz::check(scores.error());
    return 0;
}
