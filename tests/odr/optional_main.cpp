// A header-only file without the optional headers: what it reaches through them says what to include, and works where
// another file of the program includes it. argv[1]: "with" or "without".
#include <hence/hence.hpp>

#include <cstdio>
#include <string_view>
#include <vector>

int main(int argc, char** argv) {
    const bool with = argc > 1 && std::string_view(argv[1]) == "with";
    hence::vocabulary v;
    v.model = "gpt2";
    v.pre = "gpt-2";
    for (int i = 0; i < 256; ++i) v.tokens.push_back("token " + std::to_string(i));
    v.chat_template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}";
    const auto tokenizer = hence::tokenizer::make(v);
    if (!tokenizer) {
        std::puts(tokenizer.error().message().c_str());
        return 1;
    }
    const std::vector<hence::chat_message> messages{{"user", "Hi"}};
    const auto text = hence::render_chat(*tokenizer, messages);
    if (text ? *text != "[user] Hi" || !with : with || text.error().code != hence::errc::unsupported ||
                                                 text.error().expected.find("<hence/text/chat.hpp>") == std::string::npos) {
        std::printf("chat template %s its header: %s\n", with ? "with" : "without", text ? text->c_str() : text.error().message().c_str());
        return 1;
    }

    v.by_steps = true;
    const auto by_steps = hence::tokenizer::make(v);
    const bool refused = !by_steps && by_steps.error().expected.find("<hence/text/tokenizer_json.hpp>") != std::string::npos;
    if (refused == with) {
        std::printf("tokenizer by steps %s its header: %s\n", with ? "with" : "without", by_steps ? "made" : by_steps.error().message().c_str());
        return 1;
    }
    const auto model = hence::load(".");  // a folder without a model: refused, but in other words
    const bool no_folders = model ? false : model.error().message().find("<hence/models/huggingface.hpp>") != std::string::npos;
    if (model || no_folders == with) {
        std::printf("a folder %s its header: %s\n", with ? "with" : "without", model ? "opened" : model.error().message().c_str());
        return 1;
    }
    std::puts("optional parts are where they are included");
    return 0;
}
