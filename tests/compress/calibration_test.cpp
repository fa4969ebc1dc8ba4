#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <hence/compress/calibration.hpp>
#include <hence/compress/perplexity.hpp>
#include <hence/hence.hpp>

#include <Eigen/Dense>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace hence;

namespace {

constexpr const char* model_names[] = {"llama", "gemma2", "phi3", "gpt2", "qwen3"};

// Everything that the products read, by (layer, input), in the order of the rows.
struct recorder {
    std::map<std::pair<int, int>, std::vector<float>> values;

    static void see(void* context, const worker& self, const probed_rows& in) noexcept {
        if (self.index != 0) return;
        auto& into = static_cast<recorder*>(context)->values[{in.layer, static_cast<int>(in.input)}];
        for (std::size_t r = 0; r < in.rows; ++r)
            into.insert(into.end(), in.values + r * in.stride, in.values + r * in.stride + in.width);
    }
};

std::string sample_text(std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; text.size() < bytes; ++i)
        text += "the cat number " + std::to_string(i * 37 % 101) + " sat on mat " + std::to_string(i) + ". ";
    return text.substr(0, bytes);
}

// One window read in one step by all layers, the way engines read it.
recorder read_at_once(const decoder& model, const std::vector<token_id>& ids) {
    recorder seen;
    page_pool pool({.page_bytes = model.cache_layout().page_bytes()});
    pool.ensure(ids.size() / 32 + 1).value();
    kv_sequence sequence(pool);
    sequence.prepare(ids.size());
    auto buffers = model.make_workspace({.max_rows = ids.size(), .max_logits = ids.size()});
    std::vector<step_row> rows;
    for (std::size_t i = 0; i < ids.size(); ++i)
        rows.push_back({ids[i], static_cast<std::int32_t>(i), 0, static_cast<std::int32_t>(i)});
    std::vector<float> logits(ids.size() * model.vocabulary_size());
    const page_table table = sequence.table();
    const layer_probe probe{.see = &recorder::see, .context = &seen};
    buffers.attach(&probe);
    serial_team team;
    model.forward({.rows = rows, .sequences = {&table, 1}, .layout = model.cache_layout(), .logits = logits.data(),
                   .logits_stride = model.vocabulary_size(), .logits_count = static_cast<std::int32_t>(rows.size())},
                  buffers, team);
    return seen;
}

}  // namespace

TEST_CASE("one layer at a time sees what all layers at once see, in every architecture") {
    for (const char* name : model_names) {
        HENCE_REQUIRE_DATA(path, std::string("golden/tiny/") + name + ".gguf");
        INFO(name);
        const decoder model = load(path.string()).value();
        const std::size_t window = 48;
        const std::string text = sample_text(400);
        auto ids = model.tokenizer().encode(text, {.special = true, .add_begin_end = false}).value();
        const bool begins = model.tokenizer().vocabulary().add_begin && model.tokenizer().begin() != no_token;
        if (begins) ids.insert(ids.begin(), model.tokenizer().begin());
        REQUIRE(ids.size() > window);
        ids.resize(window);
        const recorder whole = read_at_once(model, ids);

        auto reading = compress::calibration::make(
            model, text, {.window = window, .max_tokens = window - (begins ? 1u : 0u), .threads = 2}).value();
        REQUIRE(reading.windows() == 1);
        REQUIRE(reading.tokens() == window);
        std::size_t compared = 0;
        while (true) {
            const bool head = reading.layer() == model.config().layers;
            const auto found = (head ? reading.capture(model, true) : reading.capture_and_advance(model, true)).value();
            for (std::size_t i = 0; i < layer_input_count; ++i) {
                const compress::input_statistics& in = found.inputs[i];
                const auto expected = whole.values.find({found.layer, static_cast<int>(i)});
                if (expected == whole.values.end()) {
                    REQUIRE(in.rows == 0);
                    continue;
                }
                ++compared;
                using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
                const auto k = static_cast<Eigen::Index>(in.width);
                const matrix x = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                                     expected->second.data(), static_cast<Eigen::Index>(window), k).cast<double>();
                REQUIRE(in.rows == window);
                REQUIRE(in.width * window == expected->second.size());
                const matrix gram = x.transpose() * x;
                const Eigen::Map<const matrix> ours(in.gram.data(), k, k);
                // float64 sums of 48 products differ by rounding alone
                CHECK((gram - ours).cwiseAbs().maxCoeff() <= 1e-12 * gram.cwiseAbs().maxCoeff());
                for (Eigen::Index j = 0; j < k; ++j) {
                    const auto at = static_cast<std::size_t>(j);
                    REQUIRE(std::fabs(in.sum_squares[at] - gram(j, j)) <= 1e-12 * gram(j, j));
                    REQUIRE(static_cast<double>(in.absolute_maximum[at]) == x.col(j).cwiseAbs().maxCoeff());
                }
            }
            if (head) break;
        }
        REQUIRE(compared == static_cast<std::size_t>(model.config().layers) * 4 + 1);
    }
}

