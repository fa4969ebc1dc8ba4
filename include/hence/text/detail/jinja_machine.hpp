// jinja_machine: runs a parsed template. Statements, expressions, scopes, limits; what filters, tests and
// methods do is in jinja_builtins.hpp.
#ifndef HENCE_TEXT_DETAIL_JINJA_MACHINE_HPP
#define HENCE_TEXT_DETAIL_JINJA_MACHINE_HPP

#include "../../core/text.hpp"
#include "jinja_parser.hpp"

HENCE_NAMESPACE_BEGIN
namespace text::detail {

struct jinja_scope {
    std::shared_ptr<jinja_scope> parent;
    std::vector<std::pair<std::uint32_t, value>> variables;
};

struct jinja_loop {
    std::shared_ptr<std::vector<value>> items;
    std::size_t index = 0;
    std::int64_t depth = 0;
    std::uint32_t node = no_node;  // to call itself, if recursive
    std::shared_ptr<jinja_scope> outside;
    std::optional<value> changed;
};

}  // namespace text::detail

struct jinja_callable {
    enum class kind : std::uint8_t { function, method, macro, loop, cycler, joiner };
    kind what = kind::function;
    std::string name;
    jinja_value self;            // method: whose; cycler: its list; joiner: its separator
    std::uint32_t node = 0;      // macro
    std::size_t position = 0;    // cycler, joiner
    std::shared_ptr<text::detail::jinja_scope> scope;  // macro: where it was defined
    std::shared_ptr<text::detail::jinja_loop> loop;
};

namespace text::detail {

struct call_arguments {
    std::vector<value> list;
    std::vector<std::pair<std::string, value>> named;
    value caller;

    /// The argument at a position or with a name; null where it was not given.
    [[nodiscard]] const value* get(std::size_t i, std::string_view name) const {
        if (i < list.size()) return &list[i];
        for (const auto& [key, v] : named)
            if (key == name) return &v;
        return nullptr;
    }
};

class jinja_machine {
public:
    jinja_machine(const jinja_program& program, const jinja_options& options) : p_(program), o_(options) {}

    result<std::string> run(const value& variables) {
        auto root = std::make_shared<jinja_scope>();
        keep_.push_back(root);
        std::uint64_t size = 0;
        const value own = copied(variables, 0, size);
        steps_left_ = o_.max_steps + size * 64;
        bytes_left_ = o_.max_bytes + size * 64;
        if (const jinja_dict* const d = dict_in(own)) {
            for (const auto& [key, v] : d->entries)
                if (const std::string* const name = string_in(key))
                    if (const std::uint32_t number = p_.name_numbers.find(*name); number != piece_table::none) root->variables.emplace_back(number, v);
        } else if (!is_undefined(own) && !is_none(own)) {
            return make_error(errc::invalid_argument, p_.file, "a dictionary of variables", type_name(own));
        }
        scope_ = std::make_shared<jinja_scope>();
        scope_->parent = root;
        keep_.push_back(scope_);
        std::string out;
        out_ = &out;
        (void)execute(p_.root);
        for (const auto& s : keep_) s->variables.clear();  // macros and namespaces may hold what holds them
        for (const value_dict& d : namespaces_) d->entries.clear();
        for (const value_list& l : changed_lists_) l->items.clear();
        if (failure_) return *failure_;
        return out;
    }

private:
    enum class flow : std::uint8_t { on, leave, again };
    static constexpr int most_depth = 900;

    // --- errors and limits -----------------------------------------------------------------------------

    value fail(std::string expected, std::string actual, errc code = errc::bad_format) {
        if (!failure_) failure_ = make_error(code, concat({p_.file, ": line ", line_}), std::move(expected), std::move(actual));
        return {};
    }
    [[nodiscard]] bool failed() const noexcept { return failure_.has_value(); }

