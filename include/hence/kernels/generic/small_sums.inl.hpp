// Sums of products of small unsigned weights where one instruction adds four of them to 32 bits: a running dot product is its
// own partial sum. Tiers whose products are 16 bits wide have their own. Included inside a tier's namespace.

using small_sum = vi;
inline constexpr int small_steps = 8;  // groups of 4 columns that a small_sum holds
inline constexpr bool sums_start = true;  // from what is added to them; else that comes last
inline constexpr int half_steps = 4;   // the same where weights go up to 63
HENCE_ALWAYS_INLINE small_sum small_begin(const vi& dot) { return dot; }
HENCE_ALWAYS_INLINE small_sum half_begin() { return zero_int(); }
HENCE_ALWAYS_INLINE small_sum small_add(const small_sum& sum, const vb& w, vq x) { return dot_nibble(sum, w, x); }
HENCE_ALWAYS_INLINE vi small_end(const vi&, const small_sum& sum) { return sum; }
HENCE_ALWAYS_INLINE vi half_end(const vi& dot, const small_sum& sum, const vi& scale) {
    return add(dot, multiply_int(sum, scale));
}
// From pairs of 16-bit scales to what half_end multiplies by.
HENCE_ALWAYS_INLINE void split_scales(const vi& pairs, vi& first, vi& second) {
    first = first_of_pairs(pairs);
    second = second_of_pairs(pairs);
}
