// A causal_lm without weights, for tests of the engine: its logits are a hash of all tokens before, which it
// reads back from the cache pages. Whatever is wrong with pages, forks, rollbacks or batching changes the
// hash, and reference_logits() says what it should have been.
#ifndef HENCE_TESTS_SUPPORT_TOY_MODEL_HPP
#define HENCE_TESTS_SUPPORT_TOY_MODEL_HPP

#include <hence/core/rng.hpp>
#include <hence/core/scalar.hpp>
#include <hence/generate/causal_lm.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace hence_test {

/// A vocabulary of single bytes, a few words and the usual special tokens: 0 <unk>, 1 <s>, 2 </s>, 3.. bytes.
inline hence::tokenizer toy_tokenizer(bool add_begin = true) {
    hence::vocabulary v;
    v.model = "llama";
    const auto add = [&](std::string text, hence::token_type type) {
        v.tokens.push_back(std::move(text));
        v.scores.push_back(0);
        v.types.push_back(static_cast<std::int32_t>(type));
    };
    add("<unk>", hence::token_type::unknown);
    add("<s>", hence::token_type::control);
    add("</s>", hence::token_type::control);
    for (int byte = 0; byte < 256; ++byte) {
        static const char digits[] = "0123456789ABCDEF";
        add(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", hence::token_type::byte);
    }
    for (const char* word : {"\xE2\x96\x81", "a", "b", "c", "ab", "abc", "the", "stop", "\n"})
        add(word, hence::token_type::normal);
    v.begin = 1;
    v.end = 2;
    v.unknown = 0;
    v.add_begin = add_begin;
    v.add_space_prefix = false;
    return hence::tokenizer::make(std::move(v)).value();
}

struct toy_counters {
    std::int64_t forwards = 0;
    std::int64_t rows = 0;
    std::int64_t logits = 0;
    std::size_t most_rows = 0;
    std::size_t most_branches = 0;
    std::size_t mixed_steps = 0;  // steps with both a piece of prompt and a row that draws in another branch
};

struct toy_settings {
    std::size_t context = 512;
    float end_bias = -100;           ///< added to the end token's logit
    std::int64_t nan_position = -1;  ///< logits after this position are NaN
    float sharpness = 3;             ///< logits are uniform in [-sharpness, sharpness]
};

class toy_model {
public:
    static constexpr std::int32_t layers = 2;
    static constexpr std::int32_t heads = 2;
    static constexpr std::int32_t key_size = 3;
    static constexpr std::int32_t value_size = 2;

    struct workspace {
        hence::workspace_options options;
    };

    explicit toy_model(toy_settings settings = {})
        : settings_(settings),
          tokenizer_(std::make_shared<const hence::tokenizer>(toy_tokenizer())),
          counters_(std::make_shared<toy_counters>()) {}

    [[nodiscard]] std::size_t vocabulary_size() const { return tokenizer_->size(); }
    [[nodiscard]] std::size_t context_length() const { return settings_.context; }
    [[nodiscard]] const hence::tokenizer& tokenizer() const { return *tokenizer_; }
    [[nodiscard]] hence::kv_layout cache_layout(hence::dtype type) const {
        return {layers, heads, key_size, value_size, type};
    }
    [[nodiscard]] workspace make_workspace(const hence::workspace_options& options) const { return {options}; }
    [[nodiscard]] toy_counters& counters() const { return *counters_; }

    void forward(const hence::step& s, workspace& scratch, hence::thread_team& team) const noexcept {
        count(s, scratch);
        team.each([&](const hence::worker& self) {
            for (std::size_t i = 0; i < s.rows.size(); ++i)
                if (static_cast<int>(i % static_cast<std::size_t>(self.count)) == self.index) write(s, s.rows[i]);
            self.wait();
            for (std::size_t i = 0; i < s.rows.size(); ++i) {
                const hence::step_row& row = s.rows[i];
                if (row.logits < 0 || static_cast<int>(i % static_cast<std::size_t>(self.count)) != self.index)
                    continue;
                std::uint64_t hash = 0;
                for (std::int32_t p = 0; p <= row.position; ++p) hash = read(s, row.sequence, p, hash);
                fill(hash, row.position, s.logits + static_cast<std::size_t>(row.logits) * s.logits_stride);
            }
        });
    }

    /// The logits after the last of these tokens, computed without any cache.
    [[nodiscard]] std::vector<float> reference_logits(std::span<const hence::token_id> tokens) const {
        std::uint64_t hash = 0;
        for (std::size_t p = 0; p < tokens.size(); ++p) hash = mix(hash, p, tokens[p]);
        std::vector<float> logits(vocabulary_size());
        fill(hash, static_cast<std::int32_t>(tokens.size()) - 1, logits.data());
        return logits;
    }

private:
    static std::uint64_t mix(std::uint64_t hash, std::size_t position, hence::token_id token) {
        return hence::mix64(hash, position * 4096 + static_cast<std::uint64_t>(token));
    }

    void fill(std::uint64_t hash, std::int32_t position, float* logits) const {
        const std::size_t size = vocabulary_size();
        for (std::size_t t = 0; t < size; ++t)
            logits[t] = settings_.sharpness * (static_cast<float>(hence::mix64(hash, t) >> 40) * 0x1.0p-23f - 1.0f);
        logits[2] += settings_.end_bias;
        if (position == settings_.nan_position) logits[7] = std::numeric_limits<float>::quiet_NaN();
    }

    static void store(std::byte* at, hence::dtype type, float value) {
        switch (type) {
            case hence::dtype::f32: std::memcpy(at, &value, sizeof value); break;
            case hence::dtype::f16: put_half(at, hence::to_f16(value)); break;
            case hence::dtype::bf16: put_half(at, hence::to_bf16(value)); break;
            default: *at = static_cast<std::byte>(static_cast<int>(value));
        }
    }
    template <class Half>
    static void put_half(std::byte* at, Half half) {
        std::memcpy(at, &half, sizeof half);
    }

    // Whether that is what store() put there.
    static bool holds(const std::byte* at, hence::dtype type, float value) {
        std::byte wanted[sizeof(float)];
        store(wanted, type, value);
        return std::memcmp(at, wanted, hence::traits(type).block_bytes) == 0;
    }
    // Where a cache of signed bytes keeps the scale of a key; a value's is page_tokens further.
    static std::byte* scale(const hence::step& s, std::byte* page, std::int32_t layer, std::int32_t head,
                            std::size_t slot) {
        return page + s.layout.scale_offset(layer, head) + slot * sizeof(float);
    }
    static constexpr std::size_t value_scale = static_cast<std::size_t>(hence::page_tokens) * sizeof(float);

    // Keys hold the token in parts that even bfloat16 and a byte hold exactly, values a number that depends on layer and
    // place. Where there are scales they hold the token and that number, too.
    static float key_part(hence::token_id token, std::size_t i) {
        return static_cast<float>(i == 0 ? token % 128 : i == 1 ? token / 128 : token % 101);
    }
    static float value_part(hence::token_id token, std::int32_t position, std::int32_t layer) {
        return static_cast<float>((token + position + layer) % 256);
    }
    static void write(const hence::step& s, const hence::step_row& row) {
        const auto [page, slot] = place(s, row.sequence, row.position);
        const std::size_t e = s.layout.element_bytes();
        const hence::dtype type = s.layout.type;
        for (std::int32_t layer = 0; layer < layers; ++layer)
            for (std::int32_t head = 0; head < heads; ++head) {
                const float value = value_part(row.token, row.position, layer);
                std::byte* const k = page + s.layout.key_offset(layer, head);
                for (std::size_t i = 0; i < key_size; ++i)
                    store(k + (i * hence::page_tokens + slot) * e, type, key_part(row.token, i));
                std::byte* const v = page + s.layout.value_offset(layer, head);
                for (std::size_t i = 0; i < value_size; ++i) store(v + (slot * value_size + i) * e, type, value);
                if (type != hence::dtype::i8) continue;
                store(scale(s, page, layer, head, slot), hence::dtype::f32, static_cast<float>(row.token));
                store(scale(s, page, layer, head, slot) + value_scale, hence::dtype::f32, value);
            }
    }
    static float load(const std::byte* at, hence::dtype type) {
        const auto get = [&](auto x) { return std::memcpy(&x, at, sizeof x), x; };
        switch (type) {
            case hence::dtype::f32: return get(0.0f);
            case hence::dtype::f16: return hence::to_float(get(hence::f16{}));
            case hence::dtype::bf16: return hence::to_float(get(hence::bf16{}));
            default: return static_cast<float>(std::to_integer<int>(*at));
        }
    }
    static hence::token_id read_token(const std::byte* keys, std::size_t slot, hence::dtype type) {
        const std::size_t e = hence::traits(type).block_bytes;
        const float low = load(keys + slot * e, type);
        return static_cast<hence::token_id>(low + 128 * load(keys + (hence::page_tokens + slot) * e, type));
    }
    // Any value that is not what write() put there changes the hash.
    static std::uint64_t read(const hence::step& s, std::int32_t sequence, std::int32_t position, std::uint64_t hash) {
        const auto [page, slot] = place(s, sequence, position);
        const std::size_t e = s.layout.element_bytes();
        const hence::dtype type = s.layout.type;
        const hence::token_id token = read_token(page + s.layout.key_offset(0, 0), slot, type);
        hash = mix(hash, static_cast<std::size_t>(position), token);
        for (std::int32_t layer = 0; layer < layers; ++layer)
            for (std::int32_t head = 0; head < heads; ++head) {
                const float value = value_part(token, position, layer);
                const std::byte* const k = page + s.layout.key_offset(layer, head);
                for (std::size_t i = 0; i < key_size; ++i)
                    if (!holds(k + (i * hence::page_tokens + slot) * e, type, key_part(token, i))) hash += 1;
                const std::byte* const v = page + s.layout.value_offset(layer, head);
                for (std::size_t i = 0; i < value_size; ++i)
                    if (!holds(v + (slot * value_size + i) * e, type, value)) hash += 1;
                if (type != hence::dtype::i8) continue;
                if (!holds(scale(s, page, layer, head, slot), hence::dtype::f32, static_cast<float>(token))) hash += 1;
                if (!holds(scale(s, page, layer, head, slot) + value_scale, hence::dtype::f32, value)) hash += 1;
            }
        return hash;
    }
    struct where {
        std::byte* page;
        std::size_t slot;
    };
    static where place(const hence::step& s, std::int32_t sequence, std::int32_t position) {
        const hence::page_table& table = s.sequences[static_cast<std::size_t>(sequence)];
        return {table.pages[position / hence::page_tokens], static_cast<std::size_t>(position % hence::page_tokens)};
    }

    void count(const hence::step& s, const workspace& scratch) const {
        toy_counters& c = *counters_;
        c.forwards += 1;
        c.rows += static_cast<std::int64_t>(s.rows.size());
        c.logits += s.logits_count;
        c.most_rows = std::max(c.most_rows, s.rows.size());
        c.most_branches = std::max(c.most_branches, s.sequences.size());
        std::vector<int> rows_of(s.sequences.size());
        for (const hence::step_row& row : s.rows) ++rows_of[static_cast<std::size_t>(row.sequence)];
        bool piece = false;
        bool single = false;
        for (const int n : rows_of) (n > 1 ? piece : single) = true;
        if (piece && single) c.mixed_steps += 1;
        (void)scratch;
    }

    toy_settings settings_;
    std::shared_ptr<const hence::tokenizer> tokenizer_;
    std::shared_ptr<toy_counters> counters_;
};

}  // namespace hence_test

#endif
