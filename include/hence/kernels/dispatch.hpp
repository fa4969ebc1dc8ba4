// kernel_table: the functions of one instruction-set tier, and the choice among tiers.
//
// A table is resolved once (at load, from the CPU, HENCE_ISA or an explicit option) and passed down; nothing is
// looked up per inner call. Every function is noexcept, re-entrant, allocates nothing and checks nothing.
#ifndef HENCE_KERNELS_DISPATCH_HPP
#define HENCE_KERNELS_DISPATCH_HPP

#include "../core/result.hpp"
#include "../sys/cpu.hpp"
#include "attention.hpp"
#include "matmul.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// Which elements rope pairs up: neighbours (2i, 2i + 1) or halves (i, i + n / 2).
enum class rope_style : std::uint8_t { neighbours, halves };

/// The activation functions of feed-forward layers.
enum class activation : std::uint8_t {
    silu,
    gelu_tanh,
    gelu_half,  ///< gelu_tanh with its argument and value rounded to f16: how the engines that GGUF files are made for
                ///< compute it (a table of 65536 halves), and so what those models' published outputs contain
    gelu_erf,
    relu,
};

/// The kernels of one tier.
struct kernel_table {
    isa tier = isa::scalar;

    /// Product over panels [first, last) of args.weights. @see matmul.hpp
    void (*matmul[packing_count])(const matmul_args& args, std::size_t first, std::size_t last) noexcept = {};

    /// quants[n padded to 32], scales and sums per 32 values: q = round(x * 127 / max|x|). Where a value is not finite the
    /// scale is not finite either; where max|x| < 3.8e-37 the quants are 0.
    void (*quantize_blocks)(const float* x, std::size_t n, std::int8_t* quants, float* scales,
                            block_sum* sums) noexcept = nullptr;
    /// The same with one scale and sum for the row; n <= 65536.
    void (*quantize_row)(const float* x, std::size_t n, std::int8_t* quants, float* scale,
                         std::int32_t* sum) noexcept = nullptr;

    /// Attention of some rows and heads. @see attention.hpp
    void (*attention)(const attention_args& args) noexcept = nullptr;
    /// Writes one position's key and value of one kv head into a page.
    void (*store_kv)(const kv_layout& layout, std::byte* page, std::int32_t layer, std::int32_t head,
                     std::int32_t slot, const float* key, const float* value) noexcept = nullptr;

    /// out = x / sqrt(mean(x^2) + eps) * weight; weight may be null; out may be x.
    void (*rms_norm)(const float* x, const float* weight, float eps, std::size_t n, float* out) noexcept = nullptr;
    /// out = (x - mean) / sqrt(variance + eps) * weight + bias; either may be null; out may be x.
    void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, std::size_t n,
                       float* out) noexcept = nullptr;
    /// Rotates the first n of a head's values by angles whose cosines and sines are given, n / 2 of each.
    void (*rope)(float* x, const float* cosines, const float* sines, std::size_t n, rope_style style) noexcept = nullptr;
    /// x[i] = f(x[i]); with gate: out[i] = f(gate[i]) * x[i].
    void (*activate)(activation f, const float* x, std::size_t n, float* out) noexcept = nullptr;
    void (*activate_gated)(activation f, const float* gate, const float* x, std::size_t n, float* out) noexcept = nullptr;
    /// out = x * scale + y (y may be null).
    void (*scale_add)(const float* x, float scale, const float* y, std::size_t n, float* out) noexcept = nullptr;
    /// x = cap * tanh(x / cap).
    void (*softcap)(float* x, float cap, std::size_t n) noexcept = nullptr;
    /// x = exp(x - max) / sum; returns log(sum(exp(x))).
    float (*softmax)(float* x, std::size_t n) noexcept = nullptr;
    /// tops[i]: the largest of values [64 i, 64 i + 64), of those there are; NaN if one of them is not finite.
    void (*block_tops)(const float* x, std::size_t n, float* tops) noexcept = nullptr;
    /// The largest value; NaN if any value is NaN.
    float (*maximum)(const float* x, std::size_t n) noexcept = nullptr;
    /// sum(exp(x - shift)).
    double (*sum_exp)(const float* x, float shift, std::size_t n) noexcept = nullptr;
};

namespace kernels {

/// The table of a tier.
/// @shape none
/// @errors unsupported where this build or this machine lacks the tier; names it and lists those there are
/// @source none
[[nodiscard]] result<const kernel_table*> table(isa tier);

/// The table to use by default: force()'s tier if set, else HENCE_ISA's, else the fastest the machine has.
/// @shape none
/// @errors unsupported for a tier in HENCE_ISA that is unknown or that the machine lacks
/// @source none
[[nodiscard]] result<const kernel_table*> default_table();

/// Makes default_table() return a tier, for tests and benchmarks; nullopt undoes it. Loaded models keep theirs.
/// @shape none
/// @errors as table()
/// @threads atomic
/// @source none
result<void> force(std::optional<isa> tier);

/// Whether this build has kernels for a tier (whatever the machine).
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] bool compiled(isa tier) noexcept;

}  // namespace kernels

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/dispatch.inl.hpp"
#endif

#endif
