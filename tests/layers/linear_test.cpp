// linear against float64, for every format, tier, shape and way to give the weights.
#include <hence/kernels/pack.hpp>
#include <hence/layers/linear.hpp>
#include <hence/prune/pattern.hpp>
#include <hence/quant/decode.hpp>
#include <hence/quant/int8_rows.hpp>

#include "support.hpp"

#include <limits>

using namespace hence;
using namespace hence_test;
using layers::linear;

namespace {

struct shape {
    std::size_t rows, inputs, outputs;
};
// Around the panel (16), the block (32) and the tiles of every tier; and a single number.
constexpr shape shapes[] = {{1, 1, 1}, {3, 5, 7}, {2, 31, 17}, {5, 64, 16}, {9, 33, 48}, {17, 100, 33}};

// For each output the exact sum of |in * weight| + |bias|: what rounding errors are proportional to.
Eigen::MatrixXd magnitude(const matrix<float>& in, const Eigen::MatrixXd& weights, const owned_vector<float>& bias) {
    return ((as_double(in).cwiseAbs() * weights.cwiseAbs().transpose()).rowwise() +
            as_double(bias).cwiseAbs().transpose());
}

Eigen::MatrixXd product(const matrix<float>& in, const Eigen::MatrixXd& weights, const owned_vector<float>& bias) {
    return (as_double(in) * weights.transpose()).rowwise() + as_double(bias).transpose();
}

void check_close(const matrix<float>& got, const Eigen::MatrixXd& expected, const Eigen::MatrixXd& bound) {
    for (std::size_t i = 0; i < got.extent(0); ++i) {
        for (std::size_t j = 0; j < got.extent(1); ++j) {
            const auto r = static_cast<Eigen::Index>(i);
            const auto c = static_cast<Eigen::Index>(j);
            CHECK(std::abs(static_cast<double>(got(i, j)) - expected(r, c)) <= bound(r, c));
        }
    }
}

// Each of n + 1 roundings of a chain is at most 2^-24 of a partial sum.
double chain_error(std::size_t inputs) {
    return static_cast<double>(inputs + 2) * 0x1p-24;
}

template <class Element>
Eigen::MatrixXd rounded(const matrix<float>& weights, Element (*round)(float)) {
    Eigen::MatrixXd result = as_double(weights);
    for (double& value : result.reshaped()) value = static_cast<double>(to_float(round(static_cast<float>(value))));
    return result;
}

}  // namespace

TEST_CASE("linear is the float64 product of its rounded weights, in float formats on every tier", "[layers]") {
    for (const kernel_table* tier : tiers()) {
        for (const auto& [rows, inputs, outputs] : shapes) {
            INFO(name(tier->tier) << " " << rows << " x " << inputs << " -> " << outputs);
            const auto in = random_matrix(rows, inputs, 1);
            const auto weights = random_matrix(outputs, inputs, 2);
            const auto bias = random_vector(outputs, 3);
            const std::pair<packing, Eigen::MatrixXd> formats[] = {{packing::f32, as_double(weights)},
                                                                   {packing::f16, rounded<f16>(weights, to_f16)},
                                                                   {packing::bf16, rounded<bf16>(weights, to_bf16)}};
            for (const auto& [format, exact] : formats) {
                INFO(name(format));
                const linear layer(weights, bias, {.format = format, .kernels = tier});
                check_close(run(layer, in), product(in, exact, bias), chain_error(inputs) * magnitude(in, exact, bias));
            }
        }
    }
}

