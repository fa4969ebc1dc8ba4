// generate and chat: one prompt in, one completion out. The simple call over engine and branch.
//
// For many branches, probes or votes use the engine itself, or a strategy of the reason room.
#ifndef HENCE_GENERATE_GENERATE_HPP
#define HENCE_GENERATE_GENERATE_HPP

#include "../core/result.hpp"
#include "../core/types.hpp"
#include "../text/chat_message.hpp"
#include "../text/thinking.hpp"
#include "account.hpp"
#include "events.hpp"
#include "reasoning_engine.hpp"
#include "sampling.hpp"

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

struct generate_options {
    std::size_t max_tokens = 256;
    hence::sampling sampling = {};             ///< the default is greedy
    std::vector<std::string> stop = {};        ///< the text ends before the first of these
    std::vector<token_id> stop_tokens = {};
    bool stop_at_end = true;
    std::uint64_t stream = 0;                  ///< with sampling.seed: which of the possible texts
    bool log_probabilities = false;
    const std::atomic<bool>* cancel = nullptr;  ///< set from any thread to stop
};

/// What came of one prompt.
struct completion {
    std::string text;              ///< valid UTF-8, without the stop string and what is in `thinking`
    std::string thinking;          ///< what a reasoning model wrote between its thinking tags before the text
    std::vector<token_id> tokens;  ///< drawn, the end token included
    finish_reason finish = finish_reason::none;
    account usage;                 ///< what this call cost
    std::optional<double> mean_log_probability;  ///< with generate_options::log_probabilities
};

/// Who may listen to generate(): gets pieces of text as they become certain, and stops it by returning false.
template <class F>
concept text_listener = std::invocable<F&, std::string_view> &&
                        (std::same_as<std::invoke_result_t<F&, std::string_view>, void> ||
                         std::same_as<std::invoke_result_t<F&, std::string_view>, bool>);

namespace detail {

/// The tags that a model's own template knows.
template <class E>
[[nodiscard]] thinking_tags tags_of(const E& engine) {
    if constexpr (requires { engine.tokenizer().chat_template(); }) return thinking_tags_of(engine.tokenizer().chat_template());
    else return {};
}

/// Tells the thinking in a completion apart; `opened`: the prompt ended inside it.
inline void tell_thinking(completion& done, const thinking_tags& tags, bool opened) {
    thinking_split parts = split_thinking(done.text, opened, tags);
    done.text = std::move(parts.text);
    done.thinking = std::move(parts.thinking);
}

template <reasoning_engine E, text_listener F>
[[nodiscard]] result<completion> generate(E& engine, std::span<const token_id> prompt, const generate_options& options,
                                          F&& on_text) {
    const account before = engine.account();
    HENCE_TRY_ASSIGN(branch, engine.begin(prompt, options.stream, options.sampling));
    until rules;
    rules.max_tokens = options.max_tokens;
    rules.stop = options.stop;
    rules.stop_tokens = options.stop_tokens;
    rules.stop_at_end = options.stop_at_end;
    rules.every_token = true;
    rules.log_probabilities = options.log_probabilities;
    rules.cancel = options.cancel;
    auto* const only = &branch;
    HENCE_TRY(engine.extend(std::span(&only, 1), rules, [&](branch_event<typename E::branch_type>& event) {
        if (event.text.empty()) return;
        if constexpr (std::same_as<std::invoke_result_t<F&, std::string_view>, bool>) {
            if (!on_text(event.text)) event.which.cancel();
        } else {
            on_text(event.text);
        }
    }));
    completion done;
    done.text = branch.text();
    done.tokens.assign(branch.generated().begin(), branch.generated().end());
    done.finish = branch.finish();
    done.mean_log_probability = branch.mean_log_probability();
    done.usage = engine.account() - before;
    return done;
}

}  // namespace detail

/// Continues a prompt of tokens. A listener hears the thinking of a reasoning model too, tags included.
/// @shape prompt: at least one token
/// @errors those of begin() and extend(); a budget that ends or a full context are finish reasons, not errors
/// @source none
template <reasoning_engine E, text_listener F>
[[nodiscard]] result<completion> generate(E& engine, std::span<const token_id> prompt, const generate_options& options,
                                          F&& on_text) {
    HENCE_TRY_ASSIGN(done, detail::generate(engine, prompt, options, on_text));
    detail::tell_thinking(done, detail::tags_of(engine), false);
    return done;
}

/// Continues a text. The prompt is encoded as the vocabulary asks, special tokens in it included.
/// @shape none
/// @errors as above, and those of encode(); invalid_argument: a prompt without tokens
/// @source none
template <reasoning_engine E, text_listener F>
[[nodiscard]] result<completion> generate(E& engine, std::string_view prompt, const generate_options& options, F&& on_text) {
    HENCE_TRY_ASSIGN(tokens, engine.encode(prompt));
    HENCE_TRY_ASSIGN(done, detail::generate(engine, std::span<const token_id>(tokens), options, on_text));
    const thinking_tags tags = detail::tags_of(engine);
    detail::tell_thinking(done, tags, prompt_opens_thinking(prompt, tags));
    return done;
}

/// The same without a listener.
/// @shape none
/// @errors as above
/// @source none
template <reasoning_engine E>
[[nodiscard]] result<completion> generate(E& engine, std::string_view prompt, const generate_options& options = {}) {
    return generate(engine, prompt, options, [](std::string_view) {});
}

namespace detail {

/// Some templates write the begin token themselves: it must not come twice.
template <class E>
[[nodiscard]] result<std::vector<token_id>> encode_rendered(const E& engine, std::string_view text) {
    const tokenizer& tokens = engine.tokenizer();
    const bool begun = tokens.begin() != no_token && text.starts_with(tokens.bytes_or_name(tokens.begin()));
    return engine.encode(text, begun ? encode_as::continuation : encode_as::prompt);
}

}  // namespace detail

/// The tokens of a conversation up to where the assistant answers, by the model's own chat template.
/// @shape none
/// @errors those of render_chat() and encode()
/// @source none
template <class E>
    requires requires(const E& e) {
        { e.tokenizer() } -> std::convertible_to<const tokenizer&>;
    }
[[nodiscard]] result<std::vector<token_id>> encode_chat(const E& engine, std::span<const chat_message> messages) {
    HENCE_TRY_ASSIGN(text, render_chat(engine.tokenizer(), messages));
    return detail::encode_rendered(engine, text);
}

/// The assistant's next turn of a conversation. An engine that keeps prompts computes only what is new.
/// @shape none
/// @errors as generate() and encode_chat()
/// @source none
template <reasoning_engine E, text_listener F>
[[nodiscard]] result<completion> chat(E& engine, std::span<const chat_message> messages, const generate_options& options,
                                      F&& on_text) {
    HENCE_TRY_ASSIGN(text, render_chat(engine.tokenizer(), messages));
    HENCE_TRY_ASSIGN(tokens, detail::encode_rendered(engine, text));
    HENCE_TRY_ASSIGN(done, detail::generate(engine, std::span<const token_id>(tokens), options, on_text));
    const thinking_tags tags = detail::tags_of(engine);
    detail::tell_thinking(done, tags, prompt_opens_thinking(text, tags));
    return done;
}

/// The same without a listener.
/// @shape none
/// @errors as above
/// @source none
template <reasoning_engine E>
[[nodiscard]] result<completion> chat(E& engine, std::span<const chat_message> messages, const generate_options& options = {}) {
    return chat(engine, messages, options, [](std::string_view) {});
}

HENCE_NAMESPACE_END

#endif
