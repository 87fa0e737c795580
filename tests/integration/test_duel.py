"""A duel from `hello` to `end`, as two players see it, and what the database says of it."""

import json
import unittest
import uuid

from client import SECRETS, Client, names_in, pair, play_rest, points, right_answers, rows
from daemon import QUICK, Daemon

ROUNDS = 4
ROUND_TIME_MS = 1500
ANSWERS = right_answers()


def right_choice(round_):
    return round_["choices"].index(ANSWERS[round_["question"]])


def wrong_choice(round_):
    return (right_choice(round_) + 1) % len(round_["choices"])


class Referee:
    """What the players' results must be, from what they were told."""

    def __init__(self):
        self.scores, self.streaks = [0, 0], [0, 0]

    def results(self, round_, receipts):
        """receipts: per place, the `accepted`, or None."""
        results = []
        for place, accepted in enumerate(receipts):
            is_right = accepted is not None and accepted["choice"] == right_choice(round_)
            worth = points(accepted["at_ms"], round_["time_ms"], round_["weight"]) if is_right else 0
            self.scores[place] += worth
            self.streaks[place] = self.streaks[place] + 1 if is_right else 0
            results.append(
                {
                    "choice": accepted and accepted["choice"],
                    "at_ms": accepted and accepted["at_ms"],
                    "points": worth,
                    "score": self.scores[place],
                    "streak": self.streaks[place],
                }
            )
        return results

    def winner(self):
        if self.scores[0] == self.scores[1]:
            return None
        return self.scores.index(max(self.scores))


class DuelTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        settings = {**QUICK, "match_rounds": ROUNDS, "round_time_ms": ROUND_TIME_MS}
        cls.daemon = cls.enterClassContext(Daemon(**settings))

    async def pair(self, *names):
        clients, matches = await pair(self.daemon, *names)
        for client in clients:
            self.addAsyncCleanup(client.close)
        return clients, matches[0]

    # What each place answers in each round: right, wrong, or nothing.
    PLAN = ((right_choice, wrong_choice), (None, right_choice), (right_choice, right_choice), (right_choice, None))

    async def play_by_plan(self, clients, match):
        """By place: plays PLAN, checks each reveal, and returns (referee, rounds, receipts by round)."""
        referee, rounds, all_receipts = Referee(), [], []
        for number, plan in enumerate(self.PLAN, start=1):
            seen = [await client.expect("round", round=number, rounds=ROUNDS) for client in clients]
            self.assertEqual(seen[0], seen[1])
            round_ = seen[0]
            self.assertEqual(round_["time_ms"], ROUND_TIME_MS)
            self.assertEqual(round_["weight"], 2 if number == ROUNDS else 1)
            receipts = [await client.answer(round_, choose(round_)) if choose else None
                        for client, choose in zip(clients, plan)]
            reveal = [await client.expect("reveal", round=number) for client in clients][0]
            self.assertEqual(reveal["correct"], right_choice(round_))
            self.assertEqual(reveal["results"], referee.results(round_, receipts))
            self.assertEqual(reveal["next_at_ms"] is None, number == ROUNDS)
            rounds.append(round_)
            all_receipts.append(receipts)
        self.assertEqual(match["rounds"], ROUNDS)
        return referee, rounds, all_receipts

    async def test_a_full_duel_is_scored_to_the_point_and_saved_before_its_end(self):
        clients, match = await self.pair("Ada", "Bob")
        clients.sort(key=lambda client: client.place_in(match))
        self.assertEqual([entrant["name"] for entrant in match["players"]],
                         [client.welcome["name"] for client in clients])
        self.assertEqual((match["mode"], match["rated"], match["seq"]), ("duel", True, 1))

        referee, rounds, receipts = await self.play_by_plan(clients, match)
        end = await clients[0].expect("end", reason="finished", scores=referee.scores)
        self.daemon.wait_until_stored()
        saved_match = rows(self.daemon.database_path, "SELECT * FROM matches WHERE match = ?",
                           uuid.UUID(match["match"]).bytes)
        self.assertEqual(len(saved_match), 1)
        self.assertEqual(end["winner"], referee.winner())
        self.assert_rated(end)
        self.assert_saved(match, end, saved_match[0], rounds, receipts)

        await clients[1].expect("end")
        self.assertEqual(clients[0].sequence(), clients[1].sequence())
        self.assertEqual([json.loads(text)["seq"] for text in clients[0].sequence()],
                         list(range(1, 2 * ROUNDS + 3)))

    def assert_rated(self, end):
        """Two new players of 1500: what one wins the other loses, as docs/protocol.md's example has it."""
        changes = {True: 1662, False: 1338}
        self.assertEqual(end["ratings"], [{"before": 1500, "after": changes[place == end["winner"]]}
                                          for place in range(2)])

    def assert_saved(self, match, end, saved, rounds, receipts):
        match_id = uuid.UUID(match["match"]).bytes
        self.assertEqual((saved["mode"], saved["reason"], saved["rated"], saved["winner"], saved["rounds"]),
                         ("duel", "finished", 1, end["winner"], ROUNDS))
        players = rows(self.daemon.database_path,
                       "SELECT * FROM match_players WHERE match = ? ORDER BY place", match_id)
        self.assertEqual([{"before": round(player["rating_before"] / 100), "after": round(player["rating_after"] / 100)}
                          for player in players], end["ratings"])
        self.assertEqual([(player["player"], player["name"], player["score"], player["gone"]) for player in players],
                         [(uuid.UUID(entrant["player"]).bytes, entrant["name"], score, 0)
                          for entrant, score in zip(match["players"], end["scores"])])
        saved_rounds = rows(self.daemon.database_path, "SELECT * FROM rounds WHERE match = ? ORDER BY round", match_id)
        self.assertEqual([(row["round"], row["question"], json.loads(row["choices"]), row["right_place"],
                           row["weight"], row["revealed"], row["time_ms"]) for row in saved_rounds],
                         [(round_["round"], round_["question"], round_["choices"], right_choice(round_),
                           round_["weight"], 1, ROUND_TIME_MS) for round_ in rounds])
        saved_answers = rows(self.daemon.database_path,
                             "SELECT * FROM answers WHERE match = ? ORDER BY round, place", match_id)
        self.assertEqual([(row["round"], row["place"], row["choice"], row["at_ms"]) for row in saved_answers],
                         [(accepted["round"], place, accepted["choice"], accepted["at_ms"])
                          for by_place in receipts for place, accepted in enumerate(by_place) if accepted])
        guests = rows(self.daemon.database_path, "SELECT * FROM players WHERE player IN (?, ?)",
                      *(uuid.UUID(entrant["player"]).bytes for entrant in match["players"]))
        self.assertEqual(sorted(guest["matches"] for guest in guests), [1, 1])

    async def test_the_right_choice_comes_with_the_reveal_and_not_before(self):
        clients, match = await self.pair("Ada", "Bob")
        await play_rest(clients, match)
        for client in clients:
            for message in client.messages:
                if message["type"] != "reveal":
                    self.assertFalse(set(names_in(message)) & set(SECRETS), message)

    async def test_no_log_line_has_a_right_answer(self):
        clients, match = await self.pair("Ada", "Bob")
        await play_rest(clients, match)
        asked = [message["question"] for message in clients[0].messages if message["type"] == "round"]
        self.assertEqual(len(asked), ROUNDS)
        log = self.daemon.log()
        for question in asked:
            self.assertNotIn(question, log)
            if len(ANSWERS[question]) > 5:  # A short word may stand in a log for other reasons.
                self.assertNotIn(ANSWERS[question], log)

    async def test_accepted_comes_before_the_answered_and_the_reveal_it_causes(self):
        (ada, bob), match = await self.pair("Ada", "Bob")
        round_ = await ada.expect("round")
        await bob.expect("round")
        first = await ada.send("answer", round=1, choice=0)
        await ada.expect("accepted", id=first)
        await ada.expect("answered", round=1, player=ada.place_in(match))
        last = await bob.send("answer", round=1, choice=0)
        await bob.expect("accepted", id=last)
        await bob.expect("reveal", round=round_["round"])

    async def test_a_repeated_answer_brings_the_first_receipt(self):
        (ada, _), _ = await self.pair("Ada", "Bob")
        round_ = await ada.expect("round")
        first = await ada.answer(round_, 1)
        again = await ada.answer(round_, 0)
        self.assertFalse(first["dup"])
        self.assertTrue(again["dup"])
        self.assertEqual((again["round"], again["choice"], again["at_ms"]), (1, 1, first["at_ms"]))

    async def test_a_round_of_the_past_brings_its_receipt_too(self):
        (ada, bob), _ = await self.pair("Ada", "Bob")
        first = await ada.answer(await ada.expect("round"), 0)
        await bob.answer(await bob.expect("round"), 0)
        await ada.expect("reveal")
        await ada.expect("round", round=2)
        again = await ada.ask("answer", round=1, choice=1)
        self.assertEqual((again["type"], again["dup"], again["choice"], again["at_ms"]),
                         ("accepted", True, 0, first["at_ms"]))

    async def test_answers_that_do_not_count_say_why_and_change_nothing(self):
        (ada, bob), match = await self.pair("Ada", "Bob")
        await ada.refused("wrong_round", "answer", round=1, choice=0)
        round_ = await ada.expect("round")
        await ada.refused("bad_state", "answer", round=1, choice=0, match=str(uuid.uuid4()))
        await ada.refused("wrong_round", "answer", round=2, choice=0)
        await ada.refused("wrong_round", "answer", round=255, choice=0)
        await ada.refused("bad_choice", "answer", round=1, choice=len(round_["choices"]))
        await ada.refused("bad_choice", "answer", round=1, choice=255)
        # Nobody has answered: the round ends by its time, and without an answer of Ada's.
        reveal = await ada.expect("reveal", round=1)
        self.assertEqual([result["choice"] for result in reveal["results"]], [None, None])
        await ada.refused("late_answer", "answer", round=1, choice=0)
        await bob.expect("round", round=1)
        await bob.expect("reveal", round=1)
        ends = await play_rest([ada, bob], match)
        self.assertEqual(ends[0]["reason"], "finished")

    async def test_outside_a_match_an_answer_is_bad_state(self):
        clients, match = await self.pair("Ada", "Bob")
        await play_rest(clients, match)
        await clients[0].refused("bad_state", "answer", round=1, choice=0)
        await clients[0].refused("bad_state", "answer", round=1, choice=0, match=match["match"])
        self.assertEqual((await clients[0].ask("ping", at=1))["type"], "pong")
        self.assertEqual([message["type"] for message in clients[0].messages[-4:]], ["end", "error", "error", "pong"])

    async def test_an_answer_may_name_its_match(self):
        (ada, _), match = await self.pair("Ada", "Bob")
        await ada.answer(await ada.expect("round"), 0, match=match["match"])

    async def test_both_see_an_emote(self):
        (ada, bob), match = await self.pair("Ada", "Bob")
        code = ada.welcome["emotes"][0]
        self.assertEqual((await ada.ask("emote", code=code))["type"], "ok")
        for client in (ada, bob):
            await client.expect("emote", match=match["match"], player=ada.place_in(match), code=code)

    async def test_the_same_two_play_again(self):
        clients, match = await self.pair("Ada", "Bob")
        for client in clients:  # A round that nobody answers: by its end the second between two joins has passed.
            await client.expect("round", round=1)
            await client.expect("reveal", round=1)
        await play_rest(clients, match)
        for client in clients:
            await client.join()
        second = [await client.expect("match", seq=1) for client in clients]
        self.assertEqual(second[0], second[1])
        self.assertNotEqual(second[0]["match"], match["match"])

    async def test_a_match_that_names_a_category_asks_from_it(self):
        clients = [await Client.greeted(self.daemon, name) for name in ("Ada", "Bob")]
        for client in clients:
            self.addAsyncCleanup(client.close)
        category = clients[0].welcome["categories"][-1]
        await clients[0].join(category=category)
        await clients[1].join()  # Any.
        await clients[0].expect("match")
        self.assertEqual((await clients[0].expect("round"))["category"], category)


if __name__ == "__main__":
    unittest.main()
