// Positive and negative examples of the tensor room's concepts.
#include <hence/core/scalar.hpp>
#include <hence/tensor/concepts.hpp>
#include <hence/tensor/tensor.hpp>

#include <string>

namespace {

using namespace hence;

static_assert(tensor_element<float> && tensor_element<std::int8_t> && tensor_element<bf16>);
static_assert(!tensor_element<const float> && !tensor_element<float&> && !tensor_element<std::string>);
static_assert(!tensor_element<void>);

static_assert(any_tensor_view<matrix_view<float>> && any_tensor_view<const vector_view<const int>&>);
static_assert(!any_tensor_view<matrix<float>> && !any_tensor_view<float*>);

static_assert(row_view<matrix_view<float>> && row_view<matrix_view<const float, 2, 4, padded_row_major>>);
static_assert(!row_view<matrix_view<float, 2, 2, strided>>);
static_assert(!row_view<vector_view<float>> && !row_view<matrix_view<float, 2, 2, column_major>>);

static_assert(row_view_of<matrix_view<float, 2, 4>, float, 4>);
static_assert(row_view_of<matrix_view<float, 2, 4>, const float, 4>);
static_assert(row_view_of<matrix_view<float>, const float, 4>);
static_assert(row_view_of<matrix_view<const float, dynamic_extent, 4>, const float, dynamic_extent>);
static_assert(!row_view_of<matrix_view<float, 2, 5>, float, 4>);
static_assert(!row_view_of<matrix_view<const float, 2, 4>, float, 4>);
static_assert(!row_view_of<matrix_view<double, 2, 4>, float, 4>);

// A tensor moves and never copies by itself.
using owned = matrix<float>;
static_assert(std::is_nothrow_move_constructible_v<owned> && std::is_nothrow_move_assignable_v<owned>);
static_assert(!std::is_copy_constructible_v<owned> && !std::is_copy_assignable_v<owned>);
static_assert(std::is_convertible_v<owned&, matrix_view<float>>);
static_assert(std::is_convertible_v<const owned&, matrix_view<const float>>);
static_assert(!std::is_convertible_v<const owned&, matrix_view<float>>);
static_assert(
    std::is_convertible_v<matrix<float, 2, 4>&, matrix_view<const float, dynamic_extent, 4, padded_row_major>>);
static_assert(!std::is_convertible_v<matrix<float, 2, 4>&, matrix_view<const float, dynamic_extent, 5>>);

}  // namespace
