"""What the server keeps to itself: everything that it says in a match is searched for every random byte that it drew,
for its keys, and for how the choices were shuffled. tests/unit/proto/test_secrecy_walk.c has what no search can show:
that nothing said before the reveal depends on which choice is right."""

import asyncio
import collections
import html
import json
import os
import struct
import unittest

import websockets

from client import Client, pair
from daemon import QUESTIONS, QUICK, Daemon
from renderings import count, of_order, renderings

WORKERS, ROUNDS = 2, 2
SETTINGS = {**QUICK, "workers": WORKERS, "match_rounds": ROUNDS, "log_level": "debug", "reconnect_grace_ms": 5000}
SECRET_BYTES, KEY_BYTES, ID_BYTES, NUMBER_BYTES = 16, 32, 10, 8  # Of the draws: of these sizes they are told apart.


def bank_orders():
    """Question text to its choices in the bank's order, the right one first."""
    with open(QUESTIONS, encoding="utf-8") as file:
        entries = json.load(file)["results"]
    return {html.unescape(entry["question"]):
            [html.unescape(text) for text in (entry["correct_answer"], *entry["incorrect_answers"])]
            for entry in entries}


class Listener(websockets.WebSocketClientProtocol):
    """Keeps every byte that came, handshake, pings and closes included."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.heard = b""

    def data_received(self, data):
        self.heard += data
        super().data_received(data)


class Listening:
    """A match, a lost connection and a house in it, and all that was said meanwhile."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.clients = []
        self.pages = b""  # What HTTP said.
        self.before_reveal = []  # Per round: its message, and all that was said up to then.
        self.matches = set()

    async def greeted(self, **fields):
        client = await Client.connect(self.daemon, protocol=Listener)
        self.clients.append(client)
        await client.greet(**fields)
        return client

    def look(self):
        """What an operator sees now."""
        for path, admin in (("/metrics", True), ("/healthz", False), ("/readyz", False)):
            self.pages += self.daemon.get(path, admin=admin)[2].encode()

    def said(self):
        return b"\n".join([*(client.socket.heard for client in self.clients), self.pages, self.log()])

    def log(self):
        return self.daemon.log_path.read_bytes()

    async def play(self):
        ada, bob = await self.greeted(name="Ada"), await self.greeted(name="Bob")
        for client in (ada, bob):
            await client.join()
        match = [await client.expect("match") for client in (ada, bob)][0]
        self.matches.add(match["match"])
        for number in range(1, ROUNDS + 1):
            ada = await self.play_round(ada, bob, match, number)
        for client in (ada, bob):
            await client.expect("end")
        await self.meet_the_house(bob)
        self.look()
        for client in self.clients:
            await client.close()

    async def play_round(self, ada, bob, match, number):
        """Ada answers, is lost and comes back; Bob asks for all that may be asked. Returns whom Ada is now."""
        round_ = await bob.until("round")
        await ada.until("round")
        receipt = await ada.answer(round_, 0)
        await ada.drop()
        await bob.until_peer("away", ada.place_in(match))
        again = await self.greeted(resume=ada.welcome["session"], token=ada.welcome["token"])
        await again.until("clock")
        repeated = await again.answer(round_, 1)
        assert (repeated["dup"], repeated["at_ms"]) == (True, receipt["at_ms"]), repeated
        await bob.until_peer("back", ada.place_in(match))
        await bob.refused("bad_choice", "answer", round=number, choice=99)
        await bob.ask("emote", code="hurry")
        if number == 1:  # The metrics are published once a second.
            await asyncio.to_thread(self.daemon.wait_for_metrics, lambda metrics: metrics.sum("quizrush_matches") == 1,
                                    "the match is shown")
        await asyncio.to_thread(self.look)
        self.before_reveal.append((round_, self.said()))
        await bob.answer(round_, 1)
        for client in (again, bob):
            await client.until("reveal")
        return again

    async def meet_the_house(self, client):
        await client.join_when_it_may(mode="house")
        match = await client.expect("match", mode="house")
        self.matches.add(match["match"])
        await client.expect("round")
        await client.ask("leave", match=match["match"])
        await client.until("end")


def read_draws(path):
    data, draws = path.read_bytes(), []
    while data:
        (size,) = struct.unpack_from("=I", data)
        draws.append(data[4:4 + size])
        data = data[4 + size:]
    return draws


class SecrecyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        daemon = Daemon(**SETTINGS)
        draws_path = daemon.directory / "draws"
        daemon.preload("QUIZRUSH_DRAWS_LIBRARY", QUIZRUSH_DRAWS=str(draws_path))
        cls.enterClassContext(daemon)
        listening = Listening(daemon)
        asyncio.run(listening.play())
        daemon.stop()
        cls.token_key = (daemon.directory / "token.key").read_bytes()
        cls.draws = read_draws(draws_path)
        cls.clients, cls.before_reveal, cls.matches = listening.clients, listening.before_reveal, listening.matches
        cls.log, cls.pages, cls.said = listening.log(), listening.pages, listening.said()
        cls.sessions = {bytes.fromhex(client.welcome["session"][32:]): client for client in cls.clients}

    def drawn(self, size):
        return [draw for draw in self.draws if len(draw) == size]

    def hidden(self):
        """The draws that are nobody's business: the matches' seeds, and the keys of maps: two of each worker, one of
        the start."""
        return [draw for draw in self.drawn(SECRET_BYTES) if draw not in self.sessions]

    def test_every_draw_is_one_that_is_known(self):
        self.assertEqual(len(self.sessions), 2 + ROUNDS)
        self.assertLessEqual(set(self.sessions), set(self.drawn(SECRET_BYTES)))
        self.assertEqual(len(self.hidden()), 2 * WORKERS + 1 + len(self.matches))
        self.assertEqual(self.drawn(KEY_BYTES), [self.token_key])
        ids = {client.welcome["player"] for client in self.clients} | self.matches
        self.assertEqual(len(self.drawn(ID_BYTES)), len(ids))
        self.assertEqual(collections.Counter(map(len, self.draws)).keys(),
                         {SECRET_BYTES, KEY_BYTES, ID_BYTES, NUMBER_BYTES})

    def test_seeds_and_keys_are_nowhere(self):
        for secret in (*self.hidden(), *self.drawn(KEY_BYTES), *self.drawn(NUMBER_BYTES)):
            with self.subTest(secret=secret.hex()):
                self.assertEqual(count(secret, self.said), 0)

    def test_a_session_is_in_its_own_welcome_and_nowhere_else(self):
        for secret, owner in self.sessions.items():
            with self.subTest(player=owner.welcome["name"]):
                text = owner.welcome["session"].encode()
                self.assertEqual((owner.socket.heard.count(text), self.said.count(text)), (1, 1))
                # The halves of the secret are in it, and in no other form anywhere.
                self.assertEqual(count(secret, self.said), len(secret) // 8)

    def test_a_token_is_in_its_owners_welcomes_and_nowhere_else(self):
        for owner in self.clients:
            token = owner.welcome["token"].encode()
            for client in self.clients:
                is_own = client.welcome["player"] == owner.welcome["player"]
                times = client.socket.heard.count(token)
                self.assertEqual(times, is_own and client.welcome["token"] == owner.welcome["token"])
            signature = token.rsplit(b".", 1)[1]
            for said in (self.log, self.pages):
                self.assertNotIn(signature, said)

    def test_how_the_choices_were_shuffled_is_nowhere_before_the_reveal(self):
        orders = bank_orders()
        self.assertEqual(len(self.before_reveal), ROUNDS)
        for round_, said in self.before_reveal:
            bank = orders[round_["question"]]
            self.assertEqual(sorted(bank), sorted(round_["choices"]))
            if len(bank) == 2:
                continue  # `0,1` means many things.
            order = [bank.index(choice) for choice in round_["choices"]]
            for rendering in of_order(order):
                self.assertNotIn(rendering, said)

    def test_what_was_searched_was_heard(self):
        for client in self.clients:
            self.assertIn(b"HTTP/1.1 101", client.socket.heard)
        for text in (b'"type":"accepted"', b'"type":"clock"', b'"type":"reveal"', b"event=match_started", b"level=debug",
                     b"quizrush_matches_started_total"):
            self.assertIn(text, self.said)

    def test_what_is_searched_for_would_be_found(self):
        secret = self.hidden()[0]
        words = struct.unpack("<QQ", secret), struct.unpack(">QQ", secret)
        for said in (secret, secret.hex().encode(), secret[::-1].hex().upper().encode(), b"%d %d" % words[0],
                     b"%d %d" % words[1], b"%d" % int.from_bytes(secret, "big")):
            self.assertGreater(count(secret, b"before" + said + b"behind"), 0)
        self.assertTrue(all(len(rendering) >= 8 for rendering in renderings(secret)))


if __name__ == "__main__":
    unittest.main()
