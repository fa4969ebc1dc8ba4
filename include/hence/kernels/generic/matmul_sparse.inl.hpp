// Products with 8-bit weights whose zeros are not stored. Included inside a tier's namespace after matmul.inl.hpp.
//
// Not the weights are expanded: each row picks the activations that its weights meet, by a shuffle. Of a block that holds
// 2 of 4 or 4 of 8 columns half the dot products are left. The integer sums are those of the dense product, and the
// float part is the same chain, so that a result is the dense one with zeros written in, bit for bit.

// Panels first to last, for `sparse_tokens` rows of activations at a time and then single ones.
template <class Kernel>
void matmul_sparse(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
    for (std::size_t panel = first; panel < last; ++panel) {
        std::size_t row = 0;
        if constexpr (sparse_tokens > 1)
            for (; row + sparse_tokens <= args.rows; row += sparse_tokens)
                Kernel::template tile<sparse_tokens>(args, panel, row);
        for (; row < args.rows; ++row) Kernel::template tile<1>(args, panel, row);
    }
}

// Where a panel starts, in the packings whose panels differ in size: offsets come first.
HENCE_ALWAYS_INLINE const std::byte* tabled_panel(const packed_matrix& weights, std::size_t panel) {
    return weights.data + reinterpret_cast<const std::uint64_t*>(weights.data)[panel];
}

HENCE_ALWAYS_INLINE std::size_t padded_64(std::size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

// Rows of activations in blocks, and the sums of a tile.
template <int Rows>
struct sparse_rows {
    const std::int8_t* quants;
    const float* scales;
    std::size_t quant_stride, scale_stride;
    vf acc[Rows];
    si dot[Rows];

    HENCE_ALWAYS_INLINE sparse_rows(const matmul_args& args, std::size_t row)
        : quants(args.in.quants + row * args.in.quant_stride),
          scales(args.in.scales + row * args.in.block_stride),
          quant_stride(args.in.quant_stride),
          scale_stride(args.in.block_stride) {
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) acc[r] = zero();
    }
    HENCE_ALWAYS_INLINE const std::int8_t* row(int r) const {
        return quants + static_cast<std::size_t>(r) * quant_stride;
    }
    HENCE_ALWAYS_INLINE void begin_block() {
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) dot[r] = si{};
    }
    HENCE_ALWAYS_INLINE void end_block(std::size_t block, const std::uint16_t* weight_scales) {
        const vf scale = load_f16(weight_scales + block * panel_rows);
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) {
            const vf both = mul(scale, set1(scales[static_cast<std::size_t>(r) * scale_stride + block]));
            acc[r] = fma(sums(dot[r]), both, acc[r]);
        }
    }
    HENCE_ALWAYS_INLINE void write(const matmul_args& args, std::size_t panel, std::size_t row_index) const {
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) finish(args, panel, row_index + static_cast<std::size_t>(r), acc[r]);
    }
};

// Vector V of a block holds four weights per row, of columns 8 V to 8 V + 7.
struct sparse_q8_24 {
    static constexpr std::size_t block_bytes = 320;
    template <int V>
    HENCE_ALWAYS_INLINE static sb values(const std::uint8_t* block) {
        return load_sparse(block + 64 * V);
    }
    template <int V>
    HENCE_ALWAYS_INLINE static sb places(const std::uint8_t* block) {
        return places_of_two_bits<V>(load_sparse(block + 256));
    }
};
struct sparse_q8_48 {
    static constexpr std::size_t block_bytes = 384;
    template <int V>
    HENCE_ALWAYS_INLINE static sb values(const std::uint8_t* block) {
        return load_sparse(block + 64 * V);
    }
    template <int V>
    HENCE_ALWAYS_INLINE static sb places(const std::uint8_t* block) {
        return nibbles<V % 2>(load_sparse(block + 256 + V / 2 * 64));
    }
};
struct sparse_q4_24 {
    static constexpr std::size_t block_bytes = 192;
    template <int V>
    HENCE_ALWAYS_INLINE static sb values(const std::uint8_t* block) {
        return minus_eight(nibbles<V % 2>(load_sparse(block + V / 2 * 64)));
    }
    template <int V>
    HENCE_ALWAYS_INLINE static sb places(const std::uint8_t* block) {
        return places_of_two_bits<V>(load_sparse(block + 128));
    }
};

