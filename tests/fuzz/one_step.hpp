// What is asked of a model that a fuzzed file became: one step, without leaving its buffers.
#ifndef HENCE_TESTS_FUZZ_ONE_STEP_HPP
#define HENCE_TESTS_FUZZ_ONE_STEP_HPP

#include <hence/generate/engine.hpp>
#include <hence/models/decoder.hpp>

#include "fuzz.hpp"

#include <algorithm>

namespace hence_fuzz {

inline void one_step(const hence::result<hence::decoder>& model) {
    if (!model) return check(model.error());
    // A context of millions is legal and would only cost the fuzzer memory.
    if (model->context_length() > 4096 || model->vocabulary_size() > 4096) return;
    hence::engine_options small;
    small.threads = 1;
    small.max_rows = 4;
    small.context = std::min<std::size_t>(model->context_length(), 8);
    hence::engine engine(*model, small);
    const std::vector<hence::token_id> prompt = {0, static_cast<hence::token_id>(model->vocabulary_size() - 1)};
    auto branch = engine.begin(prompt);
    if (!branch) return check(branch.error());
    const std::vector<hence::token_id> candidates = {0};
    const auto scores = engine.next_log_probabilities(*branch, candidates);
    if (!scores) check(scores.error());
}

}  // namespace hence_fuzz

#endif
