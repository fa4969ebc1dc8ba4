// The compiled form's definitions of quant, prune, cache. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/quant/decode.hpp"
#include "hence/prune/mask.hpp"
#include "hence/prune/pattern.hpp"
#include "hence/cache/page_pool.hpp"
#include "hence/cache/sequence.hpp"

#include "definitions.hpp"

#include "hence/quant/detail/decode.inl.hpp"
#include "hence/prune/detail/mask.inl.hpp"
#include "hence/prune/detail/pattern.inl.hpp"
#include "hence/cache/detail/page_pool.inl.hpp"
#include "hence/cache/detail/sequence.inl.hpp"
