"""Model folders (config.json, safetensors, tokenizer.json) made from the golden GGUF files: each command takes them and
says what it says of the file."""

import json
import sys
import unittest
from pathlib import Path

from support import ROOT, ToolTest, data, run

sys.path.insert(0, str(ROOT / "tests/support"))
from huggingface_folder import NAMES, Gguf, write_folder  # noqa: E402


class Folders(ToolTest):
    def made(self, name, **how):
        return write_folder(data(f"golden/tiny/{name}.gguf"), self.folder() / name, **how)

    def worst(self, name, folder):
        golden = json.loads(Path(data(f"golden/tiny/{name}.json")).read_text())
        prompts = "".join(json.dumps(prompt["text"]) + "\n" for prompt in golden["prompts"])
        found = self.json("logits", "-m", folder, "--prompts", "-", "--top", str(golden["vocabulary"]), text=prompts)
        worst = 0
        for ours, theirs in zip(found["prompts"], golden["prompts"], strict=True):
            self.assertEqual(ours["ids"], theirs["ids"], name)
            for a, b in zip(ours["positions"], theirs["positions"], strict=True):
                logits = dict(zip(a["top_ids"], a["top_logits"]))
                worst = max(worst, abs(a["log_sum_exp"] - b["log_sum_exp"]),
                            *(abs(logits[i] - x) for i, x in zip(b["top_ids"], b["top_logits"])))
        return worst

    def test_logits_of_every_architecture(self):
        names = [*NAMES, "llama-untied-ropefactors"]
        self.assertEqual(len(names), 9)
        for i, name in enumerate(names):
            with self.subTest(name):
                shards = 1 + i % 3
                # The other engine rounds GELU to 16 bits; a folder's own library does not.
                bound = 0.02 if name in ("gpt2", "starcoder2") else 0.005
                self.assertLessEqual(self.worst(name, self.made(name, shards=shards)), bound)

    def test_a_folder_becomes_a_gguf_file(self):
        """The tensors, the vocabulary and the configuration of the file that the folder was made from."""
        for i, name in enumerate([*NAMES, "llama-untied-ropefactors"]):
            with self.subTest(name):
                made = self.folder() / "made.gguf"
                self.ok("quantize", self.made(name, shards=1 + i % 3), made, "--type", "f32")
                ours, theirs = Gguf(made), Gguf(data(f"golden/tiny/{name}.gguf"))
                for key, value in theirs.metadata.items():
                    if key.startswith(("tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.token_type", "tokenizer.ggml.pre",
                                       "tokenizer.ggml.eos", "general.architecture", theirs.metadata["general.architecture"] + ".")):
                        self.assertEqual(ours.metadata.get(key), value, key)
                renamed = {"rope_freqs.weight": "rope_factors_long.weight"}  # the folder has no other way to say it
                self.assertEqual({n: tuple(t[0]) for n, t in ours.tensors.items() if n != "rope_factors_short.weight"},
                                 {renamed.get(n, n): tuple(t[0]) for n, t in theirs.tensors.items()})
                bound = 0.02 if name in ("gpt2", "starcoder2") else 0.005
                self.assertLessEqual(self.worst(name, made), bound)

    def test_a_folder_is_quantized_and_pruned(self):
        folder, source = self.made("llama", shards=2), data("golden/tiny/llama.gguf")
        out = self.folder()
        self.ok("quantize", folder, out / "ours.gguf", "--type", "q8_0")
        self.ok("quantize", source, out / "theirs.gguf", "--type", "q8_0")
        logits = ["logits", "-p", "The history of the", "--json", "-m"]
        self.assertEqual(*(json.loads(self.ok(*logits, out / name).out)["prompts"] for name in ("ours.gguf", "theirs.gguf")))
        self.ok("prune", folder / "model.safetensors.index.json", out / "pruned.gguf", "--pattern", "2:4", "--type", "q8_24")
        self.ok(*logits, out / "pruned.gguf")
        words = json.loads((folder / "tokenizer.json").read_text())
        words["pre_tokenizer"] = {"type": "Whitespace"}
        (folder / "tokenizer.json").write_text(json.dumps(words))
        self.refused(1, "quantize", folder, out / "other.gguf", "--type", "q8_0", says=["byte-level BPE"])
        self.assertFalse((out / "other.gguf").exists())

    def test_commands(self):
        file, folder = data("golden/tiny/qwen3.gguf"), self.made("qwen3", shards=2)
        prompt = ["-p", "The history of the"]
        for command in (["tokenize"], ["generate", "-n", "8"], ["logits"]):
            ours, theirs = (self.json(*command, "-m", model, *prompt) for model in (folder, file))
            self.assertEqual(ours["ids" if "ids" in ours else "vocabulary"], theirs["ids" if "ids" in theirs else "vocabulary"], command)
        text = Path(data("golden/text.txt"))
        ours, theirs = (self.json("perplexity", "-m", model, "--file", text, "--context", "128", "--math", "dequantized")
                        for model in (folder, file))
        self.assertAlmostEqual(ours["perplexity"], theirs["perplexity"], delta=theirs["perplexity"] * 1e-4)
        answered = run("reason", "-m", folder, "-q", "1+1", "-n", "4", "--strategy", "direct", "--format", "line")
        self.assertEqual((answered.status, "no answer was found" in answered.err), (0, True), answered)  # the weights are random
        self.assertEqual(self.json("chat", "-m", folder, "-p", "hello", "-n", "3")["prompt_ids"],
                         self.json("tokenize", "-m", folder, "-p", "hello")["ids"])
        messages = json.dumps([{"role": "user", "content": "hello"}])
        self.assertEqual(self.ok("render", "-m", folder, "--messages", "-", text=messages).out, "hello")
        shown = self.ok("inspect", folder).out
        for part in ("model.layers.0.self_attn.q_norm.weight", "config.json", "model_type", "2 files"):
            self.assertIn(part, shown)
        self.assertEqual(self.json("inspect", folder)["configurations"]["config.json"]["model_type"], "qwen3")

    def test_a_folder_with_one_gguf_model(self):
        folder = self.folder()
        (folder / "some-model.gguf").write_bytes(Path(data("golden/tiny/llama.gguf")).read_bytes())
        self.assertEqual(self.json("generate", "-m", folder, "-p", "The", "-n", "4")["ids"],
                         self.json("generate", "-m", data("golden/tiny/llama.gguf"), "-p", "The", "-n", "4")["ids"])
        (folder / "another.gguf").write_bytes(b"GGUF")
        self.refused(1, "generate", "-m", folder, "-p", "The", says=["2 GGUF models", "another.gguf"])

    def test_what_is_refused(self):
        self.refused(1, "generate", "-m", self.folder(), "-p", "x", says=["config.json"])
        folder = self.made("llama")
        config = json.loads((folder / "config.json").read_text())

        def with_config(**fields):
            (folder / "config.json").write_text(json.dumps({**config, **fields}))

        def refused(*says):
            self.refused(1, "generate", "-m", folder, "-p", "x", says=says)

        with_config(model_type="mixtral")
        refused("model_type", "'mixtral'", "qwen3")
        with_config(quantization_config={"quant_method": "gptq"})
        refused("quantization_config", "gptq")
        with_config(num_hidden_layers=4)
        refused("model.layers.3.self_attn.q_proj.weight", "no such tensor")
        with_config(num_hidden_layers=2)
        refused("model.layers.2.", "nothing would read")
        with_config(intermediate_size=257)
        refused("model.layers.0.mlp.gate_proj.weight", "[257, 128]", "[256, 128]")
        with_config(vocab_size=400)
        refused("vocab_size", "400", "384")
        with_config(vocab_size=380)
        refused("tokenizer.json", "380")
        with_config(tie_word_embeddings=False)
        refused("lm_head.weight")
        with_config(attention_bias=True)
        refused("self_attn.q_proj.bias")
        with_config(hidden_act="tanh")
        refused("hidden_act", "'tanh'")
        with_config(rope_scaling={"rope_type": "mrope", "factor": 2})
        refused("rope_scaling", "'mrope'")
        with_config(rope_scaling={"rope_type": "longrope", "short_factor": [1.0], "long_factor": [1.0]})
        refused("short_factor", "16")
        with_config()
        self.ok("generate", "-m", folder, "-p", "x", "-n", "1")
        (folder / "tokenizer.json").rename(folder / "tokenizer.model")
        refused("tokenizer.json", "tokenizer.model")
        (folder / "tokenizer.model").rename(folder / "tokenizer.json")
        (folder / "generation_config.json").write_text('{"temperature": "hot"}')
        refused("generation_config.json", "temperature")


if __name__ == "__main__":
    unittest.main()
