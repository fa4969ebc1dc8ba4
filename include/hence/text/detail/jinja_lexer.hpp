// The lexer of templates: source text to tokens, with Jinja's rules for whitespace.
#ifndef HENCE_TEXT_DETAIL_JINJA_LEXER_HPP
#define HENCE_TEXT_DETAIL_JINJA_LEXER_HPP

#include "../../core/text.hpp"
#include "../../core/quote.hpp"
#include "../unicode.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

struct jinja_token {
    enum class kind : std::uint8_t { data, variable_begin, variable_end, block_begin, block_end, name, integer, real, string, symbol, end };
    kind what = kind::end;
    std::string text;
    std::uint32_t line = 0;
};

/// Cuts a template into tokens, with the whitespace rules of trim_blocks and lstrip_blocks.
class jinja_lexer {
public:
    using kind = jinja_token::kind;

    explicit jinja_lexer(std::string_view source) {
        source_.reserve(source.size());
        for (std::size_t i = 0; i < source.size(); ++i) {  // \r\n and \r are \n; one newline at the very end is dropped
            if (source[i] == '\r') {
                source_ += '\n';
                if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
            } else {
                source_ += source[i];
            }
        }
        if (!source_.empty() && source_.back() == '\n') source_.pop_back();
    }

    /// An empty message: all went well.
    struct problem {
        std::string expected, actual;
        std::uint32_t line = 0;
    };

    bool run(std::vector<jinja_token>& out, problem& wrong) {
        tokens_ = &out;
        wrong_ = &wrong;
        bool line_starts = true;
        while (at_ < source_.size()) {
            const std::size_t open = next_opening();
            std::string_view data = std::string_view(source_).substr(at_, open - at_);
            if (open == std::string::npos) {
                put(kind::data, data);
                break;
            }
            const char what = source_[open + 1];
            const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
            const std::uint32_t lines = count_lines(data);
            if (sign == '-') {
                while (!data.empty() && space(data.back())) data.remove_suffix(1);
            } else if (sign != '+' && what != '{') {
                const std::size_t newline = data.rfind('\n');
                const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
                if ((begin > 0 || line_starts) && std::all_of(data.begin() + static_cast<std::ptrdiff_t>(begin), data.end(), space)) data = data.substr(0, begin);
            }
            if (!data.empty()) put(kind::data, data);
            line_ += lines;
            at_ = open + 2 + (sign == '-' || sign == '+' ? 1 : 0);
            if (what == '#') {
                if (!skip_comment()) return false;
            } else if (what == '%' && raw_begins()) {
                if (!raw_text()) return false;
            } else if (!inside(what)) {
                return false;
            }
            line_starts = at_ > 0 && source_[at_ - 1] == '\n';
            if (tokens_->size() > most_tokens) break;
        }
        if (tokens_->size() > most_tokens) return fail("at most 400000 words and signs", "more");
        put(kind::end, "");
        return true;
    }

private:
    static constexpr std::size_t most_tokens = 400'000;  // memory; published templates have a few thousand

