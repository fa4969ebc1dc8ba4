// Matrix products of every tier and packing: against float64, against the documented chain of operations bit for bit,
// and against themselves under every way of splitting the work.
#include "kernels/kernel_test.hpp"
#include "kernels/stored_blocks.hpp"

#include <algorithm>
#include <array>

using namespace hence_test;
using hence::packing;

namespace {

constexpr std::array all_packings = {packing::f32,  packing::f16,  packing::bf16, packing::q8,  packing::q4,
                                     packing::q4m,  packing::i8,   packing::q5,   packing::q5m, packing::iq4,
                                     packing::iq4k, packing::q4k,  packing::q5k,  packing::q6k, packing::q3k,
                                     packing::q2k,  packing::bf16d};

// The formats whose whole chain of operations is computed here; the others are compared with float64 and with the scalar
// tier.
constexpr bool has_chain(packing format) {
    return format <= packing::i8 || format == packing::bf16d;
}

std::uint16_t half(float x) {
    return hence::to_f16(x).bits;
}
float from_half(std::uint16_t bits) {
    return hence::to_float(hence::f16{bits});
}

// How the values of a problem are drawn.
enum class draw { ordinary, extreme, ones };

// A matrix in its file format, packed; activations; and what is known of both without asking the library.
struct problem {
    packing format;
    std::size_t rows, columns, batch, padded, blocks;
    std::vector<float> weights;           // float formats: [rows][columns], exactly as stored
    std::vector<int> quants;              // integer formats: [rows][columns], without bias
    std::vector<float> scales, minimums;  // [rows][blocks], or [rows] for i8
    std::vector<float> minimum_parts;     // formats without a chain: what of each of weights is a minimum
    aligned_array<std::byte> packed;
    std::vector<float> values;           // [batch][value_stride], starting one element late: nothing is aligned
    std::vector<std::uint16_t> halves;   // the same as bf16, [batch][columns + 1]
    std::vector<std::int8_t> in_quants;  // [batch][padded], starting one byte late
    std::vector<float> in_scales;
    std::vector<std::int32_t> in_sums;
    std::vector<hence::block_sum> in_block_sums;
    std::size_t value_stride;
    std::vector<float> bias;

    problem(packing f, std::size_t r, std::size_t c, std::size_t b, draw how, std::uint64_t seed)
        : format(f),
          rows(r),
          columns(c),
          batch(b),
          padded((c + 31) / 32 * 32),
          blocks((c + 31) / 32),
          packed((r + 15) / 16 * hence::layout_of(f, c).bytes()),
          value_stride(c + 3) {
        random_values random(seed);
        make_weights(random, how);
        make_activations(random, how);
        bias = random.normals(rows);
    }

    bool integers() const {
        const hence::activation_format in = hence::activations_of(format);
        return in == hence::activation_format::q8_blocks || in == hence::activation_format::q8_row;
    }
    // What the product takes of an activation.
    float value(std::size_t t, std::size_t k) const {
        const float x = values[1 + t * value_stride + k];
        return format == packing::bf16d ? hence::to_float(hence::to_bf16(x)) : x;
    }
    bool per_block() const { return hence::activations_of(format) == hence::activation_format::q8_blocks; }
    std::size_t in_stride() const { return per_block() ? blocks : 1; }

    hence::packed_matrix matrix() const { return {format, rows, columns, packed.data()}; }

