// A second file that includes the umbrella, linked into every test program: a definition that is not inline
// in a header fails to link there.
#include "odr/shared.hpp"

namespace hence_test {

const void* address_seen_by_second_file() { return reinterpret_cast<const void*>(&hence::available_processors); }

}  // namespace hence_test
