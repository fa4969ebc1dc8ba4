"""What the tests of the tool `hence` share: where the tool and the data are, and how it is run.

The programs are named by HENCE_TOOL and HENCE_CONVERT (CMake sets them; the defaults are those of ./run build).
Data is looked up as tests/support/test_data.hpp does: $HENCE_TEST_DATA, ../shared/data, the repository's own copies.
Absent data skips a test; under CI=true it fails it.
"""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = os.environ.get("HENCE_TOOL", str(ROOT / "build/bin/hence"))
CONVERT = os.environ.get("HENCE_CONVERT", str(ROOT / "build/examples/convert_llama2c"))
SHIPPED = ROOT / "examples/models/tiny-reasoner/tiny-reasoner-q8_0.gguf"
SMOLLM2 = "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"


def data(relative):
    """The path of a data file; leaves the test where it is absent."""
    places = [ROOT / ".." / "shared" / "data", ROOT / "tests", ROOT / "examples"]
    if os.environ.get("HENCE_TEST_DATA"):
        places.insert(0, Path(os.environ["HENCE_TEST_DATA"]))
    for place in places:
        if (place / relative).exists():
            return str((place / relative).resolve())
    if os.environ.get("CI") == "true":
        raise AssertionError(f"CI needs the data file {relative}")
    raise unittest.SkipTest(f"no data file {relative} (set HENCE_TEST_DATA to its folder)")


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\n--- stdout\n{self.out[:2000]}\n--- stderr\n{self.err[:2000]}"


def run(*arguments, text="", environment=None, timeout=300, tool=None):
    """Runs the tool with a pipe at each end."""
    done = subprocess.run([tool or TOOL, *map(str, arguments)], input=text.encode(), capture_output=True, timeout=timeout,
                          env={**os.environ, **(environment or {})})
    return Result(done.returncode, done.stdout.decode("utf-8", "strict"), done.stderr.decode("utf-8", "strict"))


class ToolTest(unittest.TestCase):
    maxDiff = 2000

    def ok(self, *arguments, **how):
        """It succeeds and has nothing to say beside its output."""
        result = run(*arguments, **how)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err, "", result)
        return result

    def json(self, *arguments, **how):
        return json.loads(self.ok(*arguments, "--json", **how).out)

    def refused(self, status, *arguments, says=(), **how):
        """It fails with this status, says why on standard error, and prints nothing."""
        result = run(*arguments, **how)
        self.assertEqual(result.status, status, result)
        self.assertEqual(result.out, "", result)
        self.assertTrue(result.err.startswith("hence: "), result)
        self.assertNotIn("terminate called", result.err)
        for part in says:
            self.assertIn(part, result.err)
        return result

    def folder(self):
        made = tempfile.TemporaryDirectory(prefix="hence-cli-")
        self.addCleanup(made.cleanup)
        return Path(made.name)
