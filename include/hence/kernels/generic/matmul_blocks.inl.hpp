// Matrix products of 8-bit activations with the block formats. Included inside a tier's namespace after matmul.inl.hpp.
//
// A panel is taken in chunks of 512 columns at most. A chunk is first opened into a buffer in the first-level cache, once for
// up to 48 rows of activations: values as bytes, scales as floats. That is where formats differ (open_values, open_scales).
// Nibbles that few tiles use are not opened: the tile takes them apart (packed). The tiles then know four kinds of blocks
// only, so that a new format costs no new tile:
//   bytes    value + 128, one scale per 32 columns; a panel that has bytes already is read where it lies
//   nibbles  unsigned values below 16, one scale (and minimum) per 32 columns
//   small    the same with values below 32; where sums of products have 32 bits, nibbles are small
//   halves   unsigned values below 64, an integer scale (and minimum) per 16 columns and a float per 32
// A tile of R rows and P panels takes, per 4 columns and in vectors of 16 lanes, P loads, R broadcasts and R P dot products;
// per block of 32 then R P times a conversion, a scale product and a multiply-add. With vpdpbusd twice a cycle, R = 6 and
// P = 2 that is 96 dot products in 60 cycles. Without it a dot product of bytes takes vpsignb, vpmaddubsw, vpmaddwd and
// vpaddd; nibbles stay below the 16 bits of vpmaddubsw for a whole block (2 * 8 * 15 * 127 = 30480), small values for 4
// groups of columns (2 * 4 * 31 * 127 = 31496) and those of `halves` for 2 (2 * 2 * 63 * 127 = 32004), so that vpmaddwd,
// which also multiplies by the scales of `halves`, is shared. A block of nibbles in 4 rows of 2 x 8 lanes takes 16 loads,
// 32 broadcasts, 64 products and 56 sums, and then 70 instructions more: 240 for 2048 products.
// The largest integer is 2 * 16 * 63 * 127 * 128 + 2 * 2032 * 32 * 128 < 2^26.

inline constexpr std::size_t chunk_blocks = 16;
inline constexpr std::size_t rows_together = 48;  // a multiple of every tile

// Chunks of about one size, `most` blocks at most: 18 blocks are 9 and 9, not 16 and 2.
constexpr std::size_t even_chunk(std::size_t blocks, std::size_t most) noexcept {
    const std::size_t chunks = (blocks + most - 1) / most;
    return (blocks + chunks - 1) / chunks;
}

// A chunk of one panel, opened.
struct open_chunk {
    const std::uint8_t* values;  // [block][8][16][4]; packed: [block][4][16][4], as they lie in the panel
    const float* scales;         // [block][16]
    const float* minimums;       // [block][16], or null
    const std::int32_t* inner;   // halves: [block][3][16] the scales of both halves; pairs that multiply the sums
};
template <std::size_t Blocks>
struct chunk_buffer {
    alignas(HENCE_ALIGNMENT) std::uint8_t values[Blocks * 512];
    alignas(HENCE_ALIGNMENT) float scales[Blocks * 16];
    alignas(HENCE_ALIGNMENT) float minimums[Blocks * 16];
    alignas(HENCE_ALIGNMENT) std::int32_t inner[Blocks * 48];
};

// Nibbles with HighBits more bits above them.
template <int HighBits>
HENCE_NOINLINE void open_values(const std::uint8_t* in, std::size_t blocks, bool levels, std::uint8_t* out) noexcept {
    for (std::size_t b = 0; b < blocks; ++b, in += 64 * (4 + HighBits), out += 512) {
        vb high[HighBits > 0 ? HighBits : 1];
        HENCE_UNROLL
        for (int i = 0; i < HighBits; ++i) high[i] = load_bytes(in + 256 + 64 * i);
        HENCE_UNROLL
        for (int v = 0; v < 4; ++v) {
            const vb both = load_bytes(in + 64 * v);
            vb low = shift_and(both, 0, 15);
            vb upper = shift_and(both, -4, 15);
            if constexpr (HighBits == 1) {
                low = bit_or(low, shift_and(high[0], 4 - v, 16));
                upper = bit_or(upper, shift_and(high[0], -v, 16));
            } else if constexpr (HighBits == 2) {
                low = bit_or(low, shift_and(high[0], 4 - 2 * v, 48));
                upper = bit_or(upper, shift_and(high[1], 4 - 2 * v, 48));
            } else if (levels) {
                low = look_up(low, iq4_biased_levels);
                upper = look_up(upper, iq4_biased_levels);
            }
            store_bytes(out + 64 * v, low);
            store_bytes(out + 64 * (v + 4), upper);
        }
    }
}

