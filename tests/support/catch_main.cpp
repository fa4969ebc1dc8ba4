// The main function of every test executable under Catch2 version 2, compiled once for all of them.
#define CATCH_CONFIG_MAIN
#include "support/catch.hpp"
