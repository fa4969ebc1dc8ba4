// Norms, activations and embeddings against float64.
#include <hence/layers/elementwise.hpp>
#include <hence/layers/embedding.hpp>
#include <hence/layers/layer_norm.hpp>
#include <hence/layers/rms_norm.hpp>

#include "support.hpp"

#include <functional>

using namespace hence;
using namespace hence_test;

namespace {

constexpr std::size_t widths[] = {1, 3, 16, 17, 40, 129};

// Inputs of a useful range: activations are most interesting around 0 and flat far away.
matrix<float> scaled(std::size_t rows, std::size_t columns, float scale) {
    auto m = random_matrix(rows, columns, rows + columns);
    for (float& value : m.span()) value *= scale;
    return m;
}

template <class Layer>
void check_function(const std::function<double(double)>& exact, double bound) {
    for (const kernel_table* tier : tiers()) {
        for (std::size_t width : widths) {
            INFO(name(tier->tier) << " " << width);
            const auto in = scaled(3, width, 8.0f);
            const Layer layer(layers::layer_options{.kernels = tier});
            CHECK(distance(run(layer, in), as_double(in).unaryExpr(exact)) < bound);
            check_rows_are_independent(layer, in);
        }
    }
}

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

}  // namespace

TEST_CASE("activations are the functions that they are named after", "[layers]") {
    // Values reach 8; bounds are a few units in the last place of that.
    check_function<layers::relu<>>([](double x) { return std::max(x, 0.0); }, 1e-30);
    check_function<layers::silu<>>([](double x) { return x * sigmoid(x); }, 4e-6);
    check_function<layers::gelu<>>([](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }, 4e-6);
    check_function<layers::gelu_tanh<>>(
        [](double x) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }, 4e-6);
    check_function<layers::tanh<>>([](double x) { return std::tanh(x); }, 1e-6);
    check_function<layers::sigmoid<>>(sigmoid, 1e-6);
}

TEST_CASE("softmax rows sum to 1 and equal float64", "[layers]") {
    for (const kernel_table* tier : tiers()) {
        for (std::size_t width : widths) {
            auto in = scaled(4, width, 20.0f);
            for (float& value : in.view().row(1).span()) value += 1e4f;  // no overflow
            const layers::softmax<> layer({.kernels = tier});
            Eigen::MatrixXd expected = as_double(in);
            for (Eigen::Index i = 0; i < expected.rows(); ++i) {
                expected.row(i) = (expected.row(i).array() - expected.row(i).maxCoeff()).exp();
                expected.row(i) /= expected.row(i).sum();
            }
            CHECK(distance(run(layer, in), expected) < 2e-6);
            check_rows_are_independent(layer, in);
        }
    }
}

TEST_CASE("an activation may write over its input", "[layers]") {
    auto in = scaled(3, 21, 4.0f);
    const auto check = [&](const auto& layer) {
        auto values = in.copy();
        const auto expected = run(layer, values);
        layer.forward(worker{}, values, values, arena(0).start());
        CHECK(equal_bits(values, expected));
    };
    check(layers::relu<>());
    check(layers::tanh<>());
    check(layers::sigmoid<>());
    check(layers::softmax<>());
}

TEST_CASE("rms_norm and layer_norm equal float64", "[layers]") {
    for (const kernel_table* tier : tiers()) {
        for (std::size_t width : widths) {
            INFO(name(tier->tier) << " " << width);
            const auto in = scaled(3, width, 3.0f);
            const auto weight = random_vector(width, 1);
            const auto bias = random_vector(width, 2);
            const float epsilon = 1e-3f;
            Eigen::MatrixXd rms = as_double(in);
            Eigen::MatrixXd layer = rms;
            for (Eigen::Index i = 0; i < rms.rows(); ++i) {
                rms.row(i) /= std::sqrt(rms.row(i).array().square().mean() + static_cast<double>(epsilon));
                rms.row(i).array() *= as_double(weight).transpose().array();
                layer.row(i).array() -= layer.row(i).mean();
                layer.row(i) /= std::sqrt(layer.row(i).array().square().mean() + static_cast<double>(epsilon));
                layer.row(i).array() *= as_double(weight).transpose().array();
                layer.row(i) += as_double(bias).transpose();
            }
            const layers::rms_norm rms_layer(weight, epsilon, {.kernels = tier});
            const layers::layer_norm layer_layer(weight, bias, epsilon, {.kernels = tier});
            CHECK(distance(run(rms_layer, in), rms) < 1e-5);
            CHECK(distance(run(layer_layer, in), layer) < 2e-5);
            check_rows_are_independent(rms_layer, in);
            check_rows_are_independent(layer_layer, in);
        }
    }
    CHECK_THROWS_AS(layers::layer_norm(random_vector(3, 1), random_vector(4, 1)), hence::exception);
    CHECK_THROWS_AS(layers::rms_norm(random_vector(3, 1)).output_size(4), hence::exception);
}

TEST_CASE("embedding copies the rows of its tokens and refuses tokens it does not have", "[layers]") {
    const auto table = random_matrix(11, 6, 1);
    const layers::embedding layer(table);
    const token_id tokens[] = {10, 0, 3, 3};
    matrix<float> out(4, 6);
    layer.forward(worker{}, tokens, out);
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 6; ++j) CHECK(out(i, j) == table(static_cast<std::size_t>(tokens[i]), j));
    }

    matrix<bf16> halves(11, 6);
    for (std::size_t i = 0; i < halves.size(); ++i) halves.data()[i] = to_bf16(table.data()[i]);
    layers::embedding(halves).forward(worker{}, tokens, out);
    CHECK(out(0, 5) == to_float(halves(10, 5)));

    const token_id high[] = {11};
    const token_id low[] = {-1};
    matrix<float> one(1, 6);
    CHECK_THROWS_AS(layer.forward(worker{}, high, one), hence::exception);
    CHECK_THROWS_AS(layer.forward(worker{}, low, one), hence::exception);
    CHECK_THROWS_AS(layer.forward(worker{}, tokens, one), hence::exception);
}
