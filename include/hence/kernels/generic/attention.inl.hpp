// Attention over pages. Included inside a tier's namespace.
//
// Keys lie transposed, so a vector holds the scores of sixteen positions; a page of 32 positions is two vectors. Pages
// are the outer loop: a page of one kv head (16 KB of floats at head size 64) stays in the first-level cache while the
// queries of all rows that share it pass, `tile_queries` at a time. Between pages a query's running maximum, sum and
// output wait in memory.
//
// Cost of a tile of Q queries and one page, in vectors of 16 lanes, for keys of size d: 2 d key loads, Q d broadcasts,
// 2 Q d multiply-adds; the same again for values.

// Floats are read where they lie. Pages of any other type are opened first, into args.page, once for all queries that pass
// together: the result is that of a float page which holds the stored values.

// One kv head's page: keys [key_size][page_tokens], values [page_tokens][value_size].
struct open_kv {
    const float* keys;
    const float* values;
};

HENCE_NOINLINE inline open_kv open_page(const attention_args& args, const std::byte* page) noexcept {
    const kv_layout& layout = args.layout;
    const std::byte* const keys = page + layout.key_offset(args.layer, args.kv_head);
    const std::byte* const values = page + layout.value_offset(args.layer, args.kv_head);
    if (layout.type == dtype::f32) return {reinterpret_cast<const float*>(keys), reinterpret_cast<const float*>(values)};
    const auto key_size = static_cast<std::size_t>(layout.key_size);
    const auto value_size = static_cast<std::size_t>(layout.value_size);
    constexpr auto tokens = static_cast<std::size_t>(page_tokens);
    float* const out = args.page;
    if (layout.type == dtype::f16) {
        const auto* const halves = reinterpret_cast<const std::uint16_t*>(keys);
        for (std::size_t i = 0; i < (key_size + value_size) * tokens; i += 16) store(out + i, load_f16(halves + i));
        return {out, out + key_size * tokens};
    }
    if (layout.type == dtype::bf16) {
        const auto* const halves = reinterpret_cast<const std::uint16_t*>(keys);
        for (std::size_t i = 0; i < (key_size + value_size) * tokens; i += 16) store(out + i, load_bf16(halves + i));
        return {out, out + key_size * tokens};
    }
    const auto* const scales = reinterpret_cast<const float*>(page + layout.scale_offset(args.layer, args.kv_head));
    const auto* quants = reinterpret_cast<const std::int8_t*>(keys);
    const vf first = load(scales);
    const vf second = load(scales + 16);
    for (std::size_t i = 0; i < key_size * tokens; i += tokens) {
        store(out + i, mul(to_float(widen(quants + i)), first));
        store(out + i + 16, mul(to_float(widen(quants + i + 16)), second));
    }
    quants = reinterpret_cast<const std::int8_t*>(values);
    float* to = out + key_size * tokens;
    // A row's last vector may reach into the next row, which is written later, and at the end into what follows.
    for (std::size_t j = 0; j < tokens; ++j, quants += value_size, to += value_size) {
        const vf scale = set1(scales[tokens + j]);
        for (std::size_t i = 0; i < value_size; i += 16) store(to + i, mul(to_float(widen(quants + i)), scale));
    }
    return {out, out + key_size * tokens};
}

// Where one query of a tile reads and writes.
struct attention_query {
    const float* query;
    float* out;
    float* largest;  // then the running sum
    int from;        // positions of this page that it sees
    int to;
};

// Scores of a tile's queries on one page: weight[q][position].
template <int Queries>
HENCE_NOINLINE void page_scores(const attention_args& args, const float* keys, const attention_query* queries,
                                float (*weight)[page_tokens]) noexcept {
    const auto key_size = static_cast<std::size_t>(args.layout.key_size);
    vf score[Queries][2];
    const float* query[Queries];
    HENCE_UNROLL
    for (int q = 0; q < Queries; ++q) {
        score[q][0] = score[q][1] = zero();
        query[q] = queries[q].query;
    }
    for (std::size_t d = 0; d < key_size; ++d) {
        const vf k0 = load_once(keys + d * page_tokens);
        const vf k1 = load_once(keys + d * page_tokens + 16);
        HENCE_UNROLL
        for (int q = 0; q < Queries; ++q) {
            const vf x = set1(query[q][d]);
            score[q][0] = fma(k0, x, score[q][0]);
            score[q][1] = fma(k1, x, score[q][1]);
        }
    }
    const vf scale = set1(args.scale);
    HENCE_UNROLL
    for (int q = 0; q < Queries; ++q) {
        store(weight[q], mul(score[q][0], scale));
        store(weight[q] + 16, mul(score[q][1], scale));
    }
}

// The page that is read next, asked for in parts; two of them would not fit into the first cache.
using page_lines = lines_ahead<2>;

