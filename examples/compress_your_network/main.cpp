// A network of your own made smaller: half of its weights pruned, the rest in 8 bits, and what that costs.
//
// Two layers with weights of any origin (here: smooth made-up ones). The mask keeps the two larger of every four
// neighbours; int8 has one scale per output.
#include <hence/hence.hpp>

#include <cmath>
#include <cstdio>

namespace nn = hence::layers;

namespace {

hence::matrix<float> made_up(std::size_t rows, std::size_t columns) {
    hence::matrix<float> w(rows, columns);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j)
            w(i, j) = std::sin(float(7 * i + 1) * float(3 * j + 2)) * std::exp(-float(j % 8)) / std::sqrt(float(columns));
    return w;
}

}  // namespace

int main() {
    const auto first = made_up(128, 64), second = made_up(16, 128), samples = made_up(32, 64);
    const nn::sequential dense(nn::linear<>(first.view()), nn::relu<>(), nn::linear<>(second.view()));

    const auto two_of_four = hence::parse_mask_pattern("2:4").value();
    const auto first_mask = hence::build_mask(hence::magnitude_scores(first.view()).view(), two_of_four).value();
    const auto second_mask = hence::build_mask(hence::magnitude_scores(second.view()).view(), two_of_four).value();
    const nn::sequential small(nn::linear<>(first.view(), {.format = hence::packing::i8, .kept = &first_mask}), nn::relu<>(),
                               nn::linear<>(second.view(), {.format = hence::packing::i8, .kept = &second_mask}));

    nn::evaluator run_dense(dense, {.max_rows = 32, .inputs = 64}), run_small(small, {.max_rows = 32, .inputs = 64});
    const auto expected = run_dense(samples.view()), found = run_small(samples.view());
    double error = 0, size = 0;
    for (std::size_t i = 0; i < 32; ++i)
        for (std::size_t j = 0; j < 16; ++j) {
            error += std::pow(double(found(i, j)) - double(expected(i, j)), 2);
            size += std::pow(double(expected(i, j)), 2);
        }
    std::printf("kept %zu of %zu weights, relative error %.4f\n", first_mask.count() + second_mask.count(),
                first.view().size() + second.view().size(), std::sqrt(error / size));
    return error < 0.04 * size ? 0 : 1;
}
