// The parser of templates: tokens to a tree of numbered nodes.
#ifndef HENCE_TEXT_DETAIL_JINJA_PARSER_HPP
#define HENCE_TEXT_DETAIL_JINJA_PARSER_HPP

#include "../../core/text.hpp"
#include "../../core/quote.hpp"
#include "jinja_lexer.hpp"
#include "jinja_value.hpp"

#include <algorithm>
#include <array>
#include <limits>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

inline constexpr std::uint32_t no_node = 0xFFFFFFFFu;

enum class node_kind : std::uint8_t {
    // expressions
    constant, name, list, tuple, dict, attribute, item, slice, call, filter, test, unknown, negate, minus, plus, both, either, compare,
    add, subtract, multiply, divide, floor_divide, modulo, power, concat, choose,
    // statements
    text, output, block, branch, loop, assign, assign_block, macro, call_block, filter_block, with, leave, again,
};

struct node_argument {
    std::string name;       // of a keyword argument
    std::uint32_t node = 0;
    std::uint8_t stars = 0;  // 1: *list, 2: **dict
};

struct jinja_node {
    node_kind kind = node_kind::constant;
    std::uint32_t line = 0;
    std::uint32_t name = 0;            // name, attribute and filter names: index in the program's names
    bool flag = false;                 // loop: recursive; test: negated
    value constant;
    std::vector<std::uint32_t> kids;   // by kind, see the parser
    std::vector<node_argument> arguments;
};

struct jinja_program {
    std::string file;
    std::vector<jinja_node> nodes;
    std::vector<std::string> names;
    piece_table name_numbers;
    std::uint32_t root = 0;
};

class jinja_parser {
public:
    jinja_parser(std::vector<jinja_token> tokens, jinja_program& program) : tokens_(std::move(tokens)), p_(program) {}

    std::optional<error> parse() {
        p_.root = body({});
        return failure_;
    }

private:
    using kind = jinja_token::kind;
    using ends = std::vector<std::string_view>;

    void fail(errc code, std::string expected, std::string actual) {
        if (!failure_) failure_ = make_error(code, concat({p_.file, ": line ", now().line}), std::move(expected), std::move(actual));
        at_ = tokens_.size() - 1;
    }
    [[nodiscard]] const jinja_token& now() const { return tokens_[at_]; }
    [[nodiscard]] bool is(std::string_view symbol) const { return now().what == kind::symbol && now().text == symbol; }
    [[nodiscard]] bool is_name(std::string_view name) const { return now().what == kind::name && now().text == name; }
    [[nodiscard]] bool next_is_name(std::string_view name) const {
        return at_ + 1 < tokens_.size() && tokens_[at_ + 1].what == kind::name && tokens_[at_ + 1].text == name;
    }
    void advance() {
        if (at_ + 1 < tokens_.size()) ++at_;
    }
    bool take(std::string_view symbol) {
        if (!is(symbol)) return false;
        advance();
        return true;
    }
    bool take_name(std::string_view name) {
        if (!is_name(name)) return false;
        advance();
        return true;
    }
    [[nodiscard]] std::string found() const {
        switch (now().what) {
            case kind::end: return "the end of the template";
            case kind::data: return "text";
            case kind::variable_end: return "'}}'";
            case kind::block_end: return "'%}'";
            case kind::variable_begin: return "'{{'";
            case kind::block_begin: return "'{%'";
            default: return quote(now().text);
        }
    }
    void expect(std::string_view symbol) {
        if (!take(symbol)) fail(errc::bad_format, concat({"'", symbol, "'"}), found());
    }
    void expect_block_end() {
        if (now().what != kind::block_end) return fail(errc::bad_format, "'%}'", found());
        advance();
    }
    std::string expect_name() {
        if (now().what != kind::name) {
            fail(errc::bad_format, "a name", found());
            return {};
        }
        std::string name = now().text;
        advance();
        return name;
    }
    std::uint32_t number_of(std::string_view name) {
        const auto next = static_cast<std::uint32_t>(p_.names.size());
        const std::uint32_t number = p_.name_numbers.insert(name, next);
        if (number == next) p_.names.emplace_back(name);
        return number;
    }
    std::uint32_t add(node_kind what, std::vector<std::uint32_t> kids = {}, std::uint32_t line = 0) {
        jinja_node n;
        n.kind = what;
        n.line = line != 0 ? line : now().line;
        n.kids = std::move(kids);
        p_.nodes.push_back(std::move(n));
        if (p_.nodes.size() > 200000) fail(errc::out_of_range, "at most 200000 parts", "more");
        return static_cast<std::uint32_t>(p_.nodes.size() - 1);
    }
    std::uint32_t constant(value v) {
        const std::uint32_t n = add(node_kind::constant);
        p_.nodes[n].constant = std::move(v);
        return n;
    }

