// Packing of matrices whose zeros are left out: which packing suits a matrix's zeros, and the panels themselves.
//
// The formats of files that skip zeros (q8_24, ...) are packed by pack.hpp; here dense rows are looked at. The packings
// whose panels differ in size start with a table: for each panel its offset from the matrix's first byte, 64 bits each,
// filled up to 64 bytes. Inside a panel, each part padded to 64 bytes:
//   q8_block           a byte per block of 32 columns, bit g: columns 4 g to 4 g + 3 are there; [block][r] half scales;
//                      those groups, [r][4] signed bytes
//   q8_rows            a byte per block: fours of the fullest row; scales; each four as [r][4] signed bytes and [r][4]
//                      places within the block
//   f32/bf16_block     as q8_block without scales; a group is [4][r] floats, or [2][r][2] bfloat16
//   f32/bf16_rows      the slots of the fullest row (64 bytes); [slot][r] columns, 16 bits; [slot][r] floats, or
//                      [slot/2][r][2] bfloat16
#ifndef HENCE_KERNELS_SPARSE_HPP
#define HENCE_KERNELS_SPARSE_HPP

#include "../tensor/dtype.hpp"
#include "../tensor/packed.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace kernels {

/// The dense format whose zeros a file's sparse format leaves out, or nothing.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr std::optional<dtype> dense_of(dtype type) noexcept {
    switch (type) {
        case dtype::q8_24:
        case dtype::q8_48: return dtype::q8_0;
        case dtype::q4_24: return dtype::q4_0;
        default: return std::nullopt;
    }
}

/// Rewrites a dense row without its zeros: q8_0 to q8_24 or q8_48, q4_0 to q4_24. Nothing is rounded. False where a group
/// of columns holds more values than the format has room for.
/// @shape dense: `columns` values of dense_of(to), columns a multiple of 32; out[row_bytes(to, columns)]
/// @errors none
/// @source none
[[nodiscard]] bool leave_out_zeros(dtype to, const std::byte* dense, std::size_t columns, std::byte* out) noexcept;

/// The bytes that a matrix takes in one of the packings q8_24, q8_48, q8_block and q8_rows (from q8_0), q4_24 (from q4_0),
/// i8_24 (from i8), f32_24, f32_block and f32_rows (from f32), bf16_24, bf16_block and bf16_rows (from bf16); 0 where the packing does not go
/// with the type, the shape (8-bit and 4-bit ones: columns in blocks of 32; blocks of floats: in fours; rows of floats: at
/// most 65536 columns) or the zeros (q8_24, q8_48, q4_24, i8_24, f32_24, bf16_24).
/// @shape source[rows][columns] in `type`
/// @units bytes
/// @errors none; what std::vector throws
/// @source none
[[nodiscard]] std::size_t sparse_bytes(packing format, dtype type, const std::byte* source, std::size_t rows,
                                       std::size_t columns);

/// Packs a matrix that sparse_bytes() has measured, but for i8_24, which needs scales too.
/// @shape source[rows][columns] in `type`; out[sparse_bytes()], 64-byte aligned
/// @errors none; what std::vector throws
/// @source SELL-C-sigma (Kreutzer et al., 2013, arXiv 1307.6209) without sorting, for the rows
void pack_sparse(packing format, dtype type, const std::byte* source, std::size_t rows, std::size_t columns,
                 std::byte* out);

/// Packs rows of int8 with given scales (value = quant * scale) without their zeros, as i8_24; sparse_bytes() has measured them.
/// @shape quants[rows][columns], scales[rows]; out: layout_of(i8_24, columns).bytes() per panel, from panel `first` on; rows
///        past the last are written as zeros
/// @errors none
/// @threads re-entrant: each worker packs its own panels
/// @source none
void pack_panels_i8_24(const std::int8_t* quants, const float* scales, std::size_t rows, std::size_t columns, std::size_t first,
                       std::size_t last, std::byte* out) noexcept;

/// A choice of sparse_packing().
struct sparse_choice {
    packing format = packing::f32;
    std::size_t bytes = 0;
};

/// The packing that takes the fewest bytes, if that is less than nine tenths of the dense packing's.
/// @shape source[rows][columns] in `type`
/// @errors none: nothing if no packing pays or there is none for the type
/// @source none
[[nodiscard]] std::optional<sparse_choice> sparse_packing(dtype type, const std::byte* source, std::size_t rows,
                                                          std::size_t columns);

}  // namespace kernels

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/sparse.inl.hpp"
#endif

#endif
