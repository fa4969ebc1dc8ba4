// The sums of a block's activations times a number, in every lane: what makes up for a format's bias, and what its minimums are
// multiplied by. AVX2 has its own. Included inside a tier's namespace after its vectors.

HENCE_ALWAYS_INLINE vi repeated_pair_dot(std::int32_t x, const block_sum* sums) {
    return pair_dot(set1_pair(x), sums);
}
HENCE_ALWAYS_INLINE vf repeated_sum(float x, const block_sum* sums) {
    return set1(x * static_cast<float>(sums->first + sums->second));
}