// The scales and minimums of block number `block`, where it has one of each.
HENCE_ALWAYS_INLINE void load_scales(const block_form& form, const panel_layout& layout, const std::byte* scales,
                                     std::size_t block, vf& scale, vf& minimum) {
    if (form.scales == scale_kind::halves) {
        const auto* const half = reinterpret_cast<const std::uint16_t*>(scales) + block * 16;
        scale = load_f16(half);
        if (form.minimum) minimum = load_f16(half + layout.scale_bytes / 2);
        return;
    }
    const std::byte* const super = scales + block / 8 * super_bytes(form);
    const auto* const bytes = reinterpret_cast<const std::int8_t*>(super) + block % 8 * 16;
    const auto* const halves = reinterpret_cast<const std::uint16_t*>(super + (form.minimum ? 256 : 128));
    scale = mul(to_float(widen(bytes)), load_f16(halves));
    if (form.minimum) minimum = mul(to_float(widen(bytes + 128)), mul(load_f16(halves + 16), set1(-1.0f)));
}

template <std::size_t Blocks>
HENCE_NOINLINE void open_scales(const block_form& form, const panel_layout& layout, const std::byte* panel,
                                std::size_t first, std::size_t blocks, chunk_buffer<Blocks>& buffer) noexcept {
    const std::byte* const scales = panel + layout.value_bytes;
    if (form.scales == scale_kind::halves) {
        const auto* const halves = reinterpret_cast<const std::uint16_t*>(scales) + first * 16;
        for (std::size_t i = 0; i < blocks * 16; i += 16) store(buffer.scales + i, load_f16(halves + i));
        if (!form.minimum) return;
        const std::uint16_t* const least = halves + layout.scale_bytes / 2;
        for (std::size_t i = 0; i < blocks * 16; i += 16) store(buffer.minimums + i, load_f16(least + i));
        return;
    }
    for (std::size_t b = 0; b < blocks; ++b) {
        const std::size_t block = first + b;
        float* const minimum = buffer.minimums + b * 16;
        vf outer = zero();
        vf least = zero();
        if (form.scales != scale_kind::by_16) {
            load_scales(form, layout, scales, block, outer, least);
            store(buffer.scales + b * 16, outer);
            if (form.minimum) store(minimum, least);
            continue;
        }
        const std::byte* const super = scales + block / 8 * super_bytes(form);
        const auto* const halves = reinterpret_cast<const std::uint16_t*>(super + 256);
        vi pairs = widen_pairs(reinterpret_cast<const std::int8_t*>(super) + block % 8 * 32);
        vi sums = zero_int();
        if (form.minimum) {
            sums = pair_bits(pairs, 4, 15);
            pairs = pair_bits(pairs, 0, 15);
            store(minimum, mul(load_f16(halves + 16), set1(-1.0f)));
        } else {
            sums = multiply_pairs(pairs, -form.bias);
        }
        vi half_scales[2];
        split_scales(pairs, half_scales[0], half_scales[1]);
        store(buffer.scales + b * 16, load_f16(halves));
        std::int32_t* const inner = buffer.inner + b * 48;
        store_int(inner, half_scales[0]);
        store_int(inner + 16, half_scales[1]);
        store_int(inner + 32, sums);
    }
}

template <std::size_t Blocks>
open_chunk open_panel(const block_form& form, const panel_layout& layout, const std::byte* panel, std::size_t first,
                      std::size_t blocks, bool packed, chunk_buffer<Blocks>& buffer) noexcept {
    const auto* values = reinterpret_cast<const std::uint8_t*>(panel) + first * 64 * form.vectors;
    if (form.vectors != 8 && !packed) {
        if (form.vectors == 4)
            open_values<0>(values, blocks, form.levels, buffer.values);
        else if (form.vectors == 5)
            open_values<1>(values, blocks, false, buffer.values);
        else
            open_values<2>(values, blocks, false, buffer.values);
        values = buffer.values;
    }
    open_scales(form, layout, panel, first, blocks, buffer);
    return {values, buffer.scales, form.minimum ? buffer.minimums : nullptr, buffer.inner};
}