template <class Format>
struct sparse_groups_kernel {
    template <int V, int Rows>
    HENCE_ALWAYS_INLINE static void step(const std::uint8_t* block, std::size_t column, sparse_rows<Rows>& t) {
        const sb w = Format::template values<V>(block);
        const sb places = Format::template places<V>(block);
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r)
            t.dot[r] = dot_chosen(t.dot[r], w, choose(repeat_eight(t.row(r) + column + 8 * V), places));
    }
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        const panel_layout layout = args.weights.layout();
        const std::byte* base = args.weights.data + panel * layout.bytes();
        const auto* values = reinterpret_cast<const std::uint8_t*>(base);
        const auto* scales = reinterpret_cast<const std::uint16_t*>(base + layout.value_bytes);
        const std::size_t blocks = args.weights.columns / block_columns;
        sparse_rows<Rows> t(args, row);
        auto ahead = panels_ahead(args, panel + 1, row == 0 ? 1 : 0, args.weights.panels(), layout.bytes(), blocks);
        for (std::size_t b = 0; b < blocks; ++b, values += Format::block_bytes) {
            ahead.next_part();
            t.begin_block();
            step<0>(values, b * block_columns, t);
            step<1>(values, b * block_columns, t);
            step<2>(values, b * block_columns, t);
            step<3>(values, b * block_columns, t);
            t.end_block(b, scales);
        }
        t.write(args, panel, row);
    }
};

// A panel: a byte per block that says which of its eight groups of 4 columns are there; scales; the groups, [r][4] bytes.
struct sparse_block_kernel {
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        const std::size_t blocks = args.weights.columns / block_columns;
        const std::byte* base = tabled_panel(args.weights, panel);
        const auto* present = reinterpret_cast<const std::uint8_t*>(base);
        const auto* scales = reinterpret_cast<const std::uint16_t*>(base + padded_64(blocks));
        const auto* values = reinterpret_cast<const std::uint8_t*>(base + padded_64(blocks) + padded_64(blocks * 32));
        sparse_rows<Rows> t(args, row);
        for (std::size_t b = 0; b < blocks; ++b) {
            t.begin_block();
            for (unsigned left = present[b]; left != 0; left &= left - 1, values += 64) {
                const std::size_t column = b * block_columns + 4u * static_cast<unsigned>(__builtin_ctz(left));
                const sb w = load_sparse(values);
                ask_ahead(values);
                HENCE_UNROLL
                for (int r = 0; r < Rows; ++r) t.dot[r] = dot_chosen(t.dot[r], w, repeat_four(t.row(r) + column));
            }
            t.end_block(b, scales);
        }
        t.write(args, panel, row);
    }
};

// A panel: a byte per block that says how many fours of weights its fullest row has; scales; for each four [r][4] bytes
// and [r][4] places within the block.
struct sparse_rows_kernel {
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        const std::size_t blocks = args.weights.columns / block_columns;
        const std::byte* base = tabled_panel(args.weights, panel);
        const auto* counts = reinterpret_cast<const std::uint8_t*>(base);
        const auto* scales = reinterpret_cast<const std::uint16_t*>(base + padded_64(blocks));
        const auto* values = reinterpret_cast<const std::uint8_t*>(base + padded_64(blocks) + padded_64(blocks * 32));
        sparse_rows<Rows> t(args, row);
        for (std::size_t b = 0; b < blocks; ++b) {
            t.begin_block();
            for (unsigned i = 0; i < counts[b]; ++i, values += 128) {
                const sb w = load_sparse(values);
                const sb places = load_sparse(values + 64);
                ask_ahead(values);
                ask_ahead(values + 64);
                HENCE_UNROLL
                for (int r = 0; r < Rows; ++r)
                    t.dot[r] = dot_chosen(t.dot[r], w, choose_of_32(t.row(r) + b * block_columns, places));
            }
            t.end_block(b, scales);
        }
        t.write(args, panel, row);
    }
};

