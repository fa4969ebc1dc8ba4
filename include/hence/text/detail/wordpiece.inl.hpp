// Definitions of text/wordpiece.hpp.
#ifndef HENCE_TEXT_DETAIL_WORDPIECE_INL_HPP
#define HENCE_TEXT_DETAIL_WORDPIECE_INL_HPP

#include "../bpe.hpp"
#include "../unicode.hpp"
#include "../wordpiece.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN
namespace text {

HENCE_INLINE result<wordpiece_model> wordpiece_model::make(const vocabulary& v) {
    constexpr std::string_view mark = "\xE2\x96\x81";
    if (v.unknown == no_token) return make_error(errc::missing, "unknown token", "an id, for WordPiece vocabularies do not spell everything", "none");
    wordpiece_model m;
    m.unknown_ = v.unknown;
    if (v.max_word_characters > 0) m.max_word_characters_ = v.max_word_characters;
    for (std::uint32_t id = 0; id < v.tokens.size(); ++id) {
        std::string_view token = v.tokens[id];
        const token_type type = detail::type_of(v, id);
        if (type == token_type::control || type == token_type::unknown || token.empty()) continue;
        if (v.by_steps && type == token_type::user_defined) continue;
        m.longest_ = std::max(m.longest_, token.size());
        if (v.continuing_prefix.empty()) {
            const bool first = token.substr(0, mark.size()) == mark;
            if (first) token.remove_prefix(mark.size());
            if (!token.empty()) (first ? m.first_ : m.further_).insert(token, id);
            continue;
        }
        m.first_.insert(token, id);  // a word may begin with what looks like the prefix
        if (token.size() > v.continuing_prefix.size() && token.substr(0, v.continuing_prefix.size()) == v.continuing_prefix)
            m.further_.insert(token.substr(v.continuing_prefix.size()), id);
    }
    return m;
}

HENCE_INLINE void wordpiece_model::encode(std::string_view word, std::vector<token_id>& ids) const {
    const std::size_t before = ids.size();
    bool spelled = !word.empty();
    if (word.size() > max_word_characters_) {
        std::size_t characters = 0;
        for (std::size_t i = 0; i < word.size(); i += decode_utf8(word, i).length) ++characters;
        spelled = characters <= max_word_characters_;
    }
    for (std::size_t at = 0; spelled && at < word.size();) {
        const detail::piece_table& table = at == 0 ? first_ : further_;
        std::size_t length = std::min(longest_, word.size() - at);
        std::uint32_t id = detail::piece_table::none;
        for (; length > 0; --length)
            if (id = table.find(word.substr(at, length)); id != detail::piece_table::none) break;
        spelled = length > 0;
        if (spelled) ids.push_back(static_cast<token_id>(id));
        at += length;
    }
    if (spelled) return;
    ids.resize(before);
    if (!word.empty()) ids.push_back(unknown_);
}

HENCE_INLINE std::string bert_normalize(std::string_view text, bool clean, bool separate_chinese, bool strip_accents, bool lowercase) {
    const auto chinese = [](char32_t c) {
        return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
               (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
    };
    std::string out;
    out.reserve(text.size());
    bool ascii = true;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] >= ' ' && text[i] <= '~') {  // no part of the rules touches these
            const std::size_t begin = i;
            while (i < text.size() && text[i] >= ' ' && text[i] <= '~') ++i;
            out.append(text, begin, i - begin);
            continue;
        }
        const code_point c = decode_utf8(text, i);
        ascii = ascii && c.value < 0x80;
        const std::string_view bytes = text.substr(i, c.length);
        i += c.length;
        if (clean) {
            if (!c.valid || c.value == 0 || c.value == 0xFFFD) continue;
            const category k = general_category(c.value);
            const bool line = c.value == '\t' || c.value == '\n' || c.value == '\r';
            if (!line && (k >= category::cc || k == category::cn)) continue;
            if (is_whitespace(c.value)) {
                out.push_back(' ');
                continue;
            }
        }
        const bool alone = separate_chinese && c.valid && chinese(c.value);
        if (alone) out.push_back(' ');
        out.append(bytes);
        if (alone) out.push_back(' ');
    }
    if (ascii) {
        for (char& c : out)
            if (lowercase && c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
        return out;
    }
    if (strip_accents) {
        const std::string apart = normalize(out, normal_form::nfd);
        out.clear();
        for (std::size_t i = 0; i < apart.size();) {
            const code_point c = decode_utf8(apart, i);
            if (!c.valid || general_category(c.value) != category::mn) out.append(apart, i, c.length);
            i += c.length;
        }
    }
    return lowercase ? to_lower(out) : out;
}

HENCE_INLINE void bert_words(std::string_view text, std::vector<std::string_view>& words) {
    std::size_t begin = 0;
    const auto finish = [&](std::size_t end) {
        if (end > begin) words.push_back(text.substr(begin, end - begin));
    };
    for (std::size_t i = 0; i < text.size();) {
        if (const char letter = static_cast<char>(text[i] | 0x20); (letter >= 'a' && letter <= 'z') || (text[i] >= '0' && text[i] <= '9')) {
            ++i;
            continue;
        }
        const code_point c = decode_utf8(text, i);
        const bool space = is_whitespace(c.value);
        const category k = general_category(c.value);
        const bool alone = c.valid && (is_punctuation(k) || (c.value < 0x80 && is_symbol(k)));
        if (space || alone) {
            finish(i);
            begin = i + c.length;
            if (alone) words.push_back(text.substr(i, c.length));
        }
        i += c.length;
    }
    finish(text.size());
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
