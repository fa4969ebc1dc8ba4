// Definitions of reason/regex.hpp: the pattern compiler and the simulation.
#ifndef HENCE_REASON_DETAIL_REGEX_INL_HPP
#define HENCE_REASON_DETAIL_REGEX_INL_HPP

#include "../../core/text.hpp"
#include "../regex.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::uint32_t regex_invalid_byte = 0x110000;  // + byte: outside Unicode, so no literal matches
inline constexpr std::uint32_t regex_end_of_text = 0xFFFFFFFF;

/// The character at `at` and its length; a byte that begins no valid sequence is a character of its own.
inline std::uint32_t regex_decode(std::string_view text, std::size_t at, std::size_t& length) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t lead = byte(at);
    length = 1;
    if (lead < 0x80) return lead;
    const std::size_t need = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xC2 && lead < 0xE0 ? 2 : 0;
    if (need == 0 || at + need > text.size()) return regex_invalid_byte + lead;
    std::uint32_t point = lead & (0x7Fu >> need);
    for (std::size_t i = 1; i < need; ++i) {
        if ((byte(at + i) & 0xC0u) != 0x80u) return regex_invalid_byte + lead;
        point = (point << 6) | (byte(at + i) & 0x3Fu);
    }
    const std::uint32_t least = need == 2 ? 0x80u : need == 3 ? 0x800u : 0x10000u;
    if (point < least || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return regex_invalid_byte + lead;
    length = need;
    return point;
}

