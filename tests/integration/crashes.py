"""A server that dies again and again under players who come back to it: what they were told is what it has stored."""

import contextlib
import dataclasses
import json
import random
import re
import select
import sqlite3
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from daemon import LOOPBACK, PATIENCE, load_binary

START_S = 0.3  # From a crash to the next start.
GRACE_S = 60  # For matches that run when the time is over.
# A match takes two or three seconds, so that most are caught by a crash, and few by more than the four that it survives.
SETTINGS = {
    "workers": 2,
    "match_rounds": 3,
    "match_start_ms": 200,
    "round_time_ms": 1500,
    "reveal_time_ms": 200,
    "reconnect_grace_ms": 10000,
    "journal_segment_mb": 1,
    "max_connections": 2000,
    "log_level": "debug",  # It says which matches were cancelled.
}
THINK_MIN_MS, THINK_MAX_MS = 100, 1300
# Of what is taken back nothing ends, and only what has ended can be lost: shorter yet.
POWER_SETTINGS = {**SETTINGS, "match_rounds": 1, "match_start_ms": 50, "round_time_ms": 700, "reveal_time_ms": 50}
POWER_THINK_MAX_MS = 500


@dataclasses.dataclass
class Crashes:
    players: int
    kills: int
    up_min_s: float
    up_max_s: float
    seed: int = 1
    is_power: bool = False  # Then what is told in a match may be taken back, up to its end.

    def run(self, daemon, crash=None):
        """Plays, crashes, waits for the end; returns what went wrong, in words, and figures."""
        crash = crash or daemon.crash
        # With matches so short more is started than is counted: the players stop when the last crash is over.
        with tempfile.TemporaryDirectory(prefix="quizrush-told-") as directory:
            told_path = Path(directory) / "told"
            with self._play(daemon.port, told_path) as load:
                self.starts_ms = self.meanwhile(daemon, load, crash)
                output, errors = load.communicate(timeout=(self.seconds() + GRACE_S) * PATIENCE)
            self.figures = json.loads(output) if output else {}
            told = [json.loads(line) for line in told_path.read_text().splitlines()]
        daemon.wait_until_stored()
        return self._compare(daemon, load.returncode, told, errors)

    def meanwhile(self, daemon, load, crash):
        """While they play."""
        chance = random.Random(self.seed)
        return [self._one(daemon, crash, chance, load) for _ in range(self.kills)]

    def seconds(self):
        return int(self.kills * (self.up_max_s + START_S) + 1)

    def _play(self, port, told_path):
        options = {
            "host": LOOPBACK, "port": port, "players": self.players, "seconds": self.seconds(),
            "rate": self.players, "think-min-ms": THINK_MIN_MS, "think-max-ms": POWER_THINK_MAX_MS if self.is_power else THINK_MAX_MS,
            "grace-ms": GRACE_S * 1000, "seed": self.seed, "told": told_path,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        return subprocess.Popen([load_binary(), *arguments, "--server-may-die", "--json"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def _one(self, daemon, crash, chance, load):
        """How long the next start took, in milliseconds."""
        select.select([], [], [], chance.uniform(self.up_min_s, self.up_max_s))  # The moment is the test's choice.
        assert load.poll() is None, f"the players have ended:\n{load.communicate()[1]}"
        crash()
        began = time.monotonic()
        daemon.start_again()
        return int((time.monotonic() - began) * 1000)

    # --- What was told against what is stored. ---

    def _compare(self, daemon, status, told, errors):
        stored = self._stored(daemon)
        ends = {}
        wrongs = []
        for message in told:
            if message.get("type") == "end" and message["reason"] in ("finished", "forfeit"):
                wrongs += self._wrongs_of(message, stored, ends)
        lost = {message["lost"] for message in told if "lost" in message}
        log = daemon.log()
        cancelled = set(re.findall(r"event=match_ended \S+ match=(\S+) reason=cancelled", log))
        if not self.is_power:
            wrongs += [f"match {match} is unknown to its player, and has neither a result nor was cancelled"
                       for match in sorted(lost - stored.keys() - cancelled)]
            if status != 0:
                wrongs.append(f"quizrush-load ended with {status}:\n{errors}")
            zeros = ("violations", "errors", "seq_gaps", "twins_different")
            wrongs += [f"{name}: {self.figures.get(name)}" for name in zeros if self.figures.get(name) != 0]
        if "journal_corrupt" in log or "match_not_recovered" in log:
            wrongs.append("the journal was corrupt, or a match did not come back:\n" + "\n".join(
                line for line in log.splitlines() if "corrupt" in line or "not_recovered" in line)[:2000])
        recovered = [int(live) for live in re.findall(r"event=recovered live=(\d+)", log)]
        figures = {
            "kills": self.kills, "recovered_matches": sum(recovered), "told_results": len(ends),
            "stored_results": len(stored), "lost_ends": len(lost), "resumed": self.figures.get("resumed_matches"),
            "cancelled": len(cancelled), "finished_seen": self.figures.get("ends", {}).get("finished"),
            "forfeits_seen": self.figures.get("ends", {}).get("forfeit"),
            "start_ms_max": max(self.starts_ms, default=0), "torn": log.count("journal_torn"),
            "taken_back": self.figures.get("taken_back"),
        }
        if not ends or (self.kills and not sum(recovered)):
            wrongs.append("nothing was told, or no match was caught by a crash: this proves nothing")
        return wrongs, figures

    @staticmethod
    def _stored(daemon):
        """The results by match: the two players' rows in order."""
        found = {}
        query = ("SELECT matches.match, reason, winner, place, score, rating_before, rating_after, rated FROM matches"
                 " JOIN match_players USING (match) ORDER BY matches.match, place")
        with contextlib.closing(sqlite3.connect(f"file:{daemon.database_path}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            for row in database.execute(query):
                found.setdefault(str(uuid.UUID(bytes=row["match"])), []).append(dict(row))
        return found

    def _wrongs_of(self, message, stored, ends):
        match = message["match"]
        # Told again after a power cut it may have another `seq`: what was told between was not synced.
        end = {**message, "seq": 0} if self.is_power else message
        if match in ends and ends[match] != end:
            return [f"match {match} has two ends: {ends[match]}, {message}"]
        ends[match] = end
        sides = stored.get(match, [])
        if len(sides) != 2:
            return [f"match {match} was told to have ended, and is stored with {len(sides)} players: {message}"]
        as_stored = ([side["score"] for side in sides], sides[0]["reason"], sides[0]["winner"])
        if as_stored != (message["scores"], message["reason"], message["winner"]):
            return [f"match {match} is stored as {as_stored}, and was told as {message}"]
        if message["ratings"] is not None:
            ratings = [{"before": (side["rating_before"] + 50) // 100, "after": (side["rating_after"] + 50) // 100}
                       for side in sides]
            if ratings != message["ratings"]:
                return [f"match {match} is stored with {ratings}: {message}"]
        return []
