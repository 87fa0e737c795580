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


    def test_honest_players_feel_nothing_of_the_slow_and_of_garbage(self):
        settings = {**QUICK, "log_level": "info", "round_time_ms": 1000, "reveal_time_ms": 100}
        with Daemon(**settings) as daemon:
            before = daemon.baseline()
            # A flood that the server has stopped reading is closed after 5 s.
            result = subprocess.run(
                [load_binary(), "--host", LOOPBACK, "--port", str(daemon.port), "--players", "30",
                 "--slow", "20", "--garbage", "20", "--back-within-ms", "200", "--seconds", "8",
                 "--think-min-ms", "50", "--think-max-ms", "500", "--json"],
                capture_output=True, text=True, timeout=DEADLINE_S, check=False,
            )
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            figures = json.loads(result.stdout)
            self.assertEqual((figures["violations"], figures["errors"]), (0, 0))
            self.assertEqual(figures["closed"], 30 - figures["slow"] - figures["garbage"])
            self.assertGreaterEqual(figures["matches_min"], 1)
            self.assertGreater(figures["slow"], 0)
            # No JSON, what is no text, and a type that nobody knows, each met by its limit.
            self.assertGreater(figures["rough_errors"]["bad_json"], 0)
            self.assertGreater(figures["rough_errors"]["unknown_type"], 0)
            self.assertEqual(list(figures["rough_closes"]), ["4008"])
            # Who was thrown out has come back.
            self.assertGreater(figures["rough_opened"], figures["slow"] + figures["garbage"])
            daemon.wait_for_metrics(lambda metrics: metrics.in_use() == before, f"everything is given back: {before}")


if __name__ == "__main__":
    unittest.main()
