// A walk through the library that needs no test framework and no exceptions.
//
// The packaging, mixed-flag and no-exceptions tests compile it under their own flags and compare what it
// returns. Everything is in an unnamed namespace: each file keeps its own copy.
#ifndef HENCE_TESTS_SUPPORT_WALK_HPP
#define HENCE_TESTS_SUPPORT_WALK_HPP

#include <hence/hence.hpp>

#include <cstddef>
#include <string>

namespace {

#define HENCE_TEST_TEXT2(x) #x
#define HENCE_TEST_TEXT(x) HENCE_TEST_TEXT2(x)

/// The ABI key that this file was compiled under.
inline const char* walk_abi() { return HENCE_TEST_TEXT(HENCE_ABI); }

/// What the library says about one input; the same under every build.
inline std::string walk() {
    std::string said;
    const hence::result<hence::gguf_file> absent = hence::gguf_file::open("no such file.gguf");
    said += absent.has_value() ? "opened" : absent.error().message();
    said += '\n';
    const hence::result<hence::gguf_file> empty = hence::gguf_file::from_bytes({});
    said += empty.has_value() ? "opened" : empty.error().message();
    said += '\n';

    hence::spin_team team(2);
    int visits[2] = {0, 0};
    team.each([&](const hence::worker& self) { ++visits[self.index]; });
    said += std::to_string(visits[0] + visits[1]) + " workers\n";
    return said;
}

}  // namespace

#endif
