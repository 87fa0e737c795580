"""One cell of the table of test_coming_back.py: Ada is brought into a state, something happens to her connection, and
what must follow is held against what she and Bea, who stays, are told."""

import asyncio
import contextlib
import uuid
from typing import NamedTuple

from client import DEADLINE_S, Client, time_passes
from daemon import wait_until
from shards import Shards, SlowDisk

TAKEN_OVER = 4509
NO_MATCH = "00000000-0000-7000-8000-000000000000"
CELLS_AT_ONCE = 24  # For each daemon.

QUEUED, STARTING, ASKING, ANSWERED, REVEALING, SAVING, ENDED, IDLE = STATES = (
    "queued", "before the first round", "in a round", "in a round, answered", "in a reveal", "while saving",
    "ended unseen", "idle")


class Event(NamedTuple):
    """A connection is lost (or stays: a second tab), and then somebody says hello as the same player."""

    loss: str = "none"  # drop (FIN), reset (RST), silence; stall: silent, and not noticed yet; none: it lives.
    proof: str = "session"  # session, token, dead session and token, session and other's token
    last: str = "behind"  # What of the match it says to have: none, 0, behind, exact, other match, ahead.
    when: str = "soon"  # late: after the grace; too late: when nothing is kept any more.
    other_shard: bool = False


class Place:
    """A daemon, and what the cells that are played there share."""

    def __init__(self, daemon, disk, shards):
        self.daemon, self.disk, self.shards = daemon, disk, shards
        self.pairing = asyncio.Lock()  # Who joins together meets.
        self.cells = asyncio.Semaphore(CELLS_AT_ONCE)
        self.categories = asyncio.Queue()  # Who waits in the queue waits in one that nobody else uses.

    @classmethod
    async def opened(cls, daemon, disk):
        place = cls(daemon, disk, await Shards.found(daemon))
        client = await Client.greeted(daemon, "Scout")
        for category in client.welcome["categories"]:
            place.categories.put_nowait(category)
        await client.close()
        return place


