// Definitions of kernels/dispatch.hpp.
#ifndef HENCE_KERNELS_DETAIL_DISPATCH_INL_HPP
#define HENCE_KERNELS_DETAIL_DISPATCH_INL_HPP

#include "../../core/text.hpp"
#include "../dispatch.hpp"
#include "tiers.inl.hpp"

#include <atomic>
#include <cstdlib>
#include <string>

HENCE_NAMESPACE_BEGIN

namespace kernels {

namespace detail {

inline const kernel_table* compiled_table(isa tier) noexcept {
    switch (tier) {
#if HENCE_HAS_SCALAR_TIER
        case isa::scalar: return &scalar::tier_table;
#endif
        case isa::portable: return &portable::tier_table;
#if HENCE_X86
        case isa::avx2: return &avx2::tier_table;
        case isa::avxvnni: return &avxvnni::tier_table;
        case isa::avx512: return &avx512::tier_table;
        case isa::avx512vnni: return &avx512vnni::tier_table;
        case isa::avx512bf16: return &avx512bf16::tier_table;
        case isa::amx: return &amx::tier_table;
#elif HENCE_ARM
        case isa::neon: return &neon::tier_table;
        case isa::neon_dotprod: return &neon_dotprod::tier_table;
        case isa::neon_i8mm: return &neon_i8mm::tier_table;
#endif
        default: return nullptr;
    }
}

inline std::string runnable_tiers() {
    std::string list;
    for (std::size_t i = 0; i < isa_count; ++i) {
        const auto tier = static_cast<isa>(i);
        if (compiled_table(tier) == nullptr || !supported(tier)) continue;
        if (!list.empty()) list += ", ";
        list += name(tier);
    }
    return list;
}

// -1: nothing forced. The one piece of state in the library that is not an object's, for tests and benchmarks.
inline std::atomic<int>& forced_tier() noexcept {
    static std::atomic<int> tier{-1};
    return tier;
}

}  // namespace detail

HENCE_INLINE bool compiled(isa tier) noexcept {
    return detail::compiled_table(tier) != nullptr;
}

HENCE_INLINE result<const kernel_table*> table(isa tier) {
    const kernel_table* found = detail::compiled_table(tier);
    if (found != nullptr && supported(tier)) return found;
    return make_error(
        errc::unsupported, "instruction set", concat({"one of ", detail::runnable_tiers()}),
        concat({name(tier), (found == nullptr ? ", which this build lacks" : ", which this machine lacks")}));
}

HENCE_INLINE result<const kernel_table*> default_table() {
    const int forced = detail::forced_tier().load(std::memory_order_relaxed);
    if (forced >= 0) return table(static_cast<isa>(forced));
    if (const char* wanted = std::getenv("HENCE_ISA"); wanted != nullptr && *wanted != '\0') {
        const std::optional<isa> tier = parse_isa(wanted);
        if (!tier)
            return make_error(errc::unsupported, "environment variable HENCE_ISA",
                              concat({"one of ", detail::runnable_tiers()}), concat({"'", wanted, "'"}));
        return table(*tier);
    }
    return table(best_isa());
}

HENCE_INLINE result<void> force(std::optional<isa> tier) {
    if (tier) HENCE_TRY(table(*tier));
    detail::forced_tier().store(tier ? static_cast<int>(*tier) : -1, std::memory_order_relaxed);
    return {};
}

}  // namespace kernels

HENCE_NAMESPACE_END

#endif
