// Any GGUF file as a tokenizer, then text through it: encoding ends, and decoding stays inside the vocabulary.
#include <hence/models/vocabulary_from_gguf.hpp>
#include <hence/text/detokenizer.hpp>
#include <hence/text/tokenizer.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::byte> bytes = hence_fuzz::copy(data, size);
    const auto file = hence::gguf_file::from_bytes(bytes, "fuzz");
    if (!file) return 0;
    auto vocabulary = hence::vocabulary_from_gguf(*file);
    if (!vocabulary) {
        hence_fuzz::check(vocabulary.error());
        return 0;
    }
    const auto tokenizer = hence::tokenizer::make(std::move(*vocabulary));
    if (!tokenizer) {
        hence_fuzz::check(tokenizer.error());
        return 0;
    }
    // The file's own bytes are as good a text as any: they hold its tokens.
    const std::string_view text = hence_fuzz::text(data, std::min<std::size_t>(size, 2048));
    const auto ids = tokenizer->encode(text);
    if (!ids) {
        hence_fuzz::check(ids.error());
        return 0;
    }
    hence::streaming_detokenizer stream(*tokenizer);
    std::string streamed;
    for (const hence::token_id id : *ids) {
        HENCE_FUZZ_REQUIRE(id >= 0 && static_cast<std::size_t>(id) < tokenizer->size());
        streamed += stream.push(id);
    }
    streamed += stream.finish();
    static_cast<void>(tokenizer->decode(*ids));
    return 0;
}
