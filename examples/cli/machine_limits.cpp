// Definitions of machine_limits.hpp.
#include "machine_limits.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tool {

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

// --- memory ----------------------------------------------------------------------------------------

using vector_of_bytes = std::uint64_t __attribute__((vector_size(16)));

// Eight independent sums: the loop waits for memory and for nothing else. It asks for what it reads 4 KB ahead: a processor's
// own prefetching keeps a smaller distance, and one thread then gets a tenth less.
std::uint64_t read_all(const std::byte* data, std::size_t bytes) {
    vector_of_bytes sums[8] = {};
    for (std::size_t at = 0; at + 128 <= bytes; at += 128) {
        __builtin_prefetch(data + at + 4096, 0, 3);
        __builtin_prefetch(data + at + 4160, 0, 3);
        HENCE_UNROLL
        for (std::size_t i = 0; i < 8; ++i) {
            vector_of_bytes v;
            std::memcpy(&v, data + at + 16 * i, sizeof v);
            sums[i] ^= v;
        }
    }
    for (int i = 1; i < 8; ++i) sums[0] ^= sums[i];
    return sums[0][0] ^ sums[0][1];
}

// --- 8-bit products ---------------------------------------------------------------------------------
//
// Ten independent accumulators hide the latency of every instruction. Each function does `steps` times ten vectors of
// products and returns something that depends on all of them.

constexpr int chains = 10;

#if defined(__x86_64__)
__attribute__((target("avx2"))) int spin_maddubs(std::int64_t steps) {
    __m256i sums[chains] = {};
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i a = _mm256_set1_epi8(3);
    const __m256i b = _mm256_set1_epi8(5);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+x"(a));  // an unknown value each time, so that no product is hoisted
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = _mm256_add_epi32(sums[0], sums[i]);
    return _mm256_extract_epi32(sums[0], 0);
}

__attribute__((target("avx2,fma"))) int spin_fma(std::int64_t steps) {
    __m256 sums[chains] = {};
    __m256 a = _mm256_set1_ps(0.5f);
    const __m256 b = _mm256_set1_ps(0.25f);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+x"(a));
            sums[i] = _mm256_fmadd_ps(a, b, sums[i]);
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
    return _mm_cvtsi128_si32(_mm_castps_si128(_mm256_castps256_ps128(sums[0])));
}

// Through memory: g++ 12 warns of its own header where a vector is cut.
__attribute__((target("avx512f"))) int first_lane(__m512i v) {
    int lanes[16];
    _mm512_storeu_si512(lanes, v);
    return lanes[0];
}

__attribute__((target("avx512f"))) int spin_fma_512(std::int64_t steps) {
    __m512 sums[chains] = {};
    __m512 a = _mm512_set1_ps(0.5f);
    const __m512 b = _mm512_set1_ps(0.25f);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+v"(a));
            sums[i] = _mm512_fmadd_ps(a, b, sums[i]);
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return first_lane(_mm512_castps_si512(sums[0]));
}

__attribute__((target("avx2,avxvnni"))) int spin_dpbusd_256(std::int64_t steps) {
    __m256i sums[chains] = {};
    __m256i a = _mm256_set1_epi8(3);
    const __m256i b = _mm256_set1_epi8(5);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+x"(a));
            sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, b);
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = _mm256_add_epi32(sums[0], sums[i]);
    return _mm256_extract_epi32(sums[0], 0);
}

__attribute__((target("avx512f,avx512bw"))) int spin_maddubs_512(std::int64_t steps) {
    __m512i sums[chains] = {};
    const __m512i ones = _mm512_set1_epi16(1);
    __m512i a = _mm512_set1_epi8(3);
    const __m512i b = _mm512_set1_epi8(5);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+v"(a));
            sums[i] = _mm512_add_epi32(sums[i], _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), ones));
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = _mm512_add_epi32(sums[0], sums[i]);
    return first_lane(sums[0]);
}

__attribute__((target("avx512f,avx512vnni"))) int spin_dpbusd_512(std::int64_t steps) {
    __m512i sums[chains] = {};
    __m512i a = _mm512_set1_epi32(0x03030303);
    const __m512i b = _mm512_set1_epi32(0x05050505);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+v"(a));
            sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = _mm512_add_epi32(sums[0], sums[i]);
    return first_lane(sums[0]);
}

