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

// All rows of activations in tiles: tile_tokens at a time, then 4, 2 and 1. A Tile::run<Rows>(what, row) computes rows
// [row, row + Rows).
constexpr int fewer_rows(int rows) noexcept {
    return rows > 4 ? 4 : rows > 2 ? 2 : 1;
}
template <class Tile, int Rows = tile_tokens, class What>
HENCE_ALWAYS_INLINE void walk_rows(const What& what, std::size_t rows, std::size_t row = 0) noexcept {
    for (; row + Rows <= rows; row += Rows) Tile::template run<Rows>(what, row);
    if constexpr (Rows > 1) walk_rows<Tile, fewer_rows(Rows)>(what, rows, row);
}

// The number of tiles that walk_rows makes.
template <int Rows = tile_tokens>
constexpr std::size_t tiles_of(std::size_t rows) noexcept {
    if constexpr (Rows == 1)
        return rows;
    else
        return rows / Rows + tiles_of<fewer_rows(Rows)>(rows % Rows);
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
HENCE_ALWAYS_INLINE const std::byte* panel_data(const matmul_args& args, std::size_t panel, std::size_t last,
                                                std::size_t p, std::size_t bytes) {
    const std::size_t at = panel + p < last ? panel + p : last - 1;
    return args.weights.data + at * bytes;
}

// Weights of few rows come from memory as fast as they are asked for. Where a panel is one stream, a tile asks for what it
// reads in `bytes_ahead`, as a processor's own prefetching keeps too small a distance. Where scales follow the values, and
// a tile walks through both at once, the next panels are asked for while it works on these.
inline constexpr std::size_t bytes_ahead = 4096;
HENCE_ALWAYS_INLINE void ask_ahead(const void* now) {
    __builtin_prefetch(static_cast<const char*>(now) + bytes_ahead, 0, 3);
}

using weight_lines = lines_ahead<weights_level>;
// Panels [panel, panel + count) in `parts` parts, as far as they lie before `last`.
HENCE_ALWAYS_INLINE weight_lines panels_ahead(const matmul_args& args, std::size_t panel, std::size_t count,
                                              std::size_t last, std::size_t panel_bytes, std::size_t parts) {
    if (panel >= last) return {};
    return {args.weights.data + panel * panel_bytes, (last - panel < count ? last - panel : count) * panel_bytes,
            parts};
}
