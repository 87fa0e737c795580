"""A database that takes nothing, and then a journal that has no room left: no match begins, nothing that was told is
lost, and all of it is stored when the database takes it again."""

import asyncio
import contextlib
import json
import sqlite3
import unittest

from client import Client, time_passes
from crashes import SETTINGS, Crashes
from daemon import QUESTIONS, Daemon

PLAYERS = 400
# One worker and three megabytes, and questions as long as they may be: a second or two of matches.
SMALL = {**SETTINGS, "workers": 1, "match_rounds": 2, "match_start_ms": 0, "round_time_ms": 600, "reveal_time_ms": 0,
         "journal_max_mb": 3, "reconnect_grace_ms": 2000}


def long_questions(path):
    """The shipped bank with texts of as many bytes as there may be."""
    bank = json.loads(QUESTIONS.read_text())
    for number, question in enumerate(bank["results"]):
        question["question"] = f"{number:03} ".ljust(300, "\U0001f600")
    path.write_text(json.dumps(bank))
    return path


class Blocked(Crashes):
    """The database's write lock is held until the journal is full and some have heard so."""

    def meanwhile(self, daemon, load, crash):
        with contextlib.closing(sqlite3.connect(daemon.database_path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            daemon.wait_for_metrics(
                lambda metrics: metrics.sum("quizrush_journal_refused_total") > 0
                and metrics.sum("quizrush_journal_full") == 1, "the journal is full", 60)
            self.when_full(daemon)
            self.full = daemon.metrics()
            database.execute("ROLLBACK")
        daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_journal_full") == 0, "there is room again", 60)
        return []

    def seconds(self):
        return 8


class JournalFullTest(unittest.TestCase):
    def test_without_room_nothing_told_is_lost_and_no_match_begins(self):
        daemon = Daemon(**SMALL)
        daemon.settings["questions"] = long_questions(daemon.directory / "long.json")
        with daemon:
            blocked = Blocked(PLAYERS, kills=0, up_min_s=0, up_max_s=0)
            blocked.when_full = self.refused
            wrongs, figures = blocked.run(daemon)
            print(json.dumps(figures), int(blocked.full.sum("quizrush_journal_results_waiting")), "waited")
            self.assertEqual(wrongs, [])
            self.assertGreater(blocked.full.sum("quizrush_journal_results_waiting"), 100)
            self.assertEqual(blocked.full.sum("quizrush_journal_bytes"), 3 << 20)
            self.assertGreater(blocked.figures["refusals"].get("unavailable", 0), 0)
            log = daemon.log()
            self.assertRegex(log, r"event=journal_full path=\S+ bytes=3145728")
            self.assertIn("event=journal_has_room", log)

    def refused(self, daemon):
        """Who comes now hears why."""
        async def joins():
            client = await Client.greeted(daemon, "Late")
            reply = await client.ask("join", mode="duel")
            while reply["type"] == "queued":  # A match has just ended, and left what was kept for it.
                await client.ask("leave")
                await time_passes(1000)
                reply = await client.ask("join", mode="duel")
            self.assertEqual(reply["code"], "unavailable")
            self.assertRegex(reply["message"], "journal")
            self.assertGreater(reply["retry_ms"], 0)
            await client.close()

        asyncio.run(asyncio.wait_for(joins(), 20))


if __name__ == "__main__":
    unittest.main()