    hence::matmul_args args(float* out, std::size_t out_stride, std::size_t first_row, std::size_t count) const {
        hence::matmul_args a;
        a.weights = matrix();
        a.in.values = values.data() + 1 + first_row * value_stride;
        a.in.value_stride = value_stride;
        a.in.halves = halves.data() + first_row * (columns + 1);
        a.in.half_stride = columns + 1;
        a.in.quants = in_quants.data() + 1 + first_row * padded;
        a.in.quant_stride = padded;
        a.in.scales = in_scales.data() + first_row * in_stride();
        a.in.sums = in_sums.data() + first_row * in_stride();
        if (per_block()) a.in.block_sums = in_block_sums.data() + first_row * in_stride();
        a.in.block_stride = in_stride();
        a.rows = count;
        a.out = out;
        a.out_stride = out_stride;
        return a;
    }

private:
    void make_weights(random_values& random, draw how) {
        if (!has_chain(format)) {
            const hence::dtype stored = stored_type(format);
            stored_blocks source(stored, rows, columns, random, how == draw::extreme, how == draw::ones);
            weights = source.values();
            minimum_parts = source.minimum_parts();
            hence::kernels::pack_panels(stored, source.bytes.data(), rows, columns, 0, (rows + 15) / 16, packed.data());
            return;
        }
        const auto scale = [&] {
            return how == draw::ones ? 1.0f : how == draw::extreme ? 65504.0f : from_half(half(random.normal() * 0.1f));
        };
        const auto quant = [&](int low, int high) {
            return how == draw::extreme ? (random.integer(0, 1) != 0 ? low : high) : random.integer(low, high);
        };
        std::vector<std::byte> source;
        const auto push = [&](const void* p, std::size_t n) {
            source.insert(source.end(), static_cast<const std::byte*>(p), static_cast<const std::byte*>(p) + n);
        };
        hence::dtype type = hence::dtype::f32;
        for (std::size_t r = 0; r < rows; ++r) {
            if (!integers()) {
                for (std::size_t k = 0; k < columns; ++k) {
                    const float x = how == draw::extreme ? random.normal() * 1e4f : random.normal();
                    if (format == packing::f32) {
                        weights.push_back(x);
                        push(&x, 4);
                    } else if (format == packing::f16) {
                        type = hence::dtype::f16;
                        const std::uint16_t bits = half(k % 5 == 4 ? x * 1e-6f : x);  // some subnormal
                        weights.push_back(from_half(bits));
                        push(&bits, 2);
                    } else {
                        type = hence::dtype::bf16;
                        const hence::bf16 stored = hence::to_bf16(x);
                        weights.push_back(hence::to_float(stored));
                        push(&stored.bits, 2);
                    }
                }
                continue;
            }
            if (format == packing::i8) {
                scales.push_back(how == draw::ones ? 1.0f : random.normal() * 0.01f);
                for (std::size_t k = 0; k < columns; ++k) quants.push_back(quant(-128, 127));
                continue;
            }
            for (std::size_t b = 0; b < blocks; ++b) {
                scales.push_back(scale());
                const std::uint16_t bits = half(scales.back());
                push(&bits, 2);
                std::array<int, 32> block{};
                if (format == packing::q8) {
                    type = hence::dtype::q8_0;
                    for (int& q : block) {
                        q = quant(-128, 127);
                        const auto byte = static_cast<std::int8_t>(q);
                        push(&byte, 1);
                    }
                } else {
                    type = format == packing::q4 ? hence::dtype::q4_0 : hence::dtype::q4_1;
                    if (format == packing::q4m) {
                        minimums.push_back(how == draw::ones ? 2.0f : from_half(half(random.normal())));
                        const std::uint16_t low = half(minimums.back());
                        push(&low, 2);
                    }
                    for (int& q : block) q = quant(0, 15);
                    for (std::size_t i = 0; i < 16; ++i) {
                        const auto byte = static_cast<std::uint8_t>(block[i] | (block[i + 16] << 4));
                        push(&byte, 1);
                    }
                    if (format == packing::q4)
                        for (int& q : block) q -= 8;
                }
                quants.insert(quants.end(), block.begin(), block.end());
            }
        }
        const std::size_t panels = (rows + 15) / 16;
        if (format == packing::i8) {
            std::vector<std::int8_t> bytes(quants.begin(), quants.end());
            hence::kernels::pack_panels_i8(bytes.data(), scales.data(), rows, columns, 0, panels, packed.data());
        } else {
            hence::kernels::pack_panels(type, source.data(), rows, columns, 0, panels, packed.data());
        }
    }

