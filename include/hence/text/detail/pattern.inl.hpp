// Definitions of text/pattern.hpp: the compiler and the two passes.
#ifndef HENCE_TEXT_DETAIL_PATTERN_INL_HPP
#define HENCE_TEXT_DETAIL_PATTERN_INL_HPP

#include "../../core/text.hpp"
#include "../../core/quote.hpp"
#include "../pattern.hpp"
#include "../unicode.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

HENCE_NAMESPACE_BEGIN
namespace text {
namespace detail {

inline bool set_holds(const std::vector<char_set>& sets, std::uint32_t which, char32_t c) noexcept;

inline bool item_holds(const std::vector<char_set>& sets, const char_set::item& i, char32_t c) noexcept {
    bool holds = false;
    switch (i.what) {
        case char_set::item::kind::range: holds = c >= i.first && c <= i.last; break;
        case char_set::item::kind::category: holds = c <= 0x10FFFF && (i.first >> static_cast<unsigned>(general_category(c)) & 1u) != 0; break;
        case char_set::item::kind::space: holds = is_whitespace(c); break;
        case char_set::item::kind::word: {
            const category k = general_category(c);
            holds = c <= 0x10FFFF && (is_letter(k) || is_mark(k) || k == category::nd || k == category::nl || k == category::pc);
            break;
        }
        case char_set::item::kind::nested: holds = set_holds(sets, i.first, c); break;
    }
    return holds != i.negated;
}

inline bool set_holds_exactly(const std::vector<char_set>& sets, const char_set& s, char32_t c) noexcept {
    return std::any_of(s.items.begin(), s.items.end(), [&](const char_set::item& i) { return item_holds(sets, i, c); });
}

inline char32_t cased_character(char32_t c, bool upper) {
    if (c > 0x10FFFF) return c;
    std::string one;
    append_utf8(one, c);
    const std::string other = upper ? to_upper(one) : to_lower(one);
    const code_point first = decode_utf8(other, 0);
    return first.length == other.size() ? first.value : c;
}

inline bool set_holds(const std::vector<char_set>& sets, std::uint32_t which, char32_t c) noexcept {
    const char_set& s = sets[which];
    bool holds = set_holds_exactly(sets, s, c);
    if (!holds && s.any_case) {
        const char32_t upper = cased_character(c, true);
        for (const char32_t other : {cased_character(c, false), upper, cased_character(upper, false)})
            holds = holds || (other != c && set_holds_exactly(sets, s, other));
    }
    for (const std::uint32_t also : s.also_in) holds = holds && set_holds(sets, also, c);
    return holds != s.negated;
}

struct category_name {
    std::string_view name;
    std::uint32_t bits;
};

constexpr std::uint32_t bits_between(category first, category last) noexcept {
    std::uint32_t bits = 0;
    for (unsigned k = static_cast<unsigned>(first); k <= static_cast<unsigned>(last); ++k) bits |= 1u << k;
    return bits;
}

inline constexpr category_name category_names[] = {
    {"L", bits_between(category::lu, category::lo)}, {"Letter", bits_between(category::lu, category::lo)},
    {"Lu", bits_between(category::lu, category::lu)}, {"Ll", bits_between(category::ll, category::ll)},
    {"Lt", bits_between(category::lt, category::lt)}, {"Lm", bits_between(category::lm, category::lm)},
    {"Lo", bits_between(category::lo, category::lo)}, {"M", bits_between(category::mn, category::me)},
    {"Mn", bits_between(category::mn, category::mn)}, {"Mc", bits_between(category::mc, category::mc)},
    {"Me", bits_between(category::me, category::me)}, {"N", bits_between(category::nd, category::no)},
    {"Nd", bits_between(category::nd, category::nd)}, {"Nl", bits_between(category::nl, category::nl)},
    {"No", bits_between(category::no, category::no)}, {"P", bits_between(category::pc, category::po)},
    {"Punctuation", bits_between(category::pc, category::po)}, {"Pc", bits_between(category::pc, category::pc)},
    {"Pd", bits_between(category::pd, category::pd)}, {"Ps", bits_between(category::ps, category::ps)},
    {"Pe", bits_between(category::pe, category::pe)}, {"Pi", bits_between(category::pi, category::pi)},
    {"Pf", bits_between(category::pf, category::pf)}, {"Po", bits_between(category::po, category::po)},
    {"S", bits_between(category::sm, category::so)}, {"Sm", bits_between(category::sm, category::sm)},
    {"Sc", bits_between(category::sc, category::sc)}, {"Sk", bits_between(category::sk, category::sk)},
    {"So", bits_between(category::so, category::so)}, {"Z", bits_between(category::zs, category::zp)},
    {"Zs", bits_between(category::zs, category::zs)}, {"Zl", bits_between(category::zl, category::zl)},
    {"Zp", bits_between(category::zp, category::zp)}, {"C", bits_between(category::cc, category::co) | 1u},
    {"Cc", bits_between(category::cc, category::cc)}, {"Cf", bits_between(category::cf, category::cf)},
    {"Cs", bits_between(category::cs, category::cs)}, {"Co", bits_between(category::co, category::co)}, {"Cn", 1u},
};

struct script_range {
    std::string_view name;
    std::uint32_t first;
    std::uint32_t last;
};

// The scripts that published patterns name; assigned characters only are asked for, so ranges may be generous.
inline constexpr script_range script_ranges[] = {
    {"Han", 0x2E80, 0x2E99}, {"Han", 0x2E9B, 0x2EF3}, {"Han", 0x2F00, 0x2FD5}, {"Han", 0x3005, 0x3005}, {"Han", 0x3007, 0x3007},
    {"Han", 0x3021, 0x3029}, {"Han", 0x3038, 0x303B}, {"Han", 0x3400, 0x4DBF}, {"Han", 0x4E00, 0x9FFF}, {"Han", 0xF900, 0xFA6D},
    {"Han", 0xFA70, 0xFAD9}, {"Han", 0x16FE2, 0x16FE3}, {"Han", 0x16FF0, 0x16FF6}, {"Han", 0x20000, 0x2A6DF}, {"Han", 0x2A700, 0x2EE5D},
    {"Han", 0x2F800, 0x2FA1D}, {"Han", 0x30000, 0x33479},
    {"Hiragana", 0x3041, 0x3096}, {"Hiragana", 0x309D, 0x309F}, {"Hiragana", 0x1B001, 0x1B11F}, {"Hiragana", 0x1F200, 0x1F200},
    {"Katakana", 0x30A1, 0x30FA}, {"Katakana", 0x30FD, 0x30FF}, {"Katakana", 0x31F0, 0x31FF}, {"Katakana", 0x32D0, 0x32FE},
    {"Katakana", 0x3300, 0x3357}, {"Katakana", 0xFF66, 0xFF6F}, {"Katakana", 0xFF71, 0xFF9D},
    {"Hangul", 0x1100, 0x11FF}, {"Hangul", 0x302E, 0x302F}, {"Hangul", 0x3131, 0x318E}, {"Hangul", 0x3200, 0x321E},
    {"Hangul", 0x3260, 0x327E}, {"Hangul", 0xA960, 0xA97C}, {"Hangul", 0xAC00, 0xD7A3}, {"Hangul", 0xD7B0, 0xD7FB},
    {"Hangul", 0xFFA0, 0xFFDC},
};

}  // namespace detail

/// Parses a pattern into a tree and writes the tree's instructions from the last to the first.
class pattern_compiler {
public:
    explicit pattern_compiler(std::string_view source) : source_(source) {}