    /// Counts how deep rules are inside each other: what is parsed is also evaluated by recursion.
    struct level {
        jinja_parser& parser;
        explicit level(jinja_parser& p) : parser(p) {
            if (++p.depth_ > 400) p.fail(errc::out_of_range, "at most 400 levels of nesting", "more");
        }
        ~level() { --parser.depth_; }
        level(const level&) = delete;
        level& operator=(const level&) = delete;
    };

    // --- statements ----------------------------------------------------------------------------------

    /// Everything up to a block whose name is one of `until`, which is left in place (after its '{%').
    std::uint32_t body(const ends& until) {
        const level guard(*this);
        std::vector<std::uint32_t> kids;
        const std::uint32_t line = now().line;
        while (!failure_) {
            if (now().what == kind::end) {
                if (!until.empty()) fail(errc::bad_format, concat({"'{% ", until.back(), " %}'"}), "the end of the template");
                break;
            }
            if (now().what == kind::data) {
                const std::uint32_t n = add(node_kind::text);
                p_.nodes[n].constant = value(now().text);
                kids.push_back(n);
                advance();
            } else if (now().what == kind::variable_begin) {
                advance();
                const std::uint32_t at = now().line;
                const std::uint32_t e = tuple_expression();
                if (now().what != kind::variable_end) fail(errc::bad_format, "'}}'", found());
                advance();
                kids.push_back(add(node_kind::output, {e}, at));
            } else {
                advance();  // '{%'
                if (std::any_of(until.begin(), until.end(), [&](std::string_view name) { return is_name(name); })) break;
                kids.push_back(statement());
            }
        }
        return add(node_kind::block, std::move(kids), line);
    }
    /// A body and the end of its block.
    std::uint32_t body_to(std::string_view end) {
        const std::uint32_t b = body({end});
        advance();
        expect_block_end();
        return b;
    }

    std::uint32_t statement() {
        const level guard(*this);
        const std::uint32_t line = now().line;
        const std::string word = expect_name();
        if (word == "if") return branch();
        if (word == "for") return loop();
        if (word == "set") return assignment();
        if (word == "macro") return macro();
        if (word == "call") return call_block();
        if (word == "filter") return filter_block();
        if (word == "with") return with();
        if (word == "break" || word == "continue") {
            if (loops_ == 0) fail(errc::bad_format, concat({"'", word, "' inside a loop"}), "it outside");
            expect_block_end();
            return add(word == "break" ? node_kind::leave : node_kind::again, {}, line);
        }
        if (word == "generation") {  // marks what the model wrote; the text is the same, its names are its own
            expect_block_end();
            const std::uint32_t b = body_to("endgeneration");
            return add(node_kind::with, {b}, line);
        }
        if (word == "block") {
            (void)expect_name();
            while (now().what == kind::name) advance();  // scoped, required
            expect_block_end();
            const std::uint32_t b = body({"endblock"});
            advance();
            if (now().what == kind::name) advance();
            expect_block_end();
            return b;
        }
        if (word == "autoescape") {
            (void)expression();
            expect_block_end();
            return body_to("endautoescape");
        }
        if (word == "do") {
            const std::uint32_t e = tuple_expression();
            expect_block_end();
            const std::uint32_t n = add(node_kind::output, {e}, line);
            p_.nodes[n].flag = true;  // evaluated, not printed
            return n;
        }
        const bool known = word == "include" || word == "import" || word == "from" || word == "extends";
        if (!failure_)
            fail(known || word.substr(0, 3) != "end" ? errc::unsupported : errc::bad_format,
                 "if, for, set, macro, call, filter, with, block, raw, break, continue, generation or do", quote(word));
        return 0;
    }

    std::uint32_t branch() {
        const std::uint32_t line = now().line;
        const std::uint32_t condition = expression();
        expect_block_end();
        ++conditions_;
        const std::uint32_t then = body({"elif", "else", "endif"});
        std::uint32_t otherwise = no_node;
        if (take_name("elif")) {
            const level guard(*this);
            otherwise = branch();
        } else if (take_name("else")) {
            expect_block_end();
            otherwise = body_to("endif");
        } else {
            advance();
            expect_block_end();
        }
        --conditions_;
        return add(node_kind::branch, {condition, then, otherwise}, line);
    }

