#!/usr/bin/env python3
"""The lint finds what it should: each rule is broken once in a small tree of its own."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
// One header.
#ifndef HENCE_CORE_SAMPLE_HPP
#define HENCE_CORE_SAMPLE_HPP

#include "../config.hpp"

HENCE_NAMESPACE_BEGIN

/// Adds.
/// @shape none
/// @errors none
/// @source none
int add(int a, int b);

HENCE_NAMESPACE_END

#endif
"""

# (rule that must fire, header, what to replace, by what)
BROKEN = [
    ("docs", "/// @errors none\n", ""),
    ("guard", "#ifndef HENCE_CORE_SAMPLE_HPP", "#ifndef SAMPLE_HPP"),
    ("include", '#include "../config.hpp"', '#include "../config.hpp"\n#include "../tensor/dtype.hpp"'),
    ("include", '#include "../config.hpp"', '#include "../config.hpp"\n#include <iostream>'),
    ("include", '#include "../config.hpp"', '#include <hence/config.hpp>'),
    ("include", '#include "../config.hpp"', '#include "../config.hpp"\n#include "nowhere.hpp"'),
    ("head", "// One header.\n", ""),
    ("macro", "HENCE_NAMESPACE_BEGIN", "#define SAMPLE 1\nHENCE_NAMESPACE_BEGIN"),
    ("macro", "HENCE_NAMESPACE_BEGIN", "#if defined(__AVX2__)\n#endif\nHENCE_NAMESPACE_BEGIN"),
    ("namespace", "HENCE_NAMESPACE_BEGIN", "namespace hence {"),
    ("unfinished", "/// Adds.", "/// Adds. TO" + "DO: more"),
    ("size", "int add(int a, int b);", "int add(int a, int b);" + "\n" * 900),
    ("parts", "HENCE_NAMESPACE_END", "HENCE_NAMESPACE_END\n\n#if HENCE_HAS_DEFINITIONS\n#include \"detail/sample.inl.hpp\"\n#endif"),
    ("umbrella", "int add(int a, int b);", "int add(int a, int b);\nstruct fresh {};"),
]


def run(tree):
    out = subprocess.run([sys.executable, str(tree / "tests" / "lint" / "lint.py")], capture_output=True, text=True)
    return out.returncode, out.stdout + out.stderr


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for path in ("tests/lint", "docs/reference", "src/rooms", "include/hence/core"):
            shutil.copytree(ROOT / path, tree / path, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ("docs/faq.md", "include/hence/config.hpp", "include/hence/tensor/dtype.hpp"):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tree / path)
        # The pages may point at things that this tree lacks.
        for page in (tree / "docs").rglob("*.md"):
            page.write_text(re.sub(r"\]\([^)]*\)", "", page.read_text()))
        header = tree / "include/hence/core/sample.hpp"
        header.write_text(GOOD)
        subprocess.run([sys.executable, str(tree / "tests/lint/lint.py"), "--write"], capture_output=True)

        status, said = run(tree)
        if status != 0:
            print(f"the sound tree was refused:\n{said}")
            failures += 1
        for rule, old, new in BROKEN:
            assert old in GOOD, old
            header.write_text(GOOD.replace(old, new))
            status, said = run(tree)
            hit = [line for line in said.splitlines() if "sample.hpp" in line or rule == "umbrella"]
            if status == 0 or not any(f": {rule}: " in line for line in hit):
                print(f"rule {rule} did not fire for {new!r}:\n{said}")
                failures += 1
    print(f"{len(BROKEN) + 1} trees, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
