// Definitions of io/hf_config.hpp.
#ifndef HENCE_IO_DETAIL_HF_CONFIG_INL_HPP
#define HENCE_IO_DETAIL_HF_CONFIG_INL_HPP

#include "../../core/text.hpp"
#include "../../sys/mapped_file.hpp"
#include "../hf_config.hpp"
#include "json_fields.hpp"

#include <initializer_list>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// Reads fields of one object; a null counts as absent, a wrong type or range goes to the list.
class json_object_reader {
public:
    using json = nlohmann::json;
    static constexpr std::int64_t largest = std::int64_t{1} << 40;  // no size or id is near it

    json_object_reader(const json& object, std::string where, error_list& errors)
        : object_(object), where_(std::move(where)), errors_(errors) {}

    /// The first of several names that is there and not null.
    [[nodiscard]] const json* find(std::initializer_list<const char*> names, const char** found = nullptr) const {
        for (const char* name : names) {
            const auto at = object_.find(name);
            if (at == object_.end() || at->is_null()) continue;
            if (found != nullptr) *found = name;
            return &*at;
        }
        return nullptr;
    }

    void integer(std::initializer_list<const char*> names, std::optional<std::int64_t>& out, std::int64_t least) {
        const char* name = nullptr;
        const json* value = find(names, &name);
        if (value == nullptr) return;
        std::int64_t held = 0;
        if (take(*value, name, held, least)) out = held;
    }
    void integer(std::initializer_list<const char*> names, std::int64_t& out, std::int64_t least) {
        std::optional<std::int64_t> value;
        integer(names, value, least);
        if (value) out = *value;
    }

    void real(std::initializer_list<const char*> names, std::optional<double>& out, double least) {
        const char* name = nullptr;
        const json* value = find(names, &name);
        if (value == nullptr) return;
        if (!value->is_number()) return wrong(name, "a number", *value, errc::mismatch);
        const double held = value->get<double>();
        if (!std::isfinite(held) || held < least || std::abs(held) > 1e30)
            return wrong(name, concat({"at least ", number(least)}), *value, errc::out_of_range);
        out = held;
    }
    void real(std::initializer_list<const char*> names, double& out, double least) {
        std::optional<double> value;
        real(names, value, least);
        if (value) out = *value;
    }

    void boolean(std::initializer_list<const char*> names, std::optional<bool>& out) {
        const char* name = nullptr;
        const json* value = find(names, &name);
        if (value == nullptr) return;
        if (!value->is_boolean()) return wrong(name, "true or false", *value, errc::mismatch);
        out = value->get<bool>();
    }

    void text(std::initializer_list<const char*> names, std::string& out) {
        const char* name = nullptr;
        const json* value = find(names, &name);
        if (value == nullptr) return;
        if (!value->is_string()) return wrong(name, "a text", *value, errc::mismatch);
        out = value->get<std::string>();
    }
    void text(std::initializer_list<const char*> names, std::optional<std::string>& out) {
        std::string held;
        if (find(names) == nullptr) return;
        text(names, held);
        out = std::move(held);
    }

    void texts(const char* name, std::vector<std::string>& out) {
        const json* value = find({name});
        if (value == nullptr) return;
        if (!value->is_array()) return wrong(name, "an array of texts", *value, errc::mismatch);
        for (const json& item : *value) {
            if (!item.is_string()) return wrong(name, "texts only", item, errc::mismatch);
            out.push_back(item.get<std::string>());
        }
    }

    void reals(const char* name, std::vector<double>& out) {
        const json* value = find({name});
        if (value == nullptr) return;
        if (!value->is_array()) return wrong(name, "an array of numbers", *value, errc::mismatch);
        for (const json& item : *value) {
            if (!item.is_number() || !(item.get<double>() > 0) || item.get<double>() > 1e30)
                return wrong(name, "positive numbers only", item, errc::mismatch);
            out.push_back(item.get<double>());
        }
    }

    /// One id or an array of ids.
    void ids(const char* name, std::vector<std::int64_t>& out) {
        const json* value = find({name});
        if (value == nullptr) return;
        out.clear();
        const auto one = [&](const json& item) {
            std::int64_t held = 0;
            if (take(item, name, held, 0)) out.push_back(held);
        };
        if (!value->is_array()) return one(*value);
        for (const json& item : *value) one(item);
    }

