// tensor_view and std::mdspan of the same memory agree on where each element is. Without <mdspan> in the
// standard library there is nothing to test.
#include <version>

#if defined(__cpp_lib_mdspan)
#include <hence/interop/mdspan.hpp>

#include "support/catch.hpp"

#include <array>

using namespace hence;

namespace {

template <class View>
void check(const View& view) {
    const auto span = as_mdspan(view);
    const auto back = as_view(span);
    using layout = typename View::layout_type;
    using expected_layout = std::conditional_t<std::is_same_v<layout, padded_row_major>, strided, layout>;
    static_assert(std::is_same_v<typename std::remove_const_t<decltype(back)>::layout_type, expected_layout>);
    static_assert(
        std::is_same_v<typename std::remove_const_t<decltype(back)>::extents_type, typename View::extents_type>);
    for (std::size_t i = 0; i < view.extent(0); ++i) {
        for (std::size_t j = 0; j < view.extent(1); ++j) {
            CHECK(&span[std::array{i, j}] == &view(i, j));
            CHECK(&back(i, j) == &view(i, j));
        }
    }
}

}  // namespace

TEST_CASE("a view and its mdspan show the same memory", "[interop]") {
    std::array<float, 24> values{};
    const matrix_view<float, dynamic_extent, 4> view(values.data(), 6);
    check(view);
    check(transposed(view));
    check(view.subview(slice{1, 3}, slice{1, 2}));
}
#endif
