// Any bytes as a chat template: it renders a conversation or is refused, and always ends.
#include <hence/text/chat.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    hence::vocabulary vocabulary;
    vocabulary.model = "llama";
    vocabulary.tokens = {"<unk>", "<s>", "</s>", "a"};
    vocabulary.scores = {0, 0, 0, -1};
    vocabulary.types = {2, 3, 3, 1};
    vocabulary.unknown = 0;
    vocabulary.begin = 1;
    vocabulary.end = 2;
    vocabulary.chat_template = hence_fuzz::text(data, size);
    const auto tokenizer = hence::tokenizer::make(std::move(vocabulary));
    HENCE_FUZZ_REQUIRE(tokenizer.has_value());
    const std::vector<hence::chat_message> messages = {{"system", "be brief"},
                                                       {"user", "hello \xc3\xa9"},
                                                       {"assistant", "<think>\nhm\n</think>\nhi"},
                                                       {"user", "{{ 1 }}"}};
    for (const bool prompt : {false, true}) {
        const auto rendered = hence::render_chat(*tokenizer, messages, prompt);
        if (!rendered) hence_fuzz::check(rendered.error());
    }
    return 0;
}
