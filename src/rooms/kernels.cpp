// The compiled form's definitions of kernels. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/kernels/dispatch.hpp"
#include "hence/kernels/pack.hpp"
#include "hence/kernels/sparse.hpp"

#include "definitions.hpp"

#include "hence/kernels/detail/dispatch.inl.hpp"
#include "hence/kernels/detail/pack.inl.hpp"
#include "hence/kernels/detail/sparse.inl.hpp"
