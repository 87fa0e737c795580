"""The power goes at random moments, under load: no result that was told is lost or doubled, whatever of what was not
synced has reached the disk."""

import json
import unittest

from crashes import POWER_SETTINGS, Crashes
from daemon import Daemon
from power import Power

PLAYERS, CUTS = 200, 7


class PowerTest(unittest.TestCase):
    def test_what_was_told_before_the_power_went_is_stored_once(self):
        daemon = Daemon(**POWER_SETTINGS)
        power = Power(daemon, seed=7)
        with daemon:
            crashes = Crashes(PLAYERS, CUTS, up_min_s=0.4, up_max_s=1.2, is_power=True)
            wrongs, figures = crashes.run(daemon, power.cut)
            print(json.dumps(figures))
            self.assertEqual(wrongs, [])


if __name__ == "__main__":
    unittest.main()
