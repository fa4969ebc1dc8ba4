// The sizes of packed matrices: what packing writes and kernels read must agree on them.
#include <hence/tensor/packed.hpp>

#include "support/catch.hpp"

#include <set>
#include <string>

using hence::packing;

TEST_CASE("packed: panels are whole multiples of 64 bytes for every packing and column count") {
    for (std::size_t i = 0; i < hence::packing_count; ++i) {
        const auto format = static_cast<packing>(i);
        const hence::scale_kind scales = hence::form_of(format).scales;
        const std::size_t step = scales == hence::scale_kind::none ? 1 : scales == hence::scale_kind::halves ? 32 : 256;
        for (std::size_t columns = step; columns <= 4 * 320; columns += step) {
            const hence::panel_layout layout = hence::layout_of(format, columns);
            INFO(hence::name(format) << ", " << columns << " columns");
            CHECK(layout.value_bytes % 64 == 0);
            CHECK(layout.scale_bytes % 64 == 0);
            CHECK(layout.minimum_bytes % 64 == 0);
            CHECK(layout.bytes() == layout.value_bytes + layout.scale_bytes + layout.minimum_bytes);
        }
    }
}

TEST_CASE("packed: a panel holds its sixteen rows' values and scales, and little more") {
    const auto check = [](packing format, std::size_t columns, std::size_t value_bits, std::size_t scale_bytes,
                          std::size_t minimum_bytes) {
        const hence::panel_layout layout = hence::layout_of(format, columns);
        INFO(hence::name(format) << ", " << columns << " columns");
        CHECK(layout.value_bytes * 8 >= 16 * columns * value_bits);
        CHECK(layout.value_bytes * 8 < 16 * columns * value_bits + 64 * 8);
        CHECK(layout.scale_bytes >= 16 * scale_bytes);
        CHECK(layout.scale_bytes < 16 * scale_bytes + 64);
        CHECK(layout.minimum_bytes >= 16 * minimum_bytes);
        CHECK(layout.minimum_bytes < 16 * minimum_bytes + 64);
    };
    for (const std::size_t columns : {1u, 2u, 3u, 4u, 5u, 33u, 576u}) {
        check(packing::f32, columns, 32, 0, 0);
        check(packing::f16, columns, 16, 0, 0);
        check(packing::bf16, columns, 16, 0, 0);
        check(packing::bf16d, columns, 16, 0, 0);
        check(packing::i8, columns, 8, 4, 0);
    }
    for (const std::size_t blocks : {1u, 2u, 3u, 18u}) {
        check(packing::q8, blocks * 32, 8, blocks * 2, 0);
        check(packing::q4, blocks * 32, 4, blocks * 2, 0);
        check(packing::q4m, blocks * 32, 4, blocks * 2, blocks * 2);
        check(packing::q5, blocks * 32, 5, blocks * 2, 0);
        check(packing::q5m, blocks * 32, 5, blocks * 2, blocks * 2);
        check(packing::iq4, blocks * 32, 4, blocks * 2, 0);
        check(packing::iq4k, blocks * 256, 4, blocks * 10, 0);
        check(packing::q4k, blocks * 256, 4, blocks * 20, 0);
        check(packing::q5k, blocks * 256, 5, blocks * 20, 0);
        check(packing::q6k, blocks * 256, 6, blocks * 18, 0);
        check(packing::q3k, blocks * 256, 4, blocks * 18, 0);
        check(packing::q2k, blocks * 256, 4, blocks * 20, 0);
        check(packing::i8_24, blocks * 32, 5, 4, 0);
        check(packing::f32_24, blocks * 32, 17, 0, 0);
        check(packing::bf16_24, blocks * 32, 9, 0, 0);
    }
}

TEST_CASE("packed: a matrix counts the panels that its rows need") {
    for (const auto& [rows, panels] : {std::pair{1u, 1u}, {16u, 1u}, {17u, 2u}, {32u, 2u}, {49152u, 3072u}}) {
        const hence::packed_matrix matrix{packing::q8, rows, 576, nullptr};
        CHECK(matrix.panels() == panels);
        CHECK(matrix.bytes() == panels * hence::layout_of(packing::q8, 576).bytes());
    }
    static_assert(hence::packed_matrix{packing::f32, 0, 8, nullptr}.bytes() == 0);
}

TEST_CASE("packed: every packing has its own name and says what its activations must be") {
    std::set<std::string> names;
    for (std::size_t i = 0; i < hence::packing_count; ++i)
        names.insert(std::string(hence::name(static_cast<packing>(i))));
    CHECK(names.size() == hence::packing_count);
    using hence::activation_format;
    for (const packing p : {packing::f32, packing::f16, packing::bf16})
        CHECK(hence::activations_of(p) == activation_format::f32);
    for (const packing p : {packing::q8, packing::q4, packing::q4m})
        CHECK(hence::activations_of(p) == activation_format::q8_blocks);
    CHECK(hence::activations_of(packing::bf16d) == activation_format::bf16);
    CHECK(hence::activations_of(packing::i8) == activation_format::q8_row);
    CHECK(hence::activations_of(packing::i8_24) == activation_format::q8_row);
}
