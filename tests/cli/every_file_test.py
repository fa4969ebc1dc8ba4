"""inspect, generate, logits and perplexity on every golden model file, and on a folder made from one of them."""

import json
import math
import sys
import unittest
from pathlib import Path

from support import ROOT, ToolTest, data

sys.path.insert(0, str(ROOT / "tests/support"))
from huggingface_folder import write_folder  # noqa: E402

FLOATS = ("format-f32", "format-f16", "format-bf16")


class EveryFile(ToolTest):
    def check(self, model, golden, name, bound=0.005):
        shown = self.json("inspect", model)
        self.assertTrue(shown["tensors"], name)
        self.assertIn(Path(model).name, self.ok("inspect", model).out)

        exact = [] if not name.startswith("format-") or name in FLOATS else ["--math", "dequantized"]
        prompts = "".join(json.dumps(p["text"]) + "\n" for p in golden["prompts"])
        found = self.json("logits", "-m", model, "--prompts", "-", "--top", golden["vocabulary"], *exact, text=prompts)
        for ours, theirs in zip(found["prompts"], golden["prompts"], strict=True):
            self.assertEqual(ours["ids"], theirs["ids"])
            for place in theirs["positions"]:
                mine = ours["positions"][place["position"]]
                values = dict(zip(mine["top_ids"], mine["top_logits"], strict=True))
                for i, x in zip(place["top_ids"], place["top_logits"], strict=True):
                    self.assertAlmostEqual(values[i], x, delta=bound)

        for prompt in golden["prompts"][::3]:
            made = self.json("generate", "-m", model, f"--prompt={prompt['text']}", "-n", len(prompt["greedy"]), *exact)
            ours, sure = made["greedy"], next((i for i, m in enumerate(prompt["greedy_margin"]) if m < 4 * bound), len(prompt["greedy"]))
            if made["finish"] == "end_token":
                sure = min(sure, len(ours))
            self.assertEqual(ours[:sure], prompt["greedy"][:sure], name)

        longest = max(golden["prompts"], key=lambda p: len(p["ids"]))
        read = self.json("perplexity", "-m", model, "-f", "-", *exact, text=longest["text"])
        self.assertAlmostEqual(read["mean_negative_log_likelihood"], longest["mean_negative_log_likelihood"], delta=bound)
        # As the file is, with 8-bit activations: a figure that makes sense.
        plain = self.json("perplexity", "-m", model, "-f", "-", text=longest["text"])
        self.assertTrue(math.isfinite(plain["perplexity"]) and plain["perplexity"] > 1)

    def test_every_golden_file(self):
        names = sorted(p.stem for p in Path(data("golden/tiny")).glob("*.json"))
        self.assertEqual(len(names), 23)
        for name in names:
            with self.subTest(name):
                self.check(data(f"golden/tiny/{name}.gguf"), json.loads(Path(data(f"golden/tiny/{name}.json")).read_text()), name)

    def test_a_folder_made_from_one(self):
        golden = json.loads(Path(data("golden/tiny/llama.json")).read_text())
        for shards in (1, 2):
            folder = write_folder(data("golden/tiny/llama.gguf"), self.folder() / "llama", shards=shards)
            self.check(str(folder), golden, "llama")


if __name__ == "__main__":
    unittest.main()
