// What the layer tests share: random matrices, the tiers and teams to try, and running a layer once.
#ifndef HENCE_TESTS_LAYERS_SUPPORT_HPP
#define HENCE_TESTS_LAYERS_SUPPORT_HPP

#include <hence/core/rng.hpp>
#include <hence/interop/eigen.hpp>
#include <hence/layers/layer.hpp>
#include <hence/sys/cpu.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstring>
#include <vector>

namespace hence_test {

using namespace hence;

// Values in (-1, 1), the same for the same seed.
inline matrix<float> random_matrix(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    matrix<float> m(rows, columns);
    const counter_rng random{seed};
    for (std::size_t i = 0; i < m.size(); ++i) m.data()[i] = static_cast<float>(2.0 * random.uniform(i, 0, 0) - 1.0);
    return m;
}

inline owned_vector<float> random_vector(std::size_t size, std::uint64_t seed) {
    owned_vector<float> v(size);
    const counter_rng random{seed};
    for (std::size_t i = 0; i < size; ++i) v(i) = static_cast<float>(2.0 * random.uniform(i, 1, 0) - 1.0);
    return v;
}

inline Eigen::MatrixXd as_double(const matrix<float>& m) {
    return as_eigen(m).cast<double>();
}
inline Eigen::VectorXd as_double(const owned_vector<float>& v) {
    return as_eigen(v).cast<double>();
}

// The largest difference from a float64 oracle.
inline double distance(const matrix<float>& got, const Eigen::MatrixXd& expected) {
    REQUIRE(static_cast<Eigen::Index>(got.extent(0)) == expected.rows());
    REQUIRE(static_cast<Eigen::Index>(got.extent(1)) == expected.cols());
    return got.empty() ? 0.0 : (as_double(got) - expected).cwiseAbs().maxCoeff();
}

// Every tier that this machine runs.
inline std::vector<const kernel_table*> tiers() {
    std::vector<const kernel_table*> found;
    for (std::size_t i = 0; i < isa_count; ++i) {
        if (const auto table = kernels::table(static_cast<isa>(i))) found.push_back(*table);
    }
    REQUIRE(found.size() >= 2);
    return found;
}

// Runs a layer on `threads` workers in an arena of exactly workspace_bytes().
template <layers::layer L>
matrix<float> run(const L& layer, const layers::rows_in<>& in, int threads = 1) {
    matrix<float> out(in.extent(0), layer.output_size(in.extent(1)));
    arena workspace(layer.workspace_bytes(in.extent(0), in.extent(1)));
    spin_team team(threads);
    team.each([&](const worker& self) {
        layer.forward(self, layers::rows_in<L::in_features>(in),
                      layers::rows_out<L::static_output(L::in_features)>(out.view()), workspace.start());
    });
    CHECK(workspace.high_water() == workspace.capacity());
    return out;
}

inline bool equal_bits(const matrix<float>& a, const matrix<float>& b) {
    return a.extents() == b.extents() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// A layer that treats rows by themselves gives a row the same bits whatever the batch and the team.
template <layers::layer L>
void check_rows_are_independent(const L& layer, const matrix<float>& in) {
    const matrix<float> together = run(layer, in.view());
    for (int threads : {2, 3}) CHECK(equal_bits(run(layer, in.view(), threads), together));
    for (std::size_t row = 0; row < in.extent(0); ++row) {
        const matrix<float> alone = run(layer, in.view().rows(row, 1));
        CHECK(std::memcmp(alone.data(), together.view().row(row).data(), alone.size() * sizeof(float)) == 0);
    }
}

}  // namespace hence_test

#endif
