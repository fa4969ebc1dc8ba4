#!/usr/bin/env python3
"""Runs hence and another engine on the same file in one go, alternating, and compares them.

    versus.py -m FILE.gguf --llama-bench PATH --llama-batched-bench PATH [options]

The other engine is llama.cpp or a relative of it, by its own two benchmarks, which nobody here builds: give their paths.
Each round runs every test once with each engine, the order turning round by round, so that a slow minute of the machine
meets both. What is printed is the median of the rounds, their spread, and the ratio of the medians; --out writes the same
as text, JSON and an SVG chart. What cannot be compared is said.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import chart
import engines

ROOT = Path(__file__).resolve().parents[2]


def numbers(text):
    return [int(part) for part in text.split(",") if part and int(part) > 0]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-m", "--model", required=True, help="GGUF file that both engines read")
    parser.add_argument("--hence", default=str(ROOT / "build/bin/hence"), help="the tool hence (default: %(default)s)")
    parser.add_argument("--llama-bench", help="the other engine's llama-bench: prompt, decode, load")
    parser.add_argument("--llama-batched-bench", help="the other engine's llama-batched-bench: many branches")
    parser.add_argument("--peer", default="llama.cpp", help="what to call the other engine (default: %(default)s)")
    parser.add_argument("--peer-arguments", default="", help="further arguments of its llama-bench: --peer-arguments='-rtr 1'")
    parser.add_argument("--peer-batched-arguments", default="", help="further arguments of its llama-batched-bench: ='-rtr'")
    parser.add_argument("--hence-arguments", default="", help="further arguments of hence bench: ='--isa avx2'")
    parser.add_argument("-t", "--threads", type=int, default=2, help="threads of both (default: %(default)s)")
    parser.add_argument("-r", "--rounds", type=int, default=5, help="how often each is run (default: %(default)s)")
    parser.add_argument("-p", "--prompt", type=numbers, default=[512], help="prompt lengths (default: 512; 0: none)")
    parser.add_argument("-n", "--tokens", type=int, default=64, help="tokens of one branch's decode (default: %(default)s; 0: none)")
    parser.add_argument("-b", "--branches", type=numbers, default=[8, 32], help="branches that share a prompt (default: 8,32; 0: none)")
    parser.add_argument("--prefix", type=numbers, default=[128], help="the shared prompt's lengths (default: 128)")
    parser.add_argument("--branch-tokens", type=int, default=32, help="tokens that each branch draws (default: %(default)s)")
    parser.add_argument("--no-load", action="store_true", help="without the time and memory of loading")
    parser.add_argument("--out", help="folder for versus.txt, versus.json and versus.svg")
    return parser.parse_args()


def tests_of(o):
    """(name, what to run); the kinds are engines.py's."""
    tests = [(f"prefill {p}", ("prefill", p)) for p in o.prompt]
    if o.tokens > 0:
        tests.append((f"decode {o.tokens}, 1 branch", ("decode", o.tokens)))
    tests += [(f"{b} branches sharing {p}", ("branches", b, p, o.branch_tokens)) for p in o.prefix for b in o.branches]
    if not o.no_load:
        tests.append(("load to first token", ("load",)))
    return tests


def row_of(name, kind, ours, theirs):
    """Medians and their ratio, above 1 where hence is ahead."""
    def side(samples):
        return {"median": engines.median(samples), "min": min(samples), "max": max(samples), "samples": samples}

    row = {"test": name, "unit": "s" if kind == "load" else "tokens/s", "hence": side(ours), "peer": side(theirs)}
    pairs = [(a, b) if kind != "load" else (b, a) for a, b in zip(ours, theirs)]
    row["ratio"] = (row["hence"]["median"] / row["peer"]["median"]) ** (-1 if kind == "load" else 1)
    row["ratio_of_pairs"] = [round(a / b, 4) for a, b in pairs]
    return row


def text_of(document):
    lines = [f"{document['model']} ({document['model_bytes'] / 1e6:.0f} MB), {document['threads']} threads, {document['rounds']} rounds, "
             f"{document['machine']}",
             f"hence {document['hence']} against {document['peer']}", "",
             f"{'test':28} {'hence':>10} {'spread':>19} {'peer':>10} {'spread':>19} {'ratio':>7} {'of pairs':>15}"]
    for row in document["tests"]:
        ours, theirs = row["hence"], row["peer"]
        digits = 3 if row["unit"] == "s" else 1
        pairs = row["ratio_of_pairs"]
        def spread(s):
            return f"{s['min']:.{digits}f} .. {s['max']:.{digits}f}"
        lines.append(f"{row['test']:28} {ours['median']:10.{digits}f} {spread(ours):>19} {theirs['median']:10.{digits}f} {spread(theirs):>19} "
                     f"{row['ratio']:6.2f}x {f'{min(pairs):.2f} .. {max(pairs):.2f}':>15}  {row['unit']}")
    for row in document["tests"]:
        if "peak_bytes" in row:
            ours, theirs = row["peak_bytes"]
            lines.append(f"{'peak memory':28} {ours / 1e6:10.1f} {'':19} {theirs / 1e6:10.1f} {'':19} {theirs / ours:6.2f}x {'':15}  MB")
    lines += [f"not compared: {what}" for what in document["missing"]]
    return "\n".join(lines) + "\n"


def main():
    o = arguments()
    if not Path(o.model).is_file():
        sys.exit(f"versus: {o.model}: no such file")
    hence = engines.Hence(o)
    peer = engines.Llama(o)
    missing, tests = [], []
    for name, what in tests_of(o):
        reason = hence.lacks(what) or peer.lacks(what)
        if reason:
            missing.append(f"{name}: {reason}")
        else:
            tests.append((name, what))
    for line in missing:
        print(f"versus: not compared: {line}", file=sys.stderr)
    if not tests:
        sys.exit("versus: nothing to compare; see --help")

    samples = {name: ([], []) for name, _ in tests}
    peaks = {}
    start = time.monotonic()
    for number in range(o.rounds):
        for name, what in tests:
            if sys.stderr.isatty():
                print(f"\r\033[Kround {number + 1} of {o.rounds}: {name}, {time.monotonic() - start:.0f} s", end="", file=sys.stderr)
            order = [(0, hence), (1, peer)]
            for side, engine in order if number % 2 == 0 else reversed(order):
                value, peak = engine.measure(what)
                samples[name][side].append(value)
                peaks.setdefault(name, [0, 0])[side] = max(peak, peaks.get(name, [0, 0])[side])
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)

    rows = []
    for name, what in tests:
        rows.append(row_of(name, what[0], *samples[name]))
        if what[0] == "load":
            rows[-1]["peak_bytes"] = peaks[name]
    document = {"model": Path(o.model).name, "model_bytes": Path(o.model).stat().st_size, "threads": o.threads, "rounds": o.rounds,
                "machine": engines.machine(), "hence": hence.version(), "peer": peer.version(), "tests": rows, "missing": missing}
    text = text_of(document)
    print(text, end="")
    if o.out:
        folder = Path(o.out)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "versus.txt").write_text(text)
        (folder / "versus.json").write_text(json.dumps(document, indent=1) + "\n")
        (folder / "versus.svg").write_text(chart.svg(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
