// Matrix products of one row of 8-bit activations with bytes or nibbles: decode's case. Each weight is used once and comes
// from memory, so nothing is opened into a buffer and a panel is read in one go. An output's chain of operations is that of
// block_tile. Included inside a tier's namespace by matmul_blocks.inl.hpp.
//
// A sum of products of nibbles with vpmaddubsw stays below 16 bits for a whole block: 8 * 2 * 15 * 127 = 30480.

// Whether one_row knows the format.
constexpr bool has_one_row(const block_form& form) {
    return !form.levels && (form.vectors == 8 || form.vectors == 4);
}

template <block_kind Kind>
HENCE_NOINLINE void one_row(const matmul_args& args, const block_form& form, const panel_layout& layout,
                            std::size_t panel, std::size_t last) noexcept {
    constexpr bool bytes = Kind == block_kind::bytes;
    constexpr int panels = tile_panels;
    const bool minimum = form.minimum;
    const std::uint8_t* values[panels];
    const std::byte* scales[panels];
    HENCE_UNROLL
    for (int p = 0; p < panels; ++p) {
        const std::byte* const base = panel_data(args, panel, last, static_cast<std::size_t>(p), layout.bytes());
        values[p] = reinterpret_cast<const std::uint8_t*>(base);
        scales[p] = base + layout.value_bytes;
    }
    const vi bias = set1_pair(bytes ? -byte_bias : -form.bias);
    const std::int8_t* a = args.in.quants;
    vf sum[panels];
    HENCE_UNROLL
    for (int p = 0; p < panels; ++p) sum[p] = zero();
    const std::size_t blocks = args.weights.columns / block_columns;
    auto ahead = panels_ahead(args, panel + tile_panels, tile_panels, last, layout.bytes(), blocks);
    for (std::size_t b = 0; b < blocks; ++b, a += block_columns) {
        ahead.next_part();
        const block_sum* const a_sum = args.in.block_sums + b;
        vi dot[panels];
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) dot[p] = !bytes || byte_bias != 0 ? pair_dot(bias, a_sum) : zero_int();
        if constexpr (bytes) {
            for (int group = 0; group < 8; ++group) {
                const vq x = broadcast_four(a + 4 * group);
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) dot[p] = dot_byte(dot[p], load_bytes(values[p] + 64 * group), x);
            }
        } else {
            small_sum part[panels];
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) part[p] = small_begin(dot[p]);
            for (int group = 0; group < 4; ++group) {
                const vq x = broadcast_four(a + 4 * group);
                const vq y = broadcast_four(a + 4 * group + 16);
                HENCE_UNROLL
                for (int p = 0; p < panels; ++p) {
                    const vb both = load_bytes(values[p] + 64 * group);
                    part[p] = small_add(part[p], shift_and(both, 0, 15), x);
                    part[p] = small_add(part[p], shift_and(both, -4, 15), y);
                }
            }
            HENCE_UNROLL
            for (int p = 0; p < panels; ++p) dot[p] = small_end(dot[p], part[p]);
        }
        const float a_scale = args.in.scales[b];
        HENCE_UNROLL
        for (int p = 0; p < panels; ++p) {
            vf scale = zero();
            vf least = zero();
            load_scales(form, layout, scales[p], b, scale, least);
            sum[p] = fma(to_float(dot[p]), mul(scale, set1(a_scale)), sum[p]);
            if (!bytes && minimum)
                sum[p] = fma(least, set1(a_scale * static_cast<float>(a_sum->first + a_sum->second)), sum[p]);
            values[p] += bytes ? 512 : 256;
        }
    }
    HENCE_UNROLL
    for (int p = 0; p < panels; ++p)
        if (panel + static_cast<std::size_t>(p) < last) finish(args, panel + static_cast<std::size_t>(p), 0, sum[p]);
}
