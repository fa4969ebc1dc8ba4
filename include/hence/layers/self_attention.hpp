// self_attention: queries, keys and values of one sequence, attended and projected back.
//
// Full or causal, with grouped queries and rotary positions if wanted. Called plainly it sees one sequence whole,
// which is what an encoder needs; called with an attention_cache it continues a sequence. Many sequences with
// shared beginnings are the engine's business (generate/), not this layer's.
#ifndef HENCE_LAYERS_SELF_ATTENTION_HPP
#define HENCE_LAYERS_SELF_ATTENTION_HPP

#include "../kernels/kv_layout.hpp"
#include "layer.hpp"
#include "linear.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace layers {

/// The shape and kind of an attention; sizes that the layer's type fixes need not be given.
struct attention_options {
    std::size_t heads = 0;     ///< query heads; 0: as the type says
    std::size_t kv_heads = 0;  ///< heads of keys and values, a divisor of heads; 0: as the type says, or as heads
    bool causal = true;        ///< a row sees itself and what comes before; false: the whole sequence
    std::size_t window = 0;    ///< causal only: how many positions a row sees, itself included; 0: all
    float scale = 0.0f;        ///< on the scores; 0: 1 / sqrt(head size)
    float rope_base = 0.0f;    ///< of rotary positions, such as 10000; 0: none
    rope_style rope = rope_style::halves;         ///< which elements of a head rotate together
    const kernel_table* kernels = nullptr;        ///< null: kernels::default_table()
    std::pmr::memory_resource* memory = nullptr;  ///< null: std::pmr::get_default_resource()
};

/// Keys and values of one sequence, so that it can be continued. One forward() at a time writes to it.
class attention_cache {
public:
    attention_cache(const kv_layout& layout, std::size_t max_positions, std::pmr::memory_resource* memory = nullptr);

    [[nodiscard]] std::size_t capacity() const noexcept { return pages_.size() * page_tokens; }
    [[nodiscard]] const kv_layout& layout() const noexcept { return layout_; }
    [[nodiscard]] std::span<std::byte* const> pages() const noexcept { return pages_.span(); }

private:
    kv_layout layout_;
    owned_vector<std::byte> block_;
    owned_vector<std::byte*> pages_;
};

namespace detail {

// What attention is once its sizes are known, with the four products as seen by the kernels.
struct attention_core {
    const kernel_table* kernels = nullptr;
    kv_layout layout;
    std::size_t heads = 0;
    bool causal = true;
    std::size_t window = 0;
    float scale = 0.0f;
    rope_style rope = rope_style::halves;
    owned_vector<float> frequencies;  // radians per position, one per rotated pair; empty: no rotation

    [[nodiscard]] std::size_t head_size() const noexcept { return static_cast<std::size_t>(layout.key_size); }
    [[nodiscard]] std::size_t kv_heads() const noexcept { return static_cast<std::size_t>(layout.kv_heads); }
};

attention_core make_attention(const attention_options& options, std::size_t heads, std::size_t kv_heads,
                              std::size_t query_outputs, std::size_t key_outputs);

// The temporaries of attend(), without the projections' own.
std::size_t attend_workspace_bytes(const attention_core& core, std::size_t rows) noexcept;

// The pages of a sequence of `positions` that lives in the scratch for one call.
std::size_t sequence_bytes(const attention_core& core, std::size_t positions) noexcept;
std::span<std::byte* const> make_sequence(const attention_core& core, std::size_t positions, const worker& self,
                                          scratch& temporary);

// Rotates queries and keys, files keys and values at positions [first, first + rows) and attends; `mixed` gets the
// heads' outputs.
void attend(const attention_core& core, const worker& self, std::span<std::byte* const> pages, std::size_t first,
            const matrix_view<float>& query, const matrix_view<float>& key, const matrix_view<float>& value,
            const matrix_view<float>& mixed, scratch temporary);

}  // namespace detail

/// Attention of rows of Width over the sequence that they form.
template <std::size_t Width = dynamic_extent, std::size_t Heads = dynamic_extent, std::size_t KvHeads = Heads,
          std::size_t HeadSize = dynamic_extent>
class self_attention {
    static constexpr std::size_t query_size = detail::times(Heads, HeadSize);
    static constexpr std::size_t key_size = detail::times(KvHeads, HeadSize);

public:
    using query_linear = linear<Width, query_size>;
    using key_linear = linear<Width, key_size>;
    using output_linear = linear<query_size, Width>;

