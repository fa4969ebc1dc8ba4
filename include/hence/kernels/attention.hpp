// The contract of attention over a paged key-value cache.
//
// A query reduces over pages in ascending position, with one running maximum and sum that are updated once per
// page: the order of its operations depends on its own position alone, never on what else is in the step. Rows whose
// sequences share a page are served together, so that a shared prompt is read once for all of them.
#ifndef HENCE_KERNELS_ATTENTION_HPP
#define HENCE_KERNELS_ATTENTION_HPP

#include "kv_layout.hpp"

#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// One row's view of its sequence.
struct attention_row {
    std::byte* const* pages = nullptr;  ///< page i holds positions [i * page_tokens, ...)
    std::int32_t position = 0;          ///< attends to [max(0, position + 1 - window), position]
};

/// Attention of some rows in one layer, for some of the query heads that share one kv head.
/// @numerics per query: scores in ascending column order, one maximum and sum per page, values in ascending position;
///           all fused multiply-adds
struct attention_args {
    kv_layout layout;
    std::int32_t layer = 0;
    const attention_row* rows = nullptr;
    std::size_t row_count = 0;
    const float* queries = nullptr;   ///< [row][query_stride]; head h at h * key_size
    std::size_t query_stride = 0;     ///< elements
    float* out = nullptr;             ///< [row][out_stride]; head h at h * value_size
    std::size_t out_stride = 0;       ///< elements
    std::int32_t heads_per_kv = 1;    ///< query heads that share a kv head
    std::int32_t kv_head = 0;         ///< the kv head to read
    std::int32_t first_head = 0;      ///< of its query heads, the first to compute; 0 to heads_per_kv
    std::int32_t last_head = 1;       ///< one past the last
    float* state = nullptr;           ///< scratch: [row][state_stride], two values for each of all query heads
    std::size_t state_stride = 0;     ///< elements
    float* page = nullptr;            ///< scratch: layout.open_floats() of them
    float scale = 1.0f;               ///< on the scores, before the cap
    float softcap = 0.0f;             ///< scores become cap * tanh(score / cap); 0: none
    std::int32_t window = 0;          ///< positions a row sees, itself included; 0: all
};

HENCE_NAMESPACE_END

#endif
