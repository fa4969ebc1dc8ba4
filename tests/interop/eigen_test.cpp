// Eigen and views of the same memory agree on where each element is.
#if __has_include(<Eigen/Core>)
#include <hence/interop/eigen.hpp>

#include "support/catch.hpp"

using namespace hence;

namespace {

// Same address for the same indices, both ways: as_eigen(as_view(m)) is m again.
template <class M>
void check_matrix(M&& m) {
    const auto view = as_view(m);
    const auto back = as_eigen(view);
    REQUIRE(static_cast<Eigen::Index>(view.extent(0)) == m.rows());
    REQUIRE(static_cast<Eigen::Index>(view.extent(1)) == m.cols());
    REQUIRE(back.rows() == m.rows());
    REQUIRE(back.cols() == m.cols());
    for (Eigen::Index i = 0; i < m.rows(); ++i) {
        for (Eigen::Index j = 0; j < m.cols(); ++j) {
            CHECK(&view(i, j) == &m.coeffRef(i, j));
            CHECK(&back.coeffRef(i, j) == &m.coeffRef(i, j));
        }
    }
}

}  // namespace

TEST_CASE("a view and an Eigen matrix show the same memory", "[interop]") {
    Eigen::MatrixXf columns = Eigen::MatrixXf::Random(5, 7);
    Eigen::Matrix<double, 3, 4, Eigen::RowMajor> rows = Eigen::Matrix<double, 3, 4, Eigen::RowMajor>::Random();
    Eigen::ArrayXXi array = Eigen::ArrayXXi::Random(4, 3);
    check_matrix(columns);
    check_matrix(rows);
    check_matrix(array);
    check_matrix(columns.block(1, 2, 3, 4));
    check_matrix(columns.transpose());
    check_matrix(rows.block<2, 3>(1, 1));
    check_matrix(Eigen::Map<Eigen::MatrixXf>(columns.data(), 7, 5));
    check_matrix(Eigen::Map<Eigen::MatrixXf, 0, Eigen::OuterStride<>>(columns.data(), 3, 5, Eigen::OuterStride<>(7)));
    check_matrix(Eigen::Map<Eigen::MatrixXf, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>(
        columns.data(), 3, 2, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(13, 2)));
}

TEST_CASE("vectors have rank 1, with or without gaps", "[interop]") {
    Eigen::MatrixXf m = Eigen::MatrixXf::Random(5, 7);
    Eigen::RowVectorXf row = m.row(2);
    CHECK(&as_view(row)[3] == &row.coeffRef(3));
    auto across = m.row(2);
    auto down = m.col(2);
    CHECK(&as_view(across)[3] == &m.coeffRef(2, 3));
    CHECK(as_view(across).stride(0) == 5);
    CHECK(&as_view(down)[3] == &m.coeffRef(3, 2));
    CHECK(&as_eigen(as_view(across)).coeffRef(3) == &m.coeffRef(2, 3));
}

TEST_CASE("a column-major batch of samples is a row-major batch of rows", "[interop]") {
    Eigen::Matrix<float, 4, Eigen::Dynamic> samples = Eigen::MatrixXf::Random(4, 3);
    const auto batch = transposed(as_view(samples));
    static_assert(std::is_same_v<decltype(batch), const matrix_view<float, dynamic_extent, 4>>);
    CHECK(&batch(2, 1) == &samples.coeffRef(1, 2));
}

TEST_CASE("Eigen computes in a tensor's memory", "[interop]") {
    matrix<float, 3, 5> a;
    owned_vector<float> x(5);
    owned_vector<float> y(3);
    as_eigen(a).setRandom();
    as_eigen(x).setRandom();
    as_eigen(y) = as_eigen(a) * as_eigen(x);
    for (std::size_t i = 0; i < 3; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < 5; ++j) sum += static_cast<double>(a(i, j)) * static_cast<double>(x(j));
        CHECK(std::abs(sum - static_cast<double>(y(i))) < 1e-6);
    }
    const auto& constant = a;
    CHECK(as_eigen(constant).norm() > 0);
}

TEST_CASE("a negative Eigen stride is a contract violation", "[interop]") {
    float values[6] = {};
    const Eigen::Map<Eigen::VectorXf, 0, Eigen::InnerStride<>> backwards(values + 5, 6, Eigen::InnerStride<>(-1));
    CHECK_THROWS_AS(as_view(backwards), hence::exception);
}
#endif
