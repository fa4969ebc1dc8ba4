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

// All rows of activations in tiles: tile_tokens at a time, then 2, then 1. A Tile::run<Rows>(what, row) computes rows
// [row, row + Rows).
template <class Tile, class What>
HENCE_ALWAYS_INLINE void walk_rows(const What& what, std::size_t rows) noexcept {
    std::size_t row = 0;
    if constexpr (tile_tokens > 2)
        for (; row + tile_tokens <= rows; row += tile_tokens) Tile::template run<tile_tokens>(what, row);
    if constexpr (tile_tokens >= 2)
        for (; row + 2 <= rows; row += 2) Tile::template run<2>(what, row);
    for (; row < rows; ++row) Tile::template run<1>(what, row);
}

// tile_panels panels at a time, clamped to `last`: the surplus repeats the last one and is not written.
struct panel_range {
    const matmul_args& args;
    std::size_t panel;
    std::size_t last;
};
template <class Tile>
void matmul(const matmul_args& args, std::size_t first, std::size_t last) noexcept {
    for (std::size_t panel = first; panel < last; panel += tile_panels)
        walk_rows<Tile>(panel_range{args, panel, last}, args.rows);
}

// Where panel number `panel + p` of a tile lies.
HENCE_ALWAYS_INLINE const std::byte* panel_data(const matmul_args& args, std::size_t panel, std::size_t last, std::size_t p,
                                               std::size_t bytes) {
    const std::size_t at = panel + p < last ? panel + p : last - 1;
    return args.weights.data + at * bytes;
}
