// tensor_view: a pointer, sizes and a layout: how every layer and kernel of the library is handed data.
//
// It owns nothing. A view is valid as long as the memory that it points to; copying one copies the pointer.
// Constness of the elements is that of T, as with std::span. Element access checks nothing; at() does.
#ifndef HENCE_TENSOR_TENSOR_VIEW_HPP
#define HENCE_TENSOR_TENSOR_VIEW_HPP

#include "extents.hpp"
#include "layout.hpp"

#include <span>

HENCE_NAMESPACE_BEGIN

template <class T, tensor_extents Extents, layout_policy Layout = row_major>
class tensor_view;

struct all_indices {};
/// In subview(): the whole of a dimension; its size stays as static as it was.
inline constexpr all_indices all{};

/// In subview(): `count` indices from `begin`.
struct slice {
    std::size_t begin = 0;
    std::size_t count = 0;
};

/// In subview(): Count indices from `begin`, so that the view's size is known at compile time.
template <std::size_t Count>
struct fixed_slice {
    std::size_t begin = 0;
};

namespace detail {

enum class slice_kind { index, part, fixed_part, whole };

template <class T>
inline constexpr slice_kind kind_of_slice = slice_kind::index;
template <>
inline constexpr slice_kind kind_of_slice<slice> = slice_kind::part;
template <std::size_t Count>
inline constexpr slice_kind kind_of_slice<fixed_slice<Count>> = slice_kind::fixed_part;
template <>
inline constexpr slice_kind kind_of_slice<all_indices> = slice_kind::whole;

template <class T>
concept slicer = std::integral<T> || kind_of_slice<T>
!= slice_kind::index;

template <class T>
inline constexpr std::size_t fixed_count = dynamic_extent;
template <std::size_t Count>
inline constexpr std::size_t fixed_count<fixed_slice<Count>> = Count;

// What subview(Slices...) makes of a shape: which dimensions stay, with which static sizes and which layout.
template <class Extents, class Layout, class... Slices>
struct subview_shape {
    static constexpr slice_kind kinds[sizeof...(Slices)] = {kind_of_slice<Slices>...};
    static constexpr std::size_t fixed[sizeof...(Slices)] = {fixed_count<Slices>...};
    static constexpr std::size_t rank = (std::size_t{0} + ... + (kind_of_slice<Slices> != slice_kind::index));

    // The source dimension of the n-th dimension that stays.
    static constexpr std::size_t source(std::size_t n) noexcept {
        for (std::size_t i = 0; i < Extents::rank(); ++i) {
            if (kinds[i] != slice_kind::index && n-- == 0) return i;
        }
        return Extents::rank();
    }
    static constexpr std::size_t static_size(std::size_t n) noexcept {
        const std::size_t i = source(n);
        return kinds[i] == slice_kind::whole ? Extents::static_extent(i) : fixed[i];
    }
    // A dense layout stays dense where only its slowest kept dimension is cut.
    static constexpr bool stays_dense() noexcept {
        if (!Layout::template mapping<Extents>::always_contiguous) return false;
        const bool first_is_slowest = std::is_same_v<Layout, row_major>;
        for (std::size_t n = 0; n < rank; ++n) {
            const bool slowest = n == (first_is_slowest ? 0 : rank - 1);
            if (!slowest && kinds[source(n)] != slice_kind::whole) return false;
        }
        // An index among the faster dimensions leaves gaps.
        for (std::size_t i = 0; i < Extents::rank(); ++i) {
            const bool faster = first_is_slowest ? i > source(0) : i < source(rank - 1);
            if (faster && kinds[i] == slice_kind::index) return false;
        }
        return true;
    }

    template <std::size_t... N>
    static auto deduce(std::index_sequence<N...>) -> extents<static_size(N)...>;
    using extents_type = decltype(deduce(std::make_index_sequence<rank>{}));
    // Rows of neighbours stay so where their own dimension is kept, and a single one has no padding.
    static constexpr bool keeps_rows =
        (std::is_same_v<Layout, row_major> || std::is_same_v<Layout, padded_row_major>)&&kinds[sizeof...(Slices) - 1] !=
        slice_kind::index;
    using rows_layout = std::conditional_t<rank == 1, row_major, padded_row_major>;
    using layout_type = std::conditional_t<stays_dense(), Layout, std::conditional_t<keeps_rows, rows_layout, strided>>;
};

template <class Extents, class Indices>
struct reversed_extents;
template <class Extents, std::size_t... I>
struct reversed_extents<Extents, std::index_sequence<I...>> {
    using type = extents<Extents::static_extent(Extents::rank() - 1 - I)...>;
};

template <class Layout>
struct reversed_layout {
    using type = strided;
};
template <>
struct reversed_layout<row_major> {
    using type = column_major;
};
template <>
struct reversed_layout<column_major> {
    using type = row_major;
};

}  // namespace detail