    result<pattern> compile() {
        out_.word_set_ = add_set(word_alone());
        out_.newline_set_ = add_set({.items = {{detail::char_set::item::kind::range, false, '\n', '\n'}}, .also_in = {}});
        const std::uint32_t root = alternatives();
        if (!failure_ && at_ < source_.size()) fail(errc::bad_format, "the end of the pattern", "an unmatched ')'");
        if (failure_) return *failure_;
        const std::uint32_t accept = emit({});
        out_.start_ = generate(root, accept);
        if (!failure_) put_in_order();
        if (failure_) return *failure_;
        return std::move(out_);
    }

private:
    static constexpr std::uint32_t most_nodes = 10000;
    static constexpr std::uint32_t unbounded = 0xFFFFFFFFu;
    using op = detail::pattern_node::op;

    struct tree {
        enum class kind : std::uint8_t { empty, set, sequence, choice, repeat, assertion } what = kind::empty;
        std::vector<std::uint32_t> children;
        std::uint32_t set = 0;
        std::uint32_t least = 0;
        std::uint32_t most = 0;
        bool lazy = false;
        bool possessive = false;
        op assertion = op::accept;
    };

    void fail(errc code, std::string expected, std::string actual) {
        if (failure_) return;
        failure_ = make_error(code, concat({"pattern '", source_.substr(0, 200), "'"}), std::move(expected), std::move(actual), {}, at_);
    }
    [[nodiscard]] bool more() const { return !failure_ && at_ < source_.size(); }
    [[nodiscard]] bool next_is(std::string_view text) const { return source_.substr(at_, text.size()) == text; }
    bool take(std::string_view text) {
        if (!next_is(text)) return false;
        at_ += text.size();
        return true;
    }
    char32_t take_character() {
        const code_point c = decode_utf8(source_, at_);
        at_ += c.length;
        return c.value;
    }
    std::uint32_t add(tree t) {
        trees_.push_back(std::move(t));
        if (trees_.size() > most_nodes) fail(errc::out_of_range, "at most 10000 parts", "more");
        return static_cast<std::uint32_t>(trees_.size() - 1);
    }
    std::uint32_t add_set(detail::char_set s) {
        out_.sets_.push_back(std::move(s));
        if (out_.sets_.size() > 512) fail(errc::out_of_range, "at most 512 classes", "more");
        return static_cast<std::uint32_t>(out_.sets_.size() - 1);
    }
    /// \w outside brackets, as Oniguruma has it: Latin-1's superscripts and fractions count there.
    static detail::char_set word_alone() {
        using kind = detail::char_set::item::kind;
        detail::char_set s;
        s.items = {{kind::word, false, 0, 0}, {kind::range, false, 0xB2, 0xB3}, {kind::range, false, 0xB9, 0xB9}, {kind::range, false, 0xBC, 0xBE}};
        return s;
    }
    std::uint32_t character(char32_t c) {
        detail::char_set s;
        s.items.push_back({detail::char_set::item::kind::range, false, static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(c)});
        s.any_case = any_case_;
        return add({.what = tree::kind::set, .children = {}, .set = add_set(std::move(s))});
    }

