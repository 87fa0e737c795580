"""More than the server takes, or than its store does: what is refused then, what is closed, and that nothing else
happens."""

import contextlib
import json
import resource
import socket
import sqlite3
import time
import unittest

from client import Client, pair, rows
from daemon import QUICK, Daemon
from raw import TEXT, RawSocket, frame
from shards import SlowDisk

FLOOD_S = 5  # docs/protocol.md, Rates.
# Of a client whose buffers hold next to nothing, so that the server's fill up soon.
NARROW = ((socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536), (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096))
PIECES_MAX = 1024  # Messages in pieces at one time: docs/architecture.md, A shard's memory.


class OverloadTestCase(unittest.IsolatedAsyncioTestCase):
    def start(self, **settings):
        return self.enterContext(Daemon(**{**QUICK, **settings}))

    async def greeted(self, daemon, name):
        client = await Client.greeted(daemon, name)
        self.addAsyncCleanup(client.close)
        return client

    async def pair(self, daemon):
        clients, matches = await pair(daemon, "Ada", "Bob")
        for client in clients:
            self.addAsyncCleanup(client.close)
        return clients, matches[0]


def send_together(client, *requests):
    """In one segment, so that the server reads all of them before it answers any; returns their ids."""
    ids, segment = [], b""
    for request in requests:
        client.next_id += 1
        ids.append(client.next_id)
        segment += frame(TEXT, json.dumps({"id": client.next_id, **request}, separators=(",", ":")).encode())
    client.socket.transport.write(segment)
    return ids


async def answers_of(client, ids):
    return [reply.get("code", reply["type"]) for reply in [await client.reply(id_) for id_ in ids]]


def close_code_seen(raw):
    """As libraries tell it: 1006 where the connection ends without a close frame."""
    try:
        return raw.read_close_code()
    except ConnectionError:
        return 1006


class BusyTest(OverloadTestCase):
    EMOTE, ANSWER, LEAVE = {"type": "emote", "code": "gg"}, {"type": "answer", "round": 1, "choice": 0}, {"type": "leave"}

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**QUICK))

    def assert_may_retry(self, client):
        errors = [message for message in client.messages if message.get("code") == "busy"]
        self.assertTrue(errors and all(error["retry_ms"] > 0 for error in errors), errors)

    async def in_round_one(self):
        clients, match = await self.pair(self.daemon)
        for client in clients:
            await client.expect("round", round=1)
        return clients, match

    async def test_an_emote_in_the_second_place_and_a_third_outstanding_request_are_busy(self):
        (ada, bob), match = await self.in_round_one()
        ids = send_together(ada, self.EMOTE, self.EMOTE, self.ANSWER)
        self.assertEqual(await answers_of(ada, ids), ["ok", "busy", "busy"])
        self.assert_may_retry(ada)
        # The one emote was shown, and nothing was answered: the next answer is the first.
        self.assertFalse((await ada.answer({"round": 1}, 1))["dup"])
        await bob.answer({"round": 1}, 0)
        for client in (ada, bob):
            reveal = await client.expect("reveal", round=1)
            self.assertEqual(reveal["results"][ada.place_in(match)]["choice"], 1)
            self.assertEqual([message["type"] for message in client.messages].count("emote"), 1)

    async def test_the_second_place_is_kept_for_an_answer(self):
        (ada, _), _ = await self.in_round_one()
        ids = send_together(ada, self.EMOTE, self.ANSWER)
        self.assertEqual(await answers_of(ada, ids), ["ok", "accepted"])

    async def test_a_leave_while_an_earlier_one_waits_is_busy(self):
        (ada, bob), match = await self.in_round_one()
        ids = send_together(ada, self.LEAVE, self.LEAVE)
        self.assertEqual(await answers_of(ada, ids), ["left", "busy"])
        self.assert_may_retry(ada)
        # It was left once.
        for client in (ada, bob):
            await client.expect("peer", state="gone", player=ada.place_in(match))
            await client.expect("end", reason="forfeit", winner=bob.place_in(match))


