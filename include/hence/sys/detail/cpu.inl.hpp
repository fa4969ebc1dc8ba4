// Definitions of sys/cpu.hpp.
#ifndef HENCE_SYS_DETAIL_CPU_INL_HPP
#define HENCE_SYS_DETAIL_CPU_INL_HPP

#include "../cpu.hpp"

#if HENCE_X86
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif HENCE_ARM && defined(__linux__)
#include <sys/auxv.h>
#endif

HENCE_NAMESPACE_BEGIN

namespace detail {

struct cpu_features {
    bool avx2 = false;
    bool avxvnni = false;
    bool avx512 = false;
    bool avx512vnni = false;
    bool avx512bf16 = false;
    bool amx = false;
    bool dotprod = false;
    bool i8mm = false;
};

#if HENCE_X86
// Linux gives a process the registers of AMX (state component 18) when it asks for them.
inline bool may_use_amx() noexcept {
#if defined(__linux__)
    constexpr long request = 0x1023;  // ARCH_REQ_XCOMP_PERM
    return syscall(SYS_arch_prctl, request, 18L) == 0;
#else
    return false;
#endif
}
#endif

inline cpu_features detect_features() noexcept {
    cpu_features found;
#if HENCE_X86
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return found;
    const unsigned leaf1 = ecx;
    const auto bit = [](unsigned word, int index) { return ((word >> index) & 1u) != 0; };
    if (!bit(leaf1, 27)) return found;  // OSXSAVE: without it XGETBV faults
    unsigned xcr0 = 0, xcr0_high = 0;
    __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(xcr0_high) : "c"(0));
    const bool os_avx = (xcr0 & 0x6u) == 0x6u;
    const bool os_avx512 = (xcr0 & 0xe6u) == 0xe6u;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return found;
    const unsigned subleaves = eax, leaf7b = ebx, leaf7c = ecx, leaf7d = edx;
    unsigned leaf71a = 0;
    if (subleaves >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) leaf71a = eax;
    found.avx2 = os_avx && bit(leaf1, 12) && bit(leaf1, 29) && bit(leaf7b, 5);
    found.avxvnni = found.avx2 && bit(leaf71a, 4);
    found.avx512 = found.avx2 && os_avx512 && bit(leaf7b, 16) && bit(leaf7b, 17) && bit(leaf7b, 30) && bit(leaf7b, 31);
    found.avx512vnni = found.avx512 && bit(leaf7c, 11);
    found.avx512bf16 = found.avx512vnni && bit(leaf71a, 5);
    const bool os_amx = (xcr0 & 0x60000u) == 0x60000u;
    found.amx = found.avx512bf16 && os_amx && bit(leaf7d, 22) && bit(leaf7d, 24) && bit(leaf7d, 25) && may_use_amx();
#elif HENCE_ARM && defined(__linux__)
    found.dotprod = (getauxval(AT_HWCAP) & (1ul << 20)) != 0;                 // HWCAP_ASIMDDP
    found.i8mm = found.dotprod && (getauxval(AT_HWCAP2) & (1ul << 13)) != 0;  // HWCAP2_I8MM
#endif
    return found;
}

}  // namespace detail

HENCE_INLINE bool supported(isa tier) noexcept {
    static const detail::cpu_features features = detail::detect_features();
    switch (tier) {
        case isa::scalar:
        case isa::portable: return true;
        case isa::avx2: return features.avx2;
        case isa::avxvnni: return features.avxvnni;
        case isa::avx512: return features.avx512;
        case isa::avx512vnni: return features.avx512vnni;
        case isa::avx512bf16: return features.avx512bf16;
        case isa::amx: return features.amx;
        case isa::neon: return HENCE_ARM != 0;
        case isa::neon_dotprod: return features.dotprod;
        case isa::neon_i8mm: return features.i8mm;
    }
    return false;
}

HENCE_INLINE isa best_isa() noexcept {
    constexpr isa by_speed[] = {isa::amx,  isa::avx512bf16, isa::avx512vnni,   isa::avx512, isa::avxvnni,
                                isa::avx2, isa::neon_i8mm,  isa::neon_dotprod, isa::neon};
    for (const isa tier : by_speed)
        if (supported(tier)) return tier;
    return isa::portable;
}

HENCE_NAMESPACE_END

#endif