    std::uint32_t alternatives() {
        if (++depth_ > 100) fail(errc::out_of_range, "groups nested at most 100 deep", "more");
        tree choice{.what = tree::kind::choice, .children = {}};
        do {
            tree sequence{.what = tree::kind::sequence, .children = {}};
            while (more() && !next_is("|") && !next_is(")")) sequence.children.push_back(repeated());
            choice.children.push_back(add(std::move(sequence)));
        } while (more() && take("|"));
        --depth_;
        return choice.children.size() == 1 ? choice.children[0] : add(std::move(choice));
    }

    std::uint32_t repeated() {
        std::uint32_t child = atom();
        while (more()) {
            std::uint32_t least = 0;
            std::uint32_t most = unbounded;
            if (take("*")) {
            } else if (take("+")) {
                least = 1;
            } else if (take("?")) {
                most = 1;
            } else if (!next_is("{") || !counts(least, most)) {
                break;
            }
            tree t{.what = tree::kind::repeat, .children = {child}, .set = 0, .least = least, .most = most};
            if (take("?")) {
                t.lazy = true;
            } else if (take("+")) {
                t.possessive = true;
                if (trees_[child].what != tree::kind::set) fail(errc::unsupported, "possessive repetition of a single character or class", "of a group");
            }
            child = add(std::move(t));
        }
        return child;
    }

    /// {n}, {n,}, {,m} or {n,m}; anything else is literal text.
    bool counts(std::uint32_t& least, std::uint32_t& most) {
        const std::size_t close = source_.find('}', at_);
        if (close == std::string_view::npos) return false;
        const std::string_view inside = source_.substr(at_ + 1, close - at_ - 1);
        std::uint64_t value[2] = {0, unbounded};
        std::size_t part = 0;
        bool digits[2] = {false, false};
        for (const char c : inside) {
            if (c == ',' && part == 0) {
                part = 1;
            } else if (c >= '0' && c <= '9') {
                if (!digits[part]) value[part] = 0;
                digits[part] = true;
                value[part] = std::min<std::uint64_t>(value[part] * 10 + static_cast<std::uint64_t>(c - '0'), 1000000);
            } else {
                return false;
            }
        }
        if (!digits[0] && !digits[1]) return false;
        least = static_cast<std::uint32_t>(value[0]);
        most = part == 0 ? least : static_cast<std::uint32_t>(value[1]);
        at_ = close + 1;
        if (most < least || least > 10000 || (most != unbounded && most > 10000)) fail(errc::out_of_range, "counts in order, at most 10000", concat({"{", inside, "}"}));
        return true;
    }

