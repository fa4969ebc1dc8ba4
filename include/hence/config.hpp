// The only file that reads compiler and architecture macros.
//
// It fixes the version, the inline ABI namespace, the header-only or compiled form, the contract
// check and the target-region pragmas. Everything else in the library asks the HENCE_ macros
// defined here. It defines no types and includes nothing but <version>.
#ifndef HENCE_CONFIG_HPP
#define HENCE_CONFIG_HPP

#include <version>

#define HENCE_VERSION_MAJOR 0
#define HENCE_VERSION_MINOR 1
#define HENCE_VERSION_PATCH 0
#define HENCE_VERSION_STRING "0.1.0"

#if defined(__FAST_MATH__)
#error "hence: -ffast-math breaks exact replay and NaN checks; build without it (docs/faq.md#fast-math)"
#endif

#if !defined(__cpp_concepts) || __cplusplus < 202002L
#error "hence needs C++20: g++ 12, clang 14 or newer with -std=c++20"
#endif

// Function-like macros of these names, from <windows.h> or old code, would break std::min below. libstdc++
// undefines them too, but only where they come before its first header.
#undef min
#undef max

// --- compiler and architecture ---------------------------------------------------------------

#if defined(__clang__)
#define HENCE_CLANG 1
#define HENCE_GCC 0
#elif defined(__GNUC__)
#define HENCE_CLANG 0
#define HENCE_GCC 1
#else
#error "hence supports g++ and clang"
#endif

#if defined(__x86_64__)
#define HENCE_X86 1
#define HENCE_ARM 0
#elif defined(__aarch64__)
#define HENCE_X86 0
#define HENCE_ARM 1
#else
#define HENCE_X86 0
#define HENCE_ARM 0
#endif

#if defined(__cpp_exceptions) && __cpp_exceptions
#define HENCE_EXCEPTIONS 1
#else
#define HENCE_EXCEPTIONS 0
#endif

// --- ABI key: every macro that changes code or layout ------------------------------------------

// Files of one program built with different -m flags must not share inline functions: the linker
// would keep one copy at random and an old machine could meet instructions it lacks. The key is
// part of every mangled name, so both copies stay.
#if defined(__AVX512VNNI__)
#define HENCE_ABI_ISA_ x4
#elif defined(__AVX512F__)
#define HENCE_ABI_ISA_ x3
#elif defined(__AVX2__)
#define HENCE_ABI_ISA_ x2
#elif defined(__AVX__)
#define HENCE_ABI_ISA_ x1
#elif defined(__SSE4_2__)
#define HENCE_ABI_ISA_ s4
#elif defined(__SSSE3__)
#define HENCE_ABI_ISA_ s3
#elif defined(__ARM_FEATURE_MATMUL_INT8)
#define HENCE_ABI_ISA_ n2
#elif defined(__ARM_FEATURE_DOTPROD)
#define HENCE_ABI_ISA_ n1
#else
#define HENCE_ABI_ISA_ b
#endif

#if defined(__FMA__)
#define HENCE_ABI_FMA_ f
#else
#define HENCE_ABI_FMA_ n
#endif

#if HENCE_EXCEPTIONS
#define HENCE_ABI_EXC_ e
#else
#define HENCE_ABI_EXC_ n
#endif

// Contract checks change code, not layout; they are part of the key all the same.
#if defined(HENCE_NO_CONTRACTS)
#define HENCE_ABI_CHECK_ u
#else
#define HENCE_ABI_CHECK_ c
#endif

// The compiled form has the scalar tier, which header-only programs leave out (see HENCE_SCALAR_TIER).
#if defined(HENCE_COMPILED)
#define HENCE_ABI_FORM_ k
#elif defined(HENCE_SCALAR_TIER)
#define HENCE_ABI_FORM_ s
#else
#define HENCE_ABI_FORM_ h
#endif

#define HENCE_ABI_PASTE2_(a, b, c, d, e) v1_##a##b##c##d##e
#define HENCE_ABI_PASTE_(a, b, c, d, e) HENCE_ABI_PASTE2_(a, b, c, d, e)
#define HENCE_ABI HENCE_ABI_PASTE_(HENCE_ABI_ISA_, HENCE_ABI_FMA_, HENCE_ABI_EXC_, HENCE_ABI_CHECK_, HENCE_ABI_FORM_)

#define HENCE_NAMESPACE_BEGIN \
    namespace hence {         \
    inline namespace HENCE_ABI {
#define HENCE_NAMESPACE_END \
    }                       \
    }

// --- header-only or compiled form --------------------------------------------------------------

