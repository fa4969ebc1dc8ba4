// A user's program: asks the model whose file it is given, and says which kernels ran.
//
// Built with no -m flag; on a machine with AVX-512 VNNI it must still run that tier.
#if defined(CONSUMER_USES_EIGEN)
#include <Eigen/Core>
#endif
#include <hence/hence.hpp>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
    const auto absent = hence::load("no such file.gguf");
    if (absent || absent.error().code != hence::errc::file_not_found) return 1;
    std::printf("hence %s: %s\n", HENCE_VERSION_STRING, absent.error().message().c_str());
    if (argc < 2) return 0;

    auto model = hence::load(argv[1]).value();
    auto engine = hence::engine(model);
    const auto answer = hence::reason(engine, "calc: 17*3-9\n", hence::self_consistency{.samples = 16});
    std::printf("%s  (%lld tokens, tier %s)\n", answer.text.c_str(),
                static_cast<long long>(answer.account.generated_tokens), std::string(name(model.tier())).c_str());
    if (answer.value != "42") return 1;
#if defined(__x86_64__)
    const bool vnni = __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
    const bool bf16 = __builtin_cpu_supports("avx512bf16");
    const hence::isa least = bf16 ? hence::isa::avx512bf16 : hence::isa::avx512vnni;
    if (vnni && model.tier() != least && model.tier() != hence::isa::amx) return 1;
#endif
    return 0;
}
