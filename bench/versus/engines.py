"""How versus.py runs one test with one engine: each run is a process of its own that warms up and measures once.

A test is a tuple: ("prefill", tokens), ("decode", tokens), ("branches", how many, shared prompt, tokens each), ("load",).
measure() gives tokens a second (of all branches together), or seconds for "load", and the process's peak memory in bytes.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def median(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def machine():
    """The processor's name and its instruction sets that matter here."""
    name, flags = "unknown processor", set()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
    except OSError:
        pass
    shown = [f for f in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8") if f in flags]
    return f"{name} ({os.cpu_count()} processors: {' '.join(shown) or 'no wide vectors'})"


def run(command):
    """(standard output, wall seconds, peak bytes) of a process; ends the program with its complaints where it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, complaints = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if process.returncode != 0:
        sys.exit(f"versus: {shlex.join(command)}: status {process.returncode}\n{complaints[-2000:]}")
    return text, seconds, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024), complaints


class Hence:
    def __init__(self, o):
        self.tool, self.model, self.threads = o.hence, o.model, str(o.threads)
        self.extra = shlex.split(o.hence_arguments)
        self.isa = ""

    def lacks(self, _what):
        return None if os.access(self.tool, os.X_OK) else f"missing: the tool hence at {self.tool} (./run build)"

    def measure(self, what):
        common = ["-m", self.model, "--threads", self.threads, *self.extra]
        if what[0] == "load":
            _, seconds, peak, _ = run([self.tool, "generate", *common, "-p", "a", "-n", "1"])
            return seconds, peak
        if what[0] == "prefill":
            wanted = ["-p", str(what[1]), "-n", "0"]
        elif what[0] == "decode":
            wanted = ["-p", "0", "-b", "0", "-n", str(what[1])]
        else:
            wanted = ["-p", "0", "-b", str(what[1]), "--prefix", str(what[2]), "-n", str(what[3]), "--no-single"]
        out, _, peak, _ = run([self.tool, "bench", *common, *wanted, "--no-load", "--no-limits", "--repeat", "1", "--json"])
        document = json.loads(out)
        self.isa = document["isa"]
        return document["tests"][0]["tokens_per_second"], peak

    def version(self):
        out = run([self.tool, "version", "--json"])[0]
        found = json.loads(out)
        return f"{found['version']} ({self.isa or found['isa']})"


class Llama:
    def __init__(self, o):
        self.name, self.model, self.threads = o.peer, o.model, str(o.threads)
        self.bench, self.batched = o.llama_bench, o.llama_batched_bench
        self.extra, self.batched_extra = shlex.split(o.peer_arguments), shlex.split(o.peer_batched_arguments)
        self.build = ""
        self.cold = None

    def lacks(self, what):
        name, path = ("llama-batched-bench", self.batched) if what[0] == "branches" else ("llama-bench", self.bench)
        if not path:
            return f"missing: --{name} PATH"
        return None if os.access(path, os.X_OK) else f"missing: {path} is no program"

    def without_warming(self):
        """The arguments that make llama-bench run once, cold: they differ between versions."""
        if self.cold is None:
            text = subprocess.run([self.bench, "--help"], capture_output=True, text=True, check=False)
            text = text.stdout + text.stderr
            self.cold = ["--no-warmup"] if "--no-warmup" in text else ["-w", "0"] if "--warmup" in text else []
        return self.cold

    def measure(self, what):
        if what[0] == "branches":
            return self.branches(*what[1:])
        wanted = {"prefill": ["-p", str(what[-1]), "-n", "0"], "decode": ["-p", "0", "-n", str(what[-1])],
                  "load": ["-p", "1", "-n", "0", *(self.without_warming() if what[0] == "load" else [])]}[what[0]]
        out, seconds, peak, _ = run([self.bench, "-m", self.model, "-t", self.threads, "-r", "1", "-o", "json", *wanted, *self.extra])
        found = json.loads(out[out.index("["):])[0]
        self.build = f"{found.get('build_commit', '?')} ({found.get('build_number', '?')})"
        return (seconds if what[0] == "load" else found["avg_ts"]), peak

    def branches(self, count, prefix, tokens):
        context = count * (prefix + tokens + 1) + 64
        out, _, peak, complaints = run([self.batched, "-m", self.model, "-t", self.threads, "-c", str(context), "-npp", str(prefix), "-ntg",
                                        str(tokens), "-npl", str(count), "-pps", *self.batched_extra])
        for line in (out + complaints).splitlines():
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if len(cells) >= 8 and re.fullmatch(r"\d+", cells[0]) and int(cells[2]) == count:
                return float(cells[7]), peak
        sys.exit(f"versus: {self.batched} printed no row of {count} branches\n{(out + complaints)[-2000:]}")

    def version(self):
        return f"{self.name} {self.build}".strip()
