"""Writes hence.hpp, everything.hpp and fwd.hpp of include/hence from the headers that exist.

Both are lists, and lists kept by hand go stale. The lint fails when they differ from what this file
writes; `./run format` writes them.
"""

import re
from pathlib import Path

# In the order in which a reader would meet them; levels rise.
ROOMS = ["core", "tensor", "sys", "kernels", "io", "text", "quant", "prune", "cache", "layers",
         "models", "generate", "reason"]
# Headers that need something most programs lack.
OUTSIDE = {"io/onnx.hpp",  # protozero, and exceptions
           "models/gguf_from_folder.hpp", "text/cut_name.hpp"}  # for tools that write files

# Headers that a header-only program includes by name, or all of them with everything.hpp: what they define costs
# compile time that most programs do without. In the compiled form hence.hpp has them too.
OPTIONAL_ROOMS = {"prune"}
OPTIONAL = {"core/json.hpp", "io/gguf_writer.hpp", "io/hf_config.hpp", "io/safetensors.hpp", "models/huggingface.hpp",
            "quant/block_grid.hpp", "quant/encode.hpp", "quant/error_report.hpp", "quant/int8_rows.hpp",
            "reason/compiled.hpp", "reason/registry.hpp", "reason/scripted_engine.hpp", "reason/trace.hpp", "sys/atomic_file.hpp",
            "text/chat.hpp", "text/jinja.hpp", "text/pattern.hpp", "text/pipeline.hpp", "text/tokenizer_json.hpp"}

UMBRELLA_HEAD = """\
// hence with one include: everything, or in a header-only program everything but the optional headers.
//
// Those are in everything.hpp: chat templates, Hugging Face folders, pruning masks and others whose definitions
// most programs need not compile. Outside both are the rooms compress, interop and distributed. Written by
// ./run format.
#ifndef HENCE_HENCE_HPP
#define HENCE_HENCE_HPP

#include "config.hpp"
"""

EVERYTHING_HEAD = """\
// The whole of hence: hence.hpp and its optional headers. Written by ./run format.
#ifndef HENCE_EVERYTHING_HPP
#define HENCE_EVERYTHING_HPP

#include "hence.hpp"
"""

FWD_HEAD = """\
// Declares hence's public types, for headers that only name them.
//
// Templates whose parameters are constrained by a concept are left out: a declaration would need the
// concept, so include their own header. Written by ./run format.
#ifndef HENCE_FWD_HPP
#define HENCE_FWD_HPP

#include "config.hpp"

#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN
"""


def public_headers(include: Path):
    """The public headers of the umbrella's rooms, as paths relative to include/hence."""
    for room in ROOMS:
        for path in sorted((include / room).glob("*.hpp")):
            relative = path.relative_to(include).as_posix()
            if not relative.endswith(".inl.hpp") and relative not in OUTSIDE:
                yield relative


def is_optional(header: str) -> bool:
    return header in OPTIONAL or header.split("/")[0] in OPTIONAL_ROOMS


def includes(include: Path, optional: bool) -> str:
    text, room = "", None
    for header in public_headers(include):
        if is_optional(header) != optional:
            continue
        if header.split("/")[0] != room:
            room = header.split("/")[0]
            text += "\n"
        text += f'#include "{header}"\n'
    return text


def umbrella(include: Path) -> str:
    compiled = '\n#if defined(HENCE_COMPILED)\n#include "everything.hpp"\n#endif\n'
    return UMBRELLA_HEAD + includes(include, False) + compiled + "\n#endif\n"


def everything(include: Path) -> str:
    return EVERYTHING_HEAD + includes(include, True) + "\n#endif\n"


TYPE = re.compile(r"^(class|struct|enum class)\s+(?:\[\[[^\]]*\]\]\s+|alignas\([^)]*\)\s+)*([a-z]\w*)\s*"
                  r"(final\s*)?(<)?(?::\s*([\w:]+))?")