    std::uint32_t assertion(op what, std::uint32_t child = 0, std::uint32_t set = 0) {
        return add({.what = tree::kind::assertion, .children = {child}, .set = set, .least = 0, .most = 0, .lazy = false, .possessive = false, .assertion = what});
    }

    std::uint32_t atom() {
        if (take("(")) return group();
        if (take("[")) return add({.what = tree::kind::set, .children = {}, .set = bracket()});
        if (take("^")) return assertion(op::line_begin);
        if (take("$")) return assertion(op::line_end);
        if (take(".")) {
            detail::char_set s;
            s.items.push_back({detail::char_set::item::kind::range, true, '\n', '\n'});
            return add({.what = tree::kind::set, .children = {}, .set = add_set(std::move(s))});
        }
        if (next_is("*") || next_is("+") || next_is("?")) {
            fail(errc::bad_format, "something to repeat", concat({"'", source_.substr(at_, 1), "'"}));
            return 0;
        }
        if (!take("\\")) return character(take_character());
        if (take("b")) return assertion(op::boundary);
        if (take("B")) return assertion(op::not_boundary);
        if (take("A")) return assertion(op::text_begin);
        if (take("z")) return assertion(op::text_end);
        detail::char_set s;
        s.any_case = any_case_;
        if (next_is("w") || next_is("W")) {
            s = word_alone();
            s.negated = take("W");
            if (!s.negated) take("w");
        } else if (!escape(s)) {
            return 0;
        }
        return add({.what = tree::kind::set, .children = {}, .set = add_set(std::move(s))});
    }

    std::uint32_t group() {
        const bool outer_case = any_case_;
        op look = op::accept;
        if (take("?")) {
            if (take("=")) {
                look = op::ahead;
            } else if (take("!")) {
                look = op::not_ahead;
            } else if (take("<=")) {
                look = op::behind;
            } else if (take("<!")) {
                look = op::not_behind;
            } else if (next_is(">") || next_is("<") || next_is("P") || next_is("'") || next_is("(") || next_is("#") || next_is("~")) {
                fail(errc::unsupported, "a plain, lookaround or (?i) group", concat({"'(?", source_.substr(at_, 1), "'"}));
                return 0;
            } else {
                bool on = true;
                while (more() && !next_is(":") && !next_is(")")) {
                    const char c = source_[at_++];
                    if (c == '-') {
                        on = false;
                    } else if (c == 'i') {
                        any_case_ = on;
                    } else {
                        fail(errc::unsupported, "the flag i", concat({"the flag '", std::string(1, c), "'"}));
                    }
                }
                if (take(")")) {  // (?i): up to the end of the enclosing group
                    const std::uint32_t rest = alternatives();
                    any_case_ = outer_case;
                    return rest;
                }
                take(":");
            }
        }
        const std::uint32_t inside = alternatives();
        if (!failure_ && !take(")")) fail(errc::bad_format, "')'", "the end of the pattern");
        any_case_ = outer_case;
        if (look == op::accept || failure_) return inside;
        if (look == op::behind || look == op::not_behind) {
            std::uint32_t only = inside;
            while (trees_[only].what == tree::kind::sequence && trees_[only].children.size() == 1) only = trees_[only].children[0];
            if (trees_[only].what != tree::kind::set) {
                fail(errc::unsupported, "lookbehind of one character or class", "of something else");
                return 0;
            }
            return assertion(look, 0, trees_[only].set);
        }
        return assertion(look, inside);
    }

