// Definitions of text/unigram.hpp.
#ifndef HENCE_TEXT_DETAIL_UNIGRAM_INL_HPP
#define HENCE_TEXT_DETAIL_UNIGRAM_INL_HPP

#include "../../core/text.hpp"
#include "../unicode.hpp"
#include "../unigram.hpp"
#include "token_text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

HENCE_NAMESPACE_BEGIN
namespace text {
namespace detail {

/// Whether a space mark (U+2581) stands after another character.
inline bool marks_inside(std::string_view token) noexcept {
    constexpr std::string_view mark = "\xE2\x96\x81";
    for (std::size_t at = token.find(mark, 1); at != std::string_view::npos; at = token.find(mark, at + 1))
        if (at < mark.size() || token.substr(at - mark.size(), mark.size()) != mark) return true;
    return false;
}

}  // namespace detail

HENCE_INLINE result<unigram_model> unigram_model::make(const vocabulary& v) {
    constexpr std::size_t most_bytes = 1024;
    if (v.scores.size() != v.tokens.size())
        return make_error(errc::mismatch, "token scores", concat({v.tokens.size(), ", one a token"}), decimal(v.scores.size()));
    if (v.unknown == no_token) return make_error(errc::missing, "unknown token", "an id, for unigram vocabularies do not spell everything", "none");
    unigram_model m;
    if (v.exact_scores.size() == v.scores.size()) {
        m.scores_ = v.exact_scores;
    } else {
        m.scores_.assign(v.scores.begin(), v.scores.end());
    }
    m.unknown_ = v.unknown;
    m.byte_token_.fill(no_token);
    m.roots_.fill(none);
    m.ending_.push_back(none);
    double lowest = std::numeric_limits<double>::max();
    std::size_t bytes = 0;
    for (std::size_t id = 0; id < v.tokens.size(); ++id) {
        const std::string_view token = v.tokens[id];
        const token_type type = detail::type_of(v, id);
        if (!std::isfinite(m.scores_[id])) return make_error(errc::not_a_number, concat({"score of token ", id}), "a finite number");
        if (type == token_type::byte) {
            if (const int byte = detail::byte_of_token(token); byte >= 0) {
                m.byte_token_[static_cast<std::size_t>(byte)] = static_cast<token_id>(id);
                ++bytes;
            }
            if (!v.by_steps) continue;  // Hugging Face's tokenizers find "<0x41>" in a text too
        }
        if (type == token_type::normal) lowest = std::min(lowest, m.scores_[id]);
        if (type == token_type::control || type == token_type::unknown || token.empty()) continue;
        if (v.by_steps && type == token_type::user_defined) continue;  // found in the text before the model sees it
        if (token.size() > most_bytes)
            return make_error(errc::out_of_range, concat({"token ", id}), "at most 1024 bytes", decimal(token.size()));
        if (type == token_type::user_defined) m.scores_[id] = 0;
        std::uint32_t node = none;
        for (std::size_t i = 0; i < token.size(); ++i) {
            const auto byte = static_cast<unsigned char>(token[i]);
            std::uint32_t next = i == 0 ? m.roots_[byte] : m.children_.find(node, byte).made;
            if (i == 0 ? next == none : m.children_.find(node, byte).rank == detail::merge::never) {
                next = static_cast<std::uint32_t>(m.ending_.size());
                m.ending_.push_back(none);
                if (i == 0) {
                    m.roots_[byte] = next;
                } else {
                    m.children_.insert(node, byte, {0, next});
                }
            }
            node = next;
        }
        if (m.ending_[node] == none) m.ending_[node] = static_cast<std::uint32_t>(id);
        m.words_are_separate_ = m.words_are_separate_ && !detail::marks_inside(token);
    }
    m.byte_fallback_ = v.byte_fallback && bytes == 256;
    m.unknown_score_ = (lowest == std::numeric_limits<double>::max() ? 0.0 : lowest) - 10.0;
    return m;
}

HENCE_INLINE void unigram_model::encode(std::string_view piece, scratch& s, std::vector<token_id>& ids) const {
    if (piece.empty()) return;
    s.ends.assign(piece.size() + 1, {-std::numeric_limits<double>::infinity(), 0, none});
    s.ends[0].score = 0;
    for (std::size_t at = 0; at < piece.size();) {
        const std::size_t length = decode_utf8(piece, at).length;
        const double score = s.ends[at].score;
        const auto offer = [&](std::size_t end, double more, std::uint32_t token) {
            scratch::best& best = s.ends[end];
            if (score + more > best.score) best = {score + more, static_cast<std::uint32_t>(at), token};
        };
        bool spelled = false;
        std::uint32_t node = roots_[static_cast<unsigned char>(piece[at])];
        for (std::size_t end = at + 1; node != none; ++end) {
            if (const std::uint32_t token = ending_[node]; token != none) {
                spelled = spelled || end - at == length;
                offer(end, scores_[token], token);
            }
            if (end == piece.size()) break;
            const detail::merge child = children_.find(node, static_cast<unsigned char>(piece[end]));
            if (child.rank == detail::merge::never) break;
            node = child.made;
        }
        if (!spelled) offer(at + length, unknown_score_, none);
        at += length;
    }
    s.path.clear();
    for (std::size_t end = piece.size(); end > 0; end = s.ends[end].from) s.path.push_back(static_cast<std::uint32_t>(end));
    bool after_unknown = false;
    for (std::size_t i = s.path.size(); i > 0; --i) {
        const scratch::best& best = s.ends[s.path[i - 1]];
        if (best.token != none) {
            ids.push_back(static_cast<token_id>(best.token));
        } else if (byte_fallback_) {
            for (const char c : piece.substr(best.from, s.path[i - 1] - best.from)) ids.push_back(byte_token_[static_cast<unsigned char>(c)]);
        } else if (!after_unknown) {
            ids.push_back(unknown_);
        }
        after_unknown = best.token == none;
    }
}

HENCE_INLINE result<charsmap> charsmap::make(std::string_view block) {
    charsmap m;
    if (block.empty()) return m;
    const auto word = [&](std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(block[at + i - 1]);
        return value;
    };
    if (block.size() < 4) return make_error(errc::truncated, "precompiled_charsmap", "at least 4 bytes", decimal(block.size()));
    const std::size_t size = word(0);
    if (size % 4 != 0 || size == 0 || size > block.size() - 4)
        return make_error(errc::bad_format, "precompiled_charsmap", concat({"a trie of at most ", block.size() - 4, " bytes, a multiple of 4"}),
                          decimal(size));
    for (std::size_t i = 0; i < size; i += 4) m.units_.push_back(word(4 + i));
    m.replacements_ = block.substr(4 + size);
    return m;
}

HENCE_INLINE void charsmap::normalize(std::string_view text, std::string& out) const {
    const auto offset = [](std::uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); };
    for (std::size_t at = 0; at < text.size();) {
        std::size_t matched = 0;
        std::size_t replacement = 0;
        std::size_t node = units_.empty() ? 0 : offset(units_[0]);
        for (std::size_t i = at; i < text.size() && !units_.empty(); ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            node ^= byte;
            if (node >= units_.size()) break;
            const std::uint32_t unit = units_[node];
            if ((unit & (1u << 31 | 0xFFu)) != byte) break;
            node ^= offset(unit);
            if ((unit >> 8 & 1u) == 0) continue;
            if (node >= units_.size()) break;
            matched = i + 1 - at;
            replacement = units_[node] & 0x7FFFFFFFu;
        }
        if (matched > 0 && replacement < replacements_.size()) {
            out.append(std::string_view(replacements_).substr(replacement, replacements_.find('\0', replacement) - replacement));
            at += matched;
            continue;
        }
        const code_point c = decode_utf8(text, at);
        if (c.valid) {
            out.append(text.substr(at, c.length));
        } else {
            out.append("\xEF\xBF\xBD");
        }
        at += c.length;
    }
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
