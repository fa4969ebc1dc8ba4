"""What the tool says about models: golden ids and logits, perplexity, generation, chat, stories."""

import json
import math
import re
import subprocess
import unittest
from pathlib import Path

from support import CONVERT, ROOT, SHIPPED, SMOLLM2, ToolTest, data, run


def golden(relative):
    return json.loads(Path(data(relative)).read_text())


class Tokenize(ToolTest):
    def test_golden_ids(self):
        model = data("golden/tiny/llama.gguf")
        for prompt in golden("golden/tiny/llama.json")["prompts"]:
            self.assertEqual(self.json("tokenize", "-m", model, f"--prompt={prompt['text']}")["ids"], prompt["ids"])
            self.assertEqual(self.json("tokenize", "-m", model, "--file", "-", text=prompt["text"])["ids"], prompt["ids"])

    def test_plain_output_is_the_ids(self):
        # The model that ships: 0 begins, printable characters follow from 2 on.
        self.assertEqual(self.ok("tokenize", "-p", "calc: 1").out, "0 " + " ".join(str(ord(c) - 30) for c in "calc: 1") + "\n")

    def test_begin_and_end_can_be_left_out(self):
        with_begin, without = (self.json("tokenize", "-p", "1+1", *more)["ids"] for more in ([], ["--no-begin-end"]))
        self.assertEqual(with_begin, [0, *without])

    def test_files_without_weights(self):
        vocabulary = data("tokenizers/ggml-vocab-gpt-2.gguf")
        texts = Path(data("tokenizers/ggml-vocab-gpt-2.gguf.inp")).read_bytes().decode().split("\n__ggml_vocab_test__\n")
        expected = Path(data("tokenizers/ggml-vocab-gpt-2.gguf.out")).read_text().split("\n")
        for text, ids in list(zip(texts, expected))[:12]:
            self.assertEqual(self.json("tokenize", "-m", vocabulary, "--file", "-", "--no-begin-end", text=text)["ids"], [int(i) for i in ids.split()])

    def test_characters_that_the_vocabulary_lacks(self):
        self.refused(1, "tokenize", "-p", "straße")


class Render(ToolTest):
    def test_golden_templates(self):
        folder = Path(data("golden/chat_templates"))
        cases = 0
        for description in sorted(folder.glob("*.json")):
            document = json.loads(description.read_text())
            variables = dict(document["variables"])
            arguments = ["render", "--template", folder / document["template"], "--messages", "-", "--now", variables.pop("now")]
            for name, value in variables.items():
                arguments += ["--set", f"{name}={json.dumps(value)}"]
            for case in document["cases"]:
                more = [] if case["add_generation_prompt"] else ["--no-generation-prompt"]
                messages = json.dumps(case["messages"])
                if "error" in case:
                    self.refused(1, *arguments, *more, text=messages, says=[case["error"]])
                else:
                    self.assertEqual(self.ok(*arguments, *more, text=messages).out, case["expected"], description.name)
                cases += 1
        self.assertGreater(cases, 60)

    def test_the_template_of_a_model(self):
        messages = json.dumps([{"role": "user", "content": "What is the capital of Italy?"}])
        reference = next(p for p in golden("golden/smollm2-135m-instruct-q4_1.json")["prompts"] if "capital of Italy" in p["text"])
        self.assertEqual(self.ok("render", "-m", data(SMOLLM2), "--messages", "-", text=messages).out, reference["text"])

    def test_what_cannot_be_rendered(self):
        template = self.folder() / "template.jinja"
        template.write_text("{{ raise_exception('Be polite.') }}")
        self.refused(1, "render", "--template", template, "--messages", "-", text="[]", says=["Be polite."])
        template.write_text("{% for m in messages %}")
        self.refused(1, "render", "--template", template, "--messages", "-", text="[]")
        template.write_text("{{ flag }} {{ word }}")
        self.assertEqual(self.ok("render", "--template", template, "--messages", "-", "--set", "flag=true", "--set", "word=a=b", text="[]").out, "True a=b")
        self.refused(2, "render", "--template", template, "--messages", "-", "--set", "flag", text="[]", says=["NAME=VALUE"])
        self.refused(2, "render", "--template", template, "--messages", "-", "--now", "noon", text="[]", says=["noon"])
        for text in ("", "{}", "[", '"x"'):
            self.refused(1, "render", "--template", template, "--messages", "-", text=text)
        self.refused(1, "render", "--messages", "-", text="[]", says=["template"])