TEST_CASE("linear in int8 stays within the bound of rounding both sides to 127 steps", "[layers]") {
    for (const kernel_table* tier : tiers()) {
        for (const auto& [rows, inputs, outputs] : shapes) {
            INFO(name(tier->tier) << " " << rows << " x " << inputs << " -> " << outputs);
            const auto in = random_matrix(rows, inputs, 4);
            const auto weights = random_matrix(outputs, inputs, 5);
            const auto bias = random_vector(outputs, 6);
            const linear layer(weights, bias, {.format = packing::i8, .kernels = tier});
            const Eigen::MatrixXd x = as_double(in);
            const Eigen::MatrixXd w = as_double(weights);
            // |xw - x'w'| <= |x| ew + |w| ex + ex ew with ex, ew half a step, and a little for scaling in float.
            Eigen::MatrixXd bound(rows, outputs);
            for (Eigen::Index i = 0; i < x.rows(); ++i) {
                for (Eigen::Index j = 0; j < w.rows(); ++j) {
                    const double ex = x.row(i).cwiseAbs().maxCoeff() / 254 * 1.0001;
                    const double ew = w.row(j).cwiseAbs().maxCoeff() / 254 * 1.0001;
                    bound(i, j) = x.row(i).cwiseAbs().sum() * ew + w.row(j).cwiseAbs().sum() * ex +
                                  static_cast<double>(inputs) * ex * ew + 1e-6;
                }
            }
            check_close(run(layer, in), product(in, w, bias), bound);
        }
    }
}

TEST_CASE("int8 rows with zero points are the float64 product of what they stand for, on every tier", "[layers]") {
    for (const kernel_table* tier : tiers()) {
        for (const auto& [rows, inputs, outputs] : shapes) {
            INFO(name(tier->tier) << " " << rows << " x " << inputs << " -> " << outputs);
            const auto in = random_matrix(rows, inputs, 14);
            auto weights = random_matrix(outputs, inputs, 15);
            for (std::size_t i = 0; i < weights.size(); ++i) weights.data()[i] += 1.5f;  // all to one side of zero
            const auto bias = random_vector(outputs, 16);
            std::vector<std::int8_t> quants(weights.size());
            std::vector<float> scales(outputs);
            std::vector<std::int32_t> zeros(outputs);
            Eigen::MatrixXd meant(outputs, inputs);
            Eigen::VectorXd offset(outputs);  // what a product with the zero points alone is made of
            for (std::size_t r = 0; r < outputs; ++r) {
                const auto q = std::span(quants).subspan(r * inputs, inputs);
                const int8_scale found = encode_int8_row(weights.view().row(r).span(), q, int8_range::asymmetric).value();
                scales[r] = found.scale;
                zeros[r] = found.zero;
                const auto row = static_cast<Eigen::Index>(r);
                for (std::size_t k = 0; k < inputs; ++k)
                    meant(row, static_cast<Eigen::Index>(k)) = static_cast<double>(found.scale) * (q[k] - found.zero);
                offset(row) = static_cast<double>(found.scale) * 128;
            }
            const auto layer = linear<>::from_stored({.type = dtype::i8,
                                                      .outputs = outputs,
                                                      .inputs = inputs,
                                                      .bytes = std::as_bytes(std::span(quants)),
                                                      .scales = scales,
                                                      .zeros = zeros},
                                                     bias.view(), {.kernels = tier})
                                   .value();
            // The activations as the kernels quantize them.
            Eigen::MatrixXd x(rows, inputs);
            std::vector<std::int8_t> q((inputs + 31) / 32 * 32);
            for (std::size_t r = 0; r < rows; ++r) {
                float scale = 0.0f;
                std::int32_t sum = 0;
                tier->quantize_row(in.view().row(r).data(), inputs, q.data(), &scale, &sum);
                for (std::size_t k = 0; k < inputs; ++k)
                    x(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(k)) = static_cast<double>(scale) * q[k];
            }
            const Eigen::MatrixXd expected = (x * meant.transpose()).rowwise() + as_double(bias).transpose();
            // Integers are exact; half a dozen roundings are left, of numbers up to those of the quants without zero points.
            const Eigen::MatrixXd bound =
                8 * 0x1p-24 *
                ((x.cwiseAbs() * (meant.cwiseAbs().colwise() + 2 * offset).transpose()).rowwise() + as_double(bias).cwiseAbs().transpose());
            const matrix<float> got = run(layer, in);
            check_close(got, expected, bound);
            check_rows_are_independent(layer, in);

            // Against the weights themselves: nearer than rows that have to be symmetric.
            if (inputs < 30) continue;
            const Eigen::MatrixXd exact = (x * as_double(weights).transpose()).rowwise() + as_double(bias).transpose();
            const linear symmetric(weights, bias, {.format = packing::i8, .kernels = tier});
            CHECK((as_double(got) - exact).norm() < 0.8 * (as_double(run(symmetric, in)) - exact).norm());
        }
    }
}

