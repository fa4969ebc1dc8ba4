// Any GGUF file as a tokenizer, then text through it: encoding ends, decoding stays inside the vocabulary, and SentencePiece BPE word by
// word gives what merging the whole text at once gives.
#include <hence/models/vocabulary_from_gguf.hpp>
#include <hence/text/bpe.hpp>
#include <hence/text/detail/merge_queue.hpp>
#include <hence/text/detokenizer.hpp>
#include <hence/text/tokenizer.hpp>

#include "fuzz.hpp"

#include <algorithm>

namespace {
void check_words(const hence::tokenizer& tokenizer, std::string_view text) {
    const hence::vocabulary& v = tokenizer.vocabulary();
    const auto by_hand = static_cast<std::int32_t>(hence::token_type::user_defined);
    if (v.model != "llama" || text.empty() || !v.added.empty() ||
        std::find(v.types.begin(), v.types.end(), by_hand) != v.types.end())
        return;
    const auto model = hence::text::bpe_model::by_score(v);
    HENCE_FUZZ_REQUIRE(model.has_value());
    std::string marked = v.add_space_prefix ? "\xE2\x96\x81" : "";
    for (const char c : text) marked += c == ' ' ? std::string("\xE2\x96\x81") : std::string(1, c);
    hence::text::detail::merge_scratch scratch;
    std::vector<hence::token_id> whole;
    std::string missing;
    const bool known = model->encode(marked, scratch, whole, missing);
    const auto ids = tokenizer.encode(text, {.special = false, .add_begin_end = false});
    HENCE_FUZZ_REQUIRE(ids.has_value() == known && (!known || *ids == whole));
}
}  // namespace

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
    check_words(*tokenizer, text);
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
