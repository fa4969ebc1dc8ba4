// hence inspect: what a model file holds. Reads it as the loader does, so hostile files are refused, not shown.
#include "common.hpp"

#include <hence/models/huggingface.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

namespace tool {

namespace {

struct options : machine_options {
    std::string file;
    bool json = false;
};

std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text;
    for (const std::int64_t extent : shape) text += (text.empty() ? "[" : ", ") + std::to_string(extent);
    return text + "]";
}

std::string size_text(std::uint64_t bytes) {
    char text[48];
    if (bytes < 10'000) std::snprintf(text, sizeof text, "%llu B", static_cast<unsigned long long>(bytes));
    else if (bytes < 10'000'000) std::snprintf(text, sizeof text, "%.1f kB", static_cast<double>(bytes) / 1e3);
    else std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
    return text;
}

// A name from the file: not to be trusted with a terminal.
std::string shown(const std::string& name) {
    const std::string quoted = hence::quote(name, 200);
    return quoted == "'" + name + "'" ? name : quoted;
}

struct format_total {
    std::size_t tensors = 0;
    std::int64_t values = 0;
    std::uint64_t bytes = 0;
};

using format_totals = std::map<std::string, format_total>;

format_totals totals_of(std::span<const hence::file_tensor> tensors) {
    format_totals formats;
    for (const hence::file_tensor& tensor : tensors) {
        format_total& total = formats[std::string(hence::name(tensor.type))];
        ++total.tensors;
        total.values += tensor.elements();
        total.bytes += tensor.data.size();
    }
    return formats;
}

std::string tensors_text(std::span<const hence::file_tensor> tensors) {
    std::size_t width = 0;
    for (const hence::file_tensor& tensor : tensors) width = std::max(width, std::min<std::size_t>(shown(tensor.name).size(), 60));
    std::string out = "\ntensors\n";
    for (const hence::file_tensor& tensor : tensors) {
        std::string name = shown(tensor.name);
        if (name.size() < width) name.resize(width, ' ');
        std::string type(hence::name(tensor.type));
        type.resize(std::max<std::size_t>(type.size(), 7), ' ');
        std::string size = size_text(tensor.data.size());
        if (size.size() < 10) size.insert(0, 10 - size.size(), ' ');
        out += "  " + name + "  " + type + size + "  " + shape_text(tensor.shape) + "\n";
    }
    out += "\nformats\n";
    for (const auto& [name, total] : totals_of(tensors))
        out += "  " + name + ": " + std::to_string(total.tensors) + " tensors, " + std::to_string(total.values) + " values, " +
               size_text(total.bytes) + "\n";
    return out;
}

void add_tensors(nlohmann::json& document, std::span<const hence::file_tensor> tensors) {
    document["tensors"] = nlohmann::json::array();
    for (const hence::file_tensor& tensor : tensors)
        document["tensors"].push_back({{"name", tensor.name}, {"type", hence::name(tensor.type)}, {"shape", tensor.shape},
                                       {"bytes", tensor.data.size()}, {"offset", tensor.file_offset}});
    document["formats"] = nlohmann::json::object();
    for (const auto& [name, total] : totals_of(tensors))
        document["formats"][name] = {{"tensors", total.tensors}, {"values", total.values}, {"bytes", total.bytes}};
}

void print_text(const hence::gguf_file& file) {
    std::string out = file.name() + ": GGUF version " + std::to_string(file.version()) + ", " +
                      std::to_string(file.metadata().size()) + " metadata entries, " + std::to_string(file.tensors().size()) +
                      " tensors, alignment " + std::to_string(file.alignment());
    if (file.parts() > 1) out += ", " + std::to_string(file.parts()) + " files";
    out += "\n\nmetadata\n";
    for (const hence::gguf_entry& entry : file.metadata()) {
        std::string type(hence::name(entry.type));
        if (entry.type == hence::gguf_type::array)
            type = std::string(hence::name(entry.element)) + "[" + std::to_string(entry.count) + "]";
        out += "  " + shown(entry.key) + "  " + type + "  " + hence::to_text(entry) + "\n";
    }
    print(out + tensors_text(file.tensors()));
}

void print_as_json(const hence::gguf_file& file) {
    nlohmann::json document = {{"file", file.name()}, {"version", file.version()}, {"alignment", file.alignment()}, {"parts", file.parts()}};
    document["metadata"] = nlohmann::json::array();
    for (const hence::gguf_entry& entry : file.metadata()) {
        nlohmann::json item = {{"key", entry.key}, {"type", hence::name(entry.type)}, {"count", entry.count}, {"text", hence::to_text(entry)}};
        if (entry.type == hence::gguf_type::array) item["element"] = hence::name(entry.element);
        document["metadata"].push_back(std::move(item));
    }
    add_tensors(document, file.tensors());
    print_json(document);
}

// A folder as training frameworks write it: its configurations as they are, after the loader's checks.
void inspect_folder(const std::string& path, bool json) {
    const std::string folder = std::filesystem::is_directory(path) ? path : std::filesystem::path(path).parent_path().string();
    const hence::safetensors_file file = hence::safetensors_file::open(path).value();
    nlohmann::json configurations = nlohmann::json::object();
    for (const char* name : {"config.json", "generation_config.json"}) {
        const std::string full = folder.empty() ? name : folder + "/" + name;
        if (std::filesystem::exists(full)) configurations[name] = hence::parse_json(read_file(full), full, {.depth = 16, .values = 200'000}).value();
    }
    if (configurations.contains("config.json"))
        (void)hence::models::read_config(hence::read_hf_config(folder.empty() ? "." : folder).value(), folder + "/config.json").value();
    if (json) {
        nlohmann::json document = {{"file", file.name()}, {"parts", file.parts()}, {"configurations", configurations}};
        document["metadata"] = nlohmann::json::object();
        for (const auto& [key, text] : file.metadata()) document["metadata"][key] = text;
        add_tensors(document, file.tensors());
        return print_json(document);
    }
    std::string out = file.name() + ": safetensors, " + std::to_string(file.tensors().size()) + " tensors";
    if (file.parts() > 1) out += ", " + std::to_string(file.parts()) + " files";
    for (const auto& [name, configuration] : configurations.items()) {
        out += "\n\n" + name + "\n";
        for (const auto& [key, value] : configuration.items()) {
            const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
            out += "  " + shown(key) + "  " + (text.size() > 100 ? text.substr(0, 100) + "..." : text) + "\n";
        }
        out.pop_back();
    }
    print(out + "\n" + tensors_text(file.tensors()));
}

void run(const options& o) {
    const bool folder = std::filesystem::is_directory(o.file) && (std::filesystem::exists(o.file + "/config.json") ||
                                                                   std::filesystem::exists(o.file + "/model.safetensors"));
    if (folder || o.file.ends_with(".safetensors") || o.file.ends_with(".json")) return inspect_folder(o.file, o.json);
    const hence::gguf_file file = o.file.empty() ? hence::gguf_file::from_bytes(shipped_model(), std::string(shipped_model_name)).value()
                                                 : hence::gguf_file::open(o.file).value();
    if (o.json) print_as_json(file);
    else print_text(file);
}

}  // namespace

void add_inspect(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("inspect", "Shows what a model file holds: metadata, tensors, sizes, formats");
    const auto o = std::make_shared<options>();
    command->add_option("FILE,-m,--model", o->file, "GGUF or safetensors file, or a folder with them; unset: the model that ships");
    add_machine_options(*command, *o);
    command->add_flag("--json", o->json, "as JSON");
    command->callback([o] { run(*o); });
}

}  // namespace tool