    /// An object inside this one, or nothing; another type is noted.
    [[nodiscard]] const json* object(std::initializer_list<const char*> names) {
        const char* name = nullptr;
        const json* value = find(names, &name);
        if (value == nullptr || value->is_object()) return value;
        wrong(name, "an object", *value, errc::mismatch);
        return nullptr;
    }

    void missing(const std::string& name, std::string expected) {
        errors_.add(make_error(errc::missing, concat({where_, ": ", name}), std::move(expected), "no such field"));
    }
    void wrong(const std::string& name, std::string expected, const json& found, errc code) {
        errors_.add(make_error(code, concat({where_, ": ", name}), std::move(expected), json_text(found)));
    }
    [[nodiscard]] const std::string& where() const noexcept { return where_; }
    [[nodiscard]] error_list& errors() noexcept { return errors_; }

private:
    [[nodiscard]] static std::string number(double value) { return json(value).dump(); }

    bool take(const json& value, const char* name, std::int64_t& out, std::int64_t least) {
        // Python writes some counts as floats (512.0).
        std::int64_t held = 0;
        bool whole = value.is_number_integer();
        if (whole) {
            whole = !value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(largest);
            held = whole ? value.get<std::int64_t>() : 0;
        } else if (value.is_number_float()) {
            const double real = value.get<double>();
            whole = std::abs(real) < 9e15 && real == std::floor(real);
            held = whole ? static_cast<std::int64_t>(real) : 0;
        } else {
            wrong(name, "an integer", value, errc::mismatch);
            return false;
        }
        if (!whole || held < least || held > largest) {
            wrong(name, concat({"an integer from ", least, " to ", largest}), value,
                  errc::out_of_range);
            return false;
        }
        out = held;
        return true;
    }

    const json& object_;
    std::string where_;
    error_list& errors_;
};

inline void read_rope_scaling(const nlohmann::json& object, const std::string& where, error_list& errors,
                              hf_config& config) {
    json_object_reader fields(object, where, errors);
    hf_rope_scaling scaling;
    fields.text({"rope_type", "type"}, scaling.type);
    if (scaling.type == "su") scaling.type = "longrope";
    fields.real({"factor"}, scaling.factor, 0);
    fields.real({"low_freq_factor"}, scaling.low_freq_factor, 0);
    fields.real({"high_freq_factor"}, scaling.high_freq_factor, 0);
    fields.real({"attention_factor"}, scaling.attention_factor, 0);
    fields.real({"beta_fast"}, scaling.beta_fast, 0);
    fields.real({"beta_slow"}, scaling.beta_slow, 0);
    fields.integer({"original_max_position_embeddings"}, scaling.original_max_position_embeddings, 1);
    fields.reals("short_factor", scaling.short_factor);
    fields.reals("long_factor", scaling.long_factor);
    // Later files keep theta beside the scaling, and call all of it rope_parameters.
    fields.real({"rope_theta"}, config.rope_theta, 0);
    fields.real({"partial_rotary_factor"}, config.partial_rotary_factor, 0);
    if (!scaling.type.empty() && scaling.type != "default") config.rope_scaling = std::move(scaling);
}

/// rope_scaling, or rope_parameters: one object, or one for each kind of layer.
inline void read_rope(json_object_reader& fields, hf_config& config) {
    fields.real({"rope_theta"}, config.rope_theta, 0);
    fields.real({"partial_rotary_factor"}, config.partial_rotary_factor, 0);
    fields.real({"rope_local_base_freq"}, config.rope_local_base_freq, 0);
    const nlohmann::json* rope = fields.object({"rope_scaling", "rope_parameters"});
    if (rope == nullptr) return;
    const std::string where = concat({fields.where(), ": rope_scaling"});
    json_object_reader inner(*rope, where, fields.errors());
    const nlohmann::json* full = inner.object({"full_attention"});
    const nlohmann::json* sliding = inner.object({"sliding_attention"});
    if (full == nullptr && sliding == nullptr) return read_rope_scaling(*rope, where, fields.errors(), config);
    if (full != nullptr) read_rope_scaling(*full, where, fields.errors(), config);
    if (sliding != nullptr)
        json_object_reader(*sliding, where, fields.errors()).real({"rope_theta"}, config.rope_local_base_freq, 0);
}

