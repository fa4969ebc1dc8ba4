// Norms, rotary positions, activation functions and softmax, row by row. Included inside a tier's namespace.

HENCE_TIER_MATH vf load_tail(const float* p, std::size_t left) { return left >= 16 ? load(p) : load_n(p, left); }
HENCE_TIER_MATH void store_tail(float* p, const vf& v, std::size_t left) {
    if (left >= 16) store(p, v);
    else store_n(p, v, left);
}

inline void rms_norm(const float* x, const float* weight, float eps, std::size_t n, float* out) noexcept {
    vf squares = zero();
    for (std::size_t i = 0; i < n; i += 16) {
        const vf v = load_tail(x + i, n - i);
        squares = fma(v, v, squares);
    }
    const vf factor = set1(1.0f / __builtin_sqrtf(sum_lanes(squares) / static_cast<float>(n) + eps));
    for (std::size_t i = 0; i < n; i += 16) {
        vf v = mul(load_tail(x + i, n - i), factor);
        if (weight != nullptr) v = mul(v, load_tail(weight + i, n - i));
        store_tail(out + i, v, n - i);
    }
}

inline void layer_norm(const float* x, const float* weight, const float* bias, float eps, std::size_t n,
                       float* out) noexcept {
    vf sum = zero();
    for (std::size_t i = 0; i < n; i += 16) sum = add(sum, load_tail(x + i, n - i));
    const float mean = sum_lanes(sum) / static_cast<float>(n);
    vf squares = zero();
    for (std::size_t i = 0; i < n; i += 16) {
        vf d = sub(load_tail(x + i, n - i), set1(mean));
        if (n - i < 16) {  // lanes past the end hold -mean
            float lanes[16];
            store(lanes, d);
            d = load_n(lanes, n - i);
        }
        squares = fma(d, d, squares);
    }
    const vf factor = set1(1.0f / __builtin_sqrtf(sum_lanes(squares) / static_cast<float>(n) + eps));
    for (std::size_t i = 0; i < n; i += 16) {
        vf v = mul(sub(load_tail(x + i, n - i), set1(mean)), factor);
        if (weight != nullptr) {
            const vf w = load_tail(weight + i, n - i);
            v = bias != nullptr ? fma(v, w, load_tail(bias + i, n - i)) : mul(v, w);
        } else if (bias != nullptr) {
            v = add(v, load_tail(bias + i, n - i));
        }
        store_tail(out + i, v, n - i);
    }
}

inline void rope(float* x, const float* cosines, const float* sines, std::size_t n, rope_style style) noexcept {
    const std::size_t half = n / 2;
    const std::size_t step = style == rope_style::halves ? 1 : 2;
    const std::size_t partner = style == rope_style::halves ? half : 1;
    std::size_t i = 0;
    if (style == rope_style::halves) {
        for (; i + 16 <= half; i += 16) {
            const vf a = load(x + i);
            const vf b = load(x + half + i);
            const vf c = load(cosines + i);
            const vf s = load(sines + i);
            store(x + i, fma(a, c, sub(zero(), mul(b, s))));
            store(x + half + i, fma(a, s, mul(b, c)));
        }
    }
    for (; i < half; ++i) {
        float& first = x[i * step];
        float& second = x[i * step + partner];
        const float a = first;
        const float b = second;
        first = __builtin_fmaf(a, cosines[i], -(b * sines[i]));
        second = __builtin_fmaf(a, sines[i], b * cosines[i]);
    }
}

HENCE_ALWAYS_INLINE vf round_half(const vf& x) {
    std::uint16_t halves[16];
    store_f16(halves, x);
    return load_f16(halves);
}

HENCE_NOINLINE inline vf gelu(const vf& x) {
    const vf inner = mul(mul(set1(0.79788456080286535588f), x), fma(mul(x, x), set1(0.044715f), set1(1.0f)));
    return mul(mul(set1(0.5f), x), add(set1(1.0f), tanh(inner)));
}

template <activation F>
HENCE_ALWAYS_INLINE vf apply(const vf& x) {
    if constexpr (F == activation::silu) {
        return div(x, add(set1(1.0f), exp(sub(zero(), x))));
    } else if constexpr (F == activation::gelu_tanh) {
        return gelu(x);
    } else if constexpr (F == activation::gelu_half) {
        const vf y = round_half(gelu(round_half(x)));
        return select_less(x, set1(-10.0f), zero(), select_less(set1(10.0f), x, x, y));
    } else if constexpr (F == activation::gelu_erf) {
        return mul(mul(set1(0.5f), x), add(set1(1.0f), erf(mul(x, set1(0.70710678118654752440f)))));
    } else {
        return max(zero(), x);  // NaN stays: see math.inl.hpp
    }
}

