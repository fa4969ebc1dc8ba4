// hence version: what this program is and what it can run here.
#include "common.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace tool {

namespace {

struct options : machine_options {
    bool json = false;
};

void run(const options& o) {
    std::vector<std::string> tiers;
    for (std::size_t i = 0; i < hence::isa_count; ++i)
        if (const auto tier = static_cast<hence::isa>(i); hence::kernels::compiled(tier) && hence::supported(tier))
            tiers.emplace_back(hence::name(tier));
    const auto tier = o.tier();
    const std::string used(hence::name(tier ? hence::kernels::table(*tier).value()->tier : hence::kernels::default_table().value()->tier));
    std::vector<std::string> architectures;
    for (const hence::architecture& a : hence::models::supported_architectures()) architectures.emplace_back(a.name);
    const nlohmann::json document = {{"version", HENCE_VERSION_STRING},
                                     {"isa", used},
                                     {"tiers", tiers},
                                     {"processors", hence::available_processors()},
                                     {"architectures", architectures},
                                     {"model", shipped_model_name}};
    if (o.json) return print_json(document);
    print("hence " HENCE_VERSION_STRING "\n");
    const auto line = [](const char* what, const std::vector<std::string>& names) {
        std::string text(what);
        for (const std::string& one : names) (text += ' ') += one;
        print(text + "\n");
    };
    line("instruction set:", {used});
    line("tiers of this machine:", tiers);
    line("processors:", {std::to_string(hence::available_processors())});
    line("architectures:", architectures);
    line("model that ships:", {std::string(shipped_model_name)});
}

}  // namespace

void add_version(CLI::App& app) {
    CLI::App* const command = app.add_subcommand("version", "Says what this program is and what it can run here");
    const auto o = std::make_shared<options>();
    add_machine_options(*command, *o);
    command->add_flag("--json", o->json, "as JSON");
    command->callback([o] { run(*o); });
}

}  // namespace tool
