#include "support/catch.hpp"

#include <hence/compress/gptq.hpp>
#include <hence/compress/rescale.hpp>
#include <hence/quant/decode.hpp>
#include <hence/quant/encode.hpp>

#include <Eigen/Dense>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace hence;

namespace {

using rows_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Inputs as they are in networks: few directions carry most of them, and some channels are large.
struct problem {
    std::size_t rows = 24, columns = 256;
    std::vector<float> weights;
    compress::input_statistics inputs;

    explicit problem(unsigned seed) {
        std::srand(seed);
        const auto k = static_cast<Eigen::Index>(columns);
        const rows_matrix mix = rows_matrix::Random(40, k);
        rows_matrix x = rows_matrix::Random(600, 40) * mix + 0.3 * rows_matrix::Random(600, k);
        for (Eigen::Index j = 0; j < k; j += 37) x.col(j) *= 12.0;
        const rows_matrix w = rows_matrix::Random(static_cast<Eigen::Index>(rows), k);
        for (Eigen::Index i = 0; i < w.size(); ++i) weights.push_back(static_cast<float>(std::pow(w.data()[i], 3)));
        const rows_matrix gram = x.transpose() * x;
        inputs.rows = 600;
        inputs.width = columns;
        inputs.gram.assign(gram.data(), gram.data() + gram.size());
        for (Eigen::Index j = 0; j < k; ++j) {
            inputs.sum_squares.push_back(gram(j, j));
            inputs.absolute_maximum.push_back(static_cast<float>(x.col(j).cwiseAbs().maxCoeff()));
        }
    }

    // The squared change of all products.
    [[nodiscard]] double loss(dtype type, const std::vector<std::byte>& data) const {
        std::vector<float> decoded(weights.size());
        decode_row(type, data, decoded).value();
        const auto n = static_cast<Eigen::Index>(rows), k = static_cast<Eigen::Index>(columns);
        rows_matrix off(n, k);
        for (std::size_t i = 0; i < weights.size(); ++i)
            off.data()[i] = static_cast<double>(decoded[i]) - static_cast<double>(weights[i]);
        return (off * Eigen::Map<const rows_matrix>(inputs.gram.data(), k, k) * off.transpose()).trace();
    }

    [[nodiscard]] std::vector<std::byte> nearest(dtype type, rounding how) const {
        std::vector<std::byte> data(rows * row_bytes(type, columns));
        for (std::size_t r = 0; r < rows; ++r)
            encode_row(type, std::span(weights).subspan(r * columns, columns),
                       std::span(data).subspan(r * row_bytes(type, columns), row_bytes(type, columns)), {how, {}}).value();
        return data;
    }
};

}  // namespace

TEST_CASE("compensation changes the products less than rounding does") {
    serial_team one;
    spin_team three(3);
    for (const dtype type : {dtype::q4_0, dtype::q4_1, dtype::q4_k, dtype::q6_k, dtype::q8_0}) {
        const problem p(7);
        INFO(name(type));
        const double plain = p.loss(type, p.nearest(type, rounding::search));
        const auto compensated = compress::gptq(type, p.weights, p.rows, p.inputs, one).value();
        CHECK(p.loss(type, compensated) < 0.7 * plain);
        CHECK(p.loss(type, compress::gptq(type, p.weights, p.rows, p.inputs, one, {.act_order = true}).value()) < 0.7 * plain);
        REQUIRE(compress::gptq(type, p.weights, p.rows, p.inputs, three).value() == compensated);
    }
}

TEST_CASE("without correlations there is nothing to compensate") {
    problem p(3);
    for (std::size_t i = 0; i < p.columns; ++i)
        for (std::size_t j = 0; j < p.columns; ++j) p.inputs.gram[i * p.columns + j] = i == j ? 1.0 : 0.0;
    serial_team team;
    REQUIRE(compress::gptq(dtype::q4_0, p.weights, p.rows, p.inputs, team).value() == p.nearest(dtype::q4_0, rounding::search));
    p.inputs.gram.assign(p.inputs.gram.size(), 0.0);  // nobody reads it
    REQUIRE(compress::gptq(dtype::q4_0, p.weights, p.rows, p.inputs, team).value() == p.nearest(dtype::q4_0, rounding::search));
}

TEST_CASE("a gram matrix without full rank is damped") {
    problem p(5);
    const auto k = static_cast<Eigen::Index>(p.columns);
    const rows_matrix few = rows_matrix::Random(3, k);
    const rows_matrix gram = few.transpose() * few;
    p.inputs.gram.assign(gram.data(), gram.data() + gram.size());
    serial_team team;
    CHECK(p.loss(dtype::q4_0, compress::gptq(dtype::q4_0, p.weights, p.rows, p.inputs, team).value()) <
          p.loss(dtype::q4_0, p.nearest(dtype::q4_0, rounding::search)));
}

TEST_CASE("gptq refuses what it cannot do") {
    problem p(1);
    serial_team team;
    REQUIRE(compress::gptq(dtype::q2_k, p.weights, p.rows, p.inputs, team).error().code == errc::unsupported);
    REQUIRE(compress::gptq(dtype::q4_0, p.weights, p.rows + 1, p.inputs, team).error().code == errc::invalid_argument);
    p.weights[p.columns + 3] = std::numeric_limits<float>::quiet_NaN();
    const auto bad = compress::gptq(dtype::q4_0, p.weights, p.rows, p.inputs, team);
    REQUIRE(bad.error().code == errc::not_a_number);
    REQUIRE(bad.error().message().find("row 1, column 3") != std::string::npos);
    p.inputs.gram.clear();
    REQUIRE(compress::gptq(dtype::q4_0, p.weights, p.rows, p.inputs, team).error().code == errc::invalid_argument);
}

TEST_CASE("rescaling leaves products as they are and evens out ranges") {
    const problem p(9);
    compress::float_matrix matrix{"w", p.rows, p.columns, p.weights};
    const compress::float_matrix* const readers[] = {&matrix};
    const std::vector<float> scales = compress::smoothing_scales(p.inputs, readers, 0.5f);
    compress::input_statistics divided = p.inputs;
    compress::divide_inputs(divided, scales);
    const auto spread = [](const std::vector<float>& maxima) {
        return *std::max_element(maxima.begin(), maxima.end()) / *std::min_element(maxima.begin(), maxima.end());
    };
    CHECK(spread(divided.absolute_maximum) < 0.5f * spread(p.inputs.absolute_maximum));

    // trace(W G W^T) is the sum of all squared products: scaled weights on divided inputs give the same.
    const auto n = static_cast<Eigen::Index>(p.rows), k = static_cast<Eigen::Index>(p.columns);
    const auto energy = [&](const std::vector<float>& w, const compress::input_statistics& in) {
        const rows_matrix m = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(w.data(), n, k).cast<double>();
        return (m * Eigen::Map<const rows_matrix>(in.gram.data(), k, k) * m.transpose()).trace();
    };
    const double before = energy(matrix.values, p.inputs);
    compress::scale_columns(matrix, scales);
    CHECK(std::fabs(energy(matrix.values, divided) - before) < 1e-4 * before);  // float weights were rounded once
    for (std::size_t j = 0; j < p.columns; ++j)
        REQUIRE(std::fabs(divided.sum_squares[j] - divided.gram[j * p.columns + j]) < 1e-9 * divided.sum_squares[j]);
}
