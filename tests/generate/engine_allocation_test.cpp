// A generation step allocates nothing: neither from the engine's memory resource nor from the heap, counted
// by this executable's own operator new.
#include "support/catch.hpp"
#include "support/counting_new.hpp"
#include "support/counting_resource.hpp"
#include "support/toy_model.hpp"

#include <hence/generate/engine.hpp>

#include <vector>

using namespace hence;

namespace {

// The toy model without the bookkeeping that allocates; counts what is allocated between its steps.
class watched_model {
public:
    using workspace = hence_test::toy_model::workspace;
    struct record {
        std::vector<std::uint64_t> heap;      // allocations seen when each step began
        std::vector<std::uint64_t> resource;
        const hence_test::counting_resource* memory = nullptr;
    };

    explicit watched_model(record& seen) : seen_(&seen) {}
    [[nodiscard]] std::size_t vocabulary_size() const { return toy_.vocabulary_size(); }
    [[nodiscard]] std::size_t context_length() const { return 4096; }
    [[nodiscard]] const hence::tokenizer& tokenizer() const { return toy_.tokenizer(); }
    [[nodiscard]] kv_layout cache_layout(dtype type) const { return toy_.cache_layout(type); }
    [[nodiscard]] workspace make_workspace(const workspace_options& options) const { return {options}; }
    void forward(const step& s, workspace&, thread_team&) const noexcept {
        seen_->heap.push_back(hence_test::heap_allocations.load());
        seen_->resource.push_back(seen_->memory->allocations());
        for (const step_row& row : s.rows) {
            if (row.logits < 0) continue;
            float* const logits = s.logits + static_cast<std::size_t>(row.logits) * s.logits_stride;
            for (std::size_t t = 0; t < vocabulary_size(); ++t)
                logits[t] = static_cast<float>(mix64(static_cast<std::uint64_t>(row.token) * 4096 + static_cast<std::uint64_t>(row.position), t) >> 40) * 0x1.0p-22f;
        }
    }

private:
    hence_test::toy_model toy_;
    record* seen_;
};

}  // namespace

TEST_CASE("steps allocate nothing, for greedy, sampled, truncated and penalised branches with everything recorded") {
    hence_test::counting_resource memory;
    watched_model::record seen;
    seen.memory = &memory;
    seen.heap.reserve(100000);
    seen.resource.reserve(100000);
    engine e(watched_model(seen), {.threads = 2, .max_rows = 64, .cache_tokens = 8192, .memory = &memory});
    std::vector<branch> branches;
    for (std::uint64_t i = 0; i < 12; ++i) {
        sampling how;
        how.temperature = i % 4 == 0 ? 0.0f : 1.0f;
        if (i % 4 == 2) how.top_k = 20;
        if (i % 4 == 3) how.top_p = 0.9f;
        how.repetition_penalty = 1.2f;
        how.penalty_window = i % 2 == 0 ? 64 : -1;
        how.logit_bias = {{5, 1.0f}};
        const std::vector<token_id> prompt(40 + 10 * i, 10);
        branches.push_back(e.begin(prompt, i, how).value());
    }
    const std::string stop = "never in there \xFF";
    const until rules{.max_tokens = 150, .stop = {stop}, .log_probabilities = true, .confidence_top_k = 10, .self_certainty = true};
    for (int round = 0; round < 2; ++round) {
        seen.heap.clear();
        seen.resource.clear();
        REQUIRE(e.extend(branches, rules).has_value());
        REQUIRE(seen.heap.size() >= 150);
        REQUIRE(seen.heap.back() == seen.heap.front());
        REQUIRE(seen.resource.back() == seen.resource.front());
    }
    // With a listener too, as long as it allocates nothing itself.
    seen.heap.clear();
    seen.resource.clear();
    std::size_t bytes = 0;
    until streaming = rules;
    streaming.every_token = true;
    streaming.max_tokens = 30;
    REQUIRE(e.extend(branches, streaming, [&](branch_event<branch>& event) { bytes += event.text.size(); }).has_value());
    REQUIRE(bytes > 0);
    REQUIRE(seen.heap.back() == seen.heap.front());
    REQUIRE(seen.resource.back() == seen.resource.front());
}

TEST_CASE("without a reserved cache only the pool grows, and only a few times") {
    hence_test::counting_resource memory;
    watched_model::record seen;
    seen.memory = &memory;
    seen.heap.reserve(100000);
    seen.resource.reserve(100000);
    engine e(watched_model(seen), {.threads = 1, .memory = &memory});
    const std::vector<token_id> prompt(10, 10);
    branch b = e.begin(prompt).value();
    REQUIRE(e.extend(b, {.max_tokens = 3000, .stop_at_end = false}).has_value());
    REQUIRE(seen.heap.size() == 3000);
    // 95 pages: slabs of 1, 1, 1, 1, 2, 3, 4, 6 ... with up to three bookkeeping vectors each.
    REQUIRE(seen.resource.back() - seen.resource.front() < 60);
    // What the counting resource saw is all there was.
    REQUIRE(seen.heap.back() - seen.heap.front() == seen.resource.back() - seen.resource.front());
}

TEST_CASE("a memory resource that refuses is an error of the call, and the engine goes on after") {
    hence_test::counting_resource memory;
    watched_model::record seen;
    seen.memory = &memory;
    seen.heap.reserve(100000);
    seen.resource.reserve(100000);
    engine e(watched_model(seen), {.threads = 1, .memory = &memory});
    const std::vector<token_id> prompt(300, 10);
    branch b = e.begin(prompt).value();
    REQUIRE(e.extend(b, {.max_tokens = 4}).has_value());
    memory.limit(memory.live_bytes() + 2000);
    const auto refused = e.extend(b, {.max_tokens = 2000, .stop_at_end = false});
    REQUIRE(refused.error().code == errc::out_of_memory);
    memory.limit(memory.live_bytes() + 100000000);
    REQUIRE(e.extend(b, {.max_tokens = 2000, .stop_at_end = false}).has_value());
    REQUIRE(b.finish() == finish_reason::length);
    memory.limit(0);
    REQUIRE(e.begin(prompt).error().code == errc::out_of_memory);
    REQUIRE(b.fork(3).error().code == errc::out_of_memory);
    memory.limit(memory.live_bytes() + 100000000);
    REQUIRE(b.fork(3).has_value());
}