// Registers of 16 rows of 64 bytes: 5 of sums, 2 of zeros.
__attribute__((target("avx512f,amx-tile,amx-int8"))) int spin_tdpbssd(std::int64_t steps) {
    alignas(64) std::uint8_t shapes[64] = {1};
    for (int i = 0; i < 8; ++i) {
        shapes[16 + 2 * i] = 64;
        shapes[48 + i] = 16;
    }
    __asm__ volatile("ldtilecfg %0\n\ttilezero %%tmm6\n\ttilezero %%tmm7" : : "m"(shapes));
    for (std::int64_t s = 0; s < steps; ++s)
        for (int i = 0; i < chains / 5; ++i)
            __asm__ volatile(
                "tdpbssd %tmm7, %tmm6, %tmm0\n\ttdpbssd %tmm7, %tmm6, %tmm1\n\ttdpbssd %tmm7, %tmm6, %tmm2\n\t"
                "tdpbssd %tmm7, %tmm6, %tmm3\n\ttdpbssd %tmm7, %tmm6, %tmm4");
    __asm__ volatile("tilerelease");
    return 0;
}
#elif defined(__aarch64__)
int spin_fma_neon(std::int64_t steps) {
    float32x4_t sums[chains] = {};
    float32x4_t a = vdupq_n_f32(0.5f);
    const float32x4_t b = vdupq_n_f32(0.25f);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+w"(a));
            sums[i] = vfmaq_f32(sums[i], a, b);
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = vaddq_f32(sums[0], sums[i]);
    return static_cast<int>(vgetq_lane_f32(sums[0], 0));
}

__attribute__((target("+dotprod"))) int spin_dotprod(std::int64_t steps) {
    int32x4_t sums[chains] = {};
    int8x16_t a = vdupq_n_s8(3);
    const int8x16_t b = vdupq_n_s8(5);
    for (std::int64_t s = 0; s < steps; ++s) {
        HENCE_UNROLL
        for (int i = 0; i < chains; ++i) {
            __asm__("" : "+w"(a));
            sums[i] = vdotq_s32(sums[i], a, b);
        }
    }
    for (int i = 1; i < chains; ++i) sums[0] = vaddq_s32(sums[0], sums[i]);
    return vgetq_lane_s32(sums[0], 0);
}
#endif

struct product_loop {
    int (*run)(std::int64_t steps) = nullptr;
    double products = 0;  // of one vector
    const char* instruction = "";
};

struct tier_loops {
    product_loop bytes;
    product_loop floats;
};

tier_loops loops_of(hence::isa tier) {
    switch (tier) {
#if defined(__x86_64__)
        case hence::isa::avx2: return {{spin_maddubs, 32, "vpmaddubsw + vpmaddwd + vpaddd"}, {spin_fma, 8}};
        case hence::isa::avxvnni: return {{spin_dpbusd_256, 32, "vpdpbusd, 256 bits"}, {spin_fma, 8}};
        case hence::isa::avx512:
            return {{spin_maddubs_512, 64, "vpmaddubsw + vpmaddwd + vpaddd, 512 bits"}, {spin_fma_512, 16}};
        case hence::isa::avx512vnni:
        case hence::isa::avx512bf16: return {{spin_dpbusd_512, 64, "vpdpbusd, 512 bits"}, {spin_fma_512, 16}};
        case hence::isa::amx: return {{spin_tdpbssd, 16 * 16 * 64, "tdpbssd"}, {spin_fma_512, 16}};
#elif defined(__aarch64__)
        case hence::isa::neon: return {{}, {spin_fma_neon, 4}};
        case hence::isa::neon_dotprod:
        case hence::isa::neon_i8mm: return {{spin_dotprod, 16, "sdot"}, {spin_fma_neon, 4}};
#endif
        default: return {};
    }
}

// The best of several rounds of a loop on all threads.
double operations_per_second(const product_loop& loop, hence::thread_team& team) {
    if (loop.run == nullptr) return 0;
    constexpr std::int64_t steps = 1 << 20;
    std::vector<int> results(static_cast<std::size_t>(team.size()) * 16);
    double best = 0;
    for (int round = 0; round < 8; ++round) {
        const auto start = clock_type::now();
        team.each([&](const hence::worker& self) {
            results[static_cast<std::size_t>(self.index) * 16] += loop.run(steps) & 1;
        });
        const double operations = 2.0 * loop.products * chains * static_cast<double>(steps) * team.size();
        best = std::max(best, operations / seconds_since(start));
    }
    return best;
}

}  // namespace

double measure_read_bandwidth(hence::thread_team& team) {
    constexpr std::size_t each = std::size_t{64} << 20;  // of every thread: twice the largest cache in sight
    const auto workers = static_cast<std::size_t>(team.size());
    std::vector<std::byte> memory(each * workers);
    std::vector<std::uint64_t> results(workers * 8);
    double best = 0;
    for (int round = 0; round < 6; ++round) {
        const auto start = clock_type::now();
        team.each([&](const hence::worker& self) {
            const auto index = static_cast<std::size_t>(self.index);
            if (round == 0) std::memset(memory.data() + index * each, self.index + 1, each);
            results[index * 8] += read_all(memory.data() + index * each, each);
        });
        if (round > 0) best = std::max(best, static_cast<double>(memory.size()) / seconds_since(start));
    }
    return best;
}

machine_limits measure_limits(hence::isa tier, hence::thread_team& team) {
    const tier_loops loops = loops_of(tier);
    return {.bytes_per_second = measure_read_bandwidth(team),
            .int8_per_second = operations_per_second(loops.bytes, team),
            .f32_per_second = operations_per_second(loops.floats, team),
            .instruction = loops.bytes.instruction};
}

}  // namespace tool
