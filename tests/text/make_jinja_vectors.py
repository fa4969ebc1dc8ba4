#!/usr/bin/env python3
"""Writes jinja_vectors.jsonl: what Jinja2 renders for expressions and templates (pip install jinja2).

usage: make_jinja_vectors.py > jinja_vectors.jsonl
Reads jinja_expressions.txt (an expression a line) and jinja_templates.txt (templates, a line ===== between). The
first line written holds the variables; a template without "expected" is one that Jinja2 refuses or fails on.
"""
import copy
import datetime
import json
import os

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import SandboxedEnvironment

HERE = os.path.dirname(os.path.abspath(__file__))
NOW = datetime.datetime(2026, 1, 15, 12, 0, 0)
VARIABLES = {"a": 1, "b": 2.5, "s": "Hello World", "l": [3, 1, 2], "d": {"x": 1, "y": [1, {"z": "q"}], "items": 5}, "e": [], "n": None, "t": True,
             "u": "grüße ß 你好 🙂", "m": [{"r": "a", "c": 1, "k": {"v": 9}}, {"r": "b", "c": 2}, {"r": "a", "c": 3}], "ws": "  x y \n z  ", "neg": -7,
             "fl": [1.0, 1e20, 1e-7, 0.1, 123456789.123, 3.14159, 1e16, -0.0], "html": "<a href='x'>&\"</a>"}


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(["name:endgeneration"], drop_needle=True), lineno=line)


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


environment = SandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols, "jinja2.ext.do"])
environment.filters["tojson"] = tojson
environment.globals.update(raise_exception=refuse, strftime_now=lambda pattern: NOW.strftime(pattern))



def main():
    with open(os.path.join(HERE, "jinja_expressions.txt"), encoding="utf-8") as file:
        templates = ["{{ " + line + " }}" for line in file.read().split("\n") if line]
    with open(os.path.join(HERE, "jinja_templates.txt"), encoding="utf-8", newline="") as file:
        templates += file.read().split("\n=====\n")
    print(json.dumps(VARIABLES))
    for template in templates:
        entry = {"template": template}
        try:
            entry["expected"] = environment.from_string(template).render(**copy.deepcopy(VARIABLES))
        except Exception:
            pass
        print(json.dumps(entry))


if __name__ == "__main__":
    main()