PLAIN_PARAMETER = re.compile(r"^(class|typename|std::\w+|int|bool|unsigned|dtype|isa)\s*(\.\.\.)?\s*\w*$")


def split_parameters(text: str):
    depth, start, parts = 0, 0, []
    for i, c in enumerate(text):
        depth += c in "<([{"
        depth -= c in ">)]}"
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [p.strip() for p in parts + [text[start:]] if p.strip()]


def template_head(line: str):
    """`template <class T = int>` -> `template <class T>`; None where a parameter needs a concept."""
    inside = line[line.index("<") + 1:line.rindex(">")]
    parameters = []
    for parameter in split_parameters(inside):
        parameter = parameter.split("=")[0].strip()
        if not PLAIN_PARAMETER.match(parameter):
            return None
        parameters.append(parameter)
    return f"template <{', '.join(parameters)}>" if parameters else None


def declarations(text: str):
    """(namespace, condition, declaration) of each type at namespace scope."""
    namespaces, depths, depth = [], [], 0
    conditions, template, skip = [], None, False
    found = []
    for line in text.splitlines():
        code = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'|//.*', "", line)
        before, depth = depth, depth + code.count("{") - code.count("}")
        while depths and depth <= depths[-1]:
            depths.pop()
            namespaces.pop()
        if match := re.match(r"#\s*(if\w*|elif|else|endif)\b(.*)", line):
            kind = match.group(1)
            if kind == "endif":
                if conditions:
                    conditions.pop()
            elif kind in ("elif", "else"):
                conditions[-1] = None
            else:
                conditions.append(line.strip() if kind == "if" else "")
            continue
        if match := re.match(r"(?:inline )?namespace ([\w:]*)\s*\{", line):
            if "}" not in line:
                namespaces.append(match.group(1))
                depths.append(before)
            continue
        if line.startswith("template"):
            skip = ">" not in line
            template = None if skip else template_head(line)
            skip = skip or template is None
            line = line[line.rindex(">") + 1:].strip() if not skip and line.rstrip()[-1] != ">" else ""
            if not line:
                continue
        if line.strip().startswith("requires"):
            skip = True
            continue
        if match := TYPE.match(line):
            kind, name, _, specialised, base = match.groups()
            hidden = any("detail" in n or n == "" for n in namespaces)
            unconditional = all(c is not None for c in conditions)
            if not (skip or hidden or specialised) and unconditional and ("{" in line or not line.rstrip().endswith(";")):
                head = template + "\n" if template else ""
                tail = f" : {base}" if kind == "enum class" and base else ""
                found.append(("::".join(namespaces), [c for c in conditions if c],
                              f"{head}{kind} {name}{tail};"))
        if line and not line[0].isspace() and not line.startswith("//"):
            template, skip = None, False
    return found


def fwd(include: Path) -> str:
    text = FWD_HEAD
    for header in public_headers(include):
        lines, seen = [], set()
        open_namespace = ""
        for namespace, conditions, declaration in declarations((include / header).read_text()):
            if declaration in seen:
                continue
            seen.add(declaration)
            if namespace != open_namespace:
                if open_namespace:
                    lines.append(f"}}  // namespace {open_namespace}")
                if namespace:
                    lines.append(f"namespace {namespace} {{")
                open_namespace = namespace
            lines += conditions + [declaration] + ["#endif"] * len(conditions)
        if open_namespace:
            lines.append(f"}}  // namespace {open_namespace}")
        if lines:
            text += f"\n// {header}\n" + "\n".join(lines) + "\n"
    return text + "\nHENCE_NAMESPACE_END\n\n#endif\n"


def stale(root: Path):
    """The files that differ from what the headers say, with the text they should have."""
    include = root / "include" / "hence"
    for name, text in (("hence.hpp", umbrella(include)), ("everything.hpp", everything(include)),
                       ("fwd.hpp", fwd(include))):
        path = include / name
        if not path.exists() or path.read_text() != text:
            yield path, text
