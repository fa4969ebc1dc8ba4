// Attention per tier: one query row and 32 rows that share a 512-token prompt, for grouped queries and each cache
// type.
#include "tiers.hpp"

using namespace hence_bench;

namespace {

void attention(benchmark::State& state, const hence::kernel_table* table, hence::dtype type, std::size_t rows) {
    constexpr std::int32_t kv_heads = 3, group = 3, size = 64, length = 512;
    const hence::kv_layout layout{1, kv_heads, size, size, type};
    const std::size_t page_count = length / hence::page_tokens;
    const aligned_bytes memory = allocate(page_count * layout.page_bytes());
    std::vector<std::byte*> pages;
    for (std::size_t p = 0; p < page_count; ++p) pages.push_back(memory.get() + p * layout.page_bytes());
    const std::vector<float> values = random_floats(size * 2);
    for (std::int32_t position = 0; position < length; ++position)
        for (std::int32_t head = 0; head < kv_heads; ++head)
            table->store_kv(layout, pages[static_cast<std::size_t>(position / hence::page_tokens)], 0, head,
                            position % hence::page_tokens, values.data(), values.data() + size);
    const std::size_t stride = kv_heads * group * size;
    const std::vector<float> queries = random_floats(rows * stride, 2);
    std::vector<float> out(rows * stride), scratch(rows * 2 * kv_heads * group), opened(layout.open_floats());
    const std::vector<hence::attention_row> row(rows, {pages.data(), length - 1});
    hence::attention_args args;
    args.layout = layout;
    args.rows = row.data();
    args.row_count = rows;
    args.queries = queries.data();
    args.query_stride = stride;
    args.out = out.data();
    args.out_stride = stride;
    args.heads_per_kv = group;
    args.last_head = group;
    args.state = scratch.data();
    args.state_stride = 2 * kv_heads * group;
    args.page = opened.data();
    args.scale = 0.125f;
    for (auto _ : state) {
        for (args.kv_head = 0; args.kv_head < kv_heads; ++args.kv_head) table->attention(args);
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    // Two products per query head, position and value; the cache is read once.
    const double operations = 4.0 * static_cast<double>(rows * stride * length);
    report(state, operations, static_cast<double>(page_count * layout.page_bytes()));
    const double rate = limits(table->tier, 1).f32_per_second;
    report_limit(state, rate > 0 ? operations / rate : 0.0);
}

const bool registered = [] {
    for (const hence::kernel_table* table : fast_tiers())
        for (const hence::dtype type : {hence::dtype::f32, hence::dtype::f16, hence::dtype::bf16, hence::dtype::i8})
            for (const std::size_t rows : {std::size_t{1}, std::size_t{32}}) {
                const std::string name = "attention/" + std::string(hence::name(table->tier)) + "/" +
                                         std::string(hence::name(type)) + "/rows:" + std::to_string(rows);
                benchmark::RegisterBenchmark(name.c_str(),
                                             [=](benchmark::State& state) { attention(state, table, type, rows); });
            }
    return true;
}();

}  // namespace