inline bool is_word(std::uint32_t c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
inline std::uint32_t fold(std::uint32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

enum regex_check : std::uint32_t { text_begin, text_end, line_begin, line_end, word_edge, no_word_edge };

/// A node of the parsed pattern; children are indices, so trees of any shape are freed without recursion.
struct regex_node {
    enum kind_t : std::uint8_t { empty, leaf, sequence, choice, repeat, group } kind = empty;
    regex_instruction instruction{regex_op::match};  // of a leaf
    std::vector<std::size_t> children;
    std::uint32_t least = 0, most = 0;  // of a repeat; most == unlimited: no bound
    bool lazy = false;
    std::size_t number = 0;  // of a group; 0: not captured
};

class regex_compiler {
public:
    static constexpr std::uint32_t unlimited = 0xFFFFFFFF;
    static constexpr std::size_t max_instructions = 20000;

    explicit regex_compiler(std::string_view pattern) : pattern_(pattern) {}

    result<void> run() {
        flags();
        const std::size_t root = choice(0);
        if (!error_ && at_ < pattern_.size()) fail(errc::bad_format, "a '(' for this ')'");
        if (!error_) {
            emit({regex_op::save, 0});
            generate(root);
            emit({regex_op::save, 1});
            emit({regex_op::match});
        }
        if (error_) return std::move(*error_);
        return {};
    }

    std::vector<regex_instruction> program;
    std::vector<regex_class> classes;
    std::size_t groups = 0;
    bool ignore_case = false;

private:
    void fail(errc code, std::string expected) {
        if (error_) return;
        const std::string found =
            at_ < pattern_.size() ? "'" + std::string(pattern_.substr(at_, 8)) + "'" : std::string("the end");
        error_ = make_error(code, concat({"regex '", pattern_.substr(0, 80), "'"}), std::move(expected), found,
                            {}, at_);
    }
    bool here(char c) const { return at_ < pattern_.size() && pattern_[at_] == c; }
    bool take(char c) { return here(c) && ++at_ != 0; }

    std::size_t add(regex_node node) {
        nodes_.push_back(std::move(node));
        return nodes_.size() - 1;
    }
    std::size_t leaf(regex_instruction instruction) {
        regex_node node;
        node.kind = regex_node::leaf;
        node.instruction = instruction;
        return add(std::move(node));
    }

    void flags() {
        while (pattern_.substr(at_).starts_with("(?")) {
            std::size_t end = at_ + 2;
            while (end < pattern_.size() && pattern_[end] >= 'a' && pattern_[end] <= 'z') ++end;
            if (end == at_ + 2 || end >= pattern_.size() || pattern_[end] != ')') return;
            for (at_ += 2; at_ < end; ++at_) switch (pattern_[at_]) {
                    case 'i': ignore_case = true; break;
                    case 's': dot_newline_ = true; break;
                    case 'm': lines_ = true; break;
                    default: return fail(errc::unsupported, "one of the flags i, s, m");
                }
            ++at_;
        }
    }

    std::size_t choice(int depth) {
        if (depth > 100) {
            fail(errc::out_of_range, "groups nested at most 100 deep");
            return 0;
        }
        const std::size_t first = sequence(depth);
        if (!here('|')) return first;
        regex_node node;
        node.kind = regex_node::choice;
        node.children.push_back(first);
        while (!error_ && take('|')) node.children.push_back(sequence(depth));
        return add(std::move(node));
    }

    std::size_t sequence(int depth) {
        regex_node node;
        node.kind = regex_node::sequence;
        while (!error_ && at_ < pattern_.size() && !here('|') && !here(')')) node.children.push_back(repeated(depth));
        return add(std::move(node));
    }

    std::size_t repeated(int depth) {
        std::size_t inner = atom(depth);
        for (int quantifiers = 0; !error_; ++quantifiers) {
            std::uint32_t least = 0;
            std::uint32_t most = unlimited;
            if (take('*')) {
            } else if (take('+')) {
                least = 1;
            } else if (take('?')) {
                most = 1;
            } else if (!counted(least, most)) {
                break;
            }
            if (quantifiers > 0) {
                fail(errc::bad_format, "one quantifier (put the inner one in a group)");
                break;
            }
            regex_node node;
            node.kind = regex_node::repeat;
            node.least = least;
            node.most = most;
            node.lazy = take('?');
            node.children.push_back(inner);
            inner = add(std::move(node));
        }
        return inner;
    }

    /// {m}, {m,} or {m,n}; any other '{' is a literal.
    bool counted(std::uint32_t& least, std::uint32_t& most) {
        if (!here('{')) return false;
        std::size_t at = at_ + 1;
        const auto number = [&](std::uint32_t& value) {
            const std::size_t first = at;
            value = 0;
            for (; at < pattern_.size() && pattern_[at] >= '0' && pattern_[at] <= '9'; ++at)
                value = std::min(value * 10 + static_cast<std::uint32_t>(pattern_[at] - '0'), 1000000u);
            return at > first;
        };
        if (!number(least)) return false;
        most = least;
        if (at < pattern_.size() && pattern_[at] == ',') {
            ++at;
            if (!number(most)) most = unlimited;
        }
        if (at >= pattern_.size() || pattern_[at] != '}') return false;
        if (least > 1000 || (most != unlimited && most > 1000)) {
            fail(errc::out_of_range, "at most 1000 repetitions");
            return true;
        }
        if (most < least) {
            fail(errc::bad_format, "{m,n} with m <= n");
            return true;
        }
        at_ = at + 1;
        return true;
    }

    std::size_t atom(int depth) {
        const char c = pattern_[at_];
        if (c == '(') return group(depth);
        if (c == '[') return bracket();
        if (c == '.') return ++at_, leaf({dot_newline_ ? regex_op::any : regex_op::any_but_newline});
        if (c == '^') return ++at_, leaf({regex_op::check, lines_ ? line_begin : text_begin});
        if (c == '$') return ++at_, leaf({regex_op::check, lines_ ? line_end : text_end});
        if (c == '*' || c == '+' || c == '?') {
            fail(errc::bad_format, "something to repeat before the quantifier");
            return 0;
        }
        if (c == '\\') return escape();
        std::size_t length = 0;
        const std::uint32_t point = regex_decode(pattern_, at_, length);
        if (point >= regex_invalid_byte) {
            fail(errc::bad_format, "valid UTF-8");
            return 0;
        }
        at_ += length;
        return leaf({regex_op::character, ignore_case ? fold(point) : point});
    }

    std::size_t group(int depth) {
        ++at_;
        regex_node node;
        node.kind = regex_node::group;
        if (take('?')) {
            if (!take(':')) {
                fail(errc::unsupported, "(?:...) (look-around, named groups and inner flags are not supported)");
                return 0;
            }
        } else {
            if (groups >= 64) {
                fail(errc::out_of_range, "at most 64 capturing groups");
                return 0;
            }
            node.number = ++groups;
        }
        node.children.push_back(choice(depth + 1));
        if (!error_ && !take(')')) fail(errc::bad_format, "')'");
        return add(std::move(node));
    }

    static bool class_ranges(char c, std::vector<regex_range>& ranges) {
        switch (c) {
            case 'd': case 'D': ranges.push_back({'0', '9'}); return true;
            case 'w': case 'W':
                for (const regex_range r : {regex_range{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}})
                    ranges.push_back(r);
                return true;
            case 's': case 'S': ranges.push_back({'\t', '\r'}); ranges.push_back({' ', ' '}); return true;
            default: return false;
        }
    }

    /// The character behind a backslash at `at_` (already on the character after it).
    std::uint32_t escaped() {
        const char c = pattern_[at_];
        switch (c) {
            case 'n': return ++at_, '\n';
            case 't': return ++at_, '\t';
            case 'r': return ++at_, '\r';
            case 'f': return ++at_, '\f';
            case 'v': return ++at_, '\v';
            case 'x': return hexadecimal();
            default: break;
        }
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9')) {
            fail(errc::unsupported, "an escape that hence knows (no back-references or \\p classes)");
            return 0;
        }
        std::size_t length = 0;
        const std::uint32_t point = regex_decode(pattern_, at_, length);
        at_ += length;
        return point;
    }

    std::uint32_t hexadecimal() {
        ++at_;
        const bool braces = take('{');
        std::uint32_t value = 0;
        std::size_t digits = 0;
        for (; at_ < pattern_.size() && digits < (braces ? 6u : 2u); ++at_, ++digits) {
            const std::uint32_t c = fold(static_cast<unsigned char>(pattern_[at_]));
            if (c >= '0' && c <= '9') value = value * 16 + (c - '0');
            else if (c >= 'a' && c <= 'f') value = value * 16 + (c - 'a' + 10);
            else break;
        }
        if (digits == 0 || (!braces && digits != 2) || (braces && !take('}')) || value > 0x10FFFF)
            fail(errc::bad_format, "\\xHH or \\x{H..} up to 10FFFF");
        return value;
    }

    std::size_t escape() {
        ++at_;
        if (at_ >= pattern_.size()) {
            fail(errc::bad_format, "a character after '\\'");
            return 0;
        }
        const char c = pattern_[at_];
        if (c == 'b' || c == 'B') return ++at_, leaf({regex_op::check, c == 'b' ? word_edge : no_word_edge});
        regex_class set;
        if (class_ranges(c, set.ranges)) {
            ++at_;
            set.negated = c < 'a';
            return one_of(std::move(set));
        }
        const std::uint32_t point = escaped();
        return leaf({regex_op::character, ignore_case ? fold(point) : point});
    }

    std::size_t one_of(regex_class set) {
        classes.push_back(std::move(set));
        return leaf({regex_op::one_of, static_cast<std::uint32_t>(classes.size() - 1)});
    }

    std::size_t bracket() {
        const std::size_t start = at_++;
        regex_class set;
        set.negated = take('^');
        bool first = true;
        while (!error_) {
            if (at_ >= pattern_.size()) {
                at_ = start;
                fail(errc::bad_format, "a ']' for this '['");
                return 0;
            }
            if (here(']') && !first) break;
            first = false;
            std::uint32_t low = 0;
            if (!member(set, low)) continue;  // a class such as \d: no range can follow
            std::uint32_t high = low;
            if (here('-') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
                ++at_;
                if (!member(set, high) || high < low) {
                    fail(errc::bad_format, "a range whose end is a character not below its start");
                    return 0;
                }
            }
            set.ranges.push_back({low, high});
        }
        if (error_) return 0;
        ++at_;
        if (ignore_case) {  // text is folded to lower case before it is compared
            const std::vector<regex_range> written = set.ranges;
            for (const regex_range& r : written) {
                const std::uint32_t low = std::max<std::uint32_t>(r.first, 'A');
                const std::uint32_t high = std::min<std::uint32_t>(r.last, 'Z');
                if (low <= high) set.ranges.push_back({low + 32, high + 32});
            }
        }
        return one_of(std::move(set));
    }

    /// One member of a bracket: true with the character, false when it was a class that has been added.
    bool member(regex_class& set, std::uint32_t& point) {
        if (at_ >= pattern_.size()) return fail(errc::bad_format, "']'"), false;
        if (pattern_[at_] == '\\') {
            ++at_;
            if (at_ >= pattern_.size()) return fail(errc::bad_format, "a character after '\\'"), false;
            const char c = pattern_[at_];
            if (c == 'D' || c == 'W' || c == 'S')
                return fail(errc::unsupported, "\\d, \\w or \\s inside brackets, not a negated class"), false;
            if (class_ranges(c, set.ranges)) return ++at_, false;
            point = escaped();
            return true;
        }
        std::size_t length = 0;
        point = regex_decode(pattern_, at_, length);
        if (point >= regex_invalid_byte) return fail(errc::bad_format, "valid UTF-8"), false;
        at_ += length;
        return true;
    }

    std::uint32_t next() const { return static_cast<std::uint32_t>(program.size()); }
    std::uint32_t emit(regex_instruction instruction) {
        if (program.size() >= max_instructions)
            fail(errc::out_of_range, "a pattern of at most 20000 instructions once repetitions are written out");
        else
            program.push_back(instruction);
        return next() - 1;
    }
    void link(std::uint32_t at, bool lazy, std::uint32_t inside, std::uint32_t outside) {
        program[at].x = lazy ? outside : inside;
        program[at].y = lazy ? inside : outside;
    }

    void generate(std::size_t index) {  // recursion is bounded by the depth of groups
        if (error_) return;
        if (++generated_ > 10 * max_instructions)  // nested repetitions of nothing emit nothing but take time
            return fail(errc::out_of_range, "fewer nested repetitions");
        const regex_node& node = nodes_[index];
        switch (node.kind) {
            case regex_node::empty: break;
            case regex_node::leaf: emit(node.instruction); break;
            case regex_node::sequence:
                for (const std::size_t child : node.children) generate(child);
                break;
            case regex_node::choice: {
                std::vector<std::uint32_t> ends;
                for (std::size_t i = 0; i < node.children.size() && !error_; ++i) {
                    const bool last = i + 1 == node.children.size();
                    const std::uint32_t split = last ? 0 : emit({regex_op::split});
                    generate(node.children[i]);
                    if (error_ || last) break;
                    ends.push_back(emit({regex_op::jump}));
                    link(split, false, split + 1, next());
                }
                if (!error_)
                    for (const std::uint32_t end : ends) program[end].x = next();
                break;
            }
            case regex_node::repeat: {
                for (std::uint32_t i = 0; i < node.least && !error_; ++i) generate(node.children[0]);
                if (node.most == unlimited) {
                    const std::uint32_t split = emit({regex_op::split});
                    generate(node.children[0]);
                    emit({regex_op::jump, split});
                    if (!error_) link(split, node.lazy, split + 1, next());
                } else {
                    std::vector<std::uint32_t> splits;
                    for (std::uint32_t i = node.least; i < node.most && !error_; ++i) {
                        splits.push_back(emit({regex_op::split}));
                        generate(node.children[0]);
                    }
                    if (!error_)
                        for (const std::uint32_t split : splits) link(split, node.lazy, split + 1, next());
                }
                break;
            }
            case regex_node::group:
                if (node.number > 0) emit({regex_op::save, static_cast<std::uint32_t>(2 * node.number)});
                generate(node.children[0]);
                if (node.number > 0) emit({regex_op::save, static_cast<std::uint32_t>(2 * node.number + 1)});
                break;
        }
    }

    std::string_view pattern_;
    std::size_t at_ = 0;
    bool dot_newline_ = false;
    bool lines_ = false;
    std::size_t generated_ = 0;
    std::vector<regex_node> nodes_;
    std::optional<error> error_;
};

/// The threads of one position, in order of priority; each owns a row of capture slots.
struct regex_threads {
    explicit regex_threads(std::size_t instructions, std::size_t per_thread)
        : sparse(instructions), slot_count(per_thread), slots(instructions * per_thread) {
        dense.reserve(instructions);
    }
    bool contains(std::uint32_t pc) const {
        return sparse[pc] < dense.size() && dense[sparse[pc]] == pc;
    }
    std::size_t* row(std::uint32_t pc) { return slots.data() + std::size_t{pc} * slot_count; }

    std::vector<std::uint32_t> dense;
    std::vector<std::uint32_t> sparse;
    std::size_t slot_count;
    std::vector<std::size_t> slots;
};

}  // namespace detail

