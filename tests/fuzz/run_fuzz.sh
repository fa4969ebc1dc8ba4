#!/bin/sh
# run_fuzz.sh SECONDS [TARGET...]: builds the fuzz targets with clang and nothing else, and runs each that long.
#
# For a machine without CMake, or for one target while working on its parser; ./run fuzz does the same through
# the build. What is found is left in build/fuzz-sh/found. CXX names another clang.
set -eu
seconds=${1:?usage: run_fuzz.sh SECONDS [TARGET...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/fuzz-sh
cxx=${CXX:-$(command -v clang++ || command -v clang++-14)}
sanitize="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all"
flags="-std=c++20 -O1 -g1 -I$root/include -DHENCE_COMPILED"
mkdir -p "$out/found"

[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*_fuzz.cpp | sed 's|^\./||; s|_fuzz\.cpp$||')
if [ ! -e "$out/hence.o" ] || [ -n "$(find "$root/include" "$root/src" -newer "$out/hence.o" -name '*.?pp' | head -1)" ]; then
    $cxx $flags $sanitize -c "$root/src/hence.cpp" -o "$out/hence.o"
fi
python3 "$here/make_hostile.py" --seeds "$out/seeds"

failed=0
for name in "$@"; do
    $cxx $flags $sanitize -fsanitize=fuzzer "$here/${name}_fuzz.cpp" "$out/hence.o" -pthread -o "$out/$name"
    dictionary=
    [ ! -f "$here/$name.dict" ] || dictionary=-dict=$here/$name.dict
    mkdir -p "$out/corpus/$name"
    echo "-- $name, $seconds s"
    if "$out/$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=256 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix="$out/found/$name-" $dictionary "$out/corpus/$name" "$out/seeds/$name" \
        >"$out/$name.log" 2>&1; then
        grep -E 'number_of_executed_units|peak_rss' "$out/$name.log"
    else
        tail -40 "$out/$name.log"
        failed=1
    fi
done
exit $failed