    /// Counts work and memory; false once a limit is passed.
    bool charge(std::uint64_t steps, std::uint64_t bytes = 0) {
        steps += bytes / 64;
        if (steps > steps_left_ || bytes > bytes_left_) {
            const bool time = steps > steps_left_;
            steps_left_ = bytes_left_ = 0;
            (void)fail(time ? "at most " + std::to_string(o_.max_steps) + " steps" : "at most " + std::to_string(o_.max_bytes) + " bytes made", "more", errc::out_of_range);
            return false;
        }
        steps_left_ -= steps;
        bytes_left_ -= bytes;
        return !failed();
    }
    /// For the lines of a string, before they are made.
    bool charge_lines(std::string_view s) {
        const auto ends = std::count_if(s.begin(), s.end(), [](char c) { return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == '\x85' || c == '\xA8' || c == '\xA9'; });
        return charge(1, s.size() + static_cast<std::uint64_t>(ends) * 80);
    }
    bool same(const value& a, const value& b) {
        std::uint64_t budget = steps_left_;
        const bool result = equal(a, b, budget);
        (void)charge(steps_left_ - budget + (budget == 0 ? 1 : 0));
        return result;
    }
    std::optional<int> ordered(const value& a, const value& b) {
        std::uint64_t budget = steps_left_;
        const auto result = order(a, b, budget);
        (void)charge(steps_left_ - budget + (budget == 0 ? 1 : 0));
        return result;
    }
    [[nodiscard]] std::string shown(const value& v) const { return text_of(v, bytes_left_); }
    value made(std::string s) {
        if (!charge(1, s.size() + 32)) return {};
        return value(std::move(s));
    }
    value made(std::vector<value> items, bool tuple = false) {
        if (!charge(1, items.size() * sizeof(value) + 64)) return {};
        return make_list(std::move(items), tuple);
    }

    struct deeper {
        jinja_machine& m;
        explicit deeper(jinja_machine& machine) : m(machine) {
            if (++m.depth_ > most_depth) (void)m.fail(concat({"at most ", most_depth, " levels of calls and nesting"}), "more", errc::out_of_range);
        }
        ~deeper() { --m.depth_; }
        deeper(const deeper&) = delete;
        deeper& operator=(const deeper&) = delete;
    };

    value copied(const value& v, int depth, std::uint64_t& size) {
        size += 16;
        if (depth > 250) return {};
        if (const std::string* const s = string_in(v)) size += s->size();
        if (const jinja_list* const l = list_in(v)) {
            std::vector<value> items;
            for (const value& item : l->items) items.push_back(copied(item, depth + 1, size));
            return make_list(std::move(items), l->tuple);
        }
        if (const jinja_dict* const d = dict_in(v)) {
            auto copy = std::make_shared<jinja_dict>();
            for (const auto& [key, item] : d->entries) copy->entries.emplace_back(key, copied(item, depth + 1, size));
            return value(value::storage(std::move(copy)));
        }
        return v;
    }

    // --- names -----------------------------------------------------------------------------------------

    value lookup(std::uint32_t name) {
        for (const jinja_scope* s = scope_.get(); s != nullptr; s = s->parent.get()) {
            (void)charge(s->variables.size() / 8);
            for (const auto& [number, v] : s->variables)
                if (number == name) return v;
        }
        const std::string& text = p_.names[name];
        for (const std::string_view known : {"range", "dict", "namespace", "cycler", "joiner", "raise_exception", "strftime_now"})
            if (text == known) {
                auto f = std::make_shared<jinja_callable>();
                f->name = text;
                return value(value::storage(std::move(f)));
            }
        return undefined(concat({"'", text, "' is undefined"}));
    }
    value undefined(std::string why) { return value(value::storage(value::undefined{std::make_shared<const std::string>(std::move(why))})); }
    std::string why_undefined(const value& v) {
        const auto& name = std::get<value::undefined>(v.data).name;
        return name ? *name : "a value that is not defined";
    }
    void define(std::uint32_t name, value v) {
        (void)charge(scope_->variables.size() / 8);  // a list is right for the few variables of a template
        for (auto& [number, old] : scope_->variables)
            if (number == name) {
                old = std::move(v);
                return;
            }
        scope_->variables.emplace_back(name, std::move(v));
    }
    void push_scope() {
        auto s = std::make_shared<jinja_scope>();
        s->parent = scope_;
        scope_ = std::move(s);
    }
    void pop_scope() { scope_ = std::shared_ptr<jinja_scope>(scope_->parent); }