    void make_activations(random_values& random, draw how) {
        values = random.normals(1 + batch * value_stride, how == draw::extreme ? 1e4f : 1.0f);
        for (std::size_t t = 0; t < batch; ++t) {
            for (std::size_t k = 0; k < columns; ++k)
                halves.push_back(hence::to_bf16(values[1 + t * value_stride + k]).bits);
            halves.push_back(0);
        }
        in_quants.resize(1 + batch * padded);
        for (std::size_t t = 0; t < batch; ++t) {
            for (std::size_t k = 0; k < columns; ++k)
                in_quants[1 + t * padded + k] = static_cast<std::int8_t>(
                    how == draw::extreme ? (t % 2 != 0 ? 127 : random.integer(0, 1) * 254 - 127)
                                         : random.integer(-127, 127));
            for (std::size_t b = 0; b < in_stride(); ++b) {
                const std::size_t length = per_block() ? 32 : padded;
                std::int32_t sum = 0;
                for (std::size_t k = 0; k < length; ++k) sum += in_quants[1 + t * padded + b * length + k];
                in_sums.push_back(sum);
                std::int32_t half = 0;
                for (std::size_t k = 0; k < 16 && per_block(); ++k) half += in_quants[1 + t * padded + b * length + k];
                if (per_block())
                    in_block_sums.push_back({static_cast<std::int16_t>(half), static_cast<std::int16_t>(sum - half)});
                in_scales.push_back(how == draw::ones ? 1.0f : 0.01f + std::fabs(random.normal()));
            }
        }
    }
};

// The chain of operations that matmul.hpp promises, in float, and the exact sum with a bound on the float error.
struct reference {
    std::vector<float> chain;        // [batch][rows]
    std::vector<float> by_matrices;  // bf16d in the tier amx
    std::vector<double> exact;
    std::vector<double> magnitude;  // sum of |terms|, what rounding errors are relative to

    explicit reference(const problem& p) {
        for (std::size_t t = 0; t < p.batch; ++t)
            for (std::size_t r = 0; r < p.rows; ++r) output(p, t, r);
    }

    [[nodiscard]] const std::vector<float>& chain_of(const hence::kernel_table& table) const {
        return table.tier == hence::isa::amx && !by_matrices.empty() ? by_matrices : chain;
    }

private:
    // Of each 32 columns the even and the odd ones are summed by themselves; what remains goes pair by pair, as elsewhere.
    static float matrix_chain(const problem& p, std::size_t t, std::size_t r) {
        const auto product = [&](std::size_t k, float before) {
            return k < p.columns ? std::fma(p.weights[r * p.columns + k], p.value(t, k), before) : before;
        };
        float sum = 0.0f;
        std::size_t k = 0;
        for (; k + 32 <= (p.columns + 1) / 2 * 2; k += 32) {
            float even = 0.0f, odd = 0.0f;
            for (std::size_t i = k; i < k + 32; i += 2) {
                even = product(i, even);
                odd = product(i + 1, odd);
            }
            sum += even + odd;
        }
        for (; k < p.columns; k += 2) sum = product(k, product(k + 1, sum));
        return sum;
    }