    std::uint32_t loop() {
        const std::uint32_t line = now().line;
        const std::uint32_t target = assign_target();
        if (!take_name("in")) fail(errc::bad_format, "'in'", found());
        const std::uint32_t items = tuple_expression(false);
        std::uint32_t filter = no_node;
        if (take_name("if")) filter = expression();
        const bool recursive = take_name("recursive");
        expect_block_end();
        ++loops_;
        const std::uint32_t inside = body({"else", "endfor"});
        --loops_;
        std::uint32_t otherwise = no_node;
        if (take_name("else")) {
            expect_block_end();
            otherwise = body_to("endfor");
        } else {
            advance();
            expect_block_end();
        }
        const std::uint32_t n = add(node_kind::loop, {target, items, filter, inside, otherwise}, line);
        p_.nodes[n].flag = recursive;
        return n;
    }

    /// a, or a.b (a namespace's member), or a, b, (c, d)
    std::uint32_t assign_target() {
        const level guard(*this);
        const std::uint32_t line = now().line;
        std::vector<std::uint32_t> parts;
        bool tuple = false;
        do {
            if (now().what == kind::block_end || is_name("in") || is("=") || is(")")) break;
            if (take("(")) {
                parts.push_back(assign_target());
                expect(")");
            } else {
                const std::uint32_t n = add(node_kind::name);
                const std::uint32_t number = number_of(expect_name());
                p_.nodes[n].name = number;
                if (take(".")) {
                    const std::uint32_t member = add(node_kind::attribute, {n});
                    const std::uint32_t member_name = number_of(expect_name());
                    p_.nodes[member].name = member_name;
                    parts.push_back(member);
                } else {
                    parts.push_back(n);
                }
            }
            if (failure_) return 0;
            tuple = tuple || is(",");
        } while (take(","));
        if (parts.empty()) {
            fail(errc::bad_format, "a name to assign to", found());
            return 0;
        }
        return tuple ? add(node_kind::tuple, std::move(parts), line) : parts[0];
    }

    std::uint32_t assignment() {
        const std::uint32_t line = now().line;
        const std::uint32_t target = assign_target();
        if (take("=")) {
            const std::uint32_t e = tuple_expression();
            expect_block_end();
            return add(node_kind::assign, {target, e}, line);
        }
        const std::uint32_t source = add(node_kind::name);  // what the filters get: the evaluator puts the text there
        p_.nodes[source].name = no_node;
        const std::uint32_t filtered = filters(source);
        expect_block_end();
        const std::uint32_t b = body_to("endset");
        return add(node_kind::assign_block, {target, b, filtered}, line);
    }

    /// (a, b=1, ...) of a macro: names with the nodes of their defaults.
    void signature(std::vector<node_argument>& parameters) {
        expect("(");
        while (!failure_ && !is(")")) {
            if (!parameters.empty()) expect(",");
            if (is(")")) break;
            node_argument parameter;
            parameter.name = expect_name();
            (void)number_of(parameter.name);
            parameter.node = no_node;
            if (take("=")) {
                parameter.node = expression();
            } else if (!parameters.empty() && parameters.back().node != no_node) {
                fail(errc::bad_format, "a default, as the parameter before has one", "none");
            }
            parameters.push_back(std::move(parameter));
        }
        expect(")");
    }

    std::uint32_t macro() {
        const std::uint32_t line = now().line;
        const std::uint32_t number = number_of(expect_name());
        std::vector<node_argument> parameters;
        signature(parameters);
        expect_block_end();
        const int loops = std::exchange(loops_, 0);
        const std::uint32_t b = body_to("endmacro");
        loops_ = loops;
        const std::uint32_t n = add(node_kind::macro, {b}, line);
        p_.nodes[n].name = number;
        p_.nodes[n].arguments = std::move(parameters);
        return n;
    }

    std::uint32_t call_block() {
        const std::uint32_t line = now().line;
        std::vector<node_argument> parameters;
        if (is("(")) signature(parameters);
        const std::uint32_t call = expression();
        if (!failure_ && p_.nodes[call].kind != node_kind::call) fail(errc::bad_format, "a call", "something else");
        expect_block_end();
        const int loops = std::exchange(loops_, 0);
        const std::uint32_t b = body_to("endcall");
        loops_ = loops;
        const std::uint32_t m = add(node_kind::macro, {b}, line);
        p_.nodes[m].name = number_of("caller");
        p_.nodes[m].arguments = std::move(parameters);
        return add(node_kind::call_block, {call, m}, line);
    }

