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

/// How a packed matrix stores its values. `k` are columns, `r` the 16 rows of a panel. Every block format of a file has a
/// packing of its own, without loss and within 3 % of its size (q3_k and q2_k: nibbles).
enum class packing : std::uint8_t {
    f32,   ///< [k][r] float
    f16,   ///< [k][r] half
    bf16,  ///< [k/2][r][2] bfloat16: pairs of columns together, as dot-product instructions want them
    q8,    ///< bytes, value + 128; a half scale per 32 columns (q8_0)
    q4,    ///< nibbles, value + 8; a half scale per 32 columns (q4_0)
    q4m,   ///< nibbles; a half scale and minimum per 32 columns (q4_1)
    i8,    ///< [k/4][r][4] bytes, value + 128; then [r] float scale: one scale per output row
    q5,    ///< five bits, value + 16; a half scale per 32 columns (q5_0)
    q5m,   ///< five bits; a half scale and minimum per 32 columns (q5_1)
    iq4,   ///< nibbles that choose among 16 levels; a half scale per 32 columns (iq4_nl)
    iq4k,  ///< the same; a byte scale per 32 columns times a half per 256 (iq4_xs)
    q4k,   ///< nibbles; byte scale and minimum per 32 columns, each times a half per 256 (q4_k)
    q5k,   ///< five bits; the same (q5_k)
    q6k,   ///< six bits, value + 32; a byte scale per 16 columns times a half per 256 (q6_k)
    q3k,   ///< nibbles, value + 4; the same (q3_k)
    q2k,   ///< nibbles; four-bit scale and minimum per 16 columns, each times a half per 256 (q2_k)
    bf16d, ///< as bf16, but multiplied with activations that are rounded to bfloat16 as well
    q8_24,       ///< 2 of 4: blocks of 32 columns: 4 times [r][4] signed bytes, [r][4] bytes of 2-bit places (vector v's at
                 ///< bit 2 v; bytes 0, 1 lie in columns 8 v .. 8 v + 3, bytes 2, 3 in the next four); then half scales
    q8_48,       ///< 4 of 8: the same with 2 times [r][4] bytes of nibbles, each a place among 8 v .. 8 v + 7
    q4_24,       ///< as q8_24 with 2 times [r][4] bytes of nibbles, value + 8
    i8_24,       ///< the blocks of q8_24; then [r] float scale: one scale per output row, as i8
    f32_24,      ///< 2 of 4: blocks of 32 columns: [r] 32-bit words of places, two bits each, of the j-th weight at bit 2 j;
                 ///< [16][r] float, two for each four columns
    bf16_24,     ///< as f32_24 with [8][r][2] bfloat16
    q8_block,    ///< blocks of 16 x 4 that are not all zero: a table of panels, see kernels/sparse.hpp
    q8_rows,     ///< compressed rows: a table of panels
    f32_block,   ///< as q8_block, floats
    bf16_block,  ///< as q8_block, bfloat16
    f32_rows,    ///< as q8_rows, floats
    bf16_rows,   ///< as q8_rows, bfloat16
};
inline constexpr std::size_t packing_count = 29;

/// Whether a packing leaves zeros out.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr bool is_sparse(packing format) noexcept { return format >= packing::q8_24; }

/// Columns that share the outer scale of the formats with two levels of scales.
inline constexpr std::size_t super_columns = 256;

/// Where the scales of a block packing lie, after a panel's values.
enum class scale_kind : std::uint8_t {
    none,    ///< not a block packing
    halves,  ///< per 32 columns [r] half; then, padded to 64 bytes, the minimums alike
    by_32,   ///< per 256 columns: [8][r] bytes, [8][r] bytes of minimums if any; [r] half, [r] half for the minimums
    by_16,   ///< per 256 columns: [8][r][2] bytes (with minimums: scale | minimum << 4); [r] half, [r] half for the minimums
};

/// A block packing's numbers. A block of 32 columns is `vectors` times 64 bytes, each [r][4 columns]. Whole bytes: vector g
/// holds columns 4 g to 4 g + 3. Nibbles: vector v holds columns 4 v.. in the low and 16 + 4 v.. in the high ones. A fifth
/// bit: one vector more, whose bit g belongs to column group g. Two more bits: two vectors more, groups 0-3 and 4-7.
struct block_form {
    std::uint8_t vectors = 0;
    std::uint8_t bias = 0;  ///< stored = value + bias
    scale_kind scales = scale_kind::none;
    bool minimum = false;  ///< value * scale + minimum (halves), value * scale - minimum (the others)
    bool levels = false;   ///< the stored number chooses among iq4_levels
};

