// What this machine can do at most, measured: the denominators of a roofline.
//
// Bytes of weights and cache that must come from memory bound a forward step, and products of bytes or floats. All are
// measured with a team of threads, by loops that do nothing else.
#ifndef HENCE_EXAMPLES_CLI_MACHINE_LIMITS_HPP
#define HENCE_EXAMPLES_CLI_MACHINE_LIMITS_HPP

#include <hence/sys/cpu.hpp>
#include <hence/sys/thread_team.hpp>

namespace tool {

struct machine_limits {
    double bytes_per_second = 0;   ///< read from memory, far beyond any cache
    double int8_per_second = 0;    ///< 8-bit operations, two a product; 0: not known for this tier
    double f32_per_second = 0;     ///< the same of floats; 0: not known for this tier
    const char* instruction = "";  ///< what the 8-bit loop is made of
};

/// The limits of a tier's instructions, the best of several tries; takes about half a second.
[[nodiscard]] machine_limits measure_limits(hence::isa tier, hence::thread_team& team);

/// The first of the two alone.
[[nodiscard]] double measure_read_bandwidth(hence::thread_team& team);

}  // namespace tool

#endif
