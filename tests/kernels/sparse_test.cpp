// Products that skip zeros: every packing and tier equals the dense product with the zeros written in, bit for bit.
#include <hence/kernels/sparse.hpp>

#include "kernels/kernel_test.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numeric>

using namespace hence_test;
using hence::dtype;
using hence::packing;

namespace {

struct sparse_case {
    packing format;
    dtype type;
    packing dense;
};
constexpr std::array cases = {sparse_case{packing::q8_24, dtype::q8_0, packing::q8},
                              sparse_case{packing::q8_48, dtype::q8_0, packing::q8},
                              sparse_case{packing::q4_24, dtype::q4_0, packing::q4},
                              sparse_case{packing::i8_24, dtype::i8, packing::i8},
                              sparse_case{packing::f32_24, dtype::f32, packing::f32},
                              sparse_case{packing::bf16_24, dtype::bf16, packing::bf16},
                              sparse_case{packing::q8_block, dtype::q8_0, packing::q8},
                              sparse_case{packing::q8_rows, dtype::q8_0, packing::q8},
                              sparse_case{packing::f32_block, dtype::f32, packing::f32},
                              sparse_case{packing::bf16_block, dtype::bf16, packing::bf16},
                              sparse_case{packing::f32_rows, dtype::f32, packing::f32},
                              sparse_case{packing::bf16_rows, dtype::bf16, packing::bf16}};

// Which of a matrix's weights stay: what each packing is for, in its most crowded and its emptier forms.
std::vector<bool> zeros_for(packing format, std::size_t rows, std::size_t columns, random_values& random) {
    std::vector<bool> kept(rows * columns, false);
    const auto keep_some = [&](std::size_t row, std::size_t first, std::size_t width, int most) {
        std::vector<std::size_t> order(width);
        std::iota(order.begin(), order.end(), first);
        for (std::size_t i = width; i > 1; --i)
            std::swap(order[i - 1], order[static_cast<std::size_t>(random.integer(0, static_cast<int>(i) - 1))]);
        const int count = random.integer(0, 3) == 0 ? random.integer(0, most) : most;
        for (int i = 0; i < count; ++i) kept[row * columns + order[static_cast<std::size_t>(i)]] = true;
    };
    if (format >= packing::q8_24 && format <= packing::bf16_24) {
        const std::size_t width = format == packing::q8_48 ? 8 : 4;
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t k = 0; k < columns; k += width) keep_some(r, k, width, static_cast<int>(width / 2));
    } else if (format == packing::q8_block || format == packing::f32_block || format == packing::bf16_block) {
        for (std::size_t top = 0; top < rows; top += 16)
            for (std::size_t k = 0; k < columns; k += 4) {
                if (random.integer(0, 1) != 0) continue;
                for (std::size_t r = top; r < std::min(top + 16, rows); ++r)
                    for (std::size_t j = k; j < std::min(k + 4, columns); ++j) kept[r * columns + j] = true;
            }
    } else {
        for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = random.integer(0, 5) == 0;
    }
    return kept;
}

// A dense matrix as a file stores it, zeros written in.
std::vector<std::byte> dense_rows(dtype type, std::size_t rows, std::size_t columns, const std::vector<bool>& kept,
                                  random_values& random) {
    std::vector<std::byte> bytes(rows * hence::row_bytes(type, columns));
    std::byte* out = bytes.data();
    for (std::size_t r = 0; r < rows; ++r) {
        if (type == dtype::i8) {
            for (std::size_t k = 0; k < columns; ++k)
                *out++ = static_cast<std::byte>(kept[r * columns + k] ? random.integer(-128, 127) : 0);
            continue;
        }
        if (type == dtype::f32 || type == dtype::bf16) {
            for (std::size_t k = 0; k < columns; ++k) {
                const float x = kept[r * columns + k] ? random.normal() : k % 7 == 0 ? -0.0f : 0.0f;
                const hence::bf16 half = hence::to_bf16(x);
                if (type == dtype::f32)
                    std::memcpy(out, &x, 4);
                else
                    std::memcpy(out, &half.bits, 2);
                out += type == dtype::f32 ? 4 : 2;
            }
            continue;
        }
        for (std::size_t b = 0; b < columns / 32; ++b) {
            const hence::f16 scale = hence::to_f16(random.normal() * 0.1f);
            std::memcpy(out, &scale.bits, 2);
            for (std::size_t k = 0; k < 32; ++k) {
                const bool stays = kept[r * columns + b * 32 + k];
                if (type == dtype::q8_0) {
                    const int q = stays ? random.integer(-128, 127) : 0;
                    out[2 + k] = static_cast<std::byte>(static_cast<std::int8_t>(q));
                } else {
                    const int q = stays ? random.integer(0, 15) : 8;
                    if (k < 16)
                        out[2 + k] = static_cast<std::byte>(q);
                    else
                        out[2 + k - 16] |= static_cast<std::byte>(q << 4);
                }
            }
            out += type == dtype::q8_0 ? 34 : 18;
        }
    }
    return bytes;
}

