// What tensor_view accepts and refuses at compile time: ranks, constness, sizes, layouts.
#include <hence/tensor/tensor_view.hpp>

namespace {

using namespace hence;

using dynamic = matrix_view<float>;
using half = matrix_view<float, dynamic_extent, 64>;
using fixed = matrix_view<float, 8, 64>;

static_assert(sizeof(fixed) == sizeof(void*) && sizeof(half) == 2 * sizeof(void*));
static_assert(std::is_trivially_copyable_v<fixed> && std::is_trivially_copyable_v<dynamic>);

// The number of indices is the rank.
static_assert(std::is_invocable_r_v<float&, fixed, int, std::size_t>);
static_assert(!std::is_invocable_v<fixed, int>);
static_assert(!std::is_invocable_v<fixed, int, int, int>);
static_assert(!std::is_invocable_v<fixed, double, double>);

// Knowing less is implicit, claiming more is explicit, a contradiction does not compile.
static_assert(std::is_convertible_v<fixed, half> && std::is_convertible_v<half, dynamic>);
static_assert(!std::is_convertible_v<dynamic, half> && std::is_constructible_v<half, dynamic>);
static_assert(!std::is_constructible_v<matrix_view<float, 8, 32>, fixed>);
static_assert(!std::is_constructible_v<vector_view<float>, fixed>);
static_assert(std::is_convertible_v<fixed, matrix_view<const float>>);
static_assert(!std::is_constructible_v<dynamic, matrix_view<const float>>);
static_assert(!std::is_constructible_v<matrix_view<double>, dynamic>);
static_assert(std::is_convertible_v<dynamic, tensor_view<float, dextents<2>, strided>>);
static_assert(!std::is_convertible_v<tensor_view<float, dextents<2>, strided>, dynamic>);

// Rows of neighbours: row-major is one implicitly, strided only explicitly, column-major likewise.
using rows_of_64 = matrix_view<float, dynamic_extent, 64, padded_row_major>;
static_assert(std::is_convertible_v<fixed, rows_of_64> && std::is_convertible_v<half, rows_of_64>);
static_assert(std::is_convertible_v<rows_of_64, matrix_view<const float, dynamic_extent, 64, strided>>);
static_assert(!std::is_convertible_v<matrix_view<float, 8, 64, strided>, rows_of_64>);
static_assert(std::is_constructible_v<rows_of_64, matrix_view<float, 8, 64, strided>>);
static_assert(!std::is_convertible_v<matrix_view<float, 8, 64, column_major>, rows_of_64>);
static_assert(!std::is_convertible_v<rows_of_64, half>);

// A static vector checks a span's length, so that conversion is explicit.
static_assert(std::is_convertible_v<std::span<float>, vector_view<float>>);
static_assert(!std::is_convertible_v<std::span<float>, vector_view<float, 4>>);
static_assert(std::is_constructible_v<vector_view<float, 4>, std::span<float>>);

// A view of a static shape always has memory.
static_assert(std::is_default_constructible_v<dynamic> && !std::is_default_constructible_v<fixed>);

template <class View, class... Slices>
using part = decltype(std::declval<View>().subview(std::declval<Slices>()...));
template <class View, class... Slices>
concept can_slice = requires(View view, Slices... slices) {
    view.subview(slices...);
};

static_assert(std::is_same_v<part<fixed, int, all_indices>, vector_view<float, 64>>);
static_assert(std::is_same_v<part<fixed, slice, all_indices>, matrix_view<float, dynamic_extent, 64>>);
static_assert(std::is_same_v<part<fixed, fixed_slice<2>, all_indices>, matrix_view<float, 2, 64>>);
static_assert(std::is_same_v<part<fixed, all_indices, int>, vector_view<float, 8, strided>>);
static_assert(std::is_same_v<part<fixed, all_indices, fixed_slice<16>>, matrix_view<float, 8, 16, padded_row_major>>);
using padded = matrix_view<float, 8, dynamic_extent, padded_row_major>;
static_assert(std::is_same_v<part<fixed, all_indices, slice>, padded>);
static_assert(std::is_same_v<part<padded, int, slice>, vector_view<float>>);
static_assert(std::is_same_v<part<padded, all_indices, int>, vector_view<float, 8, strided>>);
static_assert(std::is_same_v<part<tensor_view<float, dextents<3>>, slice, int, all_indices>,
                             matrix_view<float, dynamic_extent, dynamic_extent, padded_row_major>>);
static_assert(std::is_same_v<part<fixed, int, slice>, vector_view<float>>);
static_assert(!can_slice<fixed, int>);
static_assert(!can_slice<fixed, int, int>);
static_assert(!can_slice<fixed, double, all_indices>);

using columns = matrix_view<float, 8, 64, column_major>;
static_assert(std::is_same_v<part<columns, all_indices, slice>, matrix_view<float, 8, dynamic_extent, column_major>>);
static_assert(std::is_same_v<part<columns, all_indices, int>, vector_view<float, 8, column_major>>);
static_assert(std::is_same_v<part<columns, int, all_indices>, vector_view<float, 64, strided>>);

static_assert(std::is_same_v<decltype(transposed(std::declval<columns>())), matrix_view<float, 64, 8>>);
static_assert(std::is_same_v<decltype(std::declval<half>().row(0)), vector_view<float, 64>>);
static_assert(std::is_same_v<decltype(std::declval<fixed>().rows(0, 1)), half>);

// Views work in constant expressions.
constexpr bool sums() {
    int data[6] = {1, 2, 3, 4, 5, 6};
    const matrix_view<int, 2, 3> view(data);
    const auto column = view.subview(all, 1);
    return column[0] + column[1] == 7 && transposed(view)(2, 1) == 6 && view.rows(1, 1)(0, 0) == 4;
}
static_assert(sums());

}  // namespace
