// pack: a weight matrix from a file's row-major format into the panels that kernels stream.
//
// Packing happens once, at load; a range of panels can be packed by each worker. unpack_row reads a row back, which
// serves embedding look-ups on a packed matrix and tests.
#ifndef HENCE_KERNELS_PACK_HPP
#define HENCE_KERNELS_PACK_HPP

#include "../core/result.hpp"
#include "../tensor/dtype.hpp"
#include "../tensor/packed.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

HENCE_NAMESPACE_BEGIN

namespace kernels {

/// The packing that keeps a stored format's values exactly, or nothing if there is none.
/// @shape none
/// @errors nullopt: the format must be expanded first (quant/decode.hpp)
/// @source none
[[nodiscard]] constexpr std::optional<packing> exact_packing(dtype type) noexcept {
    switch (type) {
        case dtype::f32: return packing::f32;
        case dtype::f16: return packing::f16;
        case dtype::bf16: return packing::bf16;
        case dtype::q8_0: return packing::q8;
        case dtype::q4_0: return packing::q4;
        case dtype::q4_1: return packing::q4m;
        case dtype::q8_24: return packing::q8_24;
        case dtype::q8_48: return packing::q8_48;
        case dtype::q4_24: return packing::q4_24;
        case dtype::q5_0: return packing::q5;
        case dtype::q5_1: return packing::q5m;
        case dtype::iq4_nl: return packing::iq4;
        case dtype::iq4_xs: return packing::iq4k;
        case dtype::q4_k: return packing::q4k;
        case dtype::q5_k: return packing::q5k;
        case dtype::q6_k: return packing::q6k;
        case dtype::q3_k: return packing::q3k;
        case dtype::q2_k: return packing::q2k;
        default: return std::nullopt;
    }
}

/// Packs panels [first, last) of a matrix whose rows lie `row_bytes(type, columns)` apart.
/// @shape source[rows][columns] in `type`; out: layout_of(exact_packing(type), columns).bytes() per panel, from panel
///        `first` on; rows past the last are written as zeros
/// @errors none; the caller has checked type, sizes and columns % block
/// @threads re-entrant: each worker packs its own panels
/// @source GGUF block layouts (quant/decode.hpp)
void pack_panels(dtype type, const std::byte* source, std::size_t rows, std::size_t columns, std::size_t first,
                 std::size_t last, std::byte* out) noexcept;

/// Packs floats as int8 with one scale per row: value = round(w * 127 / max|w|). A row whose weights are not all finite
/// gets the scale NaN; a row below 3.8e-37, where 127 / max|w| would overflow, becomes zero.
/// @shape source[rows][columns]; out as for packing::i8
/// @errors none
/// @source symmetric per-channel quantization
void pack_panels_i8(const float* source, std::size_t rows, std::size_t columns, std::size_t first, std::size_t last,
                    std::byte* out) noexcept;

/// Packs rows already quantized to int8 with given scales (value = quant * scale).
/// @shape quants[rows][columns], scales[rows]; out as for packing::i8
/// @errors none
/// @source none
void pack_panels_i8(const std::int8_t* quants, const float* scales, std::size_t rows, std::size_t columns,
                    std::size_t first, std::size_t last, std::byte* out) noexcept;

/// Reads one row of a packed matrix as floats.
/// @shape out[columns]
/// @errors none
/// @source none
void unpack_row(const packed_matrix& matrix, std::size_t row, float* out) noexcept;

}  // namespace kernels

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/pack.inl.hpp"
#endif

#endif
