// What nearly every test includes, parsed once (HENCE_TEST_PCH). Tests still include what they use: without the option
// each is compiled alone. Nothing of hence is here, so that a change of hence rebuilds no more than it must.
#ifndef HENCE_TESTS_SUPPORT_PRECOMPILED_HPP
#define HENCE_TESTS_SUPPORT_PRECOMPILED_HPP

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "support/catch.hpp"

#endif
