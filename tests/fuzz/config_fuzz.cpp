// Any bytes as config.json, generation_config.json and plain JSON: what is read keeps its promises.
#include <hence/core/json.hpp>
#include <hence/io/hf_config.hpp>

#include <nlohmann/json.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::byte> bytes = hence_fuzz::copy(data, size);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto document = hence::parse_json(text, "fuzz.json");
    if (!document)
        hence_fuzz::check(document.error());
    else  // nlohmann's own reader agrees
        HENCE_FUZZ_REQUIRE(nlohmann::json::parse(text, nullptr, false) == *document);
    const auto config = hence::parse_hf_config(text, "fuzz.json");
    if (!config) {
        hence_fuzz::check(config.error());
    } else {
        HENCE_FUZZ_REQUIRE(document.has_value());
        HENCE_FUZZ_REQUIRE(config->hidden_size > 0 && config->vocab_size > 0 && config->head_dim > 0);
        HENCE_FUZZ_REQUIRE(config->num_attention_heads % config->num_key_value_heads == 0);
    }
    const auto generation = hence::parse_hf_generation_config(text, "fuzz.json");
    if (!generation) hence_fuzz::check(generation.error());
    return 0;
}
