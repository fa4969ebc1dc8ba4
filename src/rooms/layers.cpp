// The compiled form's definitions of layers. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/layers/linear.hpp"
#include "hence/layers/self_attention.hpp"

#include "definitions.hpp"

#include "hence/layers/detail/linear.inl.hpp"
#include "hence/layers/detail/self_attention.inl.hpp"
