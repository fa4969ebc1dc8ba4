// Activations to int8: the exact definition, in every tier, with tails, zeros, subnormals, and values that are not
// finite.
#include "kernels/kernel_test.hpp"

using namespace hence_test;

namespace {

struct quantized {
    std::vector<std::int8_t> quants;
    std::vector<float> scales;
    std::vector<std::int32_t> sums;
};

constexpr std::int8_t untouched = 77;

std::size_t padded(std::size_t n) {
    return (n + 31) / 32 * 32;
}

quantized by_blocks(const hence::kernel_table& table, const float* x, std::size_t n) {
    quantized q{std::vector<std::int8_t>(padded(n) + 3, untouched), std::vector<float>(padded(n) / 32 + 1, -1.0f),
                std::vector<std::int32_t>(padded(n) / 32 + 1, -1)};
    std::vector<hence::block_sum> sums(q.sums.size(), {-1, 0});
    table.quantize_blocks(x, n, q.quants.data(), q.scales.data(), sums.data());
    for (std::size_t b = 0; b < sums.size(); ++b) {
        q.sums[b] = sums[b].first + sums[b].second;
        int first = 0;
        for (std::size_t i = 0; i < 16 && b < padded(n) / 32; ++i) first += q.quants[b * 32 + i];
        if (b < padded(n) / 32) REQUIRE(sums[b].first == first);
    }
    return q;
}

quantized by_row(const hence::kernel_table& table, const float* x, std::size_t n) {
    quantized q{std::vector<std::int8_t>(padded(n) + 3, untouched), std::vector<float>(2, -1.0f),
                std::vector<std::int32_t>(2, -1)};
    table.quantize_row(x, n, q.quants.data(), q.scales.data(), q.sums.data());
    return q;
}

// The definition: q = round to nearest even of x * (127 / max|x|), all in float; value = q * (max|x| / 127).
void check_definition(const float* x, std::size_t n, std::size_t group, const quantized& q) {
    std::size_t index = 0;
    for (std::size_t at = 0; at < n; at += group, ++index) {
        const std::size_t end = std::min(n, at + group);
        float largest = 0.0f;
        for (std::size_t i = at; i < end; ++i) largest = std::max(largest, std::fabs(x[i]));
        const float inverse = largest >= 3.8e-37f ? 127.0f / largest : 0.0f;
        REQUIRE(q.scales[index] == largest / 127.0f);
        std::int32_t sum = 0;
        for (std::size_t i = at; i < end; ++i) {
            const auto wanted = static_cast<int>(std::nearbyint(x[i] * inverse));
            INFO("value " << i << " = " << x[i]);
            REQUIRE(int{q.quants[i]} == wanted);
            REQUIRE(std::abs(wanted) <= 127);
            sum += wanted;
            if (inverse != 0.0f) {  // at most half a step off, and the roundings of two products
                const double value = double{q.scales[index]} * wanted;
                REQUIRE(std::fabs(value - double{x[i]}) <= double{q.scales[index]} * (0.5 + 300 * half_ulp));
            }
        }
        REQUIRE(q.sums[index] == sum);
    }
    REQUIRE(q.scales[index] == -1.0f);
    REQUIRE(q.sums[index] == -1);
    for (std::size_t i = n; i < padded(n); ++i) REQUIRE(int{q.quants[i]} == 0);
    for (std::size_t i = padded(n); i < q.quants.size(); ++i) REQUIRE(q.quants[i] == untouched);
}

const std::vector<std::size_t> lengths = {1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 95, 576, 1000};

}  // namespace

TEST_CASE("quantize: every tier rounds by the definition, for every tail, from unaligned memory") {
    for (const hence::kernel_table* table : tiers()) {
        for (const std::size_t n : lengths) {
            for (const float size : {1.0f, 1e-30f, 1e30f}) {
                const std::vector<float> x = random_values(n).normals(n + 1, size);
                INFO(label(*table) << ", " << n << " values around " << size);
                check_definition(x.data() + 1, n, 32, by_blocks(*table, x.data() + 1, n));
                check_definition(x.data() + 1, n, padded(n), by_row(*table, x.data() + 1, n));
            }
        }
    }
}

TEST_CASE("quantize: halves round to even, and the largest value becomes 127 in either sign") {
    float x[32];
    for (int i = 0; i < 31; ++i) x[i] = static_cast<float>(i) - 15.5f;
    x[31] = -127.0f;  // a scale of one
    for (const hence::kernel_table* table : tiers()) {
        INFO(label(*table));
        const quantized q = by_blocks(*table, x, 32);
        CHECK(int{q.quants[0]} == -16);  // -15.5
        CHECK(int{q.quants[1]} == -14);  // -14.5
        CHECK(int{q.quants[15]} == 0);   // -0.5
        CHECK(int{q.quants[16]} == 0);   // 0.5
        CHECK(int{q.quants[17]} == 2);   // 1.5
        CHECK(int{q.quants[31]} == -127);
        check_definition(x, 32, 32, q);
    }
}

TEST_CASE("quantize: zeros, subnormals and the largest floats") {
    for (const float value : {0.0f, -0.0f, 1e-45f, -1e-40f, 1.17549435e-38f, 3.7e-37f, -3.9e-37f, 3.4028235e38f}) {
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", value " << value);
            std::vector<float> x(70, 0.0f);
            x[3] = value;
            x[40] = value;
            x[69] = -value;
            const quantized blocks = by_blocks(*table, x.data(), x.size());
            const quantized row = by_row(*table, x.data(), x.size());
            check_definition(x.data(), x.size(), 32, blocks);
            check_definition(x.data(), x.size(), 96, row);
            for (const float scale : blocks.scales) CHECK(std::isfinite(scale));
        }
    }
}

TEST_CASE(
    "quantize: a value that is not finite makes its scale not finite, its quants zero, and touches no other block") {
    for (const float bad : {not_a_number, infinite, -infinite}) {
        for (const hence::kernel_table* table : tiers()) {
            const std::vector<float> clean = random_values(1).normals(90);
            const quantized good = by_blocks(*table, clean.data(), clean.size());
            for (std::size_t at = 0; at < clean.size(); ++at) {
                INFO(label(*table) << ", " << bad << " at " << at);
                std::vector<float> x = clean;
                x[at] = bad;
                const quantized q = by_blocks(*table, x.data(), x.size());
                for (std::size_t block = 0; block < 3; ++block) {
                    if (block == at / 32) {
                        REQUIRE_FALSE(std::isfinite(q.scales[block]));
                        REQUIRE(q.sums[block] == 0);
                        for (std::size_t i = block * 32; i < block * 32 + 32; ++i) REQUIRE(int{q.quants[i]} == 0);
                    } else {
                        REQUIRE(q.scales[block] == good.scales[block]);
                        REQUIRE(std::memcmp(&q.quants[block * 32], &good.quants[block * 32], 32) == 0);
                    }
                }
                const quantized row = by_row(*table, x.data(), x.size());
                REQUIRE_FALSE(std::isfinite(row.scales[0]));
                REQUIRE(row.sums[0] == 0);
            }
        }
    }
}

TEST_CASE("quantize: one row of 65536 values") {
    const std::vector<float> x(65536, 1.0f);
    for (const hence::kernel_table* table : tiers()) {
        const quantized q = by_row(*table, x.data(), x.size());
        INFO(label(*table));
        CHECK(q.sums[0] == 127 * 65536);
        CHECK(q.scales[0] == 1.0f / 127.0f);
    }
}
