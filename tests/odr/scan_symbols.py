#!/usr/bin/env python3
"""Fails if objects compiled with different instruction-set flags share a symbol of hence.

    scan_symbols.py OBJECT OBJECT...

A shared weak symbol would let the linker keep the copy of the stronger flags, and a program that checks
the processor before it calls would still meet instructions that the processor lacks. Names of hence
inside another library's templates count too: std::vector<hence::v1_.../error> carries the key.
"""

import itertools
import subprocess
import sys


def symbols(path):
    out = subprocess.run(["nm", "--defined-only", "--extern-only", path], check=True, capture_output=True,
                         text=True).stdout
    mangled = [line.split()[-1] for line in out.splitlines() if line and not line.endswith(":")]
    return {name for name in mangled if "5hence" in name}


def main():
    paths = sys.argv[1:]
    tables = {path: symbols(path) for path in paths}
    failures = 0
    for path, names in tables.items():
        print(f"{path}: {len(names)} symbols of hence")
        if len(names) < 10:
            print("  too few: this object exercises nothing")
            failures += 1
    for a, b in itertools.combinations(paths, 2):
        shared = sorted(tables[a] & tables[b])
        failures += len(shared)
        for name in shared[:20]:
            demangled = subprocess.run(["c++filt", name], capture_output=True, text=True).stdout.strip()
            print(f"shared: {demangled}")
    print("no symbol is shared" if failures == 0 else f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
