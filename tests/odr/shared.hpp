// What the two files of the one-definition test know of each other.
#ifndef HENCE_TESTS_ODR_SHARED_HPP
#define HENCE_TESTS_ODR_SHARED_HPP

#include <hence/everything.hpp>

namespace hence_test {

/// The address of an inline function, as tests/odr/second.cpp sees it.
const void* address_seen_by_second_file();

}  // namespace hence_test

#endif
