"""Two hundred players at once, every message held against the protocol by quizrush-load."""

import json
import subprocess
import unittest

from daemon import LOOPBACK, PATIENCE, QUICK, Daemon, load_binary

PLAYERS = 200
SECONDS = 10
DEADLINE_S = 60 * PATIENCE


class LoadTest(unittest.TestCase):
    def test_two_hundred_players_play_by_the_protocol(self):
        settings = {**QUICK, "log_level": "info", "round_time_ms": 1000, "reveal_time_ms": 100}
        with Daemon(**settings) as daemon:
            before = daemon.baseline()
            result = subprocess.run(
                [load_binary(), "--host", LOOPBACK, "--port", str(daemon.port), "--players", str(PLAYERS),
                 "--seconds", str(SECONDS), "--rate", "400", "--think-min-ms", "50", "--think-max-ms", "1100",
                 "--json"],
                capture_output=True, text=True, timeout=DEADLINE_S, check=False,
            )
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            figures = json.loads(result.stdout)
            print(result.stdout.strip())
            self.assertEqual((figures["violations"], figures["errors"]), (0, 0))
            self.assertEqual((figures["opened"], figures["closed"]), (PLAYERS, PLAYERS))
            self.assertGreaterEqual(figures["matches_min"], 2)
            self.assertGreater(figures["twins_same"], figures["ends"]["finished"])
            self.assertEqual(figures["twins_different"], 0)
            self.assertGreater(figures["dups"], 0)
            daemon.wait_for_metrics(lambda metrics: metrics.in_use() == before, f"everything is given back: {before}")


if __name__ == "__main__":
    unittest.main()
