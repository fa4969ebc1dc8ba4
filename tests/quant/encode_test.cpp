#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <hence/core/rng.hpp>
#include <hence/io/gguf.hpp>
#include <hence/quant/block_grid.hpp>
#include <hence/quant/decode.hpp>
#include <hence/quant/encode.hpp>
#include <hence/quant/error_report.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

using namespace hence;

namespace {

std::vector<float> floats_of(const gguf_tensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    decode_row(tensor.type, tensor.data, values).value();
    return values;
}

std::vector<std::byte> encode(dtype type, std::span<const float> values, const rounding_options& options = {}) {
    std::vector<std::byte> out(row_bytes(type, values.size()));
    encode_row(type, values, out, options).value();
    return out;
}

error_report error_of(dtype type, std::span<const float> values, std::span<const std::byte> blocks) {
    std::vector<float> decoded(values.size());
    decode_row(type, blocks, decoded).value();
    error_report report;
    report.add(values, decoded);
    return report;
}

std::vector<float> noise(std::size_t n, std::uint64_t seed, bool outliers) {
    std::vector<float> x(n);
    std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    for (std::size_t i = 0; i < n; ++i) {
        double sum = 0;
        for (int k = 0; k < 6; ++k) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum += static_cast<double>(state >> 40) / 16777216.0 - 0.5;
        }
        x[i] = static_cast<float>(sum);
        if (outliers && i % 97 == 0) x[i] *= 9.0f;
    }
    return x;
}

// How many tensors of a file a search of scales is tried on: a search is slow, and an emulator a hundred times slower.
#ifdef HENCE_TEST_EMULATED
constexpr std::size_t most_tensors = 2;
#else
constexpr std::size_t most_tensors = 1000;
#endif

constexpr dtype every[] = {dtype::q8_0, dtype::q5_0, dtype::q5_1, dtype::q4_0, dtype::q4_1, dtype::q4_k, dtype::q6_k};

// The bytes of another engine's file from the float32 file of the same weights.
void same_bytes(const char* original, const char* expected, dtype type) {
    HENCE_REQUIRE_DATA(from, original);
    HENCE_REQUIRE_DATA(to, expected);
    const gguf_file source = gguf_file::open(from.string()).value();
    const gguf_file target = gguf_file::open(to.string()).value();
    std::size_t compared = 0;
    for (const gguf_tensor& tensor : target.tensors()) {
        if (tensor.type != type) continue;
        INFO(expected << ": " << tensor.name);
        const gguf_tensor* floats = source.find_tensor(tensor.name);
        REQUIRE(floats != nullptr);
        REQUIRE(floats->type == dtype::f32);
        const auto ours = encode(type, floats_of(*floats));
        REQUIRE(ours.size() == tensor.data.size());
        std::size_t differing = 0;
        for (std::size_t i = 0; i < ours.size(); ++i) differing += ours[i] != tensor.data[i] ? 1u : 0u;
        CHECK(differing == 0);
        ++compared;
    }
    REQUIRE(compared > 10);
}

}  // namespace

TEST_CASE("the reference rounding gives another engine's bytes") {
    same_bytes("golden/tiny/format-f32.gguf", "golden/tiny/format-q8_0.gguf", dtype::q8_0);
    same_bytes("golden/tiny/format-f32.gguf", "golden/tiny/format-q4_0.gguf", dtype::q4_0);
    same_bytes("golden/tiny/format-f32.gguf", "golden/tiny/format-q4_1.gguf", dtype::q4_1);
    same_bytes("golden/tiny/format-f32.gguf", "golden/tiny/format-q5_0.gguf", dtype::q5_0);
    same_bytes("golden/tiny/format-f32.gguf", "golden/tiny/format-q5_1.gguf", dtype::q5_1);
    same_bytes("golden/tiny/format-f32.gguf", "golden/tiny/format-f16.gguf", dtype::f16);
    same_bytes("golden/tiny/format-f32.gguf", "golden/tiny/format-bf16.gguf", dtype::bf16);
    same_bytes("models/tiny-reasoner/tiny-reasoner-f32.gguf", "models/tiny-reasoner/tiny-reasoner-q8_0.gguf", dtype::q8_0);
}

TEST_CASE("searched scales are no worse than another engine's, tensor by tensor") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    for (const dtype type : every) {
        HENCE_REQUIRE_DATA(to, "golden/tiny/format-" + std::string(name(type)) + ".gguf");
        const gguf_file target = gguf_file::open(to.string()).value();
        std::size_t compared = 0;
        for (const gguf_tensor& tensor : target.tensors()) {
            if (tensor.type != type || compared >= most_tensors) continue;
            ++compared;
            const std::vector<float> values = floats_of(*source.find_tensor(tensor.name));
            const auto ours = encode(type, values, {.rounding = rounding::search});
            INFO(tensor.name << " as " << name(type));
            CHECK(error_of(type, values, ours).rms() <= error_of(type, values, tensor.data).rms());
        }
        CHECK(compared > 0);
    }
}

TEST_CASE("search never loses to the reference, and wins where outliers stretch the range") {
    for (const dtype type : every) {
        const bool plain = type != dtype::q4_k && type != dtype::q6_k;
        for (std::uint64_t seed = 0; plain && seed < 20; ++seed) {
            const std::vector<float> x = noise(2048, seed, seed % 2 == 1);
            const double searched = error_of(type, x, encode(type, x, {.rounding = rounding::search})).rms();
            const double reference = error_of(type, x, encode(type, x)).rms();
            INFO(name(type) << " seed " << seed);
            CHECK(searched <= reference);
        }
    }
}

