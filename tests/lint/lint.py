#!/usr/bin/env python3
"""The house rules that a compiler does not check.

    lint.py [--write]      checks the repository; --write first renews hence.hpp and fwd.hpp

Prints one line per finding as file:line: rule: what is wrong, warnings first. Exit status 1 if
anything but a warning was found.
"""

import json
import re
import sys
from pathlib import Path

import umbrella

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include" / "hence"

LEVEL = {"config.hpp": 0, "core": 1, "tensor": 2, "sys": 2, "kernels": 3, "io": 3, "text": 3,
         "quant": 4, "prune": 4, "cache": 4, "layers": 5, "models": 6, "generate": 6,
         "reason": 7, "compress": 7, "interop": 8, "distributed": 8}

WARN_LINES, MAX_LINES = 600, 900
SOURCES = ("*.hpp", "*.cpp", "*.h", "*.py", "*.sh")
TOP = ("include", "src", "tests", "examples", "bench", "cmake", "packaging")

COMPILER_MACRO = re.compile(
    r"\b(__GNUC__|__GNUG__|__clang__|_MSC_VER|__INTEL_\w+|__x86_64__|__amd64__|__i386__|__aarch64__|__arm__|"
    r"__AVX\w*__|__SSE\w*__|__FMA__|__F16C__|__ARM_\w+|__cpp_(?!lib_)\w+|__cplusplus|__FAST_MATH__|"
    r"__has_(?:builtin|feature|attribute)|__SANITIZE_\w+|__BYTE_ORDER__)\b")
SYSTEM_MACRO = re.compile(r"\b(__linux__|__unix__|__APPLE__|_WIN32|__FreeBSD__|__ANDROID__)\b")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
PLACE = re.compile(r"/wor" r"k/")
REQUIRED_TAGS = ("@shape", "@errors", "@source")

findings = []


def report(path: Path, line: int, rule: str, text: str, warning: bool = False):
    findings.append((not warning, path.relative_to(ROOT).as_posix(), line, rule, text))


def room_of(relative: str) -> str:
    return relative.split("/")[0]


def reincluded(relative: str) -> bool:
    """A loop body that kernel tiers include inside their target regions, so without a guard."""
    return relative.startswith("kernels/") and relative.endswith(".inl.hpp") and "/detail/" not in relative


def check_includes(path: Path, relative: str, lines):
    room = room_of(relative)
    top = relative in ("hence.hpp", "everything.hpp", "fwd.hpp")
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not match:
            continue
        quote, target = match.groups()
        if quote == "<":
            if target.startswith("hence/"):
                report(path, number, "include", f"inside the library write a relative \"...\", not <{target}>")
            if target in ("iostream", "regex"):
                report(path, number, "include", f"<{target}> costs every user's file; library headers do without it")
            continue
        resolved = (path.parent / target).resolve()
        if not resolved.exists():
            report(path, number, "include", f"{target} does not exist")
            continue
        if INCLUDE not in resolved.parents:
            report(path, number, "include", f"{target} is outside include/hence")
            continue
        other = resolved.relative_to(INCLUDE).as_posix()
        if other in ("hence.hpp", "everything.hpp") and not top:
            report(path, number, "include", "the umbrella is for users, not for the library")
        if top or other in ("config.hpp", "fwd.hpp"):
            continue
        other_room = room_of(other)
        if other_room == room:
            continue
        if other_room not in LEVEL:
            report(path, number, "include", f"{other}: unknown room {other_room}")
        elif LEVEL[other_room] >= LEVEL[room]:
            report(path, number, "include",
                   f"{room} (level {LEVEL[room]}) must not include {other} (level {LEVEL[other_room]})")
        elif "/detail/" in other:
            report(path, number, "include", f"{other} is private to {other_room}")


def check_guard(path: Path, relative: str, lines):
    if reincluded(relative):
        return
    guard = "HENCE_" + re.sub(r"\W", "_", relative).upper()
    directives = [line.strip() for line in lines if line.lstrip().startswith("#")]
    if directives[:2] != [f"#ifndef {guard}", f"#define {guard}"]:
        report(path, 1, "guard", f"the file must begin with #ifndef {guard}, #define {guard}")


