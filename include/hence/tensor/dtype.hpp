// dtype: the element and block formats that tensors in files have, with their sizes.
//
// A block format stores `block_elements` consecutive values of a row in `block_bytes` bytes. The layouts
// are those of GGUF files; tensor/packed.hpp has the layouts that kernels stream.
#ifndef HENCE_TENSOR_DTYPE_HPP
#define HENCE_TENSOR_DTYPE_HPP

#include "../config.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// The format of a stored tensor's elements.
enum class dtype : std::uint8_t {
    f32, f16, bf16, f64,
    i8, i16, i32, i64, u8,
    q8_0, q4_0, q4_1, q5_0, q5_1,
    q2_k, q3_k, q4_k, q5_k, q6_k, q8_k,
    iq4_nl, iq4_xs,
    q8_24, q8_48, q4_24,  // hence's own: blocks of 32 columns of which 2 of 4 or 4 of 8 are stored (quant/decode.hpp)
};

/// What a format is called and how many bytes its blocks take.
struct dtype_traits {
    dtype type;
    std::string_view name;
    std::uint32_t block_elements;
    std::uint32_t block_bytes;
};

inline constexpr std::array<dtype_traits, 25> dtype_table{{
    {dtype::f32, "f32", 1, 4},       {dtype::f16, "f16", 1, 2},       {dtype::bf16, "bf16", 1, 2},
    {dtype::f64, "f64", 1, 8},       {dtype::i8, "i8", 1, 1},         {dtype::i16, "i16", 1, 2},
    {dtype::i32, "i32", 1, 4},       {dtype::i64, "i64", 1, 8},       {dtype::u8, "u8", 1, 1},
    {dtype::q8_0, "q8_0", 32, 34},   {dtype::q4_0, "q4_0", 32, 18},   {dtype::q4_1, "q4_1", 32, 20},
    {dtype::q5_0, "q5_0", 32, 22},   {dtype::q5_1, "q5_1", 32, 24},   {dtype::q2_k, "q2_k", 256, 84},
    {dtype::q3_k, "q3_k", 256, 110}, {dtype::q4_k, "q4_k", 256, 144}, {dtype::q5_k, "q5_k", 256, 176},
    {dtype::q6_k, "q6_k", 256, 210}, {dtype::q8_k, "q8_k", 256, 292}, {dtype::iq4_nl, "iq4_nl", 32, 18},
    {dtype::iq4_xs, "iq4_xs", 256, 136}, {dtype::q8_24, "q8_24", 32, 22}, {dtype::q8_48, "q8_48", 32, 26},
    {dtype::q4_24, "q4_24", 32, 14},
}};

/// @shape none
/// @errors none: every enumerator has a row (tests/tensor/dtype_test.cpp)
/// @source the GGUF specification
[[nodiscard]] constexpr const dtype_traits& traits(dtype type) noexcept {
    return dtype_table[static_cast<std::size_t>(type)];
}

/// @shape none
/// @errors none
/// @source none
[[nodiscard]] constexpr std::string_view name(dtype type) noexcept { return traits(type).name; }

/// Bytes of a row of `elements` values; elements must be a multiple of the block.
/// @shape none
/// @units bytes
/// @errors none; the caller has checked that the blocks divide the row
/// @source none
[[nodiscard]] constexpr std::size_t row_bytes(dtype type, std::size_t elements) noexcept {
    return elements / traits(type).block_elements * traits(type).block_bytes;
}

HENCE_NAMESPACE_END

#endif