// Header-only (the default): every function is inline and its definition is visible.
// HENCE_COMPILED: headers declare; the one file that also defines HENCE_IMPLEMENTATION (src/hence.cpp,
// target hence::compiled) holds the definitions and the explicit instantiations.
#if !defined(HENCE_COMPILED)
#define HENCE_INLINE inline
#define HENCE_HAS_DEFINITIONS 1
#elif defined(HENCE_IMPLEMENTATION)
#define HENCE_INLINE
#define HENCE_HAS_DEFINITIONS 1
#else
#define HENCE_INLINE inline
#define HENCE_HAS_DEFINITIONS 0
#endif

// Parts that most programs do without (chat templates' interpreter, Hugging Face folders, ...) are defined by headers of
// their own, so that a header-only program compiles them only if it includes those; <hence/everything.hpp> includes
// all. Code that reaches such a part declares its one entry HENCE_OPTIONAL and asks HENCE_IS_THERE(entry) before it
// calls: in a program without the part the symbol is null. In the compiled form every part is there.
#if defined(HENCE_COMPILED)
#define HENCE_OPTIONAL
#define HENCE_IS_THERE(function) true
#else
#define HENCE_OPTIONAL __attribute__((weak))
#define HENCE_IS_THERE(function) (&(function) != nullptr)
#endif

// The scalar tier is the reference that tests compare the others with. It is in the compiled form; a header-only
// program has it only if it defines HENCE_SCALAR_TIER, because everyone else would compile it for nothing.
#if defined(HENCE_COMPILED) || defined(HENCE_SCALAR_TIER)
#define HENCE_HAS_SCALAR_TIER 1
#else
#define HENCE_HAS_SCALAR_TIER 0
#endif

// --- small helpers -------------------------------------------------------------------------------

#define HENCE_ALWAYS_INLINE inline __attribute__((always_inline))
#define HENCE_NOINLINE __attribute__((noinline))
#define HENCE_RESTRICT __restrict__
#define HENCE_ALIGNMENT 64

// A caller's mistake (a wrong shape, a branch of another engine): cost per call, never per element.
// It calls hence::contract_violation() of core/result.hpp, which throws, or aborts with a message.
#if defined(HENCE_NO_CONTRACTS)
#define HENCE_EXPECT(condition, text) ((void)0)
#else
#define HENCE_EXPECT(condition, text) \
    ((condition) ? (void)0 : ::hence::contract_violation(#condition, (text), __FILE__, __LINE__))
#endif

// Unrolls the loop that follows completely: its trip count is a small constant of a tile, and what it indexes should
// live in registers. At -O2 g++ would leave such loops rolled and the accumulators in memory.
#define HENCE_PRAGMA_(text) _Pragma(#text)
#if HENCE_CLANG
#define HENCE_UNROLL HENCE_PRAGMA_(clang loop unroll(full))
#else
#define HENCE_UNROLL HENCE_PRAGMA_(GCC unroll 32)
#endif

// --- target regions ------------------------------------------------------------------------------

// Code between HENCE_TARGET_BEGIN("avx2,fma") and HENCE_TARGET_END is compiled for those
// instructions whatever flags the user's build has. Include standard and intrinsic headers before a
// region, use no lambdas inside one, and re-include generic loops inside it: a template defined
// outside a region stays baseline even when it is called from inside.
#if HENCE_CLANG
#define HENCE_TARGET_BEGIN(features) \
    HENCE_PRAGMA_(clang attribute push(__attribute__((target(features))), apply_to = function))
#define HENCE_TARGET_END HENCE_PRAGMA_(clang attribute pop)
#else
#define HENCE_TARGET_BEGIN(features) \
    HENCE_PRAGMA_(GCC push_options) HENCE_PRAGMA_(GCC target(features))
#define HENCE_TARGET_END HENCE_PRAGMA_(GCC pop_options)
#endif

// The features of the NEON tiers. g++ adds to the user's architecture only from Armv8.2 on; below, that must be named.
#if HENCE_CLANG
#define HENCE_TARGET_DOTPROD_ "dotprod"
#define HENCE_TARGET_I8MM_ "dotprod,i8mm"
#elif defined(__ARM_FEATURE_DOTPROD)
#define HENCE_TARGET_DOTPROD_ "+dotprod"
#define HENCE_TARGET_I8MM_ "+dotprod+i8mm"
#else
#define HENCE_TARGET_DOTPROD_ "arch=armv8.2-a+dotprod"
#define HENCE_TARGET_I8MM_ "arch=armv8.2-a+dotprod+i8mm"
#endif

#endif
