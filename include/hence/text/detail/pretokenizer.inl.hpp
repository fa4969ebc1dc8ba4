// Definitions of text/pretokenizer.hpp.
//
// A scanner's next() gives the end of the match that begins at `at`, or `at` itself where its pattern does not
// match there (the text between two matches is a piece of its own). Alternatives are tried in the pattern's
// order; a run is looked at a bounded number of times, which is what keeps them linear.
#ifndef HENCE_TEXT_DETAIL_PRETOKENIZER_INL_HPP
#define HENCE_TEXT_DETAIL_PRETOKENIZER_INL_HPP

#include "../../core/quote.hpp"
#include "../../core/text.hpp"
#include "../pretokenizer.hpp"
#include "../unicode.hpp"

#include <initializer_list>

HENCE_NAMESPACE_BEGIN
namespace text {
namespace detail {

// What a scanner asks of a character, as bits.
enum : std::uint32_t {
    is_upper = 1,               // Lu Lt
    is_lower = 2,               // Ll
    is_caseless = 4,            // Lm Lo
    is_mark_bit = 8,            // M
    is_number_bit = 16,         // N
    is_space_bit = 32,          // \s
    is_newline_bit = 64,        // \r \n
    is_punct_bit = 128,         // P
    is_symbol_bit = 256,        // S
    is_ascii_symbol_bit = 512,  // $ + < = > ^ | ~
    is_tick_bit = 1024,         // `
    is_letter_bits = is_upper | is_lower | is_caseless,
};

constexpr std::uint32_t category_bits(category c) noexcept {
    switch (c) {
        case category::lu:
        case category::lt: return is_upper;
        case category::ll: return is_lower;
        case category::lm:
        case category::lo: return is_caseless;
        case category::mn:
        case category::mc:
        case category::me: return is_mark_bit;
        case category::nd:
        case category::nl:
        case category::no: return is_number_bit;
        case category::pc:
        case category::pd:
        case category::ps:
        case category::pe:
        case category::pi:
        case category::pf:
        case category::po: return is_punct_bit;
        case category::sm:
        case category::sc:
        case category::sk:
        case category::so: return is_symbol_bit;
        default: return 0;
    }
}

constexpr std::array<std::uint16_t, 128> make_ascii_bits() noexcept {
    std::array<std::uint16_t, 128> bits{};
    for (std::size_t c = 0; c < 128; ++c) {
        std::uint32_t b = 0;
        if (c >= 'A' && c <= 'Z') b = is_upper;
        if (c >= 'a' && c <= 'z') b = is_lower;
        if (c >= '0' && c <= '9') b = is_number_bit;
        if (c == ' ' || (c >= 9 && c <= 13)) b = is_space_bit;
        if (c == '\r' || c == '\n') b |= is_newline_bit;
        if (b == 0 && c > 32 && c < 127) {
            const bool symbol = c == '$' || c == '+' || c == '<' || c == '=' || c == '>' || c == '^' || c == '`' ||
                                c == '|' || c == '~';
            b = symbol ? is_symbol_bit : is_punct_bit;
            if (symbol) b |= c == '`' ? is_tick_bit : is_ascii_symbol_bit;
        }
        bits[c] = static_cast<std::uint16_t>(b);
    }
    return bits;
}

inline constexpr std::array<std::uint16_t, 128> ascii_bits = make_ascii_bits();

struct scanned {
    std::uint32_t bits = 0;
    std::uint32_t length = 0;  // 0: the end of the text
};

HENCE_NOINLINE inline scanned scan_wide(std::string_view text, std::size_t at) noexcept {
    const code_point c = decode_utf8(text, at);
    if (!c.valid) return {is_symbol_bit, 1};
    if (is_whitespace(c.value)) return {is_space_bit, c.length};
    return {category_bits(general_category(c.value)), c.length};
}

HENCE_ALWAYS_INLINE scanned scan(std::string_view text, std::size_t at) noexcept {
    if (at >= text.size()) return {};
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) return {ascii_bits[byte], 1};
    return scan_wide(text, at);
}

/// Where the run of characters that have one of the bits ends.
HENCE_ALWAYS_INLINE std::size_t skip_while(std::string_view text, std::size_t at, std::uint32_t bits) noexcept {
    for (scanned c = scan(text, at); (c.bits & bits) != 0; c = scan(text, at)) at += c.length;
    return at;
}

/// Where the run of characters that have none of the bits ends.
HENCE_ALWAYS_INLINE std::size_t skip_until(std::string_view text, std::size_t at, std::uint32_t bits) noexcept {
    for (scanned c = scan(text, at); c.length != 0 && (c.bits & bits) == 0; c = scan(text, at)) at += c.length;
    return at;
}

HENCE_ALWAYS_INLINE std::size_t skip_newlines(std::string_view text, std::size_t at, bool slash = false) noexcept {
    while (at < text.size() && (text[at] == '\r' || text[at] == '\n' || (slash && text[at] == '/'))) ++at;
    return at;
}

/// The length of 's 't 're 've 'm 'll 'd at `at`, or 0.
HENCE_ALWAYS_INLINE std::size_t contraction(std::string_view text, std::size_t at, bool any_case) noexcept {
    if (at + 1 >= text.size() || text[at] != '\'') return 0;
    const char lower = any_case ? static_cast<char>(0x20) : static_cast<char>(0);
    const char a = static_cast<char>(text[at + 1] | lower);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    if (at + 2 >= text.size()) return 0;
    const char b = static_cast<char>(text[at + 2] | lower);
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/// \s+(?!\S)|\s+ at a whitespace character: a run keeps its last character back for the word that follows.
HENCE_ALWAYS_INLINE std::size_t whitespace(std::string_view text, std::size_t at) noexcept {
    std::size_t last = at;
    std::size_t end = at;
    for (scanned c = scan(text, end); (c.bits & is_space_bit) != 0; c = scan(text, end)) {
        last = end;
        end += c.length;
    }
    return end == text.size() || last == at ? end : last;
}

/// \s*[\r\n]+|\s+(?!\S)|\s+ at a whitespace character.
HENCE_ALWAYS_INLINE std::size_t whitespace_and_newlines(std::string_view text, std::size_t at) noexcept {
    std::size_t last = at;
    std::size_t end = at;
    std::size_t after_newline = at;
    for (scanned c = scan(text, end); (c.bits & is_space_bit) != 0; c = scan(text, end)) {
        last = end;
        end += c.length;
        if ((c.bits & is_newline_bit) != 0) after_newline = end;
    }
    if (after_newline != at) return after_newline;
    return end == text.size() || last == at ? end : last;
}

template <bool Digits>
HENCE_ALWAYS_INLINE std::size_t next_gpt2(std::string_view text, std::size_t at) noexcept {
    scanned c = scan(text, at);
    std::size_t from = at;
    if (text[at] == ' ' && at + 1 < text.size()) {
        c = scan(text, at + 1);
        from = at + 1;
    } else if (const std::size_t length = contraction(text, at, false); length != 0) {
        return at + length;
    }
    if ((c.bits & is_letter_bits) != 0) return skip_while(text, from + c.length, is_letter_bits);
    if ((c.bits & is_number_bit) != 0) {
        if constexpr (!Digits) return skip_while(text, from + c.length, is_number_bit);
        return from == at ? at + c.length : from;
    }
    if ((c.bits & is_space_bit) == 0)
        return skip_until(text, from + c.length, is_space_bit | is_letter_bits | is_number_bit);
    if constexpr (Digits) {  // a digit ends the piece, so the run before it keeps its last space
        const std::size_t end = skip_while(text, at, is_space_bit);
        if ((scan(text, end).bits & is_number_bit) != 0) return end;
    }
    return whitespace(text, at);
}

template <int Digits, bool Marks>
HENCE_ALWAYS_INLINE std::size_t next_cl100k(std::string_view text, std::size_t at) noexcept {
    constexpr std::uint32_t letters = is_letter_bits | (Marks ? is_mark_bit : 0u);
    const scanned c = scan(text, at);
    if ((c.bits & letters) != 0) return skip_while(text, at + c.length, letters);
    if (const std::size_t length = contraction(text, at, true); length != 0) return at + length;
    if ((c.bits & is_number_bit) != 0) {
        if constexpr (Digits == 0) return skip_while(text, at, is_number_bit);
        std::size_t end = at + c.length;
        for (int i = 1; i < Digits; ++i) {
            const scanned d = scan(text, end);
            if ((d.bits & is_number_bit) == 0) break;
            end += d.length;
        }
        return end;
    }
    const std::size_t second = at + c.length;
    const scanned n = scan(text, second);
    if ((c.bits & is_newline_bit) == 0 && (n.bits & letters) != 0) return skip_while(text, second + n.length, letters);
    constexpr std::uint32_t not_symbols = is_space_bit | letters | is_number_bit;
    if ((c.bits & is_space_bit) == 0) return skip_newlines(text, skip_until(text, second, not_symbols));
    if (text[at] == ' ' && n.length != 0 && (n.bits & not_symbols) == 0)
        return skip_newlines(text, skip_until(text, second + n.length, not_symbols));
    return whitespace_and_newlines(text, at);
}

/// [upper-ish]*[lower-ish]+ (Or = false) or [upper-ish]+[lower-ish]* from `at`; `at` where it does not match.
template <bool Or>
HENCE_ALWAYS_INLINE std::size_t cased_word(std::string_view text, std::size_t at) noexcept {
    constexpr std::uint32_t both = is_caseless | is_mark_bit;
    std::size_t after_both = at;
    std::size_t end = at;
    for (scanned c = scan(text, end); (c.bits & (is_upper | both)) != 0; c = scan(text, end)) {
        end += c.length;
        if ((c.bits & both) != 0) after_both = end;
    }
    if constexpr (Or) return end == at ? at : skip_while(text, end, is_lower | both);
    if ((scan(text, end).bits & is_lower) != 0) return skip_while(text, end, is_lower | both);
    return after_both;
}

template <int Digits, bool Contractions>
HENCE_ALWAYS_INLINE std::size_t next_o200k(std::string_view text, std::size_t at) noexcept {
    constexpr std::uint32_t letters = is_letter_bits;
    const scanned c = scan(text, at);
    const bool prefix = (c.bits & (is_newline_bit | letters | is_number_bit)) == 0;
    const std::size_t second = at + c.length;
    std::size_t end = at;
    const auto attempt = [&](std::size_t from, std::size_t to) {
        if (end == at && to != from) end = to;
    };
    if (prefix) attempt(second, cased_word<false>(text, second));
    attempt(at, cased_word<false>(text, at));
    if (prefix) attempt(second, cased_word<true>(text, second));
    attempt(at, cased_word<true>(text, at));
    if (end != at) return end + (Contractions ? contraction(text, end, true) : 0);
    if ((c.bits & is_number_bit) != 0) {
        end = second;
        for (int i = 1; i < Digits; ++i) {
            const scanned d = scan(text, end);
            if ((d.bits & is_number_bit) == 0) break;
            end += d.length;
        }
        return end;
    }
    constexpr std::uint32_t not_symbols = is_space_bit | letters | is_number_bit;
    if ((c.bits & is_space_bit) == 0) return skip_newlines(text, skip_until(text, second, not_symbols), true);
    const scanned n = scan(text, second);
    if (text[at] == ' ' && n.length != 0 && (n.bits & not_symbols) == 0)
        return skip_newlines(text, skip_until(text, second + n.length, not_symbols), true);
    return whitespace_and_newlines(text, at);
}

HENCE_ALWAYS_INLINE bool ascii_letter(std::string_view text, std::size_t at) noexcept {
    return at < text.size() && static_cast<unsigned char>((text[at] | 0x20) - 'a') < 26;
}

inline std::size_t next_deepseek(std::string_view text, std::size_t at) noexcept {
    constexpr std::uint32_t word = is_letter_bits | is_mark_bit;
    constexpr std::uint32_t symbols = is_punct_bit | is_symbol_bit;
    const scanned c = scan(text, at);
    const std::size_t second = at + c.length;
    if (c.length == 1 && static_cast<unsigned char>(text[at]) < 0x80 && (c.bits & symbols) != 0 &&
        ascii_letter(text, second)) {
        std::size_t end = second;
        while (ascii_letter(text, end)) ++end;
        return end;
    }
    const scanned n = scan(text, second);
    if ((c.bits & (is_newline_bit | is_letter_bits | symbols)) == 0 && (n.bits & word) != 0)
        return skip_while(text, second + n.length, word);
    if ((c.bits & word) != 0) return skip_while(text, second, word);
    if ((c.bits & symbols) != 0) return skip_newlines(text, skip_while(text, second, symbols));
    if (text[at] == ' ' && (n.bits & symbols) != 0)
        return skip_newlines(text, skip_while(text, second + n.length, symbols));
    if ((c.bits & is_space_bit) != 0) return whitespace_and_newlines(text, at);
    return at;
}

inline std::size_t next_cjk(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0xE3) {
        const code_point c = decode_utf8(text, at);
        if (!c.valid || !((c.value >= 0x4E00 && c.value <= 0x9FA5) || (c.value >= 0x3040 && c.value <= 0x30FF))) break;
        at += c.length;
    }
    return at;
}

/// What `default` (without the tick) and `falcon` (with it) set apart before anything else.
template <bool Tick>
inline constexpr std::uint32_t set_apart = is_punct_bit | is_ascii_symbol_bit | (Tick ? is_tick_bit : 0u);

inline std::size_t next_ascii_digits(std::string_view text, std::size_t at) noexcept {
    const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
    return digit(at) && digit(at + 1) && digit(at + 2) ? at + 3 : at;
}

template <int Most>
inline std::size_t next_digits(std::string_view text, std::size_t at) noexcept {
    for (int i = 0; Most == 0 || i < Most; ++i) {
        const scanned c = scan(text, at);
        if ((c.bits & is_number_bit) == 0) break;
        at += c.length;
    }
    return at;
}

/// In a run of numbers: [0-9][0-9][0-9] at `at`, or what stands before the next three such digits.
inline std::size_t ascii_triple(std::string_view text, std::size_t at) noexcept {
    if (const std::size_t end = next_ascii_digits(text, at); end != at) return end;
    for (scanned c = scan(text, at); (c.bits & is_number_bit) != 0; c = scan(text, at)) {
        at += c.length;
        if (next_ascii_digits(text, at) != at) break;
    }
    return at;
}

/// Punctuation alone, then gpt2, then (Runs) runs of numbers alone, then [0-9][0-9][0-9] alone: four passes in one. It may go
/// on inside a run of numbers, for what comes next there does not depend on what came before.
template <bool Tick, bool Runs>
HENCE_ALWAYS_INLINE std::size_t next_punctuated(std::string_view text, std::size_t at) noexcept {
    constexpr std::uint32_t apart = set_apart<Tick>;
    scanned c = scan(text, at);
    if ((c.bits & apart) != 0) return skip_while(text, at + c.length, apart);
    std::size_t from = at;
    if (text[at] == ' ')
        if (const scanned n = scan(text, at + 1); n.length != 0 && (n.bits & apart) == 0) {
            c = n;
            from = at + 1;
        }
    if ((c.bits & is_letter_bits) != 0) return skip_while(text, from + c.length, is_letter_bits);
    if ((c.bits & is_number_bit) != 0) {
        if (from == at) return ascii_triple(text, at);
        if (Runs || next_ascii_digits(text, from) != from) return from;
        return ascii_triple(text, from);
    }
    if ((c.bits & is_space_bit) == 0)
        return skip_until(text, from + c.length, is_space_bit | is_letter_bits | is_number_bit | apart);
    std::size_t last = at;
    std::size_t end = at;
    for (c = scan(text, end); (c.bits & is_space_bit) != 0; c = scan(text, end)) {
        last = end;
        end += c.length;
    }
    return c.length == 0 || (c.bits & apart) != 0 || last == at ? end : last;
}

inline std::size_t next_line(std::string_view text, std::size_t at) noexcept {
    const bool newline = text[at] == '\n';
    const std::size_t end = newline ? text.find_first_not_of('\n', at) : text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end;
}

/// Cuts one piece with one scanner. Next is a template argument so that each loop is compiled around its scanner.
template <auto Next>
inline void cut(std::string_view text, std::vector<std::uint32_t>& lengths) {
    std::size_t at = 0;
    std::size_t gap = 0;  // where unmatched text began
    while (at < text.size()) {
        const std::size_t end = Next(text, at);
        if (end == at) {
            at += scan(text, at).length;
            continue;
        }
        if (gap != at) lengths.push_back(static_cast<std::uint32_t>(at - gap));
        lengths.push_back(static_cast<std::uint32_t>(end - at));
        at = gap = end;
    }
    if (gap != at) lengths.push_back(static_cast<std::uint32_t>(at - gap));
}

inline void cut(scanner which, std::string_view text, std::vector<std::uint32_t>& lengths) {
    switch (which) {
        case scanner::gpt2: return cut<&next_gpt2<false>>(text, lengths);
        case scanner::gpt2_digits: return cut<&next_gpt2<true>>(text, lengths);
        case scanner::cl100k_1: return cut<&next_cl100k<1, false>>(text, lengths);
        case scanner::cl100k_3: return cut<&next_cl100k<3, false>>(text, lengths);
        case scanner::cl100k_any: return cut<&next_cl100k<0, false>>(text, lengths);
        case scanner::cl100k_marks: return cut<&next_cl100k<1, true>>(text, lengths);
        case scanner::o200k: return cut<&next_o200k<3, true>>(text, lengths);
        case scanner::tekken: return cut<&next_o200k<1, false>>(text, lengths);
        case scanner::deepseek: return cut<&next_deepseek>(text, lengths);
        case scanner::cjk_runs: return cut<&next_cjk>(text, lengths);
        case scanner::digits_1: return cut<&next_digits<1>>(text, lengths);
        case scanner::digits_3: return cut<&next_digits<3>>(text, lengths);
        case scanner::digits_run: return cut<&next_digits<0>>(text, lengths);
        case scanner::ascii_digits_3: return cut<&next_ascii_digits>(text, lengths);
        case scanner::punctuated: return cut<&next_punctuated<false, true>>(text, lengths);
        case scanner::punctuated_tick: return cut<&next_punctuated<true, false>>(text, lengths);
        case scanner::lines: return cut<&next_line>(text, lengths);
    }
}

struct named_cut {
    std::string_view name;
    std::array<scanner, 4> stages;
    std::uint8_t count;
    bool whole_piece_first;
};

inline constexpr named_cut named_cuts[] = {
    {"default", {scanner::punctuated}, 1, false},
    {"gpt-2", {scanner::gpt2}, 1, false},
    {"gpt2", {scanner::gpt2}, 1, false},
    {"phi-2", {scanner::gpt2}, 1, false},
    {"mpt", {scanner::gpt2}, 1, false},
    {"olmo", {scanner::gpt2}, 1, false},
    {"jais", {scanner::gpt2}, 1, false},
    {"trillion", {scanner::gpt2}, 1, false},
    {"granite-docling", {scanner::gpt2}, 1, false},
    {"exaone4", {scanner::gpt2}, 1, false},
    {"gigachat", {scanner::gpt2}, 1, false},
    {"modern-bert", {scanner::gpt2}, 1, false},
    {"mellum", {scanner::gpt2}, 1, false},
    {"a.x-4.0", {scanner::gpt2}, 1, false},
    {"roberta-bpe", {scanner::gpt2}, 1, false},
    {"smollm", {scanner::gpt2_digits}, 1, false},
    {"starcoder", {scanner::gpt2_digits}, 1, false},
    {"refact", {scanner::gpt2_digits}, 1, false},
    {"command-r", {scanner::gpt2_digits}, 1, false},
    {"codeshell", {scanner::gpt2_digits}, 1, false},
    {"exaone", {scanner::gpt2_digits}, 1, false},
    {"minerva-7b", {scanner::gpt2_digits}, 1, false},
    {"mellum2", {scanner::gpt2_digits}, 1, false},
    {"llama-bpe", {scanner::cl100k_3}, 1, true},
    {"llama3", {scanner::cl100k_3}, 1, true},
    {"llama-v3", {scanner::cl100k_3}, 1, true},
    {"falcon3", {scanner::cl100k_3}, 1, true},
    {"falcon-h1", {scanner::cl100k_3}, 1, true},
    {"pixtral", {scanner::cl100k_3}, 1, true},
    {"midm-2.0", {scanner::cl100k_3}, 1, true},
    {"lfm2", {scanner::cl100k_3}, 1, true},
    {"dbrx", {scanner::cl100k_3}, 1, false},
    {"smaug-bpe", {scanner::cl100k_3}, 1, false},
    {"glm4", {scanner::cl100k_3}, 1, false},
    {"chatglm-bpe", {scanner::cl100k_3}, 1, false},
    {"qwen2", {scanner::cl100k_1}, 1, false},
    {"deepseek-r1-qwen", {scanner::cl100k_1}, 1, false},
    {"kormo", {scanner::cl100k_1}, 1, false},
    {"stablelm2", {scanner::cl100k_1}, 1, false},
    {"hunyuan", {scanner::cl100k_1}, 1, false},
    {"megrez", {scanner::cl100k_1}, 1, false},
    {"grok-2", {scanner::cl100k_1}, 1, false},
    {"solar-open", {scanner::cl100k_1}, 1, false},
    {"qwen35", {scanner::cl100k_marks}, 1, false},
    {"minicpm5", {scanner::digits_3, scanner::cl100k_any}, 2, true},
    {"laguna", {scanner::lines, scanner::cl100k_1}, 2, false},
    {"gpt-4o", {scanner::o200k}, 1, false},
    {"llama4", {scanner::o200k}, 1, false},
    {"kanana2", {scanner::o200k}, 1, false},
    {"minimax-m2", {scanner::o200k}, 1, false},
    {"tekken", {scanner::tekken}, 1, true},
    {"deepseek-v3", {scanner::digits_3, scanner::cjk_runs, scanner::deepseek}, 3, false},
    {"hunyuan-dense", {scanner::digits_3, scanner::cjk_runs, scanner::deepseek}, 3, false},
    {"joyai-llm", {scanner::digits_3, scanner::cjk_runs, scanner::deepseek}, 3, false},
    {"falcon", {scanner::punctuated_tick}, 1, false},
};

struct published_pattern {
    std::string_view pattern;
    scanner stage;
};

// As they stand in tokenizer.json files, after JSON's own escapes.
inline constexpr published_pattern published_patterns[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", scanner::gpt2},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", scanner::gpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scanner::cl100k_3},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scanner::cl100k_1},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scanner::cl100k_any},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scanner::o200k},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scanner::tekken},
    {"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
     "?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
     scanner::deepseek},
    {"[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", scanner::cjk_runs},
    {R"(\p{N}{1,3})", scanner::digits_3},
    {R"(\p{N})", scanner::digits_1},
    {R"(\p{N}+)", scanner::digits_run},
    {R"([0-9][0-9][0-9])", scanner::ascii_digits_3},
};

}  // namespace detail

