// Whole models: pruned by every score, shrunk, scanned; and what is refused.
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

#include <hence/cache/page_pool.hpp>
#include <hence/cache/sequence.hpp>
#include <hence/compress/prune.hpp>
#include <hence/compress/quantize.hpp>
#include <hence/compress/sensitivity.hpp>
#include <hence/compress/shrink.hpp>
#include <hence/io/gguf_writer.hpp>
#include <hence/quant/decode.hpp>

#include <cmath>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

using namespace hence;

namespace {

std::vector<float> logits_of(const std::vector<std::byte>& bytes) {
    const decoder model = load(std::span(bytes)).value();
    std::vector<step_row> rows;
    for (std::int32_t i = 0; i < 6; ++i) rows.push_back({i * 5 + 1, i, 0, i});
    page_pool pool({.page_bytes = model.cache_layout().page_bytes()});
    pool.ensure(1).value();
    kv_sequence sequence(pool);
    sequence.prepare(rows.size());
    auto buffers = model.make_workspace({.max_rows = rows.size(), .max_logits = rows.size()});
    std::vector<float> logits(rows.size() * model.vocabulary_size());
    const page_table table = sequence.table();
    serial_team team;
    model.forward({.rows = rows,
                   .sequences = {&table, 1},
                   .layout = model.cache_layout(),
                   .logits = logits.data(),
                   .logits_stride = model.vocabulary_size(),
                   .logits_count = static_cast<std::int32_t>(rows.size())},
                  buffers, team);
    return logits;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

matrix<float> floats_of(dtype type, std::span<const std::byte> data, const std::vector<std::int64_t>& shape) {
    matrix<float> m(static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]));
    decode_row(type, data, std::span(m.data(), m.size())).value();
    return m;
}

std::string sample_text(std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; text.size() < bytes; ++i)
        text += "the cat number " + std::to_string(i * 37 % 101) + " sat on mat " + std::to_string(i) + ". ";
    return text.substr(0, bytes);
}

// The file with some matrices changed.
std::vector<std::byte> changed(const gguf_file& file,
                               const std::function<void(const std::string&, matrix<float>&)>& change) {
    gguf_writer writer;
    std::deque<matrix<float>> own;
    for (const gguf_entry& entry : file.metadata()) writer.add(entry);
    for (const gguf_tensor& t : file.tensors()) {
        if (t.shape.size() != 2 || t.type != dtype::f32) {
            writer.add_tensor(t.name, t.type, t.shape, t.data).value();
            continue;
        }
        own.push_back(floats_of(t.type, t.data, t.shape));
        change(t.name, own.back());
        writer.add_tensor(t.name, t.type, t.shape, std::as_bytes(std::span(own.back().data(), own.back().size())))
            .value();
    }
    return writer.to_bytes().value();
}

}  // namespace

TEST_CASE("every score obeys every pattern, in every format; what is no layer's matrix stays") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    const std::string text = sample_text(900);
    for (const auto score :
         {compress::prune_score::magnitude, compress::prune_score::wanda, compress::prune_score::sparsegpt}) {
        for (const char* pattern : {"2:4", "4:8", "block:16x4:0.5", "unstructured:0.6"}) {
            const bool halves = pattern[1] == ':';
            std::vector<std::optional<dtype>> types = {std::nullopt, dtype::q8_0};
            if (halves) types.push_back(pattern[0] == '2' ? dtype::q8_24 : dtype::q8_48);
            types.push_back(dtype::i8);
            std::vector<float> dense;
            for (const auto& type : types) {
                compress::prune_options how{.pattern = parse_mask_pattern(pattern).value(),
                                            .score = score,
                                            .type = type,
                                            .calibration = text,
                                            .reading = {.window = 64},
                                            .threads = 2};
                const compress::pruned_model made = compress::prune(file, how).value();
                INFO(pattern << ", score " << static_cast<int>(score) << ", " << (type ? name(*type) : "kept type"));
                REQUIRE(made.tensors.size() == 14);
                for (const compress::pruned_tensor& t : made.tensors) {
                    const mask there = mask::of_nonzero(floats_of(t.type, t.data, t.shape).view());
                    // Weights that rounding makes zero are not in the mask's count: groups hold at most so many.
                    // An unstructured mask drops whole weights of each row: at most one fewer than the share says.
                    const double one = pattern[0] == 'u' ? 1.0 / static_cast<double>(t.shape.back()) : 1e-4;
                    CHECK(there.density() <= (halves || pattern[0] == 'b' ? 0.5 : 0.4) + one);
                    CHECK(there.density() >= 0.38);
                    if (!type && halves) CHECK(check_pattern(there, how.pattern).has_value());
                    CHECK(std::fabs(t.sparsity + there.density() - 1.0) < 1e-9);
                    CHECK(t.weight_error > 0.01);
                    // SparseGPT moves weights for the sake of the products: it may lose more of the weights themselves.
                    CHECK(t.weight_error < (score == compress::prune_score::sparsegpt ? 1.5 : 1.0));
                }
                const std::vector<std::byte> bytes = compress::to_bytes(made, file).value();
                const gguf_file back = gguf_file::from_bytes(bytes).value();
                CHECK(back.get<std::string>("hence.prune.pattern").value() == to_string(how.pattern));
                CHECK(back.get<std::string>("general.architecture").value() == "llama");
                const gguf_tensor* head = back.find_tensor("output.weight");
                REQUIRE(head != nullptr);
                CHECK(
                    std::equal(head->data.begin(), head->data.end(), file.find_tensor("output.weight")->data.begin()));
                const std::vector<float> logits = logits_of(bytes);
                if (type == dtype::q8_0) dense = logits;
                if (type == dtype::q8_24 || type == dtype::q8_48) {
                    // SparseGPT is calibrated behind other bytes, but the same numbers.
                    CHECK(same_bits(logits, dense));
                }
            }
        }
    }
}

