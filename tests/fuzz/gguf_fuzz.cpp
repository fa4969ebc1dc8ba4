// Any bytes as a GGUF file: what opens can be read through and through, and copies to a file that opens.
#include <hence/io/gguf_writer.hpp>

#include "fuzz.hpp"

namespace {

template <class T>
void read_as(const hence::gguf_file& file, const hence::gguf_entry& entry) {
    const auto value = file.get_if<T>(entry.key);
    if (!value) return hence_fuzz::check(value.error());
    HENCE_FUZZ_REQUIRE(value->has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::byte> bytes = hence_fuzz::copy(data, size);
    const auto opened = hence::gguf_file::from_bytes(bytes, "fuzz");
    if (!opened) {
        hence_fuzz::check(opened.error());
        return 0;
    }
    hence::gguf_writer writer;
    for (const hence::gguf_entry& entry : opened->metadata()) {
        hence_fuzz::touch(entry.data);
        HENCE_FUZZ_REQUIRE(!hence::to_text(entry).empty());
        HENCE_FUZZ_REQUIRE(opened->find(entry.key) == &entry);
        read_as<bool>(*opened, entry);
        read_as<std::int32_t>(*opened, entry);
        read_as<std::uint64_t>(*opened, entry);
        read_as<float>(*opened, entry);
        read_as<std::string>(*opened, entry);
        read_as<std::vector<std::string>>(*opened, entry);
        read_as<std::vector<float>>(*opened, entry);
        read_as<std::vector<std::int32_t>>(*opened, entry);
        writer.add(entry);
    }
    for (const hence::gguf_tensor& tensor : opened->tensors()) {
        hence_fuzz::touch(tensor.data);
        HENCE_FUZZ_REQUIRE(opened->find_tensor(tensor.name) == &tensor);
        HENCE_FUZZ_REQUIRE(tensor.data.size() ==
                           hence::row_bytes(tensor.type, static_cast<std::size_t>(tensor.elements())));
        HENCE_FUZZ_REQUIRE(writer.add_tensor(tensor.name, tensor.type, tensor.shape, tensor.data).has_value());
    }
    const auto copied = writer.to_bytes();
    HENCE_FUZZ_REQUIRE(copied.has_value());
    const auto again = hence::gguf_file::from_bytes(*copied, "copy");
    HENCE_FUZZ_REQUIRE(again.has_value());
    HENCE_FUZZ_REQUIRE(again->metadata().size() == opened->metadata().size());
    HENCE_FUZZ_REQUIRE(again->tensors().size() == opened->tensors().size());
    return 0;
}
