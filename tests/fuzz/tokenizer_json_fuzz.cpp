// Any bytes as tokenizer.json, then text through the tokenizer that it describes.
#include <hence/text/tokenizer.hpp>
#include <hence/text/tokenizer_json.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    hence::tokenizer_files files;
    files.tokenizer_json = hence_fuzz::text(data, size);
    auto vocabulary = hence::vocabulary_from_json(files);
    if (!vocabulary) {
        hence_fuzz::check(vocabulary.error());
        return 0;
    }
    const auto tokenizer = hence::tokenizer::make(std::move(*vocabulary));
    if (!tokenizer) {
        hence_fuzz::check(tokenizer.error());
        return 0;
    }
    const auto ids = tokenizer->encode(hence_fuzz::text(data, std::min<std::size_t>(size, 2048)));
    if (!ids) {
        hence_fuzz::check(ids.error());
        return 0;
    }
    for (const hence::token_id id : *ids)
        HENCE_FUZZ_REQUIRE(id >= 0 && static_cast<std::size_t>(id) < tokenizer->size());
    static_cast<void>(tokenizer->decode(*ids));
    return 0;
}
