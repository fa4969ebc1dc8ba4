// Definitions of text/pipeline.hpp.
#ifndef HENCE_TEXT_DETAIL_PIPELINE_INL_HPP
#define HENCE_TEXT_DETAIL_PIPELINE_INL_HPP

#include "../bpe.hpp"
#include "../pipeline.hpp"
#include "../unicode.hpp"
#include "../wordpiece.hpp"
#include "token_text.hpp"

#include <algorithm>
#include <optional>

HENCE_NAMESPACE_BEGIN
namespace text {
namespace detail {

inline constexpr std::uint32_t no_pattern = 0xFFFFFFFFu;

/// The replacement's $0 ... are not interpreted: published files do not use them.
inline std::string replaced(std::string_view text, const std::vector<pattern::span>& matches, std::string_view put) {
    std::string out;
    std::size_t at = 0;
    for (const pattern::span& m : matches) {
        out.append(text.substr(at, m.begin - at));
        out.append(put);
        at = m.end;
    }
    out.append(text.substr(at));
    return out;
}

inline void find_all(std::string_view text, std::string_view wanted, std::vector<pattern::span>& matches) {
    if (wanted.empty()) return;
    for (std::size_t at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + wanted.size()))
        matches.push_back({at, at + wanted.size()});
}

/// How many bytes at the text's beginning stem from its first character once matches are replaced, when `first` did before. What is put
/// stems from the match's last character.
inline std::size_t first_after(std::string_view text, const std::vector<pattern::span>& matches, std::string_view put,
                               std::size_t first) {
    std::size_t gone = 0;
    for (const pattern::span& m : matches) {
        if (m.begin != gone || m.end == m.begin) break;
        if (!put.empty()) {
            std::size_t last = m.end - 1;
            while (last > m.begin && (static_cast<unsigned char>(text[last]) & 0xC0u) == 0x80u) --last;
            return last < first ? put.size() : 0;
        }
        gone = m.end;
    }
    return first - std::min(first, gone);
}

/// What SentencePiece's nmt rules do beside NFKC.
inline std::string nmt(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode_utf8(text, i);
        const char32_t v = c.value;
        const bool drop =
            (v >= 1 && v <= 8) || v == 0x0B || (v >= 0x0E && v <= 0x1F) || v == 0x7F || v == 0x8F || v == 0x9F;
        const bool space = v == 9 || v == 10 || v == 12 || v == 13 || v == 0x1680 || (v >= 0x200B && v <= 0x200F) ||
                           v == 0x2028 || v == 0x2029 || v == 0x2581 || v == 0xFEFF || v == 0xFFFD;
        if (c.valid && space) {
            out.push_back(' ');
        } else if (!c.valid || !drop) {
            out.append(text.substr(i, c.length));
        }
        i += c.length;
    }
    return out;
}

inline bool is_punctuation_character(const code_point& c) {
    const category k = general_category(c.value);
    return c.valid && (is_punctuation(k) || (c.value < 0x80 && is_symbol(k)));
}

/// Matches of a step that looks at one character after the other: runs, or single characters.
template <class Is>
void character_matches(std::string_view text, bool single, std::vector<pattern::span>& matches, Is&& is) {
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode_utf8(text, i);
        if (is(c)) {
            if (!single && !matches.empty() && matches.back().end == i) {
                matches.back().end += c.length;
            } else {
                matches.push_back({i, i + c.length});
            }
        }
        i += c.length;
    }
}

}  // namespace detail

