"""`hence bench` and bench/versus: what they print and what they refuse. Nothing here says how fast anything is.

The other engine of versus.py is played by two scripts that print, in the published forms of llama-bench and
llama-batched-bench, what they were asked for: so the comparison's arithmetic is known beforehand.
"""

import json
import os
import subprocess
import sys
import unittest

from support import ROOT, SHIPPED, TOOL, ToolTest

VERSUS = ROOT / "bench/versus/versus.py"
SMALL = ["-p", "16", "-n", "8", "-b", "1,3", "--prefix", "8", "--repeat", "2", "--threads", "2"]

LLAMA_BENCH = """#!/usr/bin/env python3
import json, sys
a = sys.argv[1:]
if "--help" in a:
    print("  --no-warmup   skip warmup runs before benchmarking")
    sys.exit(0)
assert a[a.index("-t") + 1] == "2" and a[a.index("-r") + 1] == "1" and "-rtr" in a, a
rate = 4.0 if a[a.index("-p") + 1] != "0" else 2.0
print(json.dumps([{"build_commit": "abc", "build_number": 7, "avg_ts": rate, "samples_ts": [rate]}]))
"""

LLAMA_BATCHED_BENCH = """#!/usr/bin/env python3
import sys
a = sys.argv[1:]
b, n = int(a[a.index("-npl") + 1]), int(a[a.index("-ntg") + 1])
assert "-pps" in a and int(a[a.index("-c") + 1]) >= 8 + b * n, a
print("|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |")
print("|-------|--------|------|--------|----------|----------|----------|----------|----------|----------|")
print(f"|     8 | {n:6} | {b:4} |     40 |    0.100 |    80.00 |    1.000 | {5.0 * b:8.2f} |    1.100 |    30.00 |", file=sys.stderr)
"""


class Bench(ToolTest):
    def test_every_measurement_has_its_rate_and_its_roofline(self):
        found = self.json("bench", *SMALL)
        self.assertEqual(found["threads"], 2)
        self.assertGreater(found["limits"]["bytes_per_second"], 1e8)
        kinds = [(t["test"], t["prompt"], t["branches"], t["tokens"]) for t in found["tests"]]
        self.assertEqual(kinds, [("prefill", 16, 1, 16), ("decode", 1, 1, 8), ("branches", 8, 1, 8), ("branches", 8, 3, 24)])
        for test in found["tests"]:
            self.assertEqual(len(test["samples"]), 2)
            self.assertAlmostEqual(test["tokens_per_second"] * test["seconds"], test["tokens"], places=6)
            self.assertLessEqual(test["tokens_per_second_min"], test["tokens_per_second"])
            self.assertLessEqual(test["tokens_per_second"], test["tokens_per_second_max"])
            self.assertAlmostEqual(test["of_limit"] * test["limit_tokens_per_second"], test["tokens_per_second"], delta=1e-6 * test["tokens_per_second"])
            # One step reads all weights at least once.
            steps = 1 if test["test"] == "prefill" else 8
            self.assertGreaterEqual(test["bytes_per_second"] * test["seconds"], 0.999 * steps * found["weight_bytes"])
        load = found["load"]
        self.assertEqual(load["weight_bytes"], found["weight_bytes"])
        self.assertAlmostEqual(load["peak_bytes"], load["weight_bytes"] + load["kv_bytes"] + load["other_bytes"], delta=1)
        self.assertGreater(load["seconds"], load["load_seconds"] * 0.99)

    def test_parts_can_be_left_out(self):
        found = self.json("bench", "-p", "0", "-n", "4", "-b", "0", "--no-load", "--no-limits", "--repeat", "1")
        self.assertEqual([t["test"] for t in found["tests"]], ["decode"])
        self.assertNotIn("load", found)
        self.assertNotIn("limits", found)
        self.assertNotIn("of_limit", found["tests"][0])
        self.assertEqual(self.json("bench", "--load-only", "--repeat", "1")["tests"], [])

    def test_the_table_names_what_it_shows(self):
        text = self.ok("bench", *SMALL).out
        for word in ("prefill", "decode", "branches", "of limit", "limits measured", "load to first token", "peak memory"):
            self.assertIn(word, text)

    def test_what_cannot_be_measured_is_refused(self):
        self.refused(1, "bench", "-p", "100000", "--no-load", "--no-limits", says=["100001", "context"])
        self.refused(1, "bench", "-m", "no-such-file.gguf", says=["no-such-file.gguf"])
        self.refused(2, "bench", "--repeat", "0", says=["--repeat"])
        self.refused(2, "bench", "-b", "many", says=["--branches"])


