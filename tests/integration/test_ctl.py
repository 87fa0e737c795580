"""quizrushctl beside a daemon that is in use."""

import asyncio
import json
import os
import subprocess
import tempfile
import unittest
import uuid
from pathlib import Path

from client import Client, pair, play_rest, right_answers, rows
from daemon import QUICK, Daemon

ANSWERS = right_answers()
ROUNDS = 3
RUN_DEADLINE_S = 20
NOBODY = "00000000-0000-7000-8000-000000000000"


def run_ctl(*arguments):
    return subprocess.run(
        [os.environ["QUIZRUSHCTL"], *map(str, arguments)], capture_output=True, text=True, timeout=RUN_DEADLINE_S,
        check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


class Case(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon(**{**QUICK, "match_rounds": ROUNDS}))

    async def run_to_its_end(self, *arguments):
        return await asyncio.to_thread(run_ctl, "--data-dir", self.daemon.settings["data_dir"], *arguments)

    async def ctl(self, *arguments, status=0):
        """Its output; on standard error where it is to fail."""
        done = await self.run_to_its_end(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        if status != 0:
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Aquizrushctl: [^\n]+\n\Z")
        return done.stdout if status == 0 else done.stderr

    async def paired(self, *names):
        """Two who have a match: (clients, match)."""
        clients, matches = await pair(self.daemon, *names)
        for client in clients:
            self.addAsyncCleanup(client.close)
        return clients, matches[0]

    async def play(self, clients, match):
        """The first one wins."""

        def right_for_the_first(client, round_):
            right = round_["choices"].index(ANSWERS[round_["question"]])
            return right if client is clients[0] else (right + 1) % len(round_["choices"])

        end = (await play_rest(clients, match, right_for_the_first))[0]
        self.assertEqual(end["reason"], "finished")
        await asyncio.to_thread(self.daemon.wait_until_stored)

    def id_of(self, name):
        found = rows(self.daemon.database_path, "SELECT player FROM players WHERE name = ?", name)
        return str(uuid.UUID(bytes=found[0]["player"]))


class BackupTest(Case):
    async def test_a_copy_made_during_a_duel_is_whole_and_serves(self):
        first, match = await self.paired("Ada", "Ben")
        await self.play(first, match)
        clients, match = await self.paired("Cyd", "Dee")
        with tempfile.TemporaryDirectory() as directory:
            copies = [Path(directory) / f"{number}" / "quizrush.db" for number in range(3)]
            for copy in copies:
                copy.parent.mkdir()

            async def back_up():
                for copy in copies:
                    await self.ctl("backup", copy)

            made, _ = await asyncio.gather(back_up(), self.play(clients, match))
            for copy in copies:
                self.assertEqual(rows(copy, "PRAGMA integrity_check")[0]["integrity_check"], "ok")
                self.assertIn({"name": "Ada"}, rows(copy, "SELECT name FROM players"))
            with Daemon(**QUICK, data_dir=copies[0].parent) as other:
                again = await Client.greeted(other, "Eve")
                await again.close()

    async def test_what_is_there_is_kept(self):
        copy = Path(self.daemon.directory) / "copy.db"
        copy.write_text("precious")
        self.assertIn("File exists", await self.ctl("backup", copy, status=1))
        self.assertEqual(copy.read_text(), "precious")
        self.assertEqual([path.name for path in copy.parent.glob("copy.db*")], ["copy.db"])


class PlayersTest(Case):
    async def test_boards_places_and_matches_are_told(self):
        clients, match = await self.paired("Ada", "Ben")
        await self.play(clients, match)
        ada = rows(self.daemon.database_path, "SELECT rating_centi FROM players WHERE name = 'Ada'")[0]
        lines = (await self.ctl("top")).splitlines()
        self.assertEqual([line.split()[-1] for line in lines[1:]], ["Ada", "Ben"])
        self.assertEqual(lines[1].split()[:4], ["1", f"{ada['rating_centi'] / 100:.2f}", "1", "1"])
        around = (await self.ctl("around", self.id_of("Ben"), "--beside", "1")).splitlines()
        self.assertRegex(around[2], r"^ +2\* ")
        history = (await self.ctl("history", self.id_of("Ada"))).splitlines()
        self.assertEqual(len(history), 2)
        self.assertIn(match["match"], history[1])
        self.assertIn(" won ", history[1])
        next_page = await self.ctl("history", self.id_of("Ada"), "--before", match["match"])
        self.assertEqual(len(next_page.splitlines()), 1)
        self.assertEqual(len((await self.ctl("top", "--mode", "house")).splitlines()), 1)
        self.assertIn("not on this board", await self.ctl("around", NOBODY, status=1))

    async def test_a_player_is_exported_and_deleted(self):
        clients, match = await self.paired("Ada", "Ben")
        await self.play(clients, match)
        ada = self.id_of("Ada")
        told = json.loads(await self.ctl("export-player", ada))
        self.assertEqual((told["player"]["name"], told["player"]["matches"]), ("Ada", 1))
        self.assertEqual(told["matches"][0]["match"], match["match"])
        self.assertEqual(len(told["matches"][0]["rounds"]), ROUNDS)
        self.assertTrue(all(round_["right"] for round_ in told["matches"][0]["rounds"]))
        self.assertEqual(told["statistics"][0]["right_answers"], ROUNDS)

        await self.ctl("delete-player", ada, status=2)  # Without --yes.
        self.assertEqual(await self.ctl("delete-player", ada, "--yes"), "deleted; 1 matches\n")
        await self.ctl("export-player", ada, status=1)
        self.assertIn("(deleted)", await self.ctl("history", self.id_of("Ben")))
        await clients[0].close()
        again = await Client.connect(self.daemon)
        self.addAsyncCleanup(again.close)
        await again.greet(token=clients[0].welcome["token"])  # One who has never played.
        self.assertEqual(rows(self.daemon.database_path, "SELECT name FROM players"), [{"name": "Ben"}])


class CommandLineTest(unittest.TestCase):
    def refused(self, *arguments, status=2):
        done = run_ctl(*arguments)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        return done.stderr

    def test_help_is_there_for_each_command(self):
        listed = run_ctl("--help")
        self.assertEqual(listed.returncode, 0)
        for name in ("top", "around", "history", "backup", "export-player", "delete-player"):
            self.assertIn(f"  {name}", listed.stdout)
            told = run_ctl(name, "--help")
            self.assertEqual(told.returncode, 0)
            self.assertTrue(told.stdout.startswith(f"Usage: quizrushctl {name}"))
        self.assertRegex(run_ctl("--version").stdout, r"^quizrushctl \d+\.\d+\.\d+\n$")

    def test_what_is_wrong_is_told(self):
        self.assertIn("without a command", self.refused())
        self.assertIn("takes an id", self.refused("history", "../../etc/passwd"))
        self.assertIn("store", self.refused("--store", "mysql://x", "top"))
        self.assertIn("none keeps nothing", self.refused("--store", "none", "top"))
        self.assertIn("nonexistent", self.refused("--config", "/nonexistent", "top"))
        self.assertIn("data_dir", self.refused("--data-dir", "x" * 300, "top"))

    def test_a_store_that_is_not_there_is_not_made(self):
        with tempfile.TemporaryDirectory() as directory:
            for command in (["top"], ["backup", f"{directory}/copy"], ["delete-player", NOBODY, "--yes"]):
                self.assertIn("No such file", self.refused("--data-dir", directory, *command, status=1))
            self.assertEqual(list(Path(directory).iterdir()), [])

    def test_output_that_does_not_arrive_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            command = [os.environ["QUIZRUSHCTL"], "--help"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
