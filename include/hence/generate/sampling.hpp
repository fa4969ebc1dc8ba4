// sampling: how the next token of a branch is chosen from its logits. Plain settings; the law and its
// implementation are in generate/sampler.hpp.
#ifndef HENCE_GENERATE_SAMPLING_HPP
#define HENCE_GENERATE_SAMPLING_HPP

#include "../core/types.hpp"

#include <cstdint>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// Applied in this order: repetition penalty, frequency and presence penalties, logit bias, temperature,
/// top-k, top-p, min-p, then one draw. The defaults are greedy decoding.
struct sampling {
    float temperature = 0;         ///< 0 = greedy: the largest logit, ties to the lowest id
    int top_k = 0;                 ///< keep the k most probable tokens; 0 = all
    float top_p = 1;               ///< keep the fewest tokens whose probability reaches p; 1 = all
    float min_p = 0;               ///< keep tokens of at least min_p times the top probability; 0 = all
    float repetition_penalty = 1;  ///< divides positive and multiplies negative logits of recent tokens
    float frequency_penalty = 0;   ///< subtracted once per recent occurrence
    float presence_penalty = 0;    ///< subtracted once if the token occurred recently
    int penalty_window = 64;       ///< "recent": the last so many tokens, prompt included; 0 = none, -1 = all
    std::vector<std::pair<token_id, float>> logit_bias = {};  ///< added; minus infinity bans a token
    std::uint64_t seed = 0;        ///< draws are a function of (seed, stream, position, token)
};

HENCE_NAMESPACE_END

#endif