TEST_CASE("capture leaves the text where it is, advance moves it") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/llama.gguf");
    const decoder model = load(path.string()).value();
    auto reading = compress::calibration::make(model, sample_text(600), {.window = 32}).value();
    REQUIRE(reading.windows() > 1);
    reading.advance(model);
    REQUIRE(reading.layer() == 1);
    const auto once = reading.capture(model).value();
    const auto twice = reading.capture(model).value();
    REQUIRE(once.of(layer_input::attention).sum_squares == twice.of(layer_input::attention).sum_squares);
    REQUIRE(once.of(layer_input::attention).gram.empty());
    REQUIRE(once.of(layer_input::head).rows == 0);
}

TEST_CASE("a calibration text that is too short or a window too long is refused") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/llama.gguf");
    const decoder model = load(path.string()).value();
    const auto shorter = compress::calibration::make(model, "short", {.window = 64});
    REQUIRE_FALSE(shorter);
    REQUIRE(shorter.error().code == errc::invalid_argument);
    REQUIRE(shorter.error().message().find("64 tokens") != std::string::npos);
    REQUIRE_FALSE(compress::calibration::make(model, "", {}));
    const auto longer = compress::calibration::make(model, sample_text(100), {.window = model.context_length() + 1});
    REQUIRE_FALSE(longer);
    REQUIRE(longer.error().code == errc::out_of_range);
    REQUIRE_FALSE(compress::perplexity(model, ""));
}

TEST_CASE("perplexity agrees with another engine") {
    for (const char* name : model_names) {
        HENCE_REQUIRE_DATA(path, std::string("golden/tiny/") + name + ".gguf");
        HENCE_REQUIRE_DATA(golden, std::string("golden/tiny/") + name + ".json");
        load_options exact;
        exact.math = math::dequantized;
        const decoder model = load(path.string(), exact).value();
        const auto expected = nlohmann::json::parse(hence_test::read_file(golden));
        for (const auto& prompt : expected["prompts"]) {
            if (prompt["ids"].size() < 4) continue;
            const auto score = compress::perplexity(model, prompt["text"].get<std::string>()).value();
            if (score.tokens + 1 != prompt["ids"].size()) continue;  // a text that tokenizes otherwise alone
            INFO(name << ": " << prompt["text"]);
            const double golden_mean = prompt["mean_negative_log_likelihood"];
            CHECK(std::fabs(score.mean_negative_log_likelihood - golden_mean) < 0.005);  // golden/README.md
            CHECK(std::fabs(score.perplexity - std::exp(score.mean_negative_log_likelihood)) < 1e-9 * score.perplexity);
        }
    }
}

TEST_CASE("place_of knows the matrices of a layer by name") {
    using compress::place_of;
    REQUIRE(place_of("blk.3.attn_q.weight")->layer == 3);
    REQUIRE(place_of("blk.3.attn_q.weight")->input == layer_input::attention);
    REQUIRE(place_of("blk.12.attn_qkv.weight")->input == layer_input::attention);
    REQUIRE(place_of("blk.0.attn_output.weight")->input == layer_input::attention_output);
    REQUIRE(place_of("blk.0.ffn_up.weight")->input == layer_input::feed_forward);
    REQUIRE(place_of("blk.0.ffn_down.weight")->input == layer_input::feed_forward_down);
    REQUIRE(place_of("output.weight")->input == layer_input::head);
    for (const char* other : {"blk.0.attn_norm.weight", "blk.0.attn_q.bias", "token_embd.weight", "blk.x.attn_q.weight", "blk.1", ""})
        REQUIRE_FALSE(place_of(other));
}

TEST_CASE("with_tensors replaces what it is given and shares the rest") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-f32.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    const decoder model = decoder::from_gguf(file).value();
    const std::vector<token_id> ids = {5, 9, 12, 7, 40, 33};
    const auto heads = [&](const decoder& m) { return read_at_once(m, ids).values.at({m.config().layers, 4}); };
    const auto before = heads(model);

    gguf_tensor tensor = *file.find_tensor("blk.1.ffn_up.weight");
    REQUIRE(heads(model.with_tensors({&tensor, 1}).value()) == before);

    std::vector<std::byte> changed(tensor.data.begin(), tensor.data.end());
    float first = 3.0f;
    std::memcpy(changed.data(), &first, 4);
    tensor.data = changed;
    const decoder other = model.with_tensors({&tensor, 1}).value();
    changed.assign(changed.size(), std::byte{0});  // what is packed is not read again
    REQUIRE(heads(other) != before);
    REQUIRE(heads(model) == before);
    REQUIRE(other.weight_bytes() == model.weight_bytes());

    const gguf_tensor original = *file.find_tensor("blk.1.ffn_up.weight");
    REQUIRE(heads(other.with_tensors({&original, 1}).value()) == before);  // and the other way round

    tensor.name = "blk.9.ffn_up.weight";
    REQUIRE(model.with_tensors({&tensor, 1}).error().code == errc::invalid_argument);
    tensor = *file.find_tensor("blk.1.ffn_up.weight");
    tensor.name = "blk.1.attn_q.weight";
    REQUIRE(model.with_tensors({&tensor, 1}).error().code == errc::mismatch);
    tensor = *file.find_tensor("blk.1.ffn_up.weight");
    tensor.data = tensor.data.first(64);
    REQUIRE(model.with_tensors({&tensor, 1}).error().code == errc::mismatch);
}