def check_head(path: Path, lines):
    head = next((line for line in lines if line.strip()), "")
    if not head.startswith("//"):
        report(path, 1, "head", "the head of a file says what it is for and what it is not")


def check_macros(path: Path, relative: str, lines):
    for number, line in enumerate(lines, 1):
        if match := re.match(r"\s*#\s*define\s+(\w+)", line):
            if not match.group(1).startswith("HENCE_"):
                report(path, number, "macro", f"{match.group(1)} must start with HENCE_")
        if relative == "config.hpp" or not re.match(r"\s*#\s*(if|elif|ifdef|ifndef)", line):
            continue
        if match := COMPILER_MACRO.search(line):
            report(path, number, "macro", f"only config.hpp reads {match.group(1)}")
        if (match := SYSTEM_MACRO.search(line)) and room_of(relative) != "sys":
            report(path, number, "macro", f"only config.hpp and sys/ read {match.group(1)}")


def check_namespace(path: Path, relative: str, lines):
    if relative == "config.hpp":
        return
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*namespace hence\b", line):
            report(path, number, "namespace", "write HENCE_NAMESPACE_BEGIN, which holds the ABI key")
        if re.match(r"\s*using namespace\b", line):
            report(path, number, "namespace", "a header must not open a namespace to its users")


def is_function(declaration: str) -> bool:
    text = re.sub(r"\[\[.*?\]\]", "", declaration).strip()
    if re.search(r"\)[\w\s&]*=\s*(default|delete)\b|operator(==|<=>|!=)", text):
        return False  # nothing to say that the language does not
    if text.startswith("template"):  # drop the parameter list
        depth = 0
        for i, c in enumerate(text):
            depth += c == "<"
            depth -= c == ">"
            if c == ">" and depth == 0:
                text = text[i + 1:].strip()
                break
        # A requires-clause ends where the declaration's own type begins; its parentheses are not a call's.
        text = re.sub(r"^requires\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*", "", text)
        text = re.sub(r"^requires\s+[\w:<>, ]+?>\s+", "", text)
    if re.match(r"(class|struct|enum|union|using|typedef|namespace|concept|friend|#|HENCE_NAMESPACE|"
                r"inline constexpr|constexpr static|static constexpr \w+ \w+ =|extern template)\b", text):
        return bool(re.match(r"friend\b", text)) and "(" in text
    if re.search(r"\)>\s+\w+\s*(=|\{|;)", text):
        return False  # a member that holds a function
    before = text.split("(")[0]
    if re.search(r"\(\s*\*", text) and not before.strip().endswith(")"):
        return bool(re.match(r"[\w:<>,&* ]+\s+\w+\s*\((?!\s*\*)", text))  # else a pointer to a function
    return "(" in text and "=" not in before.replace("operator==", "").replace("operator=", "") and "{" not in before


def check_docs(path: Path, lines):
    i, private, section = 0, False, False
    while i < len(lines):
        if re.match(r"namespace (\w+::)?detail\s*\{", lines[i]):
            private = True
        elif re.match(r"\}\s*//\s*namespace (\w+::)?detail", lines[i]):
            private = False
        if re.match(r"(private|protected):", lines[i]):
            section = True
        elif re.match(r"public:|\};", lines[i]):
            section = False
        if private or section:
            i += 1
            continue
        if not re.match(r"\s*///(?!<)", lines[i]):
            i += 1
            continue
        start = i
        while i < len(lines) and re.match(r"\s*///", lines[i]):
            i += 1
        comment = "\n".join(lines[start:i])
        declaration = ""
        for line in lines[i:i + 12]:
            declaration += " " + re.sub(r"//.*", "", line).strip()
            if re.search(r"[;{]|\)\s*:", declaration) or line.lstrip().startswith("#"):
                break
        if not is_function(declaration.strip()):
            continue
        missing = [tag for tag in REQUIRED_TAGS if not re.search(re.escape(tag) + r"\b", comment)]
        if missing:
            report(path, start + 1, "docs", f"{', '.join(missing)} missing: {declaration.strip()[:60]}")