    void output(const problem& p, std::size_t t, std::size_t r) {
        if (p.format == packing::bf16d) by_matrices.push_back(matrix_chain(p, t, r));
        float acc = 0.0f;
        double sum = 0.0, size = 0.0;
        const auto term = [&](double x) {
            sum += x;
            size += std::fabs(x);
        };
        if (!has_chain(p.format)) {
            for (std::size_t k = 0; k < p.columns; ++k) {
                const double x = double{p.in_scales[t * p.blocks + k / 32]} * p.in_quants[1 + t * p.padded + k];
                const double least = double{p.minimum_parts[r * p.columns + k]} * x;
                term(double{p.weights[r * p.columns + k]} * x - least);
                term(least);
            }
        } else if (!p.integers()) {
            for (std::size_t i = 0; i < p.columns; ++i) {
                // bf16d adds the odd column of each pair first.
                const std::size_t k = p.format == packing::bf16d ? (i % 2 != 0          ? i - 1
                                                                    : i + 1 < p.columns ? i + 1
                                                                                        : i)
                                                                 : i;
                const float w = p.weights[r * p.columns + k];
                const float x = p.value(t, k);
                acc = std::fma(w, x, acc);
                term(double{w} * double{x});
            }
        } else if (p.format == packing::i8) {
            const std::int64_t dot = integer_dot(p, t, r, 0, p.columns);
            acc = static_cast<float>(dot) * (p.scales[r] * p.in_scales[t]);
            term(static_cast<double>(dot) * double{p.scales[r]} * double{p.in_scales[t]});
        } else {
            for (std::size_t b = 0; b < p.blocks; ++b) {
                const std::int64_t dot = integer_dot(p, t, r, b * 32, b * 32 + 32);
                const float w_scale = p.scales[r * p.blocks + b];
                const float x_scale = p.in_scales[t * p.blocks + b];
                acc = std::fma(static_cast<float>(dot), w_scale * x_scale, acc);
                term(static_cast<double>(dot) * double{w_scale} * double{x_scale});
                if (p.format != packing::q4m) continue;
                const auto x_sum = static_cast<float>(p.in_sums[t * p.blocks + b]);
                const float minimum = p.minimums[r * p.blocks + b];
                acc = std::fma(minimum, x_scale * x_sum, acc);
                term(double{minimum} * double{x_scale} * double{x_sum});
            }
        }
        chain.push_back(acc);
        exact.push_back(sum);
        magnitude.push_back(size);
    }

    static std::int64_t integer_dot(const problem& p, std::size_t t, std::size_t r, std::size_t from, std::size_t to) {
        std::int64_t dot = 0;
        for (std::size_t k = from; k < to; ++k)
            dot += std::int64_t{p.quants[r * p.columns + k]} * p.in_quants[1 + t * p.padded + k];
        return dot;
    }
};

std::vector<float> multiply(const hence::kernel_table& table, const problem& p, std::size_t first, std::size_t count) {
    std::vector<float> out(count * p.rows);
    const hence::matmul_args args = p.args(out.data(), p.rows, first, count);
    table.matmul[static_cast<std::size_t>(p.format)](args, 0, args.weights.panels());
    return out;
}

void check_against(const hence::kernel_table& table, const problem& p, const reference& expected,
                   const std::vector<float>& out) {
    const std::size_t n = out.size();
    std::vector<double> bound(n);
    // Each of the chain's terms is rounded at most three times: the scale product, the term, the sum.
    // Integers above 2^24 (two levels of scales) are rounded once more.
    const std::size_t terms = !p.integers() ? p.columns : p.format == packing::i8 ? 1 : 3 * p.blocks;
    for (std::size_t i = 0; i < n; ++i)
        bound[i] = expected.magnitude[i] * half_ulp * static_cast<double>(terms + 3) + 1e-40;
    CHECK(first_outside(out.data(), expected.exact.data(), bound.data(), n) == n);
    if (!fused(table)) return;
    if (has_chain(p.format)) {
        CHECK(first_difference(out.data(), expected.chain_of(table).data(), n) == n);
    } else {
        const std::vector<float> scalar = multiply(*tiers().front(), p, 0, p.batch);
        CHECK(first_difference(out.data(), scalar.data(), n) == n);
    }
}

std::vector<std::size_t> column_counts(packing format) {
    if (format == packing::i8) return {1, 3, 4, 5, 31, 64, 100, 257};
    if (hence::form_of(format).scales == hence::scale_kind::halves) return {32, 64, 96, 576};  // 512 open at a time
    if (hence::form_of(format).scales != hence::scale_kind::none) return {256, 768};
    return {1, 2, 3, 31, 64, 97, 130};
}

}  // namespace