// Scores of a page become weights; keep[q] is what a query's earlier sum and output are to be multiplied by.
template <int Queries>
HENCE_NOINLINE void page_weights(const attention_args& args, const attention_query* queries,
                                 float (*weight)[page_tokens], float* keep, page_lines& ahead) noexcept {
    static_assert(Queries <= 16, "one vector of what is kept");
    float before[Queries];
    float lanes[16] = {};  // how much the largest scores have grown: one exponential for all queries
    bool grown = false;
    for (int q = 0; q < Queries; ++q) {
        float* const own = weight[q];
        if (args.softcap > 0.0f) softcap(own, args.softcap, page_tokens);
        // Positions outside the row's range are not in the maximum and get weight 0; the page may hold anything there.
        for (int j = 0; j < queries[q].from; ++j) own[j] = -__builtin_inff();
        for (int j = queries[q].to; j < page_tokens; ++j) own[j] = -__builtin_inff();
        const float page_largest = max_lanes(max(load(own), load(own + 16)));
        before[q] = queries[q].largest[0];
        const float largest = page_largest > before[q] ? page_largest : before[q];
        queries[q].largest[0] = largest;
        keep[q] = 1.0f;
        if (largest == before[q]) continue;
        lanes[q] = before[q] - largest;
        grown = true;
    }
    if (grown) {
        store(lanes, exp(load(lanes)));
        for (int q = 0; q < Queries; ++q)
            if (queries[q].largest[0] != before[q]) keep[q] = before[q] == -__builtin_inff() ? 0.0f : lanes[q];
    }
    for (int q = 0; q < Queries; ++q) {
        ahead.next_part();
        float* const own = weight[q];
        const vf shift = set1(queries[q].largest[0]);
        const vf p0 = exp_of(sub(load(own), shift));
        const vf p1 = exp_of(sub(load(own + 16), shift));
        store(own, p0);
        store(own + 16, p1);
        queries[q].largest[1] = __builtin_fmaf(queries[q].largest[1], keep[q], sum_lanes(add(p0, p1)));
    }
}

template <int Vectors>
HENCE_ALWAYS_INLINE vf value_at(const float* values, std::size_t stride, int position, int vector,
                                std::size_t left) {
    const auto* at = values + static_cast<std::size_t>(position) * stride + 16 * vector;
    if constexpr (Vectors > 1) return load_once(at);
    else return left >= 16 ? load(at) : load_n(at, left);
}

// out[q][first .. first + 16 * Vectors) = out * keep[q] + sum over positions of weight * value. Positions that all
// queries see go together, the others by themselves; each query adds in ascending position.
template <int Queries, int Vectors>
HENCE_NOINLINE void page_values(const attention_args& args, const float* values, std::size_t first,
                                const attention_query* queries, const float (*weight)[page_tokens], const float* keep) noexcept {
    const auto value_size = static_cast<std::size_t>(args.layout.value_size);
    const std::size_t left = value_size - first;  // less than a vector only where Vectors is 1
    values += first;
    vf acc[Queries][Vectors];
    int from = 0;
    int to = page_tokens;
    HENCE_UNROLL
    for (int q = 0; q < Queries; ++q) {
        from = queries[q].from > from ? queries[q].from : from;
        to = queries[q].to < to ? queries[q].to : to;
        const vf factor = set1(keep[q]);
        HENCE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            const float* out = queries[q].out + first + 16 * v;
            acc[q][v] = mul(Vectors > 1 || left >= 16 ? load(out) : load_n(out, left), factor);
        }
    }
    if (to < from) to = from;
    HENCE_UNROLL
    for (int q = 0; q < Queries; ++q)
        for (int j = queries[q].from; j < from && j < queries[q].to; ++j) {
            HENCE_UNROLL
            for (int v = 0; v < Vectors; ++v) acc[q][v] = fma(value_at<Vectors>(values, value_size, j, v, left), set1(weight[q][j]), acc[q][v]);
        }
    for (int j = from; j < to; ++j) {
        vf x[Vectors];
        HENCE_UNROLL
        for (int v = 0; v < Vectors; ++v) x[v] = value_at<Vectors>(values, value_size, j, v, left);
        HENCE_UNROLL
        for (int q = 0; q < Queries; ++q) {
            const vf w = set1(weight[q][j]);
            HENCE_UNROLL
            for (int v = 0; v < Vectors; ++v) acc[q][v] = fma(x[v], w, acc[q][v]);
        }
    }
    HENCE_UNROLL
    for (int q = 0; q < Queries; ++q) {
        for (int j = queries[q].from > to ? queries[q].from : to; j < queries[q].to; ++j) {
            HENCE_UNROLL
            for (int v = 0; v < Vectors; ++v)
                acc[q][v] = fma(value_at<Vectors>(values, value_size, j, v, left), set1(weight[q][j]), acc[q][v]);
        }
        HENCE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            float* out = queries[q].out + first + 16 * v;
            if (Vectors > 1 || left >= 16) store(out, acc[q][v]);
            else store_n(out, acc[q][v], left);
        }
    }
}

