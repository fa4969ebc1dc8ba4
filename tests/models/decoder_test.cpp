// Loading decoders: what is accepted, what is refused and how it is said. What they compute: tests/golden.
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <hence/generate/causal_lm.hpp>
#include <hence/io/gguf_writer.hpp>
#include <hence/kernels/pack.hpp>
#include <hence/models/architectures.hpp>
#include <hence/models/decoder.hpp>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

static_assert(hence::causal_lm<hence::decoder>);

namespace {

constexpr const char* shipped = "models/tiny-reasoner/tiny-reasoner-q8_0.gguf";
constexpr const char* plain = "golden/tiny/format-f32.gguf";

// A file with some tensors or entries changed on the way.
struct change {
    std::string leave_out = {};                      // this tensor
    std::string rename = {}, to = {};                // a tensor
    std::string reshape = {};                        // loses its last row
    std::string spoil = {};                          // its first value becomes NaN
    std::string key = {}, text = {};                 // an entry's text
    std::string number_key = {};
    std::uint32_t number = 0;
};

std::vector<std::byte> changed(const std::filesystem::path& path, const std::vector<change>& changes) {
    const auto file = hence::gguf_file::open(path.string()).value();
    hence::gguf_writer writer;
    for (const hence::gguf_entry& entry : file.metadata()) {
        bool written = false;
        for (const change& c : changes) {
            if (entry.key == c.key) writer.add(c.key, c.text);
            else if (entry.key == c.number_key) writer.add(c.number_key, c.number);
            else continue;
            written = true;
        }
        if (!written) writer.add(entry);
    }
    std::vector<std::vector<std::byte>> copies;
    copies.reserve(file.tensors().size());
    for (const hence::gguf_tensor& tensor : file.tensors()) {
        std::string name = tensor.name;
        std::vector<std::int64_t> shape = tensor.shape;
        copies.emplace_back(tensor.data.begin(), tensor.data.end());
        std::vector<std::byte>& bytes = copies.back();
        bool out = false;
        for (const change& c : changes) {
            out = out || name == c.leave_out;
            if (name == c.reshape) {
                bytes.erase(bytes.end() - static_cast<std::ptrdiff_t>(bytes.size() / static_cast<std::size_t>(shape[0])), bytes.end());
                --shape[0];
            }
            if (name == c.spoil) {
                const float nan = std::numeric_limits<float>::quiet_NaN();
                std::memcpy(bytes.data(), &nan, sizeof nan);
            }
            if (name == c.rename) name = c.to;
        }
        if (!out) writer.add_tensor(name, tensor.type, shape, bytes).value();
    }
    return writer.to_bytes().value();
}

std::string refusal(const std::filesystem::path& path, const std::vector<change>& changes) {
    const std::vector<std::byte> bytes = changed(path, changes);
    const auto model = hence::load(bytes);
    REQUIRE_FALSE(model.has_value());
    return model.error().message();
}

bool says(const std::string& message, const std::string& part) {
    UNSCOPED_INFO(message);
    return message.find(part) != std::string::npos;
}

std::vector<float> logits_of(const hence::decoder& model, std::vector<hence::token_id> ids) {
    hence::serial_team team;
    const hence::kv_layout layout = model.cache_layout();
    struct alignas(64) line {
        std::byte bytes[64];
    };
    std::vector<line> page(layout.page_bytes() / sizeof(line) + 1);
    std::byte* pages[] = {page.data()->bytes};
    const hence::page_table table{pages, 1};
    auto workspace = model.make_workspace({ids.size(), 1, 1, nullptr});
    std::vector<hence::step_row> rows;
    for (std::size_t i = 0; i < ids.size(); ++i)
        rows.push_back({ids[i], static_cast<std::int32_t>(i), 0, i + 1 == ids.size() ? 0 : -1});
    std::vector<float> logits(model.vocabulary_size());
    model.forward({rows, {&table, 1}, layout, logits.data(), logits.size(), 1}, workspace, team);
    return logits;
}

}  // namespace

TEST_CASE("a model says what it is") {
    HENCE_REQUIRE_DATA(path, shipped);
    const hence::decoder model = hence::load(path.string()).value();
    CHECK(model.config().architecture == "llama");
    CHECK(model.config().layers == 6);
    CHECK(model.config().width == 192);
    CHECK(model.vocabulary_size() == 128);
    CHECK(model.context_length() == 256);
    CHECK(model.tokenizer().size() == 128);
    // README of the model: 2.4 million values; Q8_0 takes 34 bytes for 32 of them.
    CHECK(model.parameters() > 2'300'000);
    CHECK(model.parameters() < 2'500'000);
    CHECK(model.weight_bytes() > model.parameters());
    CHECK(model.cache_layout().token_bytes() == 6 * 1 * (64 + 64) * 4);
    CHECK(model.cache_layout(hence::dtype::f16).token_bytes() == 6 * 1 * (64 + 64) * 2);
    CHECK(model.cache_layout(hence::dtype::bf16).token_bytes() == 6 * 1 * (64 + 64) * 2);
    CHECK(model.cache_layout(hence::dtype::i8).token_bytes() == 6 * 1 * (64 + 64 + 2 * 4));
    const hence::decoder expanded = hence::load(path.string(), {.tier = {}, .math = hence::math::dequantized}).value();
    CHECK(expanded.weight_bytes() > 3 * model.weight_bytes());
}

