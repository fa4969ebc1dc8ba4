// hence: the library from a command line. Each subcommand is in the file of its name.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

namespace {

constexpr int failed = 1;
constexpr int wrong_usage = 2;

std::string subcommands(const CLI::App& app) {
    std::string names;
    for (const CLI::App* command : app.get_subcommands({})) names += (names.empty() ? "" : ", ") + command->get_name();
    return names;
}

std::string options(const CLI::App& command) {
    std::string names;
    for (const CLI::Option* option : command.get_options()) names += (names.empty() ? "" : " ") + option->get_name();
    return names;
}

int complain(const std::string& text, int status) {
    std::fprintf(stderr, "hence: %s\n", text.c_str());
    return status;
}

// The subcommand that the command line got to, or the tool itself.
const CLI::App& reached(const CLI::App& app) {
    const auto parsed = app.get_subcommands();
    return parsed.empty() ? app : *parsed.front();
}

}  // namespace

int main(int argc, char** argv) {
    // A reader that has seen enough closes the pipe: that ends the program quietly, as it does other tools.
    std::signal(SIGPIPE, SIG_DFL);

    CLI::App app("hence: inference-time reasoning with frozen models", "hence");
    app.set_version_flag("--version", std::string("hence ") + HENCE_VERSION_STRING);
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::simple);
    tool::add_generate(app);
    tool::add_chat(app);
    tool::add_reason(app);
    tool::add_compare(app);
    tool::add_eval(app);
    tool::add_tokenize(app);
    tool::add_render(app);
    tool::add_logits(app);
    tool::add_perplexity(app);
    tool::add_inspect(app);
    tool::add_quantize(app);
    tool::add_prune(app);
    tool::add_demo(app);
    tool::add_bench(app);
    tool::add_version(app);

    try {
        app.parse(argc, argv);
        return 0;
    } catch (const CLI::Success& e) {  // help and version
        return app.exit(e);
    } catch (const CLI::ExtrasError& e) {
        const CLI::App& where = reached(app);
        return complain(where.get_name() + ": " + e.what() + "\noptions: " + options(where), wrong_usage);
    } catch (const CLI::RequiredError& e) {
        const CLI::App& where = reached(app);
        if (&where == &app) {
            const std::string word = argc > 1 ? hence::quote(argv[1]) : "none";
            return complain("expected a command, found " + word + "\ncommands: " + subcommands(app), wrong_usage);
        }
        return complain(where.get_name() + ": " + e.what() + "\n" + "see hence " + where.get_name() + " --help", wrong_usage);
    } catch (const CLI::ParseError& e) {
        const CLI::App& where = reached(app);
        return complain((&where == &app ? "" : where.get_name() + ": ") + e.what(), wrong_usage);
    } catch (const tool::usage_error& e) {
        return complain(e.what(), wrong_usage);
    } catch (const std::bad_alloc&) {
        return complain("out of memory", failed);
    } catch (const std::exception& e) {
        return complain(e.what(), failed);
    }
}
