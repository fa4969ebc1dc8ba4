// The compiled form's definitions of reason: traces, the scripted engine, regular expressions. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/reason/regex.hpp"
#include "hence/reason/scripted_engine.hpp"
#include "hence/reason/trace.hpp"

#include "definitions.hpp"

#include "hence/reason/detail/regex.inl.hpp"
#include "hence/reason/detail/scripted_engine.inl.hpp"
#include "hence/reason/detail/trace.inl.hpp"
