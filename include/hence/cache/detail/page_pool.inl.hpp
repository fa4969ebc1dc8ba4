// Definitions of cache/page_pool.hpp.
#ifndef HENCE_CACHE_DETAIL_PAGE_POOL_INL_HPP
#define HENCE_CACHE_DETAIL_PAGE_POOL_INL_HPP

#include "../../core/text.hpp"
#include "../../sys/large_pages.hpp"
#include "../page_pool.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE page_pool::page_pool(const page_pool_options& options)
    : page_bytes_(options.page_bytes),
      stride_((options.page_bytes + HENCE_ALIGNMENT - 1) / HENCE_ALIGNMENT * HENCE_ALIGNMENT),
      max_pages_(options.max_pages),
      memory_(options.memory != nullptr ? options.memory : std::pmr::get_default_resource()),
      entries_(memory_),
      free_(memory_),
      slabs_(memory_) {
    HENCE_EXPECT(options.page_bytes > 0, "a page must have a size");
}

HENCE_INLINE page_pool::~page_pool() {
    for (const slab& s : slabs_) memory_->deallocate(s.bytes, s.size, HENCE_ALIGNMENT);
}

HENCE_INLINE result<void> page_pool::ensure(std::size_t pages) {
    if (pages <= free_.size() && allows(pages)) return {};
    if (!allows(pages)) {
        return make_error(errc::out_of_memory, "key-value cache",
                          concat({"at most ", max_pages_, " pages of ", page_bytes_, " bytes (the limit set for the cache)"}),
                          concat({live_pages_, " in use and ", pages, " more needed"}));
    }
    std::size_t grow = std::max(pages - free_.size(), entries_.size() / 2);
    if (max_pages_ != 0) {
        // A limit that was lowered under the capacity leaves room for what is needed and no more.
        const std::size_t room = max_pages_ > entries_.size() ? max_pages_ - entries_.size() : 0;
        grow = std::max(pages - free_.size(), std::min(grow, room));
    }
    const auto most = static_cast<std::size_t>(std::numeric_limits<page_id>::max());
    const auto refuse = [&]() -> error {
        return make_error(errc::out_of_memory, "key-value cache",
                          concat({"memory for ", grow, " more pages of ", page_bytes_, " bytes"}),
                          "the memory resource has none");
    };
    if (grow > most - entries_.size() || grow > std::numeric_limits<std::size_t>::max() / stride_) return refuse();
#if HENCE_EXCEPTIONS
    try {
#endif
        entries_.reserve(entries_.size() + grow);
        free_.reserve(entries_.size() + grow);
        slabs_.reserve(slabs_.size() + 1);
        const slab added{static_cast<std::byte*>(memory_->allocate(grow * stride_, HENCE_ALIGNMENT)), grow * stride_};
        slabs_.push_back(added);
        prefer_large_pages(added.bytes, added.size);
#if HENCE_EXCEPTIONS
    } catch (const std::bad_alloc&) {
        return refuse();
    }
#endif
    const std::size_t first = entries_.size();
    for (std::size_t i = 0; i < grow; ++i) entries_.push_back({slabs_.back().bytes + i * stride_, 0, false});
    // The free list is a stack: pages used before lie on top and are warm, new ones come in address order.
    const std::size_t old_free = free_.size();
    free_.resize(old_free + grow);
    std::move_backward(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(old_free), free_.end());
    for (std::size_t i = 0; i < grow; ++i) free_[i] = static_cast<page_id>(first + grow - 1 - i);
    return {};
}

HENCE_INLINE page_id page_pool::take(bool overwritten) noexcept {
    const page_id page = free_.back();
    free_.pop_back();
    entry& taken = entries_[static_cast<std::size_t>(page)];
    if (!taken.touched && !overwritten) std::memset(taken.bytes, 0, stride_);
    taken.touched = true;
    taken.references = 1;
    ++live_pages_;
    peak_pages_ = std::max(peak_pages_, live_pages_);
    return page;
}

HENCE_INLINE void page_pool::release(page_id page) noexcept {
    entry& released = entries_[static_cast<std::size_t>(page)];
    if (--released.references > 0) return;
    free_.push_back(page);
    --live_pages_;
}

HENCE_NAMESPACE_END

#endif
