// Products that skip zeros beside the dense product of the same matrix, zeros written in: both in turn within one
// iteration, so that what else the machine does meets both alike. `ratio` is dense time over sparse time, medians.
//
// `layer` goes through as many copies of a matrix as a model has layers' worth of bytes, so that weights come from memory
// as they do in decoding; `cached` stays with one.
//
//   bench_kernels --benchmark_filter='sparse/avx2/.*'
#include "tiers.hpp"

#include <hence/core/scalar.hpp>
#include <hence/kernels/pack.hpp>
#include <hence/kernels/sparse.hpp>
#include <hence/sys/thread_team.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

using namespace hence_bench;
using hence::dtype;
using hence::packing;

namespace {

struct shape {
    const char* name;
    std::size_t rows, columns;
};
constexpr shape shapes[] = {
    {"135m-up", 1536, 576}, {"135m-down", 576, 1536}, {"0.5b-up", 4864, 896}, {"0.5b-down", 896, 4864}};

struct format_case {
    packing sparse;
    dtype type;
    packing dense;
};
constexpr format_case formats[] = {
    {packing::q8_24, dtype::q8_0, packing::q8},     {packing::q8_48, dtype::q8_0, packing::q8},
    {packing::q4_24, dtype::q4_0, packing::q4},     {packing::i8_24, dtype::i8, packing::i8},
    {packing::q8_block, dtype::q8_0, packing::q8},  {packing::q8_rows, dtype::q8_0, packing::q8},
    {packing::f32_24, dtype::f32, packing::f32},    {packing::bf16_24, dtype::bf16, packing::bf16},
    {packing::f32_block, dtype::f32, packing::f32}, {packing::bf16_block, dtype::bf16, packing::bf16},
    {packing::f32_rows, dtype::f32, packing::f32}};

// Whether a weight stays: half of them in the packing's own pattern; of compressed rows one in ten (8 bits), or half.
bool stays(packing format, std::size_t row, std::size_t column, const hence::counter_rng& rng) {
    const auto draw = [&](std::size_t a, std::size_t b) {
        return rng.uniform(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b), 0);
    };
    switch (format) {
        case packing::q8_24:
        case packing::q4_24:
        case packing::i8_24:
        case packing::f32_24:
        case packing::bf16_24: {
            const auto first = static_cast<std::size_t>(draw(row, column / 4) * 4);
            return column % 4 == first || column % 4 == (first + 1 + column / 4 % 3) % 4;
        }
        case packing::q8_48: {
            const auto first = static_cast<std::size_t>(draw(row, column / 8) * 8);
            return (column + first) % 8 < 4;
        }
        case packing::q8_block:
        case packing::f32_block:
        case packing::bf16_block: return draw(row / 16, column / 4) < 0.5;
        case packing::q8_rows: return draw(row, column) < 0.1;
        default: return draw(row, column) < 0.5;
    }
}

std::vector<std::byte> masked_rows(const format_case& f, const shape& s) {
    const hence::counter_rng rng{11};
    std::vector<std::byte> bytes(s.rows * hence::row_bytes(f.type, s.columns));
    std::byte* out = bytes.data();
    const hence::f16 scale = hence::to_f16(0.01f);
    for (std::size_t r = 0; r < s.rows; ++r) {
        for (std::size_t k = 0; k < s.columns; ++k) {
            const bool kept = stays(f.sparse, r, k, rng);
            const int value = kept ? static_cast<int>(r * 31 + k * 17) % 100 + 1 : 0;
            if (f.type == dtype::f32) {
                const float x = static_cast<float>(value) * 0.01f;
                std::memcpy(out + 4 * k, &x, 4);
            } else if (f.type == dtype::bf16) {
                const hence::bf16 x = hence::to_bf16(static_cast<float>(value) * 0.01f);
                std::memcpy(out + 2 * k, &x.bits, 2);
            } else if (f.type == dtype::i8) {
                out[k] = static_cast<std::byte>(value);
            } else if (f.type == dtype::q8_0) {
                std::memcpy(out + k / 32 * 34, &scale.bits, 2);
                out[k / 32 * 34 + 2 + k % 32] = static_cast<std::byte>(value);
            } else {
                std::memcpy(out + k / 32 * 18, &scale.bits, 2);
                const auto nibble = static_cast<std::byte>(kept ? 9 + value % 7 : 8);
                std::byte& at = out[k / 32 * 18 + 2 + k % 16];
                at = k % 32 < 16 ? nibble : at | nibble << 4;
            }
        }
        out += hence::row_bytes(f.type, s.columns);
    }
    return bytes;
}

struct pair_of_matrices {
    std::vector<aligned_bytes> memory;
    std::vector<hence::packed_matrix> dense, sparse;
    std::size_t dense_bytes = 0, sparse_bytes = 0;
};

