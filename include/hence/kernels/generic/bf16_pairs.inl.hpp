// Pairs of bfloat16 where no instruction multiplies them: both columns as floats. Included inside a tier's namespace.

struct pair { vf even, odd; };
HENCE_ALWAYS_INLINE pair load_pair(const std::uint16_t* p) {
    pair w;
    load_bf16_pair(p, w.even, w.odd);
    return w;
}
HENCE_ALWAYS_INLINE pair broadcast_pair(const std::uint16_t* p) {
    return {set1(hence::to_float(bf16{p[0]})), set1(hence::to_float(bf16{p[1]}))};
}
HENCE_ALWAYS_INLINE vf dot_pair(const vf& sum, const pair& w, const pair& x) { return fma(w.even, x.even, fma(w.odd, x.odd, sum)); }