    std::uint32_t filter_block() {
        const std::uint32_t line = now().line;
        const std::uint32_t source = add(node_kind::name);
        p_.nodes[source].name = no_node;
        const std::uint32_t first = one_filter(source);
        const std::uint32_t filtered = filters(first);
        expect_block_end();
        const std::uint32_t b = body_to("endfilter");
        return add(node_kind::filter_block, {b, filtered}, line);
    }

    std::uint32_t with() {
        const std::uint32_t line = now().line;
        std::vector<std::uint32_t> kids{0};
        while (!failure_ && now().what != kind::block_end) {
            if (kids.size() > 1) expect(",");
            const std::uint32_t target = assign_one();
            expect("=");
            const std::uint32_t e = expression();
            kids.push_back(target);
            kids.push_back(e);
        }
        expect_block_end();
        kids[0] = body_to("endwith");
        return add(node_kind::with, std::move(kids), line);
    }
    std::uint32_t assign_one() {
        const std::uint32_t n = add(node_kind::name);
        const std::uint32_t number = number_of(expect_name());
        p_.nodes[n].name = number;
        return n;
    }

    // --- expressions ---------------------------------------------------------------------------------

    /// a, b, c as a tuple, or one expression. A loop's items leave `if` to the loop.
    std::uint32_t tuple_expression(bool conditional = true) {
        const std::uint32_t line = now().line;
        std::vector<std::uint32_t> kids;
        bool tuple = false;
        do {
            if (now().what == kind::variable_end || now().what == kind::block_end || is(")")) break;
            kids.push_back(conditional ? expression() : either());
            if (failure_) return 0;
            tuple = tuple || is(",");
        } while (take(","));
        if (kids.empty()) {
            fail(errc::bad_format, "an expression", found());
            return 0;
        }
        return tuple ? add(node_kind::tuple, std::move(kids), line) : kids[0];
    }

    std::uint32_t expression() {
        const level guard(*this);
        std::uint32_t left = either();
        while (!failure_ && is_name("if")) {
            const std::uint32_t line = now().line;
            advance();
            const std::uint32_t condition = either();
            ++conditions_;
            const std::uint32_t otherwise = take_name("else") ? expression() : no_node;
            --conditions_;
            left = add(node_kind::choose, {condition, left, otherwise}, line);
        }
        return left;
    }
    std::uint32_t either() {
        std::uint32_t left = both();
        while (!failure_ && take_name("or")) left = add(node_kind::either, {left, both()});
        return left;
    }
    std::uint32_t both() {
        std::uint32_t left = negation();
        while (!failure_ && take_name("and")) left = add(node_kind::both, {left, negation()});
        return left;
    }
    std::uint32_t negation() {
        const level guard(*this);
        if (!failure_ && take_name("not")) return add(node_kind::negate, {negation()});
        return comparison();
    }
    std::uint32_t comparison() {
        const std::uint32_t line = now().line;
        std::vector<std::uint32_t> kids{sum()};
        std::vector<node_argument> operators;
        while (!failure_) {
            std::string symbol;
            for (const std::string_view known : {"==", "!=", "<", "<=", ">", ">="})
                if (is(known)) symbol = known;
            if (symbol.empty() && is_name("in")) symbol = "in";
            if (symbol.empty() && is_name("not") && next_is_name("in")) {
                symbol = "not in";
                advance();
            }
            if (symbol.empty()) break;
            advance();
            operators.push_back({symbol, 0, 0});
            kids.push_back(sum());
        }
        if (operators.empty()) return kids[0];
        const std::uint32_t n = add(node_kind::compare, std::move(kids), line);
        p_.nodes[n].arguments = std::move(operators);
        return n;
    }
    std::uint32_t sum() {
        std::uint32_t left = joined();
        while (!failure_ && (is("+") || is("-"))) {
            const node_kind what = is("+") ? node_kind::add : node_kind::subtract;
            advance();
            left = add(what, {left, joined()});
        }
        return left;
    }
    std::uint32_t joined() {
        std::vector<std::uint32_t> kids{product()};
        const std::uint32_t line = now().line;
        while (!failure_ && take("~")) kids.push_back(product());
        return kids.size() == 1 ? kids[0] : add(node_kind::concat, std::move(kids), line);
    }
    std::uint32_t product() {
        std::uint32_t left = power();
        while (!failure_ && (is("*") || is("/") || is("//") || is("%"))) {
            const node_kind what = is("*") ? node_kind::multiply : is("/") ? node_kind::divide : is("//") ? node_kind::floor_divide : node_kind::modulo;
            advance();
            left = add(what, {left, power()});
        }
        return left;
    }
    std::uint32_t power() {
        std::uint32_t left = unary(true);
        while (!failure_ && take("**")) left = add(node_kind::power, {left, unary(true)});
        return left;
    }
    std::uint32_t unary(bool with_filters) {
        const level guard(*this);
        std::uint32_t n;
        if (failure_) return 0;
        if (take("-")) {
            n = add(node_kind::minus, {unary(false)});
        } else if (take("+")) {
            n = add(node_kind::plus, {unary(false)});
        } else {
            n = primary();
        }
        n = postfix(n);
        return with_filters ? filters_and_tests(n) : n;
    }

