// The optional parts, for a program whose other file does without them.
#include <hence/everything.hpp>