HENCE_INLINE result<regex> regex::compile(std::string_view pattern) {
    detail::regex_compiler compiler(pattern);
    HENCE_TRY(compiler.run());
    regex out;
    out.pattern_ = std::string(pattern);
    out.program_ = std::move(compiler.program);
    out.classes_ = std::move(compiler.classes);
    out.groups_ = compiler.groups;
    out.ignore_case_ = compiler.ignore_case;
    return out;
}

HENCE_INLINE std::optional<regex_match> regex::run(std::string_view text, std::size_t from, std::size_t& read) const {
    using detail::regex_op;
    const std::size_t slots = 2 * (groups_ + 1);
    detail::regex_threads now(program_.size(), slots);
    detail::regex_threads then(program_.size(), slots);
    std::vector<std::size_t> best;
    std::vector<std::size_t> captures(slots);
    struct work {
        std::uint32_t pc;
        bool restore;  // undo a save: slot pc gets back `old`
        std::size_t old;
    };
    std::vector<work> stack;

    std::size_t length = 0;
    std::uint32_t before = detail::regex_end_of_text;
    if (from > 0) {  // only word characters and line ends matter, and they are ASCII
        const auto byte = static_cast<unsigned char>(text[from - 1]);
        before = byte < 0x80 ? byte : detail::regex_invalid_byte;
    }

    // Follows everything that reads no character, in order of priority. An explicit stack: a pattern of
    // 20,000 instructions must not recurse 20,000 deep.
    const auto follow = [&](detail::regex_threads& threads, std::uint32_t start, std::size_t at, std::uint32_t previous,
                            std::uint32_t current) {
        const auto holds = [&](std::uint32_t what) {
            const bool begin = previous == detail::regex_end_of_text;
            const bool end = current == detail::regex_end_of_text;
            switch (what) {
                case detail::text_begin: return begin;
                case detail::text_end: return end;
                case detail::line_begin: return begin || previous == '\n';
                case detail::line_end: return end || current == '\n';
                default: break;
            }
            const bool edge = (!begin && detail::is_word(previous)) != (!end && detail::is_word(current));
            return edge == (what == detail::word_edge);
        };
        stack.push_back({start, false, 0});
        while (!stack.empty()) {
            const work top = stack.back();
            stack.pop_back();
            if (top.restore) {
                captures[top.pc] = top.old;
                continue;
            }
            if (threads.contains(top.pc)) continue;
            threads.sparse[top.pc] = static_cast<std::uint32_t>(threads.dense.size());
            threads.dense.push_back(top.pc);
            const detail::regex_instruction& op = program_[top.pc];
            switch (op.op) {
                case regex_op::jump: stack.push_back({op.x, false, 0}); break;
                case regex_op::split:
                    stack.push_back({op.y, false, 0});
                    stack.push_back({op.x, false, 0});
                    break;
                case regex_op::save:
                    stack.push_back({op.x, true, captures[op.x]});
                    captures[op.x] = at;
                    stack.push_back({top.pc + 1, false, 0});
                    break;
                case regex_op::check:
                    if (holds(op.x)) stack.push_back({top.pc + 1, false, 0});
                    break;
                default: std::copy(captures.begin(), captures.end(), threads.row(top.pc)); break;
            }
        }
    };

    for (std::size_t at = from;; at += length) {
        length = 1;
        const std::uint32_t exact =
            at < text.size() ? detail::regex_decode(text, at, length) : detail::regex_end_of_text;
        const std::uint32_t current = ignore_case_ ? detail::fold(exact) : exact;
        if (best.empty()) {  // a new start has the lowest priority
            std::fill(captures.begin(), captures.end(), regex_match::none);
            follow(now, 0, at, before, exact);
        }
        if (now.dense.empty()) break;
        ++read;
        std::size_t next_length = 1;
        const std::uint32_t next = at + length < text.size() ? detail::regex_decode(text, at + length, next_length)
                                                             : detail::regex_end_of_text;
        then.dense.clear();
        for (const std::uint32_t pc : now.dense) {
            const detail::regex_instruction& op = program_[pc];
            bool moves = false;
            switch (op.op) {
                case regex_op::character: moves = current == op.x; break;
                case regex_op::any: moves = exact != detail::regex_end_of_text; break;
                case regex_op::any_but_newline:
                    moves = exact != detail::regex_end_of_text && exact != '\n';
                    break;
                case regex_op::one_of: {
                    if (exact == detail::regex_end_of_text) break;
                    const detail::regex_class& set = classes_[op.x];
                    const bool inside = std::any_of(set.ranges.begin(), set.ranges.end(), [&](const auto& r) {
                        return current >= r.first && current <= r.last;
                    });
                    moves = inside != set.negated;
                    break;
                }
                default: break;
            }
            if (op.op == regex_op::match) {
                best.assign(now.row(pc), now.row(pc) + slots);
                break;  // threads behind this one have a lower priority
            }
            if (!moves) continue;
            captures.assign(now.row(pc), now.row(pc) + slots);
            follow(then, pc + 1, at + length, exact, next);
        }
        std::swap(now, then);
        before = exact;
        if (exact == detail::regex_end_of_text) break;
    }
    if (best.empty()) return std::nullopt;
    regex_match match;
    match.groups.resize(groups_ + 1);
    for (std::size_t i = 0; i <= groups_; ++i) match.groups[i] = {best[2 * i], best[2 * i + 1]};
    return match;
}

HENCE_INLINE std::optional<regex_match> regex::search(std::string_view text, std::size_t from) const {
    std::size_t read = 0;
    return from > text.size() ? std::nullopt : run(text, from, read);
}

HENCE_INLINE std::optional<regex_match> regex::search_last(std::string_view text) const {
    std::optional<regex_match> last;
    std::size_t read = 0;
    for (std::size_t from = 0; from <= text.size() && read <= 32 * (text.size() + 1);) {
        auto match = run(text, from, read);
        if (!match) break;
        const auto& whole = match->groups[0];
        std::size_t length = 1;
        if (whole.last < text.size()) (void)detail::regex_decode(text, whole.last, length);
        from = whole.last > whole.first ? whole.last : whole.last + length;  // an empty match moves on by one character
        last = std::move(match);
    }
    return last;
}

HENCE_NAMESPACE_END

#endif
