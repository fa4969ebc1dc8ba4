// Definitions of models/vocabulary_from_gguf.hpp.
#ifndef HENCE_MODELS_DETAIL_VOCABULARY_FROM_GGUF_INL_HPP
#define HENCE_MODELS_DETAIL_VOCABULARY_FROM_GGUF_INL_HPP

#include "../../core/text.hpp"
#include "../vocabulary_from_gguf.hpp"

#include <algorithm>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN
namespace models_detail {

/// Control tokens with one of these spellings end a generation even where no key says so.
inline constexpr std::string_view ends_by_name[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>", "</s>",
    "<|eom_id|>", "<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>",
    "<\xEF\xBD\x9C" "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>", "[e~["};

inline constexpr std::string_view turn_ends[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "[EOT]",
    "<\xEF\xBD\x9C" "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>", "<end_of_utterance>"};

class gguf_vocabulary_reader {
public:
    explicit gguf_vocabulary_reader(const gguf_file& file) : file_(file) {}

    result<vocabulary> read() {
        HENCE_TRY_ASSIGN(model, file_.get<std::string>("tokenizer.ggml.model"));
        v_.model = model;
        HENCE_TRY_ASSIGN(tokens, file_.get<std::vector<std::string>>("tokenizer.ggml.tokens"));
        v_.tokens = std::move(tokens);
        HENCE_TRY(optional("tokenizer.ggml.pre", v_.pre));
        HENCE_TRY(defaults());
        HENCE_TRY(optional("tokenizer.ggml.scores", v_.scores));
        HENCE_TRY(optional("tokenizer.ggml.token_type", v_.types));
        if (v_.model == "gpt2") {
            HENCE_TRY_ASSIGN(merges, file_.get<std::vector<std::string>>("tokenizer.ggml.merges"));
            v_.merges = std::move(merges);
        }
        HENCE_TRY(id("tokenizer.ggml.bos_token_id", v_.begin));
        HENCE_TRY(id("tokenizer.ggml.cls_token_id", v_.begin));
        HENCE_TRY(id("tokenizer.ggml.eos_token_id", v_.end));
        HENCE_TRY(id("tokenizer.ggml.eot_token_id", v_.end_of_turn));
        HENCE_TRY(id("tokenizer.ggml.unknown_token_id", v_.unknown));
        HENCE_TRY(id("tokenizer.ggml.seperator_token_id", v_.separator));  // the key is spelled so
        HENCE_TRY(id("tokenizer.ggml.padding_token_id", v_.padding));
        HENCE_TRY(id("tokenizer.ggml.mask_token_id", v_.mask));
        token_id end_of_message = no_token;
        HENCE_TRY(id("tokenizer.ggml.eom_token_id", end_of_message));
        if (end_of_message != no_token) v_.also_end.push_back(end_of_message);
        HENCE_TRY(optional("tokenizer.ggml.add_bos_token", v_.add_begin));
        HENCE_TRY(optional("tokenizer.ggml.add_eos_token", v_.add_end));
        HENCE_TRY(optional("tokenizer.ggml.add_sep_token", v_.add_separator));
        HENCE_TRY(optional("tokenizer.ggml.add_space_prefix", v_.add_space_prefix));
        HENCE_TRY(optional("tokenizer.ggml.remove_extra_whitespaces", v_.remove_extra_whitespaces));
        v_.strip_accents = true;
        HENCE_TRY(optional("tokenizer.ggml.normalizer.lowercase", v_.lowercase));
        v_.strip_accents = v_.lowercase;
        HENCE_TRY(optional("tokenizer.ggml.normalizer.strip_accents", v_.strip_accents));
        HENCE_TRY(charsmap());
        HENCE_TRY(optional("tokenizer.chat_template", v_.chat_template));
        for (std::size_t i = 0; i < v_.tokens.size(); ++i)  // llama.cpp's name for a token without a spelling
            if (v_.tokens[i].empty()) v_.tokens[i] = "[EMPTY_" + std::to_string(i) + "]";
        HENCE_TRY(drop_absent_defaults());
        ends();
        HENCE_TRY(strip_flags());
        return std::move(v_);
    }

private:
    template <class T>
    result<void> optional(std::string_view key, T& out) {
        HENCE_TRY_ASSIGN(value, file_.get_if<T>(key));
        if (value) out = std::move(*value);
        return {};
    }

    result<void> id(std::string_view key, token_id& out) {
        HENCE_TRY_ASSIGN(value, file_.get_if<std::int64_t>(key));
        if (!value || *value == 0xFFFFFFFF || *value == -1) return {};  // some writers store "none" so
        if (*value < 0 || static_cast<std::uint64_t>(*value) >= v_.tokens.size())
            return make_error(errc::out_of_range, concat({file_.name(), ": ", key}),
                              concat({"an id below ", v_.tokens.size()}), decimal(*value));
        out = static_cast<token_id>(*value);
        return {};
    }

