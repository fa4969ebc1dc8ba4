// page_pool: the memory of a key-value cache, in pages that sequences share.
//
// Pages come in slabs from a memory resource; a slab is added only by ensure(), which engines call while
// they schedule, so that a step itself never allocates. A page is counted: it goes back when its last
// sequence lets it go. The pool knows nothing of what is in a page beyond its size.
#ifndef HENCE_CACHE_PAGE_POOL_HPP
#define HENCE_CACHE_PAGE_POOL_HPP

#include "../core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// The number of a page in its pool.
using page_id = std::int32_t;

struct page_pool_options {
    std::size_t page_bytes = 0;  ///< size of one page; addresses are 64-byte aligned whatever it is
    std::size_t max_pages = 0;   ///< hard limit on pages in use; 0 = none
    std::pmr::memory_resource* memory = nullptr;  ///< null: std::pmr::get_default_resource(); must outlive the pool
};

/// Reference-counted pages of one size. Used by one thread at a time.
class page_pool {
public:
    /// Allocates nothing yet.
    /// @shape none
    /// @errors none
    /// @source none
    explicit page_pool(const page_pool_options& options);
    ~page_pool();
    page_pool(const page_pool&) = delete;
    page_pool& operator=(const page_pool&) = delete;

    /// Makes sure that `pages` further pages can be taken, growing by a slab where the free ones do not do.
    /// @shape none
    /// @errors out_of_memory: max_pages() would be exceeded (the error names it), or the memory resource refuses
    /// @cost a slab is at least half of what the pool already has, so n pages cost O(log n) allocations
    /// @source none
    [[nodiscard]] result<void> ensure(std::size_t pages);

    /// True if ensure(pages) would not exceed the limit; asks the memory resource nothing.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool allows(std::size_t pages) const noexcept {
        return max_pages_ == 0 || live_pages_ + pages <= max_pages_;
    }

    /// A page with one reference. Zeroed when it is handed out for the first time; later it holds whatever
    /// its last owner left.
    /// @shape page_bytes() bytes, 64-byte aligned
    /// @errors none; ensure() must have promised the page
    /// @source none
    [[nodiscard]] page_id take() noexcept { return take(false); }

    /// take() for a caller that overwrites the whole page at once: a new page is not zeroed first.
    /// @shape page_bytes() bytes, 64-byte aligned
    /// @errors none; ensure() must have promised the page
    /// @source none
    [[nodiscard]] page_id take_to_overwrite() noexcept { return take(true); }

    /// @shape none
    /// @errors none
    /// @source none
    void add_reference(page_id page) noexcept { ++entries_[static_cast<std::size_t>(page)].references; }

    /// Takes one reference away; the last one frees the page.
    /// @shape none
    /// @errors none
    /// @source none
    void release(page_id page) noexcept;

    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::int32_t references(page_id page) const noexcept {
        return entries_[static_cast<std::size_t>(page)].references;
    }
    /// Where the page lies; fixed for the life of the pool.
    /// @shape page_bytes() bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::byte* data(page_id page) const noexcept {
        return entries_[static_cast<std::size_t>(page)].bytes;
    }

    [[nodiscard]] std::size_t page_bytes() const noexcept { return page_bytes_; }
    [[nodiscard]] std::size_t max_pages() const noexcept { return max_pages_; }
    /// Pages with at least one reference, and the most there have been at one time.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t live_pages() const noexcept { return live_pages_; }
    [[nodiscard]] std::size_t peak_pages() const noexcept { return peak_pages_; }
    /// Pages that memory is held for, in use or not.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t capacity_pages() const noexcept { return entries_.size(); }

    /// Changes the hard limit; pages in use above it stay until they are released.
    /// @shape none
    /// @errors none
    /// @source none
    void set_max_pages(std::size_t pages) noexcept { max_pages_ = pages; }

private:
    [[nodiscard]] page_id take(bool overwritten) noexcept;

    struct entry {
        std::byte* bytes = nullptr;
        std::int32_t references = 0;
        bool touched = false;
    };
    struct slab {
        std::byte* bytes = nullptr;
        std::size_t size = 0;
    };

    std::size_t page_bytes_;
    std::size_t stride_;
    std::size_t max_pages_;
    std::size_t live_pages_ = 0;
    std::size_t peak_pages_ = 0;
    std::pmr::memory_resource* memory_;
    std::pmr::vector<entry> entries_;
    std::pmr::vector<page_id> free_;  // capacity always covers every page: release() cannot allocate
    std::pmr::vector<slab> slabs_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/page_pool.inl.hpp"
#endif

#endif
