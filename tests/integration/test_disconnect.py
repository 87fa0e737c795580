"""Players who go: what the other is told, who wins, and that nothing of them is left."""

import asyncio
import sys
import time
import unittest
from pathlib import Path

from client import Client, pair, play_rest
from daemon import PATIENCE, QUICK, Daemon

GRACE_MS = 700
AT_ONCE_S = 0.5  # Of a notice that goes out in the iteration that saw its cause; the rest is for a busy machine.
LONE_PLAYER = Path(__file__).with_name("lone_player.py")
DEADLINE_S = 10 * PATIENCE


class LonePlayer:
    """A client process that can be killed as the kernel kills one: no close frame, no goodbye."""

    def __init__(self, process):
        self.process = process

    @classmethod
    async def start(cls, daemon, name):
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, LONE_PLAYER, daemon.url, name, stdout=asyncio.subprocess.PIPE
            )
        )

    async def wait_for(self, type_):
        """Until it got a message of this type."""
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), DEADLINE_S)
            assert line, f"the player ended before it got {type_}"
            if line.decode().strip() == type_:
                return

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class DisconnectTest(unittest.IsolatedAsyncioTestCase):
    def start(self, **settings):
        self.daemon = self.enterContext(Daemon(**{**QUICK, "reconnect_grace_ms": GRACE_MS, **settings}))
        self.before = self.daemon.baseline()
        return self.daemon

    async def greeted(self, name):
        client = await Client.greeted(self.daemon, name)
        self.addAsyncCleanup(client.close)
        return client

    async def pair(self):
        clients, matches = await pair(self.daemon, "Ada", "Bob")
        for client in clients:
            self.addAsyncCleanup(client.close)
        return clients, matches[0]

    async def metrics_when(self, condition, what):
        """In a thread of its own: the connections go on meanwhile."""
        return await asyncio.to_thread(self.daemon.wait_for_metrics, condition, what)

    async def assert_nothing_is_left(self, *clients):
        """All counters of timers, tokens, slots and players are what they were before anybody came."""
        for client in clients:
            await client.close()
        await self.metrics_when(
            lambda metrics: metrics.in_use() == self.before, f"everything is given back: {self.before}"
        )

    # --- Killed, or cut off. ---

    async def test_a_killed_player_is_away_at_once_and_gone_after_the_grace(self):
        self.start()
        bob = await LonePlayer.start(self.daemon, "Bob")
        self.addAsyncCleanup(bob.kill)
        await bob.wait_for("queued")
        ada = await self.greeted("Ada")
        await ada.join()
        match = await ada.expect("match")
        await bob.wait_for("round")
        await ada.expect("round", round=1)

        killed_at = time.monotonic()
        await bob.kill()
        away = await ada.expect("peer", state="away", player=1 - ada.place_in(match))
        self.assertEqual(away["grace_ms"], GRACE_MS)
        self.assertLess(time.monotonic() - killed_at, AT_ONCE_S)

        await ada.expect("peer", state="gone", player=1 - ada.place_in(match))
        self.assertGreaterEqual(time.monotonic() - killed_at, GRACE_MS / 1000)
        end = await ada.expect("end", reason="forfeit", winner=ada.place_in(match))
        changes = [rating["after"] - rating["before"] for rating in end["ratings"]]
        self.assertGreater(changes[ada.place_in(match)], 0)
        self.assertLess(changes[1 - ada.place_in(match)], 0)
        await self.metrics_when(
            lambda metrics: metrics.sum("quizrush_matches_ended_total", reason="forfeit") == 1,
            "the forfeit is counted",
        )
        await self.assert_nothing_is_left(ada)

    async def test_rounds_go_on_while_the_other_is_away(self):
        self.start(reconnect_grace_ms=60000, round_time_ms=600)
        (ada, bob), match = await self.pair()
        await ada.expect("round", round=1)
        await bob.abort()
        await ada.expect("peer", state="away")
        # Who is away counts as there: the round ends by its time, not by Ada's answer.
        await ada.answer({"round": 1}, 0)
        for number in range(1, match["rounds"] + 1):
            reveal = await ada.expect("reveal", round=number)
            self.assertIsNone(reveal["results"][bob.place_in(match)]["choice"])
            if number < match["rounds"]:
                await ada.expect("round", round=number + 1)
        await ada.expect("end", reason="finished")
        await self.assert_nothing_is_left(ada)

    async def test_a_close_in_a_match_leaves_the_player_away_like_a_lost_connection(self):
        self.start()
        (ada, bob), _ = await self.pair()
        await ada.expect("round", round=1)
        await bob.close()
        await ada.expect("peer", state="away", grace_ms=GRACE_MS)
        await ada.expect("peer", state="gone")
        await ada.expect("end", reason="forfeit")
        await self.assert_nothing_is_left(ada)

    async def test_when_both_are_gone_the_match_is_cancelled_and_nothing_is_left(self):
        self.start()
        (ada, bob), _ = await self.pair()
        await ada.expect("round", round=1)
        await ada.abort()
        await bob.abort()
        await self.metrics_when(
            lambda metrics: metrics.sum("quizrush_matches_ended_total", reason="cancelled") == 1,
            "the match is cancelled",
        )
        await self.assert_nothing_is_left()

    async def test_without_a_grace_the_match_ends_at_once(self):
        self.start(reconnect_grace_ms=0)
        (ada, bob), match = await self.pair()
        await ada.expect("round", round=1)
        lost_at = time.monotonic()
        await bob.abort()
        peer = await ada.expect("peer")
        if peer["state"] == "away":
            self.assertEqual(peer["grace_ms"], 0)
            peer = await ada.expect("peer")
        self.assertEqual(peer["state"], "gone")
        await ada.expect("end", reason="forfeit", winner=ada.place_in(match))
        self.assertLess(time.monotonic() - lost_at, 2 * AT_ONCE_S)
        await self.assert_nothing_is_left(ada)

    async def test_who_is_lost_before_the_first_round_is_away_as_well(self):
        self.start(match_start_ms=300)
        (ada, bob), _ = await self.pair()
        await bob.abort()
        await ada.expect("peer", state="away")
        await ada.expect("round", round=1)
        await ada.expect("peer", state="gone")
        await ada.expect("end", reason="forfeit")
        await self.assert_nothing_is_left(ada)

    # --- Leaving. ---

    async def test_a_leave_in_a_match_forfeits_it(self):
        self.start()
        (ada, bob), match = await self.pair()
        await ada.expect("round", round=1)
        await bob.expect("round", round=1)
        left = await bob.send("leave")
        await bob.expect("left", id=left)
        for client in (bob, ada):
            await client.expect("peer", state="gone", player=bob.place_in(match))
            await client.expect("end", reason="forfeit", winner=ada.place_in(match))
        self.assertEqual(ada.sequence(), bob.sequence())
        await self.assert_nothing_is_left(ada, bob)

    async def test_a_leave_that_names_the_match_forfeits_it_even_before_the_first_round(self):
        self.start(match_start_ms=60000)
        (ada, bob), match = await self.pair()
        self.assertEqual((await bob.ask("leave", match=match["match"]))["type"], "left")
        await ada.expect("peer", state="gone")
        await ada.expect("end", reason="forfeit", winner=ada.place_in(match))
        await self.assert_nothing_is_left(ada, bob)

    async def test_a_leave_before_the_first_round_cancels_and_the_other_waits_on(self):
        self.start(match_start_ms=60000)
        ada = await self.greeted("Ada")
        await ada.join()
        await ada.expect("ticket")  # About a second: the time that Ada must keep.
        bob = await self.greeted("Bob")
        await bob.join()
        match = await ada.expect("match")
        await bob.expect("match")
        self.assertEqual((await bob.ask("leave"))["type"], "left")
        for client in (ada, bob):
            message = await client.expect("peer", state="gone", player=bob.place_in(match))
            self.assertEqual(message["match"], match["match"])
            await client.expect("end", reason="cancelled", winner=None, ratings=None, scores=[0, 0])
        queued = await ada.expect("queued", mode="duel", waiting=1)
        self.assertNotIn("id", queued)
        self.assertGreaterEqual(queued["waited_ms"], 900)

        carl = await self.greeted("Carl")
        await carl.join()
        again = await ada.expect("match")
        self.assertEqual({entrant["name"] for entrant in again["players"]}, {"Ada", "Carl"})
        await carl.ask("leave")
        await self.assert_nothing_is_left(ada, bob, carl)

    async def test_after_a_cancelled_match_the_one_who_left_is_idle(self):
        self.start(match_start_ms=60000)
        (_, bob), _ = await self.pair()
        await bob.ask("leave")
        await bob.expect("peer")
        await bob.expect("end")
        await bob.refused("bad_state", "answer", round=1, choice=0)
        self.assertEqual((await bob.ask("ping", at=1))["type"], "pong")
        self.assertEqual(bob.messages[-1]["type"], "pong")

    # --- The queue. ---

    async def assert_the_next_two_meet(self):
        """Whoever was in the queue before is not there any more."""
        carl, dora = await self.greeted("Carl"), await self.greeted("Dora")
        self.assertEqual((await carl.join())["waiting"], 1)
        await dora.join()
        match = await carl.expect("match")
        await dora.expect("match")
        self.assertEqual({entrant["name"] for entrant in match["players"]}, {"Carl", "Dora"})
        await play_rest([carl, dora], match)
        return carl, dora

    async def test_who_leaves_the_queue_is_not_matched(self):
        self.start()
        ada = await self.greeted("Ada")
        await ada.join()
        self.assertEqual((await ada.ask("leave"))["type"], "left")
        others = await self.assert_the_next_two_meet()
        self.assertNotIn("match", [message["type"] for message in ada.messages])
        await self.assert_nothing_is_left(ada, *others)

    async def test_who_is_lost_in_the_queue_is_not_matched(self):
        self.start(reconnect_grace_ms=0)
        ada = await self.greeted("Ada")
        await ada.join()
        await ada.abort()
        await self.metrics_when(
            lambda metrics: metrics.sum("quizrush_connections") == 0, "the lost connection is noticed"
        )
        await self.assert_nothing_is_left(*await self.assert_the_next_two_meet())

    async def test_a_ticket_tells_how_the_waiting_goes(self):
        self.start()
        ada = await self.greeted("Ada")
        await ada.join()
        ticket = await ada.expect("ticket")
        self.assertGreaterEqual(ticket["waited_ms"], 900)
        self.assertIn("eta_ms", ticket)
        self.assertGreater(ticket["window"], 0)


if __name__ == "__main__":
    unittest.main()
