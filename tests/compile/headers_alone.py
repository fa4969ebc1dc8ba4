#!/usr/bin/env python3
"""Compiles every public header alone and twice in a row: each must include what it uses, be guarded, and be free of warnings.

Header-only where the header brings definitions of its own (a .inl.hpp), and those that bring all others; the rest as in the
compiled form, since the definitions of what they include have been seen with those headers.

usage: headers_alone.py SOURCE COMPILER [no-eigen]
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror"]


def public_headers(include, eigen):
    for path in sorted((include / "hence").rglob("*.hpp")):
        relative = path.relative_to(include / "hence").as_posix()
        if relative.endswith(".inl.hpp") or "detail/" in relative or relative.startswith("distributed/"):
            continue
        if not eigen and (relative == "interop/eigen.hpp" or relative.startswith("compress/")):
            continue
        yield relative


def check(compiler, include, header):
    source = f"#include <hence/{header}>\n#include <hence/{header}>\n"
    header_only = "/" not in header or '.inl.hpp"' in (include / "hence" / header).read_text()
    command = [*compiler.split(), "-std=c++20", "-fsyntax-only", *WARNINGS, f"-I{include}", *([] if header_only else ["-DHENCE_COMPILED"]),
               "-isystem", "/usr/include/eigen3", "-x", "c++", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    return header, done.returncode, done.stderr


def main():
    root, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
    include = root / "include"
    headers = list(public_headers(include, "no-eigen" not in sys.argv[3:]))
    if len(headers) < 50:
        sys.exit(f"headers_alone: found only {len(headers)} headers below {include}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, status, errors in pool.map(lambda h: check(compiler, include, h), headers):
            if status != 0:
                failed += 1
                print(f"--- {header}\n{errors[:4000]}")
    print(f"{len(headers) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
