// Products of block formats with AMX. Included inside a tier's namespace by generic/matmul_blocks.inl.hpp.
//
// A block of 32 columns of 16 rows and one panel is one matrix product; its 256 integers go through memory, as matrix
// registers have no other way out, and are scaled as block_tile scales them: the same chain of operations, the same bits.
// That takes 48 instructions on vectors a block, 16 conversions, 16 scale products and 16 multiply-adds; with minimums 64.
//
// The blocks of 16 rows, and of the next 16, form one sequence for each panel, so that a product starts two blocks before its
// sums are scaled and nothing waits between tiles. Groups of panels and of rows are of a size that stays in the second
// cache; the scales of a group's rows are laid out once for all its panels.

template <block_kind Kind>
class matrix_blocks {
public:
    static void run(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
        if (args.rows < tile_rows)
            matmul_blocks<Kind>(args, first, last);
        else if (Kind != block_kind::bytes && form_of(args.weights.format).minimum)
            products<Kind != block_kind::bytes>(args, first, last);
        else
            products<false>(args, first, last);
    }

private:
    static constexpr std::size_t tile_rows = 16;
    static constexpr std::size_t least_rest = 6;  // fewer rows past the last whole tile are left to vectors
    static constexpr std::size_t most_blocks = 32;
    static constexpr std::size_t tiles_together = 8;
    static constexpr std::size_t panels_together = 4;
    // The registers.
    static constexpr int sums_number = 0;
    static constexpr int activations_number = 1;
    static constexpr int weights_number = 2;

    // What a tile's rows have for each block of a chunk.
    struct row_factors {
        alignas(HENCE_ALIGNMENT) float scale[tile_rows][most_blocks];
        // Of the activations, times their scale; for minimums.
        alignas(HENCE_ALIGNMENT) float sum[tile_rows][most_blocks];
    };

    // A chunk of one panel and some tiles.
    struct product {
        const matmul_args& args;
        const row_factors* factors;  // of the first tile
        open_chunk chunk;
        const std::uint8_t* values;  // of the chunk, less their bias
        std::size_t group;           // its first panel
        std::size_t panel;
        std::size_t first;  // block
        std::size_t blocks;
        std::size_t tile;
        std::size_t tiles;
        float* sums;         // [tile][16][16]
        bool begins;         // with the first columns
        bool ends;           // with the last
        weight_lines ahead;  // what the next product reads: a part with each block

        // The last tile repeats rows of the one before if there are too few for it.
        [[nodiscard]] std::size_t row(std::size_t t) const {
            const std::size_t last = args.rows - tile_rows;
            return t * tile_rows < last ? t * tile_rows : last;
        }
        [[nodiscard]] float* out(std::size_t t) const {
            return args.out + row(t) * args.out_stride + panel * panel_rows;
        }
    };

