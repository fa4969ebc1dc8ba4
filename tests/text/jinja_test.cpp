#include "hence/text/jinja.hpp"

#include "text_support.hpp"

using namespace hence;
using nlohmann::json;

namespace {
jinja_options at_noon() {
    jinja_options o;
    o.now = *jinja_time::parse("2026-01-15T12:00:00");
    return o;
}

/// The text, or "! " and the message.
std::string rendered(std::string_view source, const std::string& variables = "{}", jinja_options options = at_noon()) {
    const auto values = jinja_value::from_json(variables);
    REQUIRE(values);
    const auto t = jinja_template::parse(source);
    if (!t) return "! " + t.error().message();
    const auto text = t->render(*values, options);
    return text ? *text : "! " + (text.error().code == errc::invalid_argument ? text.error().actual : text.error().message());
}

bool mentions(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
}  // namespace

// Expressions and templates with what Jinja2 3.1 renders for them (tests/text/make_jinja_vectors.py).
TEST_CASE("templates render what Jinja2 renders", "[text][jinja]") {
    const auto lines = hence_test::json_lines(hence_test::source_dir() / "tests/text/jinja_vectors.jsonl");
    REQUIRE(lines.size() > 400);
    const std::string all = hence_test::read_file(hence_test::source_dir() / "tests/text/jinja_vectors.jsonl");
    const std::string variables = all.substr(0, all.find('\n'));  // as it stands: the order of keys counts
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::string source = lines[i]["template"];
        INFO(lines[i].dump());
        const std::string text = rendered(source, variables);
        if (lines[i].contains("expected")) {
            CHECK(text == lines[i]["expected"].get<std::string>());
        } else {
            CHECK(text.substr(0, 2) == "! ");
        }
    }
}

TEST_CASE("the template's own refusal is its message and nothing else", "[text][jinja]") {
    const auto t = jinja_template::parse("{% if true %}\n{{ raise_exception('Roles must ' ~ 'alternate') }}{% endif %}");
    REQUIRE(t);
    const auto text = t->render({});
    REQUIRE_FALSE(text);
    CHECK(text.error().code == errc::invalid_argument);
    CHECK(text.error().actual == "Roles must alternate");
    CHECK(mentions(text.error().where, "line 2"));
}

TEST_CASE("errors name the line and what was expected", "[text][jinja]") {
    CHECK(mentions(rendered("a\nb\n{{ x"), "line 3: expected '}}', found the end of the template"));
    CHECK(mentions(rendered("a\n{% if x %}"), "expected '{% endif %}', found the end of the template"));
    CHECK(mentions(rendered("\n\n{{ 1 + }}"), "line 3: expected an expression, found '}}'"));
    CHECK(mentions(rendered("{% include 'x' %}"), "found 'include' [unsupported]"));
    CHECK(mentions(rendered("{{ 1|nofilter }}"), "found 'nofilter' [unsupported]"));
    CHECK(mentions(rendered("{{ 1 is notest }}"), "found 'notest' [unsupported]"));
    CHECK(mentions(rendered("\n{{ x.y }}"), "line 2: expected a value with the attribute 'y', found 'x' is undefined"));
    CHECK(mentions(rendered("{{ 1 + 'a' }}"), "found int and str"));
    CHECK(mentions(rendered("{{ none() }}"), "expected something to call, found NoneType"));
    CHECK(mentions(rendered("{% for x in 5 %}{% endfor %}"), "expected something to iterate over, found int"));
    CHECK(mentions(rendered("{% break %}"), "'break' inside a loop"));
    CHECK(mentions(rendered("{# open"), "expected '#}' to end the comment"));
    CHECK(mentions(rendered("{{ 'open }}"), "expected the end of the string"));
    CHECK(mentions(rendered("\n{{ 'abc'[:1, 0] }}"), "line 2: expected a slice alone in its brackets, found one among several indices"));
}

