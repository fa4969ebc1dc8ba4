#!/usr/bin/env python3
"""What smaller weights cost and what they save: perplexity, decode speed, and both in one chart.

    compress.py quality TOOL OUT.json MODEL-f32.gguf CALIBRATION.txt HELDOUT.txt    how each way of compressing predicts
    compress.py speed   TOOL OUT.json MODEL-f32.gguf [--rounds N] [--tokens N] [--folder DIR] [--threads N] [--only NAME,NAME]
                                                                                    how fast each decodes
    compress.py table   RESULT.json                                                 either, as Markdown
    compress.py chart   QUALITY.json SPEED.json OUT.svg                             perplexity against speed

TOOL is build/bin/hence. Speed is measured in rounds, each file once in each, so that a busy moment meets all of them alike;
what is printed is the ratio to the file that the first one is (dense q8_0). Weights may be random for speed: no kernel
can notice, beyond the places of the zeros.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

# name: steps of (command, options); `{c}` is the calibration text. A second step reads what the first one wrote.
QUALITY = {
    "f32": [],
    "bf16": [("quantize", "--type bf16 --embedding bf16")],
    "q8_0": [("quantize", "--type q8_0")],
    "int8": [("quantize", "--type int8")],
    "int8, smoothed": [("quantize", "--type int8 --calibrate {c} --smooth 0.5")],
    "int8, smoothed, fixed activations": [("quantize", "--type int8 --calibrate {c} --smooth 0.5 --fixed-activations")],
    "q4_0, nearest": [("quantize", "--type q4_0 --method nearest")],
    "q4_0, search": [("quantize", "--type q4_0 --method search")],
    "q4_0, awq": [("quantize", "--type q4_0 --method awq --calibrate {c}")],
    "q4_0, gptq": [("quantize", "--type q4_0 --method gptq --calibrate {c}")],
    "q4_0, awq+gptq": [("quantize", "--type q4_0 --method awq+gptq --calibrate {c}")],
    "q4_1, nearest": [("quantize", "--type q4_1 --method nearest")],
    "q4_1, gptq": [("quantize", "--type q4_1 --method gptq --calibrate {c}")],
    **{f"2:4 {score}, q8_24": [("prune", f"--pattern 2:4 --score {score} --type q8_24" + ("" if score == "magnitude" else " --calibrate {c}"))]
       for score in ("magnitude", "wanda", "sparsegpt")},
    **{f"2:4 {score}, int8": [("prune", f"--pattern 2:4 --score {score} --type int8" + ("" if score == "magnitude" else " --calibrate {c}"))]
       for score in ("magnitude", "wanda", "sparsegpt")},
    **{f"4:8 {score}, q8_48": [("prune", f"--pattern 4:8 --score {score} --type q8_48" + ("" if score == "magnitude" else " --calibrate {c}"))]
       for score in ("magnitude", "wanda", "sparsegpt")},
    **{f"2:4 {score}, q4_24": [("prune", f"--pattern 2:4 --score {score} --type q4_24" + ("" if score == "magnitude" else " --calibrate {c}"))]
       for score in ("magnitude", "wanda", "sparsegpt")},
    **{f"half of the weights, {score}, q8_0": [("prune", f"--pattern unstructured:0.5 --score {score} --type q8_0" + ("" if score == "magnitude" else " --calibrate {c}"))]
       for score in ("magnitude", "wanda", "sparsegpt")},
    **{f"half of the blocks, {score}, q8_0": [("prune", f"--pattern block:16x4:0.5 --score {score} --type q8_0" + ("" if score == "magnitude" else " --calibrate {c}"))]
       for score in ("magnitude", "wanda", "sparsegpt")},
}
ENDS = [("quantize", "--type q8_0 --keep ^blk")]  # what prune leaves in floats: the embedding and the head

SPEED = {
    "q8_0": [("quantize", "--type q8_0")],
    "int8": [("quantize", "--type int8")],
    "q4_0": [("quantize", "--type q4_0")],
    "2:4 q8_24": [*ENDS, ("prune", "--pattern 2:4 --type q8_24")],
    "2:4 int8": [*ENDS, ("prune", "--pattern 2:4 --type int8")],
    "4:8 q8_48": [*ENDS, ("prune", "--pattern 4:8 --type q8_48")],
    "2:4 q4_24": [*ENDS, ("prune", "--pattern 2:4 --type q4_24")],
    "half of the blocks q8_0": [*ENDS, ("prune", "--pattern block:16x4:0.5 --type q8_0")],
}


def call(tool, *words):
    done = subprocess.run([tool, *map(str, words), "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def make(tool, source, steps, folder, out, texts):
    for i, (command, options) in enumerate(steps):
        last = i + 1 == len(steps)
        to = out if last else folder / "between.gguf"
        call(tool, command, source, to, *[word.format(**texts) for word in options.split()])
        source = to
    return source


def quality(tool, out, model, calibration, heldout):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, steps in QUALITY.items():
            file = make(tool, model, steps, folder, folder / "model.gguf", {"c": calibration})
            score = call(tool, "perplexity", "-m", file, "-f", heldout)
            rows.append({"name": name, "perplexity": score["perplexity"], "bytes": Path(file).stat().st_size, "tokens": score["tokens"]})
            print(f"{name:40} {score['perplexity']:.4f}", file=sys.stderr, flush=True)
    write(out, {"kind": "quality", "model": Path(model).stem, "rows": rows})


def speed(tool, out, model, *options):
    how = dict(zip(options[::2], options[1::2]))
    rounds, tokens = int(how.get("--rounds", 7)), how.get("--tokens", "64")
    folder = Path(how.get("--folder", tempfile.gettempdir())) / f"compress-{Path(model).stem}"
    folder.mkdir(exist_ok=True)
    files = {}
    wanted = how["--only"].split(",") if "--only" in how else list(SPEED)
    if unknown := [name for name in wanted if name not in SPEED]:
        sys.exit(f"--only: expected some of {', '.join(SPEED)}; found {', '.join(unknown)}")
    for name, steps in SPEED.items():
        if name not in wanted:
            continue
        files[name] = folder / (name.replace(" ", "_").replace(":", "") + ".gguf")
        if not files[name].exists():
            make(tool, model, steps, folder, files[name], {})
    samples = {name: [] for name in files}
    for _ in range(rounds):
        for name, file in files.items():
            found = call(tool, "bench", "-m", file, "-p", 0, "-n", tokens, "-b", 0, "--repeat", 1, "--threads", how.get("--threads", 2),
                         "--no-load", "--no-limits")
            samples[name].append(found["tests"][0]["tokens_per_second"])
    first = next(iter(files))
    rows = [{"name": name, "tokens_per_second": statistics.median(s), "bytes": files[name].stat().st_size,
             "ratio": statistics.median(a / b for a, b in zip(s, samples[first])), "samples": s} for name, s in samples.items()]
    write(out, {"kind": "speed", "model": Path(model).stem, "rounds": rounds, "tokens": int(tokens), "rows": rows})


def write(path, document):
    Path(path).write_text(json.dumps(document, indent=1) + "\n")
    print(table(document))


def table(document):
    rows = document["rows"]
    if document["kind"] == "speed":
        lines = ["| weights | file, MB | tokens/s | over q8_0 |", "|---|---|---|---|"]
        lines += [f"| {r['name']} | {r['bytes'] / 1e6:.1f} | {r['tokens_per_second']:.1f} | {r['ratio']:.2f} |" for r in rows]
    else:
        exact = rows[0]["perplexity"]
        lines = ["| weights | file, kB | perplexity | over f32 |", "|---|---|---|---|"]
        lines += [f"| {r['name']} | {r['bytes'] / 1e3:.0f} | {r['perplexity']:.4f} | {100 * (r['perplexity'] / exact - 1):+.2f} % |" for r in rows]
    return "\n".join(lines)


# What the chart shows: its label, the row of quality, the row of speed, a colour.
POINTS = [("dense q8_0", "q8_0", "q8_0", "#1f77b4"), ("dense q4_0 (gptq)", "q4_0, gptq", "q4_0", "#d62728"),
          ("2:4 q8_24 (SparseGPT)", "2:4 sparsegpt, q8_24", "2:4 q8_24", "#2ca02c"), ("2:4 q4_24 (SparseGPT)", "2:4 sparsegpt, q4_24", "2:4 q4_24", "#9467bd"),
          ("2:4 q8_24 (magnitude)", "2:4 magnitude, q8_24", "2:4 q8_24", "#98df8a"), ("half of the blocks, q8_0 (SparseGPT)", "half of the blocks, sparsegpt, q8_0", "half of the blocks q8_0", "#8c564b")]


def chart(quality_path, speed_path, out):
    q, s = (json.loads(Path(path).read_text()) for path in (quality_path, speed_path))
    exact = q["rows"][0]["perplexity"]
    losses = {r["name"]: 100 * (r["perplexity"] / exact - 1) for r in q["rows"]}
    ratios = {r["name"]: r["ratio"] for r in s["rows"]}
    points = [(label, ratios[fast], losses[good], colour) for label, good, fast, colour in POINTS if good in losses and fast in ratios]
    left, top, width, height = 70, 60, 560, 360
    right = max(1.5, 0.1 + max(x for _, x, _, _ in points))
    # Logarithmic: dense formats lose hundredths of a percent, pruned ones of a small model hundreds.
    least, most = 0.01, 1.5 * max(1.0, *(y for _, _, y, _ in points))
    at_x = lambda x: left + (x - 0.8) / (right - 0.8) * width  # noqa: E731
    at_y = lambda y: top + height - math.log(max(y, least) / least) / math.log(most / least) * height  # noqa: E731
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="940" height="490" viewBox="0 0 940 490" font-family="sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="#fff"/>',
             f'<text x="{left}" y="24" font-size="16">Speed against perplexity</text>',
             f'<text x="{left}" y="44" fill="#555">decode of {escape(s["model"])}, 2 threads, over dense q8_0; perplexity of {escape(q["model"])} over f32</text>']
    y = least
    while y <= most:
        lines.append(f'<line x1="{left}" x2="{left + width}" y1="{at_y(y):.1f}" y2="{at_y(y):.1f}" stroke="#ddd"/>'
                     f'<text x="{left - 8}" y="{at_y(y) + 4:.1f}" text-anchor="end">{y:g} %</text>')
        y *= 10
    x = 0.8
    while x <= right:
        lines.append(f'<line x1="{at_x(x):.1f}" x2="{at_x(x):.1f}" y1="{top}" y2="{top + height}" stroke="#eee"/>'
                     f'<text x="{at_x(x):.1f}" y="{top + height + 18}" text-anchor="middle">{x:.1f}x</text>')
        x = round(x + 0.2, 6)
    for i, (label, ratio, loss, colour) in enumerate(points):
        lines.append(f'<circle cx="{at_x(ratio):.1f}" cy="{at_y(loss):.1f}" r="6" fill="{colour}"><title>{escape(label)}: {ratio:.2f}x, {loss:+.2f} %</title></circle>')
        lines.append(f'<circle cx="{left + width + 20}" cy="{top + 10 + 22 * i}" r="5" fill="{colour}"/>'
                     f'<text x="{left + width + 32}" y="{top + 14 + 22 * i}">{escape(label)}: {ratio:.2f}x, {loss:+.1f} %</text>')
    lines += [f'<text x="{left + width / 2}" y="{top + height + 42}" text-anchor="middle">decode speed</text>', "</svg>", ""]
    Path(out).write_text("\n".join(lines))


if __name__ == "__main__":
    commands = {"quality": quality, "speed": speed, "chart": chart, "table": lambda path: print(table(json.loads(Path(path).read_text())))}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
