// A model folder of any files: it loads or is refused; what loads runs one step without leaving its buffers.
#include <hence/models/decoder.hpp>
#include <hence/models/huggingface.hpp>

#include "file_set.hpp"
#include "fuzz.hpp"
#include "one_step.hpp"

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
    hence_fuzz::one_step(model);
    return 0;
}
