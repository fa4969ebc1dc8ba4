"""hence reason and hence demo: answers, budgets, exact replay."""

import json
import re
import unittest

from support import ToolTest, data, run, SMOLLM2

QUESTION = ["-q", "calc: 17*3-9"]


class Reason(ToolTest):
    def test_the_first_strategies(self):
        for strategy in ("direct", "chain_of_thought", "self_consistency", "self_consistency:samples=5,temperature=0.9"):
            found = self.json("reason", *QUESTION, "--strategy", strategy)
            for field in ("answer", "text", "usage", "seconds", "replay_hash"):
                self.assertIn(field, found, strategy)
            self.assertEqual(found["answer"], "42", strategy)
            self.assertIn("answer 42", found["text"])
            self.assertGreater(found["usage"]["generated_tokens"], 0)
            self.assertGreater(found["usage"]["forwards"], 0)
        self.assertTrue(self.ok("reason", *QUESTION).out.endswith("answer: 42\n"))

    def test_votes_add_up(self):
        found = self.json("reason", "-q", "calc: 84/7+36*2", "--strategy", "self_consistency:samples=12,stop_when_decided=false")
        self.assertEqual(len(found["candidates"]), 12)
        self.assertEqual(sum(v["count"] for v in found["votes"]), sum(bool(c["answer"]) for c in found["candidates"]))
        self.assertEqual(found["votes"][0]["value"], found["answer"])
        self.assertEqual(sum(c["tokens"] for c in found["candidates"]), found["usage"]["generated_tokens"])

    def test_budgets_are_never_overrun(self):
        for tokens in (0, 1, 50, 200):
            found = self.json("reason", *QUESTION, "--budget", f"tokens={tokens}", "--strategy", "self_consistency:samples=8")
            self.assertLessEqual(found["usage"]["generated_tokens"], tokens)
            self.assertTrue(found["cut"])
        found = self.json("reason", *QUESTION, "--budget", "forwards=5")
        self.assertLessEqual(found["usage"]["forwards"], 6)
        self.assertTrue(self.json("reason", *QUESTION, "--budget", "ms=0")["cut"])
        self.assertFalse(self.json("reason", *QUESTION, "--budget", "tokens=100000,ms=600000,bytes=100000000,forwards=100000")["cut"])

    def test_replay_is_equal_for_any_threads_batch_and_run(self):
        question = ["-q", "24: 4 6 8 8", "--strategy", "self_consistency:samples=12,temperature=1", "--seed", "7"]
        reference = self.json("reason", *question)
        self.assertRegex(reference["replay_hash"], r"^[0-9a-f]{16}$")
        for more in ([], ["--threads", "1"], ["--threads", "2"], ["--batch", "1"], ["--batch", "3", "--threads", "1"], ["--batch", "7"]):
            found = self.json("reason", *question, *more)
            self.assertEqual(found["replay_hash"], reference["replay_hash"], more)
            self.assertEqual(found["candidates"], reference["candidates"], more)
        others = {self.json("reason", *question[:-1], seed)["replay_hash"] for seed in range(3)}
        self.assertEqual(len(others | {reference["replay_hash"]}), 4)

    def test_replay_is_equal_on_every_tier_but_the_consumers_own(self):
        tiers = [t for t in self.json("version")["tiers"] if t != "portable"]
        hashes = {self.json("reason", "-q", "24: 4 6 8 8", "--seed", "7", "--isa", t)["replay_hash"] for t in tiers}
        self.assertEqual(len(hashes), 1)

    def test_where_no_answer_is_found_it_says_why(self):
        found = self.json("reason", *QUESTION, "--extractor", "boxed")
        self.assertEqual((found["answer"], found["found"], found["parse_rate"]), ("", False, 0))
        self.assertTrue(found["why"])

    def test_questions_that_are_no_chat(self):
        self.refused(1, "reason", *QUESTION, "--format", "chat", says=["chat"])

    def test_smollm2_answers_through_its_template(self):
        found = self.json("reason", "-m", data(SMOLLM2), "-q", "What is 2+2?", "--strategy", "self_consistency:samples=4", "-n", "24")
        self.assertEqual(len(found["candidates"]), 4)
        self.assertGreater(found["usage"]["cached_tokens"], 0)


