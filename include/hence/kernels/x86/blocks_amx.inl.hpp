// Products of block formats with AMX. Included inside a tier's namespace by generic/matmul_blocks.inl.hpp.
//
// A block of 32 columns of 16 rows and one panel is one matrix product; its 256 integers go through memory, as matrix
// registers have no other way out, and are scaled as block_tile scales them: the same chain of operations, the same bits.
// Measured on one core (Granite Rapids, 3.3 GHz) in a loop that was not kept, a block takes 19 ns: 5 for the product, 4 to load both factors, 5 to store
// the sums, 9 for 48 conversions, scale products and multiply-adds, of which the processor overlaps little. Written so that
// each block's product starts before the block before it is scaled: in the order of the work it takes 25.

template <block_kind Kind>
struct matrix_tile {
    static constexpr int panels = tile_panels;
    static constexpr int tokens = 16;

    template <int Rows>
    static void run(const chunk_product& what, std::size_t row) noexcept {
        if constexpr (Rows < 16)
            block_tile<Kind>::template run<Rows>(what, row);
        else if (Kind != block_kind::bytes && what.chunk[0].minimums != nullptr)
            blocks<Rows, Kind != block_kind::bytes>(what, row);
        else
            blocks<Rows, false>(what, row);
    }

    static void set_shapes(matrix_shapes& shapes) noexcept {
        shapes.set(weights, 8, 64);
        set_shapes<8>(shapes);
        set_shapes<16>(shapes);
    }

private:
    // The registers of a tile's sums, of two blocks in turn, and of its activations.
    static constexpr int weights = 3;
    template <int Rows>
    static constexpr int number(int which) {
        return (Rows == 16 ? 0 : 4) + which;
    }
    template <int Rows>
    static void set_shapes(matrix_shapes& shapes) noexcept {
        shapes.set(number<Rows>(0), Rows, 64);
        shapes.set(number<Rows>(1), Rows, 64);
        shapes.set(number<Rows>(2), Rows, 32);
    }

    // A block of a panel of a chunk.
    struct cursor {
        const open_chunk* chunk;
        const std::int8_t* a;
        std::size_t blocks;
        const open_chunk* end;  // past the last panel
        std::size_t block = 0;

        HENCE_ALWAYS_INLINE bool ends_panel() {
            if (++block != blocks) return false;
            block = 0;
            ++chunk;
            return true;
        }
    };

    template <int Rows, int Which>
    HENCE_ALWAYS_INLINE static void multiply(cursor& at, std::size_t stride) noexcept {
        clear_matrix<number<Rows>(Which)>();
        load_matrix<number<Rows>(2)>(at.a + at.block * block_columns, stride);
        load_matrix<weights>(at.chunk->centred + at.block * 512, 64);
        dot_signed<number<Rows>(Which), number<Rows>(2), weights>();
        at.ends_panel();
    }

    // What a chunk's blocks have in each row: [row][block].
    template <int Rows>
    struct row_factors {
        alignas(HENCE_ALIGNMENT) float scale[Rows][chunk_blocks];
        alignas(HENCE_ALIGNMENT) float sum[Rows][chunk_blocks];  // times the scale
    };

