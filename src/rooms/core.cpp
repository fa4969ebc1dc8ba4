// The compiled form's definitions of core. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/core/json.hpp"
#include "hence/core/quote.hpp"
#include "hence/core/result.hpp"
#include "hence/core/text.hpp"

#include "definitions.hpp"

#include "hence/core/detail/json.inl.hpp"
#include "hence/core/detail/quote.inl.hpp"
#include "hence/core/detail/result.inl.hpp"
#include "hence/core/detail/text.inl.hpp"
