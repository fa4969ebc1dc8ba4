#!/usr/bin/env python3
"""Measures what a user's small program costs to compile, and prints it beside the budget.

    budget.py SOURCE_DIR COMPILER

In seconds of processor time, the better of two. Machines differ, so nothing fails here; the figures are for the eyes of whoever
added an include. `./run bench` runs it.
"""

import os
import resource
import subprocess
import sys
import tempfile

# (what, flags, seconds allowed, source)
UMBRELLA = "#include <hence/hence.hpp>\nint main() {}\n"
LIGHT = "#include <hence/fwd.hpp>\n#include <hence/core/result.hpp>\n#include <hence/tensor/tensor_view.hpp>\n"


def first_example(root):
    path = os.path.join(root, "examples", "quickstart", "main.cpp")
    if os.path.exists(path):
        return open(path).read(), "the first example"
    return UMBRELLA, "the umbrella alone"


def seconds(compiler, root, flags, source):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "program.cpp")
        with open(file, "w") as out:
            out.write(source)
        command = [compiler, "-std=c++20", *flags, '-DHENCE_EXAMPLES_DIR=""', "-I", os.path.join(root, "include"), "-c", file, "-o",
                   os.path.join(folder, "program.o")]
        best = None
        for _ in range(2):
            start = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True)
            end = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
            best = took if best is None else min(best, took)
        return best


def main():
    root, compiler = sys.argv[1:3]
    source, name = first_example(root)
    rows = [
        (f"{name}, header-only, -O2", ["-O2"], 8.0, source),
        (f"{name}, compiled form, -O2", ["-O2", "-DHENCE_COMPILED"], 2.5, source),
        ("light headers, -O0", ["-O0", "-DHENCE_COMPILED"], 0.3, LIGHT),
    ]
    print(f"{'program':45} {'seconds':>8} {'budget':>8}")
    for what, flags, budget, text in rows:
        took = seconds(compiler, root, flags, text)
        print(f"{what:45} {took:8.2f} {budget:8.2f}{'' if took <= budget else '  over budget'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
