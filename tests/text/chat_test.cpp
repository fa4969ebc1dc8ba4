#include "hence/text/chat.hpp"

#include "text_support.hpp"

using namespace hence;

namespace {
const char* const smollm2 =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are helpful<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

tokenizer with_template(std::string source) {
    auto v = hence_test::byte_vocabulary({});
    v.chat_template = std::move(source);
    return hence_test::make_tokenizer(v);
}
}  // namespace

TEST_CASE("a ChatML template is rendered with the maker's system text", "[text][chat]") {
    const std::vector<chat_message> messages{{"user", "Hi"}};
    CHECK(render_chat(with_template(smollm2), messages).value() ==
          "<|im_start|>system\nYou are helpful<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    const std::vector<chat_message> more{{"system", "Be terse"}, {"user", "Hi"}, {"assistant", "Ho"}};
    CHECK(render_chat(with_template(smollm2), more, false).value() ==
          "<|im_start|>system\nBe terse<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo<|im_end|>\n");
}

TEST_CASE("a model without a template says so", "[text][chat]") {
    const std::vector<chat_message> messages{{"user", "Hi"}};
    const auto text = render_chat(with_template(""), messages);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == errc::missing);
}
