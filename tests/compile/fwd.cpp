// fwd.hpp's declarations agree with the definitions, in both orders of inclusion.
#include <hence/fwd.hpp>

namespace {
using error_pointer = hence::error*;  // an incomplete type will do here
[[maybe_unused]] error_pointer nothing = nullptr;
}  // namespace

#include <hence/hence.hpp>

static_assert(sizeof(hence::error) > 0);
