"""A storm of lost connections: players who drop out of their duels at random and come back, by quizrush-load."""

import dataclasses
import json
import subprocess

from daemon import LOOPBACK, PATIENCE, load_binary

GRACE_S = 90  # For matches that run when the time is over.
START_S = 30
# A connection that was taken over is there twice for a moment; some more for tests that ask.
CONNECTIONS_BESIDE = 136


@dataclasses.dataclass
class Storm:
    players: int
    seconds: int
    drop_every_ms: int
    back_within_ms: int
    think_min_ms: int
    think_max_ms: int
    drop_all_every_ms: int = 0
    drop_reveal: int = 0

    def connections_max(self):
        return 2 * self.players + CONNECTIONS_BESIDE

    def run(self, port):
        """The finished quizrush-load; its figures are JSON on standard output."""
        options = {
            "host": LOOPBACK, "port": port, "players": self.players, "seconds": self.seconds,
            "rate": max(200, self.players // 4), "think-min-ms": self.think_min_ms,
            "think-max-ms": self.think_max_ms, "drop-every-ms": self.drop_every_ms,
            "back-within-ms": self.back_within_ms, "drop-all-every-ms": self.drop_all_every_ms,
            "drop-reveal": self.drop_reveal, "grace-ms": GRACE_S * 1000,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        return subprocess.run(
            [load_binary(), *arguments, "--json"], stdout=subprocess.PIPE, text=True,
            timeout=self.seconds + (GRACE_S + START_S) * PATIENCE, check=False,
        )

    def find_wrongs(self, result):
        """What went wrong, in words, and the figures; no words: nothing did."""
        if not result.stdout:
            return [f"quizrush-load ended with {result.returncode} and printed nothing"], {}
        figures = json.loads(result.stdout)
        # A match that is cancelled before its first round is one that somebody left when the time was over.
        must_be_zero = [
            "violations", "errors", "matches_lost", "places_lost", "forfeits", "cancelled_in_play", "seq_gaps",
            "twins_different", "twins_late",
        ]
        wrongs = [f"{name}: {figures[name]}" for name in must_be_zero if figures[name] != 0]
        if figures["taken_over"] != figures["takeovers"]:
            wrongs.append(f"{figures['takeovers']} connections were taken over, {figures['taken_over']} closed with 4509")
        if figures["matches_min"] == 0:
            wrongs.append("a player finished no match")
        # A storm that blew past the matches proves nothing.
        if figures["resumed_matches"] < self.players:
            wrongs.append(f"only {figures['resumed_matches']} returns to a match, of {self.players} players")
        for name in ("replayed", "clocks", "receipts_again", "twins_same"):
            if figures[name] == 0:
                wrongs.append(f"{name}: none")
        return wrongs, figures
