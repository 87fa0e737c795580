"""Three hundred players on four shards, for ThreadSanitizer: most matches have their players, and themselves, on
different shards; connections are lost one by one, at reveals, and all at once; who comes back comes to another shard.

Any build may run it. scripts/test has the build with ThreadSanitizer run it, and a report of that fails it (daemon.py).
"""

import os
import unittest

from daemon import QUICK, Daemon
from storm import Storm

WORKERS = 4
SECONDS = int(os.environ.get("QUIZRUSH_RACES_S", "10"))
# A revealed round stays for longer than anybody is away, so that who loses its connection with the reveal is back before
# the next round.
SETTINGS = {
    **QUICK,
    "workers": WORKERS,
    "log_level": "info",
    "match_rounds": 4,
    "round_time_ms": 1500,
    "reveal_time_ms": 400,
    "reconnect_grace_ms": 10000,
    "ended_keep_ms": 10000,
}
STORM = Storm(
    players=300, seconds=SECONDS, drop_every_ms=4000, drop_reveal=15, drop_all_every_ms=2500, back_within_ms=300,
    think_min_ms=50, think_max_ms=1400,
)


class RacesTest(unittest.TestCase):
    def test_who_is_thrown_about_between_shards_misses_nothing(self):
        with Daemon(**SETTINGS, max_connections=STORM.connections_max()) as daemon:
            before = daemon.baseline()
            result = STORM.run(daemon.port)
            wrongs, figures = STORM.find_wrongs(result)
            print(figures)
            self.assertEqual(wrongs, [])
            self.assertEqual(result.returncode, 0)
            metrics = daemon.wait_for_metrics(
                lambda metrics: metrics.in_use() == before, f"everything is given back: {before}", deadline_s=30
            )
            messages = metrics.values("quizrush_messages_in_total")
            self.assertEqual(len(messages), WORKERS)
            self.assertGreater(min(messages), sum(messages) / 10, "each shard has had its part")


if __name__ == "__main__":
    unittest.main()