// One page for a tile of queries.
template <int Queries>
HENCE_NOINLINE void attend_page(const attention_args& args, const open_kv& page, const attention_query* queries,
                                page_lines& ahead) noexcept {
    constexpr int vectors = Queries == tile_queries && Queries > 1 ? 2 : 4;  // of sums that stay in registers
    alignas(HENCE_ALIGNMENT) float weight[Queries][page_tokens];
    float keep[Queries];
    ahead.next_part();
    for (int q = 0; q < Queries; ++q) __builtin_prefetch(queries[q].largest, 1, 3);
    page_scores<Queries>(args, page.keys, queries, weight);
    page_weights<Queries>(args, queries, weight, keep, ahead);
    const auto value_size = static_cast<std::size_t>(args.layout.value_size);
    std::size_t first = 0;
    for (; first + 16 * vectors <= value_size; first += 16 * vectors) {
        ahead.next_part();
        page_values<Queries, vectors>(args, page.values, first, queries, weight, keep);
    }
    for (; first < value_size; first += 16) page_values<Queries, 1>(args, page.values, first, queries, weight, keep);
}

inline void attend_page(const attention_args& args, const open_kv& page, const attention_query* queries, int count,
                        page_lines& ahead) noexcept {
    int q = 0;
    if constexpr (tile_queries >= 6)
        for (; q + 6 <= count; q += 6) attend_page<6>(args, page, queries + q, ahead);
    if constexpr (tile_queries >= 3)
        for (; q + 3 <= count; q += 3) attend_page<3>(args, page, queries + q, ahead);
    if constexpr (tile_queries == 2)
        for (; q + 2 <= count; q += 2) attend_page<2>(args, page, queries + q, ahead);
    for (; q < count; ++q) attend_page<1>(args, page, queries + q, ahead);
}

// The positions that a row sees, and whether some are on a page.
struct seen_positions {
    std::int32_t begin;
    std::int32_t end;

    seen_positions(const attention_args& args, std::size_t row)
        : end(args.rows[row].position + 1) {
        begin = args.window > 0 && end > args.window ? end - args.window : 0;
    }
    [[nodiscard]] bool on(std::int32_t page) const { return page * page_tokens < end && (page + 1) * page_tokens > begin; }
};

// What is read after the page that rows from `row` on share, asked for in parts while they read that one: another row's page,
// or the first of the next ones.
HENCE_NOINLINE inline page_lines page_after(const attention_args& args, std::int32_t page, std::size_t row) noexcept {
    const std::byte* const own = args.rows[row].pages[page];
    std::size_t reader = row;
    std::size_t together = 0;
    for (; reader < args.row_count; ++reader) {
        if (!seen_positions(args, reader).on(page)) continue;
        if (args.rows[reader].pages[page] != own) break;
        ++together;
    }
    if (reader == args.row_count) {
        ++page;
        for (reader = 0; reader < args.row_count && !seen_positions(args, reader).on(page);) ++reader;
        if (reader == args.row_count) return {};
    }
    const kv_layout& layout = args.layout;
    const std::int32_t seen = seen_positions(args, reader).end - page * page_tokens;
    const auto numbers = static_cast<std::size_t>(layout.key_size * page_tokens + layout.value_size * (seen < page_tokens ? seen : page_tokens));
    const std::size_t queries = together * static_cast<std::size_t>(args.last_head - args.first_head);
    const std::size_t tiles = (queries + tile_queries - 1) / tile_queries;
    return {args.rows[reader].pages[page] + layout.key_offset(args.layer, args.kv_head), numbers * layout.element_bytes(), queries + 2 * tiles};
}

