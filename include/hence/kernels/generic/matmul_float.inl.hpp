// Matrix products of float activations with f32, f16 and bf16 weights. Included inside a tier's namespace after
// matmul.inl.hpp. Each output is one chain of fused multiply-adds over ascending columns.

struct element_f32 {
    static constexpr std::size_t step = 1;
    static constexpr std::size_t bytes = 64;
    HENCE_ALWAYS_INLINE static void load(const std::byte* p, vf* w) {
        w[0] = hence_tier::load(reinterpret_cast<const float*>(p));
    }
};
struct element_f16 {
    static constexpr std::size_t step = 1;
    static constexpr std::size_t bytes = 32;
    HENCE_ALWAYS_INLINE static void load(const std::byte* p, vf* w) {
        w[0] = load_f16(reinterpret_cast<const std::uint16_t*>(p));
    }
};
struct element_bf16 {
    static constexpr std::size_t step = 2;
    static constexpr std::size_t bytes = 64;
    HENCE_ALWAYS_INLINE static void load(const std::byte* p, vf* w) {
        load_bf16_pair(reinterpret_cast<const std::uint16_t*>(p), w[0], w[1]);
    }
};

template <class Element>
struct float_kernel {
    template <int Rows>
    static HENCE_NOINLINE void run(const panel_range& what, std::size_t row) noexcept {
        const auto& [args, panel, last] = what;
        constexpr int panels = tile_panels;
        constexpr int step = static_cast<int>(Element::step);
        const std::size_t bytes = args.weights.layout().bytes();
        const std::size_t columns = args.weights.columns;
        const std::byte* values[panels];
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) values[p] = panel_data(args, panel, last, static_cast<std::size_t>(p), bytes);
        const float* a = args.in.values + row * args.in.value_stride;
        vf acc[Rows][panels];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r) HENCE_UNROLL
        for (int p = 0; p < panels; ++p) acc[r][p] = zero();
        for (std::size_t k = 0; k < columns; k += Element::step) {
            vf w[panels][step];
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) {
                Element::load(values[p], w[p]);
                if constexpr (Rows <= 2) ask_ahead(values[p]);
                values[p] += Element::bytes;
            }
            const int used = step == 1 || k + Element::step <= columns ? step : 1;  // an odd last column of pairs
            HENCE_UNROLL
            for (int s = 0; s < step; ++s) {
                if (s >= used) continue;
                HENCE_UNROLL
                for (int r = 0; r < Rows; ++r) {
                    const vf x =
                        set1(a[static_cast<std::size_t>(r) * args.in.value_stride + k + static_cast<std::size_t>(s)]);
                    HENCE_UNROLL
                    for (int p = 0; p < panels; ++p) acc[r][p] = fma(w[p][s], x, acc[r][p]);
                }
            }
        }
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) {
            if (panel + static_cast<std::size_t>(p) >= last) continue;
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r)
                finish(args, panel + static_cast<std::size_t>(p), row + static_cast<std::size_t>(r), acc[r][p]);
        }
    }
};
