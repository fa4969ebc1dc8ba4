// packed_matrix: a weight matrix in the layout that the matrix kernels stream.
//
// Output rows are taken 16 at a time into a panel; inside a panel the 16 rows are interleaved so that one
// vector holds the same columns of all 16, and a product needs no horizontal sum. All instruction sets read
// the same layout. Packing happens once, at load (kernels/pack.hpp); this file only describes the result.
#ifndef HENCE_TENSOR_PACKED_HPP
#define HENCE_TENSOR_PACKED_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// Output rows that share a panel.
inline constexpr std::size_t panel_rows = 16;
/// Columns that share a scale in the block formats.
inline constexpr std::size_t block_columns = 32;

/// How a packed matrix stores its values. `k` are columns, `r` the 16 rows of a panel.
enum class packing : std::uint8_t {
    f32,   ///< [k][r] float
    f16,   ///< [k][r] half
    bf16,  ///< [k/2][r][2] bfloat16: pairs of columns together, as dot-product instructions want them
    q8,    ///< blocks of 32 columns: [8][r][4] bytes, value + 128; then per block [r] half scale
    q4,    ///< blocks of 32 columns: [4][r][4] bytes, columns 0-15 in the low nibbles, 16-31 in the high,
           ///< value + 8; then per block [r] half scale
    q4m,   ///< as q4 with unsigned values 0..15; then scales; then per block [r] half minimum
    i8,    ///< [k/4][r][4] bytes, value + 128; then [r] float scale: one scale per output row
    q8_24,       ///< 2 of 4: blocks of 32 columns: 4 times [r][4] signed bytes, [r][4] bytes of 2-bit places (vector v's at
                 ///< bit 2 v; bytes 0, 1 lie in columns 8 v .. 8 v + 3, bytes 2, 3 in the next four); then half scales
    q8_48,       ///< 4 of 8: the same with 2 times [r][4] bytes of nibbles, each a place among 8 v .. 8 v + 7
    q4_24,       ///< as q8_24 with 2 times [r][4] bytes of nibbles, value + 8
    q8_block,    ///< blocks of 16 x 4 that are not all zero: a table of panels, see kernels/sparse.hpp
    q8_rows,     ///< compressed rows: a table of panels
    f32_block,   ///< as q8_block, floats
    bf16_block,  ///< as q8_block, bfloat16
    f32_rows,    ///< as q8_rows, floats
    bf16_rows,   ///< as q8_rows, bfloat16
};
inline constexpr std::size_t packing_count = 16;

/// Whether a packing leaves zeros out.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr bool is_sparse(packing format) noexcept { return format >= packing::q8_24; }

/// What a matrix product needs its activations to be.
enum class activation_format : std::uint8_t {
    f32,         ///< floats
    q8_blocks,   ///< signed bytes with a float scale and an integer sum per 32 columns
    q8_row,      ///< signed bytes with one float scale and integer sum per row
};

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr activation_format activations_of(packing format) noexcept {
    switch (format) {
        case packing::f32:
        case packing::f16:
        case packing::bf16:
        case packing::f32_block:
        case packing::bf16_block:
        case packing::f32_rows:
        case packing::bf16_rows: return activation_format::f32;
        case packing::q8:
        case packing::q4:
        case packing::q4m:
        case packing::q8_24:
        case packing::q8_48:
        case packing::q4_24:
        case packing::q8_block:
        case packing::q8_rows: return activation_format::q8_blocks;
        case packing::i8: return activation_format::q8_row;
    }
    return activation_format::f32;
}

/// The sizes of one panel of a packing, for a matrix with a given number of columns.
struct panel_layout {
    std::size_t value_bytes = 0;   ///< the interleaved values, a multiple of 64
    std::size_t scale_bytes = 0;   ///< the scales that follow them, a multiple of 64
    std::size_t minimum_bytes = 0; ///< the minimums that follow those, a multiple of 64
    [[nodiscard]] constexpr std::size_t bytes() const noexcept { return value_bytes + scale_bytes + minimum_bytes; }
};

/// @shape columns: a multiple of 32 for the block formats; any for the others
/// @units bytes
/// @errors none
/// @source none
[[nodiscard]] constexpr panel_layout layout_of(packing format, std::size_t columns) noexcept {
    const auto padded = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
    const std::size_t blocks = (columns + block_columns - 1) / block_columns;
    switch (format) {
        case packing::f32: return {columns * 64, 0, 0};
        case packing::f16: return {padded(columns * 32), 0, 0};
        case packing::bf16: return {(columns + 1) / 2 * 64, 0, 0};
        case packing::q8: return {blocks * 512, padded(blocks * 32), 0};
        case packing::q4: return {blocks * 256, padded(blocks * 32), 0};
        case packing::q4m: return {blocks * 256, padded(blocks * 32), padded(blocks * 32)};
        case packing::i8: return {(columns + 3) / 4 * 64, 64, 0};
        case packing::q8_24: return {blocks * 320, padded(blocks * 32), 0};
        case packing::q8_48: return {blocks * 384, padded(blocks * 32), 0};
        case packing::q4_24: return {blocks * 192, padded(blocks * 32), 0};
        default: break;  // panels of different sizes: kernels::sparse_bytes()
    }
    return {};
}

/// A packed matrix's description; it does not own its bytes.
struct packed_matrix {
    packing format = packing::f32;
    std::size_t rows = 0;     ///< outputs
    std::size_t columns = 0;  ///< inputs
    const std::byte* data = nullptr;  ///< panels(), each layout().bytes() long, 64-byte aligned; or a table and panels

    [[nodiscard]] constexpr std::size_t panels() const noexcept { return (rows + panel_rows - 1) / panel_rows; }
    [[nodiscard]] constexpr panel_layout layout() const noexcept { return layout_of(format, columns); }
    [[nodiscard]] constexpr std::size_t bytes() const noexcept { return panels() * layout().bytes(); }
};

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr std::string_view name(packing format) noexcept {
    constexpr std::string_view names[packing_count] = {
        "f32",   "f16",      "bf16",    "q8",        "q4",         "q4m",      "i8",       "q8_24",
        "q8_48", "q4_24",    "q8_block", "q8_rows", "f32_block", "bf16_block", "f32_rows", "bf16_rows"};
    return names[static_cast<std::size_t>(format)];
}

HENCE_NAMESPACE_END

#endif