/// A view of elements of T with the sizes Extents in the layout Layout.
template <class T, tensor_extents Extents, layout_policy Layout>
class tensor_view {
public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using extents_type = Extents;
    using layout_type = Layout;
    using mapping_type = typename Layout::template mapping<Extents>;

    /// No memory; dynamic sizes are 0.
    constexpr tensor_view() noexcept requires(Extents::rank_dynamic() > 0) = default;

    constexpr tensor_view(T* data, const mapping_type& mapping) noexcept : data_(data), mapping_(mapping) {}
    constexpr tensor_view(T* data,
                          const Extents& sizes) noexcept requires std::is_constructible_v<mapping_type, const Extents&>
        : data_(data), mapping_(sizes) {}

    /// From memory and every size, or only the dynamic ones (none for a fully static shape).
    /// @shape rank() or rank_dynamic() integers
    /// @errors contract: a size differs from the static one
    /// @source none
    template <std::integral... Sizes>
        requires(std::is_constructible_v<mapping_type, const Extents&> && (std::is_constructible_v<Extents, Sizes...>))
    constexpr explicit tensor_view(T* data, Sizes... sizes) : data_(data), mapping_(Extents(sizes...)) {}

    /// From a span that holds exactly these elements.
    /// @shape elements.size() == sizes.size()
    /// @errors contract: the counts differ
    /// @source none
    constexpr tensor_view(std::span<T> elements, const Extents& sizes) requires(mapping_type::always_contiguous)
        : data_(elements.data()), mapping_(sizes) {
        HENCE_EXPECT(elements.size() == sizes.size(), "a span with as many elements as the extents say");
    }

    /// A vector from a span.
    /// @shape elements.size() values
    /// @errors contract: the count differs from a static one
    /// @source none
    constexpr explicit(Extents::rank_dynamic() == 0)
        tensor_view(std::span<T> elements) requires(mapping_type::always_contiguous&& Extents::rank() == 1)
        : data_(elements.data()), mapping_(Extents(elements.size())) {}

    /// From a view whose sizes, layout or constness are known more precisely: implicit. From one where they
    /// are known less precisely: explicit, and checked.
    /// @shape the same rank
    /// @errors contract: a size differs from the static one, or the memory has gaps
    /// @source none
    template <class U, class OtherExtents, class OtherLayout>
        requires(!std::is_same_v<tensor_view<U, OtherExtents, OtherLayout>, tensor_view> &&
                 std::is_convertible_v<U (*)[], T (*)[]> &&
                 std::is_constructible_v<mapping_type, const typename OtherLayout::template mapping<OtherExtents>&>)
    constexpr explicit(
        !std::is_convertible_v<const typename OtherLayout::template mapping<OtherExtents>&, mapping_type>)
        tensor_view(const tensor_view<U, OtherExtents, OtherLayout>& other)
        : data_(other.data()), mapping_(other.mapping()) {}

