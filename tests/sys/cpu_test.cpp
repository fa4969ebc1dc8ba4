// Which tiers the machine can run, against the compiler's own processor detection.
#include <hence/sys/cpu.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <set>
#include <string>

namespace {

hence::isa tier(std::size_t i) { return static_cast<hence::isa>(i); }

}  // namespace

TEST_CASE("tiers have distinct names that parse back") {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < hence::isa_count; ++i) {
        const std::string name(hence::name(tier(i)));
        CHECK(seen.insert(name).second);
        REQUIRE(hence::parse_isa(name).has_value());
        CHECK(*hence::parse_isa(name) == tier(i));
    }
    CHECK_FALSE(hence::parse_isa("avx1024").has_value());
    CHECK_FALSE(hence::parse_isa("").has_value());
}

TEST_CASE("scalar and portable run everywhere, and no tier of another architecture does") {
    CHECK(hence::supported(hence::isa::scalar));
    CHECK(hence::supported(hence::isa::portable));
    for (const hence::isa t : {hence::isa::avx2, hence::isa::avxvnni, hence::isa::avx512, hence::isa::avx512vnni})
        if (!HENCE_X86) CHECK_FALSE(hence::supported(t));
    for (const hence::isa t : {hence::isa::neon, hence::isa::neon_dotprod, hence::isa::neon_i8mm})
        CHECK((HENCE_ARM || !hence::supported(t)));
}

#if HENCE_X86
TEST_CASE("the x86 tiers agree with the compiler's detection of this processor") {
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    CHECK(hence::supported(hence::isa::avx2) == avx2);
    CHECK(hence::supported(hence::isa::avx512) == avx512);
    CHECK(hence::supported(hence::isa::avx512vnni) == (avx512 && __builtin_cpu_supports("avx512vnni")));
}
#endif

TEST_CASE("the best tier is supported, and no later tier of the architecture is") {
    const auto best = hence::best_isa();
    CHECK(hence::supported(best));
    for (std::size_t i = static_cast<std::size_t>(best) + 1; i < hence::isa_count; ++i)
        CHECK_FALSE(hence::supported(tier(i)));
}
