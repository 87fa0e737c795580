"""A player for tests: quizrush.v1 over python3-websockets, message by message, each wait with a deadline.

Messages are taken in order. The droppable ones, which may come at any time or never, are left out unless asked for.
"""

import asyncio
import collections
import contextlib
import html
import json
import logging
import math
import socket
import sqlite3
import struct

import websockets

from daemon import LOOK_AGAIN_S, LOOPBACK, PATIENCE, QUESTIONS

# unittest runs the loop in debug mode, which reports every step that takes longer than 0.1 s.
logging.getLogger("asyncio").setLevel(logging.ERROR)

SUBPROTOCOL = "quizrush.v1"
DEADLINE_S = 10 * PATIENCE
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8  # linux/tcp_states.h
DROPPABLE = ("ticket", "answered", "saving", "emote", "gap")
# Field names that must not occur in any message before a round's reveal.
SECRETS = ("correct", "correct_answer", "incorrect_answers", "right", "is_right", "points")


async def time_passes(ms):
    """Until a time is over that the rules themselves set: nothing tells of it. Not for guesses."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), ms / 1000)


def right_answers():
    """Question text to right choice, as the file has them."""
    with open(QUESTIONS, encoding="utf-8") as file:
        entries = json.load(file)["results"]
    return {html.unescape(entry["question"]): html.unescape(entry["correct_answer"]) for entry in entries}


def rows(database_path, query, *values):
    """What a query of the daemon's database finds, as dicts."""
    with contextlib.closing(sqlite3.connect(f"file:{database_path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(query, values)]


def points(at_ms, time_ms, weight):
    """docs/protocol.md, Points."""
    return (500 + math.floor(500 * (time_ms - max(at_ms, 500)) / (time_ms - 500))) * weight


def names_in(value):
    """Every field name, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names_in(inner)
    if isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.next_id = 0
        self.inbox = collections.deque()
        self.texts = []  # Everything that came, as it came.
        self.messages = []
        self.welcome = None

    # --- The connection. ---

    @classmethod
    async def connect(cls, daemon, source_port=0, protocol=websockets.WebSocketClientProtocol):
        """From this port, where one is named. The client's library sends no pings of its own, and answers those of the
        server."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.setblocking(False)
        connection.bind((LOOPBACK, source_port))
        await asyncio.get_running_loop().sock_connect(connection, (LOOPBACK, daemon.port))
        return cls(
            await websockets.connect(
                daemon.url, sock=connection, create_protocol=protocol, subprotocols=[SUBPROTOCOL], compression=None,
                ping_interval=None, open_timeout=DEADLINE_S, close_timeout=DEADLINE_S,
            )
        )

    @classmethod
    async def greeted(cls, daemon, name, **where):
        client = await cls.connect(daemon, **where)
        await client.greet(name=name)
        return client

    async def greet(self, **fields):
        """Says hello, which must succeed."""
        self.welcome = await self.ask("hello", **fields)
        assert self.welcome["type"] == "welcome", (fields, self.welcome)
        return self.welcome

    async def close(self):
        await self.socket.close(1000)

    async def abort(self):
        """Lets go of the connection without a close frame."""
        self.socket.transport.abort()
        await self.socket.wait_closed()

    # How connections are lost in the world: the peer's FIN or RST comes without a close frame, or nothing comes at all.

    async def drop(self):
        """Ends its side, and sees the server end the other."""
        self.fall_silent()  # No pong behind the FIN.
        self._raw().shutdown(socket.SHUT_WR)
        await self.given_up()
        await self.abort()

    async def reset(self):
        self._raw().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.abort()

    def fall_silent(self):
        """Reads nothing any more, and so answers nothing, pings included."""
        self.socket.transport.pause_reading()

    def listen_again(self):
        self.socket.transport.resume_reading()

    async def given_up(self, deadline_s=DEADLINE_S):
        """Until the server has closed the connection of one who is silent, seen without reading."""
        ends_at = asyncio.get_running_loop().time() + deadline_s
        while self._raw().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] not in (TCP_CLOSE, TCP_CLOSE_WAIT):
            assert asyncio.get_running_loop().time() < ends_at, f"not given up within {deadline_s} s"
            await time_passes(1000 * LOOK_AGAIN_S)

    def _raw(self):
        return self.socket.transport.get_extra_info("socket")

    async def expect_close(self, code, deadline_s=DEADLINE_S):
        """Reads what is left; returns it; the server must then close with this code."""
        rest = list(self.inbox)
        self.inbox.clear()
        try:
            while True:
                rest.append(await self._read(deadline_s))
        except websockets.ConnectionClosed:
            assert self.socket.close_code == code, (self.socket.close_code, self.socket.close_reason, rest)
        return rest

    # --- Out. ---

    async def send(self, kind, /, **fields):
        """Sends a request and returns its id."""
        self.next_id += 1
        await self.send_text(json.dumps({"type": kind, "id": self.next_id, **fields}))
        return self.next_id

    async def send_text(self, text):
        await self.socket.send(text)

    async def ask(self, kind, /, **fields):
        """Sends a request and returns its reply; what came before the reply stays to be taken."""
        return await self.reply(await self.send(kind, **fields))

    async def refused(self, code, kind, /, **fields):
        """Asks and expects this refusal."""
        error = await self.ask(kind, **fields)
        assert (error["type"], error.get("code")) == ("error", code), (code, kind, fields, error)
        assert error["message"]
        return error

    # --- In. ---

    async def _read(self, deadline_s=DEADLINE_S):
        text = await asyncio.wait_for(self.socket.recv(), deadline_s)
        message = json.loads(text)
        self.texts.append(text)
        self.messages.append(message)
        return message

    async def _take(self, wanted, deadline_s):
        """The first message that wanted() is true for; the others stay, in order."""
        for index, message in enumerate(self.inbox):
            if wanted(message):
                del self.inbox[index]
                return message
        while True:
            message = await self._read(deadline_s)
            if wanted(message):
                return message
            self.inbox.append(message)

    async def reply(self, request_id, deadline_s=DEADLINE_S):
        return await self._take(lambda message: message.get("id") == request_id, deadline_s)

    async def lone_error(self, deadline_s=DEADLINE_S):
        """An error that answers no request that could be read."""
        return await self._take(lambda message: message["type"] == "error" and "id" not in message, deadline_s)

    async def kept(self, deadline_s=DEADLINE_S):
        """The next message that is not droppable."""
        return await self._take(lambda message: message["type"] not in DROPPABLE, deadline_s)

    async def until_peer(self, state, player, **fields):
        """Passes over everything up to the next `peer`, which must be this one."""
        message = await self.until("peer")
        expected = {"state": state, "player": player, **fields}
        assert {key: message.get(key) for key in expected} == expected, (expected, message)
        return message

    async def until(self, kind, deadline_s=DEADLINE_S):
        """Passes over everything up to the next message of this kind."""
        while True:
            message = await self.kept(deadline_s)
            if message["type"] == kind:
                return message

    async def expect(self, kind, /, deadline_s=DEADLINE_S, **fields):
        """The next message that is not droppable (or not of another droppable kind) is this one."""
        message = await self._take(
            lambda message: message["type"] == kind or message["type"] not in DROPPABLE, deadline_s
        )
        assert message["type"] == kind, f"{kind} was due, and this came: {message}"
        for name, value in fields.items():
            assert message.get(name) == value, (name, value, message)
        return message

    # --- Playing. ---

    async def join(self, mode="duel", **fields):
        queued = await self.ask("join", mode=mode, **fields)
        assert queued["type"] == "queued", queued
        return queued

    async def join_when_it_may(self, mode="duel", **fields):
        """One join a second: waits for what is left of it, and asks again."""
        reply = await self.ask("join", mode=mode, **fields)
        if reply.get("code") == "rate_limited" and reply["retry_ms"] <= 1000:
            await time_passes(reply["retry_ms"])
            reply = await self.ask("join", mode=mode, **fields)
        assert reply["type"] == "queued", reply
        return reply

    async def answer(self, round_, choice, **fields):
        accepted = await self.ask("answer", round=round_["round"], choice=choice, **fields)
        assert accepted["type"] == "accepted", accepted
        return accepted

    def sequence(self):
        """The texts of the match's messages that all players get."""
        return [text for text, message in zip(self.texts, self.messages) if "seq" in message]

    def place_in(self, match):
        return [entrant["player"] for entrant in match["players"]].index(self.welcome["player"])


async def pair(daemon, *names, **fields):
    """Greeted clients, all queued, with the `match` that each of them got."""
    clients = [await Client.greeted(daemon, name) for name in names]
    for client in clients:
        await client.join(**fields)
    matches = [await client.expect("match") for client in clients]
    return clients, matches


async def play_rest(clients, match, choose=lambda client, round_: 0):
    """Answers every round that is still to come, all clients at once, and returns the `end` that each got."""
    for _ in range(match["rounds"] - last_round(clients[0], match)):
        rounds = [await client.expect("round") for client in clients]
        await asyncio.gather(
            *(client.answer(round_, choose(client, round_)) for client, round_ in zip(clients, rounds))
        )
        for client in clients:
            await client.expect("reveal")
    return [await client.expect("end") for client in clients]


def last_round(client, match):
    return max((message["round"] for message in client.messages
                if message["type"] == "reveal" and message["match"] == match["match"]), default=0)
