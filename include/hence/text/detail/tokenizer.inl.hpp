// Definitions of text/tokenizer.hpp.
#ifndef HENCE_TEXT_DETAIL_TOKENIZER_INL_HPP
#define HENCE_TEXT_DETAIL_TOKENIZER_INL_HPP

#include "../bpe.hpp"
#include "../pretokenizer.hpp"
#include "../tokenizer.hpp"
#include "../unicode.hpp"
#include "merge_queue.hpp"
#include "special_matcher.hpp"

#include <algorithm>
#include <limits>

HENCE_NAMESPACE_BEGIN
namespace text {

inline constexpr std::string_view space_mark = "\xE2\x96\x81";  // U+2581

struct tokenizer_state {
    hence::vocabulary v;
    detail::piece_table names;             // a token's own spelling -> id
    std::string printed;                   // what tokens print, one after another
    std::vector<std::size_t> printed_end;  // by id
    std::vector<std::uint8_t> special;     // by id: control or unknown
    std::vector<added_token> added;        // what `matcher` numbers
    detail::special_matcher matcher;
    std::vector<token_id> ends;
    pretokenizer cut;
    std::optional<bpe_model> bpe;
    bool spaces_marked = false;  // tokens spell a space as U+2581
};

namespace detail {

inline std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, 80)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 32 && byte != 127) {
            out.push_back(c);
        } else {
            out += "\\x";
            out += "0123456789abcdef"[byte >> 4];
            out += "0123456789abcdef"[byte & 15];
        }
    }
    return out + (text.size() > 80 ? "...'" : "'");
}

inline result<void> check_vocabulary(const vocabulary& v) {
    const std::size_t count = v.tokens.size();
    if (count == 0) return make_error(errc::missing, "vocabulary", "at least one token", "none");
    if (count > 0x40000000u) return make_error(errc::out_of_range, "vocabulary", "at most 2^30 tokens", std::to_string(count));
    if (!v.types.empty() && v.types.size() != count)
        return make_error(errc::mismatch, "token types", std::to_string(count) + ", one a token", std::to_string(v.types.size()));
    if (!v.scores.empty() && v.scores.size() != count)
        return make_error(errc::mismatch, "token scores", std::to_string(count) + ", one a token", std::to_string(v.scores.size()));
    std::optional<error> failure;
    const auto check = [&](std::string_view what, token_id id) {
        if (failure || id == no_token || (id >= 0 && static_cast<std::size_t>(id) < count)) return;
        failure = make_error(errc::out_of_range, std::string(what), "an id below " + std::to_string(count), std::to_string(id));
    };
    check("begin token", v.begin);
    check("end token", v.end);
    check("unknown token", v.unknown);
    check("separator token", v.separator);
    check("padding token", v.padding);
    check("mask token", v.mask);
    check("end of turn token", v.end_of_turn);
    for (const token_id id : v.also_end) check("token that ends a generation", id);
    for (const added_token& added : v.added) {
        if (added.id == no_token) return make_error(errc::out_of_range, "added token", "an id", "none");
        check("added token", added.id);
    }
    if (failure) return *failure;
    if (v.add_begin && v.begin == no_token) return make_error(errc::missing, "begin token", "an id, for the text begins with it", "none");
    if (v.add_end && v.end == no_token) return make_error(errc::missing, "end token", "an id, for the text ends with it", "none");
    if (v.add_separator && v.separator == no_token)
        return make_error(errc::missing, "separator token", "an id, for the text ends with it", "none");
    return {};
}

inline void append_unmarked(std::string& out, std::string_view token) {
    for (std::size_t i = 0; i < token.size();) {
        if (token.substr(i, space_mark.size()) == space_mark) {
            out.push_back(' ');
            i += space_mark.size();
        } else {
            out.push_back(token[i++]);
        }
    }
}

