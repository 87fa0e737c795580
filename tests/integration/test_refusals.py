"""Every way in which a request can be refused, and that a refusal changes nothing."""

import json
import unittest

import websockets

from client import Client, pair, play_rest
from daemon import QUICK, Daemon

BURST = 40  # message_burst's default.
ID_MAX = 2**31 - 1
NO_ALGORITHM = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}


class RefusalTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**QUICK))

    async def connect(self):
        client = await Client.connect(self.daemon)
        self.addAsyncCleanup(client.close)
        return client

    async def greeted(self, name="Ada"):
        client = await Client.greeted(self.daemon, name)
        self.addAsyncCleanup(client.close)
        return client

    async def pair(self):
        clients, matches = await pair(self.daemon, "Ada", "Bob")
        for client in clients:
            self.addAsyncCleanup(client.close)
        return clients, matches[0]

    async def assert_alive(self, client):
        pong = await client.ask("ping", at="still there")
        self.assertEqual((pong["type"], pong["at"]), ("pong", "still there"))
        self.assertIsInstance(pong["now_ms"], int)

    async def assert_nothing_happened(self, client):
        """To one who idles: it still does, nobody told it anything, and the one join a second is still to be had."""
        await self.assert_alive(client)
        self.assertLessEqual({message["type"] for message in client.messages}, {"welcome", "error", "pong"})
        await client.join()
        self.assertEqual((await client.ask("leave"))["type"], "left")

    # --- Messages that cannot be read. ---

    async def test_what_is_not_json_is_refused_without_an_id(self):
        client = await self.greeted()
        for text in ("", "nonsense", "{", '{"type":"ping","id":1,"at":1', "[]", "7", '"ping"', "null",
                     '{"type":"ping","id":1,"at":1}}', "{'type':'ping'}", '{"type":"ping","id":01,"at":1}'):
            with self.subTest(text=text):
                await client.send_text(text)
                self.assertEqual((await client.lone_error())["code"], "bad_json")
        await self.assert_nothing_happened(client)

    async def test_a_request_without_a_usable_id_is_refused_without_one(self):
        client = await self.greeted()
        for id_ in (0, -1, ID_MAX + 1, 1.5, "1", None, True, [1]):
            with self.subTest(id=id_):
                await client.send_text(json.dumps({"type": "ping", "id": id_, "at": 1}))
                error = await client.lone_error()
                self.assertEqual(error["code"], "bad_message")
                self.assertIn("`id`", error["message"])
        await client.send_text('{"type":"ping","at":1}')
        self.assertIn("`id`", (await client.lone_error())["message"])
        await self.assert_nothing_happened(client)

    async def test_the_first_and_the_last_id_are_usable(self):
        client = await self.greeted()
        for id_ in (1, ID_MAX):
            await client.send_text(json.dumps({"type": "ping", "id": id_, "at": 1}))
            self.assertEqual((await client.reply(id_))["type"], "pong")

    async def test_a_type_that_is_missing_or_no_string_is_a_bad_message(self):
        client = await self.greeted()
        for message in ({"id": 5}, {"id": 5, "type": 7}, {"id": 5, "type": None}):
            with self.subTest(message=message):
                await client.send_text(json.dumps(message))
                error = await client.reply(5)
                self.assertEqual((error["type"], error["code"]), ("error", "bad_message"))
                self.assertIn("`type`", error["message"])
        await self.assert_nothing_happened(client)

    async def test_an_unknown_type_is_named_so(self):
        client = await self.greeted()
        for type_ in ("", "Ping", "pong", "welcome", "create", "enter", "start"):
            with self.subTest(type=type_):
                await client.refused("unknown_type", type_)
        await self.assert_nothing_happened(client)

    async def test_strings_with_a_nul_are_refused(self):
        client = await self.greeted()
        await client.refused("bad_message", "ping", at="a\0b")
        await self.assert_nothing_happened(client)

    async def test_what_the_server_does_not_know_it_ignores(self):
        client = await self.greeted()
        pong = await client.ask("ping", at=-(2**53), colour="blue", nested={"type": "hello"})
        self.assertEqual((pong["type"], pong["at"]), ("pong", -(2**53)))

    # --- Fields. ---

    # Type, fields, and the field that the refusal must name.
    BAD_FIELDS = (
        ("join", {}, "mode"),
        ("join", {"mode": 1}, "mode"),
        ("join", {"mode": "House"}, "mode"),
        ("join", {"mode": "Duel"}, "mode"),
        ("join", {"mode": "duel", "category": 3}, "category"),
        ("join", {"mode": "duel", "category": "no such category"}, "category"),
        ("join", {"mode": "duel", "rematch": 7}, "rematch"),
        ("join", {"mode": "duel", "rematch": "no match"}, "rematch"),
        ("join", {"mode": "duel", "rematch": "00000000-0000-7000-8000-000000000000"}, "rematch"),
        ("join", {"mode": "house", "rematch": "00000000-0000-7000-8000-000000000000"}, "rematch"),
        ("leave", {"match": 7}, "match"),
        ("answer", {"choice": 0}, "round"),
        ("answer", {"round": 0, "choice": 0}, "round"),
        ("answer", {"round": 256, "choice": 0}, "round"),
        ("answer", {"round": 1.5, "choice": 0}, "round"),
        ("answer", {"round": "1", "choice": 0}, "round"),
        ("answer", {"round": 1}, "choice"),
        ("answer", {"round": 1, "choice": -1}, "choice"),
        ("answer", {"round": 1, "choice": 256}, "choice"),
        ("answer", {"round": 1, "choice": None}, "choice"),
        ("answer", {"round": 1, "choice": 0, "match": 7}, "match"),
        ("emote", {}, "code"),
        ("emote", {"code": 1}, "code"),
        ("emote", {"code": "no such emote"}, "code"),
        ("ping", {}, "at"),
        ("ping", {"at": None}, "at"),
        ("ping", {"at": 1.5}, "at"),
        ("ping", {"at": 2**53 + 2}, "at"),
        ("ping", {"at": "x" * 65}, "at"),
    )

    async def assert_bad_fields(self, cases, client):
        for type_, fields, field in cases:
            with self.subTest(type=type_, fields=fields):
                error = await client.refused("bad_message", type_, **fields)
                self.assertIn(f"`{field}`", error["message"])

    async def test_a_bad_field_is_named(self):
        client = await self.greeted()
        await self.assert_bad_fields(self.BAD_FIELDS, client)
        await self.assert_nothing_happened(client)

    async def test_a_bad_field_of_hello_is_named_and_hello_may_follow(self):
        client = await self.connect()
        cases = (
            ("hello", {}, "name"),
            ("hello", {"name": 7}, "name"),
            ("hello", {"token": 7}, "token"),
            ("hello", {"resume": 7}, "resume"),
            ("hello", {"resume": "x", "last_seq": -1}, "last_seq"),
            ("hello", {"resume": "x", "last_match": 7}, "last_match"),
        )
        await self.assert_bad_fields(cases, client)
        await client.greet(name="Ada")
        await self.assert_nothing_happened(client)

    # --- hello. ---

    async def test_before_hello_nothing_else_is_answered(self):
        client = await self.connect()
        for type_, fields in (("join", {"mode": "duel"}), ("leave", {}), ("answer", {"round": 1, "choice": 0}),
                              ("emote", {"code": "gg"}), ("ping", {"at": 1})):
            with self.subTest(type=type_):
                await client.refused("not_authenticated", type_, **fields)
        await client.greet(name="Ada")
        await self.assert_nothing_happened(client)

    async def test_names_against_the_limits_are_bad(self):
        client = await self.connect()
        for name in ("", "   ", "x" * 25, "a\nb", "a\u202eb", "a\u200bb", "\u0301", "a\x7f", "\u2028x", "x" * 97):
            with self.subTest(name=name):
                await client.refused("bad_name", "hello", name=name)
        self.assertEqual((await client.greet(name="Ada"))["name"], "Ada")
        await self.assert_nothing_happened(client)

    async def test_names_at_the_limits_are_taken_and_normalised(self):
        for name, shown in (("x" * 24, "x" * 24), ("  Ada \u00a0 Lovelace ", "Ada Lovelace"),
                            ("Ame\u0301lie", "Am\u00e9lie"), ("\U0001f600" * 24, "\U0001f600" * 24)):
            with self.subTest(name=name):
                client = await self.connect()
                welcome = await client.ask("hello", name=name)
                self.assertEqual((welcome["type"], welcome.get("name")), ("welcome", shown))

    async def test_welcome_has_what_the_protocol_promises(self):
        welcome = (await self.greeted()).welcome
        self.assertEqual((welcome["id"], welcome["name"], welcome["rating"], welcome["modes"]),
                         (1, "Ada", 1500, ["duel", "house"]))
        self.assertEqual(welcome["ping_ms"], 25000)
        self.assertNotIn("match", welcome)
        self.assertTrue(welcome["session"] and welcome["token"] and welcome["player"])
        self.assertTrue(welcome["categories"] and welcome["emotes"])

    async def test_a_session_is_different_each_time(self):
        first, second = await self.greeted(), await self.greeted()
        self.assertNotEqual(first.welcome["session"], second.welcome["session"])
        self.assertNotEqual(first.welcome["player"], second.welcome["player"])

    async def test_a_second_hello_is_bad_state(self):
        client = await self.greeted()
        await client.join()
        await client.refused("bad_state", "hello", name="Bob")
        await client.refused("bad_state", "hello", resume=client.welcome["session"])
        # The session is the same, and so is whom it speaks for.
        again = await self.connect()
        welcome = await again.greet(resume=client.welcome["session"])
        self.assertEqual((welcome["player"], welcome["name"]), (client.welcome["player"], "Ada"))
        self.assertEqual((await again.ask("leave"))["type"], "left")

    async def test_a_session_that_is_not_known_is_expired_and_another_hello_may_follow(self):
        client = await self.connect()
        await client.refused("resume_expired", "hello", resume="0" * 64)
        self.assertEqual((await client.ask("hello", name="Ada"))["type"], "welcome")

    async def test_a_session_that_is_none_is_expired_too(self):
        client = await self.connect()
        for session in ("x", "0" * 63, "0" * 65, "g" * 64, "x" * 128):
            with self.subTest(session=session):
                await client.refused("resume_expired", "hello", resume=session)
        await client.refused("bad_message", "hello", resume="x" * 129)
        self.assertEqual((await client.ask("hello", name="Ada"))["type"], "welcome")

    async def test_a_bad_token_is_refused_and_the_connection_closed(self):
        for fields in ({}, {"resume": "0" * 64}, {"resume": "x"}, {"name": "Ada"}):
            with self.subTest(fields=fields):
                client = await self.connect()
                await client.refused("auth_failed", "hello", token="no.such.token", **fields)
                rest = await client.expect_close(4500)
                self.assertEqual([(message["type"], message["reason"]) for message in rest], [("bye", "auth_failed")])

    async def test_a_token_that_was_changed_is_refused(self):
        first = await self.greeted()
        token = first.welcome["token"]
        head, claims, signature = token.split(".")
        other = (await self.greeted("Bob")).welcome["token"].split(".")
        last = "B" if signature[0] == "A" else "A"
        for changed in (f"{head}.{claims}.{last}{signature[1:]}", f"{head}.{other[1]}.{signature}",
                        f"{head}.{claims}.", f"{head}.{claims}", f"{token}A", NO_ALGORITHM + f".{claims}."):
            with self.subTest(changed=changed):
                client = await self.connect()
                await client.refused("auth_failed", "hello", token=changed)
                await client.expect_close(4500)
        await self.assert_nothing_happened(first)

    async def test_a_token_is_the_same_player_and_the_name_beside_it_is_ignored(self):
        first = await self.greeted()
        await first.close()
        dead = first.welcome["session"][:32] + "0" * 32
        for fields in ({}, {"name": "Carl"}, {"name": ""}, {"resume": dead}, {"resume": "0" * 64}, {"resume": "x"}):
            with self.subTest(fields=fields):
                client = await self.connect()
                welcome = await client.ask("hello", token=first.welcome["token"], **fields)
                self.assertEqual((welcome["type"], welcome.get("player"), welcome.get("name")),
                                 ("welcome", first.welcome["player"], "Ada"))
                await client.close()

    # --- join, leave, emote. ---

    async def test_who_is_queued_cannot_join(self):
        client = await self.greeted()
        await client.join()
        for mode in ("duel", "house"):
            await client.refused("bad_state", "join", mode=mode)
        # It waits as before, once.
        other = await self.greeted("Bob")
        await other.join()
        match = await client.expect("match", mode="duel")
        self.assertEqual(await other.expect("match"), match)
        self.assertEqual((await client.ask("leave", match=match["match"]))["type"], "left")
        await client.until("end")
        await self.assert_alive(client)
        self.assertEqual([message["type"] for message in client.messages].count("match"), 1)

    async def test_who_plays_cannot_join(self):
        (ada, bob), match = await self.pair()
        await ada.refused("bad_state", "join", mode="duel")
        await ada.expect("round")
        await ada.refused("bad_state", "join", mode="duel")
        await bob.refused("bad_state", "hello", name="Carl")
        self.assertEqual((await bob.ask("leave"))["type"], "left")
        await ada.expect("peer", match=match["match"])

    async def test_a_second_join_within_a_second_is_rate_limited(self):
        client = await self.greeted()
        await client.join()
        await client.ask("leave")
        error = await client.refused("rate_limited", "join", mode="duel")
        self.assertTrue(0 < error["retry_ms"] <= 1000, error)
        await self.assert_alive(client)
        self.assertEqual([message["type"] for message in client.messages], ["welcome", "queued", "left", "error", "pong"])

    async def test_leaving_nothing_does_nothing(self):
        client = await self.greeted()
        self.assertEqual((await client.ask("leave"))["type"], "left")
        self.assertEqual((await client.ask("leave", match="no match"))["type"], "left")

    async def test_leaving_another_match_does_nothing(self):
        (ada, bob), match = await self.pair()
        self.assertEqual((await ada.ask("leave", match="00000000-0000-7000-8000-000000000000"))["type"], "left")
        ends = await play_rest([ada, bob], match)
        self.assertEqual(ends[0]["reason"], "finished")

    async def test_an_emote_outside_a_match_is_bad_state(self):
        client = await self.greeted()
        await client.refused("bad_state", "emote", code="gg")
        await self.assert_nothing_happened(client)

    async def test_who_has_left_and_still_sees_the_match_to_its_end_may_nothing_in_it(self):
        (ada, bob), match = await self.pair()
        for client in (ada, bob):
            await client.expect("round", round=1)
        await ada.drop()
        await bob.until_peer("away", ada.place_in(match))
        self.assertEqual((await bob.ask("leave"))["type"], "left")
        await bob.until_peer("gone", bob.place_in(match))
        for type_, fields in (("answer", {"round": 1, "choice": 0}), ("emote", {"code": "gg"}), ("join", {"mode": "duel"})):
            await bob.refused("bad_state", type_, **fields)
        # Nobody answered: nothing but the time ends it.
        await bob.until_peer("gone", ada.place_in(match))
        await bob.expect("end", reason="cancelled", winner=None, scores=[0, 0])

    async def test_an_emote_without_an_id_is_never_answered(self):
        client = await self.greeted()
        for message in ({"type": "emote", "code": "gg"}, {"type": "emote", "code": "no such emote"},
                        {"type": "emote"}):
            await client.send_text(json.dumps(message))
        await self.assert_alive(client)
        self.assertEqual([message["type"] for message in client.messages], ["welcome", "pong"])

    async def test_refused_messages_do_not_disturb_a_match(self):
        (ada, bob), match = await self.pair()
        await ada.expect("round", round=1)
        await bob.expect("round", round=1)
        await ada.send_text("nonsense")
        await ada.refused("bad_choice", "answer", round=1, choice=99)
        await ada.refused("bad_state", "join", mode="duel")
        await ada.refused("unknown_type", "cheat")
        await ada.refused("bad_message", "answer", round=1)
        for client in (ada, bob):
            self.assertFalse((await client.ask("answer", round=1, choice=0))["dup"])
            await client.expect("reveal" if client is bob else "error")
        await ada.expect("reveal", round=1)
        ends = await play_rest([ada, bob], match)
        self.assertEqual(ends[0]["reason"], "finished")
        self.assertEqual(ada.sequence(), bob.sequence())

    # --- Too much. ---

    async def test_beyond_the_rate_a_request_is_refused_and_each_has_one_answer(self):
        client = await self.greeted()
        ids = [await client.send("ping", at=index) for index in range(BURST + 20)]
        replies = [await client.reply(id_) for id_ in ids]
        kinds = [reply["type"] for reply in replies]
        self.assertGreaterEqual(kinds.count("pong"), BURST - 1)  # hello was one.
        refused = [reply for reply in replies if reply["type"] == "error"]
        self.assertGreater(len(refused), 0)
        for error in refused:
            self.assertEqual(error["code"], "rate_limited")
            self.assertGreater(error["retry_ms"], 0)
        self.assertEqual(len(client.messages), 1 + len(ids))

    async def test_more_than_twenty_unreadable_messages_end_the_connection(self):
        client = await self.greeted()
        for _ in range(20):
            await client.send_text("nonsense")
            self.assertEqual((await client.lone_error())["code"], "bad_json")
        await client.send_text("nonsense")
        rest = await client.expect_close(4008)
        self.assertEqual(rest[-1]["type"], "bye")


