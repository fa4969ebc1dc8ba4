// kv_sequence: the cache of one sequence of tokens, a list of pages and a length.
//
// Sequences share pages. Sharing is at token granularity: a sequence may begin with the first n positions
// of another for any n, and a page is copied only when one of its owners writes into it, which can only be
// the last, partly filled one. So the pages in use are those of the unique tokens, plus one part-filled page
// per sequence at most.
#ifndef HENCE_CACHE_SEQUENCE_HPP
#define HENCE_CACHE_SEQUENCE_HPP

#include "../core/result.hpp"
#include "../kernels/kv_layout.hpp"
#include "page_pool.hpp"
#include "step.hpp"

#include <cstddef>
#include <memory_resource>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// Movable, not copyable (fork with share()). Used by the thread that uses its pool.
class kv_sequence {
public:
    /// An empty sequence; the pool must outlive it.
    /// @shape none
    /// @errors none
    /// @source none
    explicit kv_sequence(page_pool& pool, std::pmr::memory_resource* memory = std::pmr::get_default_resource());
    ~kv_sequence() { clear(); }
    kv_sequence(kv_sequence&& other) noexcept;
    kv_sequence& operator=(kv_sequence&& other) noexcept;
    kv_sequence(const kv_sequence&) = delete;
    kv_sequence& operator=(const kv_sequence&) = delete;

    /// Positions that are filled.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t length() const noexcept { return length_; }
    [[nodiscard]] std::size_t pages() const noexcept { return ids_.size(); }
    [[nodiscard]] page_id page(std::size_t index) const noexcept { return ids_[index]; }

    /// Becomes the first `count` positions of `other`, sharing its pages; what it held before is let go.
    /// @shape count <= other.length()
    /// @errors none
    /// @cost O(pages)
    /// @source none
    void share(const kv_sequence& other, std::size_t count);

    /// Reserves the page list for sequences of this length, so that later calls do not allocate.
    /// @shape none
    /// @errors none
    /// @source none
    void reserve(std::size_t tokens);

    /// Pages that prepare(end) will take from the pool.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t pages_for(std::size_t end) const noexcept;

    /// Makes positions [length(), end) this sequence's own to write: takes pages, and copies the part-filled
    /// last one if others share it. Invalidates table().
    /// @shape none
    /// @errors none; the pool's ensure(pages_for(end)) must have succeeded just before
    /// @cost at most one page copied
    /// @source none
    void prepare(std::size_t end) noexcept;

    /// Says that positions up to `end` are now filled.
    /// @shape length() <= end <= what prepare() was told
    /// @errors none
    /// @source none
    void advance(std::size_t end) noexcept { length_ = end; }

    /// Keeps the first `count` positions and lets go of pages that hold none of them.
    /// @shape count <= length()
    /// @errors none
    /// @source none
    void truncate(std::size_t count) noexcept;

    /// Lets go of everything.
    /// @shape none
    /// @errors none
    /// @source none
    void clear() noexcept { truncate(0); }

    /// For step::sequences; valid until the next call that is not const.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] page_table table() const noexcept {
        return {pointers_.data(), static_cast<std::int32_t>(pointers_.size())};
    }

private:
    page_pool* pool_;
    std::pmr::vector<page_id> ids_;
    std::pmr::vector<std::byte*> pointers_;
    std::size_t length_ = 0;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/sequence.inl.hpp"
#endif

#endif
