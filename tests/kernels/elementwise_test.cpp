// Norms, rope, activation functions, softmax and their relatives: every tier against float64 within stated bounds, and
// every fused tier against scalar bit for bit.
#include "kernels/kernel_test.hpp"

#include <bit>
#include <functional>

using namespace hence_test;
using hence::activation;
using hence::rope_style;

namespace {

const std::vector<std::size_t> lengths = {1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 100, 576, 1000, 2049};
constexpr activation all_activations[] = {activation::silu, activation::gelu_tanh, activation::gelu_half,
                                          activation::gelu_erf, activation::relu};

double as_half(double x) {
    return double{hence::to_float(hence::to_f16(static_cast<float>(x)))};
}

double exact(activation f, double x) {
    switch (f) {
        case activation::silu: return x / (1.0 + std::exp(-x));
        case activation::gelu_tanh:
            return 0.5 * x * (1.0 + std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
        case activation::gelu_half: return x < -10 ? 0.0 : x > 10 ? x : exact(activation::gelu_tanh, as_half(x));
        case activation::gelu_erf: return 0.5 * x * (1.0 + std::erf(x * 0.70710678118654752440));
        case activation::relu: return x > 0 ? x : 0.0;
    }
    return 0;
}

// What the float formulas promise. The gelus multiply x with 1 + tanh or 1 + erf, whose error is a few ulp of 1; silu
// divides by an exp that stops growing at 2.4e38.
double bound(activation f, double x) {
    switch (f) {
        case activation::silu: return 4 * ulp(exact(f, x)) + 4.3e-39 * std::fabs(x);
        case activation::gelu_tanh: return 2.5e-7 * std::fabs(x) + 1e-44;
        case activation::gelu_half:
            return std::fabs(x) > 10 ? 0.0 : 0x1.0p-11 * std::fabs(exact(f, x)) + 0x1.0p-25 + 2.5e-7 * std::fabs(x);
        case activation::gelu_erf: return 2.0e-7 * std::fabs(x) + 1e-44;
        case activation::relu: return 0;
    }
    return 0;
}

// Runs an operation of every tier on the same input: checks the bound, and the bits where they must agree.
void check_all(const std::string& what, std::size_t n, const std::vector<double>& wanted,
               const std::vector<double>& bounds,
               const std::function<void(const hence::kernel_table&, float* out)>& run) {
    std::vector<float> scalar;
    for (const hence::kernel_table* table : tiers()) {
        INFO(label(*table) << ", " << what << ", " << n << " values");
        std::vector<float> out(n + 1, 123.0f);
        run(*table, out.data());
        CHECK(out[n] == 123.0f);  // nothing past the end
        const std::size_t outside = first_outside(out.data(), wanted.data(), bounds.data(), n);
        if (outside != n) {
            INFO("value " << outside << ": " << out[outside] << ", exact " << wanted[outside] << ", bound "
                          << bounds[outside]);
            CHECK(outside == n);
        }
        if (scalar.empty()) scalar = out;
        if (fused(*table)) CHECK(first_difference(out.data(), scalar.data(), n) == n);
    }
}

// Every `step`-th float between two limits, of both signs where the limits allow.
std::vector<float> sweep(float low, float high, std::uint32_t step) {
    std::vector<float> values;
    for (std::uint32_t bits = 1; bits < 0x7f800000u; bits += step) {
        const float x = std::bit_cast<float>(bits);
        if (x >= low && x <= high) values.push_back(x);
        if (-x >= low && -x <= high) values.push_back(-x);
    }
    return values;
}

}  // namespace

TEST_CASE("rms_norm: against float64, with and without weight, in place, with huge, tiny and zero rows") {
    for (const std::size_t n : lengths) {
        for (const float size : {1.0f, 1e12f, 1e-12f, 0.0f}) {
            random_values random(n);
            const std::vector<float> x = random.normals(n, size), weight = random.normals(n);
            double squares = 0;
            for (const float v : x) squares += double{v} * double{v};
            const double factor = 1.0 / std::sqrt(squares / static_cast<double>(n) + double{1e-5f});
            for (const bool weighted : {true, false}) {
                std::vector<double> wanted(n), bounds(n);
                for (std::size_t i = 0; i < n; ++i) {
                    wanted[i] = double{x[i]} * factor * (weighted ? double{weight[i]} : 1.0);
                    bounds[i] = std::fabs(wanted[i]) * half_ulp * (8.0 + static_cast<double>(n) / 16) + 1e-44;
                }
                check_all("rms_norm", n, wanted, bounds, [&](const hence::kernel_table& table, float* out) {
                    table.rms_norm(x.data(), weighted ? weight.data() : nullptr, 1e-5f, n, out);
                    std::vector<float> place = x;
                    table.rms_norm(place.data(), weighted ? weight.data() : nullptr, 1e-5f, n, place.data());
                    CHECK(first_difference(place.data(), out, n) == n);
                });
            }
        }
    }
}

TEST_CASE("layer_norm: against float64, with and without weight and bias, in place, with a large mean") {
    for (const std::size_t n : lengths) {
        for (const float mean : {0.0f, 1000.0f}) {
            random_values random(n);
            std::vector<float> x = random.normals(n);
            for (float& v : x) v += mean;
            const std::vector<float> weight = random.normals(n), bias = random.normals(n);
            double sum = 0, squares = 0;
            for (const float v : x) sum += double{v};
            const double centre = sum / static_cast<double>(n);
            for (const float v : x) squares += (double{v} - centre) * (double{v} - centre);
            const double factor = 1.0 / std::sqrt(squares / static_cast<double>(n) + double{1e-5f});
            for (int form = 0; form < 4; ++form) {
                const float* const w = (form & 1) != 0 ? weight.data() : nullptr;
                const float* const b = (form & 2) != 0 ? bias.data() : nullptr;
                std::vector<double> wanted(n), bounds(n);
                for (std::size_t i = 0; i < n; ++i) {
                    const double scale = factor * (w != nullptr ? double{w[i]} : 1.0);
                    const double shift = b != nullptr ? double{b[i]} : 0.0;
                    wanted[i] = (double{x[i]} - centre) * scale + shift;
                    // The mean's own rounding moves every value; it is relative to the largest input.
                    bounds[i] = half_ulp * (16.0 + static_cast<double>(n) / 8) *
                                    ((double{mean} + 4.0) * std::fabs(scale) + std::fabs(shift)) +
                                1e-44;
                }
                check_all("layer_norm", n, wanted, bounds, [&](const hence::kernel_table& table, float* out) {
                    table.layer_norm(x.data(), w, b, 1e-5f, n, out);
                    std::vector<float> place = x;
                    table.layer_norm(place.data(), w, b, 1e-5f, n, place.data());
                    CHECK(first_difference(place.data(), out, n) == n);
                });
            }
        }
    }
}

TEST_CASE("rope: both styles rotate each pair by its angle and leave the rest of the head alone") {
    for (const std::size_t n : {2u, 4u, 16u, 30u, 32u, 34u, 64u, 80u, 128u, 256u}) {
        random_values random(n);
        const std::vector<float> x = random.normals(n + 8);
        std::vector<float> cosines, sines;
        for (std::size_t i = 0; i < n / 2; ++i) {
            const double angle = random.uniform(-100, 100);
            cosines.push_back(static_cast<float>(std::cos(angle)));
            sines.push_back(static_cast<float>(std::sin(angle)));
        }
        for (const rope_style style : {rope_style::neighbours, rope_style::halves}) {
            std::vector<double> wanted(x.begin(), x.end()), bounds(n + 8, 0.0);
            for (std::size_t i = 0; i < n / 2; ++i) {
                const std::size_t a = style == rope_style::halves ? i : 2 * i;
                const std::size_t b = style == rope_style::halves ? i + n / 2 : 2 * i + 1;
                const double c = double{cosines[i]}, s = double{sines[i]};
                wanted[a] = double{x[a]} * c - double{x[b]} * s;
                wanted[b] = double{x[a]} * s + double{x[b]} * c;
                bounds[a] = bounds[b] = 3 * half_ulp * (std::fabs(double{x[a]}) + std::fabs(double{x[b]}));
            }
            check_all(style == rope_style::halves ? "rope halves" : "rope neighbours", n + 8, wanted, bounds,
                      [&](const hence::kernel_table& table, float* out) {
                          std::copy(x.begin(), x.end(), out);
                          table.rope(out, cosines.data(), sines.data(), n, style);
                      });
        }
    }
}

TEST_CASE("activations: every function over its whole range, gated and not, in place") {
    for (const activation f : all_activations) {
        const std::vector<float> x = sweep(-1e30f, 1e30f, f == activation::silu ? 60013 : 120011);
        const std::size_t n = x.size();
        const std::vector<float> other = random_values(9).normals(n);
        for (const bool gated : {false, true}) {
            std::vector<double> wanted(n), bounds(n);
            for (std::size_t i = 0; i < n; ++i) {
                const double y = gated ? double{other[i]} : 1.0;
                wanted[i] = exact(f, double{x[i]}) * y;
                bounds[i] =
                    bound(f, double{x[i]}) * std::fabs(y) + (gated ? std::fabs(wanted[i]) * half_ulp + 1e-44 : 0.0);
            }
            check_all("activation " + std::to_string(static_cast<int>(f)) + (gated ? " gated" : ""), n, wanted, bounds,
                      [&](const hence::kernel_table& table, float* out) {
                          if (!gated) return table.activate(f, x.data(), n, out);
                          table.activate_gated(f, x.data(), other.data(), n, out);
                          std::vector<float> place = other;
                          table.activate_gated(f, x.data(), place.data(), n, place.data());
                          CHECK(first_difference(place.data(), out, n) == n);
                      });
        }
        for (const std::size_t tail : {1u, 5u, 15u, 17u}) {
            for (const hence::kernel_table* table : tiers()) {
                std::vector<float> out(tail + 1, 123.0f), whole(n);
                table->activate(f, x.data(), tail, out.data());
                table->activate(f, x.data(), n, whole.data());
                CHECK(first_difference(out.data(), whole.data(), tail) == tail);
                CHECK(out[tail] == 123.0f);
                float bad = not_a_number;
                table->activate(f, &bad, 1, &bad);
                INFO(label(*table) << ", activation " << static_cast<int>(f));
                CHECK(std::isnan(bad));
            }
        }
    }
}

TEST_CASE("exp: within 1.3 ulp from -87.3 to 88.37; zero below; constant above; NaN for NaN") {
    const std::vector<float> x = sweep(-87.3f, 88.37f, 40009);
    for (const hence::kernel_table* table : tiers()) {
        INFO(label(*table));
        const double limit = fused(*table) ? 1.3 : 2.0;
        double worst = 0;
        for (const float value : x) {
            const double wanted = std::exp(double{value});
            worst = std::max(worst, std::fabs(table->sum_exp(&value, 0.0f, 1) - wanted) / ulp(wanted));
        }
        CHECK(worst <= limit);
        const auto exp = [&](float value) { return table->sum_exp(&value, 0.0f, 1); };
        CHECK(exp(0.0f) == 1.0);
        CHECK(exp(-87.31f) == 0.0);
        CHECK(exp(-1e30f) == 0.0);
        CHECK(exp(-infinite) == 0.0);
        CHECK(exp(infinite) == exp(88.37f));
        CHECK(exp(1000.0f) == exp(88.37f));
        CHECK(std::isnan(exp(not_a_number)));
    }
}

TEST_CASE("softcap: tanh within 3 ulp over its whole range, and scaled") {
    const std::vector<float> x = sweep(-1e30f, 1e30f, 60013);
    for (const float cap : {1.0f, 30.0f, 50.0f}) {
        std::vector<double> wanted(x.size()), bounds(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            wanted[i] = double{cap} * std::tanh(double{x[i]} / double{cap});
            bounds[i] = (cap == 1.0f ? 3.0 : 6.0) * ulp(wanted[i]) + (cap == 1.0f ? 0.0 : double{cap} * 1e-45);
        }
        check_all("softcap", x.size(), wanted, bounds, [&](const hence::kernel_table& table, float* out) {
            std::copy(x.begin(), x.end(), out);
            table.softcap(out, cap, x.size());
            float bad[3] = {infinite, -infinite, not_a_number};
            table.softcap(bad, cap, 3);
            CHECK(bad[0] == cap);
            CHECK(bad[1] == -cap);
            CHECK(std::isnan(bad[2]));
        });
    }
}

TEST_CASE("scale_add: one rounding with an addend, for every tail and in place") {
    for (const std::size_t n : lengths) {
        random_values random(n);
        const std::vector<float> x = random.normals(n), y = random.normals(n);
        for (const bool added : {false, true}) {
            std::vector<double> wanted(n), bounds(n);
            for (std::size_t i = 0; i < n; ++i) {
                wanted[i] = double{x[i]} * double{0.37f} + (added ? double{y[i]} : 0.0);
                bounds[i] = 2 * half_ulp * (std::fabs(double{x[i]}) + std::fabs(double{y[i]}));
            }
            check_all("scale_add", n, wanted, bounds, [&](const hence::kernel_table& table, float* out) {
                table.scale_add(x.data(), 0.37f, added ? y.data() : nullptr, n, out);
                std::vector<float> place = x;
                table.scale_add(place.data(), 0.37f, added ? y.data() : nullptr, n, place.data());
                CHECK(first_difference(place.data(), out, n) == n);
                if (!fused(table)) return;
                for (std::size_t i = 0; i < n; ++i)
                    CHECK(out[i] == (added ? std::fma(x[i], 0.37f, y[i]) : x[i] * 0.37f));
            });
        }
    }
}

TEST_CASE("softmax: sums to one, equals float64, and returns the logarithm of the sum of exponentials") {
    for (const std::size_t n : {1u, 2u, 15u, 16u, 17u, 100u, 1023u, 1024u, 1025u, 1040u, 49153u}) {
        for (const float spread : {1.0f, 20.0f}) {
            std::vector<float> x = random_values(n).normals(n, spread);
            if (n > 2) x[n / 2] = -infinite;  // a forbidden token
            double largest = double{x[0]}, total = 0;
            for (const float v : x) largest = std::max(largest, double{v});
            for (const float v : x) total += std::exp(double{v} - largest);
            std::vector<double> wanted(n), bounds(n);
            for (std::size_t i = 0; i < n; ++i) {
                wanted[i] = std::exp(double{x[i]} - largest) / total;
                const double away = std::isfinite(x[i]) ? largest - double{x[i]} : 0.0;
                bounds[i] = wanted[i] * half_ulp * (away + 8) + 1e-37;
            }
            check_all("softmax", n, wanted, bounds, [&](const hence::kernel_table& table, float* out) {
                std::copy(x.begin(), x.end(), out);
                const float log_sum = table.softmax(out, n);
                CHECK(std::fabs(double{log_sum} - (largest + std::log(total))) <=
                      1e-6 + 4 * half_ulp * std::fabs(largest));
                double sum = 0;
                for (std::size_t i = 0; i < n; ++i) sum += double{out[i]};
                CHECK(std::fabs(sum - 1.0) <= 1e-6);
            });
        }
    }
}

TEST_CASE("maximum: infinities are values, one NaN anywhere makes it NaN") {
    for (const hence::kernel_table* table : tiers()) {
        for (std::size_t n = 1; n <= 70; ++n) {
            INFO(label(*table) << ", " << n << " values");
            std::vector<float> x = random_values(n).normals(n);
            for (float& v : x) v -= 10.0f;  // all negative: no hidden zero wins
            const float wanted = *std::max_element(x.begin(), x.end());
            REQUIRE(table->maximum(x.data(), n) == wanted);
            for (std::size_t at = 0; at < n; ++at) {
                const float kept = x[at];
                x[at] = not_a_number;
                REQUIRE(std::isnan(table->maximum(x.data(), n)));
                x[at] = infinite;
                REQUIRE(table->maximum(x.data(), n) == infinite);
                x[n - 1 - at] = not_a_number;
                REQUIRE(std::isnan(table->maximum(x.data(), n)));
                x = random_values(n).normals(n);
                for (float& v : x) v -= 10.0f;
                x[at] = -infinite;
                REQUIRE(table->maximum(x.data(), n) <= wanted);
                REQUIRE(std::isfinite(table->maximum(x.data(), n)) == (n > 1));
                x[at] = kept;
            }
        }
    }
}

TEST_CASE("block_tops: the largest of each 64, and NaN where one of them is not finite") {
    for (const hence::kernel_table* table : tiers()) {
        for (const std::size_t n : {1u, 15u, 16u, 17u, 63u, 64u, 65u, 128u, 143u, 200u}) {
            INFO(label(*table) << ", " << n << " values");
            std::vector<float> x = random_values(n).normals(n);
            for (float& v : x) v -= 10.0f;  // all negative: no hidden zero wins
            const std::size_t blocks = (n + 63) / 64;
            std::vector<float> wanted(blocks, -infinite);
            for (std::size_t i = 0; i < n; ++i) wanted[i / 64] = std::max(wanted[i / 64], x[i]);
            std::vector<float> found(blocks + 1, 7.0f);
            table->block_tops(x.data(), n, found.data());
            REQUIRE(found.back() == 7.0f);
            found.pop_back();
            REQUIRE(found == wanted);
            for (std::size_t at = 0; at < n; ++at) {
                for (const float bad : {not_a_number, infinite, -infinite}) {
                    std::vector<float> y = x;
                    y[at] = bad;
                    table->block_tops(y.data(), n, found.data());
                    for (std::size_t b = 0; b < blocks; ++b)
                        REQUIRE((b == at / 64 ? std::isnan(found[b]) : found[b] == wanted[b]));
                }
            }
        }
    }
}

TEST_CASE("sum_exp: the error does not grow with the vocabulary") {
    for (const std::size_t n : {5u, 1024u, 1030u, 200001u}) {
        const std::vector<float> x = random_values(n).normals(n, 4.0f);
        double wanted = 0;
        for (const float v : x) wanted += std::exp(double{v} - 3.5);
        double scalar = 0;
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", " << n << " values");
            const double sum = table->sum_exp(x.data(), 3.5f, n);
            CHECK(std::fabs(sum - wanted) <= wanted * 1e-6);
            if (scalar == 0) scalar = sum;
            if (fused(*table)) CHECK(sum == scalar);
        }
    }
}
