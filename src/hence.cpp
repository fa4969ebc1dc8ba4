// The compiled form: the one file that holds hence's definitions (target hence::compiled).
//
// Every other file of such a program is compiled with HENCE_COMPILED alone and sees declarations only. All
// files of the program need the same instruction-set and exception flags; see docs/faq.md. src/rooms holds the same
// definitions in parts, which CMake builds in parallel.
#ifndef HENCE_COMPILED
#define HENCE_COMPILED
#endif
#define HENCE_IMPLEMENTATION

#include "hence/hence.hpp"

// Beside the umbrella; what needs Eigen is header-only.
#include "hence/compress/calibration.hpp"
#include "hence/compress/perplexity.hpp"
#include "hence/compress/sensitivity.hpp"
#include "hence/compress/shrink.hpp"
#include "hence/models/gguf_from_folder.hpp"
#include "hence/text/cut_name.hpp"
