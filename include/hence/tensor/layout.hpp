// Layouts: how the indices of a tensor become an offset in memory.
//
// A layout is an empty policy with a nested mapping<Extents>, as in std::mdspan. row_major is what the
// library itself makes; padded_row_major is some of its columns; column_major is Eigen's default; strided is any
// part of any.
#ifndef HENCE_TENSOR_LAYOUT_HPP
#define HENCE_TENSOR_LAYOUT_HPP

#include "extents.hpp"

HENCE_NAMESPACE_BEGIN

namespace detail {

// A mapping whose strides follow from the extents: gapless, in the order that the layout says.
template <class Layout, tensor_extents Extents>
class dense_mapping {
public:
    using extents_type = Extents;
    using layout_type = Layout;
    static constexpr bool always_contiguous = true;

    constexpr dense_mapping() noexcept = default;
    constexpr dense_mapping(const Extents& sizes) noexcept : extents_(sizes) {}

    // From the same layout with sizes known elsewhere; explicit where one must be checked.
    template <class Other>
        requires(!std::is_same_v<Other, Extents> && std::is_constructible_v<Extents, const Other&>)
    constexpr explicit(!std::is_convertible_v<const Other&, Extents>)
        dense_mapping(const dense_mapping<Layout, Other>& other)
        : extents_(other.extents()) {}

    // From strides that turn out to be those of this layout; a dimension of size 1 or 0 may have any.
    template <class Other>
        requires(!std::is_same_v<typename Other::layout_type, Layout> &&
                 std::is_constructible_v<Extents, const typename Other::extents_type&>)
    constexpr explicit dense_mapping(const Other& other) : extents_(other.extents()) {
        for (std::size_t i = 0; i < Extents::rank(); ++i) {
            HENCE_EXPECT(other.stride(i) == stride(i) || other.extents().extent(i) <= 1,
                         "strides without gaps, in the order of the dense layout");
        }
    }

    [[nodiscard]] constexpr const Extents& extents() const noexcept { return extents_; }

    template <std::integral... Index>
        requires(sizeof...(Index) == Extents::rank())
    [[nodiscard]] constexpr std::size_t operator()(Index... index) const noexcept {
        return Layout::offset(extents_, static_cast<std::size_t>(index)...);
    }

    [[nodiscard]] constexpr std::size_t stride(std::size_t dimension) const noexcept {
        return Layout::stride(extents_, dimension);
    }

    [[nodiscard]] constexpr bool is_contiguous() const noexcept { return true; }

private:
    [[no_unique_address]] Extents extents_;
};

// A mapping that stores its strides; those of the last dimension only if that is not always 1.
template <class Layout, tensor_extents Extents, bool StoresLast>
    requires(Extents::rank() > 0)
class stored_mapping {
public:
    using extents_type = Extents;
    using layout_type = Layout;
    static constexpr bool always_contiguous = false;

    constexpr stored_mapping() noexcept = default;

    constexpr stored_mapping(const Extents& sizes, const std::size_t (&strides)[Extents::rank()]) : extents_(sizes) {
        assign([&](std::size_t dimension) { return strides[dimension]; });
    }

    // From any layout; explicit where a size or the unit stride must be checked.
    template <class Other>
        requires(!std::is_same_v<Other, stored_mapping> &&
                 std::is_constructible_v<Extents, const typename Other::extents_type&>)
    constexpr explicit(!std::is_convertible_v<const typename Other::extents_type&, Extents> ||
                       !Layout::template includes<typename Other::layout_type>) stored_mapping(const Other& other)
        : extents_(other.extents()) {
        assign([&](std::size_t dimension) { return other.stride(dimension); });
    }

    [[nodiscard]] constexpr const Extents& extents() const noexcept { return extents_; }

    template <std::integral... Index>
        requires(sizeof...(Index) == Extents::rank())
    [[nodiscard]] constexpr std::size_t operator()(Index... index) const noexcept {
        std::size_t sum = 0;
        std::size_t dimension = 0;
        ((sum += static_cast<std::size_t>(index) * stride(dimension++)), ...);
        return sum;
    }

    [[nodiscard]] constexpr std::size_t stride(std::size_t dimension) const noexcept {
        if constexpr (!StoresLast) {
            if (dimension + 1 == Extents::rank()) return 1;
        }
        return strides_[dimension];
    }

