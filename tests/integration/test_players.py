"""Who a player is: sessions that change, tokens that last, ratings that are kept."""

import stat
import tempfile
import unittest

from client import Client, play_rest, right_answers, rows
from daemon import QUICK, Daemon

ANSWERS = right_answers()
SETTINGS = {**QUICK, "match_rounds": 1, "match_start_ms": 0, "reveal_time_ms": 0}


async def play(winner, loser, again=None):
    """A duel of these two: (match, end). `again`: the match that they have just played, for a rematch: however far their
    ratings are apart by now, they need not wait for each other."""

    def choose(client, round_):
        right = round_["choices"].index(ANSWERS[round_["question"]])
        return right if client is winner else (right + 1) % len(round_["choices"])

    for client in (winner, loser):
        await client.join_when_it_may(**({"rematch": again["match"]} if again else {}))
    match = [await client.expect("match") for client in (winner, loser)][0]
    end = (await play_rest([winner, loser], match, choose))[0]
    assert (end["reason"], end["winner"]) == ("finished", winner.place_in(match)), end
    return match, end


class SessionTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**SETTINGS))

    async def connect(self):
        client = await Client.connect(self.daemon)
        self.addAsyncCleanup(client.close)
        return client

    async def waiting(self):
        """One whose place in the queue is something to come back to."""
        client = await Client.greeted(self.daemon, "Ada")
        self.addAsyncCleanup(client.close)
        self.addAsyncCleanup(self.leave, client)
        await client.join()
        return client

    async def leave(self, client):
        """So that the next test's players do not meet this one's."""
        last = await Client.connect(self.daemon)
        await last.ask("hello", token=client.welcome["token"])
        await last.ask("leave")
        await last.close()

    async def resumed(self, session):
        client = await self.connect()
        await client.greet(resume=session)
        return client

    async def test_the_session_before_is_valid_until_the_first_message(self):
        ada = await self.waiting()
        lost_reply = await self.resumed(ada.welcome["session"])
        again = await self.resumed(ada.welcome["session"])
        await lost_reply.expect_close(4509)
        self.assertEqual((await again.ask("ping", at=1))["type"], "pong")

        late = await self.connect()
        await late.refused("resume_expired", "hello", resume=ada.welcome["session"])
        await late.greet(resume=again.welcome["session"])

    async def test_two_replies_in_a_row_that_are_lost_lock_nobody_out(self):
        ada = await self.waiting()
        await self.resumed(ada.welcome["session"])
        await self.resumed(ada.welcome["session"])
        await self.resumed(ada.welcome["session"])

    async def test_a_session_that_was_never_used_is_as_good(self):
        session = (await self.waiting()).welcome["session"]
        for _ in range(5):
            session = (await self.resumed(session)).welcome["session"]

    async def test_a_refused_resume_changes_no_session(self):
        ada = await self.waiting()
        session = ada.welcome["session"]
        stranger = await self.connect()
        await stranger.refused("resume_expired", "hello", resume=session[:-1] + ("0" if session[-1] != "0" else "1"))
        self.assertEqual((await ada.ask("ping", at=1))["type"], "pong")
        await self.resumed(session)

    async def test_a_session_belongs_to_one_process(self):
        ada = await self.waiting()
        with Daemon(**SETTINGS) as other:
            client = await Client.connect(other)
            await client.refused("resume_expired", "hello", resume=ada.welcome["session"])
            await client.refused("auth_failed", "hello", token=ada.welcome["token"])
            await client.expect_close(4500)