/// The values that the nibbles of iq4 and iq4k stand for, plus 128.
inline constexpr std::uint8_t iq4_biased_levels[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                                       129, 141, 153, 166, 181, 197, 217, 241};

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr block_form form_of(packing format) noexcept {
    switch (format) {
        case packing::f32:
        case packing::f16:
        case packing::bf16:
        case packing::bf16d:
        case packing::i8: return {};
        case packing::q8: return {8, 128, scale_kind::halves};
        case packing::q4: return {4, 8, scale_kind::halves};
        case packing::q4m: return {4, 0, scale_kind::halves, true};
        case packing::q5: return {5, 16, scale_kind::halves};
        case packing::q5m: return {5, 0, scale_kind::halves, true};
        case packing::iq4: return {4, 128, scale_kind::halves, false, true};
        case packing::iq4k: return {4, 128, scale_kind::by_32, false, true};
        case packing::q4k: return {4, 0, scale_kind::by_32, true};
        case packing::q5k: return {5, 0, scale_kind::by_32, true};
        case packing::q6k: return {6, 32, scale_kind::by_16};
        case packing::q3k: return {4, 4, scale_kind::by_16};
        case packing::q2k: return {4, 0, scale_kind::by_16, true};
        default: return {};  // sparse
    }
    return {};
}

/// What a matrix product needs its activations to be.
enum class activation_format : std::uint8_t {
    f32,         ///< floats
    q8_blocks,   ///< signed bytes with a float scale and an integer sum per 32 columns
    q8_row,      ///< signed bytes with one float scale and integer sum per row
    bf16,        ///< bfloat16, an even number of them
};

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr activation_format activations_of(packing format) noexcept {
    switch (format) {
        case packing::i8:
        case packing::i8_24: return activation_format::q8_row;
        case packing::bf16d: return activation_format::bf16;
        case packing::q8_24:
        case packing::q8_48:
        case packing::q4_24:
        case packing::q8_block:
        case packing::q8_rows: return activation_format::q8_blocks;
        default: return form_of(format).scales == scale_kind::none ? activation_format::f32 : activation_format::q8_blocks;
    }
}

/// The sizes of one panel of a packing, for a matrix with a given number of columns.
struct panel_layout {
    std::size_t value_bytes = 0;   ///< the interleaved values, a multiple of 64
    std::size_t scale_bytes = 0;   ///< the scales that follow them, a multiple of 64
    std::size_t minimum_bytes = 0; ///< the minimums that follow those, a multiple of 64
    [[nodiscard]] constexpr std::size_t bytes() const noexcept { return value_bytes + scale_bytes + minimum_bytes; }
};

/// The bytes that the scales of 256 columns take in the packings with two levels of them.
/// @shape none
/// @units bytes
/// @errors none
/// @source none
[[nodiscard]] constexpr std::size_t super_bytes(const block_form& form) noexcept {
    if (form.scales == scale_kind::by_16) return form.minimum ? 320 : 288;
    return form.minimum ? 320 : 160;
}

/// @shape columns: a multiple of 32 for the block formats, of 256 where scales have two levels; any for the others
/// @units bytes
/// @errors none
/// @source none
[[nodiscard]] constexpr panel_layout layout_of(packing format, std::size_t columns) noexcept {
    const auto padded = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
    const std::size_t blocks = (columns + block_columns - 1) / block_columns;
    switch (format) {
        case packing::f32: return {columns * 64, 0, 0};
        case packing::f16: return {padded(columns * 32), 0, 0};
        case packing::bf16:
        case packing::bf16d: return {(columns + 1) / 2 * 64, 0, 0};
        case packing::i8: return {(columns + 3) / 4 * 64, 64, 0};
        case packing::q8_24: return {blocks * 320, padded(blocks * 32), 0};
        case packing::q8_48: return {blocks * 384, padded(blocks * 32), 0};
        case packing::q4_24: return {blocks * 192, padded(blocks * 32), 0};
        case packing::i8_24: return {blocks * 320, 64, 0};
        case packing::f32_24: return {blocks * 1088, 0, 0};
        case packing::bf16_24: return {blocks * 576, 0, 0};
        default: break;
    }
    if (is_sparse(format)) return {};  // panels of different sizes: kernels::sparse_bytes()
    const block_form form = form_of(format);
    const std::size_t values = blocks * 64 * form.vectors;
    if (form.scales == scale_kind::halves) return {values, padded(blocks * 32), form.minimum ? padded(blocks * 32) : 0};
    return {values, padded((columns + super_columns - 1) / super_columns * super_bytes(form)), 0};
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
        "f32",   "f16",   "bf16",  "q8",    "q4",    "q4m",      "i8",      "q5",        "q5m",
        "iq4",   "iq4k",  "q4k",   "q5k",   "q6k",   "q3k",      "q2k",     "bf16d",     "q8_24",
        "q8_48", "q4_24", "i8_24", "f32_24", "bf16_24", "q8_block", "q8_rows", "f32_block", "bf16_block", "f32_rows", "bf16_rows"};
    return names[static_cast<std::size_t>(format)];
}

HENCE_NAMESPACE_END

#endif
