// Layers put together: sequential, layer_list, residual, feed-forward networks, transformer blocks, evaluator.
#include <hence/layers/elementwise.hpp>
#include <hence/layers/evaluator.hpp>
#include <hence/layers/feed_forward.hpp>
#include <hence/layers/layer_list.hpp>
#include <hence/layers/layer_norm.hpp>
#include <hence/layers/linear.hpp>
#include <hence/layers/residual.hpp>
#include <hence/layers/rms_norm.hpp>
#include <hence/layers/self_attention.hpp>
#include <hence/layers/sequential.hpp>
#include <hence/layers/transformer_block.hpp>

#include "support.hpp"
#include "support/counting_new.hpp"

using namespace hence;
using namespace hence_test;
using namespace hence::layers;

namespace {

template <std::size_t In, std::size_t Out>
linear<In, Out> fixed_linear(std::uint64_t seed, linear_options options = {}) {
    const auto weights = random_matrix(Out, In, seed);
    const auto bias = random_vector(Out, seed + 100);
    return linear<In, Out>(matrix_view<const float, Out, In>(weights.view()),
                           vector_view<const float, Out>(bias.span()), options);
}

linear<> free_linear(std::size_t in, std::size_t out, std::uint64_t seed, linear_options options = {}) {
    return linear<>(random_matrix(out, in, seed), random_vector(out, seed + 100), options);
}

Eigen::MatrixXd product(const Eigen::MatrixXd& x, std::size_t out, std::uint64_t seed) {
    const auto weights = random_matrix(out, static_cast<std::size_t>(x.cols()), seed);
    return (x * as_double(weights).transpose()).rowwise() + as_double(random_vector(out, seed + 100)).transpose();
}

Eigen::MatrixXd normed(const Eigen::MatrixXd& x, const owned_vector<float>& weight) {
    Eigen::MatrixXd result = x;
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
        result.row(i) /= std::sqrt(x.row(i).array().square().mean() + 1e-5);
        result.row(i).array() *= as_double(weight).transpose().array();
    }
    return result;
}

double silu_of(double x) {
    return x / (1 + std::exp(-x));
}

auto make_mlp() {
    return sequential(fixed_linear<10, 24>(1), relu<>(), fixed_linear<24, 33>(2), layers::tanh<33>(),
                      fixed_linear<33, 5>(3));
}

// A causal block of run-time width 24: 4 heads of 6 over 2 kv heads.
auto make_block(norm_place place, linear_options options = {}) {
    return transformer_block(rms_norm(random_vector(24, 1)),
                             self_attention<>(free_linear(24, 24, 2, options), free_linear(24, 12, 3, options),
                                              free_linear(24, 12, 4, options), free_linear(24, 24, 5, options),
                                              {.heads = 4, .kv_heads = 2, .rope_base = 10000.0f}),
                             rms_norm(random_vector(24, 6)),
                             gated_feed_forward<>(free_linear(24, 50, 7, options), free_linear(24, 50, 8, options),
                                                  free_linear(50, 24, 9, options), activation::silu),
                             place);
}

}  // namespace

TEST_CASE("sequential is its layers one after another", "[layers]") {
    const auto in = random_matrix(7, 10, 4);
    const auto mlp = make_mlp();
    static_assert(decltype(mlp)::static_output(10) == 5);
    const auto by_hand =
        run(mlp.get<4>(), run(mlp.get<3>(), run(mlp.get<2>(), run(mlp.get<1>(), run(mlp.get<0>(), in)))));
    CHECK(equal_bits(run(mlp, in), by_hand));
    check_rows_are_independent(mlp, in);

    const Eigen::MatrixXd hidden = product(as_double(in), 24, 1).cwiseMax(0.0);
    const Eigen::MatrixXd second = product(hidden, 33, 2).array().tanh();
    CHECK(distance(run(mlp, in), product(second, 5, 3)) < 2e-5);

    const sequential single(fixed_linear<10, 24>(1));
    CHECK(equal_bits(run(single, in), run(mlp.get<0>(), in)));
    const sequential nested(sequential(fixed_linear<10, 24>(1)), sequential(relu<>(), fixed_linear<24, 33>(2)));
    static_assert(decltype(nested)::static_output(10) == 33);
    CHECK(equal_bits(run(nested, in), run(mlp.get<2>(), run(mlp.get<1>(), run(single, in)))));
}

TEST_CASE("run-time sizes that do not fit in a sequential are contract violations", "[layers]") {
    const sequential wrong(free_linear(10, 24, 1), free_linear(25, 5, 2));
    CHECK_THROWS_AS(wrong.output_size(10), hence::exception);
    CHECK_THROWS_AS(wrong.workspace_bytes(1, 10), hence::exception);
    const sequential right(free_linear(10, 24, 1), relu<24>(), free_linear(24, 5, 2));
    CHECK(right.output_size(10) == 5);
    CHECK_THROWS_AS(right.output_size(11), hence::exception);
    const sequential mixed(free_linear(10, 23, 1), relu<24>());
    CHECK_THROWS_AS(mixed.output_size(10), hence::exception);
}

