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

// 13 published templates, 13 conversations (tools, reasoning, parts, wrong roles), 6 sets of variables: what Jinja2 3.1
// renders, as length and hash (tests/text/make_chat_vectors.py), or that it ends in an error.
TEST_CASE("published templates render what Jinja2 renders for tools, reasoning and parts", "[text][chat][data]") {
    HENCE_REQUIRE_DATA(folder, "golden/chat_templates");
    std::istringstream lines(hence_test::read_file(hence_test::source_dir() / "tests/text/chat_vectors.jsonl"));
    std::string line;
    std::getline(lines, line);
    const auto head = nlohmann::ordered_json::parse(line);  // the order of keys shows in what tojson writes
    std::size_t cases = 0;
    while (std::getline(lines, line)) {
        INFO(line);
        const auto one = json::parse(line);
        chat_options options;
        options.begin_token = "<s>";
        options.end_token = "</s>";
        options.run.now = *jinja_time::parse("2026-01-15T12:00:00");
        options.variables = *jinja_value::from_json(head["variables"][one["variables"].get<std::string>()].dump());
        const auto messages = jinja_value::from_json(head["conversations"][one["conversation"].get<std::string>()].dump());
        REQUIRE(messages);
        const auto text = render_chat(hence_test::read_file(folder / one["template"].get<std::string>()), *messages, options);
        CHECK(text.has_value() == !one.contains("refused"));
        if (text && one.contains("hash")) {
            std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
            for (const char c : *text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
            CHECK(text->size() == one["bytes"].get<std::size_t>());
            CHECK(hash == std::stoull(one["hash"].get<std::string>(), nullptr, 16));
        }
        ++cases;
    }
    CHECK(cases == 1014);
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
