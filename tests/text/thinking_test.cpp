#include "hence/text/thinking.hpp"

#include "text_support.hpp"

using namespace hence;

TEST_CASE("thinking between tags is told from the answer", "[text][thinking]") {
    const auto s = split_thinking("<think>\nhm, 2\n</think>\n\nIt is 4.\n");
    CHECK(s.thinking == "hm, 2");
    CHECK(s.text == "It is 4.\n");
    CHECK(s.finished);
    CHECK(split_thinking("\n <think></think>x").text == "x");
}

TEST_CASE("an answer without thinking stays as it is", "[text][thinking]") {
    const auto s = split_thinking("  It is 4. ");
    CHECK(s.thinking.empty());
    CHECK(s.text == "  It is 4. ");
    CHECK(split_thinking("The tag <think> and </think> mean").text == "The tag <think> and </think> mean");
}

TEST_CASE("thinking that the prompt opened, or that never ends", "[text][thinking]") {
    auto s = split_thinking("so 2+2\n</think>\nfour", true);
    CHECK(s.thinking == "so 2+2");
    CHECK(s.text == "four");
    s = split_thinking("so 2+2</think>four");  // the tag was in the prompt, the caller did not say so
    CHECK(s.thinking == "so 2+2");
    s = split_thinking("<think>so 2+", false);
    CHECK(s.thinking == "so 2+");
    CHECK(s.text.empty());
    CHECK_FALSE(s.finished);
    CHECK_FALSE(split_thinking("so 2+", true).finished);
}

TEST_CASE("a prompt ends inside thinking only where the tag is still open", "[text][thinking]") {
    CHECK(prompt_opens_thinking("<|im_start|>assistant\n<think>\n"));
    CHECK_FALSE(prompt_opens_thinking("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
    CHECK_FALSE(prompt_opens_thinking("<|im_start|>assistant\n"));
}

TEST_CASE("each template's own tags are known", "[text][thinking]") {
    CHECK(thinking_tags_of("{{ content.split('</think>')[-1] }}").open == "<think>");
    CHECK(thinking_tags_of("x [/THINK] y").open == "[THINK]");
    CHECK(thinking_tags_of("<|END_THINKING|>").close == "<|END_THINKING|>");
    CHECK(thinking_tags_of("plain").open == "<think>");
    const auto tags = thinking_tags_of("<seed:think></seed:think>");
    CHECK(split_thinking("<seed:think>a</seed:think>b", false, tags).text == "b");
}