TEST_CASE("a template cannot take more than its limits", "[text][jinja]") {
    for (const char* source : {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                               "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "{{ 'a' * 10000000000 }}", "{{ [1] * 10000000000 }}",
                               "{% set ns = namespace(s='a') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                               "{% set ns = namespace(s=1) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
                               "{% set ns = namespace(s=1) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}",
                               "{% set ns = namespace(s=1, t=1) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
                               "{{ 'a'|center(99999999999) }}", "{{ ('a' * 100000).replace('', 'b' * 100000) }}", "{{ range(1000000000) }}"}) {
        INFO(source);
        CHECK(mentions(rendered(source), "[out_of_range]"));
    }
    for (const std::string piece : {"(", "[", "{{ (", "{% if a %}", "-", "not "}) {
        std::string source = piece[0] == '{' ? "" : "{{ ";
        for (int i = 0; i < 20000; ++i) source += piece;
        CHECK(rendered(source).substr(0, 2) == "! ");
    }
    std::string sum = "{{ 1";
    for (int i = 0; i < 20000; ++i) sum += "+1";
    CHECK(mentions(rendered(sum + " }}"), "levels"));
    CHECK(mentions(rendered(std::string(5u << 20, 'x')), "4 MiB"));
    std::string many;  // variables, each looked for among all
    for (int i = 0; i < 50000; ++i) many += "{% set v" + std::to_string(i) + " = 1 %}";
    CHECK(mentions(rendered(many), "steps"));
    jinja_options few = at_noon();
    few.max_steps = 10;
    CHECK(mentions(rendered("{% for i in range(1000) %}{{ i }}{% endfor %}", "{}", few), "at most 10 steps"));
}

TEST_CASE("lists and namespaces that hold themselves neither hang nor leak", "[text][jinja]") {
    CHECK(rendered("{% set l = [] %}{% do l.append(l) %}{{ l|length }}") == "1");
    CHECK(rendered("{% set n = namespace() %}{% set n.n = n %}{{ n.n.n is defined }}") == "True");
    CHECK(mentions(rendered("{% set l = [] %}{% do l.append(l) %}{{ l|tojson }}"), "nested too deep"));
}

TEST_CASE("work is linear in the conversation", "[text][jinja]") {
    // counted, not timed: no steps are allowed but those that each byte of the variables brings
    const auto t = jinja_template::parse("{% for m in messages %}{{ m.role }}: {{ m.content.split('</think>')[-1]|trim }}\n{% endfor %}");
    REQUIRE(t);
    const auto fits = [&](std::size_t messages) {
        std::vector<jinja_value> list;
        for (std::size_t i = 0; i < messages; ++i) list.push_back(jinja_value::dict({{"role", "user"}, {"content", std::string(100, 'x')}}));
        jinja_options o = at_noon();
        o.max_steps = 0;  // what remains is the share of the variables' own size: linear by definition
        return static_cast<bool>(t->render(jinja_value::dict({{"messages", jinja_value::list(std::move(list))}}), o));
    };
    CHECK(fits(10));
    CHECK(fits(1000));
    CHECK(fits(20000));
}

TEST_CASE("rendering leaves the caller's values alone", "[text][jinja]") {
    const auto variables = jinja_value::from_json(R"({"l": [1], "d": {"a": 1}})");
    REQUIRE(variables);
    const auto t = jinja_template::parse("{% do l.append(2) %}{% do d.update({'b': l}) %}{{ l }}{{ d }}");
    REQUIRE(t);
    for (int i = 0; i < 2; ++i) CHECK(t->render(*variables).value() == "[1, 2]{'a': 1, 'b': [1, 2]}");
}

TEST_CASE("JSON becomes values in its own order, and bad JSON an error", "[text][jinja]") {
    CHECK(rendered("{{ x }}").empty());
    const auto v = jinja_value::from_json(R"({"z": 1, "a": [true, null, 1.5, -3, "\u00e9"], "m": {}})");
    REQUIRE(v);
    CHECK(jinja_template::parse("{{ z }}{{ a }}{{ m }}")->render(*v).value() == "1[True, None, 1.5, -3, 'é']{}");
    for (const char* bad : {"", "{", "[1,]", "{\"a\" 1}", "nul", "\"\xFF\""}) {
        INFO(bad);
        CHECK_FALSE(jinja_value::from_json(bad));
    }
    CHECK_FALSE(jinja_value::from_json(std::string(100000, '[')));
}

TEST_CASE("times are read strictly", "[text][jinja]") {
    CHECK(jinja_time::parse("2026-01-15T12:00:00")->hour == 12);
    CHECK(jinja_time::parse("2026-01-15")->day == 15);
    for (const char* bad : {"", "2026", "2026-1-15", "2026-13-01", "2026-01-15T25:00:00", "2026-01-15T12:00:00Z", "x"}) CHECK_FALSE(jinja_time::parse(bad));
}

TEST_CASE("every beginning of a template is read without harm", "[text][jinja]") {
    const std::string whole =
        "{%- macro f(a, b=1) -%}{{ a|default('x', true) }}{%- endmacro -%}{% for x in [1, {'a': (2,)}] if x is not none recursive %}{{ loop.index ~ x[::-1] }}{% else %}"
        "{# c #}{% endfor %}{% raw %}{{{% endraw %}{% set ns.x %}y{% endset %}{% call(z) f(1) %}{{ z }}{% endcall %}{{ 'a' if b else \"\\u00e9\" }}";
    for (std::size_t n = 0; n <= whole.size(); ++n) {
        const auto t = jinja_template::parse(std::string_view(whole).substr(0, n));
        if (t) (void)t->render({});
    }
    SUCCEED();
}