TEST_CASE("layer_list gives the same bits as sequential", "[layers]") {
    const auto in = random_matrix(7, 10, 4);
    layer_list list(10);
    CHECK(equal_bits(run(list, in), in));
    list.push_back(fixed_linear<10, 24>(1));
    CHECK(equal_bits(run(list, in), run(make_mlp().get<0>(), in)));
    list.push_back(relu<>());
    list.push_back(free_linear(24, 33, 2));
    CHECK_THROWS_AS(list.push_back(free_linear(34, 5, 3)), hence::exception);
    CHECK_THROWS_AS(list.push_back(layers::tanh<34>()), hence::exception);
    list.push_back(layers::tanh<33>());
    list.push_back(free_linear(33, 5, 3));
    CHECK(list.size() == 5);
    CHECK(list.outputs() == 5);
    CHECK(equal_bits(run(list, in), run(make_mlp(), in)));
    CHECK(equal_bits(run(list, in, 3), run(make_mlp(), in)));
    CHECK_THROWS_AS(list.output_size(11), hence::exception);
}

TEST_CASE("residual adds its input", "[layers]") {
    const auto in = random_matrix(5, 12, 1);
    const residual layer(free_linear(12, 12, 2));
    const auto inner = run(layer.inner(), in);
    const auto sum = run(layer, in);
    for (std::size_t i = 0; i < in.size(); ++i) CHECK(sum.data()[i] == in.data()[i] + inner.data()[i]);
    check_rows_are_independent(layer, in);
    CHECK_THROWS_AS(residual(free_linear(12, 13, 2)).output_size(12), hence::exception);
}

TEST_CASE("feed-forward networks equal float64", "[layers]") {
    const auto in = random_matrix(6, 20, 1);
    const Eigen::MatrixXd x = as_double(in);
    const feed_forward<> plain(free_linear(20, 45, 2), free_linear(45, 20, 3), activation::relu);
    CHECK(distance(run(plain, in), product(product(x, 45, 2).cwiseMax(0.0), 20, 3)) < 2e-5);
    check_rows_are_independent(plain, in);

    const gated_feed_forward<20, 45> gated(fixed_linear<20, 45>(4), fixed_linear<20, 45>(5), fixed_linear<45, 20>(6),
                                           activation::silu);
    const Eigen::MatrixXd inner = product(x, 45, 4).unaryExpr(&silu_of).cwiseProduct(product(x, 45, 5));
    CHECK(distance(run(gated, in), product(inner, 20, 6)) < 5e-5);
    check_rows_are_independent(gated, in);
    CHECK_THROWS_AS(feed_forward<>(free_linear(20, 45, 2), free_linear(44, 20, 3), activation::relu), hence::exception);
}

TEST_CASE("a transformer block is its parts with norms and residual connections", "[layers]") {
    const auto in = random_matrix(40, 24, 7);
    const Eigen::MatrixXd x = as_double(in);
    const auto block = make_block(norm_place::before);
    const auto floats = [](const Eigen::MatrixXd& m) {
        matrix<float> result(static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols()));
        as_eigen(result) = m.cast<float>();
        return result;
    };
    const auto feed = [](const Eigen::MatrixXd& y) {
        return product(product(y, 50, 7).unaryExpr(&silu_of).cwiseProduct(product(y, 50, 8)), 24, 9);
    };
    // The attention itself has an oracle of its own (self_attention_test.cpp).
    const auto attended = [&](const Eigen::MatrixXd& y) { return as_double(run(block.attention(), floats(y))); };
    {
        const Eigen::MatrixXd middle = x + attended(normed(x, random_vector(24, 1)));
        CHECK(distance(run(block, in), middle + feed(normed(middle, random_vector(24, 6)))) < 1e-4);
    }
    {
        const Eigen::MatrixXd middle = normed(x + attended(x), random_vector(24, 1));
        CHECK(distance(run(make_block(norm_place::after), in), normed(middle + feed(middle), random_vector(24, 6))) <
              1e-4);
    }
    for (int threads : {2, 3}) CHECK(equal_bits(run(block, in, threads), run(block, in)));

    auto cache = block.attention().make_cache(40);
    matrix<float> out(40, 24);
    arena workspace(block.workspace_bytes(39, 24));
    block.forward(worker{}, in.view().rows(0, 39), out.view().rows(0, 39), cache, 0, workspace.start());
    block.forward(worker{}, in.view().rows(39, 1), out.view().rows(39, 1), cache, 39, workspace.start());
    CHECK(equal_bits(out, run(block, in)));
}

TEST_CASE("an evaluator runs any network without allocating", "[layers]") {
    const auto in = random_matrix(33, 24, 7);
    for (packing format : {packing::f32, packing::i8}) {
        const sequential network(make_block(norm_place::before, {.format = format}),
                                 make_block(norm_place::after, {.format = format}),
                                 free_linear(24, 9, 20, {.format = format}), layers::softmax<>());
        const auto expected = run(network, in);
        for (int threads : {1, 2}) {
            spin_team team(threads);
            evaluator evaluate(network, {.max_rows = 33, .inputs = 24, .team = &team});
            const std::uint64_t before = heap_allocations.load();
            const auto all_rows = evaluate(in);
            const std::uint64_t after = heap_allocations.load();
            CHECK(after == before);
            CHECK(equal_bits(copy(matrix_view<const float>(all_rows.data(), 33, 9)), expected));
            CHECK(evaluate(in.view().rows(0, 3)).extent(0) == 3);
            CHECK_THROWS_AS(evaluate(random_matrix(34, 24, 1)), hence::exception);
            CHECK_THROWS_AS(evaluate(random_matrix(3, 23, 1)), hence::exception);
        }
    }
    const auto mlp = make_mlp();
    evaluator evaluate(mlp);
    const auto single = random_vector(10, 3);
    const auto out = evaluate(rows_in<10>(as_row(single.view())));
    static_assert(decltype(out)::static_extent(1) == 5);
    CHECK(out.extent(0) == 1);
    const linear<> no_width = free_linear(3, 3, 1);
    CHECK_THROWS_AS(evaluator(no_width), hence::exception);
}