class Versus(ToolTest):
    def versus(self, *arguments):
        command = [sys.executable, str(VERSUS), "-m", str(SHIPPED), "--hence", TOOL, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def program(self, folder, name, text):
        path = folder / name
        path.write_text(text)
        os.chmod(path, 0o755)
        return path

    def test_two_engines_on_one_file(self):
        folder = self.folder()
        bench = self.program(folder, "llama-bench", LLAMA_BENCH)
        batched = self.program(folder, "llama-batched-bench", LLAMA_BATCHED_BENCH)
        done = self.versus("--llama-bench", bench, "--llama-batched-bench", batched, "--peer", "other", "--peer-arguments=-rtr 1", "-r", "2",
                           "-p", "16", "-n", "4", "-b", "2,3", "--prefix", "8", "--branch-tokens", "4", "--out", folder / "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        document = json.loads((folder / "out/versus.json").read_text())
        self.assertEqual(document["missing"], [])
        self.assertEqual(document["peer"], "other abc (7)")
        rows = {row["test"]: row for row in document["tests"]}
        self.assertEqual(list(rows), ["prefill 16", "decode 4, 1 branch", "2 branches sharing 8", "3 branches sharing 8", "load to first token"])
        for name, rate in (("prefill 16", 4), ("decode 4, 1 branch", 2), ("2 branches sharing 8", 10), ("3 branches sharing 8", 15)):
            row = rows[name]
            self.assertEqual(row["peer"]["samples"], [rate, rate])
            self.assertEqual(len(row["hence"]["samples"]), 2)
            self.assertAlmostEqual(row["ratio"], row["hence"]["median"] / rate)
        load = rows["load to first token"]
        self.assertAlmostEqual(load["ratio"], load["peer"]["median"] / load["hence"]["median"])
        self.assertTrue(all(peak > 1e6 for peak in load["peak_bytes"]))
        self.assertEqual(done.stdout, (folder / "out/versus.txt").read_text())
        self.assertIn("<svg", (folder / "out/versus.svg").read_text())

    def test_what_is_missing_is_said_and_the_rest_compared(self):
        folder = self.folder()
        bench = self.program(folder, "llama-bench", LLAMA_BENCH)
        done = self.versus("--llama-bench", bench, "--peer-arguments=-rtr 1", "-r", "1", "-p", "16", "-n", "0", "-b", "2", "--no-load")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("missing: --llama-batched-bench PATH", done.stderr)
        self.assertIn("not compared: 2 branches sharing 128", done.stdout)
        self.assertIn("prefill 16", done.stdout)

    def test_nothing_to_compare_is_an_error(self):
        done = self.versus("--llama-bench", "/no/such/program", "-b", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/no/such/program is no program", done.stderr)
        self.assertIn("nothing to compare", done.stderr)

    def test_an_engine_that_fails_is_quoted(self):
        folder = self.folder()
        broken = self.program(folder, "llama-bench", "#!/bin/sh\necho out of luck >&2\nexit 3\n")
        done = self.versus("--llama-bench", broken, "-p", "16", "-n", "0", "-b", "0", "--no-load", "-r", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("status 3", done.stderr)
        self.assertIn("out of luck", done.stderr)


if __name__ == "__main__":
    unittest.main()