/// Fills `printed`, `special` and the matcher.
inline void index_tokens(tokenizer_state& s) {
    const vocabulary& v = s.v;
    const std::size_t count = v.tokens.size();
    s.printed_end.resize(count);
    s.special.resize(count);
    for (std::size_t id = 0; id < count; ++id) {
        const std::string& token = v.tokens[id];
        const token_type type = type_of(v, id);
        const bool special = type == token_type::control || type == token_type::unknown;
        s.special[id] = special;
        if (special || type == token_type::user_defined) {
            s.printed += token;
        } else if (const int byte = type == token_type::byte ? byte_of_token(token) : -1; byte >= 0) {
            s.printed.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
        } else if (v.model == "gpt2") {
            if (!from_byte_alphabet(token, s.printed)) s.printed += token;
        } else if (s.spaces_marked) {
            append_unmarked(s.printed, token);
        } else {
            s.printed += token;
        }
        s.printed_end[id] = s.printed.size();
    }
    std::vector<bool> listed(count);
    for (const added_token& added : v.added) {
        listed[static_cast<std::size_t>(added.id)] = true;
        s.added.push_back(added);
        if (added.special) s.special[static_cast<std::size_t>(added.id)] = 1;
    }
    for (std::size_t id = 0; id < count; ++id)
        if (!listed[id] && (s.special[id] || type_of(v, id) == token_type::user_defined))
            s.added.push_back({.id = static_cast<token_id>(id), .special = s.special[id] != 0});
    for (std::size_t i = 0; i < s.added.size(); ++i)
        s.matcher.add(v.tokens[static_cast<std::size_t>(s.added[i].id)], static_cast<std::uint32_t>(i));
}

inline bool word_character(std::string_view text, std::size_t at) noexcept {
    const code_point c = decode_utf8(text, at);
    const category k = general_category(c.value);
    return c.valid && (is_letter(k) || is_number(k) || is_mark(k) || k == category::pc);
}

inline bool touches_word(std::string_view text, const special_matcher::match& m) noexcept {
    if (m.end < text.size() && word_character(text, m.end)) return true;
    std::size_t before = m.begin;
    while (before > 0) {
        --before;
        if ((static_cast<unsigned char>(text[before]) & 0xC0u) != 0x80u) break;
    }
    return m.begin > 0 && word_character(text, before);
}

inline error unspellable(std::string_view bytes) {
    return make_error(errc::missing, "encode", "a token for every byte, or an unknown token", "no token for " + quoted(bytes));
}

/// One encode() call: the parts of the text between special tokens, each through the model.
class encoder {
public:
    encoder(const tokenizer_state& state, std::vector<token_id>& ids) : s_(state), ids_(ids) {}

    [[nodiscard]] bool plain(std::string_view text) {
        if (text.empty()) return true;
        if (s_.spaces_marked) return marked(text);
        return cut(text);
    }
    void special(token_id id) {
        ids_.push_back(id);
        after_special_ = true;
    }
    [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

private:
    [[nodiscard]] bool cut(std::string_view text) {
        scratch_.lengths.clear();
        s_.cut.split(text, scratch_.lengths);
        std::size_t at = 0;
        for (const std::uint32_t length : scratch_.lengths) {
            if (!s_.bpe->encode(text.substr(at, length), scratch_, ids_, missing_)) return false;
            at += length;
        }
        return true;
    }

    [[nodiscard]] bool marked(std::string_view text) {
        marked_.clear();
        if (s_.v.add_space_prefix && after_special_) marked_ += space_mark;
        after_special_ = false;
        for (const char c : text) {
            if (c == ' ') {
                marked_ += space_mark;
            } else {
                marked_.push_back(c);
            }
        }
        if (!s_.bpe->words_are_separate()) return s_.bpe->encode(marked_, scratch_, ids_, missing_);
        const std::string_view all = marked_;
        std::size_t begin = 0;
        while (begin < all.size()) {  // a word: space marks, then everything up to the next one
            std::size_t end = begin;
            while (all.substr(end, space_mark.size()) == space_mark) end += space_mark.size();
            end = std::min(all.find(space_mark, end), all.size());
            if (!s_.bpe->encode(all.substr(begin, end - begin), scratch_, ids_, missing_)) return false;
            begin = end;
        }
        return true;
    }

    const tokenizer_state& s_;
    std::vector<token_id>& ids_;
    merge_scratch scratch_;
    std::string marked_;
    std::string missing_;
    bool after_special_ = true;
};

inline bool ascii_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace detail
}  // namespace text

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
            return make_error(errc::bad_format, "token " + std::to_string(id), "a spelling of its own",
                              text::detail::quoted(token) + ", as token " + std::to_string(first));
    }
    if (s.v.model == "gpt2") {
        HENCE_TRY_ASSIGN(cut, text::pretokenizer::named(s.v.pre));
        s.cut = cut;
        if (cut.whole_piece_first()) s.v.whole_piece_first = true;
        HENCE_TRY_ASSIGN(model, text::bpe_model::by_rank(s.v));
        s.bpe = std::move(model);
    } else if (s.v.model == "llama") {
        HENCE_TRY_ASSIGN(model, text::bpe_model::by_score(s.v));
        s.bpe = std::move(model);
        s.spaces_marked = true;
    } else {
        return make_error(errc::unsupported, "tokenizer model", "one of gpt2, llama", text::detail::quoted(s.v.model));
    }
    text::detail::index_tokens(s);
    for (const token_id id : {s.v.end, s.v.end_of_turn})
        if (id != no_token) s.ends.push_back(id);
    s.ends.insert(s.ends.end(), s.v.also_end.begin(), s.v.also_end.end());
    return tokenizer(std::move(state));
}

