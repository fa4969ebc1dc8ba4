#include "hence/reason/aggregator.hpp"

#include "support/catch.hpp"

#include <cmath>

using namespace hence;

namespace {

candidate made(std::size_t sample, const char* value, std::optional<double> score = {}) {
    candidate c;
    c.sample = sample;
    c.text = std::string("text ") + value;
    c.value = c.canonical = value;
    c.score = score;
    return c;
}

}  // namespace

static_assert(aggregator<aggregate::majority>);
static_assert(aggregator<aggregate::weighted>);
static_assert(aggregator<aggregate::confidence_informed>);
static_assert(aggregator<aggregate::borda>);
static_assert(aggregator<aggregate::best>);

TEST_CASE("majority: unparsed candidates do not vote, and the parse rate says how many there were") {
    const std::vector<candidate> c{made(0, "7"), made(1, ""), made(2, "8"), made(3, "8"), made(4, "")};
    const verdict v = aggregate::majority{}(c);
    CHECK(v.chosen == 2);
    CHECK(v.parse_rate == 0.6);
    CHECK(std::abs(v.confidence - 2.0 / 3) < 1e-12);
    REQUIRE(v.votes.size() == 2);
    CHECK(v.votes[0].value == "8");
    const std::vector<candidate> none{made(0, ""), made(1, "")};
    CHECK(aggregate::majority{}(none).chosen == verdict::none);
    CHECK(aggregate::majority{}({}).chosen == verdict::none);
}

TEST_CASE("weighted: a few sure votes beat many unsure ones") {
    const std::vector<candidate> c{made(0, "a", 0.9), made(1, "b", 0.2), made(2, "b", 0.2), made(3, "b", 0.2)};
    CHECK(aggregate::weighted{}(c).chosen == 0);
    CHECK(aggregate::majority{}(c).chosen == 1);
    // log-probabilities: more negative is less, and rare answers do not win by having few terms to sum
    const std::vector<candidate> logs{made(0, "a", -3.0), made(1, "b", -0.5), made(2, "b", -0.6)};
    CHECK(aggregate::weighted{}(logs).chosen == 1);
}

TEST_CASE("confidence informed: temperature to infinity is the majority, to zero the surest sample") {
    const std::vector<candidate> c{made(0, "a", 0.9), made(1, "b", 0.5), made(2, "b", 0.5)};
    CHECK(aggregate::confidence_informed{.temperature = 1e6}(c).chosen == 1);
    CHECK(aggregate::confidence_informed{.temperature = 0.1}(c).chosen == 0);
    const verdict v = aggregate::confidence_informed{.temperature = 1}(c);
    const double a = std::exp(0.9);
    const double b = 2 * std::exp(0.5);
    CHECK(std::abs(v.confidence - b / (a + b)) < 1e-12);
}

TEST_CASE("borda: ranks weigh by a power") {
    // ranks 1 2 3 4 -> 4^p 3^p 2^p 1: p = 1 gives a 4, b 3 + 1, c 2: the tie goes to the lower sample
    const std::vector<candidate> c{made(0, "b", 0.8), made(1, "a", 0.9), made(2, "c", 0.7), made(3, "b", 0.1)};
    CHECK(aggregate::borda{.power = 1}(c).votes[0].value == "b");
    CHECK(aggregate::borda{.power = 2}(c).votes[0].value == "a");  // 16 against 9 + 1
    CHECK(aggregate::borda{.power = 0}(c).votes[0].value == "b");  // the majority
}

TEST_CASE("best: the best score wins; parsed before unparsed, ties to the lowest sample") {
    const std::vector<candidate> c{made(0, "", 5.0), made(1, "a", 0.5), made(2, "b", 0.5), made(3, "c")};
    CHECK(aggregate::best{}(c).chosen == 1);
    const std::vector<candidate> unparsed{made(0, "", 0.1), made(1, "", 0.2)};
    CHECK(aggregate::best{}(unparsed).chosen == 1);
}
