"""docs/client.mjs, the client that docs/protocol.md shows, plays matches, and comes back when it is cut off."""

import asyncio
import json
import os
import unittest
from pathlib import Path

from cutter import Cutter
from daemon import QUICK, Daemon

# Where client.mjs lies beside the packages that it needs.
CLIENT = Path(os.environ.get("QUIZRUSH_NODE_DIR", Path(__file__).parents[2] / "docs")) / "client.mjs"
DEADLINE_S = 40
SETTINGS = {**QUICK, "match_rounds": 4, "match_start_ms": 300, "reveal_time_ms": 700, "reconnect_grace_ms": 8000}


class Program:
    """client.mjs as a process, and the messages that it printed so far."""

    def __init__(self, process):
        self.process = process
        self.messages = []

    @classmethod
    async def start(cls, url, name, matches=1):
        return cls(await asyncio.create_subprocess_exec(
            "node", CLIENT, url, name, str(matches), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE))

    async def until(self, kind, count=1):
        """The `count`-th next message of this kind."""
        while count > 0:
            line = await asyncio.wait_for(self.process.stdout.readline(), DEADLINE_S)
            assert line, f"no {kind}: {await self.process.stderr.read()}"
            self.messages.append(json.loads(line))
            count -= self.messages[-1]["type"] == kind
        return self.messages[-1]

    async def ended(self):
        output, errors = await asyncio.wait_for(self.process.communicate(), DEADLINE_S)
        self.messages += map(json.loads, output.decode().splitlines())
        assert (self.process.returncode, errors.decode()) == (0, "over: played\n"), errors.decode()
        return self

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def of(self, kind):
        return [message for message in self.messages if message["type"] == kind]

    def sequence(self):
        return [message for message in self.messages if "seq" in message]


class ClientTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.daemon = self.enterContext(Daemon(**SETTINGS))
        self.cutter = await self.enterAsyncContext(Cutter(self.daemon))

    async def start(self, name, url=None, **options):
        program = await Program.start(url or self.daemon.url, name, **options)
        self.addAsyncCleanup(program.kill)
        return program

    async def pair(self, **options):
        """Ada, who can be cut off, and Bea."""
        ada = await self.start("Ada", self.cutter.url, **options)
        await ada.until("queued")
        return ada, await self.start("Bea", **options)

    async def assert_played_alike(self, *programs, matches=1):
        """Both ended in order, having seen the same messages, each once and in order, and every round answered."""
        for program in programs:
            await program.ended()
        first, second = (program.sequence() for program in programs)
        self.assertEqual(first, second)
        by_match = {}
        for message in first:
            by_match.setdefault(message["match"], []).append(message)
        self.assertEqual(len(by_match), matches)
        for messages in by_match.values():
            self.assertEqual([message["seq"] for message in messages], list(range(1, len(messages) + 1)))
            self.assertEqual(messages[-1]["type"], "end")
            self.assertEqual(messages[-1]["reason"], "finished")
        for reveal in (message for message in first if message["type"] == "reveal"):
            self.assertNotIn(None, [result["choice"] for result in reveal["results"]], reveal)

    async def test_two_play_a_duel(self):
        ada, bea = await self.pair()
        await self.assert_played_alike(ada, bea)
        self.assertEqual(len(ada.of("welcome")), 1)
        self.assertEqual(ada.of("error"), [])

    async def test_two_play_several_duels(self):
        ada, bea = await self.pair(matches=2)
        await self.assert_played_alike(ada, bea, matches=2)

    async def test_one_who_is_cut_off_in_a_round_comes_back_and_misses_nothing(self):
        ada, bea = await self.pair()
        await ada.until("round", 2)
        self.cutter.cut()
        await self.assert_played_alike(ada, bea)
        match = ada.of("match")[0]["match"]
        self.assertEqual([welcome.get("match") for welcome in ada.of("welcome")], [None, match])
        self.assertEqual([peer["state"] for peer in bea.of("peer")], ["away", "back"])
        self.assertEqual(len(ada.of("clock")), 1)

    async def test_one_who_is_cut_off_again_and_again_comes_back_each_time(self):
        ada, bea = await self.pair()
        await ada.until("match")
        for kind in ("round", "reveal", "round", "accepted"):
            self.cutter.cut()
            await ada.until(kind)
        await self.assert_played_alike(ada, bea)

    async def test_one_who_is_cut_off_in_the_queue_keeps_its_place(self):
        ada = await self.start("Ada", self.cutter.url)
        await ada.until("ticket")
        self.cutter.cut()
        await ada.until("queued")
        self.assertGreaterEqual(ada.messages[-1]["waited_ms"], 1000)
        bea = await self.start("Bea")
        await self.assert_played_alike(ada, bea)

    async def test_replies_to_hello_that_are_lost_lock_nobody_out(self):
        ada, bea = await self.pair()
        await ada.until("round")
        self.cutter.lose_replies(2)
        self.cutter.cut()
        await self.assert_played_alike(ada, bea)
        self.assertEqual(self.cutter.accepted, 4)
        self.assertEqual([welcome["player"] for welcome in ada.of("welcome")], [ada.of("welcome")[0]["player"]] * 2)
        self.assertEqual(ada.of("error"), [])


if __name__ == "__main__":
    unittest.main()