    std::uint32_t primary() {
        const jinja_token& t = now();
        switch (t.what) {
            case kind::name: {
                const std::string word = t.text;
                advance();
                if (word == "true" || word == "True") return constant(value(true));
                if (word == "false" || word == "False") return constant(value(false));
                if (word == "none" || word == "None") return constant(make_none());
                const std::uint32_t n = add(node_kind::name);
                const std::uint32_t number = number_of(word);
                p_.nodes[n].name = number;
                return n;
            }
            case kind::string: {
                std::string text;
                for (; now().what == kind::string; advance()) text += now().text;  // neighbours are one string
                return constant(value(std::move(text)));
            }
            case kind::integer: {
                std::int64_t i = 0;
                const auto end = std::from_chars(t.text.data(), t.text.data() + t.text.size(), i);
                if (end.ec != std::errc()) fail(errc::out_of_range, "a number below 2^63", quote(t.text));
                advance();
                return constant(value(i));
            }
            case kind::real: {
                double d = 0;
                (void)std::from_chars(t.text.data(), t.text.data() + t.text.size(), d);
                advance();
                return constant(value(d));
            }
            default: break;
        }
        const std::uint32_t line = t.line;
        if (take("(")) {
            std::vector<std::uint32_t> kids;
            bool tuple = is(")");
            while (!failure_ && !is(")")) {
                kids.push_back(expression());
                if (!take(",")) break;
                tuple = true;
            }
            expect(")");
            if (failure_) return 0;
            return tuple ? add(node_kind::tuple, std::move(kids), line) : kids[0];
        }
        if (take("[")) {
            std::vector<std::uint32_t> kids;
            while (!failure_ && !is("]")) {
                kids.push_back(expression());
                if (!take(",")) break;
            }
            expect("]");
            return add(node_kind::list, std::move(kids), line);
        }
        if (take("{")) {
            std::vector<std::uint32_t> kids;
            while (!failure_ && !is("}")) {
                kids.push_back(expression());
                expect(":");
                kids.push_back(expression());
                if (!take(",")) break;
            }
            expect("}");
            return add(node_kind::dict, std::move(kids), line);
        }
        fail(errc::bad_format, "an expression", found());
        return 0;
    }

    std::uint32_t postfix(std::uint32_t n) {
        while (!failure_) {
            const std::uint32_t line = now().line;
            if (take(".")) {
                if (now().what == kind::integer) {
                    const std::uint32_t index = primary();
                    n = add(node_kind::item, {n, index}, line);
                } else {
                    const std::uint32_t number = number_of(expect_name());
                    n = add(node_kind::attribute, {n}, line);
                    p_.nodes[n].name = number;
                }
            } else if (take("[")) {
                std::vector<std::uint32_t> parts;
                while (!failure_ && !is("]")) {
                    if (!parts.empty()) expect(",");
                    parts.push_back(subscript());
                }
                expect("]");
                if (failure_) return 0;
                if (parts.empty()) fail(errc::bad_format, "an index", "']'");
                // Jinja's grammar takes a slice among several; what it makes of one no engine can run.
                const auto is_slice = [&](std::uint32_t part) { return p_.nodes[part].kind == node_kind::slice; };
                if (parts.size() > 1 && std::any_of(parts.begin(), parts.end(), is_slice))
                    fail(errc::bad_format, "a slice alone in its brackets", "one among several indices");
                const std::uint32_t index = parts.size() == 1 ? parts[0] : add(node_kind::tuple, parts, line);
                n = add(node_kind::item, {n, index}, line);
            } else if (is("(")) {
                n = call(n);
            } else {
                break;
            }
        }
        return n;
    }

