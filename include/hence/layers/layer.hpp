// layer: what every part of a reader's own network offers, so that parts compose.
//
// A layer maps rows of numbers to rows of numbers, is const once made, takes its temporaries from the caller and
// allocates nothing. All workers of a team call forward() with the same arguments and split the work inside; when
// it returns, the whole output is there for all of them. A row's result depends on nothing but that row (attention:
// and on the rows of its sequence), whatever the number of rows and workers.
#ifndef HENCE_LAYERS_LAYER_HPP
#define HENCE_LAYERS_LAYER_HPP

#include "../kernels/dispatch.hpp"
#include "../sys/thread_team.hpp"
#include "../tensor/arena.hpp"
#include "../tensor/concepts.hpp"

#include <concepts>
#include <cstddef>
#include <memory_resource>
#include <type_traits>

HENCE_NAMESPACE_BEGIN

namespace layers {

/// Rows that a layer reads: each view that has them converts, one whose static size contradicts does not compile.
template <std::size_t Features = dynamic_extent>
using rows_in = matrix_view<const float, dynamic_extent, Features, padded_row_major>;

/// Rows that a layer writes; they overlap no input except where a layer says so.
template <std::size_t Features = dynamic_extent>
using rows_out = matrix_view<float, dynamic_extent, Features, padded_row_major>;

/// What every layer can be told when it is made.
struct layer_options {
    const kernel_table* kernels = nullptr;        ///< null: kernels::default_table()
    std::pmr::memory_resource* memory = nullptr;  ///< of weights; null: std::pmr::get_default_resource()
};

/// A layer. Requires
/// - in_features: the width of its input rows where the type knows it, else dynamic_extent, so that a network of
///   static sizes is checked when it is compiled;
/// - static_output(width): the width of the output as far as the type knows it (dynamic_extent if not), usable in
///   a constant expression, so that the next layer can be checked in turn;
/// - output_size(width): the same at run time; a contract violation if the layer cannot read rows of this width;
/// - workspace_bytes(rows, width): the arena memory that forward() takes, so that it is reserved beforehand;
/// - forward(worker, in, out, scratch) const: the computation itself.
template <class L>
concept layer = requires(const L& self, const worker& who, rows_in<L::in_features> in,
                         rows_out<L::static_output(L::in_features)> out, scratch temporary, std::size_t n) {
    typename std::integral_constant<std::size_t, L::in_features>;
    { self.output_size(n) } -> std::same_as<std::size_t>;
    { self.workspace_bytes(n, n) } -> std::same_as<std::size_t>;
    { self.forward(who, in, out, temporary) } -> std::same_as<void>;
};

namespace detail {

// What a layer of static or run-time width does with a width that it is offered.
template <std::size_t Static>
constexpr std::size_t known(std::size_t offered) noexcept {
    return Static != dynamic_extent ? Static : offered;
}

// The product of two sizes, unknown if either is.
constexpr std::size_t times(std::size_t a, std::size_t b) noexcept {
    return a == dynamic_extent || b == dynamic_extent ? dynamic_extent : a * b;
}

inline const kernel_table* table_or_default(const kernel_table* given) {
    return given != nullptr ? given : kernels::default_table().value();
}

inline void check_shapes(const rows_in<>& in, const rows_out<>& out, std::size_t inputs, std::size_t outputs) {
    HENCE_EXPECT(in.extent(1) == inputs, "input rows of the layer's input size");
    HENCE_EXPECT(out.extent(1) == outputs, "output rows of the layer's output size");
    HENCE_EXPECT(in.extent(0) == out.extent(0), "as many output rows as input rows");
}

}  // namespace detail

}  // namespace layers

HENCE_NAMESPACE_END

#endif
