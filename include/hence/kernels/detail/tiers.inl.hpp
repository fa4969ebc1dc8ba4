// Every tier that this architecture has: the same loops compiled once per instruction set.
//
// Standard and intrinsic headers come first; inside a region only the library's own loops are included, in this order:
// clang-format off
#ifndef HENCE_KERNELS_DETAIL_TIERS_INL_HPP
#define HENCE_KERNELS_DETAIL_TIERS_INL_HPP

#include "../../core/scalar.hpp"
#include "../dispatch.hpp"

#include <cstddef>
#include <cstdint>

#if HENCE_X86
// g++ 12 warns about its own deliberately undefined registers wherever these intrinsics are inlined.
#if HENCE_GCC
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#if HENCE_GCC
#pragma GCC diagnostic pop
#endif
#elif HENCE_ARM
#include <arm_neon.h>
#endif

#include <xsimd/xsimd.hpp>

// HENCE_NO_CONTRACTION: keeps g++, to which these intrinsics are plain operators, from fusing a product with a later
// sum in one tile and not in the next. It costs no instruction. clang contracts only within one expression.
#if HENCE_GCC
#define HENCE_NO_CONTRACTION(register_class, value) __asm__("" : "+" register_class(value))
#else
#define HENCE_NO_CONTRACTION(register_class, value) ((void)0)
#endif

// HENCE_TIER_MATH: how a tier's larger shared functions are compiled. The slow tiers call them, which keeps the
// compile time of a user's file down; the fast ones inline them.
#define HENCE_TIER_MATH HENCE_NOINLINE inline
HENCE_NAMESPACE_BEGIN
#if HENCE_HAS_SCALAR_TIER
namespace kernels::scalar {
namespace hence_tier = kernels::scalar;
inline constexpr isa tier_isa = isa::scalar;
inline constexpr int tile_tokens = 1;
inline constexpr int tile_panels = 1;
inline constexpr int weights_level = 1;
inline constexpr int tile_queries = 1;
#include "../scalar/vec_scalar.inl.hpp"
#include "../generic/all.inl.hpp"
}  // namespace kernels::scalar
#endif

namespace kernels::portable {
namespace hence_tier = kernels::portable;
inline constexpr isa tier_isa = isa::portable;
inline constexpr int tile_tokens = 1;
inline constexpr int tile_panels = 1;
inline constexpr int weights_level = 1;
inline constexpr int tile_queries = 1;
#include "../portable/vec_xsimd.inl.hpp"
#include "../generic/all.inl.hpp"
}  // namespace kernels::portable
HENCE_NAMESPACE_END
#undef HENCE_TIER_MATH
#define HENCE_TIER_MATH HENCE_ALWAYS_INLINE

#if HENCE_X86

HENCE_TARGET_BEGIN("avx2,fma,f16c")
HENCE_NAMESPACE_BEGIN
namespace kernels::avx2 {
namespace hence_tier = kernels::avx2;
inline constexpr isa tier_isa = isa::avx2;
inline constexpr int tile_tokens = 4;
inline constexpr int tile_panels = 1;
inline constexpr int weights_level = 1;
inline constexpr int tile_queries = 2;
#define HENCE_TIER_VNNI 0
#include "../x86/vec_avx2.inl.hpp"
#include "../generic/all.inl.hpp"
#undef HENCE_TIER_VNNI
}  // namespace kernels::avx2
HENCE_NAMESPACE_END
HENCE_TARGET_END

HENCE_TARGET_BEGIN("avx2,fma,f16c,avxvnni")
HENCE_NAMESPACE_BEGIN
namespace kernels::avxvnni {
namespace hence_base = kernels::avx2;
inline constexpr isa tier_isa = isa::avxvnni;
inline constexpr int tile_tokens = 4;
inline constexpr int tile_panels = 1;
inline constexpr int weights_level = 1;
#define HENCE_TIER_VNNI 1
#include "../x86/vec_avx2.inl.hpp"
#include "../generic/int8_only.inl.hpp"
#undef HENCE_TIER_VNNI
}  // namespace kernels::avxvnni
HENCE_NAMESPACE_END
HENCE_TARGET_END

HENCE_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")
HENCE_NAMESPACE_BEGIN
namespace kernels::avx512 {
namespace hence_tier = kernels::avx512;
inline constexpr isa tier_isa = isa::avx512;
inline constexpr int tile_tokens = 4;
inline constexpr int tile_panels = 2;
inline constexpr int weights_level = 2;
inline constexpr int tile_queries = 6;
#define HENCE_TIER_VNNI 0
#include "../x86/vec_avx512.inl.hpp"
#include "../generic/all.inl.hpp"
#undef HENCE_TIER_VNNI
}  // namespace kernels::avx512
HENCE_NAMESPACE_END
HENCE_TARGET_END

