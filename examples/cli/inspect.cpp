// hence inspect: what a model file holds. Reads it as the loader does, so hostile files are refused, not shown.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
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

void print_text(const hence::gguf_file& file, const std::map<std::string, format_total>& formats) {
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
    std::size_t width = 0;
    for (const hence::gguf_tensor& tensor : file.tensors()) width = std::max(width, std::min<std::size_t>(shown(tensor.name).size(), 60));
    out += "\ntensors\n";
    for (const hence::gguf_tensor& tensor : file.tensors()) {
        std::string name = shown(tensor.name);
        if (name.size() < width) name.resize(width, ' ');
        std::string type(hence::name(tensor.type));
        type.resize(std::max<std::size_t>(type.size(), 7), ' ');
        std::string size = size_text(tensor.data.size());
        if (size.size() < 10) size.insert(0, 10 - size.size(), ' ');
        out += "  " + name + "  " + type + size + "  " + shape_text(tensor.shape) + "\n";
    }
    out += "\nformats\n";
    for (const auto& [name, total] : formats)
        out += "  " + name + ": " + std::to_string(total.tensors) + " tensors, " + std::to_string(total.values) + " values, " +
               size_text(total.bytes) + "\n";
    print(out);
}

void print_as_json(const hence::gguf_file& file, const std::map<std::string, format_total>& formats) {
    nlohmann::json document = {{"file", file.name()}, {"version", file.version()}, {"alignment", file.alignment()}, {"parts", file.parts()}};
    document["metadata"] = nlohmann::json::array();
    for (const hence::gguf_entry& entry : file.metadata()) {
        nlohmann::json item = {{"key", entry.key}, {"type", hence::name(entry.type)}, {"count", entry.count}, {"text", hence::to_text(entry)}};
        if (entry.type == hence::gguf_type::array) item["element"] = hence::name(entry.element);
        document["metadata"].push_back(std::move(item));
    }
    document["tensors"] = nlohmann::json::array();
    for (const hence::gguf_tensor& tensor : file.tensors())
        document["tensors"].push_back({{"name", tensor.name}, {"type", hence::name(tensor.type)}, {"shape", tensor.shape},
                                       {"bytes", tensor.data.size()}, {"offset", tensor.file_offset}});
    document["formats"] = nlohmann::json::object();
    for (const auto& [name, total] : formats)
        document["formats"][name] = {{"tensors", total.tensors}, {"values", total.values}, {"bytes", total.bytes}};
    print_json(document);
}

void run(const options& o) {
    const hence::gguf_file file = o.file.empty() ? hence::gguf_file::from_bytes(shipped_model(), std::string(shipped_model_name)).value()
                                                 : hence::gguf_file::open(o.file).value();
    std::map<std::string, format_total> formats;
    for (const hence::gguf_tensor& tensor : file.tensors()) {
        format_total& total = formats[std::string(hence::name(tensor.type))];
        ++total.tensors;
        total.values += tensor.elements();
        total.bytes += tensor.data.size();
    }
    if (o.json) print_as_json(file, formats);
    else print_text(file, formats);
}

}  // namespace

void add_inspect(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("inspect", "Shows what a model file holds: metadata, tensors, sizes, formats");
    const auto o = std::make_shared<options>();
    command->add_option("FILE,-m,--model", o->file, "GGUF file; unset: the model that ships");
    add_machine_options(*command, *o);
    command->add_flag("--json", o->json, "as JSON");
    command->callback([o] { run(*o); });
}

}  // namespace tool
