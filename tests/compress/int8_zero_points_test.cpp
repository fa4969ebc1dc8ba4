// Int8 rows with zero points, from a file of floats to a file and back into a running model.
#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <hence/cache/page_pool.hpp>
#include <hence/cache/sequence.hpp>
#include <hence/compress/perplexity.hpp>
#include <hence/compress/quantize.hpp>
#include <hence/io/gguf_writer.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

using namespace hence;

namespace {

// Logits of twelve tokens, `together` of them in each step.
std::vector<float> logits_of(const decoder& model, std::size_t together, int threads) {
    const std::size_t vocabulary = model.vocabulary_size();
    page_pool pool({.page_bytes = model.cache_layout().page_bytes()});
    pool.ensure(1).value();
    kv_sequence sequence(pool);
    auto buffers = model.make_workspace({.max_rows = together, .max_logits = together, .threads = threads});
    spin_team team(threads);
    std::vector<float> logits(12 * vocabulary);
    for (std::size_t first = 0; first < 12; first += together) {
        std::vector<step_row> rows;
        for (std::size_t i = 0; i < together; ++i)
            rows.push_back({static_cast<std::int32_t>((first + i) * 5 + 1), static_cast<std::int32_t>(first + i), 0,
                            static_cast<std::int32_t>(i)});
        sequence.prepare(together);
        const page_table table = sequence.table();
        model.forward({.rows = rows,
                       .sequences = {&table, 1},
                       .layout = model.cache_layout(),
                       .logits = logits.data() + first * vocabulary,
                       .logits_stride = vocabulary,
                       .logits_count = static_cast<std::int32_t>(together)},
                      buffers, team);
        sequence.advance(together);
    }
    return logits;
}

// The file with a number added to every weight of its layers' matrices.
std::vector<std::byte> shifted(const gguf_file& file, float by) {
    gguf_writer writer;
    for (const gguf_entry& entry : file.metadata()) writer.add(entry);
    std::vector<std::vector<std::byte>> kept;
    kept.reserve(file.tensors().size());
    for (const gguf_tensor& t : file.tensors()) {
        std::vector<std::byte>& data = kept.emplace_back(t.data.begin(), t.data.end());
        for (std::size_t at = 0; at < data.size() && compress::place_of(t.name) && t.type == dtype::f32; at += 4) {
            float value;
            std::memcpy(&value, data.data() + at, 4);
            value += by;
            std::memcpy(data.data() + at, &value, 4);
        }
        writer.add_tensor(t.name, t.type, t.shape, data).value();
    }
    return writer.to_bytes().value();
}

const compress::tensor_report& report_of(const compress::quantized_model& model, const std::string& name) {
    return *std::find_if(model.reports.begin(), model.reports.end(), [&](const auto& r) { return r.name == name; });
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    return largest;
}

}  // namespace

TEST_CASE("rows with zero points come back from a file, and the model computes with them") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    for (const float shift : {0.0f, 0.03f}) {
        const std::vector<std::byte> floats = shifted(source, shift);
        const gguf_file file = gguf_file::from_bytes(floats).value();
        const auto made =
            compress::quantize(file, {.type = dtype::i8, .embedding = dtype::f32, .asymmetric = true}).value();
        REQUIRE(made.extended);
        const std::vector<std::byte> bytes = compress::to_bytes(made, file).value();
        const gguf_file written = gguf_file::from_bytes(bytes).value();
        const std::size_t rows = static_cast<std::size_t>(written.find_tensor("blk.0.ffn_up.weight")->shape[0]);
        const gguf_tensor* beside = written.find_tensor("blk.0.ffn_up.scale");
        REQUIRE(beside != nullptr);
        REQUIRE(beside->shape == std::vector<std::int64_t>{2, static_cast<std::int64_t>(rows)});
        REQUIRE(beside->data.size() == 8 * rows);

        // The same weights in floats: what is left are the activations' eight bits, as for symmetric rows.
        const decoder model = load(bytes).value();
        load_options opened;
        opened.math = math::dequantized;
        const std::vector<float> exact = logits_of(load(bytes, opened).value(), 12, 1);
        const std::vector<float> got = logits_of(model, 12, 1);
        const auto plain = compress::quantize(file, {.type = dtype::i8, .embedding = dtype::f32}).value();
        const std::vector<std::byte> symmetric = compress::to_bytes(plain, file).value();
        const std::vector<float> symmetric_exact = logits_of(load(symmetric, opened).value(), 12, 1);
        const double usual = largest_difference(logits_of(load(symmetric).value(), 12, 1), symmetric_exact);
        CHECK(largest_difference(got, exact) < 2 * usual);
        // And they are the floats' own within what rounding a weight does: with a shift, less than without zero points.
        const std::vector<float> original = logits_of(load(floats).value(), 12, 1);
        const double off = largest_difference(exact, original);
        CHECK(off > 0);
        CHECK(off < (shift > 0 ? 0.9 : 1.5) * largest_difference(symmetric_exact, original));
    }
}