    template <bool Minimum>
    static void lay_out(const product& what, std::size_t tile, row_factors& to) noexcept {
        const activations& in = what.args.in;
        for (std::size_t r = 0; r < tile_rows; ++r) {
            const std::size_t at = (what.row(tile) + r) * in.block_stride + what.first;
            for (std::size_t b = 0; b < what.blocks; b += 16) {
                const std::size_t count = what.blocks - b < 16 ? what.blocks - b : 16;
                const vf x = load_n(in.scales + at + b, count);
                store(to.scale[r] + b, x);
                if constexpr (!Minimum) continue;
                const vi pairs =
                    _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << count) - 1u), in.block_sums + at + b);
                store(to.sum[r] + b, mul(x, to_float(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))));
            }
        }
    }

    // Adds a block's sums of products, scaled, to the sums of a tile.
    template <bool Minimum>
    HENCE_ALWAYS_INLINE static void add_block(const std::int32_t* dots, const float* weight_scale, const float* minimum,
                                              const float* row_scale, const float* row_sum, vf* sum) {
        const vf w = load(weight_scale);
        vf least = zero();
        if constexpr (Minimum) least = load(minimum);
        HENCE_UNROLL
        for (std::size_t r = 0; r < tile_rows; ++r) {
            sum[r] = fma(to_float(load_int(dots + 16 * r)), mul(w, set1(row_scale[r * most_blocks])), sum[r]);
            if constexpr (Minimum) sum[r] = fma(least, set1(row_sum[r * most_blocks]), sum[r]);
        }
    }

    // `to` may be `values`.
    HENCE_ALWAYS_INLINE static void take_off(int bias, const std::uint8_t* values, std::size_t blocks,
                                             std::uint8_t* to) {
        const vb subtrahend = _mm512_set1_epi8(static_cast<char>(bias));
        for (std::size_t i = 0; i < blocks * 512; i += 64)
            store_bytes(to + i, _mm512_sub_epi8(load_bytes(values + i), subtrahend));
    }

    // Writes a tile of outputs. The rows that the tile before has written must not be accumulated again.
    HENCE_ALWAYS_INLINE static void finish_tile(const product& what, std::size_t tile, const vf* sum) {
        const std::size_t row = what.row(tile);
        const std::size_t from = tile * tile_rows - row;
        HENCE_UNROLL
        for (std::size_t r = 0; r < tile_rows; ++r)
            if (r >= from) finish(what.args, what.panel, row + r, sum[r]);
    }

    // The products of a chunk in the order of tiles and blocks. Past the last it repeats those of the last tile, unused.
    struct cursor {
        const product& what;
        const std::size_t stride;
        const std::uint8_t* const begin;
        const std::uint8_t* const end;
        std::size_t tile;
        const std::int8_t* in;
        const std::uint8_t* weights;

        explicit cursor(const product& p) noexcept
            : what(p), stride(p.args.in.quant_stride), begin(p.values), end(begin + 512 * p.blocks), tile(p.tile) {
            begin_tile();
        }
        HENCE_ALWAYS_INLINE void begin_tile() {
            in = what.args.in.quants + what.row(tile) * stride + what.first * block_columns;
            weights = begin;
        }
        HENCE_ALWAYS_INLINE void multiply() {
            clear_matrix<sums_number>();
            load_matrix<activations_number>(in, stride);
            load_matrix<weights_number>(weights, 64);
            dot_signed<sums_number, activations_number, weights_number>();
            in += block_columns;
            weights += 512;
            if (weights != end) return;
            if (tile + 1 != what.tile + what.tiles) ++tile;
            begin_tile();
        }
    };

    template <bool Minimum>
    static HENCE_NOINLINE void multiply(const product& what) noexcept {
        alignas(HENCE_ALIGNMENT) std::int32_t dots[2][tile_rows * 16];
        std::int32_t* now = dots[0];
        std::int32_t* after = dots[1];
        weight_lines ahead = what.ahead;
        cursor next(what);
        next.multiply();
        store_matrix<sums_number>(now);
        next.multiply();
        vf sum[tile_rows];
        for (std::size_t tile = 0; tile < what.tiles; ++tile) {
            float* const sums = what.sums + tile * tile_rows * 16;
            HENCE_UNROLL
            for (std::size_t r = 0; r < tile_rows; ++r) sum[r] = what.begins ? zero() : load(sums + 16 * r);
            const float* weight_scale = what.chunk.scales;
            const float* minimum = what.chunk.minimums;
            const float* row_scale = what.factors[tile].scale[0];
            const float* row_sum = what.factors[tile].sum[0];
            const float* out = what.ends ? what.out(what.tile + tile) : sums;
            const std::size_t out_step = what.ends ? what.args.out_stride : 16;
            for (std::size_t block = what.blocks; block != 0; --block) {
                ahead.next_part();
                __builtin_prefetch(out, 1, 3);
                out += out_step;
                store_matrix<sums_number>(after);
                next.multiply();
                add_block<Minimum>(now, weight_scale, minimum, row_scale, row_sum, sum);
                weight_scale += 16;
                if constexpr (Minimum) minimum += 16;
                ++row_scale;
                ++row_sum;
                std::int32_t* const other = now;
                now = after;
                after = other;
            }
            if (what.ends) {
                finish_tile(what, what.tile + tile, sum);
            } else {
                HENCE_UNROLL
                for (std::size_t r = 0; r < tile_rows; ++r) store(sums + 16 * r, sum[r]);
            }
        }
    }

    // The same columns of the next panel of a group, or the next columns of the first one, or the first of the next group.
    static void ask_for_next(product& what, const block_form& form, std::size_t group_end, std::size_t chunk,
                             std::size_t last) noexcept {
        const matmul_args& args = what.args;
        const panel_layout layout = args.weights.layout();
        what.ahead = {};
        std::size_t panel = what.panel + 1;
        std::size_t first = what.first;
        if (panel == group_end) {
            panel = what.ends ? group_end : what.group;
            first = what.ends ? 0 : first + chunk;
        }
        if (panel >= last) return;
        const std::size_t blocks = args.weights.columns / block_columns;
        const std::size_t count = blocks - first < chunk ? blocks - first : chunk;
        const std::size_t block_bytes = 64 * static_cast<std::size_t>(form.vectors);
        const std::byte* const data = args.weights.data + panel * layout.bytes();
        const std::size_t parts = what.blocks * what.tiles;
        if (count == blocks) {
            what.ahead = panels_ahead(args, panel, 1, last, layout.bytes(), parts);
        } else {
            what.ahead = {data + first * block_bytes, count * block_bytes, parts};
            // The scales of all columns at once.
            if (first == 0) weight_lines(data + layout.value_bytes, layout.bytes() - layout.value_bytes, 1).next_part();
        }
    }

    template <bool Minimum>
    static void products(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
        const panel_layout layout = args.weights.layout();
        const std::size_t panel_bytes = layout.bytes();
        const std::size_t blocks = args.weights.columns / block_columns;
        const std::size_t chunk = even_chunk(blocks, most_blocks);
        const block_form form = form_of(args.weights.format);
        const int bias = Minimum ? 0 : Kind == block_kind::bytes ? byte_bias : form.bias;
        const std::size_t rest = args.rows % tile_rows;
        const std::size_t tiles = args.rows / tile_rows + (rest >= least_rest ? 1 : 0);

        matrix_shapes shapes;
        shapes.set(sums_number, tile_rows, 64);
        shapes.set(activations_number, tile_rows, block_columns);
        shapes.set(weights_number, block_columns / 4, 64);
        shapes.use();
        // In all about 90 KB of stack.
        row_factors factors[tiles_together];
        chunk_buffer<most_blocks> buffer;
        alignas(HENCE_ALIGNMENT) float sums[panels_together][tiles_together * tile_rows * 16];
        for (std::size_t panel = first; panel < last; panel += panels_together) {
            const std::size_t panels = last - panel < panels_together ? last - panel : panels_together;
            for (std::size_t tile = 0; tile < tiles; tile += tiles_together) {
                product what{.args = args,
                             .factors = factors,
                             .chunk = {},
                             .values = nullptr,
                             .group = panel,
                             .panel = panel,
                             .first = 0,
                             .blocks = 0,
                             .tile = tile,
                             .tiles = tiles - tile < tiles_together ? tiles - tile : tiles_together,
                             .sums = nullptr,
                             .begins = true,
                             .ends = false,
                             .ahead = {}};
                for (; what.first < blocks; what.first += chunk) {
                    what.blocks = blocks - what.first < chunk ? blocks - what.first : chunk;
                    what.begins = what.first == 0;
                    what.ends = what.first + what.blocks == blocks;
                    for (std::size_t t = 0; t < what.tiles; ++t) lay_out<Minimum>(what, tile + t, factors[t]);
                    for (std::size_t p = 0; p < panels; ++p) {
                        what.panel = panel + p;
                        what.sums = sums[p];
                        what.chunk = open_panel(form, layout, args.weights.data + what.panel * panel_bytes, what.first,
                                                what.blocks, false, buffer);
                        what.values = bias == 0 ? what.chunk.values : buffer.values;
                        if (bias != 0) take_off(bias, what.chunk.values, what.blocks, buffer.values);
                        // Later tiles find the panels in the second cache.
                        if (tile == 0)
                            ask_for_next(what, form, panel + panels, chunk, last);
                        else
                            what.ahead = {};
                        multiply<Minimum>(what);
                    }
                }
            }
            if (rest != 0 && rest < least_rest) {
                matmul_args others = args;
                const std::size_t row = args.rows - rest;
                others.rows = rest;
                others.in.quants += row * args.in.quant_stride;
                others.in.scales += row * args.in.block_stride;
                others.in.block_sums += row * args.in.block_stride;
                others.out += row * args.out_stride;
                matmul_blocks<Kind>(others, panel, panel + panels);
            }
        }
        release_matrices();
    }
};
// Two integers in a block of 32 that have scales of their own: each would be a product of half a register.
template <block_kind Kind>
inline constexpr auto product_of_blocks = matrix_blocks<Kind>::run;
template <>
inline constexpr auto product_of_blocks<block_kind::halves> = matmul_blocks<block_kind::halves>;
