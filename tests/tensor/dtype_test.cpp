// The table of element and block formats: complete, in the enumeration's order, with GGUF's sizes.
#include <hence/tensor/dtype.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <set>
#include <string>

TEST_CASE("every format has its own row, in the order of the enumeration") {
    std::set<std::string> names;
    for (std::size_t i = 0; i < hence::dtype_table.size(); ++i) {
        const auto type = static_cast<hence::dtype>(i);
        CHECK(hence::traits(type).type == type);
        CHECK(names.insert(std::string(hence::name(type))).second);
        CHECK(hence::traits(type).block_elements > 0);
        CHECK(hence::traits(type).block_bytes > 0);
    }
    CHECK(static_cast<std::size_t>(hence::dtype::q4_24) + 1 == hence::dtype_table.size());
}

TEST_CASE("block sizes follow from what the blocks hold") {
    // 32 values of b bits, a half-precision scale, for the _1 formats a half-precision minimum too.
    CHECK(hence::traits(hence::dtype::q8_0).block_bytes == 32 + 2);
    CHECK(hence::traits(hence::dtype::q4_0).block_bytes == 16 + 2);
    CHECK(hence::traits(hence::dtype::q4_1).block_bytes == 16 + 4);
    CHECK(hence::traits(hence::dtype::q5_0).block_bytes == 16 + 4 + 2);
    CHECK(hence::traits(hence::dtype::q5_1).block_bytes == 16 + 4 + 4);
    CHECK(hence::traits(hence::dtype::iq4_nl).block_bytes == 16 + 2);
    // Half of them, with 2 or 4 bits each that say where they were.
    CHECK(hence::traits(hence::dtype::q8_24).block_bytes == 16 + 4 + 2);
    CHECK(hence::traits(hence::dtype::q8_48).block_bytes == 16 + 8 + 2);
    CHECK(hence::traits(hence::dtype::q4_24).block_bytes == 8 + 4 + 2);
    // 256 values in 16 or 8 sub-blocks with packed scales.
    CHECK(hence::traits(hence::dtype::q2_k).block_bytes == 64 + 16 + 4);
    CHECK(hence::traits(hence::dtype::q3_k).block_bytes == 64 + 32 + 12 + 2);
    CHECK(hence::traits(hence::dtype::q4_k).block_bytes == 128 + 12 + 4);
    CHECK(hence::traits(hence::dtype::q5_k).block_bytes == 128 + 32 + 12 + 4);
    CHECK(hence::traits(hence::dtype::q6_k).block_bytes == 128 + 64 + 16 + 2);
    CHECK(hence::traits(hence::dtype::q8_k).block_bytes == 4 + 256 + 32);
    CHECK(hence::traits(hence::dtype::iq4_xs).block_bytes == 2 + 2 + 4 + 128);
}

TEST_CASE("a row's bytes are its blocks' bytes") {
    CHECK(hence::row_bytes(hence::dtype::f32, 7) == 28);
    CHECK(hence::row_bytes(hence::dtype::bf16, 7) == 14);
    CHECK(hence::row_bytes(hence::dtype::q8_0, 64) == 68);
    CHECK(hence::row_bytes(hence::dtype::q4_k, 512) == 288);
}
