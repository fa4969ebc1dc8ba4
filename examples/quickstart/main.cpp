// The README's program: one question, sixteen chains of thought, the answer that most of them reach.
//
//     quickstart [MODEL.gguf]
#include <hence/hence.hpp>
#include <iostream>

int main(int argc, char** argv) {
    auto model  = hence::load(argc > 1 ? argv[1] : HENCE_EXAMPLES_DIR "/models/tiny-reasoner/tiny-reasoner-q8_0.gguf").value();
    auto engine = hence::engine(model);  // threads, cache, math: options
    auto answer = hence::reason(engine, "calc: 17*3-9\n",
                                hence::self_consistency{.samples = 16},
                                hence::budget{.tokens = 4096});
    std::cout << answer.text << "  (" << answer.account.generated_tokens << " tokens)\n";
}
