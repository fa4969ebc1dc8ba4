// The model that ships, as a part of the program: the tool answers wherever it is copied to.
#include "common.hpp"

#if defined(__APPLE__)
#define HENCE_TOOL_SECTION ".const_data"
#define HENCE_TOOL_SYMBOL "_hence_tool_model"
#else
#define HENCE_TOOL_SECTION ".section .rodata"
#define HENCE_TOOL_SYMBOL "hence_tool_model"
#endif

asm(HENCE_TOOL_SECTION "\n"
    ".balign 64\n"
    ".globl " HENCE_TOOL_SYMBOL "\n"
    HENCE_TOOL_SYMBOL ":\n"
    ".incbin \"" HENCE_EXAMPLES_DIR "/models/tiny-reasoner/tiny-reasoner-q8_0.gguf\"\n"
    ".globl " HENCE_TOOL_SYMBOL "_end\n"
    HENCE_TOOL_SYMBOL "_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" const std::byte hence_tool_model[];
extern "C" const std::byte hence_tool_model_end[];

namespace tool {

std::span<const std::byte> shipped_model() { return {hence_tool_model, hence_tool_model_end}; }

}  // namespace tool
