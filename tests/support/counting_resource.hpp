// A memory resource that counts: the proof that a generation step allocates nothing.
//
// It counts what goes through it (bytes live, peak, calls) and can be told to refuse. It is used by one
// thread at a time, like the engine whose memory it counts; allocations that bypass it are not seen, so a
// test that needs "nothing at all" also replaces operator new in its own executable.
#ifndef HENCE_TESTS_SUPPORT_COUNTING_RESOURCE_HPP
#define HENCE_TESTS_SUPPORT_COUNTING_RESOURCE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <new>

namespace hence_test {

class counting_resource final : public std::pmr::memory_resource {
public:
    explicit counting_resource(std::pmr::memory_resource* upstream = std::pmr::new_delete_resource())
        : upstream_(upstream) {}

    [[nodiscard]] std::uint64_t allocations() const noexcept { return allocations_; }
    [[nodiscard]] std::uint64_t deallocations() const noexcept { return deallocations_; }
    [[nodiscard]] std::size_t live_bytes() const noexcept { return live_bytes_; }
    [[nodiscard]] std::size_t peak_bytes() const noexcept { return peak_bytes_; }

    /// Refuses with std::bad_alloc what would take the live bytes above `bytes`.
    void limit(std::size_t bytes) noexcept { limit_bytes_ = bytes; }

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (bytes > limit_bytes_ - std::min(limit_bytes_, live_bytes_)) throw std::bad_alloc();
        void* const memory = upstream_->allocate(bytes, alignment);
        ++allocations_;
        live_bytes_ += bytes;
        peak_bytes_ = std::max(peak_bytes_, live_bytes_);
        return memory;
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        upstream_->deallocate(memory, bytes, alignment);
        ++deallocations_;
        live_bytes_ -= bytes;
    }
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::pmr::memory_resource* upstream_;
    std::uint64_t allocations_ = 0;
    std::uint64_t deallocations_ = 0;
    std::size_t live_bytes_ = 0;
    std::size_t peak_bytes_ = 0;
    std::size_t limit_bytes_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace hence_test

#endif