class Logits(ToolTest):
    def compare(self, model, reference, bound, *more):
        found = self.json("logits", "-m", model, "--prompts", "-", "--top", len(reference["prompts"][0]["positions"][0]["top_ids"]), *more,
                          text="\n".join(json.dumps(p["text"]) for p in reference["prompts"]))
        self.assertEqual(found["model"], reference["model"])
        self.assertEqual(found["vocabulary"], reference["vocabulary"])
        self.assertEqual(len(found["prompts"]), len(reference["prompts"]))
        for ours, theirs in zip(found["prompts"], reference["prompts"]):
            self.assertEqual(ours["text"], theirs["text"])
            self.assertEqual(ours["ids"], theirs["ids"])
            self.assertEqual([p["position"] for p in ours["positions"]], list(range(len(theirs["ids"]))))
            self.assertAlmostEqual(ours["mean_negative_log_likelihood"], theirs["mean_negative_log_likelihood"], delta=bound)
            for place in theirs["positions"]:
                mine = ours["positions"][place["position"]]
                self.assertEqual(mine["top_logits"], sorted(mine["top_logits"], reverse=True))
                self.assertAlmostEqual(mine["log_sum_exp"], place["log_sum_exp"], delta=bound)
                for a, b in zip(mine["top_logits"], place["top_logits"]):
                    self.assertAlmostEqual(a, b, delta=bound)
                if place["top_logits"][0] - place["top_logits"][1] > 0.1:
                    self.assertEqual(mine["top_ids"][0], place["top_ids"][0])

    def test_float_weights(self):
        self.compare(data("golden/tiny/format-f32.gguf"), golden("golden/tiny/format-f32.json"), 0.005)

    def test_quantized_weights_expanded(self):
        self.compare(data("golden/tiny/format-q4_0.gguf"), golden("golden/tiny/format-q4_0.json"), 0.005, "--math", "dequantized")

    def test_the_model_that_ships_expanded(self):
        self.compare(SHIPPED, golden("golden/tiny-reasoner-q8_0.json"), 0.005, "--math", "dequantized")

    def test_table_for_people(self):
        out = self.ok("logits", "-e", "-p", r"calc: 1+1\n", "--top", "2").out.splitlines()
        self.assertEqual(len(out), 11)
        self.assertRegex(out[-1], r"^10 '.*' -> '1' -?\d+\.\d+ '.' -?\d+\.\d+$")

    def test_prompt_files_that_are_not_json_strings(self):
        path = self.folder() / "prompts.jsonl"
        for content, says in (('"a"\nb\n', "line 2"), ('["a"]\n', "line 1"), ("\n\n", "none"), ('"a\n', "line 1")):
            path.write_text(content)
            self.refused(1, "logits", "--prompts", path, "--json", says=[str(path), says])

    def test_prompts_that_do_not_fit(self):
        self.refused(1, "logits", "-p", "1" * 256, says=["256"])
        self.refused(1, "generate", "-p", "1" * 300, says=["256"])
        self.refused(1, "reason", "-q", "1" * 300, says=["256"])
        self.refused(1, "chat", "-p", "1" * 300, says=["256"])

    def test_empty_prompts(self):
        model = data("golden/tiny/llama.gguf")  # asks for no begin token
        for command in (["logits"], ["generate"]):
            self.refused(1, *command, "-p", "", "-m", model, says=["empty"])
            self.ok(*command, "-p", "")  # the model that ships begins with a token of its own
        self.refused(1, "reason", "-q", "", says=["empty"])
        self.assertEqual(self.json("logits", "-p", "")["prompts"][0]["mean_negative_log_likelihood"], None)


class Perplexity(ToolTest):
    def test_one_window_is_the_golden_likelihood(self):
        for name, more in (("format-f32", []), ("format-q8_0", ["--math", "dequantized"])):
            prompt = max(golden(f"golden/tiny/{name}.json")["prompts"], key=lambda p: len(p["ids"]))
            found = self.json("perplexity", "-m", data(f"golden/tiny/{name}.gguf"), "-f", "-", *more, text=prompt["text"])
            self.assertEqual(found["windows"], 1)
            self.assertEqual(found["tokens"], len(prompt["ids"]) - 1)
            self.assertAlmostEqual(found["mean_negative_log_likelihood"], prompt["mean_negative_log_likelihood"], delta=0.005)
            self.assertAlmostEqual(found["perplexity"], math.exp(found["mean_negative_log_likelihood"]), delta=1e-6 * found["perplexity"])

    def test_windows_are_texts_of_their_own(self):
        text = "calc: 17*3-9\n17*3=51\n51-9=42\nanswer 42\n"
        found = self.json("perplexity", "-f", "-", "--ctx", "16", text=text)
        parts = [text[i:i + 15] for i in range(0, len(text), 15)]
        self.assertEqual(found["windows"], len(parts))
        total = 0.0
        for part in parts:
            total += self.json("logits", f"--prompt={part}")["prompts"][0]["mean_negative_log_likelihood"] * len(part)
        self.assertEqual(found["tokens"], len(text))
        self.assertAlmostEqual(found["mean_negative_log_likelihood"], total / len(text), delta=1e-6)

    def test_texts_that_are_too_short(self):
        self.refused(1, "perplexity", "-f", "/dev/null", says=["two tokens"])