HENCE_INLINE result<pipeline> pipeline::make(const std::vector<normalize_step>& normalization,
                                             const std::vector<cut_step>& cuts, bool bytes_last) {
    pipeline p;
    p.normalization_ = normalization;
    p.cuts_ = cuts;
    p.bytes_last_ = bytes_last;
    const auto add = [&](std::string_view source, std::vector<std::uint32_t>& indices) -> result<void> {
        HENCE_TRY_ASSIGN(compiled, pattern::compile(source));
        indices.back() = static_cast<std::uint32_t>(p.patterns_.size());
        p.patterns_.push_back(std::move(compiled));
        return {};
    };
    for (const normalize_step& step : normalization) {
        p.of_normalize_.push_back(detail::no_pattern);
        p.charsmaps_.emplace_back();
        if (step.is_pattern) HENCE_TRY(add(step.find, p.of_normalize_));
        if (step.what == normalize_step::kind::charsmap) {
            HENCE_TRY_ASSIGN(map, charsmap::make(step.put));
            p.charsmaps_.back() = std::move(map);
        }
        const bool composes =
            step.what <= normalize_step::kind::nfkd || step.what == normalize_step::kind::strip_accents;
        p.ascii_unchanged_ = p.ascii_unchanged_ && composes;
    }
    // Cuts that scanners know need no parts of their own.
    bool known = bytes_last && !cuts.empty();
    for (std::size_t i = 0; known && i < cuts.size(); ++i) {
        const cut_step& step = cuts[i];
        if (step.what == cut_step::kind::split && step.is_pattern && !step.invert &&
            step.behavior == split_behavior::isolated) {
            const auto cut = pretokenizer::for_pattern(step.find);
            known = cut && p.scanners_.then(*cut);
        } else if (step.what == cut_step::kind::byte_level) {
            known = !step.prefix_space && (!step.use_pattern || p.scanners_.then(*pretokenizer::named("gpt-2")));
        } else if (step.what == cut_step::kind::digits) {
            known = p.scanners_.then(*pretokenizer::for_pattern(step.individual ? "\\p{N}" : "\\p{N}+"));
        } else {
            known = false;
        }
    }
    p.scanners_only_ = known;
    for (const cut_step& step : cuts) {
        p.of_cut_.push_back(detail::no_pattern);
        if (!known && step.what == cut_step::kind::split && step.is_pattern) HENCE_TRY(add(step.find, p.of_cut_));
    }
    return p;
}

