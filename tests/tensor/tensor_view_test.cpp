// tensor_view against index arithmetic written out by hand, for every layout.
#include <hence/tensor/tensor_view.hpp>

#include "support/catch.hpp"

#include <numeric>
#include <vector>

using namespace hence;

namespace {

std::vector<int> counted(std::size_t count) {
    std::vector<int> values(count);
    std::iota(values.begin(), values.end(), 0);
    return values;
}

}  // namespace

TEST_CASE("element access follows the layout", "[tensor]") {
    const auto values = counted(2 * 3 * 4);
    const tensor_view<const int, extents<2, 3, 4>> rows(values.data());
    const tensor_view<const int, dextents<3>, column_major> columns(values.data(), 2, 3, 4);
    for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 3; ++j) {
            for (int k = 0; k < 4; ++k) {
                CHECK(rows(i, j, k) == (i * 3 + j) * 4 + k);
                CHECK(columns(i, j, k) == i + 2 * (j + 3 * k));
                CHECK(&rows.at(i, j, k) == &rows(i, j, k));
            }
        }
    }
}

TEST_CASE("at() refuses each index that is out of its extent", "[tensor]") {
    const auto values = counted(6);
    const matrix_view<const int, 2> view(values.data(), 3);
    CHECK(view.at(1, 2) == 5);
    CHECK_THROWS_AS(view.at(2, 0), hence::exception);
    CHECK_THROWS_AS(view.at(0, 3), hence::exception);
    CHECK_THROWS_AS(view.at(-1, 0), hence::exception);
}

TEST_CASE("a subview shows the elements that the slices select, from every layout", "[tensor]") {
    const auto values = counted(5 * 6 * 7);
    const tensor_view<const int, dextents<3>> dense(values.data(), 5, 6, 7);
    const tensor_view<const int, dextents<3>, column_major> columns(values.data(), 5, 6, 7);
    const tensor_view<const int, dextents<3>, strided> gaps = dense;
    const tensor_view<const int, dextents<3>, padded_row_major> padded = dense;

    const auto check = [](const auto& view) {
        const auto part = view.subview(slice{1, 3}, 4, fixed_slice<2>{5});
        static_assert(part.rank() == 2 && part.static_extent(1) == 2);
        REQUIRE(part.extent(0) == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t k = 0; k < 2; ++k) CHECK(&part(i, k) == &view(i + 1, 4, k + 5));
        }
        const auto column = view.subview(2, all, 3);
        for (std::size_t j = 0; j < 6; ++j) CHECK(&column[j] == &view(2, j, 3));
        const auto of_part = part.subview(all, 1);
        CHECK(&of_part[2] == &view(3, 4, 6));
    };
    check(dense);
    check(columns);
    check(gaps);
    check(padded);
}

TEST_CASE("a slice past the end is a contract violation, an empty one at the end is not", "[tensor]") {
    const auto values = counted(12);
    const matrix_view<const int> view(values.data(), 3, 4);
    CHECK(view.rows(3, 0).empty());
    CHECK_THROWS_AS(view.rows(3, 1), hence::exception);
    CHECK_THROWS_AS(view.rows(4, 0), hence::exception);
    CHECK_THROWS_AS(view.rows(1, static_cast<std::size_t>(-1)), hence::exception);
    CHECK_THROWS_AS(view.row(3), hence::exception);
    CHECK_THROWS_AS(view.subview(all, fixed_slice<2>{3}), hence::exception);
    CHECK_THROWS_AS(view.subview(-1, all), hence::exception);
}

TEST_CASE("claiming a static size checks it", "[tensor]") {
    const auto values = counted(12);
    const matrix_view<const int> view(values.data(), 3, 4);
    CHECK(matrix_view<const int, 3, 4>(view)(2, 3) == 11);
    CHECK_THROWS_AS((matrix_view<const int, 3, 5>(view)), hence::exception);
    CHECK_THROWS_AS((vector_view<const int, 11>(std::span(values))), hence::exception);
    CHECK_THROWS_AS((matrix_view<const int>(std::span(values), dextents<2>(3, 3))), hence::exception);
    CHECK((matrix_view<const int>(std::span(values), dextents<2>(4, 3)).size() == 12));
}

TEST_CASE("a strided view becomes rows only where their elements are neighbours", "[tensor]") {
    const auto values = counted(12);
    const matrix_view<const int> view(values.data(), 3, 4);
    using rows = matrix_view<const int, dynamic_extent, dynamic_extent, padded_row_major>;
    const matrix_view<const int, dynamic_extent, dynamic_extent, strided> part = view.subview(all, slice{1, 2});
    CHECK(rows(part)(2, 1) == 10);
    CHECK_THROWS_AS(rows(transposed(view)), hence::exception);
    CHECK(rows(view.subview(slice{0, 2}, slice{1, 1})).stride(0) == 4);
}

TEST_CASE("a strided view becomes dense only where it has no gaps", "[tensor]") {
    const auto values = counted(12);
    const matrix_view<const int> view(values.data(), 3, 4);
    using dense = matrix_view<const int>;

    const auto part = view.subview(all, slice{1, 2});
    CHECK_THROWS_AS(dense(part), hence::exception);
    CHECK_THROWS_AS(part.span(), hence::exception);

    const auto whole = view.subview(all, slice{0, 4});
    CHECK(dense(whole)(2, 3) == 11);
    CHECK(whole.span().size() == 12);

    // One row has no gaps, whatever its stride.
    const auto single = view.subview(slice{1, 1}, slice{1, 2});
    CHECK(dense(single)(0, 1) == 6);
    CHECK(single.span()[1] == 6);
}

TEST_CASE("transposed() reverses the indices of every layout", "[tensor]") {
    const auto values = counted(24);
    const tensor_view<const int, extents<2, dynamic_extent, 4>> view(values.data(), 3);
    const auto reversed = transposed(view);
    static_assert(std::is_same_v<decltype(reversed)::layout_type, column_major>);
    const auto part = view.subview(all, slice{1, 2}, slice{1, 2});
    const auto part_reversed = transposed(part);
    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            for (std::size_t k = 0; k < 4; ++k) CHECK(&reversed(k, j, i) == &view(i, j, k));
        }
        CHECK(&part_reversed(1, 0, i) == &part(i, 0, 1));
    }
    static_assert(std::is_same_v<decltype(transposed(reversed)), std::remove_const_t<decltype(view)>>);
}

TEST_CASE("copy_elements copies between layouts and refuses unequal sizes", "[tensor]") {
    const auto values = counted(24);
    std::vector<long> target(48, -1);
    const tensor_view<const int, dextents<3>, column_major> from(values.data(), 2, 3, 4);
    const tensor_view<long, dextents<3>> wide(target.data(), 2, 3, 8);
    const auto to = wide.subview(all, all, slice{2, 4});
    copy_elements(from, to);
    std::size_t written = 0;
    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            for (std::size_t k = 0; k < 8; ++k) {
                const bool inside = k >= 2 && k < 6;
                CHECK(wide(i, j, k) == (inside ? from(i, j, k - 2) : -1));
                written += inside ? 1 : 0;
            }
        }
    }
    CHECK(written == from.size());
    CHECK_THROWS_AS(copy_elements(from, wide), hence::exception);
}