    /// What follows a backslash, as an item; inside and outside brackets.
    bool escape(detail::char_set& s) {
        using kind = detail::char_set::item::kind;
        if (!more()) {
            fail(errc::bad_format, "a character after '\\'", "the end of the pattern");
            return false;
        }
        const char32_t c = take_character();
        const auto range = [&](std::uint32_t value) { s.items.push_back({kind::range, false, value, value}); };
        switch (c) {
            case 's': case 'S': s.items.push_back({kind::space, c == 'S', 0, 0}); return true;
            case 'w': case 'W': s.items.push_back({kind::word, c == 'W', 0, 0}); return true;
            case 'd': case 'D': s.items.push_back({kind::category, c == 'D', detail::bits_between(category::nd, category::nd), 0}); return true;
            case 'n': range('\n'); return true;
            case 'r': range('\r'); return true;
            case 't': range('\t'); return true;
            case 'v': range('\v'); return true;
            case 'f': range('\f'); return true;
            case 'a': range('\a'); return true;
            case 'e': range(27); return true;
            case 'x': case 'u': return hexadecimal(c == 'u' ? 4 : 2, range);
            case 'p': case 'P': return property(s, c == 'P');
            default: break;
        }
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
            fail(errc::unsupported, "an escape of a class or character", concat({"'\\", std::string(1, static_cast<char>(c)), "'"}));
            return false;
        }
        range(static_cast<std::uint32_t>(c));
        return true;
    }

    template <class Range>
    bool hexadecimal(std::size_t digits, Range&& range) {
        std::string_view text;
        if (take("{")) {
            const std::size_t close = source_.find('}', at_);
            if (close != std::string_view::npos) {
                text = source_.substr(at_, close - at_);
                at_ = close + 1;
            }
        } else {
            text = source_.substr(at_, digits);
            at_ += text.size();
            if (text.size() != digits) text = {};
        }
        std::uint32_t value = 0;
        bool good = !text.empty() && text.size() <= 8;
        for (const char c : text) {
            const int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
            good = good && digit >= 0;
            value = value * 16 + static_cast<std::uint32_t>(std::max(digit, 0));
        }
        if (!good || value > 0x10FFFF) {
            fail(errc::bad_format, "a character's number in hexadecimal", quote(text));
            return false;
        }
        range(value);
        return true;
    }

    bool property(detail::char_set& s, bool negated) {
        using kind = detail::char_set::item::kind;
        std::string_view name = source_.substr(at_, 1);
        if (take("{")) {
            if (take("^")) negated = !negated;
            const std::size_t close = source_.find('}', at_);
            name = close == std::string_view::npos ? "" : source_.substr(at_, close - at_);
            at_ = close == std::string_view::npos ? at_ : close + 1;
        } else {
            at_ += name.size();
        }
        for (const detail::category_name& known : detail::category_names)
            if (known.name == name) {
                s.items.push_back({kind::category, negated, known.bits, 0});
                return true;
            }
        detail::char_set script;
        for (const detail::script_range& known : detail::script_ranges)
            if (known.name == name) script.items.push_back({kind::range, false, known.first, known.last});
        if (script.items.empty()) {
            fail(errc::unsupported, "a general category or one of Han, Hiragana, Katakana, Hangul", concat({"\\p{", name.substr(0, 40), "}"}));
            return false;
        }
        s.items.push_back({kind::nested, negated, add_set(std::move(script)), 0});
        return true;
    }

    /// A class after its '['; gives the number of its set.
    std::uint32_t bracket() {
        using kind = detail::char_set::item::kind;
        detail::char_set s;
        if (++depth_ > 100) fail(errc::out_of_range, "classes nested at most 100 deep", "more");
        s.any_case = any_case_;
        s.negated = take("^");
        for (bool first = true; more(); first = false) {
            if (!first && next_is("]")) break;
            if (take("&&")) {
                detail::char_set rest;  // up to the closing bracket: another set, both must hold
                rest.any_case = any_case_;
                while (more() && !next_is("]") && !next_is("&&")) bracket_item(rest);
                s.also_in.push_back(add_set(std::move(rest)));
                continue;
            }
            bracket_item(s);
        }
        if (!failure_ && !take("]")) fail(errc::bad_format, "']'", "the end of the pattern");
        --depth_;
        if (s.items.empty() && !s.also_in.empty()) s.items.push_back({kind::range, false, 0, 0x10FFFF + 0x200});
        return add_set(std::move(s));
    }

