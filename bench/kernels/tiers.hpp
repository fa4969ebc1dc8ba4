// What the kernel benchmarks share: one benchmark per tier that this machine runs, aligned memory, simple random
// values.
#ifndef HENCE_BENCH_KERNELS_TIERS_HPP
#define HENCE_BENCH_KERNELS_TIERS_HPP

#include <hence/core/rng.hpp>
#include <hence/kernels/dispatch.hpp>
#include <hence/sys/thread_team.hpp>

#include "machine_limits.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace hence_bench {

inline std::vector<const hence::kernel_table*> tiers() {
    std::vector<const hence::kernel_table*> all;
    for (std::size_t i = 0; i < hence::isa_count; ++i)
        if (auto found = hence::kernels::table(static_cast<hence::isa>(i)); found) all.push_back(*found);
    return all;
}

/// The tiers worth timing on large problems: scalar is there to be right, not to be fast.
inline std::vector<const hence::kernel_table*> fast_tiers() {
    auto all = tiers();
    all.erase(all.begin());
    return all;
}

struct aligned_delete {
    void operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{64}); }
};
using aligned_bytes = std::unique_ptr<std::byte, aligned_delete>;

inline aligned_bytes allocate(std::size_t bytes) {
    aligned_bytes memory(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{64})));
    std::memset(memory.get(), 0, bytes);
    return memory;
}

inline std::vector<float> random_floats(std::size_t n, std::uint64_t seed = 1) {
    const hence::counter_rng rng{seed};
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i)
        values[i] = static_cast<float>(2 * rng.uniform(0, static_cast<std::uint32_t>(i), 0) - 1);
    return values;
}

/// What this machine can do at most with a tier's instructions on so many threads; measured once.
inline const tool::machine_limits& limits(hence::isa tier, int threads) {
    static std::map<std::pair<hence::isa, int>, tool::machine_limits> known;
    const auto found = known.find({tier, threads});
    if (found != known.end()) return found->second;
    hence::spin_team team(threads);
    return known[{tier, threads}] = tool::measure_limits(tier, team);
}

/// The share of the limit that was reached: the least time that an iteration could take, by the time it took.
inline void report_limit(benchmark::State& state, double least_seconds) {
    if (least_seconds > 0)
        state.counters["of_limit"] =
            benchmark::Counter(least_seconds * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// Operations and bytes per second of the whole run, under the names that the limits in docs are stated in.
inline void report(benchmark::State& state, double operations, double bytes) {
    const auto per_second = [&](double amount) {
        return benchmark::Counter(amount * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    };
    state.counters["op/s"] = per_second(operations);
    state.counters["B/s"] = per_second(bytes);
}

}  // namespace hence_bench

#endif
