"""Hostile chat templates and tokenizer.json files."""

import json


def templates():
    """'' where the words are the text room's: a template that does not end, grows without end or is no template."""
    yield "block-open", "{% for m in messages %}{{ m.content }}", ""
    yield "expression-open", "{{ messages[0]", ""
    yield "comment-open", "{# never closed", ""
    yield "string-open", "{{ 'abc }}", ""
    yield "end-without-begin", "{% endfor %}", ""
    yield "ends-crossed", "{% if a %}{% for x in y %}{% endif %}{% endfor %}", ""
    yield "tag-unknown", "{% summon demon %}", ""
    yield "filter-unknown", "{{ 'a' | no_such_filter }}", ""
    yield "test-unknown", "{{ 1 is no_such_test }}", ""
    yield "function-unknown", "{{ no_such_function(1) }}", ""
    yield "include", "{% include '/etc/passwd' %}", ""
    yield "import", "{% import 'os' as os %}", ""
    yield "extends", "{% extends 'x' %}", ""
    yield "escape-to-python", "{{ ''.__class__.__mro__[1].__subclasses__() }}", ""
    yield "parentheses-100000", "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}", ""
    yield "brackets-100000", "{{ " + "[" * 100_000 + " }}", ""
    yield "nots-100000", "{{ " + "not " * 100_000 + "1 }}", ""
    yield "minuses-100000", "{{ " + "- " * 100_000 + "1 }}", ""
    yield "powers-100000", "{{ 2" + "**2" * 100_000 + " }}", ""
    yield "ifs-10000-deep", "{% if 1 %}" * 10_000 + "{% endif %}" * 10_000, ""
    yield "range-10-12", "{% for i in range(1000000000000) %}x{% endfor %}", ""
    yield "range-of-ranges", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", ""
    yield "text-doubles", "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}", ""
    yield "text-times-10-12", "{{ 'x' * 1000000000000 }}", ""
    yield "list-times-10-12", "{{ [0] * 1000000000000 }}", ""
    yield "text-joined-10-8", "{{ range(100000000) | join('x') }}", ""
    yield "macro-recursion", "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", ""
    yield "macro-mutual-recursion", "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}", ""
    yield "recursive-loop", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", ""
    yield "list-in-itself", "{% set a = [1] %}{% set _ = a.append(a) %}{{ a | tojson }}", ""
    yield "division-by-zero", "{{ 1 // 0 }}", ""
    yield "modulo-by-zero", "{{ 1 % 0 }}", ""
    yield "number-too-long", "{{ " + "9" * 400 + " }}", ""
    yield "power-too-large", "{{ 10 ** 100000 }}", ""
    yield "slice-step-zero", "{{ 'abc'[::0] }}", ""
    yield "slice-among-indices", "{{ 'abc'[:1, 0] }}", ""
    yield "indent-10-12", "{{ 'a\\nb' | indent(1000000000000) }}", ""
    yield "not-utf-8", b"{{ '\xff\xfe' }}{% x", ""
    yield "nul-in-tag", b"{% i\0f 1 %}{% endif %}", ""
    yield "terminal-escape-in-error", "{{ '\x1b[2J' | \x1b]0;x\x07 }}", ""
    yield "refuses-with-escape", "{{ raise_exception('\x1b[2Jgone') }}", ""
    yield "attribute-of-undefined", "{{ nothing.at.all }}", ""
    yield "add-number-and-text", "{{ 1 + 'a' }}", ""
    yield "unpack-wrong-length", "{% for a, b, c in [[1, 2]] %}{% endfor %}", ""
    yield "range-2-63", "{{ range(9223372036854775807) | list }}", "100000"
    yield "range-backwards-2-63", "{{ range(0, -9223372036854775807, -1) | list }}", "100000"
    yield "ranges-summed", "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = ns.l + range(99999) | list %}{% endfor %}", "bytes"
    yield "loop-of-one-long-string", "{% set s = 'x' * 1000000 %}{% for c in s %}{% for d in s %}{% endfor %}{% endfor %}", "bytes"
    yield "loop-in-loop-filter", "{% for i in range(99999) if (range(99999) | sum) > 0 %}{% endfor %}", ""
    yield "recursive-loop-deep", "{% set ns = namespace(l=[1]) %}{% for i in range(5000) %}{% set ns.l = [ns.l] %}{% endfor %}{% for x in ns.l recursive %}{{ loop(x) }}{% endfor %}", ""
    yield "macro-calls-caller-forever", "{% macro f() %}{{ caller() }}{% endmacro %}{% macro g() %}{% call f() %}{{ g() }}{% endcall %}{% endmacro %}{{ g() }}", "levels"
    yield "macro-default-recursion", "{% macro f(x=f()) %}{% endmacro %}{{ f() }}", ""
    yield "macro-exponential", "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}", "steps"
    yield "list-appended-in-its-loop", "{% set l = [1] %}{% for i in range(99999) %}{% for x in l %}{% do l.append(x) %}{% endfor %}{% endfor %}", ""
    yield "dictionary-grows", "{% set d = {} %}{% for i in range(99999) %}{% for j in range(99999) %}{% do d.update({i ~ '.' ~ j: 1}) %}{% endfor %}{% endfor %}", ""
    yield "replace-explodes", "{% set s = 'a' * 100000 %}{{ s | replace('a', s) }}", "bytes"
    yield "replace-nothing-explodes", "{% set s = 'a' * 100000 %}{{ s.replace('', s) }}", "bytes"
    yield "join-explodes", "{% set s = 'a' * 100000 %}{{ s | list | join(s) }}", "bytes"
    yield "tojson-of-a-fan", "{% set ns = namespace(l=[1]) %}{% for i in range(64) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson(indent=8) }}", ""
    yield "tojson-indent-2-63", "{{ [[[[1]]]] | tojson(indent=9223372036854775807) }}{{ '' | indent(99999) }}", ""
    yield "compare-of-a-fan", "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(64) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}", ""
    yield "sort-of-many", "{% for i in range(99999) %}{{ range(99999) | sort(reverse=true) | length }}{% endfor %}", ""
    yield "format-width", "{{ '%999999999d' % 1 }}{{ 'x' | center(999999999) }}", ""
    yield "format-many", "{{ ('%9999d' * 100000) % (range(99999) | list) }}", ""
    yield "truncate-negative-then-index", "{{ ('abc' | truncate(-99999999999, true, '', -99999999999))[99999999999999].x }}", ""
    yield "split-into-millions", "{% set s = 'a' * 10000000 %}{{ s | length }}{% for i in range(99999) %}{{ s.split('a') | length }}{% endfor %}", "bytes"
    yield "elifs-100000", "{% if 0 %}" + "{% elif 0 %}" * 100_000 + "{% endif %}", ""
    yield "string-of-5-mb", "{{ '" + "x" * 5_000_000 + "' }}", "4 MiB"
    yield "names-100000", "".join(f"{{% set v{i} = v{i - 1} %}}" for i in range(100_000)), ""
    yield "attributes-100000", "{{ a" + ".b" * 100_000 + " }}", ""
    yield "filters-100000", "{{ 1" + "|abs" * 100_000 + " }}", ""
    yield "concat-300000", "{{ 1" + "~1" * 300_000 + " }}", "words and signs"
    yield "outputs-600000", "{{1}}" * 600_000, "words and signs"
    yield "items-of-10-mb", "{{ ('x' * 10000000)[9999999] }}{{ ('é' * 5000000)[::-1] }}{{ ('x' * 10000000) | list }}", ""
    yield "lines-of-10-mb", "{% set s = '\\n' * 10000000 %}{{ s.splitlines() }}", ""
    yield "lines-indented-of-10-mb", "{{ ('\\n' * 10000000) | indent(8) }}", ""
    yield "dictionary-of-dictionaries", "{{ " + "{1:" * 10_000 + "1" + "}" * 10_000 + " }}", "levels"
    yield "slice-of-slices", "{{ a" + "[1:" * 10_000 + "]" * 10_000 + " }}", ""
    yield "namespace-cycle", "{% set n = namespace() %}{% set n.n = n %}{{ n | tojson }}", ""
    yield "strftime-huge", "{{ strftime_now('%Y' * 10000000) }}", "bytes"
    yield "refuses-with-a-megabyte", "{{ raise_exception('x' * 1000000) }}", "xxx"