class Traces(ToolTest):
    QUESTION = ["-q", "24: 4 6 8 8", "--strategy", "tree_of_thoughts:breadth=2,samples=4,steps=5,scorer=value_24", "--seed", "3"]

    def record(self, name, *more):
        path = self.folder() / name
        return path, self.json("reason", *(more or self.QUESTION), "--trace", path)

    def test_a_trace_holds_the_tree_and_replays_to_the_same_hash(self):
        path, answer = self.record("run.json")
        recorded = json.loads(path.read_text())
        self.assertEqual(recorded["replay_hash"], answer["replay_hash"])
        self.assertEqual(recorded["nodes"][0], {**recorded["nodes"][0], "kind": "question", "parent": None, "chosen": True})
        self.assertTrue(all(n["parent"] < i for i, n in enumerate(recorded["nodes"]) if i))
        self.assertGreater(sum(n["score"] is not None for n in recorded["nodes"]), 4)
        for more in ([], ["--threads", "1"], ["--batch", "3"]):
            found = self.json("reason", "--replay", path, *more)
            self.assertTrue(found["same"], more)
            self.assertEqual(found["replay_hash"], answer["replay_hash"])
        self.assertIn(answer["replay_hash"], self.ok("reason", "--replay", path).out)

    def test_settings_are_part_of_the_record(self):
        path, answer = self.record("run.json", "-q", "calc: 84/7+36*2", "--strategy", "chain_of_thought", "--temp", "0.9", "--top-k", "20", "--seed", "5",
                                   "-n", "40", "--stop", "answer", "--extractor", "last_number", "--budget", "tokens=30", "--format", "line")
        found = self.json("reason", "--replay", path)
        self.assertEqual((found["same"], found["answer"]), (True, answer["answer"]))

    def test_what_a_deadline_cut_replays_without_the_clock(self):
        cut = 0
        for milliseconds in (0, 1, 3, 6, 12, 25):
            path, answer = self.record("run.json", *self.QUESTION, "--budget", f"ms={milliseconds}")
            cut += answer["cut"]
            for more in ([], ["--threads", "1", "--batch", "2"]):
                self.assertTrue(self.json("reason", "--replay", path, *more)["same"], (milliseconds, more))
        self.assertGreater(cut, 1)

    def test_another_run_says_where_it_departs(self):
        path, _ = self.record("run.json")
        recorded = json.loads(path.read_text())
        recorded["seed"] = 4
        path.write_text(json.dumps(recorded))
        result = run("reason", "--replay", path)
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertRegex(result.err, r"departs from .*run\.json.*: (node|after node) \d+")
        recorded["seed"] = 3
        recorded["nodes"][2]["text"] = "1+1=3"
        recorded["replay_hash"] = "0" * 16
        path.write_text(json.dumps(recorded))
        self.assertIn("node 2 (step): text differs from byte 0", run("reason", "--replay", path).err)

    def test_pages_and_graphs(self):
        page, _ = self.record("run.html")
        self.assertTrue(page.read_text().startswith("<!doctype html>"))
        graph, _ = self.record("run.dot")
        self.assertTrue(graph.read_text().startswith("digraph"))

    def test_names_and_files_that_will_not_do(self):
        self.refused(2, "reason", *self.QUESTION, "--trace", "run.txt", says=["--trace", ".html", "run.txt"])
        self.refused(1, "reason", *self.QUESTION, "--trace", self.folder() / "none" / "run.json", says=["run.json"])
        self.refused(1, "reason", "--replay", "absent.json", says=["absent.json"])
        self.refused(2, "reason", *self.QUESTION, "--replay", "absent.json", says=["--replay"])
        bad = self.folder() / "bad.json"
        bad.write_text('{"format": "hence trace 9"}')
        self.refused(1, "reason", "--replay", bad, says=["bad.json.format", "hence trace 9"])


class Demo(ToolTest):
    def test_it_shows_three_ways_and_their_totals(self):
        out = self.ok("demo", "--puzzles", "0").out
        totals = re.findall(r"^  (direct|chain of thought|self-consistency) +(\d+) of (\d+) right +(\d+) tokens", out, re.M)
        self.assertEqual([t[0] for t in totals], ["direct", "chain of thought", "self-consistency"])
        asked = int(totals[0][2])
        judged = {name: re.findall(rf"^  {name} .* (right|wrong) +(\d+) tokens +\d+\.\d+ s$", out, re.M) for name, *_ in totals}
        for name, right, of, tokens in totals:
            self.assertEqual(len(judged[name]), asked)
            self.assertEqual(sum(verdict == "right" for verdict, _ in judged[name]), int(right))
            self.assertEqual(sum(int(count) for _, count in judged[name]), int(tokens))
        # The point of it all: thinking before answering.
        self.assertGreater(int(totals[1][1]), int(totals[0][1]))
        self.assertGreater(int(totals[2][1]), int(totals[0][1]))
        self.assertNotIn("\x1b", out)

    def test_it_plays_the_game_of_24(self):
        out = self.ok("demo", "--puzzles", "4", "--seconds", "3600").out
        lines = re.findall(r"^  [\d ]+  ((?: [x.]){8})$", out, re.M)
        self.assertEqual(len(lines), 4)
        table = re.findall(r"^  (\S.*?)  +.* (\d+) of +4 +(\d+) +\d+\.\d+ ", out, re.M)
        self.assertEqual([title for title, *_ in table], ["direct", "chain of thought", "self-consistency, 100 samples", "any of the same 100", "budget forcing, 230 tokens",
                                                         "Monte Carlo tree search", "tree of thoughts, b = 1", "tree of thoughts, b = 5"])
        for place, (_, solved, _) in enumerate(table):
            self.assertEqual(sum(line.split()[place] == "x" for line in lines), int(solved))
        self.assertGreater(int(table[6][1]), int(table[0][1]))  # search beats the answer at once


if __name__ == "__main__":
    unittest.main()
