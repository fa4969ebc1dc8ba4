// Definitions of text/tokenizer.hpp.
#ifndef HENCE_TEXT_DETAIL_TOKENIZER_INL_HPP
#define HENCE_TEXT_DETAIL_TOKENIZER_INL_HPP

#include "../../core/quote.hpp"
#include "../../core/text.hpp"
#include "../tokenizer.hpp"
#include "encoder.hpp"
#include "tokenizer_state.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE result<tokenizer> tokenizer::make(hence::vocabulary v) {
    HENCE_TRY(text::detail::check_vocabulary(v));
    auto state = std::make_shared<text::tokenizer_state>();
    text::tokenizer_state& s = *state;
    s.v = std::move(v);
    s.names.reserve(s.v.tokens.size());
    for (std::uint32_t id = 0; id < s.v.tokens.size(); ++id) {
        const std::string& token = s.v.tokens[id];
        if (token.empty()) continue;
        if (const std::uint32_t first = s.names.insert(token, id); first != id)
            return make_error(errc::bad_format, concat({"token ", id}), "a spelling of its own",
                              concat({quote(token), ", as token ", first}));
    }
    HENCE_TRY(text::detail::build_model(s));
    text::detail::index_tokens(s);
    for (const token_id id : {s.v.end, s.v.end_of_turn})
        if (id != no_token) s.ends.push_back(id);
    s.ends.insert(s.ends.end(), s.v.also_end.begin(), s.v.also_end.end());
    return tokenizer(std::move(state));
}

HENCE_INLINE result<std::vector<token_id>> tokenizer::encode(std::string_view input, encode_options options) const {
    const text::tokenizer_state& s = *state_;
    if (input.size() >= std::numeric_limits<std::uint32_t>::max())
        return make_error(errc::out_of_range, "encode", "a text of less than 4 GiB", concat({input.size(), " bytes"}));
    std::vector<token_id> ids;
    ids.reserve(input.size() / 4 + 2);
    if (options.add_begin_end && s.v.add_begin) ids.push_back(s.v.begin);
    if (options.add_begin_end) ids.insert(ids.end(), s.v.before.begin(), s.v.before.end());
    text::detail::encoder run(s, options.special, input.size(), ids);
    if (!run.run(input))
        return make_error(errc::missing, "encode", "a token for every byte, or an unknown token",
                          concat({"no token for ", quote(run.missing())}));
    if (options.add_begin_end && s.v.add_end) ids.push_back(s.v.end);
    if (options.add_begin_end && s.v.add_separator) ids.push_back(s.v.separator);
    if (options.add_begin_end) ids.insert(ids.end(), s.v.after.begin(), s.v.after.end());
    return ids;
}

HENCE_INLINE std::string_view tokenizer::bytes_or_name(token_id id) const {
    const text::tokenizer_state& s = *state_;
    HENCE_EXPECT(id >= 0 && static_cast<std::size_t>(id) < s.printed_end.size(), "a token id of the vocabulary");
    const auto i = static_cast<std::size_t>(id);
    const std::size_t begin = i == 0 ? 0 : s.printed_end[i - 1];
    return std::string_view(s.printed).substr(begin, s.printed_end[i] - begin);
}

HENCE_INLINE std::string_view tokenizer::bytes(token_id id) const {
    const std::string_view text = bytes_or_name(id);
    return state_->special[static_cast<std::size_t>(id)] ? std::string_view() : text;
}

HENCE_INLINE std::string tokenizer::decode(std::span<const token_id> ids, decode_options options) const {
    std::string out;
    bool first = options.beginning && state_->drop_first_marks;
    for (const token_id id : ids) {
        const std::string_view printed = options.special ? bytes_or_name(id) : bytes(id);
        if (first && !is_special(id)) {  // of a token that spells a space itself nothing is a mark
            const bool marks = state_->v.tokens[static_cast<std::size_t>(id)].find(' ') == std::string::npos;
            std::copy_if(printed.begin(), printed.end(), std::back_inserter(out),
                         [&](char c) { return !marks || c != ' '; });
            first = false;
        } else {
            out += printed;
        }
    }
    if (options.beginning && state_->drop_first_space) {
        // The space stands before the first text, after special tokens that may be printed.
        std::size_t at = 0;
        if (options.special)
            for (const token_id id : ids) {
                if (!is_special(id)) break;
                at += bytes_or_name(id).size();
            }
        if (at < out.size() && out[at] == ' ') out.erase(at, 1);
    }
    if (options.beginning && state_->drop_last_space && !out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

HENCE_INLINE std::size_t tokenizer::size() const noexcept {
    return state_->v.tokens.size();
}
HENCE_INLINE token_id tokenizer::begin() const noexcept {
    return state_->v.begin;
}
HENCE_INLINE token_id tokenizer::end() const noexcept {
    return state_->v.end;
}
HENCE_INLINE bool tokenizer::is_end(token_id id) const noexcept {
    return id != no_token && std::find(state_->ends.begin(), state_->ends.end(), id) != state_->ends.end();
}
HENCE_INLINE bool tokenizer::is_special(token_id id) const noexcept {
    return id >= 0 && static_cast<std::size_t>(id) < state_->special.size() &&
           state_->special[static_cast<std::size_t>(id)] != 0;
}
HENCE_INLINE std::optional<token_id> tokenizer::find(std::string_view token_text) const {
    const std::uint32_t id = state_->names.find(token_text);
    if (id == text::detail::piece_table::none) return std::nullopt;
    return static_cast<token_id>(id);
}
HENCE_INLINE const std::string& tokenizer::chat_template() const noexcept {
    return state_->v.chat_template;
}
HENCE_INLINE const hence::vocabulary& tokenizer::vocabulary() const noexcept {
    return state_->v;
}

HENCE_NAMESPACE_END

#endif