    static bool space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
    static bool hex_letter(char c) noexcept { return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
    static bool name_start(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
    static bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
    static std::uint32_t count_lines(std::string_view text) noexcept { return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')); }

    void put(kind what, std::string_view text) {
        if (tokens_->size() <= most_tokens) tokens_->push_back({what, std::string(text), line_});  // one too many says that it is so
    }
    bool fail(std::string expected, std::string actual) {
        *wrong_ = {std::move(expected), std::move(actual), line_};
        return false;
    }
    [[nodiscard]] std::string_view rest() const { return std::string_view(source_).substr(at_); }

    [[nodiscard]] std::size_t next_opening() const {
        for (std::size_t i = source_.find('{', at_); i != std::string::npos; i = source_.find('{', i + 1))
            if (i + 1 < source_.size() && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#')) return i;
        return std::string::npos;
    }
    void skip_spaces() {
        while (at_ < source_.size() && space(source_[at_])) line_ += source_[at_++] == '\n';
    }
    void skip_newline() {
        if (at_ < source_.size() && source_[at_] == '\n') {
            ++at_;
            ++line_;
        }
    }

    bool skip_comment() {
        const std::size_t close = source_.find("#}", at_);
        if (close == std::string::npos) return fail("'#}' to end the comment", "the end of the template");
        line_ += count_lines(std::string_view(source_).substr(at_, close - at_));
        const char sign = close > at_ ? source_[close - 1] : '\0';
        at_ = close + 2;
        if (sign == '-') {
            skip_spaces();
        } else if (sign != '+') {
            skip_newline();
        }
        return true;
    }

    /// Takes `raw %}` if that is what follows.
    bool raw_begins() {
        std::size_t i = at_;
        while (i < source_.size() && space(source_[i])) ++i;
        if (source_.compare(i, 3, "raw") != 0) return false;
        i += 3;
        while (i < source_.size() && space(source_[i])) ++i;
        const bool strip = i < source_.size() && source_[i] == '-';
        if (strip) ++i;
        if (source_.compare(i, 2, "%}") != 0) return false;
        line_ += count_lines(std::string_view(source_).substr(at_, i - at_));
        at_ = i + 2;
        if (strip) skip_spaces();
        return true;
    }

    bool raw_text() {
        for (std::size_t open = source_.find("{%", at_); open != std::string::npos; open = source_.find("{%", open + 2)) {
            std::size_t i = open + 2;
            const char sign = i < source_.size() ? source_[i] : '\0';
            if (sign == '-' || sign == '+') ++i;
            while (i < source_.size() && space(source_[i])) ++i;
            if (source_.compare(i, 6, "endraw") != 0) continue;
            i += 6;
            while (i < source_.size() && space(source_[i])) ++i;
            const char end_sign = i < source_.size() ? source_[i] : '\0';
            if (end_sign == '-' || end_sign == '+') ++i;
            if (source_.compare(i, 2, "%}") != 0) continue;
            std::string_view data = std::string_view(source_).substr(at_, open - at_);
            const std::uint32_t lines = count_lines(std::string_view(source_).substr(at_, i - at_));
            if (sign == '-') {
                while (!data.empty() && space(data.back())) data.remove_suffix(1);
            } else if (sign != '+') {
                const std::size_t newline = data.rfind('\n');
                if (newline != std::string_view::npos && std::all_of(data.begin() + static_cast<std::ptrdiff_t>(newline) + 1, data.end(), space)) data = data.substr(0, newline + 1);
            }
            if (!data.empty()) put(kind::data, data);
            line_ += lines;
            at_ = i + 2;
            if (end_sign == '-') {
                skip_spaces();
            } else if (end_sign != '+') {
                skip_newline();
            }
            return true;
        }
        return fail("'{% endraw %}'", "the end of the template");
    }

    /// The tokens of {{ .. }} or {% .. %}.
    bool inside(char what) {
        const bool variable = what == '{';
        put(variable ? kind::variable_begin : kind::block_begin, "");
        const std::string_view closing = variable ? "}}" : "%}";
        std::string brackets;
        for (;;) {
            skip_spaces();
            if (at_ >= source_.size()) return fail(concat({"'", closing, "'"}), "the end of the template");
            if (brackets.empty()) {
                const bool strip = source_[at_] == '-' && rest().substr(1, 2) == closing;
                const bool keep = source_[at_] == '+' && !variable && rest().substr(1, 2) == closing;
                if (strip || keep || rest().substr(0, 2) == closing) {
                    put(variable ? kind::variable_end : kind::block_end, "");
                    at_ += strip || keep ? 3 : 2;
                    if (strip) {
                        skip_spaces();
                    } else if (!keep && !variable) {
                        skip_newline();
                    }
                    return true;
                }
            }
            if (!token(brackets)) return false;
        }
    }

    bool token(std::string& brackets) {
        const char c = source_[at_];
        if (name_start(c)) {
            const std::size_t begin = at_;
            while (at_ < source_.size() && (name_start(source_[at_]) || digit(source_[at_]))) ++at_;
            put(kind::name, std::string_view(source_).substr(begin, at_ - begin));
            return true;
        }
        if (digit(c)) return number();
        if (c == '"' || c == '\'') return quoted_string(c);
        for (const std::string_view two : {"**", "//", "==", "!=", ">=", "<="})
            if (rest().substr(0, 2) == two) {
                put(kind::symbol, two);
                at_ += 2;
                return true;
            }
        if (std::string_view("+-*/%~[](){}.,:|=<>;").find(c) == std::string_view::npos) return fail("an expression", concat({"the character ", quote(std::string_view(&c, 1))}));
        if (c == '(' || c == '[' || c == '{') brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
        if (c == ')' || c == ']' || c == '}') {
            if (brackets.empty() || brackets.back() != c) return fail(brackets.empty() ? "no closing bracket" : "'" + std::string(1, brackets.back()) + "'", concat({"'", std::string(1, c), "'"}));
            brackets.pop_back();
        }
        put(kind::symbol, std::string_view(&c, 1));
        ++at_;
        return true;
    }

    bool number() {
        std::string text;
        bool real = false;
        const auto digits = [&] {
            while (at_ < source_.size() && (digit(source_[at_]) || (source_[at_] == '_' && at_ + 1 < source_.size() && digit(source_[at_ + 1])))) {
                if (source_[at_] != '_') text += source_[at_];
                ++at_;
            }
        };
        if (source_[at_] == '0' && at_ + 2 < source_.size() && std::string_view("xob").find(static_cast<char>(source_[at_ + 1] | 0x20)) != std::string_view::npos) {
            const int base = (source_[at_ + 1] | 0x20) == 'x' ? 16 : (source_[at_ + 1] | 0x20) == 'o' ? 8 : 2;
            std::string written;
            std::size_t end = at_ + 2;
            for (; end < source_.size() && (source_[end] == '_' || digit(source_[end]) || hex_letter(source_[end])); ++end)
                if (source_[end] != '_') written += source_[end];
            std::int64_t whole = 0;
            const auto read = std::from_chars(written.data(), written.data() + written.size(), whole, base);
            if (!written.empty() && read.ec == std::errc() && read.ptr == written.data() + written.size()) {
                at_ = end;
                put(kind::integer, decimal(whole));
                return true;
            }
        }
        digits();
        if (at_ + 1 < source_.size() && source_[at_] == '.' && digit(source_[at_ + 1])) {
            real = true;
            text += source_[at_++];
            digits();
        }
        if (at_ < source_.size() && (source_[at_] | 0x20) == 'e') {
            const std::size_t sign = at_ + 1 < source_.size() && (source_[at_ + 1] == '+' || source_[at_ + 1] == '-') ? 1 : 0;
            if (at_ + 1 + sign < source_.size() && digit(source_[at_ + 1 + sign])) {
                real = true;
                text += source_.substr(at_, 1 + sign);
                at_ += 1 + sign;
                digits();
            }
        }
        put(real ? kind::real : kind::integer, text);
        return true;
    }

    /// A string with Python's escapes.
    bool quoted_string(char mark) {
        const std::uint32_t line = line_;
        std::string text;
        for (++at_;;) {
            if (at_ >= source_.size()) return fail("the end of the string", "the end of the template");
            const char c = source_[at_++];
            if (c == mark) break;
            line_ += c == '\n';
            if (c != '\\' || at_ >= source_.size()) {
                text += c;
                continue;
            }
            const char e = source_[at_++];
            constexpr std::string_view letters = "ntrabfv\\'\"";
            constexpr std::string_view bytes = "\n\t\r\a\b\f\v\\'\"";
            if (const std::size_t letter = letters.find(e); letter != std::string_view::npos) {
                text += bytes[letter];
            } else if (e == '\n') {
                ++line_;
            } else if (e == 'x' || e == 'u' || e == 'U') {
                const std::size_t count = e == 'x' ? 2 : e == 'u' ? 4 : 8;
                char32_t code = 0;
                std::size_t i = 0;
                for (; i < count && at_ < source_.size(); ++i, ++at_) {
                    const char h = source_[at_];
                    if (!digit(h) && !((h | 0x20) >= 'a' && (h | 0x20) <= 'f')) break;
                    code = code * 16 + static_cast<char32_t>(digit(h) ? h - '0' : (h | 0x20) - 'a' + 10);
                }
                if (i != count) return fail(concat({"hexadecimal digits after '\\", std::string(1, e), "'"}), "something else");
                append_utf8(text, code);
            } else if (e >= '0' && e <= '7') {
                char32_t code = static_cast<char32_t>(e - '0');
                for (int i = 0; i < 2 && at_ < source_.size() && source_[at_] >= '0' && source_[at_] <= '7'; ++i) code = code * 8 + static_cast<char32_t>(source_[at_++] - '0');
                append_utf8(text, code);
            } else {
                text += '\\';
                text += e;
            }
        }
        tokens_->push_back({kind::string, std::move(text), line});
        return true;
    }

    std::string source_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    std::vector<jinja_token>* tokens_ = nullptr;
    problem* wrong_ = nullptr;
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
