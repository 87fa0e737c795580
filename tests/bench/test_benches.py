"""The benches run, write figures of one form, and a report is made from them. No figure is judged."""

import json
import os
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["QUIZRUSH_BUILD"])
CHOSEN = ("matchmaker", "ping")
DEADLINE_S = 120


class BenchesTest(unittest.TestCase):
    def test_quick_benches_write_their_figures_and_a_report(self):
        command = [ROOT / "scripts" / "bench", "--quick", "--build", BUILD]
        for name in CHOSEN:
            command += ["--only", name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for name in CHOSEN:
            report = json.loads((BUILD / "bench" / f"{name}.json").read_text())
            self.assertEqual((report["name"], report["is_quick"], report["runs"]), (name, True, 1))
            self.assertTrue(report["title"] and report["text"] and report["samples"])
            for ratio in report["ratios"]:
                self.assertGreater(ratio["median"], 0)
                self.assertLessEqual(ratio["min"], ratio["max"])
            self.assertTrue(report["ratios"])
        text = (BUILD / "bench" / "benchmarks.md").read_text()
        self.assertIn("## A ping and its pong", text)
        self.assertIn("| CPU of a ping and its pong, daemon / raw echo |", text)


if __name__ == "__main__":
    unittest.main()
