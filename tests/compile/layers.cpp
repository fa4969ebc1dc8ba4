// Which networks compile and which do not.
#include <hence/layers/elementwise.hpp>
#include <hence/layers/embedding.hpp>
#include <hence/layers/evaluator.hpp>
#include <hence/layers/feed_forward.hpp>
#include <hence/layers/layer_list.hpp>
#include <hence/layers/layer_norm.hpp>
#include <hence/layers/residual.hpp>
#include <hence/layers/rms_norm.hpp>
#include <hence/layers/sequential.hpp>
#include <hence/layers/transformer_block.hpp>

namespace {

using namespace hence;
using namespace hence::layers;

static_assert(layer<linear<>> && layer<linear<4, 8>> && layer<linear<4, dynamic_extent>>);
static_assert(layer<relu<>> && layer<layers::tanh<8>> && layer<rms_norm<8>> && layer<layer_norm<>>);
static_assert(layer<feed_forward<8, 32>> && layer<gated_feed_forward<>> && layer<self_attention<8, 2, 1, 4>>);
static_assert(layer<any_layer> && layer<layer_list> && layer<residual<linear<8, 8>>>);
static_assert(!layer<int> && !layer<embedding<>>);

struct without_workspace {
    static constexpr std::size_t in_features = 4;
    static constexpr std::size_t static_output(std::size_t) { return 4; }
    std::size_t output_size(std::size_t) const { return 4; }
    void forward(const worker&, const rows_in<4>&, const rows_out<4>&, scratch) const {}
};
struct not_const : without_workspace {
    std::size_t workspace_bytes(std::size_t, std::size_t) const { return 0; }
    void forward(const worker&, const rows_in<4>&, const rows_out<4>&, scratch) {}
};
struct own_layer : without_workspace {
    std::size_t workspace_bytes(std::size_t, std::size_t) const { return 0; }
};
static_assert(!layer<without_workspace> && !layer<not_const> && layer<own_layer>);

// Static sizes must fit; run-time ones are checked when the network runs; widths pass through relu<>.
static_assert(layer_chain<linear<4, 8>, linear<8, 2>>);
static_assert(layer_chain<linear<4, 8>, relu<>, linear<8, 2>>);
static_assert(layer_chain<linear<4, 8>, linear<>, linear<9, 2>>);
static_assert(layer_chain<relu<>, linear<4, 8>>);
static_assert(!layer_chain<linear<4, 8>, linear<9, 2>>);
static_assert(!layer_chain<linear<4, 8>, relu<>, linear<9, 2>>);
static_assert(!layer_chain<linear<4, 8>, relu<9>>);
static_assert(!layer_chain<linear<4, 8>, int> && !layer_chain<>);

static_assert(sequential<linear<4, 8>, relu<>, linear<8, 2>>::static_output(4) == 2);
static_assert(sequential<linear<4, 8>, linear<>>::static_output(4) == dynamic_extent);
static_assert(layer<sequential<linear<4, 8>, relu<>>>);

template <class L>
concept can_be_residual = requires {
    typename residual<L>;
};
static_assert(can_be_residual<linear<4, 4>> && can_be_residual<linear<>> && can_be_residual<relu<>>);
static_assert(!can_be_residual<linear<4, 5>>);

static_assert(block_parts<rms_norm<8>, self_attention<8, 2, 1, 4>, feed_forward<8, 32>>);
static_assert(block_parts<rms_norm<>, self_attention<>, gated_feed_forward<8>>);
static_assert(!block_parts<rms_norm<8>, self_attention<8, 2, 1, 4>, feed_forward<9, 32>>);
static_assert(!block_parts<rms_norm<8>, self_attention<8, 2, 1, 4>, linear<8, 9>>);

// A layer reads any view that fits its width, and no other.
template <class L, class In, class Out>
concept runs = requires(const L& l, worker w, In in, Out out, scratch s) {
    l.forward(w, in, out, s);
};
using four_to_two = linear<4, 2>;
static_assert(runs<four_to_two, matrix<float, 3, 4>&, matrix<float, 3, 2>&>);
static_assert(
    runs<four_to_two, matrix_view<const float, dynamic_extent, 4, padded_row_major>, matrix_view<float, 3, 2>>);
static_assert(!runs<four_to_two, matrix<float, 3, 5>&, matrix<float, 3, 2>&>);
static_assert(!runs<four_to_two, matrix<float, 3, 4>&, matrix<float, 3, 3>&>);
static_assert(!runs<four_to_two, matrix<float, 3, 4>&, const matrix<float, 3, 2>&>);
static_assert(!runs<four_to_two, matrix_view<float, 3, 4, column_major>, matrix<float, 3, 2>&>);
static_assert(!runs<four_to_two, matrix_view<double, 3, 4>, matrix<float, 3, 2>&>);

// The network outlives its evaluator.
static_assert(std::is_constructible_v<evaluator<four_to_two>, const four_to_two&>);
static_assert(!std::is_constructible_v<evaluator<four_to_two>, four_to_two&&>);

}  // namespace
