"""What an idle player may cost: resident memory, less that of a daemon with room for 16 players."""

import contextlib
import subprocess
import unittest

from daemon import IS_SANITIZED, Daemon, load_binary

PLAYERS = 3000
ROOM_OF_NOTHING = 16
# 2,560 at 15,000 players (tests/bench/bench_memory.py). What is paid once weighs more here, and chance up to 60 bytes.
BYTES_MAX = 2800
COME_DEADLINE_S = 60


@contextlib.contextmanager
def idle_players(daemon, count):
    load = subprocess.Popen(
        [load_binary(), "--port", str(daemon.port), "--players", "0", "--idle", str(count), "--rate", "1500",
         "--seconds", str(COME_DEADLINE_S)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_players", state="idle") == count,
                                f"{count} players are idle", COME_DEADLINE_S)
        yield
    finally:
        load.kill()
        load.wait()


class MemoryTest(unittest.TestCase):
    @unittest.skipIf(IS_SANITIZED, "a sanitizer's own memory is counted as well")
    def test_an_idle_player_costs_no_more_than_was_promised(self):
        with Daemon(workers=1, max_connections=ROOM_OF_NOTHING) as daemon:
            daemon.baseline()
            without = daemon.resident_bytes()
        with Daemon(workers=1, max_connections=PLAYERS) as daemon, idle_players(daemon, PLAYERS):
            per_player = (daemon.resident_bytes() - without) / PLAYERS
        print(f"{per_player:.0f} bytes for an idle player", flush=True)
        self.assertLess(per_player, BYTES_MAX)


if __name__ == "__main__":
    unittest.main()
