// Reads llama2.c model files (version 0) and their tokenizers, and writes them as GGUF.
//
// A version-0 file is seven 32-bit integers, then all weights in float32 in a fixed order, then two
// tables of rotary angles that GGUF does not need, then the output matrix when it is not the embedding.
// It has no names and no lengths, so its size against its header is the only check there is: it must be
// exact. Pairs for the rotary embedding are neighbours, as in GGUF's llama, so no matrix is permuted.
#ifndef HENCE_EXAMPLES_CONVERT_LLAMA2C_LLAMA2C_HPP
#define HENCE_EXAMPLES_CONVERT_LLAMA2C_LLAMA2C_HPP

#include <hence/io/gguf_writer.hpp>
#include <hence/sys/mapped_file.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llama2c {

/// The header of a version-0 file, checked.
struct shape {
    std::uint32_t width = 0;   // dim
    std::uint32_t hidden = 0;  // hidden_dim
    std::uint32_t layers = 0;
    std::uint32_t heads = 0;
    std::uint32_t kv_heads = 0;
    std::uint32_t vocabulary = 0;
    std::uint32_t context = 0;
    bool tied = true;  // the output matrix is the embedding

    [[nodiscard]] std::uint32_t head_width() const { return width / heads; }
    [[nodiscard]] std::uint32_t kv_width() const { return head_width() * kv_heads; }
};

/// One vocabulary entry as GGUF wants it.
struct token {
    std::string text;
    float score = 0;
    std::int32_t type = 1;  // GGUF: 1 normal, 2 unknown, 3 control, 6 byte
};

inline hence::result<shape> read_shape(std::span<const std::byte> file, const std::string& name) {
    using hence::errc;
    using hence::make_error;
    std::array<std::int32_t, 7> header{};
    if (file.size() < sizeof header)
        return make_error(errc::truncated, name + ": header", "28 bytes", std::to_string(file.size()));
    std::memcpy(header.data(), file.data(), sizeof header);
    if (header[0] == 0x616b3432)
        return make_error(errc::unsupported, name + ": header", "a version-0 file",
                          "the mark of version 1 or later ('ak42'): export with --version 0");
    static constexpr const char* fields[] = {"dim",        "hidden_dim", "n_layers", "n_heads",
                                             "n_kv_heads", "vocab_size", "seq_len"};
    for (std::size_t i = 0; i < header.size(); ++i) {
        const std::int32_t value = i == 5 && header[i] < 0 && header[i] > -(1 << 24) ? -header[i] : header[i];
        if (value < 1 || value >= 1 << 24)
            return make_error(errc::out_of_range, name + ": " + fields[i], "1 to 16777215", std::to_string(header[i]),
                              {}, 4 * i);
    }
    const auto field = [&](std::size_t i) { return static_cast<std::uint32_t>(header[i]); };
    shape s{field(0), field(1),     field(2),
            field(3), field(4),     header[5] < 0 ? static_cast<std::uint32_t>(-header[5]) : field(5),
            field(6), header[5] > 0};
    if (s.width % s.heads != 0 || s.head_width() % 2 != 0)
        return make_error(errc::mismatch, name + ": n_heads", "a divisor of dim with an even quotient",
                          std::to_string(s.heads) + " for dim " + std::to_string(s.width));
    if (s.heads % s.kv_heads != 0)
        return make_error(errc::mismatch, name + ": n_kv_heads", "a divisor of n_heads",
                          std::to_string(s.kv_heads) + " for " + std::to_string(s.heads));
    return s;
}

/// Types a token by its text, as SentencePiece models name their special pieces.
inline token make_token(std::string text, float score) {
    if (text == "\n<s>\n") text = "<s>";  // llama2.c's tokenizer files print these two on lines of their own
    if (text == "\n</s>\n") text = "</s>";
    token made{std::move(text), score, 1};
    if (made.text == "<unk>") made.type = 2;
    if (made.text == "<s>" || made.text == "</s>") made.type = 3;
    if (made.text.size() == 6 && made.text.starts_with("<0x") && made.text.back() == '>') made.type = 6;
    return made;
}