    result<void> defaults() {
        if (v_.model == "gpt2") {
            if (v_.pre.empty()) v_.pre = "default";
            v_.add_space_prefix = false;
            for (const std::string_view pre : {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "tekken"})
                if (v_.pre == pre) v_.add_begin = defaulted_begin_ = true;
        } else if (v_.model == "llama") {
            v_.begin = 1;
            v_.end = 2;
            v_.unknown = 0;
            v_.add_begin = defaulted_begin_ = true;
        } else if (v_.model == "t5") {
            v_.end = 1;
            v_.unknown = 2;
            v_.padding = 0;
            v_.add_end = true;
        } else if (v_.model == "bert") {
            v_.begin = 101;
            v_.unknown = 100;
            v_.separator = 102;
            v_.padding = 0;
            v_.mask = 103;
            v_.add_begin = v_.add_separator = true;
            v_.add_space_prefix = false;
        } else {
            return make_error(errc::unsupported, concat({file_.name(), ": tokenizer.ggml.model"}), "one of gpt2, llama, t5, bert",
                              concat({"'", v_.model.substr(0, 80), "'"}));
        }
        return {};
    }

    /// An id that only a default gave, in a vocabulary too small for it, is no id.
    result<void> drop_absent_defaults() {
        for (token_id* const value : {&v_.begin, &v_.end, &v_.unknown, &v_.separator, &v_.padding, &v_.mask})
            if (*value != no_token && static_cast<std::size_t>(*value) >= v_.tokens.size()) *value = no_token;
        if (defaulted_begin_ && v_.begin == no_token && file_.find("tokenizer.ggml.add_bos_token") == nullptr) v_.add_begin = false;
        return {};
    }

    result<void> charsmap() {
        const gguf_entry* const entry = file_.find("tokenizer.ggml.precompiled_charsmap");
        if (entry == nullptr) return {};
        if (entry->type != gguf_type::array || (entry->element != gguf_type::u8 && entry->element != gguf_type::i8))
            return make_error(errc::mismatch, concat({file_.name(), ": ", entry->key}), "an array of bytes", std::string(name(entry->type)));
        v_.precompiled_charsmap.assign(reinterpret_cast<const char*>(entry->data.data()), entry->data.size());
        return {};
    }

    [[nodiscard]] bool control(std::size_t i) const {
        if (v_.types.size() != v_.tokens.size()) return false;
        const auto type = static_cast<token_type>(v_.types[i]);
        return type == token_type::control || type == token_type::user_defined;
    }

    void ends() {
        for (std::size_t i = 0; i < v_.tokens.size(); ++i) {
            if (!control(i)) continue;
            const std::string_view token = v_.tokens[i];
            const auto is = [&](std::string_view name) { return name == token; };
            if (std::any_of(std::begin(ends_by_name), std::end(ends_by_name), is)) v_.also_end.push_back(static_cast<token_id>(i));
        }
        for (const std::string_view wanted : turn_ends) {
            if (v_.end_of_turn != no_token) break;
            for (const token_id id : v_.also_end)
                if (v_.tokens[static_cast<std::size_t>(id)] == wanted) v_.end_of_turn = id;
        }
    }

    /// Phi 3's special tokens take the whitespace after them; no key of the format says so, its name does.
    result<void> strip_flags() {
        std::string model_name;
        HENCE_TRY(optional("general.name", model_name));
        for (char& c : model_name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
        if (v_.model != "llama" || (model_name.find("phi-3") == std::string::npos && model_name.find("phi3") == std::string::npos))
            return {};
        for (std::size_t i = 0; i < v_.tokens.size(); ++i) {
            const std::string& token = v_.tokens[i];
            if ((!control(i) && token != "</s>") || token == "<unk>" || token == "<s>" || token == "<|endoftext|>") continue;
            const bool special = static_cast<token_type>(v_.types.empty() ? 1 : v_.types[i]) == token_type::control;
            v_.added.push_back({.id = static_cast<token_id>(i), .special = special, .strip_right = true});
        }
        return {};
    }

    const gguf_file& file_;
    vocabulary v_;
    bool defaulted_begin_ = false;
};

}  // namespace models_detail

HENCE_INLINE result<vocabulary> vocabulary_from_gguf(const gguf_file& file) {
    return models_detail::gguf_vocabulary_reader(file).read();
}

HENCE_NAMESPACE_END

#endif
