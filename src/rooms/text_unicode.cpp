// The compiled form's definitions of text: characters, patterns, pre-tokenizers. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/text/pattern.hpp"
#include "hence/text/cut_name.hpp"
#include "hence/text/pretokenizer.hpp"
#include "hence/text/unicode.hpp"

#include "definitions.hpp"

#include "hence/text/detail/pattern.inl.hpp"
#include "hence/text/detail/pretokenizer.inl.hpp"
#include "hence/text/detail/cut_name.inl.hpp"  // reads its tables
#include "hence/text/detail/unicode.inl.hpp"
