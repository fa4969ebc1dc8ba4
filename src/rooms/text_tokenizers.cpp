// The compiled form's definitions of text: the tokenizers. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/text/bpe.hpp"
#include "hence/text/detokenizer.hpp"
#include "hence/text/tokenizer.hpp"
#include "hence/text/unigram.hpp"
#include "hence/text/wordpiece.hpp"

#include "definitions.hpp"

#include "hence/text/detail/bpe.inl.hpp"
#include "hence/text/detail/detokenizer.inl.hpp"
#include "hence/text/detail/tokenizer.inl.hpp"
#include "hence/text/detail/unigram.inl.hpp"
#include "hence/text/detail/wordpiece.inl.hpp"
