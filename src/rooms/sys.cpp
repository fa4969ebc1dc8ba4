// The compiled form's definitions of sys. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/sys/atomic_file.hpp"
#include "hence/sys/cpu.hpp"
#include "hence/sys/large_pages.hpp"
#include "hence/sys/folder.hpp"
#include "hence/sys/mapped_file.hpp"
#include "hence/sys/thread_team.hpp"

#include "definitions.hpp"

#include "hence/sys/detail/atomic_file.inl.hpp"
#include "hence/sys/detail/cpu.inl.hpp"
#include "hence/sys/detail/large_pages.inl.hpp"
#include "hence/sys/detail/folder.inl.hpp"
#include "hence/sys/detail/mapped_file.inl.hpp"
#include "hence/sys/detail/thread_team.inl.hpp"
