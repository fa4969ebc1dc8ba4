// A model folder opened: its configuration, its words and its weights, for whoever makes something of it.
#ifndef HENCE_MODELS_DETAIL_MODEL_FOLDER_HPP
#define HENCE_MODELS_DETAIL_MODEL_FOLDER_HPP

#include "../../core/json.hpp"
#include "../../io/hf_config.hpp"
#include "../../sys/folder.hpp"
#include "../../sys/mapped_file.hpp"
#include "../../text/vocabulary.hpp"
#include "../decoder_config.hpp"
#include "huggingface_source.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

// Of models/huggingface.hpp, which cannot be included here: header-only, its definitions include this file.
result<vocabulary> vocabulary_from_folder(const std::string& folder);
namespace models {
result<decoder_config> read_config(const hf_config& config, const std::string& name);
}

namespace models::detail {

/// A file of a folder that may be absent: its bytes, or none.
inline result<std::optional<mapped_file>> open_if_there(const std::string& path) {
    result<mapped_file> file = mapped_file::open(path);
    if (file) return std::optional<mapped_file>(std::move(*file));
    if (file.error().code == errc::file_not_found) return std::optional<mapped_file>();
    return std::move(file).error();
}

inline std::string_view text_of(const std::optional<mapped_file>& file) {
    return file ? std::string_view(reinterpret_cast<const char*>(file->bytes().data()), file->size())
                : std::string_view();
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
            return make_error(
                errc::mismatch, folder + "/tokenizer.json",
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
    std::string found =
        models.empty() ? "neither" : std::to_string(models.size()) + " GGUF models: " + models[0] + ", " + models[1];
    return make_error(models.empty() ? errc::missing : errc::invalid_argument, folder, "config.json, or one GGUF model",
                      std::move(found));
}

inline std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// The folder that a path names by itself, its config.json or its .safetensors.
inline std::string folder_of(const std::string& path) {
    if (!is_folder(path)) return parent_of(path);
    std::string folder = path;
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    return folder;
}

/// Stays where it is: the source refers to the configuration.
struct model_folder {
    hf_config source_config;
    decoder_config config;
    vocabulary words;
    std::optional<hf_source> source;

    static result<std::unique_ptr<model_folder>> open(const std::string& path) {
        const std::string folder = folder_of(path);
        std::string weights = folder;
        if (!is_folder(path)) {
            if (path.ends_with(".safetensors") || path.ends_with(".safetensors.index.json"))
                weights = path;
            else if (!path.ends_with("config.json"))
                return make_error(errc::invalid_argument, path,
                                  "a model's folder, its config.json or its .safetensors file", "another JSON file");
        }
        auto made = std::make_unique<model_folder>();
        HENCE_TRY_ASSIGN(source_config, read_hf_config(folder));
        made->source_config = std::move(source_config);
        HENCE_TRY_ASSIGN(config, models::read_config(made->source_config, folder + "/config.json"));
        made->config = std::move(config);
        HENCE_TRY(read_hf_generation_config(folder));
        HENCE_TRY_ASSIGN(words, vocabulary_from_folder(folder));
        made->words = std::move(words);
        add_ends(made->words, made->source_config);
        HENCE_TRY(drop_rowless_tokens(made->words, made->source_config.vocab_size, folder));
        HENCE_TRY_ASSIGN(file, safetensors_file::open(weights));
        made->source.emplace(std::move(file), made->source_config, *find_family(made->source_config.model_type));
        HENCE_TRY(made->source->open());
        if (const file_tensor* const embedding = made->source->find_tensor("token_embd.weight");
            !embedding->shape.empty() && embedding->shape[0] != made->config.vocabulary)
            return make_error(errc::mismatch, made->source->name(),
                              "as many rows as vocab_size (" + std::to_string(made->config.vocabulary) + ")",
                              std::to_string(embedding->shape[0]), embedding->name, embedding->file_offset);
        return made;
    }
};

}  // namespace models::detail

HENCE_NAMESPACE_END

#endif