TEST_CASE("matmul: every tier and packing equals float64 within the bound and the documented chain bit for bit") {
    for (const packing format : all_packings) {
        for (const std::size_t rows : {1u, 5u, 15u, 16u, 17u, 40u, 70u}) {
            for (const std::size_t columns : column_counts(format)) {
                const problem p(format, rows, columns, 19, draw::ordinary, rows * 1000 + columns);
                const reference expected(p);
                for (const hence::kernel_table* table : tiers()) {
                    INFO(label(*table) << ", packing " << hence::name(format) << ", " << rows << " x " << columns);
                    check_against(*table, p, expected, multiply(*table, p, 0, p.batch));
                }
            }
        }
    }
}

TEST_CASE("matmul: a row's result is the same bits alone and in any batch") {
    for (const packing format : all_packings) {
        const std::size_t columns = column_counts(format).back();
        const problem p(format, 37, columns, 19, draw::ordinary, 7);
        for (const hence::kernel_table* table : tiers()) {
            const std::vector<float> all = multiply(*table, p, 0, p.batch);
            for (std::size_t count = 1; count <= 17; ++count) {
                for (const std::size_t first : {std::size_t{0}, p.batch - count}) {
                    const std::vector<float> some = multiply(*table, p, first, count);
                    INFO(label(*table) << ", packing " << hence::name(format) << ", rows " << first << " + " << count);
                    CHECK(first_difference(some.data(), all.data() + first * p.rows, some.size()) == some.size());
                }
            }
        }
    }
}

TEST_CASE("matmul: more rows than are taken through an open chunk together") {
    for (const packing format : {packing::q8, packing::q4, packing::q5m, packing::q6k, packing::i8, packing::bf16d}) {
        const problem p(format, 40, 768, 101, draw::ordinary, 23);
        const reference expected(p);
        for (const hence::kernel_table* table : tiers()) {
            const std::vector<float> all = multiply(*table, p, 0, p.batch);
            INFO(label(*table) << ", packing " << hence::name(format));
            check_against(*table, p, expected, all);
            for (const std::size_t first : {0u, 50u, 95u, 96u, 100u}) {
                const std::vector<float> one = multiply(*table, p, first, 1);
                CHECK(first_difference(one.data(), all.data() + first * p.rows, one.size()) == one.size());
            }
        }
    }
}

