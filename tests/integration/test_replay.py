"""quizrushctl replay: a match as the journal and as the store have it."""

import sqlite3
import unittest
import uuid

from test_ctl import ROUNDS, Case


class ReplayTest(Case):
    async def finished(self):
        clients, match = await self.paired("Ada", "Bob")
        await self.play(clients, match)
        return clients, match["match"]

    def end_of(self, clients):
        return [message for message in clients[0].messages if message["type"] == "end"][-1]

    async def test_a_match_that_runs_is_played_again_from_the_journal(self):
        clients, match = await self.paired("Ada", "Bob")
        round_ = await clients[0].expect("round")
        text = await self.ctl("replay", match["match"])
        self.assertIn("from the journal", text)
        self.assertIn(round_["choices"][0], text)
        self.assertGreaterEqual(text.count("no answer"), 2)  # On a slow machine a later round has begun.

    async def test_every_point_that_was_told_is_recomputed(self):
        clients, match = await self.finished()
        text = await self.ctl("replay", match)
        self.assertEqual(text.count("\nround "), ROUNDS)
        for place, score in enumerate(self.end_of(clients)["scores"]):
            self.assertIn(f"player {place}  score {score}  recomputed {score}  ", text)

    async def test_the_journal_and_the_store_have_the_same_match(self):
        _, match = await self.finished()
        self.daemon.wait_until_stored()
        text = await self.ctl("replay", "--verify", match)
        self.assertIn("from the journal", text)
        self.assertIn("verified: the same as what the rules make of its answers\n", text)
        self.assertIn("verified: the same as the stored result\n", text)

    async def test_without_a_daemon_the_store_is_enough(self):
        _, match = await self.finished()
        self.daemon.wait_until_stored()
        self.daemon.stop()
        self.daemon.start()  # What is over is not in the journal of this run.
        self.daemon.stop()
        text = await self.ctl("replay", "--verify", match)
        self.assertIn("from the store", text)
        self.assertIn("verified", text)

    async def test_a_stored_point_too_many_is_found(self):
        _, match = await self.finished()
        self.daemon.wait_until_stored()
        with sqlite3.connect(self.daemon.database_path) as database:
            database.execute("UPDATE answers SET points = points + 1 WHERE match = ? AND round = 1 AND place = 0",
                             (uuid.UUID(match).bytes,))
        database.close()
        done = await self.run_to_its_end("replay", "--verify", match)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not the same as the stored result: the points of player 0 in round 1", done.stderr)

    async def test_a_match_that_nobody_has_is_an_error(self):
        text = await self.ctl("replay", "00000000-0000-7000-8000-000000000000", status=1)
        self.assertIn("neither the journal nor the store", text)

    async def test_what_is_no_match_is_a_wrong_command_line(self):
        await self.ctl("replay", "x", status=2)
        await self.ctl("replay", status=2)


if __name__ == "__main__":
    unittest.main()
