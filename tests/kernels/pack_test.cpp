// Packing: every format comes back from its panels value for value, in whole and in parts.
#include "kernels/kernel_test.hpp"
#include "kernels/stored_blocks.hpp"

#include <hence/quant/decode.hpp>

using namespace hence_test;
using hence::dtype;
using hence::packing;

namespace {

// Random bytes of a stored row-major matrix, with scales that are finite numbers.
std::vector<std::byte> stored_matrix(dtype type, std::size_t rows, std::size_t columns, std::uint64_t seed) {
    random_values random(seed);
    if (hence::traits(type).block_elements > 1) return stored_blocks(type, rows, columns, random).bytes;
    std::vector<std::byte> bytes(rows * hence::row_bytes(type, columns));
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.integer(0, 255));
    const auto put = [&](std::size_t at, const auto& value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
    const std::size_t block = hence::traits(type).block_bytes;
    for (std::size_t at = 0; at < bytes.size(); at += block) {
        const float x = random.normal();
        if (type == dtype::f32)
            put(at, x);
        else if (type == dtype::bf16)
            put(at, hence::to_bf16(x).bits);
        else
            put(at, hence::to_f16(x).bits);
    }
    return bytes;
}

aligned_array<std::byte> packed_memory(packing format, std::size_t rows, std::size_t columns) {
    return aligned_array<std::byte>((rows + 15) / 16 * hence::layout_of(format, columns).bytes());
}

constexpr dtype packed_types[] = {dtype::f32,  dtype::f16,  dtype::bf16, dtype::q8_0,   dtype::q4_0,
                                  dtype::q4_1, dtype::q5_0, dtype::q5_1, dtype::iq4_nl, dtype::iq4_xs,
                                  dtype::q4_k, dtype::q5_k, dtype::q6_k, dtype::q3_k,   dtype::q2_k};

}  // namespace

TEST_CASE("pack: every format of weights is kept as it is, each in its own packing, and no others are") {
    std::vector<packing> used;
    for (const dtype type : packed_types) {
        const std::optional<packing> format = hence::kernels::exact_packing(type);
        INFO(hence::name(type));
        REQUIRE(format.has_value());
        CHECK(std::find(used.begin(), used.end(), *format) == used.end());
        used.push_back(*format);
    }
    for (const dtype other : {dtype::f64, dtype::i8, dtype::i16, dtype::i32, dtype::i64, dtype::u8, dtype::q8_k})
        CHECK_FALSE(hence::kernels::exact_packing(other).has_value());
}

TEST_CASE("pack: a packed matrix is hardly larger than its file") {
    for (const dtype type : packed_types) {
        const double file = static_cast<double>(16 * hence::row_bytes(type, 1536));
        const double packed = static_cast<double>(hence::layout_of(*hence::kernels::exact_packing(type), 1536).bytes());
        INFO(hence::name(type));
        if (type == dtype::q3_k) CHECK(packed < 1.33 * file);  // nibbles for three bits,
        else if (type == dtype::q2_k) CHECK(packed < 1.8 * file);  // and for two
        else CHECK(packed < 1.03 * file);
    }
}

TEST_CASE("pack: every stored format reads back bit for bit, and rows past the last are zero") {
    for (const dtype type : packed_types) {
        const packing format = *hence::kernels::exact_packing(type);
        const std::size_t block = hence::traits(type).block_elements;
        for (const std::size_t rows : {1u, 16u, 17u, 45u}) {
            for (std::size_t columns : {1u, 2u, 3u, 7u, 10u}) {
                columns *= block;
                INFO(hence::name(type) << ", " << rows << " x " << columns);
                const std::vector<std::byte> source = stored_matrix(type, rows, columns, rows + columns);
                auto packed = packed_memory(format, rows, columns);
                std::memset(packed.data(), 0xee, packed.size());  // whatever was there before
                const hence::packed_matrix matrix{format, rows, columns, packed.data()};
                hence::kernels::pack_panels(type, source.data(), rows, columns, 0, matrix.panels(), packed.data());
                std::vector<float> wanted(columns), found(columns);
                for (std::size_t r = 0; r < matrix.panels() * 16; ++r) {
                    hence::kernels::unpack_row(matrix, r, found.data());
                    if (r < rows) {
                        const std::span<const std::byte> row(source.data() + r * hence::row_bytes(type, columns),
                                                             hence::row_bytes(type, columns));
                        REQUIRE(hence::decode_row(type, row, wanted).has_value());
                        REQUIRE(first_difference(found.data(), wanted.data(), columns) == columns);
                    } else {
                        for (const float x : found) REQUIRE(x == 0.0f);
                    }
                }
            }
        }
    }
}