/// A llama2.c tokenizer.bin: the longest token's length, then score, length and bytes of each token.
inline hence::result<std::vector<token>> read_tokenizer(std::span<const std::byte> file, std::uint32_t vocabulary,
                                                        const std::string& name) {
    using hence::errc;
    using hence::make_error;
    std::vector<token> tokens;
    std::size_t at = 4;
    while (at < file.size()) {
        const std::string field = name + ": token " + std::to_string(tokens.size());
        if (tokens.size() == vocabulary)
            return make_error(errc::mismatch, name, "the model's " + std::to_string(vocabulary) + " tokens",
                              std::to_string(file.size() - at) + " bytes more", {}, at);
        float score = 0;
        std::int32_t length = 0;
        if (file.size() - at < 8) return make_error(errc::truncated, field, "a score and a length", "the end", {}, at);
        std::memcpy(&score, file.data() + at, 4);
        std::memcpy(&length, file.data() + at + 4, 4);
        at += 8;
        if (length < 0 || static_cast<std::size_t>(length) > file.size() - at)
            return make_error(errc::truncated, field + " length",
                              "at most the " + std::to_string(file.size() - at) + " bytes left", std::to_string(length),
                              {}, at - 4);
        const std::string_view text(reinterpret_cast<const char*>(file.data() + at), static_cast<std::size_t>(length));
        at += static_cast<std::size_t>(length);
        std::string spelled;
        for (const char c : text) {  // SentencePiece's own mark for a space
            if (c == ' ')
                spelled += "\xe2\x96\x81";
            else
                spelled += c;
        }
        tokens.push_back(make_token(std::move(spelled), score));
    }
    if (tokens.size() != vocabulary)
        return make_error(errc::mismatch, name, "the model's " + std::to_string(vocabulary) + " tokens",
                          std::to_string(tokens.size()));
    return tokens;
}

/// A SentencePiece .vocab file: a line for each token, its text and its score with a tab between.
inline hence::result<std::vector<token>> read_vocab(std::string_view text, std::uint32_t vocabulary,
                                                    const std::string& name) {
    using hence::errc;
    using hence::make_error;
    std::vector<token> tokens;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t tab = line.rfind('\t');
        float score = 0;
        const char* end = line.data() + line.size();
        if (tab == std::string_view::npos || std::from_chars(line.data() + tab + 1, end, score).ptr != end ||
            tab + 1 == line.size())
            return make_error(errc::bad_format, name + ": line " + std::to_string(tokens.size() + 1),
                              "a token, a tab and a score", "something else");
        tokens.push_back(make_token(std::string(line.substr(0, tab)), score));
    }
    if (tokens.size() != vocabulary)
        return make_error(errc::mismatch, name, "the model's " + std::to_string(vocabulary) + " tokens",
                          std::to_string(tokens.size()));
    return tokens;
}

inline void add_metadata(hence::gguf_writer& out, const shape& s, const std::vector<token>& tokens) {
    out.add("general.architecture", "llama");
    out.add("general.name", "llama2.c model");
    out.add("general.file_type", 0u);
    out.add("llama.context_length", s.context);
    out.add("llama.embedding_length", s.width);
    out.add("llama.block_count", s.layers);
    out.add("llama.feed_forward_length", s.hidden);
    out.add("llama.attention.head_count", s.heads);
    out.add("llama.attention.head_count_kv", s.kv_heads);
    out.add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    out.add("llama.rope.dimension_count", s.head_width());
    out.add("llama.rope.freq_base", 10000.0f);
    out.add("llama.vocab_size", s.vocabulary);
    std::vector<std::string> texts;
    std::vector<float> scores;
    std::vector<std::int32_t> types;
    for (const token& t : tokens) {
        texts.push_back(t.text);
        scores.push_back(t.score);
        types.push_back(t.type);
    }
    out.add("tokenizer.ggml.model", "llama");
    out.add("tokenizer.ggml.tokens", std::span<const std::string>(texts));
    out.add("tokenizer.ggml.scores", std::span<const float>(scores));
    out.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(types));
    out.add("tokenizer.ggml.bos_token_id", 1u);
    out.add("tokenizer.ggml.eos_token_id", 2u);
    out.add("tokenizer.ggml.unknown_token_id", 0u);
    out.add("tokenizer.ggml.add_bos_token", true);
    out.add("tokenizer.ggml.add_eos_token", false);
    out.add("tokenizer.ggml.add_space_prefix", true);
}

