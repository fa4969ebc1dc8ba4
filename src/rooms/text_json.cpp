// The compiled form's definitions of text: tokenizer.json and its pipeline. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/text/pipeline.hpp"
#include "hence/text/tokenizer_json.hpp"

#include "definitions.hpp"

#include "hence/text/detail/pipeline.inl.hpp"
#include "hence/text/detail/step_runner.inl.hpp"
#include "hence/text/detail/tokenizer_json.inl.hpp"