    [[nodiscard]] static constexpr std::size_t rank() noexcept { return Extents::rank(); }
    [[nodiscard]] static constexpr std::size_t static_extent(std::size_t dimension) noexcept {
        return Extents::static_extent(dimension);
    }
    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr const mapping_type& mapping() const noexcept { return mapping_; }
    [[nodiscard]] constexpr const Extents& extents() const noexcept { return mapping_.extents(); }
    [[nodiscard]] constexpr std::size_t extent(std::size_t dimension) const noexcept {
        return mapping_.extents().extent(dimension);
    }
    [[nodiscard]] constexpr std::size_t stride(std::size_t dimension) const noexcept {
        return mapping_.stride(dimension);
    }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return mapping_.extents().size(); }
    [[nodiscard]] constexpr bool empty() const noexcept { return size() == 0; }

    /// The elements in memory order.
    /// @shape size() elements
    /// @errors contract: the view has gaps (row_major and column_major never have)
    /// @source none
    [[nodiscard]] constexpr std::span<T> span() const {
        if constexpr (!mapping_type::always_contiguous) HENCE_EXPECT(mapping_.is_contiguous(), "a view without gaps");
        return {data_, size()};
    }

    /// One element, unchecked.
    /// @shape rank() indices; another count does not compile
    /// @errors none; each index is below its extent
    /// @source none
    template <std::integral... Index>
        requires(sizeof...(Index) == Extents::rank())
    [[nodiscard]] constexpr T& operator()(Index... index) const noexcept { return data_[mapping_(index...)]; }

    /// One element of a vector, unchecked.
    /// @shape rank 1
    /// @errors none; index < extent(0)
    /// @source none
    [[nodiscard]] constexpr T& operator[](std::size_t index) const noexcept requires(Extents::rank() == 1) {
        return data_[mapping_(index)];
    }

    /// One element, checked.
    /// @shape rank() indices
    /// @errors contract: an index is not below its extent
    /// @source none
    template <std::integral... Index>
        requires(sizeof...(Index) == Extents::rank())
    [[nodiscard]] constexpr T& at(Index... index) const {
        std::size_t dimension = 0;
        (check_index(detail::to_size(index), dimension++), ...);
        return (*this)(index...);
    }

    /// A part of the view: for each dimension an index (the dimension goes), a slice, a fixed_slice or `all`.
    /// Sizes that are known at compile time stay so, and a part without gaps keeps its layout.
    /// @shape one slicer for each dimension, at least one of them not an index
    /// @errors contract: an index or slice reaches past the extent
    /// @source interface of std::submdspan
    template <detail::slicer... Slices>
        requires(sizeof...(Slices) == Extents::rank() && (... || !std::integral<Slices>))
    [[nodiscard]] constexpr auto subview(Slices... slices) const {
        using shape = detail::subview_shape<Extents, Layout, Slices...>;
        std::size_t begins[Extents::rank()] = {};
        std::size_t counts[Extents::rank()] = {};
        std::size_t dimension = 0;
        ((resolve(slices, dimension, begins[dimension], counts[dimension]), ++dimension), ...);
        std::size_t offset = 0;
        for (std::size_t i = 0; i < Extents::rank(); ++i) offset += begins[i] * stride(i);
        return make_part<shape>(offset, counts, std::make_index_sequence<shape::rank>{});
    }

    /// Everything at one index of the first dimension: a row of a matrix.
    /// @shape rank() - 1 dimensions remain
    /// @errors contract: index < extent(0)
    /// @source none
    [[nodiscard]] constexpr auto row(std::size_t index) const requires(Extents::rank() > 1) {
        return leading(index, std::make_index_sequence<Extents::rank() - 1>{});
    }

    /// `count` consecutive indices of the first dimension.
    /// @shape [count, the other dimensions]
    /// @errors contract: begin + count <= extent(0)
    /// @source none
    [[nodiscard]] constexpr auto rows(std::size_t begin, std::size_t count) const requires(Extents::rank() > 0) {
        return leading(slice{begin, count}, std::make_index_sequence<Extents::rank() - 1>{});
    }

private:
    constexpr void check_index(std::size_t index, std::size_t dimension) const {
        HENCE_EXPECT(index < extent(dimension), "an index below the extent of its dimension");
    }

    template <class Slice>
    constexpr void resolve(const Slice& given, std::size_t dimension, std::size_t& begin, std::size_t& count) const {
        const std::size_t size = extent(dimension);
        if constexpr (detail::kind_of_slice<Slice> == detail::slice_kind::whole) {
            count = size;
        } else if constexpr (detail::kind_of_slice<Slice> == detail::slice_kind::index) {
            begin = detail::to_size(given);
            check_index(begin, dimension);
        } else {
            begin = given.begin;
            if constexpr (detail::kind_of_slice<Slice> == detail::slice_kind::part) {
                count = given.count;
            } else {
                count = detail::fixed_count<Slice>;
            }
            HENCE_EXPECT(begin <= size && count <= size - begin, "a slice within the extent of its dimension");
        }
    }

    template <class Shape, std::size_t... N>
    constexpr auto make_part(std::size_t offset, const std::size_t (&counts)[Extents::rank()],
                             std::index_sequence<N...>) const {
        using part_extents = typename Shape::extents_type;
        using part_layout = typename Shape::layout_type;
        using part = tensor_view<T, part_extents, part_layout>;
        const part_extents sizes(counts[Shape::source(N)]...);
        if constexpr (!part::mapping_type::always_contiguous) {
            const std::size_t strides[] = {stride(Shape::source(N))...};
            return part(data_ + offset, typename part::mapping_type(sizes, strides));
        } else {
            return part(data_ + offset, sizes);
        }
    }

    template <class First, std::size_t... I>
    constexpr auto leading(First first, std::index_sequence<I...>) const {
        return subview(first, (static_cast<void>(I), all)...);
    }

    T* data_ = nullptr;
    [[no_unique_address]] mapping_type mapping_;
};

