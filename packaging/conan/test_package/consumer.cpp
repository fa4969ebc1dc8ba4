// Prints the version and what the packaged library says about a file that does not exist.
#include <hence/hence.hpp>

#include <cstdio>

int main() {
    const auto absent = hence::gguf_file::open("no such file.gguf");
    if (absent) return 1;
    std::printf("hence %s: %s\n", HENCE_VERSION_STRING, absent.error().message().c_str());
    return absent.error().code == hence::errc::file_not_found ? 0 : 1;
}
