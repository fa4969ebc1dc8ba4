// Layouts: how the indices of a tensor become an offset in memory.
//
// A layout is an empty policy with a nested mapping<Extents>, as in std::mdspan. row_major is what the
// library itself makes and its kernels read; column_major is Eigen's default; strided is any part of either.
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

/// A stride of its own for each dimension, known at run time: rows with padding, columns, every other one.
struct strided {
    template <tensor_extents Extents>
        requires(Extents::rank() > 0)
    class mapping {
    public:
        using extents_type = Extents;
        using layout_type = strided;
        static constexpr bool always_contiguous = false;

        constexpr mapping() noexcept = default;

        /// @shape one stride for each dimension
        /// @units elements
        /// @errors none
        /// @source none
        constexpr mapping(const Extents& sizes, const std::size_t (&strides)[Extents::rank()]) noexcept
            : extents_(sizes) {
            for (std::size_t i = 0; i < Extents::rank(); ++i) strides_[i] = strides[i];
        }

        /// From any layout; explicit where a size must be checked.
        /// @shape rank sizes
        /// @errors contract: a size differs from a static one
        /// @source none
        template <class Other>
            requires(!std::is_same_v<Other, mapping> &&
                     std::is_constructible_v<Extents, const typename Other::extents_type&>)
        constexpr explicit(!std::is_convertible_v<const typename Other::extents_type&, Extents>)
            mapping(const Other& other)
            : extents_(other.extents()) {
            for (std::size_t i = 0; i < Extents::rank(); ++i) strides_[i] = other.stride(i);
        }

        [[nodiscard]] constexpr const Extents& extents() const noexcept { return extents_; }

        /// The offset of one element.
        /// @shape rank indices
        /// @units elements
        /// @errors none; each index is below its extent
        /// @source none
        template <std::integral... Index>
            requires(sizeof...(Index) == Extents::rank())
        [[nodiscard]] constexpr std::size_t operator()(Index... index) const noexcept {
            std::size_t sum = 0;
            std::size_t dimension = 0;
            ((sum += static_cast<std::size_t>(index) * strides_[dimension++]), ...);
            return sum;
        }

        /// The distance between neighbours along one dimension.
        /// @shape none
        /// @units elements
        /// @errors none; dimension < rank
        /// @source none
        [[nodiscard]] constexpr std::size_t stride(std::size_t dimension) const noexcept {
            return strides_[dimension];
        }

        /// Whether the elements lie without gaps in row-major order.
        /// @shape none
        /// @errors none
        /// @source none
        [[nodiscard]] constexpr bool is_contiguous() const noexcept {
            std::size_t expected = 1;
            for (std::size_t i = Extents::rank(); i-- > 0;) {
                if (strides_[i] != expected && extents_.extent(i) > 1) return false;
                expected *= extents_.extent(i);
            }
            return true;
        }

    private:
        [[no_unique_address]] Extents extents_;
        std::size_t strides_[Extents::rank()] = {};
    };
};

/// A way to lay out tensors. Requires an empty policy type (it is stored nowhere) with a mapping<Extents>
/// that gives offsets for rank indices (element access), the stride of each dimension (rows, subviews and
/// interop are computed from strides) and whether the elements lie without gaps (what span() needs).
template <class T>
concept layout_policy =
    std::is_empty_v<T> && requires(const typename T::template mapping<extents<1, 1>>& mapping) {
        { mapping(0, 0) } -> std::same_as<std::size_t>;
        { mapping.stride(std::size_t{0}) } -> std::same_as<std::size_t>;
        { mapping.is_contiguous() } -> std::same_as<bool>;
        { mapping.extents() } -> std::same_as<const extents<1, 1>&>;
    };

HENCE_NAMESPACE_END

#endif
