// A GGUF set of up to three files of any bytes: what opens can be read through, each tensor once.
#include <hence/io/gguf.hpp>

#include "file_set.hpp"
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static hence_fuzz::file_set files;
    constexpr std::string_view names[] = {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "m-00001-of-00003.gguf",
                                          "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"};
    files.write(hence_fuzz::text(data, size), names);
    for (const std::string_view first : {names[0], names[2]}) {
        const auto opened = hence::gguf_file::open(files.folder() + "/" + std::string(first));
        if (!opened) {
            hence_fuzz::check(opened.error());
            continue;
        }
        for (const hence::gguf_tensor& tensor : opened->tensors()) {
            hence_fuzz::touch(tensor.data);
            HENCE_FUZZ_REQUIRE(opened->find_tensor(tensor.name) == &tensor);
            HENCE_FUZZ_REQUIRE(tensor.data.size() ==
                               hence::row_bytes(tensor.type, static_cast<std::size_t>(tensor.elements())));
        }
    }
    return 0;
}
