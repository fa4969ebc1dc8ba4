#!/usr/bin/env bash
# The NEON tiers under emulation: tier detection on processors that have fewer than all, with the kernel tests of exactly
# those tiers.
#
#   run_neon.sh [BUILD]    BUILD: a configured and built `neon` preset, whose kernel tests are used (ctest has run them on a
#                          processor that has every tier); else all kernel, processor and core tests are built in
#                          build/run_neon with the cross compiler alone, and run on such a processor first
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jobs=${HENCE_JOBS:-$(nproc 2>/dev/null || echo 2)}

for program in aarch64-linux-gnu-g++ qemu-aarch64; do
    command -v "$program" >/dev/null || {
        echo "run_neon: $program is missing (Debian: g++-aarch64-linux-gnu qemu-user)" >&2
        exit 77
    }
done

emulate() {
    local cpu=$1
    shift
    qemu-aarch64 -cpu "$cpu" -L /usr/aarch64-linux-gnu "$@"
}

build() {
    local folder=$root/build/run_neon
    # Only these two header-only packages of the build machine; its other headers are not Arm's.
    mkdir -p "$folder/include"
    ln -sfn /usr/include/xsimd "$folder/include/xsimd"
    ln -sfn /usr/include/catch2 "$folder/include/catch2"
    rm -f "$folder"/*.o
    cat >"$folder/library.cpp" <<'CPP'
#define HENCE_IMPLEMENTATION
#include <hence/kernels/dispatch.hpp>
#include <hence/kernels/pack.hpp>
#include <hence/quant/decode.hpp>
#include <hence/sys/thread_team.hpp>
CPP
    local compiler=(aarch64-linux-gnu-g++ -std=c++20 -O2 -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror
        -DHENCE_COMPILED "-DHENCE_SOURCE_DIR=\"$root\"" -I "$root/include" -I "$root/tests" -isystem "$folder/include")
    if command -v ccache >/dev/null; then compiler=(ccache "${compiler[@]}"); fi
    local sources=("$folder/library.cpp" "$root/tests/support/catch_main.cpp" "$root"/tests/kernels/*_test.cpp
        "$root/tests/sys/cpu_test.cpp" "$root/tests/sys/thread_team_test.cpp" "$root/tests/core/scalar_test.cpp")
    local source number=0
    for source in "${sources[@]}"; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
        number=$((number + 1))
        "${compiler[@]}" -c "$source" -o "$folder/$number.o" &
    done
    wait
    [ "$(find "$folder" -name '*.o' | wc -l)" = "${#sources[@]}" ] || exit 1  # the compiler has said why
    aarch64-linux-gnu-g++ "$folder"/*.o -o "$folder/test_kernels" -pthread
}

if [ $# -gt 0 ]; then
    kernels=$1/tests/test_kernels
else
    build
    kernels=$root/build/run_neon/test_kernels
    emulate max "$kernels"
fi

# A processor of each generation, and the fastest tier that it has.
while read -r cpu tier; do
    echo "-- $cpu: $tier"
    HENCE_TEST_EXPECT_ISA=$tier emulate "$cpu" "$kernels" "[detection]" | grep -v '^=*$'
    emulate "$cpu" "$kernels" "matmul: integer dot products are exact in every tier" | grep -v '^=*$'
done <<'CPUS'
cortex-a53 neon
cortex-a72 neon
cortex-a76 neon_dotprod
neoverse-n1 neon_dotprod
max neon_i8mm
CPUS
