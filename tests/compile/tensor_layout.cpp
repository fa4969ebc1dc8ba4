// Which types are layouts, and what a mapping converts to.
#include <hence/tensor/layout.hpp>

namespace {

using hence::column_major;
using hence::dextents;
using hence::extents;
using hence::row_major;
using hence::strided;

struct no_mapping {};
struct with_state {
    int state;
    template <class Extents>
    using mapping = row_major::mapping<Extents>;
};

static_assert(hence::layout_policy<row_major>);
static_assert(hence::layout_policy<column_major>);
static_assert(hence::layout_policy<strided>);
static_assert(hence::layout_policy<hence::padded_row_major>);
static_assert(!hence::layout_policy<no_mapping>);
static_assert(!hence::layout_policy<with_state>);
static_assert(!hence::layout_policy<int>);

using fixed = row_major::mapping<extents<2, 3, 4>>;
using dynamic = row_major::mapping<dextents<3>>;
static_assert(std::is_empty_v<fixed>);
static_assert(fixed()(1, 2, 3) == 23 && fixed().stride(0) == 12 && fixed().stride(2) == 1);
static_assert(column_major::mapping<extents<2, 3, 4>>()(1, 2, 3) == 1 + 2 * 2 + 3 * 6);
static_assert(column_major::mapping<extents<2, 3, 4>>().stride(2) == 6);
static_assert(strided::mapping<extents<2, 2>>(extents<2, 2>(), {10, 3})(1, 1) == 13);

static_assert(hence::padded_row_major::mapping<extents<2, 2>>(extents<2, 2>(), {10, 1})(1, 1) == 11);
static_assert(hence::padded_row_major::mapping<dextents<1>>(dextents<1>(4), {1})(3) == 3);

static_assert(std::is_invocable_v<fixed, int, int, int> && !std::is_invocable_v<fixed, int, int>);
static_assert(std::is_convertible_v<fixed, dynamic>);
static_assert(!std::is_convertible_v<dynamic, fixed> && std::is_constructible_v<fixed, dynamic>);
static_assert(std::is_convertible_v<fixed, strided::mapping<dextents<3>>>);
static_assert(!std::is_convertible_v<strided::mapping<dextents<3>>, dynamic>);
static_assert(std::is_constructible_v<dynamic, strided::mapping<dextents<3>>>);
static_assert(!std::is_constructible_v<row_major::mapping<extents<2, 3, 5>>, fixed>);

}  // namespace