/// What a family's configuration class assumes where its published files leave fields out.
inline void apply_family_defaults(hf_config& config) {
    const auto is = [&](std::string_view type) { return config.model_type == type; };
    const auto fill = [](auto& field, auto value) {
        if (!field) field = value;
    };
    if (is("gemma3_text") || is("gemma3")) {
        config.num_attention_heads = 8;
        config.num_key_value_heads = 4;
        config.head_dim = 256;
        config.vocab_size = 262208;
        config.max_position_embeddings = 131072;
        config.hidden_act = "gelu_pytorch_tanh";
        config.rope_theta = 1e6;
        fill(config.rope_local_base_freq, 1e4);
        fill(config.sliding_window, std::int64_t{4096});
        fill(config.sliding_window_pattern, std::int64_t{6});
        fill(config.query_pre_attn_scalar, 256.0);
        fill(config.rms_norm_eps, 1e-6);
        fill(config.tie_word_embeddings, true);
    } else if (is("gemma2")) {
        config.head_dim = 256;
        config.hidden_act = "gelu_pytorch_tanh";
        fill(config.sliding_window, std::int64_t{4096});
        fill(config.query_pre_attn_scalar, 256.0);
        fill(config.attn_logit_softcapping, 50.0);
        fill(config.final_logit_softcapping, 30.0);
        fill(config.rms_norm_eps, 1e-6);
        fill(config.tie_word_embeddings, true);
    } else if (is("gpt2")) {
        config.hidden_act = "gelu_new";
        fill(config.layer_norm_eps, 1e-5);
        fill(config.tie_word_embeddings, true);
        fill(config.scale_attn_weights, true);
    } else if (is("starcoder2")) {
        config.hidden_act = "gelu_pytorch_tanh";
        fill(config.layer_norm_eps, 1e-5);
        fill(config.use_bias, true);
        fill(config.tie_word_embeddings, true);
    } else if (is("llama") || is("mistral") || is("qwen2") || is("qwen3") || is("phi3")) {
        config.hidden_act = "silu";
        fill(config.rms_norm_eps, is("phi3") ? 1e-5 : 1e-6);
        fill(config.tie_word_embeddings, false);
        if (is("qwen3")) config.head_dim = 128;
        if (is("mistral")) fill(config.sliding_window, std::int64_t{4096});
        if (is("llama")) fill(config.mlp_bias, false);
        if (is("llama") || is("qwen3")) fill(config.attention_bias, false);
    }
}

inline void read_config_fields(json_object_reader& fields, hf_config& config) {
    fields.integer({"hidden_size", "n_embd"}, config.hidden_size, 1);
    fields.integer({"num_hidden_layers", "n_layer"}, config.num_hidden_layers, 1);
    fields.integer({"num_attention_heads", "n_head"}, config.num_attention_heads, 1);
    fields.integer({"num_key_value_heads"}, config.num_key_value_heads, 1);
    fields.integer({"head_dim"}, config.head_dim, 1);
    fields.integer({"vocab_size"}, config.vocab_size, 1);
    fields.integer({"intermediate_size", "n_inner"}, config.intermediate_size, 1);
    fields.integer({"max_position_embeddings", "n_positions", "n_ctx"}, config.max_position_embeddings, 1);
    fields.integer({"original_max_position_embeddings"}, config.original_max_position_embeddings, 1);
    fields.real({"rms_norm_eps"}, config.rms_norm_eps, 0);
    fields.real({"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"}, config.layer_norm_eps, 0);
    // Gemma's early files have both names and mean the second.
    fields.text({"hidden_activation", "hidden_act", "activation_function"}, config.hidden_act);
    read_rope(fields, config);
    fields.boolean({"tie_word_embeddings"}, config.tie_word_embeddings);
    fields.boolean({"attention_bias"}, config.attention_bias);
    fields.boolean({"mlp_bias"}, config.mlp_bias);
    fields.boolean({"use_bias"}, config.use_bias);
    fields.integer({"sliding_window"}, config.sliding_window, 0);
    fields.boolean({"use_sliding_window"}, config.use_sliding_window);
    fields.integer({"max_window_layers"}, config.max_window_layers, 0);
    fields.integer({"sliding_window_pattern", "_sliding_window_pattern"}, config.sliding_window_pattern, 1);
    fields.texts("layer_types", config.layer_types);
    fields.real({"attn_logit_softcapping"}, config.attn_logit_softcapping, 0);
    fields.real({"final_logit_softcapping"}, config.final_logit_softcapping, 0);
    fields.real({"query_pre_attn_scalar"}, config.query_pre_attn_scalar, 0);
    fields.boolean({"scale_attn_weights"}, config.scale_attn_weights);
    fields.boolean({"scale_attn_by_inverse_layer_idx"}, config.scale_attn_by_inverse_layer_idx);
    fields.text({"norm_type"}, config.norm_type);
    fields.text({"mlp_type"}, config.mlp_type);
    fields.text({"torch_dtype", "dtype"}, config.dtype);
    fields.integer({"bos_token_id"}, config.bos_token_id, 0);
    fields.integer({"pad_token_id"}, config.pad_token_id, -1);
    fields.ids("eos_token_id", config.eos_token_id);
}

