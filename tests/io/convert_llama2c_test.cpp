// examples/convert_llama2c: real checkpoints convert to files whose tensors are the checkpoint's bytes, and
// damaged ones are refused.
#include "../../examples/convert_llama2c/llama2c.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <cstring>
#include <fstream>
#include <numeric>

namespace {

/// A checkpoint with every weight different: dim 4, hidden 6, 2 layers, 2 heads, 1 kv head, seq_len 3.
std::vector<float> tiny_checkpoint(std::int32_t vocabulary) {
    const std::int32_t header[7] = {4, 6, 2, 2, 1, vocabulary, 3};
    const std::size_t v = static_cast<std::size_t>(std::abs(vocabulary));
    const std::size_t floats =
        v * 4 + 2 * (4 + 16 + 8 + 8 + 16 + 4 + 24 + 24 + 24) + 4 + 3 * 2 + (vocabulary < 0 ? v * 4 : 0);
    std::vector<float> file(7 + floats);
    std::iota(file.begin() + 7, file.end(), 0.0f);
    std::memcpy(file.data(), header, sizeof header);
    return file;
}

void save(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}
void save(const std::string& path, const std::vector<float>& values) {
    save(path, std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * 4));
}

float first_of(const hence::gguf_file& file, std::string_view tensor) {
    const hence::gguf_tensor* found = file.find_tensor(tensor);
    REQUIRE(found != nullptr);
    float value;
    std::memcpy(&value, found->data.data(), sizeof value);
    return value;
}

const std::string three_tokens = "<unk>\t0\n<s>\t0\n</s>\t-1.5\n";

}  // namespace

TEST_CASE("every matrix of a llama2.c file lands under its GGUF name, tied or not") {
    const hence_test::temporary_folder folder;
    save(folder.file("t.vocab"), three_tokens);
    for (const std::int32_t vocabulary : {3, -3}) {
        save(folder.file("m.bin"), tiny_checkpoint(vocabulary));
        const auto made = llama2c::convert(folder.file("m.bin"), folder.file("t.vocab"), folder.file("m.gguf"));
        INFO((made ? std::string() : made.error().message()));
        REQUIRE(made.has_value());
        const auto file = hence::gguf_file::open(folder.file("m.gguf")).value();
        CHECK(first_of(file, "token_embd.weight") == 0);
        CHECK(first_of(file, "blk.0.attn_norm.weight") == 12);
        CHECK(first_of(file, "blk.1.attn_norm.weight") == 16);
        CHECK(first_of(file, "blk.0.attn_q.weight") == 20);
        CHECK(first_of(file, "blk.0.attn_k.weight") == 52);
        CHECK(first_of(file, "blk.1.attn_v.weight") == 76);
        CHECK(first_of(file, "blk.0.attn_output.weight") == 84);
        CHECK(first_of(file, "blk.0.ffn_norm.weight") == 116);
        CHECK(first_of(file, "blk.0.ffn_gate.weight") == 124);
        CHECK(first_of(file, "blk.0.ffn_down.weight") == 172);
        CHECK(first_of(file, "blk.0.ffn_up.weight") == 220);
        CHECK(first_of(file, "output_norm.weight") == 268);
        CHECK(file.find_tensor("blk.0.ffn_down.weight")->shape == std::vector<std::int64_t>{4, 6});
        CHECK((file.find_tensor("output.weight") != nullptr) == (vocabulary < 0));
        if (vocabulary < 0) CHECK(first_of(file, "output.weight") == 278);
        CHECK(file.get<std::uint32_t>("llama.rope.dimension_count").value() == 2);
        CHECK(file.get<std::vector<float>>("tokenizer.ggml.scores").value() == std::vector<float>{0, 0, -1.5f});
        CHECK(file.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type").value() ==
              std::vector<std::int32_t>{2, 3, 3});
    }
}

