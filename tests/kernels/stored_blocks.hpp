// Random matrices in a file's block formats, with what they stand for by quant/decode.hpp.
#ifndef HENCE_TESTS_KERNELS_STORED_BLOCKS_HPP
#define HENCE_TESTS_KERNELS_STORED_BLOCKS_HPP

#include <hence/quant/decode.hpp>

#include "kernels/kernel_test.hpp"

namespace hence_test {

/// The file format that a packing keeps.
inline hence::dtype stored_type(hence::packing format) {
    for (std::size_t i = 0; i < hence::dtype_table.size(); ++i) {
        const auto type = static_cast<hence::dtype>(i);
        if (hence::kernels::exact_packing(type) == format) return type;
    }
    throw std::logic_error("no file format has this packing");
}

/// Where a block's half-precision scale lies, and its minimum (0: it has none).
struct half_offsets {
    std::size_t scale = 0;
    std::size_t minimum = 0;
};
inline half_offsets halves_of(hence::dtype type) {
    using hence::dtype;
    switch (type) {
        case dtype::q4_1:
        case dtype::q5_1:
        case dtype::q4_k:
        case dtype::q5_k: return {0, 2};
        case dtype::q6_k: return {208, 0};
        case dtype::q3_k: return {108, 0};
        case dtype::q2_k: return {80, 82};
        default: return {0, 0};
    }
}

/// Rows of blocks of any bits at all, but finite scales.
struct stored_blocks {
    hence::dtype type;
    std::size_t rows, columns;
    std::vector<std::byte> bytes;

    stored_blocks(hence::dtype t, std::size_t r, std::size_t c, random_values& random, bool extreme = false, bool ones = false)
        : type(t), rows(r), columns(c), bytes(r * hence::row_bytes(t, c)) {
        for (std::byte& b : bytes)
            b = static_cast<std::byte>(extreme ? random.integer(0, 1) * 255 : random.integer(0, 255));
        const auto half = [&] {
            return hence::to_f16(ones ? 1.0f : extreme ? 65504.0f : random.normal() * 0.1f).bits;
        };
        const half_offsets at = halves_of(type);
        for (std::size_t block = 0; block < bytes.size(); block += hence::traits(type).block_bytes) {
            put(block + at.scale, half());
            if (at.minimum != 0) put(block + at.minimum, half());
        }
    }

    std::vector<float> values() const {
        std::vector<float> out(rows * columns);
        hence::decode_row(type, bytes, out).value();
        return out;
    }
    /// What of each value comes from its block's minimum.
    std::vector<float> minimum_parts() const {
        std::vector<float> all = values();
        stored_blocks without = *this;
        const half_offsets at = halves_of(type);
        if (at.minimum != 0)
            for (std::size_t block = 0; block < bytes.size(); block += hence::traits(type).block_bytes)
                without.put(block + at.minimum, 0);
        const std::vector<float> scaled = without.values();
        for (std::size_t i = 0; i < all.size(); ++i) all[i] -= scaled[i];
        return all;
    }

private:
    void put(std::size_t at, std::uint16_t bits) { std::memcpy(bytes.data() + at, &bits, 2); }
};

}  // namespace hence_test

#endif