struct problem {
    std::size_t rows, columns;
    std::vector<std::byte> source;
    std::vector<float> scales;  // of the rows of i8
    aligned_array<std::byte> dense, sparse;
    hence::packed_matrix dense_matrix, sparse_matrix;

    problem(const sparse_case& what, std::size_t r, std::size_t c, random_values& random)
        : rows(r),
          columns(c),
          source(dense_rows(what.type, r, c, zeros_for(what.format, r, c, random), random)),
          scales(random.normals(what.type == dtype::i8 ? r : 0)),
          dense(hence::packed_matrix{what.dense, r, c, nullptr}.bytes()),
          sparse(hence::kernels::sparse_bytes(what.format, what.type, source.data(), r, c)) {
        dense_matrix = {what.dense, r, c, dense.data()};
        sparse_matrix = {what.format, r, c, sparse.data()};
        REQUIRE(sparse.size() > 0);
        const std::size_t panels = dense_matrix.panels();
        if (what.type == dtype::i8) {
            const auto* quants = reinterpret_cast<const std::int8_t*>(source.data());
            hence::kernels::pack_panels_i8(quants, scales.data(), r, c, 0, panels, dense.data());
            // In two calls, as workers share it.
            const std::size_t middle = panels / 2;
            hence::kernels::pack_panels_i8_24(quants, scales.data(), r, c, 0, middle, sparse.data());
            hence::kernels::pack_panels_i8_24(quants, scales.data(), r, c, middle, panels,
                                              sparse.data() + middle * sparse_matrix.layout().bytes());
            return;
        }
        hence::kernels::pack_panels(what.type, source.data(), r, c, 0, panels, dense.data());
        hence::kernels::pack_sparse(what.format, what.type, source.data(), r, c, sparse.data());
    }
};

// What a layer does: activations to the format wanted, then the product over some panels.
std::vector<float> multiply(const hence::kernel_table& table, const hence::packed_matrix& matrix,
                            const std::vector<float>& x, std::size_t batch, std::size_t split) {
    const std::size_t columns = matrix.columns;
    const std::size_t padded = (columns + 31) / 32 * 32;
    std::vector<float> out(batch * matrix.rows);
    std::vector<std::int8_t> quants(batch * padded);
    std::vector<float> scales(batch * padded / 32);
    std::vector<std::remove_const_t<std::remove_pointer_t<decltype(hence::activations::block_sums)>>> sums(batch * padded /
                                                                                                     32);
    hence::matmul_args args;
    args.weights = matrix;
    args.rows = batch;
    args.out = out.data();
    args.out_stride = matrix.rows;
    args.in.values = x.data();
    args.in.value_stride = columns;
    std::vector<std::int32_t> row_sums(batch);
    if (hence::activations_of(matrix.format) == hence::activation_format::q8_row) {
        for (std::size_t t = 0; t < batch; ++t)
            table.quantize_row(&x[t * columns], columns, &quants[t * padded], &scales[t], &row_sums[t]);
        args.in.quants = quants.data();
        args.in.quant_stride = padded;
        args.in.scales = scales.data();
        args.in.sums = row_sums.data();
        args.in.block_stride = 1;
    } else if (hence::activations_of(matrix.format) != hence::activation_format::f32) {
        for (std::size_t t = 0; t < batch; ++t)
            table.quantize_blocks(&x[t * columns], columns, &quants[t * padded], &scales[t * padded / 32],
                                  &sums[t * padded / 32]);
        args.in.quants = quants.data();
        args.in.quant_stride = padded;
        args.in.scales = scales.data();
        args.in.block_sums = sums.data();
        args.in.block_stride = padded / 32;
    }
    const auto product = table.matmul[static_cast<std::size_t>(matrix.format)];
    const std::size_t cut = std::min(split, matrix.panels());
    product(args, 0, cut);
    product(args, cut, matrix.panels());
    return out;
}

}  // namespace

