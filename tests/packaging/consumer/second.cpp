// A consumer's second file.
#include <hence/hence.hpp>

int second() { return HENCE_VERSION_MAJOR; }
