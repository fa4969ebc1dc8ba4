// arena: one block of memory for the temporaries of a forward pass, and scratch: a cursor into it.
//
// A layer takes its temporaries from a scratch that it receives by value: what it and its callees take is
// free again when it returns, and every worker of a team that runs the same code takes the same addresses
// without talking to the others. Nothing is allocated after the arena was made.
#ifndef HENCE_TENSOR_ARENA_HPP
#define HENCE_TENSOR_ARENA_HPP

#include "concepts.hpp"
#include "tensor_view.hpp"

#include <atomic>
#include <memory_resource>

HENCE_NAMESPACE_BEGIN

/// The bytes that `count` elements of T take in an arena: a multiple of the alignment.
/// @shape none
/// @units bytes
/// @errors none
/// @source none
template <tensor_element T>
[[nodiscard]] constexpr std::size_t arena_bytes(std::size_t count) noexcept {
    return (count * sizeof(T) + (HENCE_ALIGNMENT - 1)) / HENCE_ALIGNMENT * HENCE_ALIGNMENT;
}

/// A cursor into an arena, passed by value: a copy marks a place, and what the copy takes is free again when
/// the copy is gone. Valid as long as its arena.
class scratch {
public:
    /// Memory for `count` elements, 64-byte aligned, without defined values.
    /// @shape count elements
    /// @errors contract: the arena is too small
    /// @cost a few instructions; allocates nothing
    /// @threads each worker takes from its own copy, all in the same order
    /// @source none
    template <tensor_element T>
    [[nodiscard]] std::span<T> take(std::size_t count) {
        return {static_cast<T*>(advance(sizeof(T), count)), count};
    }

    /// Memory for a tensor.
    /// @shape sizes
    /// @errors contract: the arena is too small
    /// @source none
    template <tensor_element T, std::size_t... Sizes>
    [[nodiscard]] tensor_view<T, extents<Sizes...>> take(const extents<Sizes...>& sizes) {
        return {static_cast<T*>(advance(sizeof(T), sizes.size())), sizes};
    }

    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t left() const noexcept { return capacity_ - used_; }

private:
    friend class arena;
    scratch(std::byte* base, std::size_t capacity, std::atomic<std::size_t>* high_water) noexcept
        : base_(base), capacity_(capacity), high_water_(high_water) {}

    void* advance(std::size_t size, std::size_t count) {
        // Capacity and used_ are multiples of the alignment, so what fits also fits when rounded up.
        HENCE_EXPECT(count <= left() / size, "an arena of at least the workspace_bytes() of what runs in it");
        const std::size_t bytes = arena_bytes<std::byte>(size * count);
        std::byte* place = base_ + used_;
        used_ += bytes;
        // Workers race to write equal values; a load first keeps the line shared once the mark has settled.
        if (high_water_->load(std::memory_order_relaxed) < used_) high_water_->store(used_, std::memory_order_relaxed);
        return place;
    }

    std::byte* base_;
    std::size_t capacity_;
    std::size_t used_ = 0;
    std::atomic<std::size_t>* high_water_;
};

/// Owns the block; neither copied nor moved, since scratches point into it.
class arena {
public:
    /// @shape none
    /// @units bytes
    /// @errors what the memory resource throws
    /// @source none
    explicit arena(std::size_t capacity_bytes, std::pmr::memory_resource* memory = nullptr)
        : memory_(memory != nullptr ? memory : std::pmr::get_default_resource()),
          capacity_(arena_bytes<std::byte>(capacity_bytes)),
          base_(static_cast<std::byte*>(capacity_ != 0 ? memory_->allocate(capacity_, HENCE_ALIGNMENT) : nullptr)) {}
    ~arena() {
        if (base_ != nullptr) memory_->deallocate(base_, capacity_, HENCE_ALIGNMENT);
    }
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;

    /// A cursor at the start of the block. One forward pass uses one; a second one at the same time overlaps.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] scratch start() noexcept { return {base_, capacity_, &high_water_}; }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// The most bytes that were ever taken at once, to see whether an arena is larger than it needs to be.
    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t high_water() const noexcept { return high_water_.load(std::memory_order_relaxed); }

private:
    std::pmr::memory_resource* memory_;
    std::size_t capacity_;
    std::byte* base_;
    std::atomic<std::size_t> high_water_{0};
};

HENCE_NAMESPACE_END

#endif
