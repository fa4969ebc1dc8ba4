"""hence quantize: files that other engines read, what they cost, and what is refused."""

import json
import resource
import struct
import subprocess
import unittest
from pathlib import Path

from support import SHIPPED, TOOL, ToolTest, data

TINY = "models/tiny-reasoner/"


class Quantize(ToolTest):
    def setUp(self):
        self.out = self.folder() / "out.gguf"

    def nothing_left(self):
        """Neither the output nor a temporary file beside it."""
        self.assertEqual(list(self.out.parent.iterdir()), [])

    def text(self, name, size):
        path = self.folder() / name
        path.write_bytes(Path(data(TINY + name)).read_bytes()[:size])
        return path

    def tensors(self, path):
        return {t["name"]: t for t in self.json("inspect", path)["tensors"]}

    def test_q8_0_is_the_model_that_ships(self):
        self.ok("quantize", data(TINY + "tiny-reasoner-f32.gguf"), self.out, "--type", "q8_0")
        ours, shipped = self.tensors(self.out), self.tensors(SHIPPED)
        self.assertEqual({n: (t["type"], t["shape"]) for n, t in ours.items()}, {n: (t["type"], t["shape"]) for n, t in shipped.items()})
        prompt = ("logits", "-p", "calc: 17*3-9\n", "--json")
        mine, theirs = (json.loads(self.ok(*prompt, "-m", path).out)["prompts"] for path in (self.out, SHIPPED))
        self.assertEqual(mine, theirs)

    def test_report_and_perplexity(self):
        evaluation = self.text("heldout.txt", 4000)
        found = self.json("quantize", data(TINY + "tiny-reasoner-f32.gguf"), self.out, "--type", "int8", "--eval", evaluation)
        self.assertLess(found["perplexity"]["after"], 1.01 * found["perplexity"]["before"])
        alone = self.json("perplexity", "-m", self.out, "-f", evaluation)
        self.assertAlmostEqual(alone["perplexity"], found["perplexity"]["after"], places=6)
        up = next(t for t in found["tensors"] if t["name"] == "blk.0.ffn_up.weight")
        self.assertEqual((up["from"], up["to"]), ("f32", "i8"))
        self.assertGreater(up["cosine"], 0.9999)
        self.assertGreater(up["sqnr_db"], 35)
        self.assertLess(up["rms_error"], up["max_error"])
        self.assertEqual(self.tensors(self.out)["blk.0.ffn_up.scale"]["shape"], [512])
        text = self.ok("quantize", data(TINY + "tiny-reasoner-f32.gguf"), self.out, "--type", "q4_k", "--report").out
        self.assertIn("rows of 192 are no whole blocks of q4_k", text)
        self.assertIn("SQNR", text)

    def test_keep(self):
        self.ok("quantize", data(TINY + "tiny-reasoner-f32.gguf"), self.out, "--type", "q4_0", "--keep", r"blk\.[01]\.", "--keep", "^token_embd")
        types = {n: t["type"] for n, t in self.tensors(self.out).items()}
        self.assertEqual(types["blk.0.ffn_up.weight"], "f32")
        self.assertEqual(types["token_embd.weight"], "f32")
        self.assertEqual(types["blk.2.ffn_up.weight"], "q4_0")
        self.assertEqual(types["blk.2.attn_norm.weight"], "f32")

    def test_a_calibration_text_pays(self):
        calibration, evaluation = self.text("calibration.txt", 16000), self.text("heldout.txt", 8000)
        source = data(TINY + "tiny-reasoner-f32.gguf")
        plain = self.json("quantize", source, self.out, "--type", "q4_0", "--eval", evaluation)
        learned = self.json("quantize", source, self.out, "--type", "q4_0", "--calibrate", calibration, "--eval", evaluation)
        self.assertEqual((plain["method"], learned["method"]), ("nearest", "gptq"))
        exact = plain["perplexity"]["before"]
        self.assertLess(learned["perplexity"]["after"] - exact, 0.8 * (plain["perplexity"]["after"] - exact))

    def test_wrong_usage(self):
        source = data(TINY + "tiny-reasoner-f32.gguf")
        self.refused(2, "quantize", source, self.out, "--type", "q9_9", says=["q9_9"])
        self.refused(2, "quantize", source, self.out)
        self.refused(2, "quantize", source, self.out, "--type", "q4_0", "--keep", "(", says=["--keep"])
        self.refused(2, "quantize", source, self.out, "--type", "q4_0", "--keep", "nothing-like-it", says=["nothing-like-it"])
        self.refused(2, "quantize", source, self.out, "--type", "q4_0", "--method", "gptq", says=["--calibrate"])
        self.refused(2, "quantize", source, source, "--type", "q4_0", says=["replace"])
        self.nothing_left()

    def test_bad_input_leaves_no_file(self):
        source = data(TINY + "tiny-reasoner-f32.gguf")
        self.refused(1, "quantize", SHIPPED, self.out, "--type", "q4_0", says=["already quantized", "q8_0"])
        self.refused(1, "quantize", "/no/such.gguf", self.out, "--type", "q4_0", says=["/no/such.gguf"])
        self.refused(1, "quantize", source, self.out, "--type", "q4_0", "--calibrate", self.text("calibration.txt", 100), says=["calibration text", "256"])
        self.refused(1, "quantize", source, self.out.parent / "absent" / "out.gguf", "--type", "q4_0", says=["absent"])
        bad = self.folder() / "nan.gguf"
        content = bytearray(Path(source).read_bytes())
        place = self.tensors(source)["blk.3.ffn_up.weight"]
        offset = place.get("offset", place.get("file_offset"))
        content[offset:offset + 4] = struct.pack("<f", float("nan"))
        bad.write_bytes(content)
        self.refused(1, "quantize", bad, self.out, "--type", "q8_0", says=["blk.3.ffn_up.weight", "row 0, column 0", "nan"])
        self.nothing_left()

    def test_a_full_disk_leaves_no_file(self):
        source = data(TINY + "tiny-reasoner-f32.gguf")
        for command in (["quantize", source, self.out, "--type", "q8_0"], ["prune", source, self.out, "--pattern", "2:4"],
                        ["prune", source, self.out, "--pattern", "layers:1"]):
            done = subprocess.run([TOOL, *map(str, command)], capture_output=True, text=True, restore_signals=False,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)))
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn("out.gguf", done.stderr)
            self.nothing_left()

    def test_floats(self):
        source = data(TINY + "tiny-reasoner-f32.gguf")
        self.ok("quantize", source, self.out, "--type", "bf16")
        self.assertEqual({t["type"] for t in self.tensors(self.out).values() if len(t["shape"]) == 2}, {"bf16"})
        self.ok("quantize", self.out, self.out.parent / "again.gguf", "--type", "f32")

    def test_requantize(self):
        self.ok("quantize", SHIPPED, self.out, "--type", "q4_0", "--requantize")
        self.assertEqual(self.tensors(self.out)["blk.2.ffn_up.weight"]["type"], "q4_0")


if __name__ == "__main__":
    unittest.main()
