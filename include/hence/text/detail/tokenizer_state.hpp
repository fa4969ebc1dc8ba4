// tokenizer_state: what a tokenizer knows, built once from a vocabulary.
#ifndef HENCE_TEXT_DETAIL_TOKENIZER_STATE_HPP
#define HENCE_TEXT_DETAIL_TOKENIZER_STATE_HPP

#include "../../core/quote.hpp"
#include "../../core/text.hpp"
#include "../bpe.hpp"
#include "../pretokenizer.hpp"
#include "../tokenizer.hpp"
#include "../unigram.hpp"
#include "../wordpiece.hpp"
#include "special_matcher.hpp"
#include "step_runner.hpp"
#include "token_text.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN
namespace text {

inline constexpr std::string_view space_mark = "\xE2\x96\x81";  // U+2581

struct tokenizer_state {
    /// How a text between special tokens reaches the model.
    enum class route : std::uint8_t {
        scanned,   ///< cut by scanners; bytes
        marked,    ///< spaces become marks; SentencePiece BPE
        t5,        ///< SentencePiece's own normalisation; unigram
        bert,      ///< BERT's normalisation and words
        by_steps,  ///< the steps of the vocabulary
    };

    hence::vocabulary v;
    detail::piece_table names;             // a token's own spelling -> id
    std::string printed;                   // what tokens print, one after another
    std::vector<std::size_t> printed_end;  // by id
    std::vector<std::uint8_t> special;     // by id: control or unknown
    std::vector<added_token> added;        // what the matchers number
    detail::special_matcher matcher;
    detail::special_matcher normalized_matcher;  // of those that are looked for in normalised text
    std::vector<token_id> ends;
    route way = route::scanned;
    pretokenizer cut;
    charsmap rules;
    std::shared_ptr<const detail::step_runner> steps;  // where way is by_steps
    std::optional<bpe_model> bpe;
    std::optional<unigram_model> unigram;
    std::optional<wordpiece_model> wordpiece;  // none of the three: whole pieces only
    bool drop_first_space = false;             // decode() takes off the space that encode() put before a text
    bool drop_first_marks = false;             // a Metaspace decoder takes all marks of the first token, not one
    bool drop_last_space = false;              // and the one that ends the last word
};

namespace detail {

inline result<void> check_vocabulary(const vocabulary& v) {
    const std::size_t count = v.tokens.size();
    if (count == 0) return make_error(errc::missing, "vocabulary", "at least one token", "none");
    if (count > 0x40000000u) return make_error(errc::out_of_range, "vocabulary", "at most 2^30 tokens", decimal(count));
    std::size_t bytes = 0;
    for (const std::string& token : v.tokens) bytes += token.size();
    for (const std::string& pair : v.merges) bytes += pair.size();
    if (bytes > piece_table::most_bytes)
        return make_error(errc::out_of_range, "vocabulary", "less than 4 GiB of tokens and merges", concat({bytes, " bytes"}));
    if (!v.types.empty() && v.types.size() != count)
        return make_error(errc::mismatch, "token types", concat({count, ", one a token"}), decimal(v.types.size()));
    if (!v.scores.empty() && v.scores.size() != count)
        return make_error(errc::mismatch, "token scores", concat({count, ", one a token"}), decimal(v.scores.size()));
    std::optional<error> failure;
    const auto check = [&](std::string_view what, token_id id) {
        if (failure || id == no_token || (id >= 0 && static_cast<std::size_t>(id) < count)) return;
        failure = make_error(errc::out_of_range, std::string(what), concat({"an id below ", count}), decimal(id));
    };
    check("begin token", v.begin);
    check("end token", v.end);
    check("unknown token", v.unknown);
    check("separator token", v.separator);
    check("padding token", v.padding);
    check("mask token", v.mask);
    for (const token_id id : v.before) check("token put first", id);
    for (const token_id id : v.after) check("token put last", id);
    check("end of turn token", v.end_of_turn);
    for (const token_id id : v.also_end) check("token that ends a generation", id);
    for (const added_token& added : v.added) {
        if (added.id == no_token) return make_error(errc::out_of_range, "added token", "an id", "none");
        check("added token", added.id);
    }
    if (failure) return *failure;
    if (v.add_begin && v.begin == no_token)
        return make_error(errc::missing, "begin token", "an id, for the text begins with it", "none");
    if (v.add_end && v.end == no_token)
        return make_error(errc::missing, "end token", "an id, for the text ends with it", "none");
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

/// Fills `printed`, `special` and the matchers.
inline void index_tokens(tokenizer_state& s) {
    const vocabulary& v = s.v;
    const std::size_t count = v.tokens.size();
    const bool marked = !v.by_steps && (v.model == "llama" || v.model == "t5" || v.model == "bert");
    s.printed_end.resize(count);
    s.special.resize(count);
    for (std::size_t id = 0; id < count; ++id) {
        const std::string& token = v.tokens[id];
        const token_type type = type_of(v, id);
        const bool special = type == token_type::control || type == token_type::unknown;
        s.special[id] = special;
        if (v.by_steps && !v.printing.empty()) {
            s.steps->print(s.printed, token, v.printing);
        } else if (special || type == token_type::user_defined) {
            s.printed += token;
        } else if (const int byte = type == token_type::byte ? byte_of_token(token) : -1; byte >= 0) {
            s.printed.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
        } else if (v.model == "gpt2") {
            if (!from_byte_alphabet(token, s.printed)) s.printed += token;
        } else if (marked) {
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
        if (!listed[id] && !v.by_steps && (s.special[id] || type_of(v, id) == token_type::user_defined))
            s.added.push_back({.id = static_cast<token_id>(id), .special = s.special[id] != 0});
    std::unique_ptr<step_runner::memory> memory;
    if (s.steps) memory = s.steps->make_memory();
    for (std::size_t i = 0; i < s.added.size(); ++i) {
        std::string spelling = v.tokens[static_cast<std::size_t>(s.added[i].id)];
        const bool normalized = s.added[i].normalized && s.steps && !v.normalization.empty();
        if (normalized) (void)s.steps->normalize(spelling, *memory);
        (normalized ? s.normalized_matcher : s.matcher).add(spelling, static_cast<std::uint32_t>(i));
    }
    s.drop_first_space = (marked && v.add_space_prefix) || v.model == "bert";
    for (const print_step& step : v.printing) {
        using kind = print_step::kind;
        if (step.what == kind::drop_first || step.what == kind::wordpiece || step.what == kind::spaced)
            s.drop_first_space = true;
        s.drop_first_marks = s.drop_first_marks || (step.what == kind::metaspace && step.drop_first);
        s.drop_last_space = s.drop_last_space || step.what == kind::suffix;
    }
}

/// Chooses the model and the way to it.
inline result<void> build_model(tokenizer_state& s) {
    using route = tokenizer_state::route;
    vocabulary& v = s.v;
    if (v.by_steps) {
        if (!HENCE_IS_THERE(make_step_runner))
            return make_error(errc::unsupported, "tokenizer",
                              "a program that includes <hence/text/tokenizer_json.hpp> or links hence::compiled",
                              "a program without the steps of tokenizer.json");
        HENCE_TRY_ASSIGN(steps, make_step_runner(v));
        s.steps = std::move(steps);
        s.way = route::by_steps;
    }
    if (v.model == "gpt2") {
        if (!v.by_steps) {
            HENCE_TRY_ASSIGN(cut, pretokenizer::named(v.pre));
            s.cut = cut;
            if (cut.whole_piece_first()) v.whole_piece_first = true;
        }
        HENCE_TRY_ASSIGN(model, bpe_model::by_rank(v));
        s.bpe = std::move(model);
    } else if (v.by_steps && v.model == "bpe") {
        HENCE_TRY_ASSIGN(model, bpe_model::by_rank(v));
        s.bpe = std::move(model);
    } else if (!v.by_steps && v.model == "llama") {
        HENCE_TRY_ASSIGN(model, bpe_model::by_score(v));
        s.bpe = std::move(model);
        s.way = route::marked;
    } else if (v.model == "t5" || (v.by_steps && v.model == "unigram")) {
        HENCE_TRY_ASSIGN(model, unigram_model::make(v));
        s.unigram = std::move(model);
        if (!v.by_steps) {
            s.way = route::t5;
            HENCE_TRY_ASSIGN(rules, charsmap::make(v.precompiled_charsmap));
            s.rules = std::move(rules);
        }
    } else if (v.model == "bert" || (v.by_steps && v.model == "wordpiece")) {
        HENCE_TRY_ASSIGN(model, wordpiece_model::make(v));
        s.wordpiece = std::move(model);
        if (!v.by_steps) s.way = route::bert;
    } else if (!(v.by_steps && v.model == "wordlevel")) {
        return make_error(errc::unsupported, "tokenizer model",
                          v.by_steps ? "one of bpe, unigram, wordpiece, wordlevel" : "one of gpt2, llama, t5, bert",
                          quote(v.model));
    }
    return {};
}

}  // namespace detail
}  // namespace text
HENCE_NAMESPACE_END

#endif
