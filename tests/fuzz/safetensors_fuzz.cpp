// Any bytes as a safetensors file: what opens covers the data exactly and copies to a file that opens.
#include <hence/io/safetensors.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::byte> bytes = hence_fuzz::copy(data, size);
    const auto opened = hence::safetensors_file::from_bytes(bytes, "fuzz");
    if (!opened) {
        hence_fuzz::check(opened.error());
        return 0;
    }
    hence::safetensors_writer writer;
    for (const auto& [key, value] : opened->metadata()) writer.add(key, value);
    std::size_t covered = 0;
    for (const hence::file_tensor& tensor : opened->tensors()) {
        hence_fuzz::touch(tensor.data);
        covered += tensor.data.size();
        HENCE_FUZZ_REQUIRE(opened->find_tensor(tensor.name) == &tensor);
        HENCE_FUZZ_REQUIRE(tensor.data.size() ==
                           hence::row_bytes(tensor.type, static_cast<std::size_t>(tensor.elements())));
        HENCE_FUZZ_REQUIRE(writer.add_tensor(tensor.name, tensor.type, tensor.shape, tensor.data).has_value());
    }
    HENCE_FUZZ_REQUIRE(covered < size);
    const auto copied = writer.to_bytes();
    HENCE_FUZZ_REQUIRE(copied.has_value());
    const auto again = hence::safetensors_file::from_bytes(*copied, "copy");
    HENCE_FUZZ_REQUIRE(again.has_value());
    HENCE_FUZZ_REQUIRE(again->tensors().size() == opened->tensors().size());
    return 0;
}
