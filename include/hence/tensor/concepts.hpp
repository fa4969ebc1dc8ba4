// Concepts of the tensor room: what templates over tensors ask of their arguments, and why.
//
// Positive and negative examples are the static_asserts of tests/compile/tensor_concepts.cpp.
#ifndef HENCE_TENSOR_CONCEPTS_HPP
#define HENCE_TENSOR_CONCEPTS_HPP

#include "tensor_view.hpp"

HENCE_NAMESPACE_BEGIN

/// What a tensor can hold. Requires a trivially copyable, trivially destructible object type (arenas and
/// tensors neither construct nor destroy elements one by one) without cv-qualifiers (a view's T carries them).
template <class T>
concept tensor_element = std::is_object_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T> &&
                         std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>;

namespace detail {

template <class T>
inline constexpr bool is_tensor_view = false;
template <class T, class Extents, class Layout>
inline constexpr bool is_tensor_view<tensor_view<T, Extents, Layout>> = true;

}  // namespace detail

/// Models tensor_view<...>. Requires exactly that template, because callers read its static sizes.
template <class T>
concept any_tensor_view = detail::is_tensor_view<std::remove_cvref_t<T>>;

/// A view that layers read or write as rows of values. Requires rank 2 (rows, features) and a layout in which the
/// features of a row are neighbours, since kernels load them with vector instructions: row_major or
/// padded_row_major. transposed() makes a column_major view row_major; a strided one is converted explicitly.
template <class T>
concept row_view = any_tensor_view<T> && std::remove_cvref_t<T>::rank()
== 2 && (std::same_as<typename std::remove_cvref_t<T>::layout_type, row_major> ||
         std::same_as<typename std::remove_cvref_t<T>::layout_type, padded_row_major>);

/// A row_view whose rows can hold `Features` values of type Value (const or not). Requires that the static
/// sizes, where both are known, are equal: a wrong network does not compile.
template <class T, class Value, std::size_t Features>
concept row_view_of = row_view<T> &&
    std::same_as<typename std::remove_cvref_t<T>::value_type, std::remove_const_t<Value>> &&
    (std::is_const_v<Value> || !std::is_const_v<typename std::remove_cvref_t<T>::element_type>)&&detail::compatible(
        std::remove_cvref_t<T>::static_extent(1), Features);

HENCE_NAMESPACE_END

#endif
