#!/usr/bin/env python3
"""Compiles every public header alone and twice in a row: each must include what it uses, be guarded, and be free of warnings.

Header-only where the header brings definitions of its own (a .inl.hpp), and those that bring all others; the rest as in the
compiled form, since the definitions of what they include have been seen with those headers.

A header that includes one of BASES begins with that one, precompiled. It is as alone as before: it has nothing that it does
not include itself. Parsed anew for each header, the standard library and the kernels took most of the time.

usage: headers_alone.py SOURCE COMPILER [no-eigen]
"""
import concurrent.futures
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror"]
BASES = ["compress/calibration.hpp", "models/decoder.hpp", "reason/concepts.hpp", "layers/layer.hpp", "kernels/dispatch.hpp",
         "core/result.hpp"]  # that with the most in it first


def public_headers(include, eigen):
    for path in sorted((include / "hence").rglob("*.hpp")):
        relative = path.relative_to(include / "hence").as_posix()
        if relative.endswith(".inl.hpp") or "detail/" in relative or relative.startswith("distributed/"):
            continue
        if not eigen and (relative == "interop/eigen.hpp" or relative.startswith("compress/")):
            continue
        yield relative


def includes(room, header, always):
    """What `header` includes in its head and under no condition; or else (not `always`) whatever it may include."""
    depth = 0
    for line in (room / header).read_text().splitlines():
        if match := re.match(r'\s*#\s*include "([^"]+)"', line):
            if not always or (depth <= 1 and not match[1].endswith(".inl.hpp")):  # its guard is the first condition
                yield pathlib.Path(os.path.normpath(room / header / ".." / match[1])).relative_to(room).as_posix()
        depth += bool(re.match(r"\s*#\s*if", line)) - bool(re.match(r"\s*#\s*endif", line))


@functools.cache
def reached(room, header, always):
    seen, left = set(), [header]
    while left:
        for other in includes(room, left.pop(), always):
            if other not in seen:
                seen.add(other)
                left.append(other)
    return seen


def base_of(room, header):
    """The first of BASES that `header` always includes, and that does not include it in turn; or none."""
    for base in BASES:
        if base in reached(room, header, True) and header not in reached(room, base, False) | {base}:
            return base
    return None


class Precompiled:
    """Precompiled headers in `folder`, made when first asked for; `command` is the compiler with the flags of what uses them."""

    def __init__(self, folder, command):
        self.folder, self.command = folder, command
        self.locks, self.lock = {}, threading.Lock()
        folder.mkdir()

    def arguments(self, header):
        """What makes a compilation begin with `header`."""
        path = self.folder / header
        with self.lock:
            one = self.locks.setdefault(header, threading.Lock())
        with one:
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                path.write_text(f"#include <hence/{header}>\n")
                # The name is g++'s; clang looks for it too. Where it cannot be made or used, the file itself is included.
                subprocess.run([*self.command, "-x", "c++-header", str(path), "-o", f"{path}.gch"], capture_output=True)
        return ["-include", str(path)]


def main():
    root, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    include = root / "include"
    headers = list(public_headers(include, "no-eigen" not in sys.argv[3:]))
    if len(headers) < 50:
        sys.exit(f"headers_alone: found only {len(headers)} headers below {include}")
    command = [*compiler.split(), "-std=c++20", *WARNINGS, f"-I{include}", "-isystem", "/usr/include/eigen3"]

    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        header_only = Precompiled(pathlib.Path(folder) / "header_only", command)
        compiled = Precompiled(pathlib.Path(folder) / "compiled", [*command, "-DHENCE_COMPILED"])

        def check(header):
            form = header_only if "/" not in header or '.inl.hpp"' in (include / "hence" / header).read_text() else compiled
            base = base_of(include / "hence", header)
            begin = form.arguments(base) if base else []
            done = subprocess.run([*form.command, "-fsyntax-only", *begin, "-x", "c++", "-"], capture_output=True,
                                  input=f"#include <hence/{header}>\n#include <hence/{header}>\n", text=True)
            return header, done.returncode, done.stderr

        failed = 0
        for header, status, errors in pool.map(check, headers):
            if status != 0:
                failed += 1
                print(f"--- {header}\n{errors[:4000]}")
    print(f"{len(headers) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