namespace {

// The file without the key that says where zeros may be, so that it is loaded as any dense one.
std::vector<std::byte> unmarked(const std::vector<std::byte>& bytes) {
    const gguf_file file = gguf_file::from_bytes(std::span(bytes)).value();
    gguf_writer writer;
    for (const gguf_entry& entry : file.metadata())
        if (entry.key != "hence.prune.pattern") writer.add(entry);
    for (const gguf_tensor& t : file.tensors()) writer.add_tensor(t.name, t.type, t.shape, t.data).value();
    return writer.to_bytes().value();
}

std::size_t loaded_bytes(const std::vector<std::byte>& bytes) {
    return load(std::span(bytes)).value().weight_bytes();
}

}  // namespace

TEST_CASE("a 2:4 int8 file is packed without its zeros and is the dense model, bit for bit") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    const std::string text = sample_text(900);
    compress::prune_options how{.pattern = parse_mask_pattern("2:4").value(), .type = dtype::i8, .threads = 2};
    const auto check = [](const char* what, const std::vector<std::byte>& bytes, bool packed) {
        INFO(what);
        const gguf_file made = gguf_file::from_bytes(std::span(bytes)).value();
        CHECK(made.get<std::string>("hence.prune.pattern").value() == "2:4");
        CHECK(made.get<std::uint32_t>("hence.int8_pairs").value() == 1);
        REQUIRE(made.find_tensor("blk.0.ffn_up.weight") != nullptr);
        CHECK(made.find_tensor("blk.0.ffn_up.weight")->type == dtype::i8);
        const std::vector<std::byte> dense = unmarked(bytes);
        CHECK(same_bits(logits_of(bytes), logits_of(dense)));
        if (packed)
            CHECK(loaded_bytes(bytes) < loaded_bytes(dense));
        else
            CHECK(loaded_bytes(bytes) == loaded_bytes(dense));
    };
    check("by magnitude", compress::to_bytes(compress::prune(file, how).value(), file).value(), true);
    how.score = compress::prune_score::sparsegpt;
    how.calibration = text;
    how.reading = {.window = 64};
    const std::vector<std::byte> direct = compress::to_bytes(compress::prune(file, how).value(), file).value();
    check("by SparseGPT", direct, true);
    const gguf_file rounded = gguf_file::from_bytes(std::span(direct)).value();
    const auto again = compress::prune(rounded, {.pattern = how.pattern, .type = dtype::q8_0});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == errc::unsupported);

    // Pruned first and quantized afterwards: zeros stay zeros, also where channels are rescaled.
    how.type = dtype::f32;
    const std::vector<std::byte> zeros = compress::to_bytes(compress::prune(file, how).value(), file).value();
    const gguf_file pruned = gguf_file::from_bytes(std::span(zeros)).value();
    compress::quantize_options rounding{.type = dtype::i8, .threads = 2};
    const auto quantized = [&] {
        return compress::to_bytes(compress::quantize(pruned, rounding).value(), pruned).value();
    };
    check("quantized afterwards", quantized(), true);
    rounding.calibration = text;
    rounding.reading = {.window = 64};
    rounding.smooth = 0.5f;
    rounding.fixed_activations = true;
    check("with fixed activations", quantized(), true);
    rounding.smooth = 0.0f;
    rounding.fixed_activations = false;
    rounding.asymmetric = true;
    check("with zero points", quantized(), false);
}

