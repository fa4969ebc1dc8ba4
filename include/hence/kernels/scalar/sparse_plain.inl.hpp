// What the sparse products need in the scalar and the portable tier: plain bytes, whatever the tier's vectors are.

struct sb {
    std::uint8_t lane[64];
};  // 16 rows of 4
struct si {
    std::int32_t lane[16];
};
inline constexpr int sparse_tokens = 1;

HENCE_TIER_MATH sb load_sparse(const std::uint8_t* p) {
    sb v;
    __builtin_memcpy(v.lane, p, sizeof v.lane);
    return v;
}
HENCE_TIER_MATH vf sums(const si& a) {
    float buffer[16];
    for (int i = 0; i < 16; ++i) buffer[i] = static_cast<float>(a.lane[i]);
    return load(buffer);
}
HENCE_TIER_MATH sb repeat_four(const std::int8_t* a) {
    sb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = static_cast<std::uint8_t>(a[i % 4]);
    return v;
}
HENCE_TIER_MATH sb repeat_eight(const std::int8_t* a) {
    sb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = static_cast<std::uint8_t>(a[i % 8]);
    return v;
}
// Places of vector V: two bits each; bytes 2 and 3 of a row look four columns further.
template <int V>
sb places_of_two_bits(const sb& p) {
    sb v;
    for (int i = 0; i < 64; ++i)
        v.lane[i] = static_cast<std::uint8_t>((p.lane[i] >> (2 * V) & 3) | (i % 4 >= 2 ? 4 : 0));
    return v;
}
template <int Half>
sb nibbles(const sb& p) {
    sb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = static_cast<std::uint8_t>(p.lane[i] >> (4 * Half) & 15);
    return v;
}
HENCE_TIER_MATH sb minus_eight(const sb& p) {
    sb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = static_cast<std::uint8_t>(p.lane[i] - 8);
    return v;
}
// Of eight repeated bytes, those at the given places.
HENCE_TIER_MATH sb choose(const sb& x, const sb& places) {
    sb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = x.lane[places.lane[i]];
    return v;
}
HENCE_TIER_MATH sb choose_of_32(const std::int8_t* a, const sb& places) {
    sb v;
    for (int i = 0; i < 64; ++i) v.lane[i] = static_cast<std::uint8_t>(a[places.lane[i]]);
    return v;
}
// acc[r] += sum over 4 of w[r][i] * x[r][i], both signed.
HENCE_TIER_MATH si dot_chosen(const si& acc, const sb& w, const sb& x) {
    si v = acc;
    for (int i = 0; i < 64; ++i)
        v.lane[i / 4] += static_cast<std::int8_t>(w.lane[i]) * static_cast<std::int8_t>(x.lane[i]);
    return v;
}
// 16 words of places, two bits each, and those that follow.
HENCE_TIER_MATH si load_places(const std::byte* p) {
    si v;
    __builtin_memcpy(v.lane, p, sizeof v.lane);
    return v;
}
HENCE_TIER_MATH si next_places(const si& p) {
    si v;
    for (int i = 0; i < 16; ++i) v.lane[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(p.lane[i]) >> 2);
    return v;
}
// Of four floats, those at the first places.
HENCE_TIER_MATH vf choose_of_four(const float* x, const si& places) {
    float buffer[16];
    for (int i = 0; i < 16; ++i) buffer[i] = x[places.lane[i] & 3];
    return load(buffer);
}
HENCE_TIER_MATH vf gather(const float* x, const std::uint16_t* at) {
    float buffer[16];
    for (int i = 0; i < 16; ++i) buffer[i] = x[at[i]];
    return load(buffer);
}