TEST_CASE("importance moves the error to where it matters less") {
    const std::vector<float> x = noise(2048, 7, true);
    std::vector<float> importance(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) importance[i] = i % 4 == 0 ? 50.0f : 1.0f;
    for (const dtype type : {dtype::q4_0, dtype::q4_1, dtype::q4_k, dtype::q6_k}) {
        const auto weighted_error = [&](const std::vector<std::byte>& blocks) {
            std::vector<float> decoded(x.size());
            decode_row(type, blocks, decoded).value();
            double sum = 0;
            for (std::size_t i = 0; i < x.size(); ++i)
                sum += static_cast<double>(importance[i]) * std::pow(static_cast<double>(x[i]) - static_cast<double>(decoded[i]), 2);
            return sum;
        };
        INFO(name(type));
        CHECK(weighted_error(encode(type, x, {rounding::search, importance})) < weighted_error(encode(type, x, {rounding::search, {}})));
    }
}

TEST_CASE("a grid's values are what decode_row reads from its blocks") {
    for (const dtype type : every) {
        const std::size_t n = traits(type).block_elements;
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            const std::vector<float> x = noise(n, 100 + seed, seed % 2 == 0);
            const block_grid grid = fit_grid(type, x.data(), nullptr);
            std::vector<std::int32_t> levels(n);
            for (std::size_t i = 0; i < n; ++i) levels[i] = grid.nearest(i, x[i]);
            std::vector<std::byte> block(traits(type).block_bytes);
            assemble(grid, levels.data(), block.data());
            std::vector<float> decoded(n);
            decode_row(type, block, decoded).value();
            for (std::size_t i = 0; i < n; ++i) {
                INFO(name(type) << " value " << i);
                REQUIRE(decoded[i] == grid.value(i, levels[i]));
                for (const std::int32_t other : {levels[i] - 1, levels[i] + 1})  // nearest is the nearest
                    if (other >= grid.lowest && other <= grid.highest)
                        REQUIRE(std::fabs(x[i] - grid.value(i, levels[i])) <= std::fabs(x[i] - grid.value(i, other)) * 1.00001f);
            }
        }
    }
}

TEST_CASE("blocks of equal, zero, tiny and huge values survive") {
    for (const dtype type : every) {
        for (const rounding how : {rounding::reference, rounding::search}) {
            const std::size_t n = traits(type).block_elements;
            INFO(name(type) << (how == rounding::search ? " searched" : ""));
            const auto round_trip = [&](const std::vector<float>& x) {
                std::vector<float> decoded(n);
                decode_row(type, encode(type, x, {how, {}}), decoded).value();
                return decoded;
            };
            for (const float v : round_trip(std::vector<float>(n, 0.0f))) REQUIRE(v == 0.0f);
            for (const float v : round_trip(std::vector<float>(n, -0.5f))) REQUIRE(std::fabs(v + 0.5f) < 0.01f);
            for (const float v : round_trip(std::vector<float>(n, 0.75f))) REQUIRE(std::fabs(v - 0.75f) < 0.015f);
            for (const float v : round_trip(std::vector<float>(n, 1e-30f))) REQUIRE(std::fabs(v) < 1e-6f);
            std::vector<float> one(n, 0.0f);
            one[3] = 2000.0f;
            const std::vector<float> kept = round_trip(one);
            REQUIRE(std::fabs(kept[3] - 2000.0f) < 20.0f);
            REQUIRE(std::fabs(kept[4]) < 20.0f);
        }
    }
}

TEST_CASE("encode_row refuses what it cannot encode") {
    std::vector<float> x(256, 1.0f);
    std::vector<std::byte> out(row_bytes(dtype::q8_0, 256));
    x[17] = std::numeric_limits<float>::quiet_NaN();
    const auto nan = encode_row(dtype::q8_0, x, out);
    REQUIRE(nan.error().code == errc::not_a_number);
    REQUIRE(nan.error().message().find("column 17") != std::string::npos);
    x[17] = std::numeric_limits<float>::infinity();
    REQUIRE(encode_row(dtype::q8_0, x, out).error().code == errc::not_a_number);
    x[17] = 1e6f;
    REQUIRE(encode_row(dtype::q8_0, x, out).error().code == errc::out_of_range);
    x[17] = 0;
    REQUIRE(encode_row(dtype::iq4_xs, x, out).error().code == errc::unsupported);
    REQUIRE(encode_row(dtype::q8_0, std::span(x).first(250), out).error().code == errc::invalid_argument);
    REQUIRE(encode_row(dtype::q8_0, x, std::span(out).first(8)).error().code == errc::invalid_argument);
    REQUIRE(encode_row(dtype::q8_0, x, out, {rounding::search, std::span(x).first(3)}).error().code == errc::invalid_argument);
    REQUIRE(encode_row(dtype::q8_0, x, out));
}

TEST_CASE("error_report measures what its names say") {
    const std::vector<float> a = {3, 4, 0}, b = {3, 3, 1};
    error_report report;
    report.add(a, b);
    REQUIRE(report.max() == 1.0);
    REQUIRE(std::fabs(report.rms() - std::sqrt(2.0 / 3.0)) < 1e-12);
    REQUIRE(std::fabs(report.cosine() - 21.0 / (5.0 * std::sqrt(19.0))) < 1e-12);
    REQUIRE(std::fabs(report.sqnr_db() - 10 * std::log10(25.0 / 2.0)) < 1e-12);
    error_report halves, second;
    halves.add(std::span(a).first(1), std::span(b).first(1));
    second.add(std::span(a).subspan(1), std::span(b).subspan(1));
    halves.add(second);
    REQUIRE(halves.rms() == report.rms());
    REQUIRE(std::isinf(error_report{}.sqnr_db()));
    REQUIRE(error_report{}.cosine() == 1.0);
}
