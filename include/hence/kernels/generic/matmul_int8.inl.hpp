// Matrix products of 8-bit activations with 8-bit and 4-bit weights: one tile function per packing, for 1 to tile_tokens
// rows of activations at a time. Included inside a tier's namespace after matmul.inl.hpp.
//
// Cost of a tile of R rows and one block of 32 columns x 16 outputs, in vectors of 16 lanes: 8 weight loads, 8 R dot
// products, R conversions, R scale products, R multiply-adds.

// Formats: where a block's values and scales are, and how a group of four columns is taken out.
struct format_q8 {
    static constexpr std::size_t block_bytes = 512;
    static constexpr std::int32_t zero_point = byte_bias;
    static constexpr bool has_minimum = false;
    HENCE_ALWAYS_INLINE static vi dot(vi acc, const std::uint8_t* block, int group, const std::int8_t* a) {
        return dot_byte(acc, load_bytes(block + 64 * group), a);
    }
};

template <std::int32_t ZeroPoint, bool Minimum>
struct format_nibble {
    static constexpr std::size_t block_bytes = 256;
    static constexpr std::int32_t zero_point = ZeroPoint;
    static constexpr bool has_minimum = Minimum;
    HENCE_ALWAYS_INLINE static vi dot(vi acc, const std::uint8_t* block, int group, const std::int8_t* a) {
        const vb bytes = load_bytes(block + 64 * (group & 3));
        return dot_nibble(acc, group < 4 ? low_nibbles(bytes) : high_nibbles(bytes), a);
    }
};
using format_q4 = format_nibble<8, false>;
using format_q4m = format_nibble<0, true>;

template <class Format, int Rows>
HENCE_NOINLINE void blocks_tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
    const panel_layout layout = args.weights.layout();
    const std::byte* base = args.weights.data + panel * layout.bytes();
    const auto* values = reinterpret_cast<const std::uint8_t*>(base);
    const auto* scales = reinterpret_cast<const std::uint16_t*>(base + layout.value_bytes);
    const auto* minimums = reinterpret_cast<const std::uint16_t*>(base + layout.value_bytes + layout.scale_bytes);
    const std::size_t blocks = args.weights.columns / block_columns;
    const std::int8_t* a[Rows];
    const float* a_scale[Rows];
    const std::int32_t* a_sum[Rows];
    vf acc[Rows];
    for (int r = 0; r < Rows; ++r) {
        const std::size_t at = row + static_cast<std::size_t>(r);
        a[r] = args.in.quants + at * args.in.quant_stride;
        a_scale[r] = args.in.scales + at * args.in.block_stride;
        a_sum[r] = args.in.sums + at * args.in.block_stride;
        acc[r] = zero();
    }
    for (std::size_t b = 0; b < blocks; ++b) {
        vi dot[Rows];
        for (int r = 0; r < Rows; ++r) dot[r] = set1_int(-Format::zero_point * a_sum[r][b]);
        for (int g = 0; g < 8; ++g)
            for (int r = 0; r < Rows; ++r) dot[r] = Format::dot(dot[r], values, g, a[r] + b * block_columns + 4 * g);
        const vf scale = load_f16(scales + b * panel_rows);
        for (int r = 0; r < Rows; ++r) acc[r] = fma(to_float(dot[r]), mul(scale, set1(a_scale[r][b])), acc[r]);
        if constexpr (Format::has_minimum) {
            const vf minimum = load_f16(minimums + b * panel_rows);
            for (int r = 0; r < Rows; ++r)
                acc[r] = fma(minimum, set1(a_scale[r][b] * static_cast<float>(a_sum[r][b])), acc[r]);
        }
        values += Format::block_bytes;
    }
    for (int r = 0; r < Rows; ++r) finish(args, panel, row + static_cast<std::size_t>(r), acc[r]);
}

template <class Format>
struct blocks_kernel {
    template <int Rows>
    static void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        blocks_tile<Format, Rows>(args, panel, row);
    }
};

struct i8_kernel {
    template <int Rows>
    static HENCE_NOINLINE void tile(const matmul_args& args, std::size_t panel, std::size_t row) noexcept {
        const panel_layout layout = args.weights.layout();
        const std::byte* base = args.weights.data + panel * layout.bytes();
        const auto* values = reinterpret_cast<const std::uint8_t*>(base);
        const auto* scales = reinterpret_cast<const float*>(base + layout.value_bytes);
        const std::size_t groups = (args.weights.columns + 3) / 4;
        const std::int8_t* a[Rows];
        vi acc[Rows];
        vi acc_odd[Rows];  // integers: a second chain changes nothing but the latency
        for (int r = 0; r < Rows; ++r) {
            const std::size_t at = row + static_cast<std::size_t>(r);
            a[r] = args.in.quants + at * args.in.quant_stride;
            acc[r] = set1_int(-byte_bias * args.in.sums[at * args.in.block_stride]);
            acc_odd[r] = set1_int(0);
        }
        std::size_t g = 0;
        for (; g + 2 <= groups; g += 2) {
            const vb even = load_bytes(values + 64 * g);
            const vb odd = load_bytes(values + 64 * g + 64);
            for (int r = 0; r < Rows; ++r) {
                acc[r] = dot_byte(acc[r], even, a[r] + 4 * g);
                acc_odd[r] = dot_byte(acc_odd[r], odd, a[r] + 4 * g + 4);
            }
        }
        if (g < groups)
            for (int r = 0; r < Rows; ++r) acc[r] = dot_byte(acc[r], load_bytes(values + 64 * g), a[r] + 4 * g);
        const vf scale = load(scales);
        for (int r = 0; r < Rows; ++r) {
            const std::size_t at = row + static_cast<std::size_t>(r);
            const vf sum = to_float(add(acc[r], acc_odd[r]));
            finish(args, panel, at, mul(sum, mul(scale, set1(args.in.scales[at * args.in.block_stride]))));
        }
    }
};
