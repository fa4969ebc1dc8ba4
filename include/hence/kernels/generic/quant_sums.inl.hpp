// The sums of sixteen quants and sixteen more, through memory; x86 has instructions for them. Included inside a tier's
// namespace after its vectors.

HENCE_ALWAYS_INLINE block_sum sums_of(const vi& a, const vi& b) {
    std::int32_t lanes[32];
    store_int(lanes, a);
    store_int(lanes + 16, b);
    std::int32_t first = 0;
    std::int32_t second = 0;
    for (int i = 0; i < 16; ++i) {
        first += lanes[i];
        second += lanes[16 + i];
    }
    return {static_cast<std::int16_t>(first), static_cast<std::int16_t>(second)};
}
