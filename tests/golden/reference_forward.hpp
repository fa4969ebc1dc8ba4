// The forward pass of a causal decoder in float64, as plainly as it can be written: loops over positions and heads, no
// cache, no packing, nothing shared with the library but the reading of files. What it computes follows the models' papers.
#ifndef HENCE_TESTS_GOLDEN_REFERENCE_FORWARD_HPP
#define HENCE_TESTS_GOLDEN_REFERENCE_FORWARD_HPP

#include "support/catch.hpp"

#include <hence/core/types.hpp>
#include <hence/io/gguf.hpp>
#include <hence/quant/decode.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace hence_test {

class reference_forward {
public:
    using values = std::vector<double>;

    explicit reference_forward(const hence::gguf_file& file) : kind_(file.get<std::string>("general.architecture").value()) {
        const auto number = [&](const char* key, double otherwise) {
            return static_cast<double>(file.get_if<double>(kind_ + "." + key).value().value_or(otherwise));
        };
        const auto size = [&](const char* key, double otherwise = 0) { return static_cast<std::size_t>(number(key, otherwise)); };
        layers_ = size("block_count");
        width_ = size("embedding_length");
        heads_ = size("attention.head_count");
        kv_heads_ = size("attention.head_count_kv", static_cast<double>(heads_));
        key_ = size("attention.key_length", static_cast<double>(width_ / heads_));
        value_ = size("attention.value_length", static_cast<double>(width_ / heads_));
        inner_ = size("feed_forward_length");
        rotary_ = size("rope.dimension_count", static_cast<double>(key_));
        base_ = number("rope.freq_base", 10000);
        window_ = kind_ == "gemma2" || kind_ == "gemma3" ? size("attention.sliding_window", kind_ == "gemma2" ? 4096 : 0) : 0;
        epsilon_ = number("attention.layer_norm_rms_epsilon", 0);
        if (epsilon_ == 0) epsilon_ = number("attention.layer_norm_epsilon", 0);
        score_cap_ = number("attn_logit_softcapping", 0);
        logit_cap_ = number("final_logit_softcapping", 0);
        for (const hence::gguf_tensor& tensor : file.tensors()) {
            std::vector<float> decoded(static_cast<std::size_t>(tensor.elements()));
            hence::decode_row(tensor.type, tensor.data, decoded).value();
            tensors_[tensor.name] = values(decoded.begin(), decoded.end());
        }
    }

    /// Logits after each token, [ids][vocabulary].
    [[nodiscard]] values run(std::span<const hence::token_id> ids) const {
        const bool gemma = kind_ == "gemma2" || kind_ == "gemma3";
        std::vector<values> x;
        for (std::size_t t = 0; t < ids.size(); ++t) {
            values row = row_of("token_embd.weight", static_cast<std::size_t>(ids[t]), width_);
            for (double& v : row)
                if (gemma) v *= std::sqrt(static_cast<double>(width_));
            if (has("position_embd.weight")) add(row, row_of("position_embd.weight", t, width_));
            x.push_back(std::move(row));
        }
        for (std::size_t layer = 0; layer < layers_; ++layer) {
            const std::string p = "blk." + std::to_string(layer) + ".";
            const std::vector<values> mixed = attention(x, p, layer);
            for (std::size_t t = 0; t < x.size(); ++t) {
                values h = linear(p + "attn_output", mixed[t]);
                if (has(p + "post_attention_norm.weight")) h = norm(p + "post_attention_norm", h);
                add(x[t], h);
                h = feed_forward(norm(p + "ffn_norm", x[t]), p);
                if (has(p + "post_ffw_norm.weight")) h = norm(p + "post_ffw_norm", h);
                add(x[t], h);
            }
        }
        values logits;
        for (const values& row : x) {
            values l = linear(has("output.weight") ? "output" : "token_embd", norm("output_norm", row));
            for (double& v : l)
                if (logit_cap_ > 0) v = logit_cap_ * std::tanh(v / logit_cap_);
            logits.insert(logits.end(), l.begin(), l.end());
        }
        return logits;
    }

private:
    [[nodiscard]] bool has(const std::string& name) const { return tensors_.count(name) > 0; }
    [[nodiscard]] const values& tensor(const std::string& name) const {
        INFO(name);
        REQUIRE(has(name));
        return tensors_.at(name);
    }
    [[nodiscard]] values row_of(const std::string& name, std::size_t row, std::size_t columns) const {
        const auto begin = tensor(name).begin() + static_cast<std::ptrdiff_t>(row * columns);
        return {begin, begin + static_cast<std::ptrdiff_t>(columns)};
    }
    static void add(values& to, const values& more) {
        for (std::size_t i = 0; i < to.size(); ++i) to[i] += more[i];
    }

    [[nodiscard]] values linear(const std::string& name, const values& x) const {
        const values& w = tensor(name + ".weight");
        values out(w.size() / x.size());
        for (std::size_t r = 0; r < out.size(); ++r)
            for (std::size_t c = 0; c < x.size(); ++c) out[r] += w[r * x.size() + c] * x[c];
        if (has(name + ".bias")) add(out, tensor(name + ".bias"));
        return out;
    }

    [[nodiscard]] values norm(const std::string& name, const values& x) const {
        const auto n = static_cast<double>(x.size());
        double mean = 0, square = 0;
        const bool centred = kind_ == "gpt2" || kind_ == "starcoder2";
        for (const double v : x) mean += centred ? v / n : 0;
        for (const double v : x) square += (v - mean) * (v - mean) / n;
        values out(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) out[i] = (x[i] - mean) / std::sqrt(square + epsilon_) * tensor(name + ".weight")[i];
        if (has(name + ".bias")) add(out, tensor(name + ".bias"));
        return out;
    }

