#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <hence/compress/perplexity.hpp>
#include <hence/compress/quantize.hpp>
#include <hence/io/gguf_writer.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

using namespace hence;

namespace {

std::string head_of(const std::filesystem::path& path, std::size_t bytes) { return hence_test::read_file(path).substr(0, bytes); }

double perplexity_of(const gguf_file& file, const compress::quantize_options& how, const std::string& text) {
    const auto made = compress::quantize(file, how).value();
    const std::vector<std::byte> bytes = compress::to_bytes(made, file).value();
    return compress::perplexity(load(bytes).value(), text).value().perplexity;
}

// A file with one tensor changed.
std::vector<std::byte> with_float(const gguf_file& file, const std::string& name, std::size_t index, float value) {
    gguf_writer writer;
    std::vector<std::byte> changed;
    for (const gguf_entry& entry : file.metadata()) writer.add(entry);
    for (const gguf_tensor& t : file.tensors()) {
        if (t.name == name) {
            changed.assign(t.data.begin(), t.data.end());
            std::memcpy(changed.data() + 4 * index, &value, 4);
        }
        writer.add_tensor(t.name, t.type, t.shape, t.name == name ? std::span<const std::byte>(changed) : t.data).value();
    }
    return writer.to_bytes().value();
}

}  // namespace

TEST_CASE("a whole file in q8_0 is another engine's, tensor by tensor") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    HENCE_REQUIRE_DATA(to, "golden/tiny/format-q8_0.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    const gguf_file expected = gguf_file::open(to.string()).value();
    const auto made = compress::quantize(source, {.threads = 2}).value();
    REQUIRE(made.tensors.size() == expected.tensors().size());
    REQUIRE_FALSE(made.extended);
    for (const compress::compressed_tensor& t : made.tensors) {
        const gguf_tensor* other = expected.find_tensor(t.name);
        REQUIRE(other != nullptr);
        REQUIRE(t.type == other->type);
        REQUIRE(std::equal(t.data.begin(), t.data.end(), other->data.begin(), other->data.end()));
    }
    for (const compress::tensor_report& r : made.reports) {
        if (r.to != dtype::q8_0) continue;
        CHECK(r.error.cosine() > 0.999);
        CHECK(r.error.sqnr_db() > 35.0);
        CHECK(r.bytes_after * 32 == r.elements * 34);
    }
}

