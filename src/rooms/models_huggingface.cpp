// The compiled form's definitions of models: folders as training frameworks publish them. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/models/gguf_from_folder.hpp"
#include "hence/models/huggingface.hpp"

#include "definitions.hpp"

#include "hence/models/detail/gguf_from_folder.inl.hpp"
#include "hence/models/detail/huggingface.inl.hpp"