TEST_CASE("with zero points a row has the same bits in any batch and on any number of threads") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    const std::vector<std::byte> floats = shifted(source, 0.02f);
    const gguf_file file = gguf_file::from_bytes(floats).value();
    const auto made = compress::quantize(file, {.type = dtype::i8, .asymmetric = true}).value();
    const std::vector<std::byte> bytes = compress::to_bytes(made, file).value();
    for (std::size_t i = 0; i < isa_count; ++i) {
        const auto tier = static_cast<isa>(i);
        if (!kernels::table(tier)) continue;
        INFO(name(tier));
        const decoder model = load(bytes, {.tier = tier}).value();
        const std::vector<float> all = logits_of(model, 12, 1);
        for (const std::size_t together : {std::size_t{1}, std::size_t{4}, std::size_t{12}})
            for (const int threads : {1, 2, 3}) {
                const std::vector<float> now = logits_of(model, together, threads);
                CHECK(std::memcmp(now.data(), all.data(), all.size() * sizeof(float)) == 0);
            }
    }
}

TEST_CASE("zero points make the error of weights to one side of zero smaller") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    const std::vector<std::byte> floats = shifted(source, 0.1f);
    const gguf_file file = gguf_file::from_bytes(floats).value();
    const auto symmetric = compress::quantize(file, {.type = dtype::i8}).value();
    const auto asymmetric = compress::quantize(file, {.type = dtype::i8, .asymmetric = true}).value();
    int compared = 0;
    for (const compress::tensor_report& r : symmetric.reports) {
        if (r.to != dtype::i8) continue;
        INFO(r.name);
        CHECK(report_of(asymmetric, r.name).error.rms() < 0.8 * r.error.rms());
        ++compared;
    }
    CHECK(compared > 0);
}

TEST_CASE("zero points cost no perplexity beside symmetric rows") {
    HENCE_REQUIRE_DATA(from, "models/tiny-reasoner/tiny-reasoner-f32.gguf");
    HENCE_REQUIRE_DATA(heldout, "models/tiny-reasoner/heldout.txt");
    HENCE_REQUIRE_DATA(calibration, "models/tiny-reasoner/calibration.txt");
    const gguf_file source = gguf_file::open(from.string()).value();
    const std::string text = hence_test::read_file(heldout).substr(0, 6000);
    const std::string learn = hence_test::read_file(calibration).substr(0, 4000);
    const double exact = compress::perplexity(decoder::from_gguf(source).value(), text).value().perplexity;
    const auto cost_of = [&](const compress::quantize_options& how) {
        const auto made = compress::quantize(source, how).value();
        const std::vector<std::byte> bytes = compress::to_bytes(made, source).value();
        return compress::perplexity(load(bytes).value(), text).value().perplexity / exact;
    };
    CHECK(cost_of({.type = dtype::i8, .asymmetric = true}) < 1.01);
    CHECK(
        cost_of(
            {.type = dtype::i8, .calibration = learn, .smooth = 0.5f, .fixed_activations = true, .asymmetric = true}) <
        1.02);
}

TEST_CASE("zero points that are none are refused with their tensor, and so are they for other formats") {
    HENCE_REQUIRE_DATA(from, "golden/tiny/format-f32.gguf");
    const gguf_file source = gguf_file::open(from.string()).value();
    const auto made = compress::quantize(source, {.type = dtype::i8, .asymmetric = true}).value();
    const auto refusal = [&](auto change) {
        auto broken = made;
        for (compress::compressed_tensor& t : broken.tensors)
            if (t.name == "blk.1.attn_k.scale") change(t);
        const std::vector<std::byte> bytes = compress::to_bytes(broken, source).value();
        const auto model = load(bytes);
        REQUIRE_FALSE(model);
        CHECK(model.error().tensor_name == "blk.1.attn_k.scale");
        return model.error();
    };
    for (const float bad : {0.5f, 128.0f, -129.0f}) {
        const error e =
            refusal([&](compress::compressed_tensor& t) { std::memcpy(t.data.data() + t.data.size() / 2, &bad, 4); });
        CHECK(e.code == errc::out_of_range);
        CHECK(e.message().find("zero points") != std::string::npos);
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(refusal([&](compress::compressed_tensor& t) {
              std::memcpy(t.data.data() + t.data.size() / 2, &nan, 4);
          }).code == errc::not_a_number);
    CHECK(refusal([&](compress::compressed_tensor& t) { std::swap(t.shape[0], t.shape[1]); }).code == errc::mismatch);
    CHECK(refusal([&](compress::compressed_tensor& t) { t.shape = {t.shape[0] * t.shape[1]}; }).code == errc::mismatch);
    const auto elsewhere = compress::quantize(source, {.type = dtype::q8_0, .asymmetric = true});
    REQUIRE_FALSE(elsewhere);
    CHECK(elsewhere.error().code == errc::invalid_argument);
    CHECK(elsewhere.error().where == "quantize.asymmetric");
}