TEXT = "Hello World's 12345  \u00e9\u4f60\n\tx==y".encode()
PATTERNS = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[\p{L}&&[^a-z]]+|(?<=a)b|\bx\b|^y$|a{2,5}?b*+", r"(?:a|b|(?=c)c){0,30}(?!d)|.", r"[^\W\d_]+|\x41\u00e9"]


def valid_messages():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"q": "\u00e9", "n": 1.5, "z": [True, None]}}}
    yield [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"},
           {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "content": "3", "tool_call_id": "c1"}]
    yield [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}]},
           {"role": "assistant", "content": "<think>\nhm\n</think>\nhi"}]
    yield [{"role": "user", "content": "\ud83d\ude42 \u0000", "n": -9223372036854775808, "f": 1e-7}]


def valid_tokenizer():
    return {"version": "1.0", "added_tokens": [{"id": 0, "content": "<|end|>", "single_word": False, "lstrip": False,
                                                "rstrip": False, "normalized": False, "special": True}],
            "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": None, "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "fuse_unk": False, "byte_fallback": False,
                      "vocab": {"<|end|>": 0, "a": 1, "b": 2, "ab": 3}, "merges": ["a b"]}}


def tokenizers():
    def changed(path, value):
        document = json.loads(json.dumps(valid_tokenizer()))
        at = document
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        return json.dumps(document).encode()

    yield "empty", b"", ""
    yield "array", b"[]", ""
    yield "nothing-in-it", b"{}", ""
    yield "not-utf-8", b'{"model":{"type":"BPE","vocab":{"\xff":0}}}', ""
    yield "nested-100000", b'{"model":' * 100_000, ""
    yield "key-twice", b'{"model":{},"model":{}}', ""
    yield "model-absent", json.dumps({k: v for k, v in valid_tokenizer().items() if k != "model"}).encode(), ""
    yield "model-null", changed(["model"], None), ""
    yield "model-type-unknown", changed(["model", "type"], "Sorcery"), "Sorcery"
    yield "model-type-escape", changed(["model", "type"], "\x1b[2J"), ""
    nothing = valid_tokenizer()
    nothing["added_tokens"], nothing["model"]["vocab"], nothing["model"]["merges"] = [], {}, []
    yield "vocab-empty", json.dumps(nothing).encode(), ""
    yield "vocab-array", changed(["model", "vocab"], ["a"]), ""
    yield "vocab-id-negative", changed(["model", "vocab", "a"], -1), ""
    yield "vocab-id-max", changed(["model", "vocab", "a"], 2**32 - 1), ""
    yield "vocab-id-2-63", changed(["model", "vocab", "a"], 2**63), ""
    yield "vocab-id-twice", changed(["model", "vocab", "a"], 2), ""
    yield "vocab-id-gap", changed(["model", "vocab", "a"], 1_000_000), ""
    yield "vocab-id-text", changed(["model", "vocab", "a"], "1"), ""
    yield "merges-object", changed(["model", "merges"], {}), ""
    yield "merge-of-one", changed(["model", "merges"], ["ab"]), ""
    yield "merge-of-three", changed(["model", "merges"], [["a", "b", "c"]]), ""
    yield "merge-of-unknown", changed(["model", "merges"], ["xx y"]), ""
    yield "merge-numbers", changed(["model", "merges"], [[1, 2]]), ""
    yield "added-id-negative", changed(["added_tokens", 0, "id"], -1), ""
    yield "added-id-max", changed(["added_tokens", 0, "id"], 2**31 - 1), ""
    yield "added-without-content", changed(["added_tokens", 0], {"id": 0}), ""
    yield "added-is-text", changed(["added_tokens"], "all"), ""
    yield "normalizer-unknown", changed(["normalizer"], {"type": "Exorcism"}), "Exorcism"
    yield "normalizer-sequence-deep", changed(["normalizer"], nested("Sequence", "normalizers", 60)), ""
    yield "pre-tokenizer-unknown", changed(["pre_tokenizer"], {"type": "Guess"}), "Guess"
    yield "pattern-broken", changed(["pre_tokenizer"], {"type": "Split", "pattern": {"Regex": "(((("}, "behavior": "Isolated", "invert": False}), ""
    yield "pattern-explodes", changed(["pre_tokenizer"], {"type": "Split", "pattern": {"Regex": "(a{1000}){1000}{1000}"}, "behavior": "Isolated", "invert": False}), ""
    yield "pattern-nested", changed(["pre_tokenizer"], {"type": "Split", "pattern": {"Regex": "(" * 50_000 + ")" * 50_000}, "behavior": "Isolated", "invert": False}), ""
    yield "post-processor-unknown", changed(["post_processor"], {"type": "Postpone"}), "Postpone"
    yield "decoder-unknown", changed(["decoder"], {"type": "Ring"}), "Ring"
    whole = json.dumps(valid_tokenizer()).encode()
    for at in (1, len(whole) // 3, len(whole) - 1):
        yield f"cut-at-{at}", whole[:at], ""


def nested(kind, field, depth):
    inner = {"type": "NFC"}
    for _ in range(depth):
        inner = {"type": kind, field: [inner]}
    return inner
