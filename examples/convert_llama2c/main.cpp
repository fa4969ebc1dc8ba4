// convert_llama2c MODEL.bin TOKENIZER OUT.gguf: makes a llama2.c checkpoint a file that hence opens.
//
//     convert_llama2c stories260K.bin tok512.bin stories260K.gguf
//     convert_llama2c model5000.bin tok105.vocab babyllama.gguf
#include "llama2c.hpp"

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr,
                     "usage: convert_llama2c MODEL.bin TOKENIZER OUT.gguf\n"
                     "  MODEL.bin  a llama2.c checkpoint, version 0\n"
                     "  TOKENIZER  its tokenizer.bin, or a SentencePiece .vocab\n");
        return 2;
    }
    const hence::result<llama2c::shape> made = llama2c::convert(argv[1], argv[2], argv[3]);
    if (!made) {
        std::fprintf(stderr, "%s\n", made.error().message().c_str());
        return 1;
    }
    std::printf("%s: %u layers of width %u, %u heads (%u kv), vocabulary %u, context %u\n", argv[3], made->layers,
                made->width, made->heads, made->kv_heads, made->vocabulary, made->context);
    return 0;
}