TEST_CASE("a 2:4 file of floats is packed without its zeros and is the dense model, bit for bit") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    for (const dtype type : {dtype::f32, dtype::bf16}) {
        INFO(name(type));
        const compress::prune_options how{.pattern = parse_mask_pattern("2:4").value(), .type = type};
        const std::vector<std::byte> bytes = compress::to_bytes(compress::prune(file, how).value(), file).value();
        const std::vector<std::byte> dense = unmarked(bytes);
        CHECK(same_bits(logits_of(bytes), logits_of(dense)));
        CHECK(loaded_bytes(bytes) < loaded_bytes(dense));
    }
}

TEST_CASE("compensated products lose less than those of weights that are only dropped") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    const std::string text = sample_text(2000);
    compress::prune_options how{.pattern = parse_mask_pattern("2:4").value(),
                                .score = compress::prune_score::sparsegpt,
                                .calibration = text,
                                .reading = {.window = 64}};
    const compress::pruned_model made = compress::prune(file, how).value();
    for (const compress::pruned_tensor& t : made.tensors) {
        INFO(t.name);
        CHECK(t.output_error >= 0);
        CHECK(t.output_error < 0.5);  // halves of random weights: dropping alone loses about 0.35 to 0.5 of their norm
    }
}

TEST_CASE("what cannot be pruned is refused, and no file is left") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    HENCE_REQUIRE_DATA(quantized_path, "golden/tiny/format-q4_0.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    const gguf_file quantized = gguf_file::open(quantized_path.string()).value();
    const auto refused = [](const gguf_file& source, const compress::prune_options& how) {
        const auto made = compress::prune(source, how);
        REQUIRE_FALSE(made);
        return made.error();
    };
    const mask_pattern halves = parse_mask_pattern("2:4").value();
    {
        const error e = refused(file, {.pattern = parse_mask_pattern("3:7").value()});
        CHECK(e.code == errc::mismatch);
        CHECK(e.also.size() == 13);  // every matrix is named
        CHECK(e.message().find("blk.0.attn_q.weight") != std::string::npos);
    }
    CHECK(refused(file, {.pattern = halves, .score = compress::prune_score::wanda}).code == errc::invalid_argument);
    CHECK(refused(file, {.pattern = halves, .score = compress::prune_score::wanda, .calibration = "short"}).code ==
          errc::invalid_argument);
    CHECK(refused(file, {.pattern = halves, .keep = {"no.such.weight"}}).code == errc::invalid_argument);
    CHECK(refused(file, {.pattern = parse_mask_pattern("4:8").value(), .type = dtype::q8_24}).code == errc::mismatch);
    CHECK(refused(file, {.pattern = parse_mask_pattern("unstructured:0.5").value(), .type = dtype::q8_48}).code ==
          errc::mismatch);
    CHECK(refused(quantized, {.pattern = halves}).code == errc::unsupported);
    CHECK(compress::prune(quantized, {.pattern = halves, .type = dtype::q8_0}).has_value());

    const std::vector<std::byte> bad = changed(file, [](const std::string& name, matrix<float>& m) {
        if (name == "blk.1.ffn_up.weight") m(3, 4) = std::numeric_limits<float>::quiet_NaN();
    });
    const error e = refused(gguf_file::from_bytes(bad).value(), {.pattern = halves});
    CHECK(e.code == errc::not_a_number);
    CHECK(e.message().find("blk.1.ffn_up.weight") != std::string::npos);
    CHECK(e.message().find("row 3, column 4") != std::string::npos);

    const std::string text = sample_text(900);  // a Hessian made negative, which a method alone could not place
    const error first = refused(file, {.pattern = halves,
                                       .score = compress::prune_score::sparsegpt,
                                       .calibration = text,
                                       .reading = {.window = 64},
                                       .compensation = {.damping = -2}});
    CHECK(first.code == errc::not_a_number);
    CHECK(first.tensor_name.starts_with("blk.0."));
    const auto rounded = compress::quantize(file, {.type = dtype::q4_0,
                                                   .method = compress::quantize_method::gptq,
                                                   .calibration = text,
                                                   .reading = {.window = 64},
                                                   .compensation = {.damping = -2}});
    REQUIRE_FALSE(rounded);
    CHECK(rounded.error().code == errc::not_a_number);
    CHECK(rounded.error().tensor_name.starts_with("blk.0."));
}

