// What extents<...> accepts and refuses, and what it costs.
#include <hence/tensor/extents.hpp>

#include <type_traits>

namespace {

using hence::dextents;
using hence::dynamic_extent;
using hence::extents;

using dyn = extents<dynamic_extent, dynamic_extent>;
using half = extents<dynamic_extent, 64>;
using fixed = extents<8, 64>;

// A static size is not stored.
static_assert(std::is_empty_v<fixed>);
static_assert(sizeof(half) == sizeof(std::size_t));
static_assert(sizeof(dyn) == 2 * sizeof(std::size_t));
static_assert(std::is_same_v<dextents<2>, dyn>);
static_assert(std::is_same_v<dextents<0>, extents<>>);
static_assert(std::is_same_v<decltype(extents(1, 2u, 3L)), dextents<3>>);

static_assert(fixed::rank() == 2 && fixed::rank_dynamic() == 0 && half::rank_dynamic() == 1);
static_assert(half::static_extent(0) == dynamic_extent && half::static_extent(1) == 64);
static_assert(fixed().size() == 512 && extents<>().size() == 1);
static_assert(half(3).extent(0) == 3 && half(3).extent(1) == 64 && half(3, 64) == half(3));
static_assert(half(8) == fixed() && !(half(7) == fixed()) && !(dextents<1>(8) == half(8)));

// Any integers, one for each size or one for each dynamic size; never anything else.
static_assert(std::is_constructible_v<half, int>);
static_assert(std::is_constructible_v<half, unsigned char, long>);
static_assert(!std::is_constructible_v<half, int, int, int>);
static_assert(!std::is_constructible_v<dyn, int>);
static_assert(!std::is_constructible_v<half, double>);
static_assert(!std::is_convertible_v<int, half>);

// Forgetting a size is implicit, claiming one is explicit, contradicting one does not compile.
static_assert(std::is_convertible_v<fixed, half> && std::is_convertible_v<half, dyn>);
static_assert(!std::is_convertible_v<dyn, half> && std::is_constructible_v<half, dyn>);
static_assert(!std::is_constructible_v<extents<8, 32>, fixed>);
static_assert(!std::is_constructible_v<dextents<3>, fixed>);

static_assert(hence::tensor_extents<fixed> && hence::tensor_extents<const dyn>);
static_assert(!hence::tensor_extents<int> && !hence::tensor_extents<fixed&>);

}  // namespace