class RestartTest(unittest.IsolatedAsyncioTestCase):
    """What outlives the process lies in data_dir."""

    def setUp(self):
        self.data_dir = self.enterContext(tempfile.TemporaryDirectory())

    def daemon(self):
        return Daemon(**{**SETTINGS, "data_dir": self.data_dir})

    async def greeted_by_token(self, daemon, *clients):
        again = []
        for client in clients:
            again.append(await Client.connect(daemon))
            await again[-1].greet(token=client.welcome["token"])
        return again

    async def close(self, *clients):
        for client in clients:
            await client.close()

    async def test_a_token_is_the_same_player_after_a_restart(self):
        with self.daemon() as daemon:
            players = [await Client.greeted(daemon, name) for name in ("Ada", "Bea")]
            idle = await Client.greeted(daemon, "Carl")
            match, end = await play(*players)
            await self.close(*players, idle)
        with self.daemon() as daemon:
            again = await self.greeted_by_token(daemon, *players, idle)
            for before, after in zip((*players, idle), again):
                self.assertEqual(after.welcome["player"], before.welcome["player"])
                self.assertEqual(after.welcome["name"], before.welcome["name"])
            for player, client in zip(players, again):
                self.assertEqual(client.welcome["rating"], end["ratings"][player.place_in(match)]["after"])
            self.assertEqual(again[2].welcome["rating"], 1500)
            await self.close(*again)

    async def test_the_third_match_of_two_in_a_day_is_not_rated_whatever_was_restarted_meanwhile(self):
        with self.daemon() as daemon:
            players = [await Client.greeted(daemon, name) for name in ("Ada", "Bea")]
            first, _ = await play(*players)
            match, end = await play(*reversed(players), again=first)  # Near each other again.
            self.assertEqual((first["rated"], match["rated"]), (True, True))
            ratings = {entrant["player"]: rating["after"] for entrant, rating in zip(match["players"], end["ratings"])}
            await self.close(*players)
        with self.daemon() as daemon:
            again = await self.greeted_by_token(daemon, *players)
            match, end = await play(*again)
            self.assertEqual((match["rated"], end["ratings"]), (False, None))
            for entrant in match["players"]:
                self.assertEqual(entrant["rating"], ratings[entrant["player"]])
            daemon.wait_until_stored()
            saved = {row["player"]: row["rating_centi"] for row in rows(daemon.database_path, "SELECT * FROM players")}
            self.assertEqual(sorted(round(centi / 100) for centi in saved.values()), sorted(ratings.values()))
            await self.close(*again)

    async def test_only_the_daemon_may_read_the_key(self):
        with self.daemon() as daemon:
            key = daemon.database_path.with_name("token.key")
            self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
            self.assertEqual(key.stat().st_size, 32)
            first = key.read_bytes()
        with self.daemon():
            self.assertEqual(key.read_bytes(), first)


class RatingTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**SETTINGS))

    async def greeted(self, name):
        client = await Client.greeted(self.daemon, name)
        self.addAsyncCleanup(client.close)
        return client

    async def test_a_match_changes_what_is_shown_and_what_is_saved(self):
        players = [await self.greeted(name) for name in ("Ada", "Bea")]
        match, end = await play(*players)
        self.assertEqual([rating["before"] for rating in end["ratings"]], [1500, 1500])
        self.daemon.wait_until_stored()
        for place, entrant in enumerate(match["players"]):
            saved = rows(self.daemon.database_path, "SELECT * FROM players WHERE player = ?",
                         bytes.fromhex(entrant["player"].replace("-", "")))[0]
            self.assertEqual(round(saved["rating_centi"] / 100), end["ratings"][place]["after"])
            self.assertEqual((saved["matches"], saved["wins"]), (1, end["winner"] == place))
            self.assertLess(saved["deviation_centi"], 35000)
            self.assertGreater(saved["rated_at_ms"], 0)
        second, _ = await play(*players, again=match)
        ratings = {entrant["player"]: rating["after"] for entrant, rating in zip(match["players"], end["ratings"])}
        self.assertEqual({entrant["player"]: entrant["rating"] for entrant in second["players"]}, ratings)

    async def test_the_third_match_of_two_in_a_day_is_not_rated_and_another_pair_is(self):
        players = [await self.greeted(name) for name in ("Ada", "Bea")]
        match = None
        for is_rated in (True, True, False, False):
            match, end = await play(*players, again=match)
            self.assertEqual((match["rated"], end["ratings"] is not None), (is_rated, is_rated))
            players.reverse()
        other = await self.greeted("Carl")
        self.assertTrue((await play(players[0], other))[0]["rated"])

    async def test_a_newer_tab_has_the_new_rating(self):
        players = [await self.greeted(name) for name in ("Ada", "Bea")]
        match, end = await play(*players)
        tab = await Client.connect(self.daemon)
        self.addAsyncCleanup(tab.close)
        welcome = await tab.greet(token=players[0].welcome["token"])
        self.assertEqual(welcome["rating"], end["ratings"][players[0].place_in(match)]["after"])


if __name__ == "__main__":
    unittest.main()