    static constexpr std::size_t in_features = Width;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t) noexcept { return Width; }

    /// @shape query: width -> heads * head size; key, value: width -> kv heads * head size; output: back to width
    /// @errors contract: the sizes do not fit; .value() of kernels::default_table(); what the memory resource throws
    /// @source Vaswani et al., 2017, arXiv 1706.03762, eq. 1; grouped queries: Ainslie et al., 2023, arXiv 2305.13245;
    ///         rope: Su et al., 2021, arXiv 2104.09864, eq. 34
    self_attention(query_linear query, key_linear key, key_linear value, output_linear output,
                   const attention_options& options = {})
        : core_(detail::make_attention(options, Heads, KvHeads, query.outputs(), key.outputs())),
          query_(std::move(query)),
          key_(std::move(key)),
          value_(std::move(value)),
          output_(std::move(output)) {
        HENCE_EXPECT(key_.outputs() == value_.outputs(), "keys and values of equal sizes");
        HENCE_EXPECT(key_.inputs() == query_.inputs() && value_.inputs() == query_.inputs(),
                     "queries, keys and values of the same rows");
        HENCE_EXPECT(output_.inputs() == query_.outputs() && output_.outputs() == query_.inputs(),
                     "an output from all heads back to the width");
    }

    /// A cache for one sequence of at most `max_positions` (rounded up to whole pages).
    /// @shape none
    /// @errors what the memory resource throws
    /// @source none
    [[nodiscard]] attention_cache make_cache(std::size_t max_positions,
                                             std::pmr::memory_resource* memory = nullptr) const {
        return attention_cache(core_.layout, max_positions, memory);
    }

    /// @shape width: that of the rows to read
    /// @errors contract: the layer's own size
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        return output_.output_size(query_.output_size(width));
    }

    /// Enough for both forms of forward().
    /// @shape rows to be given to one forward()
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t /*width*/ = Width) const {
        return detail::sequence_bytes(core_, rows) + 2 * arena_bytes<float>(rows * query_.outputs()) +
               2 * arena_bytes<float>(rows * key_.outputs()) +
               std::max({query_.workspace_bytes(rows), key_.workspace_bytes(rows), value_.workspace_bytes(rows),
                         output_.workspace_bytes(rows), detail::attend_workspace_bytes(core_, rows)});
    }

    /// Takes the rows as one whole sequence.
    /// @shape in[rows, width], out[rows, width]
    /// @errors contract: sizes differ, or the scratch is too small
    /// @threads all workers of a team call it together
    /// @source as the constructor
    void forward(const worker& self, const rows_in<Width>& in, const rows_out<Width>& out, scratch temporary) const {
        const auto pages = detail::make_sequence(core_, in.extent(0), self, temporary);
        compute(self, in, out, pages, 0, temporary);
    }

    /// Takes the rows as positions [first, first + rows) of the cache's sequence; earlier ones have been there
    /// before. A causal row's result is the same as in one call with the whole sequence.
    /// @shape in[rows, width], out[rows, width]
    /// @errors contract: past the cache's capacity; the cache is another layer's; as the other forward()
    /// @threads all workers of a team call it together
    /// @source as the constructor
    void forward(const worker& self, const rows_in<Width>& in, const rows_out<Width>& out, attention_cache& cache,
                 std::size_t first, scratch temporary) const {
        HENCE_EXPECT(cache.layout() == core_.layout, "a cache made by this layer");
        HENCE_EXPECT(first <= cache.capacity() && in.extent(0) <= cache.capacity() - first,
                     "positions within the cache");
        compute(self, in, out, cache.pages(), first, temporary);
    }

private:
    void compute(const worker& self, const rows_in<Width>& in, const rows_out<Width>& out,
                 std::span<std::byte* const> pages, std::size_t first, scratch temporary) const {
        const std::size_t rows = in.extent(0);
        const auto query = temporary.take<float>(extents<dynamic_extent, query_size>(rows, query_.outputs()));
        const auto mixed = temporary.take<float>(extents<dynamic_extent, query_size>(rows, query_.outputs()));
        const auto key = temporary.take<float>(extents<dynamic_extent, key_size>(rows, key_.outputs()));
        const auto value = temporary.take<float>(extents<dynamic_extent, key_size>(rows, key_.outputs()));
        query_.forward(self, in, query, temporary);
        key_.forward(self, in, key, temporary);
        value_.forward(self, in, value, temporary);
        detail::attend(core_, self, pages, first, query, key, value, mixed, temporary);
        output_.forward(self, mixed, out, temporary);
    }

    detail::attention_core core_;
    query_linear query_;
    key_linear key_;
    key_linear value_;
    output_linear output_;
};

}  // namespace layers

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/self_attention.inl.hpp"
#endif

#endif