class Generate(ToolTest):
    def test_golden_continuations(self):
        for name in ("llama", "format-f32"):
            model = data(f"golden/tiny/{name}.gguf")
            for prompt in golden(f"golden/tiny/{name}.json")["prompts"]:
                sure = next((i for i, m in enumerate(prompt["greedy_margin"]) if m < 0.5), len(prompt["greedy"]))
                found = self.json("generate", "-m", model, f"--prompt={prompt['text']}", "-n", len(prompt["greedy"]))
                ours = found["greedy"]
                self.assertEqual(found["prompt_ids"], prompt["ids"])
                if found["finish"] == "end_token":  # we stop where the model ends its text
                    sure = min(sure, len(ours))
                self.assertEqual(ours[:sure], prompt["greedy"][:sure])

    def test_plain_output_is_the_text(self):
        found = self.json("generate", "-e", "-p", r"calc: 17*3-9\n")
        self.assertEqual(found["text"], "17*3=51\n51-9=42\nanswer 42\n")
        self.assertEqual(found["finish"], "end_token")
        self.assertEqual(found["usage"]["generated_tokens"], len(found["ids"]))
        self.assertEqual(self.ok("generate", "-p", "calc: 17*3-9\n").out, found["text"] + "\n")

    def test_draws_are_a_function_of_the_seed(self):
        def texts(*more):
            return [self.json("generate", "-p", "24: 4 6 8 8\n", "--temp", "1", "--seed", seed, *more)["text"] for seed in range(6)]
        self.assertEqual(texts(), texts("--threads", "1"))
        self.assertGreater(len(set(texts())), 2)
        self.assertEqual(len(set(texts("--top-k", "1"))), 1)

    def test_stop_strings(self):
        found = self.json("generate", "-p", "calc: 17*3-9\n", "--stop", r"\nanswer", "--stop", "never")
        self.assertEqual((found["text"], found["finish"]), ("17*3=51\n51-9=42", "stop_string"))

    def test_asking_for_more_than_the_context_holds(self):
        prompt = "24: 1 1 1 1\n"  # there is no way, and so no end
        result = run("generate", "-p", prompt, "-n", "1000")
        self.assertEqual(result.status, 1, result)
        self.assertIn("context of 256", result.err)
        self.assertIn("context of 64", run("generate", "-p", prompt, "-n", "100", "--context", "64").err)
        # Who names no number gets what fits.
        self.assertEqual(self.json("generate", "-p", prompt)["finish"], "context_full")
        self.assertEqual(self.json("generate", "-p", prompt, "-n", "10")["finish"], "length")

    def test_stories_equal_their_published_text(self):
        folder = data("models/stories260K")
        model = str(self.folder() / "stories260K.gguf")
        subprocess.run([CONVERT, f"{folder}/stories260K.bin", f"{folder}/tok512.bin", model], check=True, stdout=subprocess.DEVNULL)
        published = Path(folder, "stories260K.md").read_text().split("-t 0.0\n")[1].split("\n```")[0]
        found = self.json("generate", "-m", model, "-p", "", "-n", "256")
        self.assertEqual(found["text"].strip(), published.strip())

    def test_smollm2_golden_continuations(self):
        model = data(SMOLLM2)
        for prompt in golden("golden/smollm2-135m-instruct-q4_1.json")["prompts"][:3]:
            sure = next(i for i, m in enumerate(prompt["greedy_margin"]) if m < 0.5)
            self.assertEqual(self.json("generate", "-m", model, f"--prompt={prompt['text']}", "-n", "24")["greedy"][:sure], prompt["greedy"][:sure])


class Chat(ToolTest):
    def test_lines_are_questions_where_there_is_no_template(self):
        self.assertEqual(self.ok("chat", text="calc: 17*3-9\n\ncheck: 17*3-9=42\n").out, "17*3=51\n51-9=42\nanswer 42\n\nright\n\n")
        self.refused(2, "chat", "--system", "Be brief.", "-p", "x", says=["template"])

    def test_smollm2_sees_its_template_and_the_conversation(self):
        model = data(SMOLLM2)
        reference = next(p for p in golden("golden/smollm2-135m-instruct-q4_1.json")["prompts"] if "capital of Italy" in p["text"])
        message = re.search(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", reference["text"]).group(1)
        lines = self.ok("chat", "-m", model, "-n", "8", "--json", text=f"{message}\nAnd of France?\n/reset\n{message}\n").out.splitlines()
        first, second, again = map(json.loads, lines)
        self.assertEqual(first["prompt_ids"], reference["ids"])
        sure = next(i for i, m in enumerate(reference["greedy_margin"]) if m < 0.5)
        self.assertEqual(first["ids"][:sure], reference["greedy"][:sure])
        self.assertEqual(second["prompt_ids"][:len(reference["ids"])], reference["ids"])
        self.assertGreaterEqual(second["usage"]["cached_tokens"], len(reference["ids"]))
        self.assertEqual(again["ids"], first["ids"])

    def test_conversations_that_fill_the_context(self):
        model = data(SMOLLM2)
        result = run("chat", "-m", model, "--context", "48", "-n", "64", text="Count to one hundred.\n")
        self.assertEqual(result.status, 1, result)
        self.assertIn("48", result.err)


if __name__ == "__main__":
    unittest.main()
