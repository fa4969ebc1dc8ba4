// The files that are a part of the program, so that it answers wherever it is copied to: the model that ships, and the
// puzzles of the Game of 24.
#include "common.hpp"

#if defined(__APPLE__)
#define HENCE_TOOL_SECTION ".const_data"
#define HENCE_TOOL_SYMBOL(name) "_" name
#else
#define HENCE_TOOL_SECTION ".section .rodata"
#define HENCE_TOOL_SYMBOL(name) name
#endif

// A file's bytes under a name, and NAME_end after them.
#define HENCE_TOOL_FILE(name, path)              \
    asm(HENCE_TOOL_SECTION "\n"                  \
        ".balign 64\n"                           \
        ".globl " HENCE_TOOL_SYMBOL(name) "\n"   \
        HENCE_TOOL_SYMBOL(name) ":\n"            \
        ".incbin \"" HENCE_EXAMPLES_DIR path "\"\n" \
        ".globl " HENCE_TOOL_SYMBOL(name) "_end\n" \
        HENCE_TOOL_SYMBOL(name) "_end:\n"        \
        ".byte 0\n"                              \
        ".text\n")

HENCE_TOOL_FILE("hence_tool_model", "/models/tiny-reasoner/tiny-reasoner-q8_0.gguf");
HENCE_TOOL_FILE("hence_tool_puzzles", "/data/game24/24.csv");

extern "C" const std::byte hence_tool_model[];
extern "C" const std::byte hence_tool_model_end[];
extern "C" const char hence_tool_puzzles[];
extern "C" const char hence_tool_puzzles_end[];

namespace tool {

std::span<const std::byte> shipped_model() { return {hence_tool_model, hence_tool_model_end}; }

std::string_view shipped_puzzles() { return {hence_tool_puzzles, static_cast<std::size_t>(hence_tool_puzzles_end - hence_tool_puzzles)}; }

}  // namespace tool
