#!/usr/bin/env python3
"""Writes chat_vectors.jsonl: what Jinja2 renders for published templates and conversations of many kinds.

usage: make_chat_vectors.py [FOLDER] > chat_vectors.jsonl      (pip install jinja2)
FOLDER holds *.jinja files (default: data/golden/chat_templates). The first line written holds the conversations and
the further variables; each line after it a template's name, a conversation's, the variables', and the bytes and
FNV-1a hash of the text, or "refused" where Jinja2 ends in an error.
"""
import copy
import json
import os
import sys
from pathlib import Path

from make_jinja_vectors import environment

HERE = Path(__file__).resolve().parent
TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather \"now\" <b>\n for é",
    "parameters": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "City & state", "enum": ["Rome", "Zürich"]},
        "days": {"type": "integer", "default": 3}, "note": {"type": ["string", "null"]},
        "options": {"type": "object", "properties": {"u": {"type": "array", "items": {"type": "number"}}}, "required": ["u"]}}},
    "return": {"type": "object", "description": "what was asked"}}}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def call(arguments, number=1):
    return {"id": f"abcdefgh{number}", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


def answer(content, number=1):
    return {"role": "tool", "content": content, "tool_call_id": f"abcdefgh{number}", "name": "get_weather"}


CONVERSATIONS = {
    "thinking": [user("Zeile eins\nzwei <b> \"q\""), assistant("<think>\nhm\n</think>\n\n  spaced  "), user(" größer? 🙂 ")],
    "reasoning": [user("a"), assistant("first", reasoning_content="because\nof"), user("b"), assistant("second", reasoning_content="")],
    "tool": [{"role": "system", "content": "Be brief."}, user("w?"),
             assistant("", tool_calls=[call({"city": "Rome", "days": 2, "options": {"u": [1.0, 2, None, True]}})]),
             answer("{\"t\": 20}"), assistant("It is 20."), user("thanks")],
    "tool-null": [user("w?"), assistant(None, tool_calls=[call({"city": "Rome"})]), answer("20")],
    "tool-text": [user("w?"), assistant("let me", tool_calls=[call("{\"city\": \"Rome\"}")]), answer("20"), user("so")],
    "tools": [user("w?"), assistant("", tool_calls=[call({"city": "Rome"}), call({"city": "Zürich"}, 2)]), answer("20"), answer("21", 2)],
    "parts": [user([{"type": "text", "text": "look"}, {"type": "image"}, {"type": "text", "text": "well"}]),
              assistant([{"type": "text", "text": "ok"}]), user("x")],
    "users": [user("a"), user("b")],
    "assistant": [assistant("a"), user("b")],
    "system": [{"role": "system", "content": "only"}],
    "lines": [user("a\r\nb\tc "), assistant("\n\nx\n"), user("'q' \\ é\u2028")],
    "role": [user("q"), {"role": "wizard", "content": "z"}],
    "none": [],
}
VARIABLES = {
    "plain": {}, "tools": {"tools": [TOOL]}, "unthinking": {"enable_thinking": False}, "thinking": {"enable_thinking": True, "tools": [TOOL]},
    "documents": {"documents": [{"title": "T", "text": "tx", "doc_id": 1}]}, "builtin": {"builtin_tools": ["code_interpreter"], "tools": [TOOL]},
}


def fnv(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return f"{value:016x}"


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(os.environ.get("HENCE_TEST_DATA", HERE / "../../../shared/data")) / "golden/chat_templates"
    print(json.dumps({"conversations": CONVERSATIONS, "variables": VARIABLES}))
    for path in sorted(folder.glob("*.jinja")):
        template = environment.from_string(path.read_bytes().decode())
        for conversation, messages in CONVERSATIONS.items():
            for name, variables in VARIABLES.items():
                entry = {"template": path.name, "conversation": conversation, "variables": name}
                try:
                    text = template.render(copy.deepcopy({"messages": messages, "add_generation_prompt": True, "bos_token": "<s>",
                                                          "eos_token": "</s>", **variables})).encode()
                    entry.update(bytes=len(text), hash=fnv(text))
                except Exception:  # whatever Jinja2 or Python ends in
                    entry["refused"] = True
                print(json.dumps(entry))


if __name__ == "__main__":
    main()
