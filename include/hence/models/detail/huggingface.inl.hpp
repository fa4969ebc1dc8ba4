// Definitions of models/huggingface.hpp, and load_folder() of models/decoder.hpp.
#ifndef HENCE_MODELS_DETAIL_HUGGINGFACE_INL_HPP
#define HENCE_MODELS_DETAIL_HUGGINGFACE_INL_HPP

#include "../../text/tokenizer_json.hpp"
#include "../huggingface.hpp"
#include "huggingface_config.hpp"
#include "model_folder.hpp"

HENCE_NAMESPACE_BEGIN

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
    if (is_folder(path)) {
        const std::string folder = parts::folder_of(path);
        if (const auto found = parts::open_if_there(folder + "/config.json"); found && !*found) {
            HENCE_TRY_ASSIGN(name, parts::gguf_in(folder));
            HENCE_TRY_ASSIGN(file, gguf_file::open(name));
            return decoder::from_gguf(file, options);
        }
    }
    HENCE_TRY_ASSIGN(from, parts::model_folder::open(path));
    return decoder::from_tensors(*from->source, std::move(from->config), std::move(from->words), options);
}

HENCE_NAMESPACE_END

#endif
