// self_attention against a float64 computation straight from the formula, and continued sequences against whole ones.
#include <hence/layers/self_attention.hpp>

#include "support.hpp"

#include <complex>

using namespace hence;
using namespace hence_test;
using layers::linear;
using layers::self_attention;

namespace {

struct sizes {
    std::size_t width, heads, kv_heads, head_size;
};

struct weights {
    matrix<float> query, key, value, output;
    owned_vector<float> query_bias;
};

weights make_weights(const sizes& s) {
    return {random_matrix(s.heads * s.head_size, s.width, 1), random_matrix(s.kv_heads * s.head_size, s.width, 2),
            random_matrix(s.kv_heads * s.head_size, s.width, 3), random_matrix(s.width, s.heads * s.head_size, 4),
            random_vector(s.heads * s.head_size, 5)};
}

self_attention<> make_layer(const weights& w, layers::attention_options options) {
    return self_attention<>(
        linear<>(w.query, w.query_bias, {.kernels = options.kernels}), linear<>(w.key, {.kernels = options.kernels}),
        linear<>(w.value, {.kernels = options.kernels}), linear<>(w.output, {.kernels = options.kernels}), options);
}

// Rotates pairs of a head as complex numbers.
void rotate(Eigen::Ref<Eigen::RowVectorXd> head, double position, double base, rope_style style) {
    const Eigen::Index half = head.size() / 2;
    for (Eigen::Index i = 0; i < half; ++i) {
        const Eigen::Index a = style == rope_style::halves ? i : 2 * i;
        const Eigen::Index b = style == rope_style::halves ? i + half : 2 * i + 1;
        const double angle = position * std::pow(base, -static_cast<double>(i) / static_cast<double>(half));
        const auto turned = std::complex(head(a), head(b)) * std::polar(1.0, angle);
        head(a) = turned.real();
        head(b) = turned.imag();
    }
}

Eigen::MatrixXd oracle(const matrix<float>& in, const sizes& s, const weights& w, const layers::attention_options& o) {
    const Eigen::MatrixXd x = as_double(in);
    Eigen::MatrixXd query = (x * as_double(w.query).transpose()).rowwise() + as_double(w.query_bias).transpose();
    Eigen::MatrixXd key = x * as_double(w.key).transpose();
    const Eigen::MatrixXd value = x * as_double(w.value).transpose();
    const auto size = static_cast<Eigen::Index>(s.head_size);
    if (o.rope_base != 0.0f) {
        for (Eigen::Index t = 0; t < x.rows(); ++t) {
            const auto turn = [&](Eigen::MatrixXd& m) {
                for (Eigen::Index h = 0; h < m.cols(); h += size) {
                    Eigen::RowVectorXd head = m.block(t, h, 1, size);
                    rotate(head, static_cast<double>(t), static_cast<double>(o.rope_base), o.rope);
                    m.block(t, h, 1, size) = head;
                }
            };
            turn(query);
            turn(key);
        }
    }
    const double scale = o.scale != 0.0f ? static_cast<double>(o.scale) : 1 / std::sqrt(static_cast<double>(size));
    Eigen::MatrixXd mixed = Eigen::MatrixXd::Zero(x.rows(), query.cols());
    for (std::size_t h = 0; h < s.heads; ++h) {
        const auto q = query.middleCols(static_cast<Eigen::Index>(h) * size, size);
        const auto g = static_cast<Eigen::Index>(h / (s.heads / s.kv_heads)) * size;
        for (Eigen::Index t = 0; t < x.rows(); ++t) {
            const Eigen::Index end = o.causal ? t + 1 : x.rows();
            const Eigen::Index begin =
                o.window > 0 ? std::max<Eigen::Index>(0, end - static_cast<Eigen::Index>(o.window)) : 0;
            Eigen::VectorXd score = scale * key.block(begin, g, end - begin, size) * q.row(t).transpose();
            score = (score.array() - score.maxCoeff()).exp();
            score /= score.sum();
            mixed.block(t, static_cast<Eigen::Index>(h) * size, 1, size) =
                score.transpose() * value.block(begin, g, end - begin, size);
        }
    }
    return mixed * as_double(w.output).transpose();
}

}  // namespace

