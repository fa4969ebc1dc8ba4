// Every header after min and max were defined as function-like macros, as <windows.h> and old code do.
//
// A standard header comes first, since libstdc++ undefines the two names in its own first header and
// nothing would be tested.
#include <cstddef>

#define min(a, b) hence_used_the_macro_min
#define max(a, b) hence_used_the_macro_max

#include <hence/hence.hpp>

static_assert(sizeof(std::size_t) >= 4);
