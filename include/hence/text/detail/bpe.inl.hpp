// Definitions of text/bpe.hpp.
#ifndef HENCE_TEXT_DETAIL_BPE_INL_HPP
#define HENCE_TEXT_DETAIL_BPE_INL_HPP

#include "../../core/text.hpp"
#include "../../core/quote.hpp"
#include "../bpe.hpp"
#include "token_text.hpp"
#include "../unicode.hpp"
#include "merge_queue.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

HENCE_NAMESPACE_BEGIN
namespace text {
namespace detail {

struct byte_alphabet {
    std::array<std::uint16_t, 256> character{};  // of a byte
    std::array<std::int16_t, 512> byte{};        // of a character, or -1
};

constexpr byte_alphabet make_byte_alphabet() noexcept {
    byte_alphabet a;
    for (auto& b : a.byte) b = -1;
    std::uint16_t next = 256;
    for (std::uint16_t b = 0; b < 256; ++b) {
        const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        const std::uint16_t c = printable ? b : next++;
        a.character[b] = c;
        a.byte[c] = static_cast<std::int16_t>(b);
    }
    return a;
}

inline constexpr byte_alphabet gpt2_alphabet = make_byte_alphabet();

/// Models over characters have no use for a symbol of every byte: the table then holds those of ASCII's characters, and at the
/// end the space mark's.
inline constexpr std::size_t mark_place = 255;
inline void note_common_symbols(const piece_table& pieces, std::array<std::uint32_t, 256>& symbols) {
    for (std::size_t b = 0; b < 128; ++b) {
        const char c = static_cast<char>(static_cast<unsigned char>(b));
        symbols[b] = pieces.find({&c, 1});
    }
    symbols[mark_place] = pieces.find("\xE2\x96\x81");
}

}  // namespace detail

HENCE_INLINE std::string to_byte_alphabet(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) append_utf8(out, detail::gpt2_alphabet.character[static_cast<unsigned char>(c)]);
    return out;
}

HENCE_INLINE bool from_byte_alphabet(std::string_view token, std::string& bytes) {
    // The alphabet's characters are below 512, so that each is one byte of UTF-8 or two. Vocabularies are long and are read at
    // every start: the space is made at once, and given back where a character is none of these.
    const std::size_t before = bytes.size();
    bytes.resize(before + token.size());
    std::size_t end = before;
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::size_t character = static_cast<unsigned char>(token[i]);
        if (character >= 0x80) {
            const bool two = character >= 0xC2 && character < 0xC8 && i + 1 < token.size() && (static_cast<unsigned char>(token[i + 1]) & 0xC0u) == 0x80u;
            character = two ? (character & 0x1F) << 6 | (static_cast<unsigned char>(token[++i]) & 0x3Fu) : 0;
        }
        const int byte = detail::gpt2_alphabet.byte[character];
        if (byte < 0) {
            bytes.resize(before);
            return false;
        }
        bytes[end++] = static_cast<char>(static_cast<unsigned char>(byte));
    }
    bytes.resize(end);
    return true;
}

HENCE_INLINE void bpe_model::add_tokens(const vocabulary& v) {
    tokens_ = static_cast<std::uint32_t>(v.tokens.size());
    unknown_ = v.unknown;
    fuse_unknown_ = v.fuse_unknown;
    byte_token_.fill(no_token);
    pieces_.reserve(v.tokens.size() + v.tokens.size() / 8);
    std::string bytes;
    for (std::uint32_t id = 0; id < tokens_; ++id) {
        const token_type type = detail::type_of(v, id);
        if (type == token_type::byte) {
            if (const int byte = detail::byte_of_token(v.tokens[id]); byte >= 0 && (over_bytes_ || v.model == "llama" || v.byte_fallback))
                byte_token_[static_cast<std::size_t>(byte)] = static_cast<token_id>(id);
            continue;
        }
        if (type == token_type::control || type == token_type::unknown || v.tokens[id].empty()) continue;
        if (v.by_steps && type == token_type::user_defined) continue;  // found in the text before the model sees it
        std::string_view piece = v.tokens[id];
        if (over_bytes_) {
            bytes.clear();
            if (!from_byte_alphabet(piece, bytes)) continue;  // spelled in plain text: found before the cut, never here
            piece = bytes;
        }
        pieces_.insert(piece, id);
        longest_ = std::max(longest_, piece.size());
    }
    whole_ = std::make_unique<std::atomic<std::uint8_t>[]>(tokens_);
}

HENCE_INLINE std::uint32_t bpe_model::add_between(std::string_view bytes) {
    const auto next = static_cast<std::uint32_t>(tokens_ + between_.size());
    const std::uint32_t symbol = pieces_.insert(bytes, next);
    if (symbol == next) between_.emplace_back(bytes);
    return symbol;
}