    void assign(std::uint32_t target, const value& v) {
        const jinja_node& n = p_.nodes[target];
        if (n.kind == node_kind::name) return define(n.name, v);
        if (n.kind == node_kind::attribute) {
            const value holder = lookup(p_.nodes[n.kids[0]].name);
            jinja_dict* const d = dict_in(holder);
            if (d == nullptr || !d->is_namespace) {
                (void)fail("a namespace to assign to", type_name(holder));
                return;
            }
            (void)charge(1, 64);
            return d->set(value(p_.names[n.name]), v);
        }
        std::vector<value> items;
        if (!iterate(v, items)) return;
        if (items.size() != n.kids.size()) {
            (void)fail(concat({n.kids.size(), " values to unpack"}), decimal(items.size()));
            return;
        }
        for (std::size_t i = 0; i < items.size(); ++i) assign(n.kids[i], items[i]);
    }

    /// The items of a value in a loop; false where it has none.
    bool iterate(const value& v, std::vector<value>& items) {
        if (const jinja_list* const l = list_in(v)) {
            items = l->items;
        } else if (const jinja_dict* const d = dict_in(v); d != nullptr && !d->is_namespace) {
            for (const auto& [key, item] : d->entries) items.push_back(key);
        } else if (const std::string* const s = string_in(v)) {
            if (!charge(1, s->size() * 48)) return false;  // a string of its own for each character
            for (std::size_t i = 0; i < s->size();) {
                const std::size_t length = decode_utf8(*s, i).length;
                items.emplace_back(s->substr(i, length));
                i += length;
            }
        } else if (!is_undefined(v)) {
            (void)fail("something to iterate over", type_name(v));
            return false;
        }
        return charge(1, items.size() * sizeof(value));
    }

    // --- statements ------------------------------------------------------------------------------------

    void write(std::string_view text) {
        if (charge(1, text.size())) out_->append(text);
    }

    flow execute(std::uint32_t node) {
        if (failed()) return flow::leave;
        const deeper guard(*this);
        const jinja_node& n = p_.nodes[node];
        if (n.kind != node_kind::block) line_ = n.line;
        if (!charge(1)) return flow::leave;
        switch (n.kind) {
            case node_kind::text: write(*string_in(n.constant)); return flow::on;
            case node_kind::output: {
                const value v = evaluate(n.kids[0]);
                if (failed() || n.flag) return flow::on;
                if (const std::string* const s = string_in(v)) {
                    write(*s);
                } else {
                    write(shown(v));
                }
                return flow::on;
            }
            case node_kind::block:
                for (const std::uint32_t kid : n.kids) {
                    const flow f = execute(kid);
                    if (failed() || f != flow::on) return f;
                }
                return flow::on;
            case node_kind::branch:
                if (truth(evaluate(n.kids[0]))) return failed() ? flow::leave : execute(n.kids[1]);
                return failed() || n.kids[2] == no_node ? flow::on : execute(n.kids[2]);
            case node_kind::loop: {
                const value items = evaluate(n.kids[1]);
                if (!failed()) run_loop(node, items, 0);
                return flow::on;
            }
            case node_kind::assign: {
                const value v = evaluate(n.kids[1]);
                if (!failed()) assign(n.kids[0], v);
                return flow::on;
            }
            case node_kind::assign_block: {
                captured_ = captured(n.kids[1], true);
                if (failed()) return flow::leave;
                const value v = evaluate(n.kids[2]);
                if (!failed()) assign(n.kids[0], v);
                return flow::on;
            }
            case node_kind::filter_block: {
                captured_ = captured(n.kids[0], true);
                if (failed()) return flow::leave;
                const value v = evaluate(n.kids[1]);
                if (!failed()) write(shown(v));
                return flow::on;
            }
            case node_kind::macro: define(n.name, macro_value(node)); return flow::on;
            case node_kind::call_block: {
                const jinja_node& call = p_.nodes[n.kids[0]];
                const value callee = evaluate(call.kids[0]);
                call_arguments arguments = evaluate_arguments(call.arguments);
                arguments.caller = macro_value(n.kids[1]);
                if (failed()) return flow::leave;
                const value v = invoke(callee, arguments);
                if (!failed()) write(shown(v));
                return flow::on;
            }
            case node_kind::with: {
                std::vector<value> values;
                for (std::size_t i = 1; i + 1 < n.kids.size(); i += 2) values.push_back(evaluate(n.kids[i + 1]));
                push_scope();
                for (std::size_t i = 0; i < values.size(); ++i) assign(n.kids[1 + 2 * i], values[i]);
                const flow f = execute(n.kids[0]);
                pop_scope();
                return f;
            }
            case node_kind::leave: return flow::leave;
            case node_kind::again: return flow::again;
            default: return flow::on;
        }
    }