/// Walks the weights in the file's order and adds each matrix; the writer keeps views into `file`.
inline hence::result<void> add_tensors(hence::gguf_writer& out, const shape& s, std::span<const std::byte> file,
                                       const std::string& name) {
    struct group {
        const char* tensor;  // after blk.N., or the whole name when it is not per layer
        bool per_layer;
        std::uint64_t rows;  // 0: a vector
        std::uint64_t columns;
    };
    const std::uint64_t width = s.width;
    const std::array<group, 11> groups = {{{"token_embd.weight", false, s.vocabulary, width},
                                           {"attn_norm.weight", true, 0, width},
                                           {"attn_q.weight", true, width, width},
                                           {"attn_k.weight", true, s.kv_width(), width},
                                           {"attn_v.weight", true, s.kv_width(), width},
                                           {"attn_output.weight", true, width, width},
                                           {"ffn_norm.weight", true, 0, width},
                                           {"ffn_gate.weight", true, s.hidden, width},
                                           {"ffn_down.weight", true, width, s.hidden},
                                           {"ffn_up.weight", true, s.hidden, width},
                                           {"output_norm.weight", false, 0, width}}};
    // Every factor is below 2^24, so no product of three can pass 2^72: check in 128 bits, then it is small.
    __extension__ using wide = unsigned __int128;
    wide floats = 7;
    for (const group& g : groups) floats += wide{g.per_layer ? s.layers : 1u} * (g.rows == 0 ? 1u : g.rows) * g.columns;
    const std::uint64_t angles = std::uint64_t{s.context} * s.head_width();  // cosines and sines, half a head each
    floats += angles;
    if (!s.tied) floats += wide{s.vocabulary} * width;
    if (floats * 4 != file.size())
        return hence::make_error(hence::errc::mismatch, name,
                                 floats >> 60 != 0
                                     ? "more bytes than a file can have"
                                     : std::to_string(static_cast<std::uint64_t>(floats) * 4) + " bytes, by its header",
                                 std::to_string(file.size()));

    std::size_t at = 28;
    const auto take = [&](std::uint64_t rows, std::uint64_t columns) {
        const auto bytes = static_cast<std::size_t>((rows == 0 ? 1 : rows) * columns * 4);
        at += bytes;
        return file.subspan(at - bytes, bytes);
    };
    const auto add = [&](const std::string& tensor, std::uint64_t rows, std::uint64_t columns) {
        std::vector<std::int64_t> extents;
        if (rows != 0) extents.push_back(static_cast<std::int64_t>(rows));
        extents.push_back(static_cast<std::int64_t>(columns));
        return out.add_tensor(tensor, hence::dtype::f32, extents, take(rows, columns));
    };
    for (const group& g : groups) {
        for (std::uint32_t layer = 0; layer < (g.per_layer ? s.layers : 1); ++layer) {
            const std::string prefix = g.per_layer ? "blk." + std::to_string(layer) + "." : "";
            HENCE_TRY(add(prefix + g.tensor, g.rows, g.columns));
        }
    }
    if (s.tied) return {};
    at += static_cast<std::size_t>(angles) * 4;
    return add("output.weight", s.vocabulary, width);
}

/// Converts MODEL.bin and its tokenizer (tokenizer.bin, or a SentencePiece .vocab) to a GGUF file.
inline hence::result<shape> convert(const std::string& model_path, const std::string& tokenizer_path,
                                    const std::string& out_path) {
    HENCE_TRY_ASSIGN(model, hence::mapped_file::open(model_path));
    HENCE_TRY_ASSIGN(words, hence::mapped_file::open(tokenizer_path));
    HENCE_TRY_ASSIGN(s, read_shape(model.bytes(), model_path));
    const std::string_view text(reinterpret_cast<const char*>(words.bytes().data()), words.size());
    HENCE_TRY_ASSIGN(tokens, tokenizer_path.ends_with(".vocab")
                                 ? read_vocab(text, s.vocabulary, tokenizer_path)
                                 : read_tokenizer(words.bytes(), s.vocabulary, tokenizer_path));
    hence::gguf_writer out;
    add_metadata(out, s, tokens);
    HENCE_TRY(add_tensors(out, s, model.bytes(), model_path));
    HENCE_TRY(out.write(out_path));
    return s;
}

}  // namespace llama2c

#endif