TEST_CASE("pack: panels packed one by one, by different workers, are the same bytes") {
    for (const dtype type : packed_types) {
        const packing format = *hence::kernels::exact_packing(type);
        const std::size_t rows = 70, columns = 3 * hence::traits(type).block_elements;
        const std::vector<std::byte> source = stored_matrix(type, rows, columns, 4);
        auto whole = packed_memory(format, rows, columns), parts = packed_memory(format, rows, columns);
        std::memset(parts.data(), 0xee, parts.size());
        hence::kernels::pack_panels(type, source.data(), rows, columns, 0, 5, whole.data());
        const std::size_t panel_bytes = hence::layout_of(format, columns).bytes();
        for (const std::size_t panel : {4u, 0u, 2u, 3u, 1u})
            hence::kernels::pack_panels(type, source.data(), rows, columns, panel, panel + 1,
                                        parts.data() + panel * panel_bytes);
        INFO(hence::name(type));
        CHECK(std::memcmp(whole.data(), parts.data(), whole.size()) == 0);
    }
}

TEST_CASE("pack: int8 with one scale per row: from quants exactly, from floats within half a step") {
    for (const std::size_t rows : {1u, 16u, 21u}) {
        for (const std::size_t columns : {1u, 4u, 5u, 33u, 130u}) {
            random_values random(rows + columns);
            std::vector<std::int8_t> quants(rows * columns);
            for (std::int8_t& q : quants) q = static_cast<std::int8_t>(random.integer(-128, 127));
            const std::vector<float> scales = random.normals(rows), floats = random.normals(rows * columns);
            auto from_quants = packed_memory(packing::i8, rows, columns);
            auto from_floats = packed_memory(packing::i8, rows, columns);
            const hence::packed_matrix a{packing::i8, rows, columns, from_quants.data()};
            const hence::packed_matrix b{packing::i8, rows, columns, from_floats.data()};
            hence::kernels::pack_panels_i8(quants.data(), scales.data(), rows, columns, 0, a.panels(),
                                           from_quants.data());
            for (std::size_t panel = 0; panel < b.panels(); ++panel)
                hence::kernels::pack_panels_i8(floats.data(), rows, columns, panel, panel + 1,
                                               from_floats.data() + panel * b.layout().bytes());
            std::vector<float> row(columns);
            for (std::size_t r = 0; r < rows; ++r) {
                hence::kernels::unpack_row(a, r, row.data());
                for (std::size_t k = 0; k < columns; ++k)
                    REQUIRE(row[k] == static_cast<float>(quants[r * columns + k]) * scales[r]);
                hence::kernels::unpack_row(b, r, row.data());
                float largest = 0;
                for (std::size_t k = 0; k < columns; ++k)
                    largest = std::max(largest, std::fabs(floats[r * columns + k]));
                for (std::size_t k = 0; k < columns; ++k)
                    REQUIRE(std::fabs(double{row[k]} - double{floats[r * columns + k]}) <=
                            double{largest} / 127.0 * (0.5 + 300 * half_ulp));
            }
        }
    }
}

TEST_CASE("pack: int8 from zero rows, rows too small to scale, and rows that are not finite") {
    constexpr std::size_t columns = 6;
    const std::vector<float> floats = {0,     0,  0,        0, 0, 0, 1e-40f, 0, -1e-40f,      0, 0, 0,
                                       1,     2,  infinite, 3, 4, 5, 1,      2, not_a_number, 3, 4, 5,
                                       3e38f, -1, 1e38f,    0, 0, 0};
    auto packed = packed_memory(packing::i8, 5, columns);
    const hence::packed_matrix matrix{packing::i8, 5, columns, packed.data()};
    hence::kernels::pack_panels_i8(floats.data(), 5, columns, 0, 1, packed.data());
    float row[5][columns];
    for (std::size_t r = 0; r < 5; ++r) hence::kernels::unpack_row(matrix, r, row[r]);
    for (std::size_t k = 0; k < columns; ++k) {
        CHECK(row[0][k] == 0.0f);
        CHECK(row[1][k] == 0.0f);
        CHECK(std::isnan(row[2][k]));
        CHECK(std::isnan(row[3][k]));
        CHECK(std::isfinite(row[4][k]));
    }
    CHECK(row[4][0] == 127 * (3e38f / 127.0f));
}