template <class T, std::size_t... Sizes>
tensor_view(T*, extents<Sizes...>) -> tensor_view<T, extents<Sizes...>>;
template <class T, std::integral... Sizes>
    requires(sizeof...(Sizes) > 0)
tensor_view(T*, Sizes...)
->tensor_view<T, dextents<sizeof...(Sizes)>>;
template <class T>
tensor_view(std::span<T>) -> tensor_view<T, dextents<1>>;
template <class T, std::size_t... Sizes>
tensor_view(std::span<T>, extents<Sizes...>) -> tensor_view<T, extents<Sizes...>>;

/// A view of a vector.
template <class T, std::size_t Size = dynamic_extent, layout_policy Layout = row_major>
using vector_view = tensor_view<T, extents<Size>, Layout>;

/// A view of a matrix.
template <class T, std::size_t Rows = dynamic_extent, std::size_t Columns = dynamic_extent,
          layout_policy Layout = row_major>
using matrix_view = tensor_view<T, extents<Rows, Columns>, Layout>;

/// The same memory with the order of the dimensions reversed: a column-major matrix read as row-major.
/// @shape [a, b, c] -> [c, b, a]
/// @errors none
/// @source none
template <class T, class Extents, class Layout>
[[nodiscard]] constexpr auto transposed(const tensor_view<T, Extents, Layout>& view) {
    using indices = std::make_index_sequence<Extents::rank()>;
    using reversed = typename detail::reversed_extents<Extents, indices>::type;
    using layout = typename detail::reversed_layout<Layout>::type;
    using result_view = tensor_view<T, reversed, layout>;
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        const reversed sizes(view.extent(Extents::rank() - 1 - I)...);
        if constexpr (!result_view::mapping_type::always_contiguous) {
            const std::size_t strides[] = {view.stride(Extents::rank() - 1 - I)...};
            return result_view(view.data(), typename result_view::mapping_type(sizes, strides));
        } else {
            return result_view(view.data(), sizes);
        }
    }
    (indices{});
}

/// A vector as a matrix of one row: one sample as a batch of one.
/// @shape [n] -> [1, n]
/// @errors none
/// @source none
template <class T, std::size_t Size, class Layout>
[[nodiscard]] constexpr auto as_row(const tensor_view<T, extents<Size>, Layout>& vector) {
    static_assert(!std::is_same_v<Layout, strided>, "elements with gaps cannot be a row");
    return tensor_view<T, extents<1, Size>>(vector.data(), extents<1, Size>(1, vector.extent(0)));
}

/// Copies every element; the memory of the two must not overlap.
/// @shape from and to have equal sizes; layouts may differ
/// @errors contract: a size differs
/// @source none
template <class T, class FromExtents, class FromLayout, class U, class ToExtents, class ToLayout>
    requires(FromExtents::rank() == ToExtents::rank() && !std::is_const_v<U>)
constexpr void copy_elements(const tensor_view<T, FromExtents, FromLayout>& from,
                             const tensor_view<U, ToExtents, ToLayout>& to) {
    HENCE_EXPECT(from.extents() == to.extents(), "a source and a target of equal sizes");
    if constexpr (FromExtents::rank() > 1) {
        for (std::size_t i = 0; i < from.extent(0); ++i) copy_elements(from.row(i), to.row(i));
    } else {
        for (std::size_t i = 0; i < from.extent(0); ++i) to[i] = static_cast<U>(from[i]);
    }
}

HENCE_NAMESPACE_END

#endif
