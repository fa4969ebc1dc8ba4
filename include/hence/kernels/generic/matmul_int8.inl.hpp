// Matrix products of 8-bit activations with 8-bit and 4-bit weights: one tile function per packing, for 1 to tile_tokens
// rows of activations and tile_panels panels at a time. Included inside a tier's namespace after matmul.inl.hpp.
//
// Cost of a tile of R rows and P panels for one block of 32 columns, in vectors of 16 lanes: 8 P weight loads (4 P for
// nibbles), 8 R broadcasts, 8 R P dot products, and per row and panel a conversion, a scale product and a multiply-add.
// With R = 6, P = 2 and a dot product twice a cycle (AVX-512 VNNI) the arithmetic ports take 60 cycles for 96 dot
// products: 80 % of the integer peak.

// Formats: where a block's values are, and how groups of four columns are taken out. `visit` calls
// f(weights, first column of the group) for the groups that lie in the 64 bytes at `index`.
struct format_q8 {
    static constexpr std::size_t block_bytes = 512;
    static constexpr int vectors = 8;
    static constexpr int bias_shift = byte_bias == 0 ? -1 : 7;  // weights are offset by 2^shift
    static constexpr bool has_minimum = false;
    static constexpr int parts = 1;
    HENCE_ALWAYS_INLINE static vb part(vb bytes, int) { return bytes; }
    HENCE_ALWAYS_INLINE static vi dot(vi acc, vb w, vq a) { return dot_byte(acc, w, a); }
};

template <int BiasShift, bool Minimum>
struct format_nibble {
    static constexpr std::size_t block_bytes = 256;
    static constexpr int vectors = 4;
    static constexpr int bias_shift = BiasShift;
    static constexpr bool has_minimum = Minimum;
    static constexpr int parts = 2;  // columns 0..15 in the low nibbles, 16..31 in the high ones
    HENCE_ALWAYS_INLINE static vb part(vb bytes, int index) { return index == 0 ? low_nibbles(bytes) : high_nibbles(bytes); }
    HENCE_ALWAYS_INLINE static vi dot(vi acc, vb w, vq a) { return dot_nibble(acc, w, a); }
};
using format_q4 = format_nibble<3, false>;
using format_q4m = format_nibble<-1, true>;

template <class Format>
struct blocks_kernel {
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t last, std::size_t row) noexcept {
        constexpr int panels = tile_panels;
        const panel_layout layout = args.weights.layout();
        const std::size_t blocks = args.weights.columns / block_columns;
        const std::uint8_t* values[panels];
        const std::uint16_t* scales[panels];
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) {
            const std::byte* base = panel_data(args, panel, last, static_cast<std::size_t>(p), layout.bytes());
            values[p] = reinterpret_cast<const std::uint8_t*>(base);
            scales[p] = reinterpret_cast<const std::uint16_t*>(base + layout.value_bytes);
        }
        const std::int8_t* const a = args.in.quants + row * args.in.quant_stride;
        const float* const a_scale = args.in.scales + row * args.in.block_stride;
        const std::int32_t* const a_sum = args.in.sums + row * args.in.block_stride;
        const std::size_t a_stride = args.in.quant_stride;
        const std::size_t b_stride = args.in.block_stride;
        vf acc[Rows][panels];
        HENCE_UNROLL
        for (int r = 0; r < Rows; ++r)
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) acc[r][p] = zero();
        for (std::size_t b = 0; b < blocks; ++b) {
            vi dot[Rows][panels];
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r) {
                vi start = set1_int(0);
                if constexpr (Format::bias_shift >= 0)
                    start = minus_shifted<Format::bias_shift>(a_sum + static_cast<std::size_t>(r) * b_stride + b);
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) dot[r][p] = start;
            }
            const std::int8_t* block_a = a + b * block_columns;
            for (int v = 0; v < Format::vectors; ++v, block_a += 4) {
                vb bytes[panels];
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) bytes[p] = load_bytes(values[p] + 64 * v);
                HENCE_UNROLL
                for (int part = 0; part < Format::parts; ++part) {
                    vb w[panels];
                    HENCE_UNROLL
                    for (int p = 0; p < panels; ++p) w[p] = Format::part(bytes[p], part);
                    HENCE_UNROLL
                    for (int r = 0; r < Rows; ++r) {
                        const vq x = broadcast_four(block_a + static_cast<std::size_t>(r) * a_stride + 16 * part);
                        HENCE_UNROLL
                        for (int p = 0; p < panels; ++p) dot[r][p] = Format::dot(dot[r][p], w[p], x);
                    }
                }
            }
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) {
                const vf scale = load_f16(scales[p] + b * panel_rows);
                HENCE_UNROLL
                for (int r = 0; r < Rows; ++r) {
                    const vf both = mul(scale, set1(a_scale[static_cast<std::size_t>(r) * b_stride + b]));
                    acc[r][p] = fma(to_float(dot[r][p]), both, acc[r][p]);
                }
                if constexpr (Format::has_minimum) {
                    const vf minimum = load_f16(scales[p] + layout.scale_bytes / 2 + b * panel_rows);
                    HENCE_UNROLL
                    for (int r = 0; r < Rows; ++r) {
                        const std::size_t at = static_cast<std::size_t>(r) * b_stride + b;
                        acc[r][p] = fma(minimum, set1(a_scale[at] * static_cast<float>(a_sum[at])), acc[r][p]);
                    }
                }
                values[p] += Format::block_bytes;
            }
        }
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) {
            if (panel + static_cast<std::size_t>(p) >= last) break;
            HENCE_UNROLL
            for (int r = 0; r < Rows; ++r)
                finish(args, panel + static_cast<std::size_t>(p), row + static_cast<std::size_t>(r), acc[r][p]);
        }
    }
};

struct i8_kernel {
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t last, std::size_t row) noexcept {
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
                start = minus_shifted<7>(args.in.sums + (row + static_cast<std::size_t>(r)) * args.in.block_stride);
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) acc[r][p] = start;
        }
        for (std::size_t g = 0; g < groups; ++g, a += 4) {
            vb w[panels];
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) w[p] = load_bytes(values[p] + 64 * g);
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