    void bracket_item(detail::char_set& s) {
        using kind = detail::char_set::item::kind;
        if (next_is("[:")) {
            const std::size_t close = source_.find(":]", at_);
            fail(errc::unsupported, "\\p{..} classes", std::string(source_.substr(at_, std::min<std::size_t>(close == std::string_view::npos ? 2 : close + 2 - at_, 40))));
            return;
        }
        if (take("[")) {
            s.items.push_back({kind::nested, false, bracket(), 0});
            return;
        }
        const std::size_t before = s.items.size();
        if (take("\\")) {
            if (take("b")) {
                s.items.push_back({kind::range, false, '\b', '\b'});
            } else if (!escape(s)) {
                return;
            }
        } else {
            const auto c = static_cast<std::uint32_t>(take_character());
            s.items.push_back({kind::range, false, c, c});
        }
        detail::char_set::item& low = s.items[before];
        if (low.what != kind::range || !next_is("-") || source_.substr(at_, 2) == "-]" || source_.substr(at_, 3) == "-&&") return;
        at_ += 1;
        detail::char_set end;
        if (take("\\")) {
            if (!escape(end)) return;
        } else if (more()) {
            const auto c = static_cast<std::uint32_t>(take_character());
            end.items.push_back({kind::range, false, c, c});
        }
        if (end.items.empty() || end.items[0].what != kind::range) {  // [\w-\s]: the '-' is itself
            s.items.push_back({kind::range, false, '-', '-'});
            s.items.insert(s.items.end(), end.items.begin(), end.items.end());
            return;
        }
        low.last = end.items[0].first;
        if (low.last < low.first) fail(errc::bad_format, "a range in order", "a range that ends before it begins");
    }

    std::uint32_t emit(detail::pattern_node n) {
        out_.nodes_.push_back(n);
        if (out_.nodes_.size() > most_nodes) fail(errc::out_of_range, "at most 10000 instructions", "more");
        return static_cast<std::uint32_t>(out_.nodes_.size() - 1);
    }

    [[nodiscard]] bool nullable(std::uint32_t which) const {
        const tree& t = trees_[which];
        switch (t.what) {
            case tree::kind::set: return false;
            case tree::kind::sequence: return std::all_of(t.children.begin(), t.children.end(), [&](std::uint32_t c) { return nullable(c); });
            case tree::kind::choice: return std::any_of(t.children.begin(), t.children.end(), [&](std::uint32_t c) { return nullable(c); });
            case tree::kind::repeat: return t.least == 0 || nullable(t.children[0]);
            default: return true;
        }
    }

    /// Writes a tree's instructions before `next`; gives where they begin.
    std::uint32_t generate(std::uint32_t which, std::uint32_t next) {
        if (failure_) return 0;
        const tree& t = trees_[which];
        switch (t.what) {
            case tree::kind::empty: return next;
            case tree::kind::set: return emit({op::character, next, 0, t.set});
            case tree::kind::sequence:
                for (std::size_t i = t.children.size(); i > 0; --i) next = generate(t.children[i - 1], next);
                return next;
            case tree::kind::choice: {
                std::uint32_t begin = generate(t.children.back(), next);
                for (std::size_t i = t.children.size() - 1; i > 0; --i) begin = emit({op::split, generate(t.children[i - 1], next), begin, 0});
                return begin;
            }
            case tree::kind::assertion: {
                if (t.assertion == op::ahead || t.assertion == op::not_ahead) {
                    const std::uint32_t found = emit({});
                    return emit({t.assertion, next, generate(t.children[0], found), 0});
                }
                out_.looks_back_ = out_.looks_back_ || (t.assertion != op::line_end && t.assertion != op::text_end);
                return emit({t.assertion, next, 0, t.set});
            }
            case tree::kind::repeat: return repeat(t, next);
        }
        return next;
    }

    std::uint32_t repeat(const tree& t, std::uint32_t next) {
        const std::uint32_t child = t.children[0];
        if (t.possessive) {  // x++ is x+(?!x), for one character x; at the most count nothing is forbidden
            const std::uint32_t found = emit({});
            const std::uint32_t again = emit({op::character, found, 0, trees_[child].set});
            const std::uint32_t stop = emit({op::not_ahead, next, again, 0});
            return t.most == unbounded ? loop(t, child, stop) : bounded(t, child, next, stop);
        }
        return t.most == unbounded ? loop(t, child, next) : bounded(t, child, next, next);
    }