/// A null in a file overrides a family default for the fields where null means "none".
inline void apply_nulls(const nlohmann::json& object, hf_config& config) {
    const auto is_null = [&](const char* name) {
        const auto at = object.find(name);
        return at != object.end() && at->is_null();
    };
    if (is_null("sliding_window")) config.sliding_window.reset();
    if (is_null("attn_logit_softcapping")) config.attn_logit_softcapping.reset();
    if (is_null("final_logit_softcapping")) config.final_logit_softcapping.reset();
}

inline void check_config(json_object_reader& fields, hf_config& config) {
    const bool gpt2 = config.model_type == "gpt2";
    if (config.model_type.empty()) fields.missing("model_type", "the family's name");
    if (config.hidden_size == 0) fields.missing(gpt2 ? "n_embd" : "hidden_size", "the width");
    if (config.num_hidden_layers == 0) fields.missing(gpt2 ? "n_layer" : "num_hidden_layers", "the number of layers");
    if (config.num_attention_heads == 0) fields.missing(gpt2 ? "n_head" : "num_attention_heads", "the number of heads");
    if (config.vocab_size == 0) fields.missing("vocab_size", "the number of tokens");
    if (config.max_position_embeddings == 0)
        fields.missing(gpt2 ? "n_positions" : "max_position_embeddings", "the context length");
    if (config.intermediate_size == 0 && gpt2) config.intermediate_size = 4 * config.hidden_size;
    if (config.intermediate_size == 0) fields.missing("intermediate_size", "the feed-forward width");
    if (!fields.errors().empty()) return;
    if (config.num_key_value_heads == 0) config.num_key_value_heads = config.num_attention_heads;
    const auto mismatch = [&](const char* field, std::string expected, std::int64_t found) {
        fields.errors().add(
            make_error(errc::mismatch, concat({fields.where(), ": ", field}), std::move(expected), decimal(found)));
    };
    if (config.num_attention_heads % config.num_key_value_heads != 0)
        mismatch("num_key_value_heads", concat({"a divisor of ", config.num_attention_heads, " heads"}),
                 config.num_key_value_heads);
    if (config.head_dim == 0) {
        if (config.hidden_size % config.num_attention_heads != 0)
            mismatch("num_attention_heads",
                     concat({"a divisor of hidden_size ", config.hidden_size, " where there is no head_dim"}),
                     config.num_attention_heads);
        config.head_dim = config.hidden_size / config.num_attention_heads;
    }
    if (!config.layer_types.empty() && config.layer_types.size() != static_cast<std::size_t>(config.num_hidden_layers))
        mismatch("layer_types", concat({config.num_hidden_layers, " entries"}),
                 static_cast<std::int64_t>(config.layer_types.size()));
    for (const std::string& type : config.layer_types)
        if (type != "full_attention" && type != "sliding_attention") {
            fields.errors().add(make_error(errc::unsupported, concat({fields.where(), ": layer_types"}),
                                           "full_attention or sliding_attention", quote(type)));
            break;
        }
    for (const std::int64_t id : config.eos_token_id)
        if (id >= config.vocab_size) mismatch("eos_token_id", concat({"below ", config.vocab_size}), id);
    if (config.bos_token_id && *config.bos_token_id >= config.vocab_size)
        mismatch("bos_token_id", concat({"below ", config.vocab_size}), *config.bos_token_id);
}