TEST_CASE("int8 rows without their scales, or with zero points that are none, are refused", "[layers]") {
    const std::vector<std::int8_t> quants(6, 1);
    const std::vector<float> scales(2, 0.5f);
    const auto code_of = [&](std::span<const float> s, std::vector<std::int32_t> zeros) {
        return linear<>::from_stored(
            {.type = dtype::i8, .outputs = 2, .inputs = 3, .bytes = std::as_bytes(std::span(quants)), .scales = s, .zeros = zeros}).error().code;
    };
    CHECK(linear<>::from_stored({.type = dtype::i8, .outputs = 2, .inputs = 3, .bytes = std::as_bytes(std::span(quants)), .scales = scales}));
    CHECK(code_of({}, {}) == errc::mismatch);
    CHECK(code_of(scales, {1}) == errc::mismatch);
    CHECK(code_of(scales, {1, 128}) == errc::out_of_range);
}

TEST_CASE("linear gives a row the same bits in any batch and on any number of threads", "[layers]") {
    const auto in = random_matrix(19, 96, 7);
    const auto weights = random_matrix(50, 96, 8);
    const auto bias = random_vector(50, 9);
    for (const kernel_table* tier : tiers()) {
        for (packing format : {packing::f32, packing::f16, packing::bf16, packing::i8}) {
            INFO(name(tier->tier) << " " << name(format));
            check_rows_are_independent(linear(weights, bias, {.format = format, .kernels = tier}), in);
        }
    }
}

TEST_CASE("static and run-time sizes, and every layout of the weights, give the same layer", "[layers]") {
    const auto in = random_matrix(4, 12, 1);
    const auto weights = random_matrix(7, 12, 2);
    const auto expected = run(linear<>(weights), in);
    CHECK(equal_bits(run(linear<12, 7>(matrix_view<const float, 7, 12>(weights.view())), in), expected));

    const Eigen::MatrixXf columns = as_eigen(weights);  // column-major
    CHECK(equal_bits(run(linear(as_view(columns)), in), expected));
    Eigen::Matrix<float, 9, 20, Eigen::RowMajor> larger = Eigen::Matrix<float, 9, 20, Eigen::RowMajor>::Constant(9);
    larger.block<7, 12>(1, 3) = columns;
    CHECK(equal_bits(run(linear(as_view(larger.block<7, 12>(1, 3))), in), expected));
}

TEST_CASE("rows may be part of wider rows, and what lies between them is not touched", "[layers]") {
    const auto wide_in = random_matrix(5, 30, 1);
    const auto weights = random_matrix(6, 10, 2);
    const linear layer(weights);
    const auto part = wide_in.view().subview(all, slice{7, 10});
    const auto expected = run(layer, copy(part));
    matrix<float> wide_out(5, 14);
    for (float& value : wide_out.span()) value = -9.0f;
    layer.forward(worker{}, part, wide_out.view().subview(all, slice{3, 6}), arena(0).start());
    for (std::size_t i = 0; i < 5; ++i) {
        for (std::size_t j = 0; j < 14; ++j) {
            const bool inside = j >= 3 && j < 9;
            CHECK(wide_out(i, j) == (inside ? expected(i, j - 3) : -9.0f));
        }
    }
}

TEST_CASE("forward_add adds to what is there", "[layers]") {
    const auto in = random_matrix(3, 20, 1);
    const linear layer(random_matrix(18, 20, 2), random_vector(18, 3));
    const auto plain = run(layer, in);
    matrix<float> sum = random_matrix(3, 18, 4);
    const auto before = sum.copy();
    layer.forward_add(worker{}, in, sum, arena(0).start());
    for (std::size_t i = 0; i < sum.size(); ++i) CHECK(sum.data()[i] == before.data()[i] + plain.data()[i]);
}