    std::uint32_t loop(const tree& t, std::uint32_t child, std::uint32_t next) {
        if (nullable(child)) {
            fail(errc::unsupported, "a repeated part that takes at least one character", "one that can be empty");
            return 0;
        }
        const std::uint32_t head = emit({op::split, 0, next, 0});
        const std::uint32_t body = generate(child, head);
        if (failure_) return 0;
        out_.nodes_[head].next = t.lazy ? next : body;
        out_.nodes_[head].other = t.lazy ? body : next;
        std::uint32_t begin = head;
        for (std::uint32_t i = 0; i < t.least && !failure_; ++i) begin = generate(child, begin);
        return begin;
    }

    std::uint32_t bounded(const tree& t, std::uint32_t child, std::uint32_t next, std::uint32_t stop) {
        std::uint32_t begin = next;
        for (std::uint32_t i = t.least; i < t.most && !failure_; ++i) {
            const std::uint32_t body = generate(child, begin);
            begin = emit({op::split, t.lazy ? stop : body, t.lazy ? body : stop, 0});
        }
        for (std::uint32_t i = 0; i < t.least && !failure_; ++i) begin = generate(child, begin);
        return begin;
    }

    /// Orders the instructions so that each comes after those it can go to without reading a character.
    void put_in_order() {
        std::vector<std::uint8_t> state(out_.nodes_.size());
        std::vector<std::uint32_t> stack;
        for (std::uint32_t root = 0; root < out_.nodes_.size(); ++root) {
            stack.push_back(root);
            while (!stack.empty()) {
                const std::uint32_t n = stack.back();
                if (state[n] == 2) {
                    stack.pop_back();
                    continue;
                }
                if (state[n] == 1) {
                    state[n] = 2;
                    out_.order_.push_back(n);
                    stack.pop_back();
                    continue;
                }
                state[n] = 1;
                const detail::pattern_node& node = out_.nodes_[n];
                if (node.what == op::accept || node.what == op::character) continue;
                if (state[node.next] == 0) stack.push_back(node.next);
                const bool two = node.what == op::split || node.what == op::ahead || node.what == op::not_ahead;
                if (two && state[node.other] == 0) stack.push_back(node.other);
            }
        }
    }

    std::string_view source_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool any_case_ = false;
    std::vector<tree> trees_;
    std::optional<error> failure_;
    pattern out_;
};

HENCE_INLINE result<pattern> pattern::compile(std::string_view source) { return pattern_compiler(source).compile(); }

/// The number of the character's class: characters that all sets treat alike have one number.
HENCE_INLINE std::uint32_t pattern::class_of(char32_t c, scratch& s) const {
    if (c < 128 && s.ascii_class[c] != 0) return s.ascii_class[c];
    const std::string_view key(reinterpret_cast<const char*>(&c), sizeof c);
    if (c >= 128)
        if (const std::uint32_t known = s.known_characters.find(key); known != detail::piece_table::none) return known;
    const std::size_t words = (sets_.size() + 63) / 64;
    std::vector<std::uint64_t> bits(words);
    for (std::size_t i = 0; i < sets_.size(); ++i)
        if (detail::set_holds(sets_, static_cast<std::uint32_t>(i), c)) bits[i / 64] |= std::uint64_t{1} << i % 64;
    const auto next = static_cast<std::uint32_t>(s.class_bits.size() / words);
    const std::uint32_t number = s.known_classes.insert({reinterpret_cast<const char*>(bits.data()), words * 8}, next);
    if (number == next) s.class_bits.insert(s.class_bits.end(), bits.begin(), bits.end());
    if (c < 128) {
        s.ascii_class[c] = number;
    } else {
        s.known_characters.insert(key, number);
    }
    return number;
}

