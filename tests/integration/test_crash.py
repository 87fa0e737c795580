"""kill -9 at random moments, under load: no result that was told is lost or doubled, matches go on where they stood."""

import json
import unittest

from crashes import SETTINGS, Crashes
from daemon import Daemon

PLAYERS, KILLS = 500, 5


class CrashTest(unittest.TestCase):
    def test_what_was_told_before_a_kill_is_stored_once_and_matches_go_on(self):
        with Daemon(**SETTINGS) as daemon:
            wrongs, figures = Crashes(PLAYERS, KILLS, up_min_s=0.3, up_max_s=1.2).run(daemon)
            print(json.dumps(figures))
            self.assertEqual(wrongs, [])
            self.assertGreater(figures["recovered_matches"], KILLS * PLAYERS // 10)


if __name__ == "__main__":
    unittest.main()
