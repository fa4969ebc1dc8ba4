"""Command lines: help, wrong usage, exit statuses, quiet pipes, progress on terminals."""

import json
import os
import pty
import shutil
import subprocess
import unittest

from support import SHIPPED, TOOL, ToolTest, data, run

COMMANDS = {
    "generate": ["-p", "calc: 1+1\n"],
    "chat": ["-p", "calc: 1+1"],
    "reason": ["-q", "calc: 1+1"],
    "compare": ["-q", "calc: 1+1"],
    "eval": [],
    "tokenize": ["-p", "calc: 1+1"],
    "render": ["--messages", "/dev/null"],
    "logits": ["-p", "calc: 1+1"],
    "perplexity": ["-f", "/dev/null"],
    "inspect": [],
    "demo": [],
    "bench": ["--load-only", "--repeat", "1"],
    "version": [],
}


class Usage(ToolTest):
    def test_help_of_every_command_names_its_options(self):
        everything = self.ok("--help").out
        for command in COMMANDS:
            self.assertIn(command, everything)
            text = self.ok(command, "--help").out
            for option in ("--threads", "--isa", "--help"):
                self.assertIn(option, text, command)

    def test_commands_that_are_not_there_are_answered_with_those_that_are(self):
        result = self.refused(2, "genrate", "-p", "x", says=["genrate"])
        for command in COMMANDS:
            self.assertIn(command, result.err)
        self.refused(2, says=["generate"])

    def test_options_that_are_not_there_are_answered_with_those_that_are(self):
        for command, arguments in COMMANDS.items():
            self.refused(2, command, *arguments, "--colour", "red", says=[command, "--colour", "--threads"])

    def test_values_that_make_no_sense(self):
        for command, arguments in COMMANDS.items():
            self.refused(2, command, *arguments, "--isa", "mmx", says=["mmx", "scalar", "avx2"])
            self.refused(2, command, *arguments, "--threads", "-1", says=["--threads"])
            self.refused(2, command, *arguments, "--threads", "many", says=["--threads"])
        self.refused(2, "generate", "-p", "x", "-n", "0", says=["--tokens"])
        self.refused(2, "generate", "-p", "x", "--temp", "-1", says=["--temp"])
        self.refused(2, "generate", "-p", "x", "--top-p", "1.5", says=["--top-p"])
        self.refused(2, "generate", "-p", "x", "--math", "f64", says=["--math", "dequantized"])
        self.refused(2, "generate", "-p", "x", "--kv", "q8_0", says=["--kv", "f16"])
        self.refused(2, "logits", "-p", "x", "--top", "0", says=["--top"])
        self.refused(2, "perplexity", "-f", "/dev/null", "--ctx", "1", says=["--ctx"])
        self.refused(2, "perplexity", "-f", SHIPPED.parent / "README.md", "--ctx", "257", says=["--ctx", "256"])

    def test_one_prompt_is_needed_and_only_one(self):
        for command in ("generate", "tokenize", "logits"):
            self.refused(2, command, says=[command])
        self.refused(2, "generate", "-p", "x", "--file", "y")
        self.refused(2, "reason", says=["question"])
        self.refused(2, "compare", says=["question"])
        self.refused(2, "perplexity", says=["file"])

    def test_strategies_and_budgets_that_are_not_there(self):
        self.refused(2, "reason", "-q", "calc: 1+1", "--strategy", "guess", says=["guess", "self_consistency", "direct"])
        self.refused(2, "reason", "-q", "calc: 1+1", "--strategy", "self_consistency:temper=1", says=["temper", "temperature"])
        self.refused(2, "reason", "-q", "calc: 1+1", "--strategy", "self_consistency:samples=few", says=["samples", "few"])
        self.refused(2, "reason", "-q", "calc: 1+1", "--budget", "euros=5", says=["euros", "tokens", "forwards", "bytes", "ms"])
        self.refused(2, "reason", "-q", "calc: 1+1", "--budget", "tokens=-1", says=["tokens", "-1"])
        self.refused(2, "reason", "-q", "calc: 1+1", "--budget", "tokens", says=["tokens"])
        self.refused(2, "reason", "-q", "calc: 1+1", "--extractor", "oracle", says=["oracle", "last_number"])
        self.refused(2, "reason", "-q", "calc: 1+1", "--extractor", "regex:(", says=["--extractor"])

    def test_tiers_that_this_machine_lacks(self):
        tiers = self.json("version")["tiers"]
        absent = next(t for t in ("neon", "avx2") if t not in tiers)
        self.refused(1, "generate", "-p", "x", "--isa", absent, says=[absent])
        self.refused(1, "generate", "-p", "x", environment={"HENCE_ISA": "mmx"}, says=["mmx", "HENCE_ISA"])

    def test_every_tier_of_this_machine_can_be_asked_for(self):
        for tier in self.json("version")["tiers"]:
            self.assertEqual(self.json("generate", "-p", "calc: 1+1\n", "--isa", tier)["isa"], tier)
            self.assertEqual(self.json("generate", "-p", "calc: 1+1\n", environment={"HENCE_ISA": tier})["isa"], tier)

    def test_version(self):
        self.assertRegex(self.ok("--version").out, r"^hence \d+\.\d+\.\d+\n$")
        self.assertIn("llama", self.json("version")["architectures"])


class Surroundings(ToolTest):
    def test_the_tool_alone_in_a_folder_has_its_model_with_it(self):
        alone = self.folder() / "hence"
        shutil.copy(TOOL, alone)
        out = subprocess.run([str(alone), "generate", "-e", "-p", r"calc: 17*3-9\n"], capture_output=True, cwd=alone.parent, check=True).stdout
        self.assertEqual(out.decode(), "17*3=51\n51-9=42\nanswer 42\n\n")

    def test_the_model_inside_is_the_file_that_the_repository_carries(self):
        inside, outside = self.json("inspect"), self.json("inspect", SHIPPED)
        for field in ("metadata", "tensors", "formats"):
            self.assertEqual(inside[field], outside[field])

    def test_output_that_nobody_reads_ends_it_quietly(self):
        producer = subprocess.Popen([TOOL, "logits", "-p", "calc: 1+1", "--top", "128"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        producer.stdout.close()
        self.assertEqual(producer.stderr.read(), b"")
        producer.stderr.close()
        producer.wait(timeout=60)

    def test_progress_is_for_terminals(self):
        text = self.folder() / "text"
        text.write_text("calc: 17*3-9\n" * 200)
        arguments = [TOOL, "perplexity", "-f", str(text), "--json"]
        self.assertEqual(subprocess.run(arguments, capture_output=True, check=True).stderr, b"")
        reader, writer = pty.openpty()
        done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=writer, check=True)
        os.close(writer)
        shown = b""
        while True:
            try:
                piece = os.read(reader, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(reader)
        self.assertIn(b"perplexity", shown)
        self.assertGreater(json.loads(done.stdout)["tokens"], 2000)


if __name__ == "__main__":
    unittest.main()
