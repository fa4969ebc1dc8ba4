// Definitions of cache/sequence.hpp.
#ifndef HENCE_CACHE_DETAIL_SEQUENCE_INL_HPP
#define HENCE_CACHE_DETAIL_SEQUENCE_INL_HPP

#include "../sequence.hpp"

#include <cstring>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t page_tokens_size = static_cast<std::size_t>(page_tokens);

constexpr std::size_t pages_of_tokens(std::size_t tokens) noexcept {
    return (tokens + page_tokens_size - 1) / page_tokens_size;
}

}  // namespace detail

HENCE_INLINE kv_sequence::kv_sequence(page_pool& pool, std::pmr::memory_resource* memory)
    : pool_(&pool), ids_(memory), pointers_(memory) {}

HENCE_INLINE kv_sequence::kv_sequence(kv_sequence&& other) noexcept
    : pool_(other.pool_),
      ids_(std::move(other.ids_)),
      pointers_(std::move(other.pointers_)),
      length_(std::exchange(other.length_, 0)) {
    other.ids_.clear();
    other.pointers_.clear();
}

HENCE_INLINE kv_sequence& kv_sequence::operator=(kv_sequence&& other) noexcept {
    if (this == &other) return *this;
    clear();
    pool_ = other.pool_;
    ids_.swap(other.ids_);
    pointers_.swap(other.pointers_);
    std::swap(length_, other.length_);
    return *this;
}

HENCE_INLINE void kv_sequence::share(const kv_sequence& other, std::size_t count) {
    HENCE_EXPECT(count <= other.length_, "a sequence can share only positions that are filled");
    HENCE_EXPECT(pool_ == other.pool_, "sequences share pages within one pool");
    const std::size_t wanted = detail::pages_of_tokens(count);
    reserve(count);
    // The new references are taken before the old ones go: the two may share pages already.
    for (std::size_t i = 0; i < wanted; ++i) pool_->add_reference(other.ids_[i]);
    if (this != &other) {
        for (const page_id held : ids_) pool_->release(held);
        ids_.assign(other.ids_.begin(), other.ids_.begin() + static_cast<std::ptrdiff_t>(wanted));
        pointers_.assign(other.pointers_.begin(), other.pointers_.begin() + static_cast<std::ptrdiff_t>(wanted));
        length_ = count;
    } else {
        for (std::size_t i = 0; i < wanted; ++i) pool_->release(other.ids_[i]);
        truncate(count);
    }
}

HENCE_INLINE void kv_sequence::reserve(std::size_t tokens) {
    ids_.reserve(detail::pages_of_tokens(tokens));
    pointers_.reserve(detail::pages_of_tokens(tokens));
}

HENCE_INLINE std::size_t kv_sequence::pages_for(std::size_t end) const noexcept {
    if (end <= length_) return 0;
    const std::size_t last = length_ / detail::page_tokens_size;
    const bool copies = last < ids_.size() && pool_->references(ids_[last]) > 1;
    const std::size_t wanted = detail::pages_of_tokens(end);
    return (copies ? 1 : 0) + (wanted > ids_.size() ? wanted - ids_.size() : 0);
}

HENCE_INLINE void kv_sequence::prepare(std::size_t end) noexcept {
    if (end <= length_) return;
    const std::size_t last = length_ / detail::page_tokens_size;
    if (last < ids_.size() && pool_->references(ids_[last]) > 1) {
        const page_id own = pool_->take_to_overwrite();
        std::memcpy(pool_->data(own), pointers_[last], pool_->page_bytes());
        pool_->release(ids_[last]);
        ids_[last] = own;
        pointers_[last] = pool_->data(own);
    }
    for (std::size_t wanted = detail::pages_of_tokens(end); ids_.size() < wanted;) {
        const page_id own = pool_->take();
        ids_.push_back(own);
        pointers_.push_back(pool_->data(own));
    }
}

HENCE_INLINE void kv_sequence::truncate(std::size_t count) noexcept {
    const std::size_t kept = detail::pages_of_tokens(count);
    while (ids_.size() > kept) {
        pool_->release(ids_.back());
        ids_.pop_back();
        pointers_.pop_back();
    }
    length_ = count;
}

HENCE_NAMESPACE_END

#endif
