// Every header with min and max defined as function-like macros, as <windows.h> and old code define them.
//
// Standard and third-party headers come first: their protection is their own affair, and libstdc++ undefines
// the two names when one of its headers is first included.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory_resource>
#include <mutex>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>
#include <xsimd/xsimd.hpp>

#define min(a, b) hence_used_the_macro_min
#define max(a, b) hence_used_the_macro_max

#include <hence/hence.hpp>
