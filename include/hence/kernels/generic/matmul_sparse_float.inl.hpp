// Products with float weights whose zeros are not stored. Included inside a tier's namespace after matmul_float.inl.hpp and
// matmul_sparse.inl.hpp. Each output is the dense product's chain without the terms that are zero: the same bits where the
// activations are finite.

// A panel: a byte per 32 columns that says which of its eight groups of 4 columns are there; then the groups' columns.
template <class Element>
struct sparse_float_block_kernel {
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        constexpr int step = static_cast<int>(Element::step);
        const std::size_t blocks = (args.weights.columns + block_columns - 1) / block_columns;
        const std::byte* base = tabled_panel(args.weights, panel);
        const auto* present = reinterpret_cast<const std::uint8_t*>(base);
        const std::byte* values = base + padded_64(blocks);
        const float* a = args.in.values + row * args.in.value_stride;
        vf acc[Rows];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) acc[r] = zero();
        for (std::size_t b = 0; b < blocks; ++b) {
            for (unsigned left = present[b]; left != 0; left &= left - 1) {
                const float* x = a + b * block_columns + 4u * static_cast<unsigned>(__builtin_ctz(left));
                for (int k = 0; k < 4; k += step, values += Element::bytes) {
                    vf w[step];
                    Element::load(values, w);
                    ask_ahead(values);
                    HENCE_UNROLL
                    for (int s = 0; s < step; ++s) HENCE_UNROLL
                    for (int r = 0; r < Rows; ++r)
                        acc[r] = fma(w[s],
                                     set1(x[static_cast<std::size_t>(r) * args.in.value_stride +
                                            static_cast<std::size_t>(k + s)]),
                                     acc[r]);
                }
            }
        }
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) finish(args, panel, row + static_cast<std::size_t>(r), acc[r]);
    }
};

// A panel: how many weights its fullest row has (even for bfloat16); [slot][r] columns, 16 bits each; [slot][r] values.
template <class Element>
struct sparse_float_rows_kernel {
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        constexpr int step = static_cast<int>(Element::step);
        const std::byte* base = tabled_panel(args.weights, panel);
        const std::size_t slots = *reinterpret_cast<const std::uint32_t*>(base);
        const auto* columns = reinterpret_cast<const std::uint16_t*>(base + 64);
        const std::byte* values = base + 64 + padded_64(slots * 32);
        const float* a = args.in.values + row * args.in.value_stride;
        vf acc[Rows];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) acc[r] = zero();
        for (std::size_t slot = 0; slot < slots; slot += Element::step, values += Element::bytes) {
            vf w[step];
            Element::load(values, w);
            ask_ahead(values);
            ask_ahead(columns);
            HENCE_UNROLL
            for (int s = 0; s < step; ++s, columns += panel_rows) HENCE_UNROLL
            for (int r = 0; r < Rows; ++r)
                acc[r] = fma(w[s], gather(a + static_cast<std::size_t>(r) * args.in.value_stride, columns), acc[r]);
        }
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) finish(args, panel, row + static_cast<std::size_t>(r), acc[r]);
    }
};

// Two of four columns: each row picks the activations that its weights meet by a shuffle. A product of 16 lanes takes a
// shuffle and a multiply-add for each row of activations, and a load and a shift for all of them.
template <class Element>
struct sparse_float_24_kernel {
    static constexpr std::size_t group_bytes = 2 / Element::step * Element::bytes;
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        constexpr int step = static_cast<int>(Element::step);
        const std::size_t stride = args.in.value_stride;
        const std::byte* at = args.weights.data + panel * args.weights.layout().bytes();
        const float* x = args.in.values + row * stride;
        const float* const end = x + args.weights.columns;
        vf acc[Rows];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) acc[r] = zero();
        while (x != end) {
            si places = load_places(at);
            ask_ahead(at);
            at += 64;
            for (int group = 0; group < 8; ++group, x += 4, at += group_bytes) {
                vf w[2];
                HENCE_UNROLL
                for (int s = 0; s < 2; s += step) {
                    Element::load(at + static_cast<std::size_t>(s / step) * Element::bytes, w + s);
                    ask_ahead(at + static_cast<std::size_t>(s / step) * Element::bytes);
                }
                HENCE_UNROLL
                for (int s = 0; s < 2; ++s) {
                    HENCE_UNROLL
                    for (int r = 0; r < Rows; ++r)
                        acc[r] = fma(w[s], choose_of_four(x + static_cast<std::size_t>(r) * stride, places), acc[r]);
                    places = next_places(places);
                }
            }
        }
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) finish(args, panel, row + static_cast<std::size_t>(r), acc[r]);
    }
};

constexpr void set_sparse_float(kernel_table& table) {
    table.matmul[static_cast<std::size_t>(packing::f32_24)] = matmul_sparse<sparse_float_24_kernel<element_f32>>;
    table.matmul[static_cast<std::size_t>(packing::bf16_24)] = matmul_sparse<sparse_float_24_kernel<element_bf16>>;
    table.matmul[static_cast<std::size_t>(packing::f32_block)] = matmul_sparse<sparse_float_block_kernel<element_f32>>;
    table.matmul[static_cast<std::size_t>(packing::bf16_block)] =
        matmul_sparse<sparse_float_block_kernel<element_bf16>>;
    table.matmul[static_cast<std::size_t>(packing::f32_rows)] = matmul_sparse<sparse_float_rows_kernel<element_f32>>;
    table.matmul[static_cast<std::size_t>(packing::bf16_rows)] = matmul_sparse<sparse_float_rows_kernel<element_bf16>>;
}
