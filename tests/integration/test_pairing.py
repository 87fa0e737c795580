"""Whom a player meets when it is not just the next one: the house, the same one again, nobody for a while."""

import unittest

from client import Client, pair, play_rest, rows
from daemon import QUICK, Daemon

REMATCH_MS = 1000
SETTINGS = {**QUICK, "match_rounds": 2, "match_start_ms": 0, "round_time_ms": 1500, "reveal_time_ms": 0,
            "rematch_ms": REMATCH_MS}
OTHER_MATCH = "00000000-0000-7000-8000-000000000000"


class PairingTestCase(unittest.IsolatedAsyncioTestCase):
    settings = SETTINGS

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**cls.settings))

    async def greeted(self, name):
        client = await Client.greeted(self.daemon, name)
        self.addAsyncCleanup(client.close)
        return client

    async def pair(self, *names):
        clients, matches = await pair(self.daemon, *names)
        for client in clients:
            self.addAsyncCleanup(client.close)
        return clients, matches[0]


class HouseTest(PairingTestCase):
    async def meet_the_house(self, client, **fields):
        queued = await client.join_when_it_may(mode="house", **fields)
        self.assertEqual((queued["mode"], queued["waiting"], queued["waited_ms"]), ("house", 1, 0))
        match = await client.expect("match", mode="house", rated=False, seq=1)
        self.assertEqual([entrant.get("bot", False) for entrant in match["players"]], [False, True])
        self.assertEqual(client.place_in(match), 0)
        return match

    async def test_a_match_against_the_house_is_not_rated(self):
        ada = await self.greeted("Ada")
        match = await self.meet_the_house(ada)
        end = (await play_rest([ada], match))[0]
        self.assertEqual((end["reason"], end["ratings"]), ("finished", None))
        self.daemon.wait_until_stored()
        saved = rows(self.daemon.database_path, "SELECT * FROM players WHERE player = ?",
                     bytes.fromhex(ada.welcome["player"].replace("-", "")))[0]
        self.assertEqual((saved["rating_centi"], saved["matches"]), (150000, 1))

    async def test_the_house_is_no_player_of_the_database(self):
        ada = await self.greeted("Ada")
        match = await self.meet_the_house(ada)
        await play_rest([ada], match)
        self.daemon.wait_until_stored()
        house = match["players"][1]
        self.assertEqual(rows(self.daemon.database_path, "SELECT * FROM players WHERE player = ? OR name = ?",
                              bytes.fromhex(house["player"].replace("-", "")), house["name"]), [])
        saved = rows(self.daemon.database_path, "SELECT * FROM match_players WHERE match = ? ORDER BY place",
                     bytes.fromhex(match["match"].replace("-", "")))
        self.assertEqual([row["name"] for row in saved], ["Ada", house["name"]])
        self.assertEqual([row["player"] is None for row in saved], [False, True])

    async def test_the_house_answers(self):
        ada = await self.greeted("Ada")
        await play_rest([ada], await self.meet_the_house(ada))
        reveals = [message for message in ada.messages if message["type"] == "reveal"]
        self.assertTrue(any(reveal["results"][1]["choice"] is not None for reveal in reveals), reveals)

    async def test_who_leaves_the_house_loses(self):
        ada = await self.greeted("Ada")
        match = await self.meet_the_house(ada)
        self.assertEqual((await ada.ask("leave", match=match["match"]))["type"], "left")
        end = await ada.until("end")
        self.assertEqual((end["reason"], end["winner"], end["ratings"]), ("forfeit", 1, None))

    async def test_the_house_waits_for_who_is_lost(self):
        ada = await self.greeted("Ada")
        match = await self.meet_the_house(ada)
        await ada.expect("round", round=1)
        await ada.drop()
        again = await Client.connect(self.daemon)
        self.addAsyncCleanup(again.close)
        welcome = await again.greet(resume=ada.welcome["session"], last_match=match["match"], last_seq=2)
        self.assertEqual(welcome["match"], match["match"])
        await again.until("clock")
        end = await again.until("end")
        self.assertEqual(end["reason"], "finished")

    async def test_a_rematch_with_the_house_begins_at_once(self):
        ada = await self.greeted("Ada")
        match = await self.meet_the_house(ada)
        await play_rest([ada], match)
        second = await self.meet_the_house(ada, rematch=match["match"])
        self.assertNotEqual(second["match"], match["match"])


