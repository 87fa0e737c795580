"""A server that is full, or whose loop does not keep up: who comes back to a match is served, who comes anew is not, and
who is there is not touched."""

import unittest

from client import Client, pair
from daemon import QUICK, Daemon
from raw import RawSocket

SETTINGS = {**QUICK, "workers": 1, "reconnect_grace_ms": 20000, "round_time_ms": 20000}
RETURNING = 16  # worker_returning_max(), at least.
RETRY_MS = 5000
NEWCOMERS = 3


def longer_than_a_second(metrics, histogram):
    return metrics.sum(f"{histogram}_count") - metrics.sum(f"{histogram}_bucket", le="1")


class CrowdTest(unittest.IsolatedAsyncioTestCase):
    async def expect_turned_away(self, daemon):
        client = await Client.connect(daemon)
        error = await client.refused("unavailable", "hello", name="Carl")
        self.assertEqual(error["retry_ms"], RETRY_MS)
        rest = await client.expect_close(1013)
        self.assertEqual([(message["type"], message["reason"], message["retry_ms"]) for message in rest],
                         [("bye", "full", RETRY_MS)])

    async def expect_back(self, daemon, lost, other, match):
        """On a new connection the player who was lost takes up the match, and the other hears of it."""
        back = await Client.connect(daemon)
        await back.greet(resume=lost.welcome["session"])
        self.assertEqual(back.welcome["match"], match["match"])
        await other.until_peer("back", lost.place_in(match))
        self.assertEqual((await back.ask("leave"))["type"], "left")
        await other.until("end")
        return back

    async def test_a_full_server_serves_who_comes_back_and_turns_others_away(self):
        with Daemon(**SETTINGS, max_connections=3) as daemon:
            (ada, bob), (match, _) = await pair(daemon, "Ada", "Bob")
            others = [await Client.greeted(daemon, "Carl")]
            await self.expect_turned_away(daemon)
            await ada.reset()
            await bob.until_peer("away", ada.place_in(match))
            others.append(await Client.greeted(daemon, "Dora"))  # In Ada's place.
            await self.expect_turned_away(daemon)
            back = await self.expect_back(daemon, ada, bob, match)
            for client in (back, bob, *others):
                await client.close()
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_turned_away_total") == 2, "it is counted")

    async def test_the_places_for_who_comes_back_are_bounded_and_given_back(self):
        with Daemon(**SETTINGS, max_connections=1) as daemon:
            ada = await Client.greeted(daemon, "Ada")
            silent = [RawSocket.upgraded(daemon) for _ in range(RETURNING)]
            status, headers = self.enterContext(RawSocket(daemon)).upgrade()
            self.assertEqual((status, headers["retry-after"]), (503, str(RETRY_MS // 1000)))
            for raw in silent:
                self.assertEqual(raw.read_end(), 4009)  # Without a hello within a second.
                raw.socket.close()
            await self.expect_turned_away(daemon)
            metrics = daemon.wait_for_metrics(
                lambda metrics: metrics.sum("quizrush_returning_max") == RETURNING
                and metrics.sum("quizrush_returning") == 0, "all are given back")
            self.assertEqual(metrics.sum("quizrush_returning_bound"), RETURNING)
            self.assertEqual(metrics.sum("quizrush_refused_full_total"), 1)
            await ada.close()

    async def test_who_plays_is_answered_before_others_are_accepted_and_those_take_turns(self):
        daemon = Daemon(**SETTINGS, admit_lag_ms=0)
        slow = daemon.directory / "slow"
        daemon.preload("QUIZRUSH_SLOW_ACCEPT_LIBRARY", QUIZRUSH_SLOW=str(slow))
        with daemon:
            ada = await Client.greeted(daemon, "Ada")
            slow.touch()
            others = [self.enterContext(RawSocket(daemon)) for _ in range(NEWCOMERS)]  # To accept one takes a second.
            for other in others:
                other.request_upgrade()
            self.assertEqual((await ada.ask("ping", at=1))["type"], "pong")
            for other in others:
                self.assertEqual(other.read_head()[0], 101)
            slow.unlink()
            metrics = daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_accepted_total") > NEWCOMERS,
                                              "they are counted")
            self.assertEqual(metrics.sum("quizrush_arrival_to_write_seconds_count"), 1)
            self.assertEqual(longer_than_a_second(metrics, "quizrush_arrival_to_write_seconds"), 0)
            self.assertEqual(longer_than_a_second(metrics, "quizrush_loop_turn_seconds"), NEWCOMERS)
            await ada.close()

    async def test_while_the_loop_lags_nobody_new_comes_in_and_who_plays_is_not_touched(self):
        daemon = Daemon(**SETTINGS, admit_lag_ms=100)
        slow = daemon.directory / "slow"
        daemon.preload("QUIZRUSH_SLOW_ACCEPT_LIBRARY", QUIZRUSH_SLOW=str(slow))
        with daemon:
            (ada, bob), (match, _) = await pair(daemon, "Ada", "Bob")
            await ada.reset()
            await bob.until_peer("away", ada.place_in(match))
            slow.touch()
            self.assertEqual(daemon.get("/healthz")[0], 200)  # A turn of a second.
            await self.expect_turned_away(daemon)
            self.assertEqual((await bob.ask("ping", at=1))["type"], "pong")
            back = await self.expect_back(daemon, ada, bob, match)
            slow.unlink()
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_crowded") == 0
                                    and metrics.sum("quizrush_crowds_total") > 0, "it has caught up")
            carl = await Client.greeted(daemon, "Carl")
            for client in (back, bob, carl):
                await client.close()


if __name__ == "__main__":
    unittest.main()
