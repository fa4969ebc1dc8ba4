// Attention over pages. Included inside a tier's namespace.
//
// Keys lie transposed, so a vector holds the scores of sixteen positions; a page of 32 positions is two vectors. The
// query heads that share a kv head go through a page together.

struct cache_f32 {
    using element = float;
    HENCE_ALWAYS_INLINE static vf load(const float* p) { return hence_tier::load(p); }
    HENCE_ALWAYS_INLINE static vf load_n(const float* p, std::size_t n) { return hence_tier::load_n(p, n); }
    HENCE_ALWAYS_INLINE static float convert(float x) { return x; }
};
struct cache_f16 {
    using element = std::uint16_t;
    HENCE_ALWAYS_INLINE static vf load(const std::uint16_t* p) { return load_f16(p); }
    HENCE_ALWAYS_INLINE static vf load_n(const std::uint16_t* p, std::size_t n) {
        std::uint16_t buffer[16] = {};
        __builtin_memcpy(buffer, p, n * sizeof(std::uint16_t));
        return load_f16(buffer);
    }
    HENCE_ALWAYS_INLINE static std::uint16_t convert(float x) { return hence::to_f16(x).bits; }
};

// `Heads` query heads of one row against one kv head.
template <class Cache, int Heads>
HENCE_NOINLINE void attend(const attention_args& args, std::size_t row, std::int32_t kv_head, std::int32_t head) noexcept {
    using element = typename Cache::element;
    const attention_row& at = args.rows[row];
    const auto key_size = static_cast<std::size_t>(args.layout.key_size);
    const auto value_size = static_cast<std::size_t>(args.layout.value_size);
    const float* queries = args.queries + row * args.query_stride + static_cast<std::size_t>(head) * key_size;
    float* out = args.out + row * args.out_stride + static_cast<std::size_t>(head) * value_size;
    const std::int32_t end = at.position + 1;
    const std::int32_t begin = args.window > 0 && end > args.window ? end - args.window : 0;
    const vf scale = set1(args.scale);
    float largest[Heads];
    float total[Heads];
    for (int h = 0; h < Heads; ++h) {
        largest[h] = -__builtin_inff();
        total[h] = 0.0f;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(Heads) * value_size; ++i) out[i] = 0.0f;

    for (std::int32_t page = begin / page_tokens; page * page_tokens < end; ++page) {
        const std::byte* base = at.pages[page];
        const auto* keys = reinterpret_cast<const element*>(base + args.layout.key_offset(args.layer, kv_head));
        const auto* values = reinterpret_cast<const element*>(base + args.layout.value_offset(args.layer, kv_head));
        const std::int32_t origin = page * page_tokens;
        const int from = begin > origin ? begin - origin : 0;
        const int to = end - origin < page_tokens ? end - origin : page_tokens;

        vf score[Heads][2];
        for (int h = 0; h < Heads; ++h) score[h][0] = score[h][1] = zero();
        for (std::size_t d = 0; d < key_size; ++d) {
            const vf k0 = Cache::load(keys + d * page_tokens);
            const vf k1 = Cache::load(keys + d * page_tokens + 16);
            for (int h = 0; h < Heads; ++h) {
                const vf q = set1(queries[static_cast<std::size_t>(h) * key_size + d]);
                score[h][0] = fma(k0, q, score[h][0]);
                score[h][1] = fma(k1, q, score[h][1]);
            }
        }
        float weight[Heads][page_tokens];
        for (int h = 0; h < Heads; ++h) {
            for (int half = 0; half < 2; ++half) {
                vf s = mul(score[h][half], scale);
                if (args.softcap > 0.0f) s = mul(set1(args.softcap), tanh(mul(s, set1(1.0f / args.softcap))));
                store(weight[h] + 16 * half, s);
            }
            // Positions outside the row's range are not in the maximum and get weight 0; the page may hold
            // anything there.
            for (int j = 0; j < from; ++j) weight[h][j] = -__builtin_inff();
            for (int j = to; j < page_tokens; ++j) weight[h][j] = -__builtin_inff();
            const vf s0 = load(weight[h]);
            const vf s1 = load(weight[h] + 16);
            const float page_largest = max_lanes(max(s0, s1));
            const float new_largest = page_largest > largest[h] ? page_largest : largest[h];
            const vf shift = set1(new_largest);
            const vf p0 = exp(sub(s0, shift));
            const vf p1 = exp(sub(s1, shift));
            store(weight[h], p0);
            store(weight[h] + 16, p1);
            const float sum = sum_lanes(add(p0, p1));
            float keep[16];
            store(keep, exp(set1(largest[h] - new_largest)));
            const float correction = largest[h] == -__builtin_inff() ? 0.0f : keep[0];
            total[h] = __builtin_fmaf(total[h], correction, sum);
            largest[h] = new_largest;

            float* o = out + static_cast<std::size_t>(h) * value_size;
            const vf factor = set1(correction);
            std::size_t d = 0;
            for (; d + 64 <= value_size; d += 64) {
                vf acc[4];
                for (int c = 0; c < 4; ++c) acc[c] = mul(load(o + d + 16 * static_cast<std::size_t>(c)), factor);
                for (int j = from; j < to; ++j) {
                    const vf w = set1(weight[h][j]);
                    const element* v = values + static_cast<std::size_t>(j) * value_size + d;
                    for (int c = 0; c < 4; ++c) acc[c] = fma(Cache::load(v + 16 * c), w, acc[c]);
                }
                for (int c = 0; c < 4; ++c) store(o + d + 16 * static_cast<std::size_t>(c), acc[c]);
            }
            for (; d < value_size; d += 16) {
                const std::size_t left = value_size - d;
                vf acc = mul(left >= 16 ? hence_tier::load(o + d) : hence_tier::load_n(o + d, left), factor);
                for (int j = from; j < to; ++j) {
                    const element* v = values + static_cast<std::size_t>(j) * value_size + d;
                    acc = fma(left >= 16 ? Cache::load(v) : Cache::load_n(v, left), set1(weight[h][j]), acc);
                }
                if (left >= 16) store(o + d, acc);
                else store_n(o + d, acc, left);
            }
        }
    }
    for (int h = 0; h < Heads; ++h) {
        const float inverse = 1.0f / total[h];
        float* o = out + static_cast<std::size_t>(h) * value_size;
        for (std::size_t d = 0; d < value_size; ++d) o[d] *= inverse;
    }
}

