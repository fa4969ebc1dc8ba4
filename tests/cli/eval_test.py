"""hence eval and hence compare: right answers are counted right, and what they cost."""

import json
import unittest
import xml.etree.ElementTree as xml
from fractions import Fraction
from math import comb, sqrt
from pathlib import Path

from support import ROOT, ToolTest, data, run

FIELDS = {"strategy", "accuracy", "low", "high", "samples", "tokens", "forwards", "seconds"}


def wilson(right, n, z=1.959963984540054):
    middle, spread = (right + z * z / 2) / (n + z * z), z / (n + z * z) * sqrt(right * (n - right) / n + z * z / 4)
    return middle - spread, middle + spread


class Eval(ToolTest):
    def eval(self, *arguments):
        return self.json("eval", "--threads", "1", *arguments)

    def test_results_hold_what_they_promise(self):
        found = self.eval("--task", "arithmetic", "--limit", "12", "--strategies", "direct;chain_of_thought;self_consistency:samples=6,temperature=0.9")
        self.assertEqual([r["strategy"] for r in found["results"]], ["direct", "chain_of_thought", "self_consistency:samples=6,temperature=0.9"])
        for result in found["results"]:
            self.assertLessEqual(FIELDS, set(result))
            self.assertEqual(result["questions"], 12)
            self.assertAlmostEqual(result["accuracy"], result["right"] / 12)
            for end, expected in zip(("low", "high"), wilson(result["right"], 12)):
                self.assertAlmostEqual(result[end], expected)
            for count in ("samples", "tokens", "forwards"):
                self.assertAlmostEqual(result["per_question"][count] * 12, result[count])
        direct, thought, vote = found["results"]
        self.assertGreater(thought["accuracy"], direct["accuracy"])
        self.assertEqual((direct["samples"], thought["samples"]), (12, 12))
        self.assertGreater(vote["tokens"], thought["tokens"])

    def test_the_published_puzzles_are_the_ones_asked(self):
        kept = self.folder() / "kept.jsonl"
        self.eval("--limit", "3", "--strategies", "chain_of_thought:max_tokens=1", "--resume", kept)
        self.assertEqual([json.loads(line)["id"] for line in kept.read_text().splitlines()], ["900", "901", "902"])
        puzzles = (ROOT / "examples/data/game24/24.csv").read_text().splitlines()
        self.assertEqual(len(puzzles), 1363)
        self.assertEqual(puzzles[901].split(",")[1], "4 5 6 10")
        self.assertEqual((ROOT / "examples/data/game24/24.csv").read_bytes(), Path(data("eval/game24/24.csv")).read_bytes())

    def test_an_exact_checker_is_named_and_finds_what_sampling_reaches(self):
        found = self.eval("--limit", "8", "--strategies", "best_of_n:samples=20,scorer=game24,enough=1,temperature=1;best_of_n:samples=20,scorer=value_24")
        exact, model = found["results"]
        self.assertEqual((exact["exact_checker"], model["exact_checker"]), (True, False))
        self.assertGreaterEqual(exact["right"], 6)
        self.assertLess(exact["tokens"], model["tokens"])  # the rest is cancelled
        self.assertGreater(exact["cancelled_branches"], 0)

    def test_pass_at_k_is_the_unbiased_one(self):
        kept = self.folder() / "kept.jsonl"
        found = self.eval("--task", "arithmetic", "--limit", "10", "--strategies", "self_consistency:samples=8,stop_when_decided=false", "--resume", kept)
        lines = [json.loads(line) for line in kept.read_text().splitlines()]
        by_samples = found["results"][0]["by_samples"]
        self.assertEqual([b["samples"] for b in by_samples], [1, 2, 4, 8])
        for entry in by_samples:
            k = entry["samples"]
            right = [sum(a[0] for a in line["attempts"]) for line in lines]
            expected = sum(1 - Fraction(comb(8 - c, k), comb(8, k)) for c in right) / 10
            self.assertAlmostEqual(entry["pass_at_k"], float(expected))
        self.assertAlmostEqual(by_samples[-1]["majority"], found["results"][0]["accuracy"])
        self.assertAlmostEqual(by_samples[0]["majority"], by_samples[0]["pass_at_k"])
        # Where samples are cancelled, pass@k would be biased and is left out.
        stopped = self.eval("--task", "arithmetic", "--limit", "10", "--strategies", "self_consistency:samples=8")
        self.assertEqual(stopped["results"][0]["by_samples"], [])

    def test_leaves_of_one_tree_have_no_pass_at_k(self):
        found = self.eval("--limit", "3", "--strategies", "tree_of_thoughts:breadth=1,samples=10,steps=6,scorer=value_24")
        self.assertEqual(found["results"][0]["by_samples"], [])
        self.assertEqual([c["name"] for c in found["curves"] if " of k" in c["name"]], [])

    def test_sums_and_puzzles_in_turn(self):
        kept = self.folder() / "kept.jsonl"
        found = self.eval("--task", "mixed", "--limit", "6", "--strategies", "self_consistency:samples=20,temperature=1", "--resume", kept)
        self.assertEqual([json.loads(line)["id"] for line in kept.read_text().splitlines()], ["sum 0", "900", "sum 1", "901", "sum 2", "902"])
        right = {json.loads(line)["id"]: json.loads(line)["right"] for line in kept.read_text().splitlines()}
        self.assertGreaterEqual(sum(right[f"sum {i}"] for i in range(3)), 2)
        self.assertEqual(sum(right.values()), found["results"][0]["right"])

    def test_one_budget_for_all_questions(self):
        kept = self.folder() / "kept.jsonl"
        arguments = ["--task", "arithmetic", "--limit", "6", "--strategies", "direct", "--share", "60,200", "--resume", kept]
        found = self.eval(*arguments)
        _, little, more = found["results"]
        self.assertEqual([little["strategy"], more["strategy"]], ["share_budget:tokens=60", "share_budget:tokens=200"])
        self.assertLessEqual(little["tokens"], 6 * 60)
        self.assertGreater(more["tokens"], little["tokens"])
        self.assertLessEqual(more["tokens"], 6 * 200)
        samples = [json.loads(line)["samples"] for line in kept.read_text().splitlines()[12:]]
        self.assertGreater(max(samples), min(samples))  # divided questions get more
        self.assertEqual(self.eval(*arguments), found)
        self.refused(2, "eval", "--share", "-5", says=["--share"])

    def test_nothing_is_computed_twice(self):
        kept = self.folder() / "kept.jsonl"
        arguments = ["--task", "arithmetic", "--strategies", "chain_of_thought;self_consistency:samples=3", "--resume", kept]
        self.eval(*arguments, "--limit", "4")
        before = kept.read_text()
        self.assertEqual(len(before.splitlines()), 8)
        whole = self.eval(*arguments, "--limit", "6")
        self.assertTrue(kept.read_text().startswith(before))
        self.assertEqual(len(kept.read_text().splitlines()), 12)
        again = self.eval(*arguments, "--limit", "6")
        self.assertEqual(again, {**whole, "threads": again["threads"]})
        self.assertEqual(len(kept.read_text().splitlines()), 12)
        # A killed run's half line is dropped and its question asked again.
        lines = kept.read_text().splitlines(keepends=True)
        kept.write_text("".join(lines[:-1]) + lines[-1][:40])
        recovered = self.eval(*arguments, "--limit", "6")
        for a, b in zip(recovered["results"], whole["results"]):
            self.assertEqual((a["right"], a["tokens"], a["samples"]), (b["right"], b["tokens"], b["samples"]))
        # Other settings are other results.
        self.eval(*arguments, "--limit", "4", "--seed", "9")
        self.assertEqual(len(kept.read_text().splitlines()), 20)
        kept.write_text("{}\n")
        self.refused(1, "eval", *arguments, says=["kept.jsonl: line 1"])

    def test_curves(self):
        folder = self.folder()
        found = self.eval("--task", "arithmetic", "--limit", "6", "--svg", folder / "curves.svg", "--curves", folder / "curves.json", "--strategies",
                          "self_consistency:samples=2;self_consistency:samples=8;chain_of_thought;best_of_n:samples=2,label=<judged> & chosen")
        curves = json.loads((folder / "curves.json").read_text())
        self.assertEqual(curves, found["curves"])
        self.assertEqual([c["name"] for c in curves if " of k" not in c["name"]], ["self_consistency", "chain_of_thought", "<judged> & chosen"])
        self.assertEqual([p["strategy"] for p in curves[0]["points"]], ["self_consistency:samples=2", "self_consistency:samples=8"])
        drawing = xml.parse(folder / "curves.svg").getroot()
        self.assertTrue(drawing.tag.endswith("svg"))
        circles = drawing.findall(".//{http://www.w3.org/2000/svg}circle")
        self.assertEqual(len(circles), sum(len(c["points"]) for c in curves))

    def test_budgets_hold_for_every_question(self):
        found = self.eval("--task", "arithmetic", "--limit", "5", "--budget", "tokens=20", "--strategies", "self_consistency;self_consistency:budget_tokens=10")
        self.assertLessEqual(found["results"][0]["tokens"], 100)
        self.assertLessEqual(found["results"][1]["tokens"], 50)
        self.assertEqual([r["cut"] for r in found["results"]], [5, 5])

    def test_a_file_of_questions(self):
        path = self.folder() / "mine.jsonl"
        path.write_text('{"question": "calc: 17*3-9", "answer": 42}\n\n{"id": "b", "question": "calc: 36*2+84-7", "answer": "so #### 149"}\n{"question": "calc: 1+1", "answer": "3"}\n')
        found = self.eval("--task", path, "--strategies", "chain_of_thought")
        self.assertEqual((found["task"], found["questions"], found["results"][0]["right"]), ("mine.jsonl", 3, 2))
        for text, says in (('{"question": "x"}\n', ["line 1", "answer"]), ('{"answer": "x"}', ["line 1", "question"]), ("[]", ["questions", "none"]), ("", ["none"]),
                           ('{"question": "x", "answer": "y"}\n{"question": [1], "answer": "y"}\n', ["line 2", "question", "[1]"]), ("5\n", ["line 1", "object"]), ("{\n", ["line 1"])):
            path.write_text(text)
            self.refused(1, "eval", "--task", path, says=["mine.jsonl", *says])

    def test_published_sets_are_read(self):
        for task, file in (("gsm8k", "test_even.jsonl"), ("svamp", "svamp_even.json"), ("math500", "test_even.jsonl")):
            data(f"eval/{task}/{file}")
            # The model that ships cannot write their characters, which is said and no crash.
            result = run("eval", "--task", task, "--limit", "1", "--strategies", "direct:")
            self.assertIn(result.status, (0, 1))
            self.assertNotIn("terminate", result.err)

    def test_command_lines_that_will_not_do(self):
        self.refused(2, "eval", "--task", "chess", says=["chess", "game24", "gsm8k"])
        self.refused(2, "eval", "--strategies", "guess", says=["guess", "tree_of_thoughts"])
        self.refused(2, "eval", "--strategies", ";", says=["--strategies"])
        self.refused(2, "eval", "--strategies", "direct:max_tokens=0", says=["max_tokens", "0"])
        self.refused(2, "eval", "--strategies", "direct:temp=hot", says=["temp", "hot"])
        self.refused(2, "eval", "--first", "100", says=["--first", "100"])
        self.refused(2, "eval", "--svg", self.folder() / "none" / "x.svg", says=["x.svg"])
        self.refused(1, "eval", "--resume", self.folder(), says=["folder"])
        result = run("eval", "--task", "gsm8k", "--limit", "1", environment={"HENCE_TEST_DATA": "/nowhere"})
        self.assertIn(result.status, (0, 1))


