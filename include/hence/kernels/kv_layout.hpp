// kv_layout: how one page of the key-value cache lies in memory. The attention kernels read it; the
// cache room fills it.
//
// A page holds `page_tokens` consecutive positions of one sequence for every layer and kv head. For each
// (layer, head) come the keys, transposed to [key_size][page_tokens] so that one vector holds the scores
// of many positions, then the values as [page_tokens][value_size]. Where they are signed bytes, [page_tokens] float scales
// of the keys and [page_tokens] of the values follow: value = quant * scale, one scale per position and head.
#ifndef HENCE_KERNELS_KV_LAYOUT_HPP
#define HENCE_KERNELS_KV_LAYOUT_HPP

#include "../tensor/dtype.hpp"

#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// Positions in one page of the cache. Also the block over which attention reduces, so that a query's
/// result does not depend on what else a step holds.
inline constexpr std::int32_t page_tokens = 32;

struct kv_layout {
    std::int32_t layers = 0;
    std::int32_t kv_heads = 0;
    std::int32_t key_size = 0;    ///< values per head and position in K
    std::int32_t value_size = 0;  ///< values per head and position in V
    dtype type = dtype::f32;      ///< f32, f16, bf16 or i8

    [[nodiscard]] constexpr std::size_t element_bytes() const noexcept { return traits(type).block_bytes; }
    /// Bytes of K and V of one layer and head in one page.
    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr std::size_t head_bytes() const noexcept {
        return quant_bytes() + (type == dtype::i8 ? 2 * page_tokens * sizeof(float) : 0);
    }
    [[nodiscard]] constexpr std::size_t page_bytes() const noexcept {
        return static_cast<std::size_t>(layers) * static_cast<std::size_t>(kv_heads) * head_bytes();
    }
    /// Bytes of cache that one position of one sequence takes.
    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr std::size_t token_bytes() const noexcept { return page_bytes() / page_tokens; }
    /// Where the keys of (layer, head) start in a page; the values follow at value_offset().
    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr std::size_t key_offset(std::int32_t layer, std::int32_t head) const noexcept {
        return (static_cast<std::size_t>(layer) * static_cast<std::size_t>(kv_heads) +
                static_cast<std::size_t>(head)) *
               head_bytes();
    }
    [[nodiscard]] constexpr std::size_t value_offset(std::int32_t layer, std::int32_t head) const noexcept {
        return key_offset(layer, head) +
               static_cast<std::size_t>(key_size) * page_tokens * element_bytes();
    }
    /// Where the scales of (layer, head) start, if the type has any.
    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr std::size_t scale_offset(std::int32_t layer, std::int32_t head) const noexcept {
        return key_offset(layer, head) + quant_bytes();
    }
    /// Floats of scratch memory that attention opens a page of one head into; none where the cache has floats.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr std::size_t open_floats() const noexcept {
        return type == dtype::f32 ? 0 : static_cast<std::size_t>(key_size + value_size) * page_tokens + 16;
    }
    friend constexpr bool operator==(const kv_layout&, const kv_layout&) = default;

private:
    [[nodiscard]] constexpr std::size_t quant_bytes() const noexcept {
        return static_cast<std::size_t>(key_size + value_size) * page_tokens * element_bytes();
    }
};

HENCE_NAMESPACE_END

#endif