HENCE_INLINE result<std::vector<token_id>> tokenizer::encode(std::string_view input, encode_options options) const {
    const text::tokenizer_state& s = *state_;
    if (input.size() >= std::numeric_limits<std::uint32_t>::max())
        return make_error(errc::out_of_range, "encode", "a text of less than 4 GiB", std::to_string(input.size()) + " bytes");
    std::vector<token_id> ids;
    ids.reserve(input.size() / 4 + 2);
    if (options.add_begin_end && s.v.add_begin) ids.push_back(s.v.begin);
    text::detail::encoder run(s, ids);
    std::size_t done = 0;
    const auto accept = [&](const text::detail::special_matcher::match& m) {
        const added_token& token = s.added[m.which];
        if (token.special && !options.special) return false;
        return !token.single_word || !text::detail::touches_word(input, m);
    };
    while (done < input.size()) {
        const auto match = s.matcher.find(input, done, accept);
        if (match.which == text::detail::special_matcher::none) break;
        const added_token& token = s.added[match.which];
        std::size_t from = match.begin;
        std::size_t to = match.end;
        if (token.strip_left)
            while (from > done && text::detail::ascii_space(input[from - 1])) --from;
        if (token.strip_right)
            while (to < input.size() && text::detail::ascii_space(input[to])) ++to;
        if (!run.plain(input.substr(done, from - done))) return text::detail::unspellable(run.missing());
        run.special(token.id);
        done = to;
    }
    if (!run.plain(input.substr(done))) return text::detail::unspellable(run.missing());
    if (options.add_begin_end && s.v.add_end) ids.push_back(s.v.end);
    if (options.add_begin_end && s.v.add_separator) ids.push_back(s.v.separator);
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
    for (const token_id id : ids) out += options.special ? bytes_or_name(id) : bytes(id);
    if (options.beginning && state_->spaces_marked && state_->v.add_space_prefix) {
        // The space stands before the first text, after special tokens that may be printed.
        std::size_t at = 0;
        if (options.special)
            for (const token_id id : ids) {
                if (!is_special(id)) break;
                at += bytes_or_name(id).size();
            }
        if (at < out.size() && out[at] == ' ') out.erase(at, 1);
    }
    return out;
}

HENCE_INLINE std::size_t tokenizer::size() const noexcept { return state_->v.tokens.size(); }
HENCE_INLINE token_id tokenizer::begin() const noexcept { return state_->v.begin; }
HENCE_INLINE token_id tokenizer::end() const noexcept { return state_->v.end; }
HENCE_INLINE bool tokenizer::is_end(token_id id) const noexcept {
    return id != no_token && std::find(state_->ends.begin(), state_->ends.end(), id) != state_->ends.end();
}
HENCE_INLINE bool tokenizer::is_special(token_id id) const noexcept {
    return id >= 0 && static_cast<std::size_t>(id) < state_->special.size() && state_->special[static_cast<std::size_t>(id)] != 0;
}
HENCE_INLINE std::optional<token_id> tokenizer::find(std::string_view token_text) const {
    const std::uint32_t id = state_->names.find(token_text);
    if (id == text::detail::piece_table::none) return std::nullopt;
    return static_cast<token_id>(id);
}
HENCE_INLINE const std::string& tokenizer::chat_template() const noexcept { return state_->v.chat_template; }
HENCE_INLINE const hence::vocabulary& tokenizer::vocabulary() const noexcept { return state_->v; }

HENCE_NAMESPACE_END

#endif
