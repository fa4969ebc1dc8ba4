// until, finish_reason and branch_event: when a branch stops, why it did, and what a caller hears of it.
#ifndef HENCE_GENERATE_EVENTS_HPP
#define HENCE_GENERATE_EVENTS_HPP

#include "../core/types.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// Why a branch is not going on.
enum class finish_reason : std::uint8_t {
    none,          ///< it can go on
    end_token,     ///< the model ended its text; the end token is the last of tokens()
    stop_string,   ///< text() ends before a stop string of until
    stop_token,    ///< a stop token of until was drawn; it is the last of tokens()
    length,        ///< until::max_tokens
    context_full,  ///< the engine's context length
    budget,        ///< the engine's budget ended
    cancelled,     ///< by branch::cancel() or until::cancel
};

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr std::string_view name(finish_reason reason) noexcept {
    switch (reason) {
        case finish_reason::none: return "none";
        case finish_reason::end_token: return "end_token";
        case finish_reason::stop_string: return "stop_string";
        case finish_reason::stop_token: return "stop_token";
        case finish_reason::length: return "length";
        case finish_reason::context_full: return "context_full";
        case finish_reason::budget: return "budget";
        case finish_reason::cancelled: return "cancelled";
    }
    return "unknown";
}

/// When extend() stops a branch, and what it records on the way.
struct until {
    std::size_t max_tokens = 256;        ///< most tokens that one extend() adds to a branch
    std::vector<std::string> stop = {};       ///< the text ends before the first of these to be complete
    std::vector<token_id> stop_tokens = {};   ///< the text ends with one of these
    bool stop_at_end = true;             ///< the vocabulary's end tokens end a branch
    bool every_token = false;            ///< an event for each token, not only for finished branches
    bool log_probabilities = false;      ///< record each token's log-probability (temperature 1, untruncated)
    int confidence_top_k = 0;            ///< record minus the mean log-probability of the k most probable tokens
    bool self_certainty = false;         ///< record the mean of -log(V p) over the vocabulary
    const std::atomic<bool>* cancel = nullptr;  ///< set from any thread: all branches stop before the next step
};

/// What was recorded of one token after the prompt; a quantity that was not asked for is NaN.
struct token_statistics {
    float log_probability = std::numeric_limits<float>::quiet_NaN();
    float confidence = std::numeric_limits<float>::quiet_NaN();
    float self_certainty = std::numeric_limits<float>::quiet_NaN();
    bool forced = false;  ///< appended by force(), not drawn
};

enum class event_kind : std::uint8_t {
    token,     ///< one more token (only with until::every_token)
    finished,  ///< the branch stopped; once per branch and extend()
};

/// What extend() tells its callback. The callback may cancel() or prune() any branch, this one included;
/// a cancelled branch gets no further token, not even one that the current step has computed.
/// Events come in a fixed order, whatever the batching: by token number, then by place in the list.
template <class Branch>
struct branch_event {
    Branch& which;
    std::size_t index = 0;  ///< its place in the list given to extend()
    event_kind kind = event_kind::finished;
    finish_reason reason = finish_reason::none;
    token_id token = no_token;     ///< the token just appended (kind token)
    token_statistics statistics{};  ///< of that token
    /// Whole characters that became certain; without stop strings and held-back beginnings of them. The
    /// pieces of one extend() concatenate to the text it added. Valid during the call.
    std::string_view text{};
};

/// How encode() treats a text: a prompt gets the begin token the vocabulary asks for, a continuation none.
enum class encode_as : std::uint8_t { prompt, continuation };

HENCE_NAMESPACE_END

#endif