TEST_CASE("matmul: bias and accumulation, the same bits in every batch and every split of the panels") {
    for (const packing format : all_packings) {
        for (const std::size_t rows : {5u, 32u, 70u}) {
            const std::size_t columns = column_counts(format).back();
            const problem p(format, rows, columns, 11, draw::ordinary, 11);
            const reference expected(p);
            const std::vector<float> plain = multiply(*tiers().front(), p, 0, p.batch);
            const std::size_t stride = rows + 2;  // the gap must stay as it is; and rows of out are not aligned
            const std::vector<float> before = random_values(5).normals(1 + p.batch * stride);
            for (const bool with_bias : {false, true}) {
                for (const bool accumulate : {false, true}) {
                    for (const hence::kernel_table* table : tiers()) {
                        const std::vector<float>& products = has_chain(format) ? expected.chain_of(*table) : plain;
                        std::vector<float> wanted = before;
                        for (std::size_t t = 0; t < p.batch; ++t) {
                            for (std::size_t r = 0; r < rows; ++r) {
                                float& out = wanted[1 + t * stride + r];
                                float value = products[t * rows + r];
                                if (with_bias) value += p.bias[r];
                                if (accumulate) value += out;
                                out = value;
                            }
                        }
                        INFO(label(*table) << ", packing " << hence::name(format) << ", " << rows << " rows, bias "
                                           << with_bias << ", accumulate " << accumulate);
                        std::vector<float> whole;
                        const std::size_t panels = (rows + 15) / 16;
                        for (std::size_t split = 0; split <= panels; ++split) {
                            for (const std::size_t step : {p.batch, std::size_t{1}, std::size_t{3}}) {
                                std::vector<float> out = before;
                                for (std::size_t first = 0; first < p.batch; first += step) {
                                    auto args = p.args(out.data() + 1 + first * stride, stride, first,
                                                       std::min(step, p.batch - first));
                                    args.bias = with_bias ? p.bias.data() : nullptr;
                                    args.accumulate = accumulate;
                                    const auto product = table->matmul[static_cast<std::size_t>(format)];
                                    product(args, split, panels);
                                    product(args, 0, split);
                                }
                                if (whole.empty()) whole = out;
                                CHECK(first_difference(out.data(), whole.data(), out.size()) == out.size());
                            }
                        }
                        if (fused(*table))
                            CHECK(first_difference(whole.data(), wanted.data(), whole.size()) == whole.size());
                        for (std::size_t t = 0; t < p.batch; ++t)
                            for (std::size_t gap = 1 + t * stride + rows; gap < 1 + (t + 1) * stride; ++gap)
                                CHECK(whole[gap] == before[gap]);
                    }
                }
            }
        }
    }
}

TEST_CASE("matmul: more rows, panels and columns than a tier takes together") {
    for (const packing format : {packing::q8, packing::q4, packing::q4m}) {
        const problem p(format, 140, 1280, 134, draw::ordinary, 29);
        for (const hence::kernel_table* table : tiers()) {
            const std::vector<float> all = multiply(*table, p, 0, p.batch);
            for (std::size_t first = 0; first < p.batch; first += 7) {
                const std::vector<float> one = multiply(*table, p, first, 1);
                INFO(label(*table) << ", packing " << hence::name(format) << ", row " << first);
                CHECK(first_difference(one.data(), all.data() + first * p.rows, one.size()) == one.size());
            }
        }
    }
}

TEST_CASE("matmul: bias and accumulation, where the last rows do not fill a tile") {
    for (const packing format : all_packings) {
        for (const std::size_t batch : {22u, 31u, 32u, 37u}) {
            const problem p(format, 37, column_counts(format).back(), batch, draw::ordinary, 31);
            const std::vector<float> before = random_values(5).normals(p.batch * p.rows);
            for (const hence::kernel_table* table : tiers()) {
                const auto product = table->matmul[static_cast<std::size_t>(format)];
                const auto in_steps_of = [&](std::size_t step) {
                    std::vector<float> out = before;
                    for (std::size_t first = 0; first < p.batch; first += step) {
                        auto args = p.args(out.data() + first * p.rows, p.rows, first, std::min(step, p.batch - first));
                        args.bias = p.bias.data();
                        args.accumulate = true;
                        product(args, 0, (p.rows + 15) / 16);
                    }
                    return out;
                };
                const std::vector<float> together = in_steps_of(p.batch);
                const std::vector<float> alone = in_steps_of(1);
                INFO(label(*table) << ", packing " << hence::name(format) << ", " << batch << " rows");
                CHECK(first_difference(together.data(), alone.data(), alone.size()) == alone.size());
            }
        }
    }
}

TEST_CASE("matmul: integer dot products are exact in every tier") {
    // Scales of one and sums below 2^24: the float part is exact, so the output is the integer.
    for (const packing format :
         {packing::q8, packing::q4, packing::q4m, packing::i8, packing::q5, packing::q5m, packing::iq4}) {
        const problem p(format, 33, 128, 9, draw::ones, 3);
        const reference expected(p);
        for (const hence::kernel_table* table : tiers()) {
            const std::vector<float> out = multiply(*table, p, 0, p.batch);
            INFO(label(*table) << ", packing " << hence::name(format));
            for (std::size_t i = 0; i < out.size(); ++i) REQUIRE(double{out[i]} == expected.exact[i]);
        }
    }
}