TEST_CASE("rows that are no whole blocks get a format that fits them, and the report says so") {
    HENCE_REQUIRE_DATA(from, "models/tiny-reasoner/tiny-reasoner-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    const auto made = compress::quantize(source, {.type = dtype::q4_k, .keep = {"blk.0.ffn_up.weight"}}).value();
    for (const compress::tensor_report& r : made.reports) {
        if (r.name == "blk.1.ffn_down.weight") CHECK(r.to == dtype::q4_k);  // 512 columns
        if (r.name == "blk.1.attn_q.weight") {                              // 192 columns
            CHECK(r.to == dtype::q5_0);
            CHECK(r.note.find("192") != std::string::npos);
        }
        if (r.name == "blk.0.ffn_up.weight") {
            CHECK(r.to == dtype::f32);
            CHECK(r.note == "kept");
        }
    }
}

TEST_CASE("int8 weights and activations cost less than one percent of perplexity") {
    HENCE_REQUIRE_DATA(from, "models/tiny-reasoner/tiny-reasoner-f32.gguf");
    HENCE_REQUIRE_DATA(calibration, "models/tiny-reasoner/calibration.txt");
    HENCE_REQUIRE_DATA(heldout, "models/tiny-reasoner/heldout.txt");
    const gguf_file source = gguf_file::open(from.string()).value();
    const std::string text = head_of(heldout, 8000);
    const std::string learn = head_of(calibration, 4000);
    const double exact = compress::perplexity(decoder::from_gguf(source).value(), text).value().perplexity;
    CHECK(perplexity_of(source, {.type = dtype::i8}, text) < 1.01 * exact);
    CHECK(perplexity_of(source, {.type = dtype::i8, .calibration = learn, .smooth = 0.5f}, text) < 1.01 * exact);
    CHECK(perplexity_of(source, {.type = dtype::i8, .calibration = learn, .smooth = 0.5f, .fixed_activations = true}, text) < 1.02 * exact);
    CHECK(perplexity_of(source, {.type = dtype::q8_0}, text) < 1.005 * exact);
}

TEST_CASE("with a calibration text four bits lose at least a fifth less") {
    HENCE_REQUIRE_DATA(from, "models/tiny-reasoner/tiny-reasoner-f32.gguf");
    HENCE_REQUIRE_DATA(calibration, "models/tiny-reasoner/calibration.txt");
    HENCE_REQUIRE_DATA(heldout, "models/tiny-reasoner/heldout.txt");
    const gguf_file source = gguf_file::open(from.string()).value();
    const std::string text = head_of(heldout, 12000);
    const std::string learn = head_of(calibration, 8000);
    const double exact = compress::perplexity(decoder::from_gguf(source).value(), text).value().perplexity;
    // q4_0, whose plain rounding costs the most: what the finer formats lose here is less than another text would change.
    const double nearest = perplexity_of(source, {.type = dtype::q4_0}, text) - exact;
    const double compensated =
        perplexity_of(source, {.type = dtype::q4_0, .method = compress::quantize_method::gptq, .calibration = learn}, text) - exact;
    CHECK(nearest > 0);
    CHECK(compensated < 0.8 * nearest);
}

TEST_CASE("rescaled models compute the same function before rounding") {
    // Rescaling happens before rounding to 8 bits: what is left of the difference is that rounding's.
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    std::string text;
    while (text.size() < 1500) text += "one two three " + std::to_string(text.size()) + ". ";
    const double exact = compress::perplexity(decoder::from_gguf(source).value(), text).value().perplexity;
    const double scaled = perplexity_of(
        source, {.type = dtype::q8_0, .method = compress::quantize_method::awq_gptq, .calibration = text, .reading = {.window = 64}}, text);
    CHECK(std::fabs(scaled / exact - 1.0) < 0.01);
}

TEST_CASE("bad input is refused with its place, before anything is written") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    HENCE_REQUIRE_DATA(already, "golden/tiny/format-q4_0.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    const auto refused = [](const gguf_file& file, const compress::quantize_options& how) { return compress::quantize(file, how).error(); };

    const std::vector<std::byte> bytes = with_float(source, "blk.1.ffn_up.weight", 256 + 5, std::numeric_limits<float>::quiet_NaN());
    const gguf_file bad = gguf_file::from_bytes(bytes).value();
    const error nan = refused(bad, {});
    CHECK(nan.code == errc::not_a_number);
    CHECK(nan.tensor_name == "blk.1.ffn_up.weight");
    CHECK(nan.message().find("row 1, column 5") != std::string::npos);

    const gguf_file quantized = gguf_file::open(already.string()).value();
    const error twice = refused(quantized, {});
    CHECK(twice.code == errc::unsupported);
    CHECK(twice.message().find("already quantized") != std::string::npos);
    CHECK(compress::quantize(quantized, {.requantize = true}));

    CHECK(refused(source, {.type = dtype::iq4_xs}).code == errc::unsupported);
    CHECK(refused(source, {.embedding = dtype::i8}).code == errc::unsupported);
    CHECK(refused(source, {.type = dtype::q4_0, .method = compress::quantize_method::gptq}).code == errc::invalid_argument);
    CHECK(refused(source, {.type = dtype::q4_0, .smooth = 0.5f}).code == errc::invalid_argument);
    const error brief = refused(source, {.type = dtype::q4_0, .method = compress::quantize_method::gptq, .calibration = "too short"});
    CHECK(brief.code == errc::invalid_argument);
    CHECK(brief.message().find("calibration text") != std::string::npos);
}

TEST_CASE("int8 pairs that do not belong together are refused when they load") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    auto made = compress::quantize(source, {.type = dtype::i8}).value();
    REQUIRE(made.extended);
    REQUIRE(load(compress::to_bytes(made, source).value()).has_value());
    for (std::size_t i = 0; i < made.tensors.size(); ++i) {
        if (made.tensors[i].name != "blk.0.attn_q.scale") continue;
        auto missing = made;
        missing.tensors.erase(missing.tensors.begin() + static_cast<std::ptrdiff_t>(i));
        const auto without = load(compress::to_bytes(missing, source).value());
        REQUIRE_FALSE(without);
        CHECK(without.error().message().find("blk.0.attn_q") != std::string::npos);
        auto shorter = made;
        shorter.tensors[i].shape[0] -= 1;
        shorter.tensors[i].data.resize(shorter.tensors[i].data.size() - 4);
        const auto wrong = load(compress::to_bytes(shorter, source).value());
        REQUIRE_FALSE(wrong);
        CHECK(wrong.error().message().find("blk.0.attn_q.scale") != std::string::npos);
    }
}