enum class block_kind { bytes, nibbles, small, halves };
inline constexpr block_kind nibbles_kind = small_steps == 8 ? block_kind::small : block_kind::nibbles;

// What a tile works on: a chunk of some panels, and the activations and running sums of its rows.
struct chunk_product {
    activations in;
    open_chunk chunk[tile_panels];
    std::size_t first;  // block
    std::size_t blocks;
    std::int32_t bias;     // of small values
    float* sums;           // [row][panel][16]
    bool packed;           // nibbles that were not opened
    const float* outputs;  // what will be written of the first row and panel
    std::size_t output_stride;
    weight_lines& ahead;  // the next panels: a part with each block of each tile

    // Brings what will be written of some rows; for all rows at once it would be a burst that the work waits for.
    template <int Rows>
    HENCE_ALWAYS_INLINE void ask_for_outputs(std::size_t row) const {
        if (first != 0) return;
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r)
            for (std::size_t p = 0; p < tile_panels; ++p)
                __builtin_prefetch(outputs + (row + static_cast<std::size_t>(r)) * output_stride + p * panel_rows, 1,
                                   3);
    }
};

template <block_kind Kind>
struct block_tile {
    static constexpr int panels = tile_panels;
    // Groups of 4 columns that go into one sum of products.
    static constexpr int steps = Kind == block_kind::bytes || Kind == block_kind::nibbles ? 8
                                 : Kind == block_kind::small                              ? small_steps
                                                                                          : half_steps;
    static constexpr bool offset =
        Kind == block_kind::nibbles || Kind == block_kind::small;  // by the bias, or by minimums

