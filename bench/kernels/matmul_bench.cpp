// Matrix products per tier and packing: one row (decode: bytes per second are what counts), a few (branches) and many
// (prefill: operations per second). `small` is a layer that stays in cache, `large` one that comes from memory.
//
//   bench_kernels --benchmark_filter='matmul/avx512vnni/q8/.*'
#include "tiers.hpp"

#include <hence/core/scalar.hpp>
#include <hence/kernels/pack.hpp>
#include <hence/sys/thread_team.hpp>

#include <algorithm>
#include <map>

using namespace hence_bench;
using hence::packing;

namespace {

struct shape {
    const char* name;
    std::size_t rows, columns;
};
constexpr shape shapes[] = {{"small", 1536, 576}, {"large", 16384, 4096}};

// Packed weights of any valid bytes: speed does not depend on values, as long as they are ordinary numbers.
const hence::packed_matrix& weights(packing format, const shape& s) {
    static std::map<std::string, std::pair<aligned_bytes, hence::packed_matrix>> made;
    const std::string key = std::string(hence::name(format)) + s.name;
    const auto found = made.find(key);
    if (found != made.end()) return found->second.second;
    const hence::packed_matrix empty{format, s.rows, s.columns, nullptr};
    aligned_bytes memory = allocate(empty.bytes());
    const hence::panel_layout layout = empty.layout();
    const hence::counter_rng rng{7};
    std::vector<std::byte> panel(layout.bytes());
    for (std::size_t at = 0; at < panel.size(); at += 4) {
        std::uint32_t word = rng.words(0, static_cast<std::uint32_t>(at), 0)[0];
        if (at >= layout.value_bytes)
            word = format == packing::i8 ? 0x3c23d70au : 0x211f211fu;  // scales near 0.01
        else if (format == packing::f32 || format == packing::bf16 || format == packing::bf16d)
            word = (word & 0x807f807fu) | 0x3f003f00u;
        else if (format == packing::f16)
            word = (word & 0x83ff83ffu) | 0x38003800u;
        std::memcpy(panel.data() + at, &word, 4);
    }
    for (std::size_t p = 0; p < empty.panels(); ++p)
        std::memcpy(memory.get() + p * panel.size(), panel.data(), panel.size());
    hence::packed_matrix matrix = empty;
    matrix.data = memory.get();
    return made.emplace(key, std::pair{std::move(memory), matrix}).first->second.second;
}

void matmul(benchmark::State& state, const hence::kernel_table* table, packing format, const shape& s,
            std::size_t batch, int threads) {
    const hence::packed_matrix& matrix = weights(format, s);
    const std::vector<float> x = random_floats(batch * s.columns);
    const aligned_bytes quant_memory = allocate(batch * s.columns);
    auto* const quants = reinterpret_cast<std::int8_t*>(quant_memory.get());
    const std::size_t blocks = s.columns / 32;
    std::vector<float> scales(batch * blocks);
    std::vector<std::int32_t> sums(batch);
    std::vector<hence::block_sum> block_sums(batch * blocks);
    std::vector<std::uint16_t> halves(batch * s.columns);
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = hence::to_bf16(x[i]).bits;
    const aligned_bytes out_memory = allocate(batch * s.rows * sizeof(float));
    auto* const out = reinterpret_cast<float*>(out_memory.get());
    hence::matmul_args args;
    args.weights = matrix;
    args.rows = batch;
    args.out = out;
    args.out_stride = s.rows;
    const bool by_row = hence::activations_of(format) == hence::activation_format::q8_row;
    args.in = {.values = x.data(),
               .value_stride = s.columns,
               .quants = quants,
               .quant_stride = s.columns,
               .scales = scales.data(),
               .sums = sums.data(),
               .block_sums = block_sums.data(),
               .halves = halves.data(),
               .half_stride = s.columns,
               .block_stride = by_row ? 1 : blocks};
    for (std::size_t t = 0; t < batch; ++t) {
        if (by_row)
            table->quantize_row(&x[t * s.columns], s.columns, &quants[t * s.columns], &scales[t], &sums[t]);
        else
            table->quantize_blocks(&x[t * s.columns], s.columns, &quants[t * s.columns], &scales[t * blocks],
                                   &block_sums[t * blocks]);
    }
    const auto product = table->matmul[static_cast<std::size_t>(format)];
    hence::spin_team team(threads);
    for (auto _ : state) {
        team.each([&](const hence::worker& self) {
            const hence::index_range panels = self.share(matrix.panels());
            product(args, panels.begin, panels.end);
        });
        benchmark::DoNotOptimize(out);
        benchmark::ClobberMemory();
    }
    const double operations = 2.0 * static_cast<double>(batch * s.rows * s.columns);
    report(state, operations, static_cast<double>(matrix.bytes()));
    const tool::machine_limits& most = limits(table->tier, threads);
    const double rate =
        hence::activations_of(format) == hence::activation_format::f32 ? most.f32_per_second : most.int8_per_second;
    const double from_memory = s.rows > 2000 ? static_cast<double>(matrix.bytes()) / most.bytes_per_second : 0.0;
    report_limit(state, std::max(from_memory, rate > 0 ? operations / rate : 0.0));
}

const bool registered = [] {
    for (const hence::kernel_table* table : fast_tiers())
        for (std::size_t i = 0; i < hence::packing_count && !hence::is_sparse(static_cast<packing>(i)); ++i)
            for (const shape& s : shapes)
                for (const std::size_t batch : {std::size_t{1}, std::size_t{8}, std::size_t{32}, std::size_t{256}})
                    for (const int threads : {1, 2}) {
                        if (batch > 32 && s.rows > 2000) continue;  // no other regime than the small one's
                        const auto format = static_cast<packing>(i);
                        const std::string name =
                            "matmul/" + std::string(hence::name(table->tier)) + "/" + std::string(hence::name(format)) +
                            "/" + s.name + "/rows:" + std::to_string(batch) + "/threads:" + std::to_string(threads);
                        benchmark::RegisterBenchmark(name.c_str(), [=, &s](benchmark::State& state) {
                            matmul(state, table, format, s, batch, threads);
                        })->UseRealTime();
                    }
    return true;
}();

}  // namespace
