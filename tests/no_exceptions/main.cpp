// The library without exceptions and run-time type information: errors are results, and value() on an
// error ends in the handler that the program named.
#include <hence/fwd.hpp>

[[noreturn]] void on_failure(const hence::error& error);
#define HENCE_FAILURE_HANDLER ::on_failure

#include "support/walk.hpp"

#include <cstdio>
#include <cstdlib>

#if defined(__cpp_exceptions) || defined(__GXX_RTTI)
#error "this test is compiled with -fno-exceptions -fno-rtti"
#endif

namespace {
bool failure_is_expected = false;
}

void on_failure(const hence::error& error) {
    std::printf("handler: %s\n", error.message().c_str());
    std::exit(failure_is_expected && error.code == hence::errc::file_not_found ? 0 : 1);
}

int main() {
    const std::string said = walk();
    std::fputs(said.c_str(), stdout);
    if (said.find("no such file.gguf") == std::string::npos) return 1;
    failure_is_expected = true;
    static_cast<void>(hence::gguf_file::open("no such file.gguf").value());
    return 1;
}