TEST_CASE("sparse products equal dense ones with the zeros written in, bit for bit, in every tier, shape and split") {
    random_values random(1);
    for (const sparse_case& what : cases) {
        for (const std::size_t rows : {1u, 16u, 37u, 70u}) {
            for (const std::size_t columns : {32u, 96u, 224u}) {
                const problem p(what, rows, columns, random);
                const std::vector<float> x = random.normals(7 * columns);
                for (const hence::kernel_table* table : tiers()) {
                    for (const std::size_t batch : {1u, 2u, 3u, 4u, 5u, 7u}) {
                        INFO(label(*table) << ", " << hence::name(what.format) << ", " << rows << " x " << columns
                                           << ", batch " << batch);
                        const std::vector<float> wanted = multiply(*table, p.dense_matrix, x, batch, 0);
                        const std::vector<float> found = multiply(*table, p.sparse_matrix, x, batch, 1);
                        CHECK(first_difference(found.data(), wanted.data(), found.size()) == found.size());
                    }
                }
            }
        }
    }
}

TEST_CASE("floats of any number of columns") {
    random_values random(2);
    for (const sparse_case& what : cases) {
        if (hence::activations_of(what.format) != hence::activation_format::f32) continue;
        if (what.format == packing::f32_24 || what.format == packing::bf16_24) continue;  // whole blocks
        for (const std::size_t columns : {4u, 12u, 44u, 100u}) {
            const problem p(what, 19, columns, random);
            const std::vector<float> x = random.normals(3 * columns);
            for (const hence::kernel_table* table : tiers()) {
                const std::vector<float> wanted = multiply(*table, p.dense_matrix, x, 3, 0);
                const std::vector<float> found = multiply(*table, p.sparse_matrix, x, 3, 0);
                INFO(label(*table) << ", " << hence::name(what.format) << ", " << columns << " columns");
                CHECK(first_difference(found.data(), wanted.data(), found.size()) == found.size());
            }
        }
    }
}

TEST_CASE("extremes: all zero, and the largest products that there are") {
    std::vector<std::byte> source(16 * 68, std::byte{0});
    const hence::f16 one = hence::to_f16(1.0f);
    for (std::size_t r = 0; r < 16; ++r)
        for (std::size_t b = 0; b < 2; ++b) {
            std::byte* block = source.data() + r * 68 + b * 34;
            std::memcpy(block, &one.bits, 2);
            if (b == 1)
                for (std::size_t k = 0; k < 32; k += 4) block[2 + k] = block[3 + k] = std::byte{0x80};  // -128
        }
    std::vector<float> x(64);
    for (std::size_t k = 0; k < 64; ++k) x[k] = k % 3 == 0 ? -127.0f : 127.0f;
    for (const packing format : {packing::q8_24, packing::q8_48, packing::q8_block, packing::q8_rows}) {
        aligned_array<std::byte> packed(hence::kernels::sparse_bytes(format, dtype::q8_0, source.data(), 16, 64));
        hence::kernels::pack_sparse(format, dtype::q8_0, source.data(), 16, 64, packed.data());
        float expected = 0;
        for (std::size_t k = 32; k < 64; ++k)
            if (k % 4 < 2) expected += -128.0f * x[k];
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", " << hence::name(format));
            for (const float value : multiply(*table, {format, 16, 64, packed.data()}, x, 1, 0))
                CHECK(value == expected);
        }
    }
}

TEST_CASE("int8 rows without zeros: the longest sums that are exact, and activations that are not finite") {
    const std::size_t columns = 65536;
    std::vector<std::int8_t> quants(2 * columns, 0);
    const float scales[2] = {1.0f, 0.5f};
    std::vector<float> x(columns, -127.0f);
    for (std::size_t k = 0; k < columns; k += 4) {
        quants[k + 1] = quants[k + 3] = -128;
        quants[columns + k] = 127;
        x[k + 2] = 126.0f;  // meets nothing
    }
    aligned_array<std::byte> packed(hence::kernels::sparse_bytes(
        packing::i8_24, dtype::i8, reinterpret_cast<const std::byte*>(quants.data()), 2, columns));
    hence::kernels::pack_panels_i8_24(quants.data(), scales, 2, columns, 0, 1, packed.data());
    const hence::packed_matrix matrix{packing::i8_24, 2, columns, packed.data()};
    for (const hence::kernel_table* table : tiers()) {
        INFO(label(*table));
        const std::vector<float> found = multiply(*table, matrix, x, 1, 0);
        CHECK(found[0] == 128.0f * 127.0f * 32768.0f);
        CHECK(found[1] == -0.5f * 127.0f * 127.0f * 16384.0f);
    }
    random_values random(5);
    const problem p({packing::i8_24, dtype::i8, packing::i8}, 37, 96, random);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        std::vector<float> some = random.normals(3 * 96);
        some[96 + 17] = bad;  // the second row of three
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", " << bad);
            const std::vector<float> wanted = multiply(*table, p.dense_matrix, some, 3, 0);
            const std::vector<float> found = multiply(*table, p.sparse_matrix, some, 3, 0);
            for (std::size_t i = 0; i < found.size(); ++i) {
                CHECK(std::isnan(found[i]) == (i / 37 == 1));
                CHECK((found[i] == wanted[i] || (std::isnan(found[i]) && std::isnan(wanted[i]))));
            }
        }
    }
}

