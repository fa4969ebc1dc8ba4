// encoder: one call of tokenizer::encode(): finds special tokens, and brings what lies between to the model.
#ifndef HENCE_TEXT_DETAIL_ENCODER_HPP
#define HENCE_TEXT_DETAIL_ENCODER_HPP

#include "../unicode.hpp"
#include "merge_queue.hpp"
#include "tokenizer_state.hpp"
#include "word_cache.hpp"

#include <functional>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

/// Where the character that ends at `end` begins.
inline std::size_t character_before(std::string_view text, std::size_t end) noexcept {
    std::size_t at = end - 1;
    while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) --at;
    return at;
}

/// The length of the space at `at`, or 0. GGUF's engines know ASCII's only.
inline std::size_t space_at(std::string_view text, std::size_t at, bool ascii) noexcept {
    const code_point c = decode_utf8(text, at);
    return c.valid && is_whitespace(c.value) && (!ascii || c.value < 0x80) ? c.length : 0;
}

inline bool touches_word(std::string_view text, const special_matcher::match& m) noexcept {
    if (m.end < text.size() && is_word_character(decode_utf8(text, m.end))) return true;
    return m.begin > 0 && is_word_character(decode_utf8(text, character_before(text, m.begin)));
}

class encoder {
public:
    encoder(const tokenizer_state& state, bool special, std::size_t text_bytes, std::vector<token_id>& ids)
        : recent_(text_bytes), s_(state), ids_(ids), special_(special) {}

    /// False where a byte or character cannot be spelled; missing() is then that text.
    [[nodiscard]] bool run(std::string_view text) {
        return parts(text, s_.matcher, [&](std::string_view part) { return plain(part, part.data() == text.data()); });
    }
    [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

private:
    /// Gives the special tokens of a text to the ids, and what lies between to `plain_part`.
    template <class Plain>
    [[nodiscard]] bool parts(std::string_view text, const special_matcher& matcher, Plain&& plain_part) {
        const auto accept = [&](const special_matcher::match& m) {
            const added_token& token = s_.added[m.which];
            return (special_ || !token.special) && !(token.single_word && touches_word(text, m));
        };
        // Hugging Face's library looks for all tokens first, so that one may begin in the space that another took, and a token that
        // does not count hides what it covers. GGUF's engines go on where the last token and its spaces end.
        const bool all_first = s_.v.by_steps;
        const auto any = [](const special_matcher::match&) { return true; };
        std::size_t done = 0;
        for (std::size_t look = 0; look < text.size();) {
            const auto match = all_first ? matcher.find(text, look, any) : matcher.find(text, look, accept);
            if (match.which == special_matcher::none) break;
            look = match.end;
            if (all_first && !accept(match)) continue;
            const added_token& token = s_.added[match.which];
            std::size_t from = match.begin;
            std::size_t to = match.end;
            const bool ascii = !s_.v.by_steps;
            while (token.strip_left && from > done) {
                const std::size_t before = character_before(text, from);
                if (before < done || space_at(text, before, ascii) != from - before) break;
                from = before;
            }
            while (token.strip_right && to < text.size()) {
                const std::size_t length = space_at(text, to, ascii);
                if (length == 0) break;
                to += length;
            }
            if (from > done && !plain_part(text.substr(done, from - done))) return false;
            ids_.push_back(token.id);
            after_special_ = true;
            done = to;
            if (!all_first) look = to;
        }
        return done == text.size() || plain_part(text.substr(done));
    }

    [[nodiscard]] bool plain(std::string_view text, bool at_beginning) {
        using route = tokenizer_state::route;
        switch (s_.way) {
            case route::scanned: return scanned(s_.cut, text);
            case route::marked: return marked(text);
            case route::t5: return t5(text);
            case route::bert: return bert(text);
            case route::by_steps: break;
        }
        if (!s_.steps->normalizes(text)) return normalized(text, at_beginning);
        std::string normal(text);
        const bool begins = s_.steps->normalize(normal, steps_memory());
        return normalized(normal, at_beginning && begins);
    }

    [[nodiscard]] bool normalized(std::string_view text, bool at_beginning) {
        if (s_.normalized_matcher.empty()) return cut_by_steps(text, at_beginning);
        return parts(text, s_.normalized_matcher, [&](std::string_view part) {
            return cut_by_steps(part, at_beginning && part.data() == text.data());
        });
    }

    [[nodiscard]] bool cut_by_steps(std::string_view text, bool at_beginning) {
        if (const pretokenizer* const scanners = s_.steps->scanners(); scanners != nullptr)
            return scanned(*scanners, text);
        step_runner::memory& memory = steps_memory();
        s_.steps->cut(text, at_beginning, memory);
        for (std::size_t i = 0; i < memory.parts(); ++i)
            if (!piece(memory.part_text(i))) return false;
        return true;
    }

    [[nodiscard]] step_runner::memory& steps_memory() {
        if (!steps_memory_) steps_memory_ = s_.steps->make_memory();
        return *steps_memory_;
    }

    [[nodiscard]] bool piece(std::string_view text) {
        if (text.empty()) return true;
        if (s_.bpe)
            return s_.bpe->words_are_separate() ? bpe_words(text)
                                                : s_.bpe->encode(text, scratch_.merging, ids_, missing_);
        if (s_.unigram) {
            if (s_.unigram->words_are_separate()) return words(text);
            s_.unigram->encode(text, scratch_.lattice, ids_);
        } else if (s_.wordpiece) {
            return word(text, [&] {
                return cache_.append(text, ids_, [&] { return s_.wordpiece->encode(text, ids_), true; });
            });
        } else if (const std::uint32_t id = s_.names.find(text); id != piece_table::none) {
            ids_.push_back(static_cast<token_id>(id));
        } else if (s_.v.unknown != no_token) {
            ids_.push_back(s_.v.unknown);
        } else {
            missing_.assign(text);
            return false;
        }
        return true;
    }

    /// The tokens of a word, which must depend on nothing else.
    template <class Encode>
    [[nodiscard]] bool word(std::string_view text, Encode&& encode_word) {
        if (recent_.append(text, ids_)) return true;
        const std::size_t before = ids_.size();
        if (!encode_word()) return false;
        recent_.keep(text, ids_, before);
        return true;
    }

    [[nodiscard]] bool scanned(const pretokenizer& cut, std::string_view text) {
        scratch_.merging.lengths.clear();
        cut.split(text, scratch_.merging.lengths);
        std::size_t at = 0;
        for (const std::uint32_t length : scratch_.merging.lengths) {
            const std::string_view piece = text.substr(at, length);
            if (!word(piece, [&] { return s_.bpe->encode(piece, scratch_.merging, ids_, missing_); })) return false;
            at += length;
        }
        return true;
    }

    /// Words, one by one: no token crosses from one to the next.
    [[nodiscard]] bool words(std::string_view text) {
        for (std::size_t begin = 0; begin < text.size();) {  // a word: marks, then everything up to the next one
            std::size_t end = begin;
            while (text.substr(end, space_mark.size()) == space_mark) end += space_mark.size();
            end = std::min(text.find(space_mark, end), text.size());
            const std::string_view one = text.substr(begin, end - begin);
            if (!fused_word(one, [&] { return s_.unigram->encode(one, scratch_.lattice, ids_), true; })) return false;
            begin = end;
        }
        return true;
    }
    [[nodiscard]] bool bpe_words(std::string_view text) {
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = s_.bpe->word_end(text, begin);
            const std::string_view one = text.substr(begin, end - begin);
            if (!fused_word(one, [&] { return s_.bpe->encode(one, scratch_.merging, ids_, missing_); })) return false;
            begin = end;
        }
        return true;
    }