TEST_CASE("llama2.c files that contradict their header are refused, and nothing is written") {
    const hence_test::temporary_folder folder;
    save(folder.file("t.vocab"), three_tokens);
    const auto refused = [&](const std::vector<float>& checkpoint, std::string_view part) {
        save(folder.file("m.bin"), checkpoint);
        const auto made = llama2c::convert(folder.file("m.bin"), folder.file("t.vocab"), folder.file("m.gguf"));
        REQUIRE_FALSE(made.has_value());
        INFO(made.error().message());
        CHECK(made.error().message().find(part) != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(folder.file("m.gguf")));
    };
    const auto with = [](std::size_t field, std::int32_t value) {
        std::vector<float> checkpoint = tiny_checkpoint(3);
        std::memcpy(checkpoint.data() + field, &value, sizeof value);
        return checkpoint;
    };
    refused(std::vector<float>(6), "28 bytes");
    refused(with(0, 0x616b3432), "version");
    refused(with(0, 0), "dim");
    refused(with(1, -1), "hidden_dim");
    refused(with(2, 1 << 24), "n_layers");
    refused(with(3, 3), "a divisor of dim");
    refused(with(3, 4), "even");
    refused(with(4, 2), "bytes, by its header");
    refused(with(5, std::numeric_limits<std::int32_t>::min()), "vocab_size");
    refused(with(5, 4), "the model's 4 tokens");
    refused(with(6, 4), "bytes, by its header");
    std::vector<float> cut = tiny_checkpoint(3);
    cut.pop_back();
    refused(cut, "found 1136");
    save(folder.file("t.vocab"), "<unk>\t0\nno score\n</s>\t0\n");
    refused(tiny_checkpoint(3), "line 2");
}

TEST_CASE("a tokenizer.bin cut anywhere or too long is refused") {
    std::string file = std::string("\1\0\0\0", 4);
    for (const char* text : {"a", "b c"}) {
        const float score = 1;
        const auto length = static_cast<std::int32_t>(std::strlen(text));
        file.append(reinterpret_cast<const char*>(&score), 4).append(reinterpret_cast<const char*>(&length), 4);
        file += text;
    }
    const auto read = [](std::string_view bytes, std::uint32_t vocabulary) {
        return llama2c::read_tokenizer(std::as_bytes(std::span(bytes)), vocabulary, "t");
    };
    const auto whole = read(file, 2);
    REQUIRE(whole.has_value());
    CHECK((*whole)[1].text ==
          "b\xe2\x96\x81"
          "c");
    for (std::size_t length = 0; length < file.size(); ++length)
        CHECK_FALSE(read(file.substr(0, length), 2).has_value());
    CHECK_FALSE(read(file, 1).has_value());
    CHECK_FALSE(read(file, 3).has_value());
}

TEST_CASE("stories260K and babyllama convert, with the sizes their makers publish") {
    const hence_test::temporary_folder folder;
    HENCE_REQUIRE_DATA(stories, "models/stories260K");
    const auto made = llama2c::convert((stories / "stories260K.bin").string(), (stories / "tok512.bin").string(),
                                       folder.file("s.gguf"));
    REQUIRE(made.has_value());
    CHECK(made->width == 64);
    CHECK(made->kv_heads == 4);
    const auto file = hence::gguf_file::open(folder.file("s.gguf")).value();
    CHECK(file.tensors().size() == 2 + 5 * 9);
    const auto tokens = file.get<std::vector<std::string>>("tokenizer.ggml.tokens").value();
    const auto types = file.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type").value();
    CHECK(tokens[1] == "<s>");
    CHECK(tokens[259] == "\xe2\x96\x81t");
    CHECK(types[3] == 6);
    CHECK(types[258] == 6);
    CHECK(types[259] == 1);

    HENCE_REQUIRE_DATA(baby, "models/babyllama-tok105");
    const auto second =
        llama2c::convert((baby / "model5000.bin").string(), (baby / "tok105.vocab").string(), folder.file("b.gguf"));
    REQUIRE(second.has_value());
    CHECK(second->vocabulary == 105);
}