HENCE_INLINE result<bpe_model> bpe_model::by_rank(const vocabulary& v) {
    bpe_model m;
    m.over_bytes_ = v.model == "gpt2";
    m.whole_piece_first_ = v.whole_piece_first;
    m.continuing_prefix_ = m.over_bytes_ ? "" : v.continuing_prefix;
    m.word_suffix_ = m.over_bytes_ ? "" : v.word_suffix;
    m.add_tokens(v);
    if (m.over_bytes_) {
        for (std::size_t b = 0; b < 256; ++b) {
            const char byte = static_cast<char>(static_cast<unsigned char>(b));
            m.byte_symbol_[b] = m.add_between({&byte, 1});
            if (m.byte_symbol_[b] < m.tokens_) m.byte_token_[b] = static_cast<token_id>(m.byte_symbol_[b]);
        }
    }
    // A suffix or prefix says what ends or goes on a piece: the words inside of one have none.
    m.words_are_separate_ = !m.over_bytes_ && !m.whole_piece_first_ && m.continuing_prefix_.empty() && m.word_suffix_.empty();
    m.pairs_.reserve(v.merges.size());
    std::string joined;
    for (std::size_t rank = 0; rank < v.merges.size(); ++rank) {
        const std::string_view text = v.merges[rank];
        const auto where = [&] { return concat({"merge ", rank}); };
        const std::size_t separator = text.find('\0');
        const std::size_t space = separator != std::string_view::npos ? separator : text.find(' ', 1);
        if (space == std::string_view::npos || space == 0 || space + 1 >= text.size())
            return make_error(errc::bad_format, where(), "two parts with a space between", quote(text));
        std::uint32_t part[2];
        joined.clear();
        for (int i = 0; i < 2; ++i) {
            const std::string_view side = i == 0 ? text.substr(0, space) : text.substr(space + 1);
            const std::size_t from = joined.size();
            if (!m.over_bytes_) {
                joined.append(side);
                if (i == 1 && !v.continuing_prefix.empty() && side.substr(0, v.continuing_prefix.size()) == v.continuing_prefix) {
                    joined.erase(from, v.continuing_prefix.size());  // a ##b makes ab
                    part[i] = m.pieces_.find(side);
                    if (part[i] != detail::piece_table::none) continue;
                }
            } else if (!from_byte_alphabet(side, joined)) {
                return make_error(errc::bad_format, where(), "characters of GPT-2's byte alphabet", quote(side));
            }
            const std::string_view bytes = std::string_view(joined).substr(from);
            part[i] = m.pieces_.find(bytes);
            if (part[i] == detail::piece_table::none && !m.over_bytes_ && decode_utf8(bytes, 0).length == bytes.size())
                part[i] = m.add_between(bytes);
            if (part[i] == detail::piece_table::none)
                return make_error(errc::mismatch, where(), "parts that are tokens or made by earlier merges", quote(side));
        }
        m.pairs_.insert(part[0], part[1], {static_cast<std::uint32_t>(rank), m.add_between(joined)});
        if (m.words_are_separate_) m.joins_.note(joined);
    }
    if (!m.over_bytes_) detail::note_common_symbols(m.pieces_, m.byte_symbol_);
    return m;
}

HENCE_INLINE result<bpe_model> bpe_model::by_score(const vocabulary& v) {
    constexpr std::size_t most_bytes = 1024;
    if (v.scores.size() != v.tokens.size())
        return make_error(errc::mismatch, "token scores", concat({v.tokens.size(), ", one a token"}), decimal(v.scores.size()));
    bpe_model m;
    m.over_bytes_ = false;
    m.add_tokens(v);
    m.fuse_unknown_ = true;
    m.words_are_separate_ = true;

    std::vector<std::uint32_t> order;
    for (std::uint32_t id = 0; id < m.tokens_; ++id) {
        if (!std::isfinite(v.scores[id]))
            return make_error(errc::not_a_number, concat({"score of token ", id}), "a finite number");
        const std::string_view token = v.tokens[id];
        if (m.pieces_.find(token) != id) continue;
        if (token.size() > most_bytes)
            return make_error(errc::out_of_range, concat({"token ", id}), "at most 1024 bytes", decimal(token.size()));
        order.push_back(id);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return v.scores[a] > v.scores[b]; });
    for (const std::uint32_t id : order) {
        const std::string_view token = v.tokens[id];
        for (std::size_t i = 0; i < token.size();) {
            const std::size_t length = decode_utf8(token, i).length;
            (void)m.add_between(token.substr(i, length));
            i += length;
        }
        m.joins_.note(token);
    }
    std::uint32_t rank = 0;
    for (std::size_t n = 0; n < order.size(); ++n) {
        if (n > 0 && v.scores[order[n]] < v.scores[order[n - 1]]) ++rank;  // equal scores: the leftmost pair goes first
        const std::string_view token = v.tokens[order[n]];
        for (std::size_t i = decode_utf8(token, 0).length; i < token.size(); i += decode_utf8(token, i).length) {
            const std::uint32_t left = m.pieces_.find(token.substr(0, i));
            if (left == detail::piece_table::none) continue;
            const std::uint32_t right = m.pieces_.find(token.substr(i));
            if (right != detail::piece_table::none) m.pairs_.insert(left, right, {rank, order[n]});
        }
    }
    detail::note_common_symbols(m.pieces_, m.byte_symbol_);
    return m;
}

