// What all matrix products share: the walk over panels and rows, and the writing of a tile's outputs. Included inside a
// tier's namespace after its vectors. Every (row, output) pair goes through the same chain of operations in every tile.

// Writes one row's sixteen outputs of a panel.
HENCE_ALWAYS_INLINE void finish(const matmul_args& args, std::size_t panel, std::size_t row, vf value) {
    const std::size_t first = panel * panel_rows;
    float* out = args.out + row * args.out_stride + first;
    const std::size_t count = args.weights.rows - first;
    if (count >= panel_rows) {
        if (args.bias != nullptr) value = add(value, load(args.bias + first));
        if (args.accumulate) value = add(value, load(out));
        store(out, value);
    } else {
        if (args.bias != nullptr) value = add(value, load_n(args.bias + first, count));
        if (args.accumulate) value = add(value, load_n(out, count));
        store_n(out, value, count);
    }
}

// tile_panels panels (clamped to `last`: the surplus repeats the last one and is not written) by tile_tokens rows.
// A Kernel::tile<Rows> computes rows [row, row + Rows) of panels [panel, panel + tile_panels).
template <class Kernel>
void matmul(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
    for (std::size_t panel = first; panel < last; panel += tile_panels) {
        std::size_t row = 0;
        if constexpr (tile_tokens >= 6)
            for (; row + 6 <= args.rows; row += 6) Kernel::template tile<6>(args, panel, last, row);
        if constexpr (tile_tokens >= 4)
            for (; row + 4 <= args.rows; row += 4) Kernel::template tile<4>(args, panel, last, row);
        if constexpr (tile_tokens >= 2)
            for (; row + 2 <= args.rows; row += 2) Kernel::template tile<2>(args, panel, last, row);
        for (; row < args.rows; ++row) Kernel::template tile<1>(args, panel, last, row);
    }
}

// Where panel number `panel + p` of a tile lies.
HENCE_ALWAYS_INLINE const std::byte* panel_data(const matmul_args& args, std::size_t panel, std::size_t last, std::size_t p,
                                               std::size_t bytes) {
    const std::size_t at = panel + p < last ? panel + p : last - 1;
    return args.weights.data + at * bytes;
}