inline result<nlohmann::json> parse_config_object(std::string_view text, const std::string& name) {
    constexpr std::size_t most_bytes = std::size_t{4} << 20;  // published ones have a few thousand
    if (text.size() > most_bytes) return make_error(errc::out_of_range, name, "at most 4194304 bytes", decimal(text.size()));
    // A configuration is a few kilobytes; a long list of per-layer factors, a few hundred.
    HENCE_TRY_ASSIGN(document, parse_json(text, name, {.depth = 16, .values = 200'000}));
    if (!document.is_object()) return make_error(errc::bad_format, name, "a JSON object", json_text(document));
    return document;
}

inline result<mapped_file> open_in_folder(const std::string& folder, const char* file) {
    return mapped_file::open(folder.empty() || folder.ends_with('/') ? folder + file : folder + "/" + file);
}

}  // namespace detail

HENCE_INLINE result<hf_config> parse_hf_config(std::string_view json, const std::string& name) {
    HENCE_TRY_ASSIGN(document, detail::parse_config_object(json, name));
    detail::error_list errors;
    hf_config config;
    detail::json_object_reader outer(document, name, errors);
    outer.text({"model_type"}, config.model_type);
    outer.texts("architectures", config.architectures);
    if (const nlohmann::json* quantized = outer.object({"quantization_config"})) {
        std::string method;
        detail::json_object_reader(*quantized, concat({name, ": quantization_config"}), errors).text({"quant_method"}, method);
        config.quantization_method = std::move(method);
    }
    // A multimodal file keeps the language model in text_config; what the whole says holds where that is silent.
    const nlohmann::json* inner = outer.object({"text_config"});
    if (inner != nullptr) {
        detail::json_object_reader(*inner, concat({name, ": text_config"}), errors).text({"model_type"}, config.model_type);
    }
    detail::apply_family_defaults(config);
    detail::apply_nulls(document, config);
    detail::read_config_fields(outer, config);
    if (inner != nullptr) {
        detail::json_object_reader nested(*inner, concat({name, ": text_config"}), errors);
        detail::apply_nulls(*inner, config);
        detail::read_config_fields(nested, config);
    }
    detail::check_config(outer, config);
    if (!errors.empty()) return errors.take();
    return config;
}

HENCE_INLINE result<hf_generation_config> parse_hf_generation_config(std::string_view json, const std::string& name) {
    HENCE_TRY_ASSIGN(document, detail::parse_config_object(json, name));
    detail::error_list errors;
    hf_generation_config config;
    detail::json_object_reader fields(document, name, errors);
    fields.boolean({"do_sample"}, config.do_sample);
    fields.real({"temperature"}, config.temperature, 0);
    fields.integer({"top_k"}, config.top_k, 0);
    fields.real({"top_p"}, config.top_p, 0);
    fields.real({"min_p"}, config.min_p, 0);
    fields.real({"repetition_penalty"}, config.repetition_penalty, 0);
    fields.integer({"max_new_tokens"}, config.max_new_tokens, 0);
    fields.integer({"max_length"}, config.max_length, 0);
    fields.integer({"bos_token_id"}, config.bos_token_id, 0);
    fields.integer({"pad_token_id"}, config.pad_token_id, -1);
    fields.ids("eos_token_id", config.eos_token_id);
    if (!errors.empty()) return errors.take();
    return config;
}

HENCE_INLINE result<hf_config> read_hf_config(const std::string& folder) {
    HENCE_TRY_ASSIGN(file, detail::open_in_folder(folder, "config.json"));
    return parse_hf_config(detail::as_text(file.bytes()), concat({folder, "/config.json"}));
}

HENCE_INLINE result<hf_generation_config> read_hf_generation_config(const std::string& folder) {
    result<mapped_file> file = detail::open_in_folder(folder, "generation_config.json");
    if (!file && file.error().code == errc::file_not_found) return hf_generation_config{};
    if (!file) return std::move(file).error();
    return parse_hf_generation_config(detail::as_text(file->bytes()), concat({folder, "/generation_config.json"}));
}

HENCE_NAMESPACE_END

#endif