template <class Cache>
void attention_in(const attention_args& args, std::int32_t first, std::int32_t last) noexcept {
    for (std::int32_t kv_head = first; kv_head < last; ++kv_head) {
        for (std::size_t row = 0; row < args.row_count; ++row) {
            std::int32_t head = kv_head * args.heads_per_kv;
            const std::int32_t end = head + args.heads_per_kv;
            if constexpr (tile_tokens >= 2) {
                for (; head + 4 <= end; head += 4) attend<Cache, 4>(args, row, kv_head, head);
                for (; head + 3 <= end; head += 3) attend<Cache, 3>(args, row, kv_head, head);
                for (; head + 2 <= end; head += 2) attend<Cache, 2>(args, row, kv_head, head);
            }
            for (; head < end; ++head) attend<Cache, 1>(args, row, kv_head, head);
        }
    }
}

inline void attention(const attention_args& args, std::int32_t first, std::int32_t last) noexcept {
    if (args.layout.type == dtype::f16) attention_in<cache_f16>(args, first, last);
    else attention_in<cache_f32>(args, first, last);
}

template <class Cache>
void store_kv_in(const kv_layout& layout, std::byte* page, std::int32_t layer, std::int32_t head, std::int32_t slot,
                 const float* key, const float* value) noexcept {
    using element = typename Cache::element;
    auto* keys = reinterpret_cast<element*>(page + layout.key_offset(layer, head));
    auto* values = reinterpret_cast<element*>(page + layout.value_offset(layer, head));
    for (std::int32_t d = 0; d < layout.key_size; ++d) keys[d * page_tokens + slot] = Cache::convert(key[d]);
    for (std::int32_t d = 0; d < layout.value_size; ++d) values[slot * layout.value_size + d] = Cache::convert(value[d]);
}

inline void store_kv(const kv_layout& layout, std::byte* page, std::int32_t layer, std::int32_t head, std::int32_t slot,
                     const float* key, const float* value) noexcept {
    if (layout.type == dtype::f16) store_kv_in<cache_f16>(layout, page, layer, head, slot, key, value);
    else store_kv_in<cache_f32>(layout, page, layer, head, slot, key, value);
}