    value macro_value(std::uint32_t node) {
        auto f = std::make_shared<jinja_callable>();
        f->what = jinja_callable::kind::macro;
        f->name = p_.names[p_.nodes[node].name];
        f->node = node;
        f->scope = scope_;
        keep_.push_back(scope_);
        return value(value::storage(std::move(f)));
    }

    /// What a body writes, as a string.
    value captured(std::uint32_t node, bool own_scope) {
        std::string text;
        std::string* const outer = std::exchange(out_, &text);
        if (own_scope) push_scope();
        (void)execute(node);
        if (own_scope) pop_scope();
        out_ = outer;
        return failed() ? value() : made(std::move(text));
    }

    void run_loop(std::uint32_t node, const value& source, std::int64_t depth) {
        const jinja_node& n = p_.nodes[node];
        auto state = std::make_shared<jinja_loop>();
        state->items = std::make_shared<std::vector<value>>();
        state->depth = depth;
        state->node = n.flag ? node : no_node;
        state->outside = scope_;
        if (!iterate(source, *state->items)) return;
        const std::uint32_t loop_name = p_.name_numbers.find("loop");
        if (n.kids[2] != no_node) {  // only what the condition takes counts for loop.length and the like
            std::vector<value> taken;
            for (const value& item : *state->items) {
                push_scope();
                assign(n.kids[0], item);
                const bool take = !failed() && truth(evaluate(n.kids[2]));
                pop_scope();
                if (failed()) return;
                if (take) taken.push_back(item);
            }
            *state->items = std::move(taken);
        }
        value loop;
        if (loop_name != piece_table::none) {
            auto f = std::make_shared<jinja_callable>();
            f->what = jinja_callable::kind::loop;
            f->name = "loop";
            f->loop = state;
            loop = value(value::storage(std::move(f)));
        }
        bool completed = false;  // as Jinja has it: else also follows a loop in which no turn came to its end
        for (std::size_t i = 0; i < state->items->size(); ++i) {
            state->index = i;
            if (!charge(1)) break;
            push_scope();
            if (loop_name != piece_table::none) define(loop_name, loop);
            assign(n.kids[0], (*state->items)[i]);
            const flow f = failed() ? flow::leave : execute(n.kids[3]);
            pop_scope();
            if (failed() || f == flow::leave) break;
            completed = completed || f == flow::on;
        }
        state->outside.reset();
        if (!completed && n.kids[4] != no_node && !failed()) {
            push_scope();
            (void)execute(n.kids[4]);
            pop_scope();
        }
    }

    // --- expressions -----------------------------------------------------------------------------------