template <activation F>
void activate_with(const float* gate, const float* x, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; i += 16) {
        vf v = apply<F>(load_tail(gate + i, n - i));
        if (x != nullptr) v = mul(v, load_tail(x + i, n - i));
        store_tail(out + i, v, n - i);
    }
}

inline void activate_gated(activation f, const float* gate, const float* x, std::size_t n, float* out) noexcept {
    switch (f) {
        case activation::silu: return activate_with<activation::silu>(gate, x, n, out);
        case activation::gelu_tanh: return activate_with<activation::gelu_tanh>(gate, x, n, out);
        case activation::gelu_half: return activate_with<activation::gelu_half>(gate, x, n, out);
        case activation::gelu_erf: return activate_with<activation::gelu_erf>(gate, x, n, out);
        case activation::relu: return activate_with<activation::relu>(gate, x, n, out);
    }
}

inline void activate(activation f, const float* x, std::size_t n, float* out) noexcept {
    activate_gated(f, x, nullptr, n, out);
}

inline void scale_add(const float* x, float scale, const float* y, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; i += 16) {
        const vf v = load_tail(x + i, n - i);
        const vf s = set1(scale);
        store_tail(out + i, y != nullptr ? fma(v, s, load_tail(y + i, n - i)) : mul(v, s), n - i);
    }
}

inline void softcap(float* x, float cap, std::size_t n) noexcept {
    const vf inverse = set1(1.0f / cap);
    for (std::size_t i = 0; i < n; i += 16)
        store_tail(x + i, mul(set1(cap), tanh(mul(load_tail(x + i, n - i), inverse))), n - i);
}

// The largest value; `check` becomes NaN where one is not finite, else 0.
HENCE_ALWAYS_INLINE float largest_of(const float* x, std::size_t n, float& check) {
    vf largest = set1(-__builtin_inff());
    vf products = zero();
    std::size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const vf v = load(x + i);
        largest = max(v, largest);
        products = add(products, mul(v, zero()));
    }
    float top = max_lanes(largest);
    check = sum_lanes(products);
    for (; i < n; ++i) {
        top = x[i] > top ? x[i] : top;
        check += x[i] * 0.0f;
    }
    return top;
}

inline float maximum(const float* x, std::size_t n) noexcept {
    float check;
    const float largest = largest_of(x, n, check);
    if (check != 0.0f)  // infinities are values here
        for (std::size_t i = 0; i < n; ++i)
            if (!(x[i] == x[i])) return __builtin_nanf("");
    return largest;
}

inline void block_tops(const float* x, std::size_t n, float* tops) noexcept {
    for (std::size_t i = 0; i < n; i += 64, ++tops) {
        float check;
        const float top = largest_of(x + i, n - i < 64 ? n - i : 64, check);
        *tops = check == 0.0f ? top : __builtin_nanf("");
    }
}

inline double sum_exp(const float* x, float shift, std::size_t n) noexcept {
    double total = 0.0;
    const vf offset = set1(shift);
    for (std::size_t i = 0; i < n;) {
        vf part = zero();  // short float sums, then double: the error does not grow with the vocabulary
        const std::size_t end = n - i > 1024 ? i + 1024 : n;
        for (; i + 16 <= end; i += 16) part = add(part, exp(sub(load(x + i), offset)));
        if (i < end) {
            float lanes[16] = {};
            store(lanes, exp(sub(load_n(x + i, end - i), offset)));
            part = add(part, load_n(lanes, end - i));
            i = end;
        }
        total += static_cast<double>(sum_lanes(part));
    }
    return total;
}

inline float softmax(float* x, std::size_t n) noexcept {
    const float largest = maximum(x, n);
    const double total = sum_exp(x, largest, n);
    const vf factor = set1(static_cast<float>(1.0 / total));
    const vf offset = set1(largest);
    for (std::size_t i = 0; i < n; i += 16)
        store_tail(x + i, mul(exp(sub(load_tail(x + i, n - i), offset)), factor), n - i);
    return largest + static_cast<float>(__builtin_log(total));
}