TEST_CASE("a shrunk model computes what is left: nothing changes where only zeros went") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    // The second of two key-value heads and its two query heads write nothing; 128 of 512 channels write nothing.
    const std::vector<std::byte> zeroed = changed(file, [](const std::string& name, matrix<float>& m) {
        const auto clear = [&](std::size_t top, std::size_t bottom, std::size_t left, std::size_t right) {
            for (std::size_t r = top; r < bottom; ++r)
                for (std::size_t c = left; c < right; ++c) m(r, c) = 0.0f;
        };
        if (name.ends_with("attn_output.weight")) clear(0, 256, 128, 256);
        if (name.ends_with("attn_q.weight")) clear(128, 256, 0, 256);
        if (name.ends_with("attn_k.weight") || name.ends_with("attn_v.weight")) clear(64, 128, 0, 256);
        if (name.ends_with("ffn_gate.weight") || name.ends_with("ffn_up.weight")) clear(64, 192, 0, 256);
        if (name.ends_with("ffn_down.weight")) clear(0, 256, 64, 192);
    });
    const gguf_file source = gguf_file::from_bytes(zeroed).value();
    const std::vector<float> before = logits_of(zeroed);
    for (const char* what : {"heads:1", "channels:0.25"}) {
        INFO(what);
        const compress::shrunk_model made = compress::shrink(source, {.what = *compress::parse_shrink(what)}).value();
        CHECK(made.parameters_after < made.parameters_before);
        const std::vector<std::byte> bytes = compress::to_bytes(made, source).value();
        CHECK(bytes.size() < zeroed.size());
        CHECK(same_bits(logits_of(bytes), before));
    }
    // A layer that adds nothing may go.
    const std::vector<std::byte> idle = changed(file, [](const std::string& name, matrix<float>& m) {
        if (name == "blk.0.attn_output.weight" || name == "blk.0.ffn_down.weight")
            for (std::size_t i = 0; i < m.size(); ++i) m.data()[i] = 0.0f;
    });
    const gguf_file two = gguf_file::from_bytes(idle).value();
    const compress::shrunk_model one = compress::shrink(two, {.what = *compress::parse_shrink("layers:1")}).value();
    const std::vector<std::byte> bytes = compress::to_bytes(one, two).value();
    CHECK(gguf_file::from_bytes(bytes).value().get<std::uint32_t>("llama.block_count").value() == 1);
    CHECK(same_bits(logits_of(bytes), logits_of(idle)));
}

TEST_CASE("shrinking by nothing or everything is refused") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    for (const char* what : {"heads:0", "heads:2", "channels:0", "channels:1", "channels:-1", "layers:0", "layers:2"}) {
        INFO(what);
        const auto made = compress::shrink(file, {.what = *compress::parse_shrink(what)});
        REQUIRE_FALSE(made);
        CHECK(made.error().code == errc::out_of_range);
    }
    for (const char* what : {"heads", "heads:", "heads:x", "layers:1.5", "channels:a", "2:4", ""})
        CHECK_FALSE(compress::parse_shrink(what).has_value());
}

TEST_CASE("a scan meets its budget and loses no more than an even share does") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    // Matrices whose rows differ in how even they are: there is something to choose.
    const gguf_file file = gguf_file::open(path.string()).value();
    const std::vector<std::byte> uneven = changed(file, [](const std::string& name, matrix<float>& m) {
        if (name.find("ffn") == std::string::npos) return;
        for (std::size_t r = 0; r < m.extent(0); ++r)
            for (std::size_t c = 0; c < m.extent(1); c += 2) m(r, c) *= 0.01f;
    });
    const gguf_file source = gguf_file::from_bytes(uneven).value();
    const std::string text = sample_text(900);
    for (const bool calibrated : {false, true}) {
        for (const char* pattern : {"unstructured:0.5", "block:16x4:0.4"}) {
            compress::sensitivity_options how{.pattern = parse_mask_pattern(pattern).value(),
                                              .reading = {.window = 64}};
            if (calibrated) how.calibration = text;
            const compress::sensitivity_scan scan = compress::scan_sensitivity(source, how).value();
            REQUIRE(scan.curves.size() == 14);
            double gone = 0, weights = 0;
            for (const compress::sensitivity_curve& curve : scan.curves) {
                CHECK(curve.loss.front() == 0.0);
                for (std::size_t i = 1; i < curve.loss.size(); ++i) CHECK(curve.loss[i] >= curve.loss[i - 1]);
                gone += scan.ratios.at(curve.name) * static_cast<double>(curve.weights);
                weights += static_cast<double>(curve.weights);
            }
            INFO(pattern << (calibrated ? ", calibrated" : ""));
            CHECK(gone / weights >= how.pattern.pruned - 1e-9);
            CHECK(gone / weights <= how.pattern.pruned + 0.02);
            CHECK(scan.loss_chosen <= scan.loss_even + 1e-12);
            if (pattern[0] == 'u') CHECK(scan.loss_chosen < 0.9 * scan.loss_even);
        }
    }
    CHECK(compress::scan_sensitivity(source, {.pattern = parse_mask_pattern("2:4").value()}).error().code ==
          errc::invalid_argument);
    CHECK(
        compress::scan_sensitivity(source, {.pattern = parse_mask_pattern("unstructured:0.95").value()}).error().code ==
        errc::out_of_range);
}
