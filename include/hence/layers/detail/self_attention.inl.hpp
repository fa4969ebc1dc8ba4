// Definitions of layers/self_attention.hpp.
#ifndef HENCE_LAYERS_DETAIL_SELF_ATTENTION_INL_HPP
#define HENCE_LAYERS_DETAIL_SELF_ATTENTION_INL_HPP

#include "../self_attention.hpp"

#include <algorithm>
#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace layers {

HENCE_INLINE attention_cache::attention_cache(const kv_layout& layout, std::size_t max_positions,
                                              std::pmr::memory_resource* memory)
    : layout_(layout) {
    const std::size_t pages = (max_positions + page_tokens - 1) / page_tokens;
    block_ = owned_vector<std::byte>(uninitialized, extents<dynamic_extent>(pages * layout_.page_bytes()), memory);
    pages_ = owned_vector<std::byte*>(uninitialized, extents<dynamic_extent>(pages), memory);
    for (std::size_t i = 0; i < pages; ++i) pages_(i) = block_.data() + i * layout_.page_bytes();
}

namespace detail {

HENCE_INLINE attention_core make_attention(const attention_options& options, std::size_t heads, std::size_t kv_heads,
                                           std::size_t query_outputs, std::size_t key_outputs) {
    HENCE_EXPECT(options.heads == 0 || hence::detail::compatible(heads, options.heads),
                 "the heads that the type fixes");
    HENCE_EXPECT(options.kv_heads == 0 || hence::detail::compatible(kv_heads, options.kv_heads),
                 "the kv heads that the type fixes");
    if (heads == dynamic_extent) heads = options.heads;
    if (kv_heads == dynamic_extent) kv_heads = options.kv_heads != 0 ? options.kv_heads : heads;
    HENCE_EXPECT(heads > 0 && query_outputs % heads == 0, "a number of heads that divides the queries");
    HENCE_EXPECT(kv_heads > 0 && heads % kv_heads == 0, "kv heads that divide the heads");
    const std::size_t head_size = query_outputs / heads;
    HENCE_EXPECT(head_size > 0 && key_outputs == kv_heads * head_size,
                 "keys of as many values per head as the queries");
    HENCE_EXPECT(options.rope_base == 0.0f || head_size % 2 == 0, "heads of even size for rotary positions");
    HENCE_EXPECT(options.causal || options.window == 0, "a window only for causal attention");

    attention_core core;
    core.kernels = table_or_default(options.kernels);
    core.layout = {.layers = 1,
                   .kv_heads = static_cast<std::int32_t>(kv_heads),
                   .key_size = static_cast<std::int32_t>(head_size),
                   .value_size = static_cast<std::int32_t>(head_size),
                   .type = dtype::f32};
    core.heads = heads;
    core.causal = options.causal;
    core.window = options.window;
    core.scale = options.scale != 0.0f ? options.scale : 1.0f / std::sqrt(static_cast<float>(head_size));
    core.rope = options.rope;
    if (options.rope_base != 0.0f) {
        core.frequencies = owned_vector<float>(uninitialized, extents<dynamic_extent>(head_size / 2), options.memory);
        for (std::size_t i = 0; i < head_size / 2; ++i) {
            core.frequencies(i) =
                static_cast<float>(std::pow(static_cast<double>(options.rope_base),
                                            -2.0 * static_cast<double>(i) / static_cast<double>(head_size)));
        }
    }
    return core;
}

HENCE_INLINE std::size_t attend_workspace_bytes(const attention_core& core, std::size_t rows) noexcept {
    return 2 * arena_bytes<float>(rows * core.frequencies.size()) + arena_bytes<attention_row>(rows) +
           arena_bytes<float>(rows * 2 * core.heads);
}

// Rows that one call of the kernel takes.
inline constexpr std::size_t rows_together = 16;

inline std::size_t pages_for(std::size_t positions) noexcept {
    return (positions + page_tokens - 1) / page_tokens;
}

HENCE_INLINE std::size_t sequence_bytes(const attention_core& core, std::size_t positions) noexcept {
    return arena_bytes<std::byte>(pages_for(positions) * core.layout.page_bytes()) +
           arena_bytes<std::byte*>(pages_for(positions));
}

HENCE_INLINE std::span<std::byte* const> make_sequence(const attention_core& core, std::size_t positions,
                                                       const worker& self, scratch& temporary) {
    const auto block = temporary.take<std::byte>(pages_for(positions) * core.layout.page_bytes());
    const auto pages = temporary.take<std::byte*>(pages_for(positions));
    if (self.index == 0) {
        for (std::size_t i = 0; i < pages.size(); ++i) pages[i] = block.data() + i * core.layout.page_bytes();
    }
    self.wait();
    return pages;
}

// One row's queries and keys turned by its position, its key and value written to its page.
inline void place_row(const attention_core& core, std::size_t position, std::byte* page, float* query, float* key,
                      const float* value, float* cosines, float* sines) noexcept {
    const std::size_t size = core.head_size();
    const std::size_t pairs = core.frequencies.size();
    for (std::size_t i = 0; i < pairs; ++i) {
        const double angle = static_cast<double>(position) * static_cast<double>(core.frequencies(i));
        cosines[i] = static_cast<float>(std::cos(angle));
        sines[i] = static_cast<float>(std::sin(angle));
    }
    const auto turn = [&](float* head) {
        if (pairs > 0) core.kernels->rope(head, cosines, sines, 2 * pairs, core.rope);
    };
    for (std::size_t head = 0; head < core.heads; ++head) turn(query + head * size);
    for (std::size_t head = 0; head < core.kv_heads(); ++head) {
        turn(key + head * size);
        core.kernels->store_kv(core.layout, page, 0, static_cast<std::int32_t>(head),
                               static_cast<std::int32_t>(position % page_tokens), key + head * size,
                               value + head * size);
    }
}

HENCE_INLINE void attend(const attention_core& core, const worker& self, std::span<std::byte* const> pages,
                         std::size_t first, const matrix_view<float>& query, const matrix_view<float>& key,
                         const matrix_view<float>& value, const matrix_view<float>& mixed, scratch temporary) {
    const std::size_t rows = query.extent(0);
    const std::size_t pairs = core.frequencies.size();
    const auto cosines = temporary.take<float>(rows * pairs);
    const auto sines = temporary.take<float>(rows * pairs);
    const auto places = temporary.take<attention_row>(rows);
    const auto states = temporary.take<float>(rows * 2 * core.heads);

    const index_range mine = self.share(rows);
    for (std::size_t row = mine.begin; row < mine.end; ++row) {
        const std::size_t position = first + row;
        place_row(core, position, pages[position / page_tokens], query.row(row).data(), key.row(row).data(),
                  value.row(row).data(), cosines.data() + row * pairs, sines.data() + row * pairs);
        const std::size_t last = core.causal ? position : first + rows - 1;
        places[row] = {.pages = pages.data(), .position = static_cast<std::int32_t>(last)};
    }
    self.wait();

    attention_args args{.layout = core.layout,
                        .layer = 0,
                        .rows = nullptr,
                        .row_count = 0,
                        .queries = nullptr,
                        .query_stride = query.extent(1),
                        .out = nullptr,
                        .out_stride = mixed.extent(1),
                        .heads_per_kv = static_cast<std::int32_t>(core.heads / core.kv_heads()),
                        .kv_head = 0,
                        .first_head = 0,
                        .last_head = 0,
                        .state = nullptr,
                        .state_stride = 2 * core.heads,
                        .scale = core.scale,
                        .softcap = 0.0f,
                        .window = static_cast<std::int32_t>(core.window)};
    // Dealt in turn, since later rows of a causal sequence see more; heads that share keys stay together where there
    // are rows enough to go round.
    const std::size_t row_blocks = (rows + rows_together - 1) / rows_together;
    const auto workers = static_cast<std::size_t>(self.count);
    const std::size_t parts = row_blocks * core.kv_heads() < 4 * workers && workers > 1
                                  ? static_cast<std::size_t>(args.heads_per_kv)
                                  : 1;
    const std::int32_t heads = args.heads_per_kv / static_cast<std::int32_t>(parts);
    for (auto item = static_cast<std::size_t>(self.index); item < row_blocks * core.kv_heads() * parts; item += workers) {
        const std::size_t row = item / (core.kv_heads() * parts) * rows_together;
        args.kv_head = static_cast<std::int32_t>(item / parts % core.kv_heads());
        args.first_head = static_cast<std::int32_t>(item % parts) * heads;
        args.last_head = args.first_head + heads;
        args.rows = places.data() + row;
        args.row_count = std::min(rows - row, rows_together);
        args.queries = query.row(row).data();
        args.out = mixed.row(row).data();
        args.state = states.data() + row * args.state_stride;
        core.kernels->attention(args);
    }
    self.wait();
}

}  // namespace detail

}  // namespace layers

HENCE_NAMESPACE_END

#endif
