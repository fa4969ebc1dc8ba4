// Row operations per tier on rows of a small model's width, and the sampler's passes over a vocabulary.
#include "tiers.hpp"

using namespace hence_bench;

namespace {

constexpr std::size_t width = 1536;
constexpr std::size_t vocabulary = 49152;

struct buffers {
    std::vector<float> x, y, out;
    std::vector<std::int8_t> quants;
    std::vector<float> scales;
    std::vector<std::int32_t> sums;
    std::vector<hence::block_sum> block_sums;
    explicit buffers(std::size_t n)
        : x(random_floats(n)), y(random_floats(n, 2)), out(n), quants(n), scales(n / 32), sums(1), block_sums(n / 32) {}
};

struct operation {
    const char* name;
    std::size_t n;
    void (*run)(const hence::kernel_table& table, buffers& b, std::size_t n);
};

constexpr operation operations[] = {
    {"rms_norm", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.rms_norm(b.x.data(), b.y.data(), 1e-5f, n, b.out.data());
     }},
    {"layer_norm", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.layer_norm(b.x.data(), b.y.data(), b.y.data(), 1e-5f, n, b.out.data());
     }},
    {"rope_halves", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.rope(b.out.data(), b.x.data(), b.y.data(), n, hence::rope_style::halves);
     }},
    {"silu_gated", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.activate_gated(hence::activation::silu, b.x.data(), b.y.data(), n, b.out.data());
     }},
    {"gelu_tanh_gated", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.activate_gated(hence::activation::gelu_tanh, b.x.data(), b.y.data(), n, b.out.data());
     }},
    {"gelu_erf", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.activate(hence::activation::gelu_erf, b.x.data(), n, b.out.data());
     }},
    {"scale_add", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.scale_add(b.x.data(), 0.5f, b.y.data(), n, b.out.data());
     }},
    {"quantize_blocks", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.quantize_blocks(b.x.data(), n, b.quants.data(), b.scales.data(), b.block_sums.data());
     }},
    {"quantize_row", width,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         t.quantize_row(b.x.data(), n, b.quants.data(), b.scales.data(), b.sums.data());
     }},
    {"maximum", vocabulary,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         benchmark::DoNotOptimize(t.maximum(b.x.data(), n));
     }},
    {"sum_exp", vocabulary,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) {
         benchmark::DoNotOptimize(t.sum_exp(b.x.data(), 1.0f, n));
     }},
    {"softcap", vocabulary,
     [](const hence::kernel_table& t, buffers& b, std::size_t n) { t.softcap(b.x.data(), 30.0f, n); }},
};

const bool registered = [] {
    for (const hence::kernel_table* table : tiers())
        for (const operation& op : operations) {
            const std::string name = std::string(op.name) + "/" + std::string(hence::name(table->tier));
            benchmark::RegisterBenchmark(name.c_str(), [=, &op](benchmark::State& state) {
                buffers b(op.n);
                for (auto _ : state) {
                    op.run(*table, b, op.n);
                    benchmark::ClobberMemory();
                }
                report(state, static_cast<double>(op.n), static_cast<double>(op.n * sizeof(float)));
            });
        }
    return true;
}();

}  // namespace
