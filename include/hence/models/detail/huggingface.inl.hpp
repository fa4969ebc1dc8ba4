// Definitions of models/huggingface.hpp, and load_folder() of models/decoder.hpp.
#ifndef HENCE_MODELS_DETAIL_HUGGINGFACE_INL_HPP
#define HENCE_MODELS_DETAIL_HUGGINGFACE_INL_HPP

#include "../../core/json.hpp"
#include "../../sys/folder.hpp"
#include "../../sys/mapped_file.hpp"
#include "../../text/tokenizer_json.hpp"
#include "../huggingface.hpp"
#include "huggingface_config.hpp"
#include "huggingface_source.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

HENCE_NAMESPACE_BEGIN

namespace models::detail {

/// A file of a folder that may be absent: its bytes, or none.
inline result<std::optional<mapped_file>> open_if_there(const std::string& path) {
    result<mapped_file> file = mapped_file::open(path);
    if (file) return std::optional<mapped_file>(std::move(*file));
    if (file.error().code == errc::file_not_found) return std::optional<mapped_file>();
    return std::move(file).error();
}

inline std::string_view text_of(const std::optional<mapped_file>& file) {
    return file ? std::string_view(reinterpret_cast<const char*>(file->bytes().data()), file->size()) : std::string_view();
}

/// chat_template.json: {"chat_template": "..."}, as processors of several kinds of input store it.
inline result<std::string> template_of(std::string_view json, const std::string& name) {
    HENCE_TRY_ASSIGN(document, parse_json(json, name, {.depth = 16, .values = 10'000}));
    const auto field = document.is_object() ? document.find("chat_template") : document.end();
    if (!document.is_object() || field == document.end() || !field->is_string())
        return make_error(errc::bad_format, name + ": chat_template", "a text", "none");
    return field->get<std::string>();
}

/// config.json names the tokens that begin and end a text where the tokenizer's files do not.
inline void add_ends(vocabulary& words, const hf_config& config) {
    const auto id_of = [&](std::int64_t id) {
        return id >= 0 && static_cast<std::uint64_t>(id) < words.tokens.size() ? static_cast<token_id>(id) : no_token;
    };
    if (words.begin == no_token && config.bos_token_id) words.begin = id_of(*config.bos_token_id);
    for (const std::int64_t id : config.eos_token_id) {
        const token_id end = id_of(id);
        if (end == no_token) continue;
        if (words.end == no_token) words.end = end;
        words.also_end.push_back(end);
    }
}

/// Some tokenizers have special tokens that a model without pictures has no rows for: nobody can write those.
inline result<void> drop_rowless_tokens(vocabulary& words, std::int64_t rows, const std::string& folder) {
    const auto most = static_cast<std::size_t>(rows);
    if (words.tokens.size() <= most) return {};
    for (std::size_t id = most; id < words.tokens.size(); ++id)
        if (words.types[id] != static_cast<std::int32_t>(token_type::control))
            return make_error(errc::mismatch, folder + "/tokenizer.json",
                              "at most vocab_size (" + std::to_string(rows) + ") tokens that are not special",
                              std::to_string(words.tokens.size()) + " tokens, with " + quote(words.tokens[id]) + " among the last");
    words.tokens.resize(most);
    words.types.resize(most);
    if (words.scores.size() > most) words.scores.resize(most);
    if (words.exact_scores.size() > most) words.exact_scores.resize(most);
    const auto gone = [&](token_id id) { return id >= static_cast<token_id>(most); };
    std::erase_if(words.added, [&](const added_token& added) { return gone(added.id); });
    for (std::vector<token_id>* const ids : {&words.also_end, &words.before, &words.after}) std::erase_if(*ids, gone);
    for (token_id* const id : {&words.begin, &words.end, &words.unknown, &words.separator, &words.padding, &words.mask})
        if (*id != no_token && gone(*id)) *id = no_token;
    return {};
}

/// The GGUF model in a folder without config.json.
inline result<std::string> gguf_in(const std::string& folder) {
    HENCE_TRY_ASSIGN(names, folder_entries(folder));
    std::vector<std::string> models;
    for (const std::string& name : names) {
        if (!name.ends_with(".gguf")) continue;
        const std::size_t part = name.rfind("-of-");  // of a split set, its first file
        if (part != std::string::npos && part >= 6 && name.substr(part - 6, 6) != "-00001") continue;
        models.push_back(name);
    }
    if (models.size() == 1) return folder + "/" + models.front();
    std::string found = models.empty() ? "neither" : std::to_string(models.size()) + " GGUF models: " + models[0] + ", " + models[1];
    return make_error(models.empty() ? errc::missing : errc::invalid_argument, folder, "config.json, or one GGUF model", std::move(found));
}

inline std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace models::detail

HENCE_INLINE std::string models::supported_model_types() {
    std::string list;
    for (const detail::hf_family& family : detail::hf_families) (list += list.empty() ? "" : ", ") += family.model_type;
    return list;
}

HENCE_INLINE result<decoder_config> models::read_config(const hf_config& config, const std::string& name) {
    return detail::hf_config_reader(config, name).read();
}

HENCE_INLINE result<vocabulary> vocabulary_from_folder(const std::string& folder) {
    namespace parts = models::detail;
    HENCE_TRY_ASSIGN(words, parts::open_if_there(folder + "/tokenizer.json"));
    if (!words) {
        std::string found = "no such file";
        if (const auto other = parts::open_if_there(folder + "/tokenizer.model"); other && *other) found += ", but tokenizer.model";
        else if (const auto merges = parts::open_if_there(folder + "/merges.txt"); merges && *merges) found += ", but merges.txt";
        return make_error(errc::file_not_found, folder + "/tokenizer.json", "the tokenizer, as the tokenizers library writes it", std::move(found));
    }
    HENCE_TRY_ASSIGN(config, parts::open_if_there(folder + "/tokenizer_config.json"));
    HENCE_TRY_ASSIGN(generation, parts::open_if_there(folder + "/generation_config.json"));
    HENCE_TRY_ASSIGN(chat, parts::open_if_there(folder + "/chat_template.jinja"));
    tokenizer_files files;
    files.tokenizer_json = parts::text_of(words);
    files.tokenizer_config_json = parts::text_of(config);
    files.generation_config_json = parts::text_of(generation);
    files.chat_template_jinja = parts::text_of(chat);
    files.name = folder + "/tokenizer.json";
    std::string held;
    if (!chat) {
        HENCE_TRY_ASSIGN(wrapped, parts::open_if_there(folder + "/chat_template.json"));
        if (wrapped) {
            HENCE_TRY_ASSIGN(text, parts::template_of(parts::text_of(wrapped), folder + "/chat_template.json"));
            held = std::move(text);
            files.chat_template_jinja = held;
        }
    }
    return vocabulary_from_json(files);
}

HENCE_OPTIONAL result<decoder> load_folder(const std::string& path, const load_options& options) {
    namespace parts = models::detail;
    std::string folder = path;
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    std::string weights = folder;
    if (!is_folder(path)) {
        folder = parts::parent_of(path);
        if (!path.ends_with(".safetensors") && !path.ends_with(".safetensors.index.json")) {
            if (!path.ends_with("config.json"))
                return make_error(errc::invalid_argument, path, "a model's folder, its config.json or its .safetensors file", "another JSON file");
            weights = folder;
        }
    } else if (const auto found = parts::open_if_there(folder + "/config.json"); found && !*found) {
        HENCE_TRY_ASSIGN(name, parts::gguf_in(folder));
        HENCE_TRY_ASSIGN(file, gguf_file::open(name));
        return decoder::from_gguf(file, options);
    }
    HENCE_TRY_ASSIGN(source_config, read_hf_config(folder));
    HENCE_TRY_ASSIGN(config, models::read_config(source_config, folder + "/config.json"));
    HENCE_TRY(read_hf_generation_config(folder));
    HENCE_TRY_ASSIGN(words, vocabulary_from_folder(folder));
    parts::add_ends(words, source_config);
    HENCE_TRY(parts::drop_rowless_tokens(words, source_config.vocab_size, folder));
    HENCE_TRY_ASSIGN(file, safetensors_file::open(weights));
    parts::hf_source source(std::move(file), source_config, *parts::find_family(source_config.model_type));
    HENCE_TRY(source.open());
    if (const file_tensor* const embedding = source.find_tensor("token_embd.weight");
        !embedding->shape.empty() && embedding->shape[0] != config.vocabulary)
        return make_error(errc::mismatch, source.name(), "as many rows as vocab_size (" + std::to_string(config.vocabulary) + ")",
                          std::to_string(embedding->shape[0]), embedding->name, embedding->file_offset);
    return decoder::from_tensors(source, std::move(config), std::move(words), options);
}

HENCE_NAMESPACE_END

#endif
