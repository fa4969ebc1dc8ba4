"""hence prune: files with zeros and without them, smaller models, and what is refused."""

import struct
import unittest
from pathlib import Path

from support import SHIPPED, ToolTest, data

TINY = "models/tiny-reasoner/"
SOURCE = TINY + "tiny-reasoner-f32.gguf"


class Prune(ToolTest):
    def setUp(self):
        self.out = self.folder() / "out.gguf"

    def text(self, name, size):
        path = self.folder() / name
        path.write_bytes(Path(data(TINY + name)).read_bytes()[:size])
        return path

    def logits(self, path):
        return self.ok("logits", "-p", "calc: 17*3-9\n", "--json", "-m", path).out.split('"prompts"')[1]

    def test_zeros_stored_or_left_out_are_the_same_model(self):
        smaller = self.folder() / "smaller.gguf"
        found = self.json("prune", data(SOURCE), self.out, "--pattern", "2:4", "--type", "q8_0")
        self.json("prune", data(SOURCE), smaller, "--pattern", "2:4", "--type", "q8_24")
        self.assertGreaterEqual(found["sparsity"], 0.5)
        self.assertLess(found["sparsity"], 0.53)
        self.assertEqual(self.logits(self.out), self.logits(smaller))
        self.assertLess(smaller.stat().st_size, self.out.stat().st_size)

    def test_int8(self):
        pruned, twice = self.folder() / "pruned.gguf", self.folder() / "twice.gguf"
        found = self.json("prune", data(SOURCE), self.out, "--pattern", "2:4", "--type", "int8")
        self.assertLess(found["matrix_bytes_after"], 0.27 * found["matrix_bytes_before"])
        self.assertEqual({t["to"] for t in found["tensors"]}, {"i8"})
        self.json("prune", data(SOURCE), pruned, "--pattern", "2:4")
        self.json("quantize", pruned, twice, "--type", "int8", "--embedding", "f32")
        self.assertEqual(self.logits(self.out), self.logits(twice))
        self.refused(1, "prune", self.out, twice, "--pattern", "2:4", "--type", "q8_0", says=["blk.0.attn_q.weight", "int8"])
        self.refused(1, "prune", data(SOURCE), twice, "--pattern", "channels:0.25", "--type", "int8", says=["i8"])

    def test_scores_and_perplexity(self):
        calibration, evaluation = self.text("calibration.txt", 12000), self.text("heldout.txt", 4000)
        # This model is surer of itself than it should be on its held-out text, so that losing weights can even help: which score is best
        # is for tests/compress and the pages. Here: that each measures the model which it wrote.
        after = {}
        for score in ("magnitude", "wanda", "sparsegpt"):
            found = self.json("prune", data(SOURCE), self.out, "--pattern", "2:4", "--score", score, "--calibrate", calibration, "--eval", evaluation)
            after[score] = found["perplexity"]["after"]
            self.assertAlmostEqual(after[score], self.json("perplexity", "-m", self.out, "-f", evaluation)["perplexity"], delta=1e-3 * after[score])
        self.assertAlmostEqual(found["perplexity"]["before"], self.json("perplexity", "-m", data(SOURCE), "-f", evaluation)["perplexity"], delta=1e-2)
        self.assertEqual(len(set(after.values())), 3)

    def test_smaller_models_are_ordinary(self):
        for pattern in ("channels:0.25", "layers:1"):
            found = self.json("prune", data(SOURCE), self.out, "--pattern", pattern)
            self.assertLess(found["parameters_after"], found["parameters_before"])
            self.ok("logits", "-p", "calc: 1+1\n", "-m", self.out)

    def test_shares_by_sensitivity(self):
        even = self.json("prune", data(SOURCE), self.out, "--pattern", "unstructured:0.5")
        chosen = self.json("prune", data(SOURCE), self.out, "--pattern", "unstructured:0.5", "--by-sensitivity")
        self.assertAlmostEqual(chosen["sparsity"], even["sparsity"], delta=0.02)
        # Whole steps of matrices go a little past the budget: here 0.1 % more weights and 0.6 % more loss than even shares.
        self.assertLessEqual(chosen["loss"]["chosen"], 1.02 * chosen["loss"]["even"])
        self.assertGreater(len({round(t["sparsity"], 2) for t in chosen["tensors"]}), len({round(t["sparsity"], 2) for t in even["tensors"]}))
        self.refused(1, "prune", data(SOURCE), self.out, "--pattern", "2:4", "--by-sensitivity", says=["2:4", "share"])

    def test_refused_and_nothing_left(self):
        source = data(SOURCE)
        self.refused(2, "prune", source, self.out, "--pattern", "2:x", says=["2:x"])
        self.refused(2, "prune", source, self.out, "--pattern", "2:4", "--score", "wanda", says=["--calibrate"])
        self.refused(2, "prune", source, source, "--pattern", "2:4", says=["replace"])
        for option in (["--keep", "attn_q"], ["--by-sensitivity"], ["--score", "wanda"]):
            self.refused(2, "prune", source, self.out, "--pattern", "layers:1", *option, says=[option[0], "layers:1"])
        self.refused(2, "prune", source, self.out, "--pattern", "2:4", "--keep", "nothing-like-it", says=["nothing-like-it"])
        self.refused(1, "prune", source, self.out, "--pattern", "3:7", says=["3:7", "blk.0.attn_q.weight"])
        self.refused(1, "prune", source, self.out, "--pattern", "2:4", "--score", "wanda", "--calibrate", self.text("calibration.txt", 100), says=["calibration text"])
        self.refused(1, "prune", source, self.out, "--pattern", "layers:1", "--eval", self.text("heldout.txt", 0), says=["heldout.txt", "--eval", "empty"])
        self.refused(1, "prune", SHIPPED, self.out, "--pattern", "4:8", "--type", "q8_24", says=["4:8"])
        self.refused(2, "prune", source, self.out, "--pattern", "layers:1", "--type", "q8_0", says=["--type", "layers:1"])
        self.refused(1, "prune", source, self.out, "--pattern", "layers:99", says=["99"])
        bad = self.folder() / "nan.gguf"
        content = bytearray(Path(source).read_bytes())
        place = next(t for t in self.json("inspect", source)["tensors"] if t["name"] == "blk.3.ffn_up.weight")
        offset = place.get("offset", place.get("file_offset"))
        content[offset:offset + 4] = struct.pack("<f", float("nan"))
        bad.write_bytes(content)
        for pattern in ("2:4", "channels:0.25"):
            self.refused(1, "prune", bad, self.out, "--pattern", pattern, says=["blk.3.ffn_up.weight", "row 0, column 0", "nan"])
        self.assertEqual(list(self.out.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