def check_library():
    for path in sorted(INCLUDE.rglob("*.hpp")):
        relative = path.relative_to(INCLUDE).as_posix()
        text = path.read_text()
        lines = text.splitlines()
        if "/" in relative and room_of(relative) not in LEVEL:
            report(path, 1, "room", f"there is no room called {room_of(relative)}")
            continue
        check_includes(path, relative, lines)
        check_guard(path, relative, lines)
        check_head(path, lines)
        check_macros(path, relative, lines)
        check_namespace(path, relative, lines)
        public = relative.count("/") <= 1 and not relative.endswith(".inl.hpp")
        if public and not reincluded(relative):
            check_docs(path, lines)


def check_names():
    """Two rooms that give one name to two types meet only in a program that includes both."""
    seen = {}
    for header in umbrella.public_headers(INCLUDE):
        for namespace, _, declaration in umbrella.declarations((INCLUDE / header).read_text()):
            name = re.sub(r" :.*", "", declaration.rstrip(";").splitlines()[-1]).split()[-1]
            other = seen.setdefault((namespace, name), header)
            if other != header:
                report(INCLUDE / header, 1, "name", f"{name} is a type of {other} too")


def check_sizes_and_words():
    for top in TOP:
        for pattern in SOURCES:
            for path in sorted((ROOT / top).rglob(pattern)):
                lines = path.read_text(errors="replace").splitlines()
                if path.suffix == ".hpp" or path.suffix == ".cpp":
                    if len(lines) > MAX_LINES:
                        report(path, len(lines), "size", f"{len(lines)} lines; never above {MAX_LINES}")
                    elif len(lines) > WARN_LINES:
                        report(path, len(lines), "size", f"{len(lines)} lines; look again above {WARN_LINES}", True)
                for number, line in enumerate(lines, 1):
                    if match := UNFINISHED.search(line):
                        report(path, number, "unfinished", f"{match.group(1)} marks unfinished work")
                    if PLACE.search(line):
                        report(path, number, "place", "names a folder of one machine")


def check_tests():
    for path in sorted((ROOT / "tests").rglob("*_test.cpp")):
        text = path.read_text(errors="replace")
        if re.search(r"#\s*include\s*<catch2/", text):
            report(path, 1, "include", 'tests include "support/catch.hpp", which knows the version')


def anchors(path: Path):
    """The anchors that GitHub gives the headings of a page."""
    found, fenced = set(), False
    for line in path.read_text().splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and (match := re.match(r"#+\s+(.*)", line)):
            title = re.sub(r"[`*]", "", match.group(1)).strip().lower()
            found.add(re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title)))
    return found


def check_pages():
    pages = [p for p in ROOT.glob("*.md")] + sorted((ROOT / "docs").rglob("*.md"))
    for page in pages:
        fenced = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            if PLACE.search(line):
                report(page, number, "place", "names a folder of one machine")
            if fenced:
                continue
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                file, _, anchor = target.partition("#")
                other = (page.parent / file).resolve() if file else page
                if not other.exists():
                    report(page, number, "link", f"{target} does not exist")
                elif anchor and other.suffix == ".md" and anchor not in anchors(other):
                    report(page, number, "link", f"{target}: no such heading")
    # config.hpp's messages send people to pages too.
    for number, line in enumerate((INCLUDE / "config.hpp").read_text().splitlines(), 1):
        for file, anchor in re.findall(r"(docs/[\w/]+\.md)#([\w-]+)", line):
            if not (ROOT / file).exists() or anchor not in anchors(ROOT / file):
                report(INCLUDE / "config.hpp", number, "link", f"{file}#{anchor}: no such heading")