    template <int Rows>
    static void run(const chunk_product& what, std::size_t row) noexcept {
        constexpr bool may_have_minimums = Kind != block_kind::bytes;
        const bool minimum = may_have_minimums && what.chunk[0].minimums != nullptr;
        if (Kind == nibbles_kind && what.packed)
            minimum ? blocks<Rows, may_have_minimums, Kind == nibbles_kind>(what, row)
                    : blocks<Rows, false, Kind == nibbles_kind>(what, row);
        else
            minimum ? blocks<Rows, may_have_minimums, false>(what, row) : blocks<Rows, false, false>(what, row);
    }

private:
    template <int Rows, bool Minimum, bool Packed>
    static HENCE_NOINLINE void blocks(const chunk_product& what, std::size_t row) noexcept {
        constexpr bool in_registers = many_registers || Rows == 1;  // the running sums
        // Whether the correction for the bias is what a sum starts from; else it is added last, and takes no register until then.
        constexpr bool starts = Kind == block_kind::bytes ? byte_bias != 0 : offset && !Minimum && sums_start;
        constexpr bool corrected_last = offset && !Minimum && !sums_start;
        // All that the loop reads is copied here: the compiler must take it that a store of sums could change `what`.
        const std::size_t a_stride = what.in.quant_stride;
        const std::size_t b_stride = what.in.block_stride;
        const std::int8_t* a = what.in.quants + row * a_stride + what.first * block_columns;
        const float* a_scale = what.in.scales + row * b_stride + what.first;
        const block_sum* a_sum = what.in.block_sums + row * b_stride + what.first;
        float* const sums = what.sums + row * (panels * 16);
        const std::int32_t bias = Kind == block_kind::bytes ? -byte_bias : -what.bias;
        open_chunk chunk[panels];
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) chunk[p] = what.chunk[p];
        auto ahead = what.ahead;
        what.template ask_for_outputs<Rows>(row);
        vf sum[Rows][panels];
        if constexpr (in_registers) {
            HENCE_UNROLL
            for (int i = 0; i < Rows * panels; ++i) sum[i / panels][i % panels] = load(sums + 16 * i);
        }
        for (std::size_t left = what.blocks; left != 0; --left, ++a_scale, ++a_sum) {
            ahead.next_part();
            vi dot[Rows][panels];
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r) {
                const block_sum* const at = a_sum + static_cast<std::size_t>(r) * b_stride;
                vi start = zero_int();
                if constexpr (starts) start = repeated_pair_dot(bias, at);
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) {
                    if constexpr (Kind == block_kind::halves && !Minimum)
                        start = pair_dot(load_int(chunk[p].inner + 32), at);
                    dot[r][p] = start;
                }
            }
            for (int group = 0; group < 8; group += steps) {
                small_sum part[Rows][panels];
                HENCE_UNROLL
                for (int r = 0; r < Rows; ++r) HENCE_UNROLL
                for (int p = 0; p < panels; ++p)
                    part[r][p] = Kind == block_kind::halves ? half_begin() : small_begin(dot[r][p]);
                // Unrolled: rolled, g++ moves every sum from register to register, and some through memory.
                if constexpr (Packed) {
                    HENCE_UNROLL
                    for (int i = 0; i < 4; ++i, a += 4) {
                        vb low[panels], high[panels];
                        HENCE_UNROLL
                        for (int p = 0; p < panels; ++p) {
                            const vb both = load_bytes(chunk[p].values + 64 * i);
                            low[p] = shift_and(both, 0, 15);
                            high[p] = shift_and(both, -4, 15);
                        }
                        HENCE_UNROLL
                        for (int r = 0; r < Rows; ++r) {
                            const std::int8_t* const at = a + static_cast<std::size_t>(r) * a_stride;
                            const vq x = broadcast_four(at);
                            const vq y = broadcast_four(at + 16);
                            HENCE_UNROLL
                            for (int p = 0; p < panels; ++p)
                                part[r][p] = small_add(small_add(part[r][p], low[p], x), high[p], y);
                        }
                    }
                    a += 16;
                }
                HENCE_UNROLL
                for (int i = Packed ? steps : 0; i < steps; ++i, a += 4) {
                    vb w[panels];
                    HENCE_UNROLL
                    for (int p = 0; p < panels; ++p) w[p] = load_bytes(chunk[p].values + 64 * (group + i));
                    HENCE_UNROLL
                    for (int r = 0; r < Rows; ++r) {
                        const vq x = broadcast_four(a + static_cast<std::size_t>(r) * a_stride);
                        HENCE_UNROLL
                        for (int p = 0; p < panels; ++p) {
                            if constexpr (Kind == block_kind::bytes)
                                dot[r][p] = dot_byte(dot[r][p], w[p], x);
                            else
                                part[r][p] = small_add(part[r][p], w[p], x);
                        }
                    }
                }
                if constexpr (Kind == block_kind::bytes) continue;
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) {
                    vi scale = zero_int();
                    if constexpr (Kind == block_kind::halves) scale = load_int(chunk[p].inner + (group < 4 ? 0 : 16));
                    HENCE_UNROLL
                    for (int r = 0; r < Rows; ++r)
                        dot[r][p] = Kind == block_kind::halves ? half_end(dot[r][p], part[r][p], scale)
                                                               : small_end(dot[r][p], part[r][p]);
                }
            }
            vf scale[panels], least[panels];
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) {
                scale[p] = load(chunk[p].scales);
                if constexpr (Minimum) least[p] = load(chunk[p].minimums);
            }
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r) {
                const float x = a_scale[static_cast<std::size_t>(r) * b_stride];
                const block_sum* const under = a_sum + static_cast<std::size_t>(r) * b_stride;
                vi last = zero_int();
                vf factor = zero();
                if constexpr (corrected_last) last = repeated_pair_dot(bias, under);
                if constexpr (offset && Minimum) factor = repeated_sum(x, under);
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) {
                    float* const at = sums + 16 * (r * panels + p);
                    const vf before = in_registers ? sum[r][p] : load(at);
                    if constexpr (corrected_last) dot[r][p] = add(dot[r][p], last);
                    vf after = fma(to_float(dot[r][p]), mul(scale[p], set1(x)), before);
                    if constexpr (offset && Minimum) after = fma(least[p], factor, after);
                    if constexpr (Kind == block_kind::halves && Minimum)
                        after = fma(to_float(pair_dot(load_int(chunk[p].inner + 32), under)), mul(least[p], set1(x)),
                                    after);
                    if constexpr (in_registers)
                        sum[r][p] = after;
                    else
                        store(at, after);
                }
            }
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) {
                chunk[p].values += Packed ? 256 : 512;
                chunk[p].scales += 16;
                if constexpr (Minimum) chunk[p].minimums += 16;
                if constexpr (Kind == block_kind::halves) chunk[p].inner += 48;
            }
        }
        what.ahead = ahead;
        if constexpr (in_registers) {
            HENCE_UNROLL
            for (int i = 0; i < Rows * panels; ++i) store(sums + 16 * i, sum[i / panels][i % panels]);
        }
    }
};