    std::uint32_t subscript() {
        const std::uint32_t line = now().line;
        std::array<std::uint32_t, 3> parts{no_node, no_node, no_node};
        if (!is(":")) {
            parts[0] = expression();
            if (!is(":")) return parts[0];
        }
        advance();
        if (!is(":") && !is("]") && !is(",")) parts[1] = expression();
        if (take(":") && !is("]") && !is(",")) parts[2] = expression();
        return add(node_kind::slice, {parts[0], parts[1], parts[2]}, line);
    }

    std::vector<node_argument> call_arguments() {
        std::vector<node_argument> arguments;
        expect("(");
        while (!failure_ && !is(")")) {
            if (!arguments.empty()) expect(",");
            if (is(")")) break;
            node_argument a;
            if (take("**")) {
                a.stars = 2;
            } else if (take("*")) {
                a.stars = 1;
            } else if (now().what == kind::name && tokens_[at_ + 1].what == kind::symbol && tokens_[at_ + 1].text == "=") {
                a.name = expect_name();
                advance();
            }
            a.node = expression();
            arguments.push_back(std::move(a));
        }
        expect(")");
        return arguments;
    }
    std::uint32_t call(std::uint32_t callee) {
        const std::uint32_t line = now().line;
        std::vector<node_argument> arguments = call_arguments();
        const std::uint32_t n = add(node_kind::call, {callee}, line);
        p_.nodes[n].arguments = std::move(arguments);
        return n;
    }

    std::string dotted_name() {
        std::string name = expect_name();
        while (!failure_ && take(".")) name += concat({".", expect_name()});
        return name;
    }
    /// name(arguments) of a filter, its '|' taken; `source` is what it gets.
    std::uint32_t one_filter(std::uint32_t source) {
        const std::uint32_t line = now().line;
        const std::string name = dotted_name();
        const std::uint32_t number = number_of(name);
        const bool known = is_known_filter(name);
        if (!failure_ && !known && conditions_ == 0) fail(errc::unsupported, "a filter of Jinja", quote(name));
        std::vector<node_argument> arguments;
        if (is("(")) arguments = call_arguments();
        const std::uint32_t n = add(known ? node_kind::filter : node_kind::unknown, {source}, line);
        p_.nodes[n].name = number;
        p_.nodes[n].arguments = std::move(arguments);
        return n;
    }
    std::uint32_t filters(std::uint32_t n) {
        while (!failure_ && take("|")) n = one_filter(n);
        return n;
    }
    std::uint32_t filters_and_tests(std::uint32_t n) {
        while (!failure_) {
            if (take("|")) {
                n = one_filter(n);
            } else if (is_name("is")) {
                n = test(n);
            } else if (is("(")) {
                n = call(n);
            } else {
                break;
            }
        }
        return n;
    }
    std::uint32_t test(std::uint32_t subject) {
        const std::uint32_t line = now().line;
        advance();
        const bool negated = take_name("not");
        const std::string name = dotted_name();
        const bool known = is_known_test(name);
        if (!failure_ && !known && conditions_ == 0) fail(errc::unsupported, "a test of Jinja", quote(name));
        const std::uint32_t number = number_of(name);
        std::vector<node_argument> arguments;
        const kind next = now().what;
        const bool word_follows = next == kind::name && !is_name("else") && !is_name("or") && !is_name("and") && !is_name("if") && !is_name("in") && !is_name("not");
        if (is("(")) {
            arguments = call_arguments();
        } else if (word_follows || next == kind::string || next == kind::integer || next == kind::real || is("[") || is("{")) {
            if (is_name("is")) fail(errc::bad_format, "one test", "a chain of them");
            arguments.push_back({{}, postfix(primary()), 0});
        }
        const std::uint32_t n = add(known ? node_kind::test : node_kind::unknown, {subject}, line);
        p_.nodes[n].name = number;
        p_.nodes[n].flag = known ? negated : true;
        p_.nodes[n].arguments = std::move(arguments);
        return n;
    }

    static bool is_known_filter(std::string_view name);
    static bool is_known_test(std::string_view name);

    std::vector<jinja_token> tokens_;
    std::size_t at_ = 0;
    jinja_program& p_;
    int depth_ = 0;
    int loops_ = 0;
    int conditions_ = 0;  // what a condition may leave out may use names that nobody knows: an error once it is reached
    std::optional<error> failure_;
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
