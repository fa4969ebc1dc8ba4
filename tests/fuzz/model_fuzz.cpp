// Any GGUF file as a model: it loads or is refused; what loads runs one step without leaving its buffers.
#include <hence/models/decoder.hpp>

#include "fuzz.hpp"
#include "one_step.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::byte> bytes = hence_fuzz::copy(data, size);
    hence::load_options options;
    options.threads = 1;
    const auto model = hence::load(std::span<const std::byte>(bytes), options);
    hence_fuzz::one_step(model);
    return 0;
}
