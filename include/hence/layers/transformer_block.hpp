// transformer_block: attention and a feed-forward network, each with a norm and a residual connection.
//
// The parts are types, so any layer of the right width takes a part: feed_forward or gated_feed_forward, rms_norm or
// layer_norm, or one of a reader's own.
#ifndef HENCE_LAYERS_TRANSFORMER_BLOCK_HPP
#define HENCE_LAYERS_TRANSFORMER_BLOCK_HPP

#include "layer.hpp"
#include "residual.hpp"
#include "self_attention.hpp"
#include "sequential.hpp"

#include <algorithm>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace layers {

/// Where a block's norms stand.
enum class norm_place : std::uint8_t {
    before,  ///< x + f(norm(x)): what most models since GPT-2 do
    after,   ///< norm(x + f(x)): the original transformer, BERT
};

/// Layers that can be the parts of one block. Requires each to be a layer that keeps the width, and all static
/// widths to be the same, because they share one residual stream.
template <class... Part>
concept block_parts = (... && layer<Part>)&&layer_chain<Part...> &&
                      (... && hence::detail::compatible(Part::in_features, Part::static_output(Part::in_features)));

/// One block of a transformer.
template <class Norm, class Attention, class FeedForward>
    requires block_parts<Norm, Attention, FeedForward>
class transformer_block {
public:
    static constexpr std::size_t in_features = Attention::in_features;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t width) noexcept {
        return detail::known<in_features>(width);
    }

    /// @shape all parts of one width
    /// @errors contract: .value() of kernels::default_table()
    /// @source Vaswani et al., 2017, arXiv 1706.03762, section 3.1; norm before: Xiong et al., 2020, arXiv 2002.04745
    transformer_block(Norm attention_norm, Attention attention, Norm feed_forward_norm, FeedForward feed_forward,
                      norm_place place = norm_place::before, const layer_options& options = {})
        : kernels_(detail::table_or_default(options.kernels)),
          attention_norm_(std::move(attention_norm)),
          attention_(std::move(attention)),
          feed_forward_norm_(std::move(feed_forward_norm)),
          feed_forward_(std::move(feed_forward)),
          place_(place) {}

    /// The attention, whose make_cache() a sequence is continued with.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] const Attention& attention() const noexcept { return attention_; }

    /// @shape width: that of the rows to read
    /// @errors contract: a part does not keep the width
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        HENCE_EXPECT(attention_norm_.output_size(width) == width && attention_.output_size(width) == width &&
                         feed_forward_norm_.output_size(width) == width && feed_forward_.output_size(width) == width,
                     "parts that keep the width");
        return width;
    }

    /// @shape rows of `width` values
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t width = in_features) const {
        return 2 * arena_bytes<float>(rows * width) +
               std::max({attention_norm_.workspace_bytes(rows, width), attention_.workspace_bytes(rows, width),
                         feed_forward_norm_.workspace_bytes(rows, width), feed_forward_.workspace_bytes(rows, width)});
    }

    /// @shape in[rows, width], out[rows, width]
    /// @errors as the parts
    /// @threads all workers of a team call it together
    /// @source as the constructor
    void forward(const worker& self, const rows_in<in_features>& in, const rows_out<in_features>& out,
                 scratch temporary) const {
        compute(self, in, out, temporary,
                [&](const auto& from, const auto& to, scratch rest) { attention_.forward(self, from, to, rest); });
    }

    /// Continues the sequence of a cache; see self_attention::forward.
    /// @shape in[rows, width], out[rows, width]
    /// @errors as the parts
    /// @threads all workers of a team call it together
    /// @source as the constructor
    template <class Cache>
        requires requires(const Attention& a, const worker& w, rows_in<in_features> from, rows_out<in_features> to,
                          Cache& c, scratch t) {
            a.forward(w, from, to, c, std::size_t{0}, t);
        }
    void forward(const worker& self, const rows_in<in_features>& in, const rows_out<in_features>& out, Cache& cache,
                 std::size_t first, scratch temporary) const {
        compute(self, in, out, temporary, [&](const auto& from, const auto& to, scratch rest) {
            attention_.forward(self, from, to, cache, first, rest);
        });
    }

private:
    template <class Attend>
    void compute(const worker& self, const rows_in<in_features>& in, const rows_out<in_features>& out,
                 scratch temporary, Attend attend) const {
        using rows = extents<dynamic_extent, in_features>;
        const rows sizes(in.extent(0), in.extent(1));
        static_cast<void>(output_size(in.extent(1)));
        const auto stream = temporary.take<float>(sizes);
        const auto inner = temporary.take<float>(sizes);
        const rows_in<in_features> middle = stream;
        if (place_ == norm_place::before) {
            attention_norm_.forward(self, in, inner, temporary);
            attend(rows_in<in_features>(inner), rows_out<in_features>(stream), temporary);
            detail::add_rows(*kernels_, self, in, stream);
            self.wait();
            feed_forward_norm_.forward(self, middle, inner, temporary);
            feed_forward_.forward(self, inner, out, temporary);
            detail::add_rows(*kernels_, self, middle, out);
            self.wait();
        } else {
            attend(in, rows_out<in_features>(inner), temporary);
            detail::add_rows(*kernels_, self, in, inner);
            self.wait();
            attention_norm_.forward(self, inner, stream, temporary);
            feed_forward_.forward(self, middle, inner, temporary);
            detail::add_rows(*kernels_, self, middle, inner);
            self.wait();
            feed_forward_norm_.forward(self, inner, out, temporary);
        }
    }

    const kernel_table* kernels_;
    Norm attention_norm_;
    Attention attention_;
    Norm feed_forward_norm_;
    FeedForward feed_forward_;
    norm_place place_;
};

}  // namespace layers

HENCE_NAMESPACE_END

#endif