HENCE_INLINE bool pipeline::normalizes(std::string_view text) const noexcept {
    if (normalization_.empty()) return false;
    return !ascii_unchanged_ ||
           std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

HENCE_INLINE bool pipeline::normalize(std::string& text, scratch& s) const {
    using kind = normalize_step::kind;
    s.patterns.resize(patterns_.size());
    const auto first_length = [&] { return text.empty() ? std::size_t{0} : std::size_t{decode_utf8(text, 0).length}; };
    std::size_t first = first_length();  // bytes at the text's beginning that stem from its first character
    const auto dropped_where_empty = [&](const std::string& alone) { first = alone.empty() ? 0 : first; };
    const auto taken = [&](std::size_t bytes) { first -= std::min(first, bytes); };
    for (std::size_t i = 0; i < normalization_.size(); ++i) {
        const normalize_step& step = normalization_[i];
        const bool one_for_one = step.what != kind::strip && step.what != kind::replace && step.what != kind::prepend;
        switch (step.what) {
            case kind::nfc: text = text::normalize(text, normal_form::nfc); break;
            case kind::nfd: text = text::normalize(text, normal_form::nfd); break;
            case kind::nfkc: text = text::normalize(text, normal_form::nfkc); break;
            case kind::nfkd: text = text::normalize(text, normal_form::nfkd); break;
            case kind::lowercase: text = to_lower(text); break;
            case kind::strip: {
                std::size_t begin = 0;
                while (step.left && begin < text.size() && is_whitespace(decode_utf8(text, begin).value))
                    begin += decode_utf8(text, begin).length;
                std::size_t end = text.size();
                while (step.right && end > begin) {
                    std::size_t back = end - 1;
                    while (back > begin && (static_cast<unsigned char>(text[back]) & 0xC0u) == 0x80u) --back;
                    const code_point c = decode_utf8(text, back);
                    if (!is_whitespace(c.value) || back + c.length != end) break;
                    end = back;
                }
                text = text.substr(begin, end - begin);
                taken(begin);
                break;
            }
            case kind::strip_accents: {
                std::string out;
                for (std::size_t at = 0; at < text.size();) {
                    const code_point c = decode_utf8(text, at);
                    if (!c.valid || general_category(c.value) != category::mn) {
                        out.append(text, at, c.length);
                    } else if (at == 0) {
                        first = 0;
                    }
                    at += c.length;
                }
                text = std::move(out);
                break;
            }
            case kind::replace:
                s.matches.clear();
                if (step.is_pattern) {
                    patterns_[of_normalize_[i]].find_all(text, s.patterns[of_normalize_[i]], s.matches);
                } else {
                    detail::find_all(text, step.find, s.matches);
                }
                first = detail::first_after(text, s.matches, step.put, first);
                text = detail::replaced(text, s.matches, step.put);
                break;
            case kind::prepend:
                if (!text.empty()) text.insert(0, step.put);
                if (first > 0) first += step.put.size();
                break;
            case kind::bert:
                dropped_where_empty(bert_normalize(text.substr(0, first_length()), step.clean, step.separate_chinese,
                                                   step.accents, step.lower));
                text = bert_normalize(text, step.clean, step.separate_chinese, step.accents, step.lower);
                break;
            case kind::charsmap: {
                std::string out;
                charsmaps_[i].normalize(text, out);
                text = std::move(out);
                break;
            }
            case kind::byte_alphabet: text = to_byte_alphabet(text); break;
            case kind::nmt:
                dropped_where_empty(detail::nmt(text.substr(0, first_length())));
                text = detail::nmt(text);
                break;
        }
        if (one_for_one && first > 0) first = first_length();
    }
    return first > 0;
}

HENCE_INLINE void pipeline::split(const cut_step& step, const pattern* compiled, pattern::scratch* memory,
                                  scratch& s) const {
    using kind = cut_step::kind;
    s.finer.clear();
    for (const scratch::part& part : s.parts) {
        const std::string_view text = std::string_view(s.text).substr(part.begin, part.length);
        s.matches.clear();
        split_behavior behavior = step.behavior;
        if (step.what == kind::digits) {
            behavior = split_behavior::isolated;
            detail::character_matches(text, step.individual, s.matches, [](const code_point& c) {
                return c.valid && is_number(general_category(c.value));
            });
        } else if (step.what == kind::punctuation) {
            detail::character_matches(text, true, s.matches, detail::is_punctuation_character);
        } else if (step.what == kind::whitespace_split) {
            behavior = split_behavior::removed;
            detail::character_matches(text, true, s.matches,
                                      [](const code_point& c) { return c.valid && is_whitespace(c.value); });
        } else if (compiled != nullptr) {
            compiled->find_all(text, *memory, s.matches);
        } else {
            detail::find_all(text, step.find, s.matches);
        }
        // Matches and what lies between, in order, each told as found or not; then the behaviour joins or drops.
        const std::size_t first = s.finer.size();
        bool after_found = false;
        const auto put = [&](std::size_t begin, std::size_t end, bool found) {
            found = found != step.invert;
            const scratch::part piece{part.begin + static_cast<std::uint32_t>(begin),
                                      static_cast<std::uint32_t>(end - begin)};
            const bool any = s.finer.size() > first;
            switch (behavior) {
                case split_behavior::removed:
                    if (!found) s.finer.push_back(piece);
                    break;
                case split_behavior::isolated: s.finer.push_back(piece); break;
                case split_behavior::contiguous:
                    if (any && found == after_found) {
                        s.finer.back().length += piece.length;
                    } else {
                        s.finer.push_back(piece);
                    }
                    break;
                case split_behavior::merged_with_previous:
                    if (any && found && !after_found) {
                        s.finer.back().length += piece.length;
                    } else {
                        s.finer.push_back(piece);
                    }
                    break;
                case split_behavior::merged_with_next:
                    if (any && !found && after_found) {
                        s.finer.back().length += piece.length;
                    } else {
                        s.finer.push_back(piece);
                    }
                    break;
            }
            after_found = found;
        };
        std::size_t at = 0;
        for (const pattern::span& m : s.matches) {
            if (m.begin > at) put(at, m.begin, false);
            if (m.end > m.begin) put(m.begin, m.end, true);
            at = m.end;
        }
        if (at < text.size()) put(at, text.size(), false);
    }
    s.parts.swap(s.finer);
}

HENCE_INLINE void pipeline::metaspace(const cut_step& step, bool at_beginning, scratch& s) const {
    s.other.clear();
    s.finer.clear();
    s.begins = s.begins && !s.parts.empty() && s.parts[0].begin == 0;
    for (std::size_t i = 0; i < s.parts.size(); ++i) {
        const std::string_view text = std::string_view(s.text).substr(s.parts[i].begin, s.parts[i].length);
        const auto begin = static_cast<std::uint32_t>(s.other.size());
        const bool prepend = step.prepend == cut_step::place::always ||
                             (step.prepend == cut_step::place::first && at_beginning && i == 0 && s.begins);
        if (prepend && text.substr(0, 1) != " " && text.substr(0, step.put.size()) != step.put) s.other += step.put;
        s.other += detail::replaced(text, " ", step.put);
        const std::string_view written = std::string_view(s.other).substr(begin);
        if (!step.cut_words || step.put.empty()) {
            s.finer.push_back({begin, static_cast<std::uint32_t>(written.size())});
            continue;
        }
        for (std::size_t at = 0; at < written.size();) {  // each mark begins a word
            const std::size_t end = std::min(
                written.find(step.put, at + (written.substr(at, step.put.size()) == step.put ? step.put.size() : 0)),
                written.size());
            s.finer.push_back({begin + static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end - at)});
            at = end;
        }
    }
    s.text.swap(s.other);
    s.parts.swap(s.finer);
}