    call_arguments evaluate_arguments(const std::vector<node_argument>& nodes) {
        call_arguments out;
        for (const node_argument& a : nodes) {
            const value v = evaluate(a.node);
            if (failed()) break;
            if (a.stars == 1) {
                std::vector<value> items;
                if (!iterate(v, items)) break;
                out.list.insert(out.list.end(), items.begin(), items.end());
            } else if (a.stars == 2) {
                const jinja_dict* const d = dict_in(v);
                if (d == nullptr) {
                    (void)fail("a dictionary after **", type_name(v));
                    break;
                }
                for (const auto& [key, item] : d->entries) out.named.emplace_back(text_of(key), item);
            } else if (a.name.empty()) {
                out.list.push_back(v);
            } else {
                out.named.emplace_back(a.name, v);
            }
        }
        return out;
    }

    value evaluate(std::uint32_t node) {
        if (failed()) return {};
        const deeper guard(*this);
        const jinja_node& n = p_.nodes[node];
        if (!charge(1)) return {};
        switch (n.kind) {
            case node_kind::constant: return n.constant;
            case node_kind::name: return n.name == no_node ? std::exchange(captured_, {}) : lookup(n.name);
            case node_kind::list:
            case node_kind::tuple: {
                std::vector<value> items;
                for (const std::uint32_t kid : n.kids) items.push_back(evaluate(kid));
                return made(std::move(items), n.kind == node_kind::tuple);
            }
            case node_kind::dict: {
                auto d = std::make_shared<jinja_dict>();
                for (std::size_t i = 0; i + 1 < n.kids.size(); i += 2) {
                    const value key = evaluate(n.kids[i]);
                    const value item = evaluate(n.kids[i + 1]);
                    if (failed()) return {};
                    if (jinja_dict::encode(key).empty()) return fail("a key that can be one", type_name(key));
                    if (!charge(1, 96)) return {};
                    d->set(key, item);
                }
                return value(value::storage(std::move(d)));
            }
            case node_kind::attribute: {
                const value v = evaluate(n.kids[0]);
                return failed() ? value() : at_line(n).attribute(v, p_.names[n.name]);
            }
            case node_kind::item: {
                const value v = evaluate(n.kids[0]);
                if (failed()) return {};
                if (p_.nodes[n.kids[1]].kind == node_kind::slice) return at_line(n).slice(v, p_.nodes[n.kids[1]]);
                const value key = evaluate(n.kids[1]);
                return failed() ? value() : at_line(n).item(v, key);
            }
            case node_kind::call: {
                const value callee = evaluate(n.kids[0]);
                call_arguments arguments = evaluate_arguments(n.arguments);
                return failed() ? value() : at_line(n).invoke(callee, arguments);
            }
            case node_kind::filter: {
                const value v = evaluate(n.kids[0]);
                const call_arguments arguments = evaluate_arguments(n.arguments);
                return failed() ? value() : at_line(n).filter(p_.names[n.name], v, arguments);
            }
            case node_kind::unknown: return at_line(n).fail(n.flag ? "a test of Jinja" : "a filter of Jinja", quote(p_.names[n.name]), errc::unsupported);
            case node_kind::test: {
                const value v = evaluate(n.kids[0]);
                const call_arguments arguments = evaluate_arguments(n.arguments);
                if (failed()) return {};
                const bool holds = at_line(n).test(p_.names[n.name], v, arguments);
                return value(holds != n.flag);
            }
            case node_kind::negate: return value(!truth(evaluate(n.kids[0])));
            case node_kind::both: {
                value left = evaluate(n.kids[0]);
                return failed() || !truth(left) ? left : evaluate(n.kids[1]);
            }
            case node_kind::either: {
                value left = evaluate(n.kids[0]);
                return failed() || truth(left) ? left : evaluate(n.kids[1]);
            }
            case node_kind::choose:
                if (truth(evaluate(n.kids[0]))) return evaluate(n.kids[1]);
                if (n.kids[2] != no_node) return evaluate(n.kids[2]);
                return undefined("the inline if-expression has no else section");
            case node_kind::concat: {
                std::string text;
                for (const std::uint32_t kid : n.kids) append_text(text, evaluate(kid), false, bytes_left_);
                return failed() ? value() : made(std::move(text));
            }
            case node_kind::compare: return comparison(n);
            default: return at_line(n).arithmetic(n);
        }
    }

