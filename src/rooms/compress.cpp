// The compiled form's definitions of compress, but for what needs Eigen. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/compress/calibration.hpp"
#include "hence/compress/perplexity.hpp"
#include "hence/compress/sensitivity.hpp"
#include "hence/compress/shrink.hpp"

#include "definitions.hpp"

#include "hence/compress/detail/calibration.inl.hpp"
#include "hence/compress/detail/perplexity.inl.hpp"
#include "hence/compress/detail/sensitivity.inl.hpp"
#include "hence/compress/detail/shrink.inl.hpp"
