// Functions of sixteen floats that every tier shares, in terms of its vectors. Included inside a tier's namespace.
// Products that feed sums are explicit fused multiply-adds: a compiler may not contract them one way in one tile and
// another way in the next.

// In min(bound, x) and max(bound, x) the value comes second, which is the operand that they keep where one is NaN.

// exp(x) within 1.3 ulp; 0 below -87.3, where results would be subnormal, and exp(88.37) above 88.37, the last for which
// 2^n is finite; NaN for NaN. Range reduction by ln 2 in two parts and a polynomial of degree 6 (coefficients: Cephes,
// Moshier 1989).
HENCE_TIER_MATH vf exp_of(const vf& x) {
    const vf lowest = set1(-87.3f);
    const vf clamped = min(set1(88.37f), max(lowest, x));
    const vi n = to_int(mul(clamped, set1(1.44269504088896341f)));
    const vf nf = to_float(n);
    vf r = fma(nf, set1(-0.693359375f), clamped);
    r = fma(nf, set1(2.12194440e-4f), r);
    vf p = set1(1.9875691500e-4f);
    p = fma(p, r, set1(1.3981999507e-3f));
    p = fma(p, r, set1(8.3334519073e-3f));
    p = fma(p, r, set1(4.1665795894e-2f));
    p = fma(p, r, set1(1.6666665459e-1f));
    p = fma(p, r, set1(5.0000001201e-1f));
    p = fma(p, mul(r, r), add(r, set1(1.0f)));
    return select_less(x, lowest, zero(), mul(p, power_of_two(n)));  // n is within [-126, 127]
}
// The same, called: where the vectors around it are more than what a call costs.
HENCE_NOINLINE inline vf exp(const vf& x) { return exp_of(x); }

// tanh(x) = 1 - 2 / (exp(2x) + 1) within 3 ulp; near zero the odd series, where the difference would cancel.
HENCE_NOINLINE inline vf tanh(const vf& x) {
    const vf e = exp(add(x, x));
    const vf far = sub(set1(1.0f), div(set1(2.0f), add(e, set1(1.0f))));
    const vf square = mul(x, x);
    vf p = set1(-5.70498872745e-3f);
    p = fma(p, square, set1(2.06390887954e-2f));
    p = fma(p, square, set1(-5.37397155531e-2f));
    p = fma(p, square, set1(1.33314422036e-1f));
    p = fma(p, square, set1(-3.33332819422e-1f));
    const vf near = fma(mul(p, square), x, x);
    return select_less(abs(x), set1(0.625f), near, far);
}

// erf(x) = x * (P(x^2) / Q(x^2)) within 4.5 ulp: the rational form whose coefficients Eigen and XLA use. The quotient
// comes first, so that the product with a tiny x does not underflow on the way.
HENCE_NOINLINE inline vf erf(const vf& value) {
    const vf x = min(set1(3.925f), max(set1(-3.925f), value));
    const vf square = mul(x, x);
    vf p = set1(-2.72614225801306e-10f);
    p = fma(p, square, set1(2.77068142495902e-08f));
    p = fma(p, square, set1(-2.10102402082508e-06f));
    p = fma(p, square, set1(-5.69250639462346e-05f));
    p = fma(p, square, set1(-7.34990630326855e-04f));
    p = fma(p, square, set1(-2.95459980854025e-03f));
    p = fma(p, square, set1(-1.60960333262415e-02f));
    vf q = set1(-1.45660718464996e-05f);
    q = fma(q, square, set1(-2.13374055278905e-04f));
    q = fma(q, square, set1(-1.68282697438203e-03f));
    q = fma(q, square, set1(-7.37332916720468e-03f));
    q = fma(q, square, set1(-1.42647390514189e-02f));
    return mul(x, div(p, q));
}
