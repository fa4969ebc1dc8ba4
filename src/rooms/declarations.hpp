// First include of each part of the compiled form: from here on headers declare only.
//
// src/hence.cpp holds all definitions in one file. The parts here hold the same, a room or two each, so that they
// build in parallel and a change rebuilds what it touches. A part includes the declarations it needs, then
// definitions.hpp, then the detail/*.inl.hpp that it owns.
#ifndef HENCE_COMPILED
#define HENCE_COMPILED
#endif

#include "hence/config.hpp"
