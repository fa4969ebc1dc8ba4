// Eigen and hence share memory: as_view() shows an Eigen matrix as a tensor_view, as_eigen() a view as an
// Eigen::Map. Nothing is copied, and sizes that are known at compile time stay so.
//
// A vector has rank 1 in hence, whether it is a column or a row in Eigen. Eigen's matrices are column-major by
// default and hence's layers take rows of features; so a column-major matrix whose columns are samples is, with
// transposed(as_view(m)), a row-major batch of the same memory.
#ifndef HENCE_INTEROP_EIGEN_HPP
#define HENCE_INTEROP_EIGEN_HPP

#include "../tensor/tensor.hpp"
#include "../tensor/tensor_view.hpp"

#include <Eigen/Core>

HENCE_NAMESPACE_BEGIN

namespace detail {

constexpr std::size_t from_eigen_size(Eigen::Index size) noexcept {
    return size == Eigen::Dynamic ? dynamic_extent : static_cast<std::size_t>(size);
}
constexpr int to_eigen_size(std::size_t size) noexcept {
    return size == dynamic_extent ? Eigen::Dynamic : static_cast<int>(size);
}

template <class T>
concept eigen_plain = std::is_base_of_v<Eigen::PlainObjectBase<T>, T>;

template <class T>
inline constexpr bool is_dense_map = false;
template <class Plain, int Alignment>
inline constexpr bool is_dense_map<Eigen::Map<Plain, Alignment, Eigen::Stride<0, 0>>> = true;

template <class M>
auto view_eigen_vector(M& m) {
    using plain = std::remove_const_t<M>;
    using element = std::remove_pointer_t<decltype(m.data())>;
    using sizes = extents<from_eigen_size(plain::SizeAtCompileTime)>;
    if constexpr (eigen_plain<plain> || is_dense_map<plain> || plain::InnerStrideAtCompileTime == 1) {
        return tensor_view<element, sizes>(m.data(), sizes(m.size()));
    } else {
        using view = tensor_view<element, sizes, strided>;
        const std::size_t strides[] = {to_size(m.innerStride())};
        return view(m.data(), typename view::mapping_type(sizes(m.size()), strides));
    }
}

template <class M>
auto view_eigen_matrix(M& m) {
    using plain = std::remove_const_t<M>;
    using element = std::remove_pointer_t<decltype(m.data())>;
    using sizes = extents<from_eigen_size(plain::RowsAtCompileTime), from_eigen_size(plain::ColsAtCompileTime)>;
    constexpr bool rows_first = static_cast<bool>(plain::IsRowMajor);
    if constexpr (eigen_plain<plain> || is_dense_map<plain>) {
        using layout = std::conditional_t<rows_first, row_major, column_major>;
        return tensor_view<element, sizes, layout>(m.data(), sizes(m.rows(), m.cols()));
    } else {
        using layout =
            std::conditional_t<rows_first && plain::InnerStrideAtCompileTime == 1, padded_row_major, strided>;
        using view = tensor_view<element, sizes, layout>;
        const std::size_t inner = to_size(m.innerStride());
        const std::size_t outer = to_size(m.outerStride());
        const std::size_t strides[] = {rows_first ? outer : inner, rows_first ? inner : outer};
        return view(m.data(), typename view::mapping_type(sizes(m.rows(), m.cols()), strides));
    }
}

template <class T, class Extents, int Alignment, class Layout>
auto map_vector(const tensor_view<T, Extents, Layout>& view) {
    using plain = Eigen::Matrix<std::remove_cv_t<T>, to_eigen_size(Extents::static_extent(0)), 1>;
    using mapped = std::conditional_t<std::is_const_v<T>, const plain, plain>;
    const auto size = static_cast<Eigen::Index>(view.extent(0));
    if constexpr (!Layout::template mapping<Extents>::always_contiguous) {
        const Eigen::InnerStride<> stride(static_cast<Eigen::Index>(view.stride(0)));
        return Eigen::Map<mapped, Alignment, Eigen::InnerStride<>>(view.data(), size, stride);
    } else {
        return Eigen::Map<mapped, Alignment>(view.data(), size);
    }
}

template <class T, class Extents, int Alignment, class Layout>
auto map_matrix(const tensor_view<T, Extents, Layout>& view) {
    constexpr int rows = to_eigen_size(Extents::static_extent(0));
    constexpr int columns = to_eigen_size(Extents::static_extent(1));
    // Eigen insists that a single column is column-major and a single row is row-major; for one row or column
    // the orders are the same memory.
    constexpr bool rows_first = columns == 1 ? rows == 1 : rows == 1 || !std::is_same_v<Layout, column_major>;
    using plain = Eigen::Matrix<std::remove_cv_t<T>, rows, columns, rows_first ? Eigen::RowMajor : Eigen::ColMajor>;
    using mapped = std::conditional_t<std::is_const_v<T>, const plain, plain>;
    const auto row_count = static_cast<Eigen::Index>(view.extent(0));
    const auto column_count = static_cast<Eigen::Index>(view.extent(1));
    if constexpr (!Layout::template mapping<Extents>::always_contiguous) {
        using strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
        const auto between_rows = static_cast<Eigen::Index>(view.stride(0));
        const auto between_columns = static_cast<Eigen::Index>(view.stride(1));
        return Eigen::Map<mapped, Alignment, strides>(
            view.data(), row_count, column_count,
            rows_first ? strides(between_rows, between_columns) : strides(between_columns, between_rows));
    } else {
        return Eigen::Map<mapped, Alignment>(view.data(), row_count, column_count);
    }
}

}  // namespace detail