    // Whether the elements lie without gaps in row-major order.
    [[nodiscard]] constexpr bool is_contiguous() const noexcept {
        std::size_t expected = 1;
        for (std::size_t i = Extents::rank(); i-- > 0;) {
            if (stride(i) != expected && extents_.extent(i) > 1) return false;
            expected *= extents_.extent(i);
        }
        return true;
    }

private:
    static constexpr std::size_t stored = Extents::rank() - (StoresLast ? 0 : 1);

    template <class StrideOf>
    constexpr void assign(StrideOf stride_of) {
        if constexpr (stored > 0) {
            for (std::size_t i = 0; i < stored; ++i) strides_[i] = stride_of(i);
        }
        if constexpr (!StoresLast) {
            HENCE_EXPECT(stride_of(stored) == 1 || extents_.extent(stored) <= 1, "rows whose elements are neighbours");
        }
    }

    [[no_unique_address]] Extents extents_;
    [[no_unique_address]] dynamic_sizes<stored> strides_;
};

}  // namespace detail

/// The last index is contiguous (C order).
struct row_major {
    template <tensor_extents Extents>
    using mapping = detail::dense_mapping<row_major, Extents>;

    /// The offset of one element.
    /// @shape rank indices
    /// @units elements
    /// @errors none; each index is below its extent
    /// @source none
    template <tensor_extents Extents, class... Index>
    [[nodiscard]] static constexpr std::size_t offset(const Extents& sizes, Index... index) noexcept {
        std::size_t sum = 0;
        std::size_t dimension = 0;
        ((sum = sum * sizes.extent(dimension++) + index), ...);
        return sum;
    }

    /// The distance between neighbours along one dimension.
    /// @shape none
    /// @units elements
    /// @errors none; dimension < rank
    /// @source none
    template <tensor_extents Extents>
    [[nodiscard]] static constexpr std::size_t stride(const Extents& sizes, std::size_t dimension) noexcept {
        std::size_t product = 1;
        for (std::size_t i = dimension + 1; i < Extents::rank(); ++i) product *= sizes.extent(i);
        return product;
    }
};

/// The first index is contiguous (Fortran order; Eigen's default).
struct column_major {
    template <tensor_extents Extents>
    using mapping = detail::dense_mapping<column_major, Extents>;

    /// The offset of one element.
    /// @shape rank indices
    /// @units elements
    /// @errors none; each index is below its extent
    /// @source none
    template <tensor_extents Extents, class... Index>
    [[nodiscard]] static constexpr std::size_t offset(const Extents& sizes, Index... index) noexcept {
        std::size_t sum = 0;
        std::size_t scale = 1;
        std::size_t dimension = 0;
        ((sum += index * scale, scale *= sizes.extent(dimension++)), ...);
        return sum;
    }

    /// The distance between neighbours along one dimension.
    /// @shape none
    /// @units elements
    /// @errors none; dimension < rank
    /// @source none
    template <tensor_extents Extents>
    [[nodiscard]] static constexpr std::size_t stride(const Extents& sizes, std::size_t dimension) noexcept {
        std::size_t product = 1;
        for (std::size_t i = 0; i < dimension; ++i) product *= sizes.extent(i);
        return product;
    }
};

/// Rows whose elements are neighbours, at distances known at run time: some columns of a row-major matrix. What
/// layers read and write, since kernels load rows with vector instructions.
struct padded_row_major {
    template <tensor_extents Extents>
    using mapping = detail::stored_mapping<padded_row_major, Extents, false>;

    /// The layouts that are always a case of this one, so that converting from them is implicit.
    template <class Other>
    static constexpr bool includes = std::is_same_v<Other, row_major> || std::is_same_v<Other, padded_row_major>;
};

/// A stride of its own for each dimension, known at run time: columns, every other element, and all the rest.
struct strided {
    template <tensor_extents Extents>
    using mapping = detail::stored_mapping<strided, Extents, true>;

    template <class>
    static constexpr bool includes = true;
};

/// A way to lay out tensors. Requires an empty policy type (it is stored nowhere) with a mapping<Extents>
/// that gives offsets for rank indices (element access), the stride of each dimension (rows, subviews and
/// interop are computed from strides) and whether the elements lie without gaps (what span() needs).
template <class T>
concept layout_policy = std::is_empty_v<T> && requires(const typename T::template mapping<extents<1, 1>>& mapping) {
    { mapping(0, 0) } -> std::same_as<std::size_t>;
    { mapping.stride(std::size_t{0}) } -> std::same_as<std::size_t>;
    { mapping.is_contiguous() } -> std::same_as<bool>;
    { mapping.extents() } -> std::same_as<const extents<1, 1>&>;
};

HENCE_NAMESPACE_END

#endif
