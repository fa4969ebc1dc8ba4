// Matrix products of bfloat16 activations with bfloat16 weights, two columns at a time. Included inside a tier's namespace
// after matmul.inl.hpp and what defines `pair`. With vdpbf16ps a tile of R rows and P panels takes, per 2 columns, P loads,
// R broadcasts and R P instructions of 32 products; elsewhere each is two multiply-adds.

struct bf16_kernel {
    template <int Rows>
    static HENCE_NOINLINE void run(const panel_range& what, std::size_t row) noexcept {
        const auto& [args, panel, last] = what;
        constexpr int panels = tile_panels;
        const std::size_t bytes = args.weights.layout().bytes();
        const std::uint16_t* values[panels];
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p)
            values[p] = reinterpret_cast<const std::uint16_t*>(
                panel_data(args, panel, last, static_cast<std::size_t>(p), bytes));
        const std::uint16_t* x = args.in.halves + row * args.in.half_stride;
        vf sum[Rows][panels];
        HENCE_UNROLL
        for (int i = 0; i < Rows * panels; ++i) sum[i / panels][i % panels] = zero();
        for (std::size_t k = 0; k < args.weights.columns; k += 2, x += 2) {
            pair w[panels];
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) {
                w[p] = load_pair(values[p]);
                if constexpr (Rows <= 2) ask_ahead(values[p]);
                values[p] += 32;
            }
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r) {
                const pair both = broadcast_pair(x + static_cast<std::size_t>(r) * args.in.half_stride);
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) sum[r][p] = dot_pair(sum[r][p], w[p], both);
            }
        }
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) {
            if (panel + static_cast<std::size_t>(p) >= last) break;
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r)
                finish(args, panel + static_cast<std::size_t>(p), row + static_cast<std::size_t>(r), sum[r][p]);
        }
    }
};