    template <int Rows, bool Minimum>
    HENCE_ALWAYS_INLINE static void scale(const std::int32_t* dots, cursor& at, const row_factors<Rows>& factors,
                                          float*& sums, vf* sum) noexcept {
        const vf w = load(at.chunk->scales + 16 * at.block);
        vf least = zero();
        if constexpr (Minimum) least = load(at.chunk->minimums + 16 * at.block);
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) {
            sum[r] = fma(to_float(load_int(dots + 16 * r)), mul(w, set1(factors.scale[r][at.block])), sum[r]);
            if constexpr (Minimum) sum[r] = fma(least, set1(factors.sum[r][at.block]), sum[r]);
        }
        if (!at.ends_panel()) return;
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) store(sums + 16 * panels * r, sum[r]);
        if (at.chunk == at.end) return;
        sums += 16;
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) sum[r] = load(sums + 16 * panels * r);
    }

    template <int Rows, bool Minimum>
    static HENCE_NOINLINE void blocks(const chunk_product& what, std::size_t row) noexcept {
        static_assert(chunk_blocks == 16, "a vector holds what the blocks of a chunk have in one row");
        const std::size_t count = what.blocks;
        const std::size_t stride = what.in.quant_stride;
        const std::int8_t* const a = what.in.quants + row * stride + what.first * block_columns;
        row_factors<Rows> factors;
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) {
            const std::size_t at = (row + static_cast<std::size_t>(r)) * what.in.block_stride + what.first;
            const vf x = load_n(what.in.scales + at, count);
            store(factors.scale[r], x);
            if constexpr (Minimum) store(factors.sum[r], mul(x, to_float(pair_sums(what.in.block_sums + at, count))));
        }
        auto ahead = what.ahead;
        what.template ask_for_outputs<Rows>(row);
        alignas(HENCE_ALIGNMENT) std::int32_t dots[2][Rows * 16];
        // One sequence of the blocks of all panels, so that the first product of a panel does not wait for the last scaling.
        const std::size_t all = panels * count;
        cursor next{what.chunk, a, count, what.chunk + panels};
        cursor now = next;
        float* sums = what.sums + row * panels * 16;
        vf sum[Rows];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) sum[r] = load(sums + 16 * panels * r);
        multiply<Rows, 0>(next, stride);
        multiply<Rows, 1>(next, stride);
        store_matrix<number<Rows>(0)>(dots[0]);
        for (std::size_t i = 0; i < all; i += 2) {
            ahead.next_part();
            if (i + 2 < all) multiply<Rows, 0>(next, stride);
            scale<Rows, Minimum>(dots[0], now, factors, sums, sum);
            store_matrix<number<Rows>(1)>(dots[1]);
            if (i + 3 < all) multiply<Rows, 1>(next, stride);
            scale<Rows, Minimum>(dots[1], now, factors, sums, sum);
            if (i + 2 < all) store_matrix<number<Rows>(0)>(dots[0]);
        }
        what.ahead = ahead;
    }

    // The sums of both halves of each block's activations.
    HENCE_ALWAYS_INLINE static vi pair_sums(const block_sum* sums, std::size_t count) noexcept {
        const vi pairs = _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << count) - 1u), sums);
        return _mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
    }
};

// The matrix registers while a product works, and the weights that they take: signed, their bias taken off.
template <block_kind Kind>
struct matrix_unit {
    using tile = matrix_tile<Kind>;
    static constexpr std::size_t packed_rows = 15;

    explicit matrix_unit(std::size_t rows) noexcept : used_(rows > packed_rows) {
        if (!used_) return;
        matrix_shapes shapes;
        tile::set_shapes(shapes);
        shapes.use();
    }
    ~matrix_unit() {
        if (used_) release_matrices();
    }
    matrix_unit(const matrix_unit&) = delete;
    matrix_unit& operator=(const matrix_unit&) = delete;

    void open(chunk_product& what) noexcept {
        if (!used_) return;
        for (int p = 0; p < tile_panels; ++p) {
            open_chunk& chunk = what.chunk[p];
            chunk.centred = chunk.values;
            const int bias = Kind == block_kind::bytes ? byte_bias : chunk.minimums != nullptr ? 0 : what.bias;
            if (bias == 0) continue;
            const vb subtrahend = _mm512_set1_epi8(static_cast<char>(bias));
            for (std::size_t i = 0; i < what.blocks * 512; i += 64)
                store_bytes(centred_[p] + i, _mm512_sub_epi8(load_bytes(chunk.values + i), subtrahend));
            chunk.centred = centred_[p];
        }
    }

private:
    bool used_;
    alignas(HENCE_ALIGNMENT) std::uint8_t centred_[tile_panels][chunk_blocks * 512];
};
// Two integers in a block of 32 that have scales of their own: each would be a product of half a register.
template <>
struct matrix_unit<block_kind::halves> {
    using tile = block_tile<block_kind::halves>;
    static constexpr std::size_t packed_rows = 4 * tile_tokens;
    explicit matrix_unit(std::size_t) noexcept {}
    void open(chunk_product&) noexcept {}
};
