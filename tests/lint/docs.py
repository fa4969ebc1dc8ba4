#!/usr/bin/env python3
"""Compiles the programs in the pages and writes an index of the public headers.

    docs.py SOURCE_DIR OUTPUT_DIR COMPILER

Every fenced cpp block with a main function, in README.md and docs/, must compile without a warning. The
index, OUTPUT_DIR/api.md, has each header's paragraph and its documented names.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import lint
import umbrella


def programs(page: Path):
    """(line, text) of each complete program of a page."""
    text = page.read_text()
    for match in re.finditer(r"^```cpp\n(.*?)^```", text, re.M | re.S):
        if re.search(r"\bint main\(", match.group(1)):
            yield text[:match.start()].count("\n") + 1, match.group(1)


def compile_program(compiler, root, text):
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as file:
        file.write(text)
        file.flush()
        command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-DHENCE_COMPILED",
                   "-I", str(root / "include"), "-I", "/usr/include/eigen3", file.name]
        return subprocess.run(command, capture_output=True, text=True)


def documented(lines):
    """(declaration, first line of its comment) of each documented public name of a header."""
    i, private = 0, False
    while i < len(lines):
        if re.match(r"namespace (\w+::)?detail\s*\{", lines[i]):
            private = True
        elif re.match(r"\}\s*//\s*namespace (\w+::)?detail", lines[i]):
            private = False
        if private or not re.match(r"\s*///(?!<)", lines[i]):
            i += 1
            continue
        start = i
        while i < len(lines) and re.match(r"\s*///", lines[i]):
            i += 1
        comment = " ".join(re.sub(r"^\s*///\s?", "", line) for line in lines[start:i])
        comment = comment.split("@")[0].strip()
        declaration = ""
        for line in lines[i:i + 8]:
            declaration += " " + re.sub(r"//.*", "", line).strip()
            if re.search(r";|(?<!=)\s\{", declaration):
                break
        declaration = re.split(r";|(?<!=)\s\{|\)\s*:\s*\w+_[({]", declaration)[0].strip()
        declaration = re.sub(r"\s+", " ", declaration.replace("[[nodiscard]] ", ""))
        if declaration and not declaration.startswith("#"):
            yield declaration, comment


def index(root: Path) -> str:
    include = root / "include" / "hence"
    text = "# Public headers\n\nWritten by `./run docs` from the headers' own comments.\n"
    room = None
    for header in umbrella.public_headers(include):
        lines = (include / header).read_text().splitlines()
        if header.split("/")[0] != room:
            room = header.split("/")[0]
            text += f"\n## {room}\n"
        head = []
        for line in lines:
            if not line.startswith("//"):
                break
            head.append(line[2:].strip())
        text += f"\n### {header}\n\n" + "\n".join(head).strip() + "\n\n"
        for declaration, comment in documented(lines):
            text += f"- `{declaration}`" + (f": {comment}" if comment else "") + "\n"
    return text


def main() -> int:
    root, output, compiler = Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3]
    lint.check_pages()
    lint.check_reference()
    failures = len(lint.findings)
    for _, path, line, rule, text in lint.findings:
        print(f"{path}:{line}: {rule}: {text}")
    count = 0
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        for line, program in programs(page):
            count += 1
            done = compile_program(compiler, root, program)
            if done.returncode != 0:
                failures += 1
                print(f"{page.relative_to(root)}:{line}: this program does not compile\n{done.stderr}")
    output.mkdir(parents=True, exist_ok=True)
    (output / "api.md").write_text(index(root))
    print(f"docs: {count} programs compiled, {failures} failures; index in {output / 'api.md'}")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
