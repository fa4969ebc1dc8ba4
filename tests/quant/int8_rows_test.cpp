#include "support/catch.hpp"

#include <hence/kernels/pack.hpp>
#include <hence/quant/error_report.hpp>
#include <hence/quant/int8_rows.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using namespace hence;

namespace {

std::vector<float> wave(std::size_t n, float shift) {
    std::vector<float> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(static_cast<float>(i * i) * 0.37f) + shift;
    return x;
}

double rms(const std::vector<float>& x, int8_range range, rounding how = rounding::reference) {
    std::vector<std::int8_t> q(x.size());
    std::vector<float> back(x.size());
    decode_int8_row(q, encode_int8_row(x, q, range, {how, {}}).value(), back);
    error_report report;
    report.add(x, back);
    return report.rms();
}

}  // namespace

TEST_CASE("a symmetric row is what the kernels' packer makes of it") {
    const std::vector<float> x = wave(100, 0.2f);
    std::vector<std::int8_t> q(x.size());
    const int8_scale scale = encode_int8_row(x, q).value();
    REQUIRE(scale.zero == 0);
    const std::size_t bytes = layout_of(packing::i8, x.size()).bytes();
    std::vector<std::byte> from_floats(bytes), from_quants(bytes);
    kernels::pack_panels_i8(x.data(), 1, x.size(), 0, 1, from_floats.data());
    kernels::pack_panels_i8(q.data(), &scale.scale, 1, x.size(), 0, 1, from_quants.data());
    REQUIRE(from_floats == from_quants);
}

TEST_CASE("int8 rounds to within half a step, and a zero point halves the step of one-sided data") {
    for (const float shift : {0.0f, 0.5f, 5.0f, -3.0f}) {
        const std::vector<float> x = wave(333, shift);
        for (const int8_range range : {int8_range::symmetric, int8_range::asymmetric}) {
            std::vector<std::int8_t> q(x.size());
            std::vector<float> back(x.size());
            const int8_scale scale = encode_int8_row(x, q, range).value();
            decode_int8_row(q, scale, back);
            // The zero point is rounded too: up to one step at the ends of an asymmetric range.
            const float bound = scale.scale * (range == int8_range::symmetric ? 0.501f : 1.01f);
            for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(std::fabs(x[i] - back[i]) <= bound);
        }
    }
    CHECK(rms(wave(2000, 1.0f), int8_range::asymmetric) < 0.6 * rms(wave(2000, 1.0f), int8_range::symmetric));
}

TEST_CASE("search clips an outlier when the rest gains by it") {
    std::vector<float> x = wave(4000, 0.0f);
    x[7] = 3.0f;
    for (const int8_range range : {int8_range::symmetric, int8_range::asymmetric}) {
        CHECK(rms(x, range, rounding::search) <= rms(x, range));
        CHECK(rms(wave(500, 0.3f), range, rounding::search) <= rms(wave(500, 0.3f), range));
    }
    std::vector<float> importance(x.size(), 1.0f);
    importance[7] = 0.0f;  // nobody reads it
    std::vector<std::int8_t> q(x.size());
    const int8_scale scale = encode_int8_row(x, q, int8_range::symmetric, {rounding::search, importance}).value();
    CHECK(scale.scale < 0.6f * 3.0f / 127.0f);
    CHECK(q[7] == 127);
}

TEST_CASE("rows of nothing, and rows that are not numbers") {
    std::vector<std::int8_t> q(4, 9);
    const std::vector<float> zeros(4, 0.0f);
    REQUIRE(encode_int8_row(zeros, q).value().scale == 0.0f);
    REQUIRE(q == std::vector<std::int8_t>(4, 0));
    REQUIRE(encode_int8_row(zeros, q, int8_range::asymmetric).value().scale == 0.0f);
    std::vector<float> bad = {1, std::numeric_limits<float>::quiet_NaN(), 2, 3};
    REQUIRE(encode_int8_row(bad, q).error().code == errc::not_a_number);
    REQUIRE(encode_int8_row(zeros, std::span(q).first(2)).error().code == errc::invalid_argument);
}
