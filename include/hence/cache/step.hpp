// step: what one forward pass of the network is asked to do.
//
// Rows of tokens from any mix of sequences: prompt chunks, one-token decodes, drafts, probes. Engines fill
// it, models read it; nothing else runs a network. A row's result never depends on the other rows.
#ifndef HENCE_CACHE_STEP_HPP
#define HENCE_CACHE_STEP_HPP

#include "../core/types.hpp"
#include "../kernels/kv_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>

HENCE_NAMESPACE_BEGIN

/// Tokens whose largest logit is known together: samplers skip whole blocks of them.
inline constexpr std::size_t logit_block = 64;

/// One token to run through the network at one position of one sequence.
struct step_row {
    token_id token = 0;
    std::int32_t position = 0;  ///< 0-based; the row attends to positions [0, position] of its sequence
    std::int32_t sequence = 0;  ///< index into step::sequences
    std::int32_t logits = -1;   ///< row of step::logits to write, or -1 if nobody asks
};

/// The pages of one sequence: page i holds positions [i * page_tokens, (i + 1) * page_tokens).
struct page_table {
    std::byte* const* pages = nullptr;
    std::int32_t count = 0;
};

/// @invariant rows of one sequence are in ascending position order, without gaps; the pages that rows write
/// to belong to no other sequence; earlier positions are filled.
struct step {
    std::span<const step_row> rows;
    std::span<const page_table> sequences;
    kv_layout layout;
    float* logits = nullptr;        ///< [rows that ask][logits_stride]
    std::size_t logits_stride = 0;  ///< elements; at least the vocabulary
    std::int32_t logits_count = 0;  ///< how many rows ask
    /// Null, or [rows that ask][block_tops_stride]: the largest logit of each logit_block of tokens, NaN where one of them is
    /// not finite. A model may leave them as they come; a row that begins with NaN counts as left.
    float* block_tops = nullptr;
    std::size_t block_tops_stride = 0;  ///< elements
};

/// What a model needs to know to reserve all memory that its steps will use.
struct workspace_options {
    std::size_t max_rows = 512;   ///< rows of one step
    std::size_t max_logits = 64;  ///< rows of one step that ask for logits
    int threads = 1;              ///< size of the team that will run the steps
    std::pmr::memory_resource* memory = nullptr;  ///< null: std::pmr::get_default_resource()
};

HENCE_NAMESPACE_END

#endif
