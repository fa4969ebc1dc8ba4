// Definitions of models/gguf_from_folder.hpp.
#ifndef HENCE_MODELS_DETAIL_GGUF_FROM_FOLDER_INL_HPP
#define HENCE_MODELS_DETAIL_GGUF_FROM_FOLDER_INL_HPP

#include "../../io/gguf.hpp"
#include "../../io/gguf_writer.hpp"
#include "../../text/cut_name.hpp"
#include "../architectures.hpp"
#include "../gguf_from_folder.hpp"
#include "../huggingface.hpp"
#include "model_folder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace models::detail {

class folder_converter {
public:
    folder_converter(const model_folder& from, std::string folder)
        : from_(from), c_(from.config), folder_(std::move(folder)) {}

    result<std::vector<std::byte>> run() {
        shape();
        if (c_.rotary) rope();
        HENCE_TRY(words());
        HENCE_TRY(tensors());
        HENCE_TRY_ASSIGN(bytes, writer_.to_bytes());
        HENCE_TRY(compare(bytes));
        return bytes;
    }

private:
    using row_order = std::vector<std::size_t>;

    [[nodiscard]] std::string key(const char* rest) const { return c_.architecture + "." + rest; }
    void size(const char* rest, std::int32_t value) { writer_.add(key(rest), static_cast<std::uint32_t>(value)); }
    [[nodiscard]] error cannot_say(const std::string& what, std::string expected, std::string actual) const {
        return make_error(errc::unsupported, folder_ + ": " + what + ", as a GGUF file", std::move(expected),
                          std::move(actual));
    }

    void shape() {
        writer_.add("general.architecture", c_.architecture);
        writer_.add("general.name", folder_.substr(folder_.rfind('/') + 1));
        size("context_length", c_.context);
        size("embedding_length", c_.width);
        size("block_count", c_.layers);
        size("feed_forward_length", c_.feed_forward);
        size("attention.head_count", c_.heads);
        size("attention.head_count_kv", c_.kv_heads);
        size("attention.key_length", c_.key_size);
        size("attention.value_length", c_.value_size);
        size("vocab_size", c_.vocabulary);
        writer_.add(
            key(c_.norm == norm_kind::rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"),
            c_.norm_epsilon);
        if (c_.window > 0) size("attention.sliding_window", c_.window);
        if (c_.window > 0 && c_.window_period > 0) size("attention.sliding_window_pattern", c_.window_period);
        if (c_.attention_softcap > 0) writer_.add(key("attn_logit_softcapping"), c_.attention_softcap);
        if (c_.final_softcap > 0) writer_.add(key("final_logit_softcapping"), c_.final_softcap);
    }

    void rope() {
        size("rope.dimension_count", c_.rotary_size);
        writer_.add(key("rope.freq_base"), c_.rope.base);
        if (c_.window > 0) writer_.add(key("rope.freq_base_swa"), c_.local_rope.base);
        const bool yarn = c_.rope.yarn_extrapolation > 0;
        const bool longrope = from_.source_config.rope_scaling && from_.source_config.rope_scaling->type == "longrope";
        if (yarn || longrope || c_.rope.linear_factor != 1.0f)
            writer_.add(key("rope.scaling.type"), yarn ? "yarn" : longrope ? "longrope" : "linear");
        if (c_.rope.linear_factor != 1.0f) writer_.add(key("rope.scaling.factor"), c_.rope.linear_factor);
        if (yarn || longrope)
            writer_.add(key("rope.scaling.original_context_length"),
                        static_cast<std::uint32_t>(c_.rope.original_context));
        if (yarn) {
            writer_.add(key("rope.scaling.yarn_beta_fast"), c_.rope.yarn_fast);
            writer_.add(key("rope.scaling.yarn_beta_slow"), c_.rope.yarn_slow);
        }
        const float known = yarn ? 1.0f + 0.1f * std::log(c_.rope.linear_factor) : 1.0f;  // a reader multiplies by it
        if (c_.rope.magnitude != known) writer_.add(key("rope.scaling.attn_factor"), c_.rope.magnitude / known);
    }

    // --- the tokenizer -----------------------------------------------------------------------------------------------

    result<void> words() {
        const vocabulary& v = from_.words;
        const std::string where = "tokenizer.json";
        if (v.model != "gpt2") return cannot_say(where, "a byte-level BPE", v.model);
        const std::string_view cut = text::cut_name(v.cuts, v.whole_piece_first);
        if (cut.empty()) return cannot_say(where, "a cut that such files have a name for", "another one");
        for (const text::normalize_step& step : v.normalization)
            if (step.what != text::normalize_step::kind::nfc)  // which readers of such files leave out
                return cannot_say(where, "no normalizer but NFC", "another one");
        const bool begins = v.before == std::vector<token_id>{v.begin}, ends = v.after == std::vector<token_id>{v.end};
        if ((!v.before.empty() && !begins) || (!v.after.empty() && !ends))
            return cannot_say(where, "nothing around a text but its begin and end tokens", "other tokens");
        writer_.add("tokenizer.ggml.model", "gpt2");
        writer_.add("tokenizer.ggml.pre", cut);
        // Every row of the embedding has a token there.
        std::vector<std::string> tokens = v.tokens;
        std::vector<std::int32_t> types = v.types;
        types.resize(tokens.size(), static_cast<std::int32_t>(token_type::normal));
        for (std::size_t id = tokens.size(); id < static_cast<std::size_t>(c_.vocabulary); ++id) {
            tokens.push_back("[PAD" + std::to_string(id) + "]");
            types.push_back(static_cast<std::int32_t>(token_type::unused));
        }
        writer_.add("tokenizer.ggml.tokens", std::span<const std::string>(tokens));
        writer_.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(types));
        writer_.add("tokenizer.ggml.merges", std::span<const std::string>(v.merges));
        const auto id = [&](const char* name, token_id value) {
            if (value != no_token)
                writer_.add(std::string("tokenizer.ggml.") + name, static_cast<std::uint32_t>(value));
        };
        id("bos_token_id", v.begin);
        id("eos_token_id", v.end);
        id("unknown_token_id", v.unknown);
        id("padding_token_id", v.padding);
        token_id turn = v.end_of_turn;
        for (const token_id end : v.also_end)
            if (turn == no_token && end != v.end) turn = end;
        id("eot_token_id", turn);
        writer_.add("tokenizer.ggml.add_bos_token", begins);
        writer_.add("tokenizer.ggml.add_eos_token", ends);
        if (!v.chat_template.empty()) writer_.add("tokenizer.chat_template", v.chat_template);
        return {};
    }