/// An Eigen matrix, vector, array, map, block or reference whose elements lie in memory. Requires direct access
/// (an expression such as a + b has no memory to share) and, for an owning matrix, an lvalue (a temporary's
/// memory would be gone before the view is used).
template <class M>
concept eigen_in_memory = std::is_base_of_v<Eigen::DenseBase<std::remove_cvref_t<M>>, std::remove_cvref_t<M>> &&
                              (std::remove_cvref_t<M>::Flags& Eigen::DirectAccessBit) != 0 &&
                          (std::is_lvalue_reference_v<M> || !detail::eigen_plain<std::remove_cvref_t<M>>);

/// Shows Eigen's memory as a tensor_view: row_major or column_major where there cannot be gaps, padded_row_major
/// for a block of a row-major matrix, else strided.
/// Valid as long as the memory of `m`; constant where `m` is.
/// @shape a vector of n: [n]; a matrix: [rows, columns]
/// @errors contract: a negative stride (Eigen::Reverse has no direct access; a Map can have one)
/// @source none
template <eigen_in_memory M>
[[nodiscard]] auto as_view(M&& m) {
    using plain = std::remove_reference_t<M>;
    if constexpr (static_cast<bool>(std::remove_cv_t<plain>::IsVectorAtCompileTime)) {
        return detail::view_eigen_vector<plain>(m);
    } else {
        return detail::view_eigen_matrix<plain>(m);
    }
}

/// Shows a view of rank 1 or 2 to Eigen: a column vector, or a matrix in the view's storage order.
/// @shape [n]: a column of n; [rows, columns]: a matrix
/// @errors none
/// @source none
template <class T, class Extents, class Layout>
    requires(Extents::rank() == 1 || Extents::rank() == 2)
[[nodiscard]] auto as_eigen(const tensor_view<T, Extents, Layout>& view) {
    if constexpr (Extents::rank() == 1) {
        return detail::map_vector<T, Extents, Eigen::Unaligned>(view);
    } else {
        return detail::map_matrix<T, Extents, Eigen::Unaligned>(view);
    }
}

/// Shows an owning tensor of rank 1 or 2 to Eigen, which may use its alignment.
/// @shape as as_eigen(tensor_view)
/// @errors none
/// @source none
template <class T, class Extents>
    requires(Extents::rank() == 1 || Extents::rank() == 2)
[[nodiscard]] auto as_eigen(tensor<T, Extents>& owner) {
    if constexpr (Extents::rank() == 1) {
        return detail::map_vector<T, Extents, Eigen::Aligned64>(owner.view());
    } else {
        return detail::map_matrix<T, Extents, Eigen::Aligned64>(owner.view());
    }
}
template <class T, class Extents>
    requires(Extents::rank() == 1 || Extents::rank() == 2)
[[nodiscard]] auto as_eigen(const tensor<T, Extents>& owner) {
    if constexpr (Extents::rank() == 1) {
        return detail::map_vector<const T, Extents, Eigen::Aligned64>(owner.view());
    } else {
        return detail::map_matrix<const T, Extents, Eigen::Aligned64>(owner.view());
    }
}

/// A temporary tensor's memory would be gone before Eigen reads it.
template <class T, class Extents>
void as_eigen(tensor<T, Extents>&&) = delete;

HENCE_NAMESPACE_END

#endif
