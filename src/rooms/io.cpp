// The compiled form's definitions of io. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/io/gguf.hpp"
#include "hence/io/gguf_writer.hpp"
#include "hence/io/hf_config.hpp"
#include "hence/io/safetensors.hpp"

#include "definitions.hpp"

#include "hence/io/detail/gguf.inl.hpp"
#include "hence/io/detail/gguf_writer.inl.hpp"
#include "hence/io/detail/hf_config.inl.hpp"
#include "hence/io/detail/safetensors.inl.hpp"