TEST_CASE("a file in memory is the model that the file on disk is") {
    for (const char* name : {shipped, plain}) {
        HENCE_REQUIRE_DATA(path, name);
        const std::string text = hence_test::read_file(path);
        const hence::decoder disk = hence::load(path.string()).value();
        const hence::decoder memory = hence::load(std::as_bytes(std::span(text))).value();
        CHECK(logits_of(disk, {1, 2, 3, 4}) == logits_of(memory, {1, 2, 3, 4}));
        // Nothing in the format promises an address.
        const std::string shifted = "x" + text;
        const hence::decoder unaligned = hence::load(std::as_bytes(std::span(shifted)).subspan(1)).value();
        CHECK(logits_of(disk, {1, 2, 3, 4}) == logits_of(unaligned, {1, 2, 3, 4}));
    }
}

TEST_CASE("a model outlives the file that it was loaded from") {
    HENCE_REQUIRE_DATA(path, plain);
    const hence_test::temporary_folder folder;
    const std::string copy = folder.file("copy.gguf");
    std::filesystem::copy_file(path, copy);
    const hence::decoder model = hence::load(copy).value();
    std::filesystem::remove(copy);
    CHECK(logits_of(model, {5, 6}) == logits_of(hence::load(path.string()).value(), {5, 6}));
}

TEST_CASE("tiers: the one asked for, or an error that lists those there are") {
    HENCE_REQUIRE_DATA(path, shipped);
    for (std::size_t i = 0; i < hence::isa_count; ++i) {
        const auto tier = static_cast<hence::isa>(i);
        const auto model = hence::load(path.string(), {.tier = tier});
        INFO(hence::name(tier));
        if (hence::kernels::compiled(tier) && hence::supported(tier)) {
            REQUIRE(model.has_value());
            CHECK(model->tier() == tier);
        } else {
            REQUIRE_FALSE(model.has_value());
            CHECK(model.error().code == hence::errc::unsupported);
            CHECK(says(model.error().message(), "scalar"));
        }
    }
}

TEST_CASE("an unsupported architecture is refused by name, with the list of supported ones") {
    HENCE_REQUIRE_DATA(path, shipped);
    const std::string message = refusal(path, {{.key = "general.architecture", .text = "mamba"}});
    CHECK(says(message, "mamba"));
    for (const hence::architecture& known : hence::models::supported_architectures()) CHECK(says(message, std::string(known.name)));
}

TEST_CASE("missing and misshapen tensors are all named, with what was expected") {
    HENCE_REQUIRE_DATA(path, plain);
    const std::string message = refusal(path, {{.leave_out = "blk.0.attn_q.weight"},
                                               {.leave_out = "output_norm.weight"},
                                               {.rename = "blk.1.ffn_norm.weight", .to = "blk.1.ffn_form.weight"},
                                               {.reshape = "blk.1.ffn_down.weight"}});
    for (const char* part : {"blk.0.attn_q.weight", "output_norm.weight", "blk.1.ffn_norm.weight", "blk.1.ffn_down.weight", "expected", "found"})
        CHECK(says(message, part));
}

TEST_CASE("norm weights that are no numbers are refused by name") {
    HENCE_REQUIRE_DATA(path, plain);
    const std::string message = refusal(path, {{.spoil = "blk.1.attn_norm.weight"}});
    CHECK(says(message, "blk.1.attn_norm.weight"));
    CHECK(says(message, "nan"));
}

TEST_CASE("sizes in the metadata that do not fit are refused by key") {
    HENCE_REQUIRE_DATA(path, plain);
    for (const char* key : {"llama.block_count", "llama.embedding_length", "llama.attention.head_count", "llama.feed_forward_length", "llama.context_length"}) {
        for (const std::uint32_t value : {0u, 0x7fffffffu, 0xffffffffu}) {
            const std::vector<std::byte> bytes = changed(path, {{.number_key = key, .number = value}});
            const auto model = hence::load(bytes);
            INFO(key << " = " << value);
            // A long context is only a promise and takes no memory to keep.
            if (std::string(key) == "llama.context_length" && value == 0x7fffffffu) continue;
            CHECK_FALSE(model.has_value());
        }
    }
    CHECK(says(refusal(path, {{.number_key = "llama.attention.head_count_kv", .number = 3}}), "head_count_kv"));
}

TEST_CASE("a tokenizer that is not known is refused by name") {
    HENCE_REQUIRE_DATA(path, plain);
    CHECK(says(refusal(path, {{.key = "tokenizer.ggml.pre", .text = "klingon"}}), "klingon"));
    CHECK(says(refusal(path, {{.key = "tokenizer.ggml.model", .text = "rwkv"}}), "rwkv"));
}

TEST_CASE("a log hears what was loaded, and which formats have no kernel") {
    using lines = std::vector<std::pair<hence::log_level, std::string>>;
    lines heard;
    const hence::log_sink log{&heard, [](void* context, hence::log_level level, std::string_view message) {
                                  static_cast<lines*>(context)->emplace_back(level, message);
                              }};
    HENCE_REQUIRE_DATA(q8, "golden/tiny/format-q8_0.gguf");
    REQUIRE(hence::load(q8.string(), {.tier = hence::isa::scalar, .log = log}).has_value());
    REQUIRE(heard.size() == 1);
    REQUIRE(heard[0].first == hence::log_level::info);
    REQUIRE(heard[0].second.find("format-q8_0.gguf: llama, ") != std::string::npos);
    REQUIRE(heard[0].second.find("packed for scalar") != std::string::npos);

    heard.clear();
    HENCE_REQUIRE_DATA(nl, "golden/tiny/format-iq4_nl.gguf");
    REQUIRE(hence::load(nl.string(), {.tier = {}, .log = log}).has_value());
    if (!hence::kernels::exact_packing(hence::dtype::iq4_nl)) {
        REQUIRE(heard.size() == 2);
        REQUIRE(heard[0].first == hence::log_level::warning);
        REQUIRE(heard[0].second.find("iq4_nl") != std::string::npos);
    }
}
