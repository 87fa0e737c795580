"""Memory: what an idle player costs, and what a live duel costs more.

Counted is what is resident and the page tables for it, less the same of a daemon that has room for 16 players: what a
player costs includes what max_connections lets be touched at the start. The players of a duel are looked at in the
middle of its first round, all of them at once.
"""

import contextlib
import select

from bench import Bench, wait_until

PLAYERS, PLAYERS_QUICK = 15000, 2000
ROOM_OF_NOTHING = 16
CONNECTS_PER_S = 1500
THINK_MS = 50000  # Nobody answers before the look.
COME_DEADLINE_S = 60
ASK_EVERY_S = 1
IDLE_AT_MOST, DUEL_AT_MOST = 2560, 2048


class Memory:
    def __init__(self):
        self.bench = Bench("memory", "Memory",
                           "Resident memory and page tables of the daemon, less those of one with max_connections = "
                           f"{ROOM_OF_NOTHING}: of players who are connected and do nothing, and of players who are "
                           "all in a duel.")
        self.players = PLAYERS_QUICK if self.bench.is_quick else PLAYERS

    def of_nobody(self):
        with self.bench.daemon(max_connections=ROOM_OF_NOTHING) as server:
            server.baseline()  # Asked as the others are.
            return {"bytes": server.memory_bytes()}

    def _are_all(self, server, state):
        select.select([], [], [], ASK_EVERY_S)  # It takes the server's time from those who come.
        with contextlib.suppress(OSError):  # While many come, one who asks may have to wait.
            return server.metrics().sum("quizrush_players", state=state) == self.players
        return False

    def _of_players(self, state, **load):
        """Once all are in that state."""
        with self.bench.daemon(max_connections=self.players, match_start_ms=100, round_time_ms=60000) as server:
            process = self.bench.start_load(server, rate=CONNECTS_PER_S, seconds=COME_DEADLINE_S, grace_ms=0, **load)
            try:
                wait_until(lambda: self._are_all(server, state), COME_DEADLINE_S, f"{self.players} players are {state}")
                return {"bytes": server.memory_bytes()}
            finally:
                process.kill()
                process.communicate()

    def of_idle(self):
        return self._of_players("idle", players=0, idle=self.players)

    def of_playing(self):
        return self._of_players("playing", players=self.players, think_min_ms=THINK_MS, think_max_ms=THINK_MS)

    def run(self):
        bench = self.bench
        bench.settings(players=self.players, workers=1)
        samples = bench.alternate({"nobody": self.of_nobody, "idle": self.of_idle, "in duels": self.of_playing})
        nobody, idle, playing = ([sample["bytes"] for sample in samples[side]] for side in samples)
        per_idle = [(full - empty) / self.players for full, empty in zip(idle, nobody)]
        per_duel = [(full - calm) * 2 / self.players for full, calm in zip(playing, idle)]
        bench.claim("user memory of an idle player", per_idle, at_most=IDLE_AT_MOST, unit=" bytes")
        bench.claim("more of it for a live duel", per_duel, at_most=DUEL_AT_MOST, unit=" bytes")
        bench.write()


if __name__ == "__main__":
    Memory().run()
