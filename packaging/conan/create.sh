#!/usr/bin/env bash
# Runs `conan create` on the recipe, with the dependencies' headers taken from the system. Conan itself comes
# from PyPI into build/conan; nothing else is downloaded and nothing outside build/conan is written.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(cd "$here/../.." && pwd)/build/conan
mkdir -p "$work"
conan=${CONAN:-$work/venv/bin/conan} # CONAN names one that is there already
if [ ! -x "$conan" ]; then
    # Debian: apt-get install python3-venv
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet 'conan>=2,<3'
fi
export CONAN_HOME=$work/home
"$conan" --version
"$conan" profile detect --force >/dev/null
# The profile has g++'s default language mode; hence asks for C++20.
"$conan" create "$here" --no-remote --build=missing -o 'hence/*:system_deps=True' -s compiler.cppstd=20 \
    -s build_type=Release -c tools.cmake.cmake_layout:test_folder="$work/test_package" \
    -c tools.cmake.cmaketoolchain:user_presets=
