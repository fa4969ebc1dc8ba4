// isa: the instruction-set tiers that kernels are written for, and which of them this machine can run.
#ifndef HENCE_SYS_CPU_HPP
#define HENCE_SYS_CPU_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// A tier of kernels. Later tiers of one architecture are faster.
enum class isa : std::uint8_t {
    scalar,        ///< plain C++, the reference
    portable,      ///< xsimd at the consumer's own compiler flags
    avx2,          ///< x86-64-v3: AVX2, FMA, F16C
    avxvnni,       ///< avx2 with 256-bit int8 dot products
    avx512,        ///< AVX-512 F, BW, DQ, VL
    avx512vnni,    ///< avx512 with int8 dot products
    avx512bf16,    ///< avx512vnni with bfloat16 dot products
    amx,           ///< avx512bf16 with matrix products of bytes and of bfloat16 (Linux only)
    neon,          ///< AArch64 baseline
    neon_dotprod,  ///< with int8 dot products
    neon_i8mm,     ///< with mixed-sign int8 dot products
};
inline constexpr std::size_t isa_count = 11;

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr std::string_view name(isa tier) noexcept {
    constexpr std::string_view names[isa_count] = {"scalar", "portable",     "avx2",       "avxvnni",
                                                   "avx512", "avx512vnni",   "avx512bf16", "amx",
                                                   "neon",   "neon_dotprod", "neon_i8mm"};
    return names[static_cast<std::size_t>(tier)];
}

/// The tier with this name, if there is one.
/// @shape none
/// @errors nullopt for an unknown name
/// @source none
[[nodiscard]] constexpr std::optional<isa> parse_isa(std::string_view text) noexcept {
    for (std::size_t i = 0; i < isa_count; ++i)
        if (name(static_cast<isa>(i)) == text) return static_cast<isa>(i);
    return std::nullopt;
}

/// Whether this processor and operating system can run a tier's instructions.
///
/// Linux lets a process use AMX only after it asked, which the first call of this function does (arch_prctl). From then on
/// alternative signal stacks must have room for its registers: sigaltstack() refuses less than about 11 KB.
/// @shape none
/// @errors none
/// @source Intel SDM (CPUID leaves 1 and 7, XGETBV); Linux getauxval(AT_HWCAP), Documentation/arch/x86/xstate
[[nodiscard]] bool supported(isa tier) noexcept;

/// The fastest supported tier.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] isa best_isa() noexcept;

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/cpu.inl.hpp"
#endif

#endif
