"""A duel in a real browser, against a daemon of its own."""

import os
import subprocess
import unittest
from pathlib import Path

from daemon import ROOT, Daemon

SCRIPT = ROOT / "tests" / "browser" / "duel.mjs"
DEADLINE_S = 150


class BrowserTest(unittest.TestCase):
    def test_two_pages_play_a_duel(self):
        out = Path(os.environ["QUIZRUSH_OUT"])
        out.mkdir(parents=True, exist_ok=True)
        with Daemon(workers=2, match_rounds=3, match_start_ms=1500, round_time_ms=5000, reveal_time_ms=1500) as daemon:
            environment = {**os.environ, "QUIZRUSH_URL": daemon.page_url, "QUIZRUSH_OUT": str(out)}
            result = subprocess.run(["node", SCRIPT], env=environment, timeout=DEADLINE_S, check=False)
            self.assertEqual(result.returncode, 0)


if __name__ == "__main__":
    unittest.main()
