// A network of one's own: layers with static sizes, weights and inputs from Eigen, no model file.
//
// First a perceptron that computes exclusive or with weights small enough to check in the head, then a transformer
// block that is run over a whole sequence and again one row at a time, and once more with 8-bit weights.
//
//     your_own_network
#include <hence/interop/eigen.hpp>
#include <hence/layers/elementwise.hpp>
#include <hence/layers/evaluator.hpp>
#include <hence/layers/feed_forward.hpp>
#include <hence/layers/linear.hpp>
#include <hence/layers/rms_norm.hpp>
#include <hence/layers/self_attention.hpp>
#include <hence/layers/sequential.hpp>
#include <hence/layers/transformer_block.hpp>

#include <cstdlib>
#include <iostream>

namespace nn = hence::layers;

namespace {

// Exclusive or: relu(x + y) counts the ones, relu(x + y - 1) notices the second.
int exclusive_or() {
    const Eigen::Matrix2f hidden_weights{{1, 1}, {1, 1}};
    const Eigen::Vector2f hidden_bias(0, -1);
    const Eigen::RowVector2f output_weights(1, -2);

    const nn::sequential network(nn::linear<2, 2>(hence::as_view(hidden_weights), hence::as_view(hidden_bias)),
                                 nn::relu<>(), nn::linear<2, 1>(hence::as_row(hence::as_view(output_weights))));

    // Eigen stores columns; four samples as columns are, transposed, four rows of the same memory.
    const Eigen::Matrix<float, 2, 4> samples{{0, 0, 1, 1}, {0, 1, 0, 1}};
    nn::evaluator evaluate(network, {.max_rows = 4});
    const auto answers = evaluate(transposed(hence::as_view(samples)));

    int wrong = 0;
    for (int i = 0; i < 4; ++i) {
        const float expected = samples(0, i) != samples(1, i) ? 1.0f : 0.0f;
        std::cout << samples(0, i) << " xor " << samples(1, i) << " = " << answers(i, 0) << "\n";
        wrong += answers(i, 0) == expected ? 0 : 1;
    }
    return wrong;
}

// Four query heads of eight over two heads of keys and values, and a gated network four times as wide.
constexpr std::size_t width = 32, heads = 4, kv_heads = 2, head_size = 8, inner = 128;

template <std::size_t In, std::size_t Out>
nn::linear<In, Out> random_linear(hence::packing format) {
    const Eigen::Matrix<float, Out, In> weights = Eigen::Matrix<float, Out, In>::Random() / std::sqrt(float(In));
    return nn::linear<In, Out>(hence::as_view(weights), {.format = format});
}

auto make_block(hence::packing format) {
    std::srand(1);  // Eigen's Random(): the same weights each time
    const Eigen::Vector<float, width> ones = Eigen::Vector<float, width>::Ones();
    nn::self_attention<width, heads, kv_heads, head_size> attention(
        random_linear<width, heads * head_size>(format), random_linear<width, kv_heads * head_size>(format),
        random_linear<width, kv_heads * head_size>(format), random_linear<heads * head_size, width>(format),
        {.rope_base = 10000.0f});
    nn::gated_feed_forward<width, inner> feed_forward(random_linear<width, inner>(format),
                                                      random_linear<width, inner>(format),
                                                      random_linear<inner, width>(format), hence::activation::silu);
    return nn::transformer_block(nn::rms_norm<width>(hence::as_view(ones)), std::move(attention),
                                 nn::rms_norm<width>(hence::as_view(ones)), std::move(feed_forward));
}

int transformer() {
    const auto block = make_block(hence::packing::f32);
    const Eigen::Matrix<float, width, 12> sequence = Eigen::Matrix<float, width, 12>::Random();
    const auto rows = transposed(hence::as_view(sequence));

    // The whole sequence at once, on two threads.
    hence::spin_team team(2);
    nn::evaluator evaluate(block, {.max_rows = 12, .team = &team});
    const hence::matrix<float, hence::dynamic_extent, width> whole = copy(evaluate(rows));

    // The same one row at a time, as a program does that makes each row from the last: earlier keys and values wait
    // in a cache.
    auto cache = block.attention().make_cache(12);
    hence::arena workspace(block.workspace_bytes(1));
    hence::matrix<float, 12, width> stepwise;
    for (std::size_t i = 0; i < 12; ++i) {
        block.forward(hence::worker{}, rows.rows(i, 1), stepwise.view().rows(i, 1), cache, i, workspace.start());
    }
    const bool same = as_eigen(whole) == as_eigen(stepwise);

    // And with weights of one byte each.
    const auto small = make_block(hence::packing::i8);
    nn::evaluator evaluate_small(small, {.max_rows = 12});
    const float error = (as_eigen(evaluate_small(rows)) - as_eigen(whole)).norm() / as_eigen(whole).norm();

    std::cout << "transformer block: 12 rows of " << width << ", norm " << as_eigen(whole).norm() << "\n"
              << "one row at a time: " << (same ? "the same bits" : "DIFFERENT") << "\n"
              << "8-bit weights: relative difference " << error << "\n";
    return same && error < 0.05f ? 0 : 1;
}

}  // namespace

int main() {
    return exclusive_or() + transformer() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
