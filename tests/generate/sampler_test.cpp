// The sampler against what its documentation says: exact laws by enumeration, the Gumbel-max rule by a
// naive evaluation of every token, penalties and statistics by arithmetic in double.
#include "support/catch.hpp"
#include "support/counting_resource.hpp"

#include <hence/core/rng.hpp>
#include <hence/generate/detail/vocabulary_scan.inl.hpp>
#include <hence/generate/detail/noise_words.inl.hpp>
#include <hence/generate/detail/vocabulary_scan.inl.hpp>
#include <hence/generate/sampler.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace hence;

namespace {

// Logits with a few large values and a long tail, the shape that language models give.
std::vector<float> make_logits(std::size_t size, std::uint64_t key, float spread = 3) {
    std::vector<float> logits(size);
    for (std::size_t i = 0; i < size; ++i) {
        const double u = counter_rng{key}.uniform(7, static_cast<std::uint32_t>(i), 0);
        const double v = counter_rng{key}.uniform(8, static_cast<std::uint32_t>(i), 0);
        logits[i] = static_cast<float>(static_cast<double>(spread) * std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v));
    }
    return logits;
}

// The survivors and their probabilities, written from the documentation and nothing else.
std::vector<double> exact_law(const std::vector<float>& logits, const sampling& how) {
    const std::size_t n = logits.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
    const auto weight = [&](std::size_t i) {
        return std::exp((static_cast<double>(logits[i]) - static_cast<double>(logits[order[0]])) / static_cast<double>(how.temperature));
    };
    std::size_t kept = how.top_k > 0 ? std::min(n, static_cast<std::size_t>(how.top_k)) : n;
    double total = 0;
    for (std::size_t r = 0; r < kept; ++r) total += weight(order[r]);
    if (how.top_p < 1) {
        double sum = 0;
        std::size_t nucleus = 0;
        while (nucleus < kept && sum < static_cast<double>(how.top_p) * total) sum += weight(order[nucleus++]);
        kept = nucleus;
    }
    while (kept > 1 && weight(order[kept - 1]) < static_cast<double>(how.min_p)) --kept;
    std::vector<double> law(n, 0.0);
    total = 0;
    for (std::size_t r = 0; r < kept; ++r) total += weight(order[r]);
    for (std::size_t r = 0; r < kept; ++r) law[order[r]] = weight(order[r]) / total;
    return law;
}

drawn draw_at(sampler& s, std::vector<float> logits, const sampling& how, std::uint64_t stream, std::uint32_t position) {
    draw_request request;
    request.how = &how;
    request.stream = stream;
    request.position = position;
    return s.draw(logits, request);
}

}  // namespace

TEST_CASE("law: drawn frequencies are the exact distribution over the survivors") {
    struct setting {
        const char* what;
        sampling how;
    };
    std::vector<setting> settings(8);
    settings[0] = {"temperature 1", {}};
    settings[0].how.temperature = 1;
    settings[1] = {"temperature 0.5", {}};
    settings[1].how.temperature = 0.5f;
    settings[2] = {"temperature 3", {}};
    settings[2].how.temperature = 3;
    settings[3] = {"top-k", {}};
    settings[3].how.temperature = 1.5f;
    settings[3].how.top_k = 6;
    settings[4] = {"top-p", {}};
    settings[4].how.temperature = 2;
    settings[4].how.top_p = 0.8f;
    settings[5] = {"min-p", {}};
    settings[5].how.temperature = 2;
    settings[5].how.min_p = 0.2f;
    settings[6] = {"top-k and top-p", {}};
    settings[6].how.temperature = 2;
    settings[6].how.top_k = 9;
    settings[6].how.top_p = 0.7f;
    settings[7] = {"top-k, top-p and min-p", {}};
    settings[7].how.temperature = 2;
    settings[7].how.top_k = 20;
    settings[7].how.top_p = 0.95f;
    settings[7].how.min_p = 0.1f;
    for (const std::size_t size : {std::size_t{5}, std::size_t{40}, std::size_t{150}}) {
        const auto logits = make_logits(size, 42 + size, 1.5f);
        sampler s(size);
        for (const auto& [what, how] : settings) {
            INFO(what << ", " << size << " tokens");
            const auto law = exact_law(logits, how);
            constexpr std::uint32_t draws = 20000;
            std::vector<double> counts(size, 0.0);
            for (std::uint32_t position = 0; position < draws; ++position) {
                const drawn d = draw_at(s, logits, how, 5, position);
                REQUIRE(d.status == draw_status::ok);
                counts[static_cast<std::size_t>(d.token)] += 1;
            }
            double chi_square = 0;
            double cells = 0;
            double rare_expected = 0;
            double rare_count = 0;
            for (std::size_t i = 0; i < size; ++i) {
                const double expected = law[i] * draws;
                if (law[i] == 0) {
                    REQUIRE(counts[i] == 0);
                } else if (expected < 10) {  // pooled: chi-square needs filled cells
                    rare_expected += expected;
                    rare_count += counts[i];
                } else {
                    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
                    cells += 1;
                }
            }
            if (rare_expected > 0) {
                chi_square += (rare_count - rare_expected) * (rare_count - rare_expected) / rare_expected;
                cells += 1;
            }
            // Mean cells - 1, variance 2 (cells - 1); 4.5 standard deviations, with fixed seeds.
            REQUIRE(cells > 1);
            REQUIRE(chi_square < cells - 1 + 4.5 * std::sqrt(2 * (cells - 1)) + 3);
        }
    }
}