    // --- the weights -------------------------------------------------------------------------------------------------

    result<void> tensors() {
        bool halves = false;
        for (const architecture& kind : supported_architectures())
            if (kind.name == c_.architecture) halves = c_.rotary && kind.rotary_style == rope_style::neighbours;
        if (halves && c_.rotary_size != c_.key_size)
            return cannot_say("partial_rotary_factor", "1",
                              std::to_string(c_.rotary_size) + " of " + std::to_string(c_.key_size) + " values");
        for (const auto& [name, tensor] : from_.source->all()) {
            const bool queries = name.find(".attn_q.") != std::string::npos;
            const bool keys = name.find(".attn_k.") != std::string::npos;
            if (halves && (queries || keys))
                HENCE_TRY(neighbours(name, *tensor, queries ? c_.heads : c_.kv_heads));
            else
                HENCE_TRY(add(name, *tensor, tensor->data));
        }
        if (!c_.rotary || c_.rope.factors.empty()) return {};
        const auto& scaling = from_.source_config.rope_scaling;
        if (scaling && scaling->type == "longrope") {
            HENCE_TRY(factors("rope_factors_long.weight", {scaling->long_factor.begin(), scaling->long_factor.end()}));
            return factors("rope_factors_short.weight", {scaling->short_factor.begin(), scaling->short_factor.end()});
        }
        return factors("rope_freqs.weight", c_.rope.factors);
    }

    result<void> factors(const char* name, std::vector<float> values) {
        const auto count = static_cast<std::int64_t>(values.size());
        const std::span<const std::byte> bytes = hold(std::as_bytes(std::span(values)));
        return writer_.add_tensor(name, dtype::f32, {&count, 1}, bytes);
    }

