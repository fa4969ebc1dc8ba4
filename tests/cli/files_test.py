"""Files that are absent, broken or hostile: a clear error that names the file, never a crash."""

import json
import re
import struct
import unittest
from pathlib import Path

from support import SHIPPED, ToolTest, data

COMMANDS = (["generate", "-p", "x"], ["logits", "-p", "x"], ["tokenize", "-p", "x"], ["reason", "-q", "x"], ["chat", "-p", "x"], ["inspect"])


class BrokenFiles(ToolTest):
    def everywhere(self, path, *says, commands=COMMANDS):
        for command in commands:
            self.refused(1, *command, "-m", path, says=[str(path), *says])

    def test_absent_files_and_folders(self):
        self.everywhere("/no/such/model.gguf")
        folder = self.folder()
        self.everywhere(folder)
        self.refused(1, "generate", "--file", folder / "absent", says=["absent"])
        self.refused(1, "generate", "--file", folder, says=[str(folder), "folder"])
        self.refused(1, "logits", "--prompts", folder / "absent", says=["absent"])
        self.refused(1, "perplexity", "-f", folder / "absent", says=["absent"])

    def test_files_that_are_no_models(self):
        folder = self.folder()
        for name, content in {"empty": b"", "text": b"once upon a time", "magic": b"GGUF", "zeros": bytes(4096)}.items():
            path = folder / name
            path.write_bytes(content)
            self.everywhere(path)

    def test_truncation_anywhere(self):
        whole = SHIPPED.read_bytes()
        path = self.folder() / "short.gguf"
        for size in (3, 4, 7, 12, 23, 24, 31, 40, 200, 1000, 5000, 60000, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:size])
            self.refused(1, "inspect", path, says=[str(path)])
            self.refused(1, "generate", "-p", "x", "-m", path, says=[str(path)])

    def test_counts_and_lengths_beyond_the_file(self):
        whole = SHIPPED.read_bytes()
        path = self.folder() / "huge.gguf"
        for offset in (8, 16, 24):  # tensors, metadata entries, the first key's length
            for value in (1 << 32, (1 << 63) - 1, (1 << 64) - 1):
                path.write_bytes(whole[:offset] + struct.pack("<Q", value) + whole[offset + 8:])
                self.everywhere(path, commands=COMMANDS[:1] + COMMANDS[-1:])

    def test_architectures_that_are_not_supported(self):
        whole = SHIPPED.read_bytes()
        at = whole.index(b"general.architecture") + len("general.architecture") + 4 + 8
        self.assertEqual(whole[at:at + 5], b"llama")
        path = self.folder() / "mamba.gguf"
        path.write_bytes(whole[:at] + b"mamba" + whole[at + 5:])
        self.everywhere(path, "mamba", "llama", "qwen2", commands=COMMANDS[:2])
        self.ok("inspect", path)

    def test_tensors_that_are_missing_are_all_named(self):
        whole = SHIPPED.read_bytes()
        changed = whole.replace(b"blk.3.attn_q.weight", b"blk.3.attn_Q.weight").replace(b"output_norm.weight", b"output_morn.weight")
        path = self.folder() / "missing.gguf"
        path.write_bytes(changed)
        self.everywhere(path, "blk.3.attn_q.weight", "output_norm.weight", commands=COMMANDS[:1])

    def test_weights_that_are_not_numbers(self):
        model = data("golden/tiny/format-f32.gguf")
        content = bytearray(Path(model).read_bytes())
        tensors = {t["name"]: t for t in self.json("inspect", model)["tensors"]}
        at = tensors["blk.1.ffn_down.weight"]["offset"]
        content[at:at + 4] = struct.pack("<f", float("nan"))
        path = self.folder() / "nan.gguf"
        path.write_bytes(content)
        for command in COMMANDS[:2] + (["reason", "-q", "x", "--strategy", "direct"],):
            self.refused(1, *command, "-m", path, says=["NaN"])
        self.refused(1, "perplexity", "-f", SHIPPED.parent / "README.md", "-m", path, says=["NaN"])

    def test_names_cannot_write_to_the_terminal(self):
        whole = SHIPPED.read_bytes()
        path = self.folder() / "escape.gguf"
        path.write_bytes(whole.replace(b"general.name", b"general.\x1b[2J"))
        self.assertNotIn("\x1b", self.refused(1, "inspect", path, says=[r"\x1b[2J"]).err)
        self.assertEqual(whole.count(b"tiny-reasoner"), 1)
        path.write_bytes(whole.replace(b"tiny-reasoner", b"tiny-\x1b[2Jsone"))
        for arguments in ([path], [path, "--json"]):
            out = self.ok("inspect", *arguments).out
            self.assertIn("x1b[2J", out)
            self.assertNotIn("\x1b", out)


class Inspect(ToolTest):
    def test_everything_in_the_file_is_shown(self):
        text = self.ok("inspect", SHIPPED).out
        for part in ("general.architecture", "'llama'", "tokenizer.ggml.tokens", "token_embd.weight", "q8_0", "[128, 192]"):
            self.assertIn(part, text)
        document = self.json("inspect", SHIPPED)
        self.assertEqual(len(document["tensors"]), 6 * 9 + 2)
        self.assertEqual(sum(f["tensors"] for f in document["formats"].values()), len(document["tensors"]))
        embedding = next(t for t in document["tensors"] if t["name"] == "token_embd.weight")
        self.assertEqual(embedding["shape"], [128, 192])
        self.assertEqual(embedding["bytes"], 128 * 192 // 32 * 34)
        self.assertTrue(re.search(rf"{len(document['tensors'])} tensors", text))

    def test_golden_files(self):
        golden = data("golden/tiny")
        for name in ("llama", "format-q4_0"):
            document = self.json("inspect", f"{golden}/{name}.gguf")
            vocabulary = json.loads(Path(golden, f"{name}.json").read_text())["vocabulary"]
            embedding = next(t for t in document["tensors"] if t["name"] == "token_embd.weight")
            self.assertEqual(embedding["shape"][0], vocabulary)


if __name__ == "__main__":
    unittest.main()