TEST_CASE("self_attention equals float64 in every variant, on every tier", "[layers]") {
    const sizes shapes[] = {{12, 2, 2, 6}, {20, 4, 2, 8}, {33, 3, 1, 16}, {8, 1, 1, 64}};
    for (const kernel_table* tier : tiers()) {
        for (const sizes& s : shapes) {
            const weights w = make_weights(s);
            // One page, exactly one, and several.
            for (std::size_t rows : {1u, 7u, 32u, 70u}) {
                const auto in = random_matrix(rows, s.width, 9);
                const layers::attention_options variants[] = {
                    {},
                    {.causal = false},
                    {.window = 5},
                    {.scale = 0.3f},
                    {.rope_base = 10000.0f},
                    {.causal = false, .rope_base = 100.0f, .rope = rope_style::neighbours}};
                for (layers::attention_options options : variants) {
                    options.heads = s.heads;
                    options.kv_heads = s.kv_heads;
                    options.kernels = tier;
                    INFO(name(tier->tier) << " rows " << rows << " width " << s.width << " causal " << options.causal
                                          << " rope " << options.rope_base);
                    CHECK(distance(run(make_layer(w, options), in), oracle(in, s, w, options)) < 2e-4);
                }
            }
        }
    }
}

TEST_CASE("a continued sequence gives the same bits as the whole one", "[layers]") {
    const sizes s{24, 4, 2, 8};
    const weights w = make_weights(s);
    const auto in = random_matrix(75, s.width, 3);
    for (const kernel_table* tier : tiers()) {
        const auto layer = make_layer(w, {.heads = 4, .kv_heads = 2, .rope_base = 10000.0f, .kernels = tier});
        const auto whole = run(layer, in);
        for (int threads : {1, 2, 3}) CHECK(equal_bits(run(layer, in, threads), whole));

        auto cache = layer.make_cache(75);
        CHECK(cache.capacity() == 96);
        matrix<float> out(75, s.width);
        arena workspace(layer.workspace_bytes(40));
        spin_team team(2);
        std::size_t first = 0;
        for (std::size_t count : {1u, 30u, 1u, 40u, 1u, 1u, 1u}) {
            team.each([&](const worker& self) {
                layer.forward(self, in.view().rows(first, count), out.view().rows(first, count), cache, first,
                              workspace.start());
            });
            first += count;
        }
        REQUIRE(first == 75);
        CHECK(equal_bits(out, whole));

        // A cached position that is written again, as after a rollback.
        layer.forward(worker{}, in.view().rows(50, 25), out.view().rows(50, 25), cache, 50, workspace.start());
        CHECK(equal_bits(out, whole));
    }
}

TEST_CASE("sizes known to the type are the same attention", "[layers]") {
    const sizes s{16, 4, 2, 6};
    const weights w = make_weights(s);
    const auto in = random_matrix(9, 16, 3);
    const self_attention<16, 4, 2, 6> fixed(linear<16, 24>(matrix_view<const float, 24, 16>(w.query.view()),
                                                           vector_view<const float, 24>(w.query_bias.span())),
                                            linear<16, 12>(matrix_view<const float, 12, 16>(w.key.view())),
                                            linear<16, 12>(matrix_view<const float, 12, 16>(w.value.view())),
                                            linear<24, 16>(matrix_view<const float, 16, 24>(w.output.view())));
    CHECK(equal_bits(run(fixed, in), run(make_layer(w, {.heads = 4, .kv_heads = 2}), in)));
}

TEST_CASE("attention that cannot be is a contract violation", "[layers]") {
    const sizes s{12, 3, 1, 4};
    const weights w = make_weights(s);
    CHECK_NOTHROW(make_layer(w, {.heads = 3, .kv_heads = 1}));
    CHECK_THROWS_AS(make_layer(w, {}), hence::exception);                           // no heads
    CHECK_THROWS_AS(make_layer(w, {.heads = 5}), hence::exception);                 // does not divide 12
    CHECK_THROWS_AS(make_layer(w, {.heads = 3, .kv_heads = 2}), hence::exception);  // does not divide 3
    CHECK_THROWS_AS(make_layer(w, {.heads = 3}), hence::exception);                 // keys are of one head
    CHECK_THROWS_AS(make_layer(w, {.heads = 3, .kv_heads = 1, .causal = false, .window = 4}), hence::exception);
    CHECK_THROWS_AS(make_layer(w, {.heads = 4, .kv_heads = 1, .rope_base = 10.0f}), hence::exception);

    const auto layer = make_layer(w, {.heads = 3, .kv_heads = 1});
    auto cache = layer.make_cache(10);
    matrix<float> rows(8, 12);
    matrix<float> out(8, 12);
    arena workspace(layer.workspace_bytes(8));
    CHECK_NOTHROW(layer.forward(worker{}, rows, out, cache, 24, workspace.start()));
    CHECK_THROWS_AS(layer.forward(worker{}, rows, out, cache, 25, workspace.start()), hence::exception);
    const sizes other_sizes{12, 3, 3, 4};
    auto other = make_layer(make_weights(other_sizes), {.heads = 3}).make_cache(10);
    CHECK_THROWS_AS(layer.forward(worker{}, rows, out, other, 0, workspace.start()), hence::exception);
}