class StoreTest(OverloadTestCase):
    async def test_who_cannot_be_looked_up_is_unavailable_until_it_can(self):
        daemon = self.start()
        ada = await self.greeted(daemon, "Ada")
        await ada.close()
        again = await Client.connect(daemon)
        self.addAsyncCleanup(again.close)
        with sqlite3.connect(daemon.database_path, isolation_level=None) as database:
            database.execute("ALTER TABLE players RENAME TO hidden")
            for _ in range(2):
                error = await again.refused("unavailable", "hello", token=ada.welcome["token"])
                self.assertGreater(error["retry_ms"], 0)
            await again.refused("not_authenticated", "ping", at=1)
            database.execute("ALTER TABLE hidden RENAME TO players")
        database.close()
        welcome = await again.greet(token=ada.welcome["token"])
        self.assertEqual(welcome["player"], ada.welcome["player"])

    async def test_while_the_result_is_being_saved_a_join_is_unavailable(self):
        daemon = Daemon(**{**QUICK, "match_rounds": 1, "match_start_ms": 0})
        disk = SlowDisk(daemon)
        self.enterContext(daemon)
        (ada, bob), match = await self.pair(daemon)
        disk.hold()
        for client in (ada, bob):
            await client.expect("round")
        for client in (ada, bob):
            await client.answer({"round": 1}, 0)
        for client in (ada, bob):
            await client.expect("reveal")
        for mode in ("duel", "house"):
            error = await ada.refused("unavailable", "join", mode=mode)
            self.assertGreater(error["retry_ms"], 0)
        self.assertEqual((await ada.ask("ping", at=1))["type"], "pong")
        disk.let_go()
        for client in (ada, bob):
            await client.expect("end", reason="finished", winner=None)
        daemon.wait_until_stored()
        self.assertEqual(len(rows(daemon.database_path, "SELECT * FROM matches")), 1)
        # Neither of the two is carried out now.
        self.assertEqual((await (await self.greeted(daemon, "Carl")).join())["waiting"], 1)
        self.assertEqual([message["type"] for message in ada.messages].count("queued"), 1)


class TooMuchTest(OverloadTestCase):
    async def test_who_floods_for_five_seconds_is_closed_with_4008(self):
        client = await self.greeted(self.start(), "Ada")
        began_at = time.monotonic()
        # Forty a second are read: more than enough for as long as it may take.
        ids = send_together(client, *({"type": "ping", "at": index} for index in range(1000)))
        rest = await client.expect_close(4008)
        self.assertGreaterEqual(time.monotonic() - began_at, FLOOD_S)
        self.assertEqual((rest[-1]["type"], rest[-1]["reason"]), ("bye", "rate_limited"))
        for request_id, reply in zip(ids, rest[:-1]):  # One each, in order, up to the end.
            self.assertEqual(reply["id"], request_id)
            self.assertIn(reply.get("code", "pong"), ("pong", "rate_limited"))
            self.assertEqual("retry_ms" in reply, reply["type"] == "error")

    async def test_who_takes_nothing_is_dropped_with_4003_and_sees_1006(self):
        daemon = self.start(message_rate=1000, message_burst=10000, send_timeout_ms=300)
        other = await self.greeted(daemon, "Bob")
        raw = self.enterContext(RawSocket(daemon, options=NARROW))
        self.assertEqual(raw.upgrade()[0], 101)
        raw.send_frame(TEXT, b'{"type":"hello","id":1,"name":"Ada"}')
        pings = 5000 * frame(TEXT, json.dumps({"type": "ping", "id": 2, "at": "x" * 64}).encode())
        raw.socket.setblocking(False)

        def is_given_up(metrics):
            nonlocal pings
            with contextlib.suppress(OSError):
                while pings:
                    pings = pings[raw.socket.send(pings):]
            return metrics.sum("quizrush_slow_readers_total") == 1

        daemon.wait_for_metrics(is_given_up, "it is given up")
        self.assertIn("reason=slow_reader code=4003", daemon.log())
        raw.socket.settimeout(10)
        self.assertEqual(close_code_seen(raw), 1006)
        self.assertEqual((await other.ask("ping", at=1))["type"], "pong")

    async def test_who_is_silent_in_a_match_is_lost_and_sees_1006(self):
        daemon = self.start(match_ping_ms=500)
        (ada, bob), match = await self.pair(daemon)
        ada.fall_silent()
        await bob.until_peer("away", ada.place_in(match))
        await ada.given_up()
        ada.listen_again()
        rest = await ada.expect_close(1006)
        self.assertNotIn("bye", [message["type"] for message in rest])
        self.assertIn("reason=lost code=1006", daemon.log())

    async def test_one_more_message_in_pieces_than_the_server_holds_closes_with_1013(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * PIECES_MAX, most[1]), most[1]))
        daemon = self.start(workers=1, hello_timeout_ms=60000, max_half_open=2 * PIECES_MAX)
        raws = [self.enterContext(RawSocket(daemon)) for _ in range(PIECES_MAX + 1)]
        for raw in raws:
            raw.request_upgrade(trailing=frame(TEXT, b'{"type":"hello",', final=False))
        for raw in raws:
            self.assertEqual(raw.read_head()[0], 101)
        daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_assembly_refused_total") == 1, "one is refused")
        refused = [raw for raw in raws if self.is_readable(raw)]
        self.assertEqual([raw.read_close_code() for raw in refused], [1013])
        # The others' messages are still there, and so is the refused one's place.
        other = next(raw for raw in raws if raw not in refused)
        other.send_frame(0, b'"id":1,"name":"Ada"}')
        self.assertEqual(json.loads(other.read_text())["type"], "welcome")

    @staticmethod
    def is_readable(raw):
        raw.socket.setblocking(False)
        try:
            return bool(raw.pending or raw.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            raw.socket.settimeout(10)


if __name__ == "__main__":
    unittest.main()
