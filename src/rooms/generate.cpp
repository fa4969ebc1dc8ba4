// The compiled form's definitions of generate. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/generate/engine.hpp"
#include "hence/generate/sampler.hpp"
#include "hence/generate/stop.hpp"

#include "definitions.hpp"

#include "hence/generate/detail/engine.inl.hpp"
#include "hence/generate/detail/sampler.inl.hpp"
#include "hence/generate/detail/stop.inl.hpp"
