// Replaces operator new of the executable by one that counts: the proof that code allocates nothing at all.
//
// Include it in exactly one file of a test executable. tests/support/counting_resource.hpp counts what goes through a
// memory resource instead.
#ifndef HENCE_TESTS_SUPPORT_COUNTING_NEW_HPP
#define HENCE_TESTS_SUPPORT_COUNTING_NEW_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace hence_test {

/// Calls of operator new so far, in all threads.
inline std::atomic<std::uint64_t> heap_allocations{0};

inline void* counted_new(std::size_t bytes, std::size_t alignment) noexcept {
    heap_allocations.fetch_add(1, std::memory_order_relaxed);
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    return alignment <= alignof(std::max_align_t) ? std::malloc(bytes != 0 ? bytes : 1)
                                                  : std::aligned_alloc(alignment, rounded);
}

inline void* counted_or_throw(std::size_t bytes, std::size_t alignment = 1) {
    if (void* const memory = counted_new(bytes, alignment)) return memory;
    throw std::bad_alloc();
}

}  // namespace hence_test

// Every form is replaced, and none inlined: compilers and sanitizers check that the pairs match.
#define HENCE_TEST_OUTLINE __attribute__((noinline))
HENCE_TEST_OUTLINE void* operator new(std::size_t bytes) {
    return hence_test::counted_or_throw(bytes);
}
HENCE_TEST_OUTLINE void* operator new[](std::size_t bytes) {
    return hence_test::counted_or_throw(bytes);
}
HENCE_TEST_OUTLINE void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return hence_test::counted_new(bytes, 1);
}
HENCE_TEST_OUTLINE void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
    return hence_test::counted_new(bytes, 1);
}
HENCE_TEST_OUTLINE void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return hence_test::counted_or_throw(bytes, static_cast<std::size_t>(alignment));
}
HENCE_TEST_OUTLINE void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return hence_test::counted_or_throw(bytes, static_cast<std::size_t>(alignment));
}
HENCE_TEST_OUTLINE void operator delete(void* memory) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete[](void* memory) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
HENCE_TEST_OUTLINE void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

#endif