HENCE_INLINE std::string pretokenizer::known_names() {
    std::string names;
    for (const detail::named_cut& cut : detail::named_cuts) {
        if (!names.empty()) names += ", ";
        names += cut.name;
    }
    return names;
}

HENCE_INLINE result<pretokenizer> pretokenizer::named(std::string_view name) {
    for (const detail::named_cut& cut : detail::named_cuts) {
        if (cut.name != name) continue;
        pretokenizer found;
        found.stages_ = cut.stages;
        found.count_ = cut.count;
        found.whole_piece_first_ = cut.whole_piece_first;
        return found;
    }
    return make_error(errc::unsupported, "pre-tokenizer", concat({"one of ", known_names()}), quote(name));
}

HENCE_INLINE result<pretokenizer> pretokenizer::for_pattern(std::string_view pattern) {
    for (const detail::published_pattern& published : detail::published_patterns) {
        if (published.pattern != pattern) continue;
        pretokenizer found;
        found.stages_[0] = published.stage;
        found.count_ = 1;
        return found;
    }
    return make_error(errc::unsupported, "pre-tokenizer pattern", "a published pattern", quote(pattern));
}

HENCE_INLINE bool pretokenizer::then(const pretokenizer& next) noexcept {
    if (count_ + next.count_ > stages_.size()) return false;
    for (std::size_t i = 0; i < next.count_; ++i) {
        if (count_ > 0 && stages_[count_ - 1u] == scanner::digits_1 && next.stages_[i] == scanner::gpt2) {
            stages_[count_ - 1u] = scanner::gpt2_digits;  // one pass for two
        } else {
            stages_[count_++] = next.stages_[i];
        }
    }
    return true;
}

HENCE_INLINE void pretokenizer::split(std::string_view text, std::vector<std::uint32_t>& lengths) const {
    if (text.empty()) return;
    if (count_ == 0) {
        lengths.push_back(static_cast<std::uint32_t>(text.size()));
        return;
    }
    if (count_ == 1) return detail::cut(stages_[0], text, lengths);
    std::vector<std::uint32_t> pieces{static_cast<std::uint32_t>(text.size())};
    std::vector<std::uint32_t> finer;
    for (std::uint8_t i = 0; i < count_; ++i) {
        finer.clear();
        std::size_t at = 0;
        for (const std::uint32_t length : pieces) {
            detail::cut(stages_[i], text.substr(at, length), finer);
            at += length;
        }
        pieces.swap(finer);
    }
    lengths.insert(lengths.end(), pieces.begin(), pieces.end());
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