HENCE_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c")
HENCE_NAMESPACE_BEGIN
namespace kernels::avx512vnni {
namespace hence_base = kernels::avx512;
inline constexpr isa tier_isa = isa::avx512vnni;
inline constexpr int tile_tokens = 6;
inline constexpr int tile_panels = 2;
inline constexpr int weights_level = 2;
#define HENCE_TIER_VNNI 1
#include "../x86/vec_avx512.inl.hpp"
#include "../generic/int8_only.inl.hpp"
#undef HENCE_TIER_VNNI
}  // namespace kernels::avx512vnni
HENCE_NAMESPACE_END
HENCE_TARGET_END

HENCE_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,fma,f16c")
HENCE_NAMESPACE_BEGIN
namespace kernels::avx512bf16 {
namespace hence_base = kernels::avx512vnni;
inline constexpr isa tier_isa = isa::avx512bf16;
inline constexpr int tile_tokens = 6;
inline constexpr int tile_panels = 2;
inline constexpr int weights_level = 2;
#define HENCE_TIER_VNNI 1
#include "../x86/vec_avx512.inl.hpp"
#include "../x86/bf16_avx512.inl.hpp"
#include "../generic/bf16_only.inl.hpp"
#undef HENCE_TIER_VNNI
}  // namespace kernels::avx512bf16
HENCE_NAMESPACE_END
HENCE_TARGET_END

HENCE_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,amx-tile,amx-int8,amx-bf16,fma,f16c")
HENCE_NAMESPACE_BEGIN
namespace kernels::amx {
namespace hence_base = kernels::avx512bf16;
inline constexpr isa tier_isa = isa::amx;
inline constexpr int tile_tokens = 6;
inline constexpr int tile_panels = 2;
inline constexpr int weights_level = 2;
#define HENCE_TIER_VNNI 1
#define HENCE_TIER_AMX 1
#include "../x86/vec_avx512.inl.hpp"
#include "../x86/bf16_avx512.inl.hpp"
#include "../x86/tiles_amx.inl.hpp"
#include "../generic/ahead.inl.hpp"
#include "../generic/matmul.inl.hpp"
#include "../generic/matmul_int8.inl.hpp"
#include "../generic/matmul_blocks.inl.hpp"
#include "../x86/matmul_amx.inl.hpp"
#undef HENCE_TIER_AMX
#undef HENCE_TIER_VNNI
}  // namespace kernels::amx
HENCE_NAMESPACE_END
HENCE_TARGET_END

#elif HENCE_ARM

// Which dot product a NEON tier has.
#define HENCE_NEON_WIDEN 0
#define HENCE_NEON_DOTPROD 1
#define HENCE_NEON_I8MM 2

HENCE_NAMESPACE_BEGIN
namespace kernels::neon {
namespace hence_tier = kernels::neon;
inline constexpr isa tier_isa = isa::neon;
inline constexpr int tile_tokens = 2;
inline constexpr int tile_panels = 1;
inline constexpr int weights_level = 1;
inline constexpr int tile_queries = 2;
#define HENCE_TIER_DOT HENCE_NEON_WIDEN
#include "../arm/vec_neon.inl.hpp"
#include "../generic/all.inl.hpp"
#undef HENCE_TIER_DOT
}  // namespace kernels::neon
HENCE_NAMESPACE_END

HENCE_TARGET_BEGIN(HENCE_TARGET_DOTPROD_)
HENCE_NAMESPACE_BEGIN
namespace kernels::neon_dotprod {
namespace hence_base = kernels::neon;
inline constexpr isa tier_isa = isa::neon_dotprod;
inline constexpr int tile_tokens = 4;
inline constexpr int tile_panels = 1;
inline constexpr int weights_level = 1;
#define HENCE_TIER_DOT HENCE_NEON_DOTPROD
#include "../arm/vec_neon.inl.hpp"
#include "../generic/int8_only.inl.hpp"
#undef HENCE_TIER_DOT
}  // namespace kernels::neon_dotprod
HENCE_NAMESPACE_END
HENCE_TARGET_END

HENCE_TARGET_BEGIN(HENCE_TARGET_I8MM_)
HENCE_NAMESPACE_BEGIN
namespace kernels::neon_i8mm {
namespace hence_base = kernels::neon;
inline constexpr isa tier_isa = isa::neon_i8mm;
inline constexpr int tile_tokens = 4;
inline constexpr int tile_panels = 1;
inline constexpr int weights_level = 1;
#define HENCE_TIER_DOT HENCE_NEON_I8MM
#include "../arm/vec_neon.inl.hpp"
#include "../generic/int8_only.inl.hpp"
#undef HENCE_TIER_DOT
}  // namespace kernels::neon_i8mm
HENCE_NAMESPACE_END
HENCE_TARGET_END

#endif

#undef HENCE_TIER_MATH
#undef HENCE_NO_CONTRACTION

#endif