class Compare(ToolTest):
    def test_side_by_side(self):
        found = self.json("compare", "-q", "calc: 17*3-9", "--direct", "calc direct: 17*3-9", "--answer", "42", "--strategies", "direct;chain_of_thought;self_consistency:samples=4")
        self.assertEqual([r["strategy"] for r in found["results"]], ["direct", "chain_of_thought", "self_consistency:samples=4"])
        self.assertTrue(found["results"][1]["right"])
        for result in found["results"]:
            alone = self.json("reason", "-q", "calc direct: 17*3-9" if result["strategy"] == "direct" else "calc: 17*3-9", "--strategy", result["strategy"])
            self.assertEqual(result["replay_hash"], alone["replay_hash"])
            self.assertEqual(result["answer"], alone["answer"])
        table = self.ok("compare", "-q", "calc: 17*3-9", "--answer", "42", "--strategies", "chain_of_thought;self_consistency:samples=4", "--texts").out
        self.assertEqual(table.count("\nright "), 2)
        self.assertIn("--- chain_of_thought\n17*3=51", table)

    def test_every_strategy_answers_with_the_model_that_ships(self):
        listed = run("reason", "-q", "x", "--strategy", "none").err
        names = listed[listed.index("one of ") + 7:listed.index(", found")].split(", ")
        self.assertGreaterEqual(len(names), 17)
        small = {"fallback": ":confidence=0.9|direct|chain_of_thought", "mixture": ":direct|chain_of_thought", "monte_carlo_tree_search": ":iterations=4",
                 "deep_confidence": ":samples=6,warmup=3,window=8"}
        found = self.json("compare", "-q", "calc: (23+19)*4-58", "--answer", "110", "--seed", "1", "--strategies", ";".join(n + small.get(n, "") for n in names))
        self.assertEqual(len(found["results"]), len(names))
        for result in found["results"]:
            self.assertTrue(result["found"] and result["why"], result)
            self.assertGreater(result["tokens"], 0)
        self.assertGreater(sum(r["right"] for r in found["results"]), len(names) // 2)


if __name__ == "__main__":
    unittest.main()