    jinja_machine& at_line(const jinja_node& n) {
        line_ = n.line;
        return *this;
    }

    value comparison(const jinja_node& n) {
        value left = evaluate(n.kids[0]);
        for (std::size_t i = 0; i < n.arguments.size() && !failed(); ++i) {
            const value right = evaluate(n.kids[i + 1]);
            if (failed()) return {};
            const std::string& what = n.arguments[i].name;
            bool holds = false;
            if (what == "==" || what == "!=") {
                holds = same(left, right) == (what == "==");
            } else if (what == "in" || what == "not in") {
                holds = at_line(n).contains(right, left) == (what == "in");
            } else {
                if (is_undefined(left) || is_undefined(right)) return at_line(n).fail("a value to compare", why_undefined(is_undefined(left) ? left : right));
                const auto sign = ordered(left, right);
                if (!sign) return at_line(n).fail("values that have an order", concat({type_name(left), " and ", type_name(right)}));
                holds = what == "<" ? *sign < 0 : what == "<=" ? *sign <= 0 : what == ">" ? *sign > 0 : *sign >= 0;
            }
            if (!holds || failed()) return value(false);
            left = right;
        }
        return value(true);
    }

    bool contains(const value& holder, const value& wanted) {
        if (const std::string* const s = string_in(holder)) {
            const std::string* const part = string_in(wanted);
            if (part == nullptr) {
                (void)fail("a string to look for in a string", type_name(wanted));
                return false;
            }
            (void)charge(1 + s->size() / 64);
            return s->find(*part) != std::string::npos;
        }
        if (jinja_dict* const d = dict_in(holder)) return d->find(wanted) != nullptr;
        if (const jinja_list* const l = list_in(holder)) {
            (void)charge(1 + l->items.size());
            return std::any_of(l->items.begin(), l->items.end(), [&](const value& item) { return same(item, wanted); });
        }
        if (!is_undefined(holder)) (void)fail("a string, list or dictionary to look in", type_name(holder));
        return false;
    }

    value arithmetic(const jinja_node& n);
    value attribute(const value& v, const std::string& name);
    value item(const value& v, const value& key);
    value slice(const value& v, const jinja_node& n);
    value invoke(const value& callee, call_arguments& arguments);
    value call_macro(const jinja_callable& f, call_arguments& arguments);
    value call_function(const std::string& name, const call_arguments& arguments);
    value call_method(const value& self, const std::string& name, const call_arguments& arguments);
    value string_method(const std::string& s, const std::string& name, const call_arguments& arguments);
    value container_method(const value& self, const std::string& name, const call_arguments& arguments);
    value loop_attribute(jinja_loop& loop, const value& self, const std::string& name);
    value filter(const std::string& name, const value& v, const call_arguments& arguments);
    value list_filter(const std::string& name, const value& v, const call_arguments& arguments);
    value choosing_filter(const std::string& name, const value& v, const call_arguments& arguments);
    value map_filter(const value& v, const call_arguments& arguments);
    value number_filter(const std::string& name, const value& v, const call_arguments& arguments);
    value json_filter(const value& v, const call_arguments& arguments);
    value formatted(const std::string& pattern, const value& v);
    value brace_format(const std::string& pattern, const call_arguments& arguments);
    bool test(const std::string& name, const value& v, const call_arguments& arguments);
    value by_path(const value& v, const value& path);
    std::string strftime(const std::string& pattern);

    const jinja_program& p_;
    const jinja_options& o_;
    std::shared_ptr<jinja_scope> scope_;
    std::string* out_ = nullptr;
    value captured_;
    std::vector<std::shared_ptr<jinja_scope>> keep_;
    std::vector<value_dict> namespaces_;
    std::vector<value_list> changed_lists_;
    std::optional<error> failure_;
    std::uint64_t steps_left_ = 0;
    std::uint64_t bytes_left_ = 0;
    std::uint32_t line_ = 0;
    int depth_ = 0;
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