class RematchTest(PairingTestCase):
    async def ended_match(self):
        clients, match = await self.pair("Ada", "Bea")
        ends = await play_rest(clients, match)
        self.assertEqual(ends[0]["reason"], "finished")
        return clients, match

    async def test_both_ask_and_meet_again(self):
        (ada, bea), match = await self.ended_match()
        await ada.join_when_it_may(rematch=match["match"])
        await bea.join_when_it_may(rematch=match["match"])
        second = [await client.expect("match", mode="duel", rated=True) for client in (ada, bea)]
        self.assertEqual(second[0], second[1])
        self.assertNotEqual(second[0]["match"], match["match"])
        self.assertEqual({entrant["player"] for entrant in second[0]["players"]},
                         {client.welcome["player"] for client in (ada, bea)})
        ends = await play_rest([ada, bea], second[0])
        self.assertEqual(ends[0]["reason"], "finished")

    async def test_one_who_asks_alone_waits_for_nobody_after_a_while(self):
        (ada, _), match = await self.ended_match()
        await ada.join_when_it_may(rematch=match["match"])
        await ada.expect("unqueued", reason="timeout")
        self.assertEqual((await ada.ask("leave"))["type"], "left")
        await ada.refused("bad_state", "answer", round=1, choice=0)

    async def test_who_asks_for_a_rematch_gets_no_stranger(self):
        (ada, bea), match = await self.ended_match()
        await ada.join_when_it_may(rematch=match["match"])
        carl = await self.greeted("Carl")
        await carl.join()
        await ada.expect("unqueued", reason="timeout")
        # Carl waits still, for the next one who does not mind.
        await bea.join_when_it_may()
        second = await carl.expect("match")
        self.assertEqual({entrant["name"] for entrant in second["players"]}, {"Bea", "Carl"})

    async def test_another_match_than_the_last_is_a_bad_message(self):
        (ada, bea), match = await self.ended_match()
        await ada.join_when_it_may(rematch=match["match"])
        await bea.join_when_it_may(rematch=match["match"])
        second = [await client.expect("match") for client in (ada, bea)][0]
        await play_rest([ada, bea], second)
        for other in (OTHER_MATCH, match["match"]):
            error = await ada.refused("bad_message", "join", mode="duel", rematch=other)
            self.assertIn("`rematch`", error["message"])
        self.assertEqual((await ada.ask("ping", at=1))["type"], "pong")
        self.assertEqual([message["type"] for message in ada.messages[-4:]], ["end", "error", "error", "pong"])

    async def test_who_comes_back_may_still_ask(self):
        (ada, bea), match = await self.ended_match()
        tab = await Client.connect(self.daemon)
        self.addAsyncCleanup(tab.close)
        await tab.greet(resume=ada.welcome["session"])
        await tab.join_when_it_may(rematch=match["match"])
        await bea.join_when_it_may(rematch=match["match"])
        await tab.until("match")


class DodgeTest(PairingTestCase):
    settings = {**SETTINGS, "match_start_ms": 60000}

    async def dodge(self, ada):
        """Meets somebody new and leaves before it begins."""
        other = await self.greeted("Bea")
        await ada.join_when_it_may()
        await other.join()
        await ada.expect("match")
        self.assertEqual((await ada.ask("leave"))["type"], "left")
        await ada.expect("peer", state="gone")
        await ada.expect("end", reason="cancelled")
        await other.expect("match")
        await other.expect("peer", state="gone")
        await other.expect("end", reason="cancelled", ratings=None)
        await other.expect("queued")
        await other.ask("leave")

    async def test_the_third_leave_before_the_first_round_costs_a_minute(self):
        ada = await self.greeted("Ada")
        for _ in range(2):
            await self.dodge(ada)
            await ada.join_when_it_may()
            await ada.ask("leave")
        await self.dodge(ada)
        error = await ada.refused("rate_limited", "join", mode="duel")
        self.assertTrue(50000 < error["retry_ms"] <= 60000, error)
        error = await ada.refused("rate_limited", "join", mode="house")
        self.assertTrue(50000 < error["retry_ms"] <= 60000, error)

        # Nor does another tab help.
        tab = await Client.connect(self.daemon)
        self.addAsyncCleanup(tab.close)
        await tab.greet(token=ada.welcome["token"])
        error = await tab.refused("rate_limited", "join", mode="duel")
        self.assertTrue(50000 < error["retry_ms"] <= 60000, error)
        self.assertEqual((await tab.ask("ping", at=1))["type"], "pong")
        self.assertEqual([message["type"] for message in tab.messages], ["welcome", "error", "pong"])


if __name__ == "__main__":
    unittest.main()