    // The part [first, first + count) of a fused projection's rows, or a projection of its own.
    [[nodiscard]] values project(const std::string& p, const char* own, const values& x, std::size_t first, std::size_t count) const {
        if (!has(p + "attn_qkv.weight")) return linear(p + own, x);
        const values all = linear(p + "attn_qkv", x);
        return {all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(first + count)};
    }

    void rotate(double* head, std::size_t position, bool local) const {
        const bool neighbours = kind_ == "llama";
        for (std::size_t i = 0; i < rotary_ / 2; ++i) {
            const double base = local ? 10000.0 : base_;
            double angle = static_cast<double>(position) * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(rotary_));
            if (has("rope_freqs.weight")) angle /= tensor("rope_freqs.weight")[i];
            double& a = head[neighbours ? 2 * i : i];
            double& b = head[neighbours ? 2 * i + 1 : i + rotary_ / 2];
            const double turned = a * std::cos(angle) - b * std::sin(angle);
            b = a * std::sin(angle) + b * std::cos(angle);
            a = turned;
        }
    }

    [[nodiscard]] std::vector<values> attention(const std::vector<values>& x, const std::string& p, std::size_t layer) const {
        const std::size_t query_size = heads_ * key_, key_size = kv_heads_ * key_, value_size = kv_heads_ * value_;
        const std::size_t period = kind_ == "gemma2" ? 2 : 6;
        const bool windowed = window_ > 0 && layer % period != period - 1;
        std::vector<values> q, k, v, out;
        for (std::size_t t = 0; t < x.size(); ++t) {
            const values h = norm(p + "attn_norm", x[t]);
            q.push_back(project(p, "attn_q", h, 0, query_size));
            k.push_back(project(p, "attn_k", h, query_size, key_size));
            v.push_back(project(p, "attn_v", h, query_size + key_size, value_size));
            const auto prepare = [&](values& all, std::size_t heads, const std::string& name) {
                for (std::size_t i = 0; i < heads; ++i) {
                    values one(all.begin() + static_cast<std::ptrdiff_t>(i * key_), all.begin() + static_cast<std::ptrdiff_t>((i + 1) * key_));
                    if (has(p + name + ".weight")) one = norm(p + name, one);
                    if (kind_ != "gpt2") rotate(one.data(), t, windowed && kind_ == "gemma3");
                    std::copy(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(i * key_));
                }
            };
            prepare(q.back(), heads_, "attn_q_norm");
            prepare(k.back(), kv_heads_, "attn_k_norm");
        }
        for (std::size_t t = 0; t < x.size(); ++t) {
            values mixed(heads_ * value_);
            for (std::size_t head = 0; head < heads_; ++head) {
                const std::size_t group = head / (heads_ / kv_heads_);
                const std::size_t first = windowed && t + 1 > window_ ? t + 1 - window_ : 0;
                values scores;
                for (std::size_t s = first; s <= t; ++s) {
                    double score = 0;
                    for (std::size_t i = 0; i < key_; ++i) score += q[t][head * key_ + i] * k[s][group * key_ + i];
                    score /= std::sqrt(static_cast<double>(key_));
                    scores.push_back(score_cap_ > 0 ? score_cap_ * std::tanh(score / score_cap_) : score);
                }
                const double most = *std::max_element(scores.begin(), scores.end());
                double sum = 0;
                for (double& score : scores) sum += score = std::exp(score - most);
                for (std::size_t s = first; s <= t; ++s)
                    for (std::size_t i = 0; i < value_; ++i) mixed[head * value_ + i] += scores[s - first] / sum * v[s][group * value_ + i];
            }
            out.push_back(std::move(mixed));
        }
        return out;
    }

    [[nodiscard]] values feed_forward(const values& h, const std::string& p) const {
        const auto silu = [](double g) { return g / (1 + std::exp(-g)); };
        const auto gelu = [](double g) { return 0.5 * g * (1 + std::tanh(0.7978845608028654 * (g + 0.044715 * g * g * g))); };
        values up = linear(p + "ffn_up", h), gate;
        if (kind_ == "phi3") {
            gate.assign(up.begin(), up.begin() + static_cast<std::ptrdiff_t>(inner_));
            up.erase(up.begin(), up.begin() + static_cast<std::ptrdiff_t>(inner_));
        } else if (has(p + "ffn_gate.weight")) {
            gate = linear(p + "ffn_gate", h);
        }
        const bool smooth = kind_ == "gemma2" || kind_ == "gemma3" || gate.empty();
        for (std::size_t i = 0; i < up.size(); ++i) {
            const double in = gate.empty() ? up[i] : gate[i];
            up[i] = (gate.empty() ? 1 : up[i]) * (smooth ? gelu(in) : silu(in));
        }
        return linear(p + "ffn_down", up);
    }

    std::string kind_;
    std::size_t layers_ = 0, width_ = 0, heads_ = 0, kv_heads_ = 0, key_ = 0, value_ = 0, inner_ = 0, rotary_ = 0, window_ = 0;
    double base_ = 0, epsilon_ = 0, score_cap_ = 0, logit_cap_ = 0;
    std::map<std::string, values> tensors_;
};

}  // namespace hence_test

#endif