TEST_CASE("law: draws of different positions, streams and seeds are independent enough to pair") {
    // Pairs of consecutive draws over two equally likely tokens: four equally likely cells.
    const std::vector<float> logits{0, 0};
    sampler s(2);
    sampling how;
    how.temperature = 1;
    for (int along = 0; along < 3; ++along) {
        double cells[2][2] = {};
        for (std::uint32_t i = 0; i < 20000; ++i) {
            sampling other = how;
            if (along == 2) other.seed = 1;
            const auto a = draw_at(s, logits, how, 0, i).token;
            const auto b = draw_at(s, logits, other, along == 1 ? 1 : 0, along == 0 ? i + 1 : i).token;
            cells[a][b] += 1;
        }
        double chi_square = 0;
        for (auto& row : cells)
            for (const double n : row) chi_square += (n - 5000) * (n - 5000) / 5000;
        REQUIRE(chi_square < 3 + 4.5 * std::sqrt(6.0));
    }
}

TEST_CASE("the winner is the token that a naive evaluation of every survivor's noise finds") {
    for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{17}, std::size_t{64}, std::size_t{1000}, std::size_t{5003}}) {
        sampler s(size);
        for (int variant = 0; variant < 6; ++variant) {
            sampling how;
            how.seed = 99;
            how.temperature = variant == 1 ? 0.05f : variant == 2 ? 8.0f : 1.0f;
            if (variant == 3) how.top_k = 50;
            if (variant == 4) how.top_p = 0.9f;
            if (variant == 5) how.min_p = 0.02f;
            for (std::uint32_t position = 0; position < 60; ++position) {
                auto logits = make_logits(size, position, position % 3 == 0 ? 10.0f : 2.0f);
                if (position % 4 == 0)
                    for (float& l : logits) l += 900;  // far from zero: the bound must allow for rounding
                const auto law = exact_law(logits, how);
                token_id expected = no_token;
                double best = 0;
                for (std::size_t i = 0; i < size; ++i) {
                    if (law[i] == 0 && how.top_k + static_cast<int>(how.top_p < 1) + static_cast<int>(how.min_p > 0) != 0) continue;
                    const auto id = static_cast<token_id>(i);
                    const double value = static_cast<double>(logits[i]) / static_cast<double>(how.temperature) +
                                         detail::vocabulary::gumbel(counter_rng{99}, 3, position, id);
                    if (expected == no_token || value > best) {
                        best = value;
                        expected = id;
                    }
                }
                INFO("size " << size << " variant " << variant << " position " << position);
                REQUIRE(draw_at(s, logits, how, 3, position).token == expected);
            }
        }
    }
}

