// A conversation in fifty lines: the chat template, an engine, and text that streams as it is drawn.
//
//     chat MODEL.gguf          a line from standard input is a message, an empty one ends
#include <hence/hence.hpp>
#include <hence/text/chat.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace {

int complain(const hence::error& e) {
    std::cerr << e.message() << '\n';
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: chat MODEL.gguf (an instruct model with a chat template)\n";
        return 2;
    }
    auto model = hence::load(argv[1]);
    if (!model) return complain(model.error());
    hence::engine engine(*model);

    std::vector<hence::chat_message> messages;
    std::string line;
    while (std::cout << "> " << std::flush && std::getline(std::cin, line) && !line.empty()) {
        messages.push_back({"user", line});
        // The whole conversation is the prompt each time; what the engine has read before it finds in its cache.
        const auto prompt = hence::render_chat(engine.tokenizer(), messages);
        if (!prompt) return complain(prompt.error());
        const auto tokens = engine.encode(*prompt);
        if (!tokens) return complain(tokens.error());
        auto branch = engine.begin(*tokens);
        if (!branch) return complain(branch.error());

        hence::until rules{.max_tokens = 512};
        rules.every_token = true;
        const auto done = engine.extend(*branch, rules, [](const auto& event) { std::cout << event.text << std::flush; });
        if (!done) return complain(done.error());
        messages.push_back({"assistant", branch->text()});
        std::cout << '\n';
    }
}
