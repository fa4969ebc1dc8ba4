// One program of three files with three sets of instruction-set flags: each runs its own code and all say
// the same. Runs the sets that this processor has.
#include "odr/mixed.hpp"

#include <cstdio>

int main() {
    hence_mixed_report baseline;
    hence_mixed_baseline(baseline);
    std::printf("baseline %s\n%s", baseline.abi.c_str(), baseline.said.c_str());
    int failures = 0;
    const auto compare = [&](const char* name, bool can_run, void (*run)(hence_mixed_report&)) {
        if (!can_run) {
            std::printf("%s: not run, the processor lacks it\n", name);
            return;
        }
        hence_mixed_report report;
        run(report);
        std::printf("%s %s\n", name, report.abi.c_str());
        if (report.abi == baseline.abi) {
            std::printf("%s has the ABI key of the baseline\n", name);
            ++failures;
        }
        if (report.said != baseline.said) {
            std::printf("%s says something else:\n%s", name, report.said.c_str());
            ++failures;
        }
    };
    compare("avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), hence_mixed_avx2);
    compare("avx512", __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw"), hence_mixed_avx512);
    return failures == 0 ? 0 : 1;
}
