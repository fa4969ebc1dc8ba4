#include "hence/reason/registry.hpp"

#include "support/catch.hpp"

#include <algorithm>

using namespace hence;

TEST_CASE("registry: names, settings and what they become") {
    const auto s = parse_strategy("self_consistency:samples=8,temperature=0.5,vote=borda,scorer=self_certainty,stop_when_decided=false");
    REQUIRE(s.has_value());
    const auto& sc = std::get<self_consistency>(s->which());
    CHECK(sc.samples == 8);
    CHECK(sc.temperature == 0.5f);
    CHECK(sc.vote == vote_rule::borda);
    CHECK(sc.scorer.label() == "self_certainty");
    CHECK_FALSE(sc.stop_when_decided);
    const auto escaped = parse_strategy("chain_of_thought:instruction=first\\, think\\nthen answer,answer_tokens=9").value();
    CHECK(std::get<chain_of_thought>(escaped.which()).instruction == "first, think\nthen answer");
    CHECK(std::get<chain_of_thought>(escaped.which()).answer_tokens == 9);
    CHECK(std::get<best_of_n>(parse_strategy("best_of_n:enough=0.5").value().which()).enough == 0.5);
}

TEST_CASE("registry: every name parses with its defaults, and what describe() writes parses to the same") {
    for (const std::string& name : strategy_names()) {
        const std::string text = name == "fallback" || name == "mixture" ? name + ":direct|chain_of_thought" : name;
        INFO(text);
        const auto s = parse_strategy(text);
        REQUIRE(s.has_value());
        CHECK(s->name() == name);
        if (name == "fallback" || name == "mixture") continue;
        const std::string described = describe(*s);
        // optional settings that are unset are left out; everything else round-trips
        const auto again = parse_strategy(described);
        INFO(described);
        if (!again) FAIL(again.error().message());
        CHECK(describe(*again) == described);
    }
}

TEST_CASE("registry: an unknown name, setting or value is named, with what would be right") {
    const auto name = parse_strategy("magic:samples=3").error();
    CHECK(name.message().find("'magic'") != std::string::npos);
    CHECK(name.message().find("tree_of_thoughts") != std::string::npos);
    const auto key = parse_strategy("self_consistency:sample=3").error();
    CHECK(key.message().find("'sample'") != std::string::npos);
    CHECK(key.message().find("samples") != std::string::npos);
    const auto value = parse_strategy("self_consistency:samples=many").error();
    CHECK(value.message().find("'many'") != std::string::npos);
    CHECK(value.message().find("samples") != std::string::npos);
    for (const char* bad : {"", ":", "self_consistency:samples", "self_consistency:samples=-1", "self_consistency:samples=1.5",
                            "self_consistency:temperature=nan", "self_consistency:temperature=hot", "self_consistency:vote=coin",
                            "self_consistency:scorer=oracle", "self_consistency:universal=maybe", "best_of_n:samples=99999999999999999999999",
                            "fallback", "fallback:", "fallback:direct|magic", "fallback:direct|mixture:direct|direct"}) {
        const auto refused = parse_strategy(bad);
        INFO(bad);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == errc::invalid_argument);
    }
}

TEST_CASE("registry: lists and chains") {
    const auto list = parse_strategies("direct; self_consistency:samples=4 ;\nbest_of_n:scorer=game24").value();
    REQUIRE(list.size() == 3);
    CHECK(list[1].name() == "self_consistency");
    CHECK_FALSE(parse_strategies(" ; ").has_value());
    const auto chain = parse_strategy("fallback:accept=arithmetic,threshold=1|direct|self_consistency:samples=3").value();
    const auto& members = std::get<strategy_list>(chain.which());
    REQUIRE(members.members->size() == 2);
    CHECK(members.accept.scorer->label() == "arithmetic (exact)");
    CHECK(members.accept.threshold == 1);
    CHECK(std::get<self_consistency>((*members.members)[1].which()).samples == 3);
    CHECK(parse_strategy("mixture:direct|direct").value().name() == "mixture");
}