inline void attention(const attention_args& args) noexcept {
    constexpr int most = 2 * tile_queries;
    const auto key_size = static_cast<std::size_t>(args.layout.key_size);
    const auto value_size = static_cast<std::size_t>(args.layout.value_size);
    const auto group = static_cast<std::size_t>(args.kv_head) * static_cast<std::size_t>(args.heads_per_kv);
    std::int32_t first_page = 0x7fffffff;
    std::int32_t last_page = 0;
    for (std::size_t row = 0; row < args.row_count; ++row) {
        const seen_positions seen(args, row);
        if (seen.begin / page_tokens < first_page) first_page = seen.begin / page_tokens;
        if ((seen.end - 1) / page_tokens > last_page) last_page = (seen.end - 1) / page_tokens;
        for (std::int32_t h = args.first_head; h < args.last_head; ++h) {
            const std::size_t head = group + static_cast<std::size_t>(h);
            float* state = args.state + row * args.state_stride + 2 * head;
            state[0] = -__builtin_inff();
            state[1] = 0.0f;
            float* out = args.out + row * args.out_stride + head * value_size;
            for (std::size_t i = 0; i < value_size; ++i) out[i] = 0.0f;
        }
    }
    for (std::int32_t page = first_page; page <= last_page; ++page) {
        const std::int32_t origin = page * page_tokens;
        attention_query tile[most];
        int count = 0;
        const std::byte* shared = nullptr;  // the page of the queries gathered so far
        open_kv open = {};
        page_lines ahead;
        for (std::size_t row = 0; row < args.row_count; ++row) {
            const seen_positions seen(args, row);
            if (!seen.on(page)) continue;
            const std::byte* own = args.rows[row].pages[page];
            if (own != shared) {
                attend_page(args, open, tile, count, ahead);
                count = 0;
                shared = own;
                ahead = page_after(args, page, row);
                open = open_page(args, own);
            }
            for (std::int32_t h = args.first_head; h < args.last_head; ++h) {
                if (count == most) {
                    attend_page(args, open, tile, count, ahead);
                    count = 0;
                }
                const std::size_t head = group + static_cast<std::size_t>(h);
                tile[count++] = {.query = args.queries + row * args.query_stride + head * key_size,
                                 .out = args.out + row * args.out_stride + head * value_size,
                                 .largest = args.state + row * args.state_stride + 2 * head,
                                 .from = seen.begin > origin ? seen.begin - origin : 0,
                                 .to = seen.end - origin < page_tokens ? seen.end - origin : page_tokens};
            }
        }
        attend_page(args, open, tile, count, ahead);
    }
    for (std::size_t row = 0; row < args.row_count; ++row) {
        for (std::int32_t h = args.first_head; h < args.last_head; ++h) {
            const std::size_t head = group + static_cast<std::size_t>(h);
            scale_add(args.out + row * args.out_stride + head * value_size,
                      1.0f / args.state[row * args.state_stride + 2 * head + 1], nullptr, value_size,
                      args.out + row * args.out_stride + head * value_size);
        }
    }
}

// A head's key or value as signed bytes, `step` apart; returns their scale.
HENCE_NOINLINE inline float store_quants(const float* x, std::int32_t size, std::int8_t* out, std::int32_t step) noexcept {
    const auto n = static_cast<std::size_t>(size);
    float inverse;
    const float scale = row_scale(x, n, inverse);
    for (std::size_t at = 0; at < n; at += 16) {
        std::int8_t quants[16];
        const std::size_t left = n - at < 16 ? n - at : 16;
        store_int8(quants, to_quants(left == 16 ? load(x + at) : load_n(x + at, left), inverse));
        for (std::size_t i = 0; i < left; ++i, out += step) *out = quants[i];
    }
    return scale;
}

inline void store_kv(const kv_layout& layout, std::byte* page, std::int32_t layer, std::int32_t head, std::int32_t slot,
                     const float* key, const float* value) noexcept {
    std::byte* const keys = page + layout.key_offset(layer, head);
    std::byte* const values = page + layout.value_offset(layer, head);
    if (layout.type == dtype::i8) {
        auto* const scales = reinterpret_cast<float*>(page + layout.scale_offset(layer, head));
        scales[slot] = store_quants(key, layout.key_size, reinterpret_cast<std::int8_t*>(keys) + slot, page_tokens);
        scales[page_tokens + slot] =
            store_quants(value, layout.value_size, reinterpret_cast<std::int8_t*>(values) + slot * layout.value_size, 1);
    } else if (layout.type != dtype::f32) {
        const bool half = layout.type == dtype::f16;
        const auto bits = [half](float x) { return half ? hence::to_f16(x).bits : hence::to_bf16(x).bits; };
        auto* const k = reinterpret_cast<std::uint16_t*>(keys) + slot;
        auto* const v = reinterpret_cast<std::uint16_t*>(values) + slot * layout.value_size;
        for (std::int32_t d = 0; d < layout.key_size; ++d) k[d * page_tokens] = bits(key[d]);
        for (std::int32_t d = 0; d < layout.value_size; ++d) v[d] = bits(value[d]);
    } else {
        auto* const k = reinterpret_cast<float*>(keys) + slot;
        auto* const v = reinterpret_cast<float*>(values) + slot * layout.value_size;
        // Each number of a key has a cache line of its own, which is rarely in a cache where branches are many.
        for (std::int32_t d = 0; d < layout.key_size; ++d) __builtin_prefetch(k + d * page_tokens, 1, 3);
        for (std::int32_t d = 0; d < layout.key_size; ++d) k[d * page_tokens] = key[d];
        for (std::int32_t d = 0; d < layout.value_size; ++d) v[d] = value[d];
    }
}