// Weights with one scale per row: 32-bit sums run over the whole row, exact as those of matmul_int8.inl.hpp, and scales come
// once, as there. Signed weights need no sum of the activations; a panel is one stream. With AVX2 a tile of R rows takes, per
// 8 columns of a panel, 8 + 10 R instructions on values (6 for the places, 2 magnitudes; by row 2 shuffles, 2 signs, 4 for
// the products and 2 sums), the dense one 8 + 16 R, and 80 bytes of weights are read instead of 128.
struct sparse_i8_24_kernel {
    template <int V, int Rows>
    HENCE_ALWAYS_INLINE static void step(const std::uint8_t* block, const std::int8_t* a, std::size_t stride,
                                         si (&acc)[Rows]) {
        const sb w = sparse_q8_24::values<V>(block);
        const sb places = sparse_q8_24::places<V>(block);
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r)
            acc[r] =
                dot_chosen(acc[r], w, choose(repeat_eight(a + static_cast<std::size_t>(r) * stride + 8 * V), places));
    }
    template <int Rows>
    static HENCE_NOINLINE void run(const panel_range& what, std::size_t row) noexcept {
        const matmul_args& args = what.args;
        const auto* block =
            reinterpret_cast<const std::uint8_t*>(args.weights.data + what.panel * args.weights.layout().bytes());
        const std::size_t stride = args.in.quant_stride;
        const std::int8_t* a = args.in.quants + row * stride;
        const std::int8_t* const end = a + args.weights.columns;
        si acc[Rows];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) acc[r] = si{};
        for (; a != end; a += block_columns, block += sparse_q8_24::block_bytes) {
            if constexpr (Rows <= 2) {
                HENCE_UNROLL
                for (std::size_t line = 0; line < sparse_q8_24::block_bytes; line += 64) ask_ahead(block + line);
            }
            step<0>(block, a, stride, acc);
            step<1>(block, a, stride, acc);
            step<2>(block, a, stride, acc);
            step<3>(block, a, stride, acc);
        }
        const vf scale = load(reinterpret_cast<const float*>(block));
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) {
            const std::size_t at = row + static_cast<std::size_t>(r);
            finish(args, what.panel, at,
                   mul(sums(acc[r]), mul(scale, set1(args.in.scales[at * args.in.block_stride]))));
        }
    }
};

// As matmul(), but one panel at a time in every tier.
inline void matmul_i8_24(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
    for (std::size_t panel = first; panel < last; ++panel)
        walk_rows<sparse_i8_24_kernel>(panel_range{args, panel, last}, args.rows);
}

constexpr void set_sparse_int8(kernel_table& table) {
    table.matmul[static_cast<std::size_t>(packing::q8_24)] = matmul_sparse<sparse_groups_kernel<sparse_q8_24>>;
    table.matmul[static_cast<std::size_t>(packing::q8_48)] = matmul_sparse<sparse_groups_kernel<sparse_q8_48>>;
    table.matmul[static_cast<std::size_t>(packing::q4_24)] = matmul_sparse<sparse_groups_kernel<sparse_q4_24>>;
    table.matmul[static_cast<std::size_t>(packing::i8_24)] = matmul_i8_24;
    table.matmul[static_cast<std::size_t>(packing::q8_block)] = matmul_sparse<sparse_block_kernel>;
    table.matmul[static_cast<std::size_t>(packing::q8_rows)] = matmul_sparse<sparse_rows_kernel>;
}
