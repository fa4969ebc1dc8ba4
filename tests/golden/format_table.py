#!/usr/bin/env python3
"""Runs every golden model file on every tier of this machine and prints the table of docs/reference/formats.md.

    format_table.py [TOOL] [--check]       TOOL: the program hence (default: build/bin/hence)

All comes out of `hence logits` with HENCE_ISA naming the tier: the prompts of data/golden/tiny, the logits that its JSON
files list. --check also ends with status 1 where a limit of that folder's README is not kept. Standard library only.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOATS = ("f32", "f16", "bf16")


def logits(tool, model, golden, tier, *more):
    prompts = "".join(json.dumps(p["text"]) + "\n" for p in golden["prompts"])
    done = subprocess.run([tool, "logits", "-m", model, "--prompts", "-", "--json", "--top", str(golden["vocabulary"]), *more],
                          input=prompts, text=True, capture_output=True, env={**os.environ, "HENCE_ISA": tier}, check=False)
    if done.returncode != 0:
        sys.exit(f"format_table: {model} on {tier}: {done.stderr}")
    return json.loads(done.stdout)["prompts"]


def compared(found, golden):
    """Worst and mean difference over the listed logits, share of equal top tokens, and the other engine's own mean and share;
    pooled over prompts as tests/golden/golden.hpp does."""
    worst = mean = top = their_mean = their_top = positions = 0
    for ours, theirs in zip(found, golden["prompts"], strict=True):
        if ours["ids"] != theirs["ids"]:
            sys.exit(f"format_table: other ids for {theirs['text']!r}")
        total = count = 0
        for place in theirs["positions"]:
            mine = ours["positions"][place["position"]]
            values = dict(zip(mine["top_ids"], mine["top_logits"], strict=True))
            differences = [abs(values[i] - x) for i, x in zip(place["top_ids"], place["top_logits"], strict=True)]
            worst = max(worst, *differences)
            total += sum(differences)
            count += len(differences)
            top += mine["top_ids"][0] == place["top_ids"][0]
        weight = len(theirs["positions"])
        positions += weight
        mean += weight * total / count
        path = theirs["quantized_path"]
        their_mean += weight * path["listed_mean_abs_error"]
        their_top += weight * path["listed_top1_agreement"]
    return worst, mean / positions, top / positions, their_mean / positions, their_top / positions


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    tool = arguments[0] if arguments else str(ROOT / "build/bin/hence")
    data = Path(os.environ.get("HENCE_TEST_DATA", ROOT / "../shared/data")) / "golden/tiny"
    about = subprocess.run([tool, "version"], text=True, capture_output=True, check=True).stdout
    tiers = next(line for line in about.splitlines() if line.startswith("tiers")).split(":")[1].split()
    failed = []
    print("| file | tier | worst, weights expanded | worst | mean | the other engine's mean | top-1 | the other engine's |")
    print("|---|---|---|---|---|---|---|---|")
    for path in sorted(data.glob("*.json")):
        golden = json.loads(path.read_text())
        name, model = path.stem, str(path.with_suffix(".gguf"))
        plain = not name.startswith("format-") or name.removeprefix("format-") in FLOATS
        rows = {}  # tiers with the same figures share a row
        for tier in tiers:
            worst, mean, top, their_mean, their_top = compared(logits(tool, model, golden, tier), golden)
            expanded = worst if plain else compared(logits(tool, model, golden, tier, "--math", "dequantized"), golden)[0]
            if expanded > 0.005 or (not plain and (mean > 1.1 * their_mean or top < their_top - 0.02)):
                failed.append(f"{name} on {tier}")
            figures = f"{expanded:.5f} | {worst:.5f} | {mean:.5f} | {their_mean:.5f} | {top:.4f} | {their_top:.4f}"
            rows.setdefault(figures, []).append(tier)
        for figures, same in rows.items():
            print(f"| {name} | {', '.join(same)} | {figures} |", flush=True)
    if failed and "--check" in sys.argv:
        sys.exit("format_table: beyond the limits: " + ", ".join(failed))


if __name__ == "__main__":
    main()