const pair_of_matrices& weights(const format_case& f, const shape& s, std::size_t copies) {
    static std::map<std::string, pair_of_matrices> made;  // one at a time: hundreds of MB each
    const std::string key = std::string(hence::name(f.sparse)) + s.name + std::to_string(copies);
    const auto found = made.find(key);
    if (found != made.end()) return found->second;
    made.clear();
    const std::vector<std::byte> source = masked_rows(f, s);
    pair_of_matrices& p = made[key];
    p.dense_bytes = hence::packed_matrix{f.dense, s.rows, s.columns, nullptr}.bytes();
    p.sparse_bytes = hence::kernels::sparse_bytes(f.sparse, f.type, source.data(), s.rows, s.columns);
    for (std::size_t i = 0; i < copies; ++i) {
        aligned_bytes dense = allocate(p.dense_bytes);
        aligned_bytes sparse = allocate(p.sparse_bytes);
        if (i == 0) {
            const std::size_t panels = (s.rows + 15) / 16;
            if (f.type == dtype::i8) {
                const auto* quants = reinterpret_cast<const std::int8_t*>(source.data());
                const std::vector<float> scales(s.rows, 0.01f);
                hence::kernels::pack_panels_i8(quants, scales.data(), s.rows, s.columns, 0, panels, dense.get());
                hence::kernels::pack_panels_i8_24(quants, scales.data(), s.rows, s.columns, 0, panels, sparse.get());
            } else {
                hence::kernels::pack_panels(f.type, source.data(), s.rows, s.columns, 0, panels, dense.get());
                hence::kernels::pack_sparse(f.sparse, f.type, source.data(), s.rows, s.columns, sparse.get());
            }
        } else {
            std::memcpy(dense.get(), p.dense[0].data, p.dense_bytes);
            std::memcpy(sparse.get(), p.sparse[0].data, p.sparse_bytes);
        }
        p.dense.push_back({f.dense, s.rows, s.columns, dense.get()});
        p.sparse.push_back({f.sparse, s.rows, s.columns, sparse.get()});
        p.memory.push_back(std::move(dense));
        p.memory.push_back(std::move(sparse));
    }
    return p;
}

double median(std::vector<double>& times) {
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return times[times.size() / 2];
}

void product(benchmark::State& state, const hence::kernel_table* table, const format_case& f, const shape& s,
             std::size_t batch, int threads, bool cached) {
    const std::size_t bytes = s.rows * hence::row_bytes(f.type, s.columns);
    const std::size_t copies = cached ? 1 : (std::size_t{200} << 20) / bytes;
    const pair_of_matrices& p = weights(f, s, copies);
    const std::vector<float> x = random_floats(batch * s.columns);
    const std::size_t blocks = s.columns / 32;
    std::vector<std::int8_t> quants(batch * s.columns);
    std::vector<float> scales(batch * blocks);
    std::vector<hence::block_sum> sums(batch * blocks);
    std::vector<float> out(batch * s.rows);
    hence::matmul_args args;
    args.rows = batch;
    args.out = out.data();
    args.out_stride = s.rows;
    args.in.values = x.data();
    args.in.value_stride = s.columns;
    args.in.quants = quants.data();
    args.in.quant_stride = s.columns;
    args.in.scales = scales.data();
    args.in.block_sums = sums.data();
    std::vector<std::int32_t> row_sums(batch);
    args.in.sums = row_sums.data();
    args.in.block_stride = f.type == dtype::i8 ? 1 : blocks;
    for (std::size_t t = 0; t < batch; ++t) {
        std::int8_t* const to = &quants[t * s.columns];
        if (f.type == dtype::i8)
            table->quantize_row(&x[t * s.columns], s.columns, to, &scales[t], &row_sums[t]);
        else
            table->quantize_blocks(&x[t * s.columns], s.columns, to, &scales[t * blocks], &sums[t * blocks]);
    }
    hence::spin_team team(threads);
    const auto time = [&](const hence::packed_matrix& matrix) {
        args.weights = matrix;
        const auto start = std::chrono::steady_clock::now();
        team.each([&](const hence::worker& self) {
            const hence::index_range panels = self.share(matrix.panels());
            table->matmul[static_cast<std::size_t>(matrix.format)](args, panels.begin, panels.end);
        });
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    std::vector<double> dense, sparse;
    std::size_t at = 0;
    for (auto _ : state) {
        dense.push_back(time(p.dense[at % copies]));
        sparse.push_back(time(p.sparse[at++ % copies]));
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    const double dense_time = median(dense);
    const double sparse_time = median(sparse);
    state.counters["dense_us"] = dense_time * 1e6;
    state.counters["sparse_us"] = sparse_time * 1e6;
    state.counters["ratio"] = dense_time / sparse_time;
    state.counters["bytes_ratio"] = static_cast<double>(p.dense_bytes) / static_cast<double>(p.sparse_bytes);
}

const bool registered = [] {
    for (const hence::kernel_table* table : fast_tiers())
        for (const format_case& f : formats)
            for (const shape& s : shapes)
                for (const std::size_t batch :
                     {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{8}, std::size_t{32}})
                    for (const int threads : {1, 2})
                        for (const bool cached : {false, true}) {
                            if (cached && batch > 1) continue;
                            const std::string name =
                                "sparse/" + std::string(hence::name(table->tier)) + "/" +
                                std::string(hence::name(f.sparse)) + "/" + s.name + "/rows:" + std::to_string(batch) +
                                "/threads:" + std::to_string(threads) + (cached ? "/cached" : "/layer");
                            benchmark::RegisterBenchmark(name.c_str(), [=, &f, &s](benchmark::State& state) {
                                product(state, table, f, s, batch, threads, cached);
                            })->UseRealTime();
                        }
    return true;
}();

}  // namespace
