"""Two hundred players whose connections keep breaking: no match is lost, and nobody misses a message."""

import unittest

from daemon import QUICK, Daemon
from storm import Storm

# A duel takes about 8 s, so that each player drops out of it several times.
SETTINGS = {
    **QUICK,
    "log_level": "info",
    "match_rounds": 4,
    "round_time_ms": 2000,
    "reveal_time_ms": 300,
    "reconnect_grace_ms": 10000,
    "ended_keep_ms": 10000,
}
STORM = Storm(
    players=200, seconds=20, drop_every_ms=3000, back_within_ms=1500, think_min_ms=200, think_max_ms=1900
)


class ResumeStormTest(unittest.TestCase):
    def test_who_comes_back_in_time_has_missed_nothing(self):
        with Daemon(**SETTINGS, max_connections=STORM.connections_max()) as daemon:
            before = daemon.baseline()
            result = STORM.run(daemon.port)
            wrongs, figures = STORM.find_wrongs(result)
            print(figures)
            self.assertEqual(wrongs, [])
            self.assertEqual(result.returncode, 0)
            daemon.wait_for_metrics(
                lambda metrics: metrics.in_use() == before, f"everything is given back: {before}", deadline_s=30
            )


if __name__ == "__main__":
    unittest.main()
