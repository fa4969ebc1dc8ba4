// Names of tiers, and detection compared with what the compiler's own detection says of this processor.
#include <hence/sys/cpu.hpp>

#include "support/catch.hpp"

#include <string>

using hence::isa;

TEST_CASE("isa: names are parsed back; anything else is no tier") {
    for (std::size_t i = 0; i < hence::isa_count; ++i) {
        const auto tier = static_cast<isa>(i);
        CHECK(hence::parse_isa(hence::name(tier)) == tier);
    }
    for (const char* text : {"", "AVX2", "avx", "avx2 ", "neon_", "auto"})
        CHECK_FALSE(hence::parse_isa(text).has_value());
    static_assert(hence::parse_isa("avx512vnni") == isa::avx512vnni);
}

TEST_CASE("isa: scalar and portable always run; the best tier is supported and none after it is") {
    CHECK(hence::supported(isa::scalar));
    CHECK(hence::supported(isa::portable));
    const isa best = hence::best_isa();
    CHECK(hence::supported(best));
    // Tiers are listed in the order of their speed.
    for (std::size_t i = static_cast<std::size_t>(best) + 1; i < hence::isa_count; ++i)
        CHECK_FALSE(hence::supported(static_cast<isa>(i)));
}

TEST_CASE("isa: a tier implies the tiers it is built on") {
    if (hence::supported(isa::avxvnni)) CHECK(hence::supported(isa::avx2));
    if (hence::supported(isa::avx512)) CHECK(hence::supported(isa::avx2));
    if (hence::supported(isa::avx512vnni)) CHECK(hence::supported(isa::avx512));
    if (hence::supported(isa::avx512bf16)) CHECK(hence::supported(isa::avx512vnni));
    if (hence::supported(isa::amx)) CHECK(hence::supported(isa::avx512bf16));
    if (hence::supported(isa::neon_dotprod)) CHECK(hence::supported(isa::neon));
    if (hence::supported(isa::neon_i8mm)) CHECK(hence::supported(isa::neon_dotprod));
    CHECK((HENCE_X86 || !hence::supported(isa::avx2)));
    CHECK(hence::supported(isa::neon) == (HENCE_ARM != 0));
}

#if HENCE_X86
TEST_CASE("isa: detection agrees with the compiler's run-time library") {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    CHECK(hence::supported(isa::avx2) == avx2);
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    CHECK(hence::supported(isa::avx512) == avx512);
    CHECK(hence::supported(isa::avx512vnni) == (avx512 && __builtin_cpu_supports("avx512vnni")));
    CHECK(hence::supported(isa::avx512bf16) ==
          (avx512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16")));
}
#endif
