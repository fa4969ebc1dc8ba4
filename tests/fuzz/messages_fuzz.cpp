// Any bytes as the JSON of messages: values read from it, shown as JSON again, are the same values.
#include <hence/text/chat.hpp>

#include <nlohmann/json.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = hence_fuzz::text(data, size);
    const auto messages = hence::jinja_value::from_json(text, "fuzz.json");
    if (!messages) {
        hence_fuzz::check(messages.error());
        return 0;
    }
    HENCE_FUZZ_REQUIRE(nlohmann::json::accept(text));
    hence::chat_options how;
    how.run.now = hence::jinja_time{};
    const auto shown = hence::render_chat("{{ messages | tojson }}", *messages, how);
    if (shown) {
        HENCE_FUZZ_REQUIRE(nlohmann::json::accept(*shown));
        const auto again = hence::jinja_value::from_json(*shown, "shown");
        HENCE_FUZZ_REQUIRE(again.has_value());
        const auto twice = hence::render_chat("{{ messages | tojson }}", *again, how);
        HENCE_FUZZ_REQUIRE(twice.has_value() && *twice == *shown);
    } else {
        hence_fuzz::check(shown.error());
    }
    // What templates do with messages: none of it may leave a buffer or run without end.
    const auto rendered = hence::render_chat(
        "{% for m in messages %}{{ m.role ~ m['content'] | string | trim }}{% for t in m.tool_calls or [] %}{{ "
        "t.function.arguments | "
        "tojson(indent=2) }}{% endfor %}{% if m.content is string %}{{ m.content.split('</think>')[-1].lstrip('\\n') "
        "}}{% endif %}{{ m }}"
        "{% endfor %}",
        *messages, how);
    if (!rendered) hence_fuzz::check(rendered.error());
    return 0;
}