TEST_CASE("every tier of noise words this machine runs gives the words of the counter generator") {
    namespace vocabulary = detail::vocabulary;
    std::vector<vocabulary::noise_words> tiers{vocabulary::noise_words_scalar, vocabulary::widest_noise_words()};
#if HENCE_X86
    tiers.push_back(vocabulary::noise_words_sse2);
    if (supported(isa::avx2)) tiers.push_back(vocabulary::noise_words_avx2);
    if (supported(isa::avx512)) tiers.push_back(vocabulary::noise_words_avx512);
#endif
    for (std::uint32_t trial = 0; trial < 50; ++trial) {
        const counter_rng rng{mix64(trial, 1)};
        const std::uint64_t stream = mix64(trial, 2);
        for (const vocabulary::noise_words tier : tiers) {
            std::uint32_t words[64];
            const std::uint32_t least = tier(rng, stream, trial * 77, trial * 16, words);
            REQUIRE(least == *std::min_element(std::begin(words), std::end(words)));
            for (token_id t = 0; t < 64; ++t) {
                const auto at = vocabulary::address_of(static_cast<token_id>(trial * 64) + t);
                REQUIRE(words[t] == rng.words(stream, trial * 77, at.lane)[at.word]);
            }
        }
    }
}

TEST_CASE("greedy takes the largest logit, ties to the lowest id, in every alignment of the vocabulary") {
    for (std::size_t size = 1; size < 200; size += 7) {
        sampler s(size);
        for (std::size_t at = 0; at < size; ++at) {
            std::vector<float> logits(size, -1);
            for (std::size_t i = at; i < size; i += 3) logits[i] = 2;
            REQUIRE(draw_at(s, logits, sampling{}, 0, 0).token == static_cast<token_id>(at));
        }
    }
}

TEST_CASE("NaN and infinite logits are refused with the token that has them") {
    sampler s(130);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        for (const std::size_t at : {std::size_t{0}, std::size_t{63}, std::size_t{64}, std::size_t{129}}) {
            auto logits = make_logits(130, 1);
            logits[at] = bad;
            for (const float temperature : {0.0f, 1.0f}) {
                sampling how;
                how.temperature = temperature;
                const drawn d = draw_at(s, logits, how, 0, 0);
                REQUIRE(d.status == draw_status::not_a_number);
                REQUIRE(d.token == static_cast<token_id>(at));
            }
            REQUIRE(std::isnan(log_probability(logits, 5)));
            REQUIRE(first_not_finite(logits) == static_cast<token_id>(at));
        }
    }
}

