#!/usr/bin/env python3
"""Writes files that mean harm, or the valid seeds that fuzzing starts from.

    make_hostile.py FOLDER            FOLDER/<parser>/<kind>... and FOLDER/manifest.tsv
    make_hostile.py --seeds FOLDER    FOLDER/<fuzz target>/...: valid inputs, then every hostile one below 16 KB

A line of the manifest is: parser, kind, path relative to FOLDER, what the error must say (may be empty).
tests/hostile/hostile_test.cpp opens each and checks its error, time and memory. Standard library only.
"""

import os
import sys
from pathlib import Path

import hostile_folder
import hostile_gguf
import hostile_json
import hostile_text
from gguf_builder import bert_tokenizer, gpt2_tokenizer, micro_model, scored_tokenizer, small

# parser, file name ending, generator of (kind, content, what the error says)
FAMILIES = [
    ("gguf", "gguf", hostile_gguf.containers), ("model", "gguf", hostile_gguf.models),
    ("vocabulary", "gguf", hostile_gguf.vocabularies), ("safetensors", "safetensors", hostile_json.safetensors),
    ("config", "json", hostile_json.configs), ("generation_config", "json", hostile_json.generation_configs),
    ("template", "jinja", hostile_text.templates), ("tokenizer_json", "json", hostile_text.tokenizers),
]
# The same with several files; what is opened is the first of them, or their folder.
SETS = [("gguf", True, hostile_gguf.splits), ("safetensors", False, hostile_json.safetensors_folders),
        ("folder", False, hostile_folder.folders)]

# Which fuzz target takes which parser's files.
TARGETS = {"gguf": "gguf", "model": "model", "vocabulary": "vocabulary", "safetensors": "safetensors", "config": "config",
           "generation_config": "config", "template": "template", "tokenizer_json": "tokenizer_json"}


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


def write_hostile(root: Path):
    lines = []
    for parser, ending, family in FAMILIES:
        folder = root / parser
        folder.mkdir(parents=True, exist_ok=True)
        for kind, content, says in family():
            path = folder / f"{kind}.{ending}"
            if path.exists():
                sys.exit(f"make_hostile: {parser} {kind} twice")
            path.write_bytes(as_bytes(content))
            lines.append((parser, kind, path.relative_to(root), says))
    (root / "gguf" / "a-folder.gguf").mkdir()
    lines.append(("gguf", "a-folder", Path("gguf/a-folder.gguf"), "a folder"))
    os.mkfifo(root / "gguf" / "a-pipe.gguf")
    lines.append(("gguf", "a-pipe", Path("gguf/a-pipe.gguf"), "a pipe"))
    os.symlink("a-link.gguf", root / "gguf" / "a-link.gguf")
    lines.append(("gguf", "a-link-to-itself", Path("gguf/a-link.gguf"), ""))
    for parser, open_first, family in SETS:
        for kind, files, says in family():
            folder = root / parser / kind
            folder.mkdir(parents=True)
            for name, content in files.items():
                if isinstance(content, str):
                    os.symlink(content, folder / name)
                else:
                    (folder / name).write_bytes(content)
            opened = folder / next(iter(files)) if open_first else folder
            lines.append((parser, kind, opened.relative_to(root), says))
    (root / "manifest.tsv").write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
    print(f"{len(lines)} hostile inputs of {len({line[0] for line in lines})} parsers in {root}")


def published_tokenizers():
    """What the tests compare with other engines: tokenizer.json files, and SentencePiece's fields."""
    folder = Path(__file__).resolve().parent.parent / "text" / "tokenizer_vectors"
    contents = [hostile_json.json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return [c["tokenizer"] for c in contents if "tokenizer" in c], [c["vocabulary"] for c in contents if "vocabulary" in c]


def write_seeds(root: Path):
    described, scored = published_tokenizers()
    valid = {"gguf": [small().bytes(), gpt2_tokenizer().bytes()], "model": [micro_model().bytes()],
             "vocabulary": [file.bytes() for file in (micro_model(), gpt2_tokenizer(), bert_tokenizer(), *map(scored_tokenizer, scored))],
             "safetensors": [hostile_json.valid_safetensors()],
             "config": [hostile_json.json.dumps(hostile_json.LLAMA).encode()],
             "template": [b"{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m['content'] | trim }}<|im_end|>\n{% endfor %}"
                          b"{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"],
             "tokenizer_json": [hostile_json.json.dumps(t, ensure_ascii=False).encode() for t in (hostile_text.valid_tokenizer(), *described)],
             "folder": [hostile_folder.joined(files) for files in hostile_folder.seeds()],
             "split": [hostile_folder.joined(files) for files in hostile_gguf.valid_splits()],
             "pattern": [pattern.encode() + b"\n" + hostile_text.TEXT for pattern in hostile_text.PATTERNS],
             "messages": [hostile_json.json.dumps(messages).encode() for messages in hostile_text.valid_messages()]}
    for target, seeds in valid.items():
        (root / target).mkdir(parents=True, exist_ok=True)
        for i, seed in enumerate(seeds):
            (root / target / f"valid-{i}").write_bytes(seed)
    for parser, _, family in FAMILIES:
        for kind, content, _ in family():
            if len(as_bytes(content)) < 16384:
                (root / TARGETS[parser] / f"{parser}-{kind}").write_bytes(as_bytes(content))
    for target, family in (("split", hostile_gguf.splits), ("folder", hostile_folder.folders)):
        for kind, files, _ in family():
            content = hostile_folder.joined({name: part for name, part in files.items() if isinstance(part, bytes)})
            if len(content) < 65536:
                (root / target / kind).write_bytes(content)


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "--seeds":
        write_seeds(Path(arguments[1]))
    elif len(arguments) == 1 and not arguments[0].startswith("-"):
        write_hostile(Path(arguments[0]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