    std::span<const std::byte> hold(std::span<const std::byte> bytes) {
        return held_.emplace_back(bytes.begin(), bytes.end());
    }

    // Vectors are f32 in such files.
    result<void> add(const std::string& name, const file_tensor& t, std::span<const std::byte> data) {
        if (t.shape.size() != 1 || t.type == dtype::f32) return writer_.add_tensor(name, t.type, t.shape, data);
        std::vector<float> values(static_cast<std::size_t>(t.elements()));
        HENCE_TRY(decode_row(t.type, data, values));
        return writer_.add_tensor(name, dtype::f32, t.shape, hold(std::as_bytes(std::span(values))));
    }

    // Rotated pairs lie half a head apart in the folder, side by side in the file.
    result<void> neighbours(const std::string& name, const file_tensor& t, std::int32_t heads) {
        const auto rows = static_cast<std::size_t>(t.shape[0]);
        const std::size_t stride = t.data.size() / std::max<std::size_t>(rows, 1);
        const auto head = static_cast<std::size_t>(c_.key_size);
        if (rows != head * static_cast<std::size_t>(heads))
            return make_error(errc::mismatch, from_.source->name(),
                              std::to_string(head * static_cast<std::size_t>(heads)) + " rows", std::to_string(rows),
                              t.name, t.file_offset);
        std::vector<std::byte>& out = held_.emplace_back(t.data.size());
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t in_head = r % head;
            const std::size_t to = r - in_head + (in_head < head / 2 ? 2 * in_head : 2 * (in_head - head / 2) + 1);
            std::memcpy(out.data() + to * stride, t.data.data() + r * stride, stride);
        }
        return add(name, t, out);
    }

    // --- what the file says, read back ---------------------------------------------------------------------------------

    result<void> compare(const std::vector<std::byte>& bytes) const {
        HENCE_TRY_ASSIGN(file, gguf_file::from_bytes(bytes, folder_ + " as GGUF"));
        HENCE_TRY_ASSIGN(back, read_config(file));
        const auto same = [](float a, float b) {
            return std::fabs(a - b) <= 1e-6f * std::max(std::fabs(a), std::fabs(b));
        };
        const auto activation_of = [](const decoder_config& c) {  // one function, rounded where other engines do
            return c.feed_forward_activation == activation::gelu_half ? activation::gelu_tanh
                                                                      : c.feed_forward_activation;
        };
        if (activation_of(c_) != activation_of(back))
            return cannot_say("hidden_act", "the architecture's own", from_.source_config.hidden_act);
        if (!same(c_.attention_scale, back.attention_scale))
            return cannot_say("the scale of attention", std::to_string(back.attention_scale),
                              std::to_string(c_.attention_scale));
        if (c_.rotary && !(same(c_.rope.base, back.rope.base) && same(c_.local_rope.base, back.local_rope.base) &&
                           same(c_.rope.linear_factor, back.rope.linear_factor) &&
                           same(c_.local_rope.linear_factor, back.local_rope.linear_factor) &&
                           same(c_.rope.magnitude, back.rope.magnitude) && c_.rotary_size == back.rotary_size))
            return cannot_say("rope_scaling", "one that such files have keys for", "another one");
        for (std::int32_t layer = 0; layer < c_.layers; ++layer) {
            const auto seen = [&](const decoder_config& c) {
                return c.windowed(layer) ? std::min(c.window, c.context) : c.context;
            };
            if (seen(c_) != seen(back))
                return cannot_say("sliding_window",
                                  std::to_string(seen(back)) + " positions in layer " + std::to_string(layer),
                                  std::to_string(seen(c_)));
        }
        return {};
    }

    const model_folder& from_;
    const decoder_config& c_;
    std::string folder_;
    gguf_writer writer_;
    std::deque<std::vector<std::byte>> held_;
};

}  // namespace models::detail

HENCE_INLINE result<std::vector<std::byte>> gguf_from_folder(const std::string& path) {
    HENCE_TRY_ASSIGN(from, models::detail::model_folder::open(path));
    return models::detail::folder_converter(*from, models::detail::folder_of(path)).run();
}

HENCE_NAMESPACE_END

#endif
