// std::mdspan and tensor_view, where the standard library has <mdspan> (C++23). Nothing is copied; sizes that
// are known at compile time stay so. Elsewhere this header is empty.
#ifndef HENCE_INTEROP_MDSPAN_HPP
#define HENCE_INTEROP_MDSPAN_HPP

#include "../tensor/tensor_view.hpp"

#if defined(__cpp_lib_mdspan)

#include <array>
#include <mdspan>

HENCE_NAMESPACE_BEGIN

namespace detail {

template <class Layout>
struct std_layout;
template <>
struct std_layout<row_major> {
    using type = std::layout_right;
};
template <>
struct std_layout<column_major> {
    using type = std::layout_left;
};
template <>
struct std_layout<padded_row_major> {
    using type = std::layout_stride;
};
template <>
struct std_layout<strided> {
    using type = std::layout_stride;
};

template <class Layout>
struct own_layout;
template <>
struct own_layout<std::layout_right> {
    using type = row_major;
};
template <>
struct own_layout<std::layout_left> {
    using type = column_major;
};
template <>
struct own_layout<std::layout_stride> {
    using type = strided;
};

}  // namespace detail

/// Shows a view as an mdspan of the same memory; padded rows become std::layout_stride.
/// @shape the same
/// @errors none
/// @source none
template <class T, std::size_t... Sizes, class Layout>
[[nodiscard]] auto as_mdspan(const tensor_view<T, extents<Sizes...>, Layout>& view) {
    using sizes = std::extents<std::size_t, Sizes...>;
    using layout = typename detail::std_layout<Layout>::type;
    using span = std::mdspan<T, sizes, layout>;
    std::array<std::size_t, sizeof...(Sizes)> counts{};
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = view.extent(i);
    if constexpr (!Layout::template mapping<extents<Sizes...>>::always_contiguous) {
        std::array<std::size_t, sizeof...(Sizes)> strides{};
        for (std::size_t i = 0; i < strides.size(); ++i) strides[i] = view.stride(i);
        return span(view.data(), typename span::mapping_type(sizes(counts), strides));
    } else {
        return span(view.data(), typename span::mapping_type(sizes(counts)));
    }
}

/// Shows an mdspan with a standard layout and the default accessor as a tensor_view.
/// @shape the same
/// @errors contract: a negative size
/// @source none
template <class T, class Index, std::size_t... Sizes, class Layout>
[[nodiscard]] auto as_view(const std::mdspan<T, std::extents<Index, Sizes...>, Layout>& span) {
    using layout = typename detail::own_layout<Layout>::type;
    using view = tensor_view<T, extents<Sizes...>, layout>;
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        const extents<Sizes...> sizes(span.extent(I)...);
        if constexpr (std::is_same_v<layout, strided>) {
            const std::size_t strides[] = {static_cast<std::size_t>(span.stride(I))...};
            return view(span.data_handle(), typename view::mapping_type(sizes, strides));
        } else {
            return view(span.data_handle(), sizes);
        }
    }
    (std::make_index_sequence<sizeof...(Sizes)>{});
}

HENCE_NAMESPACE_END

#endif

#endif
