// Products of AMX that need no scale before their last column: bytes with one scale a row, and bfloat16. Included inside a
// tier's namespace after the loops that it has in common with other tiers.
//
// Two registers of activations meet two panels: four loads for four products, each of 16 x 16 outputs and 64 bytes of a row.
// What remains of the columns goes through the vectors of the tier below.

struct int8_matrices {
    static constexpr std::size_t least_rows =
        4;  // fewer are left to vectors; the sums are exact, so it makes no difference
    static constexpr std::size_t columns = 4;  // in a row of a register of weights
    using element = std::int8_t;
    static const element* in(const matmul_args& args) { return args.in.quants; }
    static std::size_t stride(const matmul_args& args) { return args.in.quant_stride; }
    template <int Sums, int In, int Weights>
    HENCE_ALWAYS_INLINE static void dot() {
        dot_unsigned<Sums, In, Weights>();
    }
    HENCE_ALWAYS_INLINE static vi begin(const void* stored) {
        return load_int(static_cast<const std::int32_t*>(stored));
    }
    HENCE_ALWAYS_INLINE static vi add_group(vi sum, const std::byte* weights, const element* x) {
        return dot_byte(sum, load_bytes(reinterpret_cast<const std::uint8_t*>(weights)), broadcast_four(x));
    }
    HENCE_ALWAYS_INLINE static vf end(const matmul_args& args, const std::byte* panel, const panel_layout& layout,
                                      std::size_t row, vi sum) {
        const std::size_t at = row * args.in.block_stride;
        const vf scale = load(reinterpret_cast<const float*>(panel + layout.value_bytes));
        const vi dot = add(sum, set1_int(-byte_bias * args.in.sums[at]));
        return mul(to_float(dot), mul(scale, set1(args.in.scales[at])));
    }
};

struct bf16_matrices {
    static constexpr std::size_t columns = 2;
    using element = std::uint16_t;
    static const element* in(const matmul_args& args) { return args.in.halves; }
    static std::size_t stride(const matmul_args& args) { return args.in.half_stride; }
    template <int Sums, int In, int Weights>
    HENCE_ALWAYS_INLINE static void dot() {
        dot_bf16<Sums, In, Weights>();
    }
    HENCE_ALWAYS_INLINE static vf begin(const void* stored) { return load(static_cast<const float*>(stored)); }
    HENCE_ALWAYS_INLINE static vf add_group(vf sum, const std::byte* weights, const element* x) {
        return dot_pair(sum, load_pair(reinterpret_cast<const std::uint16_t*>(weights)), broadcast_pair(x));
    }
    HENCE_ALWAYS_INLINE static vf end(const matmul_args&, const std::byte*, const panel_layout&, std::size_t, vf sum) {
        return sum;
    }
};

template <class Format>
struct whole_matrices {
    static void run(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
        const std::size_t full = args.rows / 32 * 32;
        const std::size_t rest = args.rows - full;
        const std::size_t upper = rest < 16 ? rest : 16;
        const matrix_shapes of_all = shapes(16, 16);
        const matrix_shapes of_rest = shapes(upper, rest - upper);
        const panel_layout layout = args.weights.layout();
        const std::size_t steps = groups(args) / 16;
        if (full != 0) of_all.use();
        for (std::size_t panel = first; panel < last; panel += 2) {
            auto ahead = panels_ahead(args, panel + 2, 2, last, layout.bytes(), steps * ((args.rows + 31) / 32));
            if (full != 0 && rest != 0 && panel != first) of_all.use();
            for (std::size_t row = 0; row < full; row += 32) multiply<true>(args, panel, last, row, 32, ahead);
            if (rest == 0) continue;
            if (full != 0 || panel == first) of_rest.use();
            if (rest > 16)
                multiply<true>(args, panel, last, full, rest, ahead);
            else
                multiply<false>(args, panel, last, full, rest, ahead);
        }
        release_matrices();
    }

private:
    using element = typename Format::element;
    static std::size_t groups(const matmul_args& args) noexcept {
        return (args.weights.columns + Format::columns - 1) / Format::columns;
    }

    // Registers 0 to 3: the sums, [16 rows][panel]; 4, 5: activations; 6, 7: weights.
    static matrix_shapes shapes(std::size_t upper, std::size_t lower) noexcept {
        matrix_shapes all;
        const std::size_t rows[] = {upper, upper, lower, lower, upper, lower, 16, 16};
        for (int i = 0; i < 8; ++i)
            if (rows[i] != 0) all.set(i, rows[i], 64);
        return all;
    }

    // Rows [row, row + rows), more than 16 where Two, and two panels.
    template <bool Two>
    static HENCE_NOINLINE void multiply(const matmul_args& args, std::size_t panel, std::size_t last, std::size_t row,
                                        std::size_t rows, weight_lines& requests) noexcept {
        const panel_layout layout = args.weights.layout();
        const std::byte* const w[2] = {panel_data(args, panel, last, 0, layout.bytes()),
                                       panel_data(args, panel, last, 1, layout.bytes())};
        const std::size_t stride = Format::stride(args);
        const std::size_t stride_bytes = stride * sizeof(element);
        const element* const x = Format::in(args) + row * stride;
        const std::size_t steps = groups(args) / 16;
        auto ahead = requests;
        clear_matrix<0>();
        clear_matrix<1>();
        if constexpr (Two) {
            clear_matrix<2>();
            clear_matrix<3>();
        }
        for (std::size_t s = 0; s < steps; ++s) {
            ahead.next_part();
            load_matrix<4>(x + s * 16 * Format::columns, stride_bytes);
            load_matrix<6>(w[0] + 1024 * s, 64);
            Format::template dot<0, 4, 6>();
            load_matrix<7>(w[1] + 1024 * s, 64);
            Format::template dot<1, 4, 7>();
            if constexpr (Two) {
                load_matrix<5>(x + 16 * stride + s * 16 * Format::columns, stride_bytes);
                Format::template dot<2, 5, 6>();
                Format::template dot<3, 5, 7>();
            }
        }
        requests = ahead;
        alignas(HENCE_ALIGNMENT) std::byte stored[Two ? 4 : 2][1024];
        store_matrix<0>(stored[0]);
        store_matrix<1>(stored[1]);
        if constexpr (Two) {
            store_matrix<2>(stored[2]);
            store_matrix<3>(stored[3]);
        }
        for (std::size_t p = 0; p < 2 && panel + p < last; ++p)
            for (std::size_t r = 0; r < rows; ++r) {
                auto sum = Format::begin(stored[r / 16 * 2 + p] + r % 16 * 64);
                for (std::size_t g = 16 * steps; g < groups(args); ++g)
                    sum = Format::add_group(sum, w[p] + 64 * g, x + r * stride + g * Format::columns);
                finish(args, panel + p, row + r, Format::end(args, w[p], layout, row + r, sum));
            }
    }
};

inline void matmul_int8(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
    if (args.rows < int8_matrices::least_rows)
        matmul<i8_kernel>(args, first, last);
    else
        whole_matrices<int8_matrices>::run(args, first, last);
}

constexpr kernel_table replace_by_matrices(kernel_table table) {
    table.tier = tier_isa;
    table.matmul[static_cast<std::size_t>(packing::i8)] = matmul_int8;
    table.matmul[static_cast<std::size_t>(packing::bf16d)] = whole_matrices<bf16_matrices>::run;
    set_block_kernels(table);
    return table;
}
inline constexpr kernel_table tier_table = replace_by_matrices(hence_base::tier_table);
