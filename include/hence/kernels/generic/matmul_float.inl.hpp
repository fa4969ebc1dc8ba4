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
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        const std::byte* values = args.weights.data + panel * args.weights.layout().bytes();
        const std::size_t columns = args.weights.columns;
        const float* a[Rows];
        vf acc[Rows];
        for (int r = 0; r < Rows; ++r) {
            a[r] = args.in.values + (row + static_cast<std::size_t>(r)) * args.in.value_stride;
            acc[r] = zero();
        }
        std::size_t k = 0;
        for (; k + Element::step <= columns; k += Element::step) {
            vf w[Element::step];
            Element::load(values, w);
            for (std::size_t s = 0; s < Element::step; ++s)
                for (int r = 0; r < Rows; ++r) acc[r] = fma(w[s], set1(a[r][k + s]), acc[r]);
            values += Element::bytes;
        }
        if (k < columns) {  // the last column of an odd count of pairs
            vf w[Element::step];
            Element::load(values, w);
            for (int r = 0; r < Rows; ++r) acc[r] = fma(w[0], set1(a[r][k]), acc[r]);
        }
        for (int r = 0; r < Rows; ++r) finish(args, panel, row + static_cast<std::size_t>(r), acc[r]);
    }
};