TEST_CASE("a packed row reads back as what was stored") {
    random_values random(3);
    for (const sparse_case& what : cases) {
        const problem p(what, 21, 96, random);
        for (std::size_t row = 0; row < 21; ++row) {
            std::vector<float> wanted(96), found(96, -1.0f);
            hence::kernels::unpack_row(p.dense_matrix, row, wanted.data());
            hence::kernels::unpack_row(p.sparse_matrix, row, found.data());
            INFO(hence::name(what.format) << ", row " << row);
            CHECK(wanted == found);
        }
    }
}

TEST_CASE("what does not have the pattern is refused, and the smallest packing that pays is chosen") {
    random_values random(4);
    const std::vector<bool> all(16 * 64, true);
    const std::vector<std::byte> full = dense_rows(dtype::q8_0, 16, 64, std::vector<bool>(all), random);
    CHECK(hence::kernels::sparse_bytes(packing::q8_24, dtype::q8_0, full.data(), 16, 64) == 0);
    CHECK(hence::kernels::sparse_bytes(packing::q8_48, dtype::q8_0, full.data(), 16, 64) == 0);
    CHECK(hence::kernels::sparse_bytes(packing::q8_24, dtype::f32, full.data(), 16, 16) == 0);
    std::vector<std::byte> bytes = dense_rows(dtype::i8, 16, 64, zeros_for(packing::i8_24, 16, 64, random), random);
    CHECK(hence::kernels::sparse_bytes(packing::i8_24, dtype::i8, bytes.data(), 16, 64) ==
          hence::packed_matrix{packing::i8_24, 16, 64, nullptr}.bytes());
    CHECK(hence::kernels::sparse_bytes(packing::i8_24, dtype::i8, bytes.data(), 21, 48) == 0);  // no whole blocks
    CHECK(hence::kernels::sparse_bytes(packing::q8_24, dtype::i8, bytes.data(), 16, 64) == 0);
    CHECK(hence::kernels::sparse_bytes(packing::i8_24, dtype::q8_0, full.data(), 16, 64) == 0);
    std::fill_n(bytes.end() - 4, 3, std::byte{1});  // three of the last four
    CHECK(hence::kernels::sparse_bytes(packing::i8_24, dtype::i8, bytes.data(), 16, 64) == 0);
    CHECK_FALSE(hence::kernels::sparse_packing(dtype::i8, bytes.data(), 16, 64).has_value());
    CHECK_FALSE(hence::kernels::sparse_packing(dtype::q8_0, full.data(), 16, 64).has_value());
    std::vector<std::byte> row(2 * 22);
    CHECK_FALSE(hence::kernels::leave_out_zeros(dtype::q8_24, full.data(), 64, row.data()));

    const auto chosen = [&](packing pattern, dtype type) {
        const std::vector<std::byte> source = dense_rows(type, 64, 256, zeros_for(pattern, 64, 256, random), random);
        const auto choice = hence::kernels::sparse_packing(type, source.data(), 64, 256);
        REQUIRE(choice.has_value());
        return choice->format;
    };
    CHECK(chosen(packing::q8_24, dtype::q8_0) == packing::q8_24);
    CHECK(chosen(packing::q8_48, dtype::q8_0) == packing::q8_48);
    CHECK(chosen(packing::q8_block, dtype::q8_0) == packing::q8_block);
    CHECK(chosen(packing::f32_block, dtype::f32) == packing::f32_block);
    CHECK(chosen(packing::f32_24, dtype::f32) == packing::f32_24);
    CHECK(chosen(packing::bf16_24, dtype::bf16) == packing::bf16_24);
    CHECK(chosen(packing::f32_rows, dtype::f32) == packing::f32_rows);
    CHECK(chosen(packing::q4_24, dtype::q4_0) == packing::q4_24);
    CHECK(chosen(packing::i8_24, dtype::i8) == packing::i8_24);
}