class Cell:
    def __init__(self, place, state, event, outcome, number):
        self.place, self.state, self.event, self.outcome = place, state, event, outcome
        self.number = number
        self.resources = contextlib.AsyncExitStack()
        self.ada = self.again = self.bea = None
        self.match = NO_MATCH
        self.is_store_held = False
        self.receipt = None
        self.waited_ms = 0

    @property
    def name(self):
        parts = [self.event.loss if self.event.loss != "none" else "second tab", self.event.proof, self.event.last]
        parts += [self.event.when] * (self.event.when != "soon") + ["other shard"] * self.event.other_shard
        return f"{', '.join(parts)} | {self.state} -> {self.outcome}"

    async def run(self):
        async with self.place.cells, self.resources:
            try:
                await self.bring_about()
                await self.happen()
                await getattr(self, f"assert_{self.outcome}")()
            finally:
                self.let_store_go()
                for client in (self.ada, self.again, self.bea):
                    if client is not None:
                        await client.abort()

    # --- Before. ---

    async def greeted(self, name, source_port=0):
        return await Client.greeted(self.place.daemon, name, source_port=source_port)

    async def bring_about(self):
        first = self.second_port = 0
        if self.event.other_shard:
            first, self.second_port = await self.resources.enter_async_context(
                self.place.shards.two(self.number % 2))
        self.ada = await self.greeted("Ada", first)
        self.bea = await self.greeted("Bea")
        if self.state == IDLE:
            return
        if self.state == QUEUED:
            await self.wait_in_queue()
            return
        if self.state == SAVING:
            self.place.disk.hold()
            self.is_store_held = True
        async with self.place.pairing:
            for client in (self.ada, self.bea):
                await client.join()
            match = [await client.expect("match") for client in (self.ada, self.bea)][0]
        self.learn_match(match)
        await self.play_up_to_state(match)

    def learn_match(self, match):
        self.match = match["match"]
        self.ada_at, self.bea_at = self.ada.place_in(match), self.bea.place_in(match)

    async def wait_in_queue(self):
        self.category = await self.place.categories.get()
        self.resources.callback(self.place.categories.put_nowait, self.category)
        await self.ada.join(category=self.category)
        self.waited_ms = (await self.ada.expect("ticket"))["waited_ms"]

    async def play_up_to_state(self, match):
        """Nothing is sent after what brings the state about: Ada has not been heard since."""
        players = (self.ada, self.bea)
        if self.state == STARTING:
            return
        for number in range(1, match["rounds"] + 1):
            for client in players:
                await client.expect("round", round=number)
            if self.state == ASKING:
                return
            for client in players:
                receipt = await client.answer({"round": number}, 0)
                if client is self.ada:
                    self.receipt = self.receipt or receipt
                    if self.state == ANSWERED:
                        return
            for client in players:
                await client.expect("reveal", round=number)
            if self.state == REVEALING:
                return
        if self.state == SAVING:
            return
        for client in players:
            await client.expect("end", reason="finished")
        self.ada.fall_silent()  # A pong would be heard.

    def let_store_go(self):
        if self.is_store_held:
            self.is_store_held = False
            self.place.disk.let_go()

    # --- What happens. ---

    @property
    def is_tab(self):
        return self.event.loss in ("none", "stall")

    @property
    def is_in_match(self):
        return self.state not in (QUEUED, IDLE, ENDED)

    async def happen(self):
        self.had = len(self.ada.sequence())
        await self.lose()
        if self.event.when != "soon":
            await self.let_time_pass()
        await self.come_back()

    async def lose(self):
        loss = self.event.loss
        if self.is_tab:
            if loss == "stall":
                self.ada.fall_silent()
            return
        if loss == "drop":
            self.ada.listen_again()
            await self.ada.drop()
        elif loss == "reset":
            await self.ada.reset()
            if not self.is_in_match:
                await self.published_anew()
        else:
            self.ada.fall_silent()
        if self.is_in_match:
            await self.bea.until_peer("away", self.ada_at, grace_ms=self.place.daemon.settings["reconnect_grace_ms"])
        elif loss == "silence":
            await self.ada.given_up()

    async def published_anew(self):
        """Until every shard has told its figures again, twice: by then it has seen what was there to be seen."""

        def turns():
            return self.place.daemon.metrics().values("quizrush_loop_turns_total")

        for _ in range(2):
            before = await asyncio.to_thread(turns)
            await asyncio.to_thread(wait_until, lambda: all(
                now > then for now, then in zip(turns(), before)), DEADLINE_S, "every shard has published")

    async def let_time_pass(self):
        """What the rules measure in time passes in time: the grace, and then what an ended match is kept for."""
        if self.state == QUEUED:
            await self.assert_not_matched_while_away()
            await time_passes(self.place.daemon.settings["reconnect_grace_ms"])
        elif self.state == SAVING:
            self.let_store_go()
            await self.bea.until("end")
        elif self.is_in_match:
            await self.bea.until_peer("gone", self.ada_at)
            await self.bea.expect("end", reason="forfeit", winner=self.bea_at)
        if self.event.when == "too late":
            await time_passes(self.place.daemon.settings["ended_keep_ms"] + 500)

    def last_fields(self):
        known = {"0": 0, "behind": max(self.had - 1, 0), "exact": self.had, "ahead": self.had + 50}
        if self.event.last == "none":
            return {}
        if self.event.last == "other match":
            return {"last_match": str(uuid.uuid4()), "last_seq": 99}
        return {"last_match": self.match, "last_seq": known[self.event.last]}

    def proof_fields(self):
        session, token = self.ada.welcome["session"], self.ada.welcome["token"]
        dead = session[:-32] + "0" * 32
        return {
            "session": {"resume": session, **self.last_fields()},
            "token": {"token": token},
            "dead session and token": {"resume": dead, "token": token},
            "session and other's token": {"resume": session, "token": self.bea.welcome["token"]},
        }[self.event.proof]

    async def come_back(self):
        self.again = await Client.connect(self.place.daemon, source_port=self.second_port)
        fields = self.proof_fields()
        self.from_seq = fields.get("last_seq", 0) if fields.get("last_match") == self.match else 0
        self.reply = await self.again.ask("hello", **fields)

    # --- After. ---

    def assert_welcome(self, match=None):
        assert self.reply["type"] == "welcome", self.reply
        self.again.welcome = self.reply
        for field in ("player", "name"):
            assert self.reply[field] == self.ada.welcome[field], (field, self.reply, self.ada.welcome)
        assert self.reply["session"] != self.ada.welcome["session"]
        assert self.reply.get("match") == match, ("match", match, self.reply)

    async def assert_older_is_closed(self):
        self.ada.listen_again()
        rest = await self.ada.expect_close(TAKEN_OVER)
        assert (rest[-1]["type"], rest[-1].get("reason")) == ("bye", "taken_over"), rest
        assert "peer" not in [message["type"] for message in rest], rest

    def assert_told(self, *states):
        """What Bea was told of Ada, and nothing else."""
        told = [message["state"] for message in self.bea.messages
                if message["type"] == "peer" and message["player"] == self.ada_at]
        assert told == list(states), (told, states)

    def assert_same_match(self):
        """Byte for byte: what Ada had, and what she got now, is what Bea got."""
        hers = self.bea.sequence()
        assert self.ada.sequence()[:self.had] == hers[:self.had]
        assert self.again.sequence() == hers[self.from_seq:], (self.from_seq, self.again.sequence(), hers)

    async def place_in_queue(self):
        queued = await self.again.kept()
        assert queued["type"] == "queued" and "id" not in queued, queued
        assert queued["waited_ms"] >= self.waited_ms, (queued, self.waited_ms)
        assert queued["mode"] == "duel", queued

    async def catch_up(self):
        """What was missed comes in order behind `welcome`, then the clock."""
        due = self.from_seq + 1
        while (message := await self.again.kept())["type"] != "clock":
            assert message.get("seq") == due, (due, message)
            due += 1
        rounds = [one["round"] for one in self.bea.messages + self.again.messages if one["type"] == "round"]
        assert message["match"] == self.match and message["round"] in (0, *rounds), message
        if not self.event.loss == "silence":
            assert message["round"] == (0 if self.state == STARTING else 1), message
        settings = self.place.daemon.settings
        longest_ms = max(settings[phase] for phase in ("match_start_ms", "round_time_ms", "reveal_time_ms"))
        assert 0 <= message["left_ms"] <= longest_ms, message

    async def play_on(self):
        """The match is where it was: what was answered stands, and what was not can be."""
        if self.state == STARTING:
            await self.again.refused("wrong_round", "answer", round=1, choice=1)
        else:
            receipt = await self.again.answer({"round": 1}, 1)
            assert receipt["dup"] == (self.receipt is not None), receipt
            if self.receipt is not None:
                for field in ("choice", "at_ms"):
                    assert receipt[field] == self.receipt[field], (field, receipt, self.receipt)

    async def go_on(self):
        """To the end of the match, on the connection that Ada has now."""
        if self.state == SAVING:
            last = len(self.bea.sequence())
            for due in range(self.from_seq + 1, last + 1):
                message = await self.again.kept()
                assert message.get("seq") == due, (due, message)
            await self.again.refused("unavailable", "join", mode="duel")
            assert (await self.again.ask("leave"))["type"] == "left"
            self.let_store_go()
            expected = {"reason": "finished"}
        else:
            await self.catch_up()
            await self.play_on()
            assert (await self.bea.ask("leave", match=self.match))["type"] == "left"
            expected = {"reason": "forfeit", "winner": self.ada_at}
        for client in (self.again, self.bea):
            end = await client.until("end")
            assert {key: end[key] for key in expected} == expected, end
        self.assert_same_match()
        clocks = [message["type"] for message in self.again.messages].count("clock")
        assert clocks == (self.state != SAVING), clocks

    async def assert_back(self):
        self.assert_welcome(self.match)
        await self.bea.until_peer("back", self.ada_at)
        await self.go_on()
        self.assert_told("away", "back")

    async def assert_moved(self):
        await self.assert_older_is_closed()
        if self.state == IDLE:
            self.assert_welcome()
            await self.assert_alive(self.again)
        elif self.state == QUEUED:
            self.assert_welcome()
            await self.place_in_queue()
            await self.meet()
        else:
            self.assert_welcome(self.match)
            await self.go_on()
            self.assert_told()

    async def assert_not_matched_while_away(self):
        """Bea waits in the same queue for more than a second, and nobody comes."""
        await self.bea.join(category=self.category)
        await self.bea.expect("ticket")
        assert "match" not in [message["type"] for message in self.bea.messages]

    async def meet(self):
        """Ada waits and is met."""
        if "queued" not in [message["type"] for message in self.bea.messages]:
            await self.bea.join(category=self.category)
        matches = [await client.expect("match") for client in (self.again, self.bea)]
        assert matches[0] == matches[1]
        await self.again.ask("leave")

    async def assert_place(self):
        self.assert_welcome()
        await self.place_in_queue()
        await self.meet()

    async def see_to_the_end(self):
        self.assert_welcome(self.match)
        hers = self.bea.sequence()
        for due in range(self.from_seq + 1, len(hers) + 1):
            message = await self.again.kept()
            assert message.get("seq") == due, (due, message)
        assert message["type"] == "end", message
        self.assert_same_match()
        # Heard: from now on there is nothing to come back to.
        await self.assert_alive(self.again)
        assert "clock" not in [message["type"] for message in self.again.messages]
        third = await Client.connect(self.place.daemon)
        welcome = await third.greet(resume=self.again.welcome["session"])
        assert "match" not in welcome, welcome
        await third.abort()

    async def assert_missed(self):
        await self.see_to_the_end()
        if self.is_tab:
            await self.assert_older_is_closed()

    async def assert_forfeit(self):
        await self.see_to_the_end()
        self.assert_told("away", "gone")

    async def assert_finished(self):
        await self.see_to_the_end()
        self.assert_told("away")

    async def assert_seen(self):
        self.assert_welcome()
        await self.assert_alive(self.again)
        assert [message["type"] for message in self.again.messages] == ["welcome", "pong"], self.again.messages

    async def assert_fresh(self):
        self.assert_welcome()
        await self.assert_alive(self.again)
        assert [message["type"] for message in self.again.messages] == ["welcome", "pong"], self.again.messages

    async def assert_expired(self):
        assert (self.reply["type"], self.reply.get("code")) == ("error", "resume_expired"), self.reply
        welcome = await self.again.greet(name="Ada")
        assert welcome["player"] != self.ada.welcome["player"]
        assert "match" not in welcome, welcome

    async def assert_lost(self):
        """Bea, who waits, meets whoever comes next."""
        await self.assert_expired()
        await self.again.join(category=self.category)
        match = await self.bea.expect("match")
        assert await self.again.expect("match") == match

    async def assert_refused(self):
        assert (self.reply["type"], self.reply.get("code")) == ("error", "bad_message"), self.reply
        await self.assert_alive(self.bea)
        if self.is_tab and self.state != ENDED:
            await self.assert_alive(self.ada)
        # The refused one may say hello again, and is served as any other.
        self.from_seq = 0
        self.reply = await self.again.ask("hello", resume=self.ada.welcome["session"])
        if self.state == ENDED:
            await self.assert_missed()
        elif self.is_tab:
            await self.assert_moved()
        else:
            await self.assert_back()

    @staticmethod
    async def assert_alive(client):
        pong = await client.ask("ping", at="still there")
        assert pong["type"] == "pong", pong
