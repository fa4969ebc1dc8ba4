// The compiled form's instantiations of the strategies for engine. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/generate/engine.hpp"
#include "hence/reason/registry.hpp"

#include "definitions.hpp"

#include "hence/reason/detail/registry.inl.hpp"

#include "hence/reason/compiled.hpp"
