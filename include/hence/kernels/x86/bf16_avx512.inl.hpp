// Pairs of bfloat16 in AVX-512 BF16: sixteen rows' pairs in a register, multiplied and added by one instruction. Included
// inside a target region and a tier's namespace after vec_avx512.inl.hpp.

using pair = __m512i;
HENCE_ALWAYS_INLINE pair load_pair(const std::uint16_t* p) { return _mm512_loadu_si512(p); }
HENCE_ALWAYS_INLINE pair broadcast_pair(const std::uint16_t* p) {
    std::int32_t both;
    __builtin_memcpy(&both, p, 4);
    return _mm512_set1_epi32(both);
}
// Written as an instruction: compilers disagree on the type that the intrinsic takes.
HENCE_ALWAYS_INLINE vf dot_pair(vf sum, pair w, pair x) {
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(w), "v"(x));
    return sum;
}