def check_reference():
    errors = ROOT / "docs" / "reference" / "errors.md"
    body = re.search(r"enum class errc[^{]*\{(.*?)\};", (INCLUDE / "core" / "result.hpp").read_text(), re.S)
    documented = anchors(errors) if errors.exists() else set()
    for code in re.findall(r"^\s*(\w+),", body.group(1), re.M):
        if code not in documented:
            report(errors, 1, "reference", f"errc::{code} has no paragraph")
    macros = ROOT / "docs" / "reference" / "macros.md"
    text = macros.read_text() if macros.exists() else ""
    config = (INCLUDE / "config.hpp").read_text()
    for macro in sorted(set(re.findall(r"#\s*define (HENCE_\w*[A-Z])\b", config))):
        if f"`{macro}" not in text and macro != "HENCE_CONFIG_HPP":
            report(macros, 1, "reference", f"{macro} is not described")
    check_table(ROOT / "docs" / "reference" / "architectures.md",
                INCLUDE / "models" / "detail" / "architectures.inl.hpp", r'\{\.name = "(\w+)"')
    check_table(ROOT / "docs" / "reference" / "folders.md",
                INCLUDE / "models" / "detail" / "huggingface_families.hpp", r'\{\.model_type = "(\w+)"')


def check_table(page, source, pattern):
    """The first column of a page's tables has each name of the source's rows, and the other way round."""
    if not (INCLUDE / "models").exists():
        return  # one of the small trees of lint_self_test.py
    rows = set(re.findall(pattern, source.read_text()))
    listed = set(re.findall(r"^\| `(\w+)` \|", page.read_text(), re.M)) if page.exists() else set()
    for name in sorted(rows - listed):
        report(page, 1, "reference", f"the table lacks a row `{name}`, which {source.name} has")
    for name in sorted(listed - rows):
        report(page, 1, "reference", f"the table has a row `{name}`, which {source.name} lacks")


def check_packaging():
    port = ROOT / "packaging" / "vcpkg" / "ports" / "hence"
    version = re.search(r'HENCE_VERSION_STRING "([^"]+)"', (INCLUDE / "config.hpp").read_text()).group(1)
    if not port.exists():
        return
    manifest = port / "vcpkg.json"
    try:
        said = json.loads(manifest.read_text())
    except ValueError as e:
        report(manifest, 1, "packaging", f"is not JSON: {e}")
        return
    if said.get("version-semver") != version:
        report(manifest, 1, "packaging", f"version {said.get('version-semver')}, config.hpp says {version}")
    names = {d if isinstance(d, str) else d["name"] for d in said["dependencies"]}
    if missing := {"xsimd", "nlohmann-json"} - names:
        report(manifest, 1, "packaging", f"does not depend on {', '.join(sorted(missing))}")
    for file in ("portfile.cmake", "usage"):
        if not (port / file).exists():
            report(manifest, 1, "packaging", f"{file} is missing beside it")
    for recipe in sorted((ROOT / "packaging" / "conan").rglob("conanfile.py")):
        try:
            compile(recipe.read_text(), str(recipe), "exec")
        except SyntaxError as e:
            report(recipe, e.lineno or 1, "packaging", str(e))


def check_parts():
    """The compiled form is in parts: each header's definitions are in exactly one of them."""
    parts = sorted((ROOT / "src" / "rooms").glob("*.cpp"))
    owners = {}
    for part in parts:
        for path in re.findall(r'#include "hence/([^"]+\.inl\.hpp)"', part.read_text()):
            owners.setdefault(path, []).append(part)
    for header in sorted(INCLUDE.rglob("*.hpp")):
        for block in re.findall(r"#if HENCE_HAS_DEFINITIONS\n(.*?)#endif", header.read_text(), re.S):
            for path in re.findall(r'#include "(detail/[^"]+)"', block):
                path = f"{header.parent.relative_to(INCLUDE).as_posix()}/{path}"
                if len(owners.get(path, [])) != 1:
                    report(header, 1, "parts", f"{path} must be included by exactly one file of src/rooms, found {len(owners.get(path, []))}")


def main() -> int:
    if "--write" in sys.argv[1:]:
        for path, text in umbrella.stale(ROOT):
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    check_library()
    check_names()
    check_sizes_and_words()
    check_tests()
    check_pages()
    check_reference()
    check_packaging()
    check_parts()
    for path, _ in umbrella.stale(ROOT):
        report(path, 1, "umbrella", "differs from the headers that exist; ./run format renews it")
    for error, path, line, rule, text in sorted(findings):
        print(f"{path}:{line}: {'' if error else 'warning: '}{rule}: {text}")
    errors = sum(1 for f in findings if f[0])
    print(f"lint: {errors} errors, {len(findings) - errors} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