/// The instructions from which a match can be completed at a place, given those one character later (`after`),
/// the class of the character here (0 at the end) and before (0 at the beginning).
HENCE_INLINE std::uint32_t pattern::step(std::uint32_t after, std::uint32_t here, std::uint32_t before, scratch& s) const {
    using op = detail::pattern_node::op;
    const std::size_t words = (nodes_.size() + 63) / 64;
    const std::size_t set_words = (sets_.size() + 63) / 64;
    const auto in_set = [&](std::uint32_t number, std::uint32_t set) {
        return number != 0 && (s.class_bits[number * set_words + set / 64] >> set % 64 & 1u) != 0;
    };
    s.work.assign(words, 0);
    const auto here_holds = [&](std::uint32_t n) { return (s.work[n / 64] >> n % 64 & 1u) != 0; };
    const std::uint64_t* const later = s.state_bits.data() + std::size_t{after} * words;
    for (const std::uint32_t n : order_) {
        const detail::pattern_node& node = nodes_[n];
        bool holds = false;
        switch (node.what) {
            case op::accept: holds = true; break;
            case op::character: holds = in_set(here, node.set) && (later[node.next / 64] >> node.next % 64 & 1u) != 0; break;
            case op::split: holds = here_holds(node.next) || here_holds(node.other); break;
            case op::line_begin: holds = (before == 0 || in_set(before, newline_set_)) && here_holds(node.next); break;
            case op::line_end: holds = (here == 0 || in_set(here, newline_set_)) && here_holds(node.next); break;
            case op::text_begin: holds = before == 0 && here_holds(node.next); break;
            case op::text_end: holds = here == 0 && here_holds(node.next); break;
            case op::boundary: holds = in_set(before, word_set_) != in_set(here, word_set_) && here_holds(node.next); break;
            case op::not_boundary: holds = in_set(before, word_set_) == in_set(here, word_set_) && here_holds(node.next); break;
            case op::ahead: holds = here_holds(node.other) && here_holds(node.next); break;
            case op::not_ahead: holds = !here_holds(node.other) && here_holds(node.next); break;
            case op::behind: holds = in_set(before, node.set) && here_holds(node.next); break;
            case op::not_behind: holds = !in_set(before, node.set) && here_holds(node.next); break;
        }
        if (holds) s.work[n / 64] |= std::uint64_t{1} << n % 64;
    }
    const auto next = static_cast<std::uint32_t>(s.state_bits.size() / words);
    const std::uint32_t number = s.known_states.insert({reinterpret_cast<const char*>(s.work.data()), words * 8}, next);
    if (number == next) s.state_bits.insert(s.state_bits.end(), s.work.begin(), s.work.end());
    return number;
}

HENCE_INLINE void pattern::find_all(std::string_view text, scratch& s, std::vector<span>& matches) const {
    using op = detail::pattern_node::op;
    const std::size_t words = (nodes_.size() + 63) / 64;
    if (s.owner != this) {
        s = scratch{};
        s.owner = this;
        s.class_bits.assign((sets_.size() + 63) / 64, 0);  // class 0: no character
        s.state_bits.assign(words, 0);                     // state 0: nothing can be completed
    }
    s.offsets.clear();
    s.classes.clear();
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode_utf8(text, i);
        s.offsets.push_back(static_cast<std::uint32_t>(i));
        s.classes.push_back(class_of(c.valid ? c.value : char32_t{0x110000} + static_cast<unsigned char>(text[i]), s));
        i += c.length;
    }
    s.offsets.push_back(static_cast<std::uint32_t>(text.size()));
    const std::size_t count = s.classes.size();
    s.states.resize(count + 1);
    for (std::size_t i = count + 1; i > 0; --i) {
        const std::size_t at = i - 1;
        const std::uint32_t here = at < count ? s.classes[at] : 0;
        const std::uint32_t before = looks_back_ && at > 0 ? s.classes[at - 1] : 0;
        const std::uint32_t after = at < count ? s.states[at + 1] : 0;
        const std::uint32_t classes = here << 16 | before;
        const bool fits = here < 0x10000 && before < 0x10000;
        if (const detail::merge known = fits ? s.steps.find(after, classes) : detail::merge{}; known.rank != detail::merge::never) {
            s.states[at] = known.made;
            continue;
        }
        s.states[at] = step(after, here, before, s);
        if (fits) s.steps.insert(after, classes, {0, s.states[at]});
    }
    const auto holds = [&](std::size_t at, std::uint32_t n) { return (s.state_bits[std::size_t{s.states[at]} * words + n / 64] >> n % 64 & 1u) != 0; };
    for (std::size_t begin = 0; begin < count;) {
        if (!holds(begin, start_)) {
            ++begin;
            continue;
        }
        std::size_t at = begin;
        for (std::uint32_t n = start_; nodes_[n].what != op::accept;) {
            if (nodes_[n].what == op::character) {
                ++at;
                n = nodes_[n].next;
            } else if (nodes_[n].what == op::split) {
                n = holds(at, nodes_[n].next) ? nodes_[n].next : nodes_[n].other;
            } else {
                n = nodes_[n].next;
            }
        }
        matches.push_back({s.offsets[begin], s.offsets[at]});
        begin = std::max(at, begin + 1);
    }
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
