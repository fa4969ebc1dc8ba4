// Catch2 as the tests see it: version 3 where it is installed, else version 2 (Debian 12).
//
// Tests include this header and nothing of Catch2 itself. tests/support/catch_main.cpp holds the main
// function for version 2; with version 3 the build links Catch2::Catch2WithMain instead.
#ifndef HENCE_TESTS_SUPPORT_CATCH_HPP
#define HENCE_TESTS_SUPPORT_CATCH_HPP

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers_all.hpp>
#define HENCE_TEST_CATCH_VERSION 3
#elif __has_include(<catch2/catch.hpp>)
#include <catch2/catch.hpp>
#define HENCE_TEST_CATCH_VERSION 2
#else
#error "the tests need Catch2 2.13 or newer (Debian: apt-get install catch2)"
#endif

#endif