TEST_CASE("matmul: extreme weights, activations and scales neither saturate nor wrap") {
    for (const packing format : all_packings) {
        const problem p(format, 18, format == packing::i8 ? 260 : 256, 9, draw::extreme, 13);
        const reference expected(p);
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", packing " << hence::name(format));
            check_against(*table, p, expected, multiply(*table, p, 0, p.batch));
        }
    }
}

TEST_CASE("matmul: k bound: 65536 columns of -128 times +-127 are exact in int8") {
    constexpr std::size_t columns = 65536;
    std::vector<std::int8_t> weights(2 * columns, -128);
    std::fill(weights.begin() + columns, weights.end(), std::int8_t{127});
    const float scales[2] = {1.0f, 1.0f};
    aligned_array<std::byte> packed(hence::layout_of(packing::i8, columns).bytes());
    hence::kernels::pack_panels_i8(weights.data(), scales, 2, columns, 0, 1, packed.data());
    constexpr std::size_t most = 18;  // rows of activations: of 127 and of -127 in turn
    std::vector<std::int8_t> quants(most * columns, 127);
    std::vector<float> in_scales(most, 1.0f);
    std::vector<std::int32_t> sums(most, 127 * 65536);
    for (std::size_t t = 1; t < most; t += 2) {
        std::fill_n(quants.begin() + static_cast<std::ptrdiff_t>(t * columns), columns, std::int8_t{-127});
        sums[t] = -127 * 65536;
    }
    for (const hence::kernel_table* table : tiers()) {
        for (const std::size_t rows : {std::size_t{2}, most}) {
            INFO(label(*table) << ", " << rows << " rows");
            std::vector<float> out(2 * rows);
            hence::matmul_args args;
            args.weights = {packing::i8, 2, columns, packed.data()};
            args.in = {.quants = quants.data(),
                       .quant_stride = columns,
                       .scales = in_scales.data(),
                       .sums = sums.data(),
                       .block_stride = 1};
            args.rows = rows;
            args.out = out.data();
            args.out_stride = 2;
            table->matmul[static_cast<std::size_t>(packing::i8)](args, 0, 1);
            // 127 * 2^23 and 127 * 127 * 2^16 both fit the 24 bits of a float.
            for (std::size_t t = 0; t < rows; t += 2) {
                CHECK(out[2 * t] == -128.0f * 127.0f * 65536.0f);
                CHECK(out[2 * t + 1] == 127.0f * 127.0f * 65536.0f);
                CHECK(out[2 * t + 2] == 128.0f * 127.0f * 65536.0f);
                CHECK(out[2 * t + 3] == -127.0f * 127.0f * 65536.0f);
            }
        }
    }
}

TEST_CASE("matmul: what is not finite in an activation reaches every output of its row, and no other row") {
    for (const packing format : all_packings) {
        const std::size_t columns = column_counts(format).back();
        problem p(format, 20, columns, 3, draw::ordinary, 17);
        const problem clean(format, 20, columns, 3, draw::ordinary, 17);
        p.values[1 + p.value_stride + 5] = not_a_number;
        p.halves[columns + 1 + 5] = 0x7fc0;
        p.in_scales[p.in_stride()] = not_a_number;
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", packing " << hence::name(format));
            const std::vector<float> out = multiply(*table, p, 0, 3);
            const std::vector<float> good = multiply(*table, clean, 0, 3);
            for (std::size_t r = 0; r < 20; ++r) REQUIRE(std::isnan(out[20 + r]));
            CHECK(first_difference(out.data(), good.data(), 20) == 20);
            CHECK(first_difference(out.data() + 40, good.data() + 40, 20) == 20);
        }
    }
}
