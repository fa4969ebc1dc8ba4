// Small networks of a reader's own, on one thread: the perceptron of docs/design's table (128-256-256-64) for a single
// row and for a batch, in floats and in bytes, and one row through a transformer block of a small model's shape.
#include <hence/core/rng.hpp>
#include <hence/layers/elementwise.hpp>
#include <hence/layers/evaluator.hpp>
#include <hence/layers/feed_forward.hpp>
#include <hence/layers/linear.hpp>
#include <hence/layers/rms_norm.hpp>
#include <hence/layers/self_attention.hpp>
#include <hence/layers/sequential.hpp>
#include <hence/layers/transformer_block.hpp>

#include <benchmark/benchmark.h>

namespace {

namespace nn = hence::layers;

template <std::size_t Rows, std::size_t Columns>
hence::matrix<float, Rows, Columns> random_matrix(float scale) {
    hence::matrix<float, Rows, Columns> m;
    const hence::counter_rng random{Rows};
    for (std::size_t i = 0; i < m.size(); ++i)
        m.data()[i] = scale * static_cast<float>(2.0 * random.uniform(i, 0, 0) - 1.0);
    return m;
}

template <std::size_t In, std::size_t Out>
nn::linear<In, Out> random_linear(hence::packing format) {
    return nn::linear<In, Out>(random_matrix<Out, In>(0.1f), random_matrix<1, Out>(0.1f).view().row(0),
                               {.format = format});
}

template <hence::packing Format>
void perceptron(benchmark::State& state) {
    const nn::sequential network(random_linear<128, 256>(Format), nn::relu<>(), random_linear<256, 256>(Format),
                                 nn::relu<>(), random_linear<256, 64>(Format));
    constexpr std::size_t most = 64;
    const auto rows = static_cast<std::size_t>(state.range(0));
    const auto in = random_matrix<most, 128>(1.0f);
    nn::evaluator evaluate(network, {.max_rows = most});
    for (auto _ : state) benchmark::DoNotOptimize(evaluate(in.view().rows(0, rows)).data());
    state.counters["rows"] =
        benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}
BENCHMARK(perceptron<hence::packing::f32>)->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(perceptron<hence::packing::bf16>)->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(perceptron<hence::packing::i8>)->Arg(1)->Arg(8)->Arg(64);

// Width, heads and inner size of a 135M model; a row at position 127 of its sequence.
template <hence::packing Format>
void block_decode(benchmark::State& state) {
    constexpr std::size_t width = 576;
    const auto ones = random_matrix<1, width>(1.0f);
    const nn::transformer_block block(
        nn::rms_norm<width>(ones.view().row(0)),
        nn::self_attention<width, 9, 3, 64>(random_linear<width, width>(Format), random_linear<width, 192>(Format),
                                            random_linear<width, 192>(Format), random_linear<width, width>(Format),
                                            {.rope_base = 10000.0f}),
        nn::rms_norm<width>(ones.view().row(0)),
        nn::gated_feed_forward<width, 1536>(random_linear<width, 1536>(Format), random_linear<width, 1536>(Format),
                                            random_linear<1536, width>(Format), hence::activation::silu));
    const auto in = random_matrix<127, width>(1.0f);
    hence::matrix<float, 127, width> out;
    auto cache = block.attention().make_cache(128);
    hence::arena workspace(block.workspace_bytes(127));
    block.forward(hence::worker{}, in, out, cache, 0, workspace.start());
    for (auto _ : state) {
        block.forward(hence::worker{}, in.view().rows(0, 1), out.view().rows(0, 1), cache, 127, workspace.start());
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(block_decode<hence::packing::f32>);
BENCHMARK(block_decode<hence::packing::i8>);

}  // namespace
