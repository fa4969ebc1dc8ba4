// The compiled form's definitions of models. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/models/architectures.hpp"
#include "hence/models/decoder.hpp"
#include "hence/models/vocabulary_from_gguf.hpp"

#include "definitions.hpp"

#include "hence/models/detail/architectures.inl.hpp"
#include "hence/models/detail/decoder.inl.hpp"
#include "hence/models/detail/vocabulary_from_gguf.inl.hpp"
