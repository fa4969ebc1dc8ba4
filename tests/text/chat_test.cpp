#include "hence/text/chat.hpp"

#include "text_support.hpp"

#include <algorithm>

using namespace hence;
using nlohmann::json;

namespace {
tokenizer with_template(std::string source) {
    auto v = hence_test::byte_vocabulary({}, {"<s>", "</s>"});
    v.begin = 256;
    v.end = 257;
    v.chat_template = std::move(source);
    return hence_test::make_tokenizer(v);
}
}  // namespace

TEST_CASE("published templates render exactly as their golden texts say", "[text][chat][data]") {
    HENCE_REQUIRE_DATA(folder, "golden/chat_templates");
    std::size_t cases = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        const auto golden = json::parse(hence_test::read_file(entry.path()));
        const std::string source = hence_test::read_file(folder / golden["template"].get<std::string>());
        chat_options options;
        options.run.now = *jinja_time::parse(golden["variables"]["now"].get<std::string>());
        options.variables = *jinja_value::from_json(golden["variables"].dump());
        for (const auto& one : golden["cases"]) {
            INFO(entry.path().filename() << " " << one["messages"].dump());
            options.add_generation_prompt = one["add_generation_prompt"];
            const auto text = render_chat(source, *jinja_value::from_json(one["messages"].dump()), options);
            if (one.contains("error")) {
                REQUIRE_FALSE(text);
                CHECK(text.error().actual == one["error"].get<std::string>());
            } else {
                if (!text) FAIL(text.error().message());
                CHECK(*text == one["expected"].get<std::string>());
            }
            ++cases;
        }
    }
    CHECK(cases >= 70);
}

TEST_CASE("a model's own template is rendered with its begin and end tokens", "[text][chat]") {
    const auto t = with_template("{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
    const std::vector<chat_message> messages{{"system", "S"}, {"user", "Hi"}};
    const std::string text = render_chat(t, messages).value();
    CHECK(text == "<s>[system]S</s>[user]Hi</s>[assistant]");
    CHECK(render_chat(t, messages, false).value() == "<s>[system]S</s>[user]Hi</s>");
    CHECK(hence_test::encode(t, text, {.special = true, .add_begin_end = false}).front() == 256);
}

TEST_CASE("further variables reach the template", "[text][chat]") {
    const auto t = with_template("{{ tools|tojson }}{{ enable_thinking }}");
    chat_options options;
    options.variables = *jinja_value::from_json(R"({"tools": [{"name": "f"}], "enable_thinking": false})");
    CHECK(render_chat(t, jinja_value::list({}), options).value() == "[{\"name\": \"f\"}]False");
}

TEST_CASE("a model without a template says so", "[text][chat]") {
    const std::vector<chat_message> messages{{"user", "Hi"}};
    const auto text = render_chat(with_template(""), messages);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == errc::missing);
}