    /// Unknown tokens fuse: what a word gives after one may be less than what it gives elsewhere.
    template <class Encode>
    [[nodiscard]] bool fused_word(std::string_view one, Encode&& encode_word) {
        if (!ids_.empty() && ids_.back() == s_.v.unknown) return encode_word();
        return word(one, [&] { return cache_.append(one, ids_, encode_word); });
    }

    /// A space is a mark, and a text begins with one. What is remembered is the word with its spaces, which is shorter.
    [[nodiscard]] bool marked(std::string_view text) {
        std::size_t begin = 0;
        if (s_.v.add_space_prefix && after_special_) {
            begin = s_.bpe->word_end(text, 0);
            text_.assign(1, ' ').append(text, 0, begin);
            if (!marked_word(text_)) return false;
        }
        after_special_ = false;
        while (begin < text.size()) {
            const std::size_t end = s_.bpe->word_end(text, begin);
            if (!marked_word(text.substr(begin, end - begin))) return false;
            begin = end;
        }
        return true;
    }
    [[nodiscard]] bool marked_word(std::string_view one) {
        return fused_word(one, [&] {
            normal_.clear();
            for (const char c : one) {
                if (c == ' ')
                    normal_ += space_mark;
                else
                    normal_.push_back(c);
            }
            return s_.bpe->encode(normal_, scratch_.merging, ids_, missing_);
        });
    }

    /// SentencePiece's normalisation: rules, then spaces; the text begins (or ends) with a mark.
    [[nodiscard]] bool t5(std::string_view text) {
        normal_.clear();
        s_.rules.normalize(text, normal_);
        text_.clear();
        const std::string_view space = s_.v.escape_whitespaces ? space_mark : " ";
        const bool prefix = s_.v.add_space_prefix && !s_.v.whitespace_suffix;
        bool open = !s_.v.remove_extra_whitespaces;  // whether a space that comes now is kept
        bool pending = false;                        // a kept space that is dropped at the end of the text
        for (const char c : normal_) {
            if (text_.empty() && prefix && (c != ' ' || open)) text_ += space;
            if (c != ' ') {
                if (pending) text_ += space;
                text_.push_back(c);
                pending = false;
                open = true;
            } else if (!s_.v.remove_extra_whitespaces) {
                text_ += space;
            } else {
                pending = open;
            }
        }
        if (s_.v.whitespace_suffix && s_.v.add_space_prefix && !text_.empty()) text_ += space;
        return piece(text_);
    }

    [[nodiscard]] bool bert(std::string_view text) {
        text_ = bert_normalize(text, true, true, s_.v.strip_accents, s_.v.lowercase);
        scratch_.words.clear();
        bert_words(text_, scratch_.words);
        for (const std::string_view one : scratch_.words)
            if (!word(one,
                      [&] { return cache_.append(one, ids_, [&] { return s_.wordpiece->encode(one, ids_), true; }); }))
                return false;
        return true;
    }

    struct {
        merge_scratch merging;
        unigram_model::scratch lattice;
        std::vector<std::string_view> words;
    } scratch_;
    std::unique_ptr<step_runner::memory> steps_memory_;
    recent_words recent_;
    word_cache cache_;
    const tokenizer_state& s_;
    std::vector<token_id>& ids_;
    std::string text_;
    std::string normal_;
    std::string missing_;
    bool special_;
    bool after_special_ = true;
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