#include "matmul_one_row.inl.hpp"

template <block_kind Kind>
void matmul_blocks(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
    const panel_layout layout = args.weights.layout();
    const std::size_t panel_bytes = layout.bytes();
    const std::size_t blocks = args.weights.columns / block_columns;
    const std::size_t chunk = even_chunk(blocks, chunk_blocks);
    const block_form form = form_of(args.weights.format);
    const bool packed =
        Kind == nibbles_kind && form.vectors == 4 && args.rows <= 4 * tile_tokens;  // opening pays when more use them
    const std::size_t tiles = tiles_of(args.rows);
    chunk_buffer<chunk_blocks> buffers[tile_panels];
    alignas(HENCE_ALIGNMENT) float sums[rows_together * tile_panels * 16];
    weight_lines ahead;
    chunk_product what{.in = args.in,
                       .chunk = {},
                       .first = 0,
                       .blocks = 0,
                       .bias = form.bias,
                       .sums = sums,
                       .packed = packed,
                       .outputs = nullptr,
                       .output_stride = args.out_stride,
                       .ahead = ahead};
    for (std::size_t panel = first; panel < last; panel += tile_panels) {
        if constexpr (Kind == block_kind::bytes || Kind == nibbles_kind) {
            if (args.rows == 1 && has_one_row(form)) {
                one_row<Kind>(args, form, layout, panel, last);
                continue;
            }
        }
        ahead = panels_ahead(args, panel + tile_panels, tile_panels, last, panel_bytes, blocks * tiles);
        for (std::size_t row = 0; row < args.rows; row += rows_together) {
            const std::size_t rows = args.rows - row < rows_together ? args.rows - row : rows_together;
            what.in = args.in;
            what.in.quants += row * what.in.quant_stride;
            what.in.scales += row * what.in.block_stride;
            what.in.block_sums += row * what.in.block_stride;
            what.outputs = args.out + row * args.out_stride + panel * panel_rows;
            for (std::size_t i = 0; i < rows * tile_panels; ++i) store(sums + 16 * i, zero());
            for (what.first = 0; what.first < blocks; what.first += chunk) {
                what.blocks = blocks - what.first < chunk ? blocks - what.first : chunk;
                for (std::size_t p = 0; p < tile_panels; ++p)
                    what.chunk[p] = open_panel(form, layout, panel_data(args, panel, last, p, panel_bytes), what.first,
                                               what.blocks, packed, buffers[p]);
                walk_rows<block_tile<Kind>>(what, rows);
            }
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t p = 0; p < tile_panels && panel + p < last; ++p)
                    finish(args, panel + p, row + r, load(sums + 16 * (r * tile_panels + p)));
        }
    }
}

#ifdef HENCE_TIER_AMX
#include "../x86/blocks_amx.inl.hpp"
#else
template <block_kind Kind>
inline constexpr auto product_of_blocks = matmul_blocks<Kind>;
#endif

// The kind whose tiles a packing uses.
constexpr void set_block_kernels(kernel_table& table) {
    for (std::size_t i = 0; i < packing_count; ++i) {
        const block_form form = form_of(static_cast<packing>(i));
        if (form.scales == scale_kind::none) continue;
        table.matmul[i] = form.scales == scale_kind::by_16   ? product_of_blocks<block_kind::halves>
                          : form.vectors == 8 || form.levels ? product_of_blocks<block_kind::bytes>
                          : form.vectors == 4                ? product_of_blocks<nibbles_kind>
                                                             : product_of_blocks<block_kind::small>;
    }
}
