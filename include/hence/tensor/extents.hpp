// extents: the sizes of a tensor, each known at compile time or only at run time.
//
// A static shape is a thin layer over a dynamic one, as in std::mdspan: extents<dynamic_extent, 64> stores
// one number, extents<8, 64> none, and both offer the same interface, so every algorithm is written once.
// This file knows nothing of memory: tensor/layout.hpp maps indices to offsets.
#ifndef HENCE_TENSOR_EXTENTS_HPP
#define HENCE_TENSOR_EXTENTS_HPP

#include "../core/result.hpp"

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

HENCE_NAMESPACE_BEGIN

/// "Known at run time", in place of a size; the value of std::dynamic_extent.
inline constexpr std::size_t dynamic_extent = static_cast<std::size_t>(-1);

namespace detail {

// Only the dynamic sizes (or strides) are stored; none at all makes an empty class, so that a static view is one
// pointer.
template <std::size_t Count>
struct dynamic_sizes {
    std::size_t values[Count] = {};
    constexpr std::size_t& operator[](std::size_t i) noexcept { return values[i]; }
    constexpr std::size_t operator[](std::size_t i) const noexcept { return values[i]; }
};
template <>
struct dynamic_sizes<0> {
    constexpr std::size_t operator[](std::size_t) const noexcept { return 0; }
};

template <std::integral I>
constexpr std::size_t to_size(I value) {
    if constexpr (std::is_signed_v<I>) HENCE_EXPECT(value >= 0, "a size or index of at least 0");
    return static_cast<std::size_t>(value);
}

}  // namespace detail

/// The sizes of a tensor of rank sizeof...(Sizes), outermost first.
template <std::size_t... Sizes>
class extents {
public:
    using size_type = std::size_t;

    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] static constexpr std::size_t rank() noexcept { return sizeof...(Sizes); }

    /// How many of the sizes are known only at run time.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] static constexpr std::size_t rank_dynamic() noexcept {
        return (std::size_t{0} + ... + (Sizes == dynamic_extent ? std::size_t{1} : std::size_t{0}));
    }

    /// The size of one dimension as the type says it: dynamic_extent where the type does not know.
    /// @shape none
    /// @errors none; dimension < rank()
    /// @source none
    [[nodiscard]] static constexpr std::size_t static_extent(std::size_t dimension) noexcept {
        constexpr std::size_t sizes[] = {Sizes..., dynamic_extent};  // the last keeps rank 0 legal
        return sizes[dimension];
    }

    /// Dynamic sizes start as 0.
    constexpr extents() noexcept = default;

    /// From every size, or from the dynamic ones only.
    /// @shape rank() or rank_dynamic() integers
    /// @errors contract: a given size differs from the static one, or is negative
    /// @source interface of std::extents
    template <std::integral... Given>
        requires(sizeof...(Given) > 0 &&
                 (sizeof...(Given) == sizeof...(Sizes) || sizeof...(Given) == extents<Sizes...>::rank_dynamic()))
    constexpr explicit extents(Given... given) {
        const std::size_t sizes[] = {detail::to_size(given)...};
        if constexpr (sizeof...(Given) == rank_dynamic()) {
            for (std::size_t i = 0; i < rank_dynamic(); ++i) dynamic_[i] = sizes[i];
        } else {
            assign([&](std::size_t dimension) { return sizes[dimension]; });
        }
    }

    /// From extents of the same rank. Implicit unless a size that this type fixes is known there only at run
    /// time; such a size is checked.
    /// @shape rank() sizes
    /// @errors contract: a run-time size differs from the static one
    /// @source interface of std::extents
    template <std::size_t... Other>
        requires(sizeof...(Other) == sizeof...(Sizes) && !std::is_same_v<extents<Other...>, extents<Sizes...>> &&
                 (... && (Other == dynamic_extent || Sizes == dynamic_extent || Other == Sizes)))
    constexpr explicit((... || (Sizes != dynamic_extent && Other == dynamic_extent)))
        extents(const extents<Other...>& other) {
        assign([&](std::size_t dimension) { return other.extent(dimension); });
    }

    /// @shape none
    /// @errors none; dimension < rank()
    /// @source none
    [[nodiscard]] constexpr std::size_t extent(std::size_t dimension) const noexcept {
        const std::size_t fixed = static_extent(dimension);
        return fixed != dynamic_extent ? fixed : dynamic_[dynamic_index(dimension)];
    }

    /// The number of elements: the product of the sizes, 1 for rank 0.
    /// @shape none
    /// @errors none; tensor checks that the product fits before it allocates
    /// @source none
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        std::size_t product = 1;
        for (std::size_t i = 0; i < rank(); ++i) product *= extent(i);
        return product;
    }

    /// Equal rank and sizes, wherever they are known.
    template <std::size_t... Other>
    friend constexpr bool operator==(const extents& a, const extents<Other...>& b) noexcept {
        if constexpr (sizeof...(Other) != sizeof...(Sizes)) {
            return false;
        } else {
            for (std::size_t i = 0; i < rank(); ++i) {
                if (a.extent(i) != b.extent(i)) return false;
            }
            return true;
        }
    }

private:
    static constexpr std::size_t dynamic_index(std::size_t dimension) noexcept {
        std::size_t index = 0;
        for (std::size_t i = 0; i < dimension; ++i) index += static_extent(i) == dynamic_extent ? 1 : 0;
        return index;
    }

    template <class SizeOf>
    constexpr void assign(SizeOf size_of) {
        for (std::size_t i = 0; i < rank(); ++i) {
            if (static_extent(i) == dynamic_extent) {
                if constexpr (rank_dynamic() > 0) dynamic_[dynamic_index(i)] = size_of(i);
            } else {
                HENCE_EXPECT(size_of(i) == static_extent(i), "the size that the type of the extents fixes");
            }
        }
    }

    [[no_unique_address]] detail::dynamic_sizes<rank_dynamic()> dynamic_;
};

template <std::integral... Given>
extents(Given...) -> extents<(static_cast<void>(sizeof(Given)), dynamic_extent)...>;

namespace detail {

template <class Indices>
struct dynamic_extents;
template <std::size_t... I>
struct dynamic_extents<std::index_sequence<I...>> {
    using type = extents<(static_cast<void>(I), dynamic_extent)...>;
};

template <class T>
inline constexpr bool is_extents = false;
template <std::size_t... Sizes>
inline constexpr bool is_extents<extents<Sizes...>> = true;

// Two sizes that may turn out equal at run time.
constexpr bool compatible(std::size_t a, std::size_t b) noexcept {
    return a == dynamic_extent || b == dynamic_extent || a == b;
}

}  // namespace detail

/// Extents of a rank with every size known only at run time.
template <std::size_t Rank>
using dextents = typename detail::dynamic_extents<std::make_index_sequence<Rank>>::type;

/// Models extents<...>. Requires exactly that template, and nothing looser, because layouts rely on its rule
/// that a static size needs no storage and no check.
template <class T>
concept tensor_extents = detail::is_extents<std::remove_cv_t<T>>;

HENCE_NAMESPACE_END

#endif
