// transform_batches against a scalar loop, at every length around the size of a batch.
#include <hence/interop/xsimd.hpp>
#include <hence/tensor/tensor.hpp>

#include "support/catch.hpp"

using namespace hence;

TEST_CASE("transform_batches reaches every element and no other", "[interop]") {
    for (std::size_t count = 0; count <= 3 * xsimd::batch<float>::size + 1; ++count) {
        owned_vector<float> a(count);
        owned_vector<float> b(count);
        owned_vector<float> out(count + 1);
        for (std::size_t i = 0; i < count; ++i) {
            a(i) = static_cast<float>(i) - 3.5f;
            b(i) = static_cast<float>(i * i);
        }
        out(count) = -7.0f;
        const vector_view<const float> first = a.view();
        const vector_view<const float> second = b.view();
        transform_batches([](auto x, auto y) { return xsimd::max(x, y) + x; }, out.view().rows(0, count), first,
                          second);
        for (std::size_t i = 0; i < count; ++i) CHECK(out(i) == std::max(a(i), b(i)) + a(i));
        CHECK(out(count) == -7.0f);
    }
}

TEST_CASE("an element's result does not depend on its place", "[interop]") {
    const std::size_t count = 3 * xsimd::batch<float>::size - 1;
    owned_vector<float> values(count);
    for (float& value : values.span()) value = 0.7300001f;
    const vector_view<const float> in = values.view();
    transform_batches([](auto x) { return xsimd::exp(x) / (xsimd::exp(x) + 1.0f); }, values.view(), in);
    for (float value : values.span()) CHECK(value == values(0));
}

TEST_CASE("transform_batches refuses unequal sizes and gaps", "[interop]") {
    matrix<float> a(3, 4);
    matrix<float> b(4, 3);
    const auto same = [](auto x) { return x; };
    CHECK_THROWS_AS(transform_batches(same, a.view(), matrix_view<const float>(b.view())), hence::exception);
    const auto part = a.view().subview(all, slice{0, 2});
    const tensor_view<const float, dextents<2>, padded_row_major> from = part;
    CHECK_THROWS_AS(transform_batches(same, part, from), hence::exception);
}