class HelloDeadlineTest(unittest.IsolatedAsyncioTestCase):
    async def test_who_says_no_hello_in_time_is_closed_with_4009(self):
        with Daemon(**{**QUICK, "hello_timeout_ms": 300}) as daemon:
            client = await Client.connect(daemon)
            rest = await client.expect_close(4009, deadline_s=3)
            self.assertEqual([message["type"] for message in rest], ["bye"])

    async def test_refused_hellos_do_not_extend_the_deadline(self):
        with Daemon(**{**QUICK, "hello_timeout_ms": 600}) as daemon:
            client = await Client.connect(daemon)
            await client.refused("bad_name", "hello", name="")
            await client.expect_close(4009, deadline_s=3)

    async def test_one_connection_more_than_the_limit_is_turned_away_and_the_others_go_on(self):
        with Daemon(**{**QUICK, "max_connections": 2}) as daemon:
            clients = [await Client.greeted(daemon, name) for name in ("Ada", "Bob")]
            third = await Client.connect(daemon)  # It may be somebody who comes back.
            await third.refused("unavailable", "hello", name="Carl")
            await third.expect_close(1013)
            for client in clients:
                self.assertEqual((await client.ask("ping", at=1))["type"], "pong")
                await client.close()


if __name__ == "__main__":
    unittest.main()
