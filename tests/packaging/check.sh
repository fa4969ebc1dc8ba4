#!/usr/bin/env bash
# Builds and runs one program in each way in which a user can take the library in.
#
#   check.sh find_package|add_subdirectory|plain_compiler SOURCE_DIR BINARY_DIR COMPILER
#
# find_package takes it from an installed prefix (header-only, compiled and with Eigen where the machine has
# it) that is then moved, since a package that works only where it was installed is broken.
set -euo pipefail
way=$1 source=$2 binary=$3 compiler=$4
work=$binary/packaging/$way
consumer=$source/tests/packaging/consumer
model=$source/examples/models/tiny-reasoner/tiny-reasoner-q8_0.gguf
rm -rf "$work"
mkdir -p "$work"
generator=()
if command -v ninja >/dev/null; then generator=(-G Ninja); fi
launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

build_consumer() { # name, further cmake arguments
    local name=$1
    shift
    cmake -S "$consumer" -B "$work/$name" "${generator[@]}" "${launcher[@]}" \
        -DCMAKE_CXX_COMPILER="$compiler" "$@" >"$work/$name.log" 2>&1 || { cat "$work/$name.log"; return 1; }
    cmake --build "$work/$name"
    for program in "$work/$name"/consumer_*; do
        [ -x "$program" ] && [ -f "$program" ] || continue
        echo "-- $name: $(basename "$program")"
        "$program" "$model"
    done
}

case $way in
find_package)
    cmake --install "$binary" --prefix "$work/installed"
    mv "$work/installed" "$work/moved"
    if [ ! -f "$work/moved/include/hence/hence.hpp" ]; then
        echo "the umbrella header was not installed"
        exit 1
    fi
    missing=$(cd "$source/include" && find hence -name '*.hpp' | while read -r header; do
        [ -f "$work/moved/include/$header" ] || echo "$header"
    done)
    if [ -n "$missing" ]; then
        echo "headers that were not installed:" "$missing"
        exit 1
    fi
    # Unoptimised, here and below: what is tested is that it can be built and runs. plain_compiler optimises.
    build_consumer find_package -DCMAKE_CXX_FLAGS=-O0 -DCMAKE_PREFIX_PATH="$work/moved" -DHENCE_CONSUMER=find_package
    # A component that does not exist is refused by name.
    if build_consumer wrong_component -DCMAKE_PREFIX_PATH="$work/moved" -DHENCE_CONSUMER=wrong_component \
        >"$work/wrong_component.out" 2>&1 || ! grep -q "no component 'nonsense'" "$work/wrong_component.out"; then
        echo "find_package(hence COMPONENTS nonsense) was not refused by name"
        cat "$work/wrong_component.out"
        exit 1
    fi
    ;;
add_subdirectory)
    # The library is compiled again here.
    build_consumer add_subdirectory -DCMAKE_CXX_FLAGS=-O0 -DHENCE_CONSUMER=add_subdirectory -DHENCE_SOURCE="$source"
    ;;
plain_compiler)
    set -x
    time "$compiler" -std=c++20 -O2 -I "$source/include" "$consumer/consumer.cpp" -o "$work/consumer_plain"
    set +x
    "$work/consumer_plain" "$model"
    ;;
*)
    echo "check.sh: unknown way '$way'"
    exit 2
    ;;
esac