HENCE_INLINE void bpe_model::start_symbols(std::string_view piece, detail::merge_scratch& scratch) const {
    scratch.symbols.clear();
    if (over_bytes_) {
        for (const char c : piece) scratch.symbols.push_back(byte_symbol_[static_cast<unsigned char>(c)]);
        return;
    }
    std::string spelled;
    const bool plain = continuing_prefix_.empty() && word_suffix_.empty();
    for (std::size_t i = 0; i < piece.size();) {
        if (plain) {  // most of what comes is a letter or the mark of a space
            const auto byte = static_cast<unsigned char>(piece[i]);
            const std::uint32_t known = byte < 128 ? byte_symbol_[byte] : piece.substr(i, 3) == "\xE2\x96\x81" ? byte_symbol_[detail::mark_place] : detail::piece_table::none;
            if (known != detail::piece_table::none) {
                scratch.symbols.push_back(known);
                i += byte < 128 ? 1 : 3;
                continue;
            }
        }
        const std::size_t length = decode_utf8(piece, i).length;
        std::string_view name = piece.substr(i, length);
        const bool prefix = i > 0 && !continuing_prefix_.empty();
        const bool suffix = i + length == piece.size() && !word_suffix_.empty();
        if (prefix || suffix) {
            spelled = prefix ? continuing_prefix_ : std::string();
            spelled += name;
            if (suffix) spelled += word_suffix_;
            name = spelled;
        }
        const std::uint32_t symbol = pieces_.find(name);
        if (symbol != detail::piece_table::none) {
            scratch.symbols.push_back(symbol);
        } else {
            for (std::size_t k = 0; k < length; ++k)
                scratch.symbols.push_back(raw_byte + static_cast<unsigned char>(piece[i + k]) + (k > 0 ? 256u : 0u));
        }
        i += length;
    }
}

HENCE_INLINE bool bpe_model::put_bytes(std::string_view bytes, std::vector<token_id>& ids, std::string& missing) const {
    const bool all = std::all_of(bytes.begin(), bytes.end(), [&](char c) { return byte_token_[static_cast<unsigned char>(c)] != no_token; });
    if (all) {
        for (const char c : bytes) ids.push_back(byte_token_[static_cast<unsigned char>(c)]);
    } else if (unknown_ == no_token) {
        missing.assign(bytes);
        return false;
    } else if (over_bytes_) {
        for (const char c : bytes) {
            const token_id id = byte_token_[static_cast<unsigned char>(c)];
            ids.push_back(id == no_token ? unknown_ : id);
        }
    } else if (!fuse_unknown_ || ids.empty() || ids.back() != unknown_) {
        ids.push_back(unknown_);
    }
    return true;
}

HENCE_INLINE bool bpe_model::encode(std::string_view piece, detail::merge_scratch& scratch, std::vector<token_id>& ids,
                                    std::string& missing) const {
    if (piece.empty()) return true;
    std::uint32_t whole = detail::piece_table::none;
    if (piece.size() <= longest_ && (word_suffix_.empty() || whole_piece_first_)) {
        whole = pieces_.find(piece);
        if (whole < tokens_ && (whole_piece_first_ || whole_[whole].load(std::memory_order_relaxed) == 1)) {
            ids.push_back(static_cast<token_id>(whole));
            return true;
        }
    }
    start_symbols(piece, scratch);
    detail::merge_pairs(scratch, pairs_);
    const std::vector<std::uint32_t>& symbols = scratch.symbols;
    if (whole < tokens_) whole_[whole].store(symbols.size() == 1 && symbols[0] == whole ? 1 : 2, std::memory_order_relaxed);
    std::string raw;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        if (symbols[i] < tokens_) {
            ids.push_back(static_cast<token_id>(symbols[i]));
        } else if (symbols[i] < raw_byte) {
            if (!put_bytes(between_[symbols[i] - tokens_], ids, missing)) return false;
        } else {  // one character that nothing knows: its bytes stand one after another
            raw.assign(1, static_cast<char>(static_cast<unsigned char>(symbols[i] & 0xFFu)));
            while (i + 1 < symbols.size() && symbols[i + 1] >= raw_byte + 256)
                raw.push_back(static_cast<char>(static_cast<unsigned char>(symbols[++i] & 0xFFu)));
            if (!put_bytes(raw, ids, missing)) return false;
        }
    }
    return true;
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
