// Definitions of sys/large_pages.hpp.
#ifndef HENCE_SYS_DETAIL_LARGE_PAGES_INL_HPP
#define HENCE_SYS_DETAIL_LARGE_PAGES_INL_HPP

#include "../large_pages.hpp"

#include <cstdint>

#include <sys/mman.h>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE void prefer_large_pages(void* data, std::size_t size) noexcept {
#if defined(MADV_HUGEPAGE)
    const auto address = reinterpret_cast<std::uintptr_t>(data);
    const std::uintptr_t begin = (address + large_page_bytes - 1) / large_page_bytes * large_page_bytes;
    const std::uintptr_t end = (address + size) / large_page_bytes * large_page_bytes;
    if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
    (void)data;
    (void)size;
#endif
}

HENCE_NAMESPACE_END

#endif