TEST_CASE("what the model knows of its blocks changes no draw") {
    for (const std::size_t size : {1u, 64u, 130u, 1000u}) {
        sampler s(size);
        for (std::uint64_t key = 0; key < 60; ++key) {
            auto logits = make_logits(size, key);
            if (key % 10 == 9) logits[key * 7 % size] = std::numeric_limits<float>::quiet_NaN();
            std::vector<float> tops((size + logit_block - 1) / logit_block, -std::numeric_limits<float>::infinity());
            for (std::size_t i = 0; i < size; ++i) {
                float& top = tops[i / logit_block];
                if (!std::isnan(top) && !(logits[i] <= top)) top = logits[i];
            }
            sampling how;
            how.temperature = key % 3 == 0 ? 0.0f : 0.8f;
            how.top_p = key % 2 == 0 ? 1.0f : 0.9f;
            how.repetition_penalty = key % 5 == 0 ? 1.3f : 1.0f;
            if (key % 4 == 0) {  // the best is banned, another raised, one named twice
                const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
                how.logit_bias = {{static_cast<token_id>(best), -std::numeric_limits<float>::infinity()},
                                  {static_cast<token_id>(size / 2), 2.0f}, {static_cast<token_id>(size / 2), 1.0f}};
            }
            const std::vector<token_id> history{0, static_cast<token_id>(size - 1), 0};
            draw_request request;
            request.how = &how;
            request.history = history;
            request.position = static_cast<std::uint32_t>(key);
            request.log_probability = request.self_certainty = true;
            request.confidence_top_k = 3;
            request.restore = true;
            const drawn alone = s.draw(logits, request);
            // NaN: not filled in. Infinity: a model that is wrong, which must not lead out of the vocabulary.
            for (const float first : {tops[0], std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
                tops[0] = first;
                request.block_tops = tops.data();
                const drawn told = s.draw(logits, request);
                INFO(size << " tokens, key " << key);
                REQUIRE(told.token == alone.token);
                REQUIRE(told.status == alone.status);
                if (alone.status != draw_status::ok) continue;
                REQUIRE(told.statistics.log_probability == alone.statistics.log_probability);
                REQUIRE(told.statistics.confidence == alone.statistics.confidence);
                REQUIRE(told.statistics.self_certainty == alone.statistics.self_certainty);
            }
        }
    }
}

TEST_CASE("penalties and biases change the logits as documented") {
    sampler s(6);
    s.reserve(8, 4);
    sampling how;
    how.repetition_penalty = 2;
    how.frequency_penalty = 0.25f;
    how.presence_penalty = 0.5f;
    how.penalty_window = 4;
    how.logit_bias = {{5, 1.5f}, {2, -1.0f}};
    const std::vector<token_id> history{0, 0, 0, 1, 1, 3, 2};  // the window is 1 1 3 2
    std::vector<float> logits{4, 6, 3, -2, 1, 0};
    draw_request request;
    request.how = &how;
    request.history = history;
    request.log_probability = true;
    const std::vector<float> raw = logits;
    const drawn d = s.draw(logits, request);
    REQUIRE(logits[0] == 4.0f);
    REQUIRE(logits[1] == 6.0f / 2 - (2 * 0.25f + 0.5f));
    REQUIRE(logits[2] == 3.0f / 2 - 0.75f - 1.0f);
    REQUIRE(logits[3] == -2.0f * 2 - 0.75f);
    REQUIRE(logits[4] == 1.0f);
    REQUIRE(logits[5] == 1.5f);
    REQUIRE(d.token == 0);
    REQUIRE(std::abs(d.statistics.log_probability - log_probability(raw, 0)) < 1e-6f);

    logits = raw;
    request.restore = true;
    REQUIRE(s.draw(logits, request).token == d.token);
    REQUIRE(logits == raw);
    request.restore = false;
    how.penalty_window = -1;
    logits = raw;
    REQUIRE(s.draw(logits, request).status == draw_status::ok);
    REQUIRE(logits[0] == 4.0f / 2 - (3 * 0.25f + 0.5f));
    how.penalty_window = 0;
    logits = raw;
    REQUIRE(s.draw(logits, request).status == draw_status::ok);
    REQUIRE(logits[0] == 4.0f);
    REQUIRE(logits[5] == 1.5f);
}

TEST_CASE("the log-probability of a penalised token is the model's own") {
    sampler s(4);
    s.reserve(4, 4);
    sampling how;
    how.repetition_penalty = 1.5f;
    how.logit_bias = {{2, 20.0f}};
    const std::vector<token_id> history{2};
    const std::vector<float> raw{1, 2, 0.5f, 0};
    std::vector<float> logits = raw;
    draw_request request;
    request.how = &how;
    request.history = history;
    request.log_probability = true;
    const drawn d = s.draw(logits, request);
    REQUIRE(d.token == 2);
    REQUIRE(std::abs(d.statistics.log_probability - log_probability(raw, 2)) < 1e-6f);
}

TEST_CASE("a bias of minus infinity bans, for greedy, sampled and truncated draws; banning all is reported") {
    sampler s(100);
    s.reserve(0, 100);
    const auto logits = make_logits(100, 3, 0.5f);
    for (int variant = 0; variant < 5; ++variant) {
        sampling how;
        how.temperature = variant == 0 ? 0.0f : 1.0f;
        if (variant == 2) how.top_k = 10;
        if (variant == 3) how.top_p = 0.9f;
        if (variant == 4) how.min_p = 0.01f;
        for (token_id t = 0; t < 100; ++t)
            if (t % 10 != 7) how.logit_bias.emplace_back(t, -std::numeric_limits<float>::infinity());
        for (std::uint32_t position = 0; position < 200; ++position) {
            const drawn d = draw_at(s, logits, how, 1, position);
            REQUIRE(d.status == draw_status::ok);
            REQUIRE(d.token % 10 == 7);
        }
        for (token_id t = 7; t < 100; t += 10) how.logit_bias.emplace_back(t, -std::numeric_limits<float>::infinity());
        REQUIRE(draw_at(s, logits, how, 1, 0).status == draw_status::no_candidate);
    }
}

TEST_CASE("statistics equal their definitions in double") {
    for (const std::size_t size : {std::size_t{3}, std::size_t{64}, std::size_t{1001}, std::size_t{49152}}) {
        const auto logits = make_logits(size, size, 4);
        double total = 0;
        const double top = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
        for (const float l : logits) total += std::exp(static_cast<double>(l) - top);
        const double log_total = top + std::log(total);
        std::vector<float> sorted = logits;
        std::sort(sorted.begin(), sorted.end(), [](float a, float b) { return a > b; });
        const std::size_t k = std::min<std::size_t>(20, size);
        double confidence = 0;
        for (std::size_t i = 0; i < k; ++i) confidence += (log_total - static_cast<double>(sorted[i])) / static_cast<double>(k);
        double certainty = 0;
        for (const float l : logits)
            certainty -= (std::log(static_cast<double>(size)) + static_cast<double>(l) - log_total) / static_cast<double>(size);

        sampler s(size);
        sampling how;
        how.temperature = 1;
        auto row = logits;
        draw_request request;
        request.how = &how;
        request.log_probability = true;
        request.confidence_top_k = 20;
        request.self_certainty = true;
        const drawn d = s.draw(row, request);
        INFO("size " << size);
        const double expected = static_cast<double>(logits[static_cast<std::size_t>(d.token)]) - log_total;
        REQUIRE(std::abs(static_cast<double>(d.statistics.log_probability) - expected) < 1e-5);
        REQUIRE(std::abs(static_cast<double>(log_probability(logits, d.token)) - expected) < 1e-5);
        REQUIRE(std::abs(static_cast<double>(d.statistics.confidence) - confidence) < 1e-5);
        REQUIRE(std::abs(static_cast<double>(d.statistics.self_certainty) - certainty) < 1e-5);
    }
}

TEST_CASE("a draw allocates nothing, whatever it is asked for") {
    hence_test::counting_resource memory;
    sampler s(262144, &memory);
    s.reserve(512, 16);
    auto logits = make_logits(262144, 11, 3);
    const std::vector<token_id> history(400, 17);
    const auto before = memory.allocations();
    for (int variant = 0; variant < 5; ++variant) {
        sampling how;
        how.temperature = variant == 0 ? 0.0f : 1.0f;
        how.repetition_penalty = 1.1f;
        how.penalty_window = -1;
        how.logit_bias = {{3, 1.0f}};
        if (variant == 2) how.top_k = 300;
        if (variant == 3) how.top_p = 0.999f;
        if (variant == 4) how.min_p = 0.0001f;
        draw_request request;
        request.how = &how;
        request.history = history;
        request.log_probability = true;
        request.confidence_top_k = 20;
        request.self_certainty = true;
        REQUIRE(s.draw(logits, request).status == draw_status::ok);
    }
    REQUIRE(memory.allocations() == before);
}

TEST_CASE("settings without a meaning are refused by field") {
    const auto refused = [](auto change) {
        sampling how;
        change(how);
        const auto checked = check(how, 10);
        return checked.has_value() ? std::string("accepted") : checked.error().where;
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    REQUIRE(refused([](sampling&) {}) == "accepted");
    REQUIRE(refused([&](sampling& s) { s.temperature = nan; }) == "sampling.temperature");
    REQUIRE(refused([](sampling& s) { s.temperature = -1; }) == "sampling.temperature");
    REQUIRE(refused([](sampling& s) { s.temperature = 1e-9f; }) == "sampling.temperature");
    REQUIRE(refused([](sampling& s) { s.top_k = -3; }) == "sampling.top_k");
    REQUIRE(refused([](sampling& s) { s.top_p = 0; }) == "sampling.top_p");
    REQUIRE(refused([](sampling& s) { s.min_p = 1.5f; }) == "sampling.min_p");
    REQUIRE(refused([](sampling& s) { s.repetition_penalty = 0; }) == "sampling.repetition_penalty");
    REQUIRE(refused([&](sampling& s) { s.frequency_penalty = nan; }) == "sampling.frequency_penalty");
    REQUIRE(refused([&](sampling& s) { s.presence_penalty = nan; }) == "sampling.presence_penalty");
    REQUIRE(refused([](sampling& s) { s.penalty_window = -2; }) == "sampling.penalty_window");
    REQUIRE(refused([](sampling& s) { s.logit_bias = {{10, 1.0f}}; }) == "sampling.logit_bias");
    REQUIRE(refused([&](sampling& s) { s.logit_bias = {{1, nan}}; }) == "sampling.logit_bias");
    REQUIRE(refused([](sampling& s) { s.logit_bias = {{1, std::numeric_limits<float>::infinity()}}; }) == "sampling.logit_bias");
}
