// Matrix products of 8-bit activations with 8-bit weights that have one scale per row. Included inside a tier's namespace
// after matmul.inl.hpp. In vectors of 16 lanes a tile of R rows and P panels takes, per 4 columns, P loads, R broadcasts and
// R P dot products; nothing else until the end. 32-bit sums are exact up to 65536 columns (127 * 128 * 65536 < 2^31).

struct i8_kernel {
    template <int Rows>
    static HENCE_NOINLINE void run(const panel_range& what, std::size_t row) noexcept {
        const auto& [args, panel, last] = what;
        constexpr int panels = tile_panels;
        const panel_layout layout = args.weights.layout();
        const std::uint8_t* values[panels];
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p)
            values[p] = reinterpret_cast<const std::uint8_t*>(
                panel_data(args, panel, last, static_cast<std::size_t>(p), layout.bytes()));
        const std::size_t groups = (args.weights.columns + 3) / 4;
        const std::int8_t* a = args.in.quants + row * args.in.quant_stride;
        vi acc[Rows][panels];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) {
            vi start = set1_int(0);
            if constexpr (byte_bias != 0)
                start = set1_int(-byte_bias * args.in.sums[(row + static_cast<std::size_t>(r)) * args.in.block_stride]);
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) acc[r][p] = start;
        }
        for (std::size_t g = 0; g < groups; ++g, a += 4) {
            vb w[panels];
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) {
                w[p] = load_bytes(values[p] + 64 * g);
                if constexpr (Rows <= 2) ask_ahead(values[p] + 64 * g);
            }
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r) {
                const vq x = broadcast_four(a + static_cast<std::size_t>(r) * args.in.quant_stride);
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) acc[r][p] = dot_byte(acc[r][p], w[p], x);
            }
        }
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) {
            if (panel + static_cast<std::size_t>(p) >= last) break;
            const vf scale = load(reinterpret_cast<const float*>(values[p] + layout.value_bytes));
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r) {
                const std::size_t at = row + static_cast<std::size_t>(r);
                const vf both = mul(scale, set1(args.in.scales[at * args.in.block_stride]));
                finish(args, panel + static_cast<std::size_t>(p), at, mul(to_float(acc[r][p]), both));
            }
        }
    }
};