TEST_CASE("a masked layer equals the layer with zeros written in, bit for bit", "[layers]") {
    const auto in = random_matrix(4, 40, 1);
    const auto weights = random_matrix(20, 40, 2);
    mask kept(20, 40);
    for (std::size_t i = 0; i < 20; ++i) {
        for (std::size_t j = i % 3; j < 40; j += 3) kept.set(i, j, false);
    }
    auto zeros = weights.copy();
    kept.apply(zeros.view());
    for (packing format : {packing::f32, packing::bf16, packing::i8}) {
        const linear masked(weights, {.format = format, .kept = &kept});
        CHECK(equal_bits(run(masked, in), run(linear(zeros, {.format = format}), in)));
        CHECK_FALSE(equal_bits(run(masked, in), run(linear(weights, {.format = format}), in)));
    }
    const mask other(20, 41);
    CHECK_THROWS_AS(linear(weights, {.kept = &other}), hence::exception);
}

TEST_CASE("a mask with a pattern gives a sparse layer with the dense layer's bits", "[layers]") {
    const matrix<float> weights = random_matrix(50, 96, 3);
    const owned_vector<float> bias = random_vector(50, 4);
    const matrix<float> in = random_matrix(5, 96, 5);
    const struct {
        packing format;
        const char* pattern;
        packing expected;
    } cases[] = {{packing::q8, "2:4", packing::q8_24},
                 {packing::q8, "4:8", packing::q8_48},
                 {packing::q8, "block:1x4:0.9", packing::q8_rows},
                 {packing::f32, "2:4", packing::f32_24},
                 {packing::f32, "unstructured:0.9", packing::f32_rows},
                 {packing::bf16, "2:4", packing::bf16_24},
                 {packing::bf16, "unstructured:0.9", packing::bf16_rows},
                 {packing::i8, "2:4", packing::i8_24},
                 {packing::i8, "4:8", packing::i8},
                 {packing::i8, "1:4", packing::i8_24}};
    for (const auto& c : cases) {
        const mask kept = build_mask(magnitude_scores(weights.view()).view(), parse_mask_pattern(c.pattern).value()).value();
        matrix<float> zeros = copy(weights.view());
        kept.apply(zeros.view());
        for (const kernel_table* table : tiers()) {
            const linear sparse(weights, bias, {.format = c.format, .kept = &kept, .kernels = table});
            const linear dense(zeros, bias, {.format = c.format, .kernels = table});
            INFO(c.pattern << " in " << name(c.format) << ", tier " << name(table->tier));
            CHECK(sparse.weights().format == c.expected);
            CHECK(dense.weights().format == c.format);
            CHECK(equal_bits(run(sparse, in), run(dense, in)));
        }
    }
}

TEST_CASE("8-bit blocks made from numbers are within half a step of them", "[layers]") {
    const matrix<float> weights = random_matrix(20, 64, 6);
    const linear layer(weights, {.format = packing::q8});
    std::vector<float> row(64);
    for (std::size_t i = 0; i < 20; ++i) {
        kernels::unpack_row(layer.weights(), i, row.data());
        for (std::size_t k = 0; k < 64; ++k) CHECK(std::fabs(row[k] - weights(i, k)) < 0.5f / 127.0f + 1e-3f);
    }
    CHECK_THROWS_AS(linear(random_matrix(4, 40, 1), {.format = packing::q8}), hence::exception);
}

