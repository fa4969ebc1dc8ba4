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
    std::vector<hence::jinja_value> messages;
    for (const auto& [role, content] : {std::pair{"system", "be brief"},
                                        {"user", "hello \xc3\xa9"},
                                        {"assistant", "<think>\nhm\n</think>\nhi"},
                                        {"user", "{{ 1 }}"}})
        messages.push_back(hence::jinja_value::dict({{"role", role}, {"content", content}}));
    hence::chat_options how;
    how.run.now = hence::jinja_time{};
    how.run.max_steps = 20'000;  // the default takes seconds under the sanitizers where a template uses it up
    how.run.max_bytes = std::size_t{1} << 20;
    for (const bool prompt : {false, true}) {
        how.add_generation_prompt = prompt;
        const auto rendered = hence::render_chat(*tokenizer, hence::jinja_value::list(messages), how);
        if (!rendered && rendered.error().code != hence::errc::invalid_argument) hence_fuzz::check(rendered.error());
    }
    return 0;
}
