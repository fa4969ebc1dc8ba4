// Two files with the whole library in each: they link, and an inline function is one function to both.
#include "odr/shared.hpp"

#include <cstdio>

int main() {
    const void* here = reinterpret_cast<const void*>(&hence::available_processors);
    if (here != hence_test::address_seen_by_second_file()) {
        std::fputs("hence::available_processors has two addresses in one program\n", stderr);
        return 1;
    }
    std::puts("one definition in two files");
    return 0;
}
