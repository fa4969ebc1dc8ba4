// A walk through the library that needs no test framework and no exceptions.
//
// The packaging, mixed-flag and no-exceptions tests compile it under their own flags and compare what it
// returns. Everything is in an unnamed namespace: each file keeps its own copy.
#ifndef HENCE_TESTS_SUPPORT_WALK_HPP
#define HENCE_TESTS_SUPPORT_WALK_HPP

#include <hence/hence.hpp>

#include <cstddef>
#include <string>

namespace {

#define HENCE_TEST_TEXT2(x) #x
#define HENCE_TEST_TEXT(x) HENCE_TEST_TEXT2(x)

/// The ABI key that this file was compiled under.
inline const char* walk_abi() { return HENCE_TEST_TEXT(HENCE_ABI); }

/// What the library says about some inputs; the same under every build.
inline std::string walk() {
    std::string said;
    const hence::result<hence::gguf_file> absent = hence::gguf_file::open("no such file.gguf");
    said += absent.has_value() ? "opened" : absent.error().message();
    said += '\n';
    const hence::result<hence::gguf_file> empty = hence::gguf_file::from_bytes({});
    said += empty.has_value() ? "opened" : empty.error().message();
    said += '\n';

    // The model that ships, by two strategies on two threads.
    auto model = hence::load(HENCE_SOURCE_DIR "/examples/models/tiny-reasoner/tiny-reasoner-q8_0.gguf");
    if (!model) return said + model.error().message();
    auto engine = hence::engine<hence::decoder>::make(*model, {.threads = 2});
    if (!engine) return said + engine.error().message();
    said += "tier " + std::string(name(model->tier())) + "\n";
    const auto ask = [&](const auto& strategy) {
        const auto answer = hence::try_reason(*engine, "calc: 17*3-9\n", strategy, {.tokens = 2048});
        if (!answer) {
            said += answer.error().message() + "\n";
            return;
        }
        said += answer->text + "; " + std::to_string(answer->account.generated_tokens) + " tokens, replay " +
                std::to_string(answer->replay_hash) + "\n";
    };
    ask(hence::direct{});
    ask(hence::self_consistency{.samples = 8});
    return said;
}

}  // namespace

#endif