HENCE_INLINE void pipeline::cut(std::string_view text, bool at_beginning, scratch& s) const {
    using kind = cut_step::kind;
    s.patterns.resize(patterns_.size());
    s.text.assign(text);
    s.parts.clear();
    s.begins = true;
    if (text.empty()) return;
    s.parts.push_back({0, static_cast<std::uint32_t>(text.size())});
    for (std::size_t i = 0; i < cuts_.size(); ++i) {
        const cut_step& step = cuts_[i];
        switch (step.what) {
            case kind::split: {
                const bool has = of_cut_[i] != detail::no_pattern;
                split(step, has ? &patterns_[of_cut_[i]] : nullptr, has ? &s.patterns[of_cut_[i]] : nullptr, s);
                break;
            }
            case kind::digits:
            case kind::punctuation:
            case kind::whitespace_split: split(step, nullptr, nullptr, s); break;
            case kind::metaspace: metaspace(step, at_beginning, s); break;
            case kind::whitespace: {
                s.finer.clear();
                for (const scratch::part& part : s.parts) {
                    int before = 0;  // 1: a word, 2: another run
                    for (std::uint32_t at = part.begin; at < part.begin + part.length;) {
                        const code_point c = decode_utf8(s.text, at);
                        const int now = c.valid && is_whitespace(c.value) ? 0 : detail::is_word_character(c) ? 1 : 2;
                        if (now != 0 && now == before) {
                            s.finer.back().length += c.length;
                        } else if (now != 0) {
                            s.finer.push_back({at, c.length});
                        }
                        before = now;
                        at += c.length;
                    }
                }
                s.parts.swap(s.finer);
                break;
            }
            case kind::bert: {
                s.finer.clear();
                for (const scratch::part& part : s.parts) {
                    s.words.clear();
                    bert_words(std::string_view(s.text).substr(part.begin, part.length), s.words);
                    for (const std::string_view word : s.words)
                        s.finer.push_back({static_cast<std::uint32_t>(word.data() - s.text.data()),
                                           static_cast<std::uint32_t>(word.size())});
                }
                s.parts.swap(s.finer);
                break;
            }
            case kind::byte_level: {
                const pretokenizer gpt2 = *pretokenizer::named("gpt-2");
                const bool spell = !(bytes_last_ && i + 1 == cuts_.size());
                s.other.clear();
                s.finer.clear();
                s.begins = s.begins && !s.parts.empty() && s.parts[0].begin == 0;
                for (const scratch::part& part : s.parts) {
                    std::string piece = s.text.substr(part.begin, part.length);
                    if (step.prefix_space && piece.substr(0, 1) != " ") piece.insert(0, 1, ' ');
                    s.lengths.clear();
                    if (step.use_pattern) {
                        gpt2.split(piece, s.lengths);
                    } else {
                        s.lengths.push_back(static_cast<std::uint32_t>(piece.size()));
                    }
                    std::size_t at = 0;
                    for (const std::uint32_t length : s.lengths) {
                        const std::string_view bytes = std::string_view(piece).substr(at, length);
                        const auto begin = static_cast<std::uint32_t>(s.other.size());
                        if (spell) {
                            s.other += to_byte_alphabet(bytes);
                        } else {
                            s.other += bytes;
                        }
                        s.finer.push_back({begin, static_cast<std::uint32_t>(s.other.size()) - begin});
                        at += length;
                    }
                }
                s.text.swap(s.other);
                s.parts.swap(s.finer);
                break;
            }
        }
    }
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
