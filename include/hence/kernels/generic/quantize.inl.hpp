// Activations to signed bytes: q = round_to_nearest_even(x * 127 / max|x|), value = q * max|x| / 127.
// A value that is not finite makes the scale not finite and every quant under it zero, so that it shows in the result
// instead of vanishing. Values below 3.8e-37, where 127 / max|x| would overflow, become zero.

inline constexpr float smallest_scaled = 3.8e-37f;
HENCE_ALWAYS_INLINE float finish_scale(float largest, float& inverse) {
    inverse = largest >= smallest_scaled && largest < __builtin_inff() ? 127.0f / largest : 0.0f;
    return largest / 127.0f;
}

// A factor of 0 cannot stand for "all zero" in the product: infinity times it is NaN.
HENCE_ALWAYS_INLINE vi to_quants(const vf& x, float inverse) {
    return inverse != 0.0f ? to_int(mul(x, set1(inverse))) : set1_int(0);
}

// NaN in any lane makes the result NaN: |x| through integers would lose it, and max() keeps only its second operand.
HENCE_ALWAYS_INLINE float largest_magnitude(const vf& a, const vf& b) {
    const vf sum = add(mul(a, zero()), mul(b, zero()));  // 0, or NaN where a lane is not finite
    return max_lanes(max(abs(a), abs(b))) + sum_lanes(sum);
}

HENCE_ALWAYS_INLINE std::int32_t sum_int(const vi& v) {
    std::int32_t lanes[16];
    store_int(lanes, v);
    std::int32_t sum = 0;
    for (const std::int32_t lane : lanes) sum += lane;
    return sum;
}

// The scales of sixteen blocks are one vector: a division takes as long for one as for all.
inline void quantize_blocks(const float* x, std::size_t n, std::int8_t* quants, float* scales,
                            block_sum* sums) noexcept {
    constexpr std::size_t together = 16;
    const auto half = [&](std::size_t at) {
        return n >= at + 16 ? load(x + at) : n > at ? load_n(x + at, n - at) : zero();
    };
    const std::size_t blocks = (n + block_columns - 1) / block_columns;
    for (std::size_t first = 0; first < blocks; first += together) {
        const std::size_t count = blocks - first < together ? blocks - first : together;
        float largest[together] = {};
        vf finite = zero();  // or NaN
        for (std::size_t b = 0; b < count; ++b) {
            const std::size_t at = (first + b) * block_columns;
            const vf lower = half(at);
            const vf upper = half(at + 16);
            largest[b] = max_lanes(max(abs(lower), abs(upper)));
            finite = add(finite, add(mul(lower, zero()), mul(upper, zero())));
        }
        if (sum_lanes(finite) != 0.0f) {
            for (std::size_t b = 0; b < count; ++b) {
                const std::size_t at = (first + b) * block_columns;
                largest[b] = largest_magnitude(half(at), half(at + 16));
            }
        }
        const vf most = load(largest);
        const vf quotient = div(set1(127.0f), max(set1(smallest_scaled), most));  // never by zero
        const vf in_range = select_less(most, set1(__builtin_inff()), quotient, zero());
        float inverse[together];
        store(inverse, select_less(most, set1(smallest_scaled), zero(), in_range));
        store_n(scales + first, div(most, set1(127.0f)), count);
        for (std::size_t b = 0; b < count; ++b) {
            const std::size_t at = (first + b) * block_columns;
            const vi lower = to_quants(half(at), inverse[b]);
            const vi upper = to_quants(half(at + 16), inverse[b]);
            store_int8(quants + at, lower);
            store_int8(quants + at + 16, upper);
            sums[first + b] = sums_of(lower, upper);
        }
    }
}

// The scale of all n values.
inline float row_scale(const float* x, std::size_t n, float& inverse) noexcept {
    vf largest = zero();
    vf finite = zero();
    for (std::size_t at = 0; at < n; at += 16) {
        const vf a = n - at >= 16 ? load(x + at) : load_n(x + at, n - at);
        largest = max(largest, abs(a));
        finite = add(finite, mul(a, zero()));
    }
    return finish_scale(max_lanes(largest) + sum_lanes(finite), inverse);
}

inline void quantize_row(const float* x, std::size_t n, std::int8_t* quants, float* scale, std::int32_t* sum) noexcept {
    float inverse;
    *scale = row_scale(x, n, inverse);
    vi total = set1_int(0);
    for (std::size_t at = 0; at < n; at += 16) {
        const vi q = to_quants(n - at >= 16 ? load(x + at) : load_n(x + at, n - at), inverse);
        store_int8(quants + at, q);
        total = add(total, q);
    }
    for (std::size_t at = (n + 15) / 16 * 16; at < (n + 31) / 32 * 32; ++at) quants[at] = 0;
    *sum = sum_int(total);
}