TEST_CASE("weights from a file's bytes keep their values in every format", "[layers]") {
    const std::size_t inputs = 512;
    const std::size_t outputs = 21;
    const auto in = random_matrix(3, inputs, 1);
    const counter_rng random{11};
    for (dtype type : {dtype::f32, dtype::f16, dtype::bf16, dtype::q8_0, dtype::q4_0, dtype::q4_1, dtype::q5_0,
                       dtype::q4_k, dtype::q6_k}) {
        INFO(name(type));
        // Bytes whose 16-bit scales are small finite halves: 0x2c.. is near 1/16.
        std::vector<std::byte> bytes(outputs * row_bytes(type, inputs));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const auto word = random.words(i, 0, 0)[0];
            bytes[i] =
                static_cast<std::byte>(type == dtype::f16 || type == dtype::bf16 || type == dtype::f32
                                           ? (i % row_bytes(type, 1) == row_bytes(type, 1) - 1 ? 0x2c : word & 0x7f)
                                           : word & 0xff);
        }
        const auto scale_at = [&](std::size_t offset) {
            for (std::size_t b = 0; b < bytes.size(); b += traits(type).block_bytes)
                bytes[b + offset] = std::byte{0x2c};
        };
        if (type == dtype::q8_0 || type == dtype::q4_0 || type == dtype::q5_0 || type == dtype::q4_1) scale_at(1);
        if (type == dtype::q4_1) scale_at(3);
        if (type == dtype::q4_k) scale_at(1), scale_at(3);
        if (type == dtype::q6_k) scale_at(209);

        matrix<float> exact(outputs, inputs);
        const std::size_t stride = row_bytes(type, inputs);
        for (std::size_t i = 0; i < outputs; ++i)
            decode_row(type, std::span(bytes).subspan(i * stride, stride), exact.view().row(i).span()).value();
        const auto layer = linear<>::from_stored({type, outputs, inputs, bytes}).value();
        const auto got = run(layer, in);

        const owned_vector<float> no_bias(outputs);
        const Eigen::MatrixXd w = as_double(exact);
        Eigen::MatrixXd bound = chain_error(inputs) * magnitude(in, w, no_bias);
        if (activations_of(layer.weights().format) == activation_format::q8_blocks) {
            // Half a step of each block's activations.
            for (Eigen::Index i = 0; i < bound.rows(); ++i) {
                for (Eigen::Index b = 0; b < static_cast<Eigen::Index>(inputs); b += 32) {
                    const double step = as_double(in).row(i).segment(b, 32).cwiseAbs().maxCoeff() / 254 * 1.0001;
                    bound.row(i) += step * w.middleCols(b, 32).cwiseAbs().rowwise().sum().transpose();
                }
            }
        }
        check_close(got, product(in, w, no_bias), bound);
        check_rows_are_independent(layer, in);
    }
}

TEST_CASE("stored weights that do not fit are refused with what was expected", "[layers]") {
    const std::vector<std::byte> bytes(34 * 2 * 4);
    CHECK(linear<>::from_stored({dtype::q8_0, 4, 64, bytes}).has_value());
    CHECK(linear<>::from_stored({dtype::q8_0, 5, 64, bytes}).error().code == errc::mismatch);
    CHECK(linear<>::from_stored({dtype::q8_0, 4, 60, bytes}).error().code == errc::mismatch);
    CHECK(linear<>::from_stored({dtype::q8_0, std::size_t{1} << 60, 64, bytes}).error().code == errc::mismatch);
    CHECK(linear<64, 8>::from_stored({dtype::q8_0, 4, 64, bytes}).error().code == errc::mismatch);
    CHECK(linear<32, 4>::from_stored({dtype::q8_0, 4, 64, bytes}).error().code == errc::mismatch);
    const owned_vector<float> bias(3);
    CHECK(linear<>::from_stored({dtype::q8_0, 4, 64, bytes}, bias).error().code == errc::mismatch);
}

TEST_CASE("a caller's wrong shapes are contract violations", "[layers]") {
    const linear layer(random_matrix(4, 6, 1));
    matrix<float> in(2, 6);
    matrix<float> out(2, 4);
    arena none(0);
    CHECK_NOTHROW(layer.forward(worker{}, in, out, none.start()));
    CHECK_THROWS_AS(layer.forward(worker{}, matrix<float>(2, 5), out, none.start()), hence::exception);
    CHECK_THROWS_AS(layer.forward(worker{}, in, matrix<float>(2, 5), none.start()), hence::exception);
    CHECK_THROWS_AS(layer.forward(worker{}, in, matrix<float>(3, 4), none.start()), hence::exception);
    CHECK_THROWS_AS(linear(random_matrix(4, 6, 1), random_vector(5, 1)), hence::exception);
    CHECK_THROWS_AS(linear(random_matrix(4, 6, 1), {.format = packing::q4}), hence::exception);
    const linear small(random_matrix(4, 6, 1), {.format = packing::i8});
    CHECK_THROWS_AS(small.forward(worker{}, in, out, none.start()), hence::exception);
}
