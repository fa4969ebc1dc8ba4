// Which Eigen types become views, with which sizes and constness, and back.
#if __has_include(<Eigen/Core>)
#include <hence/interop/eigen.hpp>

namespace {

using namespace hence;

template <class M>
using view_of = decltype(as_view(std::declval<M>()));
template <class M>
concept viewable = requires(M&& m) {
    as_view(std::forward<M>(m));
};

using rows = Eigen::Matrix<float, Eigen::Dynamic, 8, Eigen::RowMajor>;

static_assert(std::is_same_v<view_of<Eigen::Matrix4f&>, matrix_view<float, 4, 4, column_major>>);
static_assert(std::is_same_v<view_of<const rows&>, matrix_view<const float, dynamic_extent, 8>>);
static_assert(std::is_same_v<view_of<Eigen::VectorXf&>, vector_view<float>>);
static_assert(std::is_same_v<view_of<Eigen::RowVector3d&>, vector_view<double, 3>>);
static_assert(
    std::is_same_v<view_of<Eigen::ArrayXXi&>, matrix_view<int, dynamic_extent, dynamic_extent, column_major>>);
static_assert(std::is_same_v<view_of<Eigen::Map<const rows>>, matrix_view<const float, dynamic_extent, 8>>);
static_assert(
    std::is_same_v<view_of<Eigen::Block<rows>>, matrix_view<float, dynamic_extent, dynamic_extent, padded_row_major>>);
static_assert(std::is_same_v<view_of<Eigen::Block<Eigen::Matrix4f>>,
                             matrix_view<float, dynamic_extent, dynamic_extent, strided>>);
static_assert(std::is_same_v<view_of<Eigen::Ref<const Eigen::VectorXf>&>, vector_view<const float>>);

// A temporary that owns its memory and an expression that has none are refused.
static_assert(!viewable<Eigen::Matrix4f>);
static_assert(!viewable<decltype(std::declval<rows&>() + std::declval<rows&>())>);
static_assert(!viewable<float>);

template <class View>
using map_of = decltype(as_eigen(std::declval<View>()));
static_assert(
    std::is_same_v<map_of<matrix_view<float, 4, 8>>, Eigen::Map<Eigen::Matrix<float, 4, 8, Eigen::RowMajor>>>);
static_assert(std::is_same_v<map_of<vector_view<const float>>, Eigen::Map<const Eigen::VectorXf>>);
static_assert(map_of<matrix_view<float, dynamic_extent, 1>>::ColsAtCompileTime == 1);
static_assert(map_of<matrix_view<float, 1, dynamic_extent, column_major>>::RowsAtCompileTime == 1);

template <class T>
concept mappable = requires(T&& value) {
    as_eigen(std::forward<T>(value));
};
static_assert(mappable<matrix<float>&> && mappable<const matrix<float>&> && !mappable<matrix<float>>);
static_assert(!mappable<tensor_view<float, dextents<3>>>);

}  // namespace
#endif
