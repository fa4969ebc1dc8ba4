// prefer_large_pages: asks for large pages behind memory that is streamed through.
//
// Weights are written once and then read front to back in every step. With pages of 2 MB the system has 512 times fewer
// of them to set up, and the processor's prefetchers do not stop every 4 KB. The cache of keys and values is the same. Not the
// activations: a step of few rows would hold all of their memory. It is advice: nothing depends on it.
#ifndef HENCE_SYS_LARGE_PAGES_HPP
#define HENCE_SYS_LARGE_PAGES_HPP

#include "../config.hpp"

#include <cstddef>

HENCE_NAMESPACE_BEGIN

/// What a block should be aligned to so that all of it can be large pages.
inline constexpr std::size_t large_page_bytes = std::size_t{2} << 20;

/// Call it before the memory is first written. The whole large pages inside the block are meant.
/// @shape bytes[size]
/// @errors none: it is advice, and nothing where the system has no such thing
/// @source Linux madvise(2), MADV_HUGEPAGE
void prefer_large_pages(void* data, std::size_t size) noexcept;

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/large_pages.inl.hpp"
#endif

#endif
