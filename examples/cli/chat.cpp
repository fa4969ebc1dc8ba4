// hence chat: a conversation, a line from standard input at a time.
//
// Models with a chat template see the whole conversation each turn (what they have read already stays cached);
// others get each line as a question of its own.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

namespace tool {

namespace {

struct options : model_options, sampling_options {
    std::string message;
    std::string system;
    bool json = false;
};

class conversation {
public:
    explicit conversation(const options& o) : options_(o), model_(o.load()), engine_(hence::engine<hence::decoder>::make(model_, o.engine()).value()) {
        chats_ = !engine_.tokenizer().chat_template().empty();
        if (!chats_ && !o.system.empty())
            throw usage_error("--system: " + o.name() + " has no chat template and so no system message");
        reset();
    }

    [[nodiscard]] bool chats() const { return chats_; }

    void reset() {
        messages_.clear();
        if (!options_.system.empty()) messages_.push_back({"system", options_.system});
    }

    void answer(const std::string& line) {
        messages_.push_back({"user", line});
        const std::vector<hence::token_id> ids = prompt(line);
        const auto start = std::chrono::steady_clock::now();
        auto begun = engine_.begin(ids, turn_, options_.settings);
        if (!begun) {
            messages_.pop_back();
            throw std::runtime_error(begun.error().message());
        }
        hence::branch branch = std::move(*begun);
        hence::until rules = options_.limits();
        rules.every_token = true;
        const hence::account before = engine_.account();
        engine_.extend(branch, rules, [&](hence::branch_event<hence::branch>& event) {
            if (!options_.json) print(event.text);
        }).value();
        ++turn_;
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        messages_.push_back({"assistant", branch.text()});
        if (options_.json) {
            const std::vector<hence::token_id> generated(branch.generated().begin(), branch.generated().end());
            const hence::thinking_tags tags = hence::thinking_tags_of(engine_.tokenizer().chat_template());
            const hence::thinking_split parts = hence::split_thinking(branch.text(), hence::prompt_opens_thinking(prompt_, tags), tags);
            print_json({{"text", parts.text}, {"thinking", parts.thinking}, {"ids", generated}, {"prompt_ids", ids}, {"finish", hence::name(branch.finish())},
                        {"usage", to_json(engine_.account() - before)}, {"seconds", seconds}});
        } else {
            print("\n");
            if (error_is_terminal() && output_is_terminal())
                std::fprintf(stderr, "\033[2m[%zu tokens, %.1f tokens/s]\033[0m\n", branch.generated().size(),
                             static_cast<double>(branch.generated().size()) / seconds);
        }
        if (branch.finish() == hence::finish_reason::context_full)
            throw std::runtime_error("the conversation is too long: expected at most " + std::to_string(engine_.context_length()) +
                                     " tokens (the context); /reset starts a new one");
    }

private:
    [[nodiscard]] std::vector<hence::token_id> prompt(const std::string& line) {
        const hence::tokenizer& tokenizer = engine_.tokenizer();
        prompt_ = chats_ ? hence::render_chat(tokenizer, messages_).value() : line + "\n";
        if (!chats_) return encode_prompt(tokenizer, prompt_);
        // Templates of some models write the begin token themselves.
        const bool begins = tokenizer.begin() != hence::no_token && prompt_.starts_with(tokenizer.bytes_or_name(tokenizer.begin()));
        return tokenizer.encode(prompt_, {.special = true, .add_begin_end = !begins}).value();
    }

    const options& options_;
    hence::decoder model_;
    hence::engine<hence::decoder> engine_;
    std::vector<hence::chat_message> messages_;
    std::string prompt_;
    std::uint64_t turn_ = 0;
    bool chats_ = false;
};

void run(const options& o) {
    conversation talk(o);
    if (!o.message.empty()) return talk.answer(o.message);
    const bool live = input_is_terminal() && output_is_terminal();
    if (live)
        print(o.name() + (talk.chats() ? ". /reset forgets the conversation, /quit ends it.\n"
                                       : " has no chat template: each line is a question of its own. /quit ends.\n"));
    std::string line, trouble;
    for (;;) {
        if (live) print("> ");
        if (!std::getline(std::cin, line)) break;
        if (line == "/quit") break;
        if (line == "/reset") {
            talk.reset();
            continue;
        }
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        try {
            talk.answer(line);
        } catch (const std::exception& e) {
            // A person can go on with something else; a script cannot see what happened.
            if (!live) throw;
            std::fprintf(stderr, "%s\n", e.what());
        }
    }
    if (live) print("\n");
}

}  // namespace

void add_chat(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("chat", "Holds a conversation, a line from standard input at a time");
    const auto o = std::make_shared<options>();
    add_model_options(*command, *o);
    command->add_option("-p,--prompt", o->message, "one message instead of a conversation");
    command->add_option("--system", o->system, "the system message; unset: the template's own");
    add_sampling_options(*command, *o);
    command->add_flag("--json", o->json, "each answer as JSON on a line");
    command->callback([o] { run(*o); });
}

}  // namespace tool
