"""Players in a real browser, against a daemon of their own."""

import os
import subprocess
import unittest
from pathlib import Path

from daemon import ROOT, Daemon

SCRIPTS = ROOT / "tests" / "browser"
DEADLINE_S = 150


class BrowserTest(unittest.TestCase):
    def run_script(self, name, **settings):
        out = Path(os.environ["QUIZRUSH_OUT"]) / name
        out.mkdir(parents=True, exist_ok=True)
        with Daemon(workers=2, **settings) as daemon:
            environment = {**os.environ, "QUIZRUSH_URL": daemon.page_url, "QUIZRUSH_OUT": str(out)}
            result = subprocess.run(
                ["node", SCRIPTS / f"{name}.mjs"], env=environment, timeout=DEADLINE_S, check=False
            )
            self.assertEqual(result.returncode, 0)

    def test_two_pages_play_a_duel(self):
        self.run_script("duel", match_rounds=3, match_start_ms=1500, round_time_ms=5000, reveal_time_ms=1500)

    def test_of_two_tabs_the_newer_one_plays_and_a_reload_goes_on(self):
        self.run_script("tabs", match_rounds=2, match_start_ms=500, round_time_ms=20000, reveal_time_ms=500,
                        rematch_ms=3000)


if __name__ == "__main__":
    unittest.main()
