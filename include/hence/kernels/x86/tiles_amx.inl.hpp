// The matrix registers of AMX: eight, of up to 16 rows of 64 bytes. Included inside a target region and a tier's namespace.
//
// A product takes a register of activations, a row of each; one of weights, in each row 4 columns (of bytes; 2 of bfloat16)
// of 16 outputs, which is how panels lie in memory; and adds 32-bit sums to a third, a row for each activation. Written as
// instructions: a compiler knows nothing of these registers, and clang's intrinsics choose other ones.

// How many rows and bytes a row the registers have.
struct matrix_shapes {
    alignas(64) std::uint8_t bytes[64] = {1};  // palette 1

    void set(int number, std::size_t rows, std::size_t row_bytes) noexcept {
        bytes[16 + 2 * number] = static_cast<std::uint8_t>(row_bytes);
        bytes[48 + number] = static_cast<std::uint8_t>(rows);
    }
    // The contents of all registers are lost.
    HENCE_ALWAYS_INLINE void use() const noexcept { __asm__ volatile("ldtilecfg %0" : : "m"(bytes)); }
};
// The registers are given back, so that the system need not save them.
HENCE_ALWAYS_INLINE void release_matrices() {
    __asm__ volatile("tilerelease");
}

template <int To>
HENCE_ALWAYS_INLINE void clear_matrix() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(To));
}
template <int To>
HENCE_ALWAYS_INLINE void load_matrix(const void* from, std::size_t row_bytes) {
    __asm__ volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(To), "r"(from), "r"(row_bytes) : "memory");
}
template <int From>
HENCE_ALWAYS_INLINE void store_matrix(void* to) {  // rows of 64 bytes
    __asm__ volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(From), "r"(to), "r"(std::size_t{64}) : "memory");
}
// Signed activations with signed weights, and with unsigned ones.
template <int Sums, int In, int Weights>
HENCE_ALWAYS_INLINE void dot_signed() {
    __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(In), "i"(Weights));
}
template <int Sums, int In, int Weights>
HENCE_ALWAYS_INLINE void dot_unsigned() {
    __asm__ volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(In), "i"(Weights));
}
template <int Sums, int In, int Weights>
HENCE_ALWAYS_INLINE void dot_bf16() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(In), "i"(Weights));
}
